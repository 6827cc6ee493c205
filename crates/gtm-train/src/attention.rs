//! Causal attention within each segment, forwards and backwards.
//!
//! Rows are taken [`ROWS`] at a time; what is kept between the passes is the logarithm of each row's sum only, and the
//! weights are computed anew from it.

use gtm_model::Config;
use gtm_model::kernel::{Mat, Panels, dot, exp_shifted, gemm, scale, softmax, softmax_backward};
use std::ops::Range;

/// Query rows taken at once.
const ROWS: usize = 64;

/// Operands and intermediate values, kept from head to head.
#[derive(Default)]
pub(crate) struct Scratch {
    keys: Operand,
    keys_t: Operand,
    values: Operand,
    block: Operand,
    weights: Vec<f32>,
    d_weights: Vec<f32>,
}

struct Operand(Panels);

impl Default for Operand {
    fn default() -> Operand {
        Operand(Panels::empty())
    }
}

/// Where things lie in a row of queries, keys and values.
#[derive(Clone, Copy)]
struct Heads {
    width: usize,
    q_width: usize,
    kv_width: usize,
    dim: usize,
    kv: usize,
    group: usize,
}

impl Heads {
    fn of(config: &Config) -> Heads {
        Heads {
            width: config.q_width() + 2 * config.kv_width(),
            q_width: config.q_width(),
            kv_width: config.kv_width(),
            dim: config.head_dim,
            kv: config.kv_heads,
            group: config.heads / config.kv_heads,
        }
    }

    /// One head's columns, as a matrix of the segment's positions from `from` on.
    fn view<'a>(&self, rows: &'a [f32], from: usize, len: usize, column: usize) -> Mat<'a> {
        Mat::strided(&rows[from * self.width + column..], len, self.dim, self.width)
    }

    fn query(&self, head: usize) -> usize {
        head * self.dim
    }

    fn key(&self, kv_head: usize) -> usize {
        self.q_width + kv_head * self.dim
    }

    fn value(&self, kv_head: usize) -> usize {
        self.q_width + self.kv_width + kv_head * self.dim
    }
}

/// Forwards: from rows of queries, keys and values (turned already) to rows of attended values. `log_sums` takes one number for each
/// position and head.
pub(crate) fn forward(
    config: &Config,
    qkv: &[f32],
    segments: &[Range<usize>],
    out: &mut [f32],
    log_sums: &mut [f32],
    s: &mut Scratch,
) {
    let h = Heads::of(config);
    let factor = 1.0 / (h.dim as f32).sqrt();
    for segment in segments {
        let len = segment.len();
        for kv_head in 0..h.kv {
            s.keys_t.0.repack(h.view(qkv, segment.start, len, h.key(kv_head)).t());
            s.values.0.repack(h.view(qkv, segment.start, len, h.value(kv_head)));
            for head in kv_head * h.group..(kv_head + 1) * h.group {
                for from in (0..len).step_by(ROWS) {
                    let to = len.min(from + ROWS);
                    let q = h.view(qkv, segment.start + from, to - from, h.query(head));
                    s.weights.resize((to - from) * to, 0.0);
                    gemm(q, &s.keys_t.0, to, &mut s.weights, to, false);
                    for (i, row) in s.weights.chunks_exact_mut(to).enumerate() {
                        let (seen, future) = row.split_at_mut(from + i + 1);
                        scale(seen, factor);
                        log_sums[(segment.start + from + i) * config.heads + head] = softmax(seen);
                        future.fill(0.0);
                    }
                    let at = (segment.start + from) * h.q_width + h.query(head);
                    gemm(
                        Mat::new(&s.weights, to - from, to),
                        &s.values.0,
                        h.dim,
                        &mut out[at..],
                        h.q_width,
                        false,
                    );
                }
            }
        }
    }
}

/// What the backward pass needs of the forward one.
pub(crate) struct Saved<'a> {
    pub(crate) qkv: &'a [f32],
    pub(crate) out: &'a [f32],
    pub(crate) log_sums: &'a [f32],
}

/// Backwards: from the gradient of the attended values to that of queries, keys and values.
pub(crate) fn backward(
    config: &Config,
    saved: &Saved<'_>,
    segments: &[Range<usize>],
    d_out: &[f32],
    d_qkv: &mut [f32],
    s: &mut Scratch,
) {
    let h = Heads::of(config);
    let factor = 1.0 / (h.dim as f32).sqrt();
    d_qkv.fill(0.0);
    for segment in segments {
        let (start, len) = (segment.start, segment.len());
        for kv_head in 0..h.kv {
            let keys = h.view(saved.qkv, start, len, h.key(kv_head));
            s.keys.0.repack(keys);
            s.keys_t.0.repack(keys.t());
            s.values.0.repack(h.view(saved.qkv, start, len, h.value(kv_head)).t());
            for head in kv_head * h.group..(kv_head + 1) * h.group {
                for from in (0..len).step_by(ROWS) {
                    let to = len.min(from + ROWS);
                    let rows = to - from;
                    let at = (start + from) * h.q_width + h.query(head);
                    let q = h.view(saved.qkv, start + from, rows, h.query(head));
                    let d_rows = Mat::strided(&d_out[at..], rows, h.dim, h.q_width);
                    s.weights.resize(rows * to, 0.0);
                    s.d_weights.resize(rows * to, 0.0);
                    gemm(q, &s.keys_t.0, to, &mut s.weights, to, false);
                    gemm(d_rows, &s.values.0, to, &mut s.d_weights, to, false);
                    for (i, (p, dp)) in
                        s.weights.chunks_exact_mut(to).zip(s.d_weights.chunks_exact_mut(to)).enumerate()
                    {
                        let (seen, future) = p.split_at_mut(from + i + 1);
                        exp_shifted(seen, factor, saved.log_sums[(start + from + i) * config.heads + head]);
                        future.fill(0.0);
                        let row = at + i * h.q_width;
                        let mean = dot(&d_out[row..row + h.dim], &saved.out[row..row + h.dim]);
                        softmax_backward(p, dp, mean, factor);
                    }
                    let (p, ds) = (Mat::new(&s.weights, rows, to), Mat::new(&s.d_weights, rows, to));
                    gemm(
                        ds,
                        &s.keys.0,
                        h.dim,
                        &mut d_qkv[(start + from) * h.width + h.query(head)..],
                        h.width,
                        false,
                    );
                    s.block.0.repack(d_rows);
                    gemm(
                        p.t(),
                        &s.block.0,
                        h.dim,
                        &mut d_qkv[start * h.width + h.value(kv_head)..],
                        h.width,
                        true,
                    );
                    s.block.0.repack(q);
                    gemm(
                        ds.t(),
                        &s.block.0,
                        h.dim,
                        &mut d_qkv[start * h.width + h.key(kv_head)..],
                        h.width,
                        true,
                    );
                }
            }
        }
    }
}
