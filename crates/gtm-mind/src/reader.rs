//! Asking, trying, choosing.

use crate::trial::Trial;
use gtm_error::Result;
use gtm_model::{LanguageModel, Pending, Request};
use gtm_read::prompt::read::{Question, Toolset};
use gtm_read::{ReadInput, Reader, Reading, RuleReader, Rung, rest};
use gtm_tool::ToolSpec;
use gtm_world::{Behavior, Library, Limits, Program, seed};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How the model is asked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReadOptions {
    /// Answers asked for per tool: the likeliest, and others sampled.
    pub answers: usize,
    /// Longest answer, in tokens.
    pub max_tokens: usize,
    /// Temperature of the sampled ones.
    pub temperature: f32,
    /// Least confidence at which an answer is taken where rules know nothing, and where they have a reading.
    pub over_nothing: f64,
    /// See `over_nothing`.
    pub over_rules: f64,
}

impl Default for ReadOptions {
    fn default() -> Self {
        ReadOptions { answers: 4, max_tokens: 256, temperature: 0.7, over_nothing: 0.5, over_rules: 0.8 }
    }
}

/// Tools asked about at once: more would wait in the model's queue anyway.
const AT_ONCE: usize = 32;

/// Questions whose answers are kept: sessions of one toolset ask the same ones again.
const KEPT: usize = 4_096;

/// Reads by rules and by the model.
pub struct ModelReader {
    model: Arc<LanguageModel>,
    options: ReadOptions,
    kept: Mutex<HashMap<String, Arc<[Answer]>>>,
}

/// What the model said to a question.
#[derive(Clone, Debug, PartialEq)]
struct Answer {
    text: String,
    /// How sure it is of a word, on average, of those that it had a choice of: 0 to 1.
    sure: f64,
}

/// A question on its way.
enum Asked {
    Known(Arc<[Answer]>),
    Waiting(Vec<Pending>),
}

/// An answer that held.
struct Held {
    behavior: Behavior,
    confidence: f64,
}

impl ModelReader {
    /// A reader that asks this model.
    pub fn new(model: Arc<LanguageModel>, options: ReadOptions) -> ModelReader {
        ModelReader { model, options, kept: Mutex::default() }
    }

    fn kept(&self) -> MutexGuard<'_, HashMap<String, Arc<[Answer]>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ask(&self, tool: &ToolSpec, question: &Question) -> Asked {
        if let Some(answers) = self.kept().get(question.prompt()) {
            return Asked::Known(Arc::clone(answers));
        }
        // A question that cannot be asked is one that the rules answer.
        Asked::Waiting(self.send(tool, question).unwrap_or_default())
    }

    fn send(&self, tool: &ToolSpec, question: &Question) -> Result<Vec<Pending>> {
        let prompt = self.model.tokenizer().encode(question.prompt())?;
        // The last token is each answer's own, so that there is something to go on from after what they share.
        let Some((last, shared)) = prompt.split_last() else { return Ok(Vec::new()) };
        let prefix: Arc<[u32]> = shared.into();
        let grammar = self.model.grammars().lark(&question.grammar())?;
        let request = |n: usize| Request {
            prefix: Arc::clone(&prefix),
            prompt: vec![*last],
            grammar: grammar.clone(),
            max_tokens: self.options.max_tokens,
            temperature: if n == 0 { 0.0 } else { self.options.temperature },
            seed: seed::derive(n as u64, &[&tool.name]),
        };
        (0..self.options.answers).map(|n| self.model.submit(request(n))).collect()
    }

    /// What the model says, each thing once.
    fn answers(&self, question: &Question, asked: Asked) -> Arc<[Answer]> {
        let pending = match asked {
            Asked::Known(answers) => return answers,
            Asked::Waiting(pending) => pending,
        };
        let mut answers: Vec<Answer> = Vec::new();
        for completion in pending.into_iter().filter_map(|pending| pending.wait().ok()).filter(|c| c.complete)
        {
            let text = self.model.tokenizer().decode(&completion.tokens);
            let chosen = (completion.tokens.len() + 1).saturating_sub(completion.forced).max(1);
            let sure = (completion.log_probability / chosen as f64).exp();
            if answers.iter().all(|answer| answer.text != text) {
                answers.push(Answer { text, sure });
            }
        }
        let answers: Arc<[Answer]> = answers.into();
        // No answer may be for want of room: that is no reason not to ask again.
        if !answers.is_empty() {
            let mut kept = self.kept();
            if kept.len() >= KEPT {
                kept.clear();
            }
            kept.insert(question.prompt().to_owned(), Arc::clone(&answers));
        }
        answers
    }

    /// The best answer that holds.
    fn best(
        &self,
        tool: &ToolSpec,
        question: &Question,
        answers: &[Answer],
        trial: &Trial<'_>,
    ) -> Option<Held> {
        let mut best: Option<Held> = None;
        for answer in answers {
            let Ok(behavior) = question.understand(&answer.text) else { continue };
            if behavior.direct {
                continue;
            }
            let Some(holds) = trial.of(tool, &behavior) else { continue };
            let confidence = answer.sure * holds;
            if best.as_ref().is_none_or(|best| confidence > best.confidence) {
                best = Some(Held { behavior, confidence });
            }
        }
        best
    }
}

impl Reader for ModelReader {
    fn read(&self, input: &ReadInput<'_>) -> Reading {
        let mut reading = RuleReader.read(input);
        let Ok(library) = Library::new(&reading.behaviors, Limits::default()).map(Arc::new) else {
            return reading;
        };
        let toolset = Toolset::new(input.tools, input.initial_state);
        let trial = Trial::new(input, &library);
        // What HTTP itself says of an operation is known, not guessed.
        let open: Vec<&ToolSpec> = input
            .tools
            .iter()
            .filter(|tool| !rest::is_rest(tool) || reading.rungs.get(&tool.name) == Some(&Rung::Direct))
            .collect();
        for tools in open.chunks(AT_ONCE) {
            let ask = |tool: &&'_ ToolSpec| {
                let question = toolset.ask(tool);
                let asked = self.ask(tool, &question);
                (question, asked)
            };
            let asked: Vec<(Question, Asked)> = tools.iter().map(ask).collect();
            for (tool, (question, asked)) in tools.iter().zip(asked) {
                let answers = self.answers(&question, asked);
                let known = reading.rungs.get(&tool.name) == Some(&Rung::Rules);
                let least = if known { self.options.over_rules } else { self.options.over_nothing };
                let held = self.best(tool, &question, &answers, &trial);
                let Some(held) = held.filter(|held| held.confidence >= least) else { continue };
                if Program::compile(&tool.name, &held.behavior, tool.returns.as_ref(), &library).is_ok() {
                    reading.add(&tool.name, held.behavior, Rung::Model);
                    reading.confidence.insert(tool.name.clone(), held.confidence);
                }
            }
        }
        reading
    }
}
