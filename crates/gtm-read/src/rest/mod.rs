//! REST semantics: behaviors of HTTP operations, from methods, paths and schemas.
//!
//! Three passes. [`plan`] sorts operations into resources and says what each does to which;
//! [`entity`] finds out what a resource's records look like and which member is their id;
//! [`write`] writes the behaviors. Paths that several resources share are resolved in between:
//! `/users/{id}/orders` and `/orders/{id}` speak of the same orders.

mod act;
mod body;
mod create;
mod entity;
pub(crate) mod expr;
mod paging;
mod path;
mod plan;
mod reply;
mod schema;
mod shape;
mod stamps;
mod write;

use crate::fill::Name;
use crate::words::singular;
use crate::{Reading, Rung};
use entity::Entity;
use expr::arg;
use gtm_tool::ToolSpec;
use gtm_world::behavior::{Collection, Get, Op as StepOp, Step};
use path::Segment;
use plan::{Op, Plan, Role};
use schema::{Node, add_member};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

/// Whether the tool is an HTTP operation whose path says which resource it is about.
pub fn is_rest(tool: &ToolSpec) -> bool {
    tool.http.as_ref().is_some_and(|http| http.path.starts_with('/'))
}

/// Reads HTTP operations, adding what was found to `out`.
pub fn read(tools: &[&ToolSpec], initial_state: &Json, out: &mut Reading) {
    let reader = Reader::of(tools, initial_state);
    let mut used = vec![false; reader.plan.resources.len()];
    for op in &reader.plan.ops {
        match reader.behavior(op) {
            Some(behavior) => {
                if let Some(resource) = op.resource {
                    for touched in [Some(resource), reader.parent(resource)].into_iter().flatten() {
                        used[reader.canonical(touched)] = true;
                    }
                }
                out.add(&op.tool.name, behavior, Rung::Rules);
            }
            None => out.add_direct(&op.tool.name, None),
        }
    }
    for (i, _) in used.iter().enumerate().filter(|(_, used)| **used) {
        if let (Some(entity), Some(name)) = (reader.entities.get(i), reader.names.get(i)) {
            let collection = Collection {
                path: reader.paths.get(i).cloned().flatten(),
                id: Some(entity.id.clone()),
                schema: Some(entity.schema.clone()),
                ..Collection::default()
            };
            out.behaviors.collections.insert(name.clone(), collection);
        }
    }
}

/// Everything known while behaviors are written.
struct Reader<'a> {
    plan: Plan<'a>,
    entities: Vec<Entity<'a>>,
    /// Name of each resource's collection.
    names: Vec<String>,
    /// Where the initial state holds it, if under another name.
    paths: Vec<Option<String>>,
    /// Index of the resource that each is nested in.
    parents: Vec<Option<usize>>,
    /// Member of the record that holds the parent's id, for nested paths to flat collections.
    links: Vec<Option<String>>,
}

impl<'a> Reader<'a> {
    fn of(tools: &[&'a ToolSpec], initial_state: &Json) -> Reader<'a> {
        let plan = Plan::of(tools);
        let entities: Vec<Entity<'a>> = plan.resources.iter().map(|r| Entity::of(&plan, r)).collect();
        let count = entities.len();
        let mut reader = Reader {
            plan,
            entities,
            names: Vec::new(),
            paths: vec![None; count],
            parents: Vec::new(),
            links: vec![None; count],
        };
        reader.find_parents();
        reader.find_aliases();
        reader.demote();
        reader.name_collections();
        reader.match_state(initial_state);
        reader
    }

    fn find_parents(&mut self) {
        let index: BTreeMap<(&str, &[String]), usize> = self
            .plan
            .resources
            .iter()
            .enumerate()
            .map(|(i, r)| ((r.api.as_str(), r.key.as_slice()), i))
            .collect();
        self.parents = self
            .plan
            .resources
            .iter()
            .map(|r| {
                let at = r.path.segments.iter().rposition(|s| matches!(s, Segment::Parameter(_)))?;
                index.get(&(r.api.as_str(), r.key.get(..at)?)).copied()
            })
            .collect();
    }

    /// Resources that are another way to the records of a resource with a shorter path.
    fn find_aliases(&mut self) {
        let has_items = |i: usize| {
            self.plan.resources[i]
                .ops
                .iter()
                .any(|&op| matches!(self.plan.ops[op].role, Role::Get | Role::Update | Role::Delete))
        };
        let scopes = |i: usize| {
            self.plan.resources[i].path.segments.iter().filter(|s| matches!(s, Segment::Parameter(_))).count()
        };
        let mut found = Vec::new();
        for (i, resource) in self.plan.resources.iter().enumerate() {
            let single = resource.ops.iter().any(|&op| self.plan.ops[op].role == Role::Single);
            if single || (scopes(i) == 0 && has_items(i)) {
                continue;
            }
            let mine = &self.entities[i];
            let last = resource.key.last();
            let candidates: Vec<usize> = (0..self.plan.resources.len())
                .filter(|&j| j != i && self.plan.resources[j].api == resource.api && has_items(j))
                .filter(|&j| scopes(j) == 0 && scopes(i) > 0 || (!has_items(i) && scopes(j) == scopes(i)))
                .filter(|&j| {
                    let theirs = &self.entities[j];
                    let tagged = !mine.tag.is_empty() && mine.tag == theirs.tag;
                    let named = self.plan.resources[j].key.last() == last && last.is_some_and(|l| l != "{}");
                    let alike = match (mine.node, theirs.node) {
                        (Some(a), Some(b)) => a.overlap(&b) >= 0.6,
                        _ => mine.tag.is_empty() || theirs.tag.is_empty(),
                    };
                    let unlike = !mine.tag.is_empty() && !theirs.tag.is_empty() && mine.tag != theirs.tag;
                    (tagged && alike && (named || !has_items(i))) || (named && alike && !unlike)
                })
                .collect();
            // The same last word decides between several.
            let same_word: Vec<usize> =
                candidates.iter().copied().filter(|&j| self.plan.resources[j].key.last() == last).collect();
            match (candidates.as_slice(), same_word.as_slice()) {
                ([only], _) | (_, [only]) => found.push((i, *only)),
                _ => {}
            }
        }
        for (i, target) in found {
            // An alias of an alias would need the order of two mappings.
            if self.plan.resources[target].alias.is_none() {
                self.plan.resources[i].alias = Some(target);
                if scopes_of(&self.plan, target) == 0 {
                    self.links[i] = self.link_member(i, target);
                }
            }
        }
    }

    /// The member of the target's records that names the parent of the nested resource; it is
    /// added to what is stored where the records do not show it.
    fn link_member(&mut self, nested: usize, target: usize) -> Option<String> {
        let (found, name) = self.owner_member(nested, target)?;
        if found.is_some() {
            return found;
        }
        if name == self.entities[target].id {
            return None;
        }
        add_member(&mut self.entities[target].schema, &name, json!({"type": ["string", "integer"]}));
        if schema_is_closed(&self.entities[target].schema) {
            self.entities[target].widened = true;
        }
        Some(name)
    }

    /// The member that names the owner of a nested resource's records, if they have it, and what it
    /// would be called.
    fn owner_member(&self, nested: usize, target: usize) -> Option<(Option<String>, String)> {
        let path = &self.plan.resources.get(nested)?.path;
        let at = path.segments.iter().rposition(|s| matches!(s, Segment::Parameter(_)))?;
        let Some(Segment::Parameter(names)) = path.segments.get(at) else { return None };
        let parameter = names.first()?;
        let owner = match at.checked_sub(1).and_then(|i| path.segments.get(i)) {
            Some(Segment::Literal(text)) => singular(Name::new(text).joined()),
            _ => String::new(),
        };
        let schema = Node::of(&self.entities[target].schema);
        let members = schema.members();
        let scalar = |node: &Node<'_>| matches!(node.primary(), Some("string" | "integer" | "number") | None);
        let parsed = Name::new(parameter);
        let wanted = [
            parsed.joined().to_owned(),
            format!("{owner}id"),
            format!("{owner}{}", parsed.joined()),
            format!("{owner}uuid"),
            format!("{owner}key"),
            owner.clone(),
        ];
        let own = self.entities[target].id.clone();
        let found = wanted.iter().find_map(|w| {
            members
                .iter()
                .find(|(n, node)| Name::new(n).joined() == w && **n != own && scalar(node))
                .map(|(n, _)| (*n).to_owned())
        });
        let name = if parsed.len() == 1 && !owner.is_empty() {
            format!("{owner}_{}", parsed.joined())
        } else {
            parameter.clone()
        };
        Some((found, name))
    }

    /// Lists that nothing else speaks of are answers, not state: what they show depends on what is asked.
    fn demote(&mut self) {
        for i in 0..self.plan.resources.len() {
            let resource = &self.plan.resources[i];
            let only_read = resource.ops.iter().all(|&op| matches!(self.plan.ops[op].role, Role::List));
            let lone_get =
                resource.ops.iter().all(|&op| matches!(self.plan.ops[op].role, Role::Get | Role::Lookup(_)))
                    && !self
                        .parents
                        .iter()
                        .enumerate()
                        .any(|(child, p)| *p == Some(i) && self.plan.resources[child].ops.len() > 1);
            let never_seen = resource.ops.iter().all(|&op| {
                matches!(
                    self.plan.ops[op].role,
                    Role::Update | Role::UpdateByBody | Role::Delete | Role::Act(_)
                )
            });
            if resource.alias.is_some() || !(only_read || lone_get || never_seen) || resource.ops.is_empty() {
                continue;
            }
            let aliased = self.plan.resources.iter().any(|r| r.alias == Some(i));
            if aliased {
                continue;
            }
            let parent = self.parents[i];
            let literal = resource.path.literal().map(str::to_owned);
            for op in self.plan.resources[i].ops.clone() {
                let part = match (&self.plan.ops[op].role, parent, &literal) {
                    (Role::List, Some(_), Some(literal))
                        if self.plan.ops[op].path.literal() == Some(literal) =>
                    {
                        Some(literal.clone())
                    }
                    _ => None,
                };
                match part {
                    Some(part) => {
                        self.plan.ops[op].role = Role::Part(part);
                        self.plan.ops[op].resource = parent;
                    }
                    None => {
                        self.plan.ops[op].role = Role::Direct;
                        self.plan.ops[op].resource = None;
                    }
                }
            }
        }
    }

    fn name_collections(&mut self) {
        let mut names: Vec<String> = self.entities.iter().map(|e| e.name.clone()).collect();
        let mut seen: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (i, resource) in self.plan.resources.iter().enumerate() {
            if resource.alias.is_none() {
                seen.entry(names[i].clone()).or_default().push(i);
            }
        }
        for (name, same) in seen.into_iter().filter(|(_, same)| same.len() > 1) {
            // The one with the shortest path, of those that are worked on, keeps the plain name.
            let idle = |i: usize| {
                !self.plan.resources[i].ops.iter().any(|&op| self.plan.ops[op].resource == Some(i))
            };
            let shortest =
                same.iter().copied().min_by_key(|&i| (idle(i), self.plan.resources[i].path.segments.len()));
            let mut given: Vec<String> = Vec::new();
            for i in same {
                if Some(i) == shortest {
                    continue;
                }
                let words = self.plan.resources[i].path.words();
                let before: Vec<String> = words.iter().rev().skip(1).take(2).map(|w| path::word(w)).collect();
                let mut unique =
                    before.first().map_or_else(|| format!("{name}_{}", i + 1), |w| format!("{w}_{name}"));
                if given.contains(&unique) {
                    unique = before
                        .get(1)
                        .map_or_else(|| format!("{unique}_{}", i + 1), |w| format!("{w}_{unique}"));
                }
                if given.contains(&unique) || !expr::is_name(&unique) {
                    unique = format!("{name}_{}", i + 1);
                }
                given.push(unique.clone());
                names[i] = unique;
            }
        }
        // Whatever clash is left is told apart by number.
        let mut taken: BTreeMap<String, usize> = BTreeMap::new();
        for (i, name) in names.iter_mut().enumerate() {
            if self.plan.resources[i].alias.is_some() {
                continue;
            }
            if taken.contains_key(name) {
                *name = format!("{name}_{}", i + 1);
            }
            taken.insert(name.clone(), i);
        }
        self.names = names;
    }

    /// Collections that the initial state holds under another spelling.
    fn match_state(&mut self, initial_state: &Json) {
        let Some(state) = initial_state.as_object() else { return };
        for (i, name) in self.names.iter().enumerate() {
            if state.contains_key(name) {
                continue;
            }
            let same = |key: &str| path::word(key) == path::word(name);
            let found =
                state.iter().find(|(key, value)| same(key) && (value.is_object() || value.is_array()));
            self.paths[i] = found.filter(|(key, _)| expr::is_name(key)).map(|(key, _)| key.clone());
        }
    }

    fn canonical(&self, resource: usize) -> usize {
        self.plan.resources.get(resource).and_then(|r| r.alias).unwrap_or(resource)
    }

    fn entity(&self, resource: usize) -> Option<&Entity<'a>> {
        self.entities.get(self.canonical(resource))
    }

    fn parent(&self, resource: usize) -> Option<usize> {
        self.parents.get(resource).copied().flatten()
    }

    /// The singular noun for a resource.
    fn noun(&self, resource: usize) -> &str {
        match self.plan.resources.get(resource).and_then(|r| r.key.last()) {
            Some(word) if word != "{}" => word,
            _ => "record",
        }
    }

    fn body(&self, op: &Op<'a>, entity: &Entity<'a>) -> body::Body<'a> {
        let noun = op.resource.map(|r| self.noun(r)).unwrap_or_default();
        body::Body::of(op.tool, &[noun, entity.tag.as_str()], entity.node)
    }

    /// The collection that an operation works on, as a place.
    fn container(&self, op: &Op<'a>) -> Option<String> {
        self.container_of(op, op.resource?)
    }

    fn container_of(&self, op: &Op<'a>, resource: usize) -> Option<String> {
        let target = self.canonical(resource);
        let mut place = self.names.get(target)?.clone();
        let own = self.plan.resources.get(resource)?.path.segments.len();
        let scopes = scopes_of(&self.plan, target);
        let given = op.path.segments.iter().take(own).filter_map(|s| key_expr(op, s));
        for scope in given.take(scopes) {
            place.push_str(&format!("[{scope}]"));
        }
        Some(place)
    }

    /// The id in the operation's path.
    fn id(&self, op: &Op<'a>) -> Option<String> {
        let at = self.plan.resources.get(op.resource?)?.path.segments.len();
        op.path.segments.get(at..)?.iter().find_map(|s| key_expr(op, s))
    }

    /// The member that ties a record to its parent, and the parent's id.
    fn link(&self, op: &Op<'a>) -> Option<(String, String)> {
        let resource = op.resource?;
        let member = self.links.get(resource)?.clone()?;
        let own = self.plan.resources.get(resource)?.path.segments.len();
        let last = op.path.segments.iter().take(own).filter_map(|s| key_expr(op, s)).next_back()?;
        Some((member, last))
    }

    /// As [`Reader::link`], for collections that are scoped by their parent.
    fn scope_link(&self, op: &Op<'a>) -> Option<(String, String)> {
        let resource = op.resource?;
        if self.canonical(resource) != resource || matches!(op.role, Role::Single) {
            return None;
        }
        let member = self.owner_member(resource, resource)?.0?;
        if !self.owner_fits(resource, &member) {
            return None;
        }
        let own = self.plan.resources.get(resource)?.path.segments.len();
        let last = op.path.segments.iter().take(own).filter_map(|s| key_expr(op, s)).next_back()?;
        Some((member, last))
    }

    /// Whether the path's parameter is of the type that the records want in a member.
    fn owner_fits(&self, resource: usize, member: &str) -> bool {
        let Some(entity) = self.entity(resource) else { return false };
        let wanted = Node::of(&entity.schema).member(member);
        let resource = &self.plan.resources[resource];
        let parameter = resource.path.parameters().last().map(|p| (*p).to_owned());
        let given = resource.ops.first().zip(parameter).and_then(|(&op, parameter)| {
            let op = &self.plan.ops[op];
            Node::of(&op.tool.parameters).member(&entity::argument(op, &parameter))
        });
        match (given, wanted) {
            (Some(given), Some(wanted)) => schema::fit(&given, &wanted) <= schema::Fit::Loose,
            _ => false,
        }
    }

    /// Looks the parent up, so that nothing is found or made under a parent that does not exist.
    fn parent_step(&self, op: &Op<'a>, resource: usize) -> Option<Step> {
        let parent = self.parent(resource)?;
        // Only where something else than this tells which parents there are.
        let target = self.canonical(parent);
        let told = self.plan.ops.iter().any(|other| {
            other.resource.is_some_and(|r| self.canonical(r) == target)
                && matches!(other.role, Role::Get | Role::List | Role::Create | Role::Lookup(_))
        });
        if !told {
            return None;
        }
        let at = self.plan.resources.get(parent)?.path.segments.len();
        let id = op.path.segments.get(at).and_then(|s| key_expr(op, s))?;
        let bind = self.noun(parent).to_owned();
        let bind = if expr::is_name(&bind) && !matches!(bind.as_str(), "it" | "rows" | "total" | "args") {
            bind
        } else {
            "parent".into()
        };
        let get =
            Get { within: self.container_of(op, parent), id: Some(id), bind: Some(bind), ..Get::default() };
        Some(StepOp::Get(get).into())
    }

    /// Whether writing to an id that does not exist makes it.
    fn puts_create(&self, op: &Op<'a>, resource: usize) -> bool {
        let resource = self.canonical(resource);
        let creates = self.plan.resources.iter().enumerate().any(|(i, r)| {
            self.canonical(i) == resource && r.ops.iter().any(|&o| self.plan.ops[o].role == Role::Create)
        });
        match op.http.method.as_str() {
            "PUT" => op.http.success_status == 201 || !creates,
            "POST" => !creates && op.http.success_status == 201,
            _ => false,
        }
    }
}

fn scopes_of(plan: &Plan<'_>, resource: usize) -> usize {
    let Some(resource) = plan.resources.get(resource) else { return 0 };
    resource.path.segments.iter().filter(|s| matches!(s, Segment::Parameter(_))).count()
}

fn schema_is_closed(schema: &Json) -> bool {
    schema.get("additionalProperties") == Some(&Json::Bool(false))
}

/// Expression for what a path segment's parameters say.
fn key_expr(op: &Op<'_>, segment: &Segment) -> Option<String> {
    let Segment::Parameter(names) = segment else { return None };
    let args: Vec<String> = names.iter().map(|n| arg(&entity::argument(op, n))).collect();
    match args.as_slice() {
        [] => None,
        [only] => Some(only.clone()),
        several => Some(several.iter().map(|a| format!("string({a})")).collect::<Vec<_>>().join(" + ',' + ")),
    }
}
