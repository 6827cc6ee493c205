//! Shared schemas of a document: each normalised once, and copied under `$defs` of the tools that
//! reach it.

use crate::Limits;
use crate::normalise::{Dialect, Direction, Normaliser};
use crate::spec::Format;
use serde_json::{Map, Value};
use std::collections::{HashMap, HashSet, VecDeque};

/// A schema made ready: normalised, its references rewritten to `#/$defs/Name`.
#[derive(Debug, Default)]
pub(super) struct Ready {
    pub(super) value: Value,
    refs: Vec<usize>,
    remote: Option<String>,
}

#[derive(Debug)]
struct Def {
    name: String,
    ready: Ready,
    nodes: usize,
}

/// Shared schemas by the pointer they are referred to with.
pub(super) struct Defs<'a> {
    root: &'a Value,
    dialect: Dialect,
    direction: Direction,
    limits: &'a Limits,
    ids: HashMap<String, usize>,
    defs: Vec<Def>,
    names: HashSet<String>,
    /// Found but not yet made ready.
    pending: Vec<(usize, &'a Value)>,
}

impl<'a> Defs<'a> {
    pub(super) fn new(root: &'a Value, format: Format, direction: Direction, limits: &'a Limits) -> Self {
        let dialect = if format == Format::OpenApi31 { Dialect::JsonSchema } else { Dialect::OpenApi30 };
        Self {
            root,
            dialect,
            direction,
            limits,
            ids: HashMap::new(),
            defs: Vec::new(),
            names: HashSet::new(),
            pending: Vec::new(),
        }
    }

    /// Makes a schema of the document ready, and all that it reaches.
    pub(super) fn ready(&mut self, schema: &Value) -> Ready {
        let (ready, _) = self.normalised(schema);
        while let Some((id, target)) = self.pending.pop() {
            let (ready, nodes) = self.normalised(target);
            self.defs[id].ready = ready;
            self.defs[id].nodes = nodes;
        }
        ready
    }

    fn normalised(&mut self, schema: &Value) -> (Ready, usize) {
        let (dialect, direction) = (self.dialect, self.direction);
        let mut ready = Ready::default();
        let mut refs = |reference: String| self.intern(reference, &mut ready.refs, &mut ready.remote);
        let mut normaliser = Normaliser { dialect, direction, refs: &mut refs, nodes: 0 };
        let value = normaliser.schema(schema.clone(), 0);
        let nodes = normaliser.nodes;
        ready.value = value;
        // Each schema holds a few keywords besides its subschemas.
        (ready, nodes * 4)
    }

    /// The reference to a shared schema under its new name; `None` if it leads nowhere.
    fn intern(
        &mut self,
        reference: String,
        refs: &mut Vec<usize>,
        remote: &mut Option<String>,
    ) -> Option<String> {
        if !reference.starts_with('#') {
            remote.get_or_insert(reference);
            return None;
        }
        let id = match self.ids.get(&reference) {
            Some(&id) => id,
            None => {
                let target = crate::schema::lookup(self.root, &reference).filter(|_| reference.len() > 1)?;
                let id = self.defs.len();
                let name = self.name(&reference);
                self.defs.push(Def { name, ready: Ready::default(), nodes: 0 });
                self.ids.insert(reference, id);
                self.pending.push((id, target));
                id
            }
        };
        refs.push(id);
        Some(format!("#/$defs/{}", self.defs[id].name))
    }

    /// A name of letters, digits, `_`, `.` and `-`, so that no pointer to it needs escaping.
    fn name(&mut self, reference: &str) -> String {
        let mut parts = reference.rsplit('/').filter(|part| !STRUCTURE.contains(part));
        let last = parts.next().unwrap_or("schema").replace("~1", "_").replace("~0", "_").replace("%20", "_");
        let mut stem: String = last
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || "_.-".contains(c) { c } else { '_' })
            .take(128)
            .collect();
        if stem.chars().all(|c| c == '_') {
            stem = "schema".into();
        }
        let mut name = stem.clone();
        let mut n = 2;
        while !self.names.insert(name.clone()) {
            name = format!("{stem}_{n}");
            n += 1;
        }
        name
    }

    /// The first reference, in the schema or in what it reaches, that leaves the document.
    pub(super) fn remote<'r>(&'r self, ready: &'r Ready) -> Option<&'r str> {
        if ready.remote.is_some() || ready.refs.is_empty() {
            return ready.remote.as_deref();
        }
        let (reached, _) = self.reached(ready.refs.iter().copied(), usize::MAX);
        reached.into_iter().find_map(|id| self.defs[id].ready.remote.as_deref())
    }

    /// What the references reach, nearest first, as far as there is room for it; and those next
    /// to it for which there is none.
    fn reached(&self, refs: impl IntoIterator<Item = usize>, room: usize) -> (Vec<usize>, Vec<usize>) {
        let mut seen = HashSet::new();
        let mut queue: VecDeque<usize> = refs.into_iter().filter(|&id| seen.insert(id)).collect();
        let (mut inside, mut outside) = (Vec::new(), Vec::new());
        let mut used = 0usize;
        while let Some(id) = queue.pop_front() {
            let def = &self.defs[id];
            if used.saturating_add(def.nodes) > room {
                outside.push(id);
                continue;
            }
            used += def.nodes;
            inside.push(id);
            queue.extend(def.ready.refs.iter().copied().filter(|&next| seen.insert(next)));
        }
        (inside, outside)
    }

    /// Values in the definitions that the parts reach, counted up to about `most`.
    pub(super) fn size(&self, parts: &[Ready], most: usize) -> usize {
        let (inside, outside) = self.reached(parts.iter().flat_map(|part| part.refs.iter().copied()), most);
        let nodes: usize = inside.iter().map(|&id| self.defs[id].nodes).sum();
        if outside.is_empty() { nodes } else { nodes.max(most) }
    }

    /// Adds `$defs` with everything the parts reach to a schema made of them. Definitions beyond
    /// `room` values are left open, which keeps every reference good and says so.
    pub(super) fn attach(&self, schema: &mut Map<String, Value>, parts: &[Ready], room: usize) {
        let room = room.min(self.limits.defs_nodes);
        let (mut inside, outside) =
            self.reached(parts.iter().flat_map(|part| part.refs.iter().copied()), room);
        if inside.is_empty() && outside.is_empty() {
            return;
        }
        inside.sort_unstable();
        let mut defs = match schema.remove("$defs") {
            Some(Value::Object(own)) => own,
            _ => Map::new(),
        };
        for id in inside {
            let def = &self.defs[id];
            defs.insert(def.name.clone(), def.ready.value.clone());
        }
        for id in outside {
            let note = "left open: the schema as a whole is too large";
            let open = Map::from_iter([("description".to_owned(), Value::from(note))]);
            defs.insert(self.defs[id].name.clone(), Value::Object(open));
        }
        schema.insert("$defs".into(), Value::Object(defs));
    }
}

impl Ready {
    /// A schema of our own making.
    pub(super) fn of(value: Value) -> Self {
        Self { value, ..Self::default() }
    }
}

/// Parts of a pointer that say where a schema is, not what it is.
const STRUCTURE: &[&str] = &[
    "schema",
    "items",
    "properties",
    "content",
    "application~1json",
    "responses",
    "parameters",
    "allOf",
    "oneOf",
    "anyOf",
];
