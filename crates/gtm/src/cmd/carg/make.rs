//! `gtm carg run`: makes a dataset, or goes on making it.

use crate::output::{Out, Result, Status, note, usage};
use gtm_carg::catalogue::Catalogue;
use gtm_carg::dataset::{self, Counts, Shard};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Instant;

/// Make a dataset of executed sessions; run again to go on after an interruption
///
/// The same seed, sessions and packs give the same bytes with any number of jobs; the parts of all shards together
/// are the parts of the whole.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Folder of the dataset
    #[arg(long, short)]
    out: PathBuf,
    /// Pack files, or folders that are searched for *.yaml
    #[arg(long, default_value = "packs")]
    packs: Vec<PathBuf>,
    /// Sessions to make
    #[arg(long, default_value_t = 2_000)]
    sessions: u64,
    /// Seed of everything
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Threads; all cores, if not given
    #[arg(long, short)]
    jobs: Option<usize>,
    /// Make only the I-th of N shards, such as 1/4
    #[arg(long, value_name = "I/N", value_parser = parse_shard)]
    shard: Option<Shard>,
    /// Print the counts as JSON
    #[arg(long)]
    pub(super) json: bool,
}

/// `2/8`, counted from 1.
fn parse_shard(text: &str) -> std::result::Result<Shard, String> {
    let parts =
        text.split_once('/').and_then(|(i, n)| Some((i.parse::<u64>().ok()?, n.parse::<u64>().ok()?)));
    match parts {
        Some((index, of)) if index >= 1 && index <= of => Ok(Shard { index: index - 1, of }),
        _ => Err("a shard is I/N with I from 1 to N, such as 2/8".into()),
    }
}

pub(crate) fn run(args: &Args) -> Result<Status> {
    if args.sessions == 0 {
        return Err(usage("a dataset has at least one session").into());
    }
    let catalogue = Catalogue::load(&args.packs)?;
    let recipe = catalogue.recipe(args.seed, args.sessions);
    let jobs = args.jobs.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    let shard = args.shard.unwrap_or(Shard { index: 0, of: 1 });
    let bar = ProgressBar::with_draw_target(Some(args.sessions / shard.of), ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} sessions {msg} {eta}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let start = Instant::now();
    let seen = Mutex::new(Counts::default());
    let counts = dataset::make(&catalogue.fields, &recipe, &args.out, jobs, shard, &|part| {
        let mut seen = seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        seen.add(part);
        let dropped: u64 = seen.dropped.values().sum();
        bar.set_position(seen.sessions + dropped);
        let rate = seen.pairs as f64 / start.elapsed().as_secs_f64();
        bar.set_message(format!("{} pairs, {rate:.0}/s, {dropped} dropped,", seen.pairs));
    })?;
    bar.finish_and_clear();
    let seconds = start.elapsed().as_secs_f64();
    let mut out = Out::new();
    if args.json {
        out.json(&json!({"seconds": seconds, "counts": counts}))?;
    } else {
        show(&counts, seconds, &mut out)?;
        note(&format!("next: gtm carg verify {}", args.out.display()));
    }
    out.flush()?;
    Ok(Status::Done)
}

fn show(counts: &Counts, seconds: f64, out: &mut Out) -> Result<()> {
    let dropped: u64 = counts.dropped.values().sum();
    out.line(format!(
        "{} sessions, {} checked call and reply pairs ({:.1} % failures), {} tasks in {seconds:.1} s ({:.0} pairs/s)",
        counts.sessions,
        counts.pairs,
        100.0 * counts.errors as f64 / counts.pairs.max(1) as f64,
        counts.tasks,
        counts.pairs as f64 / seconds.max(1e-9),
    ))?;
    for (check, (made, failed)) in &counts.checks.0 {
        out.line(format!("  {check:<18} {made:>10} checks {failed:>6} failed"))?;
    }
    if dropped > 0 {
        let reasons: Vec<String> = counts.dropped.iter().map(|(reason, n)| format!("{reason} {n}")).collect();
        out.line(format!("  dropped {dropped}: {}", reasons.join(", ")))?;
    }
    Ok(())
}
