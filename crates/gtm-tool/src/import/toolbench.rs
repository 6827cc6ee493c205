//! ToolBench / RapidAPI: tools with an `api_list`, parameters listed one by one with upper-case
//! types. Names become `{api}_for_{tool}`, standardised as ToolBench does, so that its agents'
//! calls fit.

use super::common::{arguments, cut, reply, text};
use crate::Limits;
use crate::spec::{Example, Format, HttpBinding, HttpParam, Origin, ParamLocation, ToolSpec};
use gtm_error::{Code, Error, Result};
use serde_json::{Map, Value, json};

pub(super) fn tool(
    mut map: Map<String, Value>,
    limits: &Limits,
) -> Vec<std::result::Result<ToolSpec, (String, Error)>> {
    let tool_name = match text(&map, "standardized_name") {
        "" => match text(&map, "tool_name") {
            "" => text(&map, "name"),
            name => name,
        },
        name => name,
    }
    .to_owned();
    let Some(Value::Array(list)) = map.remove("api_list") else { return Vec::new() };
    let mut tools = Vec::with_capacity(list.len());
    for item in list {
        let Value::Object(item) = item else {
            tools.push(Err((
                tool_name.clone(),
                Error::new(Code::SpecMalformed, "an entry of `api_list` is not an object"),
            )));
            continue;
        };
        let name = text(&item, "name").to_owned();
        tools.push(api(item, &tool_name, limits).map_err(|error| (name, error)));
    }
    tools
}

pub(super) fn api(mut map: Map<String, Value>, tool_name: &str, limits: &Limits) -> Result<ToolSpec> {
    let api_name =
        ["name", "api_name"].iter().map(|k| text(&map, k)).find(|n| !n.is_empty()).unwrap_or_default();
    let tool_name = if tool_name.is_empty() { text(&map, "tool_name") } else { tool_name };
    let name = full_name(api_name, tool_name);
    if name.is_empty() {
        return Err(Error::new(Code::SpecMalformed, "the API has no name").at("/name"));
    }
    let origin =
        Origin { api: tool_name.to_owned(), provider: String::new(), format: Some(Format::Toolbench) };
    let description =
        ["description", "api_description"].iter().map(|k| text(&map, k)).find(|d| !d.is_empty());
    let description = cut(description.unwrap_or_default().to_owned(), limits.description_bytes);
    let mut properties = Map::new();
    let mut required = Vec::new();
    for (key, needed) in [("required_parameters", true), ("optional_parameters", false)] {
        let Some(Value::Array(list)) = map.remove(key) else { continue };
        for item in list {
            let Value::Object(item) = item else { continue };
            let argument = standard_argument(text(&item, "name"));
            if argument.is_empty() || properties.contains_key(&argument) {
                continue;
            }
            properties.insert(argument.clone(), parameter(&item));
            if needed {
                required.push(Value::String(argument));
            }
        }
    }
    let http = binding(&map, &properties);
    let schema = json!({"type": "object", "properties": properties, "required": required});
    let examples =
        ["template_response", "example_response"].iter().find_map(|k| example(map.remove(*k)?, limits));
    Ok(ToolSpec {
        name,
        description,
        parameters: arguments(Some(schema), limits)?,
        returns: reply(map.remove("schema"), limits),
        examples: examples.into_iter().collect(),
        http,
        origin,
        ..ToolSpec::default()
    })
}

fn full_name(api: &str, tool: &str) -> String {
    let (api, tool) = (standard(api), standard(tool));
    // Names that begin with a digit or are Python words get a prefix there.
    let api = match api.as_str() {
        "from" | "class" | "return" | "false" | "true" | "id" | "and" | "" => format!("is_{api}"),
        _ => api,
    };
    let name = match (api.as_str(), tool.as_str()) {
        ("is_", "") => String::new(),
        (_, "") => api,
        _ => format!("{api}_for_{tool}"),
    };
    // ToolBench keeps the last 64 characters, which hold the tool.
    let skip = name.chars().count().saturating_sub(64);
    name.chars().skip(skip).collect()
}

/// ToolBench's own standardisation: everything but letters, digits and `_` to `_`, runs of `_`
/// joined, none at the ends, lower case, no digit in front.
fn standard(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        let c = if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
        if c != '_' || !out.ends_with('_') {
            out.push(c);
        }
    }
    let out = out.trim_matches('_');
    match out.as_bytes().first() {
        Some(first) if first.is_ascii_digit() => format!("get_{out}"),
        _ => out.to_owned(),
    }
}

/// Argument names keep their case and only lose what no argument name may hold.
fn standard_argument(name: &str) -> String {
    let name: String = name.trim().chars().filter(|c| !c.is_control()).collect();
    match name.as_str() {
        "from" | "class" | "return" | "false" | "true" | "id" | "and" => format!("is_{name}"),
        _ => name,
    }
}

fn parameter(item: &Map<String, Value>) -> Value {
    let kind = text(item, "type").to_ascii_uppercase();
    let mut schema = Map::new();
    let standard = match kind.as_str() {
        "NUMBER" => "number",
        "BOOLEAN" => "boolean",
        "ARRAY" | "LIST" => "array",
        "OBJECT" | "JSON" => "object",
        "INTEGER" | "INT" => "integer",
        _ => "string",
    };
    schema.insert("type".into(), standard.into());
    if let Some(description) = item.get("description").filter(|d| d.as_str().is_some_and(|d| !d.is_empty())) {
        schema.insert("description".into(), description.clone());
    }
    for key in ["enum", "options"] {
        if let Some(values @ Value::Array(_)) = item.get(key) {
            schema.insert("enum".into(), values.clone());
        }
    }
    if let Some(default) = item.get("default").filter(|d| !d.is_null() && *d != "") {
        // ToolBench's "default" is the value its documentation was tried with.
        schema.insert("examples".into(), json!([default]));
    }
    Value::Object(schema)
}

fn binding(map: &Map<String, Value>, properties: &Map<String, Value>) -> Option<HttpBinding> {
    let method = text(map, "method").to_ascii_uppercase();
    let url = text(map, "url");
    let path = url.split_once("://").map_or(url, |(_, rest)| rest.find('/').map_or("/", |at| &rest[at..]));
    if method.is_empty() || !path.starts_with('/') {
        return None;
    }
    let params = properties.keys().map(|name| HttpParam {
        name: name.clone(),
        argument: name.clone(),
        location: if path.contains(&format!("{{{name}}}")) {
            ParamLocation::Path
        } else {
            ParamLocation::Query
        },
        explode: false,
    });
    Some(HttpBinding {
        params: params.collect(),
        path: path.to_owned(),
        success_status: 200,
        success_type: "application/json".into(),
        method,
        ..HttpBinding::default()
    })
}

/// A template reply, given as JSON or as its text.
fn example(value: Value, limits: &Limits) -> Option<Example> {
    let response = match value {
        Value::String(text) if text.len() <= limits.example_bytes => {
            serde_json::from_str(&text).unwrap_or(Value::String(text))
        }
        value => value,
    };
    let useful = !matches!(&response, Value::Null) && response != "" && response != json!({});
    useful.then_some(Example { arguments: None, response })
}
