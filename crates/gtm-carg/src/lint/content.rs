//! What a pack must hold to be worth having, and what makes it weak.

use super::Findings;
use crate::pack::Pack;

/// Types of things that make a domain, unless it has the formulas.
const LEAST_ENTITIES: usize = 3;
/// Formulas that make a domain, unless it has the entities.
const LEAST_FORMULAS: usize = 6;

pub(super) fn check(pack: &Pack, findings: &mut Findings) {
    let things = pack.entities.len() + pack.singletons.len();
    if things < LEAST_ENTITIES && pack.formulas.len() < LEAST_FORMULAS {
        findings.error(format!(
            "a domain has at least {LEAST_ENTITIES} entities and singletons, or {LEAST_FORMULAS} formulas; this one has {things} and {}",
            pack.formulas.len()
        ));
    }
    if pack.sources.is_empty() {
        findings.warn("no `sources`: say what was looked up");
    }
    for (section, what) in [("title", &pack.title), ("about", &pack.about)] {
        findings.within(section, |f| about(what, f));
    }
    for (name, words) in &pack.lexicons {
        findings.within("lexicons", |f| {
            f.within(name, |f| match words.len() {
                0 => f.error("the lexicon has no words"),
                n if n < 6 => {
                    f.warn(format!("only {n} words; use at least 6, or an `enum` if that is all there is"))
                }
                n if words.iter().collect::<std::collections::HashSet<_>>().len() < n => {
                    f.error("a word is repeated")
                }
                _ => {}
            })
        });
    }
    for (name, alternatives) in &pack.texts {
        if alternatives.len() < 3 {
            findings.within("texts", |f| {
                f.within(name, |f| f.warn("fewer than 3 alternatives: texts will repeat"))
            });
        }
    }
    for (section, entities) in [("entities", &pack.entities), ("singletons", &pack.singletons)] {
        for (name, entity) in entities {
            findings.within(section, |f| {
                f.within(name, |f| {
                    f.within("about", |f| about(&entity.about, f));
                    if entity.attributes.len() < 3 {
                        f.warn("fewer than 3 attributes");
                    }
                })
            });
        }
    }
    for (name, operation) in &pack.operations {
        findings
            .within("operations", |f| f.within(name, |f| f.within("about", |f| about(&operation.about, f))));
    }
    for (name, formula) in &pack.formulas {
        findings.within("formulas", |f| {
            f.within(name, |f| {
                f.within("about", |f| about(&formula.about, f));
                match formula.worked.len() {
                    0 => f.error("no worked values: give at least two, computed by someone else or by hand"),
                    1 => f.warn(
                        "only one worked value; two tell slips in the formula apart from slips in the value",
                    ),
                    _ => {}
                }
                if formula.source.trim().len() < 4 {
                    f.within("source", |f| f.error("name the book, standard or paper"));
                }
            })
        });
    }
    let rules = pack.entities.values().chain(pack.singletons.values());
    let has_rules = rules.clone().any(|e| !e.rules.is_empty() || e.lifecycle.is_some())
        || !pack.operations.is_empty()
        || pack.formulas.values().any(|f| !f.require.is_empty());
    if !has_rules {
        findings.warn(
            "no rule, lifecycle, operation or condition: nothing in this domain can go wrong in its own way",
        );
    }
}

fn about(text: &str, findings: &mut Findings) {
    match text.trim().len() {
        0 => findings.error("the text is empty"),
        n if n > 600 => findings.error("the text is longer than 600 bytes"),
        _ => {}
    }
}
