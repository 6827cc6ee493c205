//! The behavior language as users write it: YAML or JSON, one behavior per tool.
//!
//! The reference page is `docs/behaviors.md`; the JSON Schema, made from these types, is
//! `docs/behavior.schema.json`. Text in expression position is CEL; see [`crate::cel`].

use crate::ErrorKind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map as JsonMap, Value as Json};
use std::collections::BTreeMap;

/// A CEL expression in text form, such as `flight.price * args.passengers`.
pub type ExprText = String;

/// A path into state in the form of a CEL expression, such as `users[args.user_id].cart`.
pub type PlaceText = String;

/// Text with expressions in braces, such as `Only {flight.seats} seats left`; `{{` is a brace.
pub type MessageText = String;

/// JSON in which every text is a CEL expression; numbers, booleans and null stand for themselves.
/// Three objects are special: `{$text: MESSAGE}` builds text, `{$value: JSON}` is literal JSON, and
/// `{$fill: {schema?, from?, rows?}}` is a slot for the filler (`fill` alone is the short form,
/// with the schema that the reply or collection has at that place; `from` is an expression whose
/// members are kept where the schema has them).
pub type Template = Json;

/// What the tools of one toolset do: the collections they share and one behavior per tool.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Behaviors {
    /// Collections of records, by the name that `in:` uses.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub collections: BTreeMap<String, Collection>,
    /// How replies and errors are wrapped, unless a behavior has its own envelope.
    #[serde(skip_serializing_if = "Envelope::is_empty")]
    pub envelope: Envelope,
    /// What a call of a tool that does not exist is answered with: a template over `tool` and `args`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unknown_tool: Option<Template>,
    /// The behavior of tools that `behaviors` does not name. It may use `tool`, an object with the
    /// tool's `name` and `api`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub otherwise: Option<Behavior>,
    /// Behaviors by tool name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub behaviors: BTreeMap<String, Behavior>,
}

/// A collection of records in the state.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Collection {
    /// Where it is in the state, as a path of names. Default: its own name. A collection that is
    /// scoped (a cart per user) is addressed as `carts[args.user_id]`, each scope a collection of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<PlaceText>,
    /// The member of a record that holds its id. Without it, a record's id is its key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// How new ids are made. Default: as the ids present, else from the id's schema.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ids: Option<IdStyle>,
    /// JSON Schema of a record, for values that nothing determines. `$ref`s point into `$defs` of
    /// this schema itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schema: Option<Json>,
    /// How the collection is stored when it does not exist yet.
    #[serde(skip_serializing_if = "is_default")]
    pub kind: CollectionKind,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// How a collection holds its records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CollectionKind {
    /// An object: id → record.
    #[default]
    Map,
    /// An array of records.
    List,
}

/// How ids of new records are made. All styles are deterministic in the session's seed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IdStyle {
    /// Whole numbers, one above the largest so far, starting with the number given.
    Integer(i64),
    /// As `integer`, written as text.
    IntegerText(i64),
    /// Text in which `#` becomes a digit and `?` a lower-case hexadecimal digit, such as `BK-######`.
    Pattern(String),
    /// A version 4 UUID.
    Uuid(bool),
}

/// What one tool does.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Behavior {
    /// Executed in order. A behavior without `reply` answers with null.
    pub steps: Vec<Step>,
    /// Wraps this tool's replies and errors in place of the toolset's envelope.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub envelope: Option<Envelope>,
    /// Arguments that break the spec are not refused beforehand: the steps see them, and what is wrong
    /// with them as `check` (null if nothing is): its members are `message`, `argument` (the one at
    /// fault), and the lists `missing` and `unexpected`. `repeated` tells whether the same call has
    /// succeeded before in the session.
    #[serde(skip_serializing_if = "is_default")]
    pub unchecked: bool,
    /// No steps: the reply is generated from the tool's return schema and the call alone.
    #[serde(skip_serializing_if = "is_default")]
    pub direct: bool,
    /// Why the behavior is as it is, for the reader.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Behavior {
    /// The same behavior with a first step that binds `tool`.
    #[must_use]
    pub fn for_tool(&self, name: &str, api: &str) -> Behavior {
        let tool = serde_json::json!({"$value": {"name": name, "api": api}});
        let bind = Step::from(Op::Let(JsonMap::from_iter([("tool".to_owned(), tool)])));
        Behavior { steps: std::iter::once(bind).chain(self.steps.iter().cloned()).collect(), ..self.clone() }
    }

    /// The same behavior with the steps of `derived` where it refers to them.
    #[must_use]
    pub fn with_derived(&self, derived: &Behavior) -> Behavior {
        let direct = || Step::from(Op::Reply(Json::from("fill")));
        let theirs = || match derived.direct {
            true => vec![direct()],
            false => derived.steps.clone(),
        };
        let splice = |step: &Step| match step.op {
            Op::Derived(Derived::All) => theirs(),
            Op::Derived(Derived::Steps) => vec![Step { op: Op::Do(theirs()), ..step.clone() }],
            Op::Derived(Derived::Effects) => {
                vec![Step { op: Op::Attempt(theirs()), ..step.clone() }]
            }
            _ => vec![step.clone()],
        };
        let envelope = self.envelope.clone().or_else(|| derived.envelope.clone());
        Behavior { steps: self.steps.iter().flat_map(splice).collect(), envelope, ..self.clone() }
    }
}

/// How replies and errors are wrapped.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Envelope {
    /// Template over `reply`. Default: the reply itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply: Option<Template>,
    /// Template over `error` (`kind`, `message`, `path`, `expected`, `status`) and `args`.
    /// Default: what the spec declares for the status, else `{error: {code, message}}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Template>,
}

impl Envelope {
    /// Whether nothing is wrapped.
    pub fn is_empty(&self) -> bool {
        self.reply.is_none() && self.error.is_none()
    }
}

/// One step: an operation, executed when `when` holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "StepText", into = "StepText")]
#[schemars(with = "StepText")]
pub struct Step {
    /// Condition; always, if absent.
    pub when: Option<ExprText>,
    /// What is done.
    pub op: Op,
    /// Why, for the reader: what was observed, say.
    pub note: Option<String>,
}

/// The operations.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// Fails the call unless something holds.
    Require(Require),
    /// Binds names to values for the steps that follow, in order.
    Let(JsonMap<String, Json>),
    /// Adds a record to a collection.
    Create(Create),
    /// Changes members of a record or a value in the state.
    Update(Update),
    /// Removes a record or member.
    Delete(Delete),
    /// Looks up one record.
    Get(Get),
    /// Selects, sorts and pages records.
    List(ListRows),
    /// Aggregates over records.
    Compute(Compute),
    /// Runs steps of which a failure is no failure of the call: nothing of them has happened then. A
    /// reply among them ends them, and is not given.
    Attempt(Vec<Step>),
    /// Runs steps as if written here, but a reply among them ends them and is not given.
    Do(Vec<Step>),
    /// Stands for what GTM derives from the spec for this tool.
    Derived(Derived),
    /// Answers and ends the behavior.
    Reply(Template),
}

/// Which part of the behavior derived from the spec.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Derived {
    /// All its steps, as if written here.
    All,
    /// Its failures and what it changes: its steps as a `do`.
    Steps,
    /// What it changes: its steps as an `attempt`.
    Effects,
}

/// `require: {exists|absent|that, error?, message?, status?}`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Require {
    /// A place that must hold something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exists: Option<PlaceText>,
    /// A place that must hold nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub absent: Option<PlaceText>,
    /// An expression that must be true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub that: Option<ExprText>,
    /// Kind of the failure. Default: `not_found` for `exists`, `conflict` for `absent`,
    /// `invalid_argument` for `that`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorKind>,
    /// What the agent is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<MessageText>,
    /// HTTP status, if other than the kind's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The whole of what the agent sees, in place of an envelope around the message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply: Option<Template>,
}

/// `create: {in, id?, from?, set?, as?, replace?, message?}`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Create {
    /// Collection, by name or as a place; made if it does not exist.
    #[serde(rename = "in")]
    pub within: PlaceText,
    /// Id of the record. Default: made in the collection's style.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<ExprText>,
    /// Object whose members the record starts with, such as `args`. Null members are left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<ExprText>,
    /// Members, over those of `from`.
    #[serde(skip_serializing_if = "JsonMap::is_empty")]
    pub set: JsonMap<String, Json>,
    /// Fill members that the collection's schema has and nothing above determines: `required`
    /// ones, `all`, or `none`.
    #[serde(skip_serializing_if = "is_default")]
    pub fill: FillMembers,
    /// Name for the record afterwards. Default `it`.
    #[serde(rename = "as", skip_serializing_if = "Option::is_none")]
    pub bind: Option<String>,
    /// Overwrite a record of the same id; otherwise that is a conflict.
    #[serde(skip_serializing_if = "is_default")]
    pub replace: bool,
    /// What the agent is told on a conflict.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<MessageText>,
}

/// Which members of a new record are invented.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FillMembers {
    /// None.
    #[default]
    None,
    /// Those that the collection's schema requires.
    Required,
    /// All that the collection's schema has.
    All,
}

/// `update: {at | in+id, set?, merge?, unset?, as?, upsert?, error?, message?}`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Update {
    /// The record or value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<PlaceText>,
    /// The record's collection, with `id`.
    #[serde(rename = "in", skip_serializing_if = "Option::is_none")]
    pub within: Option<PlaceText>,
    /// The record's id, with `in`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<ExprText>,
    /// Replaces the whole value first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Template>,
    /// Object whose non-null members are set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merge: Option<ExprText>,
    /// Members to set. `it` is the record before the step.
    #[serde(skip_serializing_if = "JsonMap::is_empty")]
    pub set: JsonMap<String, Json>,
    /// Members to remove.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unset: Vec<String>,
    /// Name for the record afterwards. Default `it`.
    #[serde(rename = "as", skip_serializing_if = "Option::is_none")]
    pub bind: Option<String>,
    /// Create it if it does not exist; otherwise that is `not_found`.
    #[serde(skip_serializing_if = "is_default")]
    pub upsert: bool,
    /// Kind of the failure if it does not exist. Default `not_found`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorKind>,
    /// What the agent is told if it does not exist.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<MessageText>,
}

/// `delete: {at | in+id, as?, missing_ok?, error?, message?}`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Delete {
    /// The record or member.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<PlaceText>,
    /// The record's collection, with `id`.
    #[serde(rename = "in", skip_serializing_if = "Option::is_none")]
    pub within: Option<PlaceText>,
    /// The record's id, with `in`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<ExprText>,
    /// Name for what was removed. Default `it`.
    #[serde(rename = "as", skip_serializing_if = "Option::is_none")]
    pub bind: Option<String>,
    /// Removing what does not exist is no failure.
    #[serde(skip_serializing_if = "is_default")]
    pub missing_ok: bool,
    /// Kind of the failure if it does not exist. Default `not_found`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorKind>,
    /// What the agent is told if it does not exist.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<MessageText>,
}

/// `get: {at | in+id, where?, as?, error?, message?, optional?}`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Get {
    /// The record or value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<PlaceText>,
    /// The record's collection, with `id` or `where`. In an open world a record of an id that was
    /// never seen is invented from the collection's schema.
    #[serde(rename = "in", skip_serializing_if = "Option::is_none")]
    pub within: Option<PlaceText>,
    /// The record's id, with `in`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<ExprText>,
    /// Instead of `id`: the first record for which this holds (`it` is the record, `key` its key).
    #[serde(rename = "where", skip_serializing_if = "Option::is_none")]
    pub filter: Option<ExprText>,
    /// Name for the record. Default `it`.
    #[serde(rename = "as", skip_serializing_if = "Option::is_none")]
    pub bind: Option<String>,
    /// Bind null if it does not exist; otherwise that is `not_found`.
    #[serde(skip_serializing_if = "is_default")]
    pub optional: bool,
    /// Kind of the failure if it does not exist. Default `not_found`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorKind>,
    /// What the agent is told if it does not exist.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<MessageText>,
}

/// `list: {in, where?, match?, search?, sort?, offset?, limit?, as?, total?}`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ListRows {
    /// Collection, by name or as a place. In an open world a collection that was never listed is
    /// first given a few invented records, which stay.
    #[serde(rename = "in")]
    pub within: PlaceText,
    /// Rows for which this holds (`it` is the record, `key` its key).
    #[serde(rename = "where", skip_serializing_if = "Option::is_none")]
    pub filter: Option<ExprText>,
    /// Rows whose members equal these; a member whose expression is null does not filter. A list
    /// on either side means "any of".
    #[serde(rename = "match", skip_serializing_if = "JsonMap::is_empty")]
    pub equal: JsonMap<String, Json>,
    /// Rows that contain this text, ignoring case, in any text member; null does not filter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search: Option<ExprText>,
    /// Order. Default: order of creation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sort: Option<Sort>,
    /// Rows to skip.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<ExprText>,
    /// Most rows to return.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<ExprText>,
    /// Name for the rows. Default `rows`.
    #[serde(rename = "as", skip_serializing_if = "Option::is_none")]
    pub bind: Option<String>,
    /// Name for the number of rows before paging. Default `total`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<String>,
}

/// `sort: {by, descending?}`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Sort {
    /// Expression for the member to sort by, as text: `'price'`, or `args.sort`. A leading `-`, or a
    /// trailing ` desc` or `:desc`, reverses. Null or an unknown member leaves the order as it is.
    pub by: ExprText,
    /// Expression for the direction: true, `'desc'` or `'descending'` reverse.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub descending: Option<ExprText>,
}

/// `compute: {over, where?, sum|avg|min|max|count, as}`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Compute {
    /// A list or object of records: a place or any expression.
    pub over: ExprText,
    /// Rows for which this holds (`it` is the record, `key` its key).
    #[serde(rename = "where", skip_serializing_if = "Option::is_none")]
    pub filter: Option<ExprText>,
    /// Sum of this over the rows; 0 for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sum: Option<ExprText>,
    /// Mean of this over the rows; null for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub avg: Option<ExprText>,
    /// Least of this over the rows; null for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<ExprText>,
    /// Greatest of this over the rows; null for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<ExprText>,
    /// Number of rows.
    #[serde(skip_serializing_if = "is_default")]
    pub count: bool,
    /// Name for the result.
    #[serde(rename = "as")]
    pub bind: String,
}

/// A step as written: exactly one operation, and perhaps a condition.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "Step")]
struct StepText {
    #[serde(skip_serializing_if = "Option::is_none")]
    when: Option<ExprText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    require: Option<Require>,
    #[serde(rename = "let", skip_serializing_if = "Option::is_none")]
    bind: Option<JsonMap<String, Json>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    create: Option<Create>,
    #[serde(skip_serializing_if = "Option::is_none")]
    update: Option<Update>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delete: Option<Delete>,
    #[serde(skip_serializing_if = "Option::is_none")]
    get: Option<Get>,
    #[serde(skip_serializing_if = "Option::is_none")]
    list: Option<ListRows>,
    #[serde(skip_serializing_if = "Option::is_none")]
    compute: Option<Compute>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attempt: Option<Vec<Step>>,
    #[serde(rename = "do", skip_serializing_if = "Option::is_none")]
    run: Option<Vec<Step>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    derived: Option<Derived>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    /// `Some(Null)` is the reply `null`.
    #[serde(deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    reply: Option<Template>,
}

/// Keeps `reply: null` apart from no reply at all.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Json>, D::Error> {
    Json::deserialize(deserializer).map(Some)
}

impl TryFrom<StepText> for Step {
    type Error = String;

    fn try_from(text: StepText) -> Result<Self, String> {
        let StepText {
            when,
            require,
            bind,
            create,
            update,
            delete,
            get,
            list,
            compute,
            attempt,
            run,
            derived,
            note,
            reply,
        } = text;
        let mut ops = [
            require.map(Op::Require),
            bind.map(Op::Let),
            create.map(Op::Create),
            update.map(Op::Update),
            delete.map(Op::Delete),
            get.map(Op::Get),
            list.map(Op::List),
            compute.map(Op::Compute),
            attempt.map(Op::Attempt),
            run.map(Op::Do),
            derived.map(Op::Derived),
            reply.map(Op::Reply),
        ]
        .into_iter()
        .flatten();
        match (ops.next(), ops.next()) {
            (Some(op), None) => Ok(Step { when, op, note }),
            _ => Err(
                "a step has exactly one of require, let, create, update, delete, get, list, compute, attempt, \
                 do, derived, reply"
                    .into(),
            ),
        }
    }
}

impl From<Step> for StepText {
    fn from(step: Step) -> Self {
        let mut text = StepText { when: step.when, note: step.note, ..StepText::default() };
        match step.op {
            Op::Require(op) => text.require = Some(op),
            Op::Let(op) => text.bind = Some(op),
            Op::Create(op) => text.create = Some(op),
            Op::Update(op) => text.update = Some(op),
            Op::Delete(op) => text.delete = Some(op),
            Op::Get(op) => text.get = Some(op),
            Op::List(op) => text.list = Some(op),
            Op::Compute(op) => text.compute = Some(op),
            Op::Attempt(steps) => text.attempt = Some(steps),
            Op::Do(steps) => text.run = Some(steps),
            Op::Derived(part) => text.derived = Some(part),
            Op::Reply(op) => text.reply = Some(op),
        }
        text
    }
}

impl From<Op> for Step {
    fn from(op: Op) -> Self {
        Step { when: None, op, note: None }
    }
}

/// The JSON Schema of [`Behaviors`], published as `docs/behavior.schema.json`.
pub fn json_schema() -> Json {
    schemars::schema_for!(Behaviors).into()
}
