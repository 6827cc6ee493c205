//! What a training run is made of.

use crate::optimizer::OptimizerConfig;
use gtm_error::{Code, Error, Result};
use gtm_model::Config;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// A training run. docs/training.md describes each key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainConfig {
    /// What is trained.
    pub model: ModelSource,
    /// `tokenizer.json`; the model folder's own by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokenizer: Option<PathBuf>,
    /// What it learns from.
    pub data: Vec<Source>,
    /// What it is judged by.
    #[serde(default)]
    pub held_out: Vec<HeldOut>,
    /// Where checkpoints, metrics and the model go.
    pub out: PathBuf,
    /// Number of updates.
    pub steps: u64,
    /// Tokens of an update, about.
    #[serde(default = "defaults::batch_tokens")]
    pub batch_tokens: usize,
    /// Longest sample, in tokens; longer ones are left out.
    #[serde(default = "defaults::longest")]
    pub longest: usize,
    /// Parts that an update's batches are dealt to; part of the result, unlike the number of threads.
    #[serde(default = "defaults::lanes")]
    pub lanes: usize,
    /// How parameters are changed.
    #[serde(default)]
    pub optimizer: OptimizerConfig,
    /// Trains a low-rank adapter instead of the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lora: Option<LoraConfig>,
    /// Where randomness comes from.
    #[serde(default)]
    pub seed: u64,
    /// Whether prompts are learned as well.
    #[serde(default)]
    pub learn_prompts: bool,
    /// Updates between two lines of metrics.
    #[serde(default = "defaults::log_every")]
    pub log_every: u64,
    /// Updates between two judgements by held-out data.
    #[serde(default = "defaults::evaluate_every")]
    pub evaluate_every: u64,
    /// Updates between two checkpoints.
    #[serde(default = "defaults::checkpoint_every")]
    pub checkpoint_every: u64,
    /// How the trained model is stored: `f32` or `bf16`.
    #[serde(default)]
    pub store: Store,
}

mod defaults {
    pub(super) fn batch_tokens() -> usize {
        16_384
    }
    pub(super) fn longest() -> usize {
        1_024
    }
    pub(super) fn lanes() -> usize {
        2
    }
    pub(super) fn log_every() -> u64 {
        10
    }
    pub(super) fn evaluate_every() -> u64 {
        200
    }
    pub(super) fn checkpoint_every() -> u64 {
        200
    }
    pub(super) fn weight() -> f64 {
        1.0
    }
    pub(super) fn kv_heads() -> usize {
        1
    }
    pub(super) fn rope_theta() -> f64 {
        10_000.0
    }
    pub(super) fn samples() -> usize {
        500
    }
}

/// What is trained: a checkpoint, or a fresh model of a shape.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum ModelSource {
    /// A Hugging Face folder to go on from.
    From(PathBuf),
    /// The shape of a model to train from scratch.
    Shape(Shape),
}

/// The shape of a model to train from scratch; its vocabulary is the tokenizer's, embeddings are tied.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shape {
    /// Width of the residual stream.
    pub hidden_size: usize,
    /// Number of blocks.
    pub layers: usize,
    /// Query heads.
    pub heads: usize,
    /// Key heads.
    #[serde(default = "defaults::kv_heads")]
    pub kv_heads: usize,
    /// Width of a head; `hidden_size / heads` by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head_dim: Option<usize>,
    /// Width inside the feed-forward part.
    pub intermediate_size: usize,
    /// Base of the rotary frequencies.
    #[serde(default = "defaults::rope_theta")]
    pub rope_theta: f64,
    /// Longest sequence that the model will be used with; at least `longest`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub positions: Option<usize>,
}

impl Shape {
    /// The whole configuration for a vocabulary.
    pub fn config(&self, vocab_size: usize, eos: u32, longest: usize) -> Config {
        Config {
            vocab_size,
            hidden_size: self.hidden_size,
            intermediate_size: self.intermediate_size,
            layers: self.layers,
            heads: self.heads,
            kv_heads: self.kv_heads,
            head_dim: self.head_dim.unwrap_or(self.hidden_size / self.heads.max(1)),
            norm_eps: 1e-6,
            rope_theta: self.rope_theta,
            tied: true,
            max_positions: self.positions.unwrap_or(longest).max(longest),
            eos: vec![eos],
        }
    }
}

/// A file to learn from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// JSON Lines of prompts and completions, plain or `.zst`.
    pub path: PathBuf,
    /// Its share of the tokens, relative to the others'.
    #[serde(default = "defaults::weight")]
    pub weight: f64,
    /// Most tokens read of it; all by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<usize>,
}

/// A file to be judged by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeldOut {
    /// JSON Lines of prompts and completions, plain or `.zst`.
    pub path: PathBuf,
    /// How many samples of it, from the start.
    #[serde(default = "defaults::samples")]
    pub samples: usize,
}

/// A low-rank adapter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoraConfig {
    /// Width of its matrices.
    pub rank: usize,
    /// Strength; twice the rank by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alpha: Option<f32>,
    /// Projections, such as `q_proj`; all by default.
    #[serde(default)]
    pub modules: Vec<String>,
}

/// How the trained model is stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Store {
    /// Single precision.
    F32,
    /// bfloat16.
    #[default]
    Bf16,
}

impl TrainConfig {
    /// Takes paths that are not absolute as relative to `folder`, where the configuration lies.
    pub fn relative_to(&mut self, folder: &Path) {
        let mut paths: Vec<&mut PathBuf> = vec![&mut self.out];
        paths.extend(self.tokenizer.as_mut());
        if let ModelSource::From(dir) = &mut self.model {
            paths.push(dir);
        }
        paths.extend(self.data.iter_mut().map(|s| &mut s.path));
        paths.extend(self.held_out.iter_mut().map(|s| &mut s.path));
        for path in paths {
            *path = folder.join(&*path);
        }
    }

    /// Whether the numbers make sense.
    ///
    /// # Errors
    /// [`Code::TrainingInvalid`].
    pub fn check(&self) -> Result<()> {
        let problem = if self.data.is_empty() {
            Some("`data` names nothing to learn from")
        } else if self.steps == 0
            || self.log_every == 0
            || self.evaluate_every == 0
            || self.checkpoint_every == 0
        {
            Some("`steps`, `log_every`, `evaluate_every` and `checkpoint_every` must be positive")
        } else if !(2..=1 << 20).contains(&self.longest)
            || self.batch_tokens < self.longest
            || self.batch_tokens > 1 << 26
        {
            Some("`longest` must be at least 2, and `batch_tokens` hold a sample of that length")
        } else if !(1..=256).contains(&self.lanes) {
            Some("`lanes` must be 1 to 256")
        } else if self.data.iter().any(|s| !(s.weight > 0.0 && s.weight.is_finite())) {
            Some("each `weight` must be a positive number")
        } else if matches!(self.model, ModelSource::Shape(_)) && self.tokenizer.is_none() {
            Some("a model from scratch needs a `tokenizer`")
        } else if matches!(self.model, ModelSource::Shape(_)) && self.lora.is_some() {
            Some("`lora` adapts a model that is there: give `model: {from: DIR}`")
        } else {
            self.optimizer.problem()
        };
        problem.map_or(Ok(()), |p| Err(Error::new(Code::TrainingInvalid, p)))
    }
}
