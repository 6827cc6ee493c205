//! Checking executed sessions from the outside: nothing here knows how they were made.
//!
//! Of the generator this shares the data types of [`crate::trace`] alone, and of the engine the types in which behaviors are
//! written. A session is checked against itself: its specs, its first state, the changes that its calls say they made, what its
//! tools' behaviors come to when they are worked out by a second, small implementation ([`recompute`]), and what
//! earlier replies have told. [`Whole`] checks what only a dataset as a whole can show.

mod changes;
mod counters;
mod format;
mod reads;
mod recompute;
mod replies;
mod task;
mod units;
mod whole;
mod writes;

pub use counters::{Check, Counters, Violation};
pub use whole::{Whole, WholeFinding};

use crate::trace::{Fact, Trace, Turn};
use changes::State;
use counters::Found;
use gtm_world::behavior::Behavior;
use recompute::{Case, recompute};
use serde_json::Value as Json;

/// Checks a session and counts what was checked. Violations come in the order of turns.
pub fn verify(trace: &Trace, counters: &mut Counters) -> Vec<Violation> {
    let mut found = Found::new(counters);
    let Some(tools) = format::tools(trace, &mut found) else { return found.violations };
    let mut state = State::new(&trace.initial_state);
    let mut reads = reads::Reads::new(trace);
    let mut writes = writes::Writes::new(trace);
    for (at, turn) in trace.turns.iter().enumerate() {
        found.turn = Some(at);
        format::turn(&tools, turn, &mut found);
        format::bounds(turn, &mut found);
        let before = state.now().clone();
        let applied = state.apply(&turn.changes);
        let whole = applied.is_ok() && turn.changed != turn.changes.is_empty();
        found.check(Check::Format, whole, || {
            applied
                .err()
                .unwrap_or_else(|| "what changed is not told, or something is told that did not".into())
        });
        let Some(tool) = tools.find(&turn.call.name) else { continue };
        let step = Step { fact: &trace.facts[tool], turn, before: &before, after: state.now() };
        writes.see(&step, &mut found);
        reads.see(&step, &mut found);
        units::check(&turn.response, &mut found);
        if let Some(behavior) = trace.behaviors.behaviors.get(&turn.call.name)
            && tools.arguments_fit(tool, &turn.call.arguments)
        {
            work_out(trace, behavior, &step, &mut found);
        }
    }
    found.turn = None;
    task::check(trace, &tools, &mut found);
    found.violations
}

/// A call of a known tool, with the state around it.
struct Step<'t, 's> {
    fact: &'t Fact,
    turn: &'t Turn,
    before: &'s Json,
    after: &'s Json,
}

/// Compares a call with what its tool's steps come to.
fn work_out(trace: &Trace, behavior: &Behavior, step: &Step<'_, '_>, found: &mut Found<'_>) {
    let envelope = behavior.envelope.as_ref().unwrap_or(&trace.behaviors.envelope);
    let case = Case {
        behavior,
        turn: step.turn,
        reply: replies::unwrapped(&step.turn.response, envelope.reply.as_ref()),
        before: step.before,
        after: step.after,
    };
    let outcome = recompute(&case);
    let values = if outcome.lists { Check::Lists } else { Check::Arithmetic };
    found.checks(values, outcome.values, outcome.wrong);
    found.checks(Check::Rules, outcome.rules, outcome.broken);
}
