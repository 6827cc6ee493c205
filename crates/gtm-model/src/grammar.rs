//! Grammars: what text may be generated at all.
//!
//! Compiled by `llguidance` against the real vocabulary, on a thread with a stack of its own, and kept. A grammar counts as
//! compiled only once its first mask is there; what cannot be compiled is an error, never unconstrained text.

use crate::tokenizer::Tokenizer;
use gtm_error::{Code, Error, Result};
use llguidance::api::TopLevelGrammar;
use llguidance::toktrie::{
    InferenceCapabilities, SimpleVob, TokEnv, TokRxInfo, TokTrie, TokenId, TokenizerEnv,
};
use llguidance::{Matcher, ParserFactory};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

/// Stack of the thread that compiles: grammars nest as schemas do.
const STACK: usize = 64 << 20;
/// Compiled grammars kept.
const KEPT: usize = 256;
/// Longest source of a grammar, in bytes.
const MAX_SOURCE: usize = 4 << 20;
/// Deepest schema compiled; deeper ones overflow even a large stack.
const MAX_DEPTH: usize = 128;

/// Compiles grammars for one tokenizer.
pub struct Grammars {
    factory: Arc<ParserFactory>,
    end: u32,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    by_source: HashMap<String, Entry>,
    clock: u64,
}

struct Entry {
    used: u64,
    /// Filled by whoever asks first; others wait for it.
    compiled: Arc<OnceLock<Result<Compiled>>>,
}

/// A compiled grammar, at its start.
#[derive(Clone)]
pub struct Grammar {
    compiled: Compiled,
    end: u32,
}

type Compiled = Arc<Mutex<Matcher>>;

impl Grammars {
    /// For a tokenizer whose texts end with the token `end`.
    ///
    /// # Errors
    /// [`Code::ModelInvalid`] if the vocabulary is of no use to grammars.
    pub fn new(tokenizer: Arc<Tokenizer>, end: u32) -> Result<Grammars> {
        let failed = |e: &dyn std::fmt::Display| {
            Error::new(Code::ModelInvalid, format!("no grammars with this vocabulary: {e}"))
        };
        let words: Vec<Vec<u8>> = (0..tokenizer.len() as u32)
            .map(|token| {
                let bytes = tokenizer.token_bytes(token);
                let mark: &[u8] =
                    if tokenizer.is_special(token) { &[TokTrie::SPECIAL_TOKEN_MARKER] } else { &[] };
                [mark, bytes].concat()
            })
            .collect();
        if end as usize >= words.len() {
            return Err(failed(&"the end of texts is none of its tokens"));
        }
        let trie = TokTrie::from(&TokRxInfo::new(words.len() as u32, end), &words);
        let environment: TokEnv = Arc::new(Environment { trie, tokenizer });
        let capabilities = InferenceCapabilities { ff_tokens: true, ..InferenceCapabilities::default() };
        let slices = llguidance::earley::SlicedBiasComputer::json_slices();
        let mut factory = ParserFactory::new(&environment, capabilities, &slices).map_err(|e| failed(&e))?;
        factory.quiet().limits_mut().verbose_errors = false;
        Ok(Grammars { factory: Arc::new(factory), end, kept: Mutex::default() })
    }

    /// JSON that a schema admits, without white space between its parts. Keywords that grammars cannot express are left to the
    /// validation that follows generation.
    ///
    /// # Errors
    /// [`Code::GrammarInvalid`].
    pub fn json(&self, schema: &Value) -> Result<Grammar> {
        if depth(schema) > MAX_DEPTH {
            return Err(Error::new(Code::GrammarInvalid, format!("a schema nested deeper than {MAX_DEPTH}")));
        }
        let mut schema = match schema {
            Value::Object(_) => schema.clone(),
            Value::Bool(true) => json!({}),
            _ => return Err(Error::new(Code::GrammarInvalid, "a schema that nothing satisfies")),
        };
        schema["x-guidance"] = json!({"whitespace_flexible": false, "lenient": true});
        self.compiled(format!("json:{schema}"), move || TopLevelGrammar::from_json_schema(schema))
    }

    /// A grammar in llguidance's variant of Lark.
    ///
    /// # Errors
    /// [`Code::GrammarInvalid`].
    pub fn lark(&self, grammar: &str) -> Result<Grammar> {
        let source = grammar.to_owned();
        self.compiled(format!("lark:{grammar}"), || TopLevelGrammar::from_lark(source))
    }

    fn compiled(
        &self,
        source: String,
        parse: impl FnOnce() -> TopLevelGrammar + Send + 'static,
    ) -> Result<Grammar> {
        if source.len() > MAX_SOURCE {
            let message = format!("a grammar of {} bytes", source.len());
            return Err(Error::new(Code::GrammarInvalid, message).expected(format!("at most {MAX_SOURCE}")));
        }
        let compiled = self.kept.lock().unwrap_or_else(|e| e.into_inner()).entry(source);
        compiled
            .get_or_init(|| self.compile(parse))
            .clone()
            .map(|compiled| Grammar { compiled, end: self.end })
    }

    fn compile(&self, parse: impl FnOnce() -> TopLevelGrammar + Send + 'static) -> Result<Compiled> {
        let factory = Arc::clone(&self.factory);
        let work = move || {
            let mut matcher = Matcher::new(factory.create_parser(parse()));
            match matcher.compute_mask_or_eos() {
                Ok(_) => Ok(Arc::new(Mutex::new(matcher))),
                Err(e) => Err(Error::new(Code::GrammarInvalid, e.to_string())),
            }
        };
        let failed = |what: &str| Error::new(Code::GrammarInvalid, format!("the grammar compiler {what}"));
        let thread = std::thread::Builder::new().name("gtm-grammar".into()).stack_size(STACK).spawn(work);
        thread
            .map_err(|_| failed("found no thread to run on"))?
            .join()
            .map_err(|_| failed("failed on this grammar"))?
    }
}

impl Kept {
    fn entry(&mut self, source: String) -> Arc<OnceLock<Result<Compiled>>> {
        self.clock += 1;
        if !self.by_source.contains_key(&source) && self.by_source.len() >= KEPT {
            let oldest =
                self.by_source.iter().min_by_key(|(_, entry)| entry.used).map(|(source, _)| source.clone());
            oldest.map(|source| self.by_source.remove(&source));
        }
        let entry =
            self.by_source.entry(source).or_insert_with(|| Entry { used: 0, compiled: Arc::default() });
        entry.used = self.clock;
        Arc::clone(&entry.compiled)
    }
}

/// Nesting of a value, counted no further than is needed.
fn depth(value: &Value) -> usize {
    let mut level = vec![value];
    let mut depth = 0;
    while !level.is_empty() && depth <= MAX_DEPTH {
        depth += 1;
        level = level
            .into_iter()
            .flat_map(|v| match v {
                Value::Array(items) => items.iter().collect::<Vec<_>>(),
                Value::Object(map) => map.values().collect(),
                _ => Vec::new(),
            })
            .collect();
    }
    depth
}

/// One text on its way through a grammar.
pub(crate) struct Walk(Matcher);

impl Grammar {
    /// Starts a text. Nothing is shared with other texts, so that none of them can use up another's limits.
    pub(crate) fn walk(&self) -> Walk {
        Walk(self.compiled.lock().unwrap_or_else(|e| e.into_inner()).deep_clone())
    }

    /// Whether this token ends texts.
    pub(crate) fn ends_with(&self, token: u32) -> bool {
        token == self.end
    }
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::new(Code::GrammarInvalid, format!("the grammar failed on the way: {error}"))
}

impl Walk {
    /// Tokens that may come next.
    pub(crate) fn mask(&mut self) -> Result<SimpleVob> {
        self.0.compute_mask_or_eos().map_err(failed)
    }

    /// Takes a token that the mask allows.
    pub(crate) fn take(&mut self, token: u32) -> Result<()> {
        self.0.consume_token(token).map_err(failed)
    }

    /// Takes and returns the tokens that must come next, if there is no choice.
    pub(crate) fn take_forced(&mut self) -> Result<Vec<u32>> {
        let forced = self.0.consume_ff_tokens();
        match self.0.get_error() {
            Some(error) => Err(failed(error)),
            None => Ok(forced),
        }
    }

    /// Whether the text is complete and nothing may follow.
    pub(crate) fn is_done(&self) -> bool {
        self.0.is_stopped()
    }
}

/// The vocabulary as llguidance wants it, with the real tokenizer for forced text.
struct Environment {
    trie: TokTrie,
    tokenizer: Arc<Tokenizer>,
}

impl TokenizerEnv for Environment {
    fn tok_trie(&self) -> &TokTrie {
        &self.trie
    }

    fn tokenize_bytes(&self, bytes: &[u8]) -> Vec<TokenId> {
        self.trie.tokenize_with_greedy_fallback(bytes, |text| {
            self.tokenizer.encode(text).unwrap_or_else(|_| self.trie.greedy_tokenize(text.as_bytes()))
        })
    }
}
