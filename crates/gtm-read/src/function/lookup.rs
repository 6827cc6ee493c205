//! Tools that read one record, or part of one.

use super::build::{behavior, bind, reply, require};
use super::expr;
use super::extreme;
use super::found::{About, missing};
use super::match_params::Role;
use super::part;
use super::reply::{self as shape, Sources};
use super::state_shape::Kind;
use gtm_world::ErrorKind;
use gtm_world::behavior::Behavior;
use serde_json::json;

/// Reads one record, by its key or by members that find it.
pub(super) fn read(about: &About<'_, '_>) -> Option<Behavior> {
    let c = about.collection();
    if matches!(c.kind, Kind::Index | Kind::Lists) {
        return keyed(about);
    }
    if let Some(behavior) = extreme::series(about) {
        return Some(behavior);
    }
    let mut found = about.find()?;
    let mut checked = super::auth::required(about.ctx, about.tool, Some(about.index));
    checked.append(&mut found.steps);
    found.steps = checked;
    let sources =
        Sources { of: Some(c), record: Some("it"), id: Some(found.id.clone()), ..Sources::default() };
    if let Some(field) = about.param(&Role::FieldName) {
        let value = format!("it[{}]", field.expr());
        let test = format!("has({value})");
        found.steps.push(require(
            test,
            ErrorKind::InvalidArgument,
            format!("Unknown field '{{{}}}'", field.expr()),
        ));
        found.steps.push(reply(json!(format!("{{string({}): {value}}}", field.expr()))));
        return Some(behavior(found.steps));
    }
    let template = match part::of(about, &found.id) {
        Some((value, name)) => part::reply(about.ctx, about.tool, &sources, &value, &name),
        None => shape::record(about.ctx, about.tool, &sources),
    };
    found.steps.push(reply(template));
    Some(behavior(found.steps))
}

/// What is kept under a key that is not a record: a single value or a list.
fn keyed(about: &About<'_, '_>) -> Option<Behavior> {
    let c = about.collection();
    let param = about.param(&Role::Key)?;
    let rows = about.rows()?;
    // Names are found whatever their case.
    let named = c.keys.iter().all(|key| key.chars().any(char::is_alphabetic));
    let value = if named && c.kind == Kind::Lists {
        let (name, given) = (param.expr(), "k.lower() == string");
        format!(
            "{rows}[{name} in {rows} ? {name} : default(keys({rows}).filter(k, {given}({name}).lower())[0], {name})]"
        )
    } else {
        format!("{rows}[{}]", param.expr())
    };
    let mut steps = super::auth::required(about.ctx, about.tool, Some(about.index));
    steps.extend(about.checks());
    steps.push(require(format!("has({value})"), ErrorKind::NotFound, missing(c, param)));
    let rows = match c.kind {
        Kind::Lists => {
            let list = filtered(about, &value);
            steps.push(bind("rows", list));
            steps.push(bind("total", "size(rows)"));
            Some("rows")
        }
        _ => {
            steps.push(bind("it", value));
            None
        }
    };
    let template = match rows {
        Some(rows) => {
            let sources = Sources { of: Some(c), rows: Some(rows), ..Sources::default() };
            shape::rows(about.ctx, about.tool, &sources, None, None)
        }
        None => part::reply(about.ctx, about.tool, &Sources::default(), "it", &c.stems.join("_")),
    };
    steps.push(reply(template));
    Some(behavior(steps))
}

/// The list under a key, reduced to what the other parameters ask for.
fn filtered(about: &About<'_, '_>, value: &str) -> String {
    let c = about.collection();
    let mut tests: Vec<String> = about.tests();
    for (param, role) in about.params() {
        let (at, sign) = match role {
            Role::From(at) => (at, ">="),
            Role::To(at) => (at, "<="),
            _ => continue,
        };
        let held = expr::below("it", &c.members[*at].path);
        tests.push(format!("({} == null || {held} == null || {held} {sign} {})", param.expr(), param.expr()));
    }
    if tests.is_empty() { value.to_owned() } else { format!("{value}.filter(it, {})", tests.join(" && ")) }
}
