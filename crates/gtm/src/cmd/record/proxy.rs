//! A proxy over HTTP that passes everything on as it is and lets a [`Recording`] read along.
//!
//! It listens on loopback only, and answers only to loopback names, since it stands in front of real
//! tools. Changed on the way: the `Host`, headers that are about the connection, `Accept-Encoding`
//! (an answer that is packed cannot be read along), and a `Location` on the real server, which
//! becomes one on the proxy.

use super::body::{self, Tap, Tapped};
use super::recorder::Recorder;
use crate::output;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use gtm_error::{Code, Error, Result};
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

/// Longest request body.
const MAX_REQUEST: usize = 64 << 20;
/// Requests under way at once.
const MAX_REQUESTS: usize = 512;
/// Time for a request's body to arrive.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
/// Time that answers under way get when the proxy is told to stop.
const STOP_GRACE: Duration = Duration::from_secs(3);

/// Headers that are about one connection.
const HOP_BY_HOP: [HeaderName; 9] = [
    header::CONNECTION,
    header::EXPECT,
    HeaderName::from_static("keep-alive"),
    header::PROXY_AUTHENTICATE,
    HeaderName::from_static("proxy-connection"),
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// A request that was passed on.
pub(super) struct Asked {
    pub(super) method: Method,
    /// Path and query, as the client asked.
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// What reads along.
pub(super) trait Recording: Send + Sync + 'static {
    /// The request is about to be passed on.
    fn asked(&self, _asked: &Asked) {}

    /// The answer's head has come; gives what reads along in its body.
    fn answered(&self, asked: Asked, head: &Head) -> Option<Box<dyn Tap>>;
}

/// The head of an answer.
pub(super) struct Head {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
}

impl Head {
    /// The media type; empty if none is told.
    pub(super) fn media_type(&self) -> &str {
        self.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Whether the body is a stream of events.
    pub(super) fn is_events(&self) -> bool {
        self.media_type().trim_start().to_ascii_lowercase().starts_with("text/event-stream")
    }
}

struct Proxy<R> {
    /// Scheme, host and base path of the real server, without a slash at the end.
    upstream: String,
    client: reqwest::Client,
    timeout: Duration,
    recorder: Arc<Recorder>,
    recording: R,
    places: Semaphore,
}

/// Listens. Port 0 takes a free one.
///
/// # Errors
/// [`Code::BindRefused`] for an address that is taken or not on loopback.
pub(super) async fn bind(addr: SocketAddr) -> Result<(TcpListener, SocketAddr)> {
    if !addr.ip().is_loopback() {
        return Err(Error::new(Code::BindRefused, format!("{addr} is not on loopback"))
            .hint("a recorder stands in front of real tools, and listens on loopback only"));
    }
    let failed = |e: std::io::Error| {
        Error::new(Code::BindRefused, format!("cannot listen on {addr}: {e}"))
            .hint("choose another port with `--addr`, or stop what listens there")
    };
    let listener = TcpListener::bind(addr).await.map_err(failed)?;
    let addr = listener.local_addr().map_err(failed)?;
    Ok((listener, addr))
}

/// Passes requests on until `stop`.
///
/// # Errors
/// [`Code::SourceUnreachable`] if no HTTP client can be made.
pub(super) async fn serve<R: Recording>(
    listener: TcpListener,
    upstream: &str,
    timeout: Duration,
    recorder: Arc<Recorder>,
    recording: R,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<()> {
    let proxy = Proxy {
        upstream: upstream.trim_end_matches('/').to_owned(),
        client: crate::source::plain_client()?,
        timeout,
        recorder,
        recording,
        places: Semaphore::new(MAX_REQUESTS),
    };
    let router = Router::new().fallback(handle::<R>).with_state(Arc::new(proxy));
    let (told, stopping) = tokio::sync::oneshot::channel();
    let stop = async move {
        stop.await;
        let _ = told.send(());
    };
    let serving = axum::serve(listener, router).with_graceful_shutdown(stop);
    let late = async {
        // Streams of events never end by themselves.
        let _ = stopping.await;
        tokio::time::sleep(STOP_GRACE).await;
    };
    tokio::select! {
        // It fails only where it could not have begun.
        _ = serving => {}
        () = late => {}
    }
    Ok(())
}

async fn handle<R: Recording>(State(proxy): State<Arc<Proxy<R>>>, request: Request) -> Response {
    match pass(&proxy, request).await {
        Ok(response) => response,
        Err(error) => refusal(&error),
    }
}

/// GTM's own error, as the answer that the real server could not give.
fn refusal(error: &Error) -> Response {
    let status = StatusCode::from_u16(error.code().http_status()).unwrap_or(StatusCode::BAD_GATEWAY);
    let kind = [(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"))];
    (status, kind, error.problem().to_string()).into_response()
}

async fn pass<R: Recording>(proxy: &Proxy<R>, request: Request) -> Result<Response> {
    let (head, body) = request.into_parts();
    check_host(&head.headers)?;
    let Ok(_place) = proxy.places.try_acquire() else {
        return Err(Error::new(Code::RateLimited, "more requests under way than this recorder takes"));
    };
    let body = match tokio::time::timeout(REQUEST_TIMEOUT, body::read(body, MAX_REQUEST)).await {
        Ok(Ok(Some(body))) => body,
        Ok(Ok(None)) => {
            return Err(Error::new(Code::RequestTooLarge, "the request body is too large to be recorded")
                .expected(format!("at most {MAX_REQUEST} bytes")));
        }
        Ok(Err(e)) => return Err(Error::new(Code::RequestMalformed, format!("the request broke off: {e}"))),
        Err(_) => return Err(Error::new(Code::RequestTimeout, "the request body did not arrive in time")),
    };
    proxy.recorder.remember(secrets(&proxy.recorder, &head.headers, &head.uri));
    let asked = Asked { method: head.method, uri: head.uri, headers: head.headers, body };
    proxy.recording.asked(&asked);
    let answer = ask(proxy, &asked).await?;
    let (status, mut headers) = (answer.status(), answer.headers().clone());
    strip(&mut headers);
    relocate(&mut headers, &proxy.upstream, &asked.headers);
    let mut length = body::length(&headers);
    if asked.method == Method::HEAD || matches!(status.as_u16(), 204 | 205 | 304) {
        // There is no body, whatever the headers say its length would be.
        length = Some(0);
    }
    let head = Head { status, headers };
    // A stream of events may be silent for as long as it likes.
    let stall = (!head.is_events()).then_some(proxy.timeout);
    let tap = proxy.recording.answered(asked, &head);
    let body = Tapped::new(Body::from_stream(answer.bytes_stream()), tap, length, stall);
    let mut response = Response::new(Body::new(body));
    *response.status_mut() = head.status;
    *response.headers_mut() = head.headers;
    Ok(response)
}

/// Asks the real server; waits for the head of its answer.
async fn ask<R>(proxy: &Proxy<R>, asked: &Asked) -> Result<reqwest::Response> {
    let path = asked.uri.path_and_query().map_or("/", |path| path.as_str());
    let address = format!("{}{path}", proxy.upstream);
    let failed = |what: String| Error::new(Code::SourceUnreachable, what).at(&proxy.upstream);
    let mut headers = asked.headers.clone();
    strip(&mut headers);
    headers.remove(header::HOST);
    let sent_length = headers.remove(header::CONTENT_LENGTH).is_some();
    headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    let mut request = proxy.client.request(asked.method.clone(), &address).headers(headers);
    if sent_length || !asked.body.is_empty() {
        request = request.body(asked.body.clone());
    }
    match tokio::time::timeout(proxy.timeout, request.send()).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(e)) => {
            Err(failed(format!("the real server: {}", crate::source::with_causes(&e.without_url()))))
        }
        Err(_) => Err(failed(format!("the real server did not answer within {} s", proxy.timeout.as_secs()))),
    }
}

/// Refuses requests that a web page was made to send here by another name for this address.
fn check_host(headers: &HeaderMap) -> Result<()> {
    let host = headers.get(header::HOST).and_then(|value| value.to_str().ok());
    let origin = headers.get(header::ORIGIN).map(|value| value.to_str().unwrap_or_default());
    let origin = origin.map(|origin| origin.split_once("://").map_or(origin, |(_, authority)| authority));
    match host.into_iter().chain(origin).find(|name| !gtm_serve::is_loopback_host(name)) {
        None => Ok(()),
        Some(name) => {
            Err(Error::new(Code::OriginRefused, format!("this recorder does not answer to {name:?}"))
                .hint("use a loopback address, such as http://127.0.0.1:8032"))
        }
    }
}

/// Takes out what is about the connection.
fn strip(headers: &mut HeaderMap) {
    let named: Vec<String> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|name| name.trim().to_ascii_lowercase())
        .collect();
    named.iter().for_each(|name| drop(headers.remove(name.as_str())));
    HOP_BY_HOP.iter().for_each(|name| drop(headers.remove(name)));
}

/// A redirection within the real server stays within the proxy.
fn relocate(headers: &mut HeaderMap, upstream: &str, asked: &HeaderMap) {
    let Some(location) = headers.get(header::LOCATION).and_then(|value| value.to_str().ok()) else { return };
    let Some(rest) =
        location.strip_prefix(upstream).filter(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']))
    else {
        return;
    };
    let Some(host) = asked.get(header::HOST).and_then(|value| value.to_str().ok()) else { return };
    if let Ok(location) = HeaderValue::from_str(&format!("http://{host}{rest}")) {
        headers.insert(header::LOCATION, location);
    }
}

/// Values of the request's headers and query that must not get into the recording by any way.
fn secrets(recorder: &Recorder, headers: &HeaderMap, uri: &Uri) -> Vec<String> {
    let redaction = recorder.redaction();
    let of_headers = headers.iter().filter_map(|(name, value)| {
        let value = value.to_str().ok()?;
        redaction.secret_of(name.as_str(), value).map(str::to_owned)
    });
    let query = uri.query().unwrap_or_default();
    let of_query = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .filter_map(|(name, value)| redaction.secret_of(name, value).map(str::to_owned));
    of_headers.chain(of_query).collect()
}

/// The address of the real server.
///
/// # Errors
/// [`Code::Usage`] for what is none.
pub(super) fn upstream(text: &str) -> Result<reqwest::Url> {
    let address =
        reqwest::Url::parse(text).ok().filter(|address| matches!(address.scheme(), "http" | "https"));
    let usable = |address: &reqwest::Url| {
        address.host_str().is_some() && address.query().is_none() && address.fragment().is_none()
    };
    address.filter(usable).ok_or_else(|| {
        output::usage(format!("`{text}` is no address of a server"))
            .expected("such as https://api.example.com/v1")
    })
}
