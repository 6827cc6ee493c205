//! Formulas: they evaluate, and give every worked value.

use super::Findings;
use super::references::unknown;
use crate::formula::{Calculation, ONLY};
use crate::pack::{Attribute, Formula, Kind, Outputs, Pack, Units, Worked};
use gtm_world::Value;
use indexmap::IndexMap;
use serde_json::Value as Json;

/// Relative tolerance of a worked value that states none.
pub(super) const TOLERANCE: f64 = 0.005;

pub(super) fn check(pack: &Pack, findings: &mut Findings) {
    for (name, formula) in &pack.formulas {
        findings.within("formulas", |f| f.within(name, |f| check_one(pack, formula, f)));
    }
}

fn check_one(pack: &Pack, formula: &Formula, findings: &mut Findings) {
    for (name, attribute) in &formula.inputs {
        findings.within("in", |f| f.within(name, |f| input(pack, name, attribute, f)));
    }
    units(formula, findings);
    let calculation = match Calculation::new(pack, formula) {
        Ok(calculation) => calculation,
        Err(error) => {
            let place = error.place().unwrap_or("").split_once('/').map_or("", |(_, rest)| rest).to_owned();
            findings.within(place, |f| f.fault(&error));
            return;
        }
    };
    let inputs: Vec<&str> = formula.inputs.keys().map(|name| name.trim_end_matches('?')).collect();
    for (name, part) in calculation.unknown_names(&inputs) {
        let known = inputs.iter().copied().chain(formula.bind.keys().map(String::as_str));
        findings.within(part, |f| {
            unknown("name", &name, known.chain(pack.constants.keys().map(String::as_str)), f)
        });
    }
    for (at, worked) in formula.worked.iter().enumerate() {
        findings.within("worked", |f| f.within(at, |f| case(formula, &calculation, worked, f)));
    }
}

fn input(pack: &Pack, name: &str, attribute: &Attribute, findings: &mut Findings) {
    if pack.constants.contains_key(name) {
        findings.error(format!("`{name}` is also a constant"));
    }
    if matches!(attribute.kind, Kind::Ref(_) | Kind::Fields(_) | Kind::Computed) {
        findings.error("an input of a formula is a number, a word, a text, a date, or a list of these");
    }
}

fn units(formula: &Formula, findings: &mut Findings) {
    findings.within("unit", |f| match (&formula.out, &formula.unit) {
        (Outputs::One(_), Some(Units::Many(_))) => f.error("the formula has one result, so one unit"),
        (Outputs::Many(_), Some(Units::One(_))) => {
            f.error("the formula has several results: give units by name")
        }
        (Outputs::Many(out), Some(Units::Many(units))) => {
            for name in units.keys().filter(|name| !out.contains_key(*name)) {
                unknown("result", name, out.keys().map(String::as_str), f);
            }
        }
        _ => {}
    });
}

fn case(formula: &Formula, calculation: &Calculation, worked: &Worked, findings: &mut Findings) {
    let Some(inputs) = arguments(&formula.inputs, &worked.inputs, findings) else { return };
    let results = match calculation.run(&inputs) {
        Ok(results) => results,
        Err(error) => {
            findings.error(format!("the formula fails: {}", error.message));
            return;
        }
    };
    let expected: Vec<(&str, &Json)> = match (&formula.out, &worked.out) {
        (Outputs::Many(_), Json::Object(many)) => {
            many.iter().map(|(name, json)| (name.as_str(), json)).collect()
        }
        (Outputs::Many(_), _) => {
            findings.error("the formula has several results: give `out` by name");
            return;
        }
        (Outputs::One(_), one) => vec![(ONLY, one)],
    };
    for (name, expected) in expected {
        findings.within("out", |f| match results.get(name) {
            None => unknown("result", name, results.keys().map(String::as_str), f),
            Some(found) => compare(found, expected, worked.tol, f),
        });
    }
}

/// The inputs of a worked value, checked against their ranges; defaults where left out.
fn arguments(
    inputs: &IndexMap<String, Attribute>,
    given: &IndexMap<String, Json>,
    findings: &mut Findings,
) -> Option<IndexMap<String, Value>> {
    let before = findings.found.len();
    let mut values = IndexMap::new();
    findings.within("in", |f| {
        for name in given.keys() {
            if !inputs.keys().any(|known| known.trim_end_matches('?') == name) {
                unknown("input", name, inputs.keys().map(String::as_str), f);
            }
        }
        for (name, attribute) in inputs {
            let plain = name.trim_end_matches('?');
            match (given.get(plain), &attribute.default) {
                (Some(json), _) => {
                    f.within(plain, |f| in_range(attribute, json, f));
                    values.insert(plain.to_owned(), json.into());
                }
                (None, Some(default)) => {
                    let value = gtm_world::cel::Expr::parse(default).ok().and_then(|expr| {
                        let scope = gtm_world::cel::Scope::new(Value::map(), 0);
                        expr.eval(&scope, &mut gtm_world::Budget::new(&gtm_world::Limits::default())).ok()
                    });
                    values.insert(plain.to_owned(), value.unwrap_or_default());
                }
                (None, None) if name.ends_with('?') => {
                    values.insert(plain.to_owned(), Value::Null);
                }
                (None, None) => f.error(format!("`{plain}` is missing")),
            }
        }
    });
    (findings.found.len() == before).then_some(values)
}

/// A value given for an attribute lies in its range and is of its kind.
pub(super) fn in_range(attribute: &Attribute, json: &Json, findings: &mut Findings) {
    if let Json::Array(items) = json
        && attribute.list.is_some()
    {
        let single = Attribute { list: None, ..attribute.clone() };
        items.iter().enumerate().for_each(|(at, item)| findings.within(at, |f| in_range(&single, item, f)));
        return;
    }
    match (&attribute.kind, json) {
        (Kind::Int(_), Json::Number(n)) if n.as_i64().is_none() => {
            findings.error(format!("{n} is not whole"))
        }
        (Kind::Int(range) | Kind::Number(range) | Kind::Money(range), Json::Number(n)) => {
            if !range.contains(n.as_f64().unwrap_or(f64::NAN)) {
                findings.error(format!("{n} lies outside the range {}..{}", range.low, range.high));
            }
        }
        (Kind::Int(_) | Kind::Number(_) | Kind::Money(_), other) => {
            findings.error(format!("{other} is no number"))
        }
        (Kind::Enum(words), Json::String(word)) if words.iter().any(|(known, _)| known == word) => {}
        (Kind::Enum(words), other) => {
            let known: Vec<&str> = words.iter().map(|(word, _)| word.as_str()).collect();
            findings.error(format!("{other} is none of {}", known.join(", ")));
        }
        (Kind::Bool(_), Json::Bool(_)) => {}
        (Kind::Bool(_), other) => findings.error(format!("{other} is neither true nor false")),
        _ => {}
    }
}

/// A result agrees with what is known, within a relative tolerance where it is a number.
pub(super) fn compare(found: &Value, expected: &Json, tolerance: Option<f64>, findings: &mut Findings) {
    let tolerance = tolerance.unwrap_or(TOLERANCE);
    if !close(found, expected, tolerance) {
        let off = match (found.as_f64(), expected.as_f64()) {
            (Some(a), Some(b)) if b != 0.0 => format!(", off by {:.2} %", 100.0 * (a / b - 1.0)),
            _ => String::new(),
        };
        findings.error(format!(
            "gives {}, not {expected}{off} (tolerance {} %)",
            found.to_json(),
            100.0 * tolerance
        ));
    }
}

fn close(found: &Value, expected: &Json, tolerance: f64) -> bool {
    match (found, expected) {
        (Value::Int(_) | Value::Float(_), Json::Number(n)) => {
            let (a, b) = (found.as_f64().unwrap_or(f64::NAN), n.as_f64().unwrap_or(f64::NAN));
            // Around zero a relative tolerance means nothing; there the numbers themselves must be tiny.
            (a - b).abs() <= tolerance * b.abs() + if b == 0.0 { tolerance.min(1e-6) } else { 0.0 }
        }
        (Value::List(list), Json::Array(items)) => {
            list.len() == items.len() && list.iter().zip(items).all(|(a, b)| close(a, b, tolerance))
        }
        (Value::Map(map), Json::Object(object)) => {
            map.len() == object.len()
                && object.iter().all(|(name, b)| map.get(name).is_some_and(|a| close(a, b, tolerance)))
        }
        _ => found.to_json() == *expected,
    }
}
