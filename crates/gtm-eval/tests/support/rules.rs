//! Simulating by rules alone.

use gtm_error::Result;
use gtm_eval::Session;
use gtm_sim::{Simulator, Toolset};

/// The simulator that rules make of a session.
pub(crate) fn rules(session: &Session) -> Result<Option<Simulator>> {
    let mut toolset = Toolset::from_tools("session", session.tools.specs().to_vec());
    if let Some(state) = &session.initial_state {
        toolset = toolset.with_state(state.clone());
    }
    Simulator::new(toolset).map(Some)
}
