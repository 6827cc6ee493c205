//! `gtm learn`: behaviors from recorded sessions.

use crate::output::{Out, Result, Status, note};
use crate::yaml;
use gtm_error::{Code, Error, printable};
use gtm_learn::Learned;
use gtm_sim::Toolset;
use gtm_sim::recording::{Recording, read_recordings};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;

/// Learn from recorded sessions what tools do
///
/// What is printed are behaviors: `learned: FILE` in a toolset puts them above what GTM derives from
/// the specs, and below what the toolset itself says.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Recorded sessions: files of JSON lines (also .zst), or folders of them
    #[arg(required = true)]
    recordings: Vec<PathBuf>,
    /// Specs of the tools, for recordings that do not carry them
    #[arg(long, value_name = "FILE")]
    spec: Option<PathBuf>,
    /// Write the behaviors to this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Print what was learned and how well it is supported as one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

pub(crate) fn run(args: &Args) -> Result<Status> {
    let tools = match &args.spec {
        Some(spec) => Arc::new(Toolset::load(spec)?.tools),
        None => Arc::default(),
    };
    let mut recordings: Vec<Recording> = Vec::new();
    for path in &args.recordings {
        recordings.extend(read_recordings(path)?);
    }
    let learned = gtm_learn::learn(&recordings, &tools);
    let text = text(&learned, recordings.len());
    if let Some(path) = &args.output {
        std::fs::write(path, &text).map_err(|e| {
            Error::new(Code::StorageFailed, format!("cannot write the behaviors: {e}"))
                .in_file(path.display())
        })?;
    }
    let mut out = Out::new();
    if args.json {
        out.json(&json!({"behaviors": learned.behaviors, "support": learned.support}))?;
    } else if args.output.is_none() {
        out.line(text.trim_end())?;
    }
    out.flush()?;
    if let Some(path) = args.output.as_ref().filter(|_| !args.json) {
        note(&summary(&learned, recordings.len()));
        note(&format!("next: put `learned: {}` into a toolset", printable(&path.to_string_lossy())));
    }
    Ok(Status::Done)
}

fn summary(learned: &Learned, sessions: usize) -> String {
    let (calls, explained) =
        learned.support.values().fold((0, 0), |(c, e), s| (c + s.calls, e + s.explained));
    format!(
        "{} tools from {sessions} sessions: {explained} of {calls} calls looked at are explained wholly",
        learned.support.len()
    )
}

fn text(learned: &Learned, sessions: usize) -> String {
    let mut out = format!("# What GTM learned of {}.\n", summary(learned, sessions));
    out.push_str("# Use it with `learned: FILE` in a toolset, or edit it and put it there as `behaviors`.\n");
    out.push_str("# `derived` stands for what the spec says; docs/behaviors.md describes the language.\n");
    match serde_json::to_value(&learned.behaviors) {
        Ok(behaviors) => out.push_str(&yaml::block(&behaviors)),
        Err(_) => out.push_str(&yaml::block(&Value::Null)),
    }
    out
}
