//! JSON values as metrics see them: kinds, paths with folded indices, leaves, text that is JSON.

use serde_json::{Number, Value as Json};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// A set of JSON types, one bit each.
pub(crate) type Types = u8;

/// The bit of a value's type. JSON has one type of number.
pub(crate) fn kind(value: &Json) -> Types {
    match value {
        Json::Null => 1,
        Json::Bool(_) => 2,
        Json::Number(_) => 4,
        Json::String(_) => 8,
        Json::Array(_) => 16,
        Json::Object(_) => 32,
    }
}

/// A reply that is a text holding a JSON object or list, read as that; any other as it is.
pub(crate) fn unfolded(reply: &Json) -> Cow<'_, Json> {
    if let Json::String(text) = reply
        && text.trim_start().starts_with(['{', '['])
        && let Ok(inner) = serde_json::from_str::<Json>(text)
    {
        return Cow::Owned(inner);
    }
    Cow::Borrowed(reply)
}

/// The types found at each path. Items of a list share one path; members and items count, the
/// root only where there is nothing below it.
pub(crate) fn paths(reply: &Json) -> BTreeMap<String, Types> {
    let mut found = BTreeMap::new();
    if is_leaf(reply) {
        found.insert(String::new(), kind(reply));
    } else {
        below(reply, &mut String::new(), &mut found);
    }
    found
}

fn below(value: &Json, path: &mut String, found: &mut BTreeMap<String, Types>) {
    let length = path.len();
    let mut visit = |name: Option<&str>, value: &Json, path: &mut String| {
        // Names are quoted, so that no name can pass for a list or for two names.
        match name {
            Some(name) => path.push_str(&format!(".{name:?}")),
            None => path.push_str("[]"),
        }
        match found.get_mut(path.as_str()) {
            Some(types) => *types |= kind(value),
            None => {
                found.insert(path.clone(), kind(value));
            }
        }
        below(value, path, found);
        path.truncate(length);
    };
    match value {
        Json::Object(members) => members.iter().for_each(|(name, value)| visit(Some(name), value, path)),
        Json::Array(items) => items.iter().for_each(|value| visit(None, value, path)),
        _ => {}
    }
}

/// A scalar, or a container with nothing in it.
pub(crate) fn is_leaf(value: &Json) -> bool {
    match value {
        Json::Object(members) => members.is_empty(),
        Json::Array(items) => items.is_empty(),
        _ => true,
    }
}

/// Calls `each` for every leaf of the real reply with the name of the member it stands in (of a
/// list's items, that of the list) and what the prediction has in the same place.
pub(crate) fn leaves<'a>(
    real: &'a Json,
    ours: Option<&'a Json>,
    name: &'a str,
    each: &mut dyn FnMut(&'a str, &'a Json, Option<&'a Json>),
) {
    match real {
        leaf if is_leaf(leaf) => each(name, leaf, ours),
        Json::Object(members) => {
            for (name, value) in members {
                leaves(value, ours.and_then(|ours| ours.as_object()?.get(name)), name, each);
            }
        }
        Json::Array(items) => {
            for (at, value) in items.iter().enumerate() {
                leaves(value, ours.and_then(|ours| ours.as_array()?.get(at)), name, each);
            }
        }
        _ => {}
    }
}

/// Relative difference up to which two numbers are one: noise of floating-point arithmetic, whose
/// last digits depend on the order of operations.
const NOISE: f64 = 1e-9;

/// Whether two numbers are equal. `1` and `1.0` are.
pub(crate) fn same_number(a: &Number, b: &Number) -> bool {
    if let (Some(a), Some(b)) = (a.as_i64(), b.as_i64()) {
        return a == b;
    }
    within(a, b, NOISE)
}

/// Whether two numbers differ by at most this share of the first.
pub(crate) fn within(real: &Number, ours: &Number, share: f64) -> bool {
    match (real.as_f64(), ours.as_f64()) {
        (Some(real), Some(ours)) => (real - ours).abs() <= share * real.abs(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn paths_fold_lists_and_name_what_is_below_the_root() {
        let found = paths(&json!({"a": [{"b": 1}, {"b": "x", "c": null}], "d": {}}));
        let found: Vec<(&str, Types)> = found.iter().map(|(p, t)| (p.as_str(), *t)).collect();
        assert_eq!(
            found,
            [(".\"a\"", 16), (".\"a\"[]", 32), (".\"a\"[].\"b\"", 12), (".\"a\"[].\"c\"", 1), (".\"d\"", 32)]
        );
        assert_eq!(paths(&json!("text")).keys().collect::<Vec<_>>(), [""]);
        assert_eq!(paths(&json!([])).keys().collect::<Vec<_>>(), [""]);
        // A name that spells a path is one name.
        assert_ne!(paths(&json!({"a.b": 1})), paths(&json!({"a": {"b": 1}})));
    }

    #[test]
    fn numbers_are_compared_by_value() {
        let same = |a: Json, b: Json| match (&a, &b) {
            (Json::Number(a), Json::Number(b)) => same_number(a, b),
            _ => false,
        };
        assert!(same(json!(1), json!(1.0)));
        assert!(same(json!(113.562_300_000_000_01), json!(113.5623)));
        assert!(!same(json!(1), json!(1.001)));
        assert!(!same(json!(9_007_199_254_740_993_i64), json!(9_007_199_254_740_992_i64)));
        assert!(same(json!(0), json!(-0.0)));
        assert!(!same(json!(0), json!(1e-12)));
    }

    #[test]
    fn text_that_holds_json_is_read_as_json() {
        assert_eq!(*unfolded(&json!("{\"a\": 1}")), json!({"a": 1}));
        assert_eq!(*unfolded(&json!("[broken")), json!("[broken"));
        assert_eq!(*unfolded(&json!("41.0")), json!("41.0"));
    }
}
