//! The command line as data.

use crate::cmd::{
    bench, call, carg, completions, env, eval, explain, learn, mcp, read, record, schema, serve, tools,
    train, try_out,
};
use clap::builder::styling::{AnsiColor, Styles};
use clap::{Parser, Subcommand};

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

const EXIT_CODES: &str = "\
Exit codes: 0 done (a simulated failure is an answer, too); 1 some file could not be read (`gtm tools`);
2 wrong usage, or an input that is not valid; 3 the environment failed (file, network, address, disk).
`gtm explain CODE` tells more about any error.";

/// Simulates the tools that an agent calls, given nothing but their specs.
///
/// A TOOLSET is any spec file (OpenAPI, Swagger, MCP tools/list, OpenAI tools, BFCL, ToolBench), a
/// folder of them, a toolset file of your own, an http(s) address of a spec, or a live MCP server.
#[derive(Debug, Parser)]
#[command(name = "gtm", version, styles = STYLES, after_help = EXIT_CODES, propagate_version = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// One command is one file in `cmd/`.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Tools(tools::Args),
    Try(try_out::Args),
    Call(call::Args),
    Read(read::Args),
    Learn(learn::Args),
    Serve(serve::Args),
    Record(record::Args),
    Mcp(mcp::Args),
    Carg(carg::Args),
    Env(env::Args),
    Train(train::Args),
    Explain(explain::Args),
    Eval(eval::Args),
    Bench(bench::Args),
    Schema(schema::Args),
    Completions(completions::Args),
}

impl Command {
    /// Whether a program reads the output, so that errors are to be JSON as well.
    pub(crate) fn wants_json(&self) -> bool {
        match self {
            Command::Tools(args) => args.json,
            Command::Try(args) => args.json,
            Command::Call(args) => args.json,
            Command::Read(args) => args.json,
            Command::Learn(args) => args.json,
            Command::Carg(args) => args.wants_json(),
            Command::Env(args) => args.wants_json(),
            Command::Train(args) => args.json(),
            Command::Explain(args) => args.json,
            Command::Record(args) => args.json,
            Command::Eval(args) => args.wants_json(),
            Command::Bench(args) => args.json,
            Command::Serve(_) | Command::Mcp(_) | Command::Schema(_) | Command::Completions(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Cli;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_and_flag_says_what_it_does() {
        for command in Cli::command().get_subcommands() {
            assert!(command.get_about().is_some(), "{}", command.get_name());
            for arg in command.get_arguments() {
                assert!(arg.get_help().is_some(), "{} {}", command.get_name(), arg.get_id());
            }
        }
    }
}
