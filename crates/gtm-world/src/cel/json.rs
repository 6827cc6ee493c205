//! JSON text from values and values from JSON text, both paid from the budget as they go.

use super::eval::ITEM;
use super::{Eval, Fault};
use crate::{Budget, Exhausted, Map, Str, ToolError, Value};
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// Deepest nesting of a value that leaves an expression or is written out.
const MAX_NESTING: usize = 128;

/// Appends a value as compact JSON.
pub(super) fn write(value: &Value, out: &mut String, budget: &mut Budget) -> Eval<()> {
    write_at(value, out, budget, MAX_NESTING)
}

fn write_at(value: &Value, out: &mut String, budget: &mut Budget, levels: usize) -> Eval<()> {
    let Some(inner) = levels.checked_sub(1) else {
        return Err(too_deep());
    };
    budget.spend(1)?;
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Value::Int(_) | Value::Float(_) => out.push_str(&number_text(value)),
        Value::Str(text) => quote(text, out, budget)?,
        Value::List(list) => {
            out.push('[');
            for (at, item) in list.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write_at(item, out, budget, inner)?;
            }
            out.push(']');
        }
        Value::Map(map) => {
            out.push('{');
            for (at, (key, member)) in map.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                quote(key, out, budget)?;
                out.push(':');
                write_at(member, out, budget, inner)?;
            }
            out.push('}');
        }
    }
    // Marks and numbers are short, so one flat sum per value stands for them.
    Ok(budget.allocate(4)?)
}

/// Appends text in quotes.
fn quote(text: &str, out: &mut String, budget: &mut Budget) -> Eval<()> {
    budget.allocate(text.len() + 2)?;
    let quoted = serde_json::to_string(text).map_err(|error| Fault::data(error.to_string()))?;
    budget.allocate(quoted.len() - text.len())?;
    out.push_str(&quoted);
    Ok(())
}

/// A number as JSON writes it.
fn number_text(value: &Value) -> String {
    match value {
        Value::Int(i) => i.to_string(),
        other => serde_json::Number::from_f64(other.as_f64().unwrap_or(f64::NAN))
            .map_or_else(|| "null".to_owned(), |number| number.to_string()),
    }
}

/// Appends a value as people read it: text as it is, everything else as JSON.
pub(super) fn write_plain(value: &Value, out: &mut String, budget: &mut Budget) -> Eval<()> {
    match value {
        Value::Str(text) => {
            budget.allocate(text.len())?;
            out.push_str(text);
            Ok(())
        }
        other => write(other, out, budget),
    }
}

/// A value as [`write_plain`] writes it.
pub(super) fn plain(value: &Value, budget: &mut Budget) -> Eval<Str> {
    if let Value::Str(text) = value {
        return Ok(text.clone());
    }
    let mut out = String::new();
    write(value, &mut out, budget)?;
    Ok(out.into())
}

/// Reads JSON text.
pub(super) fn read(text: &str, budget: &mut Budget) -> Eval<Value> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let mut spent = None;
    let seed = Reader { budget, spent: &mut spent };
    let value = seed.deserialize(&mut deserializer).and_then(|value| deserializer.end().map(|()| value));
    match spent {
        Some(exhausted) => Err(exhausted.into()),
        None => value.map_err(|error| Fault::data(format!("not valid JSON: {error}"))),
    }
}

/// Builds a value from JSON, paying for each part before the next is read.
struct Reader<'b> {
    budget: &'b mut Budget,
    /// Why reading stopped, if it was not the text's fault.
    spent: &'b mut Option<Exhausted>,
}

impl Reader<'_> {
    fn pay<E: serde::de::Error>(&mut self, bytes: usize) -> Result<(), E> {
        let paid = self.budget.spend(1).and_then(|()| self.budget.allocate(bytes));
        paid.map_err(|exhausted| {
            *self.spent = Some(exhausted);
            E::custom(exhausted)
        })
    }

    fn inner(&mut self) -> Reader<'_> {
        Reader { budget: self.budget, spent: self.spent }
    }
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, b: bool) -> Result<Value, E> {
        Ok(Value::Bool(b))
    }

    fn visit_i64<E>(self, i: i64) -> Result<Value, E> {
        Ok(Value::Int(i))
    }

    fn visit_u64<E>(self, u: u64) -> Result<Value, E> {
        Ok(i64::try_from(u).map_or(Value::float(u as f64), Value::Int))
    }

    fn visit_f64<E>(self, x: f64) -> Result<Value, E> {
        Ok(Value::float(x))
    }

    fn visit_str<E: serde::de::Error>(mut self, text: &str) -> Result<Value, E> {
        self.pay(text.len())?;
        Ok(Value::from(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<Value, A::Error> {
        self.pay(ITEM)?;
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(self.inner())? {
            self.pay(ITEM)?;
            items.push(item);
        }
        Ok(items.into_iter().collect())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut access: A) -> Result<Value, A::Error> {
        self.pay(ITEM)?;
        let mut map = Map::new();
        while let Some(key) = access.next_key::<String>()? {
            self.pay(2 * ITEM + key.len())?;
            let value = access.next_value_seed(self.inner())?;
            map.insert(key, value);
        }
        Ok(Value::Map(map))
    }
}

/// Approximate bytes of a whole value and its depth in composites, paid from the budget.
///
/// A few steps can build a value whose parts are shared so often, or nested so deeply, that walking
/// or even dropping it would take forever or overflow the stack. Every value that an expression
/// builds passes through here before anyone else sees it.
pub fn weigh(value: &Value, budget: &mut Budget) -> Result<(usize, usize), ToolError> {
    Ok(weigh_within(value, budget)?)
}

/// [`weigh`] for the evaluator.
pub(super) fn weigh_within(value: &Value, budget: &mut Budget) -> Eval<(usize, usize)> {
    weigh_at(value, budget, MAX_NESTING)
}

fn weigh_at(value: &Value, budget: &mut Budget, levels: usize) -> Eval<(usize, usize)> {
    budget.spend(1)?;
    let mut bytes = ITEM;
    let mut depth = 0;
    let inner = || levels.checked_sub(1).ok_or_else(too_deep);
    match value {
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) => {}
        Value::Str(text) => bytes += text.len(),
        Value::List(list) => {
            depth = 1;
            let levels = inner()?;
            for item in list.iter() {
                let (more, below) = weigh_at(item, budget, levels)?;
                bytes = bytes.saturating_add(more);
                depth = depth.max(below + 1);
            }
        }
        Value::Map(map) => {
            depth = 1;
            let levels = inner()?;
            for (key, member) in map.iter() {
                let (more, below) = weigh_at(member, budget, levels)?;
                bytes = bytes.saturating_add(more + key.len() + ITEM);
                depth = depth.max(below + 1);
            }
        }
    }
    Ok((bytes, depth))
}

fn too_deep() -> Fault {
    Fault::data(format!("the value is nested deeper than {MAX_NESTING} levels"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;
    use serde_json::json;

    #[test]
    fn text_round_trips() {
        let text = r#"{"a":[1,-2.5,"x\"é\n",null,true],"b":{},"big":1e+300,"i":9223372036854775807}"#;
        let mut budget = Budget::new(&Limits::default());
        let value = read(text, &mut budget).expect("is JSON");
        let mut out = String::new();
        write(&value, &mut out, &mut budget).expect("is within budget");
        assert_eq!(out, text);
        assert_eq!(out, serde_json::to_string(&value).expect("is JSON"));
    }

    #[test]
    fn reading_is_paid_before_it_is_built() {
        let text = "[".to_owned() + &"[],".repeat(100_000) + "1]";
        let limits = Limits { call_bytes: 1 << 20, ..Limits::default() };
        assert!(matches!(read(&text, &mut Budget::new(&limits)), Err(Fault::Exhausted(Exhausted::Bytes))));
        let mut budget = Budget::new(&Limits::default());
        for text in ["", "{", "[1,]", "nul", "1 2", "1e999", &"[".repeat(10_000)] {
            assert!(matches!(read(text, &mut budget), Err(Fault::Data(_))), "{text}");
        }
    }

    #[test]
    fn weighing_agrees_with_size_and_refuses_depth() {
        let value = Value::from(json!({"a": [1, {"b": "text"}], "c": null}));
        let mut budget = Budget::new(&Limits::default());
        assert_eq!(weigh(&value, &mut budget), Ok(value.size()));
        let deep = (0..200).fold(Value::Null, |inner, _| Value::from_iter([inner]));
        assert!(weigh(&deep, &mut budget).unwrap_err().message.contains("nested deeper"));
    }
}
