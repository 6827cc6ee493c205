//! `determined`, `leaves` and `near`: how many of the real reply's leaves the prediction has.

use super::exact::Comparison;
use crate::json;
use crate::known::Known;
use serde_json::Value as Json;
use std::collections::HashMap;

/// Share by which a number may be off and still be near.
const NEAR: f64 = 0.1;

/// Shares of one reply.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Shares {
    /// Of the leaves that a perfect simulator could know; `None` if there are none.
    pub(crate) determined: Option<f64>,
    /// Of all leaves.
    pub(crate) leaves: f64,
    /// Of all leaves, with numbers within 10 % and free text by the F1 of its words.
    pub(crate) near: f64,
}

/// Compares the leaves of a successful real reply with what the prediction has at the same places.
/// `ours` is `None` if the prediction is a refusal: then nothing of it can be right.
pub(crate) fn compare(real: &Json, ours: Option<&Json>, known: &Known) -> Shares {
    let mut comparison = Comparison::new(known);
    let (mut all, mut exact, mut near) = (0u32, 0u32, 0.0);
    let (mut known_leaves, mut known_right) = (0u32, 0u32);
    json::leaves(real, ours, "", &mut |name, real, ours| {
        let same = ours.is_some_and(|ours| comparison.same(real, ours, name));
        all += 1;
        exact += u32::from(same);
        near += if same { 1.0 } else { ours.map_or(0.0, |ours| nearness(real, ours)) };
        let scalar = !(real.is_object() || real.is_array());
        if scalar && known.has(real) {
            known_leaves += 1;
            known_right += u32::from(same);
        }
    });
    Shares {
        determined: (known_leaves > 0).then(|| f64::from(known_right) / f64::from(known_leaves)),
        leaves: f64::from(exact) / f64::from(all.max(1)),
        near: near / f64::from(all.max(1)),
    }
}

/// How near two different leaves are, from 0 to 1.
fn nearness(real: &Json, ours: &Json) -> f64 {
    match (real, ours) {
        (Json::Number(real), Json::Number(ours)) => f64::from(u8::from(json::within(real, ours, NEAR))),
        (Json::String(real), Json::String(ours)) if is_free_text(real) => words_f1(real, ours),
        _ => 0.0,
    }
}

/// Text of several words; a lone word is a name, an id or a choice, and is right or wrong.
fn is_free_text(text: &str) -> bool {
    text.split_whitespace().nth(1).is_some()
}

/// F1 of the words, repeated ones counted as often as they occur in both.
fn words_f1(real: &str, ours: &str) -> f64 {
    let mut counts: HashMap<String, u32> = HashMap::new();
    let (mut in_real, mut in_ours, mut shared) = (0u32, 0u32, 0u32);
    for word in words(real) {
        in_real += 1;
        *counts.entry(word).or_default() += 1;
    }
    for word in words(ours) {
        in_ours += 1;
        if let Some(left) = counts.get_mut(&word).filter(|left| **left > 0) {
            *left -= 1;
            shared += 1;
        }
    }
    2.0 * f64::from(shared) / f64::from((in_real + in_ours).max(1))
}

fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn known() -> Known {
        let mut known = Known::default();
        known.add(&json!({"name": "Ada", "age": 36, "city": "London"}));
        known
    }

    #[test]
    fn worked_by_hand() {
        let real =
            json!({"name": "Ada", "age": 36.0, "score": 100, "note": "paid in full today", "tags": []});
        // name and age are known; name is right, age wrong. score is 5 % off. note shares 2 of 4 words with 3.
        let ours = json!({"name": "Ada", "age": 37, "score": 105, "note": "paid today, thanks", "tags": []});
        let shares = compare(&real, Some(&ours), &known());
        assert_eq!(shares.determined, Some(0.5));
        assert_eq!(shares.leaves, 2.0 / 5.0, "name and the empty list");
        let text = 2.0 * 2.0 / 7.0;
        assert!((shares.near - (2.0 + 1.0 + 1.0 + text) / 5.0).abs() < 1e-12, "37 is within 10 % of 36");
    }

    #[test]
    fn a_refusal_has_no_leaf_right_and_extra_leaves_do_not_help() {
        assert_eq!(
            compare(&json!({"name": "Ada"}), None, &known()),
            Shares { determined: Some(0.0), leaves: 0.0, near: 0.0 }
        );
        let real = json!([{"name": "Ada"}]);
        let ours = json!([{"name": "Eve"}, {"name": "Ada"}]);
        assert_eq!(compare(&real, Some(&ours), &known()).determined, Some(0.0), "place by place");
    }

    #[test]
    fn nothing_known_is_no_score() {
        assert_eq!(compare(&json!({"x": "new"}), Some(&json!({"x": "new"})), &known()).determined, None);
        assert_eq!(compare(&json!([[1], [2]]), Some(&json!([[1], [3]])), &Known::default()).leaves, 0.5);
    }
}
