//! The functions that arithmetic and aggregates use.

use super::eval::{Scope, compare, equal, key, of, truth};
use super::parse::Expr;
use serde_json::{Map, Value as Json, json};
use std::borrow::Cow;

/// A function's value; `None` where it is not known here or does not fit its arguments.
pub(super) fn call<'v>(name: &str, arguments: &[Expr], scope: Scope<'_, 'v>) -> Option<Cow<'v, Json>> {
    if let Some(value) = binding(name, arguments, scope) {
        return value;
    }
    let values: Option<Vec<Cow<'v, Json>>> = arguments.iter().map(|expr| of(expr, scope)).collect();
    let values = values?;
    if let ("default", [value, other]) = (name, values.as_slice()) {
        return Some(if value.is_null() { other.clone() } else { value.clone() });
    }
    plain(name, &values).map(Cow::Owned)
}

/// Functions that bind names: the outer `None` says that it is none.
fn binding<'v>(name: &str, arguments: &[Expr], scope: Scope<'_, 'v>) -> Option<Option<Cow<'v, Json>>> {
    match (name, arguments) {
        ("bind", [Expr::Name(bound), value, then]) => Some((|| {
            let bound = scope.bind(bound, Some(of(value, scope)?));
            of(then, bound.scope())
        })()),
        ("has", [place]) => Some(of(place, scope).and_then(|value| {
            // A member that is null is there; what is written here cannot tell, so only others are told.
            (!value.is_null()).then(|| Cow::Owned(json!(true)))
        })),
        ("map" | "filter" | "all" | "exists", [list, Expr::Name(item), body]) => {
            Some(each(name, list, item, body, scope).map(Cow::Owned))
        }
        ("reduce", [list, Expr::Name(so_far), Expr::Name(item), initial, body]) => Some((|| {
            let mut value = of(initial, scope)?;
            for next in items(&*of(list, scope)?)? {
                let outer = scope.bind(so_far, Some(value));
                let inner = outer.scope().bind(item, Some(Cow::Owned(next)));
                value = of(body, inner.scope())?;
            }
            Some(value)
        })()),
        _ => None,
    }
}

fn each(name: &str, list: &Expr, item: &str, body: &Expr, scope: Scope<'_, '_>) -> Option<Json> {
    let mut out = Vec::new();
    let list = of(list, scope)?;
    for value in items(&list)? {
        let bound = scope.bind(item, Some(Cow::Owned(value.clone())));
        let result = of(body, bound.scope())?;
        match name {
            "map" => out.push(result.into_owned()),
            "filter" if truth(&result)? => out.push(value),
            "all" if !truth(&result)? => return Some(json!(false)),
            "exists" if truth(&result)? => return Some(json!(true)),
            _ => {}
        }
    }
    Some(match name {
        "all" => json!(true),
        "exists" => json!(false),
        _ => Json::Array(out),
    })
}

/// What a list or object is gone through by.
fn items(json: &Json) -> Option<Vec<Json>> {
    match json {
        Json::Array(items) => Some(items.clone()),
        Json::Object(members) => Some(members.keys().map(|name| json!(name)).collect()),
        Json::Null => Some(Vec::new()),
        _ => None,
    }
}

fn number(x: f64) -> Option<Json> {
    if !x.is_finite() {
        return None;
    }
    Some(if x.fract() == 0.0 && x.abs() < 9e15 { json!(x as i64) } else { json!(x) })
}

fn numbers(values: &[Cow<'_, Json>]) -> Option<Vec<f64>> {
    match values {
        [one] if one.is_array() => one.as_array()?.iter().map(Json::as_f64).collect(),
        many => many.iter().map(|value| value.as_f64()).collect(),
    }
}

fn plain(name: &str, values: &[Cow<'_, Json>]) -> Option<Json> {
    let first = values.first().map(|value| &**value);
    let x = || first.and_then(Json::as_f64);
    let y = || values.get(1).and_then(|value| value.as_f64());
    match (name, values.len()) {
        ("size", 1) => number(match first? {
            Json::Array(items) => items.len() as f64,
            Json::Object(members) => members.len() as f64,
            Json::String(text) => text.chars().count() as f64,
            Json::Null => 0.0,
            _ => return None,
        }),
        ("keys", 1) => Some(Json::Array(first?.as_object()?.keys().map(|name| json!(name)).collect())),
        ("values", 1) => Some(Json::Array(first?.as_object()?.values().cloned().collect())),
        ("distinct", 1) => {
            let mut seen: Vec<Json> = Vec::new();
            for item in first?.as_array()? {
                if !seen.iter().any(|known| equal(known, item)) {
                    seen.push(item.clone());
                }
            }
            Some(Json::Array(seen))
        }
        ("countBy", 2) => {
            let member = values[1].as_str()?;
            let mut counts = Map::new();
            for item in first?.as_array()? {
                let count = counts.entry(key(item.get(member)?)?).or_insert(json!(0));
                *count = json!(count.as_i64()? + 1);
            }
            Some(Json::Object(counts))
        }
        ("range", 1) => Some((0..x()? as i64).take(10_000).collect()),
        ("contains", 2) => match (first?, &*values[1]) {
            (Json::Array(items), item) => Some(json!(items.iter().any(|known| equal(known, item)))),
            (Json::String(text), Json::String(part)) => Some(json!(text.contains(part.as_str()))),
            _ => None,
        },
        ("sum", 1) => number(numbers(values)?.iter().sum()),
        ("mean", 1) => {
            let all = numbers(values)?;
            number(all.iter().sum::<f64>() / all.len() as f64)
        }
        ("median", 1) => {
            let mut all = numbers(values)?;
            all.sort_by(f64::total_cmp);
            let middle = all.len() / 2;
            match all.len() {
                0 => None,
                n if n % 2 == 1 => number(all[middle]),
                _ => number((all[middle - 1] + all[middle]) / 2.0),
            }
        }
        ("min" | "max", _) => extreme(name == "max", values),
        ("clamp", 3) => number(x()?.max(y()?).min(values[2].as_f64()?)),
        ("round", 1) => number(x()?.round()),
        ("round", 2) => rounded(x()?, y()?),
        ("pow", 2) => number(x()?.powf(y()?)),
        ("hypot", 2) => number(x()?.hypot(y()?)),
        ("atan2", 2) => number(x()?.atan2(y()?)),
        ("log", 2) => number(x()?.ln() / y()?.ln()),
        ("intDiv", 2) => number((x()? / y()?).floor()),
        ("pi", 0) => number(std::f64::consts::PI),
        (_, 1) => number(unary(name)?(x()?)),
        _ => None,
    }
}

fn unary(name: &str) -> Option<fn(f64) -> f64> {
    Some(match name {
        "abs" => f64::abs,
        "sqrt" => f64::sqrt,
        "cbrt" => f64::cbrt,
        "floor" => f64::floor,
        "ceil" => f64::ceil,
        "exp" => f64::exp,
        "ln" | "log" => f64::ln,
        "log10" => f64::log10,
        "log2" => f64::log2,
        "sin" => f64::sin,
        "cos" => f64::cos,
        "tan" => f64::tan,
        "asin" => f64::asin,
        "acos" => f64::acos,
        "atan" => f64::atan,
        "sinh" => f64::sinh,
        "cosh" => f64::cosh,
        "tanh" => f64::tanh,
        "radians" => f64::to_radians,
        "degrees" => f64::to_degrees,
        "double" => |x| x,
        _ => return None,
    })
}

/// Rounded to decimals; what lies too near the middle of two depends on the last bit and is not told.
fn rounded(x: f64, digits: f64) -> Option<Json> {
    let scale = 10f64.powf(digits);
    let scaled = x * scale;
    let from_middle = ((scaled - scaled.floor()) - 0.5).abs();
    (from_middle > 1e-6 || scaled.fract() == 0.0).then(|| number(scaled.round() / scale)).flatten()
}

fn extreme(greatest: bool, values: &[Cow<'_, Json>]) -> Option<Json> {
    let all: Vec<&Json> = match values {
        [one] if one.is_array() => one.as_array()?.iter().collect(),
        many => many.iter().map(|value| &**value).collect(),
    };
    let (first, rest) = all.split_first()?;
    let mut best = *first;
    for value in rest {
        let order = compare(value, best)?;
        if order.is_gt() == greatest && order.is_ne() {
            best = value;
        }
    }
    Some(best.clone())
}
