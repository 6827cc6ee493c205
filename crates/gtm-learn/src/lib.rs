//! Learning behaviors from recorded sessions, by induction.
//!
//! [`learn`] takes recordings of real tools and gives [`Behaviors`] that explain them: for every reply
//! the shortest program over arguments, state and constants, for every error what decides it, in the
//! behavior language, so that people can read and correct what was found. What the rules of
//! [`gtm_read`] derive from the specs is the prior: it is kept where the recordings say no better, and
//! referred to as `derived`.
//!
//! Invariants:
//! - Nothing here knows a tool, a suite or a field by name.
//! - Same recordings, same behaviors, to the byte, at any number of threads.
//! - Contradictory or truncated recordings lower what is explained, and fail nothing.

mod atoms;
mod case;
mod decide;
mod dispatch;
mod evidence;
mod facts;
mod form;
mod lenience;
mod outcome;
mod parallel;
mod quote;
mod recording;
mod shape;
mod solve;
mod style;
mod tool;
mod words;

use gtm_sim::recording::Recording;
use gtm_tool::ToolSpec;
use gtm_world::Behaviors;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How much of a tool's recorded calls its behavior explains.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Support {
    /// Recorded calls that were looked at.
    pub calls: usize,
    /// Those of which the behavior gives the whole reply.
    pub explained: usize,
}

/// What was learned.
#[derive(Clone, Debug, Default)]
pub struct Learned {
    /// A behavior for each tool of the recordings.
    pub behaviors: Behaviors,
    /// By tool, how well it is supported.
    pub support: BTreeMap<String, Support>,
}

/// Learns the behaviors of all tools that occur in the recordings. `tools` are those of recordings that
/// name none.
pub fn learn<'a>(recordings: impl IntoIterator<Item = &'a Recording>, tools: &Arc<Vec<ToolSpec>>) -> Learned {
    let sessions = recording::prepared(recordings, tools);
    let evidence = evidence::gather(&sessions, &Behaviors::default());
    let style = style::Style::learn(&evidence);
    let tools: Vec<_> = evidence.tools.values().collect();
    let learned = parallel::map(&tools, |tool| tool::learn(tool, &style));
    let mut out = Learned::default();
    out.behaviors.unknown_tool = style.unknown_tool.clone();
    out.behaviors.otherwise = tool::unseen(&style);
    for (tool, learned) in tools.iter().zip(learned) {
        let name = &tool.spec.name;
        out.support.insert(name.clone(), Support { calls: learned.calls, explained: learned.explained });
        out.behaviors.behaviors.insert(name.clone(), learned.behavior);
    }
    out
}
