//! `gtm carg`: from domain packs to training data.

mod lint;

use crate::output::{Result, Status};

/// Make training data: domain packs to tools, executed sessions and datasets
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Lint(lint::Args),
}

impl Args {
    /// Whether a program reads the output.
    pub(crate) fn wants_json(&self) -> bool {
        match &self.command {
            Command::Lint(args) => args.json,
        }
    }
}

pub(crate) fn run(args: &Args) -> Result<Status> {
    match &args.command {
        Command::Lint(args) => lint::run(args),
    }
}
