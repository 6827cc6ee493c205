//! Going through everything in a step that is an expression or a name: once written, used for checking
//! and for renaming.

use crate::text::{Role, holes, names};
use gtm_world::behavior::{Op, Step};
use serde_json::{Map as JsonMap, Value as Json};
use std::collections::BTreeSet;

/// A part of a step.
#[derive(Debug)]
pub enum Part<'s> {
    /// A CEL expression.
    Expr(&'s mut String),
    /// A path into the state.
    Place(&'s mut String),
    /// A collection: its name, or a place.
    Within(&'s mut String),
    /// Text with expressions in braces.
    Message(&'s mut String),
    /// The name of a member of a record.
    Member(&'s mut String),
    /// The name of a member of a reply, or of an object that a template builds.
    Key(&'s mut String),
    /// A name that later expressions may use.
    Bind(&'s mut String),
    /// The start of something with its own variables `it` and `key`, and its end.
    Rows(bool),
}

/// Visits the parts of a step in the order in which they are evaluated, names after what they name.
pub fn visit(step: &mut Step, see: &mut dyn FnMut(Part<'_>)) {
    some(&mut step.when, see, Part::Expr);
    match &mut step.op {
        Op::Require(op) => {
            some(&mut op.exists, see, Part::Place);
            some(&mut op.absent, see, Part::Place);
            some(&mut op.that, see, Part::Expr);
            some(&mut op.message, see, Part::Message);
            if let Some(reply) = &mut op.reply {
                template(reply, see);
            }
        }
        Op::Let(names) => {
            let taken = std::mem::take(names);
            for (mut name, mut value) in taken {
                template(&mut value, see);
                see(Part::Bind(&mut name));
                names.insert(name, value);
            }
        }
        Op::Create(op) => {
            see(Part::Within(&mut op.within));
            some(&mut op.id, see, Part::Expr);
            some(&mut op.from, see, Part::Expr);
            members(&mut op.set, see);
            some(&mut op.message, see, Part::Message);
            bind(&mut op.bind, see);
        }
        Op::Update(op) => {
            some(&mut op.at, see, Part::Place);
            some(&mut op.within, see, Part::Within);
            some(&mut op.id, see, Part::Expr);
            if let Some(value) = &mut op.value {
                template(value, see);
            }
            some(&mut op.merge, see, Part::Expr);
            see(Part::Rows(true));
            members(&mut op.set, see);
            see(Part::Rows(false));
            for name in &mut op.unset {
                see(Part::Member(name));
            }
            some(&mut op.message, see, Part::Message);
            bind(&mut op.bind, see);
        }
        Op::Delete(op) => {
            some(&mut op.at, see, Part::Place);
            some(&mut op.within, see, Part::Within);
            some(&mut op.id, see, Part::Expr);
            some(&mut op.message, see, Part::Message);
            bind(&mut op.bind, see);
        }
        Op::Get(op) => {
            some(&mut op.at, see, Part::Place);
            some(&mut op.within, see, Part::Within);
            some(&mut op.id, see, Part::Expr);
            see(Part::Rows(true));
            some(&mut op.filter, see, Part::Expr);
            see(Part::Rows(false));
            some(&mut op.message, see, Part::Message);
            bind(&mut op.bind, see);
        }
        Op::List(op) => {
            see(Part::Within(&mut op.within));
            see(Part::Rows(true));
            some(&mut op.filter, see, Part::Expr);
            see(Part::Rows(false));
            members(&mut op.equal, see);
            some(&mut op.search, see, Part::Expr);
            if let Some(sort) = &mut op.sort {
                see(Part::Expr(&mut sort.by));
                some(&mut sort.descending, see, Part::Expr);
            }
            some(&mut op.offset, see, Part::Expr);
            some(&mut op.limit, see, Part::Expr);
            op.bind.get_or_insert_with(|| "rows".into());
            op.total.get_or_insert_with(|| "total".into());
            some(&mut op.bind, see, Part::Bind);
            some(&mut op.total, see, Part::Bind);
        }
        Op::Attempt(steps) | Op::Do(steps) => steps.iter_mut().for_each(|step| visit(step, see)),
        // Names what is derived elsewhere, and nothing of its own.
        Op::Derived(_) => {}
        Op::Compute(op) => {
            see(Part::Expr(&mut op.over));
            see(Part::Rows(true));
            for of in [&mut op.filter, &mut op.sum, &mut op.avg, &mut op.min, &mut op.max] {
                some(of, see, Part::Expr);
            }
            see(Part::Rows(false));
            see(Part::Bind(&mut op.bind));
        }
        Op::Reply(reply) => template(reply, see),
    }
}

/// The variables that steps name, in expressions and in messages.
pub fn variables(steps: &[Step]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut look = |text: &str| {
        let variables = names(text).into_iter().filter(|name| name.role == Role::Variable);
        found.extend(variables.map(|name| name.text.to_owned()));
    };
    for step in steps {
        visit(&mut step.clone(), &mut |part| match part {
            Part::Expr(text) | Part::Place(text) => look(text),
            Part::Message(text) => holes(text).iter().for_each(|hole| look(hole)),
            _ => {}
        });
    }
    found
}

fn some<'s>(
    text: &'s mut Option<String>,
    see: &mut dyn FnMut(Part<'_>),
    part: fn(&'s mut String) -> Part<'s>,
) {
    if let Some(text) = text {
        see(part(text));
    }
}

/// What a step that binds nothing in particular binds is `it`.
fn bind(name: &mut Option<String>, see: &mut dyn FnMut(Part<'_>)) {
    match name {
        Some(name) => see(Part::Bind(name)),
        None => see(Part::Bind(&mut "it".to_owned())),
    }
}

/// Members of a record with their templates.
fn members(set: &mut JsonMap<String, Json>, see: &mut dyn FnMut(Part<'_>)) {
    for (mut name, mut value) in std::mem::take(set) {
        template(&mut value, see);
        see(Part::Member(&mut name));
        set.insert(name, value);
    }
}

/// Visits the parts of a template.
pub fn template(json: &mut Json, see: &mut dyn FnMut(Part<'_>)) {
    match json {
        Json::String(text) if text == "fill" => {}
        Json::String(text) => see(Part::Expr(text)),
        Json::Array(items) => items.iter_mut().for_each(|item| template(item, see)),
        Json::Object(object) => match object.keys().next().map(String::as_str) {
            Some("$text") => {
                if let Some(Json::String(text)) = object.get_mut("$text") {
                    see(Part::Message(text));
                }
            }
            Some("$value" | "$fill") => {}
            _ => {
                for (mut name, mut value) in std::mem::take(object) {
                    template(&mut value, see);
                    see(Part::Key(&mut name));
                    object.insert(name, value);
                }
            }
        },
        _ => {}
    }
}
