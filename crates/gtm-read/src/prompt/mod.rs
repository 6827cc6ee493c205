//! What the model is asked and what it answers, as text. Training data and inference both come from here.
//!
//! A prompt shows a spec and the shape of the state, each name followed by its label; the completion says what
//! is to be done with pointers in place of names (`Pc` for the parameter that is labelled `c`), and code expands
//! them. `docs/prompts.md` is the reference.
//!
//! Invariants:
//! - What a completion says is checked as any behavior is: nothing in it is trusted.
//! - Same input, same text; lengths are bounded, whatever the spec.

pub mod direct;
mod expr;
pub mod fill;
mod lex;
mod parse;
mod patch;
pub mod read;
pub mod shape;
mod show;
mod symbols;

pub use patch::{Change, apply, changes};

use serde::{Deserialize, Serialize};

/// Version of the format: the first line of every prompt names it. Weights are trained for one version.
pub const VERSION: u32 = 1;

/// One sample of training data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Example {
    /// What is asked.
    pub prompt: String,
    /// What is to be answered.
    pub completion: String,
}
