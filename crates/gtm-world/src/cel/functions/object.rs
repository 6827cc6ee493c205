//! Functions on objects, and JSON text.

use super::{Args, Section, rows};
use crate::cel::eval::{ITEM, member_key, position};
use crate::cel::{Eval, json};
use crate::{Map, Value};
use std::borrow::Cow;
use std::sync::Arc;

/// Most steps in a path.
const MAX_PATH: usize = 16;

pub(super) const SECTION: Section = Section {
    title: "Objects and JSON",
    intro: "Members keep their order. Null stands for the empty object.",
    null_passes: false,
    rows: rows! {
        "keys(object) -> list", "The names of the members.", "keys({'a': 1, 'b': 2})" => r#"["a","b"]"#, |args| {
            let map = args.map(0)?;
            args.pay(map.len())?;
            args.reserve_items(map.len())?;
            Ok(map.keys().map(|key| Value::Str(key.clone())).collect())
        };
        "values(object) -> list", "The values of the members; a list gives itself.", "values({'a': 1, 'b': 2})" => "[1,2]", |args| {
            if args.get(0).as_list().is_some() {
                return Ok(args.get(0).clone());
            }
            args.map(0)?;
            let items = args.items(0)?;
            args.make_list(items.into_iter())
        };
        "entries(object) -> list", "The members as objects with `key` and `value`.", "entries({'a': 1})" => r#"[{"key":"a","value":1}]"#, entries;
        "fromEntries(list) -> object", "An object from objects with `key` and `value`, or from pairs.", "fromEntries([['a', 1], {'key': 'b', 'value': 2}])" => r#"{"a":1,"b":2}"#, from_entries;
        "merge(a, more...) -> object", "The members of all; later ones win.", "merge({'a': 1, 'b': 2}, {'b': 3})" => r#"{"a":1,"b":3}"#, merge;
        "pick(object, names) -> object", "Only these members, in this order.", "pick({'a': 1, 'b': 2}, ['b'])" => r#"{"b":2}"#, pick;
        "omit(object, names) -> object", "Without these members.", "omit({'a': 1, 'b': 2}, ['b'])" => r#"{"a":1}"#, omit;
        "compact(x) -> any", "An object without its null members, or a list without its nulls.", "compact({'a': 1, 'b': null})" => r#"{"a":1}"#, compact;
        "withMember(object, key, value) -> object" ["set"], "With one member added or replaced.", "withMember({'a': 1}, 'b', 2)" => r#"{"a":1,"b":2}"#, with_member;
        "getPath(x, path, otherwise?) -> any", "What lies at a path such as `a.b[0].c`; `otherwise`, or null, if there is nothing.", "getPath({'a': {'b': [7]}}, 'a.b[0]')" => "7", get_path;
        "setPath(x, path, value) -> any", "With another value at a path; objects on the way are made.", "setPath({'a': 1}, 'b.c', 2)" => r#"{"a":1,"b":{"c":2}}"#, set_path;
        "invert(object) -> object", "Values as keys and keys as values.", "invert({'a': 'x'})" => r#"{"x":"a"}"#, invert;
        "json(text) -> any" ["parseJson", "fromJson"], "The value of JSON text.", r#"json('{"a": [1, 2.5]}').a[1]"# => "2.5", |args| {
            let text = args.text(0)?;
            args.pay(text.len() / 4)?;
            json::read(text, args.budget)
        };
        "toJson(x) -> text", "Compact JSON text of a value.", "toJson({'a': [1, 'b']})" => r#""{\"a\":[1,\"b\"]}""#, |args| {
            let mut out = String::new();
            json::write(args.get(0), &mut out, args.budget)?;
            Ok(out.into())
        };
    },
};

fn entries(args: &mut Args<'_>) -> Eval<Value> {
    let map = args.map(0)?;
    args.pay(map.len())?;
    args.reserve_items(map.len().saturating_mul(6))?;
    Ok(map
        .iter()
        .map(|(key, value)| {
            let members = [("key".into(), Value::Str(key.clone())), ("value".into(), value.clone())];
            Value::Map(Map::from_iter(members))
        })
        .collect())
}

fn from_entries(args: &mut Args<'_>) -> Eval<Value> {
    let mut map = Map::new();
    for item in args.items(0)? {
        let (key, value) = match item {
            Value::List(pair) if pair.len() == 2 => (&pair[0], &pair[1]),
            Value::Map(entry) => match (entry.get("key"), entry.get("value")) {
                (Some(key), Some(value)) => (key, value),
                _ => return Err(args.fail("an item lacks `key` or `value`")),
            },
            _ => return Err(args.fail("an item is neither a pair nor an object with `key` and `value`")),
        };
        let key = member_key(key)?;
        args.reserve(ITEM + key.len())?;
        map.insert(key, value.clone());
    }
    Ok(Value::Map(map))
}

/// Pays for an object about to be made from another.
fn copy(args: &mut Args<'_>, map: &Map) -> Eval<()> {
    args.pay(map.len())?;
    args.reserve(map.len().saturating_mul(2 * ITEM))
}

fn merge(args: &mut Args<'_>) -> Eval<Value> {
    let mut merged = args.map(0)?.clone();
    copy(args, &merged)?;
    for at in 1..args.len() {
        let more = args.map(at)?;
        copy(args, more)?;
        for (key, value) in more.iter() {
            merged.insert(key.clone(), value.clone());
        }
    }
    Ok(Value::Map(merged))
}

/// The names in the second argument, a list or one name.
fn names<'a>(args: &mut Args<'a>) -> Eval<Vec<&'a str>> {
    if let Value::Str(name) = args.get(1) {
        return Ok(vec![name]);
    }
    let items = args.items(1)?;
    items.into_iter().map(|item| item.as_str().ok_or_else(|| args.wrong(1, "a list of names"))).collect()
}

fn pick(args: &mut Args<'_>) -> Eval<Value> {
    let map = args.map(0)?;
    let mut out = Map::new();
    for name in names(args)? {
        if let Some(value) = map.get(name) {
            args.reserve(ITEM + name.len())?;
            out.insert(name, value.clone());
        }
    }
    Ok(Value::Map(out))
}

fn omit(args: &mut Args<'_>) -> Eval<Value> {
    let mut map = args.map(0)?.clone();
    copy(args, &map)?;
    for name in names(args)? {
        // Removing shifts the members behind, of which a small object has few.
        args.pay(24)?;
        map.remove(name);
    }
    Ok(Value::Map(map))
}

fn compact(args: &mut Args<'_>) -> Eval<Value> {
    if let Value::Map(map) = args.get(0) {
        copy(args, map)?;
        let kept = map.iter().filter(|(_, value)| !value.is_null());
        return Ok(Value::Map(kept.map(|(key, value)| (key.clone(), value.clone())).collect()));
    }
    let kept: Vec<&Value> = args.items(0)?.into_iter().filter(|item| !item.is_null()).collect();
    args.make_list(kept.into_iter())
}

fn with_member(args: &mut Args<'_>) -> Eval<Value> {
    let mut map = args.map(0)?.clone();
    let key = member_key(args.get(1))?;
    args.reserve(64 * ITEM + key.len())?;
    map.insert(key, args.get(2).clone());
    Ok(Value::Map(map))
}

/// One step of a path: the name of a member, which may also be the index of an item.
struct Step<'p> {
    name: Cow<'p, str>,
    at: Option<i64>,
}

/// The steps of a path such as `a.b[0]['x y']`, or of a list of names and indices.
fn steps<'a>(args: &mut Args<'a>) -> Eval<Vec<Step<'a>>> {
    let mut steps = Vec::new();
    if args.get(1).as_list().is_some() {
        for item in args.items(1)? {
            steps.push(match (item, item.as_i64()) {
                (Value::Str(name), _) => Step { name: Cow::Borrowed(name), at: None },
                (_, Some(at)) => Step { name: Cow::Owned(at.to_string()), at: Some(at) },
                _ => return Err(args.wrong(1, "text or a list of names and indices")),
            });
        }
    } else {
        for part in args.text(1)?.split(['.', '[', ']']).filter(|part| !part.is_empty()).take(MAX_PATH + 1) {
            steps.push(Step { name: Cow::Borrowed(part.trim_matches(['"', '\''])), at: part.parse().ok() });
        }
    }
    if steps.len() > MAX_PATH {
        return Err(args.fail(format!("the path has more than {MAX_PATH} steps")));
    }
    args.pay(steps.len())?;
    Ok(steps)
}

/// What a step leads to.
fn follow<'v>(value: &'v Value, step: &Step<'_>) -> Option<&'v Value> {
    match value {
        Value::Map(map) => map.get(&step.name),
        Value::List(list) => list.get(position(step.at?, list.len())?),
        _ => None,
    }
}

fn get_path(args: &mut Args<'_>) -> Eval<Value> {
    let steps = steps(args)?;
    let found = steps.iter().try_fold(args.get(0), follow).filter(|value| !value.is_null());
    Ok(found.unwrap_or(args.get(2)).clone())
}

fn set_path(args: &mut Args<'_>) -> Eval<Value> {
    let steps = steps(args)?;
    args.reserve(64 * ITEM * (steps.len() + 1) + args.text(1).map_or(0, str::len))?;
    let mut root = args.get(0).clone();
    let mut place = &mut root;
    for step in steps {
        if place.is_null() {
            *place = Value::map();
        }
        place = match (place, step) {
            (Value::Map(map), Step { name, .. }) => {
                if !map.contains_key(&name) {
                    map.insert(&*name, Value::Null);
                }
                map.get_mut(&name).ok_or_else(|| args.fail("no such member"))?
            }
            (Value::List(list), Step { at: Some(at), .. }) => {
                let at = position(at, list.len());
                let item = at.and_then(|at| Arc::make_mut(list).get_mut(at));
                item.ok_or_else(|| args.fail("there is no item at this index"))?
            }
            _ => return Err(args.fail("the path leads through a value that is neither list nor object")),
        };
    }
    *place = args.get(2).clone();
    Ok(root)
}

fn invert(args: &mut Args<'_>) -> Eval<Value> {
    let map = args.map(0)?;
    copy(args, map)?;
    let mut out = Map::new();
    for (key, value) in map.iter() {
        let name = member_key(value)?;
        args.reserve(name.len())?;
        out.insert(name, Value::Str(key.clone()));
    }
    Ok(Value::Map(out))
}
