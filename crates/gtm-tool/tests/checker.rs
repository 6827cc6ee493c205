//! What is said about arguments that are not valid.

use gtm_tool::{Checker, Limits, Violation};
use serde_json::{Value, json};
use std::time::Instant;

fn refused(schema: Value, value: Value) -> Violation {
    let checker = Checker::new(&schema, &Limits::default()).expect("a valid schema");
    checker.check(&value).expect_err("not valid")
}

#[test]
fn each_kind_names_the_argument_and_what_was_expected() {
    let schema = json!({"type": "object", "required": ["city", "days"], "additionalProperties": false, "properties": {
        "city": {"type": "string", "minLength": 2, "maxLength": 20, "pattern": "^[A-Z]"},
        "days": {"type": "integer", "minimum": 1, "exclusiveMaximum": 15},
        "unit": {"enum": ["c", "f"]},
        "tags": {"type": "array", "maxItems": 2, "uniqueItems": true, "items": {"type": ["string", "null"]}},
        "at": {"type": "object", "required": ["lat"], "properties": {"lat": {"type": "number", "multipleOf": 0.5}}},
    }});
    let ok = json!({"city": "Oslo", "days": 3});
    let with = |name: &str, value: Value| {
        let mut arguments = ok.clone();
        arguments[name] = value;
        arguments
    };
    for (value, path, keyword, message, expected) in [
        (json!({"days": 1}), "", "required", "required argument `city` is missing", "`city`"),
        (
            with("x", json!(1)),
            "",
            "additionalProperties",
            "unexpected argument `x`",
            "only the declared arguments",
        ),
        (
            with("days", json!("3")),
            "/days",
            "type",
            "argument `days` must be an integer, not a string",
            "an integer",
        ),
        (
            with("days", json!(0)),
            "/days",
            "minimum",
            "argument `days` must be at least 1, not 0",
            "at least 1",
        ),
        (
            with("days", json!(15)),
            "/days",
            "exclusiveMaximum",
            "argument `days` must be less than 15, not 15",
            "less than 15",
        ),
        (
            with("unit", json!("k")),
            "/unit",
            "enum",
            "argument `unit` must be one of \"c\", \"f\", not \"k\"",
            "one of \"c\", \"f\"",
        ),
        (
            with("city", json!("O")),
            "/city",
            "minLength",
            "argument `city` must be at least 2 characters long, not 1",
            "at least 2 characters long",
        ),
        (
            with("city", json!("oslo")),
            "/city",
            "pattern",
            "argument `city` must be a string matching `^[A-Z]`, not \"oslo\"",
            "a string matching `^[A-Z]`",
        ),
        (
            with("tags", json!([1])),
            "/tags/0",
            "type",
            "argument `tags[0]` must be null or a string, not an integer",
            "null or a string",
        ),
        (
            with("tags", json!(["a", "a"])),
            "/tags",
            "uniqueItems",
            "argument `tags` must not hold an item twice",
            "distinct items",
        ),
        (
            with("tags", json!(["a", "b", "c"])),
            "/tags",
            "maxItems",
            "argument `tags` must be at most 2 items long, not 3",
            "at most 2 items long",
        ),
        (
            with("at", json!({})),
            "/at",
            "required",
            "required argument `lat` in argument `at` is missing",
            "`lat`",
        ),
        (
            with("at", json!({"lat": 0.3})),
            "/at/lat",
            "multipleOf",
            "argument `at.lat` must be a multiple of 0.5, not 0.3",
            "a multiple of 0.5",
        ),
        (json!([]), "", "type", "the arguments as a whole must be an object, not an array", "an object"),
    ] {
        let violation = refused(schema.clone(), value.clone());
        assert_eq!(
            (
                violation.path.as_str(),
                violation.keyword.as_str(),
                violation.message.as_str(),
                violation.expected.as_str()
            ),
            (path, keyword, message, expected),
            "{value}"
        );
    }
    assert_eq!(refused(schema.clone(), json!({"days": 1})).missing.as_deref(), Some("city"));
    assert_eq!(refused(schema, with("x", json!(1))).unexpected.as_deref(), Some("x"));
}

#[test]
fn what_is_missing_is_said_before_what_is_wrong() {
    let schema = json!({"properties": {"a": {"type": "string"}, "b": {"type": "object", "required": ["c"]}}, "required": ["z"]});
    assert_eq!(refused(schema, json!({"a": 1, "b": {}})).missing.as_deref(), Some("z"));
}

#[test]
fn the_branch_that_was_meant_explains() {
    let schema = json!({"properties": {"to": {"anyOf": [
        {"type": "null"},
        {"type": "object", "required": ["street", "zip"], "properties": {"street": {"type": "string"}}},
    ]}}});
    let violation = refused(schema.clone(), json!({"to": {"street": "x"}}));
    assert_eq!((violation.path.as_str(), violation.missing.as_deref()), ("/to", Some("zip")));
    assert_eq!(
        refused(schema, json!({"to": 3})).message,
        "argument `to` has none of the forms that are allowed"
    );
    let schema = json!({"oneOf": [{"required": ["a"]}, {"required": ["b"]}]});
    assert_eq!(refused(schema, json!({"a": 1, "b": 1})).keyword, "oneOf");
}

#[test]
fn messages_show_no_control_characters_and_no_megabytes() {
    let schema = json!({"properties": {"a": {"enum": ["x"]}}, "additionalProperties": false});
    let violation = refused(schema.clone(), json!({"a": "\u{1b}[31m\r\n\u{202e}"}));
    assert!(!violation.message.contains(['\u{1b}', '\r', '\u{202e}']), "{}", violation.message);
    let violation = refused(schema.clone(), json!({"a": "y".repeat(1 << 20)}));
    assert!(violation.message.len() < 1_000);
    let violation = refused(schema, json!({"\u{1b}[2J": 1}));
    assert!(!violation.message.contains('\u{1b}'));
    assert_eq!(violation.unexpected.as_deref(), Some("\u{1b}[2J"));
}

#[test]
fn formats_are_not_asserted() {
    let schema = json!({"properties": {"at": {"type": "string", "format": "date-time"}, "id": {"type": "string", "format": "uuid"}}});
    let checker = Checker::new(&schema, &Limits::default()).unwrap();
    assert!(checker.check(&json!({"at": "2024-01-01", "id": "7"})).is_ok());
}

#[test]
fn broken_schemas_are_mended_and_what_cannot_be_is_ignored() {
    let schema = json!({"type": "dict", "properties": {
        "a": {"type": "float", "required": true, "exclusiveMinimum": true, "minimum": 0},
        "b": {"type": "string", "pattern": "[unclosed"},
        "c": {"type": "string", "pattern": "^(?=.*[0-9])[a-z0-9]+$"},
        "d": {"$ref": "#/definitions/D"}, "e": {"$ref": "#/nowhere"},
    }, "definitions": {"D": {"type": "bool"}}});
    let checker = Checker::new(&schema, &Limits::default()).expect("mended");
    assert_eq!(checker.ignored(), ["/properties/b/pattern"]);
    assert!(checker.check(&json!({"a": 1.5, "b": "x", "c": "a1", "d": true, "e": [1]})).is_ok());
    for wrong in [json!({}), json!({"a": 0}), json!({"a": 1, "c": "ab"}), json!({"a": 1, "d": "x"})] {
        assert!(checker.check(&wrong).is_err(), "{wrong}");
    }
    // A string too long for a pattern that goes back is not held against the caller.
    assert!(checker.check(&json!({"a": 1, "c": "a".repeat(5_000)})).is_ok());
}

#[test]
fn checking_valid_arguments_takes_well_under_a_microsecond() {
    let schema = json!({"type": "object", "required": ["city"], "properties": {
        "city": {"type": "string"}, "days": {"type": "integer", "minimum": 1}, "unit": {"enum": ["c", "f"]}}});
    let checker = Checker::new(&schema, &Limits::default()).unwrap();
    let value = json!({"city": "Oslo", "days": 3, "unit": "c"});
    let rounds = 200_000;
    let start = Instant::now();
    for _ in 0..rounds {
        assert!(checker.check(std::hint::black_box(&value)).is_ok());
    }
    let each = start.elapsed() / rounds;
    println!("checking three arguments: {each:?}");
    assert!(each.as_micros() < 20, "{each:?}");
}
