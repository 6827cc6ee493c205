//! Calling tools.

use super::bytes;
use crate::app::{App, Create};
use crate::payload::Payload;
use crate::problem::Failure;
use crate::reply;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use gtm_error::{Code, Error};
use gtm_sim::{Call, CreateSession, Observed, Reply};
use serde::Deserialize;
use serde_json::Value;
use std::time::{Duration, Instant};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CallBody {
    #[serde(alias = "name")]
    tool: String,
    #[serde(default)]
    arguments: Value,
    idempotency_key: Option<String>,
    toolset: Option<String>,
}

/// `POST /v1/sessions/{id}/call`
pub(crate) async fn call(State(app): State<App>, payload: Payload) -> Result<Response, Failure> {
    let body: CallBody = payload.json()?;
    let key = body.idempotency_key.or_else(|| payload.header("idempotency-key").map(str::to_string));
    let call = Call { tool: body.tool, arguments: body.arguments, idempotency_key: key };
    let toolset = body.toolset.or_else(|| payload.query("create"));
    let id = payload.param("id");
    // An empty name asks for the default toolset.
    let toolset = match toolset {
        Some(name) if name.is_empty() => Some(app.default_toolset()?),
        other => other,
    };
    let create = toolset.as_deref().map_or(Create::Never, Create::With);
    let reply = app.call(id, create, call).await?;
    app.delay(&reply).await;
    Ok(answer(&reply))
}

fn answer(reply: &Reply) -> Response {
    let mut body = Vec::new();
    reply::write(&mut body, reply);
    bytes(StatusCode::OK, body)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Batch {
    calls: Vec<Call>,
    toolset: Option<String>,
}

/// `POST /v1/sessions/{id}/call_batch`
pub(crate) async fn batch(State(app): State<App>, payload: Payload) -> Result<Response, Failure> {
    let batch: Batch = payload.json()?;
    let limit = app.config().max_batch;
    if batch.calls.len() > limit {
        return Err(Error::new(Code::RequestTooLarge, format!("the batch has {} calls", batch.calls.len()))
            .at("body/calls")
            .expected(format!("at most {limit} calls"))
            .into());
    }
    let id = payload.param("id").to_string();
    if app.store().has_live() {
        return one_by_one(&app, &id, batch).await;
    }
    let (body, delay) = app
        .apart(move |app| {
            if let Some(name) = &batch.toolset {
                let face = app.face(Some(name.as_str()).filter(|name| !name.is_empty()))?;
                app.store().ensure(CreateSession {
                    id: Some(id.clone()),
                    toolset: Some(face.name.clone()),
                    ..CreateSession::default()
                })?;
            }
            let start = Instant::now();
            let replies = app.store().call_batch(&id, &batch.calls)?;
            let each = start.elapsed() / u32::try_from(replies.len().max(1)).unwrap_or(u32::MAX);
            let mut body = b"{\"replies\":[".to_vec();
            for (index, (call, reply)) in batch.calls.iter().zip(&replies).enumerate() {
                app.count(call, Some(reply), each);
                if index > 0 {
                    body.push(b',');
                }
                reply::write(&mut body, reply);
            }
            body.extend_from_slice(b"]}");
            let delay = replies.iter().fold(0u64, |sum, reply| sum.saturating_add(reply.delay_ms));
            Ok((body, delay))
        })
        .await?;
    app.wait(Duration::from_millis(delay)).await;
    Ok(bytes(StatusCode::OK, body))
}

/// A batch where some tools may be real: what these have done cannot be taken back, so the calls are
/// made one by one, up to the first that is wrong in GTM's own terms.
async fn one_by_one(app: &App, id: &str, batch: Batch) -> Result<Response, Failure> {
    let toolset = batch.toolset.as_deref();
    let face = toolset.map(|name| app.face(Some(name).filter(|name| !name.is_empty()))).transpose()?;
    let create = face.as_ref().map_or(Create::Never, |face| Create::With(&face.name));
    let mut body = b"{\"replies\":[".to_vec();
    for (index, call) in batch.calls.into_iter().enumerate() {
        let reply = app.call(id, create, call).await?;
        app.delay(&reply).await;
        if index > 0 {
            body.push(b',');
        }
        reply::write(&mut body, &reply);
    }
    body.extend_from_slice(b"]}");
    Ok(bytes(StatusCode::OK, body))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Observation {
    #[serde(alias = "name")]
    tool: String,
    #[serde(default)]
    arguments: Value,
    idempotency_key: Option<String>,
    content: Value,
    #[serde(default)]
    is_error: bool,
}

/// `POST /v1/sessions/{id}/observe`
pub(crate) async fn observe(State(app): State<App>, payload: Payload) -> Result<Response, Failure> {
    let body: Observation = payload.json()?;
    let key = body.idempotency_key.or_else(|| payload.header("idempotency-key").map(str::to_string));
    let call = Call { tool: body.tool, arguments: body.arguments, idempotency_key: key };
    let observed = Observed { content: body.content, is_error: body.is_error };
    let id = payload.param("id").to_string();
    let reply = app.apart(move |app| app.store().observe(&id, &call, observed)).await?;
    Ok(answer(&reply))
}
