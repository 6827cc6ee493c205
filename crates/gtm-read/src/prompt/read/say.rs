//! Behaviors as completions.

use super::super::expr::Writer;
use gtm_world::ErrorKind;
use gtm_world::behavior::{
    Behavior, Compute, Create, Delete, FillMembers, Get, ListRows, Op, Require, Sort, Step, Update,
};
use serde_json::{Map as JsonMap, Value as Json};

pub(super) fn behavior(w: &mut Writer<'_>, behavior: &Behavior) -> Option<()> {
    if behavior.direct {
        w.word("direct");
        return Some(());
    }
    if behavior.unchecked {
        w.word("unchecked");
    }
    steps(w, &behavior.steps)
}

fn steps(w: &mut Writer<'_>, steps: &[Step]) -> Option<()> {
    for step in steps {
        match &step.op {
            // A line for each name, so that there is one way to say it.
            Op::Let(names) => {
                for (name, value) in names {
                    line(w, step, "let")?;
                    template(w, value)?;
                    w.word("as");
                    w.bind(name);
                }
            }
            Op::Attempt(inner) => block(w, step, "attempt", inner)?,
            Op::Do(inner) => block(w, step, "do", inner)?,
            Op::Derived(_) => return None,
            Op::Require(op) => require(w, step, op)?,
            Op::Create(op) => create(w, step, op)?,
            Op::Update(op) => update(w, step, op)?,
            Op::Delete(op) => delete(w, step, op)?,
            Op::Get(op) => get(w, step, op)?,
            Op::List(op) => list(w, step, op)?,
            Op::Compute(op) => compute(w, step, op)?,
            Op::Reply(reply) => {
                line(w, step, "reply")?;
                template(w, reply)?;
            }
        }
    }
    Some(())
}

fn line(w: &mut Writer<'_>, step: &Step, word: &str) -> Option<()> {
    w.line();
    if let Some(when) = &step.when {
        w.word("if");
        w.expression(when)?;
        w.word("then");
    }
    w.word(word);
    Some(())
}

fn block(w: &mut Writer<'_>, step: &Step, word: &str, inner: &[Step]) -> Option<()> {
    line(w, step, word)?;
    steps(w, inner)?;
    w.line();
    w.word("end");
    Some(())
}

fn require(w: &mut Writer<'_>, step: &Step, op: &Require) -> Option<()> {
    let (word, text, usual) = match (&op.exists, &op.absent, &op.that) {
        (Some(place), None, None) => ("has", place, ErrorKind::NotFound),
        (None, Some(place), None) => ("lacks", place, ErrorKind::Conflict),
        (None, None, Some(that)) => ("need", that, ErrorKind::InvalidArgument),
        _ => return None,
    };
    line(w, step, word)?;
    w.expression(text)?;
    kind(w, op.error, usual);
    if let Some(reply) = &op.reply {
        w.word("; answer");
        template(w, reply)?;
    }
    Some(())
}

fn get(w: &mut Writer<'_>, step: &Step, op: &Get) -> Option<()> {
    line(w, step, "get")?;
    target(w, op.at.as_deref(), op.within.as_deref(), op.id.as_deref())?;
    clause(w, "where", op.filter.as_deref())?;
    flag(w, "optional", op.optional);
    kind(w, op.error, ErrorKind::NotFound);
    bound(w, op.bind.as_deref());
    Some(())
}

fn create(w: &mut Writer<'_>, step: &Step, op: &Create) -> Option<()> {
    line(w, step, "create")?;
    target(w, None, Some(&op.within), op.id.as_deref())?;
    clause(w, "from", op.from.as_deref())?;
    members(w, "set", &op.set)?;
    match op.fill {
        FillMembers::None => {}
        FillMembers::Required => w.word("; required"),
        FillMembers::All => w.word("; all"),
    }
    flag(w, "replace", op.replace);
    bound(w, op.bind.as_deref());
    Some(())
}

fn update(w: &mut Writer<'_>, step: &Step, op: &Update) -> Option<()> {
    line(w, step, "update")?;
    target(w, op.at.as_deref(), op.within.as_deref(), op.id.as_deref())?;
    if let Some(value) = &op.value {
        w.word("; value");
        template(w, value)?;
    }
    clause(w, "merge", op.merge.as_deref())?;
    members(w, "set", &op.set)?;
    for name in &op.unset {
        w.word("; unset");
        w.member(name)?;
    }
    flag(w, "upsert", op.upsert);
    kind(w, op.error, ErrorKind::NotFound);
    bound(w, op.bind.as_deref());
    Some(())
}

fn delete(w: &mut Writer<'_>, step: &Step, op: &Delete) -> Option<()> {
    line(w, step, "delete")?;
    target(w, op.at.as_deref(), op.within.as_deref(), op.id.as_deref())?;
    flag(w, "missing_ok", op.missing_ok);
    kind(w, op.error, ErrorKind::NotFound);
    bound(w, op.bind.as_deref());
    Some(())
}

fn list(w: &mut Writer<'_>, step: &Step, op: &ListRows) -> Option<()> {
    line(w, step, "list")?;
    target(w, None, Some(&op.within), None)?;
    clause(w, "where", op.filter.as_deref())?;
    members(w, "match", &op.equal)?;
    clause(w, "search", op.search.as_deref())?;
    if let Some(Sort { by, descending }) = &op.sort {
        clause(w, "sort", Some(by))?;
        clause(w, "descending", descending.as_deref())?;
    }
    clause(w, "offset", op.offset.as_deref())?;
    clause(w, "limit", op.limit.as_deref())?;
    bound(w, op.bind.as_deref().filter(|name| *name != "rows"));
    if let Some(total) = op.total.as_deref().filter(|name| *name != "total") {
        w.word("; total");
        w.bind(total);
    }
    Some(())
}

fn compute(w: &mut Writer<'_>, step: &Step, op: &Compute) -> Option<()> {
    line(w, step, "compute")?;
    w.expression(&op.over)?;
    clause(w, "where", op.filter.as_deref())?;
    for (word, of) in [("sum", &op.sum), ("avg", &op.avg), ("min", &op.min), ("max", &op.max)] {
        clause(w, word, of.as_deref())?;
    }
    flag(w, "count", op.count);
    bound(w, Some(&op.bind));
    Some(())
}

fn target(w: &mut Writer<'_>, at: Option<&str>, within: Option<&str>, id: Option<&str>) -> Option<()> {
    match (at, within) {
        (Some(place), None) => {
            w.word("at");
            w.expression(place)?;
        }
        (None, Some(place)) => w.expression(place)?,
        _ => return None,
    }
    clause(w, "id", id)
}

fn clause(w: &mut Writer<'_>, word: &str, text: Option<&str>) -> Option<()> {
    let Some(text) = text else { return Some(()) };
    w.word(&format!("; {word}"));
    w.expression(text)
}

fn members(w: &mut Writer<'_>, word: &str, members: &JsonMap<String, Json>) -> Option<()> {
    if members.is_empty() {
        return Some(());
    }
    w.word(&format!("; {word}"));
    object(w, members)
}

fn flag(w: &mut Writer<'_>, word: &str, on: bool) {
    if on {
        w.word(&format!("; {word}"));
    }
}

fn kind(w: &mut Writer<'_>, kind: Option<ErrorKind>, usual: ErrorKind) {
    if let Some(kind) = kind.filter(|kind| *kind != usual) {
        w.word(&format!("; {}", kind.name()));
    }
}

fn bound(w: &mut Writer<'_>, name: Option<&str>) {
    if let Some(name) = name.filter(|name| *name != "it") {
        w.word("; as");
        w.bind(name);
    }
}

/// A template in any of its forms.
fn template(w: &mut Writer<'_>, json: &Json) -> Option<()> {
    match json {
        Json::Null | Json::Bool(_) => w.word(&json.to_string()),
        // A sign is an operator, as in expressions.
        Json::Number(number) => w.expression(&number.to_string())?,
        Json::String(text) if text == "fill" => w.word("fill"),
        Json::String(text) => w.expression(text)?,
        Json::Array(items) => {
            w.word("arr [");
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    w.word(",");
                }
                template(w, item)?;
            }
            w.word("]");
        }
        Json::Object(members) => {
            match members.iter().next().filter(|(n, _)| members.len() == 1 && n.starts_with('$')) {
                Some((name, Json::String(text))) if name == "$text" => w.message(text)?,
                Some((name, value)) if name == "$value" => constant(w, value)?,
                Some((name, Json::Object(slot))) if name == "$fill" => slot_of(w, slot)?,
                Some(_) => return None,
                None => {
                    w.word("obj");
                    object(w, members)?;
                }
            }
        }
    }
    Some(())
}

fn slot_of(w: &mut Writer<'_>, slot: &JsonMap<String, Json>) -> Option<()> {
    w.word("fill (");
    for (at, (name, value)) in slot.iter().enumerate() {
        let ("from" | "rows", Json::String(text)) = (name.as_str(), value) else { return None };
        if at > 0 {
            w.word(";");
        }
        w.word(name);
        w.expression(text)?;
    }
    w.word(")");
    Some(())
}

/// JSON as it stands.
fn constant(w: &mut Writer<'_>, json: &Json) -> Option<()> {
    match json {
        Json::String(text) => w.text(text),
        Json::Array(items) => {
            w.word("arr [");
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    w.word(",");
                }
                constant(w, item)?;
            }
            w.word("]");
        }
        Json::Object(members) if members.len() == 1 && members.keys().any(|name| name.starts_with('$')) => {
            return None; // It would be taken for something special.
        }
        Json::Object(members) => {
            w.word("obj {");
            for (at, (name, value)) in members.iter().enumerate() {
                if at > 0 {
                    w.word(",");
                }
                w.member(name)?;
                w.word("=");
                constant(w, value)?;
            }
            w.word("}");
        }
        plain => template(w, plain)?,
    }
    Some(())
}

/// `{ it : Ma , Mb = EXPRESSION }`: members without a value are those of the record before the colon.
fn object(w: &mut Writer<'_>, members: &JsonMap<String, Json>) -> Option<()> {
    let of = |name: &str, value: &Json| -> Option<String> {
        let base = value.as_str()?.strip_suffix(name)?.strip_suffix('.')?;
        w.local(base).map(|_| base.to_owned())
    };
    let mut counts: Vec<(String, usize)> = Vec::new();
    for base in members.iter().filter_map(|(name, value)| of(name, value)) {
        match counts.iter_mut().find(|(known, _)| *known == base) {
            Some((_, count)) => *count += 1,
            None => counts.push((base, 1)),
        }
    }
    // The first of those that are named most often.
    let base = counts.iter().rev().max_by_key(|(_, count)| *count).map(|(base, _)| base.clone());
    w.word("{");
    if let Some(word) = base.as_deref().and_then(|base| w.local(base)) {
        w.word(&format!("{word} :"));
    }
    for (at, (name, value)) in members.iter().enumerate() {
        if at > 0 {
            w.word(",");
        }
        w.member(name)?;
        let implied = base.as_ref().is_some_and(|base| value.as_str() == Some(&format!("{base}.{name}")));
        if !implied {
            w.word("=");
            template(w, value)?;
        }
    }
    w.word("}");
    Some(())
}
