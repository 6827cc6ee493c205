//! The gate that every schema passes before another library sees it.
//!
//! Stack overflow and exhausted memory cannot be caught, only prevented, so everything here is
//! iterative: first the schema is counted as plain JSON, then the graph of its subschemas and
//! references is costed ([`cost`]).

mod cost;
mod graph;

use crate::Limits;
use gtm_error::{Code, Error, Result};
use serde_json::Value;

/// What the gate found out about a schema that it let pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Admission {
    /// Nesting of a value beyond which checking it could take too long; set for the rare schemas
    /// that descend into one child by several recursive branches.
    pub(crate) max_value_depth: Option<usize>,
}

/// Decides whether a schema is small, local and cheap enough to be compiled and checked against.
///
/// Fails with [`Code::SpecTooLarge`] for size, depth or expanded cost, [`Code::RefRefused`] for a
/// reference that leaves the schema, and [`Code::SchemaInvalid`] for references that resolve to
/// nothing or run in a circle without ever descending into the value.
pub fn admit(schema: &Value, limits: &Limits) -> Result<()> {
    examine(schema, limits).map(|_| ())
}

pub(crate) fn examine(schema: &Value, limits: &Limits) -> Result<Admission> {
    count(schema, limits)?;
    let graph = graph::Graph::build(schema, limits)?;
    cost::admission(&graph, limits)
}

/// Counts bytes, values and depth.
pub(crate) fn count(schema: &Value, limits: &Limits) -> Result<()> {
    let max_depth = limits.effective_depth();
    let mut nodes = 0usize;
    let mut bytes = 0usize;
    let mut stack = vec![(schema, 1usize)];
    while let Some((value, depth)) = stack.pop() {
        nodes += 1;
        bytes += 8;
        if depth > max_depth + 1 {
            return Err(too_large("schema nested too deeply", max_depth, "levels (`limits.depth`)"));
        }
        match value {
            Value::String(text) => bytes += text.len(),
            Value::Array(items) => {
                if nodes + stack.len() + items.len() > limits.schema_nodes {
                    return Err(too_many_nodes(limits));
                }
                stack.extend(items.iter().map(|item| (item, depth + 1)));
            }
            Value::Object(map) => {
                if nodes + stack.len() + map.len() > limits.schema_nodes {
                    return Err(too_many_nodes(limits));
                }
                for (key, child) in map {
                    bytes += key.len();
                    stack.push((child, depth + 1));
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
        if bytes > limits.schema_bytes {
            return Err(too_large("schema too large", limits.schema_bytes, "bytes (`limits.schema_bytes`)"));
        }
    }
    Ok(())
}

fn too_many_nodes(limits: &Limits) -> Error {
    too_large("schema holds too many values", limits.schema_nodes, "values (`limits.schema_nodes`)")
}

fn too_large(what: &str, max: usize, unit: &str) -> Error {
    Error::new(Code::SpecTooLarge, what).expected(format!("at most {max} {unit}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn code(schema: Value) -> Option<Code> {
        admit(&schema, &Limits::default()).err().map(|e| e.code())
    }

    fn bomb(keyword: &str, levels: usize) -> Value {
        let mut defs = serde_json::Map::new();
        for i in 0..levels {
            let next = json!({"$ref": format!("#/$defs/n{}", i + 1)});
            defs.insert(format!("n{i}"), json!({ keyword: [next, next] }));
        }
        defs.insert(format!("n{levels}"), json!({"type": "string"}));
        json!({"$ref": "#/$defs/n0", "$defs": defs})
    }

    #[test]
    fn reference_bombs_are_refused() {
        for keyword in ["allOf", "anyOf", "oneOf"] {
            assert_eq!(code(bomb(keyword, 10)), None);
            assert_eq!(code(bomb(keyword, 26)), Some(Code::SpecTooLarge));
            assert_eq!(code(bomb(keyword, 4_000)), Some(Code::SpecTooLarge));
        }
    }

    #[test]
    fn bombs_through_one_property_are_refused_but_trees_of_distinct_ones_are_not() {
        let level = |i: usize, names: [&str; 2]| {
            let next = json!({"$ref": format!("#/$defs/n{}", i + 1)});
            json!({"anyOf": names.map(|n| json!({"properties": {n: next}}))})
        };
        let build = |names: [&str; 2]| {
            let mut defs = serde_json::Map::new();
            (0..40).for_each(|i| drop(defs.insert(format!("n{i}"), level(i, names))));
            defs.insert("n40".into(), json!({"type": "string"}));
            json!({"$ref": "#/$defs/n0", "$defs": defs})
        };
        assert_eq!(code(build(["a", "a"])), Some(Code::SpecTooLarge));
        let distinct = json!({"properties": {"a": {"$ref": "#"}, "b": {"$ref": "#"}}});
        assert_eq!(code(distinct), None);
    }

    #[test]
    fn recursion_through_a_child_passes_and_in_place_is_refused() {
        assert_eq!(code(json!({"properties": {"next": {"$ref": "#"}}})), None);
        assert_eq!(code(json!({"items": {"$ref": "#"}})), None);
        assert_eq!(code(json!({"$ref": "#"})), Some(Code::SchemaInvalid));
        assert_eq!(code(json!({"allOf": [{"$ref": "#"}]})), Some(Code::SchemaInvalid));
        let two = json!({"$ref": "#/$defs/a", "$defs": {"a": {"not": {"$ref": "#/$defs/b"}}, "b": {"if": {"$ref": "#/$defs/a"}}}});
        assert_eq!(code(two), Some(Code::SchemaInvalid));
    }

    #[test]
    fn references_that_leave_the_schema_are_named() {
        for target in
            ["http://127.0.0.1:1/x", "file:///etc/hostname", "../x.json", "other.json#/A", "//h/x", "urn:x"]
        {
            let error =
                admit(&json!({"properties": {"a": {"$ref": target}}}), &Limits::default()).unwrap_err();
            assert_eq!(error.code(), Code::RefRefused);
            assert!(error.message().contains(target), "{error}");
            assert_eq!(error.place(), Some("/properties/a/$ref"));
        }
        assert_eq!(code(json!({"properties": {"$ref": {"type": "string"}}})), None);
        assert_eq!(code(json!({"enum": [{"$ref": "http://h/x"}]})), None);
        assert_eq!(code(json!({"$ref": "#/$defs/missing"})), Some(Code::SchemaInvalid));
    }

    #[test]
    fn an_embedded_base_address_cannot_redirect_references() {
        assert_eq!(code(json!({"$id": "https://example.com/a", "$defs": {"b": {"type": "string"}}})), None);
        assert_eq!(code(json!({"properties": {"a": {"$id": "b"}}})), Some(Code::SchemaInvalid));
    }

    #[test]
    fn sizes_are_bounded() {
        let many: Vec<Value> = (0..10_001).map(Value::from).collect();
        assert_eq!(code(json!({"enum": many})), Some(Code::SpecTooLarge));
        let wide: serde_json::Map<String, Value> = (0..5_001).map(|i| (i.to_string(), json!({}))).collect();
        assert_eq!(code(json!({"properties": wide})), Some(Code::SpecTooLarge));
        assert_eq!(code(json!({"pattern": "a".repeat(4_097)})), Some(Code::SpecTooLarge));
        assert_eq!(code(json!({"description": "a".repeat(5 << 20)})), Some(Code::SpecTooLarge));
        assert_eq!(code(json!({"default": vec![0; 100_001]})), Some(Code::SpecTooLarge));
        let mut deep = json!({});
        (0..129).for_each(|_| deep = json!({"items": deep.take()}));
        assert_eq!(code(deep), Some(Code::SpecTooLarge));
    }

    #[test]
    fn branching_recursion_bounds_the_depth_of_values() {
        let limits = Limits::default();
        let bound = |schema| examine(&schema, &limits).unwrap().max_value_depth;
        assert_eq!(bound(json!({"properties": {"a": {"$ref": "#"}, "b": {"$ref": "#"}}})), None);
        let branch = json!({"properties": {"left": {"$ref": "#"}}});
        assert!(bound(json!({"anyOf": [branch, branch, branch]})).is_some_and(|d| (5..30).contains(&d)));
    }
}
