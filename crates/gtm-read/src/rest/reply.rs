//! Replies in the declared shape.

use super::entity::Entity;
use super::schema::Node;
use super::shape::Shape;
use crate::fill::Name;
use serde_json::{Map, Value as Json, json};

/// What the members beside the record or the rows become.
pub(super) trait Beside {
    /// Template for a member; `None` if it is nothing special.
    fn member(&self, name: &Name, node: &Node<'_>) -> Option<Json>;
}

/// Members beside a single record.
pub(super) struct Plain;

impl Beside for Plain {
    fn member(&self, name: &Name, node: &Node<'_>) -> Option<Json> {
        let boolean = node.primary() == Some("boolean");
        match name.joined() {
            "success" | "ok" | "deleted" | "issuccess" | "successful" | "acknowledged" if boolean => {
                Some(json!(true))
            }
            "error" | "haserror" | "iserror" if boolean => Some(json!(false)),
            _ => None,
        }
    }
}

/// A reply that holds the record that `it` evaluates to.
pub(super) fn record(shape: &Shape<'_>, entity: &Entity<'_>, it: &str) -> Json {
    let of = |node: &Node<'_>| if is_as_stored(Some(*node), entity) { json!(it) } else { fill_from(it) };
    match shape {
        Shape::Empty => Json::Null,
        Shape::Open => json!(it),
        Shape::Other | Shape::Ids(_) | Shape::Rows(_, None) => json!("fill"),
        Shape::Record(path, node) => wrapped(root_of(node), path, of(node), &Plain),
        Shape::Rows(path, Some(node)) => wrapped(root_of(node), path, json!([of(node)]), &Plain),
    }
}

/// A reply that holds the rows that `rows` evaluates to.
pub(super) fn rows(
    shape: &Shape<'_>,
    returns: Option<&Json>,
    entity: &Entity<'_>,
    rows: &str,
    beside: &dyn Beside,
) -> Json {
    match shape {
        Shape::Rows(path, node) => {
            let own = match node {
                Some(node) => is_as_stored(Some(*node), entity),
                None => true,
            };
            let inner = if own { json!(rows) } else { fill_from(rows) };
            wrapped(returns.map(Node::of), path, inner, beside)
        }
        Shape::Ids(path) => {
            let ids = format!("{rows}.map(row, {})", super::expr::member("row", &entity.id));
            wrapped(returns.map(Node::of), path, json!(ids), beside)
        }
        Shape::Empty | Shape::Open => json!(rows),
        _ => json!("fill"),
    }
}

fn root_of<'a>(node: &Node<'a>) -> Option<Node<'a>> {
    Some(Node::of(node.root))
}

/// Whether a record can stand in the reply as it is stored.
fn is_as_stored(node: Option<Node<'_>>, entity: &Entity<'_>) -> bool {
    match (node, &entity.node) {
        (Some(node), Some(stored)) => {
            !entity.loose && !entity.widened && (node.members().is_empty() || node.same(stored))
        }
        (Some(node), None) => node.members().is_empty(),
        (None, _) => true,
    }
}

pub(super) fn fill_from(expr: &str) -> Json {
    json!({"$fill": {"from": expr}})
}

/// The inner template at a path of members, with what stands beside it at each level.
fn wrapped(node: Option<Node<'_>>, path: &[&str], inner: Json, beside: &dyn Beside) -> Json {
    let Some((first, rest)) = path.split_first() else { return inner };
    let mut out = Map::new();
    let members = node.map(|n| n.members()).unwrap_or_default();
    let required = node.map(|n| n.required()).unwrap_or_default();
    for (name, child) in &members {
        if name == first {
            out.insert((*name).to_owned(), wrapped(Some(*child), rest, inner.clone(), beside));
            continue;
        }
        if let Some(template) = accompanying(name, child, required.contains(name), beside, 3) {
            out.insert((*name).to_owned(), template);
        }
    }
    out.entry((*first).to_owned()).or_insert(inner);
    // A lone member with a dollar would be read as a template's own object.
    if out.len() == 1 && first.starts_with('$') {
        return json!("fill");
    }
    Json::Object(out)
}

/// A member beside the content: computed, filled, or left out.
fn accompanying(
    name: &str,
    node: &Node<'_>,
    required: bool,
    beside: &dyn Beside,
    depth: usize,
) -> Option<Json> {
    let parsed = Name::new(name);
    if let Some(template) = beside.member(&parsed, node) {
        return Some(template);
    }
    if node.flag("writeOnly") || node.flag("deprecated") && !required {
        return None;
    }
    let members = node.members();
    if node.primary() == Some("object") && !members.is_empty() && depth > 0 {
        let needed = node.required();
        let special = members.iter().any(|(n, child)| beside.member(&Name::new(n), child).is_some());
        if special {
            let inner: Map<String, Json> = members
                .iter()
                .filter_map(|(n, child)| {
                    let template = accompanying(n, child, needed.contains(n), beside, depth - 1)?;
                    Some(((*n).to_owned(), template))
                })
                .collect();
            if !(inner.len() == 1 && inner.keys().any(|k| k.starts_with('$'))) {
                return Some(Json::Object(inner));
            }
        }
    }
    let list = node.primary() == Some("array");
    let failing = parsed.has(&["error", "errors", "warning", "warnings", "exception", "fault"]);
    if required {
        let empty = list && node.resolved().get("minItems").is_none();
        return Some(if empty { json!([]) } else { json!("fill") });
    }
    (!list && !failing && !parsed.has(&["next", "previous", "prev", "cursor", "token"]))
        .then(|| json!("fill"))
}
