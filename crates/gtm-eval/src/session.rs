//! One recorded session, read from a line of a session file.
//!
//! ```text
//! {"suite"?, "session_id", "group"?, "kind"?, "tools": [spec], "initial_state"?, "turns":
//!  [{"call": {"name", "arguments"}, "response", "is_error", "mutation"?, "probe"?, "response_truncated"?}]}
//! ```

use gtm_error::{Code, Error, Result};
use gtm_tool::{Checker, Limits, ToolSpec};
use serde::Deserialize;
use serde_json::Value as Json;
use serde_json::value::RawValue;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// A recorded session.
#[derive(Clone, Debug)]
pub struct Session {
    /// Suite it belongs to: what the record says, else (in an evaluation) what its file is called.
    pub suite: Option<String>,
    /// Identity, unique within its suite.
    pub id: String,
    /// What it shares with others: a task, a user, a start state. Data sets are split by it.
    pub group: String,
    /// How it came to be, such as `logged`.
    pub kind: String,
    /// The tools at hand.
    pub tools: Arc<Tools>,
    /// State before the first turn, if known.
    pub initial_state: Option<Json>,
    /// The turns in order.
    pub turns: Vec<Turn>,
}

/// One call and what the real tool answered.
#[derive(Clone, Debug)]
pub struct Turn {
    /// Name of the tool called.
    pub tool: String,
    /// Arguments as given.
    pub arguments: Json,
    /// The real reply; of a session that records HTTP answers, the body.
    pub response: Json,
    /// Status of the real answer, in sessions that record HTTP answers as `{status, body}`.
    pub status: Option<u16>,
    /// Whether the real tool failed.
    pub is_error: bool,
    /// How the call was spoilt on purpose, if it was.
    pub mutation: Option<String>,
    /// Whether the call was put in only to read.
    pub probe: bool,
    /// Whether part of the reply was cut off in the record.
    pub truncated: bool,
}

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(default)]
    suite: Option<String>,
    session_id: String,
    #[serde(default)]
    group: Option<String>,
    #[serde(default)]
    kind: Option<String>,
    #[serde(borrow)]
    tools: &'a RawValue,
    #[serde(default)]
    initial_state: Option<Json>,
    turns: Vec<TurnLine>,
}

#[derive(Deserialize)]
struct TurnLine {
    call: CallLine,
    response: Json,
    is_error: bool,
    #[serde(default)]
    mutation: Option<String>,
    #[serde(default)]
    probe: bool,
    #[serde(default)]
    response_truncated: bool,
}

#[derive(Deserialize)]
struct CallLine {
    name: String,
    #[serde(default)]
    arguments: Json,
}

impl Session {
    /// Reads one line.
    ///
    /// # Errors
    /// [`Code::RecordingInvalid`] with the column, and whatever importing the tools fails with.
    pub fn parse(line: &str, tools: &ToolCache) -> Result<Session> {
        let read: Line<'_> = serde_json::from_str(line).map_err(|error| {
            let text = error.to_string();
            let what = text.rsplit_once(" at line ").map_or(text.as_str(), |(what, _)| what);
            Error::new(Code::RecordingInvalid, what).at(format!("column {}", error.column()))
        })?;
        if let Some(state) = read.initial_state.as_ref().filter(|state| !state.is_object()) {
            let what = format!("`initial_state` is of type {}", gtm_tool::schema::type_of(state));
            return Err(Error::new(Code::RecordingInvalid, what).expected("an object"));
        }
        let http =
            !read.turns.is_empty() && read.turns.iter().all(|turn| http_answer(&turn.response).is_some());
        let turns = read.turns.into_iter().map(|turn| turn.read(http)).collect();
        Ok(Session {
            suite: read.suite,
            id: read.session_id,
            group: read.group.unwrap_or_default(),
            kind: read.kind.unwrap_or_default(),
            tools: tools.import(read.tools.get())?,
            initial_state: read.initial_state,
            turns,
        })
    }
}

impl TurnLine {
    fn read(self, http: bool) -> Turn {
        let (status, response) = match self.response {
            Json::Object(mut answer) if http => {
                let status = answer.get("status").and_then(Json::as_u64).and_then(|s| u16::try_from(s).ok());
                (status, answer.remove("body").unwrap_or_default())
            }
            response => (None, response),
        };
        Turn {
            tool: self.call.name,
            arguments: self.call.arguments,
            response,
            status,
            is_error: self.is_error,
            mutation: self.mutation,
            probe: self.probe,
            truncated: self.response_truncated,
        }
    }
}

/// The status, if the reply is an HTTP answer written as `{status, body}` and nothing else.
fn http_answer(response: &Json) -> Option<u64> {
    let answer = response.as_object().filter(|answer| answer.len() == 2 && answer.contains_key("body"))?;
    answer.get("status").and_then(Json::as_u64).filter(|status| (100..600).contains(status))
}

/// The tools of a session, with unique names, and checkers of their schemas.
#[derive(Debug, Default)]
pub struct Tools {
    specs: Vec<ToolSpec>,
    places: HashMap<String, usize>,
    checkers: Vec<Checkers>,
}

#[derive(Debug, Default)]
struct Checkers {
    parameters: OnceLock<Option<Checker>>,
    returns: OnceLock<Option<Checker>>,
}

impl Tools {
    /// Of several tools with one name the first counts.
    pub fn new(specs: Vec<ToolSpec>) -> Tools {
        let mut tools = Tools::default();
        for spec in specs {
            if !tools.places.contains_key(&spec.name) {
                tools.places.insert(spec.name.clone(), tools.specs.len());
                tools.specs.push(spec);
                tools.checkers.push(Checkers::default());
            }
        }
        tools
    }

    /// All specs.
    pub fn specs(&self) -> &[ToolSpec] {
        &self.specs
    }

    /// The tool of this name.
    pub fn get(&self, name: &str) -> Option<&ToolSpec> {
        self.specs.get(*self.places.get(name)?)
    }

    /// Checks arguments of this tool. `None` for an unknown tool, or a schema that is not admitted.
    pub(crate) fn parameters(&self, name: &str) -> Option<&Checker> {
        let at = *self.places.get(name)?;
        let compile = || Checker::new(&self.specs[at].parameters, &Limits::default()).ok();
        self.checkers[at].parameters.get_or_init(compile).as_ref()
    }

    /// Checks successful replies of this tool, if it declares what it returns.
    pub(crate) fn returns(&self, name: &str) -> Option<&Checker> {
        let at = *self.places.get(name)?;
        let compile = || Checker::new(self.specs[at].returns.as_ref()?, &Limits::default()).ok();
        self.checkers[at].returns.get_or_init(compile).as_ref()
    }
}

/// Imported tool lists by their text: sessions of a suite mostly share them.
#[derive(Debug, Default)]
pub struct ToolCache(Mutex<HashMap<String, Arc<Tools>>>);

/// Lists kept at most; the cache starts anew beyond.
const MAX_CACHED: usize = 1_000;

impl ToolCache {
    /// The tools of a JSON array of specs, in any of the forms that GTM imports.
    fn import(&self, list: &str) -> Result<Arc<Tools>> {
        if let Some(tools) = self.lists().get(list) {
            return Ok(tools.clone());
        }
        let Some(inner) = list.strip_prefix('[') else {
            return Err(Error::new(Code::RecordingInvalid, "`tools` is not a list"));
        };
        let specs = match inner.trim_start() {
            "]" => Vec::new(),
            _ => {
                let document = format!("{{\"tools\":{list}}}");
                gtm_tool::import(document.as_bytes(), &Limits::default()).map_err(|e| e.at("/tools"))?.tools
            }
        };
        let tools = Arc::new(Tools::new(specs));
        let mut lists = self.lists();
        if lists.len() >= MAX_CACHED {
            lists.clear();
        }
        lists.insert(list.to_owned(), tools.clone());
        Ok(tools)
    }

    fn lists(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Tools>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
