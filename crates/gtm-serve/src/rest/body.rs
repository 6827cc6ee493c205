//! The body of a REST request as the JSON that the tool takes.

use super::decode;
use super::multipart;
use crate::problem::Failure;
use axum::http::StatusCode;
use gtm_error::{Code, Error};
use serde_json::{Map, Value};

/// Whether a media type is JSON (`application/json`, `application/merge-patch+json`, ...).
pub(crate) fn is_json(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    essence == "application/json" || essence.ends_with("+json") || essence == "text/json"
}

/// The body as JSON; `None` if there is none. `node` is the schema of what is in it, for the
/// media types that carry only text.
pub(crate) fn read(
    body: &[u8],
    content_type: &str,
    node: &Value,
    root: &Value,
) -> Result<Option<Value>, Failure> {
    if body.is_empty() {
        return Ok(None);
    }
    let essence = content_type.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    if is_json(content_type) || essence.is_empty() || essence == "*/*" {
        return json(body).map(Some);
    }
    match essence.as_str() {
        "application/x-www-form-urlencoded" => {
            let text = std::str::from_utf8(body).map_err(|_| malformed("the form is not UTF-8"))?;
            Ok(Some(Value::Object(decode::form(&decode::pairs(text), node, root))))
        }
        "multipart/form-data" => {
            parts(body, content_type, node, root).map(|object| Some(Value::Object(object)))
        }
        "application/octet-stream" => Ok(Some(bytes(body))),
        text if text.starts_with("text/") => Ok(Some(bytes(body))),
        binary if ["image/", "audio/", "video/"].iter().any(|kind| binary.starts_with(kind)) => {
            Ok(Some(bytes(body)))
        }
        other => Err(Failure::from(
            Error::new(Code::RequestMalformed, format!("cannot read a body of type {other}"))
                .expected("JSON, a form, or plain text")
                .hint("send the body as application/json"),
        )
        .status(StatusCode::UNSUPPORTED_MEDIA_TYPE)),
    }
}

/// JSON in a request's body.
pub(crate) fn json(body: &[u8]) -> Result<Value, Failure> {
    serde_json::from_slice(body).map_err(|e| crate::payload::syntax(&e))
}

fn parts(body: &[u8], content_type: &str, node: &Value, root: &Value) -> Result<Map<String, Value>, Failure> {
    let boundary =
        multipart::boundary(content_type).ok_or_else(|| malformed("the form names no boundary"))?;
    let parts =
        multipart::parts(body, boundary).ok_or_else(|| malformed("the form does not follow its boundary"))?;
    let (mut fields, mut out) = (Vec::new(), Map::new());
    for part in parts {
        match std::str::from_utf8(part.data) {
            Ok(text) if !part.json => fields.push((part.name, text.to_string())),
            _ if part.json => drop(out.insert(part.name, json(part.data)?)),
            _ => drop(out.insert(part.name, bytes(part.data))),
        }
    }
    let mut object = decode::form(&fields, node, root);
    object.extend(out);
    Ok(object)
}

/// Bytes as JSON can hold them: text if they are UTF-8, else base64.
pub(crate) fn bytes(body: &[u8]) -> Value {
    match std::str::from_utf8(body) {
        Ok(text) => text.into(),
        Err(_) => base64(body).into(),
    }
}

fn base64(data: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(data.len().div_ceil(3) * 4);
    for chunk in data.chunks(3) {
        let word =
            chunk.iter().fold(0u32, |word, byte| (word << 8) | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for digit in 0..4 {
            match digit <= chunk.len() {
                true => out.push(char::from(DIGITS[(word >> (18 - 6 * digit)) as usize & 63])),
                false => out.push('='),
            }
        }
    }
    out
}

fn malformed(message: &str) -> Failure {
    Failure::new(Code::RequestMalformed, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn bodies_by_media_type() {
        let schema = json!({"type": "object", "properties": {"n": {"type": "integer"}}});
        let object = |body: &[u8], kind: &str| read(body, kind, &schema, &schema).expect("readable");
        assert_eq!(object(b"", "application/json"), None);
        assert_eq!(object(b"{\"n\":1}", "application/json; charset=utf-8"), Some(json!({"n": 1})));
        assert_eq!(object(b"[1]", "application/json-patch+json"), Some(json!([1])));
        assert_eq!(object(b"n=1", "application/x-www-form-urlencoded"), Some(json!({"n": 1})));
        assert_eq!(object(b"hello", "text/plain"), Some(json!("hello")));
        let form = b"--B\r\nContent-Disposition: form-data; name=\"n\"\r\n\r\n7\r\n--B--";
        assert_eq!(object(form, "multipart/form-data; boundary=B"), Some(json!({"n": 7})));
        for (body, kind) in [
            (&b"{"[..], "application/json"),
            (b"\xff", "application/x-www-form-urlencoded"),
            (b"<a/>", "application/xml"),
        ] {
            assert!(read(body, kind, &schema, &schema).is_err(), "{kind}");
        }
    }

    #[test]
    fn binary_becomes_base64() {
        assert_eq!(bytes(&[0xff]), json!("/w=="));
        assert_eq!(base64(b"Man"), "TWFu");
        assert_eq!(base64(b"Ma"), "TWE=");
        assert_eq!(bytes(b"text"), json!("text"));
    }
}
