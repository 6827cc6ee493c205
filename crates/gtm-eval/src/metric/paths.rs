//! `paths_f1` and `types`: whether the members are those of the real reply, and of the same types.

use crate::json::Types;
use std::collections::BTreeMap;

/// F1 of the predicted set of paths against the real one, and the share of the shared paths at
/// which the prediction has no type that the real reply has not (`None` if no path is shared).
pub(crate) fn compare(real: &BTreeMap<String, Types>, ours: &BTreeMap<String, Types>) -> (f64, Option<f64>) {
    let (mut shared, mut same_type) = (0u32, 0u32);
    for (path, real) in real {
        if let Some(ours) = ours.get(path) {
            shared += 1;
            same_type += u32::from(ours & !real == 0);
        }
    }
    let f1 = 2.0 * f64::from(shared) / ((real.len() + ours.len()).max(1) as f64);
    (f1, (shared > 0).then(|| f64::from(same_type) / f64::from(shared)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::paths;
    use serde_json::{Value as Json, json};

    fn scores(real: Json, ours: Json) -> (f64, Option<f64>) {
        compare(&paths(&real), &paths(&ours))
    }

    #[test]
    fn worked_by_hand() {
        // Real: a, b, b[], b[].c. Ours: a, b, d. Two shared of 4 and 3: 2*2/7; both of the same type.
        assert_eq!(
            scores(json!({"a": 1, "b": [{"c": 1}]}), json!({"a": 2, "b": [], "d": 0})),
            (4.0 / 7.0, Some(1.0))
        );
        // The same members with another type: an F1 of 1, half of the types.
        assert_eq!(scores(json!({"a": 1, "b": "x"}), json!({"b": "y", "a": "1"})), (1.0, Some(0.5)));
        // 1 and 1.0 are of one type; null is another than text.
        assert_eq!(scores(json!({"a": 1, "b": "x"}), json!({"a": 1.0, "b": null})), (1.0, Some(0.5)));
        assert_eq!(scores(json!("x"), json!({"a": 1})), (0.0, None));
        assert_eq!(scores(json!("x"), json!("y")), (1.0, Some(1.0)));
        // List lengths are folded away; nested lists are not.
        assert_eq!(scores(json!([1, 2, 3]), json!([4])), (1.0, Some(1.0)));
        assert_eq!(scores(json!([[1]]), json!([1])), (2.0 / 3.0, Some(0.0)));
    }
}
