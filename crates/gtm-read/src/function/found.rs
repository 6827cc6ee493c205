//! Finding the record a call is about, and what must hold before.

use super::build::{bind, delete, delete_at, get, get_where, require, require_when, update, update_at};
use super::context::Context;
use super::expr;
use super::match_params::Role;
use super::state_shape::{Collection, Kind};
use super::tokens::{phrase, sentence};
use super::tool::{Param, Tool};
use gtm_world::ErrorKind;
use gtm_world::behavior::{Step, Update};

/// How a behavior reaches its record.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// Steps that check and bind; the record is `it`.
    pub(super) steps: Vec<Step>,
    /// The collection as `in:` takes it.
    pub(super) within: String,
    /// Expression for the record's id.
    pub(super) id: String,
    /// The record's place, where it is inside another record.
    pub(super) place: Option<String>,
}

impl Found {
    /// `update:` of the record, to be refined.
    pub(super) fn update(&self) -> Update {
        match &self.place {
            Some(place) => update_at(place),
            None => update(&self.within, &self.id),
        }
    }

    /// `delete:` of the record.
    pub(super) fn delete(&self, message: String) -> Step {
        match &self.place {
            Some(place) => delete_at(place, message),
            None => delete(&self.within, &self.id, message),
        }
    }
}

/// Everything a behavior about a collection needs to know.
pub(super) struct About<'c, 'a> {
    /// The toolset.
    pub(super) ctx: &'c Context<'a>,
    /// The tool.
    pub(super) tool: &'c Tool<'a>,
    /// The collection.
    pub(super) index: usize,
    /// Roles of the parameters.
    pub(super) roles: Vec<Role>,
}

impl<'c, 'a> About<'c, 'a> {
    /// The collection.
    pub(super) fn collection(&self) -> &'c Collection {
        self.ctx.collection(self.index)
    }

    /// Parameters with their roles.
    pub(super) fn params(&self) -> impl Iterator<Item = (&'c Param, &Role)> {
        self.tool.params.iter().zip(&self.roles)
    }

    /// The parameter of a role.
    pub(super) fn param(&self, role: &Role) -> Option<&'c Param> {
        self.params().find(|(_, r)| *r == role).map(|(param, _)| param)
    }

    /// The collection as `in:` takes it, once `parent` is bound where it is inside a record.
    /// `None` if it is inside a record that the call does not name.
    pub(super) fn within(&self) -> Option<String> {
        let c = self.collection();
        match c.parent {
            None => Some(c.name.clone()),
            Some(parent) => {
                let p = self.ctx.collection(parent);
                if p.parent.is_some() {
                    return None;
                }
                let key = self.param(&Role::Parent)?.expr();
                Some(expr::below(&format!("{}[{key}]", p.name), &c.path))
            }
        }
    }

    /// The collection's rows as an expression.
    pub(super) fn rows(&self) -> Option<String> {
        let c = self.collection();
        match c.parent {
            None => Some(expr::state(&c.path)),
            Some(parent) => {
                let key = self.param(&Role::Parent)?.expr();
                Some(expr::below(&format!("{}[{key}]", self.ctx.expr(parent)), &c.path))
            }
        }
    }

    /// Checks of who is calling, and that records named beside the main one exist.
    pub(super) fn checks(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        for (param, role) in self.params() {
            let value = param.expr();
            match role {
                Role::Secret(held) => {
                    let message = format!("Invalid {}", phrase(&param.stems));
                    // Nothing to compare with, nothing to refuse.
                    let test = format!("{held} == null || {held} == {value}");
                    steps.push(require(test, ErrorKind::Unauthenticated, message));
                }
                Role::Token(holder, member) => {
                    let rows = self.ctx.expr(*holder);
                    let whose = expr::select("r", member);
                    steps.push(bind("me", format!("{rows}.transformList(k, r, {whose} == {value}, k)[0]")));
                    let message = format!("The {} is invalid", phrase(&param.stems));
                    steps.push(require("me != null", ErrorKind::Unauthenticated, message));
                }
                Role::Named(_, to, _) => {
                    let test = format!("{value} in {}", self.ctx.expr(*to));
                    let message = format!(
                        "{} '{{{value}}}' not found",
                        sentence(&phrase(&param.stems[..param.stems.len() - 1]))
                    );
                    steps.push(optional(param, test, message));
                }
                Role::Parent => {
                    if let Some(parent) = self.collection().parent {
                        let p = self.ctx.collection(parent);
                        steps.push(get(&p.name, &value, missing(p, param)));
                    }
                }
                Role::Refers(to) => {
                    let other = self.ctx.collection(*to);
                    if self.ctx.open {
                        continue;
                    }
                    steps.push(optional(param, exists(self.ctx, *to, &value), missing(other, param)));
                }
                _ => {}
            }
        }
        steps
    }

    /// Reaches the record that the call names, if it names one.
    pub(super) fn find(&self) -> Option<Found> {
        let c = self.collection();
        let within = self.within()?;
        if c.parent.is_some() {
            return self.find_inside(within);
        }
        let mut steps = self.checks();
        if let Some(param) = self.param(&Role::Key) {
            if matches!(c.kind, Kind::Index | Kind::Lists) {
                return None;
            }
            let id = param.expr();
            steps.push(get(&within, &id, missing(c, param)));
            self.password(&mut steps);
            return Some(Found { steps, within, id, place: None });
        }
        if let Some(found) = self.find_own(&within, &steps) {
            return Some(found);
        }
        let tests = self.tests();
        if tests.is_empty() {
            return None;
        }
        let finder = self.params().find(|(_, role)| matches!(role, Role::Finds(_))).map(|(param, _)| param);
        let message = match finder {
            Some(param) => missing(c, param),
            None => format!("{} not found", c.title()),
        };
        let test = tests.join(" && ");
        steps.push(get_where(&within, test.clone(), message));
        self.password(&mut steps);
        let id = match (&c.id, c.kind) {
            (Some(id), _) => expr::select("it", id),
            (None, Kind::Map) => {
                let rows = self.rows()?;
                steps.push(bind("id", format!("{rows}.transformList(key, it, {test}, key)[0]")));
                "id".into()
            }
            _ => "null".into(),
        };
        Some(Found { steps, within, id, place: None })
    }

    /// The record of who is calling, where the collection is kept by who.
    fn find_own(&self, within: &str, steps: &[Step]) -> Option<Found> {
        let c = self.collection();
        let holder = self.roles.iter().find_map(|role| match role {
            Role::Token(holder, _) => Some(*holder),
            _ => None,
        })?;
        let keys = &self.ctx.collection(holder).keys;
        let same = holder == self.index || !c.keys.is_empty() && c.keys.is_subset(keys);
        if c.kind != Kind::Map || !same || self.owner(holder).is_some() {
            return None;
        }
        let mut steps = steps.to_vec();
        steps.push(get(within, "me", format!("{} not found", c.title())));
        // What else the call gives must agree: an old password, say.
        for (param, role) in self.params() {
            if let Role::Finds(at) = role {
                let held = expr::below("it", &c.members[*at].path);
                let message = format!("The {} is incorrect", phrase(&param.stems));
                let test = format!("{held} == {}", param.expr());
                steps.push(require(test, ErrorKind::PermissionDenied, message));
            }
        }
        Some(Found { steps, within: within.to_owned(), id: "me".into(), place: None })
    }

    /// Reaches a record inside the record that holds it. What is inside has no collection of its own,
    /// so it is found by its position or key.
    fn find_inside(&self, within: String) -> Option<Found> {
        let c = self.collection();
        let rows = self.rows()?;
        let key = self.param(&Role::Key);
        let mut tests = self.tests();
        if let Some(key) = key {
            tests.push(match (&c.id, c.kind) {
                (Some(id), Kind::List) => {
                    format!("string({}) == string({})", expr::select("it", id), key.expr())
                }
                (_, Kind::Map) => format!("key == string({})", key.expr()),
                _ => return None,
            });
        }
        if tests.is_empty() {
            return None;
        }
        let test = tests.join(" && ");
        let message = key.map_or_else(|| format!("{} not found", c.title()), |key| missing(c, key));
        let mut steps = self.checks();
        let there = match c.kind {
            Kind::List => {
                steps.push(bind("spot", format!("indexOf(default({rows}, []).map(it, {test}), true)")));
                "spot >= 0"
            }
            _ => {
                steps.push(bind("spot", format!("{rows}.transformList(key, it, {test}, key)[0]")));
                "spot != null"
            }
        };
        steps.push(require(there, ErrorKind::NotFound, message));
        steps.push(bind("it", format!("{rows}[spot]")));
        self.password(&mut steps);
        let id = match (&c.id, c.kind) {
            (Some(id), _) => expr::select("it", id),
            (None, Kind::Map) => "spot".into(),
            _ => "null".into(),
        };
        Some(Found { steps, place: Some(format!("{within}[spot]")), within, id })
    }

    fn password(&self, steps: &mut Vec<Step>) {
        if let Some(param) = self.param(&Role::Password) {
            let held = expr::select("it", &param.name);
            let test = format!("{held} == null || {held} == {}", param.expr());
            steps.push(require(
                test,
                ErrorKind::PermissionDenied,
                format!("Incorrect {}", phrase(&param.stems)),
            ));
        }
    }

    /// Conditions on `it` from all parameters that say which record is meant.
    pub(super) fn tests(&self) -> Vec<String> {
        let c = self.collection();
        let mut tests = Vec::new();
        let finders = self.roles.iter().any(|role| matches!(role, Role::Finds(_)));
        let changes = !self.tool.action.reads() && finders;
        for (param, role) in self.params() {
            let value = param.expr();
            let test = match role {
                // Beside what finds the record, a change gives what is to be set.
                Role::Member(_) | Role::Named(..) if changes => continue,
                Role::Finds(at) | Role::Member(at) => {
                    let member = &c.members[*at];
                    same(&expr::below("it", &member.path), &value, member.single, param)
                }
                Role::Named(at, to, stored) => {
                    let held = expr::below("it", &c.members[*at].path);
                    format!("{held} == {}", expr::select(&format!("{}[{value}]", self.ctx.expr(*to)), stored))
                }
                Role::Token(holder, _) => match self.owner(*holder) {
                    Some(owner) => format!("{} == me", expr::below("it", &owner)),
                    None => continue,
                },
                _ => continue,
            };
            tests.push(if param.required { test } else { format!("({value} == null || {test})") });
        }
        tests
    }

    /// The member of this collection that says to whom of another collection a record belongs.
    pub(super) fn owner(&self, holder: usize) -> Option<Vec<String>> {
        self.ctx
            .references
            .iter()
            .find(|r| r.from == self.index && r.to == holder && r.by.is_none())
            .map(|r| r.path.clone())
    }
}

/// `held == value`, leniently: texts regardless of case, numbers given as text.
fn same(held: &str, value: &str, single: bool, param: &Param) -> String {
    if !single {
        return if param.is_list() || param.is_object() {
            format!("{held} == {value}")
        } else {
            format!("(isList({held}) ? {value} in {held} : {held} == {value})")
        };
    }
    if param.is_list() {
        return format!("{held} in {value}");
    }
    // A date is kept without the time that the call gives, or the other way round.
    if param.stems.iter().any(|w| matches!(w.as_str(), "time" | "date" | "datetime")) {
        return format!(
            "({held} == {value} || startsWith(string({value}), string({held})) || startsWith(string({held}), string({value})))"
        );
    }
    match param.kind.as_deref() {
        Some("string") | None => {
            format!("({held} == {value} || lower(string({held})) == lower(string({value})))")
        }
        _ => format!("({held} == {value} || string({held}) == string({value}))"),
    }
}

/// A check that only counts when the argument is given.
fn optional(param: &Param, test: String, message: String) -> Step {
    let value = param.expr();
    if param.required {
        require(test, ErrorKind::NotFound, message)
    } else {
        require_when(format!("{value} != null"), test, ErrorKind::NotFound, message)
    }
}

/// Whether a collection has a record of this key.
pub(super) fn exists(ctx: &Context<'_>, index: usize, value: &str) -> String {
    let c = ctx.collection(index);
    let rows = ctx.expr(index);
    match (&c.id, c.kind) {
        (Some(id), Kind::List) => {
            format!("{rows}.exists(r, string({}) == string({value}))", expr::select("r", id))
        }
        _ => format!("{value} in {rows}"),
    }
}

/// What is said when a record is not there.
pub(super) fn missing(c: &Collection, param: &Param) -> String {
    let value = format!("{{{}}}", param.expr());
    let title = expr::message(&sentence(&c.noun_in(&param.stems)));
    match param.stems.last().map(String::as_str) {
        Some("id" | "number" | "no" | "code") => format!("{title} with ID {value} not found"),
        Some("name") => format!("{title} '{value}' not found"),
        Some(last) if param.stems != c.stems => format!("{title} with {last} '{value}' not found"),
        _ => format!("{title} '{value}' not found"),
    }
}
