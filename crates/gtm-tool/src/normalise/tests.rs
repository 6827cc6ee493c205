use super::{Dialect, normalise};
use serde_json::{Value, json};

/// One slip and what it becomes.
fn check(from: Value, to: Value) {
    assert_eq!(normalise(from.clone(), Dialect::OpenApi30), to, "{from}");
    assert!(jsonschema::meta::is_valid(&to), "{to} is a schema");
}

#[test]
fn null() {
    check(json!({"type": "string", "nullable": true}), json!({"type": ["string", "null"]}));
    check(json!({"type": "string", "nullable": false}), json!({"type": "string"}));
    check(json!({"nullable": true}), json!({}));
    check(
        json!({"type": "string", "enum": ["a"], "nullable": true}),
        json!({"type": ["string", "null"], "enum": ["a", null]}),
    );
    check(
        json!({"$ref": "#/x", "nullable": true, "description": "d", "type": "object"}),
        json!({"description": "d", "anyOf": [{"$ref": "#/x"}, {"type": "null"}]}),
    );
    check(
        json!({"allOf": [{"$ref": "#/x"}], "nullable": true}),
        json!({"anyOf": [{"allOf": [{"$ref": "#/x"}]}, {"type": "null"}]}),
    );
    check(json!({"type": "None"}), json!({"type": "null"}));
    check(json!({"type": ["string", null]}), json!({"type": ["string", "null"]}));
    check(json!({"type": "str | None"}), json!({"type": ["string", "null"]}));
}

#[test]
fn type_names() {
    for (name, kind) in [
        ("dict", "object"),
        ("Dict[str, Any]", "object"),
        ("tuple", "array"),
        ("List[int]", "array"),
        ("float", "number"),
        ("STRING", "string"),
        ("int", "integer"),
        ("long", "integer"),
        ("bool", "boolean"),
        ("Optional[int]", "integer"),
    ] {
        check(json!({"type": name}), json!({"type": kind}));
    }
    check(json!({"type": "any"}), json!({}));
    check(json!({"type": "Widget"}), json!({}));
    check(json!({"type": ["string", "Widget"]}), json!({}));
    check(json!({"type": "file"}), json!({"type": "string", "format": "binary"}));
    check(json!({"type": {"a": 1}}), json!({}));
}

#[test]
fn limits() {
    check(json!({"minimum": 1, "exclusiveMinimum": true}), json!({"exclusiveMinimum": 1}));
    check(json!({"minimum": 1, "exclusiveMinimum": false}), json!({"minimum": 1}));
    check(json!({"exclusiveMaximum": true}), json!({}));
    check(
        json!({"minimum": "0", "maximum": "x", "maxLength": 5.0, "minLength": -1}),
        json!({"minimum": 0, "maxLength": 5}),
    );
    check(json!({"multipleOf": 0, "uniqueItems": "true"}), json!({"uniqueItems": true}));
}

#[test]
fn required() {
    check(
        json!({"type": "object", "properties": {"a": {"required": true}, "b": {"required": "false"}, "c": {"optional": true}}, "required": ["c", "c", 1]}),
        json!({"type": "object", "properties": {"a": {}, "b": {}, "c": {}}, "required": ["a"]}),
    );
    check(json!({"required": true, "type": "string"}), json!({"type": "string"}));
    check(json!({"required": null}), json!({}));
    check(
        json!({"properties": {"a": {}}, "required": ["a", "b"], "additionalProperties": false}),
        json!({"properties": {"a": {}}, "additionalProperties": false, "required": ["a"]}),
    );
}

#[test]
fn enums() {
    check(json!({"type": "string", "enum": [1, true]}), json!({"type": "string", "enum": ["1", "true"]}));
    check(json!({"type": "integer", "enum": ["1", 2]}), json!({"type": "integer", "enum": [1, 2]}));
    check(json!({"type": "boolean", "enum": ["yes"]}), json!({"type": "boolean", "enum": [true]}));
    check(json!({"type": "integer", "enum": ["low", "high"]}), json!({"enum": ["low", "high"]}));
    check(
        json!({"type": "array", "enum": ["a"], "items": {"type": "string"}}),
        json!({"type": "array", "items": {"type": "string", "enum": ["a"]}}),
    );
    check(json!({"enum": []}), json!({}));
}

#[test]
fn examples_and_data_are_left_alone() {
    check(
        json!({"example": {"type": "dict", "nullable": true}}),
        json!({"examples": [{"type": "dict", "nullable": true}]}),
    );
    check(json!({"examples": {"a": {"value": 1}, "b": 2}}), json!({"examples": [1, 2]}));
    check(
        json!({"default": {"required": true}, "const": {"x-a": 1}}),
        json!({"default": {"required": true}, "const": {"x-a": 1}}),
    );
    // Names of properties are not keywords.
    check(
        json!({"properties": {"nullable": {"type": "bool"}, "example": {}, "required": {}, "x-a": {}, "$id": {}}}),
        json!({"properties": {"nullable": {"type": "boolean"}, "example": {}, "required": {}, "x-a": {}, "$id": {}}}),
    );
}

#[test]
fn older_drafts() {
    let from = json!({
        "$schema": "http://json-schema.org/draft-07/schema#", "$id": "http://h/x", "definitions": {"a": {"id": "#a"}},
        "items": [{"$ref": "#/definitions/a"}], "additionalItems": {"type": "string"},
        "dependencies": {"b": ["c"], "d": {"type": "object"}},
    });
    let to = json!({
        "$defs": {"a": {}}, "prefixItems": [{"$ref": "#/$defs/a"}], "items": {"type": "string"},
        "dependentRequired": {"b": ["c"]}, "dependentSchemas": {"d": {"type": "object"}},
    });
    assert_eq!(normalise(from, Dialect::JsonSchema), to);
}

#[test]
fn keywords_of_the_wrong_kind_go() {
    check(
        json!({"description": 1, "pattern": null, "properties": null, "items": null, "allOf": [], "anyOf": {"type": "str"}, "xml": {}, "x-a": 1, "not": "x"}),
        json!({"anyOf": [{"type": "string"}]}),
    );
    check(
        json!({"properties": {"a": "string", "b": 1}}),
        json!({"properties": {"a": {"type": "string"}, "b": {}}}),
    );
    check(
        json!({"properties": [{"name": "a", "type": "int", "required": true}]}),
        json!({"properties": {"a": {"type": "integer"}}, "required": ["a"]}),
    );
    assert_eq!(normalise(json!([1]), Dialect::JsonSchema), json!({}));
    assert_eq!(normalise(json!(false), Dialect::JsonSchema), json!(false));
}

#[test]
fn mending_twice_changes_nothing() {
    let from = json!({"type": "dict", "properties": {"a": {"type": "float", "nullable": true, "example": 1, "required": true},
        "b": {"type": "tuple", "items": [{"type": "any"}]}}, "definitions": {"c": {"enum": [1], "type": "string"}}});
    let once = normalise(from, Dialect::JsonSchema);
    assert_eq!(normalise(once.clone(), Dialect::JsonSchema), once);
}
