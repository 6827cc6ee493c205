//! What attention remembers: keys and values in shared blocks.

use crate::config::Config;
use crate::kernel::{BLOCK, Cached};
use gtm_error::{Code, Error, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts blocks in use against the most there may be.
#[derive(Debug)]
pub(super) struct Budget {
    used: AtomicUsize,
    most: usize,
}

impl Budget {
    pub(super) fn new(most: usize) -> Arc<Budget> {
        Arc::new(Budget { used: AtomicUsize::new(0), most })
    }

    pub(super) fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    pub(super) fn most(&self) -> usize {
        self.most
    }
}

/// Keys and values of [`BLOCK`] positions in all layers.
#[derive(Debug)]
struct Block {
    /// For each layer and key head: keys `[head_dim][BLOCK]`, values `[BLOCK][head_dim]`.
    data: Vec<f32>,
    budget: Arc<Budget>,
}

impl Block {
    fn new(budget: &Arc<Budget>, data: Vec<f32>) -> Block {
        budget.used.fetch_add(1, Ordering::Relaxed);
        Block { data, budget: Arc::clone(budget) }
    }
}

impl Clone for Block {
    fn clone(&self) -> Block {
        Block::new(&self.budget, self.data.clone())
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The positions that a text has taken so far. A clone is a fork: it shares what is there and goes its own way
/// from then on. Dropping it gives the memory back.
#[derive(Clone, Debug)]
pub struct Sequence {
    blocks: Vec<Arc<Block>>,
    len: usize,
    shape: Shape,
    budget: Arc<Budget>,
}

#[derive(Clone, Copy, Debug)]
struct Shape {
    layers: usize,
    kv_heads: usize,
    head_dim: usize,
}

impl Shape {
    fn block_len(self) -> usize {
        self.layers * self.kv_heads * self.head_dim * BLOCK * 2
    }

    fn offset(self, layer: usize, head: usize) -> usize {
        (layer * self.kv_heads + head) * self.head_dim * BLOCK * 2
    }
}

/// Bytes of one block of a model of this shape.
pub(super) fn block_bytes(config: &Config) -> usize {
    config.layers * config.kv_width() * BLOCK * 2 * 4
}

impl Sequence {
    pub(super) fn new(config: &Config, budget: &Arc<Budget>) -> Sequence {
        let shape = Shape { layers: config.layers, kv_heads: config.kv_heads, head_dim: config.head_dim };
        Sequence { blocks: Vec::new(), len: 0, shape, budget: Arc::clone(budget) }
    }

    /// Number of positions taken.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether no position is taken yet.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Forgets everything from position `len` on.
    pub fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
        self.blocks.truncate(self.len.div_ceil(BLOCK));
    }

    /// Blocks that must be taken before `more` positions can be written.
    pub(super) fn blocks_for(&self, more: usize) -> usize {
        let shared_tail = match self.blocks.last() {
            Some(tail) if more > 0 && !self.len.is_multiple_of(BLOCK) => {
                usize::from(Arc::strong_count(tail) > 1)
            }
            _ => 0,
        };
        (self.len + more).div_ceil(BLOCK) - self.blocks.len() + shared_tail
    }

    /// Makes room for `more` positions, none of it shared.
    ///
    /// # Errors
    /// [`Code::ModelLimit`] if that would take more memory than is allowed; nothing has changed then.
    pub(super) fn reserve(&mut self, more: usize) -> Result<()> {
        let wanted = self.blocks_for(more);
        if self.budget.used() + wanted > self.budget.most {
            return Err(Error::new(
                Code::ModelLimit,
                format!(
                    "{wanted} more blocks of {BLOCK} positions do not fit, {} of {} are in use",
                    self.budget.used(),
                    self.budget.most
                ),
            ));
        }
        if let Some(tail) = self.blocks.last_mut()
            && more > 0
            && !self.len.is_multiple_of(BLOCK)
        {
            Arc::make_mut(tail);
        }
        while self.blocks.len() * BLOCK < self.len + more {
            self.blocks.push(Arc::new(Block::new(&self.budget, vec![0.0; self.shape.block_len()])));
        }
        Ok(())
    }

    /// Writes key and value of all heads of one layer at a position that was reserved.
    pub(super) fn write(&mut self, layer: usize, position: usize, key: &[f32], value: &[f32]) {
        let shape = self.shape;
        let at = position % BLOCK;
        // Reserved blocks are not shared, so this copies nothing.
        let block = Arc::make_mut(&mut self.blocks[position / BLOCK]);
        let heads = key.chunks_exact(shape.head_dim).zip(value.chunks_exact(shape.head_dim));
        for (head, (key, value)) in heads.enumerate() {
            let data = &mut block.data[shape.offset(layer, head)..][..2 * shape.head_dim * BLOCK];
            let (keys, values) = data.split_at_mut(shape.head_dim * BLOCK);
            for (keys, key) in keys.as_chunks_mut::<BLOCK>().0.iter_mut().zip(key) {
                keys[at] = *key;
            }
            values[at * shape.head_dim..][..shape.head_dim].copy_from_slice(value);
        }
    }

    /// What attention reads of one layer and key head.
    pub(super) fn cached(&self, layer: usize, head: usize) -> impl Iterator<Item = Cached<'_>> {
        let (from, half) = (self.shape.offset(layer, head), self.shape.head_dim * BLOCK);
        self.blocks.iter().map(move |block| {
            let (keys, values) = block.data[from..from + 2 * half].split_at(half);
            Cached { keys, values }
        })
    }

    /// Counts positions as taken, once every layer has written them.
    pub(super) fn advance(&mut self, by: usize) {
        self.len += by;
    }

    pub(super) fn belongs_to(&self, budget: &Arc<Budget>) -> bool {
        Arc::ptr_eq(&self.budget, budget)
    }
}
