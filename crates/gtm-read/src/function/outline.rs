//! The shape of a toolset's state, for readers other than the rules.

use super::context::Context;
use super::state_shape::{Collection, Kind, Scalar};
use super::tokens::{common, stems};
use super::{infer, tool};
use gtm_tool::ToolSpec;
use serde_json::Value as Json;

/// What the state holds, or what the tools let one expect that it holds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outline {
    /// Collections of records, those inside of records left out.
    pub(crate) collections: Vec<Group>,
    /// Single values and lists of plain values: path and value.
    pub(crate) values: Vec<(Vec<String>, Json)>,
}

/// A collection of records.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    /// Where it is.
    pub(crate) path: Vec<String>,
    /// How it holds its records: `map`, `list`, `lists` (by key) or `index` (values by key).
    pub(crate) kind: &'static str,
    /// The member that holds a record's id.
    pub(crate) id: Option<String>,
    /// Members of its records.
    pub(crate) members: Vec<Field>,
    words: Vec<String>,
}

/// A member of records.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    /// Its path in the record.
    pub(crate) path: Vec<String>,
    /// JSON type.
    pub(crate) kind: &'static str,
    /// Its values, where they are few texts that occur again.
    pub(crate) values: Vec<String>,
}

impl Outline {
    /// The outline of a state and of what the tools speak of beyond it.
    pub(crate) fn of(tools: &[ToolSpec], state: &Json) -> Outline {
        let specs: Vec<&ToolSpec> = tools.iter().collect();
        let mut ctx = Context::new(tool::tools(&specs), state);
        infer::extend(&mut ctx);
        let values = ctx.shape.scalars.iter().chain(&ctx.shape.lists);
        Outline {
            collections: ctx.shape.collections.iter().filter(|c| c.parent.is_none()).map(group).collect(),
            values: values.map(|Scalar { path, value, .. }| (path.clone(), value.clone())).collect(),
        }
    }

    /// Collections, those first that a tool's name and texts speak of most.
    pub(crate) fn relevant_to(&self, tool: &ToolSpec) -> Vec<&Group> {
        let mut said = stems(&tool.name);
        said.extend(stems(&tool.description));
        for property in gtm_tool::schema::properties(&tool.parameters, &tool.parameters) {
            said.extend(stems(property.name));
        }
        let mut out: Vec<&Group> = self.collections.iter().collect();
        out.sort_by_key(|group| std::cmp::Reverse(common(&group.words, &said)));
        out
    }
}

fn group(collection: &Collection) -> Group {
    let field = |member: &super::member::Member| {
        let kind = gtm_tool::schema::type_of(&member.first);
        let again = member.values.len() <= 8 && member.count >= member.values.len() + 2;
        let texts = kind == "string" && again && member.values.iter().all(|value| value.len() <= 24);
        Field {
            path: member.path.clone(),
            kind: if member.first.is_null() { "any" } else { kind },
            values: if texts { member.values.iter().cloned().collect() } else { Vec::new() },
        }
    };
    Group {
        path: collection.path.clone(),
        kind: match collection.kind {
            Kind::Map => "map",
            Kind::List => "list",
            Kind::Lists => "lists",
            Kind::Index => "index",
        },
        id: collection.id.clone(),
        members: collection.members.iter().map(field).collect(),
        words: collection.stems.iter().chain(collection.aliases.iter().flatten()).cloned().collect(),
    }
}
