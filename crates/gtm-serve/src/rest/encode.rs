//! From a tool's arguments to the HTTP request that carries them: what [`super::arguments`] reads.

use super::body::is_json;
use super::operations::ApiRequest;
use gtm_error::{Code, Error, Result};
use gtm_tool::{HttpBinding, HttpParam, ParamLocation};
use serde_json::{Map, Value};

/// Deepest nesting of members in a query or form.
const MAX_DEPTH: usize = 8;

/// The request of an operation with these arguments.
pub(crate) fn request(http: &HttpBinding, arguments: &Value) -> Result<ApiRequest> {
    let none = Map::new();
    let arguments = arguments.as_object().unwrap_or(&none);
    let given = |param: &HttpParam| arguments.get(&param.argument).filter(|value| !value.is_null());
    let mut path = path(http, given)?;
    let (mut query, mut headers, mut cookies) = (Vec::new(), Vec::new(), Vec::new());
    for param in &http.params {
        let Some(value) = given(param) else { continue };
        match param.location {
            ParamLocation::Path => {}
            ParamLocation::Query => pairs(&param.name, value, param.explode, &mut query, 0),
            ParamLocation::Header => headers.push((param.name.clone(), text(value))),
            ParamLocation::Cookie => cookies.push(format!("{}={}", param.name, text(value))),
        }
    }
    if !query.is_empty() {
        path.push(if path.contains('?') { '&' } else { '?' });
        path.push_str(&joined(&query));
    }
    if !cookies.is_empty() {
        headers.push(("Cookie".into(), cookies.join("; ")));
    }
    let body = body(http, arguments)?;
    if let (Some(binding), Some(_)) = (&http.body, &body) {
        let kind = if binding.media_type.contains('*') { "application/json" } else { &binding.media_type };
        headers.push(("Content-Type".into(), kind.to_owned()));
    }
    Ok(ApiRequest { method: http.method.clone(), path, headers, body })
}

/// The path with its parameters filled in, without the API's base path.
fn path<'a>(http: &HttpBinding, given: impl Fn(&HttpParam) -> Option<&'a Value>) -> Result<String> {
    let template = http.path.split_once('#').map_or(http.path.as_str(), |(path, _)| path);
    let (mut path, mut rest) = (String::new(), template);
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, after)) = after.split_once('}') else { break };
        // `{+path}` and `{path*}` are RFC 6570 for a parameter that may hold slashes.
        let plain = name.trim_start_matches(['+', '.', ';']).trim_end_matches('*');
        let param = http.params.iter().find(|p| p.location == ParamLocation::Path && p.name == plain);
        // Dots alone would be taken for a step in the path, even when they are encoded.
        let usable = |text: &String| !text.is_empty() && text != "." && text != "..";
        let value = param.and_then(&given).map(text).filter(usable).ok_or_else(|| {
            Error::new(
                Code::RequestMalformed,
                format!("without a usable `{plain}` the request has no address"),
            )
        })?;
        path.push_str(before);
        let slashes = if plain.len() == name.len() { "" } else { "/" };
        path.push_str(&escaped(&value, slashes));
        rest = after;
    }
    path.push_str(rest);
    Ok(path)
}

fn body(http: &HttpBinding, arguments: &Map<String, Value>) -> Result<Option<Vec<u8>>> {
    let Some(binding) = &http.body else { return Ok(None) };
    let value = match &binding.argument {
        Some(name) => arguments.get(name).cloned(),
        None => {
            let others =
                arguments.iter().filter(|(name, _)| !http.params.iter().any(|p| p.argument == **name));
            let object: Map<String, Value> =
                others.map(|(name, value)| (name.clone(), value.clone())).collect();
            (binding.required || !object.is_empty()).then_some(Value::Object(object))
        }
    };
    let Some(value) = value else { return Ok(None) };
    let kind = binding.media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    Ok(Some(match (kind.as_str(), value) {
        (kind, value) if is_json(kind) || kind.is_empty() || kind == "*/*" => value.to_string().into_bytes(),
        ("application/x-www-form-urlencoded", Value::Object(object)) => {
            let mut fields = Vec::new();
            object.iter().for_each(|(name, value)| pairs(name, value, true, &mut fields, 0));
            joined(&fields).into_bytes()
        }
        ("multipart/form-data", _) => {
            let what = "a body of several parts cannot be made from arguments";
            return Err(Error::new(Code::RequestMalformed, what));
        }
        (_, Value::String(text)) => text.into_bytes(),
        (_, value) => value.to_string().into_bytes(),
    }))
}

/// A member of a query or form as the pairs that say it: lists repeat their name or are joined by
/// commas, objects have brackets.
fn pairs(name: &str, value: &Value, explode: bool, out: &mut Vec<(String, String)>, depth: usize) {
    match value {
        Value::Null => {}
        Value::Array(items) if explode => {
            items.iter().for_each(|item| out.push((name.to_owned(), text(item))));
        }
        Value::Object(members) if depth < MAX_DEPTH => {
            for (member, value) in members {
                pairs(&format!("{name}[{member}]"), value, explode, out, depth + 1);
            }
        }
        value => out.push((name.to_owned(), text(value))),
    }
}

fn joined(pairs: &[(String, String)]) -> String {
    let pair = |(name, value): &(String, String)| format!("{}={}", escaped(name, "[]"), escaped(value, ""));
    pairs.iter().map(pair).collect::<Vec<_>>().join("&")
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

/// Percent-encodes all but the unreserved characters and these.
fn escaped(text: &str, also: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        let c = char::from(byte);
        match c.is_ascii_alphanumeric() || "-._~".contains(c) || (c.is_ascii() && also.contains(c)) {
            true => out.push(c),
            false => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::operations::Operations;
    use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
    use gtm_error::Code;
    use gtm_sim::Call;
    use gtm_tool::{HttpBinding, HttpBody, HttpParam, ParamLocation, ToolSpec};
    use serde_json::{Value, json};

    fn operations(media_type: &str) -> Operations {
        let param = |name: &str, location, explode| HttpParam {
            name: name.into(),
            argument: name.into(),
            location,
            explode,
        };
        let http = HttpBinding {
            method: "POST".into(),
            path: "/things/{id}".into(),
            base: "/v3".into(),
            params: vec![
                param("id", ParamLocation::Path, false),
                param("tags", ParamLocation::Query, true),
                param("kinds", ParamLocation::Query, false),
                param("filter", ParamLocation::Query, true),
                param("X-Trace", ParamLocation::Header, false),
                param("sid", ParamLocation::Cookie, false),
            ],
            body: Some(HttpBody { argument: None, media_type: media_type.into(), required: false }),
            success_status: 201,
            ..HttpBinding::default()
        };
        let list = json!({"type": "array", "items": {"type": "string"}});
        Operations::new(&[ToolSpec {
            name: "t".into(),
            parameters: json!({"type": "object", "properties": {
                "id": {"type": "string"}, "tags": list, "kinds": list, "sid": {"type": "integer"}, "X-Trace": {"type": "string"},
                "filter": {"type": "object", "properties": {"min": {"type": "number"}}},
                "name": {"type": "string"}, "count": {"type": "integer"}, "list": list}}),
            http: Some(http),
            ..ToolSpec::default()
        }])
    }

    /// What is sent is read back as it was.
    fn check(media_type: &str, arguments: Value) {
        let operations = operations(media_type);
        let request = operations.request(&Call::new("t", arguments.clone())).expect("a request");
        let mut headers = HeaderMap::new();
        for (name, value) in &request.headers {
            headers.insert(
                HeaderName::from_bytes(name.as_bytes()).expect("a name"),
                HeaderValue::from_str(value).expect("a value"),
            );
        }
        let uri: Uri = format!("/v3{}", request.path).parse().expect("an address");
        let body = request.body.unwrap_or_default();
        let call = operations.call(&Method::POST, &uri, &headers, &body).expect("readable").expect("known");
        assert_eq!(call.arguments, arguments, "{}", request.path);
    }

    #[test]
    fn what_is_sent_is_what_is_read() {
        for media_type in ["application/json", "application/x-www-form-urlencoded"] {
            check(
                media_type,
                json!({"id": "a b/ü?#%", "tags": ["x", "y&z=1"], "kinds": ["k", "l"], "filter": {"min": 1.5}}),
            );
            check(
                media_type,
                json!({"id": "...", "X-Trace": "abc", "sid": 7, "name": "n & m", "count": 3, "list": ["a", "b"]}),
            );
        }
    }

    #[test]
    fn without_an_address_there_is_no_request() {
        let operations = operations("application/json");
        for wrong in [json!({}), json!({"id": null}), json!({"id": ""}), json!({"id": ".."}), json!([])] {
            let error = operations.request(&Call::new("t", wrong)).expect_err("no address");
            assert_eq!(error.code(), Code::RequestMalformed);
        }
        assert_eq!(
            operations.request(&Call::new("u", json!({}))).expect_err("unknown").code(),
            Code::NotFound
        );
    }
}
