//! Which records a behavior looks at, told by its steps: so that calls can be about records that there are.

use gtm_world::Value;
use gtm_world::behavior::{Behavior, Op, Step};
use serde_json::{Map as JsonMap, Value as Json};

/// What is done to records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Act {
    Get,
    List,
    Update,
    Delete,
    Create,
}

impl Act {
    /// As facts about tools name it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Act::Get => "get",
            Act::List => "list",
            Act::Update => "update",
            Act::Delete => "delete",
            Act::Create => "create",
        }
    }
}

/// One step that looks at records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Use {
    pub(super) act: Act,
    /// The collection.
    pub(super) collection: String,
    /// Arguments that say which one of several, such as the user whose carts they are.
    pub(super) scopes: Vec<String>,
    /// Argument that holds the record's id.
    pub(super) id: Option<String>,
}

/// The uses of a behavior, in order; steps whose place is not said by plain names and arguments are left out.
pub(super) fn uses(behavior: &Behavior) -> Vec<Use> {
    let mut found = Vec::new();
    add(&behavior.steps, &mut found);
    found
}

/// What a behavior does in the end: what changes something counts before what reads.
pub(super) fn main(uses: &[Use]) -> Option<&Use> {
    uses.iter().max_by_key(|u| u.act)
}

fn add(steps: &[Step], found: &mut Vec<Use>) {
    for step in steps {
        let (act, within, at, id) = match &step.op {
            Op::Create(op) => (Act::Create, Some(&op.within), None, op.id.as_ref()),
            Op::Delete(op) => (Act::Delete, op.within.as_ref(), op.at.as_ref(), op.id.as_ref()),
            Op::Update(op) => (Act::Update, op.within.as_ref(), op.at.as_ref(), op.id.as_ref()),
            Op::List(op) => (Act::List, Some(&op.within), None, None),
            Op::Get(op) => (Act::Get, op.within.as_ref(), op.at.as_ref(), op.id.as_ref()),
            Op::Attempt(steps) | Op::Do(steps) => {
                add(steps, found);
                continue;
            }
            _ => continue,
        };
        let place = match (within, at) {
            (Some(within), _) => place(within).map(|(name, scopes)| {
                let id = id.and_then(|id| argument(id));
                (name, scopes, id)
            }),
            // The last index of a place is the record's id.
            (None, Some(at)) => place(at).map(|(name, mut scopes)| {
                let id = scopes.pop();
                (name, scopes, id)
            }),
            (None, None) => None,
        };
        if let Some((collection, scopes, id)) = place {
            found.push(Use { act, collection, scopes, id });
        }
    }
}

/// `carts[args.user_id]` → `carts`, `user_id`.
fn place(text: &str) -> Option<(String, Vec<String>)> {
    let mut parts = text.trim().split('[');
    let name = parts.next().filter(|name| !name.contains(['(', ')', '.', ' ']))?;
    let scopes = parts.map(|part| argument(part.strip_suffix(']')?)).collect::<Option<Vec<String>>>()?;
    Some((name.to_owned(), scopes))
}

/// `args.user_id` or `string(args.user_id)` → `user_id`.
fn argument(text: &str) -> Option<String> {
    let text = text.trim();
    let text = text.strip_prefix("string(").and_then(|rest| rest.strip_suffix(')')).unwrap_or(text);
    let name = text.strip_prefix("args.")?;
    name.chars().all(|c| c.is_alphanumeric() || c == '_').then(|| name.to_owned())
}

/// Ids of the records of a use, as far as the arguments so far say which.
pub(super) fn ids(
    state: &Value,
    path: &[String],
    used: &Use,
    arguments: &JsonMap<String, Json>,
) -> Vec<String> {
    let mut at = Some(state.clone());
    for name in path {
        at = at.and_then(|value| value.get(name).cloned());
    }
    for scope in &used.scopes {
        let key = arguments.get(scope).and_then(key);
        at = at.zip(key).and_then(|(value, key)| value.get(&key).cloned());
    }
    at.as_ref()
        .and_then(Value::as_map)
        .map(|map| map.iter().map(|(id, _)| id.to_string()).collect())
        .unwrap_or_default()
}

/// A JSON value as the key of a collection.
pub(super) fn key(value: &Json) -> Option<String> {
    Value::from(value).as_key().map(|key| key.to_string())
}
