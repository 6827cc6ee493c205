//! What a session remembers of real replies: the last few of each tool, and the last failures of all.
//!
//! Persistent like the rest of a session: a fork shares it, a rollback brings back what was known
//! then. Bounded in tools, in replies for each and in the size of a reply.

use super::cause;
use crate::history::Done;
use gtm_world::{ToolError, Value};
use imbl::OrdMap;
use std::sync::Arc;

/// Real successes kept of each tool.
const MAX_SUCCESSES: usize = 8;
/// Real failures kept of each tool, one of each cause.
const MAX_FAILURES: usize = 8;
/// Real failures kept of all tools together, one of each cause and tool.
const MAX_RECENT: usize = 24;
/// Tools remembered; those that come later are not.
const MAX_TOOLS: usize = 512;
/// Largest reply kept, in bytes as [`Value::size`] counts.
const MAX_BYTES: usize = 65_536;

/// What the simulator would have answered to a call that the real tool answered.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Foreseen {
    /// Content of the reply, in the simulator's own manner.
    pub(crate) content: Value,
    /// Why it would have failed.
    pub(crate) error: Option<ToolError>,
}

/// A real reply and what was foreseen of it.
#[derive(Clone, Copy)]
pub(crate) struct Lesson<'a> {
    pub(crate) done: &'a Arc<Done>,
    pub(crate) foreseen: &'a Foreseen,
}

/// Real replies that a session goes by.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memory {
    tools: OrdMap<Arc<str>, Arc<ToolMemory>>,
    /// Failures of all tools, oldest first.
    failures: Vec<Arc<Done>>,
}

/// Real replies of one tool, oldest first.
#[derive(Clone, Debug, Default)]
struct ToolMemory {
    successes: Vec<Arc<Done>>,
    failures: Vec<Arc<Done>>,
}

impl Memory {
    /// Takes in a real reply, if it was foreseen otherwise or not.
    pub(crate) fn learn(&mut self, done: &Arc<Done>) {
        let known = self.tools.contains_key(&done.tool);
        let fits = done.content.size().0 + done.args.size().0 <= MAX_BYTES;
        if done.foreseen.is_none() || !fits || (!known && self.tools.len() >= MAX_TOOLS) {
            return;
        }
        let memory = Arc::make_mut(self.tools.entry(done.tool.clone()).or_default());
        if done.is_error {
            let same = |old: &Arc<Done>| old.tool == done.tool && cause::same(old, done);
            keep(&mut memory.failures, done, MAX_FAILURES, same);
            keep(&mut self.failures, done, MAX_RECENT, same);
        } else {
            keep(&mut memory.successes, done, MAX_SUCCESSES, |old| old.args == done.args);
        }
    }

    /// Real successes of a tool, latest first.
    pub(crate) fn successes(&self, tool: &str) -> impl Iterator<Item = Lesson<'_>> {
        let memory = self.tools.get(tool);
        memory.into_iter().flat_map(|memory| memory.successes.iter().rev()).filter_map(lesson)
    }

    /// Real failures of a tool, latest first.
    pub(crate) fn failures_of(&self, tool: &str) -> impl Iterator<Item = Lesson<'_>> {
        let memory = self.tools.get(tool);
        memory.into_iter().flat_map(|memory| memory.failures.iter().rev()).filter_map(lesson)
    }

    /// Real failures of any tool, latest first.
    pub(crate) fn failures(&self) -> impl Iterator<Item = Lesson<'_>> {
        self.failures.iter().rev().filter_map(lesson)
    }

    /// The latest real success of each tool.
    pub(crate) fn latest(&self) -> impl Iterator<Item = Lesson<'_>> {
        self.tools.values().filter_map(|memory| lesson(memory.successes.last()?))
    }

    /// All that is remembered, in an order in which learning it again gives the same memory.
    pub(crate) fn lessons(&self) -> impl Iterator<Item = &Arc<Done>> {
        let own = self.tools.values().flat_map(|memory| memory.failures.iter().chain(&memory.successes));
        own.chain(&self.failures)
    }
}

fn keep(kept: &mut Vec<Arc<Done>>, done: &Arc<Done>, most: usize, same: impl Fn(&Arc<Done>) -> bool) {
    kept.retain(|old| !same(old));
    kept.push(done.clone());
    if kept.len() > most {
        kept.remove(0);
    }
}

fn lesson(done: &Arc<Done>) -> Option<Lesson<'_>> {
    Some(Lesson { done, foreseen: done.foreseen.as_deref()? })
}
