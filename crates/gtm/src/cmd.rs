//! The commands: one file each, with its arguments and what it does.

pub(crate) mod bench;
pub(crate) mod call;
pub(crate) mod carg;
pub(crate) mod completions;
pub(crate) mod env;
pub(crate) mod eval;
pub(crate) mod explain;
pub(crate) mod learn;
pub(crate) mod mcp;
pub(crate) mod read;
pub(crate) mod record;
pub(crate) mod schema;
pub(crate) mod serve;
pub(crate) mod stop;
pub(crate) mod tools;
pub(crate) mod train;
pub(crate) mod try_out;

use crate::cli::Command;
use crate::output::{Result, Status};

/// Runs one command.
pub(crate) fn run(command: Command) -> Result<Status> {
    match command {
        Command::Tools(args) => tools::run(&args),
        Command::Try(args) => try_out::run(&args),
        Command::Call(args) => call::run(&args),
        Command::Read(args) => read::run(&args),
        Command::Record(args) => record::run(&args),
        Command::Serve(args) => serve::run(args),
        Command::Mcp(args) => mcp::run(&args),
        Command::Learn(args) => learn::run(&args),
        Command::Carg(args) => carg::run(&args),
        Command::Train(args) => train::run(args),
        Command::Env(args) => env::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Eval(args) => eval::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Schema(args) => schema::run(&args),
        Command::Completions(args) => completions::run(&args),
    }
}
