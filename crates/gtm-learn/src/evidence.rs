//! Evidence: every recorded call with the world it was made in.
//!
//! Sessions are replayed step by step. What the real tool answered is observed, so that the world before
//! each call is as true as the behaviors known so far make it.

use crate::case::Call;
use crate::parallel;
use crate::recording::Recorded;
use crate::shape::Shape;
use gtm_sim::{SessionOptions, Simulator, Toolset};
use gtm_tool::ToolSpec;
use gtm_world::{Behaviors, Value};
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

/// A recorded call, and what the present behaviors make of it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) call: Call,
    /// The state after it, as the present behaviors have it.
    pub(crate) after: Value,
    /// The reply that the present behaviors give.
    pub(crate) predicted: Value,
    pub(crate) predicted_error: bool,
}

/// Recorded calls of one tool.
#[derive(Clone, Debug, Default)]
pub(crate) struct ToolEvidence {
    pub(crate) spec: ToolSpec,
    pub(crate) seen: Vec<Seen>,
    /// How often the behavior derived from the spec names each part of the state.
    pub(crate) roots: BTreeMap<String, usize>,
    /// What is data in the state that it works on.
    pub(crate) shape: Arc<Shape>,
}

/// A call of a tool that does not exist, and what it was answered with.
#[derive(Clone, Debug)]
pub(crate) struct Stray {
    pub(crate) tool: String,
    pub(crate) reply: Json,
}

/// All evidence, by tool.
#[derive(Clone, Debug, Default)]
pub(crate) struct Evidence {
    pub(crate) tools: BTreeMap<String, ToolEvidence>,
    pub(crate) strays: Vec<Stray>,
}

/// Replays the recordings with the behaviors learned so far.
pub(crate) fn gather(recordings: &[Recorded], learned: &Behaviors) -> Evidence {
    let replayed = parallel::map(recordings, |recording| replay(recording, learned));
    let states: Vec<(usize, Value)> =
        recordings.iter().filter_map(|r| Some((r.group, Value::from(r.state.as_ref()?)))).collect();
    let shape = Arc::new(Shape::of(states.iter().map(|(group, state)| (*group, state))));
    let mut out = Evidence::default();
    for (recording, Replayed { calls, strays, mut roots }) in recordings.iter().zip(replayed) {
        for spec in recording.tools.iter() {
            let new = || ToolEvidence { spec: spec.clone(), shape: shape.clone(), ..ToolEvidence::default() };
            let tool = out.tools.entry(spec.name.clone()).or_insert_with(new);
            if tool.roots.is_empty() {
                tool.roots = roots.remove(&spec.name).unwrap_or_default();
            }
        }
        for (tool, seen) in calls {
            if let Some(evidence) = out.tools.get_mut(&tool) {
                evidence.seen.push(seen);
            }
        }
        out.strays.extend(strays);
    }
    out
}

/// The toolset of a recorded session, with behaviors learned elsewhere.
pub(crate) fn toolset(recording: &Recorded, learned: &Behaviors) -> Toolset {
    let tools = Arc::unwrap_or_clone(recording.tools.clone());
    let toolset = Toolset { learned: learned.clone(), ..Toolset::from_tools("recorded", tools) };
    match &recording.state {
        Some(state) => toolset.with_state(state.clone()),
        None => toolset,
    }
}

/// What a replay gives.
#[derive(Default)]
struct Replayed {
    calls: Vec<(String, Seen)>,
    strays: Vec<Stray>,
    roots: BTreeMap<String, BTreeMap<String, usize>>,
}

/// How often each tool's behavior names each part of the state.
fn roots(simulator: &Simulator, state: Option<&Json>) -> BTreeMap<String, BTreeMap<String, usize>> {
    let names: Vec<&String> = state.and_then(Json::as_object).into_iter().flat_map(|m| m.keys()).collect();
    let reading = simulator.reading();
    // A collection stands for the part that it lies in.
    let places: Vec<(&String, &str)> = reading
        .collections
        .iter()
        .filter_map(|(name, c)| Some((name, c.path.as_deref()?.split(['.', '[']).next()?)))
        .collect();
    let each = |(tool, behavior): (&String, &gtm_world::Behavior)| {
        let text = json!(behavior).to_string();
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for name in &names {
            let direct = text.matches(&format!("{name}.")).count();
            let indirect: usize = places
                .iter()
                .filter(|(_, root)| root == name)
                .map(|(collection, _)| text.matches(&format!("\"{collection}\"")).count())
                .sum();
            if direct + indirect > 0 {
                counts.insert(name.to_string(), direct + indirect);
            }
        }
        (tool.clone(), counts)
    };
    reading.behaviors.iter().map(each).collect()
}

fn replay(recording: &Recorded, learned: &Behaviors) -> Replayed {
    let mut out = Replayed::default();
    let Ok(simulator) = Simulator::new(toolset(recording, learned)) else { return out };
    out.roots = roots(&simulator, recording.state.as_ref());
    let Ok(mut session) = simulator.open(SessionOptions::default()) else { return out };
    let mut earlier: HashSet<(String, String)> = HashSet::new();
    for (call, observed) in &recording.turns {
        let world = session.world().clone();
        match simulator.examine(call) {
            Some((args, check)) => {
                let mut fork = session.fork();
                // What the behavior itself says, not what it could pick up within the session.
                fork.forget_manner();
                let reply = simulator.call(&mut fork, call);
                let known = Call {
                    group: recording.group,
                    args,
                    check,
                    repeated: earlier.contains(&(call.tool.clone(), call.arguments.to_string())),
                    world,
                    reply: Value::from(&observed.content),
                    is_error: observed.is_error,
                };
                let seen = Seen {
                    call: known,
                    after: fork.state().clone(),
                    predicted: Value::from(&reply.content),
                    predicted_error: reply.is_error,
                };
                out.calls.push((call.tool.clone(), seen));
            }
            None => out.strays.push(Stray { tool: call.tool.clone(), reply: json!(observed.content) }),
        }
        if !observed.is_error {
            earlier.insert((call.tool.clone(), call.arguments.to_string()));
        }
        let _ = simulator.observe(&mut session, call, observed.clone());
    }
    out
}
