//! Which turns of a session only read.

use crate::session::{Session, Turn};
use gtm_tool::ToolSpec;

/// Whether the turn is a read: it was put in as a probe, its tool is declared to change nothing, or
/// the tool's name and description say that it looks something up.
pub(crate) fn is_read(session: &Session, turn: &Turn) -> bool {
    let declared = |tool: &ToolSpec| tool.annotations.read_only.unwrap_or_else(|| gtm_read::function::reads(tool));
    turn.probe || session.tools.get(&turn.tool).is_some_and(declared)
}
