//! Expressions as text, safely quoted.

use gtm_world::Value;
use gtm_world::cel::Expr;

/// A text literal of CEL.
pub(crate) fn text(value: &str) -> String {
    serde_json::Value::from(value).to_string()
}

/// A literal of CEL, for any value.
pub(crate) fn literal(value: &Value) -> String {
    value.to_json().to_string()
}

/// `base.name`, or `base["name"]` where the name is none that may follow a dot.
pub(crate) fn member(base: &str, name: &str) -> String {
    match is_identifier(name) {
        true => format!("{base}.{name}"),
        false => format!("{base}[{}]", text(name)),
    }
}

/// Whether a name stands for itself in an expression.
pub(crate) fn is_identifier(name: &str) -> bool {
    let plain = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    // The parser knows best which words are taken.
    plain
        && Expr::parse(&format!("x.{name}")).is_ok()
        && Expr::parse(name).is_ok_and(|e| e.free_names() == [name])
}

/// Text for a message: braces are doubled.
pub(crate) fn message(text: &str) -> String {
    text.replace('{', "{{").replace('}', "}}")
}
