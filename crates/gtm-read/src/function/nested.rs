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

/// Whether a parameter names a record inside others, and so is not a value of its own.
pub(super) fn names_inner(about: &About<'_, '_>, param: &Param) -> bool {
    let (what, idish) = without_id(&param.stems);
    idish && !what.is_empty() && spot(about, &what, false).is_some()
}

fn spot(about: &About<'_, '_>, what: &[String], new: bool) -> Option<Spot> {
    let ctx = about.ctx;
    let children = |parent: usize| {
        ctx.shape.collections.iter().enumerate().filter(move |(_, c)| c.parent == Some(parent) && c.rows > 0)
    };
    if !new {
        // What is called so comes before what merely has ids called so.
        let own: &dyn Fn(&Collection) -> bool = &|c| c.stems == what;
        let also: &dyn Fn(&Collection) -> bool = &|c| c.is_called(what);
        for fits in [own, also] {
            if let Some((at, inner)) = children(about.index).find(|(_, c)| fits(c)) {
                return Some(Spot::In(at, expr::below("it", &inner.path)));
            }
            for reference in ctx.references.iter().filter(|r| r.from == about.index && r.by.is_none()) {
                if let Some((at, inner)) = children(reference.to).find(|(_, c)| fits(c)) {
                    let key = expr::below("it", &reference.path);
                    let holder = format!("{}[{key}]", ctx.expr(reference.to));
                    return Some(Spot::In(at, expr::below(&holder, &inner.path)));
                }
            }
        }
    }
    let mut elsewhere = ctx.shape.collections.iter().enumerate().filter(|(_, c)| {
        c.parent.is_some_and(|parent| parent != about.index && ctx.collection(parent).parent.is_none())
            && c.rows > 0
            && c.is_called(what)
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
        Spot::In(index, place) => (*index, held(ctx.collection(*index), param, place, "v")),
        Spot::Anywhere(index, parent) => {
            let inner =
                held(ctx.collection(*index), param, &expr::below("p", &ctx.collection(*index).path), "v");
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

/// The member that a parameter gives the value of: `item_id` for `item_ids`, else the id.
pub(super) fn id_of(c: &Collection, param: &Param) -> Option<String> {
    let named = c
        .members
        .iter()
        .find(|m| m.top() && m.single && param.stems.ends_with(&m.stems) && m.stems.len() > 1);
    named.map(|m| m.name().to_owned()).or_else(|| c.id.clone())
}

/// For lists of what to replace and of what by (`item_ids` and `new_item_ids`): the list inside the
/// record and its new value.
pub(super) fn replaced(about: &About<'_, '_>) -> Option<(Vec<String>, String)> {
    let ctx = about.ctx;
    let (new, old) = about.tool.params.iter().find_map(|new| {
        let rest = new.stems.strip_prefix(&["new".to_owned()][..])?;
        let old = about.tool.params.iter().find(|old| old.stems == rest)?;
        (new.is_list() && old.is_list()).then_some((new, old))
    })?;
    let (what, _) = without_id(&old.stems);
    let Some(Spot::In(at, _)) = spot(about, &what, false) else { return None };
    let inner = ctx.collection(at);
    if inner.parent != Some(about.index) || inner.kind != Kind::List {
        return None;
    }
    let member = id_of(inner, old)?;
    let held = expr::select("r", &member);
    let (old_ids, new_ids) = (old.expr(), new.expr());
    let to = format!("{new_ids}[indexOf({old_ids}, {held})]");
    // What else is known of the new one comes along, as far as the old one has it.
    let details = match spot(about, &what, true) {
        Some(Spot::Anywhere(from, parent))
            if ctx.collection(from).kind == Kind::Map && ctx.collection(parent).kind == Kind::Map =>
        {
            let rows = ctx.expr(parent);
            let path = expr::below("p", &ctx.collection(from).path);
            format!(
                "pick(default(values({rows}).map(p, {path}[{to}]).filter(x, x != null)[0], {{}}), keys(r))"
            )
        }
        _ => "{}".into(),
    };
    let place = expr::below("it", &inner.path);
    let value = format!(
        "{place}.map(r, {held} in {old_ids} ? merge(r, {details}, {{{}: {to}}}) : r)",
        expr::text(&member)
    );
    Some((inner.path.clone(), value))
}

/// Whether `place` holds a record of this id that is to be had.
fn held(c: &Collection, param: &Param, place: &str, id: &str) -> String {
    let available = c
        .members
        .iter()
        .find(|m| m.top() && m.first.is_boolean() && m.stems == ["available"])
        .map(|m| m.name().to_owned());
    match (c.kind, id_of(c, param)) {
        (Kind::List, Some(member)) => {
            let own = expr::select("r", &member);
            let free = available
                .map(|name| format!(" && {} != false", expr::select("r", &name)))
                .unwrap_or_default();
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
