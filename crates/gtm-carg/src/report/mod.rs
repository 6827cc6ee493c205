//! A page about a dataset: what it is made of, how it compares with real tools, and sessions to read.

mod neighbours;
mod page;
mod profile;
mod treemap;

pub use profile::{Profile, Trait, divergence};

use crate::trace::Trace;
use gtm_tool::ToolSpec;
use gtm_world::seed;
use neighbours::Neighbours;
use serde_json::{Map, Value as Json, json};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// Sessions that can be read on the page.
const TO_READ: usize = 24;
/// Tools whose nearest neighbours are looked for.
const TO_PLACE: usize = 600;
/// Tools of one API that are looked at: a few APIs have thousands, which are all alike.
const OF_ONE_API: u32 = 30;

/// Real tools and sessions to compare with.
#[derive(Default)]
pub struct Real {
    profile: Profile,
    neighbours: Neighbours,
    of_api: HashMap<String, u32>,
    tools: u64,
    replies: u64,
}

impl Real {
    /// Takes a real tool in.
    pub fn tool(&mut self, spec: &ToolSpec) {
        let seen = self.of_api.entry(spec.origin.api.clone()).or_default();
        *seen += 1;
        // A tool without an API is its own.
        if *seen > OF_ONE_API && !spec.origin.api.is_empty() {
            return;
        }
        self.tools += 1;
        self.profile.tool(spec);
        self.neighbours.add(spec);
    }

    /// Takes a reply of a real tool in.
    pub fn reply(&mut self, response: &Json, failed: bool) {
        self.replies += 1;
        self.profile.reply(response, failed);
    }
}

/// What a dataset is made of, gathered a session at a time.
#[derive(Default)]
pub struct Report {
    sessions: u64,
    pairs: u64,
    tasks: u64,
    names: HashSet<u64>,
    members: HashSet<u64>,
    domains: BTreeMap<String, u64>,
    families: BTreeMap<String, u64>,
    errors: BTreeMap<String, u64>,
    envelopes: BTreeMap<String, u64>,
    failures: BTreeMap<String, u64>,
    lengths: BTreeMap<u64, u64>,
    toolsets: BTreeMap<u64, u64>,
    dropped: BTreeMap<String, u64>,
    profile: Profile,
    /// Sessions and tools of least rank: an even sample that does not depend on their order.
    to_read: BTreeMap<(u64, String), Trace>,
    to_place: BTreeMap<(u64, String), ToolSpec>,
}

impl Report {
    /// Takes a session in.
    pub fn see(&mut self, trace: Trace) {
        self.sessions += 1;
        self.pairs += trace.turns.len() as u64;
        self.tasks += u64::from(trace.task.is_some());
        let count = |into: &mut BTreeMap<String, u64>, name: &str| {
            *into.entry(name.to_owned()).or_default() += 1;
        };
        count(&mut self.domains, &trace.group);
        *self.lengths.entry(range(trace.turns.len(), 5)).or_default() += 1;
        *self.toolsets.entry(range(trace.tools.len(), 4)).or_default() += 1;
        count(&mut self.envelopes, &shape(trace.behaviors.envelope.reply.as_ref(), "the reply itself"));
        count(&mut self.failures, &shape(trace.behaviors.envelope.error.as_ref(), "as usual"));
        let mut family: HashMap<&str, &str> = HashMap::new();
        for (tool, fact) in trace.tools.iter().zip(&trace.facts) {
            family.insert(&tool.name, &fact.family);
            self.profile.tool(tool);
            self.names.insert(seed::derive(5, &[&tool.name]));
            let parameters = tool.parameters.get("properties").and_then(Json::as_object);
            for (name, _) in parameters.into_iter().flatten() {
                self.members.insert(seed::derive(5, &[name]));
            }
            let key = (seed::derive(7, &[&trace.session_id, &tool.name]), tool.name.clone());
            keep(&mut self.to_place, TO_PLACE, key, || tool.clone());
        }
        for turn in &trace.turns {
            count(&mut self.families, family.get(turn.call.name.as_str()).unwrap_or(&"unknown tool"));
            self.profile.reply(&turn.response, turn.is_error);
            if let Some(kind) = &turn.error {
                count(&mut self.errors, kind);
            }
        }
        let key = (seed::derive(9, &[&trace.session_id]), trace.session_id.clone());
        keep(&mut self.to_read, TO_READ, key, || trace);
    }

    /// Says how many sessions were dropped, and why.
    pub fn drop(&mut self, reason: &str, count: u64) {
        *self.dropped.entry(reason.to_owned()).or_default() += count;
    }

    /// Jensen–Shannon divergences from real tools, in bits.
    pub fn divergences(&self, real: &Real) -> Vec<(Trait, Option<f64>)> {
        Trait::ALL.iter().map(|of| (*of, divergence(&self.profile, &real.profile, *of))).collect()
    }

    /// The figures as JSON.
    pub fn to_json(&self, real: &mut Real) -> Json {
        let divergences: Map<String, Json> = self
            .divergences(real)
            .into_iter()
            .map(|(of, bits)| (of.name().to_owned(), json!(bits)))
            .collect();
        let mut distances: Vec<f64> = self.placed(real).into_iter().map(|(distance, ..)| distance).collect();
        distances.sort_by(f64::total_cmp);
        json!({
            "sessions": self.sessions, "pairs": self.pairs, "tasks": self.tasks, "domains": self.domains.len(),
            "tool_names": self.names.len(), "parameter_names": self.members.len(),
            "families": self.families, "errors": self.errors, "dropped": self.dropped,
            "real": {"tools": real.tools, "replies": real.replies},
            "divergence": divergences,
            "nearest_real_tool": {"least": distances.first(), "median": distances.get(distances.len() / 2)},
        })
    }

    /// The page. `areas` tells the area of each domain.
    pub fn html(&self, real: &mut Real, areas: &BTreeMap<String, String>) -> String {
        page::html(self, real, areas)
    }

    /// Sampled tools with their distance to the nearest real one, nearest first.
    fn placed(&self, real: &mut Real) -> Vec<(f64, &str, String)> {
        real.neighbours.settle();
        let mut placed: Vec<(f64, &str, String)> = self
            .to_place
            .values()
            .filter_map(|spec| {
                let (distance, name) = real.neighbours.nearest(spec)?;
                Some((distance, spec.name.as_str(), name.to_owned()))
            })
            .collect();
        placed.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(b.1)));
        placed
    }
}

/// Keeps the entries of the least keys.
fn keep<V>(
    kept: &mut BTreeMap<(u64, String), V>,
    most: usize,
    key: (u64, String),
    value: impl FnOnce() -> V,
) {
    if kept.len() < most || kept.last_key_value().is_some_and(|(last, _)| key < *last) {
        kept.insert(key, value());
        if kept.len() > most {
            kept.pop_last();
        }
    }
}

/// The lower end of the range of this width that a number is in, from 1.
fn range(number: usize, width: usize) -> u64 {
    (number.max(1) - 1) as u64 / width as u64 * width as u64 + 1
}

/// What a template looks like: its members, in order.
fn shape(template: Option<&Json>, none: &str) -> String {
    match template {
        None => none.to_owned(),
        Some(Json::Object(members)) => {
            let names: BTreeSet<&str> = members.keys().map(String::as_str).collect();
            format!("{{{}}}", names.into_iter().collect::<Vec<_>>().join(", "))
        }
        Some(_) => "a text or value".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::{Call, Fact, Turn};

    fn session(number: u64) -> Trace {
        let tool = |name: &str| ToolSpec {
            name: name.into(),
            description: "Gets <b>one</b> order.".into(),
            parameters: json!({"type": "object", "properties": {"id": {"type": "string"}}}),
            ..ToolSpec::default()
        };
        let turn = |failed: bool| Turn {
            call: Call { name: "get_order".into(), arguments: json!({"id": "<script>"}) },
            response: json!({"id": "<script>"}),
            is_error: failed,
            error: failed.then(|| "not_found".to_owned()),
            ..Turn::default()
        };
        Trace {
            session_id: number.to_string(),
            group: "returns".into(),
            tools: vec![tool("get_order")],
            facts: vec![Fact { family: "read".into(), ..Fact::default() }],
            turns: vec![turn(false), turn(true)],
            ..Trace::default()
        }
    }

    #[test]
    fn the_page_counts_compares_and_shows_nothing_unescaped() {
        let mut report = Report::default();
        (0..40).for_each(|number| report.see(session(number)));
        report.drop("schema", 3);
        let mut real = Real::default();
        real.tool(&session(0).tools[0]);
        real.reply(&json!({"id": 1}), false);
        let figures = report.to_json(&mut real);
        assert_eq!(
            (&figures["sessions"], &figures["pairs"], &figures["errors"]["not_found"]),
            (&json!(40), &json!(80), &json!(40))
        );
        assert_eq!(figures["divergence"]["name_style"], 0.0);
        assert_eq!(figures["nearest_real_tool"]["least"], 0.0);
        assert!(figures["divergence"]["errors"].as_f64().is_some_and(|bits| bits > 0.2), "{figures}");
        let page = report.html(&mut real, &BTreeMap::from([("returns".to_owned(), "commerce".to_owned())]));
        assert!(page.contains("commerce") && page.contains("schema") && page.contains("&lt;script&gt;"));
        assert!(!page.contains("\"<script>") && !page.contains("<b>one"), "unescaped");
        assert_eq!(report.to_read.len(), TO_READ);
    }
}
