//! `gtm train tokenizer`: a vocabulary for texts of a kind.

use crate::output::{Out, Result, Status};
use gtm_error::{Code, Error};
use gtm_model::Tokenizer;
use serde_json::json;
use std::path::PathBuf;

/// Learns a byte-level BPE vocabulary from datasets and writes `tokenizer.json`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Datasets: JSON Lines with `prompt` and `completion`, plain or `.zst`
    #[arg(required = true)]
    data: Vec<PathBuf>,
    /// Number of tokens
    #[arg(long, default_value_t = 4_096)]
    vocab_size: usize,
    /// Bytes of text taken from each file, from its start
    #[arg(long, default_value_t = 64_000_000)]
    bytes: usize,
    /// Folder for `tokenizer.json`
    #[arg(long)]
    out: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

pub(super) fn run(args: &Args) -> Result<Status> {
    let mut texts = Vec::new();
    let mut total = 0;
    for path in &args.data {
        let mut taken = 0;
        for line in gtm_train::lines(path)? {
            let line = line?;
            taken += line.prompt.len() + line.completion.len();
            texts.extend([line.prompt, line.completion]);
            if taken >= args.bytes {
                break;
            }
        }
        total += taken;
    }
    // What the vocabulary does to text is measured on every hundredth, which is as good as any other.
    let measured: Vec<String> = texts.iter().step_by(100).cloned().collect();
    let tokenizer = Tokenizer::train(texts.into_iter(), args.vocab_size)?;
    std::fs::create_dir_all(&args.out)
        .map_err(|e| Error::new(Code::StorageFailed, e.to_string()).in_file(args.out.display()))?;
    tokenizer.save(&args.out)?;
    let mut tokens = 0;
    for text in &measured {
        tokens += tokenizer.encode(text)?.len();
    }
    let bytes: usize = measured.iter().map(String::len).sum();
    let density = bytes as f64 / tokens.max(1) as f64;
    let path = args.out.join("tokenizer.json");
    let mut out = Out::new();
    match args.json {
        true => out.json(&json!({
            "tokenizer": path, "tokens": tokenizer.len(), "bytes_read": total, "bytes_per_token": density
        }))?,
        false => out.line(format!(
            "{}: {} tokens from {total} bytes of text, {density:.2} bytes per token",
            path.display(),
            tokenizer.len()
        ))?,
    }
    Ok(Status::Done)
}
