//! The form of replies of a tool not yet seen, from what the others of the session have in common.

use super::Task;
use super::envelope;
use super::memory::{Lesson, Memory};
use crate::role::{Role, role};
use gtm_tool::{ToolSpec, schema};
use gtm_world::{Str, Value};

/// Our own reply in the form that the session's other tools have in common, or none if they have none.
///
/// A form is carried over only where it set us right: where we would have given another.
pub(super) fn formed(memory: &Memory, task: &Task<'_>) -> Option<Value> {
    let spec = task.spec?;
    let own = &task.own.content;
    let writes = !reads(spec);
    let spec_of = |tool: &str| task.tools.iter().find(|spec| spec.name == tool);
    let all: Vec<Lesson<'_>> = memory.latest().filter(|lesson| lesson.foreseen.error.is_none()).collect();
    // Tools that do the same sort of thing tell more.
    let akin = |lesson: &&Lesson<'_>| spec_of(&lesson.done.tool).is_some_and(|s| reads(s) != writes);
    let akin: Vec<&Lesson<'_>> = all.iter().filter(akin).collect();
    let open = says_nothing(spec);
    if open && writes && teaches(&akin, Value::is_null) {
        return Some(Value::Null);
    }
    let all: Vec<&Lesson<'_>> = all.iter().collect();
    let group = if akin.is_empty() { &all } else { &akin };
    if open && !matches!(own, Value::Str(_)) && teaches(group, |value| matches!(value, Value::Str(_))) {
        return Some(Value::from(text(own)));
    }
    envelope::wrap(memory, &all, own, spec)
}

/// Whether replies were of a kind where we would have given another, and never of another there.
fn teaches(lessons: &[&Lesson<'_>], kind: fn(&Value) -> bool) -> bool {
    let mut astray = lessons.iter().filter(|lesson| !kind(&lesson.foreseen.content)).peekable();
    astray.peek().is_some() && astray.all(|lesson| kind(&lesson.done.content))
}

/// Whether the spec leaves open what a reply looks like: it declares none, or an object of no members.
fn says_nothing(spec: &ToolSpec) -> bool {
    let Some(root) = &spec.returns else { return true };
    match schema::primary_type(root, root) {
        None | Some("null") => schema::properties(root, root).is_empty(),
        Some("object") => {
            schema::properties(root, root).is_empty() && root.get("additionalProperties").is_none()
        }
        Some(_) => false,
    }
}

fn reads(spec: &ToolSpec) -> bool {
    spec.annotations.read_only.or_else(|| gtm_read::function::reads(spec)).unwrap_or(false)
}

/// What a reply says, as a text: its message, or its members line by line.
fn text(own: &Value) -> String {
    match own {
        Value::Map(map) => match message(own) {
            Some(message) => message.to_string(),
            None => {
                let line = |(name, value): (&Str, &Value)| format!("{name}: {}", scalar(value));
                map.iter().map(line).collect::<Vec<_>>().join("\n")
            }
        },
        Value::List(items) => items
            .iter()
            .enumerate()
            .map(|(at, v)| format!("{}. {}", at + 1, text(v)))
            .collect::<Vec<_>>()
            .join("\n"),
        other => scalar(other),
    }
}

fn scalar(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_json().to_string(), str::to_owned)
}

pub(super) fn message(own: &Value) -> Option<&Str> {
    own.as_map()?.iter().find_map(|(name, value)| match value {
        Value::Str(text) if role(name) == Some(Role::Message) && text.contains(' ') => Some(text),
        _ => None,
    })
}
