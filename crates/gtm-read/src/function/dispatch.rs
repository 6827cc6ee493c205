//! Tools that call other tools by name: `call_tool(tool_name, arguments)`.
//!
//! What they do is not known. But ids among the arguments that they pass on must be those of
//! records that exist.

use super::build::{bind, require_when};
use super::context::Context;
use super::found::exists;
use super::state_shape::Kind;
use super::tokens::stems;
use super::tool::{Param, Tool};
use super::{build, expr};
use gtm_world::ErrorKind;
use gtm_world::behavior::Step;

/// Checks of the arguments passed on.
pub(super) fn checks(ctx: &Context<'_>, tool: &Tool<'_>) -> Vec<Step> {
    if ctx.open || !tool.params.iter().any(names_a_tool) {
        return Vec::new();
    }
    let Some(passed) = tool.params.iter().find(|param| is_arguments(param)) else { return Vec::new() };
    let value = passed.expr();
    let mut steps = Vec::new();
    if passed.is_object() {
        steps.push(bind("passed", value));
    } else {
        steps.push(build::require(
            format!("{value} == null || startsWith(trim(string({value})), \"{{\")"),
            ErrorKind::InvalidArgument,
            "Arguments must be a JSON object",
        ));
        steps.push(bind("passed", format!("{value} == null ? {{}} : json({value})")));
    }
    for (index, c) in ctx.shape.collections.iter().enumerate() {
        let Some(id) = c.id.as_deref().filter(|_| c.parent.is_none() && c.rows > 0 && c.kind == Kind::Map)
        else {
            continue;
        };
        if stems(id).last().is_none_or(|last| last != "id") || stems(id).len() < 2 {
            continue;
        }
        // The same id may be kept in several collections; being in one of them is enough.
        let others: Vec<String> = ctx
            .shape
            .collections
            .iter()
            .enumerate()
            .filter(|(_, o)| o.id.as_deref() == Some(id) && o.parent.is_none())
            .map(|(at, _)| exists(ctx, at, &expr::select("passed", id)))
            .collect();
        if ctx.shape.collections[..index].iter().any(|o| o.id.as_deref() == Some(id) && o.parent.is_none()) {
            continue;
        }
        let given = format!("{} != null", expr::select("passed", id));
        let message = format!("{} '{{{}}}' not found", expr::message(&c.title()), expr::select("passed", id));
        steps.push(require_when(given, others.join(" || "), ErrorKind::NotFound, message));
    }
    if steps.len() > 2 { steps } else { Vec::new() }
}

fn names_a_tool(param: &Param) -> bool {
    let has = |words: &[&str]| param.stems.iter().any(|stem| words.contains(&stem.as_str()));
    param.kind.as_deref() == Some("string") && has(&["tool", "function", "action", "method", "command"])
}

fn is_arguments(param: &Param) -> bool {
    let named = matches!(
        param.stems.join(" ").as_str(),
        "argument"
            | "arg"
            | "param"
            | "parameter"
            | "input"
            | "kwarg"
            | "payload"
            | "tool input"
            | "tool argument"
    );
    named && (param.is_object() || param.kind.as_deref() == Some("string"))
}
