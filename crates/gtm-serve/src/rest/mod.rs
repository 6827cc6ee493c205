//! The REST face: an imported API at its own paths, so that a client written for that API works
//! against the simulator by changing nothing but its base URL.

pub(crate) mod body;
pub(crate) mod decode;
mod encode;
mod face;
mod multipart;
mod operations;
mod template;

pub(crate) use face::{serve, serve_default};
pub use operations::{ApiRequest, Operations, reply_content};
pub(crate) use template::{Found, Paths};

use crate::problem::Failure;
use axum::http::HeaderMap;
use gtm_error::{Code, Error};
use gtm_tool::{HttpBinding, HttpParam, ParamLocation, ToolSpec, schema};
use serde_json::{Map, Value};

/// The paths of all tools of a toolset that are HTTP operations.
pub(crate) fn paths(tools: &[ToolSpec]) -> Paths {
    let mut paths = Paths::default();
    for (index, tool) in tools.iter().enumerate() {
        if let Some(http) = &tool.http {
            paths.add(index, &http.method, &http.base, &http.path);
        }
    }
    paths
}

/// A request as far as arguments are read from it.
pub(crate) struct Sent<'a> {
    /// Path parameters, decoded.
    pub(crate) path: &'a [(String, String)],
    pub(crate) query: &'a [(String, String)],
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a [u8],
}

/// The tool's arguments, as sent. What does not fit a schema is passed on as text, and parameters
/// that are missing are left out: the simulator's argument check reports both, in the tool's style.
pub(crate) fn arguments(tool: &ToolSpec, http: &HttpBinding, sent: &Sent<'_>) -> Result<Value, Failure> {
    let root = &tool.parameters;
    let mut arguments = Map::new();
    for param in &http.params {
        let node = decode::member(root, root, &param.argument);
        if let Some(value) = parameter(param, node, root, sent) {
            arguments.insert(param.argument.clone(), value);
        }
    }
    if let Some(binding) = &http.body {
        let content_type = sent.headers.get("content-type").and_then(|v| v.to_str().ok()).unwrap_or("");
        let node = binding.argument.as_ref().map_or(root, |name| decode::member(root, root, name));
        match (body::read(sent.body, content_type, node, root)?, &binding.argument) {
            (None, _) => {}
            (Some(value), Some(name)) => drop(arguments.insert(name.clone(), value)),
            (Some(Value::Object(object)), None) => {
                // A body member cannot override a parameter of the same name: the parameters' names
                // are the tool's arguments already, the body's were renamed apart by the importer.
                for (name, value) in object {
                    arguments.entry(name).or_insert(value);
                }
            }
            (Some(other), None) => {
                let found = schema::type_of(&other);
                return Err(Error::new(Code::RequestMalformed, format!("the body is of type {found}"))
                    .at("body")
                    .expected("an object")
                    .into());
            }
        }
    }
    Ok(Value::Object(arguments))
}

fn parameter(param: &HttpParam, node: &Value, root: &Value, sent: &Sent<'_>) -> Option<Value> {
    match param.location {
        ParamLocation::Path => {
            let (_, text) = sent.path.iter().find(|(name, _)| *name == param.name)?;
            Some(decode::parameter(&[text], false, node, root))
        }
        ParamLocation::Query => query(param, node, root, sent.query),
        ParamLocation::Header => {
            let values: Vec<&str> =
                sent.headers.get_all(param.name.as_str()).iter().filter_map(|v| v.to_str().ok()).collect();
            (!values.is_empty()).then(|| decode::parameter(&values, false, node, root))
        }
        ParamLocation::Cookie => {
            let cookies = sent.headers.get_all("cookie").iter().filter_map(|v| v.to_str().ok());
            let text = cookies
                .flat_map(|line| line.split(';'))
                .filter_map(|pair| pair.split_once('='))
                .find(|(name, _)| name.trim() == param.name)?
                .1;
            Some(decode::parameter(&[text.trim()], false, node, root))
        }
    }
}

/// A query parameter: repeated (`id=1&id=2`, `id[]=1`), in one value, or an object in brackets
/// (`filter[status]=open`) or as JSON.
fn query(param: &HttpParam, node: &Value, root: &Value, query: &[(String, String)]) -> Option<Value> {
    let bare = param.name.trim_end_matches("[]");
    let values: Vec<&str> = query
        .iter()
        .filter(|(name, _)| *name == param.name || name.trim_end_matches("[]") == bare)
        .map(|(_, value)| value.as_str())
        .collect();
    if !values.is_empty() {
        return Some(decode::parameter(&values, param.explode, node, root));
    }
    let bracketed: Vec<(String, String)> = query
        .iter()
        .filter(|(name, _)| name.strip_prefix(bare).is_some_and(|rest| rest.starts_with('[')))
        .cloned()
        .collect();
    if !bracketed.is_empty() {
        let wrapped = serde_json::json!({"properties": {bare: node}});
        // References point into the tool's own parameters, so the wrapper is only for the name.
        return decode::form(&bracketed, &wrapped, root).remove(bare);
    }
    // An exploded object (`style: form`): its members are query parameters themselves.
    if param.explode && decode::is_a(node, root, "object") {
        let members = schema::properties(root, node);
        let fields: Vec<(String, String)> =
            query.iter().filter(|(name, _)| members.iter().any(|m| m.name == name)).cloned().collect();
        return (!fields.is_empty()).then(|| Value::Object(decode::form(&fields, node, root)));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn tool() -> ToolSpec {
        let param = |name: &str, location, explode| HttpParam {
            name: name.into(),
            argument: name.into(),
            location,
            explode,
        };
        ToolSpec {
            name: "t".into(),
            parameters: json!({"type": "object", "properties": {
                "id": {"type": "integer"}, "tags": {"type": "array", "items": {"type": "string"}},
                "filter": {"$ref": "#/$defs/Filter"}, "X-Trace": {"type": "string"}, "sid": {"type": "integer"},
                "name": {"type": "string"}, "count": {"type": "integer"}},
                "$defs": {"Filter": {"type": "object", "properties": {"min": {"type": "number"}}}}}),
            http: Some(HttpBinding {
                method: "POST".into(),
                path: "/things/{id}".into(),
                params: vec![
                    param("id", ParamLocation::Path, false),
                    param("tags", ParamLocation::Query, true),
                    param("filter", ParamLocation::Query, true),
                    param("X-Trace", ParamLocation::Header, false),
                    param("sid", ParamLocation::Cookie, false),
                ],
                body: Some(gtm_tool::HttpBody {
                    argument: None,
                    media_type: "application/json".into(),
                    required: true,
                }),
                success_status: 201,
                ..HttpBinding::default()
            }),
            ..ToolSpec::default()
        }
    }

    fn read(query: &str, body: &[u8], kind: &'static str) -> Result<Value, Failure> {
        let tool = tool();
        let mut headers = HeaderMap::new();
        headers.insert("x-trace", axum::http::HeaderValue::from_static("abc"));
        headers.insert("cookie", axum::http::HeaderValue::from_static("a=b; sid=12"));
        headers.insert("content-type", axum::http::HeaderValue::from_static(kind));
        let path = [("id".to_string(), "7".to_string())];
        let sent = Sent { path: &path, query: &decode::pairs(query), headers: &headers, body };
        arguments(&tool, tool.http.as_ref().expect("just made"), &sent)
    }

    #[test]
    fn arguments_from_everywhere() {
        let got =
            read("tags=a&tags=b&filter[min]=1.5&unknown=1", br#"{"name":"n","id":99}"#, "application/json");
        assert_eq!(
            got.expect("readable"),
            json!({"id": 7, "tags": ["a", "b"], "filter": {"min": 1.5}, "X-Trace": "abc", "sid": 12, "name": "n"})
        );
        let form =
            read("tags[]=a&min=2", b"name=n&count=3", "application/x-www-form-urlencoded").expect("readable");
        assert_eq!(form["tags"], json!(["a"]));
        assert_eq!(form["filter"], json!({"min": 2}));
        assert_eq!(form["count"], json!(3));
    }

    #[test]
    fn a_body_that_is_no_object_is_refused() {
        assert!(read("", b"[1]", "application/json").is_err());
        assert!(read("", b"{\"a\":", "application/json").is_err());
        assert!(read("", b"", "application/json").is_ok());
    }
}
