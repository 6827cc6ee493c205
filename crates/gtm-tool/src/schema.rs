//! Reading JSON Schemas: following references, listing properties, finding the main type.
//!
//! All functions are total: they never fail, never recurse without bound, and answer with nothing
//! where a schema says nothing.

use serde_json::{Map, Value};
use std::borrow::Cow;
use std::sync::LazyLock;

/// References followed one after the other before giving up.
const MAX_HOPS: usize = 32;
/// Nested `allOf` levels looked through.
const MAX_MERGE_DEPTH: usize = 8;
/// Subschemas looked at in one call of [`properties`].
const MAX_MERGED: usize = 512;

static OPEN: LazyLock<Value> = LazyLock::new(|| Value::Object(Map::new()));

/// The schema that says nothing: `{}`.
pub fn open() -> &'static Value {
    &OPEN
}

/// The value that a `#` or `#/...` reference points to within `root`; percent escapes and `~0`,
/// `~1` are understood. `None` for any other reference, and where there is nothing.
pub fn lookup<'a>(root: &'a Value, reference: &str) -> Option<&'a Value> {
    let pointer = reference.strip_prefix('#')?;
    if pointer.is_empty() {
        return Some(root);
    }
    // Most names hold no percent sign; those that do may mean it literally.
    root.pointer(pointer).or_else(|| match percent_decoded(pointer) {
        Cow::Borrowed(_) => None,
        Cow::Owned(decoded) => root.pointer(&decoded),
    })
}

fn percent_decoded(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        let hex = |b: u8| (b as char).to_digit(16).map(|d| d as u8);
        match bytes[i..] {
            [b'%', high, low, ..] if hex(high).is_some() && hex(low).is_some() => {
                out.push(hex(high).unwrap_or(0) << 4 | hex(low).unwrap_or(0));
                i += 3;
            }
            _ => {
                out.push(bytes[i]);
                i += 1;
            }
        }
    }
    Cow::Owned(String::from_utf8_lossy(&out).into_owned())
}

/// The schema itself, or what its chain of `$ref`s ends at. A reference to nothing, or in a
/// circle, gives the schema that says nothing.
pub fn resolve<'a>(root: &'a Value, node: &'a Value) -> &'a Value {
    let mut at = node;
    for _ in 0..MAX_HOPS {
        match at.get("$ref") {
            Some(Value::String(reference)) => match lookup(root, reference) {
                Some(target) => at = target,
                None => return open(),
            },
            _ => return at,
        }
    }
    open()
}

/// One property of an object schema.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Property<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its schema as written, possibly a `$ref`.
    pub schema: &'a Value,
    /// Whether it must be present.
    pub required: bool,
}

/// The properties of an object schema in order, following `$ref` and merging `allOf`. Where one
/// name occurs twice the first schema counts; it is required if any part says so.
pub fn properties<'a>(root: &'a Value, node: &'a Value) -> Vec<Property<'a>> {
    let mut found: Vec<Property<'a>> = Vec::new();
    let mut index = std::collections::HashMap::new();
    let mut required = Vec::new();
    let mut queue = std::collections::VecDeque::from([(node, 0)]);
    let mut looked = 0;
    while let Some((node, depth)) = queue.pop_front() {
        looked += 1;
        if looked > MAX_MERGED {
            break;
        }
        let schema = resolve(root, node);
        for part in [node, schema] {
            for (name, schema) in part.get("properties").and_then(Value::as_object).into_iter().flatten() {
                index.entry(name.as_str()).or_insert_with(|| {
                    found.push(Property { name, schema, required: false });
                    found.len() - 1
                });
            }
            required.extend(part.get("required").and_then(Value::as_array).into_iter().flatten());
            if depth < MAX_MERGE_DEPTH {
                let parts = part.get("allOf").and_then(Value::as_array).into_iter().flatten();
                queue.extend(parts.map(|part| (part, depth + 1)));
            }
            if std::ptr::eq(node, schema) {
                break;
            }
        }
    }
    for name in required.into_iter().filter_map(Value::as_str) {
        if let Some(&at) = index.get(name) {
            found[at].required = true;
        }
    }
    found
}

/// The main JSON type of a schema: `object`, `array`, `string`, `integer`, `number`, `boolean` or
/// `null`. Follows references; of several types the first that is not `null` counts; without
/// `type` it is inferred from `const`, `enum`, the keywords used, or the first branch that tells.
pub fn primary_type<'a>(root: &'a Value, node: &'a Value) -> Option<&'a str> {
    type_within(root, node, MAX_MERGE_DEPTH, &mut { MAX_MERGED })
}

fn type_within<'a>(root: &'a Value, node: &'a Value, depth: usize, fuel: &mut usize) -> Option<&'a str> {
    *fuel = fuel.checked_sub(1)?;
    let schema = resolve(root, node);
    match schema.get("type") {
        Some(Value::String(name)) => return Some(name),
        Some(Value::Array(names)) => {
            let mut names = names.iter().filter_map(Value::as_str);
            let first = names.next()?;
            return Some(if first == "null" { names.next().unwrap_or(first) } else { first });
        }
        _ => {}
    }
    if let Some(value) = schema.get("const") {
        return Some(type_of(value));
    }
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        return values.iter().find(|v| !v.is_null()).or(values.first()).map(type_of);
    }
    let has = |keywords: &[&str]| keywords.iter().any(|k| schema.get(k).is_some());
    if has(&["properties", "additionalProperties", "patternProperties"]) {
        return Some("object");
    }
    if has(&["items", "prefixItems"]) {
        return Some("array");
    }
    if depth > 0 {
        for keyword in ["allOf", "anyOf", "oneOf"] {
            let branches = schema.get(keyword).and_then(Value::as_array).into_iter().flatten();
            let mut types = branches.filter_map(|branch| type_within(root, branch, depth - 1, fuel));
            if let Some(first) = types.next() {
                return Some(if first == "null" {
                    types.find(|&t| t != "null").unwrap_or(first)
                } else {
                    first
                });
            }
        }
    }
    if has(&["pattern", "minLength", "maxLength", "format"]) {
        return Some("string");
    }
    if has(&["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]) {
        return Some("number");
    }
    None
}

/// The JSON Schema type name of a value; `integer` for whole numbers.
pub fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(n) if n.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// The name behind a reference to a shared definition (`#/$defs/Pet` gives `Pet`), also where it
/// is the only part of an `allOf`, or the only part besides `null` of an `anyOf` or `oneOf`.
pub fn ref_name(node: &Value) -> Option<&str> {
    if let Some(Value::String(reference)) = node.get("$ref") {
        let rest = reference.strip_prefix("#/$defs/").or_else(|| reference.strip_prefix("#/definitions/"))?;
        return (!rest.contains('/')).then_some(rest);
    }
    for keyword in ["allOf", "anyOf", "oneOf"] {
        if let Some(Value::Array(parts)) = node.get(keyword) {
            let is_null = |part: &&Value| part.get("type").is_some_and(|t| t == "null");
            let mut parts = parts.iter().filter(|part| keyword == "allOf" || !is_null(part));
            return match (parts.next(), parts.next()) {
                (Some(only), None) if only.get("$ref").is_some() => ref_name(only),
                _ => None,
            };
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn references_are_followed_but_not_for_ever() {
        let root = json!({"$defs": {
            "a": {"$ref": "#/$defs/b"}, "b": {"type": "string"}, "loop": {"$ref": "#/$defs/loop"},
            "x/y~z": {"type": "integer"}, "List<T>": {"type": "array"},
        }});
        let at = |r: &str| resolve(&root, &json!({"$ref": r})).clone();
        assert_eq!(at("#/$defs/a"), json!({"type": "string"}));
        assert_eq!(at("#/$defs/x~1y~0z"), json!({"type": "integer"}));
        assert_eq!(at("#/$defs/List%3CT%3E"), json!({"type": "array"}));
        for missing in ["#/$defs/loop", "#/$defs/no", "http://h/x", "#%", "#/%zz", "#/%e2%82"] {
            assert_eq!(at(missing), json!({}), "{missing}");
        }
    }

    #[test]
    fn properties_merge_all_of_in_order() {
        let root =
            json!({"$defs": {"Base": {"properties": {"id": {"type": "integer"}}, "required": ["id"]}}});
        let node = json!({"properties": {"z": {}}, "allOf": [{"$ref": "#/$defs/Base"}, {"properties": {"a": {}, "id": {}}}], "required": ["a"]});
        let list = properties(&root, &node);
        let names: Vec<_> = list.iter().map(|p| (p.name, p.required)).collect();
        assert_eq!(names, [("z", false), ("id", true), ("a", true)]);
        assert_eq!(list[1].schema, &json!({"type": "integer"}));
        let endless = json!({"allOf": [{"$ref": "#"}, {"$ref": "#"}]});
        assert!(properties(&endless, &endless).is_empty());
    }

    #[test]
    fn types_are_found_or_inferred() {
        let root = json!({"$defs": {"E": {"enum": [null, "a"]}}});
        for (schema, expected) in [
            (json!({"type": ["null", "string"]}), Some("string")),
            (json!({"type": "null"}), Some("null")),
            (json!({"$ref": "#/$defs/E"}), Some("string")),
            (json!({"const": 3}), Some("integer")),
            (json!({"properties": {}}), Some("object")),
            (json!({"items": {}}), Some("array")),
            (json!({"anyOf": [{"type": "null"}, {"type": "boolean"}]}), Some("boolean")),
            (json!({"minimum": 0}), Some("number")),
            (json!({}), None),
            (json!(true), None),
        ] {
            assert_eq!(primary_type(&root, &schema), expected, "{schema}");
        }
    }

    #[test]
    fn names_behind_references() {
        assert_eq!(ref_name(&json!({"$ref": "#/$defs/Pet"})), Some("Pet"));
        assert_eq!(ref_name(&json!({"allOf": [{"$ref": "#/$defs/Pet"}], "description": "x"})), Some("Pet"));
        assert_eq!(ref_name(&json!({"anyOf": [{"$ref": "#/$defs/Pet"}, {"type": "null"}]})), Some("Pet"));
        assert_eq!(ref_name(&json!({"allOf": [{"$ref": "#/$defs/A"}, {"$ref": "#/$defs/B"}]})), None);
        assert_eq!(ref_name(&json!({"type": "object"})), None);
        assert_eq!(ref_name(&json!({"$ref": "#"})), None);
    }
}
