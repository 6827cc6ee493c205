//! OpenEnv's JSON-RPC: MCP's tool methods without a handshake, in sessions named in the parameters.

use super::session::Session;
use crate::app::App;
use crate::dialect::{json as answer_json, text};
use axum::http::StatusCode;
use axum::response::Response;
use gtm_env::Environment;
use gtm_error::{Code, Error, Result as Outcome};
use serde_json::{Value, json};
use std::sync::Arc;

/// Whether a message to an MCP address speaks OpenEnv's dialect rather than MCP proper.
pub(crate) fn is_request(body: &[u8]) -> bool {
    let Ok(message) = serde_json::from_slice::<Value>(body) else { return false };
    let Some(object) = message.as_object() else { return false };
    match object.get("method").and_then(Value::as_str) {
        // An answer to a request of ours would have a result; what has neither is a probe.
        None => !object.contains_key("result") && !object.contains_key("error"),
        Some(method) => {
            method.starts_with("openenv/")
                || object.get("params").and_then(|params| params.get("session_id")).is_some()
        }
    }
}

/// Answers one message. The status is 200 whatever comes of it.
pub(crate) async fn answer(app: &App, environment: &Arc<Environment>, body: &[u8]) -> Response {
    let message = match serde_json::from_slice::<Value>(body) {
        Ok(message) => handle(app, environment, &message).await,
        Err(_) => error(&Value::Null, -32700, "Parse error"),
    };
    answer_json(StatusCode::OK, &message)
}

async fn handle(app: &App, environment: &Arc<Environment>, message: &Value) -> Value {
    let id = message.get("id").cloned().unwrap_or(Value::Null);
    let Some(method) = message.get("method").and_then(Value::as_str) else {
        return error(&id, -32600, "Invalid Request: no method");
    };
    let params = message.get("params").cloned().unwrap_or_else(|| json!({}));
    let session = text(&params, "session_id");
    match (method, session) {
        ("openenv/session/create", _) => {
            let mut session = Session::new(app.clone(), environment.clone());
            match session.reset(&params) {
                // Handed over: from now on it ends by its close, or by being idle.
                Ok(_) => result(&id, json!({"session_id": session.id.take()})),
                Err(e) => failed(&id, &e),
            }
        }
        ("openenv/session/close", Some(session)) => match app.close(&session) {
            Ok(()) => result(&id, json!({"session_id": session, "closed": true})),
            Err(e) => failed(&id, &e),
        },
        ("openenv/session/close", None) => error(&id, -32602, "Invalid params: no session_id"),
        (_, Some(session)) => match Session::attach(app.clone(), environment.clone(), &session).await {
            Ok(mut session) => in_session(&mut session, message).await,
            Err(e) => failed(&id, &e),
        },
        // Without a session: one that lives for this message.
        (_, None) => in_session(&mut Session::new(app.clone(), environment.clone()), message).await,
    }
}

/// Answers a message about a session's tools.
pub(super) async fn in_session(session: &mut Session, message: &Value) -> Value {
    let id = message.get("id").cloned().unwrap_or(Value::Null);
    let params = message.get("params").cloned().unwrap_or_else(|| json!({}));
    let done = match message.get("method").and_then(Value::as_str) {
        Some("tools/list") => {
            session.ensure().and_then(|_| session.tools()).map(|tools| json!({"tools": tools}))
        }
        Some("tools/call") => call(session, &params).await,
        Some(other) => {
            return error(&id, -32601, &format!("Method not found: {}", gtm_error::printable(other)));
        }
        None => return error(&id, -32600, "Invalid Request: no method"),
    };
    match done {
        Ok(done) => result(&id, done),
        Err(e) => failed(&id, &e),
    }
}

async fn call(session: &mut Session, params: &Value) -> Outcome<Value> {
    let tool = text(params, "name")
        .ok_or_else(|| Error::new(Code::RequestMalformed, "the call names no tool").expected("`name`"))?;
    let arguments = params.get("arguments").cloned().unwrap_or_else(|| json!({}));
    let acted = session.act(&tool, arguments, text(params, "request_id")).await?;
    let mut result = json!({
        "content": [{"type": "text", "text": acted.text()}],
        "isError": acted.is_error(),
        "reward": acted.step.reward,
        "done": acted.step.done.is_some(),
    });
    if !acted.is_error() {
        result["data"] = acted.content();
    }
    Ok(result)
}

fn result(id: &Value, result: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "result": result})
}

fn error(id: &Value, code: i64, message: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}})
}

/// One of GTM's own errors.
fn failed(id: &Value, failure: &Error) -> Value {
    let code = match failure.code() {
        Code::Internal => -32603,
        Code::RequestMalformed | Code::TaskUnknown | Code::SessionUnknown => -32602,
        _ => -32000,
    };
    let message = format!("[{}] {}", failure.code().id(), gtm_error::printable(failure.message()));
    json!({"jsonrpc": "2.0", "id": id,
        "error": {"code": code, "message": message, "data": failure.problem()}})
}
