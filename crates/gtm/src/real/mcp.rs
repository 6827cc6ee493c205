//! Asking a live MCP server.

use super::{MAX_ANSWER, RealReply, outcome};
use crate::source::{plain_client, with_causes};
use gtm_error::{Code, Error, Result};
use gtm_sim::Call;
use rmcp::RoleClient;
use rmcp::model::{CallToolRequestParams, CallToolResponse};
use rmcp::service::{RunningService, ServiceError, ServiceExt};
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::transport::{StreamableHttpClientTransport, TokioChildProcess};
use serde_json::{Value, json};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

type Connection = Arc<RunningService<RoleClient, ()>>;

/// A live MCP server. It is connected to on the first call, and anew after a connection broke.
pub(super) struct Server {
    place: String,
    way: Way,
    timeout: Duration,
    connection: Mutex<Option<Connection>>,
}

enum Way {
    Address { headers: Vec<(String, String)> },
    Command(Vec<String>),
}

impl Server {
    /// A server at an address.
    pub(super) fn at(address: &str, headers: Vec<(String, String)>, timeout: Duration) -> Server {
        Server {
            place: address.to_owned(),
            way: Way::Address { headers },
            timeout,
            connection: Mutex::default(),
        }
    }

    /// A server that this command starts.
    pub(super) fn by(command: &[String], timeout: Duration) -> Server {
        let way = Way::Command(command.to_vec());
        Server { place: command.join(" "), way, timeout, connection: Mutex::default() }
    }

    /// Makes a call.
    pub(super) async fn ask(&self, call: &Call) -> Result<RealReply> {
        match tokio::time::timeout(self.timeout, self.call(call)).await {
            Ok(answer) => answer,
            Err(_) => {
                // Whatever it is busy with, the next call shall not wait for it.
                self.connection.lock().await.take();
                Err(self.failed(format!("no answer within {} s", self.timeout.as_secs())))
            }
        }
    }

    async fn call(&self, call: &Call) -> Result<RealReply> {
        let connection = self.connection().await?;
        let mut params = CallToolRequestParams::new(call.tool.clone());
        params.arguments = call.arguments.as_object().cloned();
        let mut message = match connection.call_tool_once(params).await {
            Ok(CallToolResponse::Complete(result)) => json!({"result": result}),
            Ok(_) => {
                return Err(self.failed("it wants more than the arguments, which is not supported".into()));
            }
            Err(ServiceError::McpError(error)) => json!({"error": error}),
            Err(error) => {
                self.connection.lock().await.take();
                return Err(self.failed(with_causes(&error)));
            }
        };
        let (content, is_error) = outcome(&mut message).unwrap_or((Value::Null, false));
        Ok(RealReply { content, is_error, status: None })
    }

    /// The connection, made now if there is none that works.
    async fn connection(&self) -> Result<Connection> {
        let mut known = self.connection.lock().await;
        if let Some(connection) = known.as_ref().filter(|connection| !connection.is_transport_closed()) {
            return Ok(connection.clone());
        }
        let made = match &self.way {
            Way::Address { headers } => self.connect(headers).await?,
            Way::Command(command) => self.start(command).await?,
        };
        let made = Arc::new(made);
        *known = Some(made.clone());
        Ok(made)
    }

    async fn connect(&self, headers: &[(String, String)]) -> Result<RunningService<RoleClient, ()>> {
        let mut config = StreamableHttpClientTransportConfig::with_uri(self.place.as_str());
        config.max_json_response_size = MAX_ANSWER;
        config.max_sse_event_size = MAX_ANSWER;
        for (name, value) in headers {
            let header = name.parse().ok().zip(value.parse().ok());
            let Some((name, value)) = header else {
                return Err(crate::output::usage(format!("the header `{name}` cannot be sent")));
            };
            config.custom_headers.insert(name, value);
        }
        let transport = StreamableHttpClientTransport::with_client(plain_client()?, config);
        ().serve(transport).await.map_err(|e| self.failed(with_causes(&e)))
    }

    async fn start(&self, command: &[String]) -> Result<RunningService<RoleClient, ()>> {
        let (program, arguments) = command.split_first().ok_or_else(|| self.failed("no command".into()))?;
        let mut child = tokio::process::Command::new(program);
        child.args(arguments).kill_on_drop(true);
        let started = TokioChildProcess::builder(child).stderr(Stdio::inherit()).spawn();
        let (transport, _) = started.map_err(|e| self.failed(format!("cannot start `{program}`: {e}")))?;
        ().serve(transport).await.map_err(|e| self.failed(with_causes(&e)))
    }

    fn failed(&self, what: String) -> Error {
        Error::new(Code::SourceUnreachable, format!("the real MCP server: {what}")).at(&self.place)
    }
}
