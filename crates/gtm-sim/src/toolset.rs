//! The toolset: everything a simulator is configured by.
//!
//! The file format is the serialised [`ToolsetFile`]; its reference page is `docs/toolset.md`, its
//! JSON Schema `docs/toolset.schema.json`. Reading files is in [`crate::load`].

use crate::fault::Fault;
use crate::live::LiveSource;
use crate::recording::Recording;
use gtm_error::{Code, Error, Result};
use gtm_tool::ToolSpec;
use gtm_world::{Behaviors, Clock};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Map as JsonMap, Value as Json};
use std::collections::BTreeMap;

/// What a simulator is made from.
#[derive(Clone, Debug, PartialEq)]
pub struct Toolset {
    /// Name, shown to users and used in addresses.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Where the tools came from, as written in the file; for display only once loaded.
    pub specs: Vec<String>,
    /// The tools, with unique names.
    pub tools: Vec<ToolSpec>,
    /// State that sessions start from, an object; empty if none was given.
    pub state: Json,
    /// File that the state was read from, if any.
    pub state_file: Option<String>,
    /// Whether records may be invented on first look.
    pub world: WorldKind,
    /// Seed of sessions that are opened without one.
    pub seed: u64,
    /// Notes on how the tools are to behave, for readers that understand prose.
    pub instructions: String,
    /// The sessions' logical clock.
    pub clock: Clock,
    /// How strictly arguments are checked.
    pub arguments: ArgumentPolicy,
    /// Behaviors written by the user; they win over those read from the specs.
    pub behaviors: Behaviors,
    /// Behaviors learned from recordings; they win over those read from the specs, and the user's own
    /// over them. Those of tools that the toolset does not have are ignored.
    pub learned: Behaviors,
    /// File that they were read from, if any.
    pub learned_file: Option<String>,
    /// Failures to inject.
    pub faults: Vec<Fault>,
    /// Files that recordings were read from, as written in the file.
    pub recording_files: Vec<String>,
    /// Recorded sessions whose calls are replayed.
    pub recordings: Vec<Recording>,
    /// Where some of the tools are really to be found. They are asked only by who connects them
    /// ([`crate::Simulator::with_live`]).
    pub live: Vec<LiveSource>,
    /// Limits.
    pub limits: Limits,
}

/// A toolset as it is written in a file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(title = "GTM toolset")]
pub struct ToolsetFile {
    /// Address of this schema, for editors.
    #[serde(rename = "$schema", skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// Name. Default: the file's name without extension.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it is for.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Spec files or folders of them, as paths relative to this file: OpenAPI, Swagger, MCP lists,
    /// OpenAI tools, BFCL, ToolBench or GTM's own specs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub specs: Vec<String>,
    /// Tools given here, in any of the list formats: `{name, description, parameters, returns}`,
    /// `{name, inputSchema, outputSchema}`, `{type: function, function: {...}}`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "any_objects")]
    pub tools: Vec<Json>,
    /// State that sessions start from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<JsonMap<String, Json>>,
    /// File that holds the state, JSON or YAML, as a path relative to this file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state_file: Option<String>,
    /// `open`: records of unknown ids are invented on first look. `closed`: only what was given or
    /// created exists. Default: `closed` if a state is given, else `open`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub world: Option<WorldKind>,
    /// Seed of sessions that are opened without one. Default 0.
    #[serde(skip_serializing_if = "is_default")]
    pub seed: u64,
    /// Notes on how the tools are to behave, for readers that understand prose.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub instructions: String,
    /// The sessions' logical clock.
    #[serde(skip_serializing_if = "is_default")]
    pub clock: Clock,
    /// How strictly arguments are checked. Default `lenient`.
    #[serde(skip_serializing_if = "is_default")]
    pub arguments: ArgumentPolicy,
    /// File of behaviors learned from recordings (`gtm learn`), as a path relative to this file. They
    /// win over those read from the specs; `behaviors` wins over them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub learned: Option<String>,
    /// Failures to inject.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<Fault>,
    /// Recordings (`gtm record`), files or folders as paths relative to this file: a call that was
    /// recorded in the same state is answered as it was then. If no specs are given, the tools are
    /// those of the recordings.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub recordings: Vec<String>,
    /// Real tools that answer in place of simulated ones, where the command line says `--live`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub live: Vec<LiveSource>,
    /// Limits.
    #[serde(skip_serializing_if = "is_default")]
    pub limits: Limits,
    // `deny_unknown_fields` and `flatten` do not go together, so the five members of `Behaviors`
    // stand here by name.
    /// Collections of records, by the name that `in:` uses in behaviors.
    #[serde(skip_serializing_if = "is_default")]
    pub collections: BTreeMap<String, gtm_world::behavior::Collection>,
    /// How replies and errors are wrapped, unless a behavior has its own envelope.
    #[serde(skip_serializing_if = "is_default")]
    pub envelope: gtm_world::behavior::Envelope,
    /// What a call of a tool that does not exist is answered with: a template over `tool` and `args`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unknown_tool: Option<Json>,
    /// The behavior of tools that `behaviors` does not name. It may use `tool`, an object with the
    /// tool's `name` and `api`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub otherwise: Option<gtm_world::Behavior>,
    /// Behaviors by tool name. They win over those read from the specs.
    #[serde(skip_serializing_if = "is_default")]
    pub behaviors: BTreeMap<String, gtm_world::Behavior>,
}

/// Whether records may be invented on first look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum WorldKind {
    /// Records of unknown ids are invented on first look, and stay.
    #[default]
    Open,
    /// Only what was given or created exists.
    Closed,
}

/// How strictly arguments are checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ArgumentPolicy {
    /// As real tools do: text that spells a value of the declared type (`"3"` for a number) is
    /// taken as that value, and null for an optional argument counts as absent.
    #[default]
    Lenient,
    /// Exactly by the schema.
    Strict,
}

/// All limits of a toolset.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Limits on what specs may hold (docs/limits.md).
    #[serde(skip_serializing_if = "is_default")]
    #[schemars(schema_with = "tool_limits")]
    pub tool: gtm_tool::Limits,
    /// Limits on what one call and one session may cost.
    #[serde(skip_serializing_if = "is_default")]
    pub world: gtm_world::Limits,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn any_objects(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "array", "items": {"type": "object"}})
}

/// Made from the defaults, since the type lives in a crate that knows nothing of schemas.
fn tool_limits(_: &mut SchemaGenerator) -> Schema {
    let defaults = serde_json::to_value(gtm_tool::Limits::default()).unwrap_or_default();
    let properties: JsonMap<String, Json> = defaults
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, default)| {
            (name.clone(), serde_json::json!({"type": "integer", "minimum": 0, "default": default}))
        })
        .collect();
    json_schema!({"type": "object", "properties": properties, "additionalProperties": false})
}

impl Toolset {
    /// A toolset of these tools and nothing else: an open world without initial state.
    pub fn from_tools(name: impl Into<String>, tools: Vec<ToolSpec>) -> Toolset {
        Toolset {
            name: name.into(),
            description: String::new(),
            specs: Vec::new(),
            tools,
            state: Json::Object(JsonMap::new()),
            state_file: None,
            world: WorldKind::Open,
            seed: 0,
            instructions: String::new(),
            clock: Clock::default(),
            arguments: ArgumentPolicy::default(),
            behaviors: Behaviors::default(),
            learned: Behaviors::default(),
            learned_file: None,
            faults: Vec::new(),
            recording_files: Vec::new(),
            recordings: Vec::new(),
            live: Vec::new(),
            limits: Limits::default(),
        }
    }

    /// The same toolset with an initial state, which closes the world.
    pub fn with_state(mut self, state: Json) -> Toolset {
        self.state = state;
        self.world = WorldKind::Closed;
        self
    }

    /// The toolset as a file that stands on its own: the tools, and the state unless a file holds it,
    /// are written out.
    pub fn to_file(&self) -> ToolsetFile {
        let given = self.state.as_object().filter(|state| !state.is_empty());
        let usual = if given.is_some() { WorldKind::Closed } else { WorldKind::Open };
        ToolsetFile {
            schema: None,
            name: Some(self.name.clone()),
            description: self.description.clone(),
            specs: Vec::new(),
            tools: self.tools.iter().filter_map(|tool| serde_json::to_value(tool).ok()).collect(),
            state: given.cloned(),
            state_file: None,
            world: (self.world != usual).then_some(self.world),
            seed: self.seed,
            instructions: self.instructions.clone(),
            clock: self.clock.clone(),
            arguments: self.arguments,
            learned: self.learned_file.clone(),
            faults: self.faults.clone(),
            recordings: self.recording_files.clone(),
            live: self.live.clone(),
            limits: self.limits.clone(),
            collections: self.behaviors.collections.clone(),
            envelope: self.behaviors.envelope.clone(),
            unknown_tool: self.behaviors.unknown_tool.clone(),
            otherwise: self.behaviors.otherwise.clone(),
            behaviors: self.behaviors.behaviors.clone(),
        }
    }

    /// The toolset as YAML; [`Toolset::parse`] reads it back.
    ///
    /// # Errors
    /// [`Code::Internal`] if it cannot be written as YAML, which does not happen for what was read.
    pub fn to_yaml(&self) -> Result<String> {
        serde_saphyr::to_string(&self.to_file())
            .map_err(|e| Error::new(Code::Internal, format!("cannot write the toolset as YAML: {e}")))
    }

    /// JSON Schema of the file format, as in `docs/toolset.schema.json`.
    pub fn json_schema() -> Json {
        serde_json::to_value(schemars::schema_for!(ToolsetFile)).unwrap_or_default()
    }
}
