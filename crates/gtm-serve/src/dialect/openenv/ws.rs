//! OpenEnv's WebSocket: one connection, one session.

use super::rpc;
use super::session::Session;
use crate::app::App;
use crate::dialect::{self, text};
use crate::problem::Failure;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::extract::{RawPathParams, State};
use axum::http::Uri;
use axum::response::Response;
use gtm_env::Dialect;
use gtm_error::{Code, Error};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::sync::watch;

/// How long a connection may be silent. Clients ping every 20 s.
const SILENCE: Duration = Duration::from_secs(120);

/// `GET /ws` and `/e/{environment}/ws`
pub(crate) async fn connect(
    State(app): State<App>,
    params: RawPathParams,
    uri: Uri,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Failure> {
    let name = params.iter().find(|(name, _)| *name == "environment").map_or("", |(_, value)| value);
    let environment = dialect::environment(&app, name, Dialect::Openenv)?;
    let (place, draining) = app.stream()?;
    let query = crate::rest::decode::pairs(uri.query().unwrap_or_default());
    let attached = query.into_iter().find(|(name, _)| name == "session_id").map(|(_, value)| value);
    let limit = app.config().max_body;
    let upgrade = upgrade.max_message_size(limit).max_frame_size(limit);
    Ok(upgrade.on_upgrade(move |mut socket| async move {
        let _place = place;
        let session = match attached {
            Some(id) => Session::attach(app.clone(), environment, &id).await,
            None => Ok(Session::new(app.clone(), environment)),
        };
        match session {
            Ok(session) => talk(&app, socket, session, draining).await,
            Err(error) => {
                let _ = socket.send(Message::text(failure(&app, &error, "SESSION_ERROR").to_string())).await;
                close(socket, close_code::POLICY).await;
            }
        }
    }))
}

/// Answers messages until either side has had enough.
async fn talk(app: &App, mut socket: WebSocket, mut session: Session, mut draining: watch::Receiver<bool>) {
    loop {
        let message = tokio::select! {
            message = tokio::time::timeout(SILENCE, socket.recv()) => Some(message),
            _ = draining.wait_for(|draining| *draining) => None,
        };
        let Some(message) = message else { return close(socket, close_code::AWAY).await };
        let answer = match message {
            Ok(Some(Ok(Message::Text(text)))) => answer(app, &mut session, text.as_bytes()).await,
            Ok(Some(Ok(Message::Binary(bytes)))) => answer(app, &mut session, &bytes).await,
            // The library answers pings by itself.
            Ok(Some(Ok(Message::Ping(_) | Message::Pong(_)))) => {
                session.touch();
                continue;
            }
            Ok(Some(Ok(Message::Close(_)) | Err(_)) | None) => return,
            Err(_) => return close(socket, close_code::AWAY).await,
        };
        let Some(answer) = answer else { return close(socket, close_code::NORMAL).await };
        if socket.send(Message::text(answer.to_string())).await.is_err() {
            return;
        }
    }
}

async fn close(mut socket: WebSocket, code: u16) {
    // The client may be gone already.
    let _ = socket.send(Message::Close(Some(CloseFrame { code, reason: "".into() }))).await;
}

/// The answer to a message; `None` to close.
async fn answer(app: &App, session: &mut Session, bytes: &[u8]) -> Option<Value> {
    let Ok(message) = serde_json::from_slice::<Value>(bytes) else {
        return Some(told("the message is not JSON", "INVALID_JSON", None));
    };
    let data = message.get("data").cloned().unwrap_or_else(|| json!({}));
    let done = match text(&message, "type").as_deref() {
        Some("reset") => session.reset(&data).map(|data| json!({"type": "observation", "data": data})),
        Some("step") => {
            let key = text(&message, "request_id").or_else(|| text(&data, "request_id"));
            session.step(&data, key).await.map(|data| json!({"type": "observation", "data": data}))
        }
        Some("state") => Ok(json!({"type": "state", "data": session.state()})),
        Some("mcp") => Ok(json!({"type": "mcp", "data": rpc::in_session(session, &data).await})),
        Some("close") => return None,
        Some(other) => {
            let what = format!("there is no message of type `{}`", gtm_error::printable(other));
            return Some(told(&what, "UNKNOWN_TYPE", None));
        }
        None => return Some(told("the message has no type", "VALIDATION_ERROR", None)),
    };
    Some(done.unwrap_or_else(|error| failure(app, &error, "EXECUTION_ERROR")))
}

/// An error as the protocol tells it.
fn failure(app: &App, error: &Error, otherwise: &str) -> Value {
    let full = json!({"active_sessions": app.store().len(), "max_sessions": app.store().max_sessions()});
    let what = format!("[{}] {}", error.code().id(), gtm_error::printable(error.message()));
    match error.code() {
        Code::SessionLimit => told(&what, "CAPACITY_REACHED", Some(full)),
        Code::SessionUnknown | Code::SessionExpired => told(&what, "SESSION_ERROR", None),
        Code::RequestMalformed | Code::TaskUnknown => told(&what, "VALIDATION_ERROR", None),
        _ => told(&what, otherwise, None),
    }
}

fn told(message: &str, code: &str, more: Option<Value>) -> Value {
    let mut data = json!({"message": message, "code": code});
    if let (Some(Value::Object(more)), Some(data)) = (more, data.as_object_mut()) {
        data.extend(more);
    }
    json!({"type": "error", "data": data})
}
