//! Making, finding and deleting sessions.

use super::json;
use crate::app::App;
use crate::attempt::Which;
use crate::payload::Payload;
use crate::problem::Failure;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use gtm_error::{Code, Error};
use gtm_sim::{CreateSession, Fault, WorldKind};
use serde::Deserialize;
use serde_json::{Value, json as value};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewSession {
    id: Option<String>,
    toolset: Option<String>,
    environment: Option<String>,
    task: Option<String>,
    seed: Option<u64>,
    #[serde(alias = "initial_state")]
    state: Option<Value>,
    world: Option<WorldKind>,
    faults: Option<Vec<Fault>>,
    tools: Option<Vec<String>>,
    ttl_s: Option<u64>,
}

/// `POST /v1/sessions`
pub(crate) async fn create(State(app): State<App>, payload: Payload) -> Result<Response, Failure> {
    let NewSession { id, toolset, environment, task, seed, state, world, faults, tools, ttl_s } =
        payload.json()?;
    if environment.is_some() || task.is_some() {
        if toolset.is_some() || state.is_some() || world.is_some() || faults.is_some() || tools.is_some() {
            return Err(Error::new(Code::RequestMalformed, "a task says itself where its session starts")
                .at("body")
                .expected("no more than `id`, `environment`, `task`, `seed`, `ttl_s`")
                .into());
        }
        let environment = app.environment(environment.as_deref())?;
        let info = app
            .apart(move |app| {
                let which = Which { id: task, seed, ..Which::default() };
                app.open(&environment, which.find(&environment)?, id, seed, ttl_s)
            })
            .await?;
        return Ok(json(StatusCode::CREATED, &info));
    }
    let toolset = Some(match toolset.filter(|name| !name.is_empty()) {
        Some(name) => name,
        None => app.default_toolset()?,
    });
    let request = CreateSession { id, toolset, seed, state, world, faults, tools, ttl_s };
    let info = app.apart(move |app| app.store().create(request)).await?;
    Ok(json(StatusCode::CREATED, &info))
}

/// `GET /v1/sessions`
pub(crate) async fn list(State(app): State<App>, payload: Payload) -> Result<Response, Failure> {
    let (_, limit) = app.page(&payload)?;
    let after = payload.query("after");
    let mut sessions =
        app.apart(move |app| Ok(app.store().list(after.as_deref(), limit.saturating_add(1)))).await?;
    // One more than asked for tells whether there is a next page.
    let more = sessions.len() > limit;
    sessions.truncate(limit);
    let next = sessions.last().filter(|_| more).map(|last| last.id.clone());
    Ok(json(StatusCode::OK, &value!({"sessions": sessions, "next": next})))
}

/// `GET /v1/sessions/{id}`
pub(crate) async fn info(State(app): State<App>, payload: Payload) -> Result<Response, Failure> {
    Ok(json(StatusCode::OK, &app.store().info(payload.param("id"))?))
}

/// `DELETE /v1/sessions/{id}`
pub(crate) async fn delete(State(app): State<App>, payload: Payload) -> Result<Response, Failure> {
    let id = payload.param("id").to_string();
    app.apart(move |app| app.close(&id)).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
