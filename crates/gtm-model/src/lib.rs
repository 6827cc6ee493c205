//! The language model: tokens and grammars, no tools.
//!
//! - [`Config`], [`Params`]: a Qwen2 decoder as a Hugging Face folder, in and out.
//! - [`Tokenizer`]: byte-level BPE, loaded or learned; [`Adapter`]: LoRA in PEFT's layout.
//! - [`kernel`]: arithmetic whose results are the same bytes on any processor, batch and number of threads.
//! - [`Engine`]: tokens in, logits out, for many sequences at once; prefixes shared, forks cheap.
//! - [`Grammars`], [`Batch`], [`LanguageModel`]: texts under grammars, many at once, behind a bounded queue.

pub mod kernel;

mod adapter;
mod config;
mod engine;
mod generate;
mod grammar;
mod params;
mod rope;
pub mod safetensors;
mod seed;
mod service;
mod tokenizer;

pub use adapter::{Adapter, Target};
pub use config::Config;
pub use engine::{Engine, EngineOptions, Feed, Logits, Sequence, Want};
pub use generate::{Batch, Completion, Request, Ticket};
pub use grammar::{Grammar, Grammars};
pub use kernel::Precision;
pub use params::{LayerRanges, Layout, Params, Tensor};
pub use rope::Rope;
pub use seed::Rng;
pub use service::{LanguageModel, ModelOptions, Pending};
pub use tokenizer::{END, Tokenizer};
