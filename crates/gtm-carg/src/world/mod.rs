//! Worlds that sessions start from: records of a domain with values that fit together.

mod common;
mod grammar;
mod state;
mod values;

pub use state::initial_state;
pub use values::{Context, sample};
pub(crate) use values::{code, uuid};
