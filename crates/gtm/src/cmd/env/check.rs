//! `gtm env check`: are the tasks of an environment sound?

use crate::output::{Out, Result, Status, note};
use gtm_env::{Score, Trial};
use gtm_error::printable;
use gtm_sim::Simulator;
use serde_json::json;
use std::path::PathBuf;

/// Try the tasks of environments: the reference must earn 1, doing nothing must earn 0
///
/// The exit code is 1 if any task fails. A task without a reference is tried as far as it can be.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Environment files, or datasets of `gtm carg run`
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Print one line of JSON a task
    #[arg(long)]
    pub(super) json: bool,
}

pub(crate) fn run(args: &Args) -> Result<Status> {
    let mut out = Out::new();
    let (mut tasks, mut unsound, mut untried) = (0, 0, 0);
    for file in &args.files {
        let environment = gtm_env::load(file, &Simulator::new)?;
        for task in environment.tasks() {
            let trial = task.try_out()?;
            tasks += 1;
            unsound += usize::from(!trial.is_sound());
            untried += usize::from(trial.reference.is_none());
            if args.json {
                out.json(&json!({
                    "file": file, "environment": environment.name(), "task": task.id(), "sound": trial.is_sound(),
                    "nothing": trial.nothing, "reference": trial.reference, "failed": trial.failed,
                }))?;
            } else {
                show(environment.name(), task.id(), &trial, &mut out)?;
            }
        }
    }
    if !args.json {
        let text = format!("{tasks} tasks: {} sound, {unsound} not", tasks - unsound);
        out.line(if unsound == 0 { out.paint.good(&text) } else { out.paint.bad(&text) })?;
    }
    out.flush()?;
    if untried > 0 {
        note(&format!("{untried} tasks have no `reference`, so it was not tried whether they can be done"));
    }
    Ok(if unsound == 0 { Status::Done } else { Status::Findings })
}

fn show(environment: &str, task: &str, trial: &Trial, out: &mut Out) -> Result<()> {
    let paint = out.paint;
    let mark = if trial.is_sound() { paint.good("✓") } else { paint.bad("✗") };
    let earns = match &trial.reference {
        Some(score) => format!("reference {}", score.reward),
        None => "no reference".to_owned(),
    };
    let name = paint.name(&printable(task));
    out.line(format!("{mark} {}/{name}  {earns}, nothing {}", printable(environment), trial.nothing.reward))?;
    for (number, told) in &trial.failed {
        out.line(format!("    call {number} of the reference fails: {}", printable(told)))?;
    }
    if let Some(score) = &trial.reference {
        open(score, out)?;
    }
    if trial.nothing.reward > 0.0 {
        out.line("    doing nothing earns something: every check holds before the first call")?;
    }
    Ok(())
}

/// The checks that do not hold.
fn open(score: &Score, out: &mut Out) -> Result<()> {
    for check in score.checks.iter().filter(|check| !check.holds) {
        out.line(format!("    {}: {}", printable(&check.name), printable(&check.why)))?;
    }
    Ok(())
}
