//! `exact`: whether two replies are equal, fresh values masked on both sides.

use crate::json::same_number;
use crate::known::Known;
use crate::volatile::{Class, Piece, number_class, pieces};
use serde_json::Value as Json;
use std::collections::HashMap;

/// A comparison of one real reply with one prediction.
///
/// Fresh values (see [`crate::volatile`]) match by class. One that occurs twice in a reply must occur
/// twice in the other: each stands for one value throughout.
pub(crate) struct Comparison<'a> {
    known: &'a Known,
    ours_of: HashMap<String, String>,
    real_of: HashMap<String, String>,
}

impl<'a> Comparison<'a> {
    /// A comparison against what the session has shown before the turn and in its call.
    pub(crate) fn new(known: &'a Known) -> Comparison<'a> {
        Comparison { known, ours_of: HashMap::new(), real_of: HashMap::new() }
    }

    /// Whether both are the same value. The order of members does not matter, that of items does;
    /// `1` is `1.0`. `name` is the member they stand in.
    pub(crate) fn same(&mut self, real: &Json, ours: &Json, name: &str) -> bool {
        match (real, ours) {
            (Json::Object(real), Json::Object(ours)) => {
                real.len() == ours.len()
                    && real
                        .iter()
                        .all(|(name, value)| ours.get(name).is_some_and(|o| self.same(value, o, name)))
            }
            (Json::Array(real), Json::Array(ours)) => {
                real.len() == ours.len() && real.iter().zip(ours).all(|(r, o)| self.same(r, o, name))
            }
            (Json::Number(a), Json::Number(b)) => {
                same_number(a, b) || {
                    let class = number_class(a, name, self.known);
                    class.is_some()
                        && class == number_class(b, name, self.known)
                        && self.pair(class.as_ref(), &a.to_string(), &b.to_string())
                }
            }
            (Json::String(a), Json::String(b)) => a == b || self.same_text(a, b, name),
            (a, b) => a == b,
        }
    }

    fn same_text(&mut self, real: &str, ours: &str, name: &str) -> bool {
        let (real, ours) = (pieces(real, name, self.known), pieces(ours, name, self.known));
        real.len() == ours.len()
            && real.iter().zip(&ours).all(|pair| match pair {
                (Piece::Plain(a), Piece::Plain(b)) => a == b,
                (Piece::Fresh(a, x), Piece::Fresh(b, y)) => a == b && self.pair(Some(a), x, y),
                _ => false,
            })
    }

    /// Notes that two fresh values stand for each other. Times need not: a clock may have moved.
    fn pair(&mut self, class: Option<&Class>, real: &str, ours: &str) -> bool {
        if matches!(class, Some(Class::Time(_))) {
            return true;
        }
        let ours_now = self.ours_of.entry(real.to_owned()).or_insert_with(|| ours.to_owned());
        let real_now = self.real_of.entry(ours.to_owned()).or_insert_with(|| real.to_owned());
        ours_now == ours && real_now == real
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn same(real: Json, ours: Json) -> bool {
        let mut known = Known::default();
        known.add(&json!({"user": "usr_1234567", "n": 555_444_333}));
        Comparison::new(&known).same(&real, &ours, "")
    }

    #[test]
    fn equal_whatever_the_order_of_members_and_the_spelling_of_numbers() {
        assert!(same(json!({"a": 1, "b": [1.0, 2]}), json!({"b": [1, 2.0], "a": 1.0})));
        assert!(!same(json!([1, 2]), json!([2, 1])), "items have an order");
        assert!(!same(json!([[1], [2]]), json!([[1, 2]])), "nesting counts");
        assert!(!same(json!({"a": 1}), json!({"a": 1, "b": null})), "a member too much");
        assert!(!same(json!({"a": 1, "b": null}), json!({"a": 1})), "a member missing");
        assert!(!same(json!("1"), json!(1)), "a text is no number");
        assert!(!same(json!({}), json!([])));
        assert!(!same(json!(null), json!(false)));
    }

    #[test]
    fn fresh_values_match_by_class() {
        assert!(same(json!({"id": "BK-4821"}), json!({"id": "BK-9377"})));
        assert!(
            !same(json!({"id": "BK-4821"}), json!({"id": "usr_1234567"})),
            "ours is known, so it is no fresh id"
        );
        assert!(!same(json!({"id": "usr_1234567"}), json!({"id": "BK-4821"})), "the real one was known");
        assert!(!same(json!({"id": "BK-4821"}), json!({"id": "pending"})));
        assert!(!same(json!({"id": 45_451_592}), json!({"id": "45451592"})), "the type counts");
        assert!(same(json!({"id": 45_451_592}), json!({"id": 12_000})));
        assert!(!same(json!({"id": 45_451_592}), json!({"id": 555_444_333})), "known to the session");
        assert!(!same(json!({"total": 45_451_592}), json!({"total": 12_000})), "an amount is no id");
        assert!(same(
            json!("Opened dsp_6ed1a491c036 on 2024-05-01."),
            json!("Opened dsp_000000000001 on 2025-01-01.")
        ));
        assert!(!same(json!("Opened dsp_6ed1a491c036 today"), json!("Closed dsp_6ed1a491c036 today")));
        assert!(!same(json!("2024-05-01"), json!("2024-05-01 10:00:00")), "a date is no date-time");
    }

    #[test]
    fn one_fresh_value_stands_for_one_value() {
        assert!(same(json!({"id": "BK-4821", "ref": "BK-4821"}), json!({"id": "BK-1111", "ref": "BK-1111"})));
        assert!(!same(
            json!({"id": "BK-4821", "ref": "BK-4821"}),
            json!({"id": "BK-1111", "ref": "BK-2222"})
        ));
        assert!(!same(
            json!({"id": "BK-4821", "ref": "BK-4822"}),
            json!({"id": "BK-1111", "ref": "BK-1111"})
        ));
    }
}
