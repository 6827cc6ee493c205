//! What a model learns from: prompts and completions, made of checked sessions.
//!
//! The text is built by [`gtm_read::prompt`], which builds the prompts of inference too.

use crate::dataset::Split;
use crate::rng::Rng;
use crate::trace::Trace;
use gtm_read::prompt::read::Toolset;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is asked of the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// What does this tool do: spec to behavior.
    Read,
}

impl Task {
    /// As files name it.
    pub fn name(self) -> &'static str {
        match self {
            Task::Read => "read",
        }
    }
}

/// How many samples are made: chances, 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Rates {
    /// For each tool of a session, what it does.
    pub read: f64,
}

impl Default for Rates {
    fn default() -> Rates {
        Rates { read: 1.0 }
    }
}

impl Rates {
    /// The rates by the name of their task.
    pub fn by_name(&self) -> [(&'static str, f64); 1] {
        [("read", self.read)]
    }
}

/// One sample. A line of `samples/*.jsonl.zst`, a row of `samples/*.parquet`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// Session and what of it, `12:read:3`.
    pub id: String,
    /// What is asked.
    pub task: Task,
    /// The split it belongs to.
    pub split: Split,
    /// Domain or provider.
    pub domain: String,
    /// The question.
    pub prompt: String,
    /// The answer.
    pub completion: String,
}

/// Adds the samples of a session.
pub(crate) fn add(trace: &Trace, rates: &Rates, out: &mut Vec<Sample>) {
    let mut rng = Rng::new(trace.seed, &["samples"]);
    let toolset = Toolset::new(&trace.tools, &trace.initial_state);
    for (at, tool) in trace.tools.iter().enumerate() {
        let Some(behavior) = trace.behaviors.behaviors.get(&tool.name).filter(|_| rng.chance(rates.read))
        else {
            continue;
        };
        if let Some(example) = toolset.example(tool, behavior) {
            out.push(Sample {
                id: format!("{}:read:{at}", trace.session_id),
                task: Task::Read,
                split: trace.split,
                domain: trace.group.clone(),
                prompt: example.prompt,
                completion: example.completion,
            });
        }
    }
}
