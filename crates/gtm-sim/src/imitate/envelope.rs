//! The envelope that the replies of a session's tools have in common: `{status, message}`, `{output, exception}`.

use super::memory::{Lesson, Memory};
use super::sibling;
use crate::role::{Role, role};
use gtm_tool::ToolSpec;
use gtm_world::{Map, Str, Value};

/// What a member of an envelope holds when a call succeeds.
enum Part {
    /// The same in every reply.
    Constant(Value),
    /// A sentence.
    Message,
    /// What the call was made for.
    Payload,
}

/// Our reply in the envelope that all replies seen have, where ours lacked it so far.
pub(super) fn wrap(memory: &Memory, latest: &[&Lesson<'_>], own: &Value, spec: &ToolSpec) -> Option<Value> {
    let good: Vec<&Map> = latest.iter().filter_map(|lesson| lesson.done.content.as_map()).collect();
    let bad: Vec<&Map> = memory.failures().filter_map(|lesson| lesson.done.content.as_map()).collect();
    // A bare list was seen to be given bare, or nothing was seen of lists.
    let list = |value: &Value| matches!(value, Value::List(_));
    if good.len() < latest.len() && (list(own) || good.is_empty()) {
        return None;
    }
    let parts = parts(&good, &bad)?;
    let lacks = |value: &Value| parts.iter().any(|(name, _)| value.get(name).is_none());
    let astray = latest.iter().any(|lesson| lacks(&lesson.foreseen.content))
        || (latest.is_empty() && memory.failures().any(|lesson| lacks(&lesson.foreseen.content)));
    if !astray || !lacks(own) {
        return None;
    }
    let holds = parts.iter().any(|(_, part)| matches!(part, Part::Payload));
    let wraps = |lesson: &&&Lesson<'_>| list(&lesson.foreseen.content);
    if list(own) && !holds && latest.iter().find(wraps).is_none() {
        return None;
    }
    let mut out = Map::new();
    for (name, part) in &parts {
        let value = match part {
            Part::Constant(value) => value.clone(),
            Part::Message => {
                let said = sibling::message(own).map(|m| &**m).or(own.as_str());
                Value::from(said.map_or_else(|| done(spec), str::to_owned))
            }
            Part::Payload => payload(latest, name, own),
        };
        out.insert((*name).clone(), value);
    }
    if !holds {
        beside(&mut out, own, spec);
    }
    Some(Value::Map(out))
}

/// The members that all replies have, and what each holds. `None` if none of them is there to tell
/// success from failure.
fn parts<'a>(good: &[&'a Map], bad: &[&'a Map]) -> Option<Vec<(&'a Str, Part)>> {
    let first = *good.first().or(bad.first())?;
    let all = || good.iter().chain(bad);
    // What few successes have in common may be what they are about; failures have nothing but envelope.
    if good.len() < 2 && bad.is_empty() {
        let tells = |name: &Str| matches!(role(name), Some(Role::Success | Role::Status | Role::Message));
        if !first.keys().all(tells) || first.len() < 2 {
            return None;
        }
    }
    let mut telling = false;
    let mut parts = Vec::new();
    for (name, value) in first.iter().filter(|(name, _)| all().all(|reply| reply.contains_key(name))) {
        let same = |replies: &[&Map]| replies.iter().all(|reply| reply.get(name) == first.get(name));
        let null = |replies: &[&Map]| {
            !replies.is_empty() && replies.iter().all(|reply| reply.get(name).is_some_and(Value::is_null))
        };
        let scalar = !matches!(value, Value::List(_) | Value::Map(_));
        let about = role(name);
        let part = match about {
            // A place for errors is empty as long as there are none.
            Some(Role::Message) if null(good) || (good.is_empty() && scalar && !null(bad)) && nulls(bad) => {
                telling = true;
                Part::Constant(Value::Null)
            }
            Some(Role::Success | Role::Status) if !good.is_empty() && scalar && same(good) => {
                telling = true;
                Part::Constant(value.clone())
            }
            Some(Role::Success | Role::Status) if good.is_empty() && *value == Value::Bool(false) => {
                telling = true;
                Part::Constant(Value::Bool(true))
            }
            Some(Role::Message) if matches!(value, Value::Str(_)) => Part::Message,
            _ if good.len() > 1 && scalar && same(good) && !value.is_null() => Part::Constant(value.clone()),
            _ => Part::Payload,
        };
        parts.push((name, part));
    }
    let payloads = parts.iter().filter(|(_, part)| matches!(part, Part::Payload)).count();
    (telling && payloads <= 1).then_some(parts)
}

/// Whether failures leave some member empty: the place for what a success gives.
fn nulls(bad: &[&Map]) -> bool {
    bad.iter().all(|reply| reply.values().any(Value::is_null))
}

/// What goes into the place for what the call was made for: our reply, or its only member where others
/// have that bare.
fn payload(latest: &[&Lesson<'_>], name: &str, own: &Value) -> Value {
    let only = |value: &Value| -> Option<Value> {
        let map = value.as_map().filter(|map| map.len() == 1)?;
        map.first().map(|(_, value)| value.clone())
    };
    let Some(inner) = only(own) else { return own.clone() };
    let mut bare = latest.iter().filter_map(|lesson| {
        let given = lesson.done.content.get(name)?;
        only(&lesson.foreseen.content)?;
        Some(!matches!(given, Value::Map(_)))
    });
    match bare.next() {
        Some(first) if first && bare.all(|other| other) => inner,
        _ => own.clone(),
    }
}

/// Members of our reply beside those of an envelope that has no place for them.
fn beside(out: &mut Map, own: &Value, spec: &ToolSpec) {
    match own {
        Value::Map(map) => {
            for (name, value) in map.iter() {
                let tells = matches!(role(name), Some(Role::Success | Role::Status))
                    && !matches!(value, Value::List(_) | Value::Map(_));
                let said = out.values().any(|v| v == value) && role(name) == Some(Role::Message);
                if !tells && !said && !out.contains_key(name) {
                    out.insert(name.clone(), value.clone());
                }
            }
        }
        Value::Str(_) | Value::Null => {}
        other => {
            out.insert(noun(spec), other.clone());
        }
    }
}

/// `view_messages_between_users` gives `messages`.
fn noun(spec: &ToolSpec) -> String {
    let words = words(&spec.name);
    words.get(1).or(words.first()).cloned().unwrap_or_else(|| "result".to_owned())
}

fn done(spec: &ToolSpec) -> String {
    let words = words(&spec.name);
    format!("{} succeeded", words.join(" "))
}

fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut lower = false;
    for c in name.chars() {
        if !c.is_alphanumeric() || (lower && c.is_uppercase()) {
            words.push(String::new());
        }
        lower = c.is_lowercase();
        if let Some(word) = words.last_mut().filter(|_| c.is_alphanumeric()) {
            word.extend(c.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}
