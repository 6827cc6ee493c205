//! Persistent rows by place: a radix trie in which a change copies one short path.
//!
//! Narrow on purpose. Copying a node touches the reference count of each of its children, and those of
//! rows lie all over memory, so that a wide node (a B-tree's 64, say) costs more to copy than several
//! narrow ones cost to walk.

use super::{Str, Value};
use std::sync::Arc;

/// Bits of a place that one level tells apart.
const BITS: u32 = 3;
const WIDTH: usize = 1 << BITS;

/// A member: key and value.
pub(super) type Row = (Str, Value);

/// Rows in the order of their places. Places are given out in order and never again.
#[derive(Clone, Debug, Default)]
pub(super) struct Rows {
    root: Option<Arc<Node>>,
    /// Levels above the leaves.
    height: u32,
    len: usize,
    next: u64,
}

/// No node is empty: what has lost its last child is gone.
#[derive(Clone, Debug)]
enum Node {
    Inner([Option<Arc<Node>>; WIDTH]),
    Leaf([Option<Arc<Row>>; WIDTH]),
}

impl Node {
    fn is_empty(&self) -> bool {
        match self {
            Node::Inner(nodes) => nodes.iter().all(Option::is_none),
            Node::Leaf(rows) => rows.iter().all(Option::is_none),
        }
    }
}

/// The child of a node at this level on the way to `place`.
fn slot(place: u64, level: u32) -> usize {
    (place >> (BITS * level)) as usize & (WIDTH - 1)
}

impl Rows {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Whether the trie is high enough to hold this place.
    fn covers(&self, place: u64) -> bool {
        let bits = BITS * (self.height + 1);
        bits >= u64::BITS || place >> bits == 0
    }

    pub(super) fn get(&self, place: u64) -> Option<&Row> {
        let mut node = self.root.as_ref().filter(|_| self.covers(place))?;
        let mut level = self.height;
        loop {
            match &**node {
                Node::Inner(nodes) => node = nodes[slot(place, level)].as_ref()?,
                Node::Leaf(rows) => return rows[slot(place, 0)].as_deref(),
            }
            level -= 1;
        }
    }

    /// A row to change in place; unshares its path.
    pub(super) fn get_mut(&mut self, place: u64) -> Option<&mut Row> {
        if !self.covers(place) {
            return None;
        }
        let mut node = self.root.as_mut()?;
        let mut level = self.height;
        loop {
            match Arc::make_mut(node) {
                Node::Inner(nodes) => node = nodes[slot(place, level)].as_mut()?,
                Node::Leaf(rows) => return rows[slot(place, 0)].as_mut().map(Arc::make_mut),
            }
            level -= 1;
        }
    }

    /// Adds a row at the end and tells its place.
    pub(super) fn push(&mut self, row: Row) -> u64 {
        let place = self.next;
        while !self.covers(place) {
            let root = self.root.take().map(|below| {
                let mut nodes = [const { None }; WIDTH];
                nodes[0] = Some(below);
                Arc::new(Node::Inner(nodes))
            });
            self.root = root;
            self.height += 1;
        }
        let mut at = &mut self.root;
        for level in (0..=self.height).rev() {
            let node = at.get_or_insert_with(|| {
                Arc::new(match level {
                    0 => Node::Leaf([const { None }; WIDTH]),
                    _ => Node::Inner([const { None }; WIDTH]),
                })
            });
            match Arc::make_mut(node) {
                Node::Inner(nodes) => at = &mut nodes[slot(place, level)],
                Node::Leaf(rows) => {
                    rows[slot(place, 0)] = Some(Arc::new(row));
                    break;
                }
            }
        }
        self.len += 1;
        self.next += 1;
        place
    }

    /// Takes out the row at a place.
    pub(super) fn remove(&mut self, place: u64) -> Option<Row> {
        self.get(place)?;
        let row = take(&mut self.root, place, self.height)?;
        self.len -= 1;
        Some(Arc::try_unwrap(row).unwrap_or_else(|shared| (*shared).clone()))
    }

    pub(super) fn first(&self) -> Option<&Row> {
        self.end(|children| children.next())
    }

    pub(super) fn last(&self) -> Option<&Row> {
        self.end(|children| children.next_back())
    }

    /// The row reached by always taking the child that `choose` takes.
    fn end(
        &self,
        choose: impl Fn(&mut dyn DoubleEndedIterator<Item = usize>) -> Option<usize>,
    ) -> Option<&Row> {
        let mut node = self.root.as_ref()?;
        loop {
            match &**node {
                Node::Inner(nodes) => {
                    node = nodes[choose(&mut (0..WIDTH).filter(|at| nodes[*at].is_some()))?].as_ref()?;
                }
                Node::Leaf(rows) => {
                    return rows[choose(&mut (0..WIDTH).filter(|at| rows[*at].is_some()))?].as_deref();
                }
            }
        }
    }

    pub(super) fn iter(&self) -> Iter<'_> {
        Iter { path: self.root.as_deref().map(|root| (root, 0)).into_iter().collect() }
    }
}

/// Takes out a row that is there, and every node that becomes empty by it.
fn take(at: &mut Option<Arc<Node>>, place: u64, level: u32) -> Option<Arc<Row>> {
    let node = Arc::make_mut(at.as_mut()?);
    let row = match node {
        Node::Inner(nodes) => take(&mut nodes[slot(place, level)], place, level - 1),
        Node::Leaf(rows) => rows[slot(place, 0)].take(),
    };
    if node.is_empty() {
        *at = None;
    }
    row
}

/// Rows in order.
pub(super) struct Iter<'a> {
    /// Nodes from the root down, each with its next child.
    path: Vec<(&'a Node, usize)>,
}

impl<'a> Iterator for Iter<'a> {
    type Item = &'a Row;

    fn next(&mut self) -> Option<&'a Row> {
        while let Some((node, at)) = self.path.last_mut() {
            let child = *at;
            *at += 1;
            match node {
                _ if child == WIDTH => {
                    self.path.pop();
                }
                Node::Inner(nodes) => {
                    if let Some(below) = &nodes[child] {
                        self.path.push((below, 0));
                    }
                }
                Node::Leaf(rows) => {
                    if let Some(row) = &rows[child] {
                        return Some(row);
                    }
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn rows_agree_with_an_ordered_map() {
        let (mut rows, mut model) = (Rows::default(), BTreeMap::new());
        let mut bits = 7u64;
        for turn in 0..20_000u64 {
            bits = crate::seed::mix(bits);
            let old = rows.clone();
            // Phases in which rows are mostly added, then mostly removed.
            if bits % 10 < if (turn / 2_500) % 2 == 0 { 8 } else { 2 } {
                let place = rows.push((Str::from("k"), Value::Int(turn as i64)));
                assert!(model.insert(place, turn as i64).is_none());
            } else if let Some(place) = model.keys().nth(bits as usize % model.len().max(1)).copied() {
                match turn % 3 {
                    0 => {
                        rows.get_mut(place).unwrap().1 = Value::Int(-1);
                        model.insert(place, -1);
                    }
                    _ => assert_eq!(rows.remove(place).unwrap().1, Value::Int(model.remove(&place).unwrap())),
                }
                assert!(old.get(place).is_some(), "an older version is left alone");
            }
            assert_eq!(rows.len(), model.len());
            if turn % 500 == 0 {
                assert!(
                    rows.iter().map(|row| &row.1).eq(model
                        .values()
                        .map(|n| Value::Int(*n))
                        .collect::<Vec<_>>()
                        .iter())
                );
                assert_eq!(rows.first().map(|r| r.1.clone()), model.values().next().map(|n| Value::Int(*n)));
                assert_eq!(rows.last().map(|r| r.1.clone()), model.values().last().map(|n| Value::Int(*n)));
            }
        }
    }

    #[test]
    fn what_was_never_there_is_not_found() {
        let mut rows = Rows::default();
        assert!(rows.get(0).is_none() && rows.first().is_none() && rows.iter().next().is_none());
        rows.push((Str::from("a"), Value::Null));
        assert!(rows.get(1).is_none() && rows.get(u64::MAX).is_none() && rows.get_mut(9).is_none());
        assert!(rows.remove(8).is_none());
        assert!(rows.remove(0).is_some() && rows.first().is_none() && rows.last().is_none());
        assert_eq!(rows.push((Str::from("b"), Value::Null)), 1);
    }
}
