//! Sessions that are attempts at tasks: what they are worth is kept beside the store, so that nothing of
//! a goal is ever in a session.

use crate::app::{App, Create};
use gtm_env::{Environment, Episode, Score, Step, TaskRef};
use gtm_error::{Code, Error, Result};
use gtm_sim::{Call, CreateSession, ForkSession, Reply, SessionInfo};
use rmcp::model::Tool;
use serde_json::{Value, json};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Results remembered for retries, for each attempt.
const REMEMBERED: usize = 64;

/// One attempt. Its lock is held while a call is made, so that the calls of one attempt are paid for
/// one after the other.
pub(crate) struct Attempt {
    pub(crate) environment: Arc<Environment>,
    pub(crate) episode: Episode,
    /// Results by the keys of their calls.
    results: VecDeque<(String, Acted)>,
}

/// What a call in an attempt brought.
#[derive(Clone, Debug)]
pub(crate) struct Acted {
    /// The tool's reply; `None` if the agent handed in its answer.
    pub(crate) reply: Option<Reply>,
    pub(crate) step: Step,
}

impl Acted {
    /// What the agent reads.
    pub(crate) fn text(&self) -> String {
        self.reply.as_ref().map_or_else(|| ANSWERED.to_owned(), |reply| crate::reply::text(&reply.content))
    }

    /// The content as JSON.
    pub(crate) fn content(&self) -> Value {
        self.reply.as_ref().map_or_else(|| ANSWERED.into(), |reply| reply.content.clone())
    }

    pub(crate) fn is_error(&self) -> bool {
        self.reply.as_ref().is_some_and(|reply| reply.is_error)
    }
}

/// What an agent reads when it has handed in its answer. It must not tell whether the answer is right.
const ANSWERED: &str = "The answer was received.";

/// An attempt and its lock, which is held across waits.
pub(crate) type Held = Arc<tokio::sync::Mutex<Attempt>>;

/// The attempts of a server, by session.
#[derive(Default)]
pub(crate) struct Attempts(Mutex<HashMap<String, Held>>);

impl Attempts {
    fn all(&self) -> MutexGuard<'_, HashMap<String, Held>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The attempt that a session is.
    pub(crate) fn get(&self, session: &str) -> Option<Held> {
        self.all().get(session).cloned()
    }

    fn put(&self, session: &str, environment: Arc<Environment>, episode: Episode) {
        let attempt = Attempt { environment, episode, results: VecDeque::new() };
        self.all().insert(session.to_owned(), Arc::new(tokio::sync::Mutex::new(attempt)));
    }

    pub(crate) fn remove(&self, session: &str) {
        self.all().remove(session);
    }

    /// Forgets the attempts of sessions that are gone.
    pub(crate) fn keep(&self, is_live: impl Fn(&str) -> bool) {
        self.all().retain(|session, _| is_live(session));
    }
}

/// Which task of an environment is meant.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Which {
    pub(crate) id: Option<String>,
    pub(crate) split: Option<String>,
    pub(crate) index: Option<usize>,
    /// Picks a task if none is named.
    pub(crate) seed: Option<u64>,
}

impl Which {
    /// The task, or none in an environment without tasks.
    pub(crate) fn find(&self, environment: &Environment) -> Result<Option<TaskRef>> {
        if let Some(id) = &self.id {
            return environment.task(id).map(Some);
        }
        let all: Vec<TaskRef> = match &self.split {
            Some(split) => environment.in_split(split).collect(),
            None => environment.tasks().collect(),
        };
        let unknown = |what: String| Err(Error::new(Code::TaskUnknown, what));
        match (self.index, &self.split) {
            (Some(index), _) => match all.get(index) {
                Some(task) => Ok(Some(task.clone())),
                None => unknown(format!("there are {} tasks, so none has the index {index}", all.len())),
            },
            (None, Some(split)) if all.is_empty() => {
                unknown(format!("no task is in the split `{}`", gtm_error::printable(split)))
            }
            (None, _) if all.is_empty() => Ok(None),
            (None, _) => Ok(all.get((self.seed.unwrap_or(0) % all.len() as u64) as usize).cloned()),
        }
    }
}

impl App {
    /// Opens a session in an environment: an attempt at a task, or one without. The seed is for sessions
    /// without a task; a task has its own, since its goal may speak of what the seed decides.
    pub(crate) fn open(
        &self,
        environment: &Arc<Environment>,
        task: Option<TaskRef>,
        id: Option<String>,
        seed: Option<u64>,
        ttl_s: Option<u64>,
    ) -> Result<SessionInfo> {
        let request = match &task {
            Some(task) => {
                let options = task.opening();
                CreateSession {
                    id,
                    toolset: Some(task.toolset().to_owned()),
                    seed: options.seed,
                    state: options.state,
                    world: options.world,
                    faults: options.faults,
                    tools: options.tools,
                    ttl_s,
                }
            }
            None => {
                let toolset = environment.toolsets().next().map(|(name, _)| name.to_owned());
                CreateSession { id, toolset, seed, ttl_s, ..CreateSession::default() }
            }
        };
        let info = self.store().create(request)?;
        match self.attempts().get(&info.id).filter(|_| info.turns > 0) {
            None => self.attempts().put(&info.id, environment.clone(), Episode::new(task)),
            // Two tasks may start alike and differ in what counts as done.
            Some(known) => {
                let wanted = task.as_ref().map(TaskRef::id);
                if known.try_lock().is_ok_and(|known| known.episode.task().map(TaskRef::id) != wanted) {
                    let what = format!("the session {} is an attempt at another task", info.id);
                    return Err(Error::new(Code::SessionExists, what));
                }
            }
        }
        Ok(info)
    }

    /// Ends a session and its attempt.
    pub(crate) fn close(&self, session: &str) -> Result<()> {
        self.attempts().remove(session);
        self.store().delete(session)
    }

    /// Makes a call in an attempt, and pays for it. A call repeated under its key gets the same result.
    ///
    /// # Errors
    /// [`Code::SessionUnknown`] for a session that is no attempt, [`Code::EpisodeOver`], and those of
    /// [`App::call`].
    pub(crate) async fn act(
        &self,
        session: &str,
        tool: &str,
        arguments: Value,
        key: Option<String>,
    ) -> Result<Acted> {
        let attempt = self.attempt(session)?;
        let mut attempt = attempt.lock().await;
        if let Some(key) = &key
            && let Some((_, acted)) = attempt.results.iter().find(|(known, _)| known == key)
        {
            return Ok(acted.clone());
        }
        if let Some(end) = attempt.episode.over() {
            let why = match end {
                gtm_env::End::Goal => "its goal is reached",
                gtm_env::End::Answer => "the answer was handed in",
                gtm_env::End::Calls => "all its calls are used",
            };
            return Err(Error::new(Code::EpisodeOver, format!("the attempt is over: {why}")));
        }
        let wants_answer = attempt.episode.task().is_some_and(TaskRef::wants_answer);
        let reply = if wants_answer && tool == attempt.environment.submit() {
            let given = arguments.get("answer").cloned().unwrap_or(Value::Null);
            attempt.episode.submit(crate::reply::text(&given));
            None
        } else {
            let call = Call { tool: tool.to_owned(), arguments, idempotency_key: key.clone() };
            Some(self.call(session, Create::Never, call).await?)
        };
        let step = match attempt.episode.task() {
            Some(_) => attempt.episode.step(&self.store().session(session)?),
            None => Step { reward: None, done: None },
        };
        let acted = Acted { reply, step };
        if let Some(key) = key {
            if attempt.results.len() >= REMEMBERED {
                attempt.results.pop_front();
            }
            attempt.results.push_back((key, acted.clone()));
        }
        Ok(acted)
    }

    fn attempt(&self, session: &str) -> Result<Held> {
        self.attempts().get(session).ok_or_else(|| {
            let what = format!("no session `{}` in an environment", gtm_error::printable(session));
            Error::new(Code::SessionUnknown, what)
        })
    }

    /// What an attempt is worth now; `answer` counts as the agent's, unless it handed one in.
    pub(crate) async fn score(&self, session: &str, answer: Option<String>) -> Result<Option<Score>> {
        let copy = self.store().session(session)?;
        let attempt = self.attempt(session)?;
        let episode = attempt.lock().await.episode.clone();
        let task = episode.task().cloned();
        self.apart(move |_| {
            let mut episode = episode;
            if let Some(answer) = answer.filter(|_| episode.answer().is_none()) {
                episode.submit(answer);
            }
            Ok(task.and(episode.score(&copy)))
        })
        .await
    }

    /// Forks a session; forks of an attempt are attempts at the same task.
    pub(crate) async fn fork(&self, session: &str, request: ForkSession) -> Result<Vec<SessionInfo>> {
        let parent = self.attempts().get(session);
        let guard = match &parent {
            Some(attempt) => Some(attempt.lock().await),
            None => None,
        };
        let id = session.to_owned();
        let made = self.apart(move |app| app.store().fork(&id, &request)).await?;
        if let Some(attempt) = guard {
            for info in &made {
                self.attempts().put(&info.id, attempt.environment.clone(), attempt.episode.clone());
            }
        }
        Ok(made)
    }

    /// Begins an attempt anew after its session went back.
    pub(crate) async fn reopen(&self, session: &str, from_start: bool) {
        if let Some(attempt) = self.attempts().get(session) {
            let mut attempt = attempt.lock().await;
            match from_start {
                true => attempt.episode = Episode::new(attempt.episode.task().cloned()),
                false => attempt.episode.reopen(),
            }
            attempt.results.clear();
        }
    }

    /// The tools that a session offers, under names that every client takes, and their names here. The
    /// tool that takes answers comes last, where there is one.
    pub(crate) fn offered(
        &self,
        environment: &Environment,
        task: Option<&TaskRef>,
    ) -> Result<Vec<(String, Tool)>> {
        let toolset = match task {
            Some(task) => Some(task.toolset()),
            None => environment.toolsets().next().map(|(name, _)| name),
        };
        let face = self.face(toolset)?;
        let allowed = task.and_then(TaskRef::tools);
        let all = face.mcp().all();
        let mut offered: Vec<(String, Tool)> = all
            .filter(|(name, _)| allowed.is_none_or(|allowed| allowed.iter().any(|a| a == name)))
            .map(|(name, tool)| (name.to_owned(), tool.clone()))
            .collect();
        if task.is_some_and(TaskRef::wants_answer) {
            let name = environment.submit().to_owned();
            offered.push((name.clone(), answer_tool(&name)));
        }
        Ok(offered)
    }
}

/// The tool by which an agent hands in its answer.
fn answer_tool(name: &str) -> Tool {
    let schema = json!({
        "type": "object",
        "properties": {"answer": {"type": "string", "description": "The answer, or what was done."}},
        "required": ["answer"]
    });
    let schema = match schema {
        Value::Object(schema) => schema,
        _ => Default::default(),
    };
    Tool::new(name.to_owned(), "Hand in the answer. This ends the task.", schema)
}
