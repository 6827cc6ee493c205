//! Steps, in short.

use gtm_world::ErrorKind;
use gtm_world::behavior::{Behavior, Create, Delete, Get, ListRows, Op, Require, Step, Template, Update};
use serde_json::{Map, Value as Json};

/// `require: {that}`
pub(super) fn require(that: impl Into<String>, error: ErrorKind, message: impl Into<String>) -> Step {
    Op::Require(Require {
        that: Some(that.into()),
        error: Some(error),
        message: Some(message.into()),
        ..Require::default()
    })
    .into()
}

/// `require: {that}` that only counts when a condition holds.
pub(super) fn require_when(
    when: impl Into<String>,
    that: impl Into<String>,
    error: ErrorKind,
    message: impl Into<String>,
) -> Step {
    Step { when: Some(when.into()), ..require(that, error, message) }
}

/// `let: {name: expression}`
pub(super) fn bind(name: &str, expression: impl Into<String>) -> Step {
    let mut names = Map::new();
    names.insert(name.to_owned(), Json::String(expression.into()));
    Op::Let(names).into()
}

/// `get: {in, id}`
pub(super) fn get(within: &str, id: &str, message: String) -> Step {
    Op::Get(Get {
        within: Some(within.to_owned()),
        id: Some(id.to_owned()),
        message: Some(message),
        ..Get::default()
    })
    .into()
}

/// `get: {in, where}`
pub(super) fn get_where(within: &str, filter: String, message: String) -> Step {
    Op::Get(Get {
        within: Some(within.to_owned()),
        filter: Some(filter),
        message: Some(message),
        ..Get::default()
    })
    .into()
}

/// `list: {in}`, to be refined.
pub(super) fn list(within: &str) -> ListRows {
    ListRows { within: within.to_owned(), ..ListRows::default() }
}

/// `create: {in}`, to be refined.
pub(super) fn create(within: &str) -> Create {
    Create { within: within.to_owned(), ..Create::default() }
}

/// `update: {in, id}`, to be refined.
pub(super) fn update(within: &str, id: &str) -> Update {
    Update { within: Some(within.to_owned()), id: Some(id.to_owned()), ..Update::default() }
}

/// `update: {at}`, to be refined.
pub(super) fn update_at(place: &str) -> Update {
    Update { at: Some(place.to_owned()), ..Update::default() }
}

/// `update: {at, value}`
pub(super) fn assign(place: &str, value: impl Into<Json>) -> Step {
    Op::Update(Update { value: Some(value.into()), upsert: true, bind: Some("_".into()), ..update_at(place) })
        .into()
}

/// `delete: {in, id}`
pub(super) fn delete(within: &str, id: &str, message: String) -> Step {
    Op::Delete(Delete {
        within: Some(within.to_owned()),
        id: Some(id.to_owned()),
        message: Some(message),
        ..Delete::default()
    })
    .into()
}

/// `reply:`
pub(super) fn reply(template: Template) -> Step {
    Op::Reply(template).into()
}

/// A behavior of these steps.
pub(super) fn behavior(steps: Vec<Step>) -> Behavior {
    Behavior { steps, ..Behavior::default() }
}

/// A literal in a template, where text alone would be an expression.
pub(super) fn literal(value: Json) -> Json {
    match value {
        Json::Bool(_) | Json::Number(_) | Json::Null => value,
        other => serde_json::json!({ "$value": other }),
    }
}

/// `{$text: message}`
pub(super) fn text(message: impl Into<String>) -> Json {
    serde_json::json!({ "$text": message.into() })
}

/// `delete: {at}`
pub(super) fn delete_at(place: &str, message: String) -> Step {
    Op::Delete(Delete { at: Some(place.to_owned()), message: Some(message), ..Delete::default() }).into()
}
