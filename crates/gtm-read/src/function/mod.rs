//! Reading of tools that are plain functions: names, schemas and the shape of the state.

use crate::Reading;
use gtm_tool::ToolSpec;
use serde_json::Value as Json;

/// Reads tools that have no HTTP path, adding what was found to `out`.
pub fn read(tools: &[&ToolSpec], _initial_state: &Json, out: &mut Reading) {
    for tool in tools {
        out.add_direct(&tool.name, None);
    }
}
