//! Task files of the tau-bench kind: an instruction, reference actions, and what the agent must tell.
//!
//! Both generations are read: `{user_id, instruction, actions: [{name, kwargs}], outputs}`, and
//! `{id, user_scenario: {instructions}, evaluation_criteria: {actions: [{name, arguments}],
//! communicate_info}}`. Criteria that need a judge are left out: code cannot check them.

use super::{Source, invalid, text};
use crate::file::Task;
use crate::goal::{Answer, Check, EndState, Ends, Goal};
use gtm_error::Result;
use gtm_sim::Call;
use serde_json::{Map as JsonMap, Value as Json};

/// Actions that end the conversation rather than act.
const TALK: [&str; 2] = ["respond", "done"];

pub(super) fn tasks(records: &[Json]) -> Result<Vec<Source>> {
    let tasks = records.iter().enumerate();
    tasks.map(|(at, record)| task(record, at).map(Source::of).map_err(|e| e.at(format!("/{at}")))).collect()
}

fn task(record: &Json, at: usize) -> Result<Task> {
    let criteria = record.get("evaluation_criteria").unwrap_or(record);
    let instruction = match record.get("user_scenario") {
        Some(scenario) => scenario_text(scenario.get("instructions").unwrap_or(scenario)),
        None => text(record, "instruction").unwrap_or_default(),
    };
    if instruction.is_empty() {
        return Err(invalid("the task has no instruction"));
    }
    let actions = criteria.get("actions").and_then(Json::as_array).cloned().unwrap_or_default();
    let calls = actions.iter().enumerate().filter_map(|(number, action)| {
        // What the user does with tools of their own is no deed of the agent.
        let by_user = action.get("requestor").is_some_and(|who| who == "user");
        call(action)
            .map(|call| call.filter(|_| !by_user))
            .map_err(|e| e.at(format!("/actions/{number}")))
            .transpose()
    });
    let calls = calls.collect::<Result<Vec<Call>>>()?;
    let told = criteria.get("outputs").or(criteria.get("communicate_info"));
    let contains: Vec<String> = told
        .and_then(Json::as_array)
        .into_iter()
        .flatten()
        .map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned))
        .collect();
    let mut checks =
        vec![Check { after: Some(EndState { calls, ..EndState::default() }), ..Check::default() }];
    if !contains.is_empty() {
        checks.push(Check { answer: Some(Answer { contains, ..Answer::default() }), ..Check::default() });
    }
    // Doing no more than what was asked is part of these tasks, so an attempt ends when the agent says so.
    let goal = Goal { ends: Some(Ends::Answer), checks, ..Goal::default() };
    let id = text(record, "id").unwrap_or_else(|| at.to_string());
    Ok(Task { id, instruction, goal, ..Task::default() })
}

fn call(action: &Json) -> Result<Option<Call>> {
    let name = text(action, "name").ok_or_else(|| invalid("the action has no name"))?;
    if TALK.contains(&name.as_str()) {
        return Ok(None);
    }
    let arguments = action.get("kwargs").or(action.get("arguments")).cloned().unwrap_or(Json::Null);
    match arguments {
        Json::Null => Ok(Some(Call::new(name, Json::Object(JsonMap::new())))),
        Json::Object(_) => Ok(Some(Call::new(name, arguments))),
        _ => Err(invalid("the action's arguments are no object")),
    }
}

/// The texts of a scenario, in order.
fn scenario_text(scenario: &Json) -> String {
    match scenario {
        Json::String(text) => text.trim().to_owned(),
        Json::Object(parts) => {
            let texts =
                parts.iter().filter(|(key, _)| key.as_str() != "domain").map(|(_, part)| scenario_text(part));
            texts.filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n")
        }
        _ => String::new(),
    }
}
