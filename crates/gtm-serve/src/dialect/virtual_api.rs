//! StableToolBench's `/virtual`, which MirrorAPI serves as well: one call of a RapidAPI tool.
//!
//! Every call stands alone there, so each gets a fresh session, unless `X-Session-Id` names one.

use super::{environment, json as answer, named};
use crate::app::App;
use crate::payload::Payload;
use crate::problem::Failure;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use gtm_env::Dialect;
use gtm_sim::{Call, CreateSession, Reply, SessionOptions};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// What is asked. The protocol's `category`, `strip` and `toolbench_key` make no difference here: tools are
/// found by their own and their API's name, replies are never cut, and keys are the server's affair.
#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    tool_name: String,
    api_name: String,
    #[serde(default)]
    tool_input: Value,
}

/// `POST /virtual`, `POST /e/{environment}/virtual`
pub(crate) async fn serve(State(app): State<App>, payload: Payload) -> Result<Response, Failure> {
    let environment = environment(&app, named(&payload), Dialect::Virtual)?;
    let Asked { tool_name, api_name, tool_input } = payload.json()?;
    let Some(arguments) = arguments(&tool_input) else {
        return Ok(told("Tool input parse error...\n", ""));
    };
    let (toolset, tool) = {
        let mut found = None;
        for (name, simulator) in environment.toolsets() {
            let tools = simulator.tools().iter().map(|tool| (tool.name.as_str(), tool.origin.api.as_str()));
            if let Some(tool) = find(tools, &tool_name, &api_name) {
                found = Some((name.to_owned(), tool.to_owned()));
                break;
            }
        }
        match found {
            Some(found) => found,
            None => return Ok(told(&format!("No such function name: {api_name}"), "")),
        }
    };
    let call = Call::new(tool, arguments);
    let reply = match payload.header("x-session-id").filter(|id| !id.is_empty()) {
        Some(id) => {
            app.store().ensure(CreateSession {
                id: Some(id.to_owned()),
                toolset: Some(toolset.clone()),
                ..CreateSession::default()
            })?;
            app.call(id, crate::app::Create::Never, call).await?
        }
        None => alone(&app, toolset, call).await?,
    };
    app.delay(&reply).await;
    let text = crate::reply::text(&reply.content);
    Ok(match reply.is_error {
        true => {
            let message = reply.error.as_ref().map_or(text.as_str(), |error| error.message.as_str());
            told(message, &text)
        }
        false => told("", &text),
    })
}

/// A call in a session of its own.
async fn alone(app: &App, toolset: String, call: Call) -> gtm_error::Result<Reply> {
    app.apart(move |app| {
        let simulator = app.store().simulator(&toolset)?;
        let mut session = simulator.open(SessionOptions::default())?;
        let start = std::time::Instant::now();
        let reply = simulator.try_call(&mut session, &call)?;
        app.count(&call, Some(&reply), start.elapsed());
        Ok(reply)
    })
    .await
}

fn told(error: &str, response: &str) -> Response {
    answer(StatusCode::OK, &json!({"error": error, "response": response}))
}

/// The arguments, which may be JSON in a text, fenced as code.
fn arguments(input: &Value) -> Option<Value> {
    match input {
        Value::Null => Some(Value::Object(Map::new())),
        Value::Object(_) => Some(input.clone()),
        Value::String(text) => {
            let text = text.trim().trim_start_matches("```json").trim_matches('`').trim();
            if text.is_empty() {
                return Some(Value::Object(Map::new()));
            }
            serde_json::from_str::<Value>(text).ok().filter(Value::is_object)
        }
        _ => None,
    }
}

/// The tool that is meant: by its full name `{api}_for_{tool}`, or by the name of the API's operation,
/// where need be of this API only.
fn find<'a>(
    tools: impl Iterator<Item = (&'a str, &'a str)>,
    tool_name: &str,
    api_name: &str,
) -> Option<&'a str> {
    let plain = |text: &str| -> String {
        let mut out = String::new();
        for c in text.chars() {
            match c.is_alphanumeric() {
                true => out.extend(c.to_lowercase()),
                false if !out.ends_with('_') && !out.is_empty() => out.push('_'),
                false => {}
            }
        }
        out.trim_end_matches('_').to_owned()
    };
    let (tool_name, api_name) = (plain(tool_name), plain(api_name));
    let short = |name: &str| name.split("_for_").next().unwrap_or_default().to_owned();
    let mut near = None;
    for (name, api) in tools {
        let (full, api) = (plain(name), plain(api));
        if full == api_name || full == format!("{api_name}_for_{tool_name}") {
            return Some(name);
        }
        if short(&full) == short(&api_name) {
            let of_api = !tool_name.is_empty()
                && (api == tool_name
                    || full.ends_with(&format!("_for_{tool_name}"))
                    || tool_name.starts_with(&api));
            match &near {
                Some((true, _)) => {}
                _ if of_api || near.is_none() => near = Some((of_api, name)),
                _ => {}
            }
        }
    }
    near.map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tools_are_found_by_any_of_their_names() {
        let tools =
            [("search_for_hotels", "Hotels"), ("search_for_flights", "Flights"), ("get quote", "Stocks")];
        let found = |tool: &str, api: &str| find(tools.into_iter(), tool, api);
        assert_eq!(found("Flights", "search"), Some("search_for_flights"));
        assert_eq!(found("hotels", "search_for_hotels"), Some("search_for_hotels"));
        assert_eq!(found("stocks", "Get Quote"), Some("get quote"));
        assert_eq!(found("", "search"), Some("search_for_hotels"));
        assert_eq!(found("stocks", "nothing"), None);
    }

    #[test]
    fn arguments_come_in_many_wrappings() {
        for text in ["{\"a\": 1}", "```json\n{\"a\": 1}\n```", " {\"a\":1} "] {
            assert_eq!(arguments(&json!(text)), Some(json!({"a": 1})), "{text}");
        }
        assert_eq!(arguments(&json!("")), Some(json!({})));
        assert_eq!(arguments(&json!("{a")), None);
        assert_eq!(arguments(&json!([1])), None);
    }
}
