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
    /// Answers that were neither 2xx nor a refusal that says when to come back.
    pub(crate) failed: usize,
    /// Seconds each answer took that was not a refusal, unsorted.
    pub(crate) latencies: Vec<f64>,
    /// Seconds each refusal took (429 or 503 with `Retry-After`), unsorted.
    pub(crate) refusals: Vec<f64>,
}

/// The time that 99 % of `seconds` stayed under, in milliseconds.
pub(crate) fn p99_ms(mut seconds: Vec<f64>) -> f64 {
    seconds.sort_by(f64::total_cmp);
    seconds.get(seconds.len() * 99 / 100).map_or(f64::NAN, |s| s * 1e3)
}

/// Fails if a call did.
pub(crate) fn whole(load: &Load) -> gtm_error::Result<()> {
    match load.failed {
        0 => Ok(()),
        n => Err(super::http::failed(format!("{n} calls under load failed"))),
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
        load.refusals.extend(one.refusals);
    }
    load.rate = load.latencies.len() as f64 / begun.elapsed().as_secs_f64();
    Ok(load)
}

/// Sends `request` once and returns the body of the answer.
pub(crate) async fn fetch(addr: SocketAddr, request: &[u8]) -> Result<Vec<u8>> {
    let mut client = Client::connect(addr).await?;
    match client.ask(request).await? {
        (Kind::Done, body) => Ok(body.to_vec()),
        (_, body) => Err(Error::other(String::from_utf8_lossy(body).into_owned())),
    }
}

/// A kept-alive connection.
pub(crate) struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    pub(crate) async fn connect(addr: SocketAddr) -> Result<Client> {
        let stream = TcpStream::connect(addr).await?;
        stream.set_nodelay(true)?;
        Ok(Client { stream, buffer: vec![0; 64 << 10] })
    }

    /// Sends a request and reads its answer.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> Result<(Kind, &[u8])> {
        self.stream.write_all(request).await?;
        let answer = answer(&mut self.stream, &mut self.buffer).await?;
        Ok((answer.kind, &self.buffer[answer.body]))
    }
}

/// An answer, and where its body is in the buffer.
struct Answer {
    kind: Kind,
    body: Range<usize>,
}

/// What kind of answer it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Done,
    /// Too much at present; the answer says when to come back.
    Refused,
    Failed,
}

impl Kind {
    /// Of an answer's head in lower case.
    fn of(head: &str) -> Kind {
        match head.as_bytes().get(9..12) {
            Some([b'2', ..]) => Kind::Done,
            Some(b"429" | b"503") if head.contains("\r\nretry-after:") => Kind::Refused,
            _ => Kind::Failed,
        }
    }
}

async fn connection(
    addr: SocketAddr,
    request: &[u8],
    until: Instant,
    pause: Option<Duration>,
    offset: Duration,
) -> Result<Load> {
    let mut client = Client::connect(addr).await?;
    let mut load = Load::default();
    let mut due = Instant::now() + offset;
    while Instant::now() < until {
        if let Some(pause) = pause {
            tokio::time::sleep_until(due.into()).await;
            due += pause;
        }
        let sent = Instant::now();
        let (kind, _) = client.ask(request).await?;
        let took = sent.elapsed().as_secs_f64();
        match kind {
            Kind::Refused => load.refusals.push(took),
            Kind::Done => load.latencies.push(took),
            Kind::Failed => {
                load.failed += 1;
                load.latencies.push(took);
            }
        }
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
            return Ok(Answer { kind: Kind::of(&text), body: head + 4..head + 4 + length });
        }
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}
