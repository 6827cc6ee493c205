//! What a call changed in the state: places and their new values.

use serde_json::Value as Json;

/// Most changes told of one call.
const MOST: usize = 64;
/// Deepest place.
const DEPTH: usize = 8;

/// One change.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Where: names of members, and for items of lists their index, from the state's root.
    pub path: Vec<String>,
    /// What is there now; `None` if nothing is.
    pub value: Option<Json>,
}

/// What leads from one state to another; `None` if that is more than can be told. Lists that lost items are told whole.
pub fn changes(before: &Json, after: &Json) -> Option<Vec<Change>> {
    let mut out = Vec::new();
    compare(before, after, &mut Vec::new(), &mut out)?;
    Some(out)
}

fn compare(before: &Json, after: &Json, path: &mut Vec<String>, out: &mut Vec<Change>) -> Option<()> {
    if before == after {
        return Some(());
    }
    match (before, after) {
        (Json::Object(old), Json::Object(new)) if path.len() < DEPTH => {
            for (name, value) in old {
                inside(name, Some(value), new.get(name), path, out)?;
            }
            for (name, value) in new.iter().filter(|(name, _)| !old.contains_key(*name)) {
                inside(name, None, Some(value), path, out)?;
            }
        }
        (Json::Array(old), Json::Array(new)) if old.len() <= new.len() && path.len() < DEPTH => {
            for (at, value) in new.iter().enumerate() {
                inside(&at.to_string(), old.get(at), Some(value), path, out)?;
            }
        }
        _ => out.push(Change { path: path.clone(), value: Some(after.clone()) }),
    }
    (out.len() <= MOST).then_some(())
}

fn inside(
    name: &str,
    before: Option<&Json>,
    after: Option<&Json>,
    path: &mut Vec<String>,
    out: &mut Vec<Change>,
) -> Option<()> {
    path.push(name.to_owned());
    match (before, after) {
        (Some(before), Some(after)) => compare(before, after, path, out)?,
        (_, after) => out.push(Change { path: path.clone(), value: after.cloned() }),
    }
    path.pop();
    Some(())
}

/// The state after changes. A change of a place that does not exist is left out.
pub fn apply(mut state: Json, changes: &[Change]) -> Json {
    for Change { path, value } in changes {
        let Some((last, above)) = path.split_last() else { continue };
        if let Some(at) = above.iter().try_fold(&mut state, member) {
            put(at, last, value.as_ref());
        }
    }
    state
}

fn member<'j>(at: &'j mut Json, name: &String) -> Option<&'j mut Json> {
    match at {
        Json::Object(members) => members.get_mut(name),
        Json::Array(items) => name.parse::<usize>().ok().and_then(|index| items.get_mut(index)),
        _ => None,
    }
}

fn put(at: &mut Json, name: &str, value: Option<&Json>) {
    match (at, value) {
        (Json::Object(members), Some(value)) => _ = members.insert(name.to_owned(), value.clone()),
        (Json::Object(members), None) => _ = members.remove(name),
        (Json::Array(items), Some(value)) => match name.parse::<usize>() {
            Ok(index) if index < items.len() => items[index] = value.clone(),
            Ok(index) if index == items.len() => items.push(value.clone()),
            _ => {}
        },
        _ => {}
    }
}
