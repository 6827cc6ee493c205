//! What the tests share.

use gtm_env::Environment;
use gtm_error::Result;
use gtm_sim::{Simulator, Toolset};
use std::path::{Path, PathBuf};

/// A simulator as `gtm serve` makes it.
#[allow(dead_code)]
pub(crate) fn make(toolset: Toolset) -> Result<Simulator> {
    Simulator::new(toolset)
}

/// A file of the repository.
#[allow(dead_code)]
pub(crate) fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

/// The example.
#[allow(dead_code)]
pub(crate) fn travel() -> Environment {
    gtm_env::load(&file("examples/travel.yaml"), &make).expect("the example is valid")
}
