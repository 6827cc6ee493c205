//! Values of expressions, over plain JSON. What is not understood has no value, and is not held against anyone.

use super::parse::{Expr, parse};
use serde_json::{Map, Value as Json, json};
use std::borrow::Cow;

/// Names and what they stand for; below them, the state.
#[derive(Clone, Copy)]
pub(super) struct Scope<'s, 'v> {
    state: &'v Json,
    bound: Option<&'s Bound<'s, 'v>>,
}

/// One name, with those bound before it.
pub(super) struct Bound<'s, 'v> {
    name: &'s str,
    /// `None` if the value is not known.
    value: Option<Cow<'v, Json>>,
    before: Scope<'s, 'v>,
}

impl<'s, 'v> Scope<'s, 'v> {
    pub(super) fn new(state: &'v Json) -> Self {
        Scope { state, bound: None }
    }

    /// A name bound above these.
    pub(super) fn bind(self, name: &'s str, value: Option<Cow<'v, Json>>) -> Bound<'s, 'v> {
        Bound { name, value, before: self }
    }

    /// The same names over another state.
    pub(super) fn over(self, state: &'v Json) -> Self {
        Scope { state, ..self }
    }

    fn get(&self, name: &str) -> Option<Cow<'v, Json>> {
        let mut at = self.bound;
        while let Some(bound) = at {
            if bound.name == name {
                return bound.value.clone();
            }
            at = bound.before.bound;
        }
        Some(self.state.get(name).map_or(Cow::Owned(Json::Null), Cow::Borrowed))
    }
}

impl<'s, 'v> Bound<'s, 'v> {
    pub(super) fn scope(&'s self) -> Scope<'s, 'v> {
        Scope { state: self.before.state, bound: Some(self) }
    }
}

/// The value of an expression in text form.
pub(super) fn value<'v>(text: &str, scope: Scope<'_, 'v>) -> Option<Cow<'v, Json>> {
    eval(&parse(text)?, scope)
}

/// A value as a condition.
pub(super) fn truth(value: &Json) -> Option<bool> {
    match value {
        Json::Bool(truth) => Some(*truth),
        Json::Null => Some(false),
        _ => None,
    }
}

fn owned<'v>(json: Json) -> Option<Cow<'v, Json>> {
    Some(Cow::Owned(json))
}

fn number<'v>(x: f64) -> Option<Cow<'v, Json>> {
    if !x.is_finite() {
        return None;
    }
    // Whole numbers as such, so that they compare and index as integers do.
    owned(if x.fract() == 0.0 && x.abs() < 9e15 { json!(x as i64) } else { json!(x) })
}

fn eval<'v>(expr: &Expr, scope: Scope<'_, 'v>) -> Option<Cow<'v, Json>> {
    let sub = |expr: &Expr| eval(expr, scope);
    match expr {
        Expr::Number(x) => number(*x),
        Expr::Text(text) => owned(json!(text)),
        Expr::Word(truth) => owned(json!(truth)),
        Expr::Null => owned(Json::Null),
        Expr::Name(name) => scope.get(name),
        Expr::List(items) => {
            let items: Option<Vec<Json>> = items.iter().map(|item| Some(sub(item)?.into_owned())).collect();
            owned(Json::Array(items?))
        }
        Expr::Object(members) => {
            let mut object = Map::new();
            for (name, value) in members {
                object.insert(key(&*sub(name)?)?, sub(value)?.into_owned());
            }
            owned(Json::Object(object))
        }
        Expr::Member(of, name) => Some(step(sub(of)?, name)),
        Expr::Index(of, index) => {
            let (of, index) = (sub(of)?, sub(index)?);
            match &*of {
                Json::Array(items) => {
                    let at = index.as_i64()?;
                    let at = if at < 0 { items.len() as i64 + at } else { at };
                    owned(usize::try_from(at).ok().and_then(|at| items.get(at)).cloned().unwrap_or_default())
                }
                _ if index.is_null() => owned(Json::Null),
                _ => Some(step(of, &key(&index)?)),
            }
        }
        Expr::Not(inner) => owned(json!(!truth(&*sub(inner)?)?)),
        Expr::Minus(inner) => number(-sub(inner)?.as_f64()?),
        Expr::Choice(condition, yes, no) => sub(if truth(&*sub(condition)?)? { yes } else { no }),
        Expr::Binary(operator, left, right) => binary(operator, left, right, scope),
        Expr::Call(name, arguments) => super::functions::call(name, arguments, scope),
    }
}

pub(super) fn of<'v>(expr: &Expr, scope: Scope<'_, 'v>) -> Option<Cow<'v, Json>> {
    eval(expr, scope)
}

/// A member; null where there is none.
fn step<'v>(of: Cow<'v, Json>, name: &str) -> Cow<'v, Json> {
    match of {
        Cow::Borrowed(json) => json.get(name).map_or(Cow::Owned(Json::Null), Cow::Borrowed),
        Cow::Owned(mut json) => Cow::Owned(json.get_mut(name).map(Json::take).unwrap_or_default()),
    }
}

/// A value as the name of a member.
pub(super) fn key(json: &Json) -> Option<String> {
    match json {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) if !number.is_f64() => Some(number.to_string()),
        _ => None,
    }
}

fn binary<'v>(operator: &str, left: &Expr, right: &Expr, scope: Scope<'_, 'v>) -> Option<Cow<'v, Json>> {
    let side = |expr: &Expr| eval(expr, scope);
    match operator {
        "&&" | "||" => {
            // One part that decides is enough.
            let decides = operator == "||";
            let parts = [side(left), side(right)].map(|part| part.and_then(|part| truth(&part)));
            return match parts {
                [Some(a), _] if a == decides => owned(json!(decides)),
                [_, Some(b)] if b == decides => owned(json!(decides)),
                [Some(_), Some(_)] => owned(json!(!decides)),
                _ => None,
            };
        }
        _ => {}
    }
    let (left, right) = (side(left)?, side(right)?);
    match operator {
        "==" => owned(json!(equal(&left, &right))),
        "!=" => owned(json!(!equal(&left, &right))),
        "in" => match &*right {
            Json::Array(items) => owned(json!(items.iter().any(|item| equal(item, &left)))),
            Json::Object(members) => owned(json!(members.contains_key(&key(&left)?))),
            _ => None,
        },
        "<" | "<=" | ">" | ">=" => {
            let order = compare(&left, &right)?;
            owned(json!(match operator {
                "<" => order.is_lt(),
                "<=" => order.is_le(),
                ">" => order.is_gt(),
                _ => order.is_ge(),
            }))
        }
        "+" => match (&*left, &*right) {
            (Json::String(a), Json::String(b)) => owned(json!(format!("{a}{b}"))),
            (Json::Array(a), Json::Array(b)) => owned(Json::Array(a.iter().chain(b).cloned().collect())),
            (a, b) => number(a.as_f64()? + b.as_f64()?),
        },
        _ => {
            let (a, b) = (left.as_f64()?, right.as_f64()?);
            number(match operator {
                "-" => a - b,
                "*" => a * b,
                "/" => a / b,
                _ => a % b,
            })
        }
    }
}

/// Equal, numbers nearly so: sums may be taken in another order.
pub(in crate::verify) fn equal(a: &Json, b: &Json) -> bool {
    match (a, b) {
        (Json::Number(x), Json::Number(y)) => match (x.as_f64(), y.as_f64()) {
            (Some(x), Some(y)) => x == y || (x - y).abs() <= 1e-9 * x.abs().max(y.abs()),
            _ => x == y,
        },
        (Json::Array(a), Json::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b)),
        (Json::Object(a), Json::Object(b)) => {
            let one_way = |a: &Map<String, Json>, b: &Map<String, Json>| {
                a.iter().all(|(name, x)| equal(x, b.get(name).unwrap_or(&Json::Null)))
            };
            one_way(a, b) && one_way(b, a)
        }
        _ => a == b,
    }
}

/// Order of numbers, texts and truths.
pub(super) fn compare(a: &Json, b: &Json) -> Option<std::cmp::Ordering> {
    match (a, b) {
        (Json::Number(_), Json::Number(_)) => a.as_f64()?.partial_cmp(&b.as_f64()?),
        (Json::String(a), Json::String(b)) => Some(a.cmp(b)),
        (Json::Bool(a), Json::Bool(b)) => Some(a.cmp(b)),
        _ => None,
    }
}
