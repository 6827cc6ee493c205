//! `gtm completions`: completions for a shell.

use crate::cli::Cli;
use crate::output::{Out, Result, Status};
use clap::CommandFactory;
use clap_complete::Shell;

/// Print completions for a shell
///
/// For bash: `gtm completions bash > ~/.local/share/bash-completion/completions/gtm`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Shell
    #[arg(value_enum)]
    shell: Shell,
}

pub(crate) fn run(args: &Args) -> Result<Status> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "gtm", &mut script);
    let mut out = Out::new();
    out.line(String::from_utf8_lossy(&script).trim_end())?;
    out.flush()?;
    Ok(Status::Done)
}
