//! What becomes of a server that is asked for ten times what it is set to take.

use super::http::{CONNECTIONS, failed, gtm_server, runtime, single_calls};
use super::load::{self, Load, p99_ms};
use super::{Plan, Report, Spread, resident};
use gtm_error::Result;
use gtm_serve::ServerConfig;
use gtm_sim::StoreConfig;

/// Calls a second that the server is set to take: little enough that ten times as many refusals
/// are no work for two cores that the client shares.
const CAPACITY: u32 = 1_000;
/// How many times that the client asks for.
const FACTOR: f64 = 10.0;
/// Parts that the time of overload is cut into, to see whether memory grows.
const PARTS: usize = 6;

pub(crate) fn measure(plan: Plan, report: &mut Report) -> Result<()> {
    let config = ServerConfig { requests_per_second: Some(CAPACITY), ..ServerConfig::default() };
    let gtm = gtm_server(config, StoreConfig::default())?;
    let (client, calls) = (runtime()?, single_calls());
    let run = |seconds, rate| {
        let load =
            client.block_on(load::run(gtm.addr, &calls, CONNECTIONS, seconds, Some(rate))).map_err(failed)?;
        load::whole(&load)?;
        Ok(load)
    };
    // Half of what it takes: nothing is refused, nothing waits.
    let unloaded = p99_ms(run(plan.overload / 6.0, f64::from(CAPACITY) / 2.0)?.latencies);
    let mut all = Load::default();
    let mut memory = Vec::new();
    for _ in 0..PARTS {
        let load = run(plan.overload / PARTS as f64, f64::from(CAPACITY) * FACTOR)?;
        all.latencies.extend(load.latencies);
        all.refusals.extend(load.refusals);
        memory.push(resident() as f64);
    }
    let (taken, refused) = (all.latencies.len() as f64, all.refusals.len() as f64);
    report.add(
        "overload_refused",
        "share refused with 429 and Retry-After, at ten times the rate the server is set to take",
        Spread::of([refused / (taken + refused)]),
    );
    report.add(
        "overload_refusal_p99_ms",
        "milliseconds that 99 % of refusals stay under",
        Spread::of([p99_ms(all.refusals)]),
    );
    report.add(
        "overload_p99_ratio",
        "p99 of the calls taken, to p99 at half the rate the server is set to take",
        Spread::of([p99_ms(all.latencies) / unloaded]),
    );
    report.add(
        "overload_memory_ratio",
        "resident memory in each sixth of the time, to the first",
        Spread::of(memory.iter().map(|bytes| bytes / memory[0]).collect::<Vec<_>>()),
    );
    Ok(())
}
