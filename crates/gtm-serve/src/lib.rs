//! The simulator over the wire: its own session API, MCP, and REST at an imported API's paths.
//!
//! Each face is a dialect of the same few operations of [`gtm_sim::Store`]; none keeps state of
//! its own. A request passes one layer (host and origin, key, limits, counting), is read once
//! from bytes, makes its call under the session's lock for some microseconds, and is written once.
//! No lock is held across an `await`.
//!
//! What is *not* here: TLS (put a proxy in front), more than one key, HTTP/2.

mod api;
mod app;
mod config;
mod face;
mod gate;
mod guard;
mod io;
mod mcp;
mod metrics;
mod openapi;
mod payload;
mod problem;
mod reply;
mod rest;
mod routes;
mod server;
mod text;

pub use app::App;
pub use config::ServerConfig;
pub use guard::is_loopback_host;
pub use mcp::{mcp_stdio, mcp_stdio_session, mcp_stream};
pub use openapi::document as openapi;
pub use rest::{ApiRequest, Operations, reply_content};
pub use server::{serve, stop_signal};

/// All routes of a server. Usable in tests without a socket.
pub fn app(state: &App) -> axum::Router {
    state.router()
}
