//! Texts that say of another call what they said of an earlier one: what stood for the earlier
//! call's arguments, tool and values is replaced by what stands for the new one's.

use gtm_world::{Map, Value};

/// Most replacements looked for in a text.
const MAX_PAIRS: usize = 256;
/// Longest text that is rewritten, in bytes.
const MAX_TEXT: usize = 65_536;
/// Levels of an argument that are paired.
const MAX_DEPTH: usize = 5;

/// Replacements, longest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Swaps {
    pairs: Vec<(String, String)>,
}

impl Swaps {
    /// What stands for one call in place of the other: its arguments and its tool's name.
    pub(crate) fn between(old: (&str, &Value), new: (&str, &Value)) -> Swaps {
        let mut swaps = Swaps::default();
        swaps.values(old.1, new.1, 0);
        swaps.tool(old.0, new.0);
        swaps
    }

    /// Adds a replacement of one text by another. The first one for a text counts.
    pub(crate) fn text(&mut self, old: &str, new: &str) {
        if old.is_empty() || self.pairs.len() >= MAX_PAIRS || self.pairs.iter().any(|(o, _)| o == old) {
            return;
        }
        let at = self.pairs.partition_point(|(o, _)| o.len() >= old.len());
        self.pairs.insert(at, (old.to_owned(), new.to_owned()));
    }

    /// Adds the replacements of another, where this one has none.
    pub(crate) fn and(&mut self, other: &Swaps) {
        other.pairs.iter().for_each(|(old, new)| self.text(old, new));
    }

    /// Adds replacements of the scalars of one value by those at the same places of another.
    pub(crate) fn values(&mut self, old: &Value, new: &Value, depth: usize) {
        if depth > MAX_DEPTH || self.pairs.len() >= MAX_PAIRS {
            return;
        }
        match (old, new) {
            (Value::Map(o), Value::Map(n)) => {
                self.written(old, new);
                o.iter().for_each(|(name, value)| {
                    if let Some(other) = n.get(name) {
                        self.values(value, other, depth + 1);
                    }
                });
            }
            (Value::List(o), Value::List(n)) => {
                self.written(old, new);
                o.iter().zip(n.iter()).for_each(|(o, n)| self.values(o, n, depth + 1));
            }
            (Value::Str(o), Value::Str(n)) => {
                self.text(o, n);
                // Arguments that are JSON in a text.
                if let (Some(o), Some(n)) = (embedded(o), embedded(n)) {
                    self.values(&o, &n, depth + 1);
                }
            }
            (Value::Int(_) | Value::Float(_), Value::Int(_) | Value::Float(_)) => {
                if let (Some(o), Some(n)) = (old.as_f64(), new.as_f64()) {
                    self.text(&old.to_json().to_string(), &new.to_json().to_string());
                    self.text(&format!("{o:.1}"), &format!("{n:.1}"));
                    self.text(&format!("{o:.2}"), &format!("{n:.2}"));
                }
            }
            (Value::Bool(o), Value::Bool(n)) if o != n => {
                self.text(&o.to_string(), &n.to_string());
                self.text(capital(*o), capital(*n));
            }
            _ => {}
        }
    }

    /// A whole value as it would be written out.
    fn written(&mut self, old: &Value, new: &Value) {
        let write = |value: &Value| serde_json::to_string_pretty(&value.to_json()).unwrap_or_default();
        if old != new && old.size().0 + new.size().0 < MAX_TEXT / 8 {
            self.text(&write(old), &write(new));
        }
    }

    /// A tool's name, in the ways that names are written.
    fn tool(&mut self, old: &str, new: &str) {
        if old == new {
            return;
        }
        self.text(old, new);
        self.text(&camel(old), &camel(new));
        let words = |name: &str| name.replace(['_', '-', '.'], " ");
        self.text(&words(old), &words(new));
    }

    /// The text with everything replaced at once, where whole words match.
    pub(crate) fn apply(&self, text: &str) -> String {
        if text.len() > MAX_TEXT || self.pairs.is_empty() {
            return text.to_owned();
        }
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        let mut before = None;
        while let Some(next) = rest.chars().next() {
            let found = self.pairs.iter().find(|(old, _)| {
                rest.starts_with(old.as_str()) && bounded(before, old, rest[old.len()..].chars().next())
            });
            let taken = match found {
                Some((old, new)) => {
                    out.push_str(new);
                    before = old.chars().next_back();
                    old.len()
                }
                None => {
                    out.push(next);
                    before = Some(next);
                    next.len_utf8()
                }
            };
            rest = &rest[taken..];
        }
        out
    }

    /// Whether some replacement takes place in the text.
    pub(crate) fn touches(&self, text: &str) -> bool {
        self.apply(text) != text
    }

    /// The value with the replacements in its texts and numbers.
    pub(crate) fn value(&self, value: &Value) -> Value {
        match value {
            Value::Str(text) => Value::from(self.apply(text)),
            Value::Int(_) | Value::Float(_) => self.number(value).unwrap_or_else(|| value.clone()),
            Value::List(items) => items.iter().map(|item| self.value(item)).collect(),
            Value::Map(map) => {
                Value::Map(map.iter().map(|(name, v)| (name.clone(), self.value(v))).collect::<Map>())
            }
            _ => value.clone(),
        }
    }

    /// A number that is an argument of the earlier call is that argument of the new one.
    fn number(&self, value: &Value) -> Option<Value> {
        let text = value.to_json().to_string();
        let (_, new) = self.pairs.iter().find(|(old, _)| *old == text)?;
        let new = serde_json::from_str::<serde_json::Value>(new).ok().filter(|v| v.is_number())?;
        Some(Value::from(new))
    }
}

/// An object or list that a text holds as JSON.
pub(crate) fn embedded(text: &str) -> Option<Value> {
    let looks = text.starts_with(['{', '[']) && text.len() <= MAX_TEXT;
    let json = looks.then(|| serde_json::from_str::<serde_json::Value>(text).ok())??;
    let value = Value::from(json);
    (value.size().1 <= 16).then_some(value)
}

fn capital(b: bool) -> &'static str {
    if b { "True" } else { "False" }
}

/// `get_order_details` as `GetOrderDetails`.
fn camel(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut up = true;
    for c in name.chars() {
        match c {
            '_' | '-' | '.' | ' ' => up = true,
            c if up => {
                out.extend(c.to_uppercase());
                up = false;
            }
            c => out.push(c),
        }
    }
    out
}

/// Whether a match is no part of a longer word or number.
fn bounded(before: Option<char>, matched: &str, after: Option<char>) -> bool {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let joined = |a: Option<char>, b: Option<char>| a.is_some_and(word) && b.is_some_and(word);
    !joined(before, matched.chars().next()) && !joined(matched.chars().next_back(), after)
}
