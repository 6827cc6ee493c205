//! What only a real socket shows: clients that are slow, greedy or gone, and stopping under load.

use crate::common::{config, store};
use gtm_env::Environment;
use gtm_serve::ServerConfig;
use gtm_sim::{Store, StoreConfig};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A server on a socket of its own.
pub(crate) struct Server {
    pub(crate) addr: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    done: JoinHandle<gtm_error::Result<()>>,
}

impl Server {
    pub(crate) async fn start(config: ServerConfig) -> Server {
        Server::with(config, store(StoreConfig::default())).await
    }

    /// A server of one environment.
    pub(crate) async fn over(environment: Arc<Environment>) -> Server {
        let store = Store::new(StoreConfig::default()).expect("a store in memory");
        for (name, simulator) in environment.toolsets() {
            store.add_toolset(name, simulator.clone());
        }
        let config = ServerConfig { environments: vec![environment], ..ServerConfig::default() };
        Server::with(config, Arc::new(store)).await
    }

    async fn with(config: ServerConfig, store: Arc<Store>) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let addr = listener.local_addr().expect("an address");
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async move { drop(stopped.await) };
        let done = tokio::spawn(gtm_serve::serve(config, store, listener, shutdown));
        Server { addr, stop: Some(stop), done }
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.addr).await.expect("the server accepts")
    }

    /// Sends a request on a connection of its own and reads the answer to its end.
    pub(crate) async fn ask(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let mut stream = self.connect().await;
        send(&mut stream, method, path, body, true).await;
        answer(&mut stream).await
    }

    /// Waits until the server holds no connection but the one that asks.
    async fn is_left_alone(&self) {
        let start = Instant::now();
        loop {
            let metrics = self.ask("GET", "/metrics", "").await.1;
            if metrics.contains("gtm_http_connections 1\n") {
                return;
            }
            assert!(start.elapsed() < Duration::from_secs(5), "{metrics}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Tells the server to stop; returns how long it took.
    pub(crate) async fn stop(&mut self) -> Duration {
        let start = Instant::now();
        drop(self.stop.take());
        (&mut self.done).await.expect("no panic").expect("a clean end");
        start.elapsed()
    }
}

async fn send(stream: &mut TcpStream, method: &str, path: &str, body: &str, close: bool) {
    let connection = if close { "close" } else { "keep-alive" };
    let text = format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: {connection}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(text.as_bytes()).await.expect("the server reads");
}

/// Status and body of an answer after which the server closes.
async fn answer(stream: &mut TcpStream) -> (u16, String) {
    let mut bytes = Vec::new();
    // A reset after the answer does not unsay it.
    let _ = stream.read_to_end(&mut bytes).await;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let status = text.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or(0);
    (status, text.split_once("\r\n\r\n").map_or(String::new(), |(_, body)| body.to_string()))
}

/// How long until the server closes a connection on which nothing more is sent.
async fn closed(stream: &mut TcpStream) -> Duration {
    let start = Instant::now();
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
    start.elapsed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_open_connections_are_closed_and_harm_nobody() {
    let header_timeout = Duration::from_millis(600);
    let server = Server::start(ServerConfig { header_timeout, ..config() }).await;
    let mut half_open = Vec::new();
    for i in 0..500 {
        let mut stream = server.connect().await;
        let sent: &[u8] = [&b""[..], b"GET /v1/ses", b"GET / HTTP/1.1\r\nhost: localhost\r\nx-slow: "][i % 3];
        stream.write_all(sent).await.expect("the server reads");
        half_open.push(stream);
    }
    let start = Instant::now();
    let (status, _) = server.ask("GET", "/v1/toolsets", "").await;
    assert_eq!(status, 200);
    assert!(start.elapsed() < Duration::from_millis(300), "{:?}", start.elapsed());
    for stream in &mut half_open {
        closed(stream).await;
    }
    // The time limit, half a second of lingering, and some room for a busy machine.
    assert!(start.elapsed() < header_timeout + Duration::from_secs(2), "{:?}", start.elapsed());
    server.is_left_alone().await;
}

#[tokio::test]
async fn a_body_that_drips_is_given_up() {
    let server = Server::start(ServerConfig { body_timeout: Duration::from_millis(400), ..config() }).await;
    let mut stream = server.connect().await;
    let head = "POST /v1/sessions HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000\r\n\r\n";
    stream.write_all(head.as_bytes()).await.expect("the server reads");
    let (mut read, mut write) = stream.into_split();
    let start = Instant::now();
    let drip = tokio::spawn(async move {
        while write.write_all(b" ").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    let mut bytes = vec![0; 2000];
    let length = read.read(&mut bytes).await.expect("an answer");
    let text = String::from_utf8_lossy(&bytes[..length]).into_owned();
    assert!(text.starts_with("HTTP/1.1 408 "), "{text}");
    assert!(text.contains("GTM0410"), "{text}");
    assert!((350..2_000).contains(&(start.elapsed().as_millis() as u64)), "{:?}", start.elapsed());
    drip.abort();
}

#[tokio::test]
async fn an_answer_that_is_not_read_is_given_up() {
    let server = Server::start(ServerConfig { write_timeout: Duration::from_millis(300), ..config() }).await;
    let long = "x".repeat(100_000);
    let state = json!({"id": "big", "state": {"notes": {"a": {"key": "a", "text": long}}}});
    assert_eq!(server.ask("POST", "/v1/sessions", &state.to_string()).await.0, 201);
    let mut stream = server.connect().await;
    // Asks for far more than the system's buffers hold, and reads none of it.
    let _ = tokio::time::timeout(Duration::from_millis(200), async {
        for _ in 0..500 {
            send(&mut stream, "GET", "/v1/sessions/big/state", "", false).await;
        }
    })
    .await;
    server.is_left_alone().await;
}

#[tokio::test]
async fn large_headers_and_bodies_are_refused_and_the_client_is_told() {
    let server = Server::start(config()).await;
    let start = Instant::now();
    let mut stream = server.connect().await;
    let head = format!("GET /health HTTP/1.1\r\nhost: localhost\r\nx-big: {}\r\n\r\n", "a".repeat(5 << 20));
    let _ = stream.write_all(head.as_bytes()).await;
    assert_eq!(answer(&mut stream).await.0, 431);

    let mut stream = server.connect().await;
    send(&mut stream, "POST", "/v1/sessions", &"x".repeat(6 << 20), true).await;
    let (status, body) = answer(&mut stream).await;
    let problem: Value = serde_json::from_str(&body).expect("a problem document");
    assert_eq!((status, problem["code"].as_str()), (413, Some("GTM0402")));

    // Without a length it is cut off when it has become too long.
    let mut stream = server.connect().await;
    let head = "POST /v1/sessions HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).await.expect("the server reads");
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    for _ in 0..80 {
        if stream.write_all(chunk.as_bytes()).await.is_err() {
            break;
        }
    }
    let mut bytes = vec![0; 400];
    let length = stream.read(&mut bytes).await.expect("an answer");
    assert!(String::from_utf8_lossy(&bytes[..length]).starts_with("HTTP/1.1 413 "));
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
}

#[tokio::test]
async fn what_is_not_http_is_told_so() {
    let server = Server::start(config()).await;
    for nonsense in [
        "\u{16}\u{3}\u{1}nonsense\r\n\r\n",
        "GET\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "GET /a b HTTP/1.1\r\n\r\n",
    ] {
        let mut stream = server.connect().await;
        stream.write_all(nonsense.as_bytes()).await.expect("the server reads");
        assert_eq!(answer(&mut stream).await.0, 400, "{nonsense:?}");
    }
    let mut stream = server.connect().await;
    stream
        .write_all(b"GET /v1/toolsets HTTP/1.1\r\nconnection: close\r\n\r\n")
        .await
        .expect("the server reads");
    assert_eq!(answer(&mut stream).await.0, 400, "a request without a host");
    let mut stream = server.connect().await;
    stream.write_all(b"GET /health HTTP/1.0\r\n\r\n").await.expect("the server reads");
    assert_eq!(answer(&mut stream).await.0, 200, "HTTP/1.0 needs none");
}

#[tokio::test]
async fn the_number_of_connections_is_limited() {
    let server = Server::start(ServerConfig { max_connections: 2, ..config() }).await;
    let (first, second) = (server.connect().await, server.connect().await);
    let ask = server.ask("GET", "/health", "");
    tokio::pin!(ask);
    assert!(tokio::time::timeout(Duration::from_millis(200), &mut ask).await.is_err(), "a third is served");
    drop((first, second));
    assert_eq!(ask.await.0, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopping_under_load_finishes_what_is_under_way() {
    let mut server = Server::start(config()).await;
    assert_eq!(server.ask("POST", "/v1/sessions", r#"{"id": "s"}"#).await.0, 201);
    let idle = server.connect().await;
    let mut calls = Vec::new();
    for _ in 0..100 {
        let mut stream = server.connect().await;
        send(&mut stream, "POST", "/v1/sessions/s/call", r#"{"tool": "slow"}"#, false).await;
        calls.push(tokio::spawn(async move { answer(&mut stream).await }));
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    let took = server.stop().await;
    assert!(took < Duration::from_secs(3), "{took:?}");
    for call in calls {
        let (status, body) = call.await.expect("no panic");
        assert_eq!(status, 200);
        assert!(body.contains(r#""content":{"done":true}"#), "{body}");
    }
    assert!(TcpStream::connect(server.addr).await.is_err(), "it still accepts");
    drop(idle);
}

#[tokio::test]
async fn stopping_does_not_wait_longer_than_its_grace() {
    let grace = Duration::from_millis(300);
    let mut server = Server::start(ServerConfig { shutdown_grace: grace, ..config() }).await;
    let mut stream = server.connect().await;
    stream
        .write_all(b"POST /v1/sessions HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\n")
        .await
        .expect("read");
    tokio::time::sleep(Duration::from_millis(50)).await;
    let took = server.stop().await;
    assert!((250..2_000).contains(&(took.as_millis() as u64)), "{took:?}");
    assert!(closed(&mut stream).await < Duration::from_secs(2));
}

/// Ten times more callers than places: the surplus is refused at once, and those that are let in
/// are served as fast as without the others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn overload_is_refused_fast() {
    let server = Server::start(ServerConfig { max_in_flight: 8, ..config() }).await;
    assert_eq!(server.ask("POST", "/v1/sessions", r#"{"id": "s"}"#).await.0, 201);
    let end = Instant::now() + Duration::from_millis(1_500);
    let mut callers = Vec::new();
    for _ in 0..80 {
        let mut stream = server.connect().await;
        callers.push(tokio::spawn(async move {
            let (mut fine, mut refused, mut slowest) = (0u32, 0u32, Duration::ZERO);
            while Instant::now() < end {
                let start = Instant::now();
                send(&mut stream, "POST", "/v1/sessions/s/call", r#"{"tool": "slow"}"#, false).await;
                let mut bytes = vec![0; 4096];
                let length = stream.read(&mut bytes).await.expect("an answer");
                let text = String::from_utf8_lossy(&bytes[..length]).into_owned();
                match text.split(' ').nth(1) {
                    Some("200") => fine += 1,
                    Some("429") => {
                        assert!(text.contains("retry-after: 1"), "{text}");
                        slowest = slowest.max(start.elapsed());
                        refused += 1;
                        tokio::time::sleep(Duration::from_millis(20)).await;
                    }
                    _ => panic!("{text}"),
                }
            }
            (fine, refused, slowest)
        }));
    }
    let (mut fine, mut refused, mut slowest) = (0, 0, Duration::ZERO);
    for caller in callers {
        let (f, r, s) = caller.await.expect("no panic");
        (fine, refused, slowest) = (fine + f, refused + r, slowest.max(s));
    }
    assert!(fine >= 32 && refused > fine, "{fine} served, {refused} refused");
    assert!(slowest < Duration::from_millis(300), "a refusal took {slowest:?}");
}

#[tokio::test]
async fn idle_sessions_are_swept_and_counted() {
    let server = Server::start(ServerConfig { sweep_interval: Duration::from_millis(100), ..config() }).await;
    assert_eq!(server.ask("POST", "/v1/sessions", r#"{"id": "short", "ttl_s": 1}"#).await.0, 201);
    tokio::time::sleep(Duration::from_millis(1_600)).await;
    let metrics = server.ask("GET", "/metrics", "").await.1;
    assert!(
        metrics.contains("gtm_sessions_expired_total 1\n") && metrics.contains("gtm_sessions_active 0\n"),
        "{metrics}"
    );
    let (status, body) = server.ask("GET", "/v1/sessions/short", "").await;
    assert_eq!(status, 410, "{body}");
    assert!(body.contains("GTM0302"), "{body}");
}

#[tokio::test]
async fn only_loopback_without_being_told() {
    let listener = TcpListener::bind("0.0.0.0:0").await.expect("a free port");
    let refused =
        gtm_serve::serve(config(), store(StoreConfig::default()), listener, std::future::pending()).await;
    assert_eq!(refused.map_err(|e| e.code()), Err(gtm_error::Code::BindRefused));
}

/// What `gtm serve` waits for. The signal is meant for the whole process, which here outlives it
/// because the server has asked to be told instead.
#[cfg(unix)]
#[tokio::test]
async fn sigterm_stops_the_server() {
    let stopped = tokio::spawn(gtm_serve::stop_signal());
    tokio::time::sleep(Duration::from_millis(100)).await;
    let sent = std::process::Command::new("kill").args(["-TERM", &std::process::id().to_string()]).status();
    assert!(sent.is_ok_and(|status| status.success()));
    tokio::time::timeout(Duration::from_secs(5), stopped).await.expect("in time").expect("no panic");
}
