//! Scores added up, and the figures made of them.

use crate::metric::class::ErrorClass;
use crate::score::Score;
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;

/// A mean in the making.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Mean {
    sum: f64,
    count: u64,
}

impl Mean {
    /// Adds a value, if there is one.
    pub fn add(&mut self, value: Option<f64>) {
        if let Some(value) = value {
            self.sum += value;
            self.count += 1;
        }
    }

    fn add_truth(&mut self, value: Option<bool>) {
        self.add(value.map(|truth| f64::from(u8::from(truth))));
    }

    fn plus(&mut self, other: Mean) {
        self.sum += other.sum;
        self.count += other.count;
    }

    /// The mean; `None` of nothing.
    pub fn value(self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / self.count as f64)
    }

    /// How many values.
    pub fn count(self) -> u64 {
        self.count
    }
}

/// Last turns, from 1, of the parts of a session that `horizon` tells apart; the last has no end.
const HORIZON_ENDS: [usize; 3] = [5, 10, 20];

/// Names of these parts.
pub const HORIZON: [&str; 4] = ["1_5", "6_10", "11_20", "21"];

/// Most kinds of mutation that are told apart: their names come from the file.
const MAX_MUTATIONS: usize = 64;

/// Scores of some turns, added up.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Turns.
    pub turns: u64,
    /// Replies of the right form.
    pub format: Mean,
    /// F1 of paths.
    pub paths_f1: Mean,
    /// Shared paths of the right type.
    pub types: Mean,
    /// Real failures that we refuse.
    pub caught: Mean,
    /// Real successes that we refuse.
    pub refused: Mean,
    /// Real failures that we refuse, by how the call was spoilt.
    pub caught_by_mutation: BTreeMap<String, Mean>,
    /// Detected failures of the right class.
    pub error_class: Mean,
    /// Knowable leaves that are right.
    pub determined: Mean,
    /// Leaves that are right.
    pub leaves: Mean,
    /// Leaves that are right or near.
    pub near: Mean,
    /// Replies that are equal.
    pub exact: Mean,
    /// The same among real failures.
    pub exact_error: Mean,
    /// Checks of state that pass.
    pub state: Mean,
    /// Replies that are equal, by part of the session.
    pub horizon: [Mean; 4],
    /// Replies that a second run gives again, to the byte.
    pub deterministic: Mean,
    /// Real outcome and ours, counted. `None` is success; of failures, the class if it is told.
    pub outcomes: BTreeMap<(Outcome, Outcome), u64>,
    /// Milliseconds of each call.
    times: Vec<f32>,
}

/// How a call ended: it succeeded, or failed with a class of error, if that is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// It succeeded.
    Success,
    /// It failed.
    Failure(Option<ErrorClass>),
}

impl Tally {
    /// Adds a turn, numbered from 0 within its session.
    pub(crate) fn add(&mut self, at: usize, mutation: Option<&str>, score: &Score, milliseconds: f32) {
        self.turns += 1;
        self.format.add_truth(Some(score.format));
        self.paths_f1.add(score.paths_f1);
        self.types.add(score.types);
        if score.real_error {
            self.caught.add_truth(Some(score.our_error));
            let mutation = mutation.unwrap_or("none");
            if self.caught_by_mutation.contains_key(mutation) || self.caught_by_mutation.len() < MAX_MUTATIONS
            {
                let caught = self.caught_by_mutation.entry(mutation.to_owned()).or_default();
                caught.add_truth(Some(score.our_error));
            }
            if score.our_error && score.real_class.is_some() {
                self.error_class.add_truth(Some(score.our_class == score.real_class));
            }
            self.exact_error.add_truth(score.exact);
        } else {
            self.refused.add_truth(Some(score.our_error));
        }
        self.determined.add(score.determined);
        self.leaves.add(score.leaves);
        self.near.add(score.near);
        self.exact.add_truth(score.exact);
        self.state.add_truth(score.state);
        let part = HORIZON_ENDS.iter().position(|end| at < *end).unwrap_or(HORIZON_ENDS.len());
        self.horizon[part].add_truth(score.exact);
        let outcome = |error, class| if error { Outcome::Failure(class) } else { Outcome::Success };
        let outcomes =
            (outcome(score.real_error, score.real_class), outcome(score.our_error, score.our_class));
        *self.outcomes.entry(outcomes).or_default() += 1;
        self.times.push(milliseconds);
    }

    /// Notes whether a second run gave the same reply.
    pub(crate) fn add_second_run(&mut self, same: bool) {
        self.deterministic.add_truth(Some(same));
    }

    /// Adds another tally's turns after one's own.
    pub fn plus(&mut self, other: &Tally) {
        self.turns += other.turns;
        let means = [
            (&mut self.format, other.format),
            (&mut self.paths_f1, other.paths_f1),
            (&mut self.types, other.types),
            (&mut self.caught, other.caught),
            (&mut self.refused, other.refused),
            (&mut self.error_class, other.error_class),
            (&mut self.determined, other.determined),
            (&mut self.leaves, other.leaves),
            (&mut self.near, other.near),
            (&mut self.exact, other.exact),
            (&mut self.exact_error, other.exact_error),
            (&mut self.state, other.state),
            (&mut self.deterministic, other.deterministic),
        ];
        means.into_iter().for_each(|(mean, more)| mean.plus(more));
        self.horizon.iter_mut().zip(other.horizon).for_each(|(mean, more)| mean.plus(more));
        for (mutation, caught) in &other.caught_by_mutation {
            if self.caught_by_mutation.contains_key(mutation) || self.caught_by_mutation.len() < MAX_MUTATIONS
            {
                self.caught_by_mutation.entry(mutation.clone()).or_default().plus(*caught);
            }
        }
        for (outcomes, count) in &other.outcomes {
            *self.outcomes.entry(*outcomes).or_default() += count;
        }
        self.times.extend(&other.times);
    }

    /// F1 of refusing what really fails. `None` if nothing really fails.
    pub fn error_f1(&self) -> Option<f64> {
        let recall = self.caught.value()?;
        let caught = self.caught.sum;
        let all = caught + self.refused.sum;
        let precision = if all > 0.0 { caught / all } else { 0.0 };
        let both = precision + recall;
        Some(if both > 0.0 { 2.0 * precision * recall / both } else { 0.0 })
    }

    /// The time of a call that this share of the calls stays below, in milliseconds.
    pub fn milliseconds(&self, share: f64) -> Option<f64> {
        let mut times = self.times.clone();
        times.sort_by(f32::total_cmp);
        let last = times.len().checked_sub(1)?;
        times.get((last as f64 * share).round() as usize).map(|ms| f64::from(*ms))
    }

    /// Every metric by its name, in the order of `docs/metrics.md`.
    pub fn figures(&self) -> Vec<(String, Option<f64>)> {
        let named = |name: &str, value| (name.to_owned(), value);
        let mut all = vec![
            named("format", self.format.value()),
            named("paths_f1", self.paths_f1.value()),
            named("types", self.types.value()),
            named("error_recall", self.caught.value()),
            named("error_false", self.refused.value()),
            named("error_f1", self.error_f1()),
            named("error_class", self.error_class.value()),
            named("determined", self.determined.value()),
            named("leaves", self.leaves.value()),
            named("near", self.near.value()),
            named("exact", self.exact.value()),
            named("exact_error", self.exact_error.value()),
            named("state", self.state.value()),
            // The whole in one figure: how exact replies still are late in a session.
            named("horizon", self.horizon.iter().rev().find_map(|part| part.value())),
            named("deterministic", self.deterministic.value()),
            named("ms_per_call", self.milliseconds(0.5)),
            named("ms_per_call_p50", self.milliseconds(0.5)),
            named("ms_per_call_p99", self.milliseconds(0.99)),
        ];
        all.extend(
            HORIZON.iter().zip(self.horizon).map(|(part, mean)| (format!("horizon_{part}"), mean.value())),
        );
        all.extend(
            self.caught_by_mutation.iter().map(|(kind, mean)| (format!("error_recall_{kind}"), mean.value())),
        );
        all
    }

    /// The figure of this name.
    pub fn figure(&self, name: &str) -> Option<f64> {
        self.figures().into_iter().find(|(own, _)| own == name)?.1
    }

    /// `{"n": turns, METRIC: number or null, …}`, numbers to six places.
    pub fn to_json(&self) -> Map<String, Json> {
        let mut out = Map::new();
        out.insert("n".into(), json!(self.turns));
        out.extend(self.figures().into_iter().map(|(name, value)| (name, value.map_or(Json::Null, rounded))));
        out
    }
}

fn rounded(value: f64) -> Json {
    json!((value * 1e6).round() / 1e6)
}

/// The macro average: of each metric, the mean over the tallies that have it; `n` is the sum.
pub fn macro_average(tallies: &[&Tally]) -> Map<String, Json> {
    let mut means: Vec<(String, Mean)> = Vec::new();
    for tally in tallies {
        for (name, value) in tally.figures() {
            match means.iter_mut().find(|(own, _)| *own == name) {
                Some((_, mean)) => mean.add(value),
                None => {
                    let mut mean = Mean::default();
                    mean.add(value);
                    means.push((name, mean));
                }
            }
        }
    }
    let mut out = Map::new();
    out.insert("n".into(), json!(tallies.iter().map(|tally| tally.turns).sum::<u64>()));
    out.extend(means.into_iter().map(|(name, mean)| (name, mean.value().map_or(Json::Null, rounded))));
    out
}
