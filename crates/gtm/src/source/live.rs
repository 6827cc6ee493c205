//! The tools of a live MCP server, over HTTP or as a child process.

use super::{client, wait, with_causes};
use gtm_error::{Code, Error, Result};
use gtm_tool::Limits;
use rmcp::RoleClient;
use rmcp::model::PaginatedRequestParams;
use rmcp::service::{RunningService, ServiceExt};
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::transport::{StreamableHttpClientTransport, TokioChildProcess};
use serde_json::json;
use std::process::Stdio;

/// Pages of a list that are asked for; a server that never comes to an end is cut off here.
const MAX_PAGES: usize = 1_000;

/// The tools of the server at this address, as a `tools/list` document.
pub(super) fn over_http(address: &str, token: Option<&str>, limits: &Limits) -> Result<Vec<u8>> {
    let client = client()?;
    wait(address, async {
        let mut config = StreamableHttpClientTransportConfig::with_uri(address);
        config.max_json_response_size = limits.document_bytes;
        config.max_sse_event_size = limits.document_bytes;
        config.auth_header = token.map(str::to_owned);
        let transport = StreamableHttpClientTransport::with_client(client, config);
        let server = ().serve(transport).await.map_err(|e| unreachable(address, &e))?;
        list(server, address, limits).await
    })
}

/// The tools of the server that this command starts, as a `tools/list` document. The child's
/// standard error goes to ours: it is where servers say what is wrong with them.
pub(super) fn by_command(command: &[String], limits: &Limits) -> Result<Vec<u8>> {
    let place = command.join(" ");
    let Some((program, arguments)) = command.split_first() else {
        return Err(crate::output::usage("the command is empty"));
    };
    wait(&place, async {
        let mut child = tokio::process::Command::new(program);
        child.args(arguments).kill_on_drop(true);
        let (transport, _) =
            TokioChildProcess::builder(child).stderr(Stdio::inherit()).spawn().map_err(|e| {
                Error::new(Code::SourceUnreachable, format!("cannot start `{program}`: {e}")).at(&place)
            })?;
        let server = ().serve(transport).await.map_err(|e| unreachable(&place, &e))?;
        list(server, &place, limits).await
    })
}

fn unreachable(place: &str, error: &dyn std::error::Error) -> Error {
    Error::new(Code::SourceUnreachable, format!("no MCP server answers: {}", with_causes(error))).at(place)
}

async fn list(server: RunningService<RoleClient, ()>, place: &str, limits: &Limits) -> Result<Vec<u8>> {
    let mut tools = Vec::new();
    let mut cursor = None;
    for _ in 0..MAX_PAGES {
        let params = PaginatedRequestParams::default().with_cursor(cursor);
        let page = server.list_tools(Some(params)).await.map_err(|e| unreachable(place, &e))?;
        tools.extend(page.tools);
        if tools.len() > limits.tools {
            return Err(Error::new(Code::SpecTooLarge, "the server has too many tools")
                .at(place)
                .expected(format!("at most {}", limits.tools)));
        }
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    // Ends the child, or the server's session. That it does not end well is no concern of ours.
    let _ = server.cancel().await;
    Ok(json!({ "tools": tools }).to_string().into_bytes())
}
