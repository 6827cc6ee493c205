//! A NeMo Gym resources server: a session by cookie, one address for each tool, a reward at the end.
//!
//! It has addresses of its own, `/e/{environment}/nemo_gym/...`, since tools' names stand where other
//! dialects have their routes. Dataset rows come from `GET .../dataset.jsonl`.

use super::{body, environment, json as answer, named, text};
use crate::app::App;
use crate::attempt::Which;
use crate::payload::Payload;
use crate::problem::Failure;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use gtm_env::{Dialect, Environment, TaskRef};
use gtm_error::{Code, Error};
use serde_json::{Value, json};
use std::sync::Arc;

type Answer = Result<Response, Failure>;

/// The cookie that carries the session.
const COOKIE: &str = "gtm_session";
/// The member of a dataset row that names its task.
const TASK: &str = "gtm_task";

fn session(headers: &HeaderMap) -> Result<String, Failure> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let found = pairs.find(|(name, _)| *name == COOKIE).map(|(_, value)| value.to_owned());
    found.ok_or_else(|| Failure::new(Code::SessionUnknown, "the request has no cookie of a session"))
}

/// Clients replace their cookies by those of each answer, so every answer has it.
fn with_cookie(mut response: Response, id: &str) -> Response {
    if let Ok(cookie) = HeaderValue::from_str(&format!("{COOKIE}={id}; Path=/; HttpOnly; SameSite=Lax")) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

/// `POST /e/{environment}/nemo_gym/seed_session`: the body is a row of the dataset.
pub(crate) async fn seed_session(State(app): State<App>, payload: Payload) -> Answer {
    let environment = environment(&app, named(&payload), Dialect::NemoGym)?;
    let row = body(&payload)?;
    let which = Which { id: text(&row, TASK), ..Which::default() };
    let info =
        app.apart(move |app| app.open(&environment, which.find(&environment)?, None, None, None)).await?;
    Ok(with_cookie(answer(StatusCode::OK, &json!({})), &info.id))
}

/// `POST /e/{environment}/nemo_gym/{tool}`: the body is the arguments. A tool's failure is an answer for
/// the model to read, so its status is the tool's own.
pub(crate) async fn call(State(app): State<App>, payload: Payload) -> Answer {
    let environment = environment(&app, named(&payload), Dialect::NemoGym)?;
    let id = session(&payload.head.headers)?;
    let tool = payload.param("tool").to_owned();
    let arguments = body(&payload)?;
    let attempt = app.attempts().get(&id).ok_or_else(|| unknown(&id))?;
    let task = attempt.lock().await.episode.task().cloned();
    let offered = app.offered(&environment, task.as_ref())?;
    let known = offered.into_iter().find(|(_, shown)| shown.name == tool).map(|(name, _)| name);
    let key = payload.header("idempotency-key").map(str::to_owned);
    let acted = app.act(&id, known.as_deref().unwrap_or(&tool), arguments, key).await?;
    let status = match &acted.reply {
        Some(reply) => {
            app.delay(reply).await;
            StatusCode::from_u16(reply.status).unwrap_or(StatusCode::OK)
        }
        None => StatusCode::OK,
    };
    // An answer without a body cannot carry the text that the model reads.
    let status = if status == StatusCode::NO_CONTENT { StatusCode::OK } else { status };
    let response = match acted.content() {
        Value::String(text) => {
            let mut response = Response::new(Body::from(text));
            *response.status_mut() = status;
            let plain = HeaderValue::from_static("text/plain; charset=utf-8");
            response.headers_mut().insert(header::CONTENT_TYPE, plain);
            response
        }
        content => answer(status, &content),
    };
    Ok(with_cookie(response, &id))
}

fn unknown(id: &str) -> Error {
    Error::new(Code::SessionUnknown, format!("no session `{}`", gtm_error::printable(id)))
}

/// `POST /e/{environment}/nemo_gym/verify`: the row and the model's whole response; gives them back with the
/// reward. The answer is the last text that the model wrote.
pub(crate) async fn verify(State(app): State<App>, payload: Payload) -> Answer {
    environment(&app, named(&payload), Dialect::NemoGym)?;
    let id = session(&payload.head.headers)?;
    let mut row = body(&payload)?;
    let said = row.get("response").and_then(last_text);
    let score = app.score(&id, said).await?;
    if let Value::Object(row) = &mut row {
        row.insert("reward".into(), score.as_ref().map_or(0.0, |score| score.reward).into());
        row.insert("gtm_score".into(), serde_json::to_value(&score).unwrap_or_default());
    }
    Ok(with_cookie(answer(StatusCode::OK, &row), &id))
}

/// The text of the last message in a Responses-API object.
fn last_text(response: &Value) -> Option<String> {
    let items = response.get("output")?.as_array()?;
    let message = items.iter().rev().find(|item| item.get("type").is_none_or(|kind| kind == "message"))?;
    match message.get("content")? {
        Value::String(text) => Some(text.clone()),
        Value::Array(parts) => {
            let texts: Vec<&str> = parts.iter().filter_map(|part| part.get("text")?.as_str()).collect();
            (!texts.is_empty()).then(|| texts.concat())
        }
        _ => None,
    }
}

/// `POST /e/{environment}/nemo_gym/aggregate_metrics`: nothing beyond what the rows say.
pub(crate) async fn aggregate_metrics(State(app): State<App>, payload: Payload) -> Answer {
    environment(&app, named(&payload), Dialect::NemoGym)?;
    Ok(answer(StatusCode::OK, &json!({})))
}

/// `GET /e/{environment}/nemo_gym/dataset.jsonl?split=`: one row for each task.
pub(crate) async fn dataset(State(app): State<App>, payload: Payload) -> Answer {
    let environment = environment(&app, named(&payload), Dialect::NemoGym)?;
    let split = payload.query("split");
    let rows = app
        .apart(move |app| {
            let wanted = |task: &TaskRef| split.as_deref().is_none_or(|split| task.split() == split);
            let mut rows = String::new();
            for task in environment.tasks().filter(wanted) {
                rows.push_str(&row(app, &environment, &task)?.to_string());
                rows.push('\n');
            }
            Ok(rows)
        })
        .await?;
    let mut response = Response::new(Body::from(rows));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/jsonl"));
    Ok(response)
}

fn row(app: &App, environment: &Arc<Environment>, task: &TaskRef) -> gtm_error::Result<Value> {
    // The model's last text is its answer here, so the tool that takes answers is left out.
    let offered = app.offered(environment, Some(task))?;
    let tools: Vec<Value> = offered
        .iter()
        .filter(|(name, _)| name != environment.submit())
        .map(|(_, tool)| {
            json!({"type": "function", "name": tool.name, "description": tool.description.as_deref().unwrap_or_default(),
                "parameters": *tool.input_schema, "strict": false})
        })
        .collect();
    Ok(json!({
        "responses_create_params": {"input": [{"role": "user", "content": task.instruction()}], "tools": tools},
        TASK: task.id(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_text_is_the_answer() {
        let response = json!({"output": [
            {"type": "message", "content": [{"type": "output_text", "text": "first"}]},
            {"type": "function_call", "name": "f", "arguments": "{}"},
            {"type": "message", "content": [{"type": "output_text", "text": "it is "}, {"type": "output_text", "text": "42"}]},
            {"type": "reasoning", "summary": []}
        ]});
        assert_eq!(last_text(&response).as_deref(), Some("it is 42"));
        assert_eq!(last_text(&json!({})), None);
    }

    #[test]
    fn the_session_is_found_among_cookies() {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, HeaderValue::from_static("a=b; gtm_session=xyz; c=d"));
        assert_eq!(session(&headers).ok().as_deref(), Some("xyz"));
        assert!(session(&HeaderMap::new()).is_err());
    }
}
