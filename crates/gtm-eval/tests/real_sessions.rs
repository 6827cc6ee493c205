//! Real sessions of real tools, as far as they are at hand.
//!
//! ```text
//! cargo test -p gtm-eval --test real_sessions -- --nocapture
//! ```
//!
//! The sessions are not part of this repository; without them the test is skipped and says so.
//! `gtm eval` on the same folder gives all figures; this holds the floor.

#[path = "support/rules.rs"]
mod simulate;

use gtm_eval::{Options, evaluate, session_files};
use simulate::rules;
use std::path::Path;

/// Sessions of each suite that are run.
const SESSIONS: usize = 60;

#[test]
fn real_sessions_are_answered_and_mostly_agreed_with() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    if !folder.is_dir() {
        println!("skipped: {} is not there", folder.display());
        return;
    }
    let files = session_files(&[folder]).expect("the folder holds sessions");
    let options = |free| Options { limit: Some(SESSIONS), free, ..Options::default() };
    for free in [false, true] {
        let evaluation =
            evaluate(&files, &rules, &options(free), None, &mut |_| {}).expect("real sessions run");
        println!("{}", if free { "on its own replies" } else { "with the true past" });
        for suite in &evaluation.suites {
            let figure = |name| suite.ours.figure(name).map_or("-".into(), |value| format!("{value:.3}"));
            println!(
                "{:<20} {:>6} turns, format {}, errors {} of which false {}, determined {}, exact {}, state {}",
                suite.name,
                suite.ours.turns,
                figure("format"),
                figure("error_recall"),
                figure("error_false"),
                figure("determined"),
                figure("exact"),
                figure("state")
            );
        }
        let overall = evaluation.overall();
        let figure = |name: &str| overall.get(name).and_then(serde_json::Value::as_f64).unwrap_or_default();
        assert_eq!(figure("deterministic"), 1.0, "a second run differs");
        assert!(figure("error_false") < 0.06, "real successes are refused: {}", figure("error_false"));
        for (metric, floor) in [("format", 0.6), ("error_recall", 0.5), ("determined", 0.2), ("exact", 0.08)]
        {
            assert!(figure(metric) > floor, "{metric} fell to {}", figure(metric));
            // Ours must be worth more than no simulator at all.
            let faker =
                evaluation.overall_of(0).get(metric).and_then(serde_json::Value::as_f64).unwrap_or_default();
            assert!(figure(metric) > faker, "a schema faker has a better {metric}: {faker}");
        }
    }
}
