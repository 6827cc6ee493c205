//! `gtm train --config F`: one training run, or the rest of it.

use crate::output::{Out, Result, Status, note};
use gtm_error::{Code, Error};
use gtm_train::{Event, HeldOutScore, StepMetrics, TrainConfig};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
// The group of the options around it has the name of its type, too.
#[group(id = "run")]
pub(crate) struct Args {
    /// The run's configuration, YAML or JSON; a run that was stopped goes on where it stood
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Where checkpoints, metrics and the model go, instead of the configuration's `out`
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Threads; the result does not depend on it [default: all cores]
    #[arg(long)]
    threads: Option<usize>,
    /// Keep a page with the run's curves here
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Print one JSON object at the end
    #[arg(long)]
    pub(super) json: bool,
}

pub(super) fn run(args: Args) -> Result<Status> {
    let config = read(&args)?;
    let threads = args.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    let mut watcher = Watcher::new(&config, args.html.as_deref());
    let outcome = gtm_train::train(&config, threads.clamp(1, 256), &mut |event| watcher.tell(&event));
    watcher.bar.finish_and_clear();
    let outcome = outcome?;
    watcher.page()?;
    let mut out = Out::new();
    let produced = config.out.join(if config.lora.is_some() { "adapter" } else { "model" });
    match args.json {
        true => out.json(&json!({
            "out": produced, "steps": outcome.steps, "tokens": outcome.tokens, "seconds": outcome.seconds,
            "tokens_per_second": outcome.tokens as f64 / outcome.seconds.max(1e-9),
            "loss": outcome.loss.is_finite().then_some(outcome.loss), "held_out": outcome.held_out
        }))?,
        false => {
            out.line(format!(
                "{}: {} updates, {} tokens in {:.1} minutes ({:.0} tokens/s)",
                produced.display(),
                outcome.steps,
                outcome.tokens,
                outcome.seconds / 60.0,
                outcome.tokens as f64 / outcome.seconds.max(1e-9)
            ))?;
            for score in &outcome.held_out {
                out.line(gtm_error::printable(&held_out(score)))?;
            }
        }
    }
    Ok(Status::Done)
}

fn read(args: &Args) -> Result<TrainConfig> {
    let place = args.config.display();
    let text = std::fs::read(&args.config)
        .map_err(|e| Error::new(Code::FileUnreadable, e.to_string()).in_file(&place))?;
    let value =
        gtm_tool::parse_document(text, &gtm_tool::Limits::default()).map_err(|e| e.in_file(&place))?;
    let mut config: TrainConfig = serde_json::from_value(value)
        .map_err(|e| Error::new(Code::TrainingInvalid, e.to_string()).in_file(&place))?;
    config.relative_to(args.config.parent().unwrap_or(Path::new("")));
    if let Some(out) = &args.out {
        config.out.clone_from(out);
    }
    Ok(config)
}

fn held_out(score: &HeldOutScore) -> String {
    format!(
        "held out, {}: loss {:.4}, tokens right {:.1} %, exact {:.1} % of {}",
        score.task,
        score.loss,
        100.0 * score.accuracy,
        100.0 * score.exact,
        score.samples
    )
}

/// Shows a run: a bar on a terminal, a line now and then elsewhere, and the page.
struct Watcher<'a> {
    bar: ProgressBar,
    terminal: bool,
    config: &'a TrainConfig,
    html: Option<&'a Path>,
}

impl Watcher<'_> {
    fn new<'a>(config: &'a TrainConfig, html: Option<&'a Path>) -> Watcher<'a> {
        let bar = ProgressBar::with_draw_target(Some(config.steps), ProgressDrawTarget::stderr_with_hz(4));
        if let Ok(style) = ProgressStyle::with_template("  {elapsed} [{bar:24}] {pos}/{len} eta {eta} {msg}")
        {
            bar.set_style(style);
        }
        Watcher { bar, terminal: std::io::stderr().is_terminal(), config, html }
    }

    fn tell(&mut self, event: &Event<'_>) {
        match event {
            Event::Reading { path, samples } => {
                self.bar.set_message(format!("{}: {samples} samples", path.display()))
            }
            Event::Started { step, steps, trained, parameters, tokens, too_long } => {
                let adapter =
                    if trained == parameters { String::new() } else { format!(", {trained} trained") };
                self.say(&format!("{parameters} parameters{adapter}; {tokens} tokens to learn from, {too_long} samples too long"));
                if *step > 0 {
                    self.say(&format!("going on after update {step} of {steps}"));
                }
                self.bar.set_position(*step);
                self.bar.reset_eta();
            }
            Event::Step(metrics) => self.step(metrics),
            Event::Judged(scores) => {
                for score in *scores {
                    self.say(&gtm_error::printable(&held_out(score)));
                }
                // A page that cannot be written now may be later; the end of the run says so if not.
                let _ = self.page();
            }
            Event::Saved { step } => self.bar.set_message(format!("checkpoint at {step}")),
        }
    }

    fn step(&self, m: &StepMetrics) {
        self.bar.set_position(m.step);
        let text = format!(
            "loss {:.4}, tokens right {:.1} %, {:.0} tokens/s",
            m.loss,
            100.0 * m.accuracy,
            m.tokens_per_second
        );
        if self.terminal {
            self.bar.set_message(text);
        } else if m.step.is_multiple_of(self.config.log_every) {
            note(&format!("update {} of {}: {text}", m.step, self.config.steps));
        }
    }

    fn say(&self, text: &str) {
        self.bar.suspend(|| note(text));
    }

    fn page(&self) -> Result<()> {
        let Some(path) = self.html else { return Ok(()) };
        let title = format!("Training run {}", self.config.out.display());
        let page = gtm_train::page(&self.config.out, &title)?;
        std::fs::write(path, page)
            .map_err(|e| Error::new(Code::StorageFailed, e.to_string()).in_file(path.display()))?;
        Ok(())
    }
}
