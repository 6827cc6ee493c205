//! Tools of a domain, before style: what each takes, does and answers, in the pack's own names.

mod calculators;
mod devices;
mod lists;
mod operations;
mod reads;
mod runs;
mod step;
mod writes;

use crate::domain::{Domain, Kindred};
use crate::pack::{Attribute, Kind, OneOrMany};
use gtm_world::behavior::{Step, Template};

pub use runs::RUNS;

/// A tool without style.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Tells the tool from all others of its domain, such as `list order`.
    pub key: String,
    /// What kind of tool it is.
    pub family: Family,
    /// What is done: a common verb that styles have their own words for, or the field's own.
    pub verb: String,
    /// Words for what it is done to, and how: `order`, or `orders by customer`.
    pub object: Vec<String>,
    /// What it does, one or two sentences.
    pub about: String,
    /// Arguments.
    pub params: Vec<Param>,
    /// What is done, without the reply.
    pub steps: Vec<Step>,
    /// What is answered.
    pub reply: Reply,
    /// Roles that may call it; empty for anyone.
    pub by: Vec<String>,
    /// What it does to the state.
    pub effect: Effect,
}

/// Kinds of tools, as reports count them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)] // The names say it.
pub enum Family {
    Read,
    List,
    Search,
    Create,
    Update,
    Delete,
    Transition,
    Operation,
    Aggregate,
    Report,
    Calculator,
    Simulator,
    Device,
    Session,
}

/// What a tool does to the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Nothing.
    Read,
    /// Adds to it.
    Create,
    /// Changes what is there.
    Update,
    /// Removes from it.
    Delete,
}

/// An argument.
#[derive(Clone, Debug)]
pub struct Param {
    /// Name in expressions: `args.NAME`.
    pub name: String,
    /// What kind of value.
    pub attribute: Attribute,
    /// Must be given.
    pub required: bool,
    /// What it is for.
    pub role: ParamRole,
}

/// What an argument is for; decides its names in a style and how values for it are found.
#[derive(Clone, Debug, PartialEq)]
pub enum ParamRole {
    /// The id of a record of this entity.
    Id(String),
    /// The value of an attribute of this entity or singleton.
    Field(String, String),
    /// Keeps records whose attribute has this value: entity, attribute.
    Filter(String, String),
    /// Least value of an attribute: entity, attribute.
    Least(String, String),
    /// Greatest value of an attribute: entity, attribute.
    Most(String, String),
    /// Text to search for in records of this entity.
    Query(String),
    /// Name of the attribute to sort by.
    SortBy,
    /// Direction to sort in.
    Order,
    /// Most rows to answer.
    Limit,
    /// Rows to skip.
    Offset,
    /// Anything else.
    Other,
}

/// What a tool answers.
#[derive(Clone, Debug)]
pub enum Reply {
    /// A record of this entity or singleton, held by a variable.
    Record(String, String),
    /// Records of this entity: the variable with the rows and, if they are a page, the one with the total.
    Rows(String, String, Option<String>),
    /// That something was done to a record: entity, what was done (`deleted`), expression for its id.
    Done(String, String, String),
    /// Anything else.
    Value(Template),
}

impl Param {
    fn new(name: impl Into<String>, attribute: Attribute, required: bool, role: ParamRole) -> Param {
        Param { name: name.into(), attribute, required, role }
    }

    /// The id of a record, named as its entity.
    fn id(kindred: &Kindred) -> Param {
        let attribute = Attribute { kind: Kind::Ref(kindred.name.clone()), ..Attribute::default() };
        Param::new(&kindred.name, attribute, true, ParamRole::Id(kindred.name.clone()))
    }
}

/// All tools of a domain.
pub fn plans(domain: &Domain) -> Vec<Plan> {
    let mut plans = Vec::new();
    for kindred in domain.entities.values() {
        reads::add(domain, kindred, &mut plans);
        lists::add(domain, kindred, &mut plans);
        writes::add(domain, kindred, &mut plans);
        operations::moves(domain, kindred, &mut plans);
    }
    for kindred in domain.singletons.values() {
        devices::add(domain, kindred, &mut plans);
    }
    operations::add(domain, &mut plans);
    calculators::add(domain, &mut plans);
    runs::add(domain, &mut plans);
    plans
}

/// Roles as a list.
fn roles(by: Option<&OneOrMany>) -> Vec<String> {
    by.map(|by| by.all().to_vec()).unwrap_or_default()
}

/// `order_line` → `order line`.
fn spaced(name: &str) -> String {
    name.replace('_', " ")
}

/// `a` or `an` before a word.
fn article(word: &str) -> &'static str {
    // As it is spoken: a unit, a user, a one-way ticket.
    let consonant = ["uni", "use", "usa", "uti", "eu", "one"].iter().any(|start| word.starts_with(start));
    if word.starts_with(['a', 'e', 'i', 'o', 'u']) && !consonant { "an" } else { "a" }
}

fn words(text: &str) -> Vec<String> {
    text.split(['_', ' ']).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}
