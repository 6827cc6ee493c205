//! Texts under grammars, many at once.
//!
//! A [`Batch`] takes requests at any time and advances all of them together: whole prompts, single tokens and forced runs in the
//! same step. A prefix that several requests share is computed once and forked. What a request gets does not depend on its
//! company.

use crate::engine::{Engine, Feed, Sequence, Want};
use crate::grammar::{Grammar, Walk};
use crate::kernel::{BLOCK, exp};
use crate::seed::Rng;
use gtm_error::{Code, Error, Result};
use std::collections::VecDeque;
use std::sync::Arc;

/// What is asked for.
#[derive(Clone)]
pub struct Request {
    /// Tokens that other requests begin with as well, such as a tool's spec: computed once and kept. May be empty.
    pub prefix: Arc<[u32]>,
    /// Tokens after the prefix.
    pub prompt: Vec<u32>,
    /// What the text may be.
    pub grammar: Grammar,
    /// Most tokens generated.
    pub max_tokens: usize,
    /// 0 takes the likeliest token; 1 samples as the model says.
    pub temperature: f32,
    /// Where sampling gets its randomness.
    pub seed: u64,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Completion {
    /// The text's tokens, without the one that ends it.
    pub tokens: Vec<u32>,
    /// Whether the text is complete; otherwise `max_tokens` cut it.
    pub complete: bool,
    /// How many of the tokens were forced by the grammar.
    pub forced: usize,
    /// Sum of the logarithms of the chosen tokens' probabilities, among those that the grammar allowed.
    pub log_probability: f64,
}

/// Names a request within its batch.
pub type Ticket = u64;

/// Prompt tokens fed in one step: more would keep those waiting who are in the middle of their text.
const PROMPT_TOKENS: usize = 256;
/// Prefixes kept.
const PREFIXES: usize = 64;

/// Requests that advance together.
#[derive(Default)]
pub struct Batch {
    waiting: VecDeque<(Ticket, Request)>,
    active: Vec<Active>,
    prefixes: Vec<Prefix>,
    next: Ticket,
    clock: u64,
}

struct Prefix {
    tokens: Arc<[u32]>,
    used: u64,
    sequence: Sequence,
}

struct Active {
    ticket: Ticket,
    request: Request,
    sequence: Sequence,
    /// Tokens not fed yet.
    pending: Vec<u32>,
    /// Positions of the prefix that are still to be fed by this request, which then leaves it to others.
    prefix_left: usize,
    /// Waits for another request that is computing the same prefix.
    waits: bool,
    walk: Walk,
    rng: Rng,
    out: Completion,
    /// Blocks set aside.
    blocks: usize,
    result: Option<Result<Completion>>,
}

impl Batch {
    /// An empty batch.
    pub fn new() -> Batch {
        Batch::default()
    }

    /// Takes a request; it starts as soon as there is memory for all of it.
    ///
    /// # Errors
    /// [`Code::ModelLimit`] if it can never fit, [`Code::ModelInvalid`] if a token is none of the model's.
    pub fn push(&mut self, engine: &Engine, request: Request) -> Result<Ticket> {
        let given = request.prefix.len() + request.prompt.len();
        let len = given.saturating_add(request.max_tokens);
        if given == 0 || request.max_tokens == 0 {
            return Err(Error::new(Code::ModelLimit, "nothing to go on from, or nothing to write")
                .hint("give a prompt and a positive `max_tokens`"));
        }
        if len > engine.context() || blocks(len) > engine.capacity() / BLOCK {
            let most = engine.context().min(engine.capacity().saturating_sub(BLOCK));
            return Err(Error::new(Code::ModelLimit, format!("prompt and reply may take {len} tokens"))
                .expected(format!("at most {most}")));
        }
        if let Some(token) =
            request.prefix.iter().chain(&request.prompt).find(|&&t| t as usize >= engine.config().vocab_size)
        {
            return Err(Error::new(Code::ModelInvalid, format!("no token {token}")));
        }
        self.next += 1;
        self.waiting.push_back((self.next, request));
        Ok(self.next)
    }

    /// Gives a request up. Nothing comes of it any more.
    pub fn cancel(&mut self, ticket: Ticket) {
        self.waiting.retain(|(t, _)| *t != ticket);
        self.active.retain(|a| a.ticket != ticket);
        self.resume_waiting();
    }

    /// Requests not done yet.
    pub fn len(&self) -> usize {
        self.waiting.len() + self.active.len()
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Advances every request that can be, and returns those that are done.
    pub fn step(&mut self, engine: &Engine) -> Vec<(Ticket, Result<Completion>)> {
        self.clock += 1;
        self.admit(engine);
        let mut prompt_tokens = PROMPT_TOKENS;
        let mut feeds = Vec::new();
        let mut fed = Vec::new();
        for active in self.active.iter_mut().filter(|a| !a.waits && a.result.is_none()) {
            let stop = if active.prefix_left > 0 { active.prefix_left } else { active.pending.len() };
            // A token or a forced run always goes on; prompts share what there is of room.
            let given = active.request.prefix.len() + active.request.prompt.len();
            let len = if active.sequence.len() < given { stop.min(prompt_tokens) } else { stop };
            if len == 0 {
                continue;
            }
            prompt_tokens -= len.min(prompt_tokens);
            let tokens: Vec<u32> = active.pending.drain(..len).collect();
            fed.push((tokens, active));
        }
        for (tokens, active) in &mut fed {
            let want =
                if active.pending.is_empty() && active.prefix_left == 0 { Want::Last } else { Want::Nothing };
            feeds.push(Feed { sequence: &mut active.sequence, tokens, want });
        }
        let logits = if feeds.is_empty() { Ok(Vec::new()) } else { engine.step(&mut feeds) };
        drop(feeds);
        match logits {
            Err(error) => fed.iter_mut().for_each(|(_, active)| active.result = Some(Err(error.clone()))),
            Ok(mut logits) => {
                let mut work: Vec<_> = fed.iter_mut().zip(&mut logits).collect();
                engine.team().for_each_mut(&mut work, |_, ((tokens, active), logits)| {
                    active.prefix_left -= tokens.len().min(active.prefix_left);
                    if !logits.is_empty() {
                        active.advance(logits);
                    }
                });
            }
        }
        drop(fed);
        self.keep_prefixes();
        let mut done = Vec::new();
        self.active.retain_mut(|active| match active.result.take() {
            Some(result) => {
                done.push((active.ticket, result));
                false
            }
            None => true,
        });
        self.resume_waiting();
        done
    }

    /// Starts requests, in order, while there is memory for all that they may come to need.
    fn admit(&mut self, engine: &Engine) {
        let most = engine.capacity() / BLOCK;
        while let Some((_, request)) = self.waiting.front() {
            let wanted = blocks(request.prefix.len() + request.prompt.len() + request.max_tokens);
            let taken: usize = self.active.iter().map(|a| a.blocks).sum();
            while taken + wanted + self.prefixes.iter().map(|p| blocks(p.tokens.len())).sum::<usize>() > most
            {
                // Prefixes are only worth keeping while nobody needs their memory.
                let Some(oldest) = (0..self.prefixes.len()).min_by_key(|&i| self.prefixes[i].used) else {
                    break;
                };
                self.prefixes.swap_remove(oldest);
            }
            if taken + wanted > most {
                break;
            }
            let Some((ticket, request)) = self.waiting.pop_front() else { break };
            self.start(engine, ticket, request, wanted);
        }
    }

    fn start(&mut self, engine: &Engine, ticket: Ticket, request: Request, blocks: usize) {
        let mut active = Active {
            ticket,
            sequence: engine.sequence(),
            pending: request.prefix.to_vec(),
            prefix_left: request.prefix.len(),
            waits: false,
            walk: request.grammar.walk(),
            rng: Rng::new(request.seed),
            out: Completion { tokens: Vec::new(), complete: false, forced: 0, log_probability: 0.0 },
            blocks,
            result: None,
            request,
        };
        active.pending.extend_from_slice(&active.request.prompt);
        if let Some(prefix) = self.prefixes.iter_mut().find(|p| p.tokens == active.request.prefix) {
            prefix.used = self.clock;
            active.fork(&prefix.sequence);
        } else {
            active.waits = self.computes(&active.request.prefix);
        }
        active.take_forced();
        self.active.push(active);
    }

    /// Whether an active request is computing this prefix.
    fn computes(&self, prefix: &[u32]) -> bool {
        self.active.iter().any(|a| a.prefix_left > 0 && !a.waits && a.request.prefix[..] == *prefix)
    }

    /// Keeps prefixes that were just completed, for whoever waits and for later.
    fn keep_prefixes(&mut self) {
        for i in 0..self.active.len() {
            let active = &self.active[i];
            let len = active.request.prefix.len();
            if len == 0
                || active.sequence.len() != len
                || self.prefixes.iter().any(|p| p.tokens == active.request.prefix)
            {
                continue;
            }
            if self.prefixes.len() == PREFIXES
                && let Some(oldest) = (0..PREFIXES).min_by_key(|&i| self.prefixes[i].used)
            {
                self.prefixes.swap_remove(oldest);
            }
            let prefix = Prefix {
                tokens: Arc::clone(&active.request.prefix),
                used: self.clock,
                sequence: active.sequence.clone(),
            };
            for other in self.active.iter_mut().filter(|a| a.waits && a.request.prefix == prefix.tokens) {
                other.fork(&prefix.sequence);
            }
            self.prefixes.push(prefix);
        }
    }

    /// Lets requests compute their prefix themselves where nobody does so any more.
    fn resume_waiting(&mut self) {
        for i in 0..self.active.len() {
            if self.active[i].waits && !self.computes(&self.active[i].request.prefix) {
                self.active[i].waits = false;
            }
        }
    }
}

/// Blocks that a sequence of `len` tokens may take, one of them as a copy of a shared one.
fn blocks(len: usize) -> usize {
    len.div_ceil(BLOCK) + 1
}

impl Active {
    /// Goes on from a prefix that is there.
    fn fork(&mut self, prefix: &Sequence) {
        self.sequence = prefix.clone();
        self.pending.drain(..self.prefix_left);
        self.prefix_left = 0;
        self.waits = false;
    }

    /// Chooses the next token, and takes what the grammar forces after it.
    fn advance(&mut self, logits: &mut [f32]) {
        if let Err(error) = self.choose(logits) {
            self.result = Some(Err(error));
        } else if self.result.is_none() {
            self.take_forced();
        }
    }

    fn choose(&mut self, logits: &mut [f32]) -> Result<()> {
        let mask = self.walk.mask()?;
        let temperature = self.request.temperature;
        let (token, log_probability) =
            pick(logits, temperature, &mut self.rng, |each| mask.iter_set_entries(each))?;
        self.out.log_probability += log_probability;
        self.walk.take(token)?;
        if self.walk.is_done() && self.request.grammar.ends_with(token) {
            self.finish(true);
        } else {
            self.push(&[token]);
        }
        Ok(())
    }

    fn take_forced(&mut self) {
        match self.walk.take_forced() {
            Err(error) => self.result = Some(Err(error)),
            Ok(forced) => {
                let text = forced.split(|&t| self.request.grammar.ends_with(t)).next().unwrap_or(&[]);
                self.out.forced += text.len().min(self.request.max_tokens - self.out.tokens.len());
                self.push(text);
                if self.result.is_none() && self.walk.is_done() {
                    self.finish(true);
                }
            }
        }
    }

    fn push(&mut self, tokens: &[u32]) {
        let room = self.request.max_tokens - self.out.tokens.len();
        self.out.tokens.extend_from_slice(&tokens[..tokens.len().min(room)]);
        self.pending.extend_from_slice(tokens);
        if tokens.len() > room || (tokens.len() == room && !self.walk.is_done()) {
            self.finish(false);
        }
    }

    fn finish(&mut self, complete: bool) {
        self.out.complete = complete;
        self.result = Some(Ok(self.out.clone()));
    }
}

/// Chooses among the allowed tokens (ascending). Returns it with the logarithm of its probability among them, at temperature 1.
fn pick(
    logits: &[f32],
    temperature: f32,
    rng: &mut Rng,
    allowed: impl Fn(&mut dyn FnMut(usize)),
) -> Result<(u32, f64)> {
    let mut best: Option<(usize, f32)> = None;
    allowed(&mut |i| {
        if let Some(&v) = logits.get(i)
            && v.is_finite()
            && best.is_none_or(|(_, top)| v > top)
        {
            best = Some((i, v));
        }
    });
    let Some((likeliest, top)) = best else {
        return Err(Error::new(
            Code::ModelInvalid,
            "the model's logits are no numbers where the grammar allows tokens",
        ));
    };
    let sum_at = |heat: f32| {
        let mut sum = 0.0f64;
        allowed(&mut |i| sum += logits.get(i).map_or(0.0, |v| f64::from(exp((v - top) / heat))));
        sum
    };
    let mut chosen = likeliest;
    if temperature > 0.0 {
        let mut left = rng.unit() * sum_at(temperature);
        let mut found = None;
        allowed(&mut |i| {
            let Some(v) = logits.get(i) else { return };
            let weight = f64::from(exp((v - top) / temperature));
            if found.is_none() && weight > 0.0 {
                left -= weight;
                if left < 0.0 {
                    found = Some(i);
                }
            }
        });
        chosen = found.unwrap_or(likeliest);
    }
    Ok((chosen as u32, f64::from(logits[chosen] - top) - libm::log(sum_at(1.0))))
}
