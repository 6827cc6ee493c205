//! Working a call out again, by hand as it were: what its tool's steps say of the state before is compared with what it
//! answered and with the state after. This is a second, small implementation, which shares nothing with the engine; where it does
//! not understand a step or an expression it says nothing.

mod eval;
mod functions;
mod parse;
mod rows;

use crate::trace::Turn;
pub(super) use eval::equal;
use eval::{Scope, key, truth, value};
use gtm_world::ErrorKind;
use gtm_world::behavior::{Behavior, Create, Delete, Op, Step, Update};
use serde_json::{Map, Value as Json};
use std::borrow::Cow;

/// Most steps that are followed.
const MAX_STEPS: usize = 64;

/// A call to be worked out again.
pub(super) struct Case<'v> {
    pub(super) behavior: &'v Behavior,
    pub(super) turn: &'v Turn,
    /// The reply without its envelope, if that could be taken off.
    pub(super) reply: Option<&'v Json>,
    /// The state before and after.
    pub(super) before: &'v Json,
    pub(super) after: &'v Json,
}

/// What came out.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// Values that were compared.
    pub(super) values: u64,
    /// Those that were otherwise.
    pub(super) wrong: Vec<String>,
    /// Whether rows of a list were among them.
    pub(super) lists: bool,
    /// Rules that were decided.
    pub(super) rules: u64,
    /// Rules that the outcome of the call contradicts.
    pub(super) broken: Vec<String>,
}

/// Works a call out again.
pub(super) fn recompute(case: &Case<'_>) -> Outcome {
    let steps = &case.behavior.steps;
    let mut run = Run { case, writes: writes(steps), uncertain: false, outcome: Outcome::default() };
    if steps.len() <= MAX_STEPS && !case.behavior.direct {
        let state = Scope::new(case.before);
        let args = state.bind("args", Some(Cow::Borrowed(&case.turn.call.arguments)));
        run.follow(steps, args.scope());
    }
    run.outcome
}

/// Steps that change the state.
fn writes(steps: &[Step]) -> usize {
    steps
        .iter()
        .map(|step| match &step.op {
            Op::Create(_) | Op::Update(_) | Op::Delete(_) => 1,
            Op::Attempt(inner) | Op::Do(inner) => writes(inner),
            _ => 0,
        })
        .sum()
}

struct Run<'c, 'v> {
    case: &'c Case<'v>,
    writes: usize,
    /// Something before might have made the call fail.
    uncertain: bool,
    outcome: Outcome,
}

impl<'v> Run<'_, 'v> {
    fn follow(&mut self, steps: &[Step], scope: Scope<'_, 'v>) {
        let Some((step, rest)) = steps.split_first() else { return self.end() };
        if let Some(when) = &step.when {
            match value(when, scope).and_then(|value| truth(&value)) {
                Some(true) => {}
                Some(false) => return self.follow(rest, scope),
                None => return,
            }
        }
        match &step.op {
            Op::Require(require) => {
                let that = require.that.as_deref().and_then(|that| value(that, scope));
                match that.and_then(|that| truth(&that)) {
                    Some(true) => self.outcome.rules += 1,
                    Some(false) => {
                        let kind = require.error.unwrap_or(ErrorKind::InvalidArgument);
                        if self.fails(kind, require.that.as_deref().unwrap_or_default()) {
                            return;
                        }
                    }
                    None => self.uncertain = true,
                }
                self.follow(rest, scope);
            }
            Op::Get(get) => {
                let record = match (&get.within, &get.id) {
                    (Some(within), Some(id)) => record(within, id, scope),
                    _ => None,
                };
                let missing = record.as_ref().is_some_and(|record| record.is_null());
                if missing && !get.optional {
                    let kind = get.error.unwrap_or(ErrorKind::NotFound);
                    if self.fails(kind, get.id.as_deref().unwrap_or_default()) {
                        return;
                    }
                }
                self.uncertain |= record.is_none() && !get.optional;
                let bound = scope.bind(get.bind.as_deref().unwrap_or("it"), record);
                self.follow(rest, bound.scope());
            }
            Op::Let(names) => self.bind(&names.iter().take(MAX_STEPS).collect::<Vec<_>>(), rest, scope),
            Op::List(list) => {
                let page = rows::rows(list, scope);
                self.uncertain |= page.is_none();
                self.outcome.lists = true;
                let (rows, total) = match page {
                    Some((rows, total)) => (Some(Cow::Owned(rows)), Some(Cow::Owned(total))),
                    None => (None, None),
                };
                let rows = scope.bind(list.bind.as_deref().unwrap_or("rows"), rows);
                let total = rows.scope().bind(list.total.as_deref().unwrap_or("total"), total);
                self.follow(rest, total.scope());
            }
            Op::Create(_) | Op::Update(_) | Op::Delete(_) if self.case.turn.is_error || self.writes > 1 => {}
            Op::Create(create) => self.created(create, rest, scope),
            Op::Update(update) => self.updated(update, rest, scope),
            Op::Delete(delete) => self.deleted(delete, rest, scope),
            Op::Reply(template) => {
                self.uncertain |= self.case.turn.is_error && of_template(template, scope).is_none();
                self.end();
                if let (Some(reply), false) = (self.case.reply, self.case.turn.is_error) {
                    self.compare(template, reply, "", scope);
                }
            }
            Op::Compute(compute) => {
                self.uncertain = true;
                let bound = scope.bind(&compute.bind, None);
                self.follow(rest, bound.scope());
            }
            Op::Attempt(_) | Op::Do(_) | Op::Derived(_) => {}
        }
    }

    /// All rules are behind: a call that fails all the same has no reason to.
    fn end(&mut self) {
        if self.case.turn.is_error && !self.uncertain {
            self.outcome.rules += 1;
            self.outcome.broken.push("the call fails and no rule of its tool is broken".into());
        }
    }

    /// A rule is broken; true if the call failed, so that what follows was not done.
    fn fails(&mut self, kind: ErrorKind, rule: &str) -> bool {
        self.outcome.rules += 1;
        let turn = self.case.turn;
        if !turn.is_error {
            self.outcome.broken.push(format!("the call succeeds although not: {rule}"));
            return false;
        }
        if !self.uncertain && turn.error.as_deref() != Some(kind.name()) {
            let told = turn.error.as_deref().unwrap_or("no kind");
            self.outcome.broken.push(format!("the call fails with {told}, not {}: {rule}", kind.name()));
        }
        true
    }

    fn bind(&mut self, names: &[(&String, &Json)], rest: &[Step], scope: Scope<'_, 'v>) {
        match names {
            [(name, template), more @ ..] => {
                let value = of_template(template, scope);
                // What cannot be worked out here may be what cannot be worked out at all.
                self.uncertain |= value.is_none();
                let bound = scope.bind(name, value.map(Cow::Owned));
                self.bind(more, rest, bound.scope());
            }
            [] => self.follow(rest, scope),
        }
    }

    fn created(&mut self, create: &Create, rest: &[Step], scope: Scope<'_, 'v>) {
        let collection = |state: &'v Json| state.get(&create.within).and_then(Json::as_object);
        let before = collection(self.case.before);
        let mut new = collection(self.case.after)
            .into_iter()
            .flatten()
            .filter(|(id, _)| !before.is_some_and(|before| before.contains_key(*id)));
        let (Some((_, record)), None) = (new.next(), new.next()) else { return };
        self.members(&create.set, record, scope);
        let bound = scope.bind(create.bind.as_deref().unwrap_or("it"), Some(Cow::Borrowed(record)));
        self.follow(rest, bound.scope().over(self.case.after));
    }

    fn updated(&mut self, update: &Update, rest: &[Step], scope: Scope<'_, 'v>) {
        let places = match (&update.within, &update.id, &update.at) {
            (Some(within), Some(id), None) => {
                (record(within, id, scope), record(within, id, scope.over(self.case.after)))
            }
            (None, None, Some(at)) => (value(at, scope), value(at, scope.over(self.case.after))),
            _ => return,
        };
        let (Some(before), Some(after)) = places else { return };
        let it = scope.bind("it", Some(before.clone()));
        self.members(&update.set, &after, it.scope());
        if update.merge.is_none() && update.value.is_none() {
            self.unchanged(&before, &after, update);
        }
        let bound = scope.bind(update.bind.as_deref().unwrap_or("it"), Some(after));
        self.follow(rest, bound.scope().over(self.case.after));
    }

    fn deleted(&mut self, delete: &Delete, rest: &[Step], scope: Scope<'_, 'v>) {
        let (Some(within), Some(id)) = (&delete.within, &delete.id) else { return };
        let Some(removed) = record(within, id, scope) else { return };
        if let Some(left) = record(within, id, scope.over(self.case.after)) {
            self.saw(left.is_null(), || format!("{id} is deleted and still there"));
        }
        let bound = scope.bind(delete.bind.as_deref().unwrap_or("it"), Some(removed));
        self.follow(rest, bound.scope().over(self.case.after));
    }

    /// Members of a record that a step sets.
    fn members(&mut self, set: &Map<String, Json>, record: &Json, scope: Scope<'_, 'v>) {
        for (name, template) in set {
            let now = record.get(name).unwrap_or(&Json::Null);
            self.compare(template, now, name, scope);
        }
    }

    /// An update leaves alone what it does not name.
    fn unchanged(&mut self, before: &Json, after: &Json, update: &Update) {
        for (name, was) in before.as_object().into_iter().flatten() {
            if !update.set.contains_key(name) && !update.unset.contains(name) {
                let now = after.get(name).unwrap_or(&Json::Null);
                self.saw(was == now, || {
                    format!("{name} was {was} and became {now}, which the step does not say")
                });
            }
        }
    }

    /// Compares what a template gives with what is there, leaf by leaf.
    fn compare(&mut self, template: &Json, actual: &Json, path: &str, scope: Scope<'_, 'v>) {
        match template {
            Json::Object(members) if !members.keys().any(|name| name.starts_with('$')) => {
                for (name, template) in members {
                    let below = actual.get(name).unwrap_or(&Json::Null);
                    self.compare(template, below, &format!("{path}/{name}"), scope);
                }
            }
            _ => {
                if let Some(expected) = of_template(template, scope) {
                    self.saw(equal(&expected, actual), || {
                        format!("{path}: {expected} is worked out, {actual} is there")
                    });
                }
            }
        }
    }

    fn saw(&mut self, right: bool, why: impl FnOnce() -> String) {
        self.outcome.values += 1;
        if !right {
            self.outcome.wrong.push(why());
        }
    }
}

/// The record of a collection, null if there is none.
fn record<'v>(within: &str, id: &str, scope: Scope<'_, 'v>) -> Option<Cow<'v, Json>> {
    let id = key(&*value(id, scope)?)?;
    match value(within, scope)? {
        Cow::Borrowed(collection) => {
            Some(collection.as_object()?.get(&id).map_or(Cow::Owned(Json::Null), Cow::Borrowed))
        }
        Cow::Owned(_) => None,
    }
}

/// The value of a template.
fn of_template(template: &Json, scope: Scope<'_, '_>) -> Option<Json> {
    match template {
        Json::String(expression) => value(expression, scope).map(Cow::into_owned),
        Json::Array(items) => items.iter().map(|item| of_template(item, scope)).collect(),
        Json::Object(members) => match members.iter().next() {
            Some((name, literal)) if name == "$value" => Some(literal.clone()),
            _ if members.keys().any(|name| name.starts_with('$')) => None,
            _ => members
                .iter()
                .map(|(name, item)| Some((name.clone(), of_template(item, scope)?)))
                .collect::<Option<Map<_, _>>>()
                .map(Json::Object),
        },
        literal => Some(literal.clone()),
    }
}
