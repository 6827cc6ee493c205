//! `gtm tools`: what was understood of spec files, and what was not and why.
//!
//! Files are read in parallel and shown in order. A file that cannot be read, or an importer that
//! panics, costs that file only. What is held at a time is one file per worker; of catalogues in
//! JSON Lines, one batch of lines.

mod report;
mod walk;

use crate::output::{Out, Paint, Result, Status};
use crate::source::{Live, Source, no_toolset};
use gtm_error::printable;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use report::Report;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Once, mpsc};
use std::time::{Duration, Instant};

/// List what is understood of specs, and why an operation is left out
///
/// Folders are searched for *.json, *.yaml, *.yml, *.jsonl and *.zst. A file that cannot be read is
/// reported and the rest goes on; the exit code is then 1.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Spec files, folders of them, toolset files, or http(s) addresses
    #[arg(value_name = "PATH|URL")]
    paths: Vec<String>,
    #[command(flatten)]
    live: Live,
    /// List the names of the tools even if there are several files
    #[arg(long, conflicts_with = "json")]
    names: bool,
    /// Print one line of JSON a file: file, format, operations, tools, skipped, error
    #[arg(long)]
    pub(crate) json: bool,
}

pub(crate) fn run(args: &Args) -> Result<Status> {
    let named = args.live.sources(&args.paths)?;
    if named.is_empty() {
        return Err(no_toolset().into());
    }
    let sources: Vec<Item> = named.into_iter().flat_map(walk::expand).collect();
    let show_names = args.names || (sources.len() == 1 && !args.json);
    let progress = Progress::new(sources.len());
    let mut out = Out::new();
    let mut total = Total::default();
    in_order(
        &sources,
        |item| report::of(item, &args.live, show_names, &progress),
        |report| {
            progress.bar.suspend(|| {
                total.add(&report);
                match args.json {
                    true => out.json(&report)?,
                    false => show(&report, &mut out)?,
                }
                // A program that reads along gets each line as it is known.
                out.flush()
            })?;
            progress.file();
            Ok(())
        },
    )?;
    progress.bar.finish_and_clear();
    if !args.json && sources.len() > 1 {
        out.line(total.text(out.paint))?;
    }
    out.flush()?;
    Ok(if total.failed > 0 { Status::Findings } else { Status::Done })
}

/// Something to be read, or a place where nothing could be found.
type Item = std::result::Result<Source, (Source, gtm_error::Error)>;

/// Does `work` on all items on all cores and hands the results over in the items' order.
fn in_order<T: Sync, R: Send>(
    items: &[T],
    work: impl Fn(&T) -> R + Sync,
    mut done: impl FnMut(R) -> Result<()>,
) -> Result<()> {
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(items.len());
    let next = AtomicUsize::new(0);
    // Bounded, so that results do not pile up behind a slow terminal.
    let (sender, receiver) = mpsc::sync_channel(2 * workers.max(1));
    std::thread::scope(|scope| {
        // Taken into the scope, so that it is gone, and the workers stop, when `done` fails.
        let receiver = receiver;
        for _ in 0..workers {
            let (sender, next, work) = (sender.clone(), &next, &work);
            scope.spawn(move || {
                while let Some((at, item)) =
                    Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|n| Some((n, items.get(n)?)))
                {
                    if sender.send((at, work(item))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        let mut early = BTreeMap::new();
        let mut wanted = 0;
        for (at, result) in receiver {
            early.insert(at, result);
            while let Some(result) = early.remove(&wanted) {
                wanted += 1;
                done(result)?;
            }
        }
        Ok(())
    })
}

/// Time before the bar appears: what is done sooner needs none.
const PATIENCE: Duration = Duration::from_millis(300);

/// A bar on a terminal; nothing elsewhere.
struct Progress {
    bar: ProgressBar,
    start: Instant,
    shown: Once,
    /// Files, if there are several; else tools of the one file are counted.
    files: Option<usize>,
}

impl Progress {
    fn new(files: usize) -> Progress {
        let files = (files > 1).then_some(files);
        let bar = ProgressBar::with_draw_target(files.map(|n| n as u64), ProgressDrawTarget::hidden());
        let style = match files {
            None => ProgressStyle::with_template("  {elapsed} {pos} tools"),
            Some(_) => ProgressStyle::with_template("  {elapsed} [{bar:30}] {pos}/{len} files"),
        };
        if let Ok(style) = style {
            bar.set_style(style);
        }
        Progress { bar, start: Instant::now(), shown: Once::new(), files }
    }

    /// One more file is done.
    fn file(&self) {
        if self.files.is_some() {
            self.show();
            self.bar.inc(1);
        }
    }

    /// So many tools of a file are read.
    fn tools(&self, count: u64) {
        if self.files.is_none() {
            self.show();
            self.bar.set_position(count);
        }
    }

    fn show(&self) {
        if self.start.elapsed() > PATIENCE {
            self.shown.call_once(|| self.bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(10)));
        }
    }
}

#[derive(Default)]
struct Total {
    read: usize,
    failed: usize,
    operations: usize,
    tools: usize,
    skipped: usize,
}

impl Total {
    fn add(&mut self, report: &Report) {
        match report.error {
            None => self.read += 1,
            Some(_) => self.failed += 1,
        }
        self.operations += report.operations;
        self.tools += report.tools;
        self.skipped += report.skipped.len();
    }

    fn text(&self, paint: Paint) -> String {
        let failed = format!("{} failed", self.failed);
        format!(
            "{} files read, {}: {}, {}, {} left out",
            self.read,
            if self.failed > 0 { paint.bad(&failed) } else { failed },
            count(self.operations, "operation"),
            count(self.tools, "tool"),
            self.skipped,
        )
    }
}

fn count(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

fn show(report: &Report, out: &mut Out) -> Result<()> {
    let paint = out.paint;
    let file = paint.strong(&printable(&report.file));
    if let Some(error) = &report.error {
        let text = error.to_string();
        let mut lines = text.lines();
        out.line(format!("{file}  {} {}", paint.bad("failed"), lines.next().unwrap_or_default()))?;
        for line in lines {
            out.line(format!("  {line}"))?;
        }
        return Ok(());
    }
    out.line(format!(
        "{file}  {}  {}, {}",
        report.format.as_deref().unwrap_or("-"),
        count(report.operations, "operation"),
        paint.good(&count(report.tools, "tool")),
    ))?;
    let width = report.names.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0).min(40);
    for (name, description) in &report.names {
        let line = format!("  {name:width$}  {}", paint.dim(description));
        out.line(line.trim_end())?;
    }
    if !report.skipped.is_empty() {
        out.line(format!(
            "  {}",
            paint.bad(&format!("{} left out:", count(report.skipped.len(), "operation")))
        ))?;
    }
    for skipped in &report.skipped {
        out.line(format!("    {}: {}", printable(&skipped.operation), printable(&skipped.reason)))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::in_order;
    use crate::output::Failure;

    #[test]
    fn results_come_in_order_whichever_is_done_first() {
        let items: Vec<u64> = (0..200).collect();
        let mut seen = Vec::new();
        let slow_first = |n: &u64| {
            std::thread::sleep(std::time::Duration::from_micros(if n.is_multiple_of(7) { 900 } else { 0 }));
            *n
        };
        let done = in_order(&items, slow_first, |n| {
            seen.push(n);
            Ok(())
        });
        assert!(done.is_ok());
        assert_eq!(seen, items);
    }

    #[test]
    fn a_closed_pipe_stops_the_work() {
        let items: Vec<u64> = (0..10_000).collect();
        let done = in_order(&items, |n| *n, |n| if n < 3 { Ok(()) } else { Err(Failure::PipeClosed) });
        assert!(matches!(done, Err(Failure::PipeClosed)));
    }
}
