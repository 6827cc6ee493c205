//! What came out of an evaluation, by suite.

use crate::miss::{Example, Miss};
use crate::tally::{Tally, macro_average};
use serde_json::{Map, Value as Json};
use std::collections::BTreeMap;

/// Examples kept of each way in which each tool goes wrong, per suite.
pub(crate) const MAX_EXAMPLES: usize = 2;

/// What came out.
#[derive(Clone, Debug, Default)]
pub struct Evaluation {
    /// Suites in the order in which they first occur.
    pub suites: Vec<Suite>,
}

/// What came out of one suite.
#[derive(Clone, Debug)]
pub struct Suite {
    /// Its name.
    pub name: String,
    /// Sessions.
    pub sessions: u64,
    /// What was evaluated.
    pub ours: Tally,
    /// The baselines on the same turns, in the order of [`Baseline::ALL`](crate::baseline::Baseline::ALL).
    pub baselines: [Tally; 3],
    /// What was evaluated, by tool.
    pub tools: BTreeMap<String, Tally>,
    /// What went wrong, by tool and kind: how often, and the first examples.
    pub misses: BTreeMap<(String, Miss), (u64, Vec<Example>)>,
}

impl Evaluation {
    /// `{SUITE: {"n": turns, METRIC: number or null, …}, …, "overall": {…}}`.
    pub fn to_json(&self) -> Map<String, Json> {
        let suites = self.suites.iter().map(|suite| (suite.name.clone(), Json::Object(suite.ours.to_json())));
        let mut out: Map<String, Json> = suites.collect();
        out.insert("overall".into(), Json::Object(self.overall()));
        out
    }

    /// The macro average over suites.
    pub fn overall(&self) -> Map<String, Json> {
        macro_average(&self.suites.iter().map(|suite| &suite.ours).collect::<Vec<_>>())
    }

    /// The macro average of a baseline, by its place in [`Baseline::ALL`](crate::baseline::Baseline::ALL).
    pub fn overall_of(&self, baseline: usize) -> Map<String, Json> {
        macro_average(
            &self.suites.iter().filter_map(|suite| suite.baselines.get(baseline)).collect::<Vec<_>>(),
        )
    }

    /// Adds a session.
    pub(crate) fn add(&mut self, done: Done) {
        let found = self.suites.iter().position(|suite| suite.name == done.suite.name);
        match found {
            None => self.suites.push(done.suite),
            Some(at) => self.suites[at].plus(done.suite),
        }
    }
}

impl Suite {
    fn plus(&mut self, other: Suite) {
        self.sessions += other.sessions;
        self.ours.plus(&other.ours);
        self.baselines.iter_mut().zip(&other.baselines).for_each(|(own, more)| own.plus(more));
        for (tool, tally) in &other.tools {
            self.tools.entry(tool.clone()).or_default().plus(tally);
        }
        for (key, (count, examples)) in other.misses {
            let (own, kept) = self.misses.entry(key).or_default();
            *own += count;
            let free = MAX_EXAMPLES.saturating_sub(kept.len());
            kept.extend(examples.into_iter().take(free));
        }
    }
}

/// One session, evaluated.
pub(crate) struct Done {
    pub(crate) suite: Suite,
    /// Its predictions, as lines of the dump.
    pub(crate) dump: String,
}
