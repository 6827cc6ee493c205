//! The metrics, one file each. `docs/metrics.md` has the formulas.

pub mod class;
pub mod exact;
pub mod format;
pub mod leaves;
pub mod paths;
pub mod state;
