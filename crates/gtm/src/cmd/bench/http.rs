//! Calls per second over HTTP, beside a bare server that returns the same bytes.

use super::{Plan, Report, Spread, load, prism, worlds};
use axum::Router;
use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use axum::routing::post;
use gtm_error::{Code, Error, Result};
use gtm_serve::ServerConfig;
use gtm_sim::{CreateSession, Store, StoreConfig};
use serde_json::json;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

/// Kept-alive connections of the client.
pub(crate) const CONNECTIONS: usize = 32;
/// Connections of a crowd that sends as fast as it gets answers.
const CROWD: usize = 128;
/// Connections that send batches.
const BATCHING: usize = 8;
/// Calls in one batch request.
pub(crate) const BATCH: usize = 100;

/// The session that a connection calls in: each agent has its own.
pub(crate) fn session(connection: usize) -> String {
    format!("bench-{connection}")
}

/// A server under load, on threads of its own, until the process ends.
pub(crate) struct Server {
    pub(crate) addr: SocketAddr,
    _runtime: Runtime,
}

pub(crate) fn measure(plan: Plan, prism: Option<&Path>, report: &mut Report) -> Result<()> {
    let gtm = gtm_server(ServerConfig::default(), StoreConfig::default())?;
    let client = runtime()?;
    let calls = single_calls();
    let answer = client.block_on(load::fetch(gtm.addr, &calls[0])).map_err(failed)?;
    let bare = bare_server(answer.into())?;
    let round = |addr, seconds, rate| {
        client.block_on(load::run(addr, &calls, CONNECTIONS, seconds, rate)).map_err(failed)
    };
    // Warm both before the first round.
    round(gtm.addr, 0.3, None)?;
    round(bare.addr, 0.3, None)?;
    let (mut ours, mut theirs, mut ratios, mut p99) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..plan.rounds {
        let one = round(gtm.addr, plan.seconds, None)?;
        let other = round(bare.addr, plan.seconds, None)?;
        load::whole(&one)?;
        load::whole(&other)?;
        ratios.push(one.rate / other.rate);
        p99.push(load::p99_ms(round(gtm.addr, plan.seconds, Some(one.rate / 2.0))?.latencies));
        ours.push(one.rate);
        theirs.push(other.rate);
    }
    report.add(
        "http_calls_per_s",
        "POST /v1/sessions/ID/call, one call a request, 32 connections",
        Spread::of(ours),
    );
    report.add(
        "http_bare_per_s",
        "a bare axum handler that returns the same bytes, same client",
        Spread::of(theirs),
    );
    report.add("http_ratio_to_bare", "the two, round by round", Spread::of(ratios));
    report.add(
        "http_p99_ms",
        "milliseconds that 99 % of calls stay under at half that load",
        Spread::of(p99),
    );
    let (mut crowd, mut crowd_p99) = (Vec::new(), Vec::new());
    for _ in 0..plan.rounds {
        let load = client.block_on(load::run(gtm.addr, &calls, CROWD, plan.seconds, None)).map_err(failed)?;
        load::whole(&load)?;
        crowd.push(load.rate);
        crowd_p99.push(load::p99_ms(load.latencies));
    }
    report.add("http_crowd_calls_per_s", "the same from 128 connections", Spread::of(crowd));
    report.add(
        "http_crowd_p99_ms",
        "milliseconds that 99 % of calls stay under at that load",
        Spread::of(crowd_p99),
    );
    let mixed: Vec<_> = worlds::mix(worlds::SERVED, BATCH)
        .into_iter()
        .map(|c| json!({"tool": c.tool, "arguments": c.arguments}))
        .collect();
    let batches: Vec<_> = (0..BATCHING).map(|i| batch_request(i, &mixed)).collect();
    let mut batched = Vec::new();
    for _ in 0..plan.rounds {
        let load =
            client.block_on(load::run(gtm.addr, &batches, BATCHING, plan.seconds, None)).map_err(failed)?;
        batched.push(load.rate * BATCH as f64);
    }
    report.add(
        "http_batched_calls_per_s",
        "POST /v1/sessions/ID/call_batch, 100 mixed calls a request",
        Spread::of(batched),
    );
    match prism {
        Some(command) => prism::measure(plan, command, &gtm, &client, report),
        None => Ok(()),
    }
}

/// A read for each connection, in its own session.
pub(crate) fn single_calls() -> Vec<Vec<u8>> {
    let call = json!({"tool": "getItem", "arguments": {"itemId": 42}}).to_string();
    let call = |i| load::request("POST", &format!("/v1/sessions/{}/call", session(i)), Some(&call));
    (0..CONNECTIONS).map(call).collect()
}

/// A batch of calls, in the session of a connection, as one request.
pub(crate) fn batch_request(connection: usize, calls: &[serde_json::Value]) -> Vec<u8> {
    let body = json!({"calls": calls}).to_string();
    load::request("POST", &format!("/v1/sessions/{}/call_batch", session(connection)), Some(&body))
}

/// What failed in the benchmark's own plumbing.
pub(crate) fn failed(error: impl std::fmt::Display) -> Error {
    Error::new(Code::Internal, format!("the benchmark could not go on: {error}"))
}

/// As `gtm serve` has it: a worker for each core. Servers and client share the cores, so no core
/// waits for another and what is compared is work, not the cost of waking threads up.
pub(crate) fn runtime() -> Result<Runtime> {
    Builder::new_multi_thread().enable_all().build().map_err(failed)
}

/// `gtm serve` over the benchmark's toolset, with a session for each connection.
pub(crate) fn gtm_server(config: ServerConfig, sessions: StoreConfig) -> Result<Server> {
    let store = Store::new(sessions)?;
    store.add_toolset("items", Arc::new(worlds::simulator(worlds::SERVED)?));
    for connection in 0..CONNECTIONS {
        store.create(CreateSession { id: Some(session(connection)), ..CreateSession::default() })?;
    }
    let runtime = runtime()?;
    let (addr, listener) = listen(&runtime)?;
    let config = ServerConfig { addr, ..config };
    runtime.spawn(gtm_serve::serve(config, Arc::new(store), listener, std::future::pending()));
    Ok(Server { addr, _runtime: runtime })
}

fn bare_server(answer: Bytes) -> Result<Server> {
    let runtime = runtime()?;
    let (addr, listener) = listen(&runtime)?;
    let handler = move |_: Bytes| {
        let answer = answer.clone();
        async move { ([(CONTENT_TYPE, "application/json")], answer) }
    };
    let app = Router::new().route("/v1/sessions/{id}/call", post(handler));
    runtime.spawn(async move { axum::serve(listener, app).await });
    Ok(Server { addr, _runtime: runtime })
}

fn listen(runtime: &Runtime) -> Result<(SocketAddr, TcpListener)> {
    let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).map_err(failed)?;
    Ok((listener.local_addr().map_err(failed)?, listener))
}
