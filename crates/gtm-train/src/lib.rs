//! Training: datasets of prompts and completions in, checkpoints out. It knows the model, not the simulator.

mod attention;
mod batch;
mod checkpoint;
mod config;
mod data;
mod lanes;
mod lora;
mod loss;
mod metrics;
mod optimizer;
mod packed;
mod page;
mod pass;
mod run;

pub use batch::{Batch, Sample};
pub use config::{HeldOut, LoraConfig, ModelSource, Shape, Source, Store, TrainConfig};
pub use data::{Line, lines};
pub use lanes::{Judged, Lanes};
pub use loss::Loss;
pub use metrics::{HeldOutScore, StepMetrics};
pub use optimizer::{Optimizer, OptimizerConfig};
pub use page::page;
pub use run::{Event, Outcome, train};
