//! MCP `tools/list`, in camel or snake case, and lists that describe arguments one by one.

use super::common::{arguments, given_name, reply, take_description};
use crate::Limits;
use crate::spec::{Annotations, Format, Origin, ToolSpec};
use gtm_error::Result;
use serde_json::{Map, Value, json};

pub(super) fn tool(mut map: Map<String, Value>, limits: &Limits) -> Result<ToolSpec> {
    let name = given_name(&mut map, limits)?;
    let title = take_description(&mut map, "title", limits);
    let mut description = take_description(&mut map, "description", limits);
    if description.is_empty() {
        description = title;
    }
    let schema = map.remove("inputSchema").or_else(|| map.remove("input_schema"));
    let schema = match (schema, map.remove("arguments")) {
        (None, Some(Value::Array(list))) => Some(argument_list(list)),
        (schema, _) => schema,
    };
    let output = map.remove("outputSchema").or_else(|| map.remove("output_schema"));
    let annotations = map.remove("annotations").unwrap_or_default();
    let hint =
        |camel: &str, snake: &str| annotations.get(camel).or(annotations.get(snake)).and_then(Value::as_bool);
    Ok(ToolSpec {
        name,
        description,
        parameters: arguments(schema, limits)?,
        returns: reply(output, limits),
        annotations: Annotations {
            read_only: hint("readOnlyHint", "read_only_hint"),
            destructive: hint("destructiveHint", "destructive_hint"),
            idempotent: hint("idempotentHint", "idempotent_hint"),
        },
        origin: Origin { format: Some(Format::Mcp), ..Origin::default() },
        ..ToolSpec::default()
    })
}

/// `[{name, type, desc, optional?}, ...]`: an argument is required unless it says otherwise.
fn argument_list(list: Vec<Value>) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for item in list {
        let Value::Object(mut item) = item else { continue };
        let Some(Value::String(name)) = item.remove("name") else { continue };
        if let Some(text) = item.remove("desc") {
            item.entry("description").or_insert(text);
        }
        let optional = item.remove("optional").is_some_and(|v| v == true);
        let stated = item.remove("required").and_then(|v| v.as_bool());
        if stated.unwrap_or(!optional) {
            required.push(Value::String(name.clone()));
        }
        properties.insert(name, Value::Object(item));
    }
    json!({"type": "object", "properties": properties, "required": required})
}
