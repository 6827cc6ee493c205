//! Remembering which sessions expired, so that a late client is told so.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

/// Most ids remembered; beyond, the oldest are forgotten and count as never having been.
const MAX: usize = 65_536;

/// Ids of expired sessions.
#[derive(Default)]
pub(super) struct Expired {
    order: VecDeque<Arc<str>>,
    ids: HashSet<Arc<str>>,
}

impl Expired {
    pub(super) fn add(&mut self, id: &Arc<str>) {
        if self.ids.insert(id.clone()) {
            self.order.push_back(id.clone());
        }
        // Ids that were used again are in the order, but not in the set.
        while self.order.len() > MAX {
            self.order.pop_front().map(|id| self.ids.remove(&id));
        }
    }

    pub(super) fn contains(&self, id: &str) -> bool {
        self.ids.contains(id)
    }

    pub(super) fn forget(&mut self, id: &str) {
        self.ids.remove(id);
    }
}
