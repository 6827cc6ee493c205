//! The MCP face: streamable HTTP and stdio, by `rmcp`.
//!
//! The session is in the URL (`/s/{session}/mcp`), since the current protocol revision has no
//! sessions of its own and older ones are served the same way. Every HTTP request stands alone:
//! there is no connection state that a restart or another replica could lack.

mod handler;
mod http;
mod stdio;
mod tools;

pub(crate) use http::{McpService, serve, serve_default, service};
pub use stdio::{mcp_stdio, mcp_stdio_session, mcp_stream};
pub(crate) use tools::Tools;
