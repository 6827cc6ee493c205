//! Training: datasets of prompts and completions in, checkpoints out. It knows the model, not the simulator.

mod attention;
mod batch;
mod lanes;
mod loss;
mod optimizer;
mod packed;
mod pass;

pub use batch::{Batch, Sample};
pub use lanes::{Judged, Lanes};
pub use loss::Loss;
pub use optimizer::{Optimizer, OptimizerConfig};
