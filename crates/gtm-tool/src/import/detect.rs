//! Telling formats apart by their content.

use crate::spec::Format;
use serde_json::{Map, Value};

/// What a whole document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// One of the OpenAPI family.
    OpenApi(Format),
    /// A list of tools, or a single one, mostly of this format.
    List(Format),
}

/// What one entry of a list is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    Mcp,
    OpenaiChat,
    OpenaiResponses,
    Bfcl,
    /// A task: `function` holds the list.
    BfclTask,
    /// A tool with its `api_list`.
    ToolbenchTool,
    /// One API out of an `api_list`.
    ToolbenchApi,
    Gtm,
}

impl Entry {
    pub(super) fn format(self) -> Format {
        match self {
            Entry::Mcp => Format::Mcp,
            Entry::OpenaiChat => Format::OpenaiChat,
            Entry::OpenaiResponses => Format::OpenaiResponses,
            Entry::Bfcl | Entry::BfclTask => Format::Bfcl,
            Entry::ToolbenchTool | Entry::ToolbenchApi => Format::Toolbench,
            Entry::Gtm => Format::Gtm,
        }
    }
}

pub(super) fn document(document: &Value) -> Option<Kind> {
    if let Value::Object(map) = document {
        if let Some(format) = openapi(map) {
            return Some(Kind::OpenApi(format));
        }
        if entry(map).is_none() {
            let (list, enveloped) = wrapped(map)?;
            return of_list(list, enveloped);
        }
    }
    match document {
        Value::Object(map) => entry(map).map(|e| Kind::List(e.format())),
        Value::Array(list) => of_list(list, false),
        _ => None,
    }
}

fn of_list(list: &[Value], enveloped: bool) -> Option<Kind> {
    let found = list.iter().filter_map(Value::as_object).find_map(entry);
    match found {
        Some(entry) => Some(Kind::List(entry.format())),
        // No tools at all: `{"tools": []}` is what a server without tools answers.
        None if list.is_empty() => Some(Kind::List(if enveloped { Format::Mcp } else { Format::Gtm })),
        None => None,
    }
}

fn openapi(map: &Map<String, Value>) -> Option<Format> {
    let version = |key: &str| match map.get(key)? {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Number(n) => Some(n.to_string()),
        _ => None,
    };
    if let Some(version) = version("openapi") {
        // 3.2 adds to 3.1; what it adds is not needed for tools.
        return Some(if version.starts_with("3.0") || version == "3" {
            Format::OpenApi30
        } else {
            Format::OpenApi31
        });
    }
    version("swagger").filter(|v| v.starts_with('2')).map(|_| Format::Swagger20)
}

/// The list inside `{"tools": [...]}`, a JSON-RPC reply, or similar; and whether it was called
/// `tools`.
pub(super) fn wrapped(map: &Map<String, Value>) -> Option<(&Vec<Value>, bool)> {
    let map = map.get("result").and_then(Value::as_object).unwrap_or(map);
    for key in WRAPPERS {
        if let Some(Value::Array(list)) = map.get(*key) {
            return Some((list, *key == "tools"));
        }
    }
    None
}

/// Keys under which lists of tools are found.
pub(super) const WRAPPERS: &[&str] =
    &["tools", "functions", "functionDeclarations", "function_declarations", "apis"];

pub(super) fn entry(map: &Map<String, Value>) -> Option<Entry> {
    let has = |key: &str| map.contains_key(key);
    let is_object = |key: &str| map.get(key).is_some_and(Value::is_object);
    if is_object("function") {
        return Some(Entry::OpenaiChat);
    }
    if map.get("function").is_some_and(Value::is_array) {
        return Some(Entry::BfclTask);
    }
    if map.get("api_list").is_some_and(Value::is_array) {
        return Some(Entry::ToolbenchTool);
    }
    if has("required_parameters") || has("optional_parameters") {
        return Some(Entry::ToolbenchApi);
    }
    if !map.get("name").is_some_and(Value::is_string) {
        return None;
    }
    if has("inputSchema") || has("input_schema") || map.get("arguments").is_some_and(Value::is_array) {
        return Some(Entry::Mcp);
    }
    if map.get("type").is_some_and(|t| t == "function") {
        return Some(Entry::OpenaiResponses);
    }
    if has("parameters") {
        let python = map["parameters"].get("type").is_some_and(|t| t == "dict");
        let ours = ["returns", "http", "origin", "provider", "errors", "examples"].iter().any(|k| has(k));
        return Some(if python || (has("response") && !ours) { Entry::Bfcl } else { Entry::Gtm });
    }
    // MCP lists leave the schema out where a tool takes nothing.
    (has("description") || has("annotations")).then_some(Entry::Mcp)
}
