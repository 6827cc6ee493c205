//! Calls to many sessions at once, on all cores.

use crate::convert::arguments;
use crate::error::raised;
use crate::reply::Reply;
use crate::session::Session;
use gtm_sim::Call;
use pyo3::prelude::*;
use std::collections::HashMap;

type Outcome = gtm_error::Result<gtm_sim::Reply>;

/// Makes calls, each `(session, tool, arguments)`, and returns their replies in the same order.
///
/// Calls of one session are made in order; sessions run side by side on as many threads as there
/// are cores, or `threads`. The first call that is wrong in GTM's own terms raises, after all were made.
#[pyfunction]
#[pyo3(signature = (calls, *, threads=None))]
pub(crate) fn call_batch(
    py: Python<'_>,
    calls: Vec<(Py<Session>, String, Option<Bound<'_, PyAny>>)>,
    threads: Option<usize>,
) -> PyResult<Vec<Reply>> {
    // Calls by session, each with its place in the result.
    let mut groups: Vec<(&Session, Vec<(usize, Call)>)> = Vec::new();
    let mut places = HashMap::new();
    for (at, (session, tool, given)) in calls.iter().enumerate() {
        let call = Call::new(tool.as_str(), arguments(given.as_ref())?);
        let place = *places.entry(session.as_ptr() as usize).or_insert_with(|| {
            groups.push((session.get(), Vec::new()));
            groups.len() - 1
        });
        groups[place].1.push((at, call));
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = threads.unwrap_or(cores).clamp(1, groups.len().max(1));
    let outcomes = py.detach(|| run(&groups, threads));
    let mut replies: Vec<Option<Reply>> = calls.iter().map(|_| None).collect();
    let mut failed = None;
    for (at, outcome) in outcomes {
        match outcome {
            Ok(reply) => replies[at] = Some(Reply(reply)),
            Err(error) => failed = failed.into_iter().chain([(at, error)]).min_by_key(|(at, _)| *at),
        }
    }
    match failed {
        Some((_, error)) => Err(raised(&error)),
        None => Ok(replies.into_iter().flatten().collect()),
    }
}

fn run(groups: &[(&Session, Vec<(usize, Call)>)], threads: usize) -> Vec<(usize, Outcome)> {
    let work = |share: &[(&Session, Vec<(usize, Call)>)]| {
        let mut outcomes = Vec::new();
        for (session, calls) in share {
            let mut held = session.lock();
            outcomes
                .extend(calls.iter().map(|(at, call)| (*at, session.simulator.try_call(&mut held, call))));
        }
        outcomes
    };
    if threads == 1 {
        return work(groups);
    }
    let shares = groups.chunks(groups.len().div_ceil(threads));
    std::thread::scope(|scope| {
        let running: Vec<_> = shares.map(|share| scope.spawn(|| work(share))).collect();
        // The simulator catches panics of its own; one that gets here is passed on to the caller.
        running
            .into_iter()
            .flat_map(|thread| thread.join().unwrap_or_else(|p| std::panic::resume_unwind(p)))
            .collect()
    })
}
