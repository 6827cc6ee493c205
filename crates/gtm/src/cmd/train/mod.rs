//! `gtm train`: trains the language model, or its tokenizer.

mod run;
mod tokenizer;

use crate::output::{Result, Status};

/// Trains the language model on prompts and completions (docs/training.md).
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    run: Option<run::Args>,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    Tokenizer(tokenizer::Args),
}

impl Args {
    pub(crate) fn json(&self) -> bool {
        match (&self.what, &self.run) {
            (Some(What::Tokenizer(args)), _) => args.json,
            (None, Some(args)) => args.json,
            (None, None) => false,
        }
    }
}

/// Runs what was asked for.
pub(crate) fn run(args: Args) -> Result<Status> {
    match (args.what, args.run) {
        (Some(What::Tokenizer(args)), _) => tokenizer::run(&args),
        (None, Some(args)) => run::run(args),
        (None, None) => Err(crate::output::usage("give `--config FILE`, or `tokenizer`").into()),
    }
}
