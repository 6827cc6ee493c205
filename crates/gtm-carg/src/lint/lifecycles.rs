//! Lifecycles: every state can be reached, every move starts and ends somewhere.

use super::Findings;
use super::references::unknown;
use crate::pack::{Lifecycle, Pack};

pub(super) fn check(pack: &Pack, findings: &mut Findings) {
    for (section, entities) in [("entities", &pack.entities), ("singletons", &pack.singletons)] {
        for (name, entity) in entities {
            let Some(lifecycle) = &entity.lifecycle else { continue };
            findings.within(section, |f| {
                f.within(name, |f| {
                    if entity.attributes.contains_key(lifecycle.field()) {
                        f.within("attributes", |f| {
                            f.error(format!(
                                "`{}` is given by the lifecycle; leave it out here",
                                lifecycle.field()
                            ));
                        });
                    }
                    f.within("lifecycle", |f| states(lifecycle, f));
                })
            });
        }
    }
}

fn states(lifecycle: &Lifecycle, findings: &mut Findings) {
    let states = &lifecycle.states;
    let Some(start) = states.first() else {
        findings.within("states", |f| f.error("there are no states"));
        return;
    };
    for (verb, mv) in &lifecycle.moves {
        findings.within("moves", |f| {
            f.within(verb, |f| {
                for from in mv.from.all().iter().filter(|from| *from != "any") {
                    if !states.contains(from) {
                        f.within("from", |f| unknown("state", from, states.iter().map(String::as_str), f));
                    }
                }
                if mv.from.all().is_empty() {
                    f.within("from", |f| f.error("the move starts nowhere; `any` means every state"));
                }
                if !states.contains(&mv.to) {
                    f.within("to", |f| unknown("state", &mv.to, states.iter().map(String::as_str), f));
                }
            })
        });
    }
    let mut reached = vec![start];
    let mut at = 0;
    while at < reached.len() {
        let state = reached[at];
        for mv in lifecycle.moves.values() {
            let starts = mv.from.all().iter().any(|from| from == state || from == "any");
            if starts && states.contains(&mv.to) && !reached.contains(&&mv.to) {
                reached.push(&mv.to);
            }
        }
        at += 1;
    }
    for state in states.iter().filter(|state| !reached.contains(state)) {
        findings.within("states", |f| f.error(format!("no moves lead from `{start}` to `{state}`")));
    }
}
