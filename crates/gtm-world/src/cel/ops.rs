//! Operators on values.

use super::ast::BinaryOp;
use super::eval::ITEM;
use super::{Eval, Fault};
use crate::{Budget, Value};
use std::cmp::Ordering;
use std::sync::Arc;

/// The type of a value in words, for messages.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Int(_) => "an integer",
        Value::Float(_) => "a number",
        Value::Str(_) => "text",
        Value::List(_) => "a list",
        Value::Map(_) => "an object",
    }
}

/// A double as a value; infinities and NaN are errors, since JSON has no such numbers.
pub(super) fn finite(x: f64) -> Eval<Value> {
    if x.is_finite() { Ok(Value::Float(x)) } else { Err(Fault::data("the result is not a finite number")) }
}

fn overflow() -> Fault {
    Fault::data("the result does not fit an integer of 64 bits; use double(x)")
}

/// `-a`
pub(super) fn negate(value: &Value) -> Eval<Value> {
    match value {
        Value::Int(i) => i.checked_neg().map(Value::Int).ok_or_else(overflow),
        Value::Float(x) => Ok(Value::Float(-x)),
        other => Err(Fault::data(format!("cannot negate {}", kind(other)))),
    }
}

/// `a + b`, `a - b`, `a * b`, `a / b`, `a % b`
pub(super) fn arithmetic(op: BinaryOp, left: &Value, right: &Value, budget: &mut Budget) -> Eval<Value> {
    match (left, right) {
        (Value::Int(a), Value::Int(b)) => integers(op, *a, *b),
        (Value::Int(_) | Value::Float(_), Value::Int(_) | Value::Float(_)) => {
            doubles(op, number(left), number(right))
        }
        (Value::Str(a), Value::Str(b)) if op == BinaryOp::Add => {
            budget.allocate(ITEM + a.len() + b.len())?;
            let mut joined = String::with_capacity(a.len() + b.len());
            joined.push_str(a);
            joined.push_str(b);
            Ok(joined.into())
        }
        (Value::List(a), Value::List(b)) if op == BinaryOp::Add => {
            budget.allocate(ITEM * (a.len() + b.len() + 1))?;
            let mut joined = (**a).clone();
            joined.append((**b).clone());
            Ok(Value::List(Arc::new(joined)))
        }
        _ => Err(mismatch(op, left, right)),
    }
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or(f64::NAN)
}

fn integers(op: BinaryOp, a: i64, b: i64) -> Eval<Value> {
    let whole = match op {
        BinaryOp::Add => a.checked_add(b),
        BinaryOp::Sub => a.checked_sub(b),
        BinaryOp::Mul => a.checked_mul(b),
        _ if b == 0 => return Err(Fault::data("division by zero")),
        BinaryOp::Div => match a.checked_rem(b) {
            Some(0) => a.checked_div(b),
            Some(_) => return finite(a as f64 / b as f64),
            None => None,
        },
        // The only remainder that overflows is that of the least integer by -1, which is 0.
        _ => Some(a.wrapping_rem(b)),
    };
    whole.map(Value::Int).ok_or_else(overflow)
}

fn doubles(op: BinaryOp, a: f64, b: f64) -> Eval<Value> {
    finite(match op {
        BinaryOp::Add => a + b,
        BinaryOp::Sub => a - b,
        BinaryOp::Mul => a * b,
        _ if b == 0.0 => return Err(Fault::data("division by zero")),
        BinaryOp::Div => a / b,
        _ => a % b,
    })
}

fn mismatch(op: BinaryOp, left: &Value, right: &Value) -> Fault {
    let (verb, link) = match op {
        BinaryOp::Add => ("add", "and"),
        BinaryOp::Sub => ("subtract", "and"),
        BinaryOp::Mul => ("multiply", "and"),
        _ => ("divide", "by"),
    };
    let hint = match (op, left, right) {
        (BinaryOp::Add, Value::Map(_), Value::Map(_)) => "; use merge(a, b)",
        (BinaryOp::Add, Value::List(_), _) => "; use withItem(list, item)",
        (_, Value::Null, _) | (_, _, Value::Null) => "; default(x, 0) stands in for null",
        (BinaryOp::Add, Value::Str(_), _) | (BinaryOp::Add, _, Value::Str(_)) => {
            "; use string(x) for text or double(x) for a number"
        }
        (_, Value::Str(_), _) | (_, _, Value::Str(_)) => "; use int(x) or double(x) to read text as a number",
        _ => "",
    };
    Fault::data(format!("cannot {verb} {} {link} {}{hint}", kind(left), kind(right)))
}

/// `a < b` and the like: numbers, text (dates in ISO form too) and booleans.
pub(super) fn compare(left: &Value, right: &Value, budget: &mut Budget) -> Eval<Ordering> {
    match (left, right) {
        (Value::Int(_) | Value::Float(_), Value::Int(_) | Value::Float(_))
        | (Value::Bool(_), Value::Bool(_)) => Ok(order(left, right)),
        (Value::Str(a), Value::Str(b)) => {
            budget.spend(a.len().min(b.len()) as u64 / 16)?;
            Ok(a.cmp(b))
        }
        _ => Err(Fault::data(format!("cannot compare {} with {}", kind(left), kind(right)))),
    }
}

/// `a == b`, paid by what is looked at. Recursion is as deep as the values.
pub(super) fn equal(left: &Value, right: &Value, budget: &mut Budget) -> Eval<bool> {
    match (left, right) {
        (Value::Str(a), Value::Str(b)) => {
            if a.len() != b.len() {
                return Ok(false);
            }
            budget.spend(a.len() as u64 / 16)?;
            Ok(a == b)
        }
        (Value::List(a), Value::List(b)) => {
            if Arc::ptr_eq(a, b) {
                return Ok(true);
            }
            if a.len() != b.len() {
                return Ok(false);
            }
            for (a, b) in a.iter().zip(b.iter()) {
                budget.spend(1)?;
                if !equal(a, b, budget)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        (Value::Map(a), Value::Map(b)) => {
            if a.same(b) {
                return Ok(true);
            }
            if a.len() != b.len() {
                return Ok(false);
            }
            for (key, a) in a.iter() {
                budget.spend(1 + key.len() as u64 / 16)?;
                match b.get(key) {
                    Some(b) if equal(a, b, budget)? => {}
                    _ => return Ok(false),
                }
            }
            Ok(true)
        }
        _ => Ok(left == right),
    }
}

/// `a in b`: an item of a list, or a key of an object.
pub(super) fn within(item: &Value, of: &Value, budget: &mut Budget) -> Eval<bool> {
    match of {
        Value::Null => Ok(false),
        Value::List(list) => {
            for other in list.iter() {
                budget.spend(1)?;
                if equal(item, other, budget)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        Value::Map(map) => match item.as_key() {
            Some(key) => {
                budget.spend(key.len() as u64 / 16)?;
                Ok(map.contains_key(&key))
            }
            None => Ok(false),
        },
        Value::Str(_) => {
            Err(Fault::data("`in` looks in a list or object; for text use contains(text, part)"))
        }
        other => Err(Fault::data(format!("`in` looks in a list or object, not in {}", kind(other)))),
    }
}

/// A total order for sorting: booleans, numbers, text, lists, objects, and null last. Within lists
/// and within objects all are equal, so that a stable sort leaves them as they are.
pub(super) fn order(left: &Value, right: &Value) -> Ordering {
    fn rank(value: &Value) -> u8 {
        match value {
            Value::Bool(_) => 0,
            Value::Int(_) => 1,
            Value::Float(x) if !x.is_nan() => 1,
            Value::Str(_) => 2,
            Value::List(_) => 3,
            Value::Map(_) => 4,
            Value::Float(_) | Value::Null => 5,
        }
    }
    rank(left).cmp(&rank(right)).then_with(|| match (left, right) {
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Int(a), Value::Int(b)) => a.cmp(b),
        (Value::Int(a), Value::Float(b)) => integer_to_double(*a, *b),
        (Value::Float(a), Value::Int(b)) => integer_to_double(*b, *a).reverse(),
        (Value::Float(a), Value::Float(b)) => a.partial_cmp(b).unwrap_or(Ordering::Equal),
        (Value::Str(a), Value::Str(b)) => a.cmp(b),
        _ => Ordering::Equal,
    })
}

/// Exact, unlike comparing through `f64`: that would not be transitive for integers beyond 2^53, and
/// sorting relies on it.
fn integer_to_double(a: i64, b: f64) -> Ordering {
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;
    if b >= BEYOND {
        return Ordering::Less;
    }
    if b < -BEYOND {
        return Ordering::Greater;
    }
    let fraction = 0.0_f64.partial_cmp(&b.fract()).unwrap_or(Ordering::Equal);
    a.cmp(&(b.trunc() as i64)).then(fraction)
}

/// What sorting these costs. Text is compared as far as it is alike, which may be all of it.
pub(super) fn sorting_cost<'v>(items: impl Iterator<Item = &'v Value>) -> u64 {
    let (mut count, mut work) = (1u64, 0u64);
    for item in items {
        count += 1;
        work += 1 + item.as_str().map_or(0, |text| text.len() as u64 / 16);
    }
    work.saturating_mul(1 + u64::from(count.ilog2()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// `sort_by` may panic on an order that is not total, so all triples of tricky values are tried.
    #[test]
    fn order_is_total_and_agrees_with_equality() {
        let big = 1i64 << 53;
        let mut values: Vec<Value> =
            [-1.5, -0.0, 0.0, 0.5, big as f64, 9.3e18, -9.3e18].map(Value::Float).into();
        values.extend([i64::MIN, -1, 0, 1, big - 1, big, big + 1, i64::MAX].map(Value::Int));
        values.extend(
            [json!(null), json!(true), json!("a"), json!("b"), json!([1]), json!({})].map(Value::from),
        );
        for a in &values {
            for b in &values {
                assert_eq!(order(a, b), order(b, a).reverse(), "{a:?} {b:?}");
                for c in &values {
                    if order(a, b).is_le() && order(b, c).is_le() {
                        assert!(order(a, c).is_le(), "{a:?} {b:?} {c:?}");
                    }
                }
            }
        }
        assert!(order(&Value::Int(1), &Value::Float(1.0)).is_eq());
    }
}
