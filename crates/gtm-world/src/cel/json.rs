//! JSON text from values and values from JSON text, both paid from the budget as they go.

use super::eval::ITEM;
use super::{Eval, Fault};
use crate::{Budget, Exhausted, Map, Str, Value};
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// Deepest nesting that `json(text)` reads and that is written out.
const MAX_NESTING: usize = 128;

/// Appends a value as compact JSON.
pub(super) fn write(value: &Value, out: &mut String, budget: &mut Budget) -> Eval<()> {
    write_at(value, out, budget, MAX_NESTING)
}

fn write_at(value: &Value, out: &mut String, budget: &mut Budget, levels: usize) -> Eval<()> {
    let Some(inner) = levels.checked_sub(1) else {
        return Err(Fault::data(format!("the value is nested deeper than {MAX_NESTING} levels")));
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

/// Approximate bytes of a whole value and its depth, paid from the budget. A small expression can
/// build a value whose parts are shared so often that walking it would take forever; weigh a value
/// before anything else walks it.
pub fn weigh(value: &Value, budget: &mut Budget) -> Result<(usize, usize), Exhausted> {
    budget.spend(1)?;
    let mut bytes = ITEM;
    let mut depth = 0;
    match value {
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) => {}
        Value::Str(text) => bytes += text.len(),
        Value::List(list) => {
            depth = 1;
            for item in list.iter() {
                let (inner, below) = weigh(item, budget)?;
                bytes = bytes.saturating_add(inner);
                depth = depth.max(below + 1);
            }
        }
        Value::Map(map) => {
            depth = 1;
            for (key, member) in map.iter() {
                let (inner, below) = weigh(member, budget)?;
                bytes = bytes.saturating_add(inner + key.len() + ITEM);
                depth = depth.max(below + 1);
            }
        }
    }
    Ok((bytes, depth))
}
