//! Tasks of datasets that `gtm carg run` made: each comes with tools, behaviors and a state of its own.

use super::{Source, invalid};
use crate::file::Task;
use crate::goal::{Check, EndState, Goal};
use gtm_error::{Code, Error, Result};
use gtm_sim::{Call, Toolset, WorldKind};
use gtm_tool::ToolSpec;
use gtm_world::{Behaviors, Clock};
use serde::Deserialize;
use serde_json::Value as Json;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

/// Most bytes of one session.
const MAX_LINE: u64 = 64 << 20;
/// The clock of sessions that do not tell theirs.
const CLOCK: (&str, u32) = ("2025-06-02T08:00:00Z", 30);

/// What a task needs of a recorded session. Its turns are of no interest here.
#[derive(Deserialize)]
struct Trace {
    session_id: String,
    #[serde(default)]
    group: String,
    #[serde(default)]
    seed: u64,
    tools: Vec<ToolSpec>,
    #[serde(default)]
    behaviors: Behaviors,
    initial_state: Json,
    clock: Option<Clock>,
    task: Option<Asked>,
}

#[derive(Deserialize)]
struct Asked {
    instruction: String,
    reference: Vec<Call>,
    end_state: Vec<Expected>,
}

#[derive(Deserialize)]
struct Expected {
    path: String,
    value: Json,
}

/// Whether a file is a part of a dataset, by its name.
pub(super) fn is_part(name: &str) -> bool {
    name.starts_with("part-") && name.ends_with(".jsonl.zst")
}

/// The tasks of a part, or of all parts of a folder.
pub(super) fn read_dataset(path: &Path, limit: usize) -> Result<Vec<Source>> {
    let mut tasks = Vec::new();
    for part in parts(path)? {
        read_part(&part, limit, &mut tasks).map_err(|e| e.in_file(part.display()))?;
    }
    match tasks.is_empty() {
        true => Err(invalid("no session of the dataset has a task").in_file(path.display())),
        false => Ok(tasks),
    }
}

fn parts(path: &Path) -> Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_path_buf()]);
    }
    let unreadable =
        |e: std::io::Error| Error::new(Code::FileUnreadable, e.to_string()).in_file(path.display());
    let mut parts = Vec::new();
    for entry in std::fs::read_dir(path).map_err(unreadable)? {
        let part = entry.map_err(unreadable)?.path();
        if part.file_name().is_some_and(|name| is_part(&name.to_string_lossy())) {
            parts.push(part);
        }
    }
    parts.sort();
    Ok(parts)
}

fn read_part(path: &Path, limit: usize, tasks: &mut Vec<Source>) -> Result<()> {
    let unreadable = |e: std::io::Error| Error::new(Code::FileUnreadable, e.to_string());
    let file = File::open(path).map_err(unreadable)?;
    let mut reader = BufReader::new(zstd::Decoder::new(file).map_err(unreadable)?);
    let mut line = Vec::new();
    let mut number = 0usize;
    while tasks.len() < limit {
        line.clear();
        number += 1;
        let read = reader.by_ref().take(MAX_LINE).read_until(b'\n', &mut line).map_err(unreadable)?;
        if read == 0 {
            break;
        }
        let place = |e: Error| e.at(format!("line {number}"));
        let trace: Trace =
            serde_json::from_slice(&line).map_err(|e| place(invalid(format!("not a session: {e}"))))?;
        tasks.extend(task(trace));
    }
    Ok(())
}

/// The task, if the session has one. Its goal is the places that the reference changes, weighed alike.
fn task(trace: Trace) -> Option<Source> {
    let Trace { session_id, group, seed, tools, behaviors, initial_state, clock, task } = trace;
    let Asked { instruction, reference, end_state } = task?;
    let mut toolset = Toolset::from_tools(format!("{group}-{session_id}"), tools);
    toolset.behaviors = behaviors;
    toolset.state = initial_state;
    toolset.world = WorldKind::Closed;
    toolset.seed = seed;
    let (start, tick_s) = CLOCK;
    toolset.clock = clock.unwrap_or_else(|| Clock { start: start.into(), tick_s });
    let mut checks: Vec<Check> = end_state
        .into_iter()
        .map(|Expected { path, value }| Check { at: Some(path), is: value, ..Check::default() })
        .collect();
    // Nothing else is to change.
    let after = EndState { calls: reference, ..EndState::default() };
    checks.push(Check { after: Some(after), weight: Some(0.0), ..Check::default() });
    let goal = Goal { checks, ..Goal::default() };
    let task = Task { id: session_id, instruction, goal, ..Task::default() };
    Some(Source { task, toolset: Some(toolset) })
}
