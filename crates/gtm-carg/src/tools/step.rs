//! Steps, written shortly.

use crate::domain::Kindred;
use gtm_world::ErrorKind;
use gtm_world::behavior::{Create, Delete, Get, ListRows, Op, Require, Step, Update};
use serde_json::{Map as JsonMap, Value as Json};

pub(super) fn require(that: impl Into<String>, error: ErrorKind, message: impl Into<String>) -> Step {
    let op = Require {
        that: Some(that.into()),
        error: Some(error),
        message: Some(message.into()),
        ..Require::default()
    };
    Op::Require(op).into()
}

pub(super) fn get(kindred: &Kindred, id: impl Into<String>, bind: &str) -> Step {
    let op = Get {
        within: Some(kindred.collection.clone()),
        id: Some(id.into()),
        bind: (bind != "it").then(|| bind.to_owned()),
        ..Get::default()
    };
    Op::Get(op).into()
}

pub(super) fn when(condition: impl Into<String>, step: Step) -> Step {
    Step { when: Some(condition.into()), ..step }
}

pub(super) fn list(kindred: &Kindred) -> ListRows {
    ListRows { within: kindred.collection.clone(), ..ListRows::default() }
}

pub(super) fn create(kindred: &Kindred, set: JsonMap<String, Json>) -> Step {
    Op::Create(Create { within: kindred.collection.clone(), set, ..Create::default() }).into()
}

/// Changes a record of a collection, or (without id) a singleton.
pub(super) fn update(kindred: &Kindred, id: Option<&str>) -> Update {
    match id {
        Some(id) => {
            Update { within: Some(kindred.collection.clone()), id: Some(id.into()), ..Update::default() }
        }
        None => Update { at: Some(kindred.collection.clone()), ..Update::default() },
    }
}

pub(super) fn delete(kindred: &Kindred, id: impl Into<String>) -> Step {
    let op = Delete {
        within: Some(kindred.collection.clone()),
        id: Some(id.into()),
        bind: Some("removed".into()),
        ..Delete::default()
    };
    Op::Delete(op).into()
}

/// `let` of one name.
pub(super) fn bind(name: &str, value: impl Into<Json>) -> Step {
    Op::Let(JsonMap::from_iter([(name.to_owned(), value.into())])).into()
}
