//! What goes into the simulator and what comes out: calls, replies, provenance.

use gtm_world::{ErrorKind, ToolError, Value};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// One call of a tool.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// Name of the tool. `name` is understood too.
    #[serde(alias = "name")]
    pub tool: String,
    /// Arguments, an object; absent or null means none.
    #[serde(default)]
    pub arguments: Json,
    /// A call repeated under the same key is answered with the stored reply and has no second effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

impl Call {
    /// A call without idempotency key.
    pub fn new(tool: impl Into<String>, arguments: Json) -> Call {
        Call { tool: tool.into(), arguments, idempotency_key: None }
    }

    /// The arguments as given; none count as an empty object.
    pub(crate) fn given(&self) -> Value {
        match &self.arguments {
            Json::Null => Value::map(),
            given => Value::from(given),
        }
    }

    /// The same call under an idempotency key.
    pub fn with_key(mut self, key: impl Into<String>) -> Call {
        self.idempotency_key = Some(key.into());
        self
    }
}

/// What a real tool answered, to be fed into a session.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Observed {
    /// The real reply.
    pub content: Json,
    /// Whether the real tool failed.
    #[serde(default)]
    pub is_error: bool,
}

/// The answer to a call. A simulated failure is a reply too.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// What the agent sees, in the tool's own shape.
    pub content: Json,
    /// Whether the call failed.
    pub is_error: bool,
    /// Why it failed, in GTM's terms.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "optional_tool_error")]
    pub error: Option<ToolError>,
    /// The HTTP status that goes with it.
    pub status: u16,
    /// Which rung of the ladder answered, and from what.
    pub provenance: Provenance,
    /// Version of the session's state after the call.
    pub state_version: u64,
    /// Delay asked for by faults, in milliseconds. The simulator never sleeps; its faces do.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub delay_ms: u64,
    /// What to send as `Retry-After`, in seconds, where a fault says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u64>,
}

/// Where a reply came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// What answered.
    pub rung: Rung,
    /// Seed of the session.
    pub seed: u64,
    /// Version of the state that the reply was computed from.
    pub state_version: u64,
    /// JSON pointers into the content, of values that were invented.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub invented: Vec<String>,
    /// Names of the faults that took part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// The reply is a stored one: the call was repeated under its idempotency key.
    #[serde(default, skip_serializing_if = "is_false")]
    pub retried: bool,
    /// False if the content does not match the tool's declared `returns`, which is a bug in the
    /// tool's behavior (or the wish of a fault).
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub valid: bool,
}

/// The ladder of responders: the first that applies answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rung {
    /// A fault, as the toolset asks.
    Fault,
    /// The check of tool name and arguments.
    Check,
    /// A real outcome, fed in by `observe`.
    Observed,
    /// A real outcome observed or recorded earlier, of the same call on the same state.
    Replay,
    /// The real tool, asked for this call.
    Live,
    /// A behavior written by the user.
    User,
    /// A behavior learned from recordings.
    Learned,
    /// A behavior derived by rules from the spec.
    Rules,
    /// A behavior read by a language model.
    Model,
    /// Generated from the return schema and the call alone.
    Direct,
}

impl Rung {
    /// Every rung, in order of its number.
    pub const ALL: [Rung; 10] = [
        Rung::Fault,
        Rung::Check,
        Rung::Observed,
        Rung::Replay,
        Rung::Live,
        Rung::User,
        Rung::Learned,
        Rung::Rules,
        Rung::Model,
        Rung::Direct,
    ];

    /// The name used in JSON and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Rung::Fault => "fault",
            Rung::Check => "check",
            Rung::Observed => "observed",
            Rung::Replay => "replay",
            Rung::Live => "live",
            Rung::User => "user",
            Rung::Learned => "learned",
            Rung::Rules => "rules",
            Rung::Model => "model",
            Rung::Direct => "direct",
        }
    }
}

/// One entry of a session's transcript.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Turn {
    /// Number of the turn, from 0. Rolling back to this number undoes this turn and all after it.
    pub turn: u64,
    /// The call.
    pub call: Call,
    /// Its reply.
    pub reply: Reply,
}

fn is_zero(n: &u64) -> bool {
    *n == 0
}

fn is_false(b: &bool) -> bool {
    !*b
}

fn is_true(b: &bool) -> bool {
    *b
}

fn yes() -> bool {
    true
}

/// [`ToolError`] can be written but not read by itself.
pub(crate) mod optional_tool_error {
    use super::{Deserialize, ErrorKind, Serialize, ToolError};
    use serde::{Deserializer, Serializer};

    #[derive(Deserialize)]
    struct Stored {
        kind: ErrorKind,
        message: String,
        #[serde(default)]
        path: String,
        #[serde(default)]
        expected: Option<String>,
        #[serde(default)]
        status: Option<u16>,
    }

    pub(crate) fn serialize<S: Serializer>(error: &Option<ToolError>, s: S) -> Result<S::Ok, S::Error> {
        error.serialize(s)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Option<ToolError>, D::Error> {
        Ok(Option::<Stored>::deserialize(d)?.map(|e| ToolError {
            kind: e.kind,
            message: e.message,
            path: e.path,
            expected: e.expected,
            status: e.status,
            body: None,
        }))
    }
}
