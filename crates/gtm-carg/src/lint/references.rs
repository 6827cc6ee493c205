//! What attributes, texts and roles refer to must exist.

use super::Findings;
use crate::pack::{Attribute, Kind, OneOrMany, Pack};
use crate::text::nearest;
use indexmap::IndexMap;

pub(super) fn check(pack: &Pack, findings: &mut Findings) {
    for (section, entities) in [("entities", &pack.entities), ("singletons", &pack.singletons)] {
        for (name, entity) in entities {
            findings.within(section, |f| {
                f.within(name, |f| {
                    attributes(pack, "attributes", &entity.attributes, f);
                    f.within("by", |f| entity.by.values().for_each(|by| roles(pack, by, f)));
                    f.within("id", |f| id_style(entity.id.as_deref(), f));
                    if let Some([least, most]) = entity.count
                        && (least > most || most > 200)
                    {
                        f.within("count", |f| f.error("the count is not [least, most] with at most 200"));
                    }
                    for (verb, mv) in entity.lifecycle.iter().flat_map(|l| &l.moves) {
                        f.within("lifecycle", |f| {
                            f.within("moves", |f| {
                                f.within(verb, |f| {
                                    attributes(pack, "takes", &mv.takes, f);
                                    f.within("by", |f| mv.by.iter().for_each(|by| roles(pack, by, f)));
                                })
                            })
                        });
                    }
                })
            });
        }
    }
    for (name, operation) in &pack.operations {
        findings.within("operations", |f| {
            f.within(name, |f| {
                attributes(pack, "takes", &operation.takes, f);
                f.within("by", |f| operation.by.iter().for_each(|by| roles(pack, by, f)));
            })
        });
    }
    for (name, report) in &pack.reports {
        findings.within("reports", |f| {
            f.within(name, |f| {
                attributes(pack, "takes", &report.takes, f);
                if pack.by_collection(&report.over).is_none() {
                    let collections: Vec<String> =
                        pack.entities.iter().map(|(n, e)| e.collection(n)).collect();
                    f.within("over", |f| {
                        unknown("collection", &report.over, collections.iter().map(String::as_str), f)
                    });
                }
            })
        });
    }
    for (name, formula) in &pack.formulas {
        findings.within("formulas", |f| f.within(name, |f| attributes(pack, "in", &formula.inputs, f)));
    }
    for (name, simulator) in &pack.simulators {
        findings.within("simulators", |f| {
            f.within(name, |f| {
                attributes(pack, "parameters", &simulator.parameters, f);
                attributes(pack, "controls", &simulator.controls, f);
                attributes(pack, "state", &simulator.state, f);
            })
        });
    }
    texts(pack, findings);
}

fn attributes(pack: &Pack, section: &str, list: &IndexMap<String, Attribute>, findings: &mut Findings) {
    findings.within(section, |f| {
        for (name, attribute) in list {
            f.within(name, |f| match &attribute.kind {
                Kind::Word(lexicon) if !pack.lexicons.contains_key(lexicon) => {
                    unknown("lexicon", lexicon, pack.lexicons.keys().map(String::as_str), f);
                }
                Kind::Text(grammar) if !pack.texts.contains_key(grammar) => {
                    unknown("text", grammar, pack.texts.keys().map(String::as_str), f);
                }
                Kind::Ref(entity) if !pack.entities.contains_key(entity) => {
                    unknown("entity", entity, pack.entities.keys().map(String::as_str), f);
                }
                Kind::Fields(fields) => attributes(pack, "fields", fields, f),
                _ => {}
            });
        }
    });
}

fn roles(pack: &Pack, by: &OneOrMany, findings: &mut Findings) {
    for role in by.all() {
        if !pack.roles.contains(role) {
            unknown("role", role, pack.roles.iter().map(String::as_str), findings);
        }
    }
}

fn id_style(id: Option<&str>, findings: &mut Findings) {
    match id {
        None | Some("integer" | "uuid") => {}
        Some(pattern) if pattern.contains(['#', '?']) && pattern.len() <= 40 => {}
        Some(other) => findings.error(format!(
            "`{other}` is no way to make ids: `integer`, `uuid`, or a pattern with `#` (digit) or `?` (hexadecimal digit)"
        )),
    }
}

/// Holes in texts name lexicons, other texts, ranges or members of a record; and no text contains itself.
fn texts(pack: &Pack, findings: &mut Findings) {
    findings.within("texts", |f| {
        for (name, alternatives) in &pack.texts {
            f.within(name, |f| {
                if alternatives.is_empty() {
                    f.error("the text has no alternatives");
                }
                for (at, alternative) in alternatives.iter().enumerate() {
                    f.within(at, |f| {
                        for hole in crate::text::holes(alternative) {
                            self::hole(pack, &hole, f);
                        }
                        if alternative.matches('{').count() != alternative.matches('}').count() {
                            f.error("a brace is not closed");
                        }
                    });
                }
                if contains_itself(pack, name, name, 0) {
                    f.error("the text contains itself");
                }
            });
        }
    });
}

fn hole(pack: &Pack, hole: &str, findings: &mut Findings) {
    let hole = hole.trim();
    let range =
        hole.split_once("..").is_some_and(|(a, b)| a.parse::<f64>().is_ok() && b.parse::<f64>().is_ok());
    if range || hole.contains('.') || pack.lexicons.contains_key(hole) || pack.texts.contains_key(hole) {
        if hole.contains('.')
            && !range
            && let Err(error) = gtm_world::cel::Expr::parse(hole)
        {
            findings.fault(&error);
        }
        return;
    }
    let known = pack.lexicons.keys().chain(pack.texts.keys()).map(String::as_str);
    unknown("lexicon or text", hole, known, findings);
}

fn contains_itself(pack: &Pack, start: &str, at: &str, depth: usize) -> bool {
    let Some(alternatives) = pack.texts.get(at).filter(|_| depth <= pack.texts.len().min(20)) else {
        return false;
    };
    alternatives.iter().flat_map(|a| crate::text::holes(a)).any(|hole| {
        let hole = hole.trim();
        hole == start || (hole != at && contains_itself(pack, start, hole, depth + 1))
    })
}

/// Something is named that does not exist.
pub(super) fn unknown<'k>(
    what: &str,
    name: &str,
    known: impl IntoIterator<Item = &'k str>,
    findings: &mut Findings,
) {
    let known: Vec<&str> = known.into_iter().collect();
    let hint = match nearest(name, known.iter().copied()) {
        Some(near) => format!("perhaps `{near}`"),
        None if known.is_empty() => format!("the pack defines no {what}"),
        None => format!("known are {}", known.join(", ")),
    };
    findings.error(format!("there is no {what} `{name}`; {hint}"));
}
