//! Which operation does what to which resource.

use super::path::{Key, Path, Segment, is_prefix, word};
use super::shape::Shape;
use crate::fill::Name;
use crate::words::{plural, singular};
use gtm_tool::{HttpBinding, ToolSpec};
use std::collections::{BTreeMap, BTreeSet};

/// An HTTP operation.
#[derive(Clone, Debug)]
pub(super) struct Op<'a> {
    pub tool: &'a ToolSpec,
    pub http: &'a HttpBinding,
    pub path: Path,
    pub key: Key,
    pub role: Role,
    /// Index of the resource, for roles that have one.
    pub resource: Option<usize>,
}

/// What an operation does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Rows of the collection; `path` may go on behind it, as in `/pets/findByStatus`.
    List,
    /// A new record.
    Create,
    /// One record by its id.
    Get,
    /// A record replaced or changed.
    Update,
    /// A record changed whose id is in the body.
    UpdateByBody,
    /// A record removed.
    Delete,
    /// One record by another of its members.
    Lookup(String),
    /// Something done to a record: `POST /orders/{id}/cancel`.
    Act(String),
    /// A part of a record that is read or written by itself: `/users/{id}/profile`.
    Part(String),
    /// The only one of its kind: `/settings`.
    Single,
    /// Nothing that state explains.
    Direct,
}

/// Things of one kind and the operations on them.
#[derive(Clone, Debug)]
pub(super) struct Resource {
    /// API and key of the collection's path.
    pub api: String,
    pub key: Key,
    /// The collection's path as one operation has it.
    pub path: Path,
    /// The operations, by index.
    pub ops: Vec<usize>,
    /// The resource that holds the records in truth.
    pub alias: Option<usize>,
}

/// All resources of the operations, and the operations' roles.
pub(super) struct Plan<'a> {
    pub ops: Vec<Op<'a>>,
    pub resources: Vec<Resource>,
}

/// Literals that ask for rows of the collection they stand under.
const SEARCHES: &[&str] =
    &["search", "query", "find", "filter", "list", "all", "lookup", "browse", "index", "view"];
/// Literals that make a record of the collection they stand under.
const MAKES: &[&str] = &["create", "add", "new", "insert", "register"];
/// Literals that change a record of the collection they stand under.
const CHANGES: &[&str] = &["update", "edit", "modify", "save"];

impl<'a> Plan<'a> {
    pub(super) fn of(tools: &[&'a ToolSpec]) -> Plan<'a> {
        let ops = tools
            .iter()
            .filter_map(|tool| {
                let http = tool.http.as_ref()?;
                let path = Path::parse(&http.path);
                Some(Op { tool, http, key: path.key(), path, role: Role::Direct, resource: None })
            })
            .collect();
        let mut plan = Plan { ops, resources: Vec::new() };
        let mut index: BTreeMap<(String, Key), usize> = BTreeMap::new();
        plan.find_items(&mut index);
        plan.find_collections(&mut index);
        plan.find_parts(&index);
        plan.find_singles();
        plan
    }

    fn api(op: &Op<'_>) -> String {
        format!("{} {}", op.tool.origin.api, op.http.base)
    }

    fn resource(&mut self, index: &mut BTreeMap<(String, Key), usize>, api: String, path: Path) -> usize {
        let key = path.key();
        *index.entry((api.clone(), key.clone())).or_insert_with(|| {
            self.resources.push(Resource { api, key, path, ops: Vec::new(), alias: None });
            self.resources.len() - 1
        })
    }

    fn assign(&mut self, op: usize, resource: usize, role: Role) {
        if let Some(op) = self.ops.get_mut(op) {
            op.role = role;
            op.resource = Some(resource);
        }
        if let Some(resource) = self.resources.get_mut(resource) {
            resource.ops.push(op);
        }
    }

    /// Operations on paths that end in a parameter: the collection is the path before it.
    fn find_items(&mut self, index: &mut BTreeMap<(String, Key), usize>) {
        let literals: BTreeSet<Key> =
            self.ops.iter().filter(|op| op.path.literal().is_some()).map(|op| op.key.clone()).collect();
        // `/messages/{log}` is a collection where `/messages/{log}/{id}` is there too.
        let nested: BTreeSet<Key> = self
            .ops
            .iter()
            .filter(|op| op.path.item().is_some() && op.path.without(1).item().is_some())
            .map(|op| op.path.without(1).key())
            .collect();
        for i in 0..self.ops.len() {
            let op = &self.ops[i];
            if op.path.item().is_none() {
                continue;
            }
            if nested.contains(&op.key) && op.path.verb.is_none() {
                let role = match op.http.method.as_str() {
                    "GET" if self.lists(i) => Some(Role::List),
                    "POST" => Some(Role::Create),
                    _ => None,
                };
                if let Some(role) = role {
                    let (api, path) = (Self::api(op), op.path.clone());
                    let resource = self.resource(index, api, path);
                    self.assign(i, resource, role);
                    continue;
                }
            }
            let op = &self.ops[i];
            let Some(parameters) = op.path.item() else { continue };
            let mut collection = op.path.without(1);
            if collection.words().is_empty() && collection.parameters().is_empty() {
                // `/{id}`: anything might be meant.
                continue;
            }
            let mut role = match (op.http.method.as_str(), &op.path.verb) {
                (_, Some(verb)) => Role::Act(verb.clone()),
                ("GET" | "HEAD", None) => Role::Get,
                ("PUT" | "PATCH", None) => Role::Update,
                ("POST", None) => Role::Update,
                ("DELETE", None) => Role::Delete,
                _ => continue,
            };
            if let Some(property) = lookup(&collection, parameters, &literals) {
                if role == Role::Get {
                    role = Role::Lookup(property);
                }
                collection = collection.without(1);
            }
            let api = Self::api(op);
            let resource = self.resource(index, api, collection);
            self.assign(i, resource, role);
        }
        // A resource that is looked up by other members only: the first of them is its id.
        for resource in 0..self.resources.len() {
            let ops = self.resources[resource].ops.clone();
            let has_id = ops.iter().any(|&i| !matches!(self.ops[i].role, Role::Lookup(_)));
            if let (false, Some(&first)) = (has_id, ops.first()) {
                self.ops[first].role = Role::Get;
            }
        }
    }

    /// Operations on paths that end in a literal and are collections: they have items, or list and make.
    fn find_collections(&mut self, index: &mut BTreeMap<(String, Key), usize>) {
        let mut groups: BTreeMap<(String, Key), Vec<usize>> = BTreeMap::new();
        for (i, op) in self.ops.iter().enumerate() {
            if op.path.literal().is_some() && op.path.verb.is_none() && op.role == Role::Direct {
                groups.entry((Self::api(op), op.key.clone())).or_default().push(i);
            }
        }
        for ((api, key), members) in groups {
            let has_items = index.contains_key(&(api.clone(), key.clone()));
            let answers_rows = |i: usize| {
                let undeclared = matches!(Shape::of(self.ops[i].tool, &[], true), Shape::Open);
                self.lists(i) || (has_items && undeclared)
            };
            let lists = members.iter().any(|&i| self.ops[i].http.method == "GET" && answers_rows(i));
            let listing: Vec<usize> = members.iter().copied().filter(|&i| answers_rows(i)).collect();
            let Some(&first) = members.first() else { continue };
            if !has_items && !lists {
                continue;
            }
            let path = self.ops[first].path.clone();
            let resource = self.resource(index, api, path);
            for i in members {
                let role = match self.ops[i].http.method.as_str() {
                    "GET" if listing.contains(&i) => Role::List,
                    "POST" => Role::Create,
                    "PUT" | "PATCH" if has_items => Role::UpdateByBody,
                    _ => continue,
                };
                self.assign(i, resource, role);
            }
        }
        // Custom verbs on collections: `/documents:search`.
        for i in 0..self.ops.len() {
            let op = &self.ops[i];
            let (Some(_), Some(verb), Role::Direct) = (op.path.literal(), op.path.verb.clone(), &op.role)
            else {
                continue;
            };
            if let Some(&resource) = index.get(&(Self::api(op), op.key.clone())) {
                self.under_collection(i, resource, &verb);
            }
        }
    }

    /// Whether a GET answers with rows, or may, for all that is declared.
    fn lists(&self, op: usize) -> bool {
        let op = &self.ops[op];
        let words = op.path.words();
        let last = words.last().copied().unwrap_or_default();
        match Shape::of(op.tool, &[last], true) {
            Shape::Rows(..) | Shape::Ids(_) => true,
            Shape::Open | Shape::Empty => is_plural(last) && op.path.item().is_none(),
            _ => false,
        }
    }

    /// Operations on paths that go on behind an item or a collection.
    fn find_parts(&mut self, index: &BTreeMap<(String, Key), usize>) {
        let mut readable: BTreeSet<(String, Key)> = BTreeSet::new();
        for op in self.ops.iter().filter(|op| op.role == Role::Direct && op.http.method == "GET") {
            readable.insert((Self::api(op), op.key.clone()));
        }
        for i in 0..self.ops.len() {
            let op = &self.ops[i];
            if op.role != Role::Direct || op.path.verb.is_some() {
                continue;
            }
            let Some(literal) = op.path.literal().map(str::to_owned) else { continue };
            let api = Self::api(op);
            let behind_item = op.path.segments.iter().rposition(|s| matches!(s, Segment::Parameter(_)));
            if let Some(at) = behind_item {
                let collection: Key = op.key.iter().take(at).cloned().collect();
                if let Some(&resource) = index.get(&(api.clone(), collection)) {
                    let tail = op.path.segments.len() - at - 1;
                    let key = (api, op.key.clone());
                    let role = match op.http.method.as_str() {
                        "GET" if tail == 1 => Role::Part(literal),
                        "GET" => continue,
                        _ if tail == 1 && readable.contains(&key) => Role::Part(literal),
                        _ => Role::Act(literal),
                    };
                    self.assign(i, resource, role);
                    continue;
                }
            }
            let collection: Key = op.key.iter().take(op.key.len().saturating_sub(1)).cloned().collect();
            if let Some(&resource) = index.get(&(api, collection)) {
                self.under_collection(i, resource, &literal);
            }
        }
    }

    /// An operation whose path is a collection's and one literal more.
    fn under_collection(&mut self, i: usize, resource: usize, literal: &str) {
        let op = &self.ops[i];
        let name = Name::new(literal);
        let method = op.http.method.as_str();
        let collection =
            self.resources[resource].path.words().last().map(|w| (*w).to_owned()).unwrap_or_default();
        let rows = Shape::of(op.tool, &[&collection], true);
        let role = if rows.is_rows()
            && (method == "GET" || (method == "POST" && SEARCHES.contains(&name.first())))
        {
            Role::List
        } else if matches!(method, "POST" | "PUT") && name.len() == 1 && MAKES.contains(&name.first()) {
            Role::Create
        } else if matches!(method, "POST" | "PUT" | "PATCH")
            && name.len() == 1
            && CHANGES.contains(&name.first())
        {
            Role::UpdateByBody
        } else {
            return;
        };
        self.assign(i, resource, role);
    }

    /// Paths that can be both read and written and are no collection.
    fn find_singles(&mut self) {
        let mut groups: BTreeMap<(String, Key), Vec<usize>> = BTreeMap::new();
        for (i, op) in self.ops.iter().enumerate() {
            if op.role == Role::Direct
                && op.path.verb.is_none()
                && op.path.literal().is_some_and(|l| !is_prefix(l))
            {
                groups.entry((Self::api(op), op.key.clone())).or_default().push(i);
            }
        }
        for ((api, key), members) in groups {
            let has = |methods: &[&str]| {
                members.iter().any(|&i| methods.contains(&self.ops[i].http.method.as_str()))
            };
            if !(has(&["GET"]) && has(&["PUT", "PATCH", "POST"])) {
                continue;
            }
            let Some(&first) = members.iter().find(|&&i| self.ops[i].http.method == "GET") else { continue };
            let words = self.ops[first].path.words();
            let shape = Shape::of(self.ops[first].tool, &[words.last().copied().unwrap_or_default()], false);
            if !matches!(shape, Shape::Record(..)) {
                continue;
            }
            // `GET /search?q=` beside `POST /search` with the same in its body is asked, not stored.
            let asks = members.iter().any(|&i| self.ops[i].http.method == "POST") && !has(&["PUT", "PATCH"]);
            if asks {
                continue;
            }
            let path = self.ops[first].path.clone();
            self.resources.push(Resource { api, key, path, ops: Vec::new(), alias: None });
            let resource = self.resources.len() - 1;
            for i in members {
                self.assign(i, resource, Role::Single);
            }
        }
    }
}

/// The member that a path such as `/pets/by-name/{name}` or `/pets/name/{name}` looks records up by.
fn lookup(collection: &Path, parameters: &[String], literals: &BTreeSet<Key>) -> Option<String> {
    let Some(Segment::Literal(last)) = collection.segments.last() else { return None };
    let name = Name::new(last);
    let parameter = parameters.first()?;
    if name.first() == "by" && name.len() > 1 {
        return Some(name.words().skip(1).collect::<Vec<_>>().join("_"));
    }
    // `/pets/name/{name}`, where `/pets` is there too and `/pets/name` is not.
    let before = collection.without(1);
    let same = Name::new(parameter).last() == name.last();
    let naming = matches!(
        name.joined(),
        "name"
            | "slug"
            | "email"
            | "username"
            | "code"
            | "key"
            | "login"
            | "handle"
            | "title"
            | "symbol"
            | "isbn"
            | "uuid"
            | "sku"
            | "phone"
    );
    (same && naming && literals.contains(&before.key()) && !literals.contains(&collection.key()))
        .then(|| parameter.clone())
}

/// Whether a literal names several things.
pub(super) fn is_plural(literal: &str) -> bool {
    let name = Name::new(literal);
    let last = name.last();
    !last.is_empty() && (singular(last) != last || plural(last) == last) && word(literal) != "status"
}
