//! OpenAI's API: a model that answers tool calls.
//!
//! The messages of a chat end with an assistant's tool calls; the completion is what the tools answer. With
//! `tools` in the request and the model `gtm`, these are the tools; else they are those of the environment
//! that the model is called after. The state follows from the chat itself: earlier calls and their results
//! are made again in a fresh session, and what the chat says of their results holds. `session_id` (or
//! `X-Session-Id`) names a session to go on with instead.
//!
//! Without a tool call, a `response_format` with a JSON Schema gets a value of it. Anything else is refused:
//! there is no agent here.

mod chat;
mod request;
mod wire;

use super::speaking;
use crate::app::App;
use crate::payload::Payload;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use gtm_env::Dialect;
use gtm_error::{Code, Error};
use serde_json::{Value, json};

pub(crate) use chat::{Cache, complete};

/// The model that takes the tools of each request.
const ANY: &str = "gtm";

fn model(id: &str) -> Value {
    // There is no clock here, and models do not change while the server runs.
    json!({"id": id, "object": "model", "created": 0, "owned_by": "gtm"})
}

/// `GET /v1/models`
pub(crate) async fn models(State(app): State<App>) -> Response {
    let environments = app.environments();
    let named = environments.iter().filter(|e| e.speaks(Dialect::Openai)).map(|e| model(e.name()));
    let data: Vec<Value> = std::iter::once(model(ANY)).chain(named).collect();
    super::json(StatusCode::OK, &json!({"object": "list", "data": data}))
}

/// `GET /v1/models/{model}`
pub(crate) async fn one(State(app): State<App>, payload: Payload) -> Response {
    let name = payload.param("model");
    let known = name == ANY || app.environment(Some(name)).is_ok_and(|e| e.speaks(Dialect::Openai));
    match known {
        true => super::json(StatusCode::OK, &model(name)),
        false => wire::failure(&no_model(name)),
    }
}

fn no_model(name: &str) -> Error {
    let what = format!("The model `{}` does not exist", gtm_error::printable(name));
    Error::new(Code::ToolsetUnknown, what).at("model").hint("list the models (`GET /v1/models`)")
}
