//! The simulator over the wire: its own session API, MCP, REST at an imported API's paths, and the protocols
//! of trainers and agents' stacks.
//!
//! Each face is a dialect of the same few operations of [`gtm_sim::Store`]; none keeps state of
//! its own, but for what attempts at tasks have been paid. A request passes one layer (host and origin, key, limits, counting), is read once
//! from bytes, makes its call under the session's lock for some microseconds, and is written once.
//! No session's lock is held across an `await`; an attempt's is, so that its calls are paid for in order.
//!
//! What is *not* here: TLS (put a proxy in front), more than one key, HTTP/2.

// The schemas of the session API are one literal, which a macro takes apart member by member.
#![recursion_limit = "256"]

mod api;
mod app;
mod attempt;
mod config;
mod dialect;
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
