//! What supervisors, dashboards and client generators ask.

use crate::app::App;
use crate::dialect::openenv;
use crate::problem::Failure;
use axum::Json;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use gtm_env::Dialect;
use gtm_error::Code;
use serde_json::{Value, json};

pub(crate) async fn health() -> Json<Value> {
    Json(json!({"status": "healthy"}))
}

pub(crate) async fn live() -> Json<Value> {
    Json(json!({"status": "alive"}))
}

pub(crate) async fn ready(State(app): State<App>) -> Result<Json<Value>, Failure> {
    match app.draining() {
        false => Ok(Json(json!({"status": "ready"}))),
        true => Err(Failure::new(Code::ShuttingDown, "the server is stopping")),
    }
}

pub(crate) async fn version() -> Json<Value> {
    Json(json!({"name": "gtm", "version": env!("CARGO_PKG_VERSION")}))
}

pub(crate) async fn openapi(State(app): State<App>) -> Json<Value> {
    let mut document = crate::openapi::document();
    // Clients of OpenEnv look here for the routes that they are to use.
    if app.environment(None).is_ok_and(|environment| environment.speaks(Dialect::Openenv))
        && let Some(paths) = document["paths"].as_object_mut()
    {
        paths.extend(openenv::paths());
        document["info"]["version"] = openenv::CONTRACT.into();
    }
    Json(document)
}

pub(crate) async fn metrics(State(app): State<App>) -> Response {
    let text = app.metrics().text(&app.gauges());
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}
