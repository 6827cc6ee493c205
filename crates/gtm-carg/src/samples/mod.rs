//! What a model learns from: prompts and completions, made of checked sessions.
//!
//! The text is built by [`gtm_read::prompt`], which builds the prompts of inference too.

mod direct;
mod fill;

use crate::dataset::Split;
use crate::rng::Rng;
use crate::trace::Trace;
use gtm_read::prompt::{read, shape};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is asked of the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// What does this tool do: spec to behavior.
    Read,
    /// What stands in these places of a reply: slots to values.
    Fill,
    /// What is this call answered: spec, state, history and call to reply and changes.
    Direct,
    /// What does a reply look like: spec to schema.
    Shape,
}

impl Task {
    /// As files name it.
    pub fn name(self) -> &'static str {
        match self {
            Task::Read => "read",
            Task::Fill => "fill",
            Task::Direct => "direct",
            Task::Shape => "shape",
        }
    }
}

/// How many samples are made: chances, 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Rates {
    /// For each tool of a session, what it does.
    pub read: f64,
    /// For each reply with a record in it, what stands in some of its places.
    pub fill: f64,
    /// For each call, what it is answered.
    pub direct: f64,
    /// For each tool that declares what it returns, that.
    pub shape: f64,
}

impl Default for Rates {
    fn default() -> Rates {
        Rates { read: 1.0, fill: 0.1, direct: 0.1, shape: 0.25 }
    }
}

impl Rates {
    /// The rates by the name of their task.
    pub fn by_name(&self) -> [(&'static str, f64); 4] {
        [("read", self.read), ("fill", self.fill), ("direct", self.direct), ("shape", self.shape)]
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

/// Longest prompt and completion together, in bytes: longer ones are no use to the models that learn from them.
const LONGEST: usize = 16 << 10;

/// Adds the samples of a session.
pub(crate) fn add(trace: &Trace, rates: &Rates, out: &mut Vec<Sample>) {
    let mut rng = Rng::new(trace.seed, &["samples"]);
    let mut add = |task: Task, at: usize, prompt: &str, completion: Option<String>| {
        let Some(completion) = completion.filter(|c| c.len() + prompt.len() <= LONGEST) else { return };
        out.push(Sample {
            id: format!("{}:{}:{at}", trace.session_id, task.name()),
            task,
            split: trace.split,
            domain: trace.group.clone(),
            prompt: prompt.to_owned(),
            completion,
        });
    };
    let toolset = (rates.read > 0.0).then(|| read::Toolset::new(&trace.tools, &trace.initial_state));
    for (at, tool) in trace.tools.iter().enumerate() {
        if let (Some(toolset), Some(behavior)) = (&toolset, trace.behaviors.behaviors.get(&tool.name))
            && rng.chance(rates.read)
        {
            let question = toolset.ask(tool);
            add(Task::Read, at, question.prompt(), question.answer(behavior));
        }
        if let Some(returns) = &tool.returns
            && rng.chance(rates.shape)
        {
            let question = shape::Question::new(tool);
            add(Task::Shape, at, question.prompt(), question.answer(returns));
        }
    }
    for (at, turn) in trace.turns.iter().enumerate() {
        let tool = trace.tools.iter().find(|tool| tool.name == turn.call.name);
        if let Some(tool) = tool
            && rng.chance(rates.fill)
            && let Some((prompt, completion)) = fill::example(tool, turn, &mut rng)
        {
            add(Task::Fill, at, &prompt, Some(completion));
        }
    }
    for (at, prompt, completion) in direct::examples(trace, rates.direct, &mut rng) {
        add(Task::Direct, at, &prompt, Some(completion));
    }
}
