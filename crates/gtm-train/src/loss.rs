//! Cross-entropy of the positions that are learned; the full logits never exist at once.

use crate::batch::IGNORED;
use crate::packed::Projection;
use gtm_model::kernel::{Mat, Panels, gemm, softmax};

/// Positions whose logits are held at once.
const CHUNK: usize = 256;

/// Sums over the positions that are learned.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Loss {
    /// Sum of `-ln p(target)`.
    pub sum: f64,
    /// Number of targets.
    pub count: usize,
    /// Targets that were the likeliest token.
    pub hits: usize,
}

impl Loss {
    /// The mean, in nats for each token.
    pub fn mean(&self) -> f64 {
        self.sum / self.count.max(1) as f64
    }

    /// Adds another part.
    pub fn add(&mut self, other: &Loss) {
        self.sum += other.sum;
        self.count += other.count;
        self.hits += other.hits;
    }
}

/// Gradients that the head's backward pass writes.
pub(crate) struct HeadGradient<'a> {
    /// Added to: `[vocab, hidden]`.
    pub(crate) weight: &'a mut [f32],
    /// Set for positions that are learned, left alone elsewhere: one row for each position.
    pub(crate) normed: &'a mut [f32],
    /// Factor on each position's loss.
    pub(crate) scale: f32,
}

#[derive(Default)]
pub(crate) struct Scratch {
    rows: Vec<f32>,
    logits: Vec<f32>,
    d_rows: Vec<f32>,
    panels: Option<Panels>,
}

/// The loss over `normed` (one row for each position). `each` is told, in order, every learned position and whether its target was
/// the likeliest. With `gradient`, goes backwards as well.
pub(crate) fn cross_entropy(
    head: &Projection,
    normed: &[f32],
    targets: &[u32],
    mut gradient: Option<HeadGradient<'_>>,
    s: &mut Scratch,
    mut each: impl FnMut(usize, f64, bool),
) -> Loss {
    let (vocab, d) = (head.outer, head.inner);
    let learned: Vec<usize> = (0..targets.len()).filter(|&i| targets[i] != IGNORED).collect();
    let mut loss = Loss { count: learned.len(), ..Loss::default() };
    for chunk in learned.chunks(CHUNK) {
        s.rows.clear();
        chunk.iter().for_each(|&i| s.rows.extend_from_slice(&normed[i * d..][..d]));
        s.logits.resize(chunk.len() * vocab, 0.0);
        gemm(Mat::new(&s.rows, chunk.len(), d), &head.forward, vocab, &mut s.logits, vocab, false);
        for (row, &position) in s.logits.chunks_exact_mut(vocab).zip(chunk) {
            let target = targets[position] as usize;
            let aimed = row[target];
            let hit = row.iter().all(|&v| v <= aimed);
            let nats = f64::from(softmax(row) - aimed);
            loss.sum += nats;
            loss.hits += usize::from(hit);
            each(position, nats, hit);
            if let Some(gradient) = &gradient {
                row[target] -= 1.0;
                gtm_model::kernel::scale(row, gradient.scale);
            }
        }
        let Some(gradient) = &mut gradient else { continue };
        let d_logits = Mat::new(&s.logits, chunk.len(), vocab);
        s.d_rows.resize(chunk.len() * d, 0.0);
        gemm(d_logits, &head.backward, d, &mut s.d_rows, d, false);
        for (row, &position) in s.d_rows.chunks_exact(d).zip(chunk) {
            gradient.normed[position * d..][..d].copy_from_slice(row);
        }
        let panels = s.panels.get_or_insert_with(Panels::empty);
        panels.repack(Mat::new(&s.rows, chunk.len(), d));
        gemm(d_logits.t(), panels, d, gradient.weight, d, true);
    }
    loss
}
