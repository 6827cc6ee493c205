//! The server from outside: one binary, since linking it is what takes the time.

mod api;
mod common;
mod guard;
mod hostile;
mod mcp;
mod openapi;
mod rest;
mod socket;
