//! Comparing and combining entity schemas.

use crate::fill::Name;
use crate::words::singular;
use gtm_tool::schema::{primary_type, properties, ref_name, resolve};
use serde_json::{Map, Value as Json, json};

/// A schema inside its document.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node<'a> {
    pub root: &'a Json,
    pub at: &'a Json,
}

/// Words of a definition's name that say how it is used rather than what it is.
const AFFIXES: &[&str] = &[
    "response",
    "request",
    "dto",
    "model",
    "create",
    "created",
    "creation",
    "update",
    "updated",
    "new",
    "input",
    "output",
    "base",
    "summary",
    "detail",
    "details",
    "list",
    "item",
    "entity",
    "resource",
    "object",
    "schema",
    "data",
    "payload",
    "body",
    "full",
    "read",
    "write",
    "get",
    "post",
    "put",
    "patch",
    "result",
    "results",
    "paginated",
    "paged",
    "page",
    "collection",
    "representation",
    "view",
    "record",
    "info",
    "single",
    "success",
    "api",
    "envelope",
    "wrapper",
    "add",
    "edit",
    "type",
    "simple",
    "short",
    "minimal",
    "extended",
    "in",
    "out",
    "params",
    "properties",
    "spec",
    "the",
    "of",
    "paging",
    "all",
    "args",
    "options",
    "show",
    "index",
    "200",
    "ok",
    "definition",
    "def",
    "attributes",
    "with",
    "and",
];

impl<'a> Node<'a> {
    pub(super) fn of(schema: &'a Json) -> Node<'a> {
        Node { root: schema, at: schema }
    }

    pub(super) fn child(&self, at: &'a Json) -> Node<'a> {
        Node { root: self.root, at }
    }

    /// The schema without references at its top.
    pub(super) fn resolved(&self) -> &'a Json {
        resolve(self.root, self.at)
    }

    pub(super) fn primary(&self) -> Option<&'a str> {
        primary_type(self.root, self.at)
    }

    /// Members of the object, `allOf` included; those of the first branch that has any for alternatives.
    pub(super) fn members(&self) -> Vec<(&'a str, Node<'a>)> {
        self.members_within(4)
    }

    /// The properties of an object that is written in one piece, as nearly all are.
    fn plain(&self) -> Option<&'a Map<String, Json>> {
        let resolved = self.resolved();
        match resolved.get("allOf") {
            None => resolved.get("properties")?.as_object().filter(|p| !p.is_empty()),
            Some(_) => None,
        }
    }

    fn members_within(&self, depth: usize) -> Vec<(&'a str, Node<'a>)> {
        if let Some(plain) = self.plain() {
            return plain.iter().map(|(name, at)| (name.as_str(), self.child(at))).collect();
        }
        let own: Vec<_> =
            properties(self.root, self.at).into_iter().map(|p| (p.name, self.child(p.schema))).collect();
        if !own.is_empty() || depth == 0 {
            return own;
        }
        let resolved = self.resolved();
        ["oneOf", "anyOf"]
            .iter()
            .filter_map(|k| resolved.get(*k)?.as_array())
            .flatten()
            .map(|branch| self.child(branch).members_within(depth - 1))
            .find(|m| !m.is_empty())
            .unwrap_or_default()
    }

    /// The schema of a member.
    pub(super) fn member(&self, name: &str) -> Option<Node<'a>> {
        match self.plain() {
            Some(plain) => plain.get(name).map(|at| self.child(at)),
            None => self.members().into_iter().find(|(n, _)| *n == name).map(|(_, node)| node),
        }
    }

    /// Names that must be there.
    pub(super) fn required(&self) -> Vec<&'a str> {
        if let Some(plain) = self.plain() {
            let listed = self.resolved().get("required").and_then(Json::as_array).into_iter().flatten();
            return listed.filter_map(Json::as_str).filter(|name| plain.contains_key(*name)).collect();
        }
        properties(self.root, self.at).into_iter().filter(|p| p.required).map(|p| p.name).collect()
    }

    /// Names that must be there, also those that no property describes.
    pub(super) fn demanded(&self) -> Vec<&'a str> {
        let mut out = Vec::new();
        let mut queue = vec![self.resolved()];
        for _ in 0..64 {
            let Some(schema) = queue.pop() else { break };
            out.extend(
                schema
                    .get("required")
                    .and_then(Json::as_array)
                    .into_iter()
                    .flatten()
                    .filter_map(Json::as_str),
            );
            let parts = schema.get("allOf").and_then(Json::as_array).into_iter().flatten();
            queue.extend(parts.map(|part| resolve(self.root, part)));
        }
        out
    }

    /// Whether the object takes one of several forms.
    pub(super) fn has_forms(&self) -> bool {
        let mut queue = vec![self.resolved()];
        for _ in 0..64 {
            let Some(schema) = queue.pop() else { break };
            if schema.get("oneOf").is_some() || schema.get("anyOf").is_some() {
                return true;
            }
            let parts = schema.get("allOf").and_then(Json::as_array).into_iter().flatten();
            queue.extend(parts.map(|part| resolve(self.root, part)));
        }
        false
    }

    /// The schema of the items, if it is a list.
    pub(super) fn items(&self) -> Option<Node<'a>> {
        let resolved = self.resolved();
        resolved.get("items").map(|at| self.child(at)).or_else(|| {
            let parts =
                ["allOf", "anyOf", "oneOf"].iter().filter_map(|k| resolved.get(*k)?.as_array()).flatten();
            parts.filter_map(|part| resolve(self.root, part).get("items")).map(|at| self.child(at)).next()
        })
    }

    pub(super) fn text(&self, keyword: &str) -> &'a str {
        self.at
            .get(keyword)
            .or_else(|| self.resolved().get(keyword))
            .and_then(Json::as_str)
            .unwrap_or_default()
    }

    pub(super) fn flag(&self, keyword: &str) -> bool {
        self.at.get(keyword).or_else(|| self.resolved().get(keyword)) == Some(&Json::Bool(true))
    }

    pub(super) fn values(&self) -> Vec<&'a str> {
        let list = self.resolved().get("enum").and_then(Json::as_array);
        list.into_iter().flatten().filter_map(Json::as_str).collect()
    }

    /// What the schema's definition speaks of: its name without words of usage; empty if unnamed.
    pub(super) fn tag(&self) -> String {
        ref_name(self.at).map(tag_of).unwrap_or_default()
    }

    /// Whether both say the same, names of definitions and texts aside.
    pub(super) fn same(&self, other: &Node<'_>) -> bool {
        if let (Some(a), Some(b)) = (ref_name(self.at), ref_name(other.at)) {
            // Definitions of one document keep their names, those of two may share them by accident.
            return a == b && same_shape(self, other, 1);
        }
        same_shape(self, other, 3)
    }

    /// How much of the other's members this one has, from 0 to 1.
    pub(super) fn overlap(&self, other: &Node<'_>) -> f64 {
        let (mine, theirs) = (self.members(), other.members());
        if mine.is_empty() || theirs.is_empty() {
            return 0.0;
        }
        let shared = theirs.iter().filter(|(name, _)| mine.iter().any(|(n, _)| n == name)).count();
        shared as f64 / mine.len().min(theirs.len()) as f64
    }

    /// The schema as a document of its own, with the definitions that it needs.
    pub(super) fn extracted(&self) -> Json {
        let mut out = match self.resolved() {
            Json::Object(members) => members.clone(),
            _ => Map::new(),
        };
        out.remove("$defs");
        let mut needed = Map::new();
        let mut queue: Vec<String> = Vec::new();
        let own = Json::Object(out.clone());
        collect(&own, &mut queue);
        while let Some(name) = queue.pop() {
            if needed.contains_key(&name) || needed.len() > 2_000 {
                continue;
            }
            if let Some(definition) = self.root.get("$defs").and_then(|d| d.get(&name)) {
                collect(definition, &mut queue);
                needed.insert(name, definition.clone());
            }
        }
        if !needed.is_empty() {
            needed.sort_keys();
            out.insert("$defs".into(), Json::Object(needed));
        }
        Json::Object(out)
    }
}

/// The name of a definition without words of usage.
pub(super) fn tag_of(name: &str) -> String {
    // `io.k8s.api.Pod`, `Company.Models.Order`: the last part names it.
    let last = name.rsplit(['.', '/', ':']).find(|p| p.chars().any(char::is_alphabetic)).unwrap_or(name);
    let name = Name::new(last);
    let words: Vec<&str> = name.words().filter(|w| !AFFIXES.contains(w)).collect();
    match words.split_last() {
        Some((last, head)) => {
            head.iter().map(|w| (*w).to_owned()).chain([singular(last)]).collect::<Vec<_>>().join("_")
        }
        None => String::new(),
    }
}

/// Names of definitions that a schema refers to.
fn collect(schema: &Json, out: &mut Vec<String>) {
    match schema {
        Json::Object(members) => {
            for (key, value) in members {
                match value {
                    Json::String(reference) if key == "$ref" => {
                        let name =
                            reference.strip_prefix("#/$defs/").map(|n| n.split('/').next().unwrap_or(n));
                        out.extend(name.map(|n| n.replace("~1", "/").replace("~0", "~")));
                    }
                    _ => collect(value, out),
                }
            }
        }
        Json::Array(items) => items.iter().for_each(|item| collect(item, out)),
        _ => {}
    }
}

fn same_shape(a: &Node<'_>, b: &Node<'_>, depth: usize) -> bool {
    if std::ptr::eq(a.at, b.at) {
        return true;
    }
    let (left, right) = (a.members(), b.members());
    if left.is_empty() && right.is_empty() {
        return a.primary() == b.primary() && a.resolved().get("enum") == b.resolved().get("enum");
    }
    left.len() == right.len()
        && a.required().len() == b.required().len()
        && left.iter().all(|(name, node)| {
            right.iter().find(|(n, _)| n == name).is_some_and(|(_, other)| {
                depth == 0
                    || ref_name(node.at).is_some() && ref_name(node.at) == ref_name(other.at)
                    || same_shape(node, other, depth - 1)
            })
        })
}

/// How a value of one schema stands where another is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fit {
    /// As it is.
    Whole,
    /// As it is, though the other may want it narrower: an enumeration, a format, a length.
    Loose,
    /// After members were added that the other requires.
    Partial,
    /// Not at all.
    Clash,
}

/// How values of `given` stand where `wanted` is expected.
pub(super) fn fit(given: &Node<'_>, wanted: &Node<'_>) -> Fit {
    fit_within(given, wanted, 4)
}

fn fit_within(given: &Node<'_>, wanted: &Node<'_>, depth: usize) -> Fit {
    if depth == 0 || std::ptr::eq(given.at, wanted.at) {
        return Fit::Whole;
    }
    if ref_name(given.at).is_some() && ref_name(given.at) == ref_name(wanted.at) {
        return Fit::Whole;
    }
    let (types, wanted_types) = (types_of(given), types_of(wanted));
    if !wanted_types.is_empty() {
        if types.is_empty() {
            return Fit::Loose;
        }
        let allowed = |t: &str| {
            wanted_types.contains(&t) || (t == "integer" && wanted_types.contains(&"number")) || t == "null"
        };
        if !types.iter().any(|t| *t != "null" && allowed(t)) {
            return Fit::Clash;
        }
        if !types.iter().all(|t| allowed(t)) {
            return Fit::Loose;
        }
    }
    match wanted.primary() {
        Some("object") => {
            let (mine, theirs) = (given.members(), wanted.members());
            let required = wanted.required();
            let mut worst = Fit::Whole;
            let always = given.required();
            for (name, theirs) in &theirs {
                match mine.iter().find(|(n, _)| n == name) {
                    Some((_, node)) => {
                        let own = fit_within(node, theirs, depth - 1);
                        worst = worst.max(if own == Fit::Clash { Fit::Partial } else { own });
                        if required.contains(name) && !always.contains(name) {
                            worst = worst.max(Fit::Partial);
                        }
                    }
                    None if required.contains(name) => worst = worst.max(Fit::Partial),
                    None => {}
                }
            }
            let closed = wanted.resolved().get("additionalProperties") == Some(&Json::Bool(false));
            if closed && mine.iter().any(|(name, _)| !theirs.iter().any(|(n, _)| n == name)) {
                worst = worst.max(Fit::Partial);
            }
            if mine.is_empty() && !theirs.is_empty() {
                worst = worst.max(Fit::Partial);
            }
            worst
        }
        Some("array") => match (given.items(), wanted.items()) {
            (Some(a), Some(b)) => match fit_within(&a, &b, depth - 1) {
                Fit::Clash => Fit::Clash,
                other => other,
            },
            (None, Some(_)) => Fit::Loose,
            _ => Fit::Whole,
        },
        _ => {
            let narrower =
                ["enum", "const", "pattern", "minLength", "maxLength", "minimum", "maximum", "multipleOf"]
                    .iter()
                    .any(|k| wanted.resolved().get(*k).is_some_and(|w| given.resolved().get(*k) != Some(w)));
            if narrower && !enum_within(given, wanted) { Fit::Loose } else { Fit::Whole }
        }
    }
}

fn enum_within(given: &Node<'_>, wanted: &Node<'_>) -> bool {
    let (mine, theirs) = (given.values(), wanted.values());
    !mine.is_empty() && mine.iter().all(|v| theirs.contains(v))
}

fn types_of<'a>(node: &Node<'a>) -> Vec<&'a str> {
    match node.resolved().get("type") {
        Some(Json::String(one)) => vec![one],
        Some(Json::Array(several)) => several.iter().filter_map(Json::as_str).collect(),
        _ => node.primary().into_iter().collect(),
    }
}

/// Adds a member to an object schema unless it has it.
pub(super) fn add_member(schema: &mut Json, name: &str, member: Json) {
    if Node::of(schema).member(name).is_some() {
        return;
    }
    if let Json::Object(object) = schema {
        let properties = object.entry("properties").or_insert_with(|| json!({}));
        if let Json::Object(properties) = properties {
            properties.insert(name.to_owned(), member);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_drop_usage() {
        for (name, tag) in [
            ("PetResponse", "pet"),
            ("CreateOrderRequest", "order"),
            ("app.models.UserList", "user"),
            ("app_response", "app"),
            ("ListResponse", ""),
            ("LineItems", "line_item"),
        ] {
            assert_eq!(tag_of(name), tag, "{name}");
        }
    }

    #[test]
    fn fits_are_graded() {
        let root = json!({});
        let of = |given: Json, wanted: Json| {
            fit(&Node { root: &root, at: &given }, &Node { root: &root, at: &wanted })
        };
        assert_eq!(of(json!({"type": "integer"}), json!({"type": "number"})), Fit::Whole);
        assert_eq!(of(json!({"type": "string"}), json!({"type": "string", "enum": ["a"]})), Fit::Loose);
        assert_eq!(of(json!({"type": "string"}), json!({"type": "object"})), Fit::Clash);
        assert_eq!(
            of(
                json!({"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}),
                json!({"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}, "required": ["a", "b"]}),
            ),
            Fit::Partial
        );
    }

    #[test]
    fn extraction_keeps_what_is_needed() {
        let root = json!({"$ref": "#/$defs/A", "$defs": {
            "A": {"type": "object", "properties": {"b": {"$ref": "#/$defs/B"}}},
            "B": {"type": "object", "properties": {"a": {"$ref": "#/$defs/A"}}},
            "C": {"type": "string"},
        }});
        let out = Node::of(&root).extracted();
        assert_eq!(out["type"], "object");
        assert_eq!(out["$defs"].as_object().map(Map::len), Some(2));
    }
}
