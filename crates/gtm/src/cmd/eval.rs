//! `gtm eval`: how faithful the simulated tools are, beside baselines, on recorded sessions.

mod curve;
mod table;

use crate::mind::ModelFlag;
use crate::output::{Out, Result, Status, usage};
use curve::{Sides, Split, curve};
use gtm_error::{Code, Error};
use gtm_eval::baseline::Baseline as Known;
use gtm_eval::report::CurvePoint;
use gtm_eval::{Evaluation, Options, Progress, Session, SessionFile, evaluate, report, session_files};
use gtm_read::{ReadInput, Reader, Reading, RuleFiller, RuleReader};
use gtm_sim::{Simulator, Toolset};
use gtm_world::Behaviors;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Map, Value as Json, json};
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
    /// Learn from recorded sessions of this file or folder first, and evaluate those of other groups: the learning
    /// curve
    #[arg(long, value_name = "TRAIN", conflicts_with = "baseline")]
    learn: Vec<PathBuf>,
    /// How many sessions of each suite to learn from: a point of the curve each
    #[arg(long, value_name = "N", value_delimiter = ',', default_values_t = [0, 1, 5, 20], requires = "learn")]
    learn_sessions: Vec<usize>,
    /// How sessions learned from and sessions evaluated are kept apart
    #[arg(long, value_enum, default_value = "group", requires = "learn")]
    split: Split,
    /// Evaluate only the first N sessions of each file; with `--learn`, N sessions of each suite
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
    /// Everything: behaviors of the toolset, learned ones, those read from the specs, direct replies
    User,
    /// Behaviors learned from recordings, those read from the specs, and direct replies
    Learned,
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
    let reader: Arc<dyn Reader> = match args.rung {
        Rung::Direct => Arc::new(NothingRead),
        Rung::Rules => Arc::new(RuleReader),
        Rung::Model if !args.model.is_given() => {
            return Err(usage("`--rung model` needs a model").hint("name its folder with `--model`").into());
        }
        Rung::Model | Rung::Learned | Rung::User => args.model.reader()?,
    };
    let make = |session: &Session, learned| simulator(session, base.as_ref(), args.rung, &*reader, learned);
    let written = dump.as_mut().map(|file| file as &mut dyn Write);
    let curve = if args.learn.is_empty() {
        let bar = Bar::new(&files, 1);
        let prepare = |session: &Session| make(session, None).map(Some);
        let evaluation = evaluate(&files, &prepare, &options, written, &mut |now| bar.show(0, now));
        bar.bar.finish_and_clear();
        vec![CurvePoint { sessions: 0, evaluation: evaluation? }]
    } else {
        let sides = Sides::read(&args.learn, &files, args.split, args.limit)?;
        let points = &args.learn_sessions;
        let bar = Bar::new(&files, points.len());
        let make = |session: &Session, learned| make(session, Some(learned));
        let curve = curve(&sides, &files, points, &make, &options, written, &mut |at, now| bar.show(at, now));
        bar.bar.finish_and_clear();
        curve?
    };
    if let (Some(dump), Some(path)) = (&mut dump, &args.dump) {
        dump.flush().map_err(|e| cannot_write(path, &e))?;
    }
    finish(args, &curve)
}

/// Shows the last point, and the curve if there is one.
fn finish(args: &Args, curve: &[CurvePoint]) -> Result<Status> {
    let Some(CurvePoint { evaluation, .. }) = curve.last() else { return Ok(Status::Done) };
    let name = args.baseline.map_or("gtm", |baseline| Known::from(baseline).name());
    let curve = if args.learn.is_empty() { &[] } else { curve };
    if let Some(path) = &args.html {
        let page = report::html(&report::Page { evaluation, name, free: args.free, curve });
        std::fs::write(path, page).map_err(|e| cannot_write(path, &e))?;
    }
    let mut out = Out::new();
    if args.json.is_some() {
        let json = to_json(evaluation, curve);
        match args.json.as_deref().filter(|_| !args.wants_json()) {
            None => out.json(&json)?,
            Some(path) => {
                let text = format!("{}\n", serde_json::to_string_pretty(&json).unwrap_or_default());
                std::fs::write(path, text).map_err(|e| cannot_write(path, &e))?;
            }
        }
    }
    if !args.wants_json() {
        table::show(evaluation, name, &mut out)?;
        table::curve(curve, &mut out)?;
    }
    out.flush()?;
    Ok(Status::Done)
}

/// The figures by suite; beside them, if there is a curve, `curve`: a list of the same with `sessions`.
fn to_json(evaluation: &Evaluation, curve: &[CurvePoint]) -> Map<String, Json> {
    let mut json = evaluation.to_json();
    if !curve.is_empty() {
        let point = |point: &CurvePoint| {
            let mut figures = Map::from_iter([("sessions".to_owned(), json!(point.sessions))]);
            figures.extend(point.evaluation.to_json());
            Json::Object(figures)
        };
        json.insert("curve".into(), curve.iter().map(point).collect());
    }
    json
}

fn create(path: &Path) -> gtm_error::Result<BufWriter<File>> {
    File::create(path).map(BufWriter::new).map_err(|e| cannot_write(path, &e))
}

fn cannot_write(path: &Path, error: &std::io::Error) -> Error {
    Error::new(Code::StorageFailed, format!("cannot write: {error}"))
        .in_file(path.display())
        .hint("check the path and its permissions")
}

/// The simulator of a session: its tools and state, what the toolset file adds to them, and what was learned.
fn simulator(
    session: &Session,
    base: Option<&Toolset>,
    rung: Rung,
    reader: &dyn Reader,
    learned: Option<Behaviors>,
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
    if let Some(learned) = learned {
        toolset.learned = learned;
    }
    if rung != Rung::User {
        toolset.behaviors = Behaviors::default();
    }
    if matches!(rung, Rung::Model | Rung::Rules | Rung::Direct) {
        toolset.learned = Behaviors::default();
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
    /// Bytes of one run over the files.
    bytes: u64,
}

impl Bar {
    fn new(files: &[SessionFile], runs: usize) -> Bar {
        let bytes = files.iter().filter_map(|file| std::fs::metadata(&file.path).ok()).map(|m| m.len()).sum();
        let all = bytes * runs as u64;
        let bar = ProgressBar::with_draw_target(Some(all), ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template("  {elapsed} [{bar:30}] {msg}") {
            bar.set_style(style);
        }
        Bar { bar, start: Instant::now(), bytes }
    }

    fn show(&self, run: usize, now: Progress) {
        if self.bar.is_hidden() && self.start.elapsed() > PATIENCE {
            self.bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(10));
        }
        self.bar.set_position(self.bytes * run as u64 + now.bytes);
        self.bar.set_message(format!("{} sessions, {} turns", now.sessions, now.turns));
    }
}
