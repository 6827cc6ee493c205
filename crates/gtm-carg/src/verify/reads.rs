//! What replies show of the state: records as it has them, nothing that was deleted, nothing of elsewhere; and the same
//! again for the same question.

use super::Step;
use super::counters::{Check, Found};
use super::recompute::equal;
use super::replies::{argument, id, rows, with_id};
use crate::trace::{Trace, Turn};
use serde_json::{Map, Value as Json};
use std::collections::{HashMap, HashSet};

/// Names that an object shares with the records of a collection, for it to be taken for one of them.
const LEAST_SHARED: usize = 3;
/// And the share of its names that these are.
const SHARED: f64 = 0.75;

/// Kinds of tools that show records as they are; others may answer with members of a like name that mean something else.
const SHOWING: [&str; 6] = ["read", "list", "search", "create", "update", "transition"];

/// What earlier turns have told.
pub(super) struct Reads<'t> {
    /// Names of the members of a collection's records.
    members: HashMap<&'t str, HashSet<&'t str>>,
    /// Ids that were deleted, by collection.
    deleted: HashSet<(&'t str, String)>,
    /// Replies to reads by call, with the number of changes then.
    asked: HashMap<String, (u64, &'t Turn)>,
    changes: u64,
}

impl<'t> Reads<'t> {
    pub(super) fn new(trace: &'t Trace) -> Self {
        let mut members: HashMap<&str, HashSet<&str>> = HashMap::new();
        for name in trace.behaviors.collections.keys() {
            let records = trace.initial_state.get(name).and_then(Json::as_object);
            let known = members.entry(name.as_str()).or_default();
            for record in records.into_iter().flat_map(Map::values).filter_map(Json::as_object) {
                known.extend(record.keys().map(String::as_str));
            }
        }
        Reads { members, deleted: HashSet::new(), asked: HashMap::new(), changes: 0 }
    }

    pub(super) fn see(&mut self, step: &Step<'t, '_>, found: &mut Found<'_>) {
        let Step { fact, turn, .. } = *step;
        self.repeat(step, found);
        self.changes += u64::from(turn.changed);
        self.note_deleted(step);
        self.by_id(step, found);
        if turn.is_error || fact.id_member.is_empty() {
            return;
        }
        if SHOWING.contains(&fact.family.as_str()) {
            for shown in with_id(&turn.response, &fact.id_member) {
                self.record(step, shown, found);
            }
        }
        if matches!(fact.family.as_str(), "list" | "search")
            && let Some((rows, total)) = rows(&turn.response, &fact.id_member)
        {
            let ids: HashSet<Option<String>> =
                rows.iter().map(|row| row.get(&fact.id_member).and_then(id)).collect();
            found.check(Check::Lists, ids.len() == rows.len(), || "a list holds a record twice".into());
            if let Some(total) = total {
                found.check(Check::Lists, total >= rows.len() as u64, || {
                    format!("the total {total} is below the {} rows that are shown", rows.len())
                });
            }
        }
    }

    /// The same read on the same state.
    fn repeat(&mut self, step: &Step<'t, '_>, found: &mut Found<'_>) {
        let turn = step.turn;
        if step.fact.writes {
            return;
        }
        let call = format!("{}\0{}", turn.call.name, turn.call.arguments);
        if let Some((changes, earlier)) = self.asked.get(&call)
            && *changes == self.changes
        {
            let same = earlier.response == turn.response && earlier.is_error == turn.is_error;
            found.check(Check::Repeat, same, || {
                "the same read on the same state is answered otherwise".into()
            });
        }
        self.asked.insert(call, (self.changes, turn));
    }

    fn note_deleted(&mut self, step: &Step<'t, '_>) {
        for name in self.members.keys().copied() {
            for change in &step.turn.changes {
                let key =
                    change.path.strip_prefix('/').and_then(|path| path.strip_prefix(name)?.strip_prefix('/'));
                let Some(key) = key.filter(|key| !key.contains('/')) else { continue };
                let entry = (name, super::changes::unescaped(key));
                match change.value.is_null() {
                    true => self.deleted.insert(entry),
                    // Its id may be given to a new record.
                    false => self.deleted.remove(&entry),
                };
            }
        }
    }

    /// A record that is asked for by id is found if it is there, and not if it is gone.
    fn by_id(&mut self, step: &Step<'t, '_>, found: &mut Found<'_>) {
        let Step { fact, turn, before, .. } = *step;
        let Some(collection) = fact.collection.as_deref() else { return };
        let Some(id) = argument(&turn.call.arguments, &fact.id_argument) else { return };
        if fact.plan.split(' ').next() != Some("get") || fact.family != "read" {
            return;
        }
        let there = before.get(collection).is_some_and(|records| records.get(&id).is_some());
        if turn.is_error {
            if turn.error.as_deref() == Some("not_found") {
                found.check(Check::ReadYourWrites, !there, || format!("{id} is there and is not found"));
            }
        } else {
            let gone = self.deleted.contains(&(collection, id.clone()));
            found.check(Check::Absence, !gone, || format!("{id} was deleted from {collection} and is found"));
            found.check(Check::Isolation, gone || there, || {
                format!("{id} was never made and is found in {collection}")
            });
        }
    }

    /// A record in a reply is as the state has it.
    fn record(&self, step: &Step<'_, '_>, shown: &Json, found: &mut Found<'_>) {
        let (Some(members), Some(id)) = (shown.as_object(), shown.get(&step.fact.id_member).and_then(id))
        else {
            return;
        };
        let like: Vec<&str> = self
            .members
            .iter()
            .filter(|(_, known)| {
                let shared = members.keys().filter(|name| known.contains(name.as_str())).count();
                shared >= LEAST_SHARED && shared as f64 >= SHARED * members.len() as f64
            })
            .map(|(name, _)| *name)
            .collect();
        if like.is_empty() {
            return;
        }
        let held: Vec<&Json> = like.iter().filter_map(|name| step.after.get(name)?.get(&id)).collect();
        if held.is_empty() {
            let gone = like.iter().any(|name| self.deleted.contains(&(name, id.clone())));
            // A call that deletes may show what it deleted.
            let removed =
                like.iter().any(|name| step.before.get(name).is_some_and(|all| all.get(&id).is_some()));
            if gone && !removed {
                found.check(Check::Absence, false, || format!("{id} was deleted and is shown"));
            } else {
                found.check(Check::Isolation, removed, || format!("{id} is shown and was never made"));
            }
            return;
        }
        let differs = |held: &Json| {
            members
                .iter()
                .find(|(name, value)| held.get(name.as_str()).is_some_and(|held| !equal(held, value)))
        };
        let wrong = held.iter().map(|held| differs(held)).collect::<Vec<_>>();
        let right = wrong.iter().any(Option::is_none);
        found.check(Check::ReadYourWrites, right, || {
            let (name, value) =
                wrong.iter().flatten().next().map_or(("", &Json::Null), |(n, v)| (n.as_str(), *v));
            format!("{id} shows {name} as {value}, which the state does not")
        });
    }
}
