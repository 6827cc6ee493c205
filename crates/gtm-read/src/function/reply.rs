//! Replies, shaped by what the spec declares, else as similar tools answer.

use super::build::{literal, text};
use super::context::Context;
use super::entity::{mentions, without_id};
use super::expr;
use super::state_shape::Collection;
use super::tokens::{common, participle, same_root, sentence};
use super::tool::{Field, Param, Returns, Tool};
use serde_json::{Map, Value as Json, json};

/// What a reply may be made of.
#[derive(Clone, Debug, Default)]
pub(super) struct Sources<'s> {
    /// The collection that the record or rows are of.
    pub(super) of: Option<&'s Collection>,
    /// The record, by its name.
    pub(super) record: Option<&'s str>,
    /// The record's id, as an expression.
    pub(super) id: Option<String>,
    /// The rows, by their name.
    pub(super) rows: Option<&'s str>,
    /// What happened, in words, as a message.
    pub(super) done: Option<String>,
    /// Members that the record is sure to have; all that the collection knows if absent.
    pub(super) has: Option<Vec<String>>,
    /// Other values by the words they are known under.
    pub(super) known: Vec<(Vec<String>, String)>,
}

/// The reply of a tool that reads or writes one record.
pub(super) fn record(ctx: &Context<'_>, tool: &Tool<'_>, sources: &Sources<'_>) -> Json {
    let it = sources.record.unwrap_or("it");
    match &tool.returns {
        Returns::Object(fields) => {
            if let [only] = fields.as_slice()
                && let Some(c) = sources.of
                && sources.rows.is_none()
                && matches!(only.kind.as_str(), "object" | "")
                && c.member(&only.name).is_none()
            {
                return json!({ only.name.clone(): it });
            }
            if let [only] = fields.as_slice()
                && let Some(c) = sources.of
                && sources.rows.is_none()
                && sources.done.is_none()
                && c.member(&only.name).is_none()
            {
                // One record where many could be, or a record as text.
                if only.kind == "array"
                    && !matches!(only.items.as_str(), "string" | "number" | "integer" | "boolean")
                {
                    return json!({ only.name.clone(): [it] });
                }
                let about = |word: &String| {
                    matches!(word.as_str(), "info" | "detail" | "information" | "record" | "data")
                        || c.stems.contains(word)
                };
                if only.kind == "string" && only.stems.iter().any(about) && !without_id(&only.stems).1 {
                    return json!({ only.name.clone(): format!("string({it})") });
                }
            }
            if let Some(c) = sources.of
                && is_record(c, fields, sources)
            {
                return json!(with_id(c, it, sources, fields));
            }
            object(ctx, tool, fields, sources)
        }
        Returns::List(_) => json!([it]),
        Returns::Single(field) => single(ctx, tool, field, sources),
        Returns::Unknown => json!(it),
    }
}

/// Whether the records hold something of another type than declared.
fn clashes(c: &Collection, field: &Field) -> bool {
    c.member(&field.name).is_some_and(|member| {
        let kind = gtm_tool::schema::type_of(&member.first);
        !(kind == field.kind
            || kind == "null"
            || field.kind.is_empty()
            || kind == "integer" && field.kind == "number")
    })
}

/// Whether the declared members are those of the record itself.
fn is_record(c: &Collection, fields: &[Field], sources: &Sources<'_>) -> bool {
    let there = |field: &&Field| sources.has.as_ref().is_none_or(|has| has.contains(&field.name));
    let known = fields.iter().filter(|field| c.member(&field.name).is_some()).filter(there).count();
    let held = |field: &&Field| {
        c.member(&field.name).is_some_and(|m| m.always) || c.id.as_deref() == Some(&field.name)
    };
    let complete = fields
        .iter()
        .filter(|field| field.required)
        .all(|field| held(&field) || sources.has.is_some() && there(&field));
    let wrapped = fields
        .iter()
        .any(|field| matches!(field.kind.as_str(), "object" | "array") && c.member(&field.name).is_none());
    let said = sources.done.is_some() && fields.iter().any(|f| c.member(&f.name).is_none() && is_outcome(f));
    // What a state holds is what its tools show; what is said of it may be out of date.
    let enough = if sources.done.is_none() && c.schema.is_none() {
        known * 3 >= fields.len()
    } else {
        known * 2 > fields.len()
    };
    enough && complete && !wrapped && !said && known > 1
}

/// The record, led by its id where that is only its key and the reply is said to have it.
fn with_id(c: &Collection, it: &str, sources: &Sources<'_>, fields: &[Field]) -> String {
    let lacks = fields.iter().find(|field| {
        let (what, idish) = without_id(&field.stems);
        idish && c.member(&field.name).is_none() && (what.is_empty() || mentions(&c.stems, &what))
    });
    match (lacks, &sources.id) {
        (Some(field), Some(id)) => format!("merge({{{}: {id}}}, {it})", expr::text(&field.name)),
        _ => it.to_owned(),
    }
}

/// An object with the declared members.
pub(super) fn object(ctx: &Context<'_>, tool: &Tool<'_>, fields: &[Field], sources: &Sources<'_>) -> Json {
    let mut out = Map::new();
    for field in fields {
        // Errors are told by the envelope; a success has none.
        if is_error(field) && !field.required {
            continue;
        }
        out.insert(field.name.clone(), value(ctx, tool, field, sources));
    }
    Json::Object(out)
}

fn is_error(field: &Field) -> bool {
    matches!(field.stems.first().map(String::as_str), Some("error" | "exception" | "failure"))
        || field.stems.last().is_some_and(|last| last == "error" || last == "failure")
}

/// Whether a status is that of a record rather than of the call.
pub(super) fn is_stage(field: &Field) -> bool {
    let text = field.text.to_lowercase();
    let words = ["current", "initial", "status of the"];
    !field.options.is_empty()
        || words.iter().any(|word| text.contains(word))
            && !text.contains("success")
            && !text.contains("attempt")
}

/// Whether a member is said to tell in words how the call went.
fn is_told(field: &Field) -> bool {
    let text = field.text.to_lowercase();
    field.kind == "string"
        && is_outcome(field)
        && ["describing", "result", "confirm", "success", "attempt", "outcome", "operation"]
            .iter()
            .any(|word| text.contains(word))
}

/// Whether a member tells how the call went, rather than anything about the record.
pub(super) fn is_outcome(field: &Field) -> bool {
    field.stems.iter().any(|stem| {
        matches!(
            stem.as_str(),
            "status" | "success" | "result" | "message" | "outcome" | "confirmation" | "ok"
        )
    })
}

/// One declared member.
fn value(ctx: &Context<'_>, tool: &Tool<'_>, field: &Field, sources: &Sources<'_>) -> Json {
    if let Some((_, known)) = sources.known.iter().find(|(stems, _)| *stems == field.stems) {
        return json!(known);
    }
    if sources.done.is_some() && is_told(field) && field.text.to_lowercase().contains("operation") {
        return outcome(tool, field, sources);
    }
    if sources.done.is_some()
        && is_told(field)
        && sources
            .of
            .is_none_or(|c| c.member(&field.name).is_none_or(|m| !m.stems.iter().any(|s| s == "status")))
    {
        return outcome(tool, field, sources);
    }
    if let Some(held) = of_record(field, sources) {
        return json!(held);
    }
    if let Some(param) =
        tool.params.iter().find(|param| param.name == field.name || param.stems == field.stems)
        && fits(field, param)
    {
        return json!(or_default(param));
    }
    if let Some((_, known)) = sources
        .known
        .iter()
        .find(|(stems, _)| common(stems, &field.stems) > 0 && common(stems, &field.stems) == stems.len())
    {
        return json!(known);
    }
    if let Some(rows) = rows_for(field, sources) {
        return rows;
    }
    match field.kind.as_str() {
        "boolean" => json!(true),
        "string"
            if sources.done.is_some() && is_outcome(field)
                || sources.done.is_some() && named_after_verb(tool, field) =>
        {
            outcome(tool, field, sources)
        }
        "object" if !field.inner.is_empty() => object(ctx, tool, &field.inner, sources),
        "object" if sources.record.is_some() && sources.of.is_some() => json!(sources.record),
        _ => match scalar(ctx, tool, field) {
            Some(held) => json!(held),
            None => json!("fill"),
        },
    }
}

/// Whether a value of this parameter can stand as this member.
fn fits(field: &Field, param: &Param) -> bool {
    field.kind.is_empty()
        || param.kind.is_none()
        || param.kind.as_deref() == Some(field.kind.as_str())
        || (field.kind == "number" && param.is_number())
}

/// A parameter's value, or its default.
pub(super) fn or_default(param: &Param) -> String {
    match &param.default {
        Some(default) if !param.required && !is_no_default(default) => {
            format!("default({}, {default})", param.expr())
        }
        _ => param.expr(),
    }
}

/// Defaults that mean that there is none.
pub(super) fn is_no_default(default: &Json) -> bool {
    default.is_null() || default.as_str().is_some_and(|text| matches!(text, "None" | "null" | "none"))
}

/// The member of the record that a reply's member shows.
fn of_record(field: &Field, sources: &Sources<'_>) -> Option<String> {
    let (c, it) = (sources.of?, sources.record?);
    let there = |name: &str| sources.has.as_ref().is_none_or(|has| has.iter().any(|has| has == name));
    if sources.has.is_some() && there(&field.name) && c.member(&field.name).is_none() {
        return Some(expr::select(it, &field.name));
    }
    if let Some(member) = c.member(&field.name) {
        if !there(&field.name) {
            return None;
        }
        let clash = field.kind == "boolean" && !member.first.is_boolean() && !member.first.is_null();
        return (!clash).then(|| expr::below(it, &member.path));
    }
    let (what, idish) = without_id(&field.stems);
    if idish
        && (what.is_empty() || mentions(&c.stems, &what) || mentions(&what, &c.stems))
        && let Some(id) = &sources.id
    {
        return Some(id.clone());
    }
    let bare = |stems: &[String]| -> Vec<String> {
        let rest: Vec<String> = stems
            .iter()
            .filter(|w| !c.stems.contains(w) && !matches!(w.as_str(), "new" | "current" | "updated"))
            .cloned()
            .collect();
        if rest.is_empty() { stems.to_vec() } else { rest }
    };
    let member = c.members.iter().find(|member| bare(&member.stems) == bare(&field.stems))?;
    if !there(&member.path[0]) {
        return None;
    }
    let clash = field.kind == "boolean" && !member.first.is_boolean() && !member.first.is_null()
        || (field.kind == "array") == (member.single && !member.first.is_null());
    (!clash).then(|| expr::below(it, &member.path))
}

/// Rows as a reply's member shows them.
fn rows_for(field: &Field, sources: &Sources<'_>) -> Option<Json> {
    let rows = sources.rows?;
    if matches!(field.kind.as_str(), "integer" | "number")
        && field.stems.iter().any(|w| matches!(w.as_str(), "total" | "count" | "number" | "size" | "length"))
    {
        return Some(json!("total"));
    }
    if field.kind != "array" {
        return None;
    }
    // Records cannot stand where single values are declared.
    let plain = matches!(field.items.as_str(), "string" | "number" | "integer" | "boolean");
    let records = sources.of.is_some_and(|c| !c.members.is_empty());
    Some(if plain && records { json!("fill") } else { json!(rows) })
}

/// The single value in the state that a reply's member shows.
fn scalar(ctx: &Context<'_>, tool: &Tool<'_>, field: &Field) -> Option<String> {
    let group = ctx.group_of(tool);
    let core: Vec<String> = field
        .stems
        .iter()
        .filter(|w| !matches!(w.as_str(), "new" | "current" | "updated"))
        .cloned()
        .collect();
    let near =
        |scalar: &&super::state_shape::Scalar| group.is_none_or(|group| scalar.group.starts_with(group));
    let kind_fits = |scalar: &&super::state_shape::Scalar| {
        let kind = gtm_tool::schema::type_of(&scalar.value);
        field.kind.is_empty()
            || kind == field.kind
            || (kind == "integer" && field.kind == "number")
            || kind == "null"
    };
    let all = || ctx.shape.scalars.iter().filter(near).filter(kind_fits);
    all()
        .find(|s| s.stems == field.stems)
        .or_else(|| all().find(|s| s.stems == core))
        .map(|s| expr::state(&s.path))
}

fn named_after_verb(tool: &Tool<'_>, field: &Field) -> bool {
    field.stems.iter().any(|stem| !tool.action.word.is_empty() && same_root(stem, &tool.action.word))
}

/// How the call went: a listed value, a word where the description gives one, else a sentence.
fn outcome(tool: &Tool<'_>, field: &Field, sources: &Sources<'_>) -> Json {
    const GOOD: &[&str] = &[
        "success",
        "successful",
        "succeeded",
        "ok",
        "done",
        "completed",
        "confirmed",
        "active",
        "true",
        "sent",
    ];
    let done = participle(&tool.action.word);
    if let Some(option) = field
        .options
        .iter()
        .find(|option| same_root(option, &done) || GOOD.contains(&option.to_lowercase().as_str()))
    {
        return literal(json!(option));
    }
    if let Some(first) = field.options.first() {
        return literal(json!(first));
    }
    let text_of = field.text.to_lowercase();
    for word in ["success", "Success", "ok"] {
        if field.text.split(|c: char| !c.is_alphanumeric()).any(|part| part == word)
            && (text_of.contains(" or ") || text_of.contains("fail"))
        {
            return literal(json!(word));
        }
    }
    match &sources.done {
        Some(done) => text(done.clone()),
        None => json!("fill"),
    }
}

fn single(ctx: &Context<'_>, tool: &Tool<'_>, field: &Field, sources: &Sources<'_>) -> Json {
    match field.kind.as_str() {
        "boolean" => json!(true),
        "string" => match &sources.done {
            Some(done) => text(done.clone()),
            None => json!("fill"),
        },
        "integer" | "number" => match &sources.id {
            Some(id) => json!(id),
            None => json!("fill"),
        },
        _ => value(ctx, tool, field, sources),
    }
}

/// "Order 12 has been cancelled successfully."
pub(super) fn done_message(tool: &Tool<'_>, noun: &str, param: Option<&Param>) -> String {
    let verb = match tool.action.word.as_str() {
        "" => "processed".to_owned(),
        word => {
            let mut words = word.split(' ');
            let first = participle(words.next().unwrap_or(word));
            words.fold(first, |done, rest| format!("{done} {rest}"))
        }
    };
    let noun = expr::message(&sentence(noun));
    match param {
        Some(param) => format!("{noun} {{{}}} {verb} successfully", param.expr()),
        None => format!("{noun} {verb} successfully"),
    }
}

/// The reply of a call that removed something or did something about which there is no record.
pub(super) fn done(ctx: &Context<'_>, tool: &Tool<'_>, sources: &Sources<'_>) -> Json {
    let message = sources.done.clone().unwrap_or_else(|| "Success".into());
    match &tool.returns {
        Returns::Object(fields) => object(ctx, tool, fields, sources),
        Returns::Single(field) => single(ctx, tool, field, sources),
        Returns::List(_) => json!("fill"),
        Returns::Unknown => json!({ "success": true, "message": text(message) }),
    }
}

/// Rows, wrapped as declared.
pub(super) fn rows(
    ctx: &Context<'_>,
    tool: &Tool<'_>,
    sources: &Sources<'_>,
    as_map: Option<&str>,
    as_keys: Option<&str>,
) -> Json {
    let rows = sources.rows.unwrap_or("rows");
    match &tool.returns {
        Returns::Object(fields) => {
            let arrays: Vec<&Field> = fields.iter().filter(|field| field.kind == "array").collect();
            if arrays.is_empty()
                && let Some(map) = as_map
                && let Some(field) = fields.iter().find(|field| field.kind == "object")
            {
                return json!({ field.name.clone(): map });
            }
            if let [list] = arrays.as_slice()
                && let Some(keys) = as_keys
                && list.inner.is_empty()
                && matches!(list.items.as_str(), "string" | "integer")
            {
                let mut out = object(ctx, tool, fields, sources);
                if let Some(out) = out.as_object_mut() {
                    out.insert(list.name.clone(), json!(keys));
                }
                return out;
            }
            if !arrays.is_empty() {
                return object(ctx, tool, fields, sources);
            }
            // Declared as one record, though many are meant.
            if let Some(c) = sources.of
                && is_record(c, fields, sources)
                && !fields.iter().any(|field| field.required || clashes(c, field))
            {
                return json!(format!("default({rows}[0], {{}})"));
            }
            json!({ fields.first().map_or_else(|| "results".to_owned(), |f| f.name.clone()): "fill" })
        }
        Returns::Single(field) if field.kind == "string" => json!(format!("string({rows})")),
        _ => match as_keys {
            Some(keys)
                if matches!(&tool.returns, Returns::List(fields) if fields.is_empty())
                    && list_of_texts(tool) =>
            {
                json!(keys)
            }
            _ => json!(rows),
        },
    }
}

fn list_of_texts(tool: &Tool<'_>) -> bool {
    let items = tool.spec.returns.as_ref().and_then(|r| r.get("items"));
    items
        .and_then(|items| items.get("type"))
        .and_then(Json::as_str)
        .is_some_and(|t| t == "string" || t == "integer")
}

/// Whether failing is told in the reply: a flag said to be false then.
pub(super) fn tells_failure(tool: &Tool<'_>) -> bool {
    let tells = |field: &Field| {
        let text = field.text.to_lowercase();
        field.kind == "boolean"
            && (text.contains("false otherwise")
                || text.contains("false if")
                || text.contains("otherwise false"))
    };
    match &tool.returns {
        Returns::Object(fields) => fields.iter().any(tells),
        Returns::Single(field) => tells(field),
        _ => false,
    }
}
