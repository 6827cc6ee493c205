//! Environments: what there is to achieve, groups of attempts, and what an attempt is worth.

use super::json;
use crate::app::{App, Create};
use crate::attempt::Which;
use crate::payload::Payload;
use crate::problem::Failure;
use crate::reply;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use gtm_env::{Environment, TaskRef};
use gtm_error::{Code, Error};
use gtm_sim::{Call, ForkSession};
use serde::Deserialize;
use serde_json::{Value, json as value};

/// `GET /v1/environments`
pub(crate) async fn list(State(app): State<App>) -> Result<Response, Failure> {
    let default = app.environment(None).ok().map(|environment| environment.name().to_owned());
    let shown = |environment: &Environment| {
        value!({
            "name": environment.name(),
            "description": environment.description(),
            "tasks": environment.tasks().len(),
            "splits": environment.splits(),
            "toolsets": environment.toolsets().map(|(name, _)| name).collect::<Vec<_>>(),
            "dialects": gtm_env::Dialect::ALL.into_iter().filter(|d| environment.speaks(*d)).collect::<Vec<_>>(),
            "default": default.as_deref() == Some(environment.name()),
        })
    };
    let environments: Vec<Value> = app.environments().iter().map(|environment| shown(environment)).collect();
    Ok(json(StatusCode::OK, &value!({"environments": environments})))
}

/// `GET /v1/environments/{environment}/tasks`: what is asked, and nothing of what counts as done.
pub(crate) async fn tasks(State(app): State<App>, payload: Payload) -> Result<Response, Failure> {
    let (from, limit) = app.page(&payload)?;
    let environment = app.environment(Some(payload.param("environment")))?;
    let split = payload.query("split");
    let all: Vec<TaskRef> = match &split {
        Some(split) => environment.in_split(split).collect(),
        None => environment.tasks().collect(),
    };
    let start = from.min(all.len());
    let end = start.saturating_add(limit).min(all.len());
    let shown = |task: &TaskRef| {
        value!({
            "id": task.id(),
            "split": task.split(),
            "instruction": task.instruction(),
            "toolset": task.toolset(),
            "tools": task.tools(),
            "calls": task.limits().calls,
            "answer": task.wants_answer(),
        })
    };
    let tasks: Vec<Value> = all[start..end].iter().map(shown).collect();
    let next = (end < all.len()).then_some(end);
    Ok(json(StatusCode::OK, &value!({"tasks": tasks, "total": all.len(), "next": next})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    environment: Option<String>,
    task: Option<String>,
    n: usize,
    #[serde(default)]
    prefix: Vec<Call>,
    #[serde(default)]
    ids: Vec<String>,
    #[serde(default)]
    seeds: Vec<u64>,
    ttl_s: Option<u64>,
}

/// `POST /v1/groups`: one prefix of calls, made once, and `n` attempts that go on from there.
pub(crate) async fn group(State(app): State<App>, payload: Payload) -> Result<Response, Failure> {
    let Group { environment, task, n, prefix, ids, seeds, ttl_s } = payload.json()?;
    let (forks, calls) = (app.config().max_fork, app.config().max_batch);
    if n == 0 || n > forks || prefix.len() > calls || ids.len() > n || seeds.len() > n {
        let what = format!("{n} attempts after {} calls are asked for", prefix.len());
        return Err(Error::new(Code::RequestMalformed, what)
            .at("body")
            .expected(format!(
                "1 to {forks} attempts, no more ids and seeds than that, and at most {calls} calls"
            ))
            .into());
    }
    let environment = app.environment(environment.as_deref())?;
    let which = Which { id: task, ..Which::default() };
    let parent =
        app.apart(move |app| app.open(&environment, which.find(&environment)?, None, None, ttl_s)).await?;
    let made = async {
        let mut replies = b"[".to_vec();
        for (at, call) in prefix.into_iter().enumerate() {
            let acted = app.act(&parent.id, &call.tool, call.arguments, call.idempotency_key).await?;
            if at > 0 {
                replies.push(b',');
            }
            match &acted.reply {
                Some(made) => reply::write(&mut replies, made),
                None => replies.extend_from_slice(b"null"),
            }
        }
        replies.push(b']');
        let sessions = app.fork(&parent.id, ForkSession { count: Some(n), ids, seeds }).await?;
        Ok::<_, Error>((replies, sessions))
    }
    .await;
    // Whatever came of it, nobody knows of the session that the others were forked from.
    let _ = app.close(&parent.id);
    let (replies, sessions) = made?;
    let mut body = b"{\"replies\":".to_vec();
    body.extend_from_slice(&replies);
    body.extend_from_slice(b",\"sessions\":");
    body.extend_from_slice(value!(sessions).to_string().as_bytes());
    body.push(b'}');
    Ok(super::bytes(StatusCode::CREATED, body))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Batch {
    calls: Vec<Addressed>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Addressed {
    session: String,
    #[serde(alias = "name")]
    tool: String,
    #[serde(default)]
    arguments: Value,
    idempotency_key: Option<String>,
}

/// `POST /v1/call_batch`: calls of several sessions. Those of one session are made in order; one that
/// cannot be made is an error in its place, and the others go on.
pub(crate) async fn call_batch(State(app): State<App>, payload: Payload) -> Result<Response, Failure> {
    let Batch { calls } = payload.json()?;
    let limit = app.config().max_batch;
    if calls.len() > limit {
        return Err(Error::new(Code::RequestTooLarge, format!("the batch has {} calls", calls.len()))
            .at("body/calls")
            .expected(format!("at most {limit} calls"))
            .into());
    }
    let mut body = b"{\"replies\":[".to_vec();
    let mut longest = 0u64;
    for (at, call) in calls.into_iter().enumerate() {
        let Addressed { session, tool, arguments, idempotency_key } = call;
        let call = Call { tool, arguments, idempotency_key };
        if at > 0 {
            body.push(b',');
        }
        match app.call(&session, Create::Never, call).await {
            Ok(made) => {
                longest = longest.max(made.delay_ms);
                reply::write(&mut body, &made);
            }
            Err(error) => {
                let problem = value!({"problem": error.problem()});
                body.extend_from_slice(problem.to_string().as_bytes());
            }
        }
    }
    body.extend_from_slice(b"]}");
    // Sessions wait side by side.
    app.wait(std::time::Duration::from_millis(longest)).await;
    Ok(super::bytes(StatusCode::OK, body))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    answer: Option<String>,
}

/// `POST /v1/sessions/{id}/reward`
pub(crate) async fn reward(State(app): State<App>, payload: Payload) -> Result<Response, Failure> {
    let Asked { answer } = payload.json()?;
    let score = app.score(payload.param("id"), answer).await?;
    let score = score.ok_or_else(|| {
        Error::new(Code::TaskUnknown, "the session has no task, or one without a goal")
            .hint("create the session with `environment` and `task`")
    })?;
    Ok(json(StatusCode::OK, &score))
}
