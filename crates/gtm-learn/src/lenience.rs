//! Arguments of a wrong type: some tools refuse them, some take them as they come. What a tool was seen to do
//! counts, else what others of the toolset did with arguments of the same declared type.

use crate::evidence::{Evidence, Seen, ToolEvidence};
use crate::quote;
use crate::style::Wrong;
use gtm_tool::ToolSpec;
use gtm_world::ErrorKind;
use gtm_world::behavior::{Op, Require, Step};
use std::collections::BTreeMap;

/// How often something was taken and refused.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    taken: usize,
    refused: usize,
}

impl Count {
    fn add(&mut self, seen: &Seen) {
        match seen.call.is_error {
            true => self.refused += 1,
            false => self.taken += 1,
        }
    }

    fn is_lenient(self) -> bool {
        self.taken > self.refused
    }
}

/// What the tools of a toolset do with arguments of a wrong type, by declared type.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lenience {
    by_type: BTreeMap<String, Count>,
}

impl Lenience {
    pub(crate) fn learn(evidence: &Evidence) -> Lenience {
        let mut out = Lenience::default();
        for tool in evidence.tools.values() {
            for (argument, seen) in mistaken(tool) {
                out.by_type.entry(declared(&tool.spec, &argument)).or_default().add(seen);
            }
        }
        out
    }

    /// The step that refuses arguments that break the spec in other ways than by their names; `None` if the
    /// tool takes them all.
    pub(crate) fn step(&self, tool: &ToolEvidence) -> Option<Step> {
        let mut own: BTreeMap<String, Count> = BTreeMap::new();
        mistaken(tool).for_each(|(argument, seen)| own.entry(argument).or_default().add(seen));
        let properties = tool.spec.parameters.get("properties").and_then(|p| p.as_object());
        let names: Vec<&String> = properties.into_iter().flat_map(|p| p.keys()).collect();
        let lenient = |name: &&&String| {
            let by_type = || self.by_type.get(&declared(&tool.spec, name)).copied();
            own.get(**name).copied().or_else(by_type).is_some_and(Count::is_lenient)
        };
        let taken: Vec<String> = names.iter().filter(lenient).map(|name| quote::text(name)).collect();
        let strict = || "check == null".to_owned();
        match taken.len() {
            0 => Some(refuse(strict())),
            all if all == names.len() => None,
            _ => Some(refuse(format!("{} || check.argument in [{}]", strict(), taken.join(", ")))),
        }
    }

    /// The same for tools of which nothing is known.
    pub(crate) fn general(&self) -> Option<Step> {
        let all = self.by_type.values().fold(Count::default(), |sum, count| Count {
            taken: sum.taken + count.taken,
            refused: sum.refused + count.refused,
        });
        (!all.is_lenient()).then(|| refuse("check == null".into()))
    }
}

/// Refuses what breaks the spec in a way that nothing else is known of.
fn refuse(unless: String) -> Step {
    Step::from(Op::Require(Require {
        that: Some(unless),
        message: Some("{check.message}".into()),
        error: Some(ErrorKind::InvalidArgument),
        ..Require::default()
    }))
}

/// Calls with an argument of a wrong kind and none too few or too many, with its name.
fn mistaken(tool: &ToolEvidence) -> impl Iterator<Item = (String, &Seen)> {
    tool.seen.iter().filter_map(|seen| {
        let check = &seen.call.check;
        let argument = check.get("argument")?.as_str()?.split('/').next()?.to_owned();
        (!argument.is_empty() && Wrong::ALL.iter().all(|wrong| !wrong.is(check))).then_some((argument, seen))
    })
}

/// The type that the spec declares of an argument.
fn declared(spec: &ToolSpec, argument: &str) -> String {
    let kind = spec.parameters.get("properties").and_then(|p| p.get(argument)?.get("type"));
    kind.map_or_else(String::new, ToString::to_string)
}
