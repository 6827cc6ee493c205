//! Many live sessions over HTTP, their eviction, and the memory they leave behind.

use super::http::{failed, gtm_server, runtime};
use super::load::{Client, Kind, request};
use super::{Plan, Report, Spread, resident, worlds};
use gtm_error::{Code, Result};
use gtm_serve::ServerConfig;
use gtm_sim::StoreConfig;
use serde_json::json;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

/// Calls that each session makes, one a request.
const STEPS: usize = 50;
/// Waves of sessions, each after the one before is evicted.
const WAVES: usize = 3;
/// Idle time after which a session is evicted, in seconds: longer than a step of all sessions takes.
const TTL: u64 = 10;
/// Connections, each with its share of the sessions.
const CONNECTIONS: usize = 32;

pub(crate) fn measure(plan: Plan, report: &mut Report) -> Result<()> {
    let config = ServerConfig { sweep_interval: Duration::from_millis(200), ..ServerConfig::default() };
    let gtm = gtm_server(config, StoreConfig::default())?;
    let client = runtime()?;
    let (mut rates, mut live, mut idle) = (Vec::new(), Vec::new(), Vec::new());
    for wave in 0..WAVES {
        let begun = Instant::now();
        on_each(&client, |i| drive(gtm.addr, wave, i, plan.sessions))?;
        rates.push((plan.sessions * STEPS) as f64 / begun.elapsed().as_secs_f64());
        live.push(resident() as f64 / 1e6);
        std::thread::sleep(Duration::from_secs(TTL + 1));
        on_each(&client, |i| find_evicted(gtm.addr, wave, i, plan.sessions))?;
        idle.push(resident() as f64 / 1e6);
    }
    let to_first =
        |megabytes: &[f64]| Spread::of(megabytes.iter().map(|mb| mb / megabytes[0]).collect::<Vec<_>>());
    let (live_ratio, idle_ratio) = (to_first(&live), to_first(&idle));
    report.add("sessions_calls_per_s", "live sessions of 50 calls each, one a request", Spread::of(rates));
    report.add(
        "sessions_live_mb",
        "resident MB with all of them live (10,000; --quick: 1,000)",
        Spread::of(live),
    );
    report.add("sessions_live_ratio", "the same in each wave, to the first", live_ratio);
    report.add("sessions_evicted_ratio", "resident memory after each eviction, to the first", idle_ratio);
    Ok(())
}

/// Runs a task for each connection to its end.
fn on_each<F: Future<Output = io::Result<()>> + Send + 'static>(
    client: &Runtime,
    task: impl Fn(usize) -> F,
) -> Result<()> {
    let tasks: Vec<_> = (0..CONNECTIONS).map(|i| client.spawn(task(i))).collect();
    tasks.into_iter().try_for_each(|task| client.block_on(task).map_err(failed)?.map_err(failed))
}

/// The paths of a connection's sessions.
fn paths(wave: usize, connection: usize, sessions: usize) -> Vec<String> {
    (connection..sessions).step_by(CONNECTIONS).map(|i| format!("/v1/sessions/wave-{wave}-{i}")).collect()
}

/// Makes the sessions, then a step in each of them, then the next, so that all are live to the end.
async fn drive(addr: SocketAddr, wave: usize, connection: usize, sessions: usize) -> io::Result<()> {
    let mut client = Client::connect(addr).await?;
    let paths = paths(wave, connection, sessions);
    for path in &paths {
        let id = path.rsplit('/').next();
        let body = json!({"id": id, "ttl_s": TTL}).to_string();
        expect(&mut client, &request("POST", "/v1/sessions", Some(&body))).await?;
    }
    for call in worlds::mix(worlds::SERVED, STEPS) {
        let body = json!({"tool": call.tool, "arguments": call.arguments}).to_string();
        for path in &paths {
            expect(&mut client, &request("POST", &format!("{path}/call"), Some(&body))).await?;
        }
    }
    Ok(())
}

async fn expect(client: &mut Client, request: &[u8]) -> io::Result<()> {
    match client.ask(request).await? {
        (Kind::Done, _) => Ok(()),
        (_, body) => Err(io::Error::other(String::from_utf8_lossy(body).into_owned())),
    }
}

/// Sees that every session is gone, and that its name is answered with what became of it.
async fn find_evicted(addr: SocketAddr, wave: usize, connection: usize, sessions: usize) -> io::Result<()> {
    let mut client = Client::connect(addr).await?;
    for path in paths(wave, connection, sessions) {
        let (kind, body) = client.ask(&request("GET", &path, None)).await?;
        let body = String::from_utf8_lossy(body);
        if kind != Kind::Failed || !body.contains(Code::SessionExpired.id()) {
            return Err(io::Error::other(format!("an idle session is answered with {body}")));
        }
    }
    Ok(())
}
