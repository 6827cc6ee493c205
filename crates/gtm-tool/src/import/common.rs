//! What all importers share.

use crate::normalise::mend;
use crate::{Limits, admit};
use gtm_error::{Code, Error, Result};
use serde_json::{Map, Value, json};
use std::collections::HashSet;

/// Makes names unique: the second `get` becomes `get_2`.
#[derive(Debug, Default)]
pub(super) struct Names(HashSet<String>);

impl Names {
    pub(super) fn unique(&mut self, name: String, max_chars: usize) -> String {
        if self.0.insert(name.clone()) {
            return name;
        }
        let mut n = 2u64;
        loop {
            let suffix = format!("_{n}");
            let stem: String = name.chars().take(max_chars.saturating_sub(suffix.len())).collect();
            let candidate = stem + &suffix;
            if self.0.insert(candidate.clone()) {
                return candidate;
            }
            n += 1;
        }
    }
}

/// A name made only of what every agent API takes: `[A-Za-z0-9_-]`, at most 64 characters.
pub(super) fn sanitised(name: &str) -> String {
    let mut out = String::with_capacity(name.len().min(64));
    for c in name.chars() {
        if c.is_ascii_alphanumeric() || c == '-' {
            out.push(c);
        } else if !out.is_empty() && !out.ends_with('_') {
            out.push('_');
        }
        if out.len() == 64 {
            break;
        }
    }
    out.truncate(out.trim_end_matches('_').len());
    out
}

/// The string under a key, or nothing.
pub(super) fn text<'a>(map: &'a Map<String, Value>, key: &str) -> &'a str {
    map.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// Takes the string under a key, cut to the limit for descriptions.
pub(super) fn take_description(map: &mut Map<String, Value>, key: &str, limits: &Limits) -> String {
    match map.remove(key) {
        Some(Value::String(text)) => cut(text, limits.description_bytes),
        _ => String::new(),
    }
}

/// The text without surrounding space, cut to `max` bytes at a character's edge.
pub(super) fn cut(mut text: String, max: usize) -> String {
    if text.len() > max {
        let mut end = max;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push('…');
    }
    let trimmed = text.trim();
    if trimmed.len() == text.len() { text } else { trimmed.to_owned() }
}

/// A tool's name as given, if it is one.
pub(super) fn given_name(map: &mut Map<String, Value>, limits: &Limits) -> Result<String> {
    let name = match map.remove("name") {
        Some(Value::String(name)) => name,
        _ => return Err(Error::new(Code::SpecMalformed, "the tool has no name").at("/name")),
    };
    let name = name.trim();
    if name.is_empty() || name.chars().any(char::is_control) {
        return Err(Error::new(Code::SpecMalformed, "the tool's name is empty or holds control characters")
            .at("/name"));
    }
    if name.chars().nth(limits.name_chars).is_some() {
        return Err(Error::new(Code::SpecTooLarge, "the tool's name is too long")
            .expected(format!("at most {} characters (`limits.name_chars`)", limits.name_chars))
            .at("/name"));
    }
    Ok(name.to_owned())
}

/// The schema of a tool's arguments: mended, always of an object, admitted.
pub(super) fn arguments(schema: Option<Value>, limits: &Limits) -> Result<Value> {
    let mut schema = match schema {
        None | Some(Value::Null) => return Ok(nothing()),
        Some(Value::Object(map)) if is_bare_properties(&map) => json!({"type": "object", "properties": map}),
        Some(schema @ Value::Object(_)) => schema,
        Some(Value::Array(list)) if list.is_empty() => return Ok(nothing()),
        Some(_) => {
            return Err(
                Error::new(Code::SchemaInvalid, "the arguments' schema is not an object").at("/parameters")
            );
        }
    };
    crate::admit::count(&schema, limits)?;
    schema = mend(schema);
    if let Some(map) = schema.as_object_mut() {
        match map.get("type") {
            Some(Value::String(name)) if name == "object" => {}
            Some(Value::String(name)) if !map.contains_key("properties") => {
                let message = format!("the arguments are declared as {name}, not as an object");
                return Err(Error::new(Code::SchemaInvalid, message).at("/parameters/type"));
            }
            _ => drop(map.insert("type".into(), "object".into())),
        }
    }
    admit(&schema, limits)?;
    Ok(schema)
}

fn nothing() -> Value {
    json!({"type": "object", "properties": {}})
}

/// `{"city": {"type": "string"}}`: properties without the schema around them.
fn is_bare_properties(map: &Map<String, Value>) -> bool {
    const KEYWORDS: &[&str] =
        &["properties", "$ref", "allOf", "anyOf", "oneOf", "additionalProperties", "required", "$defs"];
    !map.is_empty()
        && map.get("type").is_none_or(Value::is_object)
        && !KEYWORDS.iter().any(|k| map.contains_key(*k))
        && map.values().all(|v| v.get("type").is_some())
}

/// The schema of a reply: mended and admitted. One that is not admitted says nothing but why.
pub(super) fn reply(schema: Option<Value>, limits: &Limits) -> Option<Value> {
    let schema = schema.filter(|s| s.as_object().is_some_and(|m| !m.is_empty()))?;
    if let Err(error) = crate::admit::count(&schema, limits) {
        return Some(not_used(&error));
    }
    let schema = mend(schema);
    Some(admitted_reply(schema, limits))
}

/// The reply schema itself if it is admitted, else one that says why not.
pub(super) fn admitted_reply(schema: Value, limits: &Limits) -> Value {
    match admit(&schema, limits) {
        Ok(()) => schema,
        Err(error) => not_used(&error),
    }
}

fn not_used(error: &Error) -> Value {
    json!({"description": format!("not described: [{}] {}", error.code().id(), error.message())})
}
