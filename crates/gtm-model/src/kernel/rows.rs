//! Operations along rows: norms, sums, activations. Vector code comes from the compiler (`for_each_isa`).

use super::cpu::for_each_isa;

/// Sums run over this many lanes whatever the processor's width, so that their order is one and the same.
const LANES: usize = 16;

for_each_isa! {
    /// The inner product of two vectors of one length.
    pub fn dot(a: &[f32], b: &[f32]) -> f32 = dot_body;
    /// The sum of squares.
    pub fn sum_squares(x: &[f32]) -> f32 = sum_squares_body;
    /// `y += x`.
    pub fn add(y: &mut [f32], x: &[f32]) = add_body;
    /// `y += a · x`.
    pub fn axpy(y: &mut [f32], a: f32, x: &[f32]) = axpy_body;
    /// Root-mean-square norm of one row: `out = x / rms(x) · weight`. Returns `1 / rms(x)`.
    pub fn rms_norm(x: &[f32], weight: &[f32], eps: f32, out: &mut [f32]) -> f32 = rms_norm_body;
    /// `out = silu(gate) · up`, elementwise.
    pub fn silu_mul(gate: &[f32], up: &[f32], out: &mut [f32]) = silu_mul_body;
    /// Softmax of one row in place. Returns the logarithm of the sum of exponentials.
    pub fn softmax(x: &mut [f32]) -> f32 = softmax_body;
}

#[inline(always)]
fn fold(lanes: [f32; LANES]) -> f32 {
    let mut width = LANES / 2;
    let mut lanes = lanes;
    while width > 0 {
        for i in 0..width {
            lanes[i] += lanes[i + width];
        }
        width /= 2;
    }
    lanes[0]
}

#[inline(always)]
fn dot_body(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0; LANES];
    let (a, a_rest) = a.as_chunks::<LANES>();
    let (b, b_rest) = b.as_chunks::<LANES>();
    for (a, b) in a.iter().zip(b) {
        for i in 0..LANES {
            lanes[i] = a[i].mul_add(b[i], lanes[i]);
        }
    }
    for (i, (a, b)) in a_rest.iter().zip(b_rest).enumerate() {
        lanes[i] = a.mul_add(*b, lanes[i]);
    }
    fold(lanes)
}

#[inline(always)]
fn sum_squares_body(x: &[f32]) -> f32 {
    dot_body(x, x)
}

#[inline(always)]
fn add_body(y: &mut [f32], x: &[f32]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y += x;
    }
}

#[inline(always)]
fn axpy_body(y: &mut [f32], a: f32, x: &[f32]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y = a.mul_add(*x, *y);
    }
}

#[inline(always)]
fn rms_norm_body(x: &[f32], weight: &[f32], eps: f32, out: &mut [f32]) -> f32 {
    let scale = 1.0 / (dot_body(x, x) / x.len() as f32 + eps).sqrt();
    for ((out, x), w) in out.iter_mut().zip(x).zip(weight) {
        *out = x * scale * w;
    }
    scale
}

/// `e^x`, within 2 units in the last place; 0 below -87.3 (where single precision would go subnormal) and
/// finite up to 88.3, beyond which it stays.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    const ROUND: f32 = 12_582_912.0; // 1.5 · 2^23: adding it leaves the nearest integer in the low bits
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    let clamped = x.clamp(-87.3, 88.3);
    let shifted = clamped.mul_add(std::f32::consts::LOG2_E, ROUND);
    let n = shifted - ROUND;
    let r = (-n).mul_add(LN2_LOW, (-n).mul_add(LN2_HIGH, clamped));
    // The minimax polynomial of the Cephes library.
    let p = 1.987_569_1e-4f32
        .mul_add(r, 1.398_2e-3)
        .mul_add(r, 8.333_452e-3)
        .mul_add(r, 4.166_579_6e-2)
        .mul_add(r, 1.666_666_5e-1)
        .mul_add(r, 0.5)
        .mul_add(r * r, r)
        + 1.0;
    let power = f32::from_bits(shifted.to_bits().wrapping_shl(23).wrapping_add(0x3f80_0000));
    if x < -87.3 { 0.0 } else { p * power }
}

/// `x / (1 + e^-x)`.
#[inline(always)]
pub fn silu(x: f32) -> f32 {
    x / (1.0 + exp(-x))
}

#[inline(always)]
fn silu_mul_body(gate: &[f32], up: &[f32], out: &mut [f32]) {
    for ((out, g), u) in out.iter_mut().zip(gate).zip(up) {
        *out = silu(*g) * u;
    }
}

#[inline(always)]
fn softmax_body(x: &mut [f32]) -> f32 {
    let mut tops = [f32::NEG_INFINITY; LANES];
    let (chunks, rest) = x.as_chunks::<LANES>();
    for chunk in chunks {
        for i in 0..LANES {
            tops[i] = if chunk[i] > tops[i] { chunk[i] } else { tops[i] };
        }
    }
    for &v in rest {
        tops[0] = if v > tops[0] { v } else { tops[0] };
    }
    let top = tops.iter().fold(f32::NEG_INFINITY, |a, &b| if b > a { b } else { a });
    let mut lanes = [0.0; LANES];
    let (chunks, rest) = x.as_chunks_mut::<LANES>();
    for chunk in chunks {
        for i in 0..LANES {
            chunk[i] = exp(chunk[i] - top);
            lanes[i] += chunk[i];
        }
    }
    for (i, v) in rest.iter_mut().enumerate() {
        *v = exp(*v - top);
        lanes[i] += *v;
    }
    let total = fold(lanes);
    let inverse = 1.0 / total;
    for v in x.iter_mut() {
        *v *= inverse;
    }
    top + libm::logf(total)
}
