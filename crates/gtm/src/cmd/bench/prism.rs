//! Stoplight Prism on the same document, in the same run: the mock server people use today.

use super::http::{BATCH, Server, batch_request, failed, session};
use super::{Plan, Report, Spread, load, worlds};
use gtm_error::Result;
use serde_json::json;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

/// Kept-alive connections of the client; more make Prism slower.
const CONNECTIONS: usize = 16;

pub(crate) fn measure(
    plan: Plan,
    command: &Path,
    gtm: &Server,
    client: &Runtime,
    report: &mut Report,
) -> Result<()> {
    let spec = std::env::temp_dir().join(format!("gtm-bench-prism-{}.json", std::process::id()));
    std::fs::write(&spec, worlds::spec().to_string()).map_err(failed)?;
    let prism = Prism::start(command, &spec)?;
    let mock = [load::request("GET", "/items/42", None)];
    let rest = |i| load::request("GET", &format!("/r/{}/items/42", session(i)), None);
    let rest: Vec<_> = (0..CONNECTIONS).map(rest).collect();
    let gets: Vec<_> =
        (0..BATCH).map(|i| json!({"tool": "getItem", "arguments": {"itemId": 1 + i}})).collect();
    let batch: Vec<_> = (0..CONNECTIONS).map(|i| batch_request(i, &gets)).collect();
    let round = |addr, requests: &[Vec<u8>]| {
        client.block_on(load::run(addr, requests, CONNECTIONS, plan.seconds, None)).map_err(failed)
    };
    round(prism.addr, &mock)?;
    let (mut theirs, mut single, mut batched) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..plan.rounds {
        let mocked = round(prism.addr, &mock)?.rate;
        single.push(round(gtm.addr, &rest)?.rate / mocked);
        batched.push(round(gtm.addr, &batch)?.rate * BATCH as f64 / mocked);
        theirs.push(mocked);
    }
    drop(prism);
    let _ = std::fs::remove_file(&spec);
    report.add(
        "prism_calls_per_s",
        "Stoplight Prism: GET /items/42 of the same document, same client",
        Spread::of(theirs),
    );
    report.add("ratio_to_prism", "GTM at the same path, one call a request, to Prism", Spread::of(single));
    report.add(
        "ratio_to_prism_batched",
        "GTM with 100 calls a request, to Prism, which has no batches",
        Spread::of(batched),
    );
    Ok(())
}

/// A running Prism; stopped when dropped.
struct Prism {
    child: Child,
    addr: SocketAddr,
}

impl Prism {
    fn start(command: &Path, spec: &Path) -> Result<Prism> {
        let port =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|l| l.local_addr()).map_err(failed)?.port();
        // Its log would cost it time: only errors, and into nothing.
        let child = Command::new(command)
            .args(["mock", "--host", "127.0.0.1", "--verboseLevel", "error", "--port", &port.to_string()])
            .arg(spec)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(failed)?;
        let prism = Prism { child, addr: SocketAddr::from((Ipv4Addr::LOCALHOST, port)) };
        let until = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect(prism.addr).is_err() {
            if Instant::now() > until {
                return Err(failed("Prism did not start within 30 s"));
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Ok(prism)
    }
}

impl Drop for Prism {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
