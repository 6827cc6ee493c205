//! `gtm carg export`: the samples of a dataset for other trainers.

use crate::output::{Out, Result, Status, note};
use gtm_carg::export::{Trainer, export};
use serde_json::json;
use std::path::PathBuf;

/// Write the samples of a dataset as other trainers read them
///
/// `trl`: JSON Lines with `prompt` and `completion`. `llama-factory`: the same with `instruction` and `output`, and a
/// `dataset_info.json`. `openai`: chats of a user's question and an assistant's answer, as `messages`. One file a split.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Folder of the dataset
    dataset: PathBuf,
    /// Who is to read it
    #[arg(long, value_enum)]
    format: Format,
    /// Folder to write to
    #[arg(long, short)]
    out: PathBuf,
    /// Print the counts as JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Format {
    Trl,
    LlamaFactory,
    Openai,
}

pub(crate) fn run(args: &Args) -> Result<Status> {
    let trainer = match args.format {
        Format::Trl => Trainer::Trl,
        Format::LlamaFactory => Trainer::LlamaFactory,
        Format::Openai => Trainer::OpenAi,
    };
    let counts = export(&args.dataset, trainer, &args.out)?;
    let mut out = Out::new();
    if args.json {
        out.json(&json!({"out": args.out, "samples": counts}))?;
    } else {
        for (split, count) in &counts {
            out.line(format!(
                "{split}: {count} samples in {}",
                args.out.join(format!("{split}.jsonl")).display()
            ))?;
        }
        if matches!(args.format, Format::LlamaFactory) {
            note("next: add the folder as `dataset_dir`, and `dataset: gtm_train`");
        }
    }
    out.flush()?;
    Ok(Status::Done)
}
