//! A reply as the session API writes it.

use gtm_sim::Reply;
use serde_json::Value;

/// What an agent reads: text as it is, everything else as JSON.
pub(crate) fn text(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Appends `{content, text, is_error, error, provenance, state_version, status}`.
///
/// The content, by far the largest part, is turned into JSON once, and its text is an escaped copy
/// of that.
pub(crate) fn write(out: &mut Vec<u8>, reply: &Reply) {
    // Not by `Display`, whose formatter is the slower way to the same text.
    let content = serde_json::to_string(&reply.content).unwrap_or_else(|_| "null".to_owned());
    let text = match &reply.content {
        Value::String(text) => text,
        _ => &content,
    };
    out.reserve(2 * content.len() + 256);
    out.extend_from_slice(b"{\"content\":");
    out.extend_from_slice(content.as_bytes());
    out.extend_from_slice(b",\"text\":");
    append(out, text);
    out.extend_from_slice(if reply.is_error {
        b",\"is_error\":true,\"error\":"
    } else {
        b",\"is_error\":false,\"error\":"
    });
    append(out, &reply.error);
    out.extend_from_slice(b",\"provenance\":");
    append(out, &reply.provenance);
    out.extend_from_slice(b",\"state_version\":");
    append(out, &reply.state_version);
    out.extend_from_slice(b",\"status\":");
    append(out, &reply.status);
    out.push(b'}');
}

fn append<T: serde::Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    // Writing plain data to memory does not fail; if it ever did, `null` keeps the answer JSON.
    let start = out.len();
    if serde_json::to_writer(&mut *out, value).is_err() {
        out.truncate(start);
        out.extend_from_slice(b"null");
    }
}
