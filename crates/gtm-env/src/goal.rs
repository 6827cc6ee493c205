//! What counts as done, as it is written.

use crate::file::is_default;
use gtm_sim::Call;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Map as JsonMap, Value as Json};

/// What counts as done: all checks hold.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Goal {
    /// How the task pays. Default: as the environment says, else `sparse`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reward: Option<RewardKind>,
    /// When an attempt is over, apart from its limits. Default: `answer` if a check is about the answer,
    /// else `goal`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends: Option<Ends>,
    /// What must hold.
    pub checks: Vec<Check>,
}

/// How a task pays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RewardKind {
    /// 1 if all checks hold, else 0.
    #[default]
    Sparse,
    /// The share, by weight, of what had to be achieved that is; 0 if something that held at the start
    /// was lost.
    Shaped,
}

/// When an attempt is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Ends {
    /// As soon as all checks hold.
    Goal,
    /// When the agent hands in its answer.
    Answer,
}

/// One thing that must hold. Exactly one of `that`, `at`, `after`, `called`, `not_called` and `answer`
/// says what.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Check {
    /// Name, shown in the score. Default: what it checks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Share of a shaped reward, beside the other checks. Default 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0))]
    pub weight: Option<f64>,
    /// A CEL expression that is true. It sees the members of the state; `before`, the state at the start;
    /// `calls`, a list of `{tool, arguments, content, is_error}`; and `answer`, text or null.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub that: Option<String>,
    /// JSON pointer to a place of the state that holds the value `is`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// With `at`: the value. Null, or none, means that nothing is there.
    #[serde(skip_serializing_if = "Json::is_null")]
    pub is: Json,
    /// The state is as it would be after these calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<EndState>,
    /// A call like this was made, with success.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub called: Option<CallPattern>,
    /// No call like this was made, not even in vain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_called: Option<CallPattern>,
    /// The agent's answer is this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
}

/// The state after calls, up to declared freedoms.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EndState {
    /// The reference: calls that achieve the task.
    #[schemars(schema_with = "calls_schema")]
    pub calls: Vec<Call>,
    /// Places where the state may differ: JSON pointers in which a step `*` stands for any member or
    /// item and a last step `**` for all that is below. All that is below a free place is free.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub free: Vec<String>,
    /// JSON pointers to collections whose records may have other ids: their records are matched by the
    /// rest of what they hold.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub any_id: Vec<String>,
    /// Whether the agent must also have got every reply of the calls that change nothing, whatever the
    /// calls were by which it got them.
    #[serde(skip_serializing_if = "is_default")]
    pub replies: bool,
}

/// Calls of a kind.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CallPattern {
    /// Name of the tool.
    pub tool: String,
    /// Arguments that the call has, by name. It may have others.
    #[serde(skip_serializing_if = "JsonMap::is_empty")]
    pub arguments: JsonMap<String, Json>,
    /// Arguments that have one of several values, by name; null among them means that the argument may
    /// be left out.
    #[serde(skip_serializing_if = "JsonMap::is_empty")]
    #[schemars(schema_with = "choices_schema")]
    pub choices: JsonMap<String, Json>,
    /// Whether the call may have no arguments but those named here.
    #[serde(skip_serializing_if = "is_default")]
    pub only: bool,
    /// How often. Default: at least once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub times: Option<Times>,
}

/// How often something happens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Times {
    /// At least. Default 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<usize>,
    /// At most. Default: no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<usize>,
}

/// What the agent's answer must be. Exactly one of `equals`, `one_of`, `contains`, `set` and `number`
/// says so. Text is compared without regard to case and to spaces around it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Answer {
    /// This text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub equals: Option<String>,
    /// One of these texts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub one_of: Vec<String>,
    /// A text in which each of these occurs as words of their own. Commas within numbers do not count.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub contains: Vec<String>,
    /// These things and no others, in any order: a JSON list, or items set apart by commas,
    /// semicolons or lines.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub set: Vec<String>,
    /// This number; it is the last number of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<f64>,
    /// With `number`: how far off it may be. Default 0, up to rounding of the last bit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0))]
    pub tolerance: Option<f64>,
}

pub(crate) fn calls_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "array", "items": {
        "type": "object",
        "properties": {
            "tool": {"type": "string", "description": "Name of the tool."},
            "name": {"type": "string", "description": "The same as `tool`."},
            "arguments": {"type": "object", "description": "Arguments."}
        },
        "additionalProperties": false
    }})
}

fn choices_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "object", "additionalProperties": {"type": "array"}})
}
