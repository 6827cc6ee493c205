//! A toolset's tools as MCP clients may see them.

use crate::text::{clean, clean_schema};
use gtm_tool::{Checker, Limits, ToolSpec};
use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use serde_json::{Map, Value};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, OnceLock};

/// Tools on one page of `tools/list`.
pub(crate) const PAGE: usize = 1_000;

/// Longest name that MCP allows.
const MAX_NAME: usize = 128;

/// Largest output schema that is declared, in bytes of JSON. Beyond it clients spend more time
/// compiling the schema than the check is worth.
const MAX_OUTPUT_SCHEMA: usize = 256 << 10;

/// The tools of a toolset in the order of the toolset, under names that MCP allows.
pub(crate) struct Tools {
    listed: Vec<Tool>,
    /// Names in the toolset, by the order of `listed`.
    names: Vec<String>,
    by_name: HashMap<String, usize>,
    /// For tools that declare an output schema, what checks replies against the full one.
    checks: Vec<Option<OnceLock<Option<Checker>>>>,
    returns: Vec<Option<Value>>,
}

impl Tools {
    pub(crate) fn new(specs: &[ToolSpec]) -> Tools {
        // Names that need no change are given out first, so that none is taken by another's mending.
        let fine: HashSet<&str> =
            specs.iter().map(|s| s.name.as_str()).filter(|name| is_name(name)).collect();
        let mut taken: HashSet<String> = fine.iter().map(|name| name.to_string()).collect();
        let mut tools = Tools {
            listed: Vec::with_capacity(specs.len()),
            names: Vec::with_capacity(specs.len()),
            by_name: HashMap::with_capacity(specs.len()),
            checks: Vec::with_capacity(specs.len()),
            returns: Vec::with_capacity(specs.len()),
        };
        for spec in specs {
            let name = match fine.contains(spec.name.as_str()) {
                true => spec.name.clone(),
                false => mended(&spec.name, &mut taken),
            };
            let tool = tool(spec, &name);
            tools.by_name.insert(name, tools.listed.len());
            tools.checks.push(tool.output_schema.is_some().then(OnceLock::new));
            tools.returns.push(tool.output_schema.is_some().then(|| spec.returns.clone()).flatten());
            tools.names.push(spec.name.clone());
            tools.listed.push(tool);
        }
        tools
    }

    /// The tool's name in the toolset, and its place, by its name in MCP.
    pub(crate) fn find(&self, name: &str) -> Option<(usize, &str)> {
        let index = *self.by_name.get(name)?;
        Some((index, &self.names[index]))
    }

    /// All tools, with their names in the toolset.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &Tool)> {
        self.names.iter().map(String::as_str).zip(&self.listed)
    }

    /// One page of the list, and where the next begins. `None` for a cursor that was never given out.
    pub(crate) fn page(&self, cursor: Option<&str>) -> Option<(&[Tool], Option<String>)> {
        let start = match cursor {
            None => 0,
            Some(cursor) => usize::from_str_radix(cursor.strip_prefix("p-")?, 16).ok()?,
        };
        if start > 0 && (start >= self.listed.len() || !start.is_multiple_of(PAGE)) {
            return None;
        }
        let end = (start + PAGE).min(self.listed.len());
        let next = (end < self.listed.len()).then(|| format!("p-{end:x}"));
        Some((&self.listed[start..end], next))
    }

    /// Whether a successful reply may be sent under the tool's output schema: clients fail a call
    /// whose result breaks it. The reason, if not.
    pub(crate) fn allows(&self, index: usize, content: &Value, limits: &Limits) -> Result<(), String> {
        let Some(check) = self.checks.get(index).and_then(Option::as_ref) else { return Ok(()) };
        let checker = check.get_or_init(|| Checker::new(self.returns[index].as_ref()?, limits).ok());
        match checker {
            Some(checker) => checker.check(content).map_err(|violation| violation.message),
            None => Ok(()),
        }
    }
}

fn is_name(name: &str) -> bool {
    (1..=MAX_NAME).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b))
}

/// A name that MCP allows and that no other tool has.
fn mended(name: &str, taken: &mut HashSet<String>) -> String {
    let mut base: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || "_.-".contains(c) { c } else { '_' })
        .take(MAX_NAME)
        .collect();
    if base.is_empty() {
        base.push_str("tool");
    }
    let mut name = base.clone();
    let mut number = 2;
    while !taken.insert(name.clone()) {
        let suffix = format!("_{number}");
        base.truncate(MAX_NAME - suffix.len());
        name = format!("{base}{suffix}");
        number += 1;
    }
    name
}

fn tool(spec: &ToolSpec, name: &str) -> Tool {
    let mut tool = Tool::new(name.to_string(), clean(&spec.description), object(&spec.parameters, false));
    if spec.description.is_empty() {
        tool.description = None;
    }
    if let Some(returns) = spec.returns.as_ref().filter(|returns| declarable(returns)) {
        tool = tool.with_raw_output_schema(Arc::new(object(returns, true)));
    }
    let hints = &spec.annotations;
    if hints.read_only.is_some() || hints.destructive.is_some() || hints.idempotent.is_some() {
        let hints =
            ToolAnnotations::from_raw(None, hints.read_only, hints.destructive, hints.idempotent, None);
        tool = tool.with_annotations(hints);
    }
    tool
}

/// Whether a return schema may be declared as output schema: all client revisions take objects
/// only, and fail on references that lead out of the schema.
fn declarable(returns: &Value) -> bool {
    returns.get("type").and_then(Value::as_str) == Some("object")
        && references_are_local(returns, 0)
        && returns.to_string().len() <= MAX_OUTPUT_SCHEMA
}

fn references_are_local(node: &Value, depth: usize) -> bool {
    let fine = match node {
        Value::Object(object) => object.iter().all(|(key, value)| match (key.as_str(), value) {
            ("$ref", Value::String(reference)) => reference.starts_with("#/$defs/"),
            ("$dynamicRef" | "$recursiveRef", _) => false,
            (_, value) => references_are_local(value, depth + 1),
        }),
        Value::Array(items) => items.iter().all(|item| references_are_local(item, depth + 1)),
        _ => true,
    };
    fine && depth <= 128
}

/// A schema as MCP wants it: an object of `type: object`.
fn object(schema: &Value, for_replies: bool) -> JsonObject {
    let mut object = match clean_schema(schema, for_replies) {
        Value::Object(object) => object,
        _ => Map::new(),
    };
    if object.get("type").and_then(Value::as_str) != Some("object") {
        object.insert("type".into(), "object".into());
    }
    object
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn spec(name: &str, returns: Option<Value>) -> ToolSpec {
        ToolSpec { name: name.into(), parameters: json!({"type": "object"}), returns, ..ToolSpec::default() }
    }

    #[test]
    fn names_are_mended_apart_and_map_back() {
        let tools = Tools::new(&[
            spec("a b", None),
            spec("a_b", None),
            spec("a/b", None),
            spec("", None),
            spec(&"é".repeat(300), None),
        ]);
        let listed: Vec<&str> = tools.listed.iter().map(|t| t.name.as_ref()).collect();
        assert_eq!(listed[..4], ["a_b_2", "a_b", "a_b_3", "tool"]);
        assert!(listed.iter().all(|name| is_name(name)));
        assert_eq!(tools.find("a_b_3"), Some((2, "a/b")));
        assert_eq!(tools.find("a/b"), None);
    }

    #[test]
    fn pages_cover_all_tools_once() {
        let specs: Vec<ToolSpec> = (0..2_500).map(|i| spec(&format!("t{i}"), None)).collect();
        let tools = Tools::new(&specs);
        let (mut seen, mut cursor) = (Vec::new(), None);
        loop {
            let (page, next) = tools.page(cursor.as_deref()).expect("a cursor that was given out");
            seen.extend(page.iter().map(|t| t.name.to_string()));
            cursor = next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen, specs.iter().map(|s| s.name.clone()).collect::<Vec<_>>());
        for bad in ["", "p-", "p-1", "p-ffffffff", "x", "p-zz"] {
            assert!(tools.page(Some(bad)).is_none(), "{bad}");
        }
    }

    #[test]
    fn output_schemas_only_where_every_client_can_check_them() {
        for (returns, declared) in [
            (json!({"type": "object", "properties": {"a": {"type": "string", "pattern": "\\-"}}}), true),
            (json!({"type": "array"}), false),
            (json!({"type": ["object", "null"]}), false),
            (json!({"type": "object", "properties": {"a": {"$ref": "http://x/y"}}}), false),
            (json!({"type": "object", "properties": {"a": {"$ref": "#/$defs/A"}}, "$defs": {"A": {}}}), true),
            (json!(true), false),
        ] {
            let tools = Tools::new(&[spec("t", Some(returns.clone()))]);
            assert_eq!(tools.listed[0].output_schema.is_some(), declared, "{returns}");
        }
    }

    #[test]
    fn replies_are_checked_against_the_full_schema() {
        let returns = json!({"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]});
        let tools = Tools::new(&[spec("t", Some(returns)), spec("free", None)]);
        assert!(tools.allows(0, &json!({"n": 1}), &Limits::default()).is_ok());
        assert!(tools.allows(0, &json!({"n": "x"}), &Limits::default()).is_err());
        assert!(tools.allows(1, &json!("anything"), &Limits::default()).is_ok());
    }
}
