//! JSON Schemas of arguments and replies.

use super::{Docs, Names};
use crate::domain::Kindred;
use crate::pack::{Attribute, Kind, Semantic};
use serde_json::{Map as JsonMap, Value as Json, json};

/// The schema of one value of an attribute, as an argument.
pub(super) fn argument(attribute: &Attribute, names: &Names<'_>, description: String) -> Json {
    let mut schema = match attribute.list {
        None => value(attribute, names, names.style().ranges),
        Some([least, most]) => {
            let mut list = json!({"type": "array", "items": value(attribute, names, names.style().ranges)});
            if names.style().ranges && least > 0 {
                list["minItems"] = json!(least);
            }
            if names.style().ranges && most >= 10 {
                list["maxItems"] = json!(most);
            }
            list
        }
    };
    if !description.is_empty() && names.style().docs != Docs::None {
        schema["description"] = json!(description);
    }
    if let Some(default) = attribute.default.as_deref().and_then(literal) {
        schema["default"] = default;
    }
    schema
}

/// The value that an expression is, if it is nothing but one.
pub(super) fn literal(expression: &str) -> Option<Json> {
    let quoted = expression.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
    match quoted {
        Some(text) if !text.contains(['\'', '\\']) => Some(json!(text)),
        Some(_) => None,
        None => serde_json::from_str(expression).ok(),
    }
}

fn value(attribute: &Attribute, names: &Names<'_>, ranges: bool) -> Json {
    let mut schema = match &attribute.kind {
        Kind::Int(_) => json!({"type": "integer"}),
        Kind::Number(_) | Kind::Money(_) => json!({"type": "number"}),
        Kind::Bool(_) => json!({"type": "boolean"}),
        Kind::Enum(words) => {
            json!({"type": "string", "enum": words.iter().map(|(word, _)| word).collect::<Vec<_>>()})
        }
        Kind::Ref(entity) => id_type(names, entity),
        Kind::Date(_) => json!({"type": "string", "format": "date"}),
        Kind::Time(_) => json!({"type": "string", "format": "date-time"}),
        Kind::Common(Semantic::Latitude) => json!({"type": "number", "minimum": -90, "maximum": 90}),
        Kind::Common(Semantic::Longitude) => json!({"type": "number", "minimum": -180, "maximum": 180}),
        Kind::Common(semantic) => match semantic {
            Semantic::Email => json!({"type": "string", "format": "email"}),
            Semantic::Uuid => json!({"type": "string", "format": "uuid"}),
            Semantic::Url => json!({"type": "string", "format": "uri"}),
            _ => json!({"type": "string"}),
        },
        Kind::Fields(fields) => {
            let properties: JsonMap<String, Json> = fields
                .iter()
                .map(|(name, field)| {
                    (names.member(name.trim_end_matches('?')), argument(field, names, String::new()))
                })
                .collect();
            let required: Vec<String> = fields
                .iter()
                .filter(|(name, field)| !name.ends_with('?') && field.default.is_none())
                .map(|(name, _)| names.member(name))
                .collect();
            json!({"type": "object", "properties": properties, "required": required})
        }
        Kind::Word(_) | Kind::Text(_) | Kind::Code(_) => json!({"type": "string"}),
        Kind::Computed => json!({}),
    };
    if let (Kind::Int(range) | Kind::Number(range) | Kind::Money(range), true) = (&attribute.kind, ranges) {
        let bound = |x: f64| if x.fract() == 0.0 && x.abs() < 1e15 { json!(x as i64) } else { json!(x) };
        if range.low > -1e11 {
            schema["minimum"] = bound(range.low);
        }
        if range.high < 1e11 {
            schema["maximum"] = bound(range.high);
        }
    }
    schema
}

/// The type of the ids of an entity.
fn id_type(names: &Names<'_>, entity: &str) -> Json {
    match names.domain().entities.get(entity).map(|kindred| kindred.entity.id.as_deref()) {
        Some(None | Some("integer")) => json!({"type": "integer"}),
        Some(Some("uuid")) => json!({"type": "string", "format": "uuid"}),
        _ => json!({"type": "string"}),
    }
}

/// The schema of records of an entity or singleton, as replies show them.
pub(super) fn record(kindred: &Kindred, names: &Names<'_>) -> Json {
    let mut properties = JsonMap::new();
    if names.domain().entities.contains_key(&kindred.name) {
        properties.insert(names.member("id"), id_type(names, &kindred.name));
    }
    for (name, member) in kindred.select(|m| !m.attribute.secret) {
        let schema = shown(&member.attribute, names);
        properties.insert(names.member(name), schema);
    }
    json!({"type": "object", "properties": properties})
}

/// A value in a reply: no ranges, and null where nothing is known.
fn shown(attribute: &Attribute, names: &Names<'_>) -> Json {
    if matches!(attribute.kind, Kind::Computed) {
        return json!({});
    }
    let mut schema = match attribute.list {
        None => value(&Attribute { default: None, ..attribute.clone() }, names, false),
        Some(_) => json!({"type": "array", "items": value(attribute, names, false)}),
    };
    if let Some(kind) = schema.get("type").and_then(Json::as_str) {
        schema["type"] = json!([kind, "null"]);
    }
    if let Some(Json::Array(words)) = schema.get_mut("enum") {
        words.push(Json::Null);
    }
    schema
}
