//! The session API. Handlers are thin: they read a request, do one thing to the store, and write
//! the answer.

pub(crate) mod calls;
pub(crate) mod environments;
pub(crate) mod history;
pub(crate) mod ops;
pub(crate) mod sessions;
pub(crate) mod toolsets;

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::Serialize;

/// A JSON answer from bytes that are JSON.
fn bytes(status: StatusCode, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// A JSON answer.
fn json(status: StatusCode, value: &impl Serialize) -> Response {
    // Plain data in memory: the writer cannot fail.
    bytes(status, serde_json::to_vec(value).unwrap_or_else(|_| b"null".to_vec()))
}
