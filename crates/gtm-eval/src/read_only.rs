//! Which turns of a session only read.

use crate::session::{Session, Turn};

/// Whether the turn is a read: its tool is declared to change nothing, or the verb of its name says
/// that it looks something up; where neither tells, whether the call was put in as a probe.
pub(crate) fn is_read(session: &Session, turn: &Turn) -> bool {
    let tool = session.tools.get(&turn.tool);
    let told = tool.and_then(|tool| tool.annotations.read_only.or_else(|| gtm_read::function::reads(tool)));
    told.unwrap_or(turn.probe)
}
