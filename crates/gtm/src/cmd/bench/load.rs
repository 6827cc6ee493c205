//! A small HTTP/1.1 load generator: the same bytes over kept-alive connections, so that servers are
//! compared with the same client.

use std::io::{Error, ErrorKind, Result};
use std::net::SocketAddr;
use std::ops::Range;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What a round of load found.
#[derive(Default)]
pub(crate) struct Load {
    /// Answers per second.
    pub(crate) rate: f64,
    /// Answers other than 2xx.
    pub(crate) failed: usize,
    /// Seconds each answer took, unsorted.
    pub(crate) latencies: Vec<f64>,
}

impl Load {
    /// The latency that 99 % of answers stayed under, in milliseconds.
    pub(crate) fn p99_ms(&mut self) -> f64 {
        self.latencies.sort_by(f64::total_cmp);
        self.latencies.get(self.latencies.len() * 99 / 100).map_or(f64::NAN, |s| s * 1e3)
    }
}

/// A request as bytes.
pub(crate) fn request(method: &str, path: &str, body: Option<&str>) -> Vec<u8> {
    let body = body.unwrap_or_default();
    let kind = if body.is_empty() { "" } else { "content-type: application/json\r\n" };
    let length = body.len();
    format!("{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n{kind}content-length: {length}\r\n\r\n{body}")
        .into_bytes()
}

/// Sends requests for `seconds` over `connections`, each its own of `requests` again and again; with `rate`, that many a second in all, else
/// as many as the server answers. Latency counts from the moment of sending.
pub(crate) async fn run(
    addr: SocketAddr,
    requests: &[Vec<u8>],
    connections: usize,
    seconds: f64,
    rate: Option<f64>,
) -> Result<Load> {
    let until = Instant::now() + Duration::from_secs_f64(seconds);
    let pause = rate.map(|rate| Duration::from_secs_f64(connections as f64 / rate));
    let begun = Instant::now();
    let mut tasks = Vec::new();
    for i in 0..connections {
        let request = requests[i % requests.len()].clone();
        let offset = pause.map(|p| p.mul_f64(i as f64 / connections as f64)).unwrap_or_default();
        tasks.push(tokio::spawn(async move { connection(addr, &request, until, pause, offset).await }));
    }
    let mut load = Load::default();
    for task in tasks {
        let one = task.await.map_err(|e| Error::other(e.to_string()))??;
        load.failed += one.failed;
        load.latencies.extend(one.latencies);
    }
    load.rate = load.latencies.len() as f64 / begun.elapsed().as_secs_f64();
    Ok(load)
}

/// Sends `request` once and returns the body of the answer.
pub(crate) async fn fetch(addr: SocketAddr, request: &[u8]) -> Result<Vec<u8>> {
    let mut stream = TcpStream::connect(addr).await?;
    let mut buffer = vec![0u8; 64 << 10];
    stream.write_all(request).await?;
    let answer = answer(&mut stream, &mut buffer).await?;
    match answer.ok {
        true => Ok(buffer[answer.body].to_vec()),
        false => Err(Error::other(String::from_utf8_lossy(&buffer[..answer.body.end]).into_owned())),
    }
}

/// Where an answer is in the buffer.
struct Answer {
    ok: bool,
    body: Range<usize>,
}

async fn connection(
    addr: SocketAddr,
    request: &[u8],
    until: Instant,
    pause: Option<Duration>,
    offset: Duration,
) -> Result<Load> {
    let mut stream = TcpStream::connect(addr).await?;
    stream.set_nodelay(true)?;
    let mut buffer = vec![0u8; 64 << 10];
    let mut load = Load::default();
    let mut due = Instant::now() + offset;
    while Instant::now() < until {
        if let Some(pause) = pause {
            tokio::time::sleep_until(due.into()).await;
            due += pause;
        }
        let sent = Instant::now();
        stream.write_all(request).await?;
        if !answer(&mut stream, &mut buffer).await?.ok {
            load.failed += 1;
        }
        load.latencies.push(sent.elapsed().as_secs_f64());
    }
    Ok(load)
}

/// Reads one answer.
async fn answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Result<Answer> {
    let mut held = 0;
    loop {
        if held == buffer.len() {
            buffer.resize(held * 2, 0);
        }
        let read = stream.read(&mut buffer[held..]).await?;
        if read == 0 {
            return Err(Error::new(ErrorKind::UnexpectedEof, "the server closed the connection"));
        }
        held += read;
        let Some(head) = find(&buffer[..held], b"\r\n\r\n") else { continue };
        let text = String::from_utf8_lossy(&buffer[..head]).to_ascii_lowercase();
        let length = text
            .lines()
            .find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok())
            .ok_or_else(|| Error::new(ErrorKind::InvalidData, "the answer has no content-length"))?;
        if held >= head + 4 + length {
            return Ok(Answer { ok: buffer.starts_with(b"HTTP/1.1 2"), body: head + 4..head + 4 + length });
        }
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}
