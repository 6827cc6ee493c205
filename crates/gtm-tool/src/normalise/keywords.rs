//! Mending of single keywords.

use super::{Direction, names};
use crate::schema::type_of;
use serde_json::{Map, Number, Value};

/// Keywords that OpenAPI 3.0 tools honour beside `$ref` although the standard voids them: they
/// describe, and cannot contradict what is referred to.
pub(super) const KEPT_BESIDE_REF: &[&str] = &[
    "$ref",
    "description",
    "title",
    "default",
    "example",
    "examples",
    "readOnly",
    "writeOnly",
    "deprecated",
];

/// `true`, or a word that means it.
pub(super) fn as_bool(value: Option<&Value>) -> Option<bool> {
    match value? {
        Value::Bool(flag) => Some(*flag),
        Value::String(word) => match word.trim().to_ascii_lowercase().as_str() {
            "true" | "yes" => Some(true),
            "false" | "no" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// Takes out what a property says of its own presence: `required: true`, `optional: true`.
pub(super) fn own_required(map: &mut Map<String, Value>) -> Option<bool> {
    let required = match map.get("required") {
        Some(Value::Array(_)) | None => None,
        Some(other) => {
            let flag = as_bool(Some(other));
            map.shift_remove("required");
            flag
        }
    };
    required.or_else(|| as_bool(map.get("optional")).map(|optional| !optional).filter(|&required| !required))
}

/// `type`, possibly several, possibly under other names.
pub(super) fn types(value: Value, out: &mut Map<String, Value>) {
    let listed = match value {
        Value::String(name) => {
            if let Some(format) = names::implied_format(&name) {
                out.entry("format").or_insert_with(|| format.into());
            }
            match name.contains('|') && !name.contains('[') {
                true => name.split('|').map(|part| Value::String(part.to_owned())).collect(),
                false => vec![Value::String(name)],
            }
        }
        Value::Array(list) => list,
        // `type: {...}` or `null`: says nothing that can be checked.
        _ => return,
    };
    let mut found: Vec<Value> = Vec::new();
    for item in &listed {
        let name = match item {
            Value::Null => Some("null"),
            Value::String(name) => names::standard(name),
            _ => None,
        };
        // One unknown among several may mean anything.
        let Some(name) = name else { return };
        if !found.iter().any(|f| f == name) {
            found.push(name.into());
        }
    }
    match found.len() {
        0 => {}
        1 => drop(out.insert("type".into(), found.remove(0))),
        _ => drop(out.insert("type".into(), Value::Array(found))),
    }
}

/// A list of examples; OpenAPI's map of named ones gives their values.
pub(super) fn examples(value: Value) -> Option<Value> {
    match value {
        Value::Array(list) if list.is_empty() => None,
        Value::Array(_) => Some(value),
        Value::Object(map) => {
            let values = map.into_iter().map(|(_, example)| match example {
                Value::Object(mut named) if named.contains_key("value") => {
                    named.remove("value").unwrap_or_default()
                }
                other => other,
            });
            let list: Vec<Value> = values.collect();
            (!list.is_empty()).then_some(Value::Array(list))
        }
        Value::Null => None,
        other => Some(Value::Array(vec![other])),
    }
}

/// OpenAPI's discriminator: the property's name tells branches apart; the mapping's references
/// would dangle.
pub(super) fn discriminator(value: Value) -> Option<Value> {
    let name = match value {
        Value::Object(mut map) => map.remove("propertyName")?,
        name => name,
    };
    name.is_string().then(|| Value::Object(Map::from_iter([("propertyName".to_owned(), name)])))
}

/// Keywords whose value is plain data: of the right kind, made so, or dropped.
pub(super) fn plain(keyword: &str, value: Value) -> Option<Value> {
    match keyword {
        "description" | "title" | "format" | "pattern" | "$anchor" | "$dynamicAnchor" | "$ref"
        | "$dynamicRef" | "contentEncoding" | "contentMediaType" => value.is_string().then_some(value),
        "deprecated" | "readOnly" | "writeOnly" | "uniqueItems" => as_bool(Some(&value)).map(Value::Bool),
        "minLength" | "maxLength" | "minItems" | "maxItems" | "minProperties" | "maxProperties"
        | "minContains" | "maxContains" => whole(&value).map(Value::from),
        "minimum" | "maximum" => number(value),
        // The boolean form of draft 4 is joined with its limit in `finish`.
        "exclusiveMinimum" | "exclusiveMaximum" => match as_bool(Some(&value)) {
            Some(flag) => Some(Value::Bool(flag)),
            None => number(value),
        },
        "multipleOf" => number(value).filter(|n| n.as_f64().is_some_and(|n| n > 0.0)),
        "required" => names_list(value),
        "dependentRequired" => match value {
            Value::Object(map) => {
                Some(Value::Object(map.into_iter().filter_map(|(k, v)| Some((k, names_list(v)?))).collect()))
            }
            _ => None,
        },
        "enum" => match value {
            Value::Array(list) if !list.is_empty() => Some(Value::Array(list)),
            _ => None,
        },
        _ => Some(value),
    }
}

fn names_list(value: Value) -> Option<Value> {
    let Value::Array(list) = value else { return None };
    let mut names: Vec<Value> = Vec::with_capacity(list.len());
    let mut seen = std::collections::HashSet::new();
    for item in list {
        if let Value::String(name) = &item
            && seen.insert(name.clone())
        {
            names.push(item);
        }
    }
    Some(Value::Array(names))
}

fn whole(value: &Value) -> Option<u64> {
    match value {
        Value::Number(n) => n.as_u64().or_else(|| {
            let f = n.as_f64()?;
            (f.fract() == 0.0 && (0.0..=9e15).contains(&f)).then_some(f as u64)
        }),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn number(value: Value) -> Option<Value> {
    match value {
        Value::Number(_) => Some(value),
        Value::String(text) => parse_number(&text).map(Value::Number),
        _ => None,
    }
}

fn parse_number(text: &str) -> Option<Number> {
    let text = text.trim();
    text.parse::<i64>().ok().map(Number::from).or_else(|| Number::from_f64(text.parse().ok()?))
}

/// Joins what several keywords say together.
pub(super) fn finish(out: &mut Map<String, Value>, children: Vec<(String, bool)>, direction: Direction) {
    exclusive(out, "exclusiveMinimum", "minimum", |a, b| a > b);
    exclusive(out, "exclusiveMaximum", "maximum", |a, b| a < b);
    required(out, children, direction);
    enum_of_type(out);
    if let Some(rest) = out.shift_remove("additionalItems")
        && out.contains_key("prefixItems")
        && !out.contains_key("items")
    {
        out.insert("items".into(), rest);
    }
}

fn exclusive(out: &mut Map<String, Value>, exclusive: &str, inclusive: &str, tighter: fn(f64, f64) -> bool) {
    match out.get(exclusive) {
        Some(Value::Bool(true)) => match out.shift_remove(inclusive) {
            Some(limit) => drop(out.insert(exclusive.into(), limit)),
            None => drop(out.shift_remove(exclusive)),
        },
        Some(Value::Bool(false)) => drop(out.shift_remove(exclusive)),
        // Both given as numbers: the tighter one alone says the same.
        Some(limit) => {
            let (limit, other) = (limit.as_f64(), out.get(inclusive).and_then(Value::as_f64));
            if let (Some(a), Some(b)) = (limit, other)
                && (tighter(a, b) || a == b)
            {
                out.shift_remove(inclusive);
            }
        }
        None => {}
    }
}

fn required(out: &mut Map<String, Value>, children: Vec<(String, bool)>, direction: Direction) {
    if children.is_empty() && !out.contains_key("required") {
        return;
    }
    let mut list = match out.shift_remove("required") {
        Some(Value::Array(list)) => list,
        _ => Vec::new(),
    };
    for (name, required) in children {
        let at = list.iter().position(|n| n.as_str() == Some(&name));
        match (at, required) {
            (None, true) => list.push(name.into()),
            (Some(at), false) => drop(list.remove(at)),
            _ => {}
        }
    }
    // A name that nothing may be given under could never be satisfied.
    if out.get("additionalProperties") == Some(&Value::Bool(false))
        && let Some(Value::Object(properties)) = out.get("properties")
        && !["allOf", "patternProperties", "$ref"].iter().any(|k| out.contains_key(*k))
    {
        list.retain(|n| n.as_str().is_some_and(|n| properties.contains_key(n)));
    }
    let one_way = match direction {
        Direction::Any => None,
        Direction::Request => Some("readOnly"),
        Direction::Response => Some("writeOnly"),
    };
    if let (Some(keyword), Some(Value::Object(properties))) = (one_way, out.get("properties")) {
        let goes = |name: &Value| {
            let schema = name.as_str().and_then(|name| properties.get(name));
            schema.and_then(|schema| schema.get(keyword)) == Some(&Value::Bool(true))
        };
        list.retain(|name| !goes(name));
    }
    if !list.is_empty() {
        out.insert("required".into(), Value::Array(list));
    }
}

/// Enum values that are not of the declared type are made so where their text allows (YAML reads
/// `enum: [1, 2]` of a string as numbers); if none fits, the enum counts and the type goes.
fn enum_of_type(out: &mut Map<String, Value>) {
    let allowed: Vec<String> = match out.get("type") {
        Some(Value::String(name)) => vec![name.clone()],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => return,
    };
    let fits = |value: &Value| {
        let name = type_of(value);
        allowed.iter().any(|a| a == name || (a == "number" && name == "integer"))
    };
    // `array` with the enum meant for its items.
    if allowed == ["array"]
        && let Some(Value::Array(values)) = out.get("enum")
        && values.iter().all(|v| !v.is_array())
    {
        let values = out.shift_remove("enum").unwrap_or_default();
        match out.get_mut("items") {
            Some(Value::Object(items)) => {
                items.entry("enum").or_insert(values);
            }
            _ => {
                out.insert("items".into(), Value::Object(Map::from_iter([("enum".to_owned(), values)])));
            }
        }
        return;
    }
    let Some(Value::Array(values)) = out.get_mut("enum") else { return };
    if values.iter().all(fits) {
        return;
    }
    let mut any = false;
    for value in values.iter_mut() {
        if !fits(value)
            && let Some(mended) = allowed.iter().find_map(|name| converted(value, name))
        {
            *value = mended;
        }
        any |= fits(value);
    }
    if !any {
        out.shift_remove("type");
    }
}

fn converted(value: &Value, to: &str) -> Option<Value> {
    match (to, value) {
        ("string", Value::Number(n)) => Some(n.to_string().into()),
        ("string", Value::Bool(flag)) => Some(flag.to_string().into()),
        ("integer", Value::String(text)) => text.trim().parse::<i64>().ok().map(Value::from),
        ("number", Value::String(text)) => parse_number(text).map(Value::Number),
        ("boolean", Value::String(_)) => as_bool(Some(value)).map(Value::Bool),
        _ => None,
    }
}

/// The schema, or null.
pub(super) fn with_null(mut schema: Map<String, Value>) -> Map<String, Value> {
    if let Some(Value::Array(values)) = schema.get_mut("enum")
        && !values.iter().any(Value::is_null)
    {
        values.push(Value::Null);
    }
    let constrained =
        ["$ref", "allOf", "anyOf", "oneOf", "not", "const"].iter().any(|k| schema.contains_key(*k));
    match schema.get_mut("type") {
        Some(Value::String(name)) => {
            if name != "null" {
                let both = vec![Value::String(name.clone()), "null".into()];
                schema.insert("type".into(), Value::Array(both));
            }
            schema
        }
        Some(Value::Array(names)) => {
            if !names.iter().any(|n| n == "null") {
                names.push("null".into());
            }
            schema
        }
        _ if !constrained => schema,
        _ => {
            // Descriptions stay where readers look for them: on the outside.
            let mut outer = Map::new();
            for keyword in
                ["title", "description", "default", "examples", "readOnly", "writeOnly", "deprecated"]
            {
                if let Some(value) = schema.shift_remove(keyword) {
                    outer.insert(keyword.into(), value);
                }
            }
            let null = Value::Object(Map::from_iter([("type".to_owned(), Value::from("null"))]));
            outer.insert("anyOf".into(), Value::Array(vec![Value::Object(schema), null]));
            outer
        }
    }
}
