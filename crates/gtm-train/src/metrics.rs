//! Metrics of a run, as JSON Lines.

use crate::data::{ByTask, Tasks};
use crate::lanes::Judged;
use gtm_error::{Code, Error, Result};
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

/// One update.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepMetrics {
    /// Updates done, this one included.
    pub step: u64,
    /// Tokens seen.
    pub tokens: u64,
    /// Mean loss over the completions, in nats for each token.
    pub loss: f64,
    /// Share of completion tokens that were the likeliest.
    pub accuracy: f64,
    /// Completion tokens of this update.
    pub learned: usize,
    /// Learning rate.
    pub rate: f64,
    /// Length of the gradient before clipping.
    pub gradient: f64,
    /// Seconds spent on updates, over all sittings.
    pub seconds: f64,
    /// Speed of this update.
    pub tokens_per_second: f64,
}

/// How held-out samples of one task fare.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HeldOutScore {
    /// The task; `all` where the data names none.
    pub task: String,
    /// Samples.
    pub samples: usize,
    /// Mean loss over the completions, in nats for each token.
    pub loss: f64,
    /// Share of completion tokens that were the likeliest.
    pub accuracy: f64,
    /// Share of samples whose whole completion greedy decoding would write.
    pub exact: f64,
}

/// A line of the file.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Entry {
    Judged { step: u64, tokens: u64, held_out: Vec<HeldOutScore> },
    Step(StepMetrics),
}

impl Entry {
    fn step(&self) -> u64 {
        match self {
            Entry::Judged { step, .. } => *step,
            Entry::Step(metrics) => metrics.step,
        }
    }
}

pub(crate) fn scores(judged: &[Judged], tasks: &Tasks) -> Vec<HeldOutScore> {
    let mut by_task: ByTask<Vec<&Judged>> = ByTask::new();
    for one in judged {
        by_task.entry(tasks.name(one.task).to_owned()).or_default().push(one);
    }
    let score = |(task, judged): (String, Vec<&Judged>)| {
        let mut loss = crate::loss::Loss::default();
        judged.iter().for_each(|j| loss.add(&j.loss));
        HeldOutScore {
            task,
            samples: judged.len(),
            loss: loss.mean(),
            accuracy: loss.hits as f64 / loss.count.max(1) as f64,
            exact: judged.iter().filter(|j| j.exact()).count() as f64 / judged.len() as f64,
        }
    };
    by_task.into_iter().map(score).collect()
}

/// The file of a run.
pub(crate) struct Metrics {
    path: PathBuf,
    file: File,
}

/// Where a run's metrics lie.
pub(crate) fn path(out: &Path) -> PathBuf {
    out.join("metrics.jsonl")
}

impl Metrics {
    /// Opens the file, without what was written after `step`.
    pub(crate) fn open(out: &Path, step: u64) -> Result<Metrics> {
        let path = path(out);
        let failed =
            |e: std::io::Error| Error::new(Code::StorageFailed, e.to_string()).in_file(path.display());
        fs::create_dir_all(out).map_err(failed)?;
        let kept: String = match step {
            0 => String::new(),
            _ => read(out)?
                .iter()
                .filter(|entry| entry.step() <= step)
                .map(|entry| serde_json::to_string(entry).unwrap_or_default() + "\n")
                .collect(),
        };
        let mut file = File::create(&path).map_err(failed)?;
        file.write_all(kept.as_bytes()).map_err(failed)?;
        Ok(Metrics { file, path })
    }

    pub(crate) fn step(&mut self, metrics: &StepMetrics) -> Result<()> {
        self.write(&Entry::Step(metrics.clone()))
    }

    pub(crate) fn held_out(&mut self, step: u64, tokens: u64, scores: &[HeldOutScore]) -> Result<()> {
        self.write(&Entry::Judged { step, tokens, held_out: scores.to_vec() })
    }

    fn write(&mut self, entry: &Entry) -> Result<()> {
        let line = serde_json::to_string(entry).unwrap_or_default() + "\n";
        self.file
            .write_all(line.as_bytes())
            .map_err(|e| Error::new(Code::StorageFailed, e.to_string()).in_file(self.path.display()))
    }
}

/// All lines of a run's file; a last line that was cut short is left out.
pub(crate) fn read(out: &Path) -> Result<Vec<Entry>> {
    let path = path(out);
    let text = fs::read_to_string(&path)
        .map_err(|e| Error::new(Code::FileUnreadable, e.to_string()).in_file(path.display()))?;
    Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
}
