//! Two replies side by side, with what differs marked.

use crate::json::{same_number, unfolded};
use gtm_page::escaped;
use serde_json::Value as Json;

/// Most lines shown of one side.
const MAX_LINES: usize = 400;

/// A value over several lines as HTML, with leaves marked that the other side has otherwise or not
/// at all. A text that holds JSON is shown as that.
pub(super) fn marked(value: &Json, other: &Json) -> String {
    let (value, other) = (unfolded(value), unfolded(other));
    let mut side = Side { out: String::new(), lines: 0 };
    side.write(&value, Some(&other), 0);
    if side.lines >= MAX_LINES {
        side.out.push_str("\n…");
    }
    side.out
}

struct Side {
    out: String,
    lines: usize,
}

impl Side {
    fn write(&mut self, value: &Json, other: Option<&Json>, depth: usize) {
        match value {
            Json::Object(members) if !members.is_empty() => {
                self.out.push('{');
                for (at, (name, value)) in members.iter().enumerate() {
                    if !self.line(depth + 1) {
                        return;
                    }
                    let there = other.and_then(|other| other.as_object()?.get(name));
                    let label = escaped(&Json::from(name.as_str()).to_string());
                    match there {
                        Some(_) => self.out.push_str(&label),
                        None => self.out.push_str(&format!("<mark>{label}</mark>")),
                    }
                    self.out.push_str(": ");
                    self.write(value, there, depth + 1);
                    self.out.push_str(if at + 1 < members.len() { "," } else { "" });
                }
                self.line(depth);
                self.out.push('}');
            }
            Json::Array(items) if !items.is_empty() => {
                self.out.push('[');
                for (at, value) in items.iter().enumerate() {
                    if !self.line(depth + 1) {
                        return;
                    }
                    self.write(value, other.and_then(|other| other.as_array()?.get(at)), depth + 1);
                    self.out.push_str(if at + 1 < items.len() { "," } else { "" });
                }
                self.line(depth);
                self.out.push(']');
            }
            leaf => {
                // A reply that is one text is easier to read without quotes and escapes.
                let text = match leaf {
                    Json::String(text) if depth == 0 => escaped(text),
                    leaf => escaped(&leaf.to_string()),
                };
                match other.is_some_and(|other| equal(leaf, other)) {
                    true => self.out.push_str(&text),
                    false => self.out.push_str(&format!("<mark>{text}</mark>")),
                }
            }
        }
    }

    /// Begins a line; false if there are too many.
    fn line(&mut self, depth: usize) -> bool {
        self.lines += 1;
        self.out.push('\n');
        self.out.push_str(&"  ".repeat(depth));
        self.lines < MAX_LINES
    }
}

fn equal(a: &Json, b: &Json) -> bool {
    match (a, b) {
        (Json::Number(a), Json::Number(b)) => same_number(a, b),
        (a, b) => a == b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_differs_is_marked_on_each_side() {
        let (real, ours) = (json!({"a": 1, "b": ["<x>", 2]}), json!({"a": 1.0, "b": ["y"], "c": null}));
        let marked = |value, other| marked(value, other).replace("&quot;", "\"");
        assert_eq!(
            marked(&real, &ours),
            "{\n  \"a\": 1,\n  \"b\": [\n    <mark>\"&lt;x&gt;\"</mark>,\n    <mark>2</mark>\n  ]\n}"
        );
        assert!(marked(&ours, &real).contains("<mark>\"c\"</mark>: <mark>null</mark>"));
    }

    #[test]
    fn long_replies_are_cut() {
        let long = Json::from((0..10_000).collect::<Vec<u32>>());
        assert!(marked(&long, &long).lines().count() <= MAX_LINES + 2);
    }
}
