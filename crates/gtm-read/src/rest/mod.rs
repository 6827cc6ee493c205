//! REST semantics: behaviors of HTTP operations, from methods, paths and schemas.

use crate::Reading;
use gtm_tool::ToolSpec;
use serde_json::Value as Json;

/// Whether the tool is an HTTP operation whose path says which resource it is about.
pub fn is_rest(tool: &ToolSpec) -> bool {
    tool.http.as_ref().is_some_and(|http| http.path.starts_with('/'))
}

/// Reads HTTP operations, adding what was found to `out`.
pub fn read(tools: &[&ToolSpec], _initial_state: &Json, out: &mut Reading) {
    for tool in tools {
        out.add_direct(&tool.name, None);
    }
}
