//! `direct`: what a call is answered and what it changes.

use crate::rng::Rng;
use crate::trace::{Expected, Trace};
use gtm_read::prompt::direct::{Answer, Past, Toolset};
use gtm_read::prompt::{Change, apply};

/// Turn, prompt and completion of some of the calls.
pub(super) fn examples(trace: &Trace, rate: f64, rng: &mut Rng) -> Vec<(usize, String, String)> {
    let chosen: Vec<bool> = trace.turns.iter().map(|_| rng.chance(rate)).collect();
    let Some(last) = chosen.iter().rposition(|chosen| *chosen) else { return Vec::new() };
    let toolset = Toolset::new(&trace.tools, &trace.initial_state);
    let mut state = trace.initial_state.clone();
    let mut history: Vec<Past<'_>> = Vec::new();
    let mut found = Vec::new();
    for (at, turn) in trace.turns.iter().enumerate().take(last + 1) {
        let changes: Vec<Change> = turn.changes.iter().map(change).collect();
        let tool = trace.tools.iter().find(|tool| tool.name == turn.call.name);
        if let Some(tool) = tool.filter(|_| chosen[at]) {
            let question = toolset.ask(tool, &state, &history, &turn.call.arguments);
            let answer =
                Answer { reply: turn.response.clone(), is_error: turn.is_error, changes: changes.clone() };
            if let Some(completion) = question.answer(&answer) {
                found.push((at, question.prompt().to_owned(), completion));
            }
        }
        state = apply(state, &changes);
        history.push(Past { tool: &turn.call.name, arguments: &turn.call.arguments, reply: &turn.response });
    }
    found
}

/// A change as prompts tell it: the names of a JSON pointer, and the value if there is one.
fn change(told: &Expected) -> Change {
    let names = told.path.split('/').skip(1).map(|name| name.replace("~1", "/").replace("~0", "~"));
    Change { path: names.collect(), value: (!told.value.is_null()).then(|| told.value.clone()) }
}
