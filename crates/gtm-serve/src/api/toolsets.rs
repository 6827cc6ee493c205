//! What there is to call.

use super::json;
use crate::app::App;
use crate::payload::Payload;
use crate::problem::Failure;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json as value;

/// `GET /v1/toolsets`
pub(crate) async fn list(State(app): State<App>) -> Result<Response, Failure> {
    let default = app.default_toolset().ok();
    let mut toolsets = Vec::new();
    for (name, simulator) in app.store().toolsets() {
        toolsets.push(value!({
            "name": name,
            "description": simulator.toolset().description,
            "tools": simulator.tools().len(),
            "default": Some(&name) == default.as_ref(),
        }));
    }
    Ok(json(StatusCode::OK, &value!({"toolsets": toolsets})))
}

/// `GET /v1/toolsets/{toolset}/tools`
pub(crate) async fn tools(State(app): State<App>, payload: Payload) -> Result<Response, Failure> {
    let (from, limit) = app.page(&payload)?;
    let name = payload.param("toolset").to_string();
    let body = app
        .apart(move |app| {
            let simulator = app.store().simulator(&name)?;
            let all = simulator.tools();
            let start = from.min(all.len());
            let end = start.saturating_add(limit).min(all.len());
            let next = (end < all.len()).then_some(end);
            Ok(serde_json::to_vec(&value!({"tools": all[start..end], "total": all.len(), "next": next})))
        })
        .await?;
    Ok(super::bytes(StatusCode::OK, body.unwrap_or_else(|_| b"null".to_vec())))
}
