//! What was known when a call was made: every value in its arguments and in the state, found by value,
//! with the expressions that lead to it.

use crate::quote;
use crate::shape::{Place, Shape};
use gtm_world::{Str, Value};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// Most values of one case that are looked at.
const MAX_NODES: usize = 20_000;
/// Deepest value that is looked at.
const MAX_DEPTH: usize = 9;
/// Most expressions kept for one value.
const MAX_WAYS: usize = 12;
/// Most expressions kept for one key.
const MAX_REFS: usize = 4;
/// Longest argument that is looked into as JSON text.
const MAX_JSON: usize = 64 << 10;

/// An expression and how unlikely it is: the lower, the sooner it is believed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Way {
    pub(crate) text: Rc<str>,
    pub(crate) cost: u32,
}

#[derive(Clone, Debug)]
enum Step {
    /// A name in scope, such as `args`, or a member of the state.
    Root(Str),
    /// Text that holds JSON.
    Json,
    Key(Str),
    Item(usize),
}

pub(crate) struct Node {
    parent: Option<u32>,
    step: Step,
    pub(crate) value: Value,
    depth: u8,
    in_state: bool,
    /// Whether its keys are data: it is an object of records of one kind, or its keys are never the same.
    rows: bool,
}

/// The values of one case.
pub(crate) struct Facts {
    pub(crate) nodes: Vec<Node>,
    by_value: HashMap<u64, Vec<u32>>,
    /// Keys of objects in the state: the object and the key.
    by_key: HashMap<Str, Vec<u32>>,
    /// Texts that may select something: values of arguments, and of records found by these.
    refs: HashMap<Str, Vec<Way>>,
    ways: RefCell<HashMap<u32, Rc<[Way]>>>,
}

impl Facts {
    pub(crate) fn new(args: &Value, check: &Value, state: &Value, shape: &Shape) -> Facts {
        let mut facts = Facts {
            nodes: Vec::new(),
            by_value: HashMap::new(),
            by_key: HashMap::new(),
            refs: HashMap::new(),
            ways: RefCell::default(),
        };
        facts.add(args, None, Step::Root("args".into()), 0, None);
        if !check.is_null() {
            facts.add(check, None, Step::Root("check".into()), 0, None);
        }
        let own = facts.nodes.len() as u32;
        for (name, value) in state.as_map().into_iter().flat_map(|m| m.iter()) {
            if quote::is_identifier(name) {
                let place = Some((shape, shape.below(Place::ROOT, name)));
                facts.add(value, None, Step::Root(name.clone()), 0, place);
            }
        }
        facts.find_refs(own);
        facts
    }

    /// `place` is where in the state the value is, if it is there.
    fn add(
        &mut self,
        value: &Value,
        parent: Option<u32>,
        step: Step,
        depth: u8,
        place: Option<(&Shape, Place)>,
    ) -> u64 {
        if self.nodes.len() >= MAX_NODES {
            return 0;
        }
        let at = self.nodes.len() as u32;
        let in_state = place.is_some();
        if let (Step::Key(key), true) = (&step, in_state) {
            self.by_key.entry(key.clone()).or_default().push(at);
        }
        let keyed = place.is_some_and(|(shape, place)| shape.is_keyed(place));
        let alike = || if parent.is_some() { are_rows(value) } else { are_uniform(value) };
        let rows = matches!(value, Value::Map(_)) && (keyed || in_state && alike());
        self.nodes.push(Node { parent, step, value: value.clone(), depth, in_state, rows });
        let deeper = (depth as usize) < MAX_DEPTH;
        let hash = match value {
            Value::Map(map) if deeper => map.iter().fold(mix(7, map.len() as u64), |hash, (key, inner)| {
                let below = place.map(|(shape, place)| (shape, shape.below(place, key)));
                let inner = self.add(inner, Some(at), Step::Key(key.clone()), depth + 1, below);
                hash.wrapping_add(mix(hash_text(key), inner))
            }),
            Value::List(list) if deeper => {
                list.iter().enumerate().fold(mix(11, list.len() as u64), |hash, (i, inner)| {
                    let below = place.map(|(shape, place)| (shape, shape.item(place)));
                    mix(hash, self.add(inner, Some(at), Step::Item(i), depth + 1, below))
                })
            }
            Value::Map(_) | Value::List(_) => fingerprint(value),
            scalar => fingerprint(scalar),
        };
        self.by_value.entry(hash).or_default().push(at);
        if let (Value::Str(text), false) = (value, in_state)
            && text.starts_with(['{', '['])
            && text.len() < MAX_JSON
            && let Ok(inner) = serde_json::from_str::<serde_json::Value>(text)
        {
            self.add(&Value::from(inner), Some(at), Step::Json, depth + 1, None);
        }
        hash
    }

    /// Texts by which records may have been found: arguments first, then single values of the state,
    /// then members of records found by either.
    fn find_refs(&mut self, own: u32) {
        let end = self.nodes.len() as u32;
        self.note_refs((0..own.min(end)).collect(), 0);
        let direct = self.refs.clone();
        let single = |at: &u32| {
            let node = &self.nodes[*at as usize];
            node.depth <= 2 && matches!(node.value, Value::Str(_)) && self.is_plain(*at)
        };
        let singles: Vec<u32> = (own..end).filter(single).collect();
        self.note_refs(singles, 2);
        let member = |at: &u32| {
            let node = &self.nodes[*at as usize];
            matches!(node.value, Value::Str(_) | Value::Int(_))
                && node.parent.is_some_and(|parent| self.is_found(parent, &direct))
        };
        let members: Vec<u32> = (own..end).filter(member).collect();
        self.note_refs(members, 4);
    }

    /// Notes the texts at some places, each with the likeliest expression for it.
    fn note_refs(&mut self, places: Vec<u32>, cost: u32) {
        let mut found = Vec::new();
        for at in places {
            let value = &self.nodes[at as usize].value;
            let Some(key) = value.as_key().filter(|k| !k.is_empty() && k.len() <= 200) else { continue };
            if let (false, Some(way)) = (matches!(value, Value::Bool(_)), self.ways(at).first()) {
                found.push((key, Way { cost: cost + way.cost, ..way.clone() }));
            }
        }
        for (key, way) in found {
            let known = self.refs.entry(key).or_default();
            if known.len() < MAX_REFS && known.iter().all(|w| w.text != way.text) {
                known.push(way);
            }
        }
        self.ways.borrow_mut().clear();
    }

    /// Whether the place is reached by names alone, which look like names and not like data.
    fn is_plain(&self, at: u32) -> bool {
        let node = &self.nodes[at as usize];
        let plain = match &node.step {
            Step::Root(_) => true,
            Step::Key(key) => {
                quote::is_identifier(key)
                    && !self.refs.contains_key(key)
                    && !node.parent.is_some_and(|parent| self.is_data(parent, key))
            }
            Step::Json | Step::Item(_) => false,
        };
        plain && node.parent.is_none_or(|parent| self.is_plain(parent))
    }

    /// Whether a key of an object is data, such as an id, and not the name of a member.
    fn is_data(&self, object: u32, key: &str) -> bool {
        let node = &self.nodes[object as usize];
        key.contains(' ') || key.chars().filter(char::is_ascii_digit).count() > 1 || node.rows
    }

    /// Whether a record is one that some text selects.
    fn is_found(&self, at: u32, by: &HashMap<Str, Vec<Way>>) -> bool {
        let node = &self.nodes[at as usize];
        match &node.step {
            Step::Key(key) if by.contains_key(key) => true,
            Step::Item(_) => node.value.as_map().is_some_and(|record| {
                record.values().filter_map(Value::as_key).any(|v| v.len() > 1 && by.contains_key(&v))
            }),
            _ => false,
        }
    }

    /// Expressions for the text, if it may select something.
    pub(crate) fn refs(&self, text: &str) -> &[Way] {
        self.refs.get(text).map_or(&[], Vec::as_slice)
    }

    /// All texts that may select something.
    pub(crate) fn all_refs(&self) -> impl Iterator<Item = (&Str, &Vec<Way>)> {
        self.refs.iter()
    }

    /// Whether some value is this text.
    pub(crate) fn holds(&self, text: &str) -> bool {
        self.by_value.contains_key(&hash_text(text)) || self.by_key.contains_key(text)
    }

    /// Places that hold an equal value.
    pub(crate) fn places(&self, value: &Value) -> impl Iterator<Item = u32> + '_ {
        let value = value.clone();
        let found = self.by_value.get(&fingerprint(&value)).map_or(&[][..], Vec::as_slice);
        found.iter().copied().filter(move |at| self.nodes[*at as usize].value == value)
    }

    /// Members of the state's objects that have this key.
    pub(crate) fn keyed(&self, key: &str) -> &[u32] {
        self.by_key.get(key).map_or(&[], Vec::as_slice)
    }

    /// The object or list that holds this place.
    pub(crate) fn parent(&self, at: u32) -> Option<u32> {
        self.nodes[at as usize].parent
    }

    pub(crate) fn value(&self, at: u32) -> &Value {
        &self.nodes[at as usize].value
    }

    pub(crate) fn in_state(&self, at: u32) -> bool {
        self.nodes[at as usize].in_state
    }

    /// The name of a member, where the place is one.
    pub(crate) fn name(&self, at: u32) -> Option<&str> {
        match &self.nodes[at as usize].step {
            Step::Root(name) | Step::Key(name) => Some(name),
            Step::Json | Step::Item(_) => None,
        }
    }

    /// Expressions that lead to a place, the likeliest first.
    pub(crate) fn ways(&self, at: u32) -> Rc<[Way]> {
        if let Some(known) = self.ways.borrow().get(&at) {
            return known.clone();
        }
        let node = &self.nodes[at as usize];
        let mut ways: Vec<Way> = Vec::new();
        match (&node.step, node.parent) {
            (Step::Root(name), _) => ways.push(Way { text: name.to_string().into(), cost: 1 }),
            (step, Some(parent)) => {
                for way in self.ways(parent).iter() {
                    self.extend(way, parent, step, &node.value, &mut ways);
                }
            }
            (_, None) => {}
        }
        ways.sort_by(|a, b| a.cost.cmp(&b.cost).then_with(|| a.text.cmp(&b.text)));
        ways.truncate(MAX_WAYS);
        let ways: Rc<[Way]> = ways.into();
        self.ways.borrow_mut().insert(at, ways.clone());
        ways
    }

    fn extend(&self, way: &Way, parent: u32, step: &Step, value: &Value, out: &mut Vec<Way>) {
        let Way { text: base, cost } = way;
        let mut push = |text: String, more: u32| out.push(Way { text: text.into(), cost: cost + more });
        match step {
            Step::Root(_) => {}
            Step::Json => push(format!("json({base})"), 1),
            Step::Key(key) => {
                let refs: &[Way] = if self.nodes[parent as usize].in_state { self.refs(key) } else { &[] };
                refs.iter().for_each(|r| push(format!("{base}[{}]", r.text), 1 + r.cost));
                if self.nodes[parent as usize].rows {
                    self.by_member(base, value, &mut push);
                }
                let data = self.is_data(parent, key) || !refs.is_empty();
                push(quote::member(base, key), if data { 12 } else { 2 });
            }
            Step::Item(index) => {
                // In a list, `find` does it.
                for (name, member) in value.as_map().into_iter().flat_map(|m| m.iter()) {
                    let Some(key) = member.as_key().filter(|k| k.len() > 1) else { continue };
                    for r in self.refs(&key) {
                        push(format!("find({base}, {}, {})", quote::text(name), r.text), 2 + r.cost);
                    }
                }
                push(format!("{base}[{index}]"), 4 + (*index as u32).min(20));
                let last = self.value(parent).as_list().is_some_and(|l| l.len() == index + 1 && *index > 0);
                if last {
                    push(format!("{base}[-1]"), 5);
                }
            }
        }
    }
}

impl Facts {
    /// A record of an object that some text selects by a member.
    fn by_member(&self, base: &str, record: &Value, push: &mut impl FnMut(String, u32)) {
        let Some(record) = record.as_map() else { return };
        let members = record.iter().filter_map(|(name, v)| Some((name, v.as_key().filter(|k| k.len() > 1)?)));
        for (name, key) in members.take(30) {
            for r in self.refs(&key).iter().filter(|r| r.text.contains("args")).take(2) {
                let member = quote::member("v", name);
                push(format!("first(values({base}).filter(v, {member} == {}))", r.text), 4 + r.cost);
            }
        }
    }
}

/// Whether an object holds records that have most of their members in common.
fn are_rows(value: &Value) -> bool {
    let Value::Map(map) = value else { return false };
    let mut records = map.values().map(Value::as_map);
    let (Some(Some(first)), true) = (records.next(), map.len() > 1) else { return false };
    records.take(6).all(|record| {
        record.is_some_and(|record| {
            let shared = record.keys().filter(|name| first.contains_key(name)).count();
            shared > 0 && shared * 2 >= record.len().max(first.len())
        })
    })
}

/// Whether an object at the top of the state holds records that all have the same members. Parts of a state may
/// resemble each other, but not so much.
fn are_uniform(value: &Value) -> bool {
    let Value::Map(map) = value else { return false };
    let mut records = map.values().map(Value::as_map);
    let (Some(Some(first)), true) = (records.next(), map.len() > 1) else { return false };
    let same = |record: &gtm_world::Map| {
        record.len() == first.len() && record.keys().all(|name| first.contains_key(name))
    };
    first.len() > 1 && records.take(6).all(|record| record.is_some_and(same))
}

/// A hash under which equal values are equal, whatever the order of members and the form of numbers.
pub(crate) fn fingerprint(value: &Value) -> u64 {
    match value {
        Value::Null => 1,
        Value::Bool(b) => 2 + u64::from(*b),
        Value::Int(_) | Value::Float(_) => mix(5, (value.as_f64().unwrap_or_default() + 0.0).to_bits()),
        Value::Str(text) => hash_text(text),
        Value::List(list) => {
            list.iter().fold(mix(11, list.len() as u64), |hash, inner| mix(hash, fingerprint(inner)))
        }
        Value::Map(map) => map.iter().fold(mix(7, map.len() as u64), |hash, (key, inner)| {
            hash.wrapping_add(mix(hash_text(key), fingerprint(inner)))
        }),
    }
}

fn hash_text(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3))
}

fn mix(a: u64, b: u64) -> u64 {
    gtm_world::seed::mix(a.rotate_left(21) ^ b)
}
