//! The difference between two states, as data.
//!
//! States share what did not change, so finding the difference costs the number of members of the
//! objects that changed, not the size of the state. Applying the changes to the older state gives
//! the newer one exactly: values, number forms and the order of members.

use gtm_world::{Map, Str, Value};
use imbl::Vector;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// One change of a state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Change {
    /// Items of a list replaced by others.
    Splice {
        /// JSON pointer to the list.
        p: String,
        /// Index of the first item replaced.
        at: usize,
        /// How many are replaced.
        cut: usize,
        /// By which.
        add: Vec<Value>,
    },
    /// A member or item set; a new member goes to the end.
    Set {
        /// JSON pointer to it; empty for the whole.
        p: String,
        /// Its value.
        #[serde(deserialize_with = "present")]
        v: Option<Value>,
    },
    /// A member removed.
    Remove {
        /// JSON pointer to it.
        x: String,
    },
}

/// Keeps a null value apart from no value.
fn present<'de, D: serde::Deserializer<'de>>(d: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(d).map(Some)
}

/// What turns `old` into `new`.
pub(crate) fn diff(old: &Value, new: &Value) -> Vec<Change> {
    let mut changes = Vec::new();
    compare(old, new, &mut String::new(), &mut changes);
    changes
}

fn compare(old: &Value, new: &Value, path: &mut String, out: &mut Vec<Change>) {
    match (old, new) {
        (Value::Map(a), Value::Map(b)) => {
            if !a.same(b) {
                compare_maps(a, b, path, out);
            }
        }
        (Value::List(a), Value::List(b)) => {
            if !Arc::ptr_eq(a, b) {
                compare_lists(a, b, path, out);
            }
        }
        _ if identical(old, new) => {}
        _ => out.push(Change::Set { p: path.clone(), v: Some(new.clone()) }),
    }
}

fn compare_maps(a: &Map, b: &Map, path: &mut String, out: &mut Vec<Change>) {
    let mut wanted = b.iter().peekable();
    for (key, old) in a.iter() {
        match wanted.peek() {
            Some((next, new)) if *next == key => {
                within(path, key, |path| compare(old, new, path, out));
                wanted.next();
            }
            // Gone, or deleted and made again, which put it at the end.
            _ => within(path, key, |path| out.push(Change::Remove { x: path.clone() })),
        }
    }
    for (key, new) in wanted {
        within(path, key, |path| out.push(Change::Set { p: path.clone(), v: Some(new.clone()) }));
    }
}

fn compare_lists(a: &Vector<Value>, b: &Vector<Value>, path: &mut String, out: &mut Vec<Change>) {
    let front = a.iter().zip(b.iter()).take_while(|(x, y)| identical(x, y)).count();
    let rest = a.len().min(b.len()) - front;
    let back = a.iter().rev().zip(b.iter().rev()).take(rest).take_while(|(x, y)| identical(x, y)).count();
    let (cut, add) = (a.len() - front - back, b.len() - front - back);
    if cut == add {
        // Items changed in place.
        for at in front..front + cut {
            if let (Some(old), Some(new)) = (a.get(at), b.get(at)) {
                within(path, &at.to_string(), |path| compare(old, new, path, out));
            }
        }
    } else {
        let add = b.iter().skip(front).take(add).cloned().collect();
        out.push(Change::Splice { p: path.clone(), at: front, cut, add });
    }
}

fn within(path: &mut String, key: &str, f: impl FnOnce(&mut String)) {
    let length = path.len();
    path.push('/');
    for c in key.chars() {
        match c {
            '~' => path.push_str("~0"),
            '/' => path.push_str("~1"),
            c => path.push(c),
        }
    }
    f(path);
    path.truncate(length);
}

/// Whether two values have the same JSON text. Unlike `==`, this tells `1` from `1.0` and one order
/// of members from another.
pub(crate) fn identical(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Int(x), Value::Int(y)) => x == y,
        (Value::Float(x), Value::Float(y)) => x.to_bits() == y.to_bits(),
        (Value::Int(_), Value::Float(_)) | (Value::Float(_), Value::Int(_)) => false,
        (Value::List(x), Value::List(y)) => {
            Arc::ptr_eq(x, y) || (x.len() == y.len() && x.iter().zip(y.iter()).all(|(a, b)| identical(a, b)))
        }
        (Value::Map(x), Value::Map(y)) => {
            x.same(y)
                || (x.len() == y.len()
                    && x.iter().zip(y.iter()).all(|((k, a), (l, b))| k == l && identical(a, b)))
        }
        _ => a == b,
    }
}

/// Makes the changes. False if one of them does not fit the state.
#[must_use]
pub(crate) fn apply(state: &mut Value, changes: &[Change]) -> bool {
    changes.iter().all(|change| change.apply(state))
}

impl Change {
    /// Where something new is: the member that was set, or the list that was changed.
    pub(crate) fn target(&self) -> Option<String> {
        match self {
            Change::Set { p, .. } => Some(p.clone()),
            Change::Splice { p, at, add, .. } if !add.is_empty() => Some(format!("{p}/{at}")),
            Change::Splice { .. } | Change::Remove { .. } => None,
        }
    }

    /// Upper bound on the heap bytes that it adds.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Change::Splice { add, .. } => add.iter().map(|v| v.size().0).sum(),
            Change::Set { p, v } => p.len() + 40 + v.as_ref().map_or(0, |v| v.size().0),
            Change::Remove { .. } => 0,
        }
    }

    fn apply(&self, state: &mut Value) -> bool {
        match self {
            Change::Splice { p, at, cut, add } => {
                let Some(Value::List(list)) = place_mut(state, p) else { return false };
                let Some(end) = at.checked_add(*cut).filter(|end| *end <= list.len()) else { return false };
                let list = Arc::make_mut(list);
                let tail = list.split_off(end);
                list.truncate(*at);
                list.extend(add.iter().cloned());
                list.append(tail);
                true
            }
            Change::Set { v: None, .. } => false,
            Change::Set { p, v: Some(value) } => set(state, p, value.clone()),
            Change::Remove { x } => {
                let Some((parent, key)) = x.rsplit_once('/') else { return false };
                match place_mut(state, parent) {
                    Some(Value::Map(map)) => map.remove(&unescape(key)).is_some(),
                    _ => false,
                }
            }
        }
    }
}

/// Sets the value at a JSON pointer whose parent exists.
pub(crate) fn set(state: &mut Value, pointer: &str, value: Value) -> bool {
    let Some((parent, key)) = pointer.rsplit_once('/') else {
        *state = value;
        return true;
    };
    match place_mut(state, parent) {
        Some(Value::Map(map)) => {
            map.insert(Str::from(unescape(key)), value);
            true
        }
        Some(Value::List(list)) => match key.parse::<usize>() {
            Ok(at) if at < list.len() => {
                Arc::make_mut(list).set(at, value);
                true
            }
            _ => false,
        },
        _ => false,
    }
}

/// The value at a JSON pointer.
pub(crate) fn place<'a>(state: &'a Value, pointer: &str) -> Option<&'a Value> {
    parts(pointer).try_fold(state, |value, key| match value {
        Value::Map(map) => map.get(&key),
        Value::List(list) => list.get(key.parse::<usize>().ok()?),
        _ => None,
    })
}

/// The value at a JSON pointer, to change.
pub(crate) fn place_mut<'a>(state: &'a mut Value, pointer: &str) -> Option<&'a mut Value> {
    parts(pointer).try_fold(state, |value, key| match value {
        Value::Map(map) => map.get_mut(&key),
        Value::List(list) => Arc::make_mut(list).get_mut(key.parse::<usize>().ok()?),
        _ => None,
    })
}

fn parts(pointer: &str) -> impl Iterator<Item = String> {
    pointer.split('/').skip(1).map(unescape)
}

pub(crate) fn unescape(part: &str) -> String {
    part.replace("~1", "/").replace("~0", "~")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value as Json, json};

    fn check(old: Json, new: Json) -> Vec<Change> {
        let (old, new) = (Value::from(old), Value::from(new));
        let changes = diff(&old, &new);
        // As stored: through JSON text.
        let text = serde_json::to_string(&changes).unwrap();
        let stored: Vec<Change> = serde_json::from_str(&text).unwrap();
        let mut state = old.clone();
        assert!(apply(&mut state, &stored), "{text}");
        assert_eq!(state.to_json().to_string(), new.to_json().to_string(), "{text}");
        changes
    }

    #[test]
    fn changes_are_small_and_exact() {
        assert_eq!(
            check(json!({"a": {"b": 1, "c": [1, 2]}}), json!({"a": {"b": 1.0, "c": [1, 2]}})).len(),
            1
        );
        assert_eq!(check(json!({"a": 1, "b": 2, "c": 3}), json!({"a": 1, "c": 3, "b": 2})).len(), 2);
        assert_eq!(check(json!({"l": [1, 2, 3, 4]}), json!({"l": [2, 3, 4]})).len(), 1);
        assert_eq!(check(json!({"l": [{"x": 1}, {"x": 2}]}), json!({"l": [{"x": 1}, {"x": null}]})).len(), 1);
        assert_eq!(check(json!({"a/b~c": {"": 1}}), json!({"a/b~c": {"": 2}})).len(), 1);
        assert_eq!(check(json!({"a": null}), json!({})).len(), 1);
        assert_eq!(check(json!({}), json!({"a": null})).len(), 1);
        assert!(check(json!({"a": [1, {"b": "x"}]}), json!({"a": [1, {"b": "x"}]})).is_empty());
    }

    #[test]
    fn changes_that_do_not_fit_are_told() {
        let mut state = Value::from(json!({"a": [1]}));
        for change in [
            json!({"x": "/b"}),
            json!({"p": "/a/7", "v": 1}),
            json!({"p": "/b/c", "v": 1}),
            json!({"p": "/a", "at": 1, "cut": 9, "add": []}),
            json!({"p": "/a", "at": usize::MAX, "cut": 9, "add": []}),
        ] {
            let change: Change = serde_json::from_value(change).unwrap();
            assert!(!apply(&mut state, &[change]));
        }
    }

    fn any_json() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::from),
            (0i64..4).prop_map(Json::from),
            (0u8..4).prop_map(|n| Json::from(f64::from(n))),
            "[a-c/~]{0,2}".prop_map(Json::from),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Json::from),
                prop::collection::vec(("[a-e/~]{0,1}", inner), 0..6)
                    .prop_map(|members| Json::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn applying_the_difference_gives_the_newer_state(old in any_json(), new in any_json()) {
            check(old, new);
        }
    }
}
