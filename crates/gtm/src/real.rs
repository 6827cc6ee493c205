//! Real tools that a toolset names under `live:`, for the commands that were told to use them.
//!
//! One connection a source, made on the first call and shared by all sessions: a real server whose
//! own state belongs to a connection sees one client.

mod api;
mod mcp;
mod outcome;

pub(crate) use outcome::outcome;

use crate::mind::ModelFlag;
use crate::output::{self, note};
use gtm_error::{Code, Error, Result, printable};
use gtm_sim::{Call, LiveSource, LiveTools, RealFuture, RealReply, Simulator, Toolset};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// How long a real tool may take, unless the toolset says otherwise.
const TIMEOUT_S: u64 = 60;
/// Longest answer of a real tool, in bytes.
const MAX_ANSWER: usize = 64 << 20;

/// The flag of the commands that can ask real tools.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct LiveFlag {
    /// Ask the real tools that the toolset names under `live:`; without this, all are simulated
    #[arg(long)]
    live: bool,
    #[command(flatten)]
    model: ModelFlag,
}

impl LiveFlag {
    /// The simulator of a toolset, connected if that was asked for.
    ///
    /// # Errors
    /// As [`ModelFlag::simulator`], and [`Code::Usage`] if no toolset source is live or a header cannot be made.
    pub(crate) fn simulator(&self, toolset: Toolset) -> Result<Simulator> {
        if !self.live {
            if !toolset.live.is_empty() {
                note(&format!(
                    "the toolset `{}` names real tools; they are simulated without --live",
                    printable(&toolset.name)
                ));
            }
            return self.model.simulator(toolset);
        }
        if toolset.live.is_empty() {
            return Err(output::usage(format!(
                "the toolset `{}` names no real tools",
                printable(&toolset.name)
            ))
            .expected("a toolset file with `live:` (docs/record.md)"));
        }
        let real = Real::new(&toolset)?;
        Ok(self.model.simulator(toolset)?.with_live(Arc::new(real)))
    }
}

/// The real tools of one toolset.
struct Real {
    ways: Vec<Way>,
    /// The way to each tool that is really asked.
    by_tool: HashMap<String, usize>,
}

/// How a source is reached.
enum Way {
    Mcp(mcp::Server),
    Api(api::Api),
}

impl Real {
    fn new(toolset: &Toolset) -> Result<Real> {
        let mut ways = Vec::new();
        let mut by_tool = HashMap::new();
        for (at, source) in toolset.live.iter().enumerate() {
            let headers = headers(source).map_err(|e| e.at(format!("/live/{at}/headers")))?;
            let timeout = Duration::from_secs(source.timeout_s.unwrap_or(TIMEOUT_S).max(1));
            ways.push(match (&source.mcp, &source.http) {
                (Some(address), _) => Way::Mcp(mcp::Server::at(address, headers, timeout)),
                (None, Some(address)) => Way::Api(api::Api::new(address, headers, &toolset.tools, timeout)?),
                (None, None) => Way::Mcp(mcp::Server::by(&source.command, timeout)),
            });
            for tool in toolset.tools.iter().filter(|tool| source.covers(&tool.name)) {
                if source.http.is_none() || tool.http.is_some() {
                    // The first source that has a tool is asked for it.
                    by_tool.entry(tool.name.clone()).or_insert(at);
                }
            }
        }
        Ok(Real { ways, by_tool })
    }
}

impl LiveTools for Real {
    fn covers(&self, tool: &str) -> bool {
        self.by_tool.contains_key(tool)
    }

    fn ask<'a>(&'a self, call: &'a Call) -> RealFuture<'a> {
        Box::pin(async move {
            let way = self.by_tool.get(&call.tool).and_then(|at| self.ways.get(*at));
            match way {
                Some(Way::Mcp(server)) => server.ask(call).await,
                Some(Way::Api(api)) => api.ask(call).await,
                None => Err(Error::new(Code::Internal, "the tool is not a real one")),
            }
        })
    }
}

/// The headers to send, with what they take from the environment.
fn headers(source: &LiveSource) -> Result<Vec<(String, String)>> {
    let filled = source.headers.iter().map(|(name, value)| Ok((name.clone(), filled(value)?)));
    filled.collect()
}

/// Text with each `${NAME}` replaced by the variable of that name.
fn filled(text: &str) -> Result<String> {
    let (mut out, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once("${") {
        let Some((name, after)) = after.split_once('}') else { break };
        out.push_str(before);
        let value = std::env::var(name).map_err(|_| {
            output::usage(format!("the environment has no variable `{}`", printable(name)))
                .hint("set it, or write the value into the toolset")
        })?;
        out.push_str(&value);
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

/// A call on its way through a simulator: to the real tool if it is for one, else simulated.
///
/// # Errors
/// Those of [`Simulator::try_call`], and [`Code::SourceUnreachable`] if the real tool does not answer;
/// nothing has happened in the session then.
pub(crate) fn call(
    simulator: &Simulator,
    session: &mut gtm_sim::Session,
    call: &Call,
) -> Result<gtm_sim::Reply> {
    let Some(live) = simulator.goes_live(session, call).cloned() else {
        return simulator.try_call(session, call);
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| Error::new(Code::Internal, format!("cannot start the async runtime: {e}")))?;
    let answered = runtime.block_on(live.ask(call));
    // A server that was started for this call ends with its connection; do not wait for more.
    runtime.shutdown_timeout(Duration::from_millis(500));
    simulator.settle(session, call, answered?)
}

#[cfg(test)]
mod tests {
    use super::filled;

    #[test]
    fn headers_are_filled_from_the_environment() {
        assert_eq!(filled("plain ${").ok().as_deref(), Some("plain ${"));
        assert_eq!(filled("a ${PATH} b").ok(), std::env::var("PATH").ok().map(|path| format!("a {path} b")));
        assert!(filled("${GTM_NO_SUCH_VARIABLE}").is_err());
    }
}
