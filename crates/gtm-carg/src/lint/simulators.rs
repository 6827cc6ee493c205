//! Simulators: they run, and take every known course.

use super::Findings;
use super::formulas::{compare, in_range};
use super::references::unknown;
use crate::pack::{Attribute, Pack, Simulator, WorkedRun};
use crate::process::Process;
use gtm_world::Value;
use indexmap::IndexMap;

/// Most steps of a worked run.
const MAX_STEPS: u32 = 100_000;

pub(super) fn check(pack: &Pack, findings: &mut Findings) {
    for (name, simulator) in &pack.simulators {
        findings.within("simulators", |f| f.within(name, |f| check_one(pack, simulator, f)));
    }
}

fn check_one(pack: &Pack, simulator: &Simulator, findings: &mut Findings) {
    if simulator.state.is_empty() {
        findings.error("a simulator has state variables");
    }
    if simulator.rates.is_empty() == simulator.next.is_empty() {
        findings.error("a simulator has either `rates` (integrated over time) or `next` (discrete steps)");
        return;
    }
    if !(simulator.dt.step > 0.0 && simulator.dt.step.is_finite()) {
        findings.within("dt", |f| f.error("the step is not above 0"));
        return;
    }
    for (section, moved) in [("rates", &simulator.rates), ("next", &simulator.next)] {
        for name in moved.keys().filter(|name| !simulator.state.contains_key(*name)) {
            findings.within(section, |f| {
                unknown("state variable", name, simulator.state.keys().map(String::as_str), f)
            });
        }
    }
    for (name, control) in &simulator.controls {
        if control.default.is_none() {
            findings.within("controls", |f| {
                f.within(name, |f| f.error("a control needs a default, its value at the start"))
            });
        }
    }
    distinct(simulator, pack, findings);
    let process = match Process::new(pack, simulator) {
        Ok(process) => process,
        Err(error) => {
            let place = error.place().unwrap_or("").split_once('/').map_or("", |(_, rest)| rest).to_owned();
            findings.within(place, |f| f.fault(&error));
            return;
        }
    };
    let unknown_names = process.unknown_names();
    for name in &unknown_names {
        let known =
            simulator.state.keys().chain(simulator.parameters.keys()).chain(simulator.controls.keys());
        unknown("name", name, known.chain(simulator.bind.keys()).map(String::as_str), findings);
    }
    if !unknown_names.is_empty() {
        return;
    }
    if simulator.worked.is_empty() {
        findings.warn(
            "no worked run: give one whose end is known, such as a steady state or an analytic solution",
        );
    }
    for (at, worked) in simulator.worked.iter().enumerate() {
        findings.within("worked", |f| f.within(at, |f| run(simulator, &process, worked, f)));
    }
}

/// Parameters, controls, state, intermediate values and readings share one space of names.
fn distinct(simulator: &Simulator, pack: &Pack, findings: &mut Findings) {
    let attributes =
        simulator.parameters.keys().chain(simulator.controls.keys()).chain(simulator.state.keys());
    let values = simulator.bind.keys().chain(simulator.outputs.keys()).chain(simulator.alarms.keys());
    let mut seen: Vec<&String> = Vec::new();
    for name in attributes.chain(values) {
        if seen.contains(&name) {
            findings.error(format!("`{name}` is defined twice"));
        }
        if matches!(name.as_str(), "t" | "dt" | "s" | "s2" | "s3" | "s4" | "k1" | "k2" | "k3" | "k4" | "p") {
            findings
                .error(format!("`{name}` is taken: it names time, the step or a part of the integration"));
        }
        if pack.constants.contains_key(name) {
            findings.error(format!("`{name}` is also a constant"));
        }
        seen.push(name);
    }
}

fn run(simulator: &Simulator, process: &Process, worked: &WorkedRun, findings: &mut Findings) {
    if worked.steps > MAX_STEPS {
        findings.within("steps", |f| f.error(format!("at most {MAX_STEPS} steps")));
        return;
    }
    let before = findings.found.len();
    let mut inputs: IndexMap<String, Value> = IndexMap::new();
    let all = || simulator.parameters.iter().chain(&simulator.controls).chain(&simulator.state);
    findings.within("in", |f| {
        for (name, json) in &worked.inputs {
            match all().find(|(known, _)| *known == name) {
                Some((_, attribute)) => f.within(name, |f| in_range(attribute, json, f)),
                None => unknown("input", name, all().map(|(known, _)| known.as_str()), f),
            }
            inputs.insert(name.clone(), json.into());
        }
        let missing = |(name, attribute): &(&String, &Attribute)| {
            attribute.default.is_none() && !inputs.contains_key(*name)
        };
        for (name, _) in all().filter(missing) {
            f.error(format!("`{name}` has no default and is missing"));
        }
    });
    if findings.found.len() > before {
        return;
    }
    match process.run(&inputs, worked.steps) {
        Err(error) => findings.error(format!("the run fails: {}", error.message)),
        Ok(results) => {
            for (name, expected) in &worked.out {
                findings.within("out", |f| {
                    f.within(name, |f| match results.get(name) {
                        None => unknown("result", name, results.keys().map(String::as_str), f),
                        Some(found) => compare(found, expected, worked.tol, f),
                    })
                });
            }
        }
    }
}
