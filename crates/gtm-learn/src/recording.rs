//! Recorded sessions, one JSON object a line.

use gtm_error::{Code, Error, Result};
use gtm_sim::{Call, Observed};
use gtm_tool::{Limits, ToolSpec, import};
use serde::Deserialize;
use serde_json::Value as Json;
use std::collections::HashMap;
use std::sync::Arc;

/// One recorded session.
#[derive(Clone, Debug)]
pub struct Recording {
    /// Name of the session.
    pub id: String,
    /// What it belongs to; all variants of one task, user or start state share it.
    pub group: String,
    /// The tools that could be called.
    pub tools: Arc<Vec<ToolSpec>>,
    /// The state it started from, where one is known: an object.
    pub state: Option<Json>,
    /// The calls in order, with what the real tool answered.
    pub turns: Vec<(Call, Observed)>,
}

#[derive(Deserialize)]
struct Line {
    #[serde(default)]
    session_id: String,
    #[serde(default)]
    group: String,
    #[serde(default)]
    tools: Vec<Json>,
    #[serde(default)]
    initial_state: Option<Json>,
    turns: Vec<LineTurn>,
}

#[derive(Deserialize)]
struct LineTurn {
    call: Call,
    #[serde(default)]
    response: Json,
    #[serde(default)]
    is_error: bool,
    #[serde(default)]
    response_truncated: bool,
}

/// Reads lines of sessions. The same list of tools given again is imported once.
#[derive(Default)]
pub struct Reader {
    limits: Limits,
    tools: HashMap<String, Arc<Vec<ToolSpec>>>,
}

impl Reader {
    /// Reads one line. Tools that no importer understands are left out, and so are replies that were
    /// cut when they were recorded.
    ///
    /// # Errors
    /// [`Code::SpecMalformed`] for a line that is no session.
    pub fn read(&mut self, line: &str) -> Result<Recording> {
        let line: Line = serde_json::from_str(line)
            .map_err(|e| Error::new(Code::SpecMalformed, format!("not a session: {e}")))?;
        let text: String = line.tools.iter().map(|tool| format!("{tool}\n")).collect();
        let tools = match self.tools.get(&text) {
            Some(tools) => tools.clone(),
            None => {
                let imported = import(text.as_bytes(), &self.limits).map(|i| i.tools).unwrap_or_default();
                let tools = Arc::new(imported);
                self.tools.insert(text, tools.clone());
                tools
            }
        };
        let group = if line.group.is_empty() { line.session_id.clone() } else { line.group };
        let turns = line.turns.into_iter().filter(|turn| !turn.response_truncated);
        Ok(Recording {
            id: line.session_id,
            group,
            tools,
            state: line.initial_state.filter(Json::is_object),
            turns: turns.map(|t| (t.call, Observed { content: t.response, is_error: t.is_error })).collect(),
        })
    }
}
