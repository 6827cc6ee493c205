//! Where in a reply the record or the rows are.

use super::schema::Node;
use crate::fill::Name;
use crate::words::singular;
use gtm_tool::ToolSpec;

/// What a reply holds.
#[derive(Clone, Debug)]
pub(super) enum Shape<'a> {
    /// No body at all.
    Empty,
    /// A body of which nothing is declared.
    Open,
    /// One record, at a path of members (empty: the reply itself).
    Record(Vec<&'a str>, Node<'a>),
    /// Rows, at a path of members; the node is a row's, if declared.
    Rows(Vec<&'a str>, Option<Node<'a>>),
    /// Ids or names of records, at a path of members.
    Ids(Vec<&'a str>),
    /// Something else: a number, a text, a map.
    Other,
}

/// Members that wrap the actual content.
const WRAPPERS: &[&str] = &[
    "data", "result", "results", "response", "payload", "body", "content", "value", "output", "item",
    "record", "resource", "entity", "object", "embedded",
];

/// Members that usually hold the rows of a list, likeliest first.
const ROWS: &[&str] = &[
    "data",
    "items",
    "results",
    "records",
    "value",
    "values",
    "rows",
    "list",
    "content",
    "entries",
    "resources",
    "elements",
    "objects",
    "hits",
    "docs",
    "documents",
    "edges",
    "nodes",
    "result",
    "response",
    "collection",
    "payload",
    "body",
];

/// Members that accompany a wrapped record.
const SIDE: &[&str] = &[
    "success",
    "status",
    "message",
    "msg",
    "code",
    "error",
    "errors",
    "meta",
    "metadata",
    "links",
    "included",
    "pagination",
    "paging",
    "page",
    "request",
    "requestid",
    "timestamp",
    "jsonapi",
    "version",
    "header",
    "headers",
    "statuscode",
    "ok",
    "warnings",
    "warning",
    "count",
    "total",
    "info",
    "context",
    "trace",
    "traceid",
    "type",
    "kind",
    "responsecode",
    "title",
    "detail",
    "details",
    "time",
    "took",
    "issuccess",
    "statusmessage",
    "extensions",
    "apiversion",
    "server",
];

impl<'a> Shape<'a> {
    /// The shape of a tool's reply. `words` name the resource; `rows` says that rows are expected.
    pub(super) fn of(tool: &'a ToolSpec, words: &[&str], rows: bool) -> Shape<'a> {
        let status = tool.http.as_ref().map_or(200, |h| h.success_status);
        if status == 204 || status == 205 {
            return Shape::Empty;
        }
        let Some(returns) = &tool.returns else {
            // Many specs forget to declare what their reads and writes answer.
            let forgotten = tool.http.as_ref().is_some_and(|h| {
                !h.success_type.is_empty() || !matches!(h.method.as_str(), "DELETE" | "HEAD")
            });
            return if forgotten { Shape::Open } else { Shape::Empty };
        };
        let node = Node::of(returns);
        let nothing = returns.as_object().is_none_or(|r| {
            !r.keys().any(|k| !matches!(k.as_str(), "description" | "title" | "$defs" | "example"))
        });
        if nothing {
            return Shape::Open;
        }
        let names: Vec<String> = words.iter().map(|w| super::path::word(w)).collect();
        if rows {
            if let Some((path, row)) = find_rows(node, &names, 3) {
                let scalar =
                    row.is_some_and(|r| matches!(r.primary(), Some("string" | "integer" | "number")));
                return if scalar { Shape::Ids(path) } else { Shape::Rows(path, row) };
            }
            if let Some(path) = find_ids(node, &names) {
                return Shape::Ids(path);
            }
        }
        match node.primary() {
            Some("array") if !rows => Shape::Rows(Vec::new(), node.items()),
            Some("object") => {
                let (path, record) = unwrap(node, &names, 3);
                match record.primary() {
                    Some("array") => Shape::Rows(path, record.items()),
                    _ if record.members().is_empty() && is_map(&record) => Shape::Other,
                    _ if record.members().is_empty() => {
                        if path.is_empty() {
                            Shape::Open
                        } else {
                            Shape::Record(path, record)
                        }
                    }
                    _ => Shape::Record(path, record),
                }
            }
            None => Shape::Open,
            _ => Shape::Other,
        }
    }

    /// The schema of a record or a row.
    pub(super) fn node(&self) -> Option<Node<'a>> {
        match self {
            Shape::Record(_, node) | Shape::Rows(_, Some(node)) => Some(*node),
            _ => None,
        }
    }

    pub(super) fn is_rows(&self) -> bool {
        matches!(self, Shape::Rows(..) | Shape::Ids(_))
    }
}

fn is_map(node: &Node<'_>) -> bool {
    node.resolved().get("additionalProperties").is_some_and(|a| a.as_object().is_some_and(|a| !a.is_empty()))
}

/// Whether items of the list may be records.
fn holds_records(node: &Node<'_>) -> bool {
    match node.items() {
        Some(items) => matches!(items.primary(), Some("object") | None) || !items.members().is_empty(),
        None => true,
    }
}

/// The list of records in a reply: itself, a member, or a member's member.
fn find_rows<'a>(node: Node<'a>, names: &[String], depth: usize) -> Option<(Vec<&'a str>, Option<Node<'a>>)> {
    if node.primary() == Some("array") {
        return Some((Vec::new(), node.items()));
    }
    if depth == 0 {
        return None;
    }
    let members = node.members();
    let lists: Vec<(&str, Node<'_>)> =
        members.iter().filter(|(_, n)| n.primary() == Some("array") && holds_records(n)).copied().collect();
    let named = |wanted: &dyn Fn(&str) -> bool| lists.iter().find(|(name, _)| wanted(name)).copied();
    let is_side = |name: &str| {
        SIDE.contains(&Name::new(name).joined())
            || matches!(name, "included" | "warnings" | "facets" | "tags")
    };
    let chosen = named(&|name| names.iter().any(|w| super::path::word(name) == *w))
        .or_else(|| named(&|name| names.iter().any(|w| last_word(name) == w.rsplit('_').next().unwrap_or(w))))
        .or_else(|| ROWS.iter().find_map(|r| named(&|name| Name::new(name).joined() == *r)))
        .or_else(|| {
            let mut rest = lists.iter().filter(|(name, _)| !is_side(name));
            match (rest.next(), rest.next()) {
                (Some(only), None) => Some(*only),
                _ => None,
            }
        });
    if let Some((name, list)) = chosen {
        return Some((vec![name], list.items()));
    }
    // One level in: `{data: {items: []}}`, `{_embedded: {pets: []}}`.
    let inner = members.iter().filter(|(name, n)| {
        let joined = Name::new(name);
        n.primary() == Some("object")
            && (WRAPPERS.contains(&joined.joined())
                || names.iter().any(|w| super::path::word(name) == *w)
                || members.len() <= 2)
    });
    for (name, n) in inner {
        if let Some((mut path, row)) = find_rows(*n, names, depth - 1) {
            path.insert(0, name);
            return Some((path, row));
        }
    }
    None
}

/// A list of ids or names in a reply that has no rows: `{"names": ["a", "b"]}`.
fn find_ids<'a>(node: Node<'a>, names: &[String]) -> Option<Vec<&'a str>> {
    let members = node.members();
    let mut lists = members.iter().filter(|(name, n)| {
        let joined = Name::new(name);
        let scalar = n.items().is_some_and(|i| matches!(i.primary(), Some("string" | "integer")));
        let known = matches!(joined.joined(), "ids" | "names" | "keys" | "data" | "items" | "results")
            || joined.last() == "ids"
            || names.iter().any(|w| super::path::word(name) == *w);
        n.primary() == Some("array") && scalar && known
    });
    match (lists.next(), lists.next()) {
        (Some((name, _)), None) => Some(vec![*name]),
        _ => None,
    }
}

fn last_word(name: &str) -> String {
    singular(Name::new(name).last())
}

/// The record in a reply, and the path of members to it.
fn unwrap<'a>(node: Node<'a>, names: &[String], depth: usize) -> (Vec<&'a str>, Node<'a>) {
    let members = node.members();
    let inner = members.iter().find(|(name, n)| {
        let joined = Name::new(name);
        let composite = matches!(n.primary(), Some("object" | "array")) && (!n.members().is_empty() || n.items().is_some());
        let named = names.iter().any(|w| super::path::word(name) == *w);
        let side = members.iter().filter(|(other, _)| other != name);
        let all_side = side.clone().all(|(other, _)| SIDE.contains(&Name::new(other).joined()));
        let strong = matches!(joined.joined(), "data" | "result" | "payload" | "response") && n.members().len() > 1;
        let few = side.clone().count() <= 3
            && !side.clone().any(|(other, _)| matches!(Name::new(other).last(), "id" | "uuid" | "name" | "title"));
        let rest_is_side = all_side || (strong && few);
        composite && (WRAPPERS.contains(&joined.joined()) || named) && rest_is_side
            // An order that holds its `status` and `items` is no wrapper of items.
            && !(n.primary() == Some("array") && members.iter().any(|(other, _)| matches!(*other, "id" | "name")))
    });
    match inner {
        Some((name, n)) if depth > 0 && n.primary() == Some("object") => {
            let (mut path, record) = unwrap(*n, names, depth - 1);
            path.insert(0, name);
            (path, record)
        }
        Some((name, n)) if depth > 0 => (vec![name], *n),
        _ => (Vec::new(), node),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gtm_tool::HttpBinding;
    use serde_json::{Value as Json, json};

    fn tool(returns: Json) -> ToolSpec {
        let http = HttpBinding {
            success_status: 200,
            success_type: "application/json".into(),
            ..HttpBinding::default()
        };
        ToolSpec { returns: Some(returns), http: Some(http), ..ToolSpec::default() }
    }

    fn shown(returns: Json, rows: bool) -> String {
        let tool = tool(returns);
        match Shape::of(&tool, &["pets"], rows) {
            Shape::Record(path, _) => format!("record {}", path.join(".")),
            Shape::Rows(path, _) => format!("rows {}", path.join(".")),
            Shape::Ids(path) => format!("ids {}", path.join(".")),
            Shape::Empty => "empty".into(),
            Shape::Open => "open".into(),
            Shape::Other => "other".into(),
        }
    }

    #[test]
    fn records_and_rows_are_found_in_envelopes() {
        let pet = json!({"type": "object", "properties": {"id": {"type": "integer"}, "tags": {"type": "array", "items": {"type": "object"}}}});
        let list = json!({"type": "array", "items": pet});
        let object = |members: Json| json!({"type": "object", "properties": members});
        assert_eq!(shown(pet.clone(), false), "record ");
        assert_eq!(shown(object(json!({"data": pet, "success": {"type": "boolean"}})), false), "record data");
        assert_eq!(shown(object(json!({"pet": pet})), false), "record pet");
        assert_eq!(shown(list.clone(), true), "rows ");
        assert_eq!(shown(object(json!({"total": {"type": "integer"}, "pets": list})), true), "rows pets");
        assert_eq!(shown(object(json!({"data": object(json!({"items": list}))})), true), "rows data.items");
        assert_eq!(
            shown(
                object(json!({"_embedded": object(json!({"pets": list})), "page": object(json!({}))})),
                true
            ),
            "rows _embedded.pets"
        );
        assert_eq!(
            shown(json!({"type": "object", "additionalProperties": {"type": "integer"}}), true),
            "other"
        );
        assert_eq!(shown(json!({"description": "ok"}), true), "open");
        assert_eq!(shown(json!({"type": "string"}), false), "other");
        let names = json!({"type": "array", "items": {"type": "string"}});
        assert_eq!(shown(object(json!({"names": names, "count": {"type": "integer"}})), true), "ids names");
        assert_eq!(shown(names, true), "ids ");
    }
}
