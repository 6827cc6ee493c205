//! How faithful simulated tools are, measured on recorded sessions of the real ones by code alone.
//!
//! At each turn of a session the simulator has observed the true earlier turns; it predicts the
//! reply, and the prediction is compared with what the real tool said. Baselines take the same turns.
//! What each metric means is in `docs/metrics.md`; each is one file in [`metric`].
//!
//! Invariants:
//! - A prediction is made before the true reply of its turn is shown to anything that predicts.
//! - Same sessions, same figures (apart from times), same dump, for any number of threads.
//! - A session file is untrusted: what is wrong with it is an error with the line's number.

pub mod baseline;
mod evaluation;
mod free;
mod json;
mod known;
pub mod metric;
mod miss;
mod predictor;
mod read_only;
pub mod report;
mod runner;
mod score;
mod session;
mod source;
mod tally;
mod volatile;

pub use evaluation::{Evaluation, Suite};
pub use miss::{Example, Miss};
pub use predictor::{Prediction, Predictor, Simulated};
pub use runner::{Options, Prepare, Progress, evaluate};
pub use session::{Session, ToolCache, Tools, Turn};
pub use source::{Lines, SessionFile, session_files};
pub use tally::{HORIZON, Mean, Outcome, Tally, macro_average};
