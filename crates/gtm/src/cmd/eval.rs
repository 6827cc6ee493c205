//! `gtm eval`: how faithful the simulated tools are, beside baselines, on recorded sessions.

mod table;

use crate::mind::ModelFlag;
use crate::output::{Out, Result, Status, usage};
use gtm_error::{Code, Error};
use gtm_eval::baseline::Baseline as Known;
use gtm_eval::{Evaluation, Options, Progress, Session, evaluate, report, session_files};
use gtm_read::{ReadInput, Reader, Reading, RuleFiller, RuleReader};
use gtm_sim::{Simulator, Toolset};
use gtm_world::Behaviors;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Measure fidelity on recorded sessions, beside baselines
///
/// At each turn of a session the true earlier turns are known; GTM predicts the reply, and code compares
/// it with what the real tool said. docs/metrics.md defines every figure.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Files of recorded sessions (.jsonl, .jsonl.zst), or folders of them
    #[arg(value_name = "SUITE", required = true)]
    suites: Vec<PathBuf>,
    /// Take behaviors, and tools if it has some, from this toolset instead of reading the sessions' own tools
    #[arg(long, value_name = "FILE")]
    toolset: Option<PathBuf>,
    /// Highest rung of the ladder that may answer
    #[arg(long, value_enum, default_value = "user")]
    rung: Rung,
    #[command(flatten)]
    model: ModelFlag,
    /// Evaluate a baseline in place of GTM
    #[arg(long, value_enum, conflicts_with_all = ["toolset", "rung"])]
    baseline: Option<Baseline>,
    /// Evaluate only the first N sessions of each file
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Go on from GTM's own replies, rather than from the real ones
    #[arg(long)]
    free: bool,
    /// Write all figures as one JSON object; `-` for standard output
    #[arg(long, value_name = "OUT")]
    json: Option<PathBuf>,
    /// Write a report as one self-contained page
    #[arg(long, value_name = "OUT")]
    html: Option<PathBuf>,
    /// Write every prediction as a line of JSON: session_id, turn (from 0), content, is_error
    #[arg(long, value_name = "OUT")]
    dump: Option<PathBuf>,
    /// Threads; as many as there are cores if 0
    #[arg(long, value_name = "N", default_value_t = 0)]
    jobs: usize,
}

impl Args {
    /// Whether a program reads standard output.
    pub(crate) fn wants_json(&self) -> bool {
        self.json.as_deref() == Some(Path::new("-"))
    }
}

/// How far up the ladder of responders an answer may come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Rung {
    /// Everything: behaviors of the toolset, then those read from the specs, then direct replies
    User,
    /// Behaviors that the model (`--model`) and rules read from the specs, and direct replies
    Model,
    /// Behaviors that rules derive from the specs, and direct replies
    Rules,
    /// Replies from the return schema and the call alone
    Direct,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Baseline {
    /// What a mock server gives: checked arguments, and a value made from the return schema
    SchemaFaker,
    /// The arguments, in the declared shape
    Echo,
    /// Checked arguments, and the most recent real reply of the same tool
    LastSeen,
}

impl From<Baseline> for Known {
    fn from(baseline: Baseline) -> Known {
        match baseline {
            Baseline::SchemaFaker => Known::SchemaFaker,
            Baseline::Echo => Known::Echo,
            Baseline::LastSeen => Known::LastSeen,
        }
    }
}

pub(crate) fn run(args: &Args) -> Result<Status> {
    let files = session_files(&args.suites)?;
    let base = args.toolset.as_deref().map(Toolset::load).transpose()?;
    let options = Options {
        limit: args.limit,
        free: args.free,
        baseline: args.baseline.map(Known::from),
        jobs: args.jobs,
    };
    let mut dump = args.dump.as_deref().map(create).transpose()?;
    let total = files.iter().filter_map(|file| std::fs::metadata(&file.path).ok()).map(|m| m.len()).sum();
    let bar = Bar::new(total);
    let reader: Arc<dyn Reader> = match args.rung {
        Rung::Direct => Arc::new(NothingRead),
        Rung::Rules => Arc::new(RuleReader),
        Rung::Model if !args.model.is_given() => {
            return Err(usage("`--rung model` needs a model").hint("name its folder with `--model`").into());
        }
        Rung::Model | Rung::User => args.model.reader()?,
    };
    let prepare = |session: &Session| simulator(session, base.as_ref(), args.rung, &*reader).map(Some);
    let written = dump.as_mut().map(|file| file as &mut dyn Write);
    let evaluation = evaluate(&files, &prepare, &options, written, &mut |now| bar.show(now));
    bar.bar.finish_and_clear();
    let evaluation = evaluation?;
    if let (Some(dump), Some(path)) = (&mut dump, &args.dump) {
        dump.flush().map_err(|e| cannot_write(path, &e))?;
    }
    let name = args.baseline.map_or("gtm", |baseline| Known::from(baseline).name());
    if let Some(path) = &args.html {
        let page = report::html(&report::Page { evaluation: &evaluation, name, free: args.free, curve: &[] });
        std::fs::write(path, page).map_err(|e| cannot_write(path, &e))?;
    }
    finish(args, name, &evaluation)
}

fn finish(args: &Args, name: &str, evaluation: &Evaluation) -> Result<Status> {
    let mut out = Out::new();
    match &args.json {
        Some(_) if args.wants_json() => out.json(&evaluation.to_json())?,
        Some(path) => {
            let text =
                format!("{}\n", serde_json::to_string_pretty(&evaluation.to_json()).unwrap_or_default());
            std::fs::write(path, text).map_err(|e| cannot_write(path, &e))?;
            table::show(evaluation, name, &mut out)?;
        }
        None => table::show(evaluation, name, &mut out)?,
    }
    out.flush()?;
    Ok(Status::Done)
}

fn create(path: &Path) -> gtm_error::Result<BufWriter<File>> {
    File::create(path).map(BufWriter::new).map_err(|e| cannot_write(path, &e))
}

fn cannot_write(path: &Path, error: &std::io::Error) -> Error {
    Error::new(Code::StorageFailed, format!("cannot write: {error}"))
        .in_file(path.display())
        .hint("check the path and its permissions")
}

/// The simulator of a session: its tools and state, and what the toolset file adds to them.
fn simulator(
    session: &Session,
    base: Option<&Toolset>,
    rung: Rung,
    reader: &dyn Reader,
) -> gtm_error::Result<Simulator> {
    let own = || session.tools.specs().to_vec();
    let mut toolset = match base {
        None => Toolset::from_tools("session", own()),
        Some(base) if base.tools.is_empty() => {
            let mut toolset = Toolset { tools: own(), ..base.clone() };
            // Behaviors of tools that this session lacks are of no use to it.
            toolset.behaviors.behaviors.retain(|tool, _| session.tools.get(tool).is_some());
            toolset
        }
        Some(base) => base.clone(),
    };
    if let Some(state) = &session.initial_state {
        toolset = toolset.with_state(state.clone());
    }
    if rung != Rung::User {
        toolset.behaviors = Behaviors::default();
    }
    Simulator::with(toolset, reader, Arc::new(RuleFiller))
}

/// Reads no behavior, so that every tool answers directly.
struct NothingRead;

impl Reader for NothingRead {
    fn read(&self, _: &ReadInput<'_>) -> Reading {
        Reading::default()
    }
}

/// Time before the bar appears: what is done sooner needs none.
const PATIENCE: Duration = Duration::from_millis(300);

/// A bar on a terminal; nothing elsewhere.
struct Bar {
    bar: ProgressBar,
    start: Instant,
}

impl Bar {
    fn new(bytes: u64) -> Bar {
        let bar = ProgressBar::with_draw_target(Some(bytes), ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template("  {elapsed} [{bar:30}] {msg}") {
            bar.set_style(style);
        }
        Bar { bar, start: Instant::now() }
    }

    fn show(&self, now: Progress) {
        if self.bar.is_hidden() && self.start.elapsed() > PATIENCE {
            self.bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(10));
        }
        self.bar.set_position(now.bytes);
        self.bar.set_message(format!("{} sessions, {} turns", now.sessions, now.turns));
    }
}
