//! Rows of a list: filtered, sorted, a page of them.

use super::eval::{Scope, compare, equal, truth, value};
use super::of_template;
use gtm_world::behavior::{ListRows, Sort};
use serde_json::{Value as Json, json};
use std::borrow::Cow;

/// The rows and their number before paging; `None` where that cannot be told.
pub(super) fn rows(list: &ListRows, scope: Scope<'_, '_>) -> Option<(Json, Json)> {
    let collection = value(&list.within, scope)?;
    let mut rows: Vec<(&String, &Json)> = collection.as_object()?.iter().collect();
    if let Some(search) = &list.search
        && !value(search, scope)?.is_null()
    {
        return None;
    }
    for (member, template) in &list.equal {
        let wanted = of_template(template, scope)?;
        if !wanted.is_null() {
            rows.retain(|(_, row)| fits(row.get(member).unwrap_or(&Json::Null), &wanted));
        }
    }
    if let Some(filter) = &list.filter {
        let mut kept = Vec::new();
        for (key, row) in rows {
            let key_bound = scope.bind("key", Some(Cow::Owned(json!(key))));
            let it = key_bound.scope().bind("it", Some(Cow::Owned(row.clone())));
            if truth(&*value(filter, it.scope())?)? {
                kept.push((key, row));
            }
        }
        rows = kept;
    }
    if let Some(sort) = &list.sort {
        sorted(&mut rows, sort, scope)?;
    }
    let total = rows.len();
    let count = |expression: &Option<String>| -> Option<Option<usize>> {
        let Some(expression) = expression else { return Some(None) };
        match &*value(expression, scope)? {
            Json::Null => Some(None),
            number => number.as_u64().map(|n| Some(n as usize)),
        }
    };
    let offset = count(&list.offset)?.unwrap_or(0);
    let limit = count(&list.limit)?.unwrap_or(usize::MAX);
    let page: Json = rows.into_iter().skip(offset).take(limit).map(|(_, row)| row.clone()).collect();
    Some((page, json!(total)))
}

/// Equal; a list on either side means any of it.
fn fits(held: &Json, wanted: &Json) -> bool {
    match (held, wanted) {
        (Json::Array(held), wanted) if !wanted.is_array() => held.iter().any(|item| equal(item, wanted)),
        (held, Json::Array(wanted)) if !held.is_array() => wanted.iter().any(|item| equal(item, held)),
        (held, wanted) => equal(held, wanted),
    }
}

/// Sorts; `None` where the order is not plain: rows that tie, values that do not compare.
fn sorted(rows: &mut [(&String, &Json)], sort: &Sort, scope: Scope<'_, '_>) -> Option<()> {
    let by = value(&sort.by, scope)?;
    let by = match &*by {
        Json::Null => return Some(()),
        Json::String(by) if by.chars().all(|c| c.is_alphanumeric() || c == '_') => by.clone(),
        _ => return None,
    };
    let descending = match &sort.descending {
        None => false,
        Some(expression) => match &*value(expression, scope)? {
            Json::Bool(descending) => *descending,
            Json::Null => false,
            Json::String(word) => matches!(word.as_str(), "desc" | "descending"),
            _ => return None,
        },
    };
    let mut order = Vec::with_capacity(rows.len());
    for (at, (_, row)) in rows.iter().enumerate() {
        order.push((row.get(&by).filter(|value| !value.is_null())?, at));
    }
    let mut plain = true;
    order.sort_by(|(a, i), (b, j)| {
        let order = compare(a, b).unwrap_or(std::cmp::Ordering::Equal);
        plain &= order.is_ne() || i == j;
        if descending { order.reverse() } else { order }
    });
    if !plain {
        return None;
    }
    let before = rows.to_vec();
    for (slot, (_, at)) in rows.iter_mut().zip(order) {
        *slot = before[at];
    }
    Some(())
}
