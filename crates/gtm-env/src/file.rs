//! Environments as they are written in files. The reference page is `docs/environments.md`.

use crate::goal::{Goal, RewardKind, calls_schema};
use gtm_sim::{Call, Fault, WorldKind};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Map as JsonMap, Value as Json};
use std::collections::BTreeSet;

/// An environment as it is written in a file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(title = "GTM environment")]
pub struct EnvironmentFile {
    /// Address of this schema, for editors.
    #[serde(rename = "$schema", skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// Name, also in addresses. Default: the file's name without extension.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it is for.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The toolset of tasks that name none: a path relative to this file (a toolset file, a spec, a
    /// folder of specs), or a toolset written out here.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "path_or_object")]
    pub toolset: Option<Json>,
    /// Ways in that are open. Default: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dialects: Option<BTreeSet<Dialect>>,
    /// Name of the tool by which an agent hands in its answer, where the way in has no other place for
    /// it. Default `submit_answer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub submit: Option<String>,
    /// Limits of tasks that set none.
    #[serde(skip_serializing_if = "is_default")]
    pub limits: TaskLimits,
    /// How tasks that do not say so pay. Default `sparse`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reward: Option<RewardKind>,
    /// Tasks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<Task>,
    /// Files with more tasks, as paths relative to this file: lists of tasks as here, task files of
    /// the tau-bench and BFCL kinds, and datasets of `gtm carg run`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub task_files: Vec<String>,
}

/// Something to be achieved with the tools of a toolset.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Task {
    /// Id, unique in the environment. Default: its number.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// What it is held out for, such as `train` or `test`. Default `train`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split: Option<String>,
    /// What is asked, as the agent reads it.
    pub instruction: String,
    /// Toolset in place of the environment's: a path relative to the file, or a toolset written out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "path_or_object")]
    pub toolset: Option<Json>,
    /// Initial state in place of the toolset's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<JsonMap<String, Json>>,
    /// Seed in place of the toolset's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Kind of world in place of the toolset's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub world: Option<WorldKind>,
    /// Faults in place of the toolset's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub faults: Option<Vec<Fault>>,
    /// Names of the tools that may be used. Default: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tools: Option<Vec<String>>,
    /// Limits.
    #[serde(skip_serializing_if = "is_default")]
    pub limits: TaskLimits,
    /// What counts as done.
    pub goal: Goal,
    /// Calls that achieve the task, for who tries it out. Default: those of the goal's first `after`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "calls_schema")]
    pub reference: Vec<Call>,
}

/// What an attempt may use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TaskLimits {
    /// Calls, failed ones included; the attempt is over with the last of them. Default: no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calls: Option<usize>,
}

/// A way in to an environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    /// OpenEnv: WebSocket, JSON-RPC, schema, metadata.
    Openenv,
    /// ORS, which OpenReward speaks.
    Ors,
    /// A NeMo Gym resources server.
    NemoGym,
    /// MCP.
    Mcp,
    /// OpenAI chat completions.
    Openai,
    /// StableToolBench's `/virtual`.
    Virtual,
}

impl Dialect {
    /// Every dialect.
    pub const ALL: [Dialect; 6] =
        [Dialect::Openenv, Dialect::Ors, Dialect::NemoGym, Dialect::Mcp, Dialect::Openai, Dialect::Virtual];
}

impl EnvironmentFile {
    /// JSON Schema of the file format, as in `docs/environment.schema.json`.
    pub fn json_schema() -> Json {
        serde_json::to_value(schemars::schema_for!(EnvironmentFile)).unwrap_or_default()
    }
}

/// JSON Schema of a list of tasks in a file of its own.
pub(crate) fn tasks_schema() -> Json {
    serde_json::to_value(schemars::schema_for!(Vec<Task>)).unwrap_or_default()
}

pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn path_or_object(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": ["string", "object"]})
}
