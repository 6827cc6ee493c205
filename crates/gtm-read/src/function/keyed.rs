//! Single values under keys: the text of a file under its path, a number under a name.

use super::auth;
use super::build::{assign, behavior, reply, require};
use super::found::{About, missing};
use super::match_params::Role;
use super::reply::{self as shape, Sources};
use super::tool::Param;
use super::verbs::Verb;
use gtm_world::ErrorKind;
use gtm_world::behavior::Behavior;

/// Writes the value under a key.
pub(super) fn write(about: &About<'_, '_>) -> Option<Behavior> {
    let (ctx, tool, c) = (about.ctx, about.tool, about.collection());
    let key = about.param(&Role::Key)?;
    let value = value(about, key)?;
    let rows = about.rows()?;
    let place = format!("{rows}[{}]", key.expr());
    let mut steps = auth::required(ctx, tool, Some(about.index));
    steps.extend(about.checks());
    // Writing over what is there is what some verbs mean and others refuse.
    const OVER: &[&str] = &["write", "save", "store", "upload", "put", "set"];
    match tool.action.verb {
        Verb::Create if !OVER.contains(&tool.action.word.as_str()) => {
            let message = format!("{} '{{{}}}' already exists", c.title(), key.expr());
            steps.push(require(format!("!has({place})"), ErrorKind::Conflict, message));
        }
        Verb::Update if tool.action.word != "set" => {
            steps.push(require(format!("has({place})"), ErrorKind::NotFound, missing(c, key)));
        }
        _ => {}
    }
    steps.push(assign(&place, shape::or_default(value)));
    let sources =
        Sources { done: Some(shape::done_message(tool, &c.noun(), Some(key))), ..Sources::default() };
    steps.push(reply(shape::done(ctx, tool, &sources)));
    Some(behavior(steps))
}

/// The one parameter beside the key that is the value.
fn value<'t>(about: &About<'t, '_>, key: &Param) -> Option<&'t Param> {
    let others = || {
        about
            .params()
            .filter(|(param, role)| {
                param.name != key.name && !matches!(role, Role::Token(..) | Role::Secret(_) | Role::Parent)
            })
            .map(|(param, _)| param)
    };
    let named = others().find(|param| {
        param.stems.iter().any(|w| matches!(w.as_str(), "content" | "value" | "text" | "data" | "body"))
    });
    named.or_else(|| others().find(|param| param.required))
}
