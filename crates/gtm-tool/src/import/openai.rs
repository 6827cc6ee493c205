//! OpenAI tools: the nested form of chat completions and the flat one of responses; also what
//! Hugging Face and LangChain make of a Python function (the same, with `return`).

use super::common::{arguments, given_name, reply, take_description};
use crate::Limits;
use crate::spec::{Format, Origin, ToolSpec};
use gtm_error::Result;
use serde_json::{Map, Value};

pub(super) fn tool(mut map: Map<String, Value>, limits: &Limits) -> Result<ToolSpec> {
    let (mut function, format) = match map.remove("function") {
        Some(Value::Object(function)) => (function, Format::OpenaiChat),
        _ => (map, Format::OpenaiResponses),
    };
    let returns = ["return", "returns", "output_schema"].iter().find_map(|key| function.remove(*key));
    Ok(ToolSpec {
        name: given_name(&mut function, limits)?,
        description: take_description(&mut function, "description", limits),
        parameters: arguments(function.remove("parameters"), limits)?,
        returns: reply(returns, limits),
        origin: Origin { format: Some(format), ..Origin::default() },
        ..ToolSpec::default()
    })
}
