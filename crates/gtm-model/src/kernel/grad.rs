//! Row operations of the backward pass and of the optimizer.

use super::cpu::for_each_isa;
use super::rows::{dot, exp};

for_each_isa! {
    /// `x = e^(scale · x - shift)`, elementwise: a row of softmax from its scores and the logarithm of their sum.
    pub fn exp_shifted(x: &mut [f32], scale: f32, shift: f32) = exp_shifted_body;
    /// `x = scale · x`.
    pub fn scale(x: &mut [f32], scale: f32) = scale_body;
    /// `dp = scale · p · (dp - mean)`: softmax backwards, where `mean` is the inner product of `p` and `dp`.
    pub fn softmax_backward(p: &[f32], dp: &mut [f32], mean: f32, scale: f32) = softmax_backward_body;
    /// Backwards through `silu(gate) · up`: `d_gate` and `d_up` from the result's gradient `d`.
    pub fn silu_mul_backward(gate: &[f32], up: &[f32], d: &[f32], d_gate: &mut [f32], d_up: &mut [f32]) = silu_mul_backward_body;
    /// One AdamW update. See [`AdamW`].
    pub fn adamw(p: &mut [f32], m: &mut [f32], v: &mut [f32], g: &[f32], step: &AdamW) = adamw_body;
}

/// The numbers of one AdamW update.
#[derive(Clone, Copy, Debug)]
pub struct AdamW {
    /// Learning rate.
    pub rate: f32,
    /// Decay of the mean of gradients.
    pub beta1: f32,
    /// Decay of the mean of their squares.
    pub beta2: f32,
    /// Added to the root.
    pub eps: f32,
    /// Weight decay, decoupled.
    pub decay: f32,
    /// `1 - beta1^t`.
    pub correction1: f32,
    /// `1 - beta2^t`.
    pub correction2: f32,
    /// Factor on gradients: what clipping asks for.
    pub gradient_scale: f32,
}

/// Backwards through [`rms_norm`](super::rms_norm) of one row: adds the input's gradient to `dx` and the weight's to `dw`.
/// `inverse` is what the forward pass returned.
pub fn rms_norm_backward(
    x: &[f32],
    weight: &[f32],
    inverse: f32,
    dy: &[f32],
    dx: &mut [f32],
    dw: &mut [f32],
    scratch: &mut Vec<f32>,
) {
    scratch.resize(x.len(), 0.0);
    weigh(dy, weight, scratch);
    let mean = dot(scratch, x) * inverse * inverse * inverse / x.len() as f32;
    rms_norm_apply(x, inverse, mean, dy, scratch, dx, dw);
}

for_each_isa! {
    fn weigh(dy: &[f32], weight: &[f32], out: &mut [f32]) = weigh_body;
    fn rms_norm_apply(x: &[f32], inverse: f32, mean: f32, dy: &[f32], weighed: &[f32], dx: &mut [f32], dw: &mut [f32]) = rms_norm_apply_body;
}

#[inline(always)]
fn weigh_body(dy: &[f32], weight: &[f32], out: &mut [f32]) {
    for ((out, dy), w) in out.iter_mut().zip(dy).zip(weight) {
        *out = dy * w;
    }
}

#[inline(always)]
fn rms_norm_apply_body(
    x: &[f32],
    inverse: f32,
    mean: f32,
    dy: &[f32],
    weighed: &[f32],
    dx: &mut [f32],
    dw: &mut [f32],
) {
    for ((dx, g), x) in dx.iter_mut().zip(weighed).zip(x) {
        *dx += g.mul_add(inverse, -(x * mean));
    }
    for ((dw, dy), x) in dw.iter_mut().zip(dy).zip(x) {
        *dw = (dy * inverse).mul_add(*x, *dw);
    }
}

#[inline(always)]
fn exp_shifted_body(x: &mut [f32], scale: f32, shift: f32) {
    for x in x {
        *x = exp(x.mul_add(scale, -shift));
    }
}

#[inline(always)]
fn scale_body(x: &mut [f32], scale: f32) {
    for x in x {
        *x *= scale;
    }
}

#[inline(always)]
fn softmax_backward_body(p: &[f32], dp: &mut [f32], mean: f32, scale: f32) {
    for (dp, p) in dp.iter_mut().zip(p) {
        *dp = (*dp - mean) * p * scale;
    }
}

#[inline(always)]
fn silu_mul_backward_body(gate: &[f32], up: &[f32], d: &[f32], d_gate: &mut [f32], d_up: &mut [f32]) {
    let rows = gate.iter().zip(up).zip(d).zip(d_gate.iter_mut().zip(d_up));
    for (((g, u), d), (d_gate, d_up)) in rows {
        let sigmoid = 1.0 / (1.0 + exp(-g));
        let silu = g * sigmoid;
        *d_up = d * silu;
        *d_gate = d * u * (silu * (1.0 - sigmoid) + sigmoid);
    }
}

#[inline(always)]
fn adamw_body(p: &mut [f32], m: &mut [f32], v: &mut [f32], g: &[f32], s: &AdamW) {
    let (inverse1, inverse2) = (1.0 / s.correction1, 1.0 / s.correction2);
    for (((p, m), v), g) in p.iter_mut().zip(m).zip(v).zip(g) {
        let g = g * s.gradient_scale;
        *m = m.mul_add(s.beta1, g * (1.0 - s.beta1));
        *v = v.mul_add(s.beta2, g * g * (1.0 - s.beta2));
        let update = *m * inverse1 / ((*v * inverse2).sqrt() + s.eps);
        *p -= s.rate * (*p).mul_add(s.decay, update);
    }
}
