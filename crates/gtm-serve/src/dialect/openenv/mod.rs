//! OpenEnv: a WebSocket for each session, JSON-RPC, and what describes the environment.
//!
//! Covered: the WebSocket's `reset`, `step` (`list_tools`, `call_tool`), `state`, `mcp`, `close`; attaching
//! to a session by `?session_id=`; the JSON-RPC session methods; `/metadata`, `/schema`, `/reset`, `/step`,
//! `/state`. The task listing that the protocol shares with ORS is in [`super::ors`].

mod http;
mod rpc;
mod session;
mod ws;

pub(crate) use http::{CONTRACT, document, metadata, paths, reset, schema, state, step};
pub(crate) use rpc::{answer as rpc, is_request};
pub(crate) use ws::connect;
