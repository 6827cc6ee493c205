//! A model's parameters: one run of single-precision numbers, and where in it each tensor lies.

use crate::config::Config;
use crate::safetensors::{self, Dtype, Reader};
use crate::seed::Rng;
use gtm_error::{Code, Error, Result};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

/// A tensor of the model, under its name in checkpoints.
#[derive(Clone, Debug)]
pub struct Tensor {
    /// Such as `model.layers.0.mlp.up_proj.weight`.
    pub name: String,
    /// Outer dimension first: a projection is `[out, in]`.
    pub shape: Vec<usize>,
    /// Where it lies.
    pub range: Range<usize>,
}

/// Where the tensors of a block lie. Query, key and value projections follow one another, as do gate and up, so
/// that one product computes them together.
#[derive(Clone, Debug)]
pub struct LayerRanges {
    /// Norm before attention: `[hidden]`.
    pub attention_norm: Range<usize>,
    /// Query, key, value: `[q_width + 2 · kv_width, hidden]`.
    pub qkv: Range<usize>,
    /// Their biases.
    pub qkv_bias: Range<usize>,
    /// Output projection: `[hidden, q_width]`.
    pub out: Range<usize>,
    /// Norm before the feed-forward part: `[hidden]`.
    pub mlp_norm: Range<usize>,
    /// Gate, up: `[2 · intermediate, hidden]`.
    pub gate_up: Range<usize>,
    /// Down: `[hidden, intermediate]`.
    pub down: Range<usize>,
}

/// Where everything lies.
#[derive(Clone, Debug)]
pub struct Layout {
    /// All tensors, in the order of the numbers.
    pub tensors: Vec<Tensor>,
    /// `[vocab, hidden]`.
    pub embedding: Range<usize>,
    /// Block by block.
    pub layers: Vec<LayerRanges>,
    /// The last norm: `[hidden]`.
    pub norm: Range<usize>,
    /// The output projection, `[vocab, hidden]`; the embedding where it is tied.
    pub head: Range<usize>,
    /// Number of parameters.
    pub len: usize,
}

impl Layout {
    /// The layout of a model of this shape.
    pub fn new(config: &Config) -> Layout {
        let mut tensors = Vec::new();
        let mut at = 0;
        let mut put = |name: String, shape: &[usize]| {
            let range = at..at + shape.iter().product::<usize>();
            at = range.end;
            tensors.push(Tensor { name, shape: shape.to_vec(), range: range.clone() });
            range
        };
        let (d, q, kv, f) =
            (config.hidden_size, config.q_width(), config.kv_width(), config.intermediate_size);
        let embedding = put("model.embed_tokens.weight".into(), &[config.vocab_size, d]);
        let mut layers = Vec::with_capacity(config.layers);
        for l in 0..config.layers {
            let mut put = |name: &str, shape: &[usize]| put(format!("model.layers.{l}.{name}"), shape);
            let attention_norm = put("input_layernorm.weight", &[d]);
            let qkv = [("q", q), ("k", kv), ("v", kv)]
                .map(|(name, width)| put(&format!("self_attn.{name}_proj.weight"), &[width, d]));
            let qkv_bias = [("q", q), ("k", kv), ("v", kv)]
                .map(|(name, width)| put(&format!("self_attn.{name}_proj.bias"), &[width]));
            let out = put("self_attn.o_proj.weight", &[d, q]);
            let mlp_norm = put("post_attention_layernorm.weight", &[d]);
            let gate_up = ["gate", "up"].map(|name| put(&format!("mlp.{name}_proj.weight"), &[f, d]));
            let down = put("mlp.down_proj.weight", &[d, f]);
            layers.push(LayerRanges {
                attention_norm,
                qkv: qkv[0].start..qkv[2].end,
                qkv_bias: qkv_bias[0].start..qkv_bias[2].end,
                out,
                mlp_norm,
                gate_up: gate_up[0].start..gate_up[1].end,
                down,
            });
        }
        let norm = put("model.norm.weight".into(), &[d]);
        let head = match config.tied {
            true => embedding.clone(),
            false => put("lm_head.weight".into(), &[config.vocab_size, d]),
        };
        Layout { embedding, layers, norm, head, len: at, tensors }
    }
}

/// A model's parameters.
#[derive(Clone, Debug)]
pub struct Params {
    /// The shape.
    pub config: Config,
    /// Where the tensors lie.
    pub layout: Layout,
    /// The numbers.
    pub data: Vec<f32>,
}

impl Params {
    /// Fresh parameters: normal with standard deviation 0.02 (projections into the residual stream by
    /// `1 / sqrt(2 · layers)` less), norms one, biases zero.
    ///
    /// # Errors
    /// [`Code::ModelInvalid`] if the shape is not sound.
    pub fn init(config: &Config, seed: u64) -> Result<Params> {
        config.check()?;
        let layout = Layout::new(config);
        let mut data = vec![0.0; layout.len];
        let mut rng = Rng::new(seed);
        let into_residual = 1.0 / (2.0 * config.layers as f32).sqrt();
        for tensor in &layout.tensors {
            let data = &mut data[tensor.range.clone()];
            if tensor.name.ends_with("norm.weight") {
                data.fill(1.0);
            } else if tensor.name.ends_with(".weight") {
                let residual =
                    tensor.name.ends_with("o_proj.weight") || tensor.name.ends_with("down_proj.weight");
                let scale = 0.02 * if residual { into_residual } else { 1.0 };
                data.fill_with(|| rng.normal() * scale);
            }
        }
        Ok(Params { config: config.clone(), layout, data })
    }

    /// Reads a folder with `config.json` and `model.safetensors`, or the parts that
    /// `model.safetensors.index.json` names.
    ///
    /// # Errors
    /// [`Code::FileUnreadable`], [`Code::ModelInvalid`].
    pub fn load(dir: &Path) -> Result<Params> {
        let config = Config::from_json(&read_text(&dir.join("config.json"))?)
            .map_err(|e| e.in_file(dir.join("config.json").display()))?;
        let layout = Layout::new(&config);
        let single = dir.join("model.safetensors");
        let index = dir.join("model.safetensors.index.json");
        let files = match !single.exists() && index.exists() {
            true => shards(dir, &index)?,
            false => vec![single],
        };
        let mut readers = files.iter().map(|f| Reader::open(f)).collect::<Result<Vec<_>>>()?;
        let mut data = vec![0.0; layout.len];
        for tensor in &layout.tensors {
            let holder = readers.iter_mut().find(|r| r.tensors().any(|(name, _)| name == tensor.name));
            let Some(reader) = holder else {
                return Err(Error::new(Code::ModelInvalid, format!("no tensor `{}`", tensor.name))
                    .in_file(dir.display()));
            };
            reader.read(&tensor.name, &tensor.shape, &mut data[tensor.range.clone()])?;
        }
        Ok(Params { config, layout, data })
    }

    /// Writes `config.json` and `model.safetensors` into a folder that is there.
    ///
    /// # Errors
    /// [`Code::StorageFailed`].
    pub fn save(&self, dir: &Path, dtype: Dtype) -> Result<()> {
        let mut config = self.config.to_json();
        config["torch_dtype"] = if dtype == Dtype::F32 { "float32" } else { "bfloat16" }.into();
        let path = dir.join("config.json");
        let text = serde_json::to_string_pretty(&config).unwrap_or_default() + "\n";
        std::fs::write(&path, text)
            .map_err(|e| Error::new(Code::StorageFailed, e.to_string()).in_file(path.display()))?;
        let tensors: Vec<_> = self
            .layout
            .tensors
            .iter()
            .map(|t| (t.name.as_str(), t.shape.as_slice(), &self.data[t.range.clone()]))
            .collect();
        safetensors::write(&dir.join("model.safetensors"), dtype, &[("format", "pt")], &tensors)
    }

    /// One tensor's numbers.
    pub fn get(&self, range: &Range<usize>) -> &[f32] {
        &self.data[range.clone()]
    }
}

fn read_text(path: &Path) -> Result<String> {
    std::fs::read_to_string(path)
        .map_err(|e| Error::new(Code::FileUnreadable, e.to_string()).in_file(path.display()))
}

fn shards(dir: &Path, index: &Path) -> Result<Vec<std::path::PathBuf>> {
    #[derive(Deserialize)]
    struct Index {
        weight_map: BTreeMap<String, String>,
    }
    let invalid = |message: String| Error::new(Code::ModelInvalid, message).in_file(index.display());
    let map: Index = serde_json::from_str(&read_text(index)?).map_err(|e| invalid(e.to_string()))?;
    let mut names: Vec<String> = map.weight_map.into_values().collect();
    names.sort();
    names.dedup();
    // A checkpoint names files beside it, nothing else.
    match names.iter().find(|name| name.contains(['/', '\\']) || name.starts_with('.')) {
        Some(name) => Err(invalid(format!("`{name}` is not the name of a file in this folder"))),
        None => Ok(names.iter().map(|name| dir.join(name)).collect()),
    }
}
