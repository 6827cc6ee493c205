//! Recordings: what real tools were asked and what they answered, one session a line of JSON.
//!
//! A line is `{"suite", "session_id", "group", "kind", "tools": [spec], "initial_state"?, "turns":
//! [{"call": {"name", "arguments"}, "response", "is_error"}]}`; members that are not known are
//! passed over. [`Journal`] writes them, a turn at a time, [`read_recordings`] reads them back, and
//! [`Redaction`] keeps secrets out of them.

mod journal;
mod mend;
mod read;
mod redact;

pub use journal::{Journal, JournalSession};
pub use read::{MAX_RECORDING_BYTES, MAX_RECORDING_LINE, read_recordings};
pub use redact::{REDACTED, Redaction};

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// One recorded session.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Recording {
    /// What was recorded: the name of an API, a server, a suite.
    #[serde(default)]
    pub suite: String,
    /// The session's name, unique within its suite.
    pub session_id: String,
    /// What sessions have in common that are variants of one another.
    #[serde(default)]
    pub group: String,
    /// How the calls came about; `logged` for what a recorder saw.
    #[serde(default)]
    pub kind: String,
    /// The line goes on with the session of the same name above it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub continued: bool,
    /// Specs of the tools, in a form that [`gtm_tool::import`] reads.
    #[serde(default)]
    pub tools: Vec<Json>,
    /// The state that the session started from, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initial_state: Option<Json>,
    /// The calls, in the order in which they were answered.
    #[serde(default)]
    pub turns: Vec<RecordedTurn>,
}

/// One recorded call and its answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RecordedTurn {
    /// The call.
    pub call: RecordedCall,
    /// What the tool answered.
    #[serde(default)]
    pub response: Json,
    /// Whether it failed.
    #[serde(default)]
    pub is_error: bool,
    /// Status of the answer, for calls over HTTP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The answer is only the beginning of what the tool said.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub response_truncated: bool,
}

/// What was called.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RecordedCall {
    /// Name of the tool.
    pub name: String,
    /// Its arguments, an object.
    #[serde(default)]
    pub arguments: Json,
}
