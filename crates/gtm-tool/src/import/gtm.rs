//! GTM's own tool specs, and catalogue lines with `provider`, `api`, `method` and `path`.

use super::common::{arguments, cut, given_name, reply, take_description};
use crate::Limits;
use crate::spec::{
    Annotations, ErrorSpec, Example, Format, HttpBinding, HttpBody, HttpParam, Origin, ParamLocation,
    ToolSpec,
};
use gtm_error::Result;
use serde_json::{Map, Value};

pub(super) fn tool(mut map: Map<String, Value>, limits: &Limits) -> Result<ToolSpec> {
    let name = given_name(&mut map, limits)?;
    let description = take_description(&mut map, "description", limits);
    let parameters = arguments(map.remove("parameters"), limits)?;
    let returns = reply(map.remove("returns").or_else(|| map.remove("response")), limits);
    let mut origin = match map.remove("origin") {
        Some(stated @ Value::Object(_)) => serde_json::from_value(stated).unwrap_or_default(),
        _ => Origin::default(),
    };
    origin.format = origin.format.or(Some(Format::Gtm));
    for (field, key) in [(&mut origin.api, "api"), (&mut origin.provider, "provider")] {
        if field.is_empty() {
            *field = take_description(&mut map, key, limits);
        }
    }
    let http = match map.remove("http") {
        Some(stated @ Value::Object(_)) => serde_json::from_value(stated).ok(),
        _ => guessed_binding(&map, &name, &parameters, returns.is_some()),
    };
    let annotations = match map.remove("annotations") {
        Some(stated @ Value::Object(_)) => serde_json::from_value(stated).unwrap_or_default(),
        _ => {
            http.as_ref().map_or_else(Annotations::default, |http| super::openapi::annotations(&http.method))
        }
    };
    let errors = list(map.remove("errors")).filter_map(|e| error(e, limits)).collect();
    let examples =
        list(map.remove("examples")).filter_map(|e| example(e, limits)).take(limits.examples).collect();
    Ok(ToolSpec { name, description, parameters, returns, annotations, errors, examples, http, origin })
}

fn list(value: Option<Value>) -> impl Iterator<Item = Value> {
    match value {
        Some(Value::Array(list)) => list,
        _ => Vec::new(),
    }
    .into_iter()
}

/// `{status: "404" | 404 | "default", code?, description?, schema?, example?}`
fn error(value: Value, limits: &Limits) -> Option<ErrorSpec> {
    let Value::Object(mut map) = value else { return None };
    let status = match map.remove("status") {
        Some(Value::String(text)) => text.parse().ok(),
        Some(Value::Number(n)) => n.as_u64().and_then(|n| u16::try_from(n).ok()),
        _ => None,
    };
    let text = take_description(&mut map, "description", limits);
    let description = match map.remove("code") {
        Some(Value::String(code)) if text.is_empty() => code,
        Some(Value::String(code)) => format!("{code}: {text}"),
        _ => text,
    };
    let schema = reply(map.remove("schema"), limits);
    let description = cut(description, limits.description_bytes);
    Some(ErrorSpec { status, description, schema, example: map.remove("example").filter(|e| !e.is_null()) })
}

/// `{arguments, response, complete?}`; arguments that are not complete are of no use.
fn example(value: Value, limits: &Limits) -> Option<Example> {
    let Value::Object(mut map) = value else { return None };
    let complete = map.get("complete").is_none_or(|c| c == true);
    let arguments = map.remove("arguments").filter(|a| complete && a.is_object());
    let response = map.remove("response")?;
    let small = super::openapi::json_size(&response) <= limits.example_bytes;
    small.then_some(Example { arguments, response })
}

/// A binding from `method` and `path` alone: what the path names travels there, the rest in the
/// query or, for methods that take one, in the body.
fn guessed_binding(
    map: &Map<String, Value>,
    name: &str,
    parameters: &Value,
    replies: bool,
) -> Option<HttpBinding> {
    let method = map.get("method")?.as_str()?.trim().to_ascii_uppercase();
    let path = map.get("path")?.as_str()?.trim().to_owned();
    let known = ["GET", "HEAD", "OPTIONS", "DELETE", "POST", "PUT", "PATCH"].contains(&method.as_str());
    if !known || !path.starts_with('/') {
        return None;
    }
    let takes_body = matches!(method.as_str(), "POST" | "PUT" | "PATCH");
    let mut params = Vec::new();
    let mut body = None;
    let names = crate::schema::properties(parameters, parameters);
    for property in &names {
        let in_path = path.contains(&format!("{{{}}}", property.name));
        if !in_path && takes_body {
            let body: &mut HttpBody = body.get_or_insert(HttpBody {
                argument: None,
                media_type: "application/json".into(),
                required: false,
            });
            body.required |= property.required;
            continue;
        }
        params.push(HttpParam {
            name: property.name.to_owned(),
            argument: property.name.to_owned(),
            location: if in_path { ParamLocation::Path } else { ParamLocation::Query },
            explode: !in_path,
        });
    }
    let lower = name.to_ascii_lowercase();
    let creates = ["create", "add", "new", "insert", "register"].iter().any(|word| lower.starts_with(word));
    let success_status = match method.as_str() {
        "POST" if creates => 201,
        "DELETE" if !replies => 204,
        _ => 200,
    };
    Some(HttpBinding {
        success_type: if success_status == 204 { String::new() } else { "application/json".into() },
        method,
        path,
        params,
        body,
        success_status,
        ..HttpBinding::default()
    })
}
