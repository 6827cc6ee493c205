//! Recorded sessions as induction looks at them: tools imported, replies that were cut left out.

use gtm_sim::recording::Recording;
use gtm_sim::{Call, Observed};
use gtm_tool::{Limits, ToolSpec, import};
use serde_json::Value as Json;
use std::collections::HashMap;
use std::sync::Arc;

/// One recorded session.
#[derive(Clone, Debug)]
pub(crate) struct Recorded {
    /// Number of its group, or its own where all are of one group.
    pub(crate) group: usize,
    /// The tools that could be called.
    pub(crate) tools: Arc<Vec<ToolSpec>>,
    /// The state it started from, where one is known: an object.
    pub(crate) state: Option<Json>,
    /// The calls in order, with what the real tool answered.
    pub(crate) turns: Vec<(Call, Observed)>,
}

/// Imports the tools of recordings, the same list once. `tools` are those of sessions that name none;
/// tools that no importer understands are left out.
pub(crate) fn prepared<'a>(
    recordings: impl IntoIterator<Item = &'a Recording>,
    tools: &Arc<Vec<ToolSpec>>,
) -> Vec<Recorded> {
    let recordings: Vec<&Recording> = recordings.into_iter().collect();
    let mut groups: Vec<&str> = recordings.iter().map(|r| r.group.as_str()).collect();
    groups.sort_unstable();
    groups.dedup();
    let limits = Limits::default();
    let mut known: HashMap<String, Arc<Vec<ToolSpec>>> = HashMap::new();
    let imported =
        |text: &str| Arc::new(import(text.as_bytes(), &limits).map(|i| i.tools).unwrap_or_default());
    let prepare = |(number, recording): (usize, &&Recording)| {
        let text: String = recording.tools.iter().map(|tool| format!("{tool}\n")).collect();
        let own = known.entry(text).or_insert_with_key(|text| imported(text)).clone();
        let http = is_http(recording);
        let kept = recording.turns.iter().filter(|turn| !turn.response_truncated);
        let turn = |turn: &gtm_sim::recording::RecordedTurn| {
            let content = match (&turn.response, http) {
                (Json::Object(answer), true) => answer.get("body").cloned().unwrap_or_default(),
                (reply, _) => reply.clone(),
            };
            let call = Call::new(&turn.call.name, turn.call.arguments.clone());
            (call, Observed { content, is_error: turn.is_error })
        };
        let group = groups.iter().position(|name| *name == recording.group);
        Recorded {
            group: if groups.len() > 1 && !recording.group.is_empty() {
                group.unwrap_or(number)
            } else {
                groups.len() + number
            },
            tools: if own.is_empty() { tools.clone() } else { own },
            state: recording.initial_state.clone().filter(Json::is_object),
            turns: kept.map(turn).collect(),
        }
    };
    recordings.iter().enumerate().map(prepare).collect()
}

/// Whether all replies are HTTP answers written as `{status, body}` and nothing else: then the body is
/// what the tool said.
fn is_http(recording: &Recording) -> bool {
    let answer = |reply: &Json| {
        let status = reply.get("status").and_then(Json::as_u64);
        status.is_some_and(|s| (100..600).contains(&s))
            && reply.as_object().is_some_and(|o| o.len() == 2 && o.contains_key("body"))
    };
    !recording.turns.is_empty() && recording.turns.iter().all(|turn| answer(&turn.response))
}
