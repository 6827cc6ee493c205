//! The server from outside: one binary, since linking it is what takes the time.

mod api;
mod clients;
mod common;
mod environments;
mod guard;
mod hostile;
mod mcp;
mod openapi;
mod openenv;
mod rest;
mod socket;
