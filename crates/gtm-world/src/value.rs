//! The engine's value: JSON with structural sharing.
//!
//! Every composite is persistent (copy-on-write), so cloning a value of any size copies one
//! pointer, a changed copy shares all that did not change, and a session forks in constant time.

mod map;
mod rows;

pub use map::Map;

use imbl::Vector;
use std::sync::Arc;

/// Shared text.
pub type Str = Arc<str>;

/// Shared persistent list. Behind an `Arc` because the vector itself is several words wide.
pub type List = Arc<Vector<Value>>;

/// A JSON value with cheap clones. Integers that fit `i64` stay integers; other numbers are `f64`.
#[derive(Clone, Debug, Default)]
pub enum Value {
    /// `null`.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number written without fraction or exponent.
    Int(i64),
    /// Any other number; always finite.
    Float(f64),
    /// Text.
    Str(Str),
    /// Array.
    List(List),
    /// Object, in order of insertion.
    Map(Map),
}

impl Value {
    /// An empty object.
    pub fn map() -> Value {
        Value::Map(Map::new())
    }

    /// A float, or `null` where JSON has no such number.
    pub fn float(x: f64) -> Value {
        if x.is_finite() { Value::Float(x) } else { Value::Null }
    }

    /// The name of the value's type, as JSON Schema calls it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Int(_) => "integer",
            Value::Float(_) => "number",
            Value::Str(_) => "string",
            Value::List(_) => "array",
            Value::Map(_) => "object",
        }
    }

    /// Member of an object; `None` if absent or not an object.
    pub fn get(&self, key: &str) -> Option<&Value> {
        match self {
            Value::Map(map) => map.get(key),
            _ => None,
        }
    }

    /// Text, if it is text.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::Str(s) => Some(s),
            _ => None,
        }
    }

    /// Any number as a float.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Value::Int(i) => Some(*i as f64),
            Value::Float(x) => Some(*x),
            _ => None,
        }
    }

    /// A whole number, also when written as a float such as `3.0`.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Value::Int(i) => Some(*i),
            Value::Float(x) if x.fract() == 0.0 && x.abs() < 9.0e15 => Some(*x as i64),
            _ => None,
        }
    }

    /// The object, if it is one.
    pub fn as_map(&self) -> Option<&Map> {
        match self {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The list, if it is one.
    pub fn as_list(&self) -> Option<&Vector<Value>> {
        match self {
            Value::List(list) => Some(list),
            _ => None,
        }
    }

    /// Whether it is `null`.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// The text under which this value would be a key of an object: text as it is, numbers and
    /// booleans as JSON writes them. `None` for null, lists and objects.
    pub fn as_key(&self) -> Option<Str> {
        match self {
            Value::Str(s) => Some(s.clone()),
            Value::Int(i) => Some(i.to_string().into()),
            Value::Float(x) => Some(match self.as_i64() {
                Some(i) => i.to_string().into(),
                None => x.to_string().into(),
            }),
            Value::Bool(b) => Some(if *b { "true".into() } else { "false".into() }),
            Value::Null | Value::List(_) | Value::Map(_) => None,
        }
    }

    /// The value as `serde_json` holds it.
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match self {
            Value::Null => Json::Null,
            Value::Bool(b) => Json::Bool(*b),
            Value::Int(i) => Json::from(*i),
            Value::Float(x) => Json::from(*x),
            Value::Str(s) => Json::from(&**s),
            Value::List(list) => Json::Array(list.iter().map(Value::to_json).collect()),
            Value::Map(map) => Json::Object(map.iter().map(|(k, v)| (k.to_string(), v.to_json())).collect()),
        }
    }

    /// Approximate heap bytes of the whole value, and its depth in composites.
    pub fn size(&self) -> (usize, usize) {
        const NODE: usize = 40;
        match self {
            Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) => (NODE, 0),
            Value::Str(s) => (NODE + s.len(), 0),
            Value::List(list) => list.iter().fold((NODE, 1), |(bytes, depth), v| {
                let (b, d) = v.size();
                (bytes + b, depth.max(d + 1))
            }),
            Value::Map(map) => map.iter().fold((NODE, 1), |(bytes, depth), (k, v)| {
                let (b, d) = v.size();
                (bytes + k.len() + NODE + b, depth.max(d + 1))
            }),
        }
    }
}

/// Numbers are equal when they denote the same number (`1 == 1.0`); objects are equal whatever
/// the order of their members.
impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Value::Null, Value::Null) => true,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Int(a), Value::Int(b)) => a == b,
            (Value::Int(_) | Value::Float(_), Value::Int(_) | Value::Float(_)) => {
                self.as_f64() == other.as_f64()
            }
            (Value::Str(a), Value::Str(b)) => a == b,
            (Value::List(a), Value::List(b)) => Arc::ptr_eq(a, b) || a == b,
            (Value::Map(a), Value::Map(b)) => a == b,
            _ => false,
        }
    }
}

impl From<&serde_json::Value> for Value {
    fn from(json: &serde_json::Value) -> Self {
        from_json(json, None)
    }
}

/// Converts JSON. Where `like`, the sibling before, has the same member at the same place, its key is
/// shared: the records of a collection then hold one copy of each name, not one a record.
fn from_json(json: &serde_json::Value, like: Option<&Value>) -> Value {
    use serde_json::Value as Json;
    match json {
        Json::Null => Value::Null,
        Json::Bool(b) => Value::Bool(*b),
        Json::Number(n) => match n.as_i64() {
            Some(i) => Value::Int(i),
            None => Value::float(n.as_f64().unwrap_or(0.0)),
        },
        Json::String(s) => Value::Str(s.as_str().into()),
        Json::Array(items) => {
            let mut before = None;
            let convert = |item| {
                let value = from_json(item, before.as_ref());
                before = matches!(value, Value::Map(_)).then(|| value.clone());
                value
            };
            items.iter().map(convert).collect()
        }
        Json::Object(members) => {
            let like = like.and_then(Value::as_map);
            let mut before = None;
            let convert = |(at, (name, member)): (usize, (&String, &Json))| {
                let same = like.and_then(|map| map.nth_of_few(at)).filter(|(key, _)| ***key == **name);
                let value = from_json(member, same.map(|(_, value)| value).or(before.as_ref()));
                before = matches!(value, Value::Map(_)).then(|| value.clone());
                (same.map_or_else(|| Str::from(name.as_str()), |(key, _)| key.clone()), value)
            };
            Value::Map(members.iter().enumerate().map(convert).collect())
        }
    }
}

impl From<serde_json::Value> for Value {
    fn from(json: serde_json::Value) -> Self {
        Value::from(&json)
    }
}

impl From<&str> for Value {
    fn from(s: &str) -> Self {
        Value::Str(s.into())
    }
}

impl From<String> for Value {
    fn from(s: String) -> Self {
        Value::Str(s.into())
    }
}

impl From<i64> for Value {
    fn from(i: i64) -> Self {
        Value::Int(i)
    }
}

impl From<bool> for Value {
    fn from(b: bool) -> Self {
        Value::Bool(b)
    }
}

impl From<Map> for Value {
    fn from(map: Map) -> Self {
        Value::Map(map)
    }
}

impl FromIterator<Value> for Value {
    fn from_iter<I: IntoIterator<Item = Value>>(items: I) -> Self {
        Value::List(Arc::new(items.into_iter().collect()))
    }
}

impl serde::Serialize for Value {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(b) => serializer.serialize_bool(*b),
            Value::Int(i) => serializer.serialize_i64(*i),
            Value::Float(x) => serializer.serialize_f64(*x),
            Value::Str(s) => serializer.serialize_str(s),
            Value::List(list) => serializer.collect_seq(list.iter()),
            Value::Map(map) => serializer.collect_map(map.iter()),
        }
    }
}

impl<'de> serde::Deserialize<'de> for Value {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serde_json::Value::deserialize(deserializer).map(Value::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn json_round_trips_in_order() {
        let json = json!({"z": 1, "a": [1.5, "x", null, {"b": true}], "i": i64::MIN});
        let value = Value::from(&json);
        assert_eq!(value.to_json().to_string(), json.to_string());
        assert_eq!(serde_json::to_string(&value).unwrap(), json.to_string());
    }

    #[test]
    fn equality_ignores_number_form_and_member_order() {
        assert_eq!(Value::from(json!({"a": 1, "b": 2})), Value::from(json!({"b": 2.0, "a": 1.0})));
        assert_ne!(Value::from(json!({"a": 1})), Value::from(json!({"a": 1, "b": null})));
        assert_ne!(Value::from(json!("1")), Value::from(json!(1)));
    }

    #[test]
    fn keys_of_scalars() {
        assert_eq!(Value::Float(12.0).as_key().as_deref(), Some("12"));
        assert_eq!(Value::Float(1.5).as_key().as_deref(), Some("1.5"));
        assert_eq!(Value::map().as_key(), None);
    }
}
