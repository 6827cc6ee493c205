//! One batch forwards and backwards, on one thread.

use crate::attention;
use crate::batch::Batch;
use crate::loss::{self, HeadGradient, Loss};
use crate::packed::{Packed, Projection};
use gtm_model::kernel::{Mat, Panels, add, gemm, rms_norm, rms_norm_backward, silu_mul, silu_mul_backward};
use gtm_model::{Config, Params, Rope};
use std::ops::Range;

/// A model to compute with: parameters, and the same packed.
#[derive(Clone, Copy)]
pub(crate) struct Model<'a> {
    pub(crate) params: &'a Params,
    pub(crate) packed: &'a Packed,
    pub(crate) rope: &'a Rope,
}

/// What a layer keeps for its backward pass.
#[derive(Default)]
struct Saved {
    /// The residual stream as it came in.
    x: Vec<f32>,
    inverse: Vec<f32>,
    qkv: Vec<f32>,
    log_sums: Vec<f32>,
    attended: Vec<f32>,
    /// The residual stream after attention.
    middle: Vec<f32>,
    middle_inverse: Vec<f32>,
    gate_up: Vec<f32>,
}

/// Memory for one lane, kept from batch to batch.
#[derive(Default)]
pub(crate) struct Workspace {
    saved: Vec<Saved>,
    attention: attention::Scratch,
    loss: loss::Scratch,
    x: Vec<f32>,
    inverse: Vec<f32>,
    normed: Vec<f32>,
    active: Vec<f32>,
    delta: Vec<f32>,
    dx: Vec<f32>,
    d_normed: Vec<f32>,
    d_wide: Vec<f32>,
    d_active: Vec<f32>,
    row: Vec<f32>,
    operand: Option<Panels>,
}

/// The loss of a batch.
pub(crate) fn evaluate(
    model: Model<'_>,
    batch: &Batch,
    w: &mut Workspace,
    each: impl FnMut(usize, f64, bool),
) -> Loss {
    forward(model, batch, w);
    loss::cross_entropy(model.packed.head(), &w.normed, &batch.targets, None, &mut w.loss, each)
}

/// The loss of a batch; adds the gradient of `scale` times the summed loss to `gradient`.
pub(crate) fn learn(
    model: Model<'_>,
    batch: &Batch,
    scale: f32,
    gradient: &mut [f32],
    w: &mut Workspace,
) -> Loss {
    forward(model, batch, w);
    let (config, layout) = (&model.params.config, &model.params.layout);
    w.d_normed.clear();
    w.d_normed.resize(w.normed.len(), 0.0);
    let loss = loss::cross_entropy(
        model.packed.head(),
        &w.normed,
        &batch.targets,
        Some(HeadGradient { weight: &mut gradient[layout.head.clone()], normed: &mut w.d_normed, scale }),
        &mut w.loss,
        |_, _, _| {},
    );
    w.dx.clear();
    w.dx.resize(w.x.len(), 0.0);
    let normed = Normed { weight: &layout.norm, x: &w.x, inverse: &w.inverse };
    normed.backward(model.params, &w.d_normed, &mut w.dx, gradient, &mut w.row);
    for layer in (0..config.layers).rev() {
        feed_forward_backward(model, layer, gradient, w);
        attention_backward(model, layer, batch, gradient, w);
    }
    let d = config.hidden_size;
    for (row, &token) in w.dx.chunks_exact(d).zip(&batch.tokens) {
        add(&mut gradient[layout.embedding.start + token as usize * d..][..d], row);
    }
    loss
}

fn forward(model: Model<'_>, batch: &Batch, w: &mut Workspace) {
    let (config, layout) = (&model.params.config, &model.params.layout);
    let (d, rows) = (config.hidden_size, batch.tokens.len());
    w.saved.resize_with(config.layers, Saved::default);
    w.x.clear();
    for &token in &batch.tokens {
        w.x.extend_from_slice(&model.params.data[layout.embedding.start + token as usize * d..][..d]);
    }
    w.delta.resize(rows * d, 0.0);
    for (layer, ranges) in layout.layers.iter().enumerate() {
        let s = &mut w.saved[layer];
        copy(&mut s.x, &w.x);
        norm(model.params, &ranges.attention_norm, &w.x, &mut w.normed, &mut s.inverse);
        let width = config.q_width() + 2 * config.kv_width();
        s.qkv.resize(rows * width, 0.0);
        project(&w.normed, model.packed.qkv(layer), &mut s.qkv);
        let bias = model.params.get(&ranges.qkv_bias);
        for segment in &batch.segments {
            let of_segment = &mut s.qkv[segment.start * width..segment.end * width];
            for (position, row) in of_segment.chunks_exact_mut(width).enumerate() {
                add(row, bias);
                model.rope.turn(&mut row[..config.q_width() + config.kv_width()], position);
            }
        }
        s.attended.resize(rows * config.q_width(), 0.0);
        s.log_sums.resize(rows * config.heads, 0.0);
        attention::forward(
            config,
            &s.qkv,
            &batch.segments,
            &mut s.attended,
            &mut s.log_sums,
            &mut w.attention,
        );
        project(&s.attended, model.packed.out(layer), &mut w.delta);
        add(&mut w.x, &w.delta);
        copy(&mut s.middle, &w.x);
        norm(model.params, &ranges.mlp_norm, &w.x, &mut w.normed, &mut s.middle_inverse);
        s.gate_up.resize(rows * 2 * config.intermediate_size, 0.0);
        project(&w.normed, model.packed.gate_up(layer), &mut s.gate_up);
        activate(config, &s.gate_up, &mut w.active);
        project(&w.active, model.packed.down(layer), &mut w.delta);
        add(&mut w.x, &w.delta);
    }
    norm(model.params, &layout.norm, &w.x, &mut w.normed, &mut w.inverse);
}

fn feed_forward_backward(model: Model<'_>, layer: usize, gradient: &mut [f32], w: &mut Workspace) {
    let (config, ranges) = (&model.params.config, &model.params.layout.layers[layer]);
    let (f, s) = (config.intermediate_size, &w.saved[layer]);
    activate(config, &s.gate_up, &mut w.active);
    let rows = s.gate_up.len() / (2 * f);
    let operand = w.operand.get_or_insert_with(Panels::empty);
    weight_gradient(&w.dx, &w.active, model.packed.down(layer), operand, gradient);
    w.d_active.resize(rows * f, 0.0);
    project_back(&w.dx, model.packed.down(layer), &mut w.d_active);
    w.d_wide.resize(rows * 2 * f, 0.0);
    for (row, d_row) in w.d_wide.chunks_exact_mut(2 * f).enumerate() {
        let (gate, up) = s.gate_up[row * 2 * f..][..2 * f].split_at(f);
        let (d_gate, d_up) = d_row.split_at_mut(f);
        silu_mul_backward(gate, up, &w.d_active[row * f..][..f], d_gate, d_up);
    }
    let normed = Normed { weight: &ranges.mlp_norm, x: &s.middle, inverse: &s.middle_inverse };
    normed.again(model.params, &mut w.normed);
    weight_gradient(&w.d_wide, &w.normed, model.packed.gate_up(layer), operand, gradient);
    project_back(&w.d_wide, model.packed.gate_up(layer), &mut w.d_normed);
    normed.backward(model.params, &w.d_normed, &mut w.dx, gradient, &mut w.row);
}

fn attention_backward(
    model: Model<'_>,
    layer: usize,
    batch: &Batch,
    gradient: &mut [f32],
    w: &mut Workspace,
) {
    let (config, ranges) = (&model.params.config, &model.params.layout.layers[layer]);
    let s = &w.saved[layer];
    let width = config.q_width() + 2 * config.kv_width();
    let operand = w.operand.get_or_insert_with(Panels::empty);
    weight_gradient(&w.dx, &s.attended, model.packed.out(layer), operand, gradient);
    w.d_active.resize(s.attended.len(), 0.0);
    project_back(&w.dx, model.packed.out(layer), &mut w.d_active);
    w.d_wide.resize(s.qkv.len(), 0.0);
    let saved = attention::Saved { qkv: &s.qkv, out: &s.attended, log_sums: &s.log_sums };
    attention::backward(config, &saved, &batch.segments, &w.d_active, &mut w.d_wide, &mut w.attention);
    let d_bias = &mut gradient[ranges.qkv_bias.clone()];
    for segment in &batch.segments {
        let of_segment = &mut w.d_wide[segment.start * width..segment.end * width];
        for (position, row) in of_segment.chunks_exact_mut(width).enumerate() {
            model.rope.turn_back(&mut row[..config.q_width() + config.kv_width()], position);
            add(d_bias, row);
        }
    }
    let normed = Normed { weight: &ranges.attention_norm, x: &s.x, inverse: &s.inverse };
    normed.again(model.params, &mut w.normed);
    weight_gradient(&w.d_wide, &w.normed, model.packed.qkv(layer), operand, gradient);
    project_back(&w.d_wide, model.packed.qkv(layer), &mut w.d_normed);
    normed.backward(model.params, &w.d_normed, &mut w.dx, gradient, &mut w.row);
}

fn copy(to: &mut Vec<f32>, from: &[f32]) {
    to.clear();
    to.extend_from_slice(from);
}

/// `y = W x` for each row.
fn project(x: &[f32], p: &Projection, y: &mut [f32]) {
    gemm(Mat::new(x, x.len() / p.inner, p.inner), &p.forward, p.outer, y, p.outer, false);
}

/// `dx = Wᵀ dy` for each row.
fn project_back(dy: &[f32], p: &Projection, dx: &mut [f32]) {
    gemm(Mat::new(dy, dy.len() / p.outer, p.outer), &p.backward, p.inner, dx, p.inner, false);
}

/// `dW += dyᵀ x`.
fn weight_gradient(dy: &[f32], x: &[f32], p: &Projection, operand: &mut Panels, gradient: &mut [f32]) {
    let rows = dy.len() / p.outer;
    operand.repack(Mat::new(x, rows, p.inner));
    gemm(Mat::new(dy, rows, p.outer).t(), operand, p.inner, &mut gradient[p.range.clone()], p.inner, true);
}

fn activate(config: &Config, gate_up: &[f32], active: &mut Vec<f32>) {
    let f = config.intermediate_size;
    active.resize(gate_up.len() / 2, 0.0);
    for (row, out) in gate_up.chunks_exact(2 * f).zip(active.chunks_exact_mut(f)) {
        let (gate, up) = row.split_at(f);
        silu_mul(gate, up, out);
    }
}

fn norm(params: &Params, weight: &Range<usize>, x: &[f32], out: &mut Vec<f32>, inverse: &mut Vec<f32>) {
    let d = params.config.hidden_size;
    out.resize(x.len(), 0.0);
    inverse.clear();
    for (x, out) in x.chunks_exact(d).zip(out.chunks_exact_mut(d)) {
        inverse.push(rms_norm(x, params.get(weight), params.config.norm_eps, out));
    }
}

/// A norm as the forward pass left it.
struct Normed<'a> {
    weight: &'a Range<usize>,
    x: &'a [f32],
    inverse: &'a [f32],
}

impl Normed<'_> {
    /// Its result once more.
    fn again(&self, params: &Params, out: &mut Vec<f32>) {
        let d = params.config.hidden_size;
        let weight = params.get(self.weight);
        out.resize(self.x.len(), 0.0);
        for ((x, inverse), out) in self.x.chunks_exact(d).zip(self.inverse).zip(out.chunks_exact_mut(d)) {
            for ((out, x), w) in out.iter_mut().zip(x).zip(weight) {
                *out = x * inverse * w;
            }
        }
    }

    /// Adds to the gradients of its input and weight.
    fn backward(
        &self,
        params: &Params,
        dy: &[f32],
        dx: &mut [f32],
        gradient: &mut [f32],
        row: &mut Vec<f32>,
    ) {
        let d = params.config.hidden_size;
        let (w, dw) = (params.get(self.weight), &mut gradient[self.weight.clone()]);
        let rows =
            self.x.chunks_exact(d).zip(self.inverse).zip(dy.chunks_exact(d)).zip(dx.chunks_exact_mut(d));
        for (((x, inverse), dy), dx) in rows {
            rms_norm_backward(x, w, *inverse, dy, dx, dw, row);
        }
    }
}
