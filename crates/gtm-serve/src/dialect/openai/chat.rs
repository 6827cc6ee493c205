//! Answering the tool calls of a chat.

use super::request::{Made, Request};
use super::wire::{Completion, failure, problem};
use super::{ANY, no_model, speaking};
use crate::app::{App, Create};
use crate::dialect::sse;
use crate::payload::Payload;
use axum::extract::State;
use axum::response::Response;
use gtm_env::Dialect;
use gtm_error::{Code, Error, Result};
use gtm_sim::{Call, CreateSession, Observed, Reply, SessionOptions, Simulator, Toolset};
use gtm_tool::{Limits, ToolSpec};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// Simulators kept of the tools that requests bring along.
const KEPT: usize = 32;
/// Most bytes of such tools that are kept for.
const KEPT_BYTES: usize = 256 << 10;

/// Simulators of tools that came with requests: chats go on, and each turn brings them again.
#[derive(Default)]
pub(crate) struct Cache(Mutex<VecDeque<(String, Arc<Simulator>)>>);

impl Cache {
    /// The simulator of these tools.
    fn get(&self, tools: &[Value]) -> Result<Arc<Simulator>> {
        let key = Value::from(tools).to_string();
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = kept.iter().position(|(known, _)| *known == key) {
            // Used last, forgotten last.
            let found = kept.remove(at);
            return found
                .map(|found| {
                    let simulator = found.1.clone();
                    kept.push_back(found);
                    simulator
                })
                .ok_or_else(|| Error::new(Code::Internal, "the tools were not kept"));
        }
        drop(kept);
        let list = json!({"tools": tools}).to_string();
        let imported = gtm_tool::import(list.as_bytes(), &Limits::default()).map_err(|e| e.at("tools"))?;
        if let Some(skipped) = imported.skipped.first() {
            let what = format!("the tool `{}` cannot be used: {}", skipped.operation, skipped.reason);
            return Err(Error::new(Code::RequestMalformed, what).at("tools"));
        }
        let simulator = Arc::new(Simulator::new(Toolset::from_tools(ANY, imported.tools))?);
        if key.len() <= KEPT_BYTES {
            let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if kept.len() >= KEPT {
                kept.pop_front();
            }
            kept.push_back((key, simulator.clone()));
        }
        Ok(simulator)
    }
}

/// `POST /v1/chat/completions`
pub(crate) async fn complete(State(app): State<App>, payload: Payload) -> Response {
    let request: Request = match payload.json() {
        Ok(request) => request,
        Err(failed) => return failure(&failed.into_error()),
    };
    let session = request.session_id.clone().or_else(|| payload.header("x-session-id").map(str::to_owned));
    let (stream, usage) = (request.stream, request.stream_options.as_ref().is_some_and(|o| o.include_usage));
    let plan = match Plan::new(&app, request, session.filter(|id| !id.is_empty())) {
        Ok(plan) => plan,
        Err(error) => return failure(&error),
    };
    let asked = payload.body.len();
    let work = async move { plan.run(&app, asked).await };
    match stream {
        false => match work.await {
            Ok(completion) => completion.whole(),
            Err(error) => failure(&error),
        },
        true => sse::answer(String::new(), async move {
            match work.await {
                Ok(completion) => completion.stream(usage),
                Err(error) => sse::event("", &problem(&error).to_string()),
            }
        }),
    }
}

/// What is to be done for a request.
struct Plan {
    model: String,
    seed: Option<u64>,
    work: Work,
}

enum Work {
    /// The calls of the chat so far are made again in a fresh session, then those that are asked.
    Replay { simulator: Arc<Simulator>, before: Vec<Made>, now: Vec<Made> },
    /// The calls that are asked are made in a session of the server.
    Session { id: String, toolset: String, now: Vec<Made> },
    /// A value of a schema.
    Value { simulator: Arc<Simulator>, tool: String, prompt: String },
}

impl Plan {
    fn new(app: &App, request: Request, session: Option<String>) -> Result<Plan> {
        let (before, now) = request.calls()?;
        let model = request.model.clone();
        let seed = request.seed.map(i64::unsigned_abs);
        if now.is_empty() {
            let Some((name, schema)) = request.schema() else {
                let what = "the chat ends with no tool call, and no `response_format` has a JSON Schema";
                return Err(Error::new(Code::RequestMalformed, what).at("messages").expected(
                    "an assistant message with `tool_calls` at the end: this model answers tool calls",
                ));
            };
            let simulator = of_schema(&name, schema)?;
            let prompt = request.prompt();
            return Ok(Plan { model, seed, work: Work::Value { simulator, tool: name, prompt } });
        }
        if model == ANY && !request.tools.is_empty() {
            if session.is_some() {
                let what = "a session has the tools of its environment, so the request cannot bring its own";
                return Err(Error::new(Code::RequestMalformed, what).at("session_id"));
            }
            let simulator = app.tools_cache().get(&request.tools)?;
            return Ok(Plan { model, seed, work: Work::Replay { simulator, before, now } });
        }
        let name = Some(model.as_str()).filter(|name| *name != ANY);
        let environment = app.environment(name).map_err(|_| no_model(&model))?;
        let environment = speaking(environment, Dialect::Openai).map_err(|_| no_model(&model))?;
        let first =
            environment.toolsets().next().map(|(name, simulator)| (name.to_owned(), simulator.clone()));
        let (toolset, simulator) = first.ok_or_else(|| no_model(&model))?;
        let work = match session {
            Some(id) => Work::Session { id, toolset, now },
            None => Work::Replay { simulator, before, now },
        };
        Ok(Plan { model, seed, work })
    }

    async fn run(self, app: &App, asked: usize) -> Result<Completion> {
        let Plan { model, seed, work } = self;
        let done = |content: String, results: Vec<Value>| Completion { model, content, results, asked };
        match work {
            Work::Value { simulator, tool, prompt } => {
                let value = app
                    .apart(move |_| {
                        let mut session =
                            simulator.open(SessionOptions { seed, ..SessionOptions::default() })?;
                        let call = Call::new(tool, json!({"prompt": prompt}));
                        Ok(simulator.call(&mut session, &call).content)
                    })
                    .await?;
                Ok(done(value.to_string(), Vec::new()))
            }
            Work::Replay { simulator, before, now } => {
                let (now, replies) =
                    app.apart(move |app| replay(app, &simulator, seed, &before, now)).await?;
                wait(app, &replies).await;
                let (content, results) = told(&now, &replies);
                Ok(done(content, results))
            }
            Work::Session { id, toolset, now } => {
                let known = CreateSession {
                    id: Some(id.clone()),
                    toolset: Some(toolset),
                    seed,
                    ..Default::default()
                };
                app.store().ensure(known)?;
                let mut replies = Vec::with_capacity(now.len());
                for made in &now {
                    let call =
                        Call::new(made.tool.clone(), made.arguments.clone()).with_key(made.key.clone());
                    replies.push(app.call(&id, Create::Never, call).await?);
                }
                wait(app, &replies).await;
                let (content, results) = told(&now, &replies);
                Ok(done(content, results))
            }
        }
    }
}

/// Makes the calls of a chat in a fresh session.
fn replay(
    app: &App,
    simulator: &Simulator,
    seed: Option<u64>,
    before: &[Made],
    now: Vec<Made>,
) -> Result<(Vec<Made>, Vec<Reply>)> {
    let mut session = simulator.open(SessionOptions { seed, ..SessionOptions::default() })?;
    for made in before {
        let call = Call::new(made.tool.clone(), made.arguments.clone());
        match &made.result {
            // Calls that failed then fail now as well, so what they were answered need not be told apart.
            Some(result) => {
                let mut trial = session.clone();
                let simulated = simulator.try_call(&mut trial, &call)?;
                match simulated.content == *result || simulated.is_error {
                    true => session = trial,
                    false => {
                        let observed = Observed { content: result.clone(), is_error: false };
                        simulator.observe(&mut session, &call, observed)?;
                    }
                }
            }
            None => drop(simulator.try_call(&mut session, &call)?),
        }
    }
    let mut replies = Vec::with_capacity(now.len());
    for made in &now {
        let call = Call::new(made.tool.clone(), made.arguments.clone());
        let start = Instant::now();
        let reply = simulator.try_call(&mut session, &call)?;
        app.count(&call, Some(&reply), start.elapsed());
        replies.push(reply);
    }
    Ok((now, replies))
}

async fn wait(app: &App, replies: &[Reply]) {
    for reply in replies {
        app.delay(reply).await;
    }
}

/// The completion's text, and each result by itself: one call's answer stands alone, several are a list.
fn told(made: &[Made], replies: &[Reply]) -> (String, Vec<Value>) {
    let results: Vec<Value> = made
        .iter()
        .zip(replies)
        .map(|(made, reply)| {
            json!({"tool_call_id": made.id, "name": made.tool, "content": crate::reply::text(&reply.content),
                "is_error": reply.is_error})
        })
        .collect();
    let content = match results.as_slice() {
        [one] => one["content"].as_str().unwrap_or_default().to_owned(),
        many => Value::from(many).to_string(),
    };
    (content, results)
}

/// A tool that answers with values of a schema.
fn of_schema(name: &str, schema: Value) -> Result<Arc<Simulator>> {
    gtm_tool::admit(&schema, &Limits::default()).map_err(|e| e.at("response_format"))?;
    let parameters = json!({"type": "object", "properties": {"prompt": {"type": "string"}}});
    let tool = ToolSpec { name: name.to_owned(), parameters, returns: Some(schema), ..ToolSpec::default() };
    Ok(Arc::new(Simulator::new(Toolset::from_tools(ANY, vec![tool]))?))
}
