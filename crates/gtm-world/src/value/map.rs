//! Persistent object that keeps the order of insertion.

use super::rows::{self, Rows};
use super::{Str, Value};
use imbl::GenericHashMap;
use imbl::shared_ptr::DefaultSharedPtr;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher};
use std::sync::{Arc, LazyLock};

/// Up to this many members an object is one flat vector: a record's handful of fields is faster to
/// scan than to hash. Above it, a hash trie finds a member's place and [`Rows`] hold the members by
/// place.
const FLAT: usize = 24;

/// A JSON object: members by key, in order of insertion, with O(1) clone and O(log n) change.
#[derive(Clone, Debug)]
pub struct Map(Repr);

#[derive(Clone, Debug)]
enum Repr {
    Flat(Arc<Vec<(Str, Value)>>),
    Tree(Arc<Tree>),
}

/// Changing a member copies one path of `rows` and leaves `index` alone.
#[derive(Clone, Debug, Default)]
struct Tree {
    /// Places by the hash of the key. The keys themselves are in the rows: without them, copying a
    /// node touches no reference counts.
    index: GenericHashMap<u64, Places, BuildHasherDefault<Hashed>, DefaultSharedPtr>,
    rows: Rows,
}

/// Places of the keys of one hash. More than one is as good as never.
#[derive(Clone, Debug, PartialEq)]
enum Places {
    One(u64),
    More(Arc<Vec<u64>>),
}

/// Passes on a hash that is one already.
#[derive(Clone, Copy, Debug, Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = self.0.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

fn hash(key: &str) -> u64 {
    // Keyed at random, since keys come from arguments. No order depends on it.
    static KEYED: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    KEYED.hash_one(key)
}

impl Default for Map {
    fn default() -> Self {
        Map(Repr::Flat(Arc::default()))
    }
}

impl Map {
    /// An empty object.
    pub fn new() -> Self {
        Self::default()
    }

    /// Number of members.
    pub fn len(&self) -> usize {
        match &self.0 {
            Repr::Flat(flat) => flat.len(),
            Repr::Tree(tree) => tree.rows.len(),
        }
    }

    /// Whether there are no members.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Member by key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        match &self.0 {
            Repr::Flat(flat) => flat.iter().find(|(k, _)| &**k == key).map(|(_, v)| v),
            Repr::Tree(tree) => tree.row(key).map(|row| &row.1),
        }
    }

    /// Whether a member of this key exists.
    pub fn contains_key(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// Member by key, to change in place; unshares what it must.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        match &mut self.0 {
            Repr::Flat(flat) => {
                let at = flat.iter().position(|(k, _)| &**k == key)?;
                Some(&mut Arc::make_mut(flat)[at].1)
            }
            Repr::Tree(tree) => {
                let place = tree.place(key)?;
                Arc::make_mut(tree).rows.get_mut(place).map(|row| &mut row.1)
            }
        }
    }

    /// Sets a member; a new key goes to the end, a known one keeps its place. Returns what it replaced.
    pub fn insert(&mut self, key: impl Into<Str>, value: Value) -> Option<Value> {
        let key = key.into();
        if let Some(old) = self.get_mut(&key) {
            return Some(std::mem::replace(old, value));
        }
        if let Repr::Flat(flat) = &mut self.0 {
            if flat.len() < FLAT {
                Arc::make_mut(flat).push((key, value));
                return None;
            }
            let members = std::mem::take(Arc::make_mut(flat));
            let mut tree = Tree::default();
            members.into_iter().for_each(|(k, v)| tree.push(k, v));
            self.0 = Repr::Tree(Arc::new(tree));
        }
        if let Repr::Tree(tree) = &mut self.0 {
            Arc::make_mut(tree).push(key, value);
        }
        None
    }

    /// Removes a member and returns it.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        match &mut self.0 {
            Repr::Flat(flat) => {
                let at = flat.iter().position(|(k, _)| &**k == key)?;
                Some(Arc::make_mut(flat).remove(at).1)
            }
            Repr::Tree(tree) => {
                let place = tree.place(key)?;
                Arc::make_mut(tree).remove(key, place)
            }
        }
    }

    /// Members in order of insertion.
    pub fn iter(&self) -> Iter<'_> {
        match &self.0 {
            Repr::Flat(flat) => Iter(IterRepr::Flat(flat.iter())),
            Repr::Tree(tree) => Iter(IterRepr::Tree(tree.rows.iter())),
        }
    }

    /// Keys in order of insertion.
    pub fn keys(&self) -> impl Iterator<Item = &Str> {
        self.iter().map(|(k, _)| k)
    }

    /// Values in order of insertion.
    pub fn values(&self) -> impl Iterator<Item = &Value> {
        self.iter().map(|(_, v)| v)
    }

    /// The member at a position, of an object of few members (a record).
    pub(super) fn nth_of_few(&self, at: usize) -> Option<(&Str, &Value)> {
        match &self.0 {
            Repr::Flat(flat) => flat.get(at).map(|(k, v)| (k, v)),
            Repr::Tree(_) => None,
        }
    }

    /// The member that was added first, of those left.
    pub fn first(&self) -> Option<(&Str, &Value)> {
        match &self.0 {
            Repr::Flat(flat) => flat.first().map(|(k, v)| (k, v)),
            Repr::Tree(tree) => tree.rows.first().map(|(k, v)| (k, v)),
        }
    }

    /// The member added last.
    pub fn last(&self) -> Option<(&Str, &Value)> {
        match &self.0 {
            Repr::Flat(flat) => flat.last().map(|(k, v)| (k, v)),
            Repr::Tree(tree) => tree.rows.last().map(|(k, v)| (k, v)),
        }
    }

    /// Whether both are the very same memory, so equal without looking.
    pub fn same(&self, other: &Map) -> bool {
        match (&self.0, &other.0) {
            (Repr::Flat(a), Repr::Flat(b)) => Arc::ptr_eq(a, b),
            (Repr::Tree(a), Repr::Tree(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }
}

impl Tree {
    fn place(&self, key: &str) -> Option<u64> {
        let is = |place: &u64| self.rows.get(*place).is_some_and(|row| &*row.0 == key);
        match self.index.get(&hash(key))? {
            Places::One(place) => Some(*place).filter(is),
            Places::More(places) => places.iter().copied().find(is),
        }
    }

    fn row(&self, key: &str) -> Option<&(Str, Value)> {
        self.rows.get(self.place(key)?)
    }

    /// Adds a member that is known to be absent.
    fn push(&mut self, key: Str, value: Value) {
        let hash = hash(&key);
        let place = self.rows.push((key, value));
        let places = match self.index.get(&hash) {
            None => Places::One(place),
            Some(Places::One(other)) => Places::More(Arc::new(vec![*other, place])),
            Some(Places::More(others)) => Places::More(Arc::new([others.as_slice(), &[place]].concat())),
        };
        self.index.insert(hash, places);
    }

    /// Removes the member that is at this place.
    fn remove(&mut self, key: &str, place: u64) -> Option<Value> {
        let hash = hash(key);
        let left = match self.index.get(&hash)? {
            Places::One(_) => Vec::new(),
            Places::More(places) => places.iter().copied().filter(|other| *other != place).collect(),
        };
        match left.as_slice() {
            [] => self.index.remove(&hash),
            [one] => self.index.insert(hash, Places::One(*one)),
            _ => self.index.insert(hash, Places::More(Arc::new(left))),
        };
        self.rows.remove(place).map(|row| row.1)
    }
}

impl PartialEq for Map {
    fn eq(&self, other: &Self) -> bool {
        self.same(other)
            || (self.len() == other.len() && self.iter().all(|(k, v)| other.get(k).is_some_and(|w| v == w)))
    }
}

/// Iterator over a [`Map`] in order of insertion.
pub struct Iter<'a>(IterRepr<'a>);

enum IterRepr<'a> {
    Flat(std::slice::Iter<'a, (Str, Value)>),
    Tree(rows::Iter<'a>),
}

impl<'a> Iterator for Iter<'a> {
    type Item = (&'a Str, &'a Value);

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            IterRepr::Flat(flat) => flat.next().map(|(k, v)| (k, v)),
            IterRepr::Tree(rows) => rows.next().map(|(k, v)| (k, v)),
        }
    }
}

impl FromIterator<(Str, Value)> for Map {
    fn from_iter<I: IntoIterator<Item = (Str, Value)>>(members: I) -> Self {
        let members = members.into_iter();
        // Room for as many as there are and no more: records and arguments are kept, by the million.
        let room = members.size_hint().0.min(FLAT);
        let mut map = Map(Repr::Flat(Arc::new(Vec::with_capacity(room))));
        for (key, value) in members {
            map.insert(key, value);
        }
        map
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered(n: i64) -> Map {
        (0..n).map(|i| (Str::from(format!("k{i}")), Value::Int(i))).collect()
    }

    #[test]
    fn order_survives_growth_change_and_removal() {
        let mut map = numbered(100);
        map.insert("k5", Value::Int(-5));
        assert_eq!(map.remove("k0"), Some(Value::Int(0)));
        map.insert("k0", Value::Int(0));
        let keys: Vec<&str> = map.keys().map(|k| &**k).collect();
        assert_eq!(keys[4], "k5");
        assert_eq!(keys[99], "k0");
        assert_eq!(map.len(), 100);
        assert_eq!(map.first().map(|(k, _)| &**k), Some("k1"));
        assert_eq!(map.last().map(|(k, _)| &**k), Some("k0"));
    }

    #[test]
    fn records_converted_together_share_the_names_of_their_members() {
        let records =
            serde_json::json!({"a": {"id": 1, "tags": [{"k": 1}, {"k": 2}]}, "b": {"id": 2, "tags": []}});
        let Value::Map(records) = Value::from(&records) else { unreachable!() };
        let name =
            |key: &str| records.get(key).and_then(Value::as_map).unwrap().keys().next().unwrap().clone();
        assert!(Arc::ptr_eq(&name("a"), &name("b")));
    }

    #[test]
    fn a_changed_clone_leaves_the_original() {
        for n in [3, 1000] {
            let old = numbered(n);
            let mut new = old.clone();
            *new.get_mut("k1").unwrap() = Value::Null;
            new.remove("k2");
            new.insert("fresh", Value::Bool(true));
            assert_eq!(old, numbered(n));
            assert_ne!(old, new);
        }
    }
}
