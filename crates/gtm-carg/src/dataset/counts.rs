//! What is counted while a dataset is made. Counts of parts add up to those of the whole.

use super::census::Census;
use crate::samples::Sample;
use crate::trace::Trace;
use crate::verify::Counters;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};

/// What was counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    /// Sessions kept.
    pub sessions: u64,
    /// Call and reply pairs in them.
    pub pairs: u64,
    /// Replies that are failures.
    pub errors: u64,
    /// Sessions with a task.
    pub tasks: u64,
    /// Sessions dropped, by reason.
    pub dropped: BTreeMap<String, u64>,
    /// Checks made and failed.
    pub checks: Counters,
    /// Pairs by kind of tool.
    pub families: BTreeMap<String, u64>,
    /// Failures by kind.
    pub error_kinds: BTreeMap<String, u64>,
    /// Calls spoilt on purpose, by way.
    pub mutations: BTreeMap<String, u64>,
    /// Sessions by domain or provider.
    pub domains: BTreeMap<String, u64>,
    /// Sessions by split.
    pub splits: BTreeMap<String, u64>,
    /// Sessions by where their tools are from.
    pub sources: BTreeMap<String, u64>,
    /// Sessions by number of turns.
    pub turns: BTreeMap<String, u64>,
    /// Sessions by number of tools.
    pub tools: BTreeMap<String, u64>,
    /// Samples by split and task, as `train/read`.
    pub samples: BTreeMap<String, u64>,
    /// Bytes of prompts and completions.
    pub sample_bytes: u64,
    /// Names of tools of packs.
    pub tool_names: Census,
    /// Names of arguments and members of tools of packs.
    pub field_names: Census,
    /// Names of tools of real specs.
    pub real_tool_names: Census,
    /// Names of arguments and members of tools of real specs.
    pub real_field_names: Census,
}

impl Counts {
    /// Adds another's counts.
    pub fn add(&mut self, other: &Counts) {
        self.sessions += other.sessions;
        self.pairs += other.pairs;
        self.errors += other.errors;
        self.tasks += other.tasks;
        self.sample_bytes += other.sample_bytes;
        self.checks.add(&other.checks);
        for (into, from) in [
            (&mut self.tool_names, &other.tool_names),
            (&mut self.field_names, &other.field_names),
            (&mut self.real_tool_names, &other.real_tool_names),
            (&mut self.real_field_names, &other.real_field_names),
        ] {
            into.add(from);
        }
        for (into, from) in [
            (&mut self.dropped, &other.dropped),
            (&mut self.families, &other.families),
            (&mut self.error_kinds, &other.error_kinds),
            (&mut self.mutations, &other.mutations),
            (&mut self.domains, &other.domains),
            (&mut self.splits, &other.splits),
            (&mut self.sources, &other.sources),
            (&mut self.turns, &other.turns),
            (&mut self.tools, &other.tools),
            (&mut self.samples, &other.samples),
        ] {
            for (name, count) in from {
                *into.entry(name.clone()).or_default() += count;
            }
        }
    }

    /// Counts a session that is kept.
    pub(super) fn keep(&mut self, trace: &Trace) {
        self.sessions += 1;
        self.pairs += trace.turns.len() as u64;
        self.tasks += u64::from(trace.task.is_some());
        for (into, name) in [
            (&mut self.domains, trace.group.as_str()),
            (&mut self.splits, trace.split.name()),
            (&mut self.sources, trace.source.name()),
            (&mut self.turns, bucket(trace.turns.len())),
            (&mut self.tools, bucket(trace.tools.len())),
        ] {
            *into.entry(name.to_owned()).or_default() += 1;
        }
        let families: BTreeMap<&str, &str> = trace
            .tools
            .iter()
            .zip(&trace.facts)
            .map(|(tool, fact)| (tool.name.as_str(), fact.family.as_str()))
            .collect();
        for turn in &trace.turns {
            let family = families.get(turn.call.name.as_str()).copied().unwrap_or("unknown_tool");
            *self.families.entry(family.to_owned()).or_default() += 1;
            self.errors += u64::from(turn.is_error);
            for (into, name) in [(&mut self.error_kinds, &turn.error), (&mut self.mutations, &turn.mutation)]
            {
                if let Some(name) = name {
                    *into.entry(name.clone()).or_default() += 1;
                }
            }
        }
        self.names(trace);
    }

    fn names(&mut self, trace: &Trace) {
        let (tools, fields) = match trace.source {
            crate::trace::Source::Packs => (&mut self.tool_names, &mut self.field_names),
            crate::trace::Source::Specs => (&mut self.real_tool_names, &mut self.real_field_names),
        };
        for tool in &trace.tools {
            tools.see([tool.name.as_str()]);
            let mut names = BTreeSet::new();
            declared(&tool.parameters, &mut names);
            tool.returns.iter().for_each(|returns| declared(returns, &mut names));
            let replies = trace.turns.iter().filter(|turn| turn.call.name == tool.name);
            replies.for_each(|turn| members(&turn.response, &mut names));
            fields.see(names);
        }
    }

    /// Counts a sample.
    pub(super) fn sample(&mut self, sample: &Sample) {
        *self.samples.entry(format!("{}/{}", sample.split.name(), sample.task.name())).or_default() += 1;
        self.sample_bytes += (sample.prompt.len() + sample.completion.len()) as u64;
    }

    /// Drops what only a single part needs to know.
    pub(super) fn close(&mut self) {
        for census in [
            &mut self.tool_names,
            &mut self.field_names,
            &mut self.real_tool_names,
            &mut self.real_field_names,
        ] {
            census.prune();
        }
    }
}

/// Names of properties in a schema, at any depth.
fn declared<'j>(schema: &'j Json, names: &mut BTreeSet<&'j str>) {
    match schema {
        Json::Object(keywords) => {
            for (keyword, value) in keywords {
                match (keyword.as_str(), value) {
                    ("properties", Json::Object(properties)) => {
                        for (name, property) in properties {
                            names.insert(name);
                            declared(property, names);
                        }
                    }
                    ("enum" | "const" | "default" | "examples" | "example", _) => {}
                    _ => declared(value, names),
                }
            }
        }
        Json::Array(items) => items.iter().for_each(|item| declared(item, names)),
        _ => {}
    }
}

/// Names of members in a reply, at any depth.
fn members<'j>(reply: &'j Json, names: &mut BTreeSet<&'j str>) {
    match reply {
        Json::Object(map) => map.iter().for_each(|(name, value)| {
            names.insert(name);
            members(value, names);
        }),
        Json::Array(items) => items.iter().for_each(|item| members(item, names)),
        _ => {}
    }
}

fn bucket(count: usize) -> &'static str {
    match count {
        0..=2 => "01-02",
        3..=5 => "03-05",
        6..=10 => "06-10",
        11..=20 => "11-20",
        21..=40 => "21-40",
        _ => "41-60",
    }
}
