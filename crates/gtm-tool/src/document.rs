//! Reading JSON or YAML text into a value, within bounds.

use crate::Limits;
use gtm_error::{Code, Error, Result};
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use serde_saphyr::options::{DuplicateKeyPolicy, NonFiniteFloatPolicy};
use std::cell::Cell;
use std::fmt;

/// What to do when an object has one key twice.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Duplicates {
    /// Refuse: in a file a user wrote, one of the two is a mistake.
    Refuse,
    /// Keep the last, as JSON readers do: published specs are not ours to mend.
    KeepLast,
}

/// Reads a JSON or YAML document.
///
/// Fails with [`Code::SpecSyntax`] (line and column given) where the text is neither or has a
/// duplicate key, and with [`Code::SpecTooLarge`] where it exceeds a limit, including what its
/// YAML aliases would expand to.
pub fn parse_document(text: impl AsRef<[u8]>, limits: &Limits) -> Result<Value> {
    parse(text.as_ref(), limits, Duplicates::Refuse)
}

pub(crate) fn parse(bytes: &[u8], limits: &Limits, duplicates: Duplicates) -> Result<Value> {
    let text = utf8(bytes, limits.document_bytes)?;
    if is_json(text) { parse_json(text, limits, duplicates) } else { parse_yaml(text, limits, duplicates) }
}

/// Whether the text begins as JSON. YAML's flow style (`{a: 1}`) does so only by its bracket; it
/// would also take broken JSON for something else, so the two are told apart by what follows.
fn is_json(text: &str) -> bool {
    let inside = text.trim_start().trim_start_matches(['{', '[', ' ', '\t', '\r', '\n']);
    let bracket = text.trim_start().starts_with(['{', '[']);
    bracket
        && (inside.is_empty()
            || inside.starts_with(['"', '}', ']', '-'])
            || inside.starts_with(|c: char| c.is_ascii_digit()))
}

/// The bytes as text without a byte order mark, if they are UTF-8 and no more than `max` bytes.
pub(crate) fn utf8(bytes: &[u8], max: usize) -> Result<&str> {
    if bytes.len() > max {
        return Err(Error::new(Code::SpecTooLarge, format!("document of {} bytes", bytes.len()))
            .expected(format!("at most {max} bytes (`limits.document_bytes`)")));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|error| {
        let good = std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default();
        Error::new(Code::SpecSyntax, "not UTF-8 text")
            .at(place_after(good))
            .hint("save the document as UTF-8")
    })
}

fn place_after(text: &str) -> String {
    let line = text.bytes().filter(|&b| b == b'\n').count() + 1;
    let column = text.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    place(line as u64, column as u64)
}

fn place(line: u64, column: u64) -> String {
    format!("line {line}, column {column}")
}

pub(crate) fn parse_json(text: &str, limits: &Limits, duplicates: Duplicates) -> Result<Value> {
    let tree = Tree::new(limits, text.len(), duplicates);
    let mut reader = serde_json::Deserializer::from_str(text);
    tree.seed().deserialize(&mut reader).and_then(|value| reader.end().map(|()| value)).map_err(|error| {
        let message = error.to_string();
        let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(head, _)| head);
        tree.error(message, error.line() as u64, error.column() as u64)
    })
}

fn parse_yaml(text: &str, limits: &Limits, duplicates: Duplicates) -> Result<Value> {
    let tree = Tree::new(limits, text.len(), duplicates);
    let budget = serde_saphyr::budget! {
        max_depth: limits.effective_depth(),
        max_nodes: limits.document_nodes,
        // Each container has a start and an end event.
        max_events: limits.document_nodes.saturating_mul(2),
        max_documents: 1,
        // Kept to be repeated, once for each anchor around: 170 bytes each.
        max_recorded_anchor_events: limits.alias_nodes.saturating_mul(4),
        max_recorded_anchor_bytes: limits.document_bytes,
        // What aliases really add is bounded below, more tightly than by counting them.
        enforce_alias_anchor_ratio: false,
    };
    let options = serde_saphyr::options! {
        budget: budget,
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: limits.alias_nodes.saturating_mul(2),
        },
        duplicate_keys: match duplicates {
            Duplicates::Refuse => DuplicateKeyPolicy::Error,
            Duplicates::KeepLast => DuplicateKeyPolicy::LastWins,
        },
        // YAML 1.2: `no` and `on` are words, `010` and `1_000` are not numbers.
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        non_finite_float_policy: NonFiniteFloatPolicy::AsString,
        with_snippet: false,
    };
    let read = serde_saphyr::with_deserializer_from_str_with_options(text, options, |reader| {
        tree.seed().deserialize(reader)
    });
    read.map_err(|error| {
        if is_budget(&error) {
            tree.over
                .set(Some("more than its limits allow (`limits.document_nodes`, `depth`, `alias_nodes`)"));
        }
        let (line, column) = error.location().map_or((0, 0), |l| (l.line(), l.column()));
        let message = error.to_string();
        tree.error(message.lines().next().unwrap_or("not valid YAML"), line, column)
    })
}

/// Whether a limit was hit, possibly inside an alias, where only the words are left of it.
fn is_budget(error: &serde_saphyr::Error) -> bool {
    matches!(error, serde_saphyr::Error::Budget { .. }) || {
        let message = error.to_string();
        ["limit exceeded", "budget", "depth exceeded"].iter().any(|words| message.contains(words))
    }
}

/// Builds a value while counting what is built, so that memory is bounded during reading.
struct Tree {
    nodes: Cell<usize>,
    text: Cell<usize>,
    max_depth: usize,
    duplicates: Duplicates,
    /// Set when a limit was hit, to tell it from broken syntax.
    over: Cell<Option<&'static str>>,
}

#[derive(Clone, Copy)]
struct Seed<'a> {
    tree: &'a Tree,
    depth: usize,
}

impl Tree {
    fn new(limits: &Limits, source_bytes: usize, duplicates: Duplicates) -> Self {
        Self {
            nodes: Cell::new(limits.document_nodes),
            // Strings can only outgrow their source by aliases.
            text: Cell::new(source_bytes.saturating_add(4 << 20)),
            max_depth: limits.effective_depth(),
            duplicates,
            over: Cell::new(None),
        }
    }

    fn seed(&self) -> Seed<'_> {
        Seed { tree: self, depth: 0 }
    }

    fn error(&self, message: &str, line: u64, column: u64) -> Error {
        let deep = message.contains("recursion limit");
        let error = match self.over.get() {
            Some(what) => Error::new(Code::SpecTooLarge, format!("the document holds {what}")),
            None if deep => Error::new(Code::SpecTooLarge, "the document is nested too deeply")
                .expected(format!("at most {} levels (`limits.depth`)", self.max_depth)),
            None => Error::new(Code::SpecSyntax, message),
        };
        if line == 0 { error } else { error.at(place(line, column)) }
    }

    fn take<E: serde::de::Error>(
        &self,
        counter: &Cell<usize>,
        n: usize,
        what: &'static str,
    ) -> std::result::Result<(), E> {
        match counter.get().checked_sub(n) {
            Some(left) => counter.set(left),
            None => {
                self.over.set(Some(what));
                return Err(E::custom("over a limit"));
            }
        }
        Ok(())
    }

    fn node<E: serde::de::Error>(&self) -> std::result::Result<(), E> {
        self.take(&self.nodes, 1, "more values than `limits.document_nodes` allows")
    }

    fn string<E: serde::de::Error>(&self, text: &str) -> std::result::Result<(), E> {
        self.take(&self.text, text.len(), "far more text, by its aliases, than was written")
    }
}

impl<'a> Seed<'a> {
    fn deeper<E: serde::de::Error>(self) -> std::result::Result<Self, E> {
        if self.depth >= self.tree.max_depth {
            self.tree.over.set(Some("values nested deeper than `limits.depth` allows"));
            return Err(E::custom("over a limit"));
        }
        Ok(Seed { tree: self.tree, depth: self.depth + 1 })
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> std::result::Result<Value, D::Error> {
        self.tree.node()?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, v: bool) -> std::result::Result<Value, E> {
        Ok(Value::Bool(v))
    }

    fn visit_i64<E>(self, v: i64) -> std::result::Result<Value, E> {
        Ok(Value::Number(v.into()))
    }

    fn visit_u64<E>(self, v: u64) -> std::result::Result<Value, E> {
        Ok(Value::Number(v.into()))
    }

    fn visit_i128<E>(self, v: i128) -> std::result::Result<Value, E> {
        Ok(Number::from_i128(v).or_else(|| Number::from_f64(v as f64)).map_or(Value::Null, Value::Number))
    }

    fn visit_u128<E>(self, v: u128) -> std::result::Result<Value, E> {
        Ok(Number::from_u128(v).or_else(|| Number::from_f64(v as f64)).map_or(Value::Null, Value::Number))
    }

    fn visit_f64<E>(self, v: f64) -> std::result::Result<Value, E> {
        Ok(Number::from_f64(v).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: serde::de::Error>(self, v: &str) -> std::result::Result<Value, E> {
        self.tree.string(v)?;
        Ok(Value::String(v.to_owned()))
    }

    fn visit_string<E: serde::de::Error>(self, v: String) -> std::result::Result<Value, E> {
        self.tree.string(&v)?;
        Ok(Value::String(v))
    }

    fn visit_bytes<E: serde::de::Error>(self, v: &[u8]) -> std::result::Result<Value, E> {
        self.visit_str(&String::from_utf8_lossy(v))
    }

    fn visit_unit<E>(self) -> std::result::Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> std::result::Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> std::result::Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> std::result::Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut items = Vec::new();
        while let Some(item) = access.next_element_seed(inner)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> std::result::Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut map = Map::new();
        while let Some(key) = access.next_key::<String>()? {
            self.tree.string(&key)?;
            if self.tree.duplicates == Duplicates::Refuse && map.contains_key(&key) {
                return Err(A::Error::custom(format!("duplicate key `{}`", gtm_error::printable(&key))));
            }
            let value = access.next_value_seed(inner)?;
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn strict(text: &str) -> Result<Value> {
        parse_document(text, &Limits::default())
    }

    #[test]
    fn reads_json_and_yaml_alike() {
        let json = strict("\u{feff}{\"a\": [1, -2, 1.5, true, null, \"x\"], \"200\": {}}").unwrap();
        let yaml = strict("a: [1, -2, 1.5, true, null, x]\n200: {}\n").unwrap();
        assert_eq!(json, yaml);
    }

    #[test]
    fn yaml_words_stay_words() {
        let value = strict("on: no\nversion: 1.10\nzip: 01234\ndate: 2020-01-02\nbig: 1_000\n").unwrap();
        assert_eq!(value["on"], "no");
        assert_eq!(value["zip"], "01234");
        assert_eq!(value["date"], "2020-01-02");
        assert_eq!(value["big"], "1_000");
    }

    #[test]
    fn flow_yaml_is_no_json() {
        assert_eq!(strict("{a: 1, b: [x, 'y']} # note\n").unwrap(), json!({"a": 1, "b": ["x", "y"]}));
    }

    #[test]
    fn yaml_merges_and_aliases() {
        let value = strict("base: &b {x: 1}\nc:\n  <<: *b\n  y: 2\nd: *b\n").unwrap();
        assert_eq!(value["c"], json!({"x": 1, "y": 2}));
        assert_eq!(value["d"], json!({"x": 1}));
    }

    #[test]
    fn syntax_errors_carry_line_and_column() {
        let error = strict("{\n  \"a\": 1,\n  \"b\": }\n").unwrap_err();
        assert_eq!(error.code(), Code::SpecSyntax);
        assert!(error.place().is_some_and(|p| p.starts_with("line 3, column")), "{error}");
        let error = strict("a: 1\nb: [1, 2\nc: 3\n").unwrap_err();
        assert_eq!(error.code(), Code::SpecSyntax);
        assert!(error.place().is_some_and(|p| p.starts_with("line ")), "{error}");
    }

    #[test]
    fn duplicate_keys_are_refused_or_the_last_kept() {
        for text in ["{\"a\": 1, \"b\": 2,\n \"a\": 3}", "a: 1\nb: 2\na: 3\n"] {
            let error = strict(text).unwrap_err();
            assert_eq!(error.code(), Code::SpecSyntax, "{error}");
            assert!(error.place().is_some_and(|p| p.starts_with("line ")), "{error}");
            let value = parse(text.as_bytes(), &Limits::default(), Duplicates::KeepLast).unwrap();
            assert_eq!(value["a"], 3);
        }
    }

    #[test]
    fn bytes_that_are_not_text_are_refused_with_their_place() {
        let error = parse_document(b"a: 1\nb: \xff\xfe", &Limits::default()).unwrap_err();
        assert_eq!((error.code(), error.place()), (Code::SpecSyntax, Some("line 2, column 4")));
    }

    #[test]
    fn deep_documents_are_refused() {
        for text in ["[".repeat(100_000), "{\"a\":".repeat(100_000), "- ".repeat(100_000)] {
            assert_eq!(strict(&text).unwrap_err().code(), Code::SpecTooLarge, "{}", &text[..9]);
        }
        assert!(strict(&("[".repeat(120) + &"]".repeat(120))).is_ok());
    }

    #[test]
    fn too_many_values_and_bytes_are_refused() {
        let limits = Limits { document_nodes: 100, document_bytes: 1_000, ..Limits::default() };
        for text in [format!("[{}1]", "1,".repeat(100)), "- 1\n".repeat(101), "x".repeat(1_001)] {
            let error = parse_document(&text, &limits).unwrap_err();
            assert_eq!(error.code(), Code::SpecTooLarge, "{error}");
        }
    }
}
