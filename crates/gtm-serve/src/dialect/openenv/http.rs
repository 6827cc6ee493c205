//! OpenEnv's plain requests: what describes an environment, and steps without a connection.

use super::session::Session;
use crate::app::App;
use crate::dialect::{self, body, json as answer_json, named, text};
use crate::payload::Payload;
use crate::problem::Failure;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use gtm_env::{Dialect, Environment};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Version of OpenEnv's plain requests that these are, as clients read it from the document.
pub(crate) const CONTRACT: &str = "1.0.0";

type Answer = Result<Response, Failure>;

fn environment(app: &App, payload: &Payload) -> Result<Arc<Environment>, Failure> {
    Ok(dialect::environment(app, named(payload), Dialect::Openenv)?)
}

fn ok(value: &Value) -> Answer {
    Ok(answer_json(StatusCode::OK, value))
}

/// `GET /metadata`
pub(crate) async fn metadata(State(app): State<App>, payload: Payload) -> Answer {
    let environment = environment(&app, &payload)?;
    let about = match environment.description() {
        "" => "Simulated tools",
        text => text,
    };
    let (name, version) = (environment.name(), env!("CARGO_PKG_VERSION"));
    ok(&json!({"name": name, "description": crate::text::clean(about), "version": version}))
}

/// `GET /schema`
pub(crate) async fn schema(State(app): State<App>, payload: Payload) -> Answer {
    environment(&app, &payload)?;
    ok(&json!({
        "action": action_schema(),
        "observation": {
            "title": "CallToolObservation", "type": "object",
            "properties": {"tool_name": {"type": "string"}, "result": {}, "error": {"type": ["object", "null"]},
                "tools": {"type": "array"}, "done": {"type": "boolean"}, "reward": {"type": ["number", "null"]}}
        },
        "state": {
            "title": "State", "type": "object",
            "properties": {"episode_id": {"type": ["string", "null"]}, "step_count": {"type": "integer"},
                "session_id": {"type": ["string", "null"]}, "environment": {"type": "string"},
                "task_id": {"type": ["string", "null"]}}
        },
        "reset_observation": {
            "title": "TaskObservation", "type": "object",
            "properties": {"prompt": {"type": "string"}, "task_id": {"type": "string"}}
        }
    }))
}

fn action_schema() -> Value {
    json!({
        "title": "CallToolAction", "type": "object", "required": ["tool_name"],
        "properties": {
            "type": {"type": "string", "enum": ["call_tool", "list_tools"], "default": "call_tool"},
            "tool_name": {"type": "string", "description": "Name of the tool."},
            "arguments": {"type": "object", "default": {}, "description": "Its arguments."}
        }
    })
}

/// The session of a plain request: the one that it names, or one that lives for this request.
async fn session(app: &App, payload: &Payload, data: &Value) -> Result<Session, Failure> {
    let environment = environment(app, payload)?;
    let id = text(data, "session_id").or_else(|| payload.query("session_id"));
    let id = id.or_else(|| payload.header("x-session-id").map(str::to_owned));
    Ok(match id {
        Some(id) => Session::attach(app.clone(), environment, &id).await?,
        None => Session::new(app.clone(), environment),
    })
}

/// `POST /reset`
pub(crate) async fn reset(State(app): State<App>, payload: Payload) -> Answer {
    let data = body(&payload)?;
    let mut session = session(&app, &payload, &data).await?;
    ok(&session.reset(&data)?)
}

/// `POST /step`
pub(crate) async fn step(State(app): State<App>, payload: Payload) -> Answer {
    let data = body(&payload)?;
    let mut session = session(&app, &payload, &data).await?;
    let action = data.get("action").unwrap_or(&data);
    ok(&session.step(action, text(&data, "request_id")).await?)
}

/// `GET /state`
pub(crate) async fn state(State(app): State<App>, payload: Payload) -> Answer {
    let session = session(&app, &payload, &json!({})).await?;
    ok(&session.state())
}

/// `GET /e/{environment}/openapi.json`
pub(crate) async fn document(State(app): State<App>, payload: Payload) -> Answer {
    let environment = environment(&app, &payload)?;
    ok(&json!({
        "openapi": "3.1.0",
        "info": {"title": environment.name(), "version": CONTRACT},
        "paths": paths(),
    }))
}

/// The plain requests, as OpenAPI describes them.
pub(crate) fn paths() -> Map<String, Value> {
    let operation = |id: &str, summary: &str, body: Option<Value>| {
        let mut operation = json!({
            "operationId": id, "summary": summary,
            "responses": {"200": {"description": "Done", "content": {"application/json": {"schema": {"type": "object"}}}}}
        });
        if let Some(schema) = body {
            operation["requestBody"] = json!({"content": {"application/json": {"schema": schema}}});
        }
        operation
    };
    let reset = json!({"type": "object", "properties": {
        "seed": {"type": "integer", "minimum": 0}, "episode_id": {"type": "string"}, "task_id": {"type": "string"},
        "split": {"type": "string"}, "index": {"type": "integer", "minimum": 0}}});
    let step = json!({"type": "object", "required": ["action"], "properties": {
        "action": action_schema(), "timeout_s": {"type": "number"}, "request_id": {"type": "string"}}});
    let all = [
        ("/reset", "post", operation("openenvReset", "OpenEnv: begin an episode", Some(reset))),
        ("/step", "post", operation("openenvStep", "OpenEnv: one step", Some(step))),
        ("/state", "get", operation("openenvState", "OpenEnv: where the episode stands", None)),
        ("/metadata", "get", operation("openenvMetadata", "OpenEnv: name and description", None)),
        ("/schema", "get", operation("openenvSchema", "OpenEnv: schemas of actions and observations", None)),
    ];
    all.into_iter().map(|(path, method, operation)| (path.to_owned(), json!({method: operation}))).collect()
}
