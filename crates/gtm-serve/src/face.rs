//! A toolset as its faces need it: made once for each, on first use.

use crate::mcp::Tools;
use crate::rest::{self, Paths};
use gtm_sim::Simulator;
use std::sync::{Arc, OnceLock};

/// A simulator with its MCP tool list and its REST paths.
pub(crate) struct Face {
    pub(crate) name: String,
    pub(crate) simulator: Arc<Simulator>,
    tools: OnceLock<Tools>,
    paths: OnceLock<Paths>,
}

impl Face {
    pub(crate) fn new(name: impl Into<String>, simulator: Arc<Simulator>) -> Face {
        Face { name: name.into(), simulator, tools: OnceLock::new(), paths: OnceLock::new() }
    }

    pub(crate) fn mcp(&self) -> &Tools {
        self.tools.get_or_init(|| Tools::new(self.simulator.tools()))
    }

    pub(crate) fn paths(&self) -> &Paths {
        self.paths.get_or_init(|| rest::paths(self.simulator.tools()))
    }
}
