//! Rotary position embedding.

use crate::config::Config;

/// Cosines and sines for every position that may occur.
#[derive(Clone, Debug)]
pub struct Rope {
    half: usize,
    /// For each position: `half` cosines, `half` sines.
    table: Vec<f32>,
}

impl Rope {
    /// The table for positions `0..positions`. Angles are rounded to single precision, as transformers does.
    pub fn new(config: &Config, positions: usize) -> Rope {
        let half = config.head_dim / 2;
        let frequencies: Vec<f32> = (0..half)
            .map(|i| (1.0 / libm::pow(config.rope_theta, 2.0 * i as f64 / config.head_dim as f64)) as f32)
            .collect();
        let mut table = Vec::with_capacity(positions * 2 * half);
        for position in 0..positions {
            let angle = |f: &f32| f64::from(position as f32 * f);
            table.extend(frequencies.iter().map(|f| libm::cos(angle(f)) as f32));
            table.extend(frequencies.iter().map(|f| libm::sin(angle(f)) as f32));
        }
        Rope { half, table }
    }

    /// Number of positions in the table.
    pub fn positions(&self) -> usize {
        self.table.len() / (2 * self.half)
    }

    /// Turns each head in `heads` (one after another) by the angles of `position`.
    ///
    /// # Panics
    /// If the position is beyond the table.
    pub fn turn(&self, heads: &mut [f32], position: usize) {
        self.rotate(heads, position, 1.0);
    }

    /// Turns back: the transpose, which gradients need.
    ///
    /// # Panics
    /// If the position is beyond the table.
    pub fn turn_back(&self, heads: &mut [f32], position: usize) {
        self.rotate(heads, position, -1.0);
    }

    fn rotate(&self, heads: &mut [f32], position: usize, direction: f32) {
        let (cos, sin) = self.table[position * 2 * self.half..][..2 * self.half].split_at(self.half);
        for head in heads.chunks_exact_mut(2 * self.half) {
            let (first, second) = head.split_at_mut(self.half);
            for (((a, b), cos), sin) in first.iter_mut().zip(second).zip(cos).zip(sin) {
                let sin = sin * direction;
                (*a, *b) = (*a * cos - *b * sin, *b * cos + *a * sin);
            }
        }
    }
}
