//! The graph of a schema's subschemas: who applies whom, in place or to a child.

use crate::Limits;
use gtm_error::{Code, Error, Result};
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// Index of a schema object in the graph.
pub(super) type Id = usize;

/// How a schema applies another to a child of the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Child {
    /// To one named property, or one position of an array: different ones see different children.
    One,
    /// To any number of children (`items`, `patternProperties`, ...), so it adds to every other.
    Any,
}

/// One schema object.
#[derive(Debug, Default)]
pub(super) struct Node {
    /// Subschemas and references applied to the same value.
    pub(super) in_place: Vec<Id>,
    /// Subschemas applied to children of the value.
    pub(super) children: Vec<(Child, Id)>,
    /// `unevaluated*` make a validator walk the in-place subschemas a second time.
    pub(super) twice: bool,
}

/// All schema objects that can be applied, the root first.
#[derive(Debug)]
pub(super) struct Graph<'a> {
    pub(super) nodes: Vec<Node>,
    places: Vec<Place<'a>>,
}

/// Where a schema object lies, as a chain towards the root.
#[derive(Clone, Copy, Debug)]
struct Place<'a> {
    parent: Option<Id>,
    keyword: &'a str,
    key: Step<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Step<'a> {
    None,
    Key(&'a str),
    Index(usize),
    /// Reached by a reference; the pointer is the whole place.
    Pointer(&'a str),
}

/// Hashes addresses, which nobody can choose to collide, by one multiplication: admission is half
/// of the time that an import takes.
#[derive(Default)]
struct AddressHasher(u64);

impl Hasher for AddressHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&b| self.write_usize(usize::from(b)));
    }

    fn write_usize(&mut self, n: usize) {
        self.0 = (self.0 ^ n as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    }
}

struct Builder<'a, 'l> {
    root: &'a Value,
    limits: &'l Limits,
    graph: Graph<'a>,
    ids: HashMap<*const Value, Id, BuildHasherDefault<AddressHasher>>,
    queue: Vec<(&'a Map<String, Value>, Id)>,
    /// Found when the first reference needs them; hardly any schema has one.
    anchors: Option<HashMap<&'a str, Vec<&'a Value>>>,
    boolean: Option<Id>,
}

impl<'a> Graph<'a> {
    pub(super) fn build(root: &'a Value, limits: &Limits) -> Result<Graph<'a>> {
        let graph = Graph { nodes: Vec::new(), places: Vec::new() };
        let mut builder = Builder {
            root,
            limits,
            graph,
            ids: HashMap::default(),
            queue: Vec::new(),
            anchors: None,
            boolean: None,
        };
        builder.visit(root, Place { parent: None, keyword: "", key: Step::None })?;
        while let Some((map, id)) = builder.queue.pop() {
            builder.expand(map, id)?;
        }
        Ok(builder.graph)
    }

    /// JSON pointer of a schema.
    pub(super) fn pointer(&self, id: Id) -> String {
        let mut parts = Vec::new();
        let mut at = Some(id);
        while let Some(place) = at.and_then(|id| self.places.get(id)) {
            match place.key {
                Step::Pointer(pointer) => {
                    parts.push(pointer.trim_start_matches('#').to_owned());
                    break;
                }
                Step::None => {}
                Step::Key(key) => parts.push(format!("/{}", escape(key))),
                Step::Index(i) => parts.push(format!("/{i}")),
            }
            if !place.keyword.is_empty() {
                parts.push(format!("/{}", escape(place.keyword)));
            }
            at = place.parent;
        }
        parts.reverse();
        parts.concat()
    }
}

fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// Every place a plain-name anchor could mean. Anchors in places that turn out not to be schemas
/// are found too, which can only make the cost estimate larger.
fn anchors(root: &Value) -> HashMap<&str, Vec<&Value>> {
    let mut found: HashMap<&str, Vec<&Value>> = HashMap::new();
    let mut stack = vec![root];
    while let Some(value) = stack.pop() {
        match value {
            Value::Object(map) => {
                for keyword in ["$anchor", "$dynamicAnchor"] {
                    if let Some(Value::String(name)) = map.get(keyword) {
                        found.entry(name).or_default().push(value);
                    }
                }
                stack.extend(map.values());
            }
            Value::Array(items) => stack.extend(items),
            _ => {}
        }
    }
    found
}

impl<'a> Builder<'a, '_> {
    /// The node of a schema, made and queued if new. What is no schema counts as the boolean one.
    fn visit(&mut self, schema: &'a Value, place: Place<'a>) -> Result<Id> {
        let Value::Object(map) = schema else {
            return Ok(match self.boolean {
                Some(id) => id,
                None => {
                    let id = self.push(place);
                    self.boolean = Some(id);
                    id
                }
            });
        };
        let key = std::ptr::from_ref(schema);
        if let Some(&id) = self.ids.get(&key) {
            return Ok(id);
        }
        let id = self.push(place);
        self.ids.insert(key, id);
        self.queue.push((map, id));
        Ok(id)
    }

    fn push(&mut self, place: Place<'a>) -> Id {
        self.graph.nodes.push(Node::default());
        self.graph.places.push(place);
        self.graph.nodes.len() - 1
    }

    fn expand(&mut self, map: &'a Map<String, Value>, id: Id) -> Result<()> {
        for (keyword, value) in map {
            let keyword = keyword.as_str();
            match keyword {
                "$ref" | "$dynamicRef" | "$recursiveRef" => self.reference(id, keyword, value)?,
                "$id" | "$schema" if id != 0 && value.is_string() => {
                    let message =
                        format!("`{keyword}` inside a schema would change what its references mean");
                    return Err(Error::new(Code::SchemaInvalid, message)
                        .at(self.inside(id, keyword))
                        .hint("bundle the document so that every `$ref` starts with `#/`"));
                }
                "allOf" | "anyOf" | "oneOf" => self.list(id, keyword, value, None)?,
                "prefixItems" => self.list(id, keyword, value, Some(Child::One))?,
                "not" | "if" | "then" | "else" => self.single(id, keyword, value, None)?,
                "items" if value.is_array() => self.list(id, keyword, value, Some(Child::One))?,
                "items" | "additionalItems" | "contains" | "additionalProperties" | "propertyNames" => {
                    self.single(id, keyword, value, Some(Child::Any))?;
                }
                "unevaluatedItems" | "unevaluatedProperties" => {
                    self.graph.nodes[id].twice = true;
                    self.single(id, keyword, value, Some(Child::Any))?;
                }
                "properties" => self.map(id, keyword, value, Some(Child::One))?,
                "patternProperties" => {
                    for pattern in value.as_object().into_iter().flat_map(Map::keys) {
                        self.pattern(id, keyword, pattern)?;
                    }
                    self.map(id, keyword, value, Some(Child::Any))?;
                }
                "dependentSchemas" | "dependencies" => self.map(id, keyword, value, None)?,
                // Not applied, but compiled as part of the document: bounded all the same.
                "$defs" | "definitions" => {
                    for (name, schema) in value.as_object().into_iter().flatten() {
                        self.visit(schema, Place { parent: Some(id), keyword, key: Step::Key(name) })?;
                    }
                }
                "pattern" => {
                    if let Some(pattern) = value.as_str() {
                        self.pattern(id, keyword, pattern)?;
                    }
                }
                "enum" => {
                    let n = value.as_array().map_or(0, Vec::len);
                    self.bound(id, keyword, n, self.limits.enum_values, "values (`limits.enum_values`)")?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn reference(&mut self, id: Id, keyword: &'a str, value: &'a Value) -> Result<()> {
        let Value::String(target) = value else { return Ok(()) };
        let Some(fragment) = target.strip_prefix('#') else {
            let message = format!("reference to `{}` leaves the document", gtm_error::printable(target));
            return Err(Error::new(Code::RefRefused, message).at(self.inside(id, keyword)));
        };
        let found: Vec<&'a Value> = if fragment.is_empty() || fragment.starts_with('/') {
            crate::schema::lookup(self.root, target).into_iter().collect()
        } else {
            let root = self.root;
            self.anchors.get_or_insert_with(|| anchors(root)).get(fragment).cloned().unwrap_or_default()
        };
        if found.is_empty() {
            let message =
                format!("reference to `{}`, which is not in the document", gtm_error::printable(target));
            return Err(Error::new(Code::SchemaInvalid, message).at(self.inside(id, keyword)));
        }
        for schema in found {
            let target =
                self.visit(schema, Place { parent: None, keyword: "", key: Step::Pointer(target) })?;
            self.link(id, None, target);
        }
        Ok(())
    }

    fn single(&mut self, id: Id, keyword: &'a str, value: &'a Value, child: Option<Child>) -> Result<()> {
        let target = self.visit(value, Place { parent: Some(id), keyword, key: Step::None })?;
        self.link(id, child, target);
        Ok(())
    }

    fn list(&mut self, id: Id, keyword: &'a str, value: &'a Value, child: Option<Child>) -> Result<()> {
        for (i, schema) in value.as_array().into_iter().flatten().enumerate() {
            let target = self.visit(schema, Place { parent: Some(id), keyword, key: Step::Index(i) })?;
            self.link(id, child, target);
        }
        Ok(())
    }

    fn map(&mut self, id: Id, keyword: &'a str, value: &'a Value, child: Option<Child>) -> Result<()> {
        let Value::Object(map) = value else { return Ok(()) };
        self.bound(id, keyword, map.len(), self.limits.properties, "properties (`limits.properties`)")?;
        for (name, schema) in map {
            let target = self.visit(schema, Place { parent: Some(id), keyword, key: Step::Key(name) })?;
            self.link(id, child, target);
        }
        Ok(())
    }

    fn link(&mut self, from: Id, child: Option<Child>, to: Id) {
        match child {
            None => self.graph.nodes[from].in_place.push(to),
            Some(child) => self.graph.nodes[from].children.push((child, to)),
        }
    }

    fn pattern(&self, id: Id, keyword: &str, pattern: &str) -> Result<()> {
        self.bound(id, keyword, pattern.len(), self.limits.pattern_bytes, "bytes (`limits.pattern_bytes`)")
    }

    fn bound(&self, id: Id, keyword: &str, n: usize, max: usize, unit: &str) -> Result<()> {
        if n <= max {
            return Ok(());
        }
        Err(super::too_large(&format!("`{keyword}` too large: {n}"), max, unit).at(self.inside(id, keyword)))
    }

    fn inside(&self, id: Id, keyword: &str) -> String {
        format!("{}/{}", self.graph.pointer(id), escape(keyword))
    }
}
