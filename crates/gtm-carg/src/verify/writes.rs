//! What calls change: nothing if they fail or only read; what they were given, if they create or update.

use super::Step;
use super::changes::unescaped;
use super::counters::{Check, Found};
use super::recompute::equal;
use super::replies::{argument, id};
use crate::trace::{Expected, Trace};
use gtm_world::behavior::{Collection, IdStyle};
use serde_json::Value as Json;
use std::collections::{BTreeMap, HashSet};

/// What is known about ids so far.
pub(super) struct Writes<'t> {
    collections: &'t BTreeMap<String, Collection>,
    /// Top members of the first state: a session has no others.
    roots: HashSet<&'t str>,
}

impl<'t> Writes<'t> {
    pub(super) fn new(trace: &'t Trace) -> Self {
        let roots = trace.initial_state.as_object().into_iter().flatten();
        Writes {
            collections: &trace.behaviors.collections,
            roots: roots.map(|(name, _)| name.as_str()).collect(),
        }
    }

    pub(super) fn see(&mut self, step: &Step<'_, '_>, found: &mut Found<'_>) {
        let Step { fact, turn, .. } = step;
        let still = !(turn.changed && (turn.is_error || !fact.writes));
        found.check(Check::NoChange, still, || "a failed call or a read changes the state".into());
        if turn.is_error {
            return;
        }
        for change in &turn.changes {
            self.place(step, change, found);
        }
        let plan = fact.plan.split(' ').next().unwrap_or_default();
        if matches!(plan, "create" | "update" | "set")
            && let Some(record) = written(step)
        {
            echo(record, &turn.call.arguments, found);
        }
    }

    /// A change is at a place that the session has; a new record has an id of its own.
    fn place(&self, step: &Step<'_, '_>, change: &Expected, found: &mut Found<'_>) {
        let mut names = change.path.trim_start_matches('/').split('/').map(unescaped);
        let (root, key) = (names.next().unwrap_or_default(), names.next());
        found.check(Check::Isolation, self.roots.contains(root.as_str()), || {
            format!("{root} is changed and is not of this session's state")
        });
        let (Some(key), None, Some(collection)) = (key, names.next(), self.collections.get(&root)) else {
            return;
        };
        if change.value.is_null() {
            return;
        }
        let held = step.before.get(&root).and_then(|records| records.get(&key));
        found.check(Check::NewIds, held.is_none(), || format!("the id {key} was there before"));
        if let Some(member) = &collection.id {
            let own = change.value.get(member).and_then(id);
            found.check(Check::NewIds, own.as_deref() == Some(&key), || {
                format!("the record {key} says that its {member} is {own:?}")
            });
        }
        if let Some(style) = &collection.ids {
            found.check(Check::NewIds, in_style(&key, style), || {
                format!("{key} does not look as the ids of {root} do")
            });
        }
    }
}

/// The record that a call made or changed, as the state then has it.
fn written<'j>(step: &Step<'_, 'j>) -> Option<&'j Json> {
    let records = step.after.get(step.fact.collection.as_deref()?)?.as_object()?;
    let before = step.before.get(step.fact.collection.as_deref()?)?;
    match argument(&step.turn.call.arguments, &step.fact.id_argument) {
        Some(id) => records.get(&id),
        None => {
            let mut new = records.iter().filter(|(id, _)| before.get(id.as_str()).is_none());
            let (_, record) = new.next()?;
            new.next().is_none().then_some(record)
        }
    }
}

/// Arguments that the record has members of the same name for are in it as given.
fn echo(record: &Json, arguments: &Json, found: &mut Found<'_>) {
    for (name, value) in arguments.as_object().into_iter().flatten() {
        match record.get(name) {
            Some(held) => found.check(Check::Echo, equal(held, value), || {
                format!("{name} was given as {value} and is {held}")
            }),
            None if value.is_object() => echo(record, value, found),
            None => {}
        }
    }
}

/// Whether an id is of a style.
fn in_style(id: &str, style: &IdStyle) -> bool {
    match style {
        IdStyle::Integer(_) | IdStyle::IntegerText(_) => id.parse::<i64>().is_ok(),
        IdStyle::Pattern(pattern) => fits(id, pattern),
        IdStyle::Uuid(_) => fits(id, "????????-????-????-????-????????????"),
    }
}

/// `#` stands for a digit, `?` for a hexadecimal one.
fn fits(text: &str, pattern: &str) -> bool {
    text.chars().count() == pattern.chars().count()
        && text.chars().zip(pattern.chars()).all(|(c, p)| match p {
            '#' => c.is_ascii_digit(),
            '?' => c.is_ascii_hexdigit(),
            p => c == p,
        })
}
