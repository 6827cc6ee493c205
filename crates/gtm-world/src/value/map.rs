//! Persistent object that keeps the order of insertion.

use super::{Str, Value};
use imbl::{HashMap, OrdMap};
use std::sync::Arc;

/// Up to this many members an object is one flat vector: a record's handful of fields is faster to
/// scan than to hash. Above it, a hash trie finds a member's place and an ordered map holds the
/// members by place.
const FLAT: usize = 24;

/// A JSON object: members by key, in order of insertion, with O(1) clone and O(log n) change.
#[derive(Clone, Debug)]
pub struct Map(Repr);

#[derive(Clone, Debug)]
enum Repr {
    Flat(Arc<Vec<(Str, Value)>>),
    Tree(Arc<Tree>),
}

/// Changing a member copies one path of `rows` and leaves `index` alone. Rows are behind one pointer
/// each: copying a node of the path touches the reference count of every row in it, and that is
/// what a change costs once the records no longer fit the cache.
#[derive(Clone, Debug, Default)]
struct Tree {
    index: HashMap<Str, u64>,
    rows: OrdMap<u64, Arc<(Str, Value)>>,
    next: u64,
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
                let place = *tree.index.get(key)?;
                let row = Arc::make_mut(tree).rows.get_mut(&place)?;
                Some(&mut Arc::make_mut(row).1)
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
                if !tree.index.contains_key(key) {
                    return None;
                }
                let tree = Arc::make_mut(tree);
                let place = tree.index.remove(key)?;
                let row = tree.rows.remove(&place)?;
                Some(Arc::try_unwrap(row).map_or_else(|shared| shared.1.clone(), |own| own.1))
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

    /// The member that was added first, of those left.
    pub fn first(&self) -> Option<(&Str, &Value)> {
        match &self.0 {
            Repr::Flat(flat) => flat.first().map(|(k, v)| (k, v)),
            Repr::Tree(tree) => tree.rows.get_min().map(|(_, row)| (&row.0, &row.1)),
        }
    }

    /// The member added last.
    pub fn last(&self) -> Option<(&Str, &Value)> {
        match &self.0 {
            Repr::Flat(flat) => flat.last().map(|(k, v)| (k, v)),
            Repr::Tree(tree) => tree.rows.get_max().map(|(_, row)| (&row.0, &row.1)),
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
    fn row(&self, key: &str) -> Option<&(Str, Value)> {
        self.rows.get(self.index.get(key)?).map(|row| &**row)
    }

    /// Adds a member that is known to be absent.
    fn push(&mut self, key: Str, value: Value) {
        self.index.insert(key.clone(), self.next);
        self.rows.insert(self.next, Arc::new((key, value)));
        self.next += 1;
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
    Tree(imbl::ordmap::Iter<'a, u64, Arc<(Str, Value)>, imbl::shared_ptr::DefaultSharedPtr>),
}

impl<'a> Iterator for Iter<'a> {
    type Item = (&'a Str, &'a Value);

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            IterRepr::Flat(flat) => flat.next().map(|(k, v)| (k, v)),
            IterRepr::Tree(rows) => rows.next().map(|(_, row)| (&row.0, &row.1)),
        }
    }
}

impl FromIterator<(Str, Value)> for Map {
    fn from_iter<I: IntoIterator<Item = (Str, Value)>>(members: I) -> Self {
        let mut map = Map::new();
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
