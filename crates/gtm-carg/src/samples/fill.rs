//! `fill`: what stands in places of a record that other places do not determine.

use crate::rng::Rng;
use crate::trace::Turn;
use gtm_read::prompt::fill::{MAX_SLOTS, Question, Wanted};
use gtm_tool::ToolSpec;
use gtm_tool::schema::{properties, resolve};
use serde_json::{Map as JsonMap, Value as Json};

/// Members with a single value that a record has at least.
const LEAST: usize = 3;
/// Levels above a record: envelope, list, name of the thing.
const DEPTH: usize = 4;
/// Chance that a member is asked for; the others are told.
const ASKED: f64 = 0.4;

/// A question for some values of the first record in a reply, and the answer.
pub(super) fn example(tool: &ToolSpec, turn: &Turn, rng: &mut Rng) -> Option<(String, String)> {
    let root = tool.returns.as_ref().filter(|_| !turn.is_error)?;
    let mut path = Vec::new();
    let (schema, record) = record(root, root, &turn.response, &mut path, DEPTH)?;
    let mut known = JsonMap::new();
    let mut wanted: Vec<(String, &Json, Json)> = Vec::new();
    for property in properties(root, schema) {
        let Some(value) = record.get(property.name).filter(|value| is_single(value)) else { continue };
        if wanted.len() < MAX_SLOTS && rng.chance(ASKED) {
            path.push(property.name);
            wanted.push((path.join("."), property.schema, value.clone()));
            path.pop();
        } else {
            known.insert(property.name.to_owned(), value.clone());
        }
    }
    if wanted.is_empty() {
        return None;
    }
    let slots: Vec<Wanted<'_>> =
        wanted.iter().map(|(path, schema, _)| Wanted { path, schema, root }).collect();
    let values: Vec<Json> = wanted.iter().map(|(.., value)| value.clone()).collect();
    let question = Question::new(tool, &turn.call.arguments, &Json::Object(known), &slots);
    let completion = question.answer(&values)?;
    Some((question.prompt().to_owned(), completion))
}

fn is_single(value: &Json) -> bool {
    !matches!(value, Json::Null | Json::Array(_) | Json::Object(_))
}

/// The first object in a value with enough single members that its schema declares.
fn record<'j>(
    root: &'j Json,
    schema: &'j Json,
    value: &'j Json,
    path: &mut Vec<&'j str>,
    depth: usize,
) -> Option<(&'j Json, &'j JsonMap<String, Json>)> {
    let depth = depth.checked_sub(1)?;
    let schema = resolve(root, schema);
    match value {
        Json::Object(members) => {
            let declared = properties(root, schema);
            let single = |name: &str| members.get(name).is_some_and(is_single);
            if declared.iter().filter(|property| single(property.name)).count() >= LEAST {
                return Some((schema, members));
            }
            for property in declared {
                path.push(property.name);
                let inner = members.get(property.name);
                if let Some(found) = inner.and_then(|value| record(root, property.schema, value, path, depth))
                {
                    return Some(found);
                }
                path.pop();
            }
            None
        }
        Json::Array(items) => record(root, schema.get("items")?, items.first()?, path, depth),
        _ => None,
    }
}
