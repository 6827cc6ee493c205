//! A model's weights as the engine wants them: packed for the kernels, at the precision chosen.

use crate::config::Config;
use crate::kernel::{Mat, Panels, Precision, bf16_from_f32, f32_from_bf16};
use crate::params::Params;

pub(super) struct Weights {
    embedding: Embedding,
    pub(super) layers: Vec<Layer>,
    pub(super) norm: Vec<f32>,
    pub(super) head: Panels,
}

pub(super) struct Layer {
    pub(super) attention_norm: Vec<f32>,
    pub(super) qkv: Panels,
    pub(super) qkv_bias: Vec<f32>,
    pub(super) out: Panels,
    pub(super) mlp_norm: Vec<f32>,
    pub(super) gate_up: Panels,
    pub(super) down: Panels,
}

/// Rows to look up. Below single precision they are kept in bfloat16: half the memory, and exact for checkpoints that
/// were stored so.
enum Embedding {
    F32(Vec<f32>),
    Bf16(Vec<u16>),
}

impl Weights {
    pub(super) fn new(params: &Params, precision: Precision) -> Weights {
        let Config { hidden_size: d, intermediate_size: f, vocab_size, .. } = params.config;
        let (q, qkv) = (params.config.q_width(), params.config.q_width() + 2 * params.config.kv_width());
        // Stored as `[out, in]`; products run over `in`.
        let pack = |range, out: usize, inner: usize| {
            Panels::pack(Mat::new(params.get(range), out, inner).t(), precision)
        };
        let layout = &params.layout;
        let embedding = params.get(&layout.embedding);
        Weights {
            embedding: match precision {
                Precision::F32 => Embedding::F32(embedding.to_vec()),
                Precision::Bf16 | Precision::Q8 => {
                    Embedding::Bf16(embedding.iter().map(|&v| bf16_from_f32(v)).collect())
                }
            },
            layers: layout
                .layers
                .iter()
                .map(|l| Layer {
                    attention_norm: params.get(&l.attention_norm).to_vec(),
                    qkv: pack(&l.qkv, qkv, d),
                    qkv_bias: params.get(&l.qkv_bias).to_vec(),
                    out: pack(&l.out, d, q),
                    mlp_norm: params.get(&l.mlp_norm).to_vec(),
                    gate_up: pack(&l.gate_up, 2 * f, d),
                    down: pack(&l.down, d, f),
                })
                .collect(),
            norm: params.get(&layout.norm).to_vec(),
            head: pack(&layout.head, vocab_size, d),
        }
    }

    /// Writes the embedding of a token.
    pub(super) fn embed(&self, token: usize, out: &mut [f32]) {
        let at = token * out.len();
        match &self.embedding {
            Embedding::F32(rows) => out.copy_from_slice(&rows[at..at + out.len()]),
            Embedding::Bf16(rows) => {
                for (out, &bits) in out.iter_mut().zip(&rows[at..]) {
                    *out = f32_from_bf16(bits);
                }
            }
        }
    }

    /// Bytes held.
    pub(super) fn bytes(&self) -> usize {
        let embedding = match &self.embedding {
            Embedding::F32(rows) => rows.len() * 4,
            Embedding::Bf16(rows) => rows.len() * 2,
        };
        let layers =
            self.layers.iter().map(|l| l.qkv.bytes() + l.out.bytes() + l.gate_up.bytes() + l.down.bytes());
        embedding + self.head.bytes() + layers.sum::<usize>()
    }
}
