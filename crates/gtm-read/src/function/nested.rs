//! Records that a call names inside other records: items of the order, payment methods of its user.

use super::build::{require, require_when};
use super::entity::without_id;
use super::expr;
use super::found::About;
use super::match_params::Role;
use super::state_shape::{Collection, Kind};
use super::tool::Param;
use gtm_world::ErrorKind;
use gtm_world::behavior::Step;

/// Where a parameter's value must be found.
enum Spot {
    /// In this list or object expression.
    In(usize, String),
    /// In some record of a collection: the collection inside, the one around it.
    Anywhere(usize, usize),
}

/// Checks on `it`, the record found, for every parameter that names something inside it, inside a
/// record that it refers to, or inside any record of the one collection that holds such things.
pub(super) fn checks(about: &About<'_, '_>) -> Vec<Step> {
    if about.ctx.open {
        return Vec::new();
    }
    let mut steps = Vec::new();
    for (param, role) in about.params() {
        if !matches!(role, Role::Unknown | Role::Refers(_)) || param.is_object() || param.is_bool() {
            continue;
        }
        let new = param.stems.first().is_some_and(|word| word == "new" || word == "target");
        let stems: Vec<String> = param.stems.iter().skip(usize::from(new)).cloned().collect();
        let (what, idish) = without_id(&stems);
        if !idish || what.is_empty() {
            continue;
        }
        let Some(spot) = spot(about, &what, new) else { continue };
        steps.push(check(about, param, &spot));
    }
    steps
}

fn spot(about: &About<'_, '_>, what: &[String], new: bool) -> Option<Spot> {
    let ctx = about.ctx;
    let children = |parent: usize| {
        ctx.shape.collections.iter().enumerate().filter(move |(_, c)| c.parent == Some(parent) && c.rows > 0)
    };
    if !new {
        if let Some((at, inner)) = children(about.index).find(|(_, c)| c.is_called(what)) {
            return Some(Spot::In(at, expr::below("it", &inner.path)));
        }
        for reference in ctx.references.iter().filter(|r| r.from == about.index && r.by.is_none()) {
            if let Some((at, inner)) = children(reference.to).find(|(_, c)| c.is_called(what)) {
                let key = expr::below("it", &reference.path);
                let holder = format!("{}[{key}]", ctx.expr(reference.to));
                return Some(Spot::In(at, expr::below(&holder, &inner.path)));
            }
        }
    }
    let mut elsewhere = ctx.shape.collections.iter().enumerate().filter(|(_, c)| {
        c.parent.is_some_and(|parent| parent != about.index && ctx.collection(parent).parent.is_none()) && c.rows > 0 && c.is_called(what)
    });
    let (at, inner) = elsewhere.next()?;
    if elsewhere.next().is_some() {
        return None;
    }
    Some(Spot::Anywhere(at, inner.parent?))
}

fn check(about: &About<'_, '_>, param: &Param, spot: &Spot) -> Step {
    let ctx = about.ctx;
    let value = param.expr();
    let (index, test) = match spot {
        Spot::In(index, place) => (*index, held(ctx.collection(*index), place, "v")),
        Spot::Anywhere(index, parent) => {
            let inner = held(ctx.collection(*index), &expr::below("p", &ctx.collection(*index).path), "v");
            let rows = ctx.expr(*parent);
            let all = match ctx.collection(*parent).kind {
                Kind::Map => format!("{rows}.exists(k, p, {inner})"),
                _ => format!("{rows}.exists(p, {inner})"),
            };
            (*index, all)
        }
    };
    let noun = ctx.collection(index).title();
    let noun = expr::message(&noun);
    let (test, message) = if param.is_list() {
        (format!("{value}.all(v, {test})"), format!("Some {} not found", noun.to_lowercase()))
    } else {
        (format!("cel.bind(v, {value}, {test})"), format!("{noun} '{{{value}}}' not found"))
    };
    if param.required {
        require(test, ErrorKind::NotFound, message)
    } else {
        require_when(format!("{value} != null"), test, ErrorKind::NotFound, message)
    }
}

/// Whether `place` holds a record of this id that is to be had.
fn held(c: &Collection, place: &str, id: &str) -> String {
    let available = c
        .members
        .iter()
        .find(|m| m.top() && m.first.is_boolean() && m.stems == ["available"])
        .map(|m| m.name().to_owned());
    match (c.kind, &c.id) {
        (Kind::List, Some(member)) => {
            let own = expr::select("r", member);
            let free = available.map(|name| format!(" && {} != false", expr::select("r", &name))).unwrap_or_default();
            format!("{place}.exists(r, {own} == {id}{free})")
        }
        _ => {
            let free = available
                .map(|name| format!(" && {} != false", expr::select(&format!("{place}[{id}]"), &name)))
                .unwrap_or_default();
            format!("({id} in {place}{free})")
        }
    }
}
