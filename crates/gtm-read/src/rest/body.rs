//! What a request carries: the members of a record, and how they stand in one.

use super::expr::{arg, list, member};
use super::path::word;
use super::schema::{Fit, Node, fit};
use crate::fill::Name;
use gtm_tool::{ParamLocation, ToolSpec};

/// The part of the arguments that describes a record.
#[derive(Clone, Debug)]
pub(super) struct Body<'a> {
    /// Expression for the object.
    pub expr: String,
    /// Its members; none if nothing is declared of them.
    pub members: Vec<(&'a str, Node<'a>)>,
    /// Arguments beside it in the same object, which are no members of the record.
    pub beside: Vec<&'a str>,
    /// The schema, where it is an argument's own.
    pub node: Option<Node<'a>>,
    /// Whether it is a list of records.
    pub bulk: bool,
    /// Whether it is a text, a number or a file, so has no members.
    pub scalar: bool,
}

/// How the members of a request stand in a record.
#[derive(Clone, Debug, Default)]
pub(super) struct Sorted<'a> {
    /// Names that do not go into the record as they are.
    pub left_out: Vec<&'a str>,
    /// Members of the record that are made from what was sent.
    pub completed: Vec<Completed<'a>>,
    /// Whether the record's schema may be narrower than the request's.
    pub loose: bool,
}

/// A member of the record that is made from what was sent: the rest of it is filled.
#[derive(Clone, Debug)]
pub(super) struct Completed<'a> {
    /// The record's member.
    pub member: &'a str,
    /// Expression for the part that is known.
    pub from: String,
    /// Expression for what was sent; null if nothing was.
    pub sent: String,
}

impl<'a> Body<'a> {
    /// The record in a tool's arguments. `words` name the resource; `record` is what its records look like.
    pub(super) fn of(tool: &'a ToolSpec, words: &[&str], record: Option<Node<'a>>) -> Body<'a> {
        let parameters = Node::of(&tool.parameters);
        let Some(http) = &tool.http else { return Body::nothing() };
        let argument = http.body.as_ref().map(|body| body.argument.as_deref());
        let mut body = match argument {
            Some(Some(name)) => {
                let node = parameters.member(name);
                let members = node.map(|n| n.members()).unwrap_or_default();
                let primary = node.and_then(|n| n.primary());
                let bulk = primary == Some("array");
                let scalar = primary.is_some_and(|t| !matches!(t, "object" | "array"));
                // Of a body that nothing is declared of, only an object can be a record.
                let expr = match primary {
                    _ if primary.is_none() && members.is_empty() || node.is_some_and(|n| n.has_forms()) => {
                        format!("(isObject({0}) ? {0} : {{}})", arg(name))
                    }
                    _ => arg(name),
                };
                Body { expr, members, beside: Vec::new(), node, bulk, scalar }
            }
            // Without a body the query describes the record, if anything does.
            _ => {
                let sent = |location| match argument {
                    Some(_) => true,
                    None => location != ParamLocation::Query,
                };
                let beside: Vec<&str> =
                    http.params.iter().filter(|p| sent(p.location)).map(|p| p.argument.as_str()).collect();
                let members =
                    parameters.members().into_iter().filter(|(name, _)| !beside.contains(name)).collect();
                Body {
                    expr: "args".into(),
                    members,
                    beside,
                    node: Some(parameters),
                    bulk: false,
                    scalar: false,
                }
            }
        };
        for _ in 0..2 {
            body = body.unwrapped(words, record);
        }
        body
    }

    fn nothing() -> Body<'a> {
        Body {
            expr: "args".into(),
            members: Vec::new(),
            beside: Vec::new(),
            node: None,
            bulk: false,
            scalar: false,
        }
    }

    /// The record inside `{pet: {...}}` or `{data: {...}}`.
    fn unwrapped(self, words: &[&str], record: Option<Node<'a>>) -> Body<'a> {
        let inner = self.members.iter().find(|(name, node)| {
            let joined = Name::new(name);
            let named = words.iter().any(|w| word(w) == word(name));
            let wraps = matches!(
                joined.joined(),
                "data"
                    | "payload"
                    | "item"
                    | "body"
                    | "input"
                    | "record"
                    | "resource"
                    | "entity"
                    | "object"
                    | "params"
                    | "request"
                    | "model"
                    | "attributes"
            );
            let own = record.is_some_and(|r| r.member(name).is_some());
            let tagged = record.is_some_and(|r| !r.tag().is_empty() && r.tag() == node.tag());
            (named || wraps || tagged) && !own && node.primary() == Some("object") && self.members.len() <= 3
        });
        match inner.copied() {
            Some((name, node)) => Body {
                expr: member(&self.expr, name),
                members: node.members(),
                beside: Vec::new(),
                node: Some(node),
                bulk: false,
                scalar: false,
            },
            None => self,
        }
    }

    /// The schema of a member.
    pub(super) fn member(&self, name: &str) -> Option<Node<'a>> {
        self.members.iter().find(|(n, _)| *n == name).map(|(_, node)| *node)
    }

    /// How the members stand in a record.
    pub(super) fn sorted(&self, record: Option<Node<'a>>) -> Sorted<'a> {
        let mut out = Sorted { left_out: self.beside.clone(), ..Sorted::default() };
        let closed = record.is_some_and(|r| {
            r.resolved().get("additionalProperties") == Some(&serde_json::Value::Bool(false))
        });
        let reference = |name: &'a str, node: &Node<'a>| {
            let record = record?;
            let (into, id, many) = referred(name, node, &record)?;
            let sent = member(&self.expr, name);
            let one = |of: &str| format!("{{{}: {of}}}", super::expr::quoted(id));
            let from = match many {
                true => format!("{sent}.map(id, {})", one("id")),
                false => format!("{sent} == null ? null : {}", one(&sent)),
            };
            (self.member(into).is_none() || into == name).then_some(Completed { member: into, from, sent })
        };
        for (name, node) in &self.members {
            let wanted = record.and_then(|r| r.member(name));
            if node.flag("readOnly") || node.flag("writeOnly") || (secret(name) && wanted.is_none()) {
                out.left_out.push(name);
                continue;
            }
            match wanted.map(|w| fit(node, &w)) {
                Some(Fit::Clash) => {
                    out.left_out.push(name);
                    out.completed.extend(reference(name, node));
                }
                Some(Fit::Partial) => {
                    out.left_out.push(name);
                    let sent = member(&self.expr, name);
                    out.completed.push(Completed { member: name, from: sent.clone(), sent });
                }
                Some(Fit::Loose) => out.loose = true,
                Some(Fit::Whole) => {}
                None => {
                    out.completed.extend(reference(name, node));
                    if closed {
                        out.left_out.push(name);
                    }
                }
            }
        }
        out
    }

    /// The object without some of its members; `None` if nothing remains.
    pub(super) fn without(&self, names: &[&str]) -> Option<String> {
        if self.scalar {
            return None;
        }
        let kept: Vec<&str> = self.members.iter().map(|(n, _)| *n).filter(|n| !names.contains(n)).collect();
        let open = self.members.is_empty() && self.expr != "args";
        if kept.is_empty()
            && !open
            && !(self.members.is_empty() && self.beside.is_empty() && self.node.is_some())
        {
            return None;
        }
        let there: Vec<&str> =
            names.iter().copied().filter(|n| self.beside.contains(n) || self.member(n).is_some()).collect();
        Some(if there.is_empty() {
            self.expr.clone()
        } else if !kept.is_empty() && kept.len() <= 2 && there.len() > 2 {
            format!("pick({}, {})", self.expr, list(&kept))
        } else {
            format!("omit({}, {})", self.expr, list(&there))
        })
    }
}

/// The member of the record that an id in the request refers to, its id's name, and whether there
/// are several: `category_id: 7` becomes `category: {id: 7}`.
fn referred<'a>(name: &'a str, node: &Node<'a>, record: &Node<'a>) -> Option<(&'a str, &'a str, bool)> {
    let scalar = |n: &Node<'_>| matches!(n.primary(), Some("string" | "integer" | "number"));
    let many = node.primary() == Some("array");
    let given = if many { node.items()? } else { *node };
    if !scalar(&given) {
        return None;
    }
    let parsed = Name::new(name);
    let stem = if matches!(parsed.last(), "id" | "ids" | "uuid") { parsed.head(1) } else { parsed.joined() };
    let stem = crate::words::singular(stem);
    let members = record.members();
    let (into, target) = members.iter().find(|(n, child)| {
        let own = Name::new(n);
        let fits = if many { child.primary() == Some("array") } else { child.primary() == Some("object") };
        !stem.is_empty() && crate::words::singular(own.joined()) == stem && fits
    })?;
    let inner = if many { target.items()? } else { *target };
    let parts = inner.members();
    // A reference is shown with its id, a choice with its value: `{value: 'active', label: 'Active'}`.
    let choice = parts.len() <= 3;
    let (id, _) = parts.into_iter().find(|(n, child)| {
        let name = Name::new(n);
        let tells = matches!(name.joined(), "id" | "uuid" | "guid") || (choice && name.joined() == "value");
        tells && fit(&given, child) <= Fit::Loose
    })?;
    Some((into, id, many))
}

/// Whether a member is sent but never shown.
fn secret(name: &str) -> bool {
    Name::new(name).has(&["password", "passwd", "secret", "passphrase", "pin", "cvv", "cvc"])
}
