//! Attention of one position over what is cached before it.

use super::cpu::for_each_isa;
use super::rows::softmax;

/// Positions in a block of the cache.
pub const BLOCK: usize = 32;

/// What a block holds for one layer and one key head: keys as `[head_dim][BLOCK]`, so that scores of neighbouring positions
/// lie side by side, and values as `[BLOCK][head_dim]`.
#[derive(Clone, Copy)]
pub struct Cached<'a> {
    /// Keys.
    pub keys: &'a [f32],
    /// Values.
    pub values: &'a [f32],
}

/// Attention of the query heads that share one key head, over the first `len` cached positions. `q` and `out` hold the heads
/// one after another, `head_dim` each; `scores` is scratch.
///
/// # Panics
/// If shapes do not fit.
pub fn attend(
    q: &[f32],
    head_dim: usize,
    blocks: &[Cached<'_>],
    len: usize,
    scores: &mut Vec<f32>,
    out: &mut [f32],
) {
    let blocks = &blocks[..len.div_ceil(BLOCK)];
    scores.resize(blocks.len() * BLOCK, 0.0);
    let scale = 1.0 / (head_dim as f32).sqrt();
    for (q, out) in q.chunks_exact(head_dim).zip(out.chunks_exact_mut(head_dim)) {
        for (block, scores) in blocks.iter().zip(scores.as_chunks_mut::<BLOCK>().0) {
            score_block(q, block.keys, scale, scores);
        }
        softmax(&mut scores[..len]);
        out.fill(0.0);
        for (block, weights) in blocks.iter().zip(scores[..len].chunks(BLOCK)) {
            mix_block(weights, block.values, out);
        }
    }
}

for_each_isa! {
    /// `scores[j] = scale · Σ_d q[d] · keys[d][j]`.
    fn score_block(q: &[f32], keys: &[f32], scale: f32, scores: &mut [f32; BLOCK]) = score_block_body;
    /// `out += Σ_j weights[j] · values[j]`.
    fn mix_block(weights: &[f32], values: &[f32], out: &mut [f32]) = mix_block_body;
}

#[inline(always)]
fn score_block_body(q: &[f32], keys: &[f32], scale: f32, scores: &mut [f32; BLOCK]) {
    let (keys, _) = keys.as_chunks::<BLOCK>();
    let mut sums = [0.0f32; BLOCK];
    for (q, keys) in q.iter().zip(keys) {
        for j in 0..BLOCK {
            sums[j] = q.mul_add(keys[j], sums[j]);
        }
    }
    for j in 0..BLOCK {
        scores[j] = sums[j] * scale;
    }
}

#[inline(always)]
fn mix_block_body(weights: &[f32], values: &[f32], out: &mut [f32]) {
    // Sixteen columns at a time stay in registers while positions pass; each column is its own sum.
    let width = out.len();
    let (chunks, rest) = out.as_chunks_mut::<16>();
    let whole = chunks.len() * 16;
    for (c, chunk) in chunks.iter_mut().enumerate() {
        let mut sums = *chunk;
        for (w, values) in weights.iter().zip(values.chunks_exact(width)) {
            let values: &[f32; 16] = values[c * 16..].first_chunk().expect("a whole chunk");
            for i in 0..16 {
                sums[i] = w.mul_add(values[i], sums[i]);
            }
        }
        *chunk = sums;
    }
    for (w, values) in weights.iter().zip(values.chunks_exact(width)) {
        for (out, v) in rest.iter_mut().zip(&values[whole..]) {
            *out = w.mul_add(*v, *out);
        }
    }
}
