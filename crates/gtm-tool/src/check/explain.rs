//! Turning a validator's errors into one violation that a caller can act on.

use super::Violation;
use crate::schema::type_of;
use gtm_error::printable;
use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use serde_json::Value;
use std::fmt::Write;

/// Errors looked at before choosing the one to report.
const MAX_ERRORS: usize = 16;
/// Levels of `anyOf` and `oneOf` looked into for the branch that was meant.
const MAX_BRANCH_DEPTH: usize = 8;
/// Characters of a value or an enum list shown in a message.
const MAX_SHOWN: usize = 120;

/// The violation to report; `None` if there is nothing wrong but patterns that could not be
/// decided.
pub(super) fn violation<'a>(errors: impl Iterator<Item = ValidationError<'a>>) -> Option<Violation> {
    let decided = errors.filter(|e| {
        !matches!(e.kind(), Kind::BacktrackLimitExceeded { .. } | Kind::RegexEngineFailure { .. })
    });
    let mut best: Option<(u32, ValidationError<'a>)> = None;
    for error in decided.take(MAX_ERRORS) {
        let rank = rank(&error);
        if best.as_ref().is_none_or(|(r, _)| rank < *r) {
            best = Some((rank, error));
        }
    }
    best.map(|(_, error)| describe(&error, MAX_BRANCH_DEPTH))
}

pub(super) fn too_deep(max: usize) -> Violation {
    Violation {
        keyword: "maxDepth".into(),
        message: "the arguments are nested too deeply".into(),
        expected: format!("at most {max} levels"),
        ..Violation::default()
    }
}

/// What callers need to hear first: what is missing, from the outside in, then what is too much,
/// then the rest in the schema's order.
fn rank(error: &ValidationError<'_>) -> u32 {
    let depth = error.instance_path().as_str().matches('/').count() as u32;
    let kind = match error.kind() {
        Kind::Required { .. } => 0,
        Kind::AdditionalProperties { .. } | Kind::UnevaluatedProperties { .. } => 1,
        _ => 2,
    };
    depth.min(1000) * 4 + kind
}

fn describe(error: &ValidationError<'_>, depth: usize) -> Violation {
    let path = error.instance_path().to_string();
    let keyword = error.kind().keyword().to_owned();
    let what = subject(&path);
    let got = error.instance();
    let make = |message: String, expected: String| Violation {
        path: path.clone(),
        keyword: keyword.clone(),
        message,
        expected,
        ..Violation::default()
    };
    let limit = |relation: &str, limit: &dyn std::fmt::Display, unit: &str| {
        let expected = format!("{relation} {limit}{unit}");
        make(format!("{what} must be {expected}, not {}", size_of(got, unit)), expected)
    };
    match error.kind() {
        Kind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            let holder = if path.is_empty() { String::new() } else { format!(" in {what}") };
            let message = format!("required argument `{}`{holder} is missing", printable(name));
            Violation { missing: Some(name.to_owned()), ..make(message, format!("`{}`", printable(name))) }
        }
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            let name = unexpected.first().cloned().unwrap_or_default();
            let holder = if path.is_empty() { String::new() } else { format!(" in {what}") };
            let message = format!("unexpected argument `{}`{holder}", printable(&name));
            Violation { unexpected: Some(name), ..make(message, "only the declared arguments".into()) }
        }
        Kind::Type { kind } => {
            let expected = match kind {
                TypeKind::Single(one) => article(&one.to_string()),
                TypeKind::Multiple(set) => {
                    set.iter().map(|t| article(&t.to_string())).collect::<Vec<_>>().join(" or ")
                }
            };
            make(format!("{what} must be {expected}, not {}", article(type_of(got))), expected)
        }
        Kind::Enum { options } => {
            let list = options.as_array().map_or_else(String::new, |values| one_of(values));
            make(format!("{what} must be one of {list}, not {}", shown(got)), format!("one of {list}"))
        }
        Kind::Constant { expected_value } => {
            let expected = shown(expected_value);
            make(format!("{what} must be {expected}, not {}", shown(got)), expected)
        }
        Kind::Pattern { pattern } => {
            let expected = format!("a string matching `{}`", cut(pattern));
            make(format!("{what} must be {expected}, not {}", shown(got)), expected)
        }
        Kind::Minimum { limit: n } => limit("at least", n, ""),
        Kind::Maximum { limit: n } => limit("at most", n, ""),
        Kind::ExclusiveMinimum { limit: n } => limit("greater than", n, ""),
        Kind::ExclusiveMaximum { limit: n } => limit("less than", n, ""),
        Kind::MultipleOf { multiple_of } => limit("a multiple of", multiple_of, ""),
        Kind::MinLength { limit: n } => limit("at least", n, " characters long"),
        Kind::MaxLength { limit: n } => limit("at most", n, " characters long"),
        Kind::MinItems { limit: n } => limit("at least", n, " items long"),
        Kind::MaxItems { limit: n } => limit("at most", n, " items long"),
        Kind::MinProperties { limit: n } => limit("at least", n, " entries large"),
        Kind::MaxProperties { limit: n } => limit("at most", n, " entries large"),
        Kind::UniqueItems => make(format!("{what} must not hold an item twice"), "distinct items".into()),
        Kind::AnyOf { context } | Kind::OneOfNotValid { context } => match closest(context, &path) {
            Some(inner) if depth > 0 => describe(inner, depth - 1),
            _ => {
                let expected = "one of the forms that its schema lists".to_owned();
                make(format!("{what} has none of the forms that are allowed"), expected)
            }
        },
        Kind::OneOfMultipleValid { .. } => make(
            format!("{what} fits several forms of which only one may fit"),
            "exactly one of the forms".into(),
        ),
        Kind::PropertyNames { error } => make(
            format!("{what} has a property name that is not allowed: {}", cut(&error.to_string())),
            String::new(),
        ),
        Kind::Not { .. } | Kind::FalseSchema => {
            make(format!("{what} is not allowed"), "no such value".into())
        }
        _ => make(format!("{what} is not valid: {}", cut(&error.to_string())), String::new()),
    }
}

/// The error of the branch that came closest: one that got deepest into the value, or failed by
/// something other than its type. `None` if no branch stands out.
fn closest<'c>(
    context: &'c [Vec<ValidationError<'static>>],
    path: &str,
) -> Option<&'c ValidationError<'static>> {
    let mut best: Option<(usize, &ValidationError<'static>)> = None;
    let mut tie = false;
    for branch in context {
        let Some(error) = branch.iter().min_by_key(|e| rank(e)) else { continue };
        let below = error.instance_path().as_str().len().saturating_sub(path.len());
        let score = match error.kind() {
            Kind::Type { .. } | Kind::Constant { .. } | Kind::Enum { .. } if below == 0 => 0,
            Kind::FalseSchema => 0,
            _ => 1 + below,
        };
        match best {
            Some((top, _)) if score < top => {}
            Some((top, _)) if score == top => tie = true,
            _ => {
                best = Some((score, error));
                tie = false;
            }
        }
    }
    match best {
        Some((score, error)) if context.len() == 1 || (score > 0 && !tie) => Some(error),
        _ => None,
    }
}

/// The part of the arguments that a path means, as callers call it: `a.b[0]`.
fn subject(path: &str) -> String {
    if path.is_empty() {
        return "the arguments as a whole".into();
    }
    let mut name = String::new();
    for part in path.split('/').skip(1) {
        let part = part.replace("~1", "/").replace("~0", "~");
        if !name.is_empty() && part.bytes().all(|b| b.is_ascii_digit()) {
            let _ = write!(name, "[{part}]");
        } else {
            if !name.is_empty() {
                name.push('.');
            }
            name.push_str(&part);
        }
    }
    format!("argument `{}`", printable(&name))
}

fn article(type_name: &str) -> String {
    match type_name {
        "null" => "null".into(),
        "array" | "object" | "integer" => format!("an {type_name}"),
        other => format!("a {other}"),
    }
}

fn size_of(value: &Value, unit: &str) -> String {
    match (value, unit) {
        (_, "") => shown(value),
        (Value::String(text), _) => text.chars().count().to_string(),
        (Value::Array(items), _) => items.len().to_string(),
        (Value::Object(map), _) => map.len().to_string(),
        _ => shown(value),
    }
}

fn one_of(values: &[Value]) -> String {
    let mut list = String::new();
    for (i, value) in values.iter().enumerate() {
        let text = shown(value);
        if list.len() + text.len() > MAX_SHOWN * 2 {
            let _ = write!(list, " and {} more", values.len() - i);
            break;
        }
        if i > 0 {
            list.push_str(", ");
        }
        list.push_str(&text);
    }
    list
}

fn shown(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("an array of {}", items.len()),
        Value::Object(map) => format!("an object of {}", map.len()),
        Value::String(text) => format!("\"{}\"", cut(text)),
        other => other.to_string(),
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{}…", printable(&text[..end])),
        None => printable(text).into_owned(),
    }
}
