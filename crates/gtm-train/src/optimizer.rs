//! AdamW with warm-up, cosine decay and clipping.

use crate::lanes::norm;
use gtm_model::kernel::{AdamW, Team, adamw};
use serde::{Deserialize, Serialize};

/// How parameters are changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OptimizerConfig {
    /// Highest learning rate.
    pub rate: f64,
    /// Steps over which the rate rises from zero.
    pub warmup_steps: u64,
    /// What part of the highest rate is left at the last step; the rate follows half a cosine.
    pub final_rate: f64,
    /// Decoupled weight decay, of matrices only.
    pub weight_decay: f64,
    /// Decay of the mean of gradients.
    pub beta1: f64,
    /// Decay of the mean of their squares.
    pub beta2: f64,
    /// Added to the root of the latter.
    pub eps: f64,
    /// Longest gradient; longer ones are shortened to it. 0 switches that off.
    pub clip: f64,
}

impl Default for OptimizerConfig {
    fn default() -> OptimizerConfig {
        OptimizerConfig {
            rate: 2e-3,
            warmup_steps: 100,
            final_rate: 0.1,
            weight_decay: 0.1,
            beta1: 0.9,
            beta2: 0.95,
            eps: 1e-8,
            clip: 1.0,
        }
    }
}

impl OptimizerConfig {
    /// The learning rate of a step, counted from 0, of so many.
    pub fn rate_at(&self, step: u64, steps: u64) -> f64 {
        if step < self.warmup_steps {
            return self.rate * (step + 1) as f64 / self.warmup_steps as f64;
        }
        let left = steps.saturating_sub(self.warmup_steps).max(1);
        let done = ((step - self.warmup_steps) as f64 / left as f64).min(1.0);
        let cosine = 0.5 * (1.0 + (std::f64::consts::PI * done).cos());
        self.rate * (self.final_rate + (1.0 - self.final_rate) * cosine)
    }

    pub(crate) fn problem(&self) -> Option<&'static str> {
        let in_unit = |v: f64| (0.0..1.0).contains(&v);
        if !(self.rate > 0.0 && self.rate.is_finite()) {
            Some("`rate` must be a positive number")
        } else if !(in_unit(self.beta1) && in_unit(self.beta2)) {
            Some("`beta1` and `beta2` must be in [0, 1)")
        } else if !(0.0..=1.0).contains(&self.final_rate) {
            Some("`final_rate` must be in [0, 1]")
        } else if !(self.eps > 0.0 && self.weight_decay >= 0.0 && self.clip >= 0.0) {
            Some("`eps` must be positive, `weight_decay` and `clip` not negative")
        } else {
            None
        }
    }
}

/// What the optimizer remembers of each trained number.
#[derive(Clone, Debug)]
pub struct Optimizer {
    /// Mean of gradients.
    pub mean: Vec<f32>,
    /// Mean of squared gradients.
    pub square: Vec<f32>,
}

/// A run of numbers that are treated alike.
pub(crate) struct Group {
    pub(crate) range: std::ops::Range<usize>,
    pub(crate) decays: bool,
}

/// Numbers updated at once.
const PIECE: usize = 1 << 16;

impl Optimizer {
    /// For so many numbers, none of which has been changed yet.
    pub fn new(len: usize) -> Optimizer {
        Optimizer { mean: vec![0.0; len], square: vec![0.0; len] }
    }

    /// One update. Returns the gradient's length before clipping.
    pub(crate) fn update(
        &mut self,
        team: &Team,
        config: &OptimizerConfig,
        (step, steps): (u64, u64),
        groups: &[Group],
        gradient: &[f32],
        numbers: &mut [f32],
    ) -> f64 {
        let length = norm(team, gradient);
        let shorten = if config.clip > 0.0 && length > config.clip { config.clip / length } else { 1.0 };
        let correction = |beta: f64| (1.0 - beta.powf((step + 1) as f64)) as f32;
        let update = AdamW {
            rate: config.rate_at(step, steps) as f32,
            beta1: config.beta1 as f32,
            beta2: config.beta2 as f32,
            eps: config.eps as f32,
            decay: config.weight_decay as f32,
            correction1: correction(config.beta1),
            correction2: correction(config.beta2),
            gradient_scale: shorten as f32,
        };
        let mut pieces = Vec::new();
        let (mut p, mut m, mut v) = (numbers, &mut self.mean[..], &mut self.square[..]);
        // Groups follow one another and cover everything.
        for group in groups {
            let mut at = group.range.start;
            while at < group.range.end {
                let len = PIECE.min(group.range.end - at);
                let (p0, m0, v0);
                (p0, p) = p.split_at_mut(len);
                (m0, m) = m.split_at_mut(len);
                (v0, v) = v.split_at_mut(len);
                pieces.push((p0, m0, v0, &gradient[at..at + len], group.decays));
                at += len;
            }
        }
        team.for_each_mut(&mut pieces, |_, (p, m, v, g, decays)| {
            adamw(p, m, v, g, &AdamW { decay: if *decays { update.decay } else { 0.0 }, ..update });
        });
        length
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_rises_then_falls_to_what_is_asked() {
        let config =
            OptimizerConfig { rate: 1.0, warmup_steps: 10, final_rate: 0.1, ..OptimizerConfig::default() };
        assert!((config.rate_at(0, 110) - 0.1).abs() < 1e-12);
        assert!((config.rate_at(10, 110) - 1.0).abs() < 1e-12);
        assert!((config.rate_at(60, 110) - 0.55).abs() < 1e-12);
        assert!((config.rate_at(110, 110) - 0.1).abs() < 1e-12);
    }

    #[test]
    fn one_update_is_adamw() {
        let config = OptimizerConfig { rate: 0.1, warmup_steps: 0, clip: 0.0, ..OptimizerConfig::default() };
        let (mut optimizer, mut p) = (Optimizer::new(2), vec![1.0, 1.0]);
        let groups = [Group { range: 0..1, decays: true }, Group { range: 1..2, decays: false }];
        let length = optimizer.update(&Team::new(1), &config, (0, 10), &groups, &[3.0, -4.0], &mut p);
        // At the first step the update is the gradient's sign; decay takes rate · 0.1 · p more.
        assert!((length - 5.0).abs() < 1e-6);
        assert!((p[0] - (1.0 - 0.1 - 0.01)).abs() < 1e-6 && (p[1] - 1.1).abs() < 1e-6, "{p:?}");
    }
}
