//! Writing YAML for people: short objects on one line, as the documentation shows behaviors.
//!
//! Every text that could be read as something else, or that hides a character, is written as a
//! JSON string, which is YAML as well.

use crate::output::safe_json;
use serde_json::{Map, Value};

/// Longest line that an object or list is put on, in characters.
const WIDTH: usize = 100;

/// The value as a block of YAML that ends with a line break.
pub(crate) fn block(value: &Value) -> String {
    let mut out = String::new();
    match value {
        Value::Object(map) if !map.is_empty() => members(map, 0, &mut out),
        Value::Array(list) if !list.is_empty() => items(list, 0, &mut out),
        _ => {
            out.push_str(&flow(value));
            out.push('\n');
        }
    }
    out
}

fn members(map: &Map<String, Value>, indent: usize, out: &mut String) {
    for (at, (name, value)) in map.iter().enumerate() {
        // The first member follows the list's dash, or nothing.
        if at > 0 || out.is_empty() || out.ends_with('\n') {
            out.push_str(&" ".repeat(indent));
        }
        let name = key(name);
        out.push_str(&name);
        out.push(':');
        nested(value, indent, indent + name.chars().count() + 2, out);
    }
}

fn items(list: &[Value], indent: usize, out: &mut String) {
    for value in list {
        out.push_str(&" ".repeat(indent));
        out.push('-');
        match value {
            // A step, `require: {...}`, is shown without braces around it.
            Value::Object(map)
                if map.len() == 1
                    || map.values().any(Value::is_object)
                    || fits(value, indent + 2).is_none() =>
            {
                out.push(' ');
                members(map, indent + 2, out);
            }
            _ => nested(value, indent, indent + 2, out),
        }
    }
}

/// What follows `name:` or `-`: on the same line if it fits, else as a block.
fn nested(value: &Value, indent: usize, column: usize, out: &mut String) {
    match (value, fits(value, column)) {
        (_, Some(line)) => {
            out.push(' ');
            out.push_str(&line);
            out.push('\n');
        }
        (Value::Object(map), None) => {
            out.push('\n');
            members(map, indent + 2, out);
        }
        (Value::Array(list), None) => {
            out.push('\n');
            items(list, indent + 2, out);
        }
        (scalar, None) => {
            out.push(' ');
            out.push_str(&self::scalar(scalar, false));
            out.push('\n');
        }
    }
}

/// The value on one line, if it is short enough. Behaviors are lists of steps, one a line, so an
/// object that holds a list of objects is never put on one line.
fn fits(value: &Value, column: usize) -> Option<String> {
    let blocked = |v: &Value| v.as_array().is_some_and(|list| list.iter().any(|i| i.is_object()));
    let line = match value {
        Value::Object(map) if map.values().any(blocked) => return None,
        Value::Array(_) if blocked(value) => return None,
        Value::Object(_) | Value::Array(_) if small(value, &mut 60) => flow(value),
        Value::Object(_) | Value::Array(_) => return None,
        _ => return Some(scalar(value, false)),
    };
    (column + line.chars().count() <= WIDTH).then_some(line)
}

/// Whether the value has few parts; asked before any long text is made of it.
fn small(value: &Value, left: &mut usize) -> bool {
    *left = left.saturating_sub(1);
    *left > 0
        && match value {
            Value::Object(map) => map.iter().all(|(k, v)| k.len() < WIDTH && small(v, left)),
            Value::Array(list) => list.iter().all(|v| small(v, left)),
            Value::String(text) => text.len() < WIDTH,
            _ => true,
        }
}

fn flow(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let members: Vec<String> = map.iter().map(|(k, v)| format!("{}: {}", key(k), flow(v))).collect();
            format!("{{{}}}", members.join(", "))
        }
        Value::Array(list) => format!("[{}]", list.iter().map(flow).collect::<Vec<_>>().join(", ")),
        _ => scalar(value, true),
    }
}

fn key(name: &str) -> String {
    if is_plain(name, true) { name.to_owned() } else { safe_json(&name) }
}

fn scalar(value: &Value, in_flow: bool) -> String {
    match value {
        Value::String(text) if is_plain(text, in_flow) => text.clone(),
        _ => safe_json(value),
    }
}

/// Whether the text means itself without quotes.
fn is_plain(text: &str, in_flow: bool) -> bool {
    let first = text.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || matches!(c, '_' | '/' | '$'));
    let allowed = |c: char| {
        c.is_ascii_alphanumeric()
            || " _./$()*+=<>!|&'\"?;^~-".contains(c)
            || (!in_flow && "[]{},".contains(c))
    };
    const WORDS: [&str; 10] = ["null", "true", "false", "yes", "no", "on", "off", "nan", "inf", "infinity"];
    first
        && text.chars().all(allowed)
        && !text.ends_with(' ')
        && !WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use gtm_tool::{Limits, parse_document};
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn steps_look_as_the_documentation_shows_them() {
        let value = json!({"behaviors": {"get": {"steps": [
            {"require": {"exists": "flights[args.id]", "error": "not_found"}},
            {"reply": {"id": "it.id", "note": "'x: y'"}},
            {"reply": "it"}
        ]}}, "n": 1, "e": {}, "t": "true", "z": "01"});
        let expected = "\
behaviors:
  get:
    steps:
      - require: {exists: \"flights[args.id]\", error: not_found}
      - reply: {id: it.id, note: \"'x: y'\"}
      - reply: it
n: 1
e: {}
t: \"true\"
z: \"01\"
";
        assert_eq!(block(&value), expected);
    }

    #[test]
    fn hidden_characters_are_escaped() {
        let text = block(&json!({"a\u{1b}[2J": "\u{202e}x\r\n"}));
        assert_eq!(text, "\"a\\u001b[2J\": \"\\u202ex\\r\\n\"\n");
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let text = prop_oneof![
            "[a-z'\"\\[\\]{}:,# .*&!|>%@`?=<-]{0,12}",
            "\\PC{0,8}",
            any::<String>().prop_map(|s| s.chars().take(6).collect::<String>()),
            prop::sample::select(vec![
                "null",
                "~",
                "True",
                "yes",
                "0x1f",
                "1e3",
                ".inf",
                "-",
                "---",
                "...",
                "<<",
                "=",
                "a: b",
                "a #b",
                "2020-01-01",
                "'x'",
                "&a",
                "*a",
                "!t",
                "? x",
                "",
                " ",
                "\n",
                "args.id == 'x'",
                "a[b].c",
                "$fill"
            ])
            .prop_map(str::to_owned),
        ];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            (-1e9..1e9f64).prop_map(Value::from),
            text.clone().prop_map(Value::from),
        ];
        leaf.prop_recursive(5, 40, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::vec((text.clone(), inner), 0..6)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back_the_same(value in any_value()) {
            let text = block(&value);
            let back = parse_document(&text, &Limits::default());
            prop_assert_eq!(back.as_ref().ok(), Some(&value), "{}", text);
        }
    }
}
