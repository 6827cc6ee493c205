//! MCP over standard input and output: one client, one session.

use super::handler::{Backend, Handler};
use crate::face::Face;
use gtm_error::{Code, Error, Result};
use gtm_sim::{Call, Reply, Session, SessionOptions, Simulator};
use rmcp::model::ErrorData;
use rmcp::service::RequestContext;
use rmcp::{RoleServer, ServiceExt};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};

/// Longest wait that a fault may ask for.
const MAX_DELAY: Duration = Duration::from_secs(60);

/// Serves one MCP client on standard input and output until the input ends.
pub async fn mcp_stdio(simulator: Arc<Simulator>, options: SessionOptions) -> Result<()> {
    let (input, output) = rmcp::transport::stdio();
    mcp_stream(simulator, options, input, output).await
}

/// Serves one MCP client on a pair of byte streams, one JSON message a line, until the input ends.
pub async fn mcp_stream(
    simulator: Arc<Simulator>,
    options: SessionOptions,
    input: impl AsyncRead + Send + Unpin + 'static,
    output: impl AsyncWrite + Send + Unpin + 'static,
) -> Result<()> {
    let session = simulator.open(options)?;
    let name = simulator.toolset().name.clone();
    let backend =
        Stdio(Arc::new(Single { face: Arc::new(Face::new(name, simulator)), session: Mutex::new(session) }));
    let failed =
        |e: &dyn std::fmt::Display| Error::new(Code::SourceUnreachable, format!("the MCP client: {e}"));
    let running = match Handler(backend).serve((input, output)).await {
        Ok(running) => running,
        // A client that leaves before it says anything is no failure.
        Err(rmcp::service::ServerInitializeError::ConnectionClosed(_)) => return Ok(()),
        Err(e) => return Err(failed(&e).hint("the client must speak MCP on standard input")),
    };
    running.waiting().await.map_err(|e| failed(&e))?;
    Ok(())
}

#[derive(Clone)]
struct Stdio(Arc<Single>);

struct Single {
    face: Arc<Face>,
    session: Mutex<Session>,
}

impl Single {
    fn call(&self, call: &Call) -> Result<Reply> {
        let work = || {
            let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
            self.face.simulator.call(&mut session, call)
        };
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(work))
            .map_err(|_| Error::new(Code::Internal, "the call ran into a bug"))
    }
}

impl Backend for Stdio {
    fn face(&self, _: &RequestContext<RoleServer>) -> std::result::Result<Arc<Face>, ErrorData> {
        Ok(self.0.face.clone())
    }

    async fn call(&self, _: &RequestContext<RoleServer>, call: Call) -> Result<Reply> {
        let reply = self.0.call(&call)?;
        if reply.delay_ms > 0 {
            tokio::time::sleep(Duration::from_millis(reply.delay_ms).min(MAX_DELAY)).await;
        }
        Ok(reply)
    }
}
