//! `gtm carg verify`: checks a dataset again, from the outside.

use crate::output::{Out, Result, Status};
use gtm_carg::dataset;
use gtm_carg::verify::{Check, Counters, Whole, WholeFinding, verify};
use gtm_error::printable;
use serde_json::json;
use std::path::PathBuf;

/// Check every session of a dataset again, knowing nothing of how it was made
///
/// Each check is counted; every session that fails one is named with its reason. The exit code is 1 if any does.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Folder of the dataset
    dataset: PathBuf,
    /// Most violations that are shown
    #[arg(long, default_value_t = 50)]
    limit: usize,
    /// Print JSON: sessions, pairs, checks (made and failed), violations
    #[arg(long)]
    pub(super) json: bool,
}

pub(crate) fn run(args: &Args) -> Result<Status> {
    let mut counters = Counters::default();
    let mut whole = Whole::default();
    let (mut sessions, mut pairs, mut bad) = (0u64, 0u64, 0u64);
    let mut shown: Vec<WholeFinding> = Vec::new();
    dataset::read(&args.dataset, |trace| {
        sessions += 1;
        pairs += trace.turns.len() as u64;
        let mut violations = verify(&trace, &mut counters);
        violations.extend(whole.see(&trace, &mut counters));
        bad += u64::from(!violations.is_empty());
        let room = args.limit.saturating_sub(shown.len());
        shown.extend(
            violations
                .into_iter()
                .take(room)
                .map(|violation| WholeFinding { session_id: Some(trace.session_id.clone()), violation }),
        );
        Ok(())
    })?;
    let floors = whole.finish(&mut counters);
    let sound = bad == 0 && floors.is_empty();
    shown.extend(floors.into_iter().map(|violation| WholeFinding { session_id: None, violation }));
    let mut out = Out::new();
    if args.json {
        out.json(&json!({
            "sessions": sessions, "pairs": pairs, "bad_sessions": bad, "checks": counters, "violations": shown,
        }))?;
    } else {
        for WholeFinding { session_id, violation } in &shown {
            let session =
                session_id.as_ref().map(|id| format!("session {}", printable(id))).unwrap_or_default();
            let turn = violation.turn.map(|turn| format!(", turn {}", turn + 1)).unwrap_or_default();
            out.line(format!(
                "{session}{turn}: {}: {}",
                out.paint.bad(violation.check.name()),
                printable(&violation.why)
            ))?;
        }
        for check in Check::ALL {
            let (made, failed) = counters.0.get(check.name()).copied().unwrap_or_default();
            out.line(format!("  {:<18} {made:>10} checks {failed:>6} failed", check.name()))?;
        }
        let text =
            format!("{sessions} sessions, {pairs} call and reply pairs, {bad} sessions with a violation");
        out.line(if sound { out.paint.good(&text) } else { out.paint.bad(&text) })?;
    }
    out.flush()?;
    Ok(if sound { Status::Done } else { Status::Findings })
}
