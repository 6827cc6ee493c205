//! `gtm mcp`: an MCP server on standard input and output, for clients that start their servers.

use crate::output::{Result, Status};
use crate::real::LiveFlag;
use crate::session_file::SessionFile;
use crate::source::Live;
use gtm_error::{Code, Error};
use gtm_sim::SessionOptions;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Serve one MCP client on standard input and output
///
/// For clients that start their servers themselves. One process is one session; with --session, the
/// next process goes on with it, and so may `gtm call`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Toolset: spec file, folder, toolset file, or address
    toolset: Option<String>,
    #[command(flatten)]
    live: Live,
    #[command(flatten)]
    real: LiveFlag,
    /// File that carries the session from one process to the next; made if it does not exist
    #[arg(long, value_name = "FILE")]
    session: Option<PathBuf>,
    /// Seed of a new session
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

pub(crate) fn run(args: &Args) -> Result<Status> {
    let toolset = args.live.one(args.toolset.as_deref())?.load(&args.live)?;
    let simulator = Arc::new(args.real.simulator(toolset)?);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| Error::new(Code::Internal, format!("cannot start the async runtime: {e}")))?;
    let options = SessionOptions { seed: args.seed, ..SessionOptions::default() };
    let served = match &args.session {
        None => runtime.block_on(gtm_serve::mcp_stdio(simulator, options)),
        Some(path) => {
            let file = SessionFile::lock(path)?;
            let session = file.open(&simulator, options)?;
            runtime.block_on(gtm_serve::mcp_stdio_session(simulator, session, move |session| {
                file.write(session)
            }))
        }
    };
    // Reading standard input cannot be called off; the process ends anyway.
    runtime.shutdown_timeout(Duration::from_millis(100));
    served?;
    Ok(Status::Done)
}
