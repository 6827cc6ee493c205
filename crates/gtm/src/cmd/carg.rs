//! `gtm carg`: from domain packs to training data.

mod export;
mod lint;
mod make;
mod report;
mod stats;
mod tools;
mod verify;

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
    Tools(tools::Args),
    Stats(stats::Args),
    Run(make::Args),
    Verify(verify::Args),
    Export(export::Args),
    Report(report::Args),
}

impl Args {
    /// Whether a program reads the output.
    pub(crate) fn wants_json(&self) -> bool {
        match &self.command {
            Command::Lint(args) => args.json,
            Command::Tools(args) => args.json,
            Command::Stats(args) => args.json,
            Command::Run(args) => args.json,
            Command::Verify(args) => args.json,
            Command::Export(args) => args.json,
            Command::Report(args) => args.json,
        }
    }
}

pub(crate) fn run(args: &Args) -> Result<Status> {
    match &args.command {
        Command::Lint(args) => lint::run(args),
        Command::Tools(args) => tools::run(args),
        Command::Stats(args) => stats::run(args),
        Command::Run(args) => make::run(args),
        Command::Verify(args) => verify::run(args),
        Command::Export(args) => export::run(args),
        Command::Report(args) => report::run(args),
    }
}
