//! What answers MCP requests, whatever carries them.

use crate::face::Face;
use gtm_error::Error;
use gtm_sim::{Call, Reply, Rung, Session};
use rmcp::model::{
    CacheScope, CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, DiscoverResult,
    ErrorCode, ErrorData, Implementation, InitializeRequestParams, InitializeResult, ListToolsResult,
    MetaObject, PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::RequestContext;
use rmcp::{RoleServer, ServerHandler};
use serde_json::{Value, json};
use std::future::Future;
use std::sync::Arc;

/// Where the tools and the session of a request come from.
pub(crate) trait Backend: Clone + Send + Sync + 'static {
    /// The toolset that the request is addressed to.
    fn face(&self, context: &RequestContext<RoleServer>) -> Result<Arc<Face>, ErrorData>;

    /// Makes the call in the request's session, waits included.
    fn call(
        &self,
        context: &RequestContext<RoleServer>,
        call: Call,
    ) -> impl Future<Output = gtm_error::Result<Reply>> + Send;

    /// The request's session as it is now, if there is one yet.
    fn session(&self, _context: &RequestContext<RoleServer>) -> Option<Session> {
        None
    }

    /// The client opens a connection in the way of the older protocol revisions.
    fn initialized(&self, _context: &RequestContext<RoleServer>) {}
}

/// The MCP server over a backend.
#[derive(Clone)]
pub(crate) struct Handler<B>(pub(crate) B);

impl<B: Backend> ServerHandler for Handler<B> {
    fn get_info(&self) -> ServerConfig {
        info()
    }

    async fn initialize(
        &self,
        request: InitializeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<InitializeResult, ErrorData> {
        let face = self.0.face(&context)?;
        let mut result = self.negotiate_initialize(&request)?;
        result.instructions = described(&face);
        self.0.initialized(&context);
        context.peer.set_peer_info(request);
        Ok(result)
    }

    async fn discover(&self, context: RequestContext<RoleServer>) -> Result<DiscoverResult, ErrorData> {
        let face = self.0.face(&context)?;
        let mut result = DiscoverResult::from_server_info(
            self.supported_protocol_versions().into_owned(),
            self.get_info(),
        );
        result.instructions = described(&face);
        Ok(result)
    }

    async fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let face = self.0.face(&context)?;
        let cursor = request.and_then(|request| request.cursor);
        let (page, next) = face.mcp().page(cursor.as_deref()).ok_or_else(|| {
            ErrorData::invalid_params("the cursor is not one that this server gave out", None)
        })?;
        let session = self.0.session(&context);
        let offered = |tool: &&Tool| match (&session, face.mcp().find(&tool.name)) {
            (Some(session), Some((_, name))) => session.offers(name),
            _ => true,
        };
        let mut result = ListToolsResult::with_all_items(page.iter().filter(offered).cloned().collect());
        result.next_cursor = next;
        // A toolset does not change while the server runs, but a client that outlives the server
        // should not hold on to the old list for long.
        Ok(result.with_ttl_ms(60_000).with_cache_scope(CacheScope::Private))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let face = self.0.face(&context)?;
        let Some((index, name)) = face.mcp().find(&request.name) else {
            let name = gtm_error::printable(&request.name).into_owned();
            return Err(ErrorData::invalid_params(format!("Unknown tool: {name}"), None));
        };
        let arguments = request.arguments.map_or(json!({}), Value::Object);
        let reply = self.0.call(&context, Call::new(name, arguments)).await.map_err(|e| error_data(&e))?;
        Ok(result(&face, index, reply).into())
    }
}

fn info() -> ServerConfig {
    ServerConfig::new(ServerCapabilities::builder().enable_tools().build()).with_server_info(
        Implementation::new("gtm", env!("CARGO_PKG_VERSION")).with_title("GTM tool simulator"),
    )
}

/// What the toolset is for. (Its `instructions` tell GTM how tools behave, and are no client's business.)
fn described(face: &Face) -> Option<String> {
    let text = crate::text::clean(&face.simulator.toolset().description);
    (!text.is_empty()).then_some(text)
}

/// A reply as MCP has it. Objects are sent both as structure and as text; what is no object only
/// as text, since older clients take objects only and the text says the same.
fn result(face: &Face, index: usize, reply: Reply) -> CallToolResult {
    let meta = meta(&reply);
    let real = matches!(reply.provenance.rung, Rung::Replay | Rung::Live | Rung::Observed);
    let Reply { content, is_error, .. } = reply;
    if let Some(blocks) = real.then(|| blocks(&content)).flatten() {
        let result = if is_error { CallToolResult::error(blocks) } else { CallToolResult::success(blocks) };
        return result.with_meta(Some(meta));
    }
    let text = crate::reply::text(&content);
    if is_error {
        return CallToolResult::error(vec![ContentBlock::text(text)]).with_meta(Some(meta));
    }
    if let Err(reason) = face.mcp().allows(index, &content, &face.simulator.toolset().limits.tool) {
        // Clients drop a result that breaks its declared schema, and the agent would see nothing.
        let text = format!("The tool's reply does not match its declared output schema: {reason}\n{text}");
        return CallToolResult::error(vec![ContentBlock::text(text)]).with_meta(Some(meta));
    }
    let mut result = CallToolResult::success(vec![ContentBlock::text(text)]).with_meta(Some(meta));
    result.structured_content = content.is_object().then_some(content);
    result
}

/// The blocks of what a real MCP server answered that is neither one text nor structure.
fn blocks(content: &Value) -> Option<Vec<ContentBlock>> {
    let blocks = content.as_object().filter(|object| object.len() == 1)?.get("content")?.as_array()?;
    let kinds = ["text", "image", "audio", "resource", "resource_link"];
    let is_block =
        |block: &Value| block.get("type").and_then(Value::as_str).is_some_and(|kind| kinds.contains(&kind));
    blocks.iter().all(is_block).then(|| serde_json::from_value(blocks.clone().into()).ok()).flatten()
}

fn meta(reply: &Reply) -> MetaObject {
    let mut meta = MetaObject::default();
    meta.0.insert("gtm/provenance".into(), json!(reply.provenance));
    meta.0.insert("gtm/state_version".into(), reply.state_version.into());
    meta
}

/// GTM's own error as JSON-RPC has it: the same problem document as over HTTP, as data.
pub(crate) fn error_data(error: &Error) -> ErrorData {
    let code = if error.code().http_status() >= 500 {
        ErrorCode::INTERNAL_ERROR
    } else {
        ErrorCode::INVALID_REQUEST
    };
    ErrorData::new(
        code,
        format!("[{}] {}", error.code().id(), gtm_error::printable(error.message())),
        Some(error.problem()),
    )
}
