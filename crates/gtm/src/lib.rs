//! `gtm`: simulates the tools that an agent calls, given their specs.
//!
//! Parse, run, and one place that turns what went wrong into text and an exit code. Nothing here
//! starts threads, an async runtime or TLS unless the command needs it: the first reply of
//! `gtm call` should come at once.

mod cli;
mod cmd;
mod mind;
mod output;
mod real;
mod session_file;
mod source;
mod suggest;
mod yaml;

use clap::Parser;
use std::ffi::OsString;

/// Calls build and drop many small shared values, which the system's allocator is slow at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Runs the command line with these arguments, the first of which is the program's name, and returns
/// its exit code. `--help`, `--version` and a wrong usage end the process.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let cli = cli::Cli::parse_from(arguments);
    let json = cli.command.wants_json();
    match cmd::run(cli.command) {
        Ok(status) => status.exit_code(),
        Err(failure) => output::report(&failure, json),
    }
}
