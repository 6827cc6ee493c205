//! `gtm bench`: how fast GTM is here, each figure beside its reference in the same run.

mod engine;
mod fork;
mod http;
mod load;
mod overload;
mod prism;
mod sessions;
mod spread;
mod start;
mod worlds;

use crate::output::{Out, Result, Status, note};
use serde_json::{Map, Value as Json, json};
use spread::Spread;
use std::path::PathBuf;

/// Measures speed and memory on this machine. Take medians and ratios seriously, lone times not.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Which parts to run; all if none is named
    #[arg(value_enum)]
    parts: Vec<Part>,
    /// Rounds of each measurement; the report gives median, least and greatest
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// Smaller worlds and shorter rounds: a look in under a minute
    #[arg(long)]
    quick: bool,
    /// Also measure Stoplight Prism: the path of its `prism` command
    #[arg(long, value_name = "COMMAND")]
    prism: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// A part of the benchmark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// Calls per second in process, and how cost grows with records
    Engine,
    /// Time and memory of forks
    Fork,
    /// Calls per second over HTTP beside a bare server, and latency at half load
    Http,
    /// A minute at ten times the rate that the server is set to take
    Overload,
    /// 10,000 live sessions of 50 calls each, twice, with eviction in between
    Sessions,
    /// Time from start to first reply on a large spec
    Start,
}

/// One measured figure.
struct Figure {
    name: &'static str,
    what: &'static str,
    spread: Spread,
}

/// Figures by name, in order of measurement.
#[derive(Default)]
struct Report(Vec<Figure>);

impl Report {
    fn add(&mut self, name: &'static str, what: &'static str, spread: Spread) {
        note(&format!("{name:<28} {spread:<36} {what}"));
        self.0.push(Figure { name, what, spread });
    }

    fn to_json(&self) -> Json {
        let mut out = Map::new();
        for figure in &self.0 {
            out.insert(figure.name.into(), json!(figure.spread.median()));
        }
        let spread = self.0.iter().map(|f| (f.name.to_string(), json!([f.spread.min(), f.spread.max()])));
        out.insert("spread".into(), Json::Object(spread.collect()));
        Json::Object(out)
    }
}

/// Sizes of one run.
#[derive(Clone, Copy)]
struct Plan {
    rounds: usize,
    /// Records of the largest world.
    largest: usize,
    /// Calls of one round in process.
    calls: usize,
    /// Seconds of one round over HTTP.
    seconds: f64,
    /// Seconds of overload.
    overload: f64,
    /// Sessions held at once over HTTP.
    sessions: usize,
}

/// Runs the parts asked for.
pub(crate) fn run(args: &Args) -> Result<Status> {
    let plan = match args.quick {
        true => Plan {
            rounds: args.rounds.clamp(1, 3),
            largest: 100_000,
            calls: 20_000,
            seconds: 0.7,
            overload: 6.0,
            sessions: 1_000,
        },
        false => Plan {
            rounds: args.rounds.clamp(1, 101),
            largest: 1_000_000,
            calls: 100_000,
            seconds: 2.0,
            overload: 60.0,
            sessions: 10_000,
        },
    };
    if cfg!(debug_assertions) {
        note("this is a debug build; measure with `cargo run --release -p gtm -- bench`");
    }
    let wants = |part| args.parts.is_empty() || args.parts.contains(&part);
    let mut report = Report::default();
    note(&format!("figure: median [least, greatest] of {} rounds", plan.rounds));
    if wants(Part::Engine) {
        engine::measure(plan, &mut report)?;
    }
    if wants(Part::Fork) {
        fork::measure(plan, &mut report)?;
    }
    if wants(Part::Http) {
        http::measure(plan, args.prism.as_deref(), &mut report)?;
    }
    if wants(Part::Overload) {
        overload::measure(plan, &mut report)?;
    }
    if wants(Part::Sessions) {
        sessions::measure(plan, &mut report)?;
    }
    if wants(Part::Start) {
        start::measure(plan, &mut report)?;
    }
    let mut out = Out::new();
    match args.json {
        true => out.line(report.to_json().to_string())?,
        false => {
            for figure in &report.0 {
                out.line(format!("{:<28} {:<36} {}", figure.name, figure.spread, figure.what))?;
            }
        }
    }
    Ok(Status::Done)
}

/// Resident bytes of this process; 0 where the system does not tell.
fn resident() -> usize {
    const PAGE: usize = 4096;
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    statm.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok()).unwrap_or(0) * PAGE
}
