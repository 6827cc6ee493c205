//! Calls that are wrong, as agents get them wrong.

use crate::rng::Rng;
use crate::trace::Call;
use serde_json::{Map as JsonMap, Value as Json, json};

/// The call spoilt in one way, and the name of that way; `None` if it has nothing to spoil.
pub(crate) fn mutate(call: &Call, schema: &Json, rng: &mut Rng) -> Option<(Call, &'static str)> {
    let mut arguments = call.arguments.as_object()?.clone();
    for _ in 0..4 {
        let mutation = match rng.below(6) {
            0 => missing(&mut arguments, schema, rng).then_some("missing"),
            1 => ill_typed(&mut arguments, schema, rng).then_some("wrong_type"),
            2 => out_of_range(&mut arguments, schema, rng).then_some("out_of_range"),
            3 => unknown_word(&mut arguments, schema, rng).then_some("not_in_enum"),
            4 => extra(&mut arguments, rng).then_some("extra"),
            _ => near_miss(&mut arguments, rng).then_some("misspelt"),
        };
        if let Some(mutation) = mutation {
            return Some((Call { name: call.name.clone(), arguments: Json::Object(arguments) }, mutation));
        }
    }
    None
}

/// The name of a tool that is not there, near one that is.
pub(crate) fn unknown_tool(names: &[&str], rng: &mut Rng) -> String {
    let known = rng.try_pick(names).copied().unwrap_or_default();
    let made = match rng.below(4) {
        0 => format!("{known}s"),
        1 => known.replacen("get", "fetch", 1) + "_v2",
        2 => known.chars().rev().skip(2).collect::<Vec<_>>().into_iter().rev().collect(),
        _ => format!("{known}_all"),
    };
    if names.contains(&made.as_str()) || made.is_empty() { format!("{known}_unknown") } else { made }
}

fn properties(schema: &Json) -> impl Iterator<Item = (&String, &Json)> {
    schema.get("properties").and_then(Json::as_object).into_iter().flatten()
}

fn missing(arguments: &mut JsonMap<String, Json>, schema: &Json, rng: &mut Rng) -> bool {
    let required: Vec<&str> = schema
        .get("required")
        .and_then(Json::as_array)
        .into_iter()
        .flatten()
        .filter_map(Json::as_str)
        .collect();
    let Some(name) = rng.try_pick(&required) else { return false };
    arguments.shift_remove(*name).is_some()
}

/// A value that no reader would take for one of the type.
fn ill_typed(arguments: &mut JsonMap<String, Json>, schema: &Json, rng: &mut Rng) -> bool {
    let typed: Vec<(&String, &str)> = properties(schema)
        .filter(|(name, _)| arguments.contains_key(*name))
        .filter_map(|(name, schema)| Some((name, schema.get("type")?.as_str()?)))
        .collect();
    let Some((name, kind)) = rng.try_pick(&typed) else { return false };
    let wrong = match *kind {
        "string" => rng.pick(&[json!(["a"]), json!({"value": 1}), json!(true)]).clone(),
        "integer" | "number" => rng.pick(&[json!("many"), json!("n/a"), json!([1]), json!({})]).clone(),
        "boolean" => rng.pick(&[json!("maybe"), json!(7), json!([])]).clone(),
        "array" => rng.pick(&[json!("all"), json!(3)]).clone(),
        _ => rng.pick(&[json!("x"), json!(1)]).clone(),
    };
    arguments.insert((*name).clone(), wrong);
    true
}

fn out_of_range(arguments: &mut JsonMap<String, Json>, schema: &Json, rng: &mut Rng) -> bool {
    let bounded: Vec<(&String, &Json)> = properties(schema)
        .filter(|(name, schema)| {
            arguments.contains_key(*name)
                && (schema.get("maximum").is_some() || schema.get("minimum").is_some())
        })
        .collect();
    let Some((name, schema)) = rng.try_pick(&bounded) else { return false };
    let whole = schema.get("type").and_then(Json::as_str) == Some("integer");
    let bound = |key: &str| schema.get(key).and_then(Json::as_f64);
    let beyond = match (bound("minimum"), bound("maximum")) {
        (Some(low), _) if rng.chance(0.5) => low - 1.0 - rng.below(20) as f64,
        (_, Some(high)) => high + 1.0 + (rng.below(50) as f64) * (1.0 + high.abs() / 50.0).floor(),
        (Some(low), None) => low - 1.0,
        (None, None) => return false,
    };
    arguments.insert((*name).clone(), if whole { json!(beyond as i64) } else { json!(beyond) });
    true
}

fn unknown_word(arguments: &mut JsonMap<String, Json>, schema: &Json, rng: &mut Rng) -> bool {
    let worded: Vec<&String> = properties(schema)
        .filter(|(name, schema)| arguments.contains_key(*name) && schema.get("enum").is_some())
        .map(|(name, _)| name)
        .collect();
    let Some(name) = rng.try_pick(&worded) else { return false };
    let given = arguments.get(*name).and_then(Json::as_str).unwrap_or("other").to_owned();
    let wrong = match rng.below(4) {
        0 => given.to_uppercase() + "!",
        1 => format!("{given}s"),
        2 => "unknown".to_owned(),
        _ => "none of these".to_owned(),
    };
    arguments.insert((*name).clone(), json!(wrong));
    true
}

fn extra(arguments: &mut JsonMap<String, Json>, rng: &mut Rng) -> bool {
    let name = *rng.pick(&[
        "verbose",
        "force",
        "dry_run",
        "format",
        "locale",
        "include_all",
        "note",
        "options",
        "debug",
        "async",
    ]);
    if arguments.contains_key(name) {
        return false;
    }
    arguments.insert(name.to_owned(), rng.pick(&[json!(true), json!("en"), json!(1), json!({})]).clone());
    true
}

fn near_miss(arguments: &mut JsonMap<String, Json>, rng: &mut Rng) -> bool {
    let names: Vec<String> = arguments.keys().filter(|name| name.len() > 3).cloned().collect();
    let Some(name) = rng.try_pick(&names) else { return false };
    let wrong = match rng.below(3) {
        0 => name.chars().take(name.chars().count() - 1).collect(),
        1 => format!("{name}s"),
        _ => name.replace('_', ""),
    };
    if wrong == *name || arguments.contains_key(&wrong) {
        return false;
    }
    if let Some(value) = arguments.shift_remove(name) {
        arguments.insert(wrong, value);
    }
    true
}
