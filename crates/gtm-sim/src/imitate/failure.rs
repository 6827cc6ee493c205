//! Failures told as the real tools told theirs.

use super::memory::{Foreseen, Lesson, Memory};
use super::swap::Swaps;
use super::{Task, carried, cause, nearest};
use crate::role::{Role, role};
use gtm_world::{Map, ToolError, Value};

/// Longest beginning that several error texts may share as their mark, in bytes.
const MAX_MARK: usize = 60;
/// Levels of an error body in which its message is looked for.
const MAX_DEPTH: usize = 4;

/// The success that takes the place of a failure, where the real tool is known to take such calls.
pub(super) fn refuted(memory: &Memory, task: &Task<'_>, error: &ToolError) -> Option<Value> {
    let alike = |lesson: &Lesson<'_>| {
        let foreseen = lesson.foreseen.error.as_ref();
        foreseen.is_some_and(|e| cause::alike((e, &lesson.done.args), (error, task.args)))
    };
    if memory.failures_of(task.tool).any(|lesson| alike(&lesson)) {
        return None;
    }
    let taken = nearest(memory.successes(task.tool).filter(alike), task.args)?;
    // What was foreseen was a failure, so that nothing of it says what the reply should be.
    let none = Foreseen::default();
    let (lesson, task) = (Lesson { foreseen: &none, ..taken }, Task { own: &none, ..*task });
    Some(carried(memory, &lesson, &task))
}

/// How a failure looks, where a real one shows it.
pub(super) fn told(memory: &Memory, task: &Task<'_>, error: &ToolError) -> Option<Value> {
    let this = (error, task.args);
    let alike = |lesson: &Lesson<'_>| {
        lesson.foreseen.error.as_ref().is_some_and(|e| cause::alike((e, &lesson.done.args), this))
    };
    let of_call = cause::of_call(error);
    let akin =
        |lesson: &Lesson<'_>| lesson.foreseen.error.as_ref().is_some_and(|e| cause::of_call(e) == of_call);
    let own = || memory.failures_of(task.tool);
    if let Some(lesson) = own().find(alike).or_else(|| memory.failures().find(alike)) {
        return Some(retold(&lesson, task, error, None));
    }
    if let Some((lesson, word)) = own().chain(memory.failures()).find_map(|lesson| of_another(lesson, this)) {
        return Some(retold(&lesson, task, error, Some(word)));
    }
    let example = own().find(akin).or_else(|| memory.failures().find(akin));
    if let Some(lesson) = example.or_else(|| own().next()).or_else(|| memory.failures().next()) {
        let mark = mark(memory, &lesson);
        let text = in_case_of(&lesson, &mark, &error.message);
        return with_message(&lesson.done.content, &text, &mark, 0);
    }
    let seen = memory.successes(task.tool).next().or_else(|| memory.latest().next())?;
    from_success(&seen.done.content, &error.message)
}

/// A failure that says the same of another thing, a user that is not there for an order that is not, and the
/// words for the two.
fn of_another<'a>(lesson: Lesson<'a>, this: (&ToolError, &Value)) -> Option<(Lesson<'a>, (String, String))> {
    let word = cause::one_word_apart((lesson.foreseen.error.as_ref()?, &lesson.done.args), this)?;
    let told = message(&lesson.done.content, 0)?.to_lowercase();
    told.contains(&word.0).then_some((lesson, word))
}

/// The text of a failure of the same cause, about this call.
fn retold(lesson: &Lesson<'_>, task: &Task<'_>, error: &ToolError, word: Option<(String, String)>) -> Value {
    let Lesson { done, foreseen } = lesson;
    let mut swaps = Swaps::default();
    if let Some(old) = &foreseen.error {
        let (old, new) = (cause::split(old, &done.args).1, cause::split(error, task.args).1);
        old.iter().zip(&new).for_each(|(old, new)| swaps.text(old, new));
    }
    let call = Swaps::between((&done.tool, &done.args), (task.tool, task.args));
    swaps.and(&call);
    if let Some((old, new)) = word {
        swaps.text(&old, &new);
        swaps.text(&capital(&old), &capital(&new));
    }
    swaps.value(&done.content)
}

/// A message that begins with a small letter where the example does.
fn in_case_of(example: &Lesson<'_>, mark: &str, text: &str) -> String {
    let said = message(&example.done.content, 0).and_then(|said| said.strip_prefix(mark));
    let small = said.and_then(|said| said.chars().next()).is_some_and(char::is_lowercase);
    let mut letters = text.chars();
    match letters.next() {
        // A word of which more than the first letter is large is a name.
        Some(first) if small && letters.clone().next().is_some_and(char::is_lowercase) => {
            first.to_lowercase().chain(letters).collect()
        }
        _ => text.to_owned(),
    }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// What error texts begin with, whatever they say: `Error: `.
fn mark(memory: &Memory, example: &Lesson<'_>) -> String {
    let Some(text) = message(&example.done.content, 0) else { return String::new() };
    let Some(end) = text.find(": ").map(|at| at + 2).filter(|end| *end <= MAX_MARK) else {
        return String::new();
    };
    let beginning = &text[..end];
    let others = memory.failures().filter(|lesson| lesson.done.content != example.done.content);
    let shared =
        others.filter_map(|lesson| message(&lesson.done.content, 0)).any(|t| t.starts_with(beginning));
    let telling = beginning
        .to_lowercase()
        .split(|c: char| !c.is_alphabetic())
        .any(|word| matches!(word, "error" | "exception" | "failed" | "failure" | "fault"));
    if shared || telling { beginning.to_owned() } else { String::new() }
}

/// The text in which a failure says what is wrong.
fn message(content: &Value, depth: usize) -> Option<&str> {
    match content {
        Value::Str(text) => Some(text),
        Value::Map(map) if depth < MAX_DEPTH => {
            let telling =
                |(name, value): (&gtm_world::Str, _)| (role(name) == Some(Role::Message)).then_some(value);
            map.iter().filter_map(telling).find_map(|value| message(value, depth + 1))
        }
        Value::List(items) if depth < MAX_DEPTH => message(items.get(0)?, depth + 1),
        _ => None,
    }
}

/// A real error body with another message.
fn with_message(content: &Value, text: &str, mark: &str, depth: usize) -> Option<Value> {
    match content {
        Value::Str(_) => Some(Value::from(format!("{mark}{text}"))),
        Value::Map(map) if depth < MAX_DEPTH => {
            let place = map.iter().find(|(name, value)| {
                role(name) == Some(Role::Message) && message(value, depth + 1).is_some()
            });
            let (name, value) = place?;
            let mut map = map.clone();
            map.insert(name.clone(), with_message(value, text, mark, depth + 1)?);
            Some(Value::Map(map))
        }
        Value::List(items) if depth < MAX_DEPTH => {
            Some(std::iter::once(with_message(items.get(0)?, text, mark, depth + 1)?).collect())
        }
        _ => None,
    }
}

/// How a tool that was only seen to succeed fails: in the place that its replies have for it.
fn from_success(content: &Value, text: &str) -> Option<Value> {
    let Value::Map(map) = content else { return None };
    let flag = map.iter().find(|(name, value)| {
        matches!(role(name), Some(Role::Success | Role::Status)) && matches!(value, Value::Bool(true))
    });
    let named = |wanted: fn(&Value) -> bool| {
        map.iter().find(move |(name, value)| role(name) == Some(Role::Message) && wanted(value))
    };
    // A place for errors that is empty as long as there are none.
    if let Some((place, _)) = named(Value::is_null) {
        let members = map.iter().map(|(name, value)| match (name == place, value) {
            (true, _) => (name.clone(), Value::from(text)),
            (false, Value::Bool(true)) => (name.clone(), Value::Bool(false)),
            (false, _) => (name.clone(), Value::Null),
        });
        return Some(Value::Map(members.collect()));
    }
    let ((flag, _), (message, _)) = flag.zip(named(|value| matches!(value, Value::Str(_))))?;
    let mut out = Map::new();
    out.insert(flag.clone(), Value::Bool(false));
    out.insert(message.clone(), Value::from(text));
    Some(Value::Map(out))
}
