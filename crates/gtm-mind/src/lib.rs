//! The language model as a reader of specs.
//!
//! [`ModelReader`] asks the model what each tool does, several times, under the grammar of completions; tries each answer on sampled
//! calls; and takes the best that holds, unless what rules say has more for it. Above `gtm-read`, which knows the text of
//! questions and answers but no model, and `gtm-model`, which knows no tools.
//!
//! Invariants:
//! - Reading never fails: where the model is of no use, the rules' reading stands.
//! - The same weights and specs give the same behaviors, whatever else the model is asked meanwhile.

mod reader;
mod trial;

pub use reader::{ModelReader, ReadOptions};
