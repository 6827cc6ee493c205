//! `gtm env`: environments, whose tasks agents attempt.

mod check;

use crate::output::{Result, Status};

/// Environments: toolsets with tasks that agents attempt
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Check(check::Args),
}

impl Args {
    /// Whether a program reads the output.
    pub(crate) fn wants_json(&self) -> bool {
        match &self.command {
            Command::Check(args) => args.json,
        }
    }
}

pub(crate) fn run(args: &Args) -> Result<Status> {
    match &args.command {
        Command::Check(args) => check::run(args),
    }
}
