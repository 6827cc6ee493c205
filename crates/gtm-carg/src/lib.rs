//! CARG, context-aware response generation: from domain knowledge to training data.
//!
//! A [`pack::Pack`] describes one domain (`docs/packs.md`); [`lint`] says whether it is sound. A [`catalogue::Catalogue`] holds
//! packs and real specs, [`session::generate`] makes sessions of them, [`dataset::make`] datasets (`docs/carg.md`).

pub mod catalogue;
pub mod dataset;
pub mod domain;
pub mod export;
pub mod formula;
pub mod lint;
pub mod pack;
pub mod process;
pub mod report;
pub mod rng;
pub mod samples;
pub mod session;
pub mod specs;
pub mod stage;
pub mod stats;
pub mod steps;
pub mod style;
pub mod text;
pub mod tools;
pub mod trace;
pub mod verify;
pub mod world;
