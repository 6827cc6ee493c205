//! The samples of a dataset, as other trainers read them.

use crate::dataset::{Split, read_samples};
use crate::samples::Sample;
use gtm_error::{Code, Error, Result};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

/// Who is to read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trainer {
    /// TRL: `prompt`, `completion`.
    Trl,
    /// LLaMA-Factory: `instruction`, `input`, `output`, and a file that says so.
    LlamaFactory,
    /// OpenAI and all who take its format: `messages`.
    OpenAi,
}

impl Trainer {
    fn line(self, sample: &Sample) -> Json {
        match self {
            Trainer::Trl => json!({"prompt": sample.prompt, "completion": sample.completion}),
            Trainer::LlamaFactory => {
                json!({"instruction": sample.prompt, "input": "", "output": sample.completion})
            }
            Trainer::OpenAi => json!({"messages": [
                {"role": "user", "content": sample.prompt},
                {"role": "assistant", "content": sample.completion},
            ]}),
        }
    }
}

/// Writes `train.jsonl` and the other splits to a folder, as many as there are, and gives the number of samples of each.
///
/// # Errors
/// What [`read_samples`] fails with, and [`Code::StorageFailed`].
pub fn export(dataset: &Path, trainer: Trainer, out: &Path) -> Result<BTreeMap<&'static str, u64>> {
    let cannot = |e: std::io::Error| {
        Error::new(Code::StorageFailed, format!("cannot write the export: {e}")).in_file(out.display())
    };
    std::fs::create_dir_all(out).map_err(cannot)?;
    let mut files: BTreeMap<&'static str, BufWriter<File>> = BTreeMap::new();
    let mut counts: BTreeMap<&'static str, u64> = BTreeMap::new();
    read_samples(dataset, |sample| {
        let split = sample.split.name();
        if !files.contains_key(split) {
            let file = File::create(out.join(format!("{split}.jsonl"))).map_err(cannot)?;
            files.insert(split, BufWriter::with_capacity(1 << 18, file));
        }
        let Some(file) = files.get_mut(split) else { return Ok(()) };
        writeln!(file, "{}", trainer.line(&sample)).map_err(cannot)?;
        *counts.entry(split).or_default() += 1;
        Ok(())
    })?;
    for file in files.values_mut() {
        file.flush().map_err(cannot)?;
    }
    if trainer == Trainer::LlamaFactory {
        let present = Split::ALL.map(Split::name).into_iter().filter(|split| counts.contains_key(split));
        let columns = json!({"prompt": "instruction", "query": "input", "response": "output"});
        let entry = |split: &str| {
            (
                format!("gtm_{split}"),
                json!({"file_name": format!("{split}.jsonl"), "formatting": "alpaca", "columns": columns}),
            )
        };
        let info: serde_json::Map<String, Json> = present.map(entry).collect();
        let text = serde_json::to_string_pretty(&info).unwrap_or_default();
        std::fs::write(out.join("dataset_info.json"), text + "\n").map_err(cannot)?;
    }
    Ok(counts)
}
