//! Domain packs as authors write them: one YAML file per domain, `packs/<area>/<domain>.yaml`.
//!
//! The reference page is `docs/packs.md`; the JSON Schema, made from these types, is
//! `docs/pack.schema.json`. Steps are those of behaviors (`docs/behaviors.md`), expressions are CEL
//! (`docs/functions.md`).

mod attribute;
mod load;
mod short;

pub use attribute::{Attribute, AttributeParts, Kind, Range, Semantic, Spread};
pub use load::{load, pack_files, parse};

use gtm_world::behavior::{ExprText, PlaceText, Step, Template};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// One domain: what exists in it, what may happen to it, and what can be computed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "GTM domain pack")]
pub struct Pack {
    /// Address of this schema, for editors.
    #[serde(rename = "$schema", default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// Name of the domain, lower case with underscores; the file is called so.
    pub domain: String,
    /// Name of the area; the folder is called so.
    pub area: String,
    /// Title as people write it.
    pub title: String,
    /// What is done in this domain, in one to three sentences.
    pub about: String,
    /// What was looked up: books, standards, regulations, manuals, API references.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<String>,
    /// Who acts: roles that `by` names. The first one is the ordinary user.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// Numbers, lists and tables that expressions may name.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub constants: IndexMap<String, Json>,
    /// Word lists of the field.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub lexicons: IndexMap<String, Vec<String>>,
    /// Grammars for free text: alternatives with holes. `{word}` is a word of a lexicon or another
    /// text, `{2..30}` a number, `{it.total}` a member of the record spoken of.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub texts: IndexMap<String, Vec<String>>,
    /// Types of records, by singular name.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub entities: IndexMap<String, Entity>,
    /// Things of which there is exactly one: a device, an account, a robot arm.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub singletons: IndexMap<String, Entity>,
    /// What is done across entities, beyond creating, reading, changing and deleting one record.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub operations: IndexMap<String, Operation>,
    /// Figures over many records.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub reports: IndexMap<String, Report>,
    /// Calculations.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub formulas: IndexMap<String, Formula>,
    /// Processes that run over time.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub simulators: IndexMap<String, Simulator>,
}

/// A type of record, or (under `singletons`) one thing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Entity {
    /// What it is, in one sentence.
    pub about: String,
    /// Name of the collection. Default: the regular English plural.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plural: Option<String>,
    /// How ids look: a pattern (`#` digit, `?` hexadecimal digit) such as `ORD-######`, `integer`, or
    /// `uuid`. Default: `integer`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// How many records a session starts with, least and most. Default: 4 to 12.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<[u32; 2]>,
    /// What is known of each record, in order. A name that ends with `?` may be missing.
    pub attributes: IndexMap<String, Attribute>,
    /// States, and who may move a record between them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifecycle: Option<Lifecycle>,
    /// Conditions and side effects of creating, changing and deleting.
    #[serde(default, skip_serializing_if = "Rules::is_empty")]
    pub rules: Rules,
    /// What people of the field call these actions, such as `{create: admit, delete: discharge}`.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub verbs: IndexMap<Action, String>,
    /// Actions that the field does not allow at all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<Action>,
    /// Roles that may do an action; anyone, if not given.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub by: IndexMap<Action, OneOrMany>,
}

/// What can be done with a record of any type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Look up one by id.
    Get,
    /// List, filter and search.
    List,
    /// Add one.
    Create,
    /// Change members.
    Update,
    /// Remove one.
    Delete,
}

/// The states a record goes through.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lifecycle {
    /// The attribute that holds the state. Default `status`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The states; the first is where records start.
    pub states: Vec<String>,
    /// Moves from state to state, by verb.
    pub moves: IndexMap<String, Move>,
}

/// `verb: {from, to, by?, takes?, steps?, set?, about?}`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Move {
    /// What it means, in one sentence.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub about: String,
    /// State or states it starts from; `any` for all.
    pub from: OneOrMany,
    /// State it leads to.
    pub to: String,
    /// Roles that may do it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<OneOrMany>,
    /// Arguments besides the record's id.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub takes: IndexMap<String, Attribute>,
    /// Conditions and effects on other records, before the record itself is changed. The record is
    /// `it`, and also has its entity's name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Step>,
    /// Members of the record that change with the state, as templates.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub set: IndexMap<String, Template>,
}

/// Steps around the ordinary actions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Rules {
    /// Before a record is made; `args` are its attributes, and records that `ref` attributes point
    /// to have the attribute's name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub create: Vec<Step>,
    /// After it is made; the record is `it`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub created: Vec<Step>,
    /// Before it is changed by `args`; the record before is `it`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub update: Vec<Step>,
    /// Before it is removed; the record is `it`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub delete: Vec<Step>,
}

impl Rules {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// `name: {about, takes, by?, steps}`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Operation {
    /// What it does, in one or two sentences, as documentation tells it.
    pub about: String,
    /// Roles that may do it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<OneOrMany>,
    /// Arguments. The record that a `ref` argument points to has the argument's name; the id is
    /// `args.NAME`. An id without record fails with `not_found` before the first step.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub takes: IndexMap<String, Attribute>,
    /// What is done, in the language of behaviors; `in:` names a collection by the entity's plural.
    pub steps: Vec<Step>,
}

/// `name: {about, over, where?, by?, takes?, measures}`: figures over records, in groups or as a whole.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// What it tells.
    pub about: String,
    /// Plural of the entity.
    pub over: PlaceText,
    /// Rows that count: an expression over `it` and `args`.
    #[serde(rename = "where", default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<ExprText>,
    /// One row per value of this expression over `it`; one row in all, if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<ExprText>,
    /// Arguments.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub takes: IndexMap<String, Attribute>,
    /// Figures: expressions over `rows`, the list of records, such as `rows.map(r, r.total).sum()`.
    pub measures: IndexMap<String, ExprText>,
}

/// `name: {about, in, let?, require?, out, unit?, source, worked}`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Formula {
    /// What it gives and when it holds.
    pub about: String,
    /// Inputs, with the ranges in which the formula holds; expressions name them as they are.
    #[serde(rename = "in")]
    pub inputs: IndexMap<String, Attribute>,
    /// Intermediate values, in order.
    #[serde(rename = "let", default, skip_serializing_if = "IndexMap::is_empty")]
    pub bind: IndexMap<String, ExprText>,
    /// Conditions beyond the ranges.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub require: Vec<Condition>,
    /// The result: an expression, or several by name.
    pub out: Outputs,
    /// Unit of the result, or units by name. Leave it out for pure numbers and text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Units>,
    /// Where the formula is from: book and equation, standard and clause.
    pub source: String,
    /// Cases computed by someone else, or by hand from the source.
    pub worked: Vec<Worked>,
}

/// `{that, error?, message}`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// Expression that must be true.
    pub that: ExprText,
    /// Kind of the failure. Default `invalid_argument`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<gtm_world::ErrorKind>,
    /// What the caller is told; expressions in braces.
    pub message: String,
}

/// One expression, or several by name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Outputs {
    /// The result.
    One(ExprText),
    /// Results by name; later ones may use earlier ones.
    Many(IndexMap<String, ExprText>),
}

impl Default for Outputs {
    fn default() -> Self {
        Outputs::Many(IndexMap::new())
    }
}

/// One unit, or several by the name of the result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Units {
    /// Of the only result.
    One(String),
    /// By name.
    Many(IndexMap<String, String>),
}

/// `{in, out, tol?, source?}`: a case with a known result.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Worked {
    /// Inputs.
    #[serde(rename = "in")]
    pub inputs: IndexMap<String, Json>,
    /// The known result, or results by name (some or all).
    pub out: Json,
    /// Relative tolerance. Default 0.005; numbers that are given exactly deserve less.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tol: Option<f64>,
    /// Where the case is from, if not from the formula's source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// A process over time: `{about, parameters?, controls?, state, dt, let?, rates | next, outputs?, alarms?, worked?}`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Simulator {
    /// What runs, and what a user does with it.
    pub about: String,
    /// Fixed when a run is set up.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub parameters: IndexMap<String, Attribute>,
    /// May be set between steps; the default is the value at the start.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub controls: IndexMap<String, Attribute>,
    /// State variables; the default (an expression over the parameters) is the value at the start,
    /// otherwise it is an argument of setting up.
    pub state: IndexMap<String, Attribute>,
    /// Length of one step, and its unit of time.
    pub dt: TimeStep,
    /// Intermediate values of one step, in order.
    #[serde(rename = "let", default, skip_serializing_if = "IndexMap::is_empty")]
    pub bind: IndexMap<String, ExprText>,
    /// Derivatives of state variables by time, in units of `dt`'s unit: integrated with Runge-Kutta.
    /// Variables that are not named stay as they are.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub rates: IndexMap<String, ExprText>,
    /// For processes in discrete steps, instead of `rates`: the state after a step.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub next: IndexMap<String, ExprText>,
    /// Figures derived from the state.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub outputs: IndexMap<String, ExprText>,
    /// Conditions that a reading reports: name → expression.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub alarms: IndexMap<String, ExprText>,
    /// Where the model is from.
    pub source: String,
    /// Known courses: after `steps` steps from `in` (parameters, controls, state), the state or
    /// outputs are as in `out`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub worked: Vec<WorkedRun>,
}

/// `{in, steps, out, tol?, source?}`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkedRun {
    /// Parameters, controls and starting state; defaults where left out.
    #[serde(rename = "in", default, skip_serializing_if = "IndexMap::is_empty")]
    pub inputs: IndexMap<String, Json>,
    /// Number of steps.
    pub steps: u32,
    /// State variables or outputs afterwards.
    pub out: IndexMap<String, Json>,
    /// Relative tolerance. Default 0.005.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tol: Option<f64>,
    /// Where the case is from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// `{step, unit}`, such as `{step: 0.5, unit: s}`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TimeStep {
    /// Length of one step. Expressions know it as `dt`, and the time passed since the start as `t`.
    pub step: f64,
    /// Unit of time.
    pub unit: String,
}

/// One text or several.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum OneOrMany {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

impl Default for OneOrMany {
    fn default() -> Self {
        OneOrMany::Many(Vec::new())
    }
}

impl OneOrMany {
    /// All of them.
    pub fn all(&self) -> &[String] {
        match self {
            OneOrMany::One(one) => std::slice::from_ref(one),
            OneOrMany::Many(many) => many,
        }
    }
}

impl Entity {
    /// Name of the collection of records of the entity called `name`.
    pub fn collection(&self, name: &str) -> String {
        self.plural.clone().unwrap_or_else(|| plural(name))
    }
}

impl Lifecycle {
    /// The attribute that holds the state.
    pub fn field(&self) -> &str {
        self.field.as_deref().unwrap_or("status")
    }
}

impl Pack {
    /// The entity whose collection has this name, with its own name.
    pub fn by_collection(&self, collection: &str) -> Option<(&str, &Entity)> {
        self.entities
            .iter()
            .find(|(name, entity)| entity.collection(name) == collection)
            .map(|(name, entity)| (name.as_str(), entity))
    }
}

/// The regular English plural of a snake_case name.
pub fn plural(name: &str) -> String {
    let consonant_before_y = |stem: &str| !stem.ends_with(['a', 'e', 'i', 'o', 'u']);
    match name {
        _ if name.ends_with("person") => format!("{}people", &name[..name.len() - 6]),
        _ if name.ends_with('y') && consonant_before_y(&name[..name.len() - 1]) => {
            format!("{}ies", &name[..name.len() - 1])
        }
        _ if name.ends_with('s') || name.ends_with('x') || name.ends_with("ch") || name.ends_with("sh") => {
            format!("{name}es")
        }
        _ => format!("{name}s"),
    }
}

/// The JSON Schema of [`Pack`], published as `docs/pack.schema.json`.
pub fn json_schema() -> Json {
    schemars::schema_for!(Pack).into()
}
