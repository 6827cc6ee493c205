//! Names: spelled as names, not reserved, and the file called as the pack says.

use super::Findings;
use crate::pack::{Attribute, Kind, Pack};
use indexmap::IndexMap;
use std::path::Path;

/// Names that expressions give a meaning of their own.
const RESERVED: [&str; 10] = ["args", "it", "key", "rows", "session", "true", "false", "null", "in", "fill"];

pub(super) fn check(pack: &Pack, path: Option<&Path>, findings: &mut Findings) {
    if let Some(path) = path {
        let part = |part: Option<&std::ffi::OsStr>| {
            part.map(|p| p.to_string_lossy().into_owned()).unwrap_or_default()
        };
        let (file, folder) = (part(path.file_stem()), part(path.parent().and_then(Path::file_name)));
        if file != pack.domain {
            findings
                .within("domain", |f| f.error(format!("the file is called `{file}`, not `{}`", pack.domain)));
        }
        if folder != pack.area {
            findings
                .within("area", |f| f.error(format!("the folder is called `{folder}`, not `{}`", pack.area)));
        }
    }
    findings.within("domain", |f| name(&pack.domain, f));
    findings.within("area", |f| name(&pack.area, f));
    names("constants", pack.constants.keys(), findings);
    names("lexicons", pack.lexicons.keys(), findings);
    names("texts", pack.texts.keys(), findings);
    for (section, entities) in [("entities", &pack.entities), ("singletons", &pack.singletons)] {
        names(section, entities.keys(), findings);
        for (entity_name, entity) in entities {
            findings.within(section, |f| {
                f.within(entity_name, |f| {
                    attributes("attributes", &entity.attributes, f);
                    if let Some(plural) = &entity.plural {
                        f.within("plural", |f| name(plural, f));
                    }
                    let Some(lifecycle) = &entity.lifecycle else { return };
                    f.within("lifecycle", |f| {
                        names("moves", lifecycle.moves.keys(), f);
                        for (verb, mv) in &lifecycle.moves {
                            f.within("moves", |f| f.within(verb, |f| attributes("takes", &mv.takes, f)));
                        }
                    });
                });
            });
        }
    }
    names("operations", pack.operations.keys(), findings);
    for (operation_name, operation) in &pack.operations {
        findings
            .within("operations", |f| f.within(operation_name, |f| attributes("takes", &operation.takes, f)));
    }
    names("reports", pack.reports.keys(), findings);
    names("formulas", pack.formulas.keys(), findings);
    for (formula_name, formula) in &pack.formulas {
        findings.within("formulas", |f| {
            f.within(formula_name, |f| {
                attributes("in", &formula.inputs, f);
                names("let", formula.bind.keys(), f);
            })
        });
    }
    names("simulators", pack.simulators.keys(), findings);
    for (simulator_name, simulator) in &pack.simulators {
        findings.within("simulators", |f| {
            f.within(simulator_name, |f| {
                attributes("parameters", &simulator.parameters, f);
                attributes("controls", &simulator.controls, f);
                attributes("state", &simulator.state, f);
                for (section, keys) in
                    [("let", &simulator.bind), ("outputs", &simulator.outputs), ("alarms", &simulator.alarms)]
                {
                    names(section, keys.keys(), f);
                }
            })
        });
    }
    collisions(pack, findings);
}

/// Collections, singletons and constants share one space of names: expressions name them alike.
fn collisions(pack: &Pack, findings: &mut Findings) {
    let collections = pack.entities.iter().map(|(n, e)| (e.collection(n), "entities", n));
    let singletons = pack.singletons.keys().map(|n| (n.clone(), "singletons", n));
    let constants = pack.constants.keys().map(|n| (n.clone(), "constants", n));
    let mut seen: IndexMap<String, &str> = IndexMap::new();
    for (shared, section, own) in collections.chain(singletons).chain(constants) {
        if let Some(other) = seen.insert(shared.clone(), section) {
            findings.within(section, |f| {
                f.within(own, |f| f.error(format!("`{shared}` already names something under `{other}`")));
            });
        }
    }
}

fn names<'k>(section: &str, keys: impl Iterator<Item = &'k String>, findings: &mut Findings) {
    findings.within(section, |f| keys.for_each(|key| f.within(key, |f| name(key, f))));
}

fn attributes(section: &str, attributes: &IndexMap<String, Attribute>, findings: &mut Findings) {
    findings.within(section, |f| {
        for (key, attribute) in attributes {
            f.within(key, |f| {
                name(key.strip_suffix('?').unwrap_or(key), f);
                if key == "id" {
                    f.error("every record has an `id` already; say how it looks with the entity's `id`");
                }
                if let Kind::Fields(fields) = &attribute.kind {
                    self::attributes("fields", fields, f);
                }
            });
        }
    });
}

fn name(name: &str, findings: &mut Findings) {
    let spelled = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && name.len() <= 48;
    if !spelled {
        findings.error(format!(
            "`{name}` is no name: letters, digits and underscores, a letter first, at most 48"
        ));
    } else if RESERVED.contains(&name) {
        findings.error(format!("`{name}` has a meaning of its own in expressions; choose another name"));
    }
}
