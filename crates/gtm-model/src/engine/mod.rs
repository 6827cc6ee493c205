//! The engine: tokens in, logits out, for any number of sequences at once.
//!
//! It knows token ids, never text. A [`Sequence`] is what a text has taken so far; cloning it is a fork that shares memory. One
//! [`Engine::step`] feeds any number of sequences, each any number of tokens: prompts, single tokens and forced
//! runs side by side. **What a sequence gets does not depend on what else is in the step, on how its tokens were
//! split over steps, or on the number of threads**: see [`kernel`](crate::kernel).

mod cache;
mod weights;

pub use cache::Sequence;

use crate::config::Config;
use crate::kernel::{Cached, Precision, Team, add, attend, matmul, rms_norm, silu_mul};
use crate::params::Params;
use crate::rope::Rope;
use cache::{Budget, block_bytes};
use gtm_error::{Code, Error, Result};
use std::sync::Arc;
use weights::{Layer, Weights};

/// What an engine may use.
#[derive(Clone, Copy, Debug)]
pub struct EngineOptions {
    /// How weights are held.
    pub precision: Precision,
    /// Threads that share a step; results do not depend on it.
    pub threads: usize,
    /// Longest sequence, in tokens; the model's own bound holds as well.
    pub context: usize,
    /// Most memory for what sequences remember, in bytes.
    pub cache_bytes: usize,
}

impl Default for EngineOptions {
    /// 8-bit weights, all cores, 4,096 tokens, 1 GiB.
    fn default() -> EngineOptions {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        EngineOptions { precision: Precision::Q8, threads, context: 4_096, cache_bytes: 1 << 30 }
    }
}

/// Tokens for one sequence.
pub struct Feed<'a> {
    /// The sequence that takes them.
    pub sequence: &'a mut Sequence,
    /// At least one.
    pub tokens: &'a [u32],
    /// Which logits are wanted.
    pub want: Want,
}

/// Which logits of a [`Feed`] are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// None: more of the same prompt follows.
    Nothing,
    /// Those after the last token.
    Last,
    /// Those after every token.
    All,
}

/// Logits of one feed: `vocab_size` numbers for each position wanted.
pub type Logits = Vec<f32>;

/// Rows computed at once; more are cut, which bounds memory and changes nothing.
const MAX_ROWS: usize = 512;

/// A model, ready to run.
pub struct Engine {
    config: Config,
    weights: Weights,
    rope: Rope,
    team: Team,
    budget: Arc<Budget>,
}

impl Engine {
    /// An engine for these parameters, which are copied in packed form.
    pub fn new(params: &Params, options: &EngineOptions) -> Engine {
        let config = params.config.clone();
        let context = options.context.clamp(1, config.max_positions);
        Engine {
            weights: Weights::new(params, options.precision),
            rope: Rope::new(&config, context),
            team: Team::new(options.threads),
            budget: Budget::new(options.cache_bytes / block_bytes(&config).max(1)),
            config,
        }
    }

    /// The model's shape.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The threads that share steps, for what goes on between them.
    pub(crate) fn team(&self) -> &Team {
        &self.team
    }

    /// Longest sequence, in tokens.
    pub fn context(&self) -> usize {
        self.rope.positions()
    }

    /// Most tokens that all sequences together can remember.
    pub fn capacity(&self) -> usize {
        self.budget.most() * crate::kernel::BLOCK
    }

    /// Tokens' worth of memory in use, in whole blocks.
    pub fn in_use(&self) -> usize {
        self.budget.used() * crate::kernel::BLOCK
    }

    /// Bytes of weights.
    pub fn weight_bytes(&self) -> usize {
        self.weights.bytes()
    }

    /// A sequence that has taken no token yet.
    pub fn sequence(&self) -> Sequence {
        Sequence::new(&self.config, &self.budget)
    }

    /// Feeds tokens to sequences. Returns the logits that each feed wants, in their order.
    ///
    /// # Errors
    /// [`Code::ModelLimit`] if a sequence would grow beyond the context, or all of them beyond the memory allowed;
    /// [`Code::ModelInvalid`] if a token is none of the model's. No sequence has changed then.
    pub fn step(&self, feeds: &mut [Feed<'_>]) -> Result<Vec<Logits>> {
        self.check(feeds)?;
        for i in 0..feeds.len() {
            let more = feeds[i].tokens.len();
            if let Err(error) = feeds[i].sequence.reserve(more) {
                for feed in &mut feeds[..i] {
                    feed.sequence.truncate(feed.sequence.len());
                }
                return Err(error);
            }
        }
        let mut logits: Vec<Logits> = feeds.iter().map(|_| Logits::new()).collect();
        // Runs of rows: feed, first token, number of tokens.
        let mut runs = Vec::new();
        let mut rows = 0;
        for f in 0..feeds.len() {
            let mut from = 0;
            while from < feeds[f].tokens.len() {
                let len = (feeds[f].tokens.len() - from).min(MAX_ROWS - rows);
                runs.push(Run { feed: f, from, len, row: rows });
                (from, rows) = (from + len, rows + len);
                if rows == MAX_ROWS {
                    self.rows(feeds, &runs, rows, &mut logits);
                    runs.clear();
                    rows = 0;
                }
            }
        }
        if rows > 0 {
            self.rows(feeds, &runs, rows, &mut logits);
        }
        Ok(logits)
    }

    fn check(&self, feeds: &[Feed<'_>]) -> Result<()> {
        for feed in feeds {
            if let Some(token) = feed.tokens.iter().find(|&&t| t as usize >= self.config.vocab_size) {
                return Err(Error::new(Code::ModelInvalid, format!("no token {token}"))
                    .expected(format!("0 to {}", self.config.vocab_size - 1)));
            }
            let len = feed.sequence.len() + feed.tokens.len();
            if len > self.context() {
                return Err(Error::new(Code::ModelLimit, format!("a sequence of {len} tokens"))
                    .expected(format!("at most {}", self.context())));
            }
            if !feed.sequence.belongs_to(&self.budget) {
                return Err(Error::new(Code::ModelInvalid, "a sequence of another engine"));
            }
        }
        Ok(())
    }

    /// Computes some rows, of one or more feeds, through all layers.
    fn rows(&self, feeds: &mut [Feed<'_>], runs: &[Run], rows: usize, logits: &mut [Logits]) {
        let d = self.config.hidden_size;
        let mut x = vec![0.0; rows * d];
        for run in runs {
            for i in 0..run.len {
                let token = feeds[run.feed].tokens[run.from + i] as usize;
                self.weights.embed(token, &mut x[(run.row + i) * d..][..d]);
            }
        }
        let mut scratch = Scratch::new(&self.config, rows);
        for (index, layer) in self.weights.layers.iter().enumerate() {
            self.attention(index, layer, feeds, runs, &mut x, &mut scratch);
            self.feed_forward(layer, &mut x, &mut scratch);
        }
        for run in runs {
            feeds[run.feed].sequence.advance(run.len);
        }
        self.head(feeds, runs, &x, logits);
    }

    fn attention(
        &self,
        index: usize,
        layer: &Layer,
        feeds: &mut [Feed<'_>],
        runs: &[Run],
        x: &mut [f32],
        s: &mut Scratch,
    ) {
        let (q_width, kv_width) = (self.config.q_width(), self.config.kv_width());
        self.norm(x, &layer.attention_norm, &mut s.normed);
        matmul(&self.team, &s.normed, &layer.qkv, &mut s.qkv);
        let width = q_width + 2 * kv_width;
        let position = |run: &Run, feeds: &[Feed<'_>]| feeds[run.feed].sequence.len();
        for run in runs {
            let start = position(run, feeds);
            for (i, row) in
                s.qkv[run.row * width..(run.row + run.len) * width].chunks_exact_mut(width).enumerate()
            {
                add(row, &layer.qkv_bias);
                let (turned, value) = row.split_at_mut(q_width + kv_width);
                self.rope.turn(turned, start + i);
                feeds[run.feed].sequence.write(index, start + i, &turned[q_width..], value);
            }
        }
        // One piece of work for each row and key head.
        let (kv_heads, head_dim) = (self.config.kv_heads, self.config.head_dim);
        let group = q_width / kv_heads;
        let cached: Vec<Vec<Cached<'_>>> = runs
            .iter()
            .flat_map(|run| {
                let sequence = &feeds[run.feed].sequence;
                (0..kv_heads).map(move |head| sequence.cached(index, head).collect())
            })
            .collect();
        let run_of_row: Vec<usize> =
            runs.iter().enumerate().flat_map(|(r, run)| std::iter::repeat_n(r, run.len)).collect();
        let mut pieces: Vec<&mut [f32]> = s.attended.chunks_exact_mut(group).collect();
        let qkv = &s.qkv;
        self.team.for_each_mut(&mut pieces, |piece, out| {
            let (row, head) = (piece / kv_heads, piece % kv_heads);
            let run = &runs[run_of_row[row]];
            let len = position(run, feeds) + (row - run.row) + 1;
            let q = &qkv[row * width + head * group..][..group];
            let cached = &cached[run_of_row[row] * kv_heads + head];
            SCORES.with_borrow_mut(|scores| attend(q, head_dim, cached, len, scores, out));
        });
        matmul(&self.team, &s.attended, &layer.out, &mut s.delta);
        add(x, &s.delta);
    }

    fn feed_forward(&self, layer: &Layer, x: &mut [f32], s: &mut Scratch) {
        let f = self.config.intermediate_size;
        self.norm(x, &layer.mlp_norm, &mut s.normed);
        matmul(&self.team, &s.normed, &layer.gate_up, &mut s.gate_up);
        let gate_up = &s.gate_up;
        let mut pieces: Vec<&mut [f32]> = s.active.chunks_exact_mut(f).collect();
        let activate = |row: usize, out: &mut &mut [f32]| {
            let (gate, up) = gate_up[row * 2 * f..][..2 * f].split_at(f);
            silu_mul(gate, up, out);
        };
        match pieces.len() {
            0..=4 => pieces.iter_mut().enumerate().for_each(|(row, out)| activate(row, out)),
            _ => self.team.for_each_mut(&mut pieces, activate),
        }
        matmul(&self.team, &s.active, &layer.down, &mut s.delta);
        add(x, &s.delta);
    }

    /// Logits of the rows that feeds want.
    fn head(&self, feeds: &[Feed<'_>], runs: &[Run], x: &[f32], logits: &mut [Logits]) {
        let d = self.config.hidden_size;
        let mut wanted = Vec::new();
        for run in runs {
            let feed = &feeds[run.feed];
            let from = match feed.want {
                Want::Nothing => run.len,
                Want::Last if run.from + run.len == feed.tokens.len() => run.len - 1,
                Want::Last => run.len,
                Want::All => 0,
            };
            wanted.extend((from..run.len).map(|i| (run.feed, run.row + i)));
        }
        // Some rows at a time: logits are wide.
        for wanted in wanted.chunks(64) {
            let mut normed = vec![0.0; wanted.len() * d];
            for (out, &(_, row)) in normed.chunks_exact_mut(d).zip(wanted) {
                rms_norm(&x[row * d..][..d], &self.weights.norm, self.config.norm_eps, out);
            }
            let mut out = vec![0.0; wanted.len() * self.config.vocab_size];
            matmul(&self.team, &normed, &self.weights.head, &mut out);
            for (row, &(feed, _)) in out.chunks_exact(self.config.vocab_size).zip(wanted) {
                logits[feed].extend_from_slice(row);
            }
        }
    }

    fn norm(&self, x: &[f32], weight: &[f32], out: &mut [f32]) {
        let d = self.config.hidden_size;
        for (out, x) in out.chunks_exact_mut(d).zip(x.chunks_exact(d)) {
            rms_norm(x, weight, self.config.norm_eps, out);
        }
    }
}

/// Neighbouring tokens of one feed, computed together.
struct Run {
    feed: usize,
    /// First token within the feed.
    from: usize,
    len: usize,
    /// First row within the computation.
    row: usize,
}

thread_local! {
    /// Attention scores, kept from piece to piece.
    static SCORES: std::cell::RefCell<Vec<f32>> = const { std::cell::RefCell::new(Vec::new()) };
}

/// Intermediate values, for each row.
struct Scratch {
    normed: Vec<f32>,
    qkv: Vec<f32>,
    attended: Vec<f32>,
    gate_up: Vec<f32>,
    active: Vec<f32>,
    delta: Vec<f32>,
}

impl Scratch {
    fn new(config: &Config, rows: usize) -> Scratch {
        let floats = |width: usize| vec![0.0; rows * width];
        Scratch {
            normed: floats(config.hidden_size),
            qkv: floats(config.q_width() + 2 * config.kv_width()),
            attended: floats(config.q_width()),
            gate_up: floats(2 * config.intermediate_size),
            active: floats(config.intermediate_size),
            delta: floats(config.hidden_size),
        }
    }
}
