//! Low-rank adapters (LoRA), in the layout of PEFT: `adapter_config.json` and `adapter_model.safetensors`.

use crate::kernel::{Mat, Panels, Precision, gemm};
use crate::params::{Params, Tensor};
use crate::safetensors::{self, Dtype, Reader};
use crate::seed::Rng;
use gtm_error::{Code, Error, Result};
use serde::Deserialize;
use serde_json::json;
use std::ops::Range;
use std::path::Path;

/// Greatest rank taken.
const MAX_RANK: usize = 1_024;

/// For each adapted projection `W`, two thin matrices: the model then uses `W + alpha / rank · B · A`.
#[derive(Clone, Debug)]
pub struct Adapter {
    /// Width of the thin matrices.
    pub rank: usize,
    /// Strength.
    pub alpha: f32,
    /// What is adapted.
    pub targets: Vec<Target>,
    /// The numbers of all thin matrices.
    pub numbers: Vec<f32>,
}

/// One adapted projection.
#[derive(Clone, Debug)]
pub struct Target {
    /// The tensor.
    pub tensor: Tensor,
    /// Where `A`, `[rank, in]`, lies in [`Adapter::numbers`].
    pub a: Range<usize>,
    /// Where `B`, `[out, rank]`, lies.
    pub b: Range<usize>,
}

/// The projections of every block.
const PROJECTIONS: [&str; 7] = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"];

#[derive(Deserialize)]
struct Raw {
    peft_type: String,
    r: usize,
    lora_alpha: f32,
    target_modules: Vec<String>,
    #[serde(default)]
    use_rslora: bool,
    #[serde(default)]
    use_dora: bool,
}

impl Adapter {
    /// A fresh adapter of all projections, or of the `modules` named: `A` random, `B` zero, so that it changes nothing yet.
    ///
    /// # Errors
    /// [`Code::TrainingInvalid`] if the rank is out of range or a module is none of the model's.
    pub fn init(params: &Params, rank: usize, alpha: f32, modules: &[String], seed: u64) -> Result<Adapter> {
        let mut adapter = Adapter::shape(params, rank, alpha, modules)?;
        let mut rng = Rng::new(seed);
        for target in &adapter.targets {
            // The spread that PEFT starts with: uniform with variance 1 / (3 · in).
            let width = (1.0 / target.tensor.shape[1] as f64).sqrt();
            let a = &mut adapter.numbers[target.a.clone()];
            a.fill_with(|| ((2.0 * rng.unit() - 1.0) * width) as f32);
        }
        Ok(adapter)
    }

    fn shape(params: &Params, rank: usize, alpha: f32, modules: &[String]) -> Result<Adapter> {
        let invalid = |message: String| Error::new(Code::TrainingInvalid, message);
        if rank == 0 || rank > MAX_RANK || !alpha.is_finite() {
            return Err(invalid(format!("an adapter of rank {rank} and alpha {alpha}"))
                .expected(format!("rank 1 to {MAX_RANK}")));
        }
        if let Some(unknown) = modules.iter().find(|m| !PROJECTIONS.contains(&m.as_str())) {
            return Err(invalid(format!("no projection `{unknown}`")).expected(PROJECTIONS.join(", ")));
        }
        let wanted = |name: &str| {
            PROJECTIONS.iter().any(|p| {
                name.ends_with(&format!("{p}.weight"))
                    && (modules.is_empty() || modules.iter().any(|m| m == p))
            })
        };
        let mut at = 0;
        let mut take = |n: usize| {
            at += n;
            at - n..at
        };
        let targets: Vec<Target> = params
            .layout
            .tensors
            .iter()
            .filter(|t| wanted(&t.name))
            .map(|t| Target { tensor: t.clone(), a: take(rank * t.shape[1]), b: take(t.shape[0] * rank) })
            .collect();
        Ok(Adapter { rank, alpha, targets, numbers: vec![0.0; at] })
    }

    /// `alpha / rank`.
    pub fn scale(&self) -> f32 {
        self.alpha / self.rank as f32
    }

    /// Adds the adapter's products to parameters, in place.
    pub fn add_to(&self, data: &mut [f32]) {
        for target in &self.targets {
            let (outer, inner) = (target.tensor.shape[0], target.tensor.shape[1]);
            let mut b = self.numbers[target.b.clone()].to_vec();
            b.iter_mut().for_each(|v| *v *= self.scale());
            let a = Panels::pack(Mat::new(&self.numbers[target.a.clone()], self.rank, inner), Precision::F32);
            gemm(
                Mat::new(&b, outer, self.rank),
                &a,
                inner,
                &mut data[target.tensor.range.clone()],
                inner,
                true,
            );
        }
    }

    /// Writes the two files into a folder that is there. `base` says which model is adapted.
    ///
    /// # Errors
    /// [`Code::StorageFailed`].
    pub fn save(&self, dir: &Path, base: &str) -> Result<()> {
        let modules: Vec<&str> = PROJECTIONS
            .into_iter()
            .filter(|p| self.targets.iter().any(|t| t.tensor.name.ends_with(&format!("{p}.weight"))))
            .collect();
        let config = json!({
            "peft_type": "LORA", "task_type": "CAUSAL_LM", "base_model_name_or_path": base, "r": self.rank,
            "lora_alpha": self.alpha, "lora_dropout": 0.0, "bias": "none", "fan_in_fan_out": false,
            "inference_mode": true, "modules_to_save": null, "target_modules": modules
        });
        let path = dir.join("adapter_config.json");
        std::fs::write(&path, serde_json::to_string_pretty(&config).unwrap_or_default() + "\n")
            .map_err(|e| Error::new(Code::StorageFailed, e.to_string()).in_file(path.display()))?;
        let named: Vec<(String, [usize; 2], &Range<usize>)> = self
            .targets
            .iter()
            .flat_map(|t| {
                let (outer, inner) = (t.tensor.shape[0], t.tensor.shape[1]);
                [(names(t).0, [self.rank, inner], &t.a), (names(t).1, [outer, self.rank], &t.b)]
            })
            .collect();
        let tensors: Vec<_> = named
            .iter()
            .map(|(name, shape, range)| (name.as_str(), &shape[..], &self.numbers[(*range).clone()]))
            .collect();
        safetensors::write(&dir.join("adapter_model.safetensors"), Dtype::F32, &[("format", "pt")], &tensors)
    }

    /// Reads an adapter of a model.
    ///
    /// # Errors
    /// [`Code::FileUnreadable`], [`Code::ModelInvalid`] if it is of another kind or another model's.
    pub fn load(dir: &Path, params: &Params) -> Result<Adapter> {
        let path = dir.join("adapter_config.json");
        let invalid = |message: String| Error::new(Code::ModelInvalid, message).in_file(path.display());
        let text = std::fs::read_to_string(&path)
            .map_err(|e| Error::new(Code::FileUnreadable, e.to_string()).in_file(path.display()))?;
        let raw: Raw = serde_json::from_str(&text).map_err(|e| invalid(format!("not an adapter: {e}")))?;
        if raw.peft_type != "LORA" || raw.use_rslora || raw.use_dora {
            return Err(invalid("only plain LoRA adapters are supported".into()));
        }
        let mut adapter = Adapter::shape(params, raw.r, raw.lora_alpha, &raw.target_modules)
            .map_err(|e| invalid(e.message().to_owned()))?;
        let mut reader = Reader::open(&dir.join("adapter_model.safetensors"))?;
        for target in &adapter.targets {
            let (outer, inner) = (target.tensor.shape[0], target.tensor.shape[1]);
            let (a, b) = names(target);
            reader.read(&a, &[adapter.rank, inner], &mut adapter.numbers[target.a.clone()])?;
            reader.read(&b, &[outer, adapter.rank], &mut adapter.numbers[target.b.clone()])?;
        }
        Ok(adapter)
    }
}

/// A target's two tensors, as PEFT names them.
fn names(target: &Target) -> (String, String) {
    let module = target.tensor.name.trim_end_matches(".weight");
    (format!("base_model.model.{module}.lora_A.weight"), format!("base_model.model.{module}.lora_B.weight"))
}
