//! The task: complete, possible, not done at the start, and in no reply.

use super::counters::{Check, Found};
use super::format::Tools;
use crate::trace::Trace;
use serde_json::Value as Json;

/// So many words of the instruction in a row, in a reply, are no accident.
const LEAKED_WORDS: usize = 10;

pub(super) fn check(trace: &Trace, tools: &Tools<'_>, found: &mut Found<'_>) {
    let Some(task) = &trace.task else { return };
    let whole =
        !task.instruction.trim().is_empty() && !task.reference.is_empty() && !task.end_state.is_empty();
    found.check(Check::Task, whole, || "the task is incomplete".into());
    for call in &task.reference {
        let possible = tools.find(&call.name).is_some_and(|tool| tools.arguments_fit(tool, &call.arguments));
        found.check(Check::Task, possible, || format!("{} cannot be called so", call.name));
    }
    for expected in &task.end_state {
        let now = trace.initial_state.pointer(&expected.path).unwrap_or(&Json::Null);
        let root = expected.path.split('/').nth(1).map(super::changes::unescaped);
        let known = root.is_some_and(|root| trace.initial_state.get(root).is_some());
        found.check(Check::Task, known && *now != expected.value, || {
            format!("{} is there at the start, or is no place of the state", expected.path)
        });
    }
    // What the task gives as arguments may well be in replies; what is between them not.
    let mut instruction = task.instruction.clone();
    for given in task.reference.iter().flat_map(|call| texts(&call.arguments)).filter(|text| !text.is_empty())
    {
        instruction = instruction.replace(given, " \u{0} ");
    }
    let words: Vec<&str> = instruction.split_whitespace().collect();
    let leaked = |text: &str| {
        let all: Vec<&str> = text.split_whitespace().collect();
        let length = LEAKED_WORDS.min(words.len());
        length > 4 && all.windows(length).any(|run| words.windows(length).any(|asked| asked == run))
    };
    for (at, turn) in trace.turns.iter().enumerate() {
        found.turn = Some(at);
        let leak = texts(&turn.response).into_iter().any(leaked);
        found.check(Check::NoLeak, !leak, || "a reply holds the task's words".into());
    }
    found.turn = None;
}

/// All texts in a reply.
fn texts(json: &Json) -> Vec<&str> {
    let mut found = Vec::new();
    let mut open = vec![json];
    while let Some(json) = open.pop() {
        match json {
            Json::String(text) => found.push(text.as_str()),
            Json::Array(items) => open.extend(items),
            Json::Object(members) => open.extend(members.values()),
            _ => {}
        }
    }
    found
}
