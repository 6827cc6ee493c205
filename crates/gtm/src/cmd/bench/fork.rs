//! Time and memory of forks.

use super::{Plan, Report, Spread, resident, worlds};
use gtm_error::Result;
use gtm_sim::SessionOptions;
use serde_json::json;
use std::hint::black_box;
use std::time::Instant;

/// Items that make about 1 MB of JSON.
const RECORDS: usize = 11_000;
/// Forks held at once.
const FORKS: usize = 100_000;

pub(crate) fn measure(plan: Plan, report: &mut Report) -> Result<()> {
    let simulator = worlds::simulator(RECORDS)?;
    let session = simulator.open(SessionOptions::default())?;
    let mut nanoseconds = Vec::new();
    let mut bytes = Vec::new();
    let mut after_call = Vec::new();
    let bytes_of_state = worlds::state(RECORDS).to_string().len();
    for _ in 0..plan.rounds.min(5) {
        let mut forks = Vec::with_capacity(FORKS);
        let before = resident();
        let begun = Instant::now();
        for _ in 0..FORKS {
            forks.push(black_box(&session).fork());
        }
        nanoseconds.push(begun.elapsed().as_secs_f64() * 1e9 / FORKS as f64);
        // What was freed before may hide what is added, but never the handle itself.
        let added = resident().saturating_sub(before) / FORKS;
        bytes.push(added.max(size_of::<gtm_sim::Session>()) as f64);
        // Later rounds would count what the allocator kept of this one.
        if !after_call.is_empty() {
            continue;
        }
        // Every fork lives: it makes a call that changes its state.
        for (i, fork) in forks.iter_mut().enumerate() {
            let arguments = json!({"itemId": 1 + i % RECORDS, "qty": 7});
            let call = gtm_sim::Call { tool: "updateItem".into(), arguments, idempotency_key: None };
            black_box(simulator.call(fork, &call));
        }
        after_call.push(resident() as f64 / 1e6);
    }
    report.add("fork_ns", "nanoseconds to fork a session", Spread::of(nanoseconds));
    report.add("fork_state_bytes", "size of its state as JSON", Spread::of([bytes_of_state as f64]));
    report.add(
        "fork_bytes",
        "bytes a fork adds: resident memory, at least the session's own handle",
        Spread::of(bytes),
    );
    report.add(
        "forks_100k_mb",
        "resident MB of the process holding 100,000 forks that each made a call",
        Spread::of(after_call),
    );
    Ok(())
}
