//! Finding things in replies: what is wrapped, and records.

use serde_json::Value as Json;

/// The reply inside its envelope; `None` if it is not where the envelope has it.
pub(super) fn unwrapped<'j>(response: &'j Json, envelope: Option<&Json>) -> Option<&'j Json> {
    let Some(envelope) = envelope else { return Some(response) };
    match envelope {
        Json::String(name) if name == "reply" => Some(response),
        Json::Object(members) => {
            members.iter().find_map(|(name, inner)| unwrapped(response.get(name)?, Some(inner)))
        }
        _ => None,
    }
}

/// All objects in a reply that have an id.
pub(super) fn with_id<'j>(reply: &'j Json, id_member: &str) -> Vec<&'j Json> {
    let mut found = Vec::new();
    let mut open = vec![reply];
    while let Some(json) = open.pop() {
        match json {
            Json::Array(items) => open.extend(items.iter().rev()),
            Json::Object(members) => {
                if members.get(id_member).and_then(id).is_some() {
                    found.push(json);
                }
                open.extend(members.values().rev());
            }
            _ => {}
        }
    }
    found
}

/// The rows of a list, under whatever they are wrapped in, and the whole number beside them, if there is one.
pub(super) fn rows<'j>(reply: &'j Json, id_member: &str) -> Option<(&'j [Json], Option<u64>)> {
    match reply {
        Json::Array(items) => {
            let records = items.iter().all(|item| item.get(id_member).and_then(id).is_some());
            records.then_some((items.as_slice(), None))
        }
        Json::Object(members) => {
            let (items, _) = members.values().find_map(|value| rows(value, id_member))?;
            Some((items, members.values().find_map(Json::as_u64)))
        }
        _ => None,
    }
}

/// An id as a key of its collection.
pub(super) fn id(json: &Json) -> Option<String> {
    match json {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The id that a call's argument gives.
pub(super) fn argument(arguments: &Json, path: &[String]) -> Option<String> {
    if path.is_empty() {
        return None;
    }
    id(path.iter().try_fold(arguments, |json, name| json.get(name))?)
}
