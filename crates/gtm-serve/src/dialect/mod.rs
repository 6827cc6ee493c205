//! The protocols that trainers and agents' stacks speak, each mapped onto sessions and attempts.
//!
//! One module each; an environment says which of them it speaks. None keeps state of its own but what a
//! protocol itself asks for.

pub(crate) mod nemo_gym;
pub(crate) mod openai;
pub(crate) mod openenv;
pub(crate) mod ors;
mod sse;
pub(crate) mod virtual_api;

use crate::app::App;
use crate::payload::Payload;
use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use gtm_env::{Dialect, Environment};
use gtm_error::{Code, Error, Result};
use serde_json::Value;
use std::sync::Arc;

/// The environment that a path names, or the default one, if it speaks this dialect.
pub(crate) fn environment(app: &App, name: &str, dialect: Dialect) -> Result<Arc<Environment>> {
    let environment = app.environment(Some(name).filter(|name| !name.is_empty()))?;
    speaking(environment, dialect)
}

fn speaking(environment: Arc<Environment>, dialect: Dialect) -> Result<Arc<Environment>> {
    if environment.speaks(dialect) {
        return Ok(environment);
    }
    let what = format!("the environment {} does not speak this dialect", environment.name());
    Err(Error::new(Code::NotFound, what).hint("add it to the environment's `dialects`"))
}

/// The name of the environment in a path, empty if there is none.
fn named(payload: &Payload) -> &str {
    payload.param("environment")
}

/// A JSON answer.
fn json(status: StatusCode, value: &Value) -> Response {
    let mut response = Response::new(Body::from(value.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// The body as any JSON; an empty one is `{}`.
fn body(payload: &Payload) -> std::result::Result<Value, crate::problem::Failure> {
    payload.json::<Value>()
}

/// A member that is text.
fn text(value: &Value, name: &str) -> Option<String> {
    value.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// A member that is a whole number.
fn number(value: &Value, name: &str) -> Option<u64> {
    value.get(name).and_then(Value::as_u64)
}
