//! Task files of the BFCL kind: questions turn by turn, an initial configuration, and as answers either
//! the calls of each turn as Python text, or the values that arguments may have.

use super::{Source, beside, invalid, python, records, text};
use crate::file::Task;
use crate::goal::{CallPattern, Check, EndState, Ends, Goal};
use gtm_error::Result;
use gtm_sim::load::read;
use gtm_sim::{Call, Toolset};
use gtm_tool::{Limits, import};
use serde_json::{Map as JsonMap, Value as Json};
use std::collections::HashMap;
use std::path::Path;

/// The answers in the file of the same name under `possible_answer`, by task.
pub(super) fn answers_beside(path: &Path, limits: &Limits) -> Result<HashMap<String, Json>> {
    let Some(path) = beside(path).filter(|path| path.is_file()) else { return Ok(HashMap::new()) };
    let records = records(&read(&path, limits)?, limits).map_err(|e| e.in_file(path.display()))?;
    let answer = |record: Json| Some((text(&record, "id")?, record.get("ground_truth")?.clone()));
    Ok(records.into_iter().filter_map(answer).collect())
}

pub(super) fn tasks(records: &[Json], answers: &HashMap<String, Json>) -> Result<Vec<Source>> {
    let tasks = records.iter().enumerate();
    tasks.map(|(at, record)| task(record, answers).map_err(|e| e.at(format!("/{at}")))).collect()
}

fn task(record: &Json, answers: &HashMap<String, Json>) -> Result<Source> {
    let id = text(record, "id").unwrap_or_default();
    let truth = record.get("ground_truth").or_else(|| answers.get(&id));
    let truth = truth.ok_or_else(|| {
        invalid("the task has no answer")
            .expected("`ground_truth`, here or in `possible_answer/` beside the file")
    })?;
    let state = record.get("initial_config").and_then(Json::as_object).filter(|state| !state.is_empty());
    let goal = Goal { ends: Some(Ends::Answer), checks: checks(truth)?, ..Goal::default() };
    let instruction = question(record.get("question").unwrap_or(&Json::Null));
    let task = Task { id, instruction, state: state.cloned(), goal, ..Task::default() };
    Ok(Source { task, toolset: functions(record)? })
}

/// The functions that a task brings along.
fn functions(record: &Json) -> Result<Option<Toolset>> {
    let Some(functions) = record.get("function") else { return Ok(None) };
    let bytes = serde_json::to_vec(functions).unwrap_or_default();
    let tools = import(&bytes, &Limits::default()).map_err(|e| e.at("/function"))?.tools;
    Ok(Some(Toolset::from_tools(text(record, "id").unwrap_or_default(), tools)))
}

/// What the user says. A question has turns, each a list of messages; an attempt has one, so the later
/// turns are told at once.
fn question(question: &Json) -> String {
    let turn = |turn: &Json| -> String {
        let messages = turn.as_array().cloned().unwrap_or_else(|| vec![turn.clone()]);
        let texts =
            messages.iter().filter_map(|m| m.as_str().map(str::to_owned).or_else(|| text(m, "content")));
        texts.collect::<Vec<_>>().join("\n")
    };
    match question {
        Json::Array(turns) => {
            turns.iter().map(turn).filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n\nThen: ")
        }
        Json::String(text) => text.clone(),
        _ => String::new(),
    }
}

fn checks(truth: &Json) -> Result<Vec<Check>> {
    let mut items = Vec::new();
    flatten(truth, &mut items);
    if items.iter().all(|item| item.is_string()) {
        let calls = items.iter().filter_map(Json::as_str).map(python_call).collect::<Result<Vec<_>>>()?;
        let after = EndState { calls, replies: true, ..EndState::default() };
        return Ok(vec![Check { after: Some(after), ..Check::default() }]);
    }
    items.iter().map(possible).collect()
}

/// The items of lists in lists.
fn flatten(value: &Json, items: &mut Vec<Json>) {
    match value {
        Json::Array(list) => list.iter().for_each(|item| flatten(item, items)),
        other => items.push(other.clone()),
    }
}

fn python_call(text: &str) -> Result<Call> {
    let (name, positional, arguments) = python::call(text)?;
    if !positional.is_empty() {
        return Err(invalid(format!("the call of `{name}` has arguments without a name")));
    }
    // Methods are called on objects there.
    let name = name.rsplit('.').next().unwrap_or(&name).to_owned();
    Ok(Call::new(name, Json::Object(arguments)))
}

/// `{function: {argument: [values it may have]}}`; an empty text among the values means that the argument
/// may be left out.
fn possible(item: &Json) -> Result<Check> {
    let (tool, values) = item
        .as_object()
        .filter(|object| object.len() == 1)
        .and_then(|object| object.iter().next())
        .ok_or_else(|| {
            invalid("an answer is neither a call nor a function with the values of its arguments")
        })?;
    let mut choices = JsonMap::new();
    for (name, allowed) in values.as_object().into_iter().flatten() {
        let allowed = allowed.as_array().cloned().unwrap_or_else(|| vec![allowed.clone()]);
        let allowed = allowed.into_iter().map(|value| if value == "" { Json::Null } else { nested(value) });
        choices.insert(name.clone(), Json::Array(allowed.collect()));
    }
    let called = CallPattern { tool: tool.clone(), choices, only: true, ..CallPattern::default() };
    Ok(Check { called: Some(called), ..Check::default() })
}

/// Members of an object that is a value have lists of values of their own; the first is taken.
fn nested(value: Json) -> Json {
    match value {
        Json::Object(members) => Json::Object(
            members
                .into_iter()
                .filter_map(|(name, value)| match value {
                    Json::Array(values) => values.into_iter().find(|v| *v != "").map(|v| (name, nested(v))),
                    other => Some((name, other)),
                })
                .collect(),
        ),
        other => other,
    }
}
