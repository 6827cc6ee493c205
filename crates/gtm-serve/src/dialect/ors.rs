//! ORS, the protocol of OpenReward: sessions by header, calls over server-sent events.
//!
//! Covered: sessions, tools, prompts, calls that survive a broken connection, and the listing of tasks
//! that the protocol shares with OpenEnv. Not covered: `/messages` (clients then take `/prompt`), task
//! specs that a client makes up, and secrets, which simulated tools have no use for.

use super::{body, json as answer, named, number, sse, text};
use crate::app::App;
use crate::attempt::{Acted, Held, Which};
use crate::payload::Payload;
use crate::problem::Failure;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use gtm_env::{Dialect, Environment, TaskRef};
use gtm_error::{Code, Error};
use gtm_world::ErrorKind;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

type Answer = Result<Response, Failure>;

fn ok(value: &Value) -> Answer {
    Ok(answer(StatusCode::OK, value))
}

/// The environment of a request: the one in its path, else the one that `X-Deployment` names, else the
/// default one.
fn environment(app: &App, payload: &Payload, dialect: Dialect) -> Result<Arc<Environment>, Failure> {
    let deployed = payload.header("x-deployment").and_then(|name| name.rsplit('/').next());
    let known = deployed.filter(|name| named(payload).is_empty() && app.environment(Some(name)).is_ok());
    Ok(super::environment(app, known.unwrap_or(named(payload)), dialect)?)
}

/// The same for the listing of tasks, which OpenEnv has as well.
fn speaking(app: &App, payload: &Payload) -> Result<Arc<Environment>, Failure> {
    environment(app, payload, Dialect::Ors).or_else(|_| environment(app, payload, Dialect::Openenv))
}

/// The session that a request is about.
fn session(payload: &Payload) -> Result<String, Failure> {
    let id = payload.header("x-session-id").filter(|id| !id.is_empty()).map(str::to_owned);
    id.ok_or_else(|| Failure::new(Code::RequestMalformed, "the request names no session (`X-Session-ID`)"))
}

/// `GET /list_environments`
pub(crate) async fn list(State(app): State<App>) -> Answer {
    let all = app.environments();
    let speaking = all.iter().filter(|e| e.speaks(Dialect::Ors) || e.speaks(Dialect::Openenv));
    ok(&speaking.map(|environment| Value::from(environment.name())).collect())
}

/// `GET /{environment}/splits`
pub(crate) async fn splits(State(app): State<App>, payload: Payload) -> Answer {
    let environment = speaking(&app, &payload)?;
    let kind = |name: &str| match name {
        "test" | "validation" => name.to_owned(),
        name if name.contains("test") || name.contains("eval") => "test".into(),
        name if name.contains("val") => "validation".into(),
        _ => "train".into(),
    };
    let splits = environment.splits();
    let splits = if splits.is_empty() { vec!["train"] } else { splits };
    ok(&splits.into_iter().map(|name| json!({"name": name, "type": kind(name)})).collect())
}

/// A task as a client may see it: what is asked, and nothing of what counts as done.
fn shown(task: &TaskRef) -> Value {
    json!({"id": task.id(), "split": task.split(), "instruction": task.instruction()})
}

/// The tasks of the split that a request names; one nameless task where there are none.
fn tasks(environment: &Environment, request: &Value) -> Result<Vec<Value>, Failure> {
    let split = text(request, "split").unwrap_or_else(|| "train".to_owned());
    if environment.tasks().len() == 0 {
        return Ok(vec![json!({})]);
    }
    let tasks: Vec<Value> = environment.in_split(&split).map(|task| shown(&task)).collect();
    match tasks.is_empty() {
        true => {
            let what = format!("no task is in the split `{}`", gtm_error::printable(&split));
            Err(Failure::new(Code::TaskUnknown, what))
        }
        false => Ok(tasks),
    }
}

/// `POST /{environment}/tasks`
pub(crate) async fn all_tasks(State(app): State<App>, payload: Payload) -> Answer {
    let environment = speaking(&app, &payload)?;
    let tasks = tasks(&environment, &body(&payload)?)?;
    ok(&json!({"tasks": tasks, "env_name": environment.name()}))
}

/// `POST /{environment}/num_tasks`
pub(crate) async fn num_tasks(State(app): State<App>, payload: Payload) -> Answer {
    let environment = speaking(&app, &payload)?;
    ok(&json!({"num_tasks": tasks(&environment, &body(&payload)?)?.len()}))
}

/// `POST /{environment}/task`
pub(crate) async fn task(State(app): State<App>, payload: Payload) -> Answer {
    let (environment, request) = (speaking(&app, &payload)?, body(&payload)?);
    let index = number(&request, "index").unwrap_or(0) as usize;
    let mut tasks = tasks(&environment, &request)?;
    if index >= tasks.len() {
        let what = format!("there are {} tasks, so none has the index {index}", tasks.len());
        return Err(Failure::new(Code::TaskUnknown, what));
    }
    ok(&json!({"task": tasks.swap_remove(index), "env_name": environment.name()}))
}

/// `POST /{environment}/task_range`: from `start` up to `stop`, which may count from the end.
pub(crate) async fn task_range(State(app): State<App>, payload: Payload) -> Answer {
    let (environment, request) = (speaking(&app, &payload)?, body(&payload)?);
    let tasks = tasks(&environment, &request)?;
    let place = |name: &str, usual: usize| match request.get(name).and_then(Value::as_i64) {
        None => usual,
        Some(at) if at < 0 => tasks.len().saturating_sub(at.unsigned_abs() as usize),
        Some(at) => (at as usize).min(tasks.len()),
    };
    let (start, stop) = (place("start", 0), place("stop", tasks.len()));
    let range = tasks.get(start..stop.max(start)).unwrap_or_default();
    ok(&json!({"tasks": range, "env_name": environment.name()}))
}

/// Tools as a client reads them.
fn tools(app: &App, environment: &Environment, task: Option<&TaskRef>) -> Result<Value, Failure> {
    let offered = app.offered(environment, task)?;
    let wanted = task.is_some_and(TaskRef::wants_answer);
    let tools: Vec<Value> = offered
        .iter()
        .map(|(_, tool)| {
            json!({
                "name": tool.name,
                "description": tool.description.as_deref().unwrap_or_default(),
                "input_schema": *tool.input_schema,
            })
        })
        .collect();
    let mut all = json!({"tools": tools});
    // Harnesses that know of it hand in the model's last text by it; others leave it to the model.
    if let Some((name, tool)) = offered.last().filter(|_| wanted) {
        let about = tool.description.as_deref().unwrap_or_default();
        all["terminal_tool"] = json!({"name": name, "arg": "answer", "description": about});
    }
    Ok(all)
}

/// `GET /tools` and `GET /task_tools`: of the session, if one is named; else what all attempts have.
pub(crate) async fn all_tools(State(app): State<App>, payload: Payload) -> Answer {
    if let Ok(id) = session(&payload)
        && let Some(attempt) = app.attempts().get(&id)
    {
        let attempt = attempt.lock().await;
        return ok(&tools(&app, &attempt.environment, attempt.episode.task())?);
    }
    let environment = environment(&app, &payload, Dialect::Ors)?;
    let first = environment.tasks().find(TaskRef::wants_answer).or_else(|| environment.tasks().next());
    ok(&tools(&app, &environment, first.as_ref())?)
}

/// `POST /create_session`
pub(crate) async fn create_session(State(app): State<App>, payload: Payload) -> Answer {
    environment(&app, &payload, Dialect::Ors)?;
    let id = gtm_sim::random_id()?;
    let end = sse::event("end", "");
    Ok(sse::answer(sse::event("task_id", &id), async move { end }))
}

/// `POST /create`
pub(crate) async fn create(State(app): State<App>, payload: Payload) -> Answer {
    let (id, request) = (session(&payload)?, body(&payload)?);
    let environment = match text(&request, "env_name") {
        Some(name) => super::environment(&app, &name, Dialect::Ors)?,
        None => environment(&app, &payload, Dialect::Ors)?,
    };
    let spec = request.get("task_spec").cloned().unwrap_or(Value::Null);
    let which = match text(&spec, "id") {
        Some(id) => Which { id: Some(id), ..Which::default() },
        None => Which {
            split: text(&request, "split").filter(|_| environment.tasks().len() > 0),
            index: number(&request, "index")
                .filter(|_| environment.tasks().len() > 0)
                .map(|index| index as usize),
            seed: number(&spec, "seed"),
            ..Which::default()
        },
    };
    if app.store().has(&id) {
        return Err(Failure::new(Code::SessionExists, "the session exists").status(StatusCode::BAD_REQUEST));
    }
    let sid = id.clone();
    app.apart(move |app| app.open(&environment, which.find(&environment)?, Some(id), which.seed, None))
        .await?;
    ok(&json!({"sid": sid}))
}

/// `GET /prompt`
pub(crate) async fn prompt(State(app): State<App>, payload: Payload) -> Answer {
    let id = session(&payload)?;
    app.store().touch(&id)?;
    let attempt = attempt(&app, &id)?;
    let attempt = attempt.lock().await;
    let text = attempt.episode.task().map(TaskRef::instruction).unwrap_or_default();
    ok(&json!([block(text)]))
}

fn attempt(app: &App, id: &str) -> Result<Held, Failure> {
    app.attempts().get(id).ok_or_else(|| Failure::new(Code::SessionUnknown, "the session is not an attempt"))
}

fn block(text: &str) -> Value {
    json!({"type": "text", "text": text, "detail": null})
}

/// Numbers calls that come without an id; unique in the process is enough, since ids count within a
/// session.
static CALLS: AtomicU64 = AtomicU64::new(1);

/// `POST /call`
pub(crate) async fn call(State(app): State<App>, payload: Payload) -> Answer {
    let (id, request) = (session(&payload)?, body(&payload)?);
    app.store().touch(&id)?;
    let tool = text(&request, "name")
        .ok_or_else(|| Failure::new(Code::RequestMalformed, "the call names no tool (`name`)"))?;
    let input = request.get("input").cloned().filter(|input| !input.is_null()).unwrap_or_else(|| json!({}));
    let key = text(&request, "task_id").unwrap_or_else(|| format!("call-{}", CALLS.fetch_add(1, Relaxed)));
    let known = {
        let attempt = attempt(&app, &id)?;
        let attempt = attempt.lock().await;
        let offered = app.offered(&attempt.environment, attempt.episode.task())?;
        offered.into_iter().find(|(_, shown)| shown.name == tool).map(|(name, _)| name)
    };
    let first = sse::event("task_id", &key);
    // On a task of its own: a client that is cut off comes back for the result by the call's id.
    let working = tokio::spawn(async move {
        let acted = app.act(&id, known.as_deref().unwrap_or(&tool), input, Some(key)).await;
        if let Ok(Acted { reply: Some(reply), .. }) = &acted {
            app.delay(reply).await;
        }
        acted
    });
    Ok(sse::answer(first, async move {
        match working.await {
            Ok(acted) => ended(acted),
            Err(_) => sse::event("error", "the call ran into a bug"),
        }
    }))
}

/// How a call ends.
fn ended(acted: gtm_error::Result<Acted>) -> String {
    let refused = |reason: &str, error: &str| json!({"ok": false, "error": error, "reason": reason});
    let result = match acted {
        Ok(acted) => {
            let kind = acted.reply.as_ref().and_then(|reply| reply.error.as_ref()).map(|error| error.kind);
            match kind {
                Some(ErrorKind::UnknownTool) => refused("not_found", &acted.text()),
                _ => {
                    let metadata = acted.reply.as_ref().map(|reply| {
                        json!({"is_error": reply.is_error, "provenance": reply.provenance,
                            "state_version": reply.state_version})
                    });
                    json!({"ok": true, "output": {
                        "blocks": [block(&acted.text())],
                        "metadata": metadata,
                        "reward": acted.step.reward,
                        "finished": acted.step.done.is_some(),
                    }})
                }
            }
        }
        Err(error) if error.code() == Code::EpisodeOver => refused("episode_finished", error.message()),
        Err(error) => return sse::event("error", &error_text(&error)),
    };
    sse::event("end", &result.to_string())
}

fn error_text(error: &Error) -> String {
    format!("[{}] {}", error.code().id(), gtm_error::printable(error.message()))
}

/// `POST /ping`
pub(crate) async fn ping(State(app): State<App>, payload: Payload) -> Answer {
    app.store().touch(&session(&payload)?)?;
    ok(&json!({"status": "ok"}))
}

/// `POST /delete`, `POST /delete_session`
pub(crate) async fn delete(State(app): State<App>, payload: Payload) -> Answer {
    let id = session(&payload)?;
    let sid = id.clone();
    match app.apart(move |app| app.close(&id)).await {
        Ok(()) => ok(&json!({"sid": sid})),
        Err(error) if error.code() == Code::SessionUnknown => Ok(StatusCode::NOT_FOUND.into_response()),
        Err(error) => Err(error.into()),
    }
}
