//! What only a dataset as a whole can show: sessions that are nearly the same, and too few kinds of things.

use super::counters::{Check, Counters, Violation};
use crate::trace::Trace;
use serde::Serialize;
use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

/// Hash functions of a sketch.
const HASHES: usize = 32;
/// Rows of a band: sessions that share a band are compared.
const ROWS: usize = 8;
/// Sessions whose sketches agree in so many places are near-duplicates.
const NEAR: usize = 30;
/// Floors hold from this number of sessions on; below it, chance decides.
const FLOOR_FROM: u64 = 500;
/// Least number of different names of tools, for each session.
const LEAST_NAMES: f64 = 1.0;
/// Greatest share of sessions that one name of a tool may be in.
const MOST_USUAL: f64 = 0.05;
/// Least share of successful calls that are different ones.
const LEAST_CALLS: f64 = 0.5;

/// A violation in a dataset: of which session, or of the whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WholeFinding {
    /// The session, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// What is wrong.
    #[serde(flatten)]
    pub violation: Violation,
}

/// What a dataset is so far. Memory grows with a few hundred bytes a session.
#[derive(Default)]
pub struct Whole {
    sessions: u64,
    calls: u64,
    ids: HashSet<u64>,
    sketches: Vec<[u32; HASHES]>,
    bands: HashMap<(usize, u64), Vec<u32>>,
    tools: HashMap<u64, u32>,
    usual: (u32, String),
    different_calls: HashSet<u64>,
}

impl Whole {
    /// Takes a session in; a violation if it is one of those before, or nearly.
    pub fn see(&mut self, trace: &Trace, counters: &mut Counters) -> Vec<Violation> {
        self.sessions += 1;
        let mut violations = Vec::new();
        let mut check = |holds: bool, why: &str| {
            counters.made(Check::NearDuplicates, 1, u64::from(!holds));
            if !holds {
                violations.push(Violation { check: Check::NearDuplicates, turn: None, why: why.into() });
            }
        };
        check(self.ids.insert(hash(&trace.session_id)), "another session has the same id");
        check(self.unlike(trace), "the session is nearly the same as an earlier one");
        let names: HashSet<&str> = trace.tools.iter().map(|tool| tool.name.as_str()).collect();
        for name in names {
            let count = self.tools.entry(hash(name)).or_default();
            *count += 1;
            if *count > self.usual.0 {
                self.usual = (*count, name.to_owned());
            }
        }
        for turn in trace.turns.iter().filter(|turn| !turn.is_error) {
            self.calls += 1;
            self.different_calls.insert(hash(&(&turn.call.name, turn.call.arguments.to_string())));
        }
        violations
    }

    /// Checks the floors of diversity, once all sessions were seen.
    pub fn finish(&self, counters: &mut Counters) -> Vec<Violation> {
        if self.sessions < FLOOR_FROM {
            return Vec::new();
        }
        let sessions = self.sessions as f64;
        let floors = [
            (
                self.tools.len() as f64 >= LEAST_NAMES * sessions.min(20_000.0),
                format!("{} names of tools in {} sessions are too few", self.tools.len(), self.sessions),
            ),
            (
                f64::from(self.usual.0) <= MOST_USUAL * sessions,
                format!("the tool {} is in {} of {} sessions", self.usual.1, self.usual.0, self.sessions),
            ),
            (
                self.different_calls.len() as f64 >= LEAST_CALLS * self.calls as f64,
                format!("of {} calls, only {} are different ones", self.calls, self.different_calls.len()),
            ),
        ];
        let failed = floors.iter().filter(|(holds, _)| !holds).count() as u64;
        counters.made(Check::Diversity, floors.len() as u64, failed);
        floors
            .into_iter()
            .filter(|(holds, _)| !holds)
            .map(|(_, why)| Violation { check: Check::Diversity, turn: None, why })
            .collect()
    }

    /// Adds a sketch; false if one like it is there already.
    fn unlike(&mut self, trace: &Trace) -> bool {
        let sketch = sketch(trace);
        let mut near = false;
        for (band, rows) in sketch.chunks(ROWS).enumerate() {
            let bucket = self.bands.entry((band, hash(rows))).or_default();
            near = near
                || bucket.iter().any(|other| {
                    let same = self.sketches[*other as usize].iter().zip(&sketch).filter(|(a, b)| a == b);
                    same.count() >= NEAR
                });
            bucket.push(self.sketches.len() as u32);
        }
        self.sketches.push(sketch);
        !near
    }
}

/// MinHash of what is called and answered.
fn sketch(trace: &Trace) -> [u32; HASHES] {
    let mut least = [u32::MAX; HASHES];
    for turn in &trace.turns {
        let whole = format!("{} {} {}", turn.call.name, turn.call.arguments, turn.response);
        let words: Vec<&str> =
            whole.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty()).collect();
        for shingle in words.windows(3.min(words.len().max(1))) {
            let mut value = hash(shingle);
            for slot in &mut least {
                // The next of a sequence of hashes: a multiplicative generator, then its upper half.
                value = value.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
                *slot = (*slot).min((value >> 32) as u32);
            }
        }
    }
    least
}

fn hash<T: Hash + ?Sized>(value: &T) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
