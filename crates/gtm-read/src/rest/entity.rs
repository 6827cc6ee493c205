//! What the records of a resource look like, and which member is their id.

use super::body::Body;
use super::path::{Segment, word};
use super::plan::{Op, Plan, Resource, Role};
use super::schema::{Node, add_member};
use super::shape::Shape;
use crate::fill::Name;
use crate::words::{plural, singular};
use serde_json::{Value as Json, json};

/// What is known of a resource's records.
#[derive(Clone, Debug)]
pub(super) struct Entity<'a> {
    /// Name of the collection.
    pub name: String,
    /// Schema of a record as declared, if it is.
    pub node: Option<Node<'a>>,
    /// What the definitions call it; empty if they do not.
    pub tag: String,
    /// Schema of a record as it is stored.
    pub schema: Json,
    /// The member that holds the id.
    pub id: String,
    /// Whether requests may bring values that the declared schema is too narrow for.
    pub loose: bool,
    /// Whether the stored record has a member that the declared schema forbids.
    pub widened: bool,
}

impl<'a> Entity<'a> {
    pub(super) fn of(plan: &Plan<'a>, resource: &Resource) -> Entity<'a> {
        let words = resource.path.words();
        let last = words.last().copied().unwrap_or_default();
        let ops: Vec<&Op<'a>> = resource.ops.iter().filter_map(|&i| plan.ops.get(i)).collect();
        let node = declared(&ops, last);
        let shown = node;
        let tag = shown.map(|n| n.tag()).filter(|t| !t.is_empty()).unwrap_or_default();
        let parameter =
            ops.iter().find_map(|op| match (&op.role, op.path.segments.get(resource.path.segments.len())) {
                (Role::Lookup(_), _) => None,
                (_, Some(Segment::Parameter(names))) => names.first().map(|n| (n.as_str(), *op)),
                _ => None,
            });
        let noun = if last.is_empty() { tag.clone() } else { word(last) };
        let id = parameter
            .and_then(|(p, op)| id_member(shown, p, &noun, parameter_type(op, p)))
            .or_else(|| if parameter.is_none() { plain_id(shown, &noun) } else { None })
            .unwrap_or_else(|| "id".to_owned());
        let mut schema = shown.map_or_else(|| requested(&ops, last), |n| n.extracted());
        let closed = schema.get("additionalProperties") == Some(&Json::Bool(false));
        let widened = closed && Node::of(&schema).member(&id).is_none();
        let id_schema =
            parameter.map_or_else(|| json!({"type": "string"}), |(p, op)| parameter_schema(op, p));
        add_member(&mut schema, &id, id_schema);
        // What is demanded but not described can be anything, and must be something.
        for name in shown.map(|n| n.demanded()).unwrap_or_default() {
            add_member(&mut schema, name, json!({}));
        }
        let forms = shown.is_some_and(|n| n.has_forms());
        let loose = forms
            || ops.iter().any(|op| {
                matches!(
                    op.role,
                    Role::Create | Role::Update | Role::UpdateByBody | Role::Act(_) | Role::Single
                ) && Body::of(op.tool, &[last], shown).sorted(shown).loose
            });
        Entity { name: collection_name(last, &tag), node: shown, tag, schema, id, loose, widened }
    }
}

/// The name of a collection in the state: plural words of the path.
fn collection_name(last: &str, tag: &str) -> String {
    let source = if last.is_empty() { tag } else { last };
    let name = Name::new(source);
    let words: Vec<&str> = name.words().collect();
    let joined = match words.split_last() {
        Some((last, head)) => head
            .iter()
            .map(|w| (*w).to_owned())
            .chain([plural(&singular(last))])
            .collect::<Vec<_>>()
            .join("_"),
        None => "records".to_owned(),
    };
    let named = joined.starts_with(|c: char| c.is_ascii_alphabetic());
    let taken = matches!(
        joined.as_str(),
        "args"
            | "it"
            | "rows"
            | "total"
            | "state"
            | "key"
            | "reply"
            | "error"
            | "in"
            | "true"
            | "false"
            | "null"
    );
    if named && !taken { joined } else { format!("all_{joined}") }
}

/// The schema of a record as replies declare it: the richest of those that speak of the same.
fn declared<'a>(ops: &[&Op<'a>], last: &str) -> Option<Node<'a>> {
    let of = |role: fn(&Role) -> bool, rows: bool| {
        ops.iter().filter(move |op| role(&op.role)).filter_map(move |op| {
            let node = Shape::of(op.tool, &[last], rows).node()?;
            (!node.members().is_empty()).then_some(node)
        })
    };
    let got: Option<Node<'a>> = of(|r| matches!(r, Role::Get | Role::Single), false).next();
    let mut candidates: Vec<Node<'a>> = got.into_iter().collect();
    candidates.extend(of(|r| matches!(r, Role::Lookup(_)), false));
    candidates.extend(of(|r| *r == Role::List, true));
    candidates.extend(of(|r| matches!(r, Role::Create | Role::Update | Role::UpdateByBody), false));
    candidates.extend(of(|r| *r == Role::Delete, false));
    let first = *candidates.first()?;
    let alike: Vec<Node<'a>> = candidates
        .into_iter()
        .filter(|c| (!c.tag().is_empty() && c.tag() == first.tag()) || first.overlap(c) >= 0.5)
        .collect();
    // What a GET of one record shows is what a record is, unless another shows much more.
    let widest = alike.iter().copied().max_by_key(|n| n.members().len())?;
    let enough = first.members().len() * 10 >= widest.members().len() * 6;
    let record = if got.is_some() && enough { first } else { widest };
    (record.members().len() > 1 || got.is_some()).then_some(record)
}

/// The schema of a record as requests describe it, where no reply does.
fn requested(ops: &[&Op<'_>], last: &str) -> Json {
    let bodies = ops
        .iter()
        .filter(|op| matches!(op.role, Role::Create | Role::Update | Role::UpdateByBody | Role::Single))
        .map(|op| Body::of(op.tool, &[last], None))
        .filter(|body| !body.bulk);
    let Some(body) = bodies.max_by_key(|body| body.members.len()) else { return json!({"type": "object"}) };
    let properties: serde_json::Map<String, Json> =
        body.members.iter().map(|(name, node)| ((*name).to_owned(), node.at.clone())).collect();
    let root = body.node.map_or(&Json::Null, |n| n.root);
    let made = json!({"type": "object", "properties": properties, "$defs": root.get("$defs").cloned().unwrap_or_else(|| json!({}))});
    Node::of(&made).extracted()
}

fn parameter_schema(op: &Op<'_>, parameter: &str) -> Json {
    let argument = argument(op, parameter);
    let Some(node) = Node::of(&op.tool.parameters).member(&argument) else {
        return json!({"type": "string"});
    };
    let mut out = serde_json::Map::new();
    if let Json::Object(schema) = node.resolved() {
        for keyword in ["type", "format", "pattern", "minLength", "maxLength", "example"] {
            out.extend(schema.get(keyword).map(|v| (keyword.to_owned(), v.clone())));
        }
    }
    out.entry("type").or_insert_with(|| json!("string"));
    Json::Object(out)
}

fn parameter_type<'a>(op: &Op<'a>, parameter: &str) -> Option<&'a str> {
    Node::of(&op.tool.parameters).member(&argument(op, parameter)).and_then(|n| n.primary())
}

/// The argument that a path parameter is given by.
pub(super) fn argument(op: &Op<'_>, parameter: &str) -> String {
    let found =
        op.http.params.iter().find(|p| p.location == gtm_tool::ParamLocation::Path && p.name == parameter);
    found.map_or_else(|| parameter.to_owned(), |p| p.argument.clone())
}

/// The member that holds what a path parameter names: one of the parameter's own type, if there is one.
fn id_member(record: Option<Node<'_>>, parameter: &str, noun: &str, of_type: Option<&str>) -> Option<String> {
    let members = record?.members();
    let typed: Vec<(&str, Node<'_>)> = members
        .iter()
        .filter(|(_, node)| match (of_type, node.primary()) {
            (Some("integer" | "number"), Some(t)) => matches!(t, "integer" | "number"),
            (Some("string"), Some(t)) => t == "string",
            _ => true,
        })
        .copied()
        .collect();
    id_among(&typed, parameter, noun).or_else(|| id_among(&members, parameter, noun))
}

fn id_among(members: &[(&str, Node<'_>)], parameter: &str, noun: &str) -> Option<String> {
    let scalar = |node: &Node<'_>| {
        !matches!(node.primary(), Some("object" | "array" | "boolean"))
            && !node.text("format").starts_with("date")
    };
    let named = |wanted: &str| {
        members
            .iter()
            .find(|(name, node)| Name::new(name).joined() == wanted && scalar(node))
            .map(|(name, _)| (*name).to_owned())
    };
    let any = |wanted: &[&str]| wanted.iter().find_map(|w| named(w));
    let parsed = Name::new(parameter);
    let noun = noun.replace('_', "");
    let last = parsed.last();
    if let Some(exact) = named(parsed.joined()) {
        return Some(exact);
    }
    if matches!(last, "id" | "uuid" | "guid" | "uid" | "sid" | "identifier" | "oid" | "gid" | "key") {
        let own = || ["id", "uuid", "guid", "key", "sid"].iter().find_map(|w| named(&format!("{noun}{w}")));
        return any(&[last, "id", "uuid", "guid", "uid", "sid", "identifier"])
            .or_else(own)
            .or_else(|| any(&["resourceid", "objectid", "entityid", "recordid", "itemid"]));
    }
    named(last)
        .or_else(|| if last == noun || noun.ends_with(last) { plain_id_of(members, &noun) } else { None })
        .or_else(|| named("id"))
}

fn plain_id(record: Option<Node<'_>>, noun: &str) -> Option<String> {
    plain_id_of(&record?.members(), &noun.replace('_', ""))
}

fn plain_id_of(members: &[(&str, Node<'_>)], noun: &str) -> Option<String> {
    let wanted = [
        "id".to_owned(),
        "uuid".into(),
        "guid".into(),
        format!("{noun}id"),
        format!("{noun}uuid"),
        "sid".into(),
        "key".into(),
        "name".into(),
        "slug".into(),
        "code".into(),
    ];
    wanted.iter().find_map(|w| {
        let scalar = |node: &Node<'_>| matches!(node.primary(), Some("string" | "integer" | "number") | None);
        members
            .iter()
            .find(|(name, node)| Name::new(name).joined() == w && scalar(node))
            .map(|(name, _)| (*name).to_owned())
    })
}
