//! Untrusted text on its way to an agent: descriptions are data, and must look like what they are.

use serde_json::{Map, Value};

/// Longest description handed to an agent, in characters.
const MAX_DESCRIPTION: usize = 8_000;

/// The text without control, zero-width and bidirectional characters, and of bounded length.
///
/// They are dropped rather than escaped: a reader cannot see them, so nothing legible is lost,
/// and an escape sequence would be noise in an agent's context. Line breaks and tabs stay.
pub(crate) fn clean(text: &str) -> String {
    let mut out: String = text.chars().filter(|c| !is_hidden(*c)).take(MAX_DESCRIPTION + 1).collect();
    if let Some((end, _)) = out.char_indices().nth(MAX_DESCRIPTION) {
        out.truncate(end);
        out.push('…');
    }
    out
}

fn is_hidden(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' => true,
        // Tag characters: invisible, and known as a way to smuggle text past a human reader.
        '\u{e0000}'..='\u{e007f}' => true,
        c => c.is_control(),
    }
}

/// Keywords of a reply's schema that are not sent: what validators disagree about (`pattern`,
/// `format`), and what would refuse more once those are gone (`not`, `if`, ...).
const NOT_SENT: &[&str] = &[
    "$anchor",
    "$comment",
    "pattern",
    "format",
    "patternProperties",
    "not",
    "if",
    "then",
    "else",
    "maxContains",
    "unevaluatedItems",
    "unevaluatedProperties",
];

/// A copy of a schema with its texts cleaned and, if `for_replies`, made to accept at least what
/// it accepted before under any validator.
///
/// Clients validate replies against the output schema with whatever validator and regular
/// expressions they have, and fail the call on a schema that those cannot compile. GTM has checked
/// the reply against the full schema by then.
pub(crate) fn clean_schema(schema: &Value, for_replies: bool) -> Value {
    let Value::Object(object) = schema else {
        return schema.clone();
    };
    let open_names = object.contains_key("patternProperties");
    let mut out = Map::with_capacity(object.len());
    for (key, value) in object {
        let name = key.as_str();
        if name == "$id" || (for_replies && (name == "$schema" || NOT_SENT.contains(&name))) {
            continue;
        }
        // A closed object whose open-ended names are not sent would refuse them.
        if for_replies && open_names && name == "additionalProperties" {
            continue;
        }
        let value = match (name, value) {
            ("description" | "title" | "$comment", Value::String(text)) => Value::String(clean(text)),
            (
                "properties" | "patternProperties" | "$defs" | "definitions" | "dependentSchemas",
                Value::Object(m),
            ) => Value::Object(m.iter().map(|(k, v)| (k.clone(), member_schema(v, for_replies))).collect()),
            // Alternatives told apart only by what is not sent would both match.
            ("oneOf", Value::Array(items)) if for_replies => {
                if !object.contains_key("anyOf") {
                    let items = items.iter().map(|item| clean_schema(item, true)).collect();
                    out.insert("anyOf".into(), Value::Array(items));
                }
                continue;
            }
            ("allOf" | "anyOf" | "oneOf" | "prefixItems", Value::Array(items)) => {
                Value::Array(items.iter().map(|item| clean_schema(item, for_replies)).collect())
            }
            (
                "items"
                | "additionalProperties"
                | "contains"
                | "propertyNames"
                | "not"
                | "if"
                | "then"
                | "else"
                | "unevaluatedItems"
                | "unevaluatedProperties",
                value,
            ) => clean_schema(value, for_replies),
            (_, value) => value.clone(),
        };
        out.insert(key.clone(), value);
    }
    Value::Object(out)
}

/// A member's schema. Some clients take only objects there, so the two boolean schemas are spelled out.
fn member_schema(schema: &Value, for_replies: bool) -> Value {
    match schema {
        Value::Bool(true) => Value::Object(Map::new()),
        Value::Bool(false) => serde_json::json!({"not": {}}),
        other => clean_schema(other, for_replies),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn hidden_characters_go_and_length_is_bounded() {
        assert_eq!(clean("a\u{1b}[31mb\u{202e}c\u{200b}d\r\ne\u{e0041}"), "a[31mbcd\ne");
        assert_eq!(clean(&"é".repeat(MAX_DESCRIPTION)).chars().count(), MAX_DESCRIPTION);
        assert_eq!(clean(&"é".repeat(1_000_000)).chars().count(), MAX_DESCRIPTION + 1);
    }

    #[test]
    fn keywords_go_but_properties_of_the_same_name_stay() {
        let schema = json!({"type": "object", "$schema": "x", "properties": {
            "format": {"type": "string", "format": "int32", "pattern": "\\-"}, "any": true}});
        assert_eq!(
            clean_schema(&schema, true),
            json!({"type": "object", "properties": {"format": {"type": "string"}, "any": {}}})
        );
        assert_eq!(clean_schema(&schema, false)["properties"]["format"]["pattern"], "\\-");
    }

    #[test]
    fn dropping_name_patterns_never_closes_an_object() {
        let schema =
            json!({"type": "object", "patternProperties": {"^x": {}}, "additionalProperties": false});
        assert_eq!(clean_schema(&schema, true), json!({"type": "object"}));
    }
}
