//! Tasks: something a person would ask for, made from calls that were made.

use crate::rng::Rng;
use crate::stage::{Stage, Staged};
use crate::style::Names;
use crate::tools::ParamRole;
use crate::trace::{Call, Expected, Task, Turn};
use gtm_world::{Value, World};
use serde_json::Value as Json;

/// Most calls in a reference.
const MOST: usize = 4;
/// Most places of the end state that are checked.
const MOST_PLACES: usize = 24;

/// A task whose reference is the first successful changes of a session, run again from its start without
/// anything in between; `None` if there are none or they do not stand alone.
pub(super) fn task(
    stage: &Stage,
    names: &[&Names<'_>],
    start: &World,
    turns: &[Turn],
    rng: &mut Rng,
) -> Option<Task> {
    let changes: Vec<&Turn> =
        turns.iter().filter(|turn| turn.changed && !turn.is_error).take(1 + rng.below(MOST)).collect();
    let mut world = start.clone();
    let mut reference = Vec::new();
    let mut asked = Vec::new();
    for turn in changes {
        let answer = stage.call(&world, &turn.call.name, &turn.call.arguments);
        let tool = stage.tools.get(&turn.call.name)?;
        if answer.error.is_some() || !answer.changed {
            return None;
        }
        // An id that only an earlier call of the task has made cannot be told in words.
        let asks = ask(tool, names[tool.domain], start, &turn.call)?;
        if tool.plan.is_some() {
            asked.push(asks);
        }
        world = answer.world;
        reference.push(turn.call.clone());
    }
    if asked.is_empty() {
        return None;
    }
    let end_state = differences(start.state(), world.state());
    if end_state.is_empty() || end_state.len() > MOST_PLACES {
        return None;
    }
    let opening =
        *rng.pick(&["", "Please do the following. ", "I need your help. ", "Could you take care of this? "]);
    Some(Task { instruction: format!("{opening}{}", asked.join(" Then: ")), reference, end_state })
}

/// What a call does, as a person would ask for it.
fn ask(tool: &Staged, names: &Names<'_>, start: &World, call: &Call) -> Option<String> {
    let Some(plan) = &tool.plan else { return Some(String::new()) };
    let first = plan.about.split_inclusive(". ").next().unwrap_or(&plan.about).trim().trim_end_matches('.');
    let mut told = Vec::new();
    for dressed in &tool.dressed.params {
        let Some(value) = dressed.path.iter().try_fold(&call.arguments, |at, name| at.get(name)) else {
            continue;
        };
        let name = dressed.param.name.replace('_', " ");
        if let ParamRole::Id(entity) = &dressed.param.role {
            let known = names.domain().entities.get(entity).and_then(|kindred| {
                let records = start.state().get(names.collection(&kindred.collection)?)?;
                let ids: Vec<Value> = if value.is_array() {
                    value.as_array()?.iter().map(Value::from).collect()
                } else {
                    vec![Value::from(value)]
                };
                ids.iter().all(|id| id.as_key().is_some_and(|key| records.get(&key).is_some())).then_some(())
            });
            known?;
        }
        let shown = match value {
            Json::String(text) => text.clone(),
            other => other.to_string(),
        };
        let unit = dressed.param.attribute.unit.as_deref().map(|unit| format!(" {unit}")).unwrap_or_default();
        told.push(format!("{name} {shown}{unit}"));
    }
    Some(match told.is_empty() {
        true => format!("{first}."),
        false => format!("{first}: {}.", told.join(", ")),
    })
}

/// Places where two states differ, with what the second holds.
pub(crate) fn differences(before: &Value, after: &Value) -> Vec<Expected> {
    let mut found = Vec::new();
    differ(before, after, "", &mut found);
    found
}

fn differ(before: &Value, after: &Value, path: &str, found: &mut Vec<Expected>) {
    match (before, after) {
        (Value::Map(a), Value::Map(b)) if a != b => {
            let below = |name: &str| format!("{path}/{}", name.replace('~', "~0").replace('/', "~1"));
            for (name, value) in b.iter() {
                match a.get(name) {
                    Some(known) if known == value => {}
                    Some(known) => differ(known, value, &below(name), found),
                    // Null and absent are one here: null stands for what is gone.
                    None if value.is_null() => {}
                    None => found.push(Expected { path: below(name), value: value.to_json() }),
                }
            }
            for (name, _) in a.iter().filter(|(name, _)| !b.contains_key(name)) {
                found.push(Expected { path: below(name), value: Json::Null });
            }
        }
        (a, b) if a == b => {}
        (_, b) => found.push(Expected { path: path.to_owned(), value: b.to_json() }),
    }
}
