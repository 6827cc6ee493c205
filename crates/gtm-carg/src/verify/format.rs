//! Whether a session is whole, and calls and replies fit their schemas.

use super::counters::{Check, Found};
use crate::trace::{Trace, Turn};
use gtm_tool::{Limits, ToolSpec, admit};
use gtm_world::ErrorKind;
use jsonschema::{Draft, Validator};
use serde_json::Value as Json;
use std::collections::HashMap;

/// Longest reply, in bytes of JSON.
const MAX_REPLY: usize = 64 << 10;
/// Longest arguments, in bytes of JSON.
const MAX_ARGUMENTS: usize = 16 << 10;
/// Levels of the deepest reply.
const MAX_DEPTH: usize = 12;
/// Most turns of a session.
const MAX_TURNS: usize = 60;
/// Most tools of a session.
const MAX_TOOLS: usize = 41;
/// Longest name of a tool.
const MAX_NAME: usize = 128;

/// The tools of a session, with their schemas compiled.
pub(super) struct Tools<'t> {
    specs: &'t [ToolSpec],
    at: HashMap<&'t str, usize>,
    parameters: Vec<Option<Validator>>,
    returns: Vec<Option<Validator>>,
}

impl Tools<'_> {
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        self.at.get(name).copied()
    }

    /// Whether arguments satisfy the schema and none is unknown to it.
    pub(super) fn arguments_fit(&self, tool: usize, arguments: &Json) -> bool {
        let known = self.specs[tool].parameters.get("properties").and_then(Json::as_object);
        arguments
            .as_object()
            .is_some_and(|given| given.keys().all(|name| known.is_some_and(|known| known.contains_key(name))))
            && self.parameters[tool].as_ref().is_none_or(|schema| schema.is_valid(arguments))
    }
}

/// Checks that the session is whole; `None` if it is not worth looking further.
pub(super) fn tools<'t>(trace: &'t Trace, found: &mut Found<'_>) -> Option<Tools<'t>> {
    let at: HashMap<&str, usize> =
        trace.tools.iter().enumerate().map(|(at, tool)| (tool.name.as_str(), at)).collect();
    let complaint = [
        (trace.tools.is_empty() || trace.tools.len() > MAX_TOOLS, "a session has 1 to 41 tools"),
        (at.len() != trace.tools.len(), "two tools have one name"),
        (trace.facts.len() != trace.tools.len(), "there is not one fact for each tool"),
        (
            trace.tools.iter().any(|tool| tool.name.is_empty() || tool.name.len() > MAX_NAME),
            "a tool has no name, or too long a one",
        ),
        (trace.facts.iter().any(|fact| fact.family.is_empty()), "a fact names no kind of tool"),
        (!(1..=MAX_TURNS).contains(&trace.turns.len()), "a session has 1 to 60 turns"),
        (!trace.initial_state.is_object(), "the first state is no object"),
        (trace.group.is_empty() || trace.session_id.is_empty(), "session or group have no name"),
    ]
    .into_iter()
    .find_map(|(wrong, why)| wrong.then_some(why));
    found.check(Check::Format, complaint.is_none(), || complaint.unwrap_or_default().into());
    if complaint.is_some() {
        return None;
    }
    let mut parameters = Vec::new();
    let mut returns = Vec::new();
    for tool in &trace.tools {
        let object = tool.parameters.get("type").and_then(Json::as_str) == Some("object");
        let compiled = compile(&tool.parameters, false);
        found.check(Check::Format, object && compiled.is_some(), || {
            format!("the parameters of {} are no object schema that compiles", tool.name)
        });
        parameters.push(compiled);
        returns.push(tool.returns.as_ref().and_then(|schema| {
            let compiled = compile(schema, true);
            found.check(Check::Format, compiled.is_some(), || {
                format!("the returns of {} do not compile", tool.name)
            });
            compiled
        }));
    }
    Some(Tools { specs: &trace.tools, at, parameters, returns })
}

fn compile(schema: &Json, formats: bool) -> Option<Validator> {
    // The gate bounds what a foreign schema may cost.
    admit(schema, &Limits::default()).ok()?;
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .offline()
        .should_validate_formats(formats)
        .build(schema)
        .ok()
}

/// Checks one call and reply against the specs.
pub(super) fn turn(tools: &Tools<'_>, turn: &Turn, found: &mut Found<'_>) {
    let kind = turn.error.as_deref();
    let known = kind.is_some_and(|kind| serde_json::from_value::<ErrorKind>(kind.into()).is_ok());
    found.check(Check::Format, turn.is_error == kind.is_some() && (kind.is_none() || known), || {
        format!("the kind of failure is {kind:?}, and is_error is {}", turn.is_error)
    });
    let Some(tool) = tools.find(&turn.call.name) else {
        found.check(Check::ArgumentErrors, kind == Some("unknown_tool"), || "an unknown tool answers".into());
        return;
    };
    let refused = kind == Some("invalid_argument");
    if !tools.arguments_fit(tool, &turn.call.arguments) {
        found.check(Check::ArgumentErrors, refused, || {
            "arguments break the schema and the call does not say so".into()
        });
    }
    found.check(Check::ArgumentErrors, !matches!(kind, Some("internal" | "unknown_tool")), || {
        format!("the tool exists and fails with {}: {}", kind.unwrap_or_default(), turn.response)
    });
    if let (Some(schema), false) = (&tools.returns[tool], turn.is_error) {
        let error = schema.validate(&turn.response).err();
        found.check(Check::Schema, error.is_none(), || {
            error.map(|error| format!("{}: {error}", error.instance_path())).unwrap_or_default()
        });
    }
}

/// Checks sizes.
pub(super) fn bounds(turn: &Turn, found: &mut Found<'_>) {
    let small = turn.response.to_string().len() <= MAX_REPLY
        && turn.call.arguments.to_string().len() <= MAX_ARGUMENTS
        && turn.call.name.len() <= 2 * MAX_NAME;
    found.check(Check::Bounds, small && depth(&turn.response) <= MAX_DEPTH, || {
        "a reply or call is too large or deep".into()
    });
}

fn depth(json: &Json) -> usize {
    let mut deepest = 0;
    let mut open = vec![(json, 0)];
    while let Some((json, depth)) = open.pop() {
        deepest = deepest.max(depth);
        match json {
            Json::Array(items) => open.extend(items.iter().map(|item| (item, depth + 1))),
            Json::Object(members) => open.extend(members.values().map(|item| (item, depth + 1))),
            _ => {}
        }
    }
    deepest
}
