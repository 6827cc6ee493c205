//! `format`: whether a reply has the form that the tool's replies have.

use crate::json::kind;
use gtm_tool::Checker;
use serde_json::Value as Json;

/// Whether a prediction can be written and read back as JSON, is of the real reply's JSON type, and,
/// if it claims success, is what the tool declares to return.
///
/// A declaration that the real reply breaks as well says nothing about the tool, and is not held
/// against a prediction.
pub(crate) fn is_right(
    real: &Json,
    real_error: bool,
    ours: &Json,
    our_error: bool,
    returns: Option<&Checker>,
) -> bool {
    let parses = || {
        let text = serde_json::to_string(ours);
        text.is_ok_and(|text| serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok())
    };
    let declared = |returns: &Checker| {
        our_error || returns.check(ours).is_ok() || (!real_error && returns.check(real).is_err())
    };
    kind(real) == kind(ours) && parses() && returns.is_none_or(declared)
}

#[cfg(test)]
mod tests {
    use super::*;
    use gtm_tool::Limits;
    use serde_json::json;

    #[test]
    fn kind_and_declaration_count() {
        let returns =
            json!({"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]});
        let returns = Checker::new(&returns, &Limits::default()).unwrap();
        let right = |real: &Json, ours: &Json, error| is_right(real, false, ours, error, Some(&returns));
        assert!(right(&json!({"id": 1}), &json!({"id": 2}), false));
        assert!(!right(&json!({"id": 1}), &json!({"id": "2"}), false), "breaks the declaration");
        assert!(!right(&json!({"id": 1}), &json!({}), false));
        assert!(
            right(&json!({"id": 1}), &json!({"error": "no"}), true),
            "an error need not be what success is"
        );
        assert!(
            right(&json!({"no_id": 1}), &json!({"no_id": 2}), false),
            "the real tool breaks its own declaration"
        );
        assert!(
            !is_right(&json!("{\"id\": 1}"), false, &json!({"id": 1}), false, None),
            "a text is no object"
        );
        assert!(is_right(&json!(null), false, &json!(null), false, None));
    }
}
