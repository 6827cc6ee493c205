//! `gtm carg run`: makes a dataset, or goes on making it.

use crate::output::{Out, Result, Status, note, usage};
use gtm_carg::catalogue::Catalogue;
use gtm_carg::dataset::{self, Census, Config, Counts, Shard};
use gtm_error::printable;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Instant;

/// Make a dataset of executed sessions; run again to go on after an interruption
///
/// The same configuration gives the same bytes with any number of jobs; the parts of all shards together are the parts
/// of the whole. What is given on the command line wins over the configuration file.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Configuration: YAML or JSON, as `gtm schema carg` describes
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Folder of the dataset
    #[arg(long, short)]
    out: Option<PathBuf>,
    /// Pack files, or folders that are searched for *.yaml [default: packs]
    #[arg(long, num_args = 1..)]
    packs: Vec<PathBuf>,
    /// Files of tool specs in any format, or folders of them
    #[arg(long, num_args = 1..)]
    specs: Vec<PathBuf>,
    /// Sessions to make [default: 2000]
    #[arg(long)]
    sessions: Option<u64>,
    /// Seed of everything [default: 0]
    #[arg(long)]
    seed: Option<u64>,
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
        Some((index, of)) if (1..=of).contains(&index) => Ok(Shard { index: index - 1, of }),
        _ => Err("a shard is I/N with I from 1 to N, such as 2/8".into()),
    }
}

impl Args {
    /// The configuration file with what was given on the command line over it.
    fn config(&self) -> Result<Config> {
        let mut config = match &self.config {
            Some(path) => Config::load(path)?,
            None => Config::default(),
        };
        config.out = self.out.clone().or(config.out);
        config.sessions = self.sessions.unwrap_or(config.sessions);
        config.seed = self.seed.unwrap_or(config.seed);
        config.jobs = self.jobs.or(config.jobs);
        for (given, into) in [(&self.packs, &mut config.packs), (&self.specs, &mut config.specs)] {
            if !given.is_empty() {
                into.clone_from(given);
            }
        }
        config.check()?;
        Ok(config)
    }
}

pub(crate) fn run(args: &Args) -> Result<Status> {
    let config = args.config()?;
    let Some(out) = &config.out else {
        return Err(usage("where to put the dataset is not said")
            .hint("give a folder with --out, or `out:` in the configuration")
            .into());
    };
    let start = Instant::now();
    let catalogue = Catalogue::of(&config)?;
    for unread in &catalogue.specs.unread {
        note(&format!("left out: {}", printable(unread)));
    }
    let recipe = catalogue.recipe(&config);
    let jobs = config.jobs.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    let shard = args.shard.unwrap_or(Shard { index: 0, of: 1 });
    let bar = ProgressBar::with_draw_target(Some(config.sessions / shard.of), ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} sessions {msg} {eta}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let seen = Mutex::new(Counts::default());
    let making = Instant::now();
    let counts = dataset::make(&catalogue, &recipe, out, jobs, shard, &|part| {
        let mut seen = seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        seen.add(part);
        let dropped: u64 = seen.dropped.values().sum();
        bar.set_position(seen.sessions + dropped);
        let rate = seen.pairs as f64 / making.elapsed().as_secs_f64();
        bar.set_message(format!(
            "{} pairs, {rate:.0}/s, {:.0} % failures, {dropped} dropped,",
            seen.pairs,
            share(seen.errors, seen.pairs)
        ));
    })?;
    bar.finish_and_clear();
    let seconds = start.elapsed().as_secs_f64();
    let mut stdout = Out::new();
    if args.json {
        stdout.json(&json!({
            "seconds": seconds,
            "out": out,
            "counts": counts,
            "names": {
                "tools": names(&counts.tool_names),
                "fields": names(&counts.field_names),
                "real_tools": names(&counts.real_tool_names),
                "real_fields": names(&counts.real_field_names),
            },
            "specs": {"tools": catalogue.specs.tools, "skipped": catalogue.specs.skipped, "unread": catalogue.specs.unread},
        }))?;
    } else {
        show(&counts, seconds, &mut stdout)?;
        note(&format!("next: gtm carg verify {}", out.display()));
    }
    stdout.flush()?;
    Ok(Status::Done)
}

fn share(part: u64, of: u64) -> f64 {
    100.0 * part as f64 / of.max(1) as f64
}

/// How many distinct names there are, and the most usual ones with their share of tools.
fn names(census: &Census) -> serde_json::Value {
    json!({"tools": census.tools, "distinct": census.distinct(), "most_usual": census.most_usual(10)})
}

fn show(counts: &Counts, seconds: f64, out: &mut Out) -> Result<()> {
    let dropped: u64 = counts.dropped.values().sum();
    out.line(format!(
        "{} sessions, {} checked call and reply pairs ({:.1} % failures), {} tasks, {} samples in {seconds:.1} s ({:.0} pairs/s)",
        counts.sessions,
        counts.pairs,
        share(counts.errors, counts.pairs),
        counts.tasks,
        counts.samples.values().sum::<u64>(),
        counts.pairs as f64 / seconds.max(1e-9),
    ))?;
    for (what, tools, fields) in [
        ("packs", &counts.tool_names, &counts.field_names),
        ("real specs", &counts.real_tool_names, &counts.real_field_names),
    ] {
        if tools.tools > 0 {
            let usual = |census: &Census| match census.most_usual(1).first() {
                Some((name, share)) => format!("`{}` in {:.2} % of tools", printable(name), 100.0 * share),
                None => "none".to_owned(),
            };
            out.line(format!(
                "  {what}: {} distinct names of tools ({}), {} of arguments and members ({})",
                tools.distinct(),
                usual(tools),
                fields.distinct(),
                usual(fields),
            ))?;
        }
    }
    for (check, (made, failed)) in &counts.checks.0 {
        out.line(format!("  {check:<18} {made:>10} checks {failed:>6} failed"))?;
    }
    if dropped > 0 {
        let reasons: Vec<String> = counts.dropped.iter().map(|(reason, n)| format!("{reason} {n}")).collect();
        out.line(format!("  dropped {dropped}: {}", reasons.join(", ")))?;
    }
    Ok(())
}
