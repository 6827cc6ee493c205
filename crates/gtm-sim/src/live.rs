//! The `live` rung: some tools of a toolset are answered by the real ones, the rest is simulated.
//!
//! Only the seam is here. Who implements it does the talking, outside of all locks; the simulator
//! says which calls go out ([`Simulator::goes_live`]) and takes the outcome in
//! ([`Simulator::settle`]), so that what is simulated afterwards agrees with it.

use crate::reply::{Call, Reply, Rung};
use crate::session::Session;
use crate::simulator::Simulator;
use gtm_error::{Code, Error, Result, printable};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// The wait for a real tool's answer.
pub type RealFuture<'a> = Pin<Box<dyn Future<Output = Result<RealReply>> + Send + 'a>>;

/// Real tools that can be asked.
pub trait LiveTools: Send + Sync {
    /// Whether this tool is answered by the real one.
    fn covers(&self, tool: &str) -> bool;

    /// Asks the real tool. A failure of the tool is a reply; an error means that it did not answer.
    fn ask<'a>(&'a self, call: &'a Call) -> RealFuture<'a>;
}

/// What a real tool answered.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RealReply {
    /// The reply.
    pub content: Json,
    /// Whether the tool failed.
    pub is_error: bool,
    /// Status of the answer, for tools over HTTP.
    pub status: Option<u16>,
}

/// Where tools of a toolset are really to be found, as its file says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LiveSource {
    /// Names of the tools that are answered by the real ones; `*` stands for any text. Default: all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<String>,
    /// Address of a live MCP server (streamable HTTP).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mcp: Option<String>,
    /// Command, with its arguments, that starts a live MCP server.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// Base address of the real API, for tools that are HTTP operations.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http: Option<String>,
    /// Headers to send. `${NAME}` in a value is taken from the environment.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// Seconds to wait for an answer. Default 60.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_s: Option<u64>,
}

impl LiveSource {
    /// Whether this tool is to be asked for here.
    pub fn covers(&self, tool: &str) -> bool {
        self.tools.is_empty() || self.tools.iter().any(|pattern| matches(pattern, tool))
    }

    /// # Errors
    /// [`Code::ToolsetInvalid`] unless exactly one way to the tools is given and the tools are there.
    pub(crate) fn check(&self, known: &[&str]) -> Result<()> {
        let ways = usize::from(self.mcp.is_some())
            + usize::from(!self.command.is_empty())
            + usize::from(self.http.is_some());
        if ways != 1 {
            return Err(Error::new(Code::ToolsetInvalid, "a live source is reached in one way")
                .expected("one of `mcp`, `command` and `http`"));
        }
        match self.tools.iter().find(|pattern| !known.iter().any(|name| matches(pattern, name))) {
            Some(pattern) => {
                Err(Error::new(Code::ToolsetInvalid, format!("no tool is called `{}`", printable(pattern))))
            }
            None => Ok(()),
        }
    }
}

/// Whether a name fits a pattern in which `*` stands for any text.
fn matches(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

impl Simulator {
    /// The same simulator, with some of its tools answered by real ones.
    pub fn with_live(mut self, live: Arc<dyn LiveTools>) -> Simulator {
        self.live = Some(live);
        self
    }

    /// The real tools, if the next call is for one of them: unless a fault is to fail it, or it was
    /// answered before under its idempotency key. Changes nothing.
    pub fn goes_live(&self, session: &Session, call: &Call) -> Option<&Arc<dyn LiveTools>> {
        let live = self.live.as_ref().filter(|live| live.covers(&call.tool) && session.offers(&call.tool))?;
        let new = matches!(self.stored(session, call), Ok(None));
        (new && self.answer(session, call).done.rung != Rung::Fault).then_some(live)
    }

    /// Whether some calls of this tool go to the real one.
    pub fn is_live(&self, tool: &str) -> bool {
        self.live.as_ref().is_some_and(|live| live.covers(tool))
    }

    /// Takes in what the real tool answered to a call that [`Simulator::goes_live`] sent out.
    ///
    /// # Errors
    /// Those of [`Simulator::try_call`].
    pub fn settle(&self, session: &mut Session, call: &Call, real: RealReply) -> Result<Reply> {
        if let Some(reply) = self.stored(session, call)? {
            // The same call was under way twice.
            self.metrics.retried();
            return Ok(reply);
        }
        let turn = self.live_turn(session, call, real);
        Ok(self.commit(session, turn))
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns() {
        for (pattern, name) in [
            ("a", "a"),
            ("*", "a"),
            ("*", ""),
            ("get*", "getPet"),
            ("*Pet", "getPet"),
            ("g*P*t", "getPet"),
            ("a*a", "aa"),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in
            [("a", "b"), ("", "a"), ("get*", "Get"), ("*pet", "getPet"), ("g*x*t", "getPet"), ("a*a", "a")]
        {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }
}
