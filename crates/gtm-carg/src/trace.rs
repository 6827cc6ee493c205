//! What is written to datasets: executed sessions. The one thing that makers and checkers share.

use crate::dataset::Split;
use gtm_tool::ToolSpec;
use gtm_world::Behaviors;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// One executed session. A line of `part-*.jsonl.zst`; the members that recorded sessions of real tools have
/// are called as there.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Trace {
    /// Where the session is from: `carg`.
    pub suite: String,
    /// Number of the session in its dataset, as text.
    pub session_id: String,
    /// Where its tools are from.
    #[serde(default)]
    pub source: Source,
    /// What is kept together in splits: the main domain, or the provider.
    pub group: String,
    /// The split it belongs to.
    #[serde(default)]
    pub split: Split,
    /// Seed of the session.
    pub seed: u64,
    /// The tools that the agent sees.
    pub tools: Vec<ToolSpec>,
    /// What each tool is, in the order of `tools`.
    pub facts: Vec<Fact>,
    /// What the tools do, and how replies and errors are wrapped.
    pub behaviors: Behaviors,
    /// The state before the first turn.
    pub initial_state: Json,
    /// The calls and what they were answered.
    pub turns: Vec<Turn>,
    /// Something to be achieved with the tools, with the way it was achieved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<Task>,
}

/// Where tools are from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Domain packs.
    #[default]
    Packs,
    /// Real specs.
    Specs,
}

impl Source {
    /// As files and counts name it.
    pub fn name(self) -> &'static str {
        match self {
            Source::Packs => "packs",
            Source::Specs => "specs",
        }
    }
}

/// What a tool is, for those who check or count.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Fact {
    /// Domain that it belongs to.
    pub domain: String,
    /// Its plan within the domain, such as `get order`.
    pub plan: String,
    /// Kind of tool.
    pub family: String,
    /// Collection, in style, that it reads or writes a record of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collection: Option<String>,
    /// Path of the argument that holds the record's id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub id_argument: Vec<String>,
    /// The member that holds a record's id.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub id_member: String,
    /// It may change the state.
    pub writes: bool,
}

/// One call and its reply.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Turn {
    /// The call.
    pub call: Call,
    /// The reply, as the agent sees it.
    pub response: Json,
    /// Whether the call failed.
    pub is_error: bool,
    /// Kind of the failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What was done to the call to make it fail, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mutation: Option<String>,
    /// Whether the state changed.
    pub changed: bool,
    /// The places of the state that the call changed, and what they then hold; null where something is gone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Expected>,
}

/// A call.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// Name of the tool.
    pub name: String,
    /// Arguments.
    pub arguments: Json,
}

/// Something to be achieved.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// What a person would ask for.
    pub instruction: String,
    /// Calls that achieve it.
    pub reference: Vec<Call>,
    /// What the state then holds: JSON pointer → value; null where something is to be gone.
    pub end_state: Vec<Expected>,
}

/// A place in the state and what it is to hold.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Expected {
    /// JSON pointer into the state.
    pub path: String,
    /// Value; null for nothing.
    pub value: Json,
}
