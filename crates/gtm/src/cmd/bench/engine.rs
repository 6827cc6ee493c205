//! Calls per second in process, on one core.

use super::{Plan, Report, Spread, worlds};
use gtm_error::Result;
use gtm_read::RuleFiller;
use gtm_sim::SessionOptions;
use gtm_world::{Library, Limits, Program, Value};
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

pub(crate) fn measure(plan: Plan, report: &mut Report) -> Result<()> {
    let engine = engine_rounds(plan, 10_000)?;
    report.add(
        "engine_calls_per_s",
        "behaviors alone: get/update/create over 10,000 records, one core",
        Spread::of(engine),
    );
    let simulator = simulator_rounds(plan, 10_000)?;
    report.add(
        "simulator_calls_per_s",
        "the whole call: check, behavior, check, history",
        Spread::of(simulator),
    );
    let sizes: [(&str, &str, usize); 3] = [
        ("engine_ns_100", "nanoseconds a call over 100 records", 100),
        ("engine_ns_10k", "over 10,000", 10_000),
        ("engine_ns_1m", "over 1,000,000 (100,000 with --quick)", plan.largest),
    ];
    for (name, what, records) in sizes {
        let rounds = engine_rounds(plan, records)?;
        report.add(name, what, Spread::of(rounds.iter().map(|rate| 1e9 / rate)));
    }
    Ok(())
}

/// Calls per second of [`Program::run`], one value per round. Each round starts from the same world.
fn engine_rounds(plan: Plan, records: usize) -> Result<Vec<f64>> {
    let simulator = worlds::simulator(records)?;
    let start = simulator.open(SessionOptions::default())?.world().clone();
    let behaviors = simulator.reading();
    let limits = Limits { state_bytes: 4 << 30, ..Limits::default() };
    let library = Arc::new(Library::new(behaviors, limits)?);
    let mut programs = Vec::new();
    for tool in simulator.tools() {
        let program =
            Program::compile(&tool.name, &behaviors.behaviors[&tool.name], tool.returns.as_ref(), &library)?;
        programs.push((tool.name.clone(), program));
    }
    let calls: Vec<(usize, Value)> = worlds::mix(records, plan.calls)
        .iter()
        .map(|call| {
            let program = programs.iter().position(|(name, _)| *name == call.tool).unwrap_or(0);
            (program, Value::from(&call.arguments))
        })
        .collect();
    let mut rates = Vec::new();
    for _ in 0..plan.rounds {
        let mut world = start.clone();
        let begun = Instant::now();
        for (program, args) in &calls {
            if let Ok(outcome) = programs[*program].1.run(&world, args, &RuleFiller) {
                black_box(&outcome.reply);
                world = outcome.world;
            }
        }
        rates.push(calls.len() as f64 / begun.elapsed().as_secs_f64());
    }
    Ok(rates)
}

/// Calls per second of `Simulator::call`, one value per round.
fn simulator_rounds(plan: Plan, records: usize) -> Result<Vec<f64>> {
    let simulator = worlds::simulator(records)?;
    let start = simulator.open(SessionOptions::default())?;
    let calls = worlds::mix(records, plan.calls);
    let mut rates = Vec::new();
    for _ in 0..plan.rounds {
        let mut session = start.fork();
        let begun = Instant::now();
        for call in &calls {
            black_box(simulator.call(&mut session, call));
        }
        rates.push(calls.len() as f64 / begun.elapsed().as_secs_f64());
    }
    Ok(rates)
}
