//! What all of OpenEnv's carriers do with a session.

use crate::app::App;
use crate::attempt::{Acted, Which};
use crate::dialect::{number, text};
use gtm_env::{Environment, TaskRef};
use gtm_error::{Code, Error, Result};
use gtm_world::ErrorKind;
use serde_json::{Value, json};
use std::sync::Arc;

/// One client's session. It is made by the first `reset`, or by whatever needs it first.
pub(super) struct Session {
    app: App,
    environment: Arc<Environment>,
    pub(super) id: Option<String>,
    /// Whether the session ends with its client.
    owned: bool,
    episode_id: Option<String>,
    task: Option<TaskRef>,
    steps: u64,
}

impl Session {
    pub(super) fn new(app: App, environment: Arc<Environment>) -> Session {
        Session { app, environment, id: None, owned: true, episode_id: None, task: None, steps: 0 }
    }

    /// Goes on with a session that exists.
    pub(super) async fn attach(app: App, environment: Arc<Environment>, id: &str) -> Result<Session> {
        let info = app.store().info(id)?;
        let attempt = app.attempts().get(id);
        let attempt = attempt.ok_or_else(|| {
            Error::new(Code::SessionUnknown, format!("the session {} is in no environment", info.id))
        })?;
        let task = attempt.lock().await.episode.task().cloned();
        let steps = info.turns as u64;
        Ok(Session { app, environment, id: Some(info.id), owned: false, episode_id: None, task, steps })
    }

    /// Begins anew: with the task named in `data` (`task` or `task_id`, or `split` and `index`), else with
    /// the one that `seed` picks.
    pub(super) fn reset(&mut self, data: &Value) -> Result<Value> {
        let which = Which {
            id: text(data, "task_id").or_else(|| text(data, "task")),
            split: text(data, "split"),
            index: number(data, "index").and_then(|index| usize::try_from(index).ok()),
            seed: number(data, "seed"),
        };
        let task = which.find(&self.environment)?;
        // Another session under the same id, where the id was given from outside.
        let id = self.id.take();
        if let Some(id) = &id {
            // Gone already if it expired.
            let _ = self.app.close(id);
        }
        let kept = id.filter(|_| !self.owned);
        let info = self.app.open(&self.environment, task.clone(), kept, which.seed, None)?;
        self.id = Some(info.id);
        self.task = task;
        self.episode_id = text(data, "episode_id");
        self.steps = 0;
        // No tools here: clients take an observation that has them for the answer to `list_tools`.
        let first = match &self.task {
            Some(task) => json!({"prompt": task.instruction(), "task_id": task.id()}),
            None => json!({}),
        };
        Ok(observation(first, None, false))
    }

    /// The client is still there, so its session is not idle.
    pub(super) fn touch(&self) {
        if let Some(id) = &self.id {
            // Gone already: the next message will be told.
            let _ = self.app.store().touch(id);
        }
    }

    /// The session's id; makes the session if there is none yet.
    pub(super) fn ensure(&mut self) -> Result<String> {
        if self.id.is_none() {
            self.reset(&json!({}))?;
        }
        self.id.clone().ok_or_else(|| Error::new(Code::Internal, "the session was not made"))
    }

    /// The tools, as the client reads them.
    pub(super) fn tools(&self) -> Result<Value> {
        let offered = self.app.offered(&self.environment, self.task.as_ref())?;
        let tools = offered.iter().map(|(_, tool)| {
            json!({
                "name": tool.name,
                "description": tool.description.as_deref().unwrap_or_default(),
                "input_schema": *tool.input_schema,
            })
        });
        Ok(tools.collect())
    }

    /// One step: `list_tools` or `call_tool`.
    pub(super) async fn step(&mut self, action: &Value, key: Option<String>) -> Result<Value> {
        match text(action, "type").as_deref() {
            Some("list_tools") => {
                self.ensure()?;
                Ok(observation(json!({"tools": self.tools()?}), None, false))
            }
            Some("call_tool") | None => {
                let tool = text(action, "tool_name").ok_or_else(|| {
                    Error::new(Code::RequestMalformed, "the action names no tool").expected("`tool_name`")
                })?;
                let arguments = action.get("arguments").cloned().unwrap_or_else(|| json!({}));
                self.call(&tool, arguments, key).await
            }
            Some(other) => Err(Error::new(
                Code::RequestMalformed,
                format!("there is no action `{}`", gtm_error::printable(other)),
            )
            .expected("`list_tools` or `call_tool`")),
        }
    }

    async fn call(&mut self, tool: &str, arguments: Value, key: Option<String>) -> Result<Value> {
        let acted = match self.act(tool, arguments, key).await {
            Ok(acted) => acted,
            Err(error) if error.code() == Code::EpisodeOver => {
                let failed = failure(tool, "execution_error", error.message());
                return Ok(observation(failed, None, true));
            }
            Err(error) => return Err(error),
        };
        let seen = match acted.reply.as_ref().filter(|reply| reply.is_error) {
            Some(reply) => {
                let kind = match reply.error.as_ref().map(|error| error.kind) {
                    Some(ErrorKind::UnknownTool) => "tool_not_found",
                    Some(ErrorKind::InvalidArgument) => "invalid_args",
                    Some(ErrorKind::Timeout) => "timeout",
                    Some(ErrorKind::Unavailable) => "transport_error",
                    _ => "execution_error",
                };
                failure(tool, kind, &acted.text())
            }
            None => json!({"tool_name": tool, "result": acted.content(), "error": null}),
        };
        Ok(observation(seen, acted.step.reward, acted.step.done.is_some()))
    }

    /// Makes a call by the tool's name as the client knows it.
    pub(super) async fn act(&mut self, tool: &str, arguments: Value, key: Option<String>) -> Result<Acted> {
        let id = self.ensure()?;
        let offered = self.app.offered(&self.environment, self.task.as_ref())?;
        let known = offered.iter().find(|(_, shown)| shown.name == tool).map(|(name, _)| name.as_str());
        let acted = self.app.act(&id, known.unwrap_or(tool), arguments, key).await?;
        self.steps += 1;
        if let Some(reply) = &acted.reply {
            self.app.delay(reply).await;
        }
        Ok(acted)
    }

    /// What the protocol calls state: where the episode stands. Not the simulated world's.
    pub(super) fn state(&self) -> Value {
        json!({
            "episode_id": self.episode_id.as_ref().or(self.id.as_ref()),
            "step_count": self.steps,
            "session_id": self.id,
            "environment": self.environment.name(),
            "task_id": self.task.as_ref().map(TaskRef::id),
        })
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(id) = self.id.take().filter(|_| self.owned) {
            // Gone already if it expired.
            let _ = self.app.close(&id);
        }
    }
}

fn failure(tool: &str, kind: &str, message: &str) -> Value {
    json!({"tool_name": tool, "result": null, "error": {"error_type": kind, "message": message}})
}

fn observation(observation: Value, reward: Option<f64>, done: bool) -> Value {
    json!({"observation": observation, "reward": reward, "done": done})
}
