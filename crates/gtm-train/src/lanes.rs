//! The gradient of a step, computed side by side.
//!
//! A step's batches are dealt to a fixed number of lanes, each with a gradient of its own, and lanes are added up in order. How
//! many threads carry the lanes does not show in the result; how many lanes there are does, so it belongs to the
//! configuration.

use crate::batch::Batch;
use crate::loss::Loss;
use crate::packed::Packed;
use crate::pass::{self, Model, Workspace};
use gtm_model::kernel::{Team, add, sum_squares};
use gtm_model::{Config, Layout, Params, Rope};

/// Numbers added or measured at once: fixed, so that sums come out alike whoever computes them.
const PIECE: usize = 1 << 16;

struct Lane {
    gradient: Vec<f32>,
    workspace: Workspace,
    loss: Loss,
}

/// Lanes, threads to carry them and what they share.
pub struct Lanes {
    team: Team,
    lanes: Vec<Lane>,
    packed: Packed,
    rope: Rope,
    /// Whether `packed` holds the present parameters.
    fresh: bool,
}

/// What a lane has judged: the samples of each batch, by its index.
type Done = Vec<(usize, Vec<Judged>)>;

/// How one held-out sample fared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Judged {
    /// Index of its task.
    pub task: usize,
    /// Loss over its completion.
    pub loss: Loss,
}

impl Judged {
    /// Whether every token of the completion was the likeliest: greedy decoding would write exactly it.
    pub fn exact(&self) -> bool {
        self.loss.hits == self.loss.count
    }
}

impl Lanes {
    /// Lanes for a model of this shape and texts of up to `longest` tokens.
    pub fn new(config: &Config, lanes: usize, threads: usize, longest: usize) -> Lanes {
        let len = Layout::new(config).len;
        let lane =
            || Lane { gradient: vec![0.0; len], workspace: Workspace::default(), loss: Loss::default() };
        Lanes {
            team: Team::new(threads),
            lanes: (0..lanes.max(1)).map(|_| lane()).collect(),
            packed: Packed::new(config),
            rope: Rope::new(config, longest),
            fresh: false,
        }
    }

    /// The threads, for other work on large runs of numbers.
    pub fn team(&self) -> &Team {
        &self.team
    }

    /// Says that parameters have changed.
    pub fn changed(&mut self) {
        self.fresh = false;
    }

    fn pack(&mut self, params: &Params) {
        if !self.fresh {
            self.packed.repack(&params.data, &self.team);
            self.fresh = true;
        }
    }

    /// The mean loss over the batches' learned positions. The gradient of that mean is left in [`Lanes::gradient`].
    pub fn learn(&mut self, params: &Params, batches: &[Batch]) -> Loss {
        self.pack(params);
        let learned: usize = batches.iter().map(Batch::learned).sum();
        let scale = 1.0 / learned.max(1) as f32;
        let model = Model { params, packed: &self.packed, rope: &self.rope };
        let count = self.lanes.len();
        self.team.for_each_mut(&mut self.lanes, |index, lane| {
            lane.gradient.fill(0.0);
            lane.loss = Loss::default();
            for batch in batches.iter().skip(index).step_by(count) {
                let loss = pass::learn(model, batch, scale, &mut lane.gradient, &mut lane.workspace);
                lane.loss.add(&loss);
            }
        });
        let (first, others) = self.lanes.split_first_mut().expect("at least one lane");
        let mut pieces: Vec<&mut [f32]> = first.gradient.chunks_mut(PIECE).collect();
        self.team.for_each_mut(&mut pieces, |i, piece| {
            for other in others.iter() {
                add(piece, &other.gradient[i * PIECE..][..piece.len()]);
            }
        });
        let mut loss = first.loss;
        others.iter().for_each(|lane| loss.add(&lane.loss));
        loss
    }

    /// The gradient of the last [`Lanes::learn`].
    pub fn gradient(&self) -> &[f32] {
        &self.lanes[0].gradient
    }

    /// How each sample of the batches fares, in order.
    pub fn judge(&mut self, params: &Params, batches: &[Batch]) -> Vec<Judged> {
        self.pack(params);
        let model = Model { params, packed: &self.packed, rope: &self.rope };
        let mut out: Vec<Vec<Judged>> = vec![Vec::new(); batches.len()];
        let count = self.lanes.len();
        let mut dealt: Vec<(&mut Lane, Done)> =
            self.lanes.iter_mut().map(|lane| (lane, Vec::new())).collect();
        self.team.for_each_mut(&mut dealt, |index, (lane, done)| {
            for (i, batch) in batches.iter().enumerate().skip(index).step_by(count) {
                let judge = |&task| Judged { task, loss: Loss::default() };
                let mut judged: Vec<Judged> = batch.tasks.iter().map(judge).collect();
                let mut segment = 0;
                pass::evaluate(model, batch, &mut lane.workspace, |position, nats, hit| {
                    while batch.segments[segment].end <= position {
                        segment += 1;
                    }
                    judged[segment].loss.add(&Loss { sum: nats, count: 1, hits: usize::from(hit) });
                });
                done.push((i, judged));
            }
        });
        for (_, done) in dealt {
            for (i, judged) in done {
                out[i] = judged;
            }
        }
        out.into_iter().flatten().collect()
    }
}

/// The Euclidean length of a run of numbers, summed in fixed pieces.
pub(crate) fn norm(team: &Team, x: &[f32]) -> f64 {
    let mut sums: Vec<(&[f32], f64)> = x.chunks(PIECE).map(|piece| (piece, 0.0)).collect();
    team.for_each_mut(&mut sums, |_, (piece, sum)| *sum = f64::from(sum_squares(piece)));
    sums.iter().map(|(_, sum)| sum).sum::<f64>().sqrt()
}
