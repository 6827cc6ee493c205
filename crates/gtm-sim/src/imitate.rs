//! Answering in the manner of the real tools that a session has seen.
//!
//! Beside each real reply that a session observes, it keeps what the simulator itself would have said.
//! The difference between the two is carried over to later replies:
//! - a tool that was seen is answered as it answered then, changed as our own reply changed since ([`transfer`]);
//! - a failure is told as a failure of the same cause was told ([`cause`], [`failure`]);
//! - a tool not yet seen is given the form that the others have in common ([`sibling`]).
//!
//! What it does not do: it changes no state, and it leaves alone what a user wrote and what was learned from
//! recordings. A session that has observed nothing never comes here.

mod cause;
mod envelope;
mod failure;
mod memory;
mod sibling;
mod swap;
mod transfer;

pub(crate) use memory::{Foreseen, Memory};

use gtm_tool::ToolSpec;
use gtm_world::{ToolError, Value};
use memory::Lesson;
use transfer::Transfer;

/// A call that is to be answered, and what we would say by ourselves.
pub(crate) struct Task<'a> {
    /// Name of the tool.
    pub(crate) tool: &'a str,
    /// Its spec, if there is such a tool.
    pub(crate) spec: Option<&'a ToolSpec>,
    /// All tools of the toolset.
    pub(crate) tools: &'a [ToolSpec],
    /// Arguments as they were given.
    pub(crate) args: &'a Value,
    /// Our own reply.
    pub(crate) own: &'a Foreseen,
}

/// A reply in the manner of those seen.
#[derive(Debug, PartialEq)]
pub(crate) struct Imitation {
    pub(crate) content: Value,
    /// The failure, if it is one.
    pub(crate) error: Option<ToolError>,
}

/// The reply to give, or none if our own is to stand.
///
/// A failure that is `ours` may be given up where the real tool is known to take such calls; one that a
/// fault wants may not.
pub(crate) fn reply(memory: &Memory, task: &Task<'_>, ours: bool) -> Option<Imitation> {
    match &task.own.error {
        None => success(memory, task).map(|content| Imitation { content, error: None }),
        Some(error) => match failure::refuted(memory, task, error).filter(|_| ours) {
            Some(content) => Some(Imitation { content, error: None }),
            None => {
                let content = failure::told(memory, task, error)?;
                Some(Imitation { content, error: Some(error.clone()) })
            }
        },
    }
}

/// The reply of a call that succeeds.
fn success(memory: &Memory, task: &Task<'_>) -> Option<Value> {
    // Where a failure was foreseen, nothing tells how our reply to a success would have differed.
    let foreseen = memory.successes(task.tool).filter(|lesson| lesson.foreseen.error.is_none());
    match nearest(foreseen, task.args) {
        Some(lesson) => Some(carried(memory, &lesson, task)),
        None if memory.successes(task.tool).next().is_some() => None,
        None => sibling::formed(memory, task),
    }
}

/// What a real reply becomes for a new call.
fn carried(memory: &Memory, lesson: &Lesson<'_>, task: &Task<'_>) -> Value {
    let Lesson { done, foreseen } = lesson;
    let old = (&*done.tool, &done.args, &foreseen.content);
    let new = (task.tool, task.args, &task.own.content);
    let replies = memory.successes(task.tool).map(|lesson| &lesson.done.content);
    Transfer::new(old, new, replies).reply(&done.content, &foreseen.content, &task.own.content)
}

/// The call that asked for most of what this one asks for; the latest of several.
///
/// An argument that differs counts for something if the reply repeats it, since it can be replaced there.
fn nearest<'a>(lessons: impl Iterator<Item = Lesson<'a>>, args: &Value) -> Option<Lesson<'a>> {
    let Value::Map(args) = args else { return None };
    let score = |lesson: &Lesson<'_>| -> usize {
        let Value::Map(old) = &lesson.done.args else { return 0 };
        let text = lesson.done.content.as_str();
        let worth = |(name, value): (&gtm_world::Str, &Value)| match old.get(name) {
            Some(other) if other == value => 3,
            Some(Value::Str(other)) if text.is_some_and(|text| text.contains(&**other)) => 1,
            _ => 0,
        };
        args.iter().map(worth).sum()
    };
    // Of equal ones the first, which is the latest.
    let mut best: Option<(usize, Lesson<'_>)> = None;
    for lesson in lessons {
        let score = score(&lesson);
        if best.as_ref().is_none_or(|(most, _)| score > *most) {
            best = Some((score, lesson));
        }
    }
    best.map(|(_, lesson)| lesson)
}
