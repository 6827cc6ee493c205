//! Weights packed for the products of both passes, once for each step and shared by all lanes.

use gtm_model::kernel::{Mat, Panels, Team};
use gtm_model::{Config, Layout};
use std::ops::Range;

/// A projection, packed for `y = W x` and for `dx = Wᵀ dy`.
pub(crate) struct Projection {
    pub(crate) range: Range<usize>,
    pub(crate) outer: usize,
    pub(crate) inner: usize,
    pub(crate) forward: Panels,
    pub(crate) backward: Panels,
}

impl Projection {
    fn new(range: &Range<usize>, outer: usize, inner: usize) -> Projection {
        Projection { range: range.clone(), outer, inner, forward: Panels::empty(), backward: Panels::empty() }
    }

    fn repack(&mut self, data: &[f32]) {
        let w = Mat::new(&data[self.range.clone()], self.outer, self.inner);
        self.forward.repack(w.t());
        self.backward.repack(w);
    }
}

/// All projections of a model: for each layer query-key-value, output, gate-up, down; then the head.
pub(crate) struct Packed {
    projections: Vec<Projection>,
}

impl Packed {
    pub(crate) fn new(config: &Config) -> Packed {
        let Config { hidden_size: d, intermediate_size: f, vocab_size, .. } = *config;
        let (q, kv) = (config.q_width(), config.kv_width());
        let layout = Layout::new(config);
        let mut projections = Vec::with_capacity(config.layers * 4 + 1);
        for l in &layout.layers {
            projections.push(Projection::new(&l.qkv, q + 2 * kv, d));
            projections.push(Projection::new(&l.out, d, q));
            projections.push(Projection::new(&l.gate_up, 2 * f, d));
            projections.push(Projection::new(&l.down, d, f));
        }
        projections.push(Projection::new(&layout.head, vocab_size, d));
        Packed { projections }
    }

    /// Packs the present values.
    pub(crate) fn repack(&mut self, data: &[f32], team: &Team) {
        team.for_each_mut(&mut self.projections, |_, p| p.repack(data));
    }

    pub(crate) fn qkv(&self, layer: usize) -> &Projection {
        &self.projections[4 * layer]
    }

    pub(crate) fn out(&self, layer: usize) -> &Projection {
        &self.projections[4 * layer + 1]
    }

    pub(crate) fn gate_up(&self, layer: usize) -> &Projection {
        &self.projections[4 * layer + 2]
    }

    pub(crate) fn down(&self, layer: usize) -> &Projection {
        &self.projections[4 * layer + 3]
    }

    pub(crate) fn head(&self) -> &Projection {
        &self.projections[self.projections.len() - 1]
    }
}
