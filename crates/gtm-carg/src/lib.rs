//! CARG, context-aware response generation: from domain knowledge to training data.
//!
//! A [`pack::Pack`] describes one domain (`docs/packs.md`); [`lint`] says whether it is sound.

pub mod catalogue;
pub mod dataset;
pub mod domain;
pub mod formula;
pub mod lint;
pub mod pack;
pub mod process;
pub mod report;
pub mod rng;
pub mod session;
pub mod stage;
pub mod stats;
pub mod steps;
pub mod style;
pub mod text;
pub mod tools;
pub mod trace;
pub mod verify;
pub mod world;
