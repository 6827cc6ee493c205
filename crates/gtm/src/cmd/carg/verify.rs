//! `gtm carg verify`: checks a dataset again, from the outside.

use crate::output::{Out, Result, Status};
use gtm_carg::dataset;
use gtm_carg::verify::{Counters, verify};
use gtm_error::printable;
use serde_json::json;
use std::path::PathBuf;

/// Most violations that are shown.
const SHOWN: usize = 20;

/// Check every session of a dataset again, knowing nothing of how it was made
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Folder of the dataset
    dataset: PathBuf,
    /// Print JSON: sessions, pairs, checks, violations
    #[arg(long)]
    pub(super) json: bool,
}

pub(crate) fn run(args: &Args) -> Result<Status> {
    let mut counters = Counters::default();
    let (mut sessions, mut pairs, mut bad) = (0u64, 0u64, 0u64);
    let mut shown = Vec::new();
    dataset::read(&args.dataset, |trace| {
        sessions += 1;
        pairs += trace.turns.len() as u64;
        let violations = verify(&trace, &mut counters);
        bad += u64::from(!violations.is_empty());
        let room = SHOWN.saturating_sub(shown.len());
        shown.extend(violations.into_iter().take(room).map(|v| (trace.session_id.clone(), v)));
        Ok(())
    })?;
    let mut out = Out::new();
    if args.json {
        let violations: Vec<_> =
            shown.iter().map(|(id, v)| json!({"session_id": id, "violation": v})).collect();
        out.json(&json!({"sessions": sessions, "pairs": pairs, "bad_sessions": bad, "checks": counters, "violations": violations}))?;
    } else {
        for (id, violation) in &shown {
            let turn = violation.turn.map(|t| format!(", turn {t}")).unwrap_or_default();
            out.line(format!("session {id}{turn}: {:?}: {}", violation.check, printable(&violation.why)))?;
        }
        for (check, (made, failed)) in &counters.0 {
            out.line(format!("  {check:<18} {made:>10} checks {failed:>6} failed"))?;
        }
        let text = format!("{sessions} sessions, {pairs} pairs: {bad} sessions with violations");
        out.line(if bad == 0 { out.paint.good(&text) } else { out.paint.bad(&text) })?;
    }
    out.flush()?;
    Ok(if bad == 0 { Status::Done } else { Status::Findings })
}
