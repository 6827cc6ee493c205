//! MCP over standard input and output: one client, one session.

use super::handler::{Backend, Handler};
use crate::face::Face;
use gtm_error::{Code, Error, Result};
use gtm_sim::{Call, LiveTools, RealReply, Reply, Session, SessionOptions, Simulator};
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

/// Serves one MCP client on standard input and output, going on with a session. `keep` gets the
/// session as it is after each call, before the call is answered; if it fails, the call has not
/// happened and is answered with the error.
pub async fn mcp_stdio_session(
    simulator: Arc<Simulator>,
    session: Session,
    keep: impl Fn(&Session) -> Result<()> + Send + Sync + 'static,
) -> Result<()> {
    let (input, output) = rmcp::transport::stdio();
    serve(simulator, session, Some(Box::new(keep)), input, output).await
}

/// Serves one MCP client on a pair of byte streams, one JSON message a line, until the input ends.
pub async fn mcp_stream(
    simulator: Arc<Simulator>,
    options: SessionOptions,
    input: impl AsyncRead + Send + Unpin + 'static,
    output: impl AsyncWrite + Send + Unpin + 'static,
) -> Result<()> {
    let session = simulator.open(options)?;
    serve(simulator, session, None, input, output).await
}

/// What is done with the session after each call.
type Keep = Box<dyn Fn(&Session) -> Result<()> + Send + Sync>;

async fn serve(
    simulator: Arc<Simulator>,
    session: Session,
    keep: Option<Keep>,
    input: impl AsyncRead + Send + Unpin + 'static,
    output: impl AsyncWrite + Send + Unpin + 'static,
) -> Result<()> {
    let name = simulator.toolset().name.clone();
    let face = Arc::new(Face::new(name, simulator));
    let backend = Stdio(Arc::new(Single { face, session: Mutex::new(session), keep }));
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
    keep: Option<Keep>,
}

impl Single {
    /// The real tools, if the call is for one of them.
    fn goes_live(&self, call: &Call) -> Option<Arc<dyn LiveTools>> {
        let session = self.session.lock().unwrap_or_else(PoisonError::into_inner).fork();
        self.face.simulator.goes_live(&session, call).cloned()
    }

    /// Makes a call, or takes in what the real tool answered to it.
    fn call(&self, call: &Call, real: Option<RealReply>) -> Result<Reply> {
        let work = move || {
            let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
            let mut next = session.fork();
            let reply = match real {
                Some(real) => self.face.simulator.settle(&mut next, call, real)?,
                None => self.face.simulator.call(&mut next, call),
            };
            self.keep.as_ref().map_or(Ok(()), |keep| keep(&next))?;
            *session = next;
            Ok(reply)
        };
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(work))
            .unwrap_or_else(|_| Err(Error::new(Code::Internal, "the call ran into a bug")))
    }
}

impl Backend for Stdio {
    fn face(&self, _: &RequestContext<RoleServer>) -> std::result::Result<Arc<Face>, ErrorData> {
        Ok(self.0.face.clone())
    }

    async fn call(&self, _: &RequestContext<RoleServer>, call: Call) -> Result<Reply> {
        let live = self.0.goes_live(&call);
        let real = match live {
            Some(live) => Some(live.ask(&call).await?),
            None => None,
        };
        let reply = self.0.call(&call, real)?;
        if reply.delay_ms > 0 {
            tokio::time::sleep(Duration::from_millis(reply.delay_ms).min(MAX_DELAY)).await;
        }
        Ok(reply)
    }
}
