//! Berkeley function-calling docs: `type: dict`, and the reply's schema under `response`.

use super::common::{arguments, given_name, reply, take_description};
use super::{detect::Entry, list};
use crate::Limits;
use crate::spec::{Format, Origin, ToolSpec};
use gtm_error::{Error, Result};
use serde_json::{Map, Value};

pub(super) fn tool(mut map: Map<String, Value>, limits: &Limits) -> Result<ToolSpec> {
    let returns = map.remove("response").or_else(|| map.remove("returns"));
    Ok(ToolSpec {
        name: given_name(&mut map, limits)?,
        description: take_description(&mut map, "description", limits),
        parameters: arguments(map.remove("parameters"), limits)?,
        returns: reply(returns, limits),
        origin: Origin { format: Some(Format::Bfcl), ..Origin::default() },
        ..ToolSpec::default()
    })
}

/// A task line: the functions it offers. What is asked of them is for agents, not for tools.
pub(super) fn task(
    mut map: Map<String, Value>,
    limits: &Limits,
) -> Vec<std::result::Result<ToolSpec, (String, Error)>> {
    let Some(Value::Array(functions)) = map.remove("function") else { return Vec::new() };
    let mut tools = Vec::with_capacity(functions.len());
    for function in functions {
        match function {
            Value::Object(function) => tools.push(list::one(function, Entry::Bfcl, limits)),
            other => tools.extend(list::tools(other, limits)),
        }
    }
    tools
}
