//! A training run, from its configuration to the trained model.

use crate::batch::{Batch, Sample};
use crate::checkpoint::{self, State, replace_folder};
use crate::config::{ModelSource, Store, TrainConfig};
use crate::data::{Corpus, Mixer, MixerState, Reading, Tasks, fingerprint};
use crate::lanes::Lanes;
use crate::metrics::{HeldOutScore, Metrics, StepMetrics, scores};
use crate::optimizer::{Group, Optimizer};
use gtm_error::{Code, Error, Result};
use gtm_model::kernel::Team;
use gtm_model::safetensors::Dtype;
use gtm_model::{Adapter, END, Params, Tokenizer};
use std::path::Path;
use std::time::Instant;

/// What a run tells while it goes on.
#[derive(Debug)]
pub enum Event<'a> {
    /// Samples of a file read so far.
    Reading {
        /// The file.
        path: &'a Path,
        /// Samples.
        samples: usize,
    },
    /// All is read; updates begin (again) after this step.
    Started {
        /// Updates done already.
        step: u64,
        /// Updates in all.
        steps: u64,
        /// Numbers that are trained.
        trained: usize,
        /// Parameters of the model.
        parameters: usize,
        /// Tokens to learn from, each file once.
        tokens: usize,
        /// Samples left out because they are too long.
        too_long: usize,
    },
    /// An update is done.
    Step(&'a StepMetrics),
    /// Held-out data was judged.
    Judged(&'a [HeldOutScore]),
    /// A checkpoint is on the disk.
    Saved {
        /// Updates done.
        step: u64,
    },
}

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Updates done.
    pub steps: u64,
    /// Tokens seen, over all its sittings.
    pub tokens: u64,
    /// Seconds spent, over all its sittings.
    pub seconds: f64,
    /// Loss of the last update.
    pub loss: f64,
    /// The last judgement.
    pub held_out: Vec<HeldOutScore>,
}

/// Numbers under training: all of a model, or an adapter on one.
enum Trained {
    Model,
    Adapter { adapter: Adapter, base: Vec<f32> },
}

impl Trained {
    fn numbers<'a>(&'a mut self, params: &'a mut Params) -> &'a mut Vec<f32> {
        match self {
            Trained::Model => &mut params.data,
            Trained::Adapter { adapter, .. } => &mut adapter.numbers,
        }
    }

    /// Makes the model's parameters what the numbers say.
    fn apply(&self, params: &mut Params) {
        if let Trained::Adapter { adapter, base } = self {
            for target in &adapter.targets {
                let range = target.tensor.range.clone();
                params.data[range.clone()].copy_from_slice(&base[range]);
            }
            adapter.add_to(&mut params.data);
        }
    }

    fn groups(&self, params: &Params) -> Vec<Group> {
        match self {
            // Norms and biases do not decay.
            Trained::Model => params
                .layout
                .tensors
                .iter()
                .map(|t| Group { range: t.range.clone(), decays: t.shape.len() > 1 })
                .collect(),
            Trained::Adapter { adapter, .. } => {
                vec![Group { range: 0..adapter.numbers.len(), decays: false }]
            }
        }
    }
}

/// Trains. If `out` holds checkpoints of the same configuration and data, goes on from the newest, to the byte as if it had never
/// stopped. `threads` does not change what comes out.
///
/// # Errors
/// [`Code::TrainingInvalid`], [`Code::DatasetInvalid`], [`Code::TrainingDiverged`], and those of reading and writing files.
pub fn train(config: &TrainConfig, threads: usize, tell: &mut dyn FnMut(Event<'_>)) -> Result<Outcome> {
    config.check()?;
    let mut run = Run::prepare(config, threads, tell)?;
    run.go(tell)
}

struct Run<'a> {
    config: &'a TrainConfig,
    tokenizer: Tokenizer,
    params: Params,
    trained: Trained,
    corpora: Vec<Corpus>,
    held_out: Vec<Batch>,
    tasks: Tasks,
    lanes: Lanes,
    optimizer: Optimizer,
    state: State,
    metrics: Metrics,
}

impl<'a> Run<'a> {
    fn prepare(config: &'a TrainConfig, threads: usize, tell: &mut dyn FnMut(Event<'_>)) -> Result<Run<'a>> {
        let described = serde_json::to_value(config)
            .map_err(|e| Error::new(Code::TrainingInvalid, format!("cannot be written down: {e}")))?;
        let checkpoints = config.out.join("checkpoints");
        if let Some(state) = checkpoint::newest(&checkpoints)?
            && state.config != described
        {
            return Err(Error::new(Code::TrainingInvalid, "`out` holds a run of another configuration")
                .in_file(config.out.display())
                .hint("give another `out`, or remove that folder to start over"));
        }
        let (tokenizer, mut params, end) = open_model(config)?;
        let team = Team::new(threads);
        let reading = Reading {
            tokenizer: &tokenizer,
            end,
            longest: config.longest,
            learn_prompts: config.learn_prompts,
            team: &team,
        };
        let mut tasks = Tasks::default();
        let mut corpora = Vec::new();
        for source in &config.data {
            let seen = |samples| tell(Event::Reading { path: &source.path, samples });
            corpora.push(reading.read(
                &source.path,
                usize::MAX,
                source.tokens.unwrap_or(usize::MAX),
                &mut tasks,
                seen,
            )?);
        }
        let mut held_out = Vec::new();
        for source in &config.held_out {
            let corpus = reading.read(&source.path, source.samples, usize::MAX, &mut tasks, |_| {})?;
            held_out.extend(Batch::pack(&corpus.samples, pass_tokens(config)));
        }
        let mut trained = match &config.lora {
            None => Trained::Model,
            Some(lora) => {
                let alpha = lora.alpha.unwrap_or(2.0 * lora.rank as f32);
                let adapter = Adapter::init(&params, lora.rank, alpha, &lora.modules, config.seed)?;
                Trained::Adapter { adapter, base: params.data.clone() }
            }
        };
        let mut optimizer = Optimizer::new(trained.numbers(&mut params).len());
        let data = fingerprint(&corpora);
        let state = match checkpoint::load(&checkpoints, trained.numbers(&mut params), &mut optimizer)? {
            Some(state) if state.data != data => {
                return Err(Error::new(Code::TrainingInvalid, "the data has changed since this run began")
                    .hint("give another `out`, or remove that folder to start over"));
            }
            Some(state) => state,
            None => State {
                step: 0,
                tokens: 0,
                seconds: 0.0,
                mixer: MixerState::new(config.seed, corpora.len()),
                data,
                config: described,
            },
        };
        trained.apply(&mut params);
        tell(Event::Started {
            step: state.step,
            steps: config.steps,
            trained: trained.numbers(&mut params).len(),
            parameters: params.data.len(),
            tokens: corpora.iter().map(|c| c.tokens).sum(),
            too_long: corpora.iter().map(|c| c.too_long).sum(),
        });
        let lanes = Lanes::new(&params.config, config.lanes, threads, config.longest);
        let metrics = Metrics::open(&config.out, state.step)?;
        Ok(Run {
            config,
            tokenizer,
            params,
            trained,
            corpora,
            held_out,
            tasks,
            lanes,
            optimizer,
            state,
            metrics,
        })
    }

    fn go(&mut self, tell: &mut dyn FnMut(Event<'_>)) -> Result<Outcome> {
        let corpora = std::mem::take(&mut self.corpora);
        let sources = corpora.iter().zip(&self.config.data).map(|(c, s)| (&c.samples[..], s.weight));
        let mut mixer = Mixer::new(sources.collect(), self.state.mixer.clone());
        let groups = self.trained.groups(&self.params);
        let mut outcome =
            Outcome { steps: self.state.step, tokens: 0, seconds: 0.0, loss: f64::NAN, held_out: Vec::new() };
        if self.state.step == 0 {
            outcome.held_out = self.judge(tell)?;
        }
        while self.state.step < self.config.steps {
            let started = Instant::now();
            let mut samples: Vec<&Sample> = Vec::new();
            let mut tokens = 0;
            while tokens < self.config.batch_tokens {
                let sample = mixer.draw();
                tokens += sample.tokens.len();
                samples.push(sample);
            }
            let batches = Batch::pack(samples, pass_tokens(self.config));
            let step = self.state.step;
            let loss = self.lanes.learn(&self.params, &batches);
            let thin = self.thin_gradient();
            let gradient = thin.as_deref().unwrap_or(self.lanes.gradient());
            let numbers = self.trained.numbers(&mut self.params);
            let (optimizer, config) = (&mut self.optimizer, &self.config.optimizer);
            let length = optimizer.update(
                self.lanes.team(),
                config,
                (step, self.config.steps),
                &groups,
                gradient,
                numbers,
            );
            if !loss.mean().is_finite() || !length.is_finite() {
                return Err(Error::new(Code::TrainingDiverged, format!("at step {}", step + 1)));
            }
            self.trained.apply(&mut self.params);
            self.lanes.changed();
            let seconds = started.elapsed().as_secs_f64();
            self.state.step += 1;
            self.state.tokens += tokens as u64;
            self.state.seconds += seconds;
            let metrics = StepMetrics {
                step: self.state.step,
                tokens: self.state.tokens,
                loss: loss.mean(),
                accuracy: loss.hits as f64 / loss.count.max(1) as f64,
                learned: loss.count,
                rate: config.rate_at(step, self.config.steps),
                gradient: length,
                seconds: self.state.seconds,
                tokens_per_second: tokens as f64 / seconds.max(1e-9),
            };
            outcome.loss = metrics.loss;
            let last = self.state.step == self.config.steps;
            if last || self.state.step.is_multiple_of(self.config.log_every) {
                self.metrics.step(&metrics)?;
            }
            tell(Event::Step(&metrics));
            if last || self.state.step.is_multiple_of(self.config.evaluate_every) {
                outcome.held_out = self.judge(tell)?;
            }
            if last || self.state.step.is_multiple_of(self.config.checkpoint_every) {
                self.state.mixer = mixer.state.clone();
                self.save()?;
                tell(Event::Saved { step: self.state.step });
            }
        }
        Ok(Outcome {
            steps: self.state.step,
            tokens: self.state.tokens,
            seconds: self.state.seconds,
            ..outcome
        })
    }

    /// The adapter's gradient, from the whole model's: with `W = base + s · B · A`, `dB = s · dW · Aᵀ` and `dA = s · Bᵀ · dW`.
    fn thin_gradient(&self) -> Option<Vec<f32>> {
        match &self.trained {
            Trained::Model => None,
            Trained::Adapter { adapter, .. } => Some(crate::lora::gradient(adapter, self.lanes.gradient())),
        }
    }

    fn judge(&mut self, tell: &mut dyn FnMut(Event<'_>)) -> Result<Vec<HeldOutScore>> {
        if self.held_out.is_empty() {
            return Ok(Vec::new());
        }
        let judged = self.lanes.judge(&self.params, &self.held_out);
        let scores = scores(&judged, &self.tasks);
        self.metrics.held_out(self.state.step, self.state.tokens, &scores)?;
        tell(Event::Judged(&scores));
        Ok(scores)
    }

    /// Writes the model (or adapter) as it now is, then a checkpoint: whoever finds that, finds the model, too.
    fn save(&mut self) -> Result<()> {
        let out = &self.config.out;
        match (&self.trained, &self.config.model) {
            (Trained::Adapter { adapter, .. }, ModelSource::From(base)) => {
                replace_folder(&out.join("adapter"), |dir| adapter.save(dir, &base.display().to_string()))?;
            }
            _ => replace_folder(&out.join("model"), |dir| {
                let dtype = if self.config.store == Store::F32 { Dtype::F32 } else { Dtype::Bf16 };
                self.params.save(dir, dtype)?;
                self.tokenizer.save(dir)
            })?,
        }
        let numbers = self.trained.numbers(&mut self.params);
        checkpoint::save(&out.join("checkpoints"), &self.state, numbers, &self.optimizer)
    }
}

/// Positions of one pass: few enough for a pass's memory to stay near, and at least one sample.
fn pass_tokens(config: &TrainConfig) -> usize {
    config.longest.max(1_024).min(config.batch_tokens)
}

fn open_model(config: &TrainConfig) -> Result<(Tokenizer, Params, u32)> {
    let missing =
        |what: &str| Error::new(Code::TrainingInvalid, format!("{what} names no token that ends a text"));
    match &config.model {
        ModelSource::From(dir) => {
            let params = Params::load(dir)?;
            let tokenizer = Tokenizer::load(config.tokenizer.as_ref().unwrap_or(dir))?;
            if tokenizer.len() > params.config.vocab_size {
                return Err(Error::new(
                    Code::TrainingInvalid,
                    format!("{} tokens for a vocabulary of {}", tokenizer.len(), params.config.vocab_size),
                ));
            }
            let end =
                params.config.eos.first().copied().or(tokenizer.special(END)).ok_or(missing("the model"))?;
            if config.longest > params.config.max_positions {
                return Err(Error::new(Code::TrainingInvalid, format!("`longest` is {}", config.longest))
                    .expected(format!("at most the model's {}", params.config.max_positions)));
            }
            Ok((tokenizer, params, end))
        }
        ModelSource::Shape(shape) => {
            let path = config.tokenizer.as_ref().ok_or_else(|| missing("the configuration"))?;
            let tokenizer = Tokenizer::load(path)?;
            let end = tokenizer.special(END).ok_or(missing("the tokenizer"))?;
            let params = Params::init(&shape.config(tokenizer.len(), end, config.longest), config.seed)?;
            Ok((tokenizer, params, end))
        }
    }
}
