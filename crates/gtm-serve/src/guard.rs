//! The one layer that every request passes, whatever its route: host and origin, key, limits,
//! counting, and the net under bugs.
//!
//! Invariant: nothing but the paths in [`PUBLIC`] is answered without the key, and nothing at all
//! to a foreign host or origin.

use crate::app::App;
use crate::problem::Failure;
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Version, header};
use axum::response::{IntoResponse, Response};
use gtm_error::{Code, Error};
use std::convert::Infallible;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll};
use std::time::Instant;
use tower::Service;

/// Paths answered without a key and outside all limits: what supervisors probe.
pub(crate) const PUBLIC: [&str; 4] = ["/health", "/livez", "/readyz", "/version"];

/// Answer headers that scripts of another origin may read.
const EXPOSED: &str = "mcp-session-id, x-gtm-session, x-gtm-rung, x-gtm-state-version, retry-after";

/// Address of the client, put into a request's extensions by the server loop.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Client(pub(crate) SocketAddr);

/// The layer: a service around the router. Boxed once a request; a stack of `tower` layers would
/// box and clone at each.
#[derive(Clone)]
pub(crate) struct Guard {
    app: App,
    router: Router,
}

impl Guard {
    pub(crate) fn new(app: App, router: Router) -> Guard {
        Guard { app, router }
    }

    /// Answers a request. Never fails, never panics.
    pub(crate) fn answer(&self, request: Request) -> Pin<Box<dyn Future<Output = Response> + Send>> {
        let Guard { app, router } = self.clone();
        Box::pin(answer(app, router, request))
    }
}

impl Service<Request> for Guard {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let answer = self.answer(request);
        Box::pin(async move { Ok(answer.await) })
    }
}

async fn answer(app: App, mut router: Router, request: Request) -> Response {
    let route = app.route_number(request.uri().path());
    let origin = request.headers().get(header::ORIGIN).cloned();
    let mut response = match admit(&app, &request) {
        Err(failure) => failure.into_response(),
        Ok(Admitted::Preflight) => preflight(request.headers()),
        Ok(Admitted::Pass(_place)) => {
            let answer = pin!(router.call(request));
            match (CatchPanic(answer)).await {
                Some(Ok(response)) => response,
                None => {
                    app.metrics().panics.fetch_add(1, Relaxed);
                    Failure::panicked().into_response()
                }
            }
        }
    };
    // Only an origin that was admitted gets here with anything but 403.
    if let Some(origin) = origin.filter(|_| response.status() != StatusCode::FORBIDDEN) {
        let headers = response.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
        headers.append(header::VARY, HeaderValue::from_static("origin"));
    }
    app.metrics().request(route, response.status().as_u16());
    response
}

enum Admitted {
    /// Goes on to its route, holding a place among those in flight.
    Pass(Option<crate::gate::Place>),
    /// A browser asks whether it may ask.
    Preflight,
}

fn admit(app: &App, request: &Request) -> Result<Admitted, Failure> {
    let headers = request.headers();
    let host = host(request)?;
    check_host(app, host)?;
    check_origin(app, headers, host)?;
    if request.method() == Method::OPTIONS
        && headers.contains_key(header::ORIGIN)
        && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
    {
        return Ok(Admitted::Preflight);
    }
    let path = request.uri().path();
    if PUBLIC.contains(&path) {
        return Ok(Admitted::Pass(None));
    }
    if let Some(key) = &app.config().api_key
        && !sent_keys(headers).any(|sent| same(key.as_bytes(), sent.as_bytes()))
    {
        return Err(Failure::new(Code::Unauthorized, "the request carries no valid API key"));
    }
    // Under overload one wants the metrics most.
    if path == "/metrics" {
        return Ok(Admitted::Pass(None));
    }
    if app.draining() {
        return Err(Failure::new(Code::ShuttingDown, "the server is stopping"));
    }
    let client = request.extensions().get::<Client>().map(|client| client.0.ip());
    if let Some(rates) = app.rates()
        && let Err(seconds) = rates.pass(client, Instant::now())
    {
        return Err(Failure::new(
            Code::RateLimited,
            "more requests a second than this server is set to take",
        )
        .retry_after(seconds));
    }
    match app.places().take() {
        Some(place) => Ok(Admitted::Pass(Some(place))),
        None => {
            Err(Failure::new(Code::RateLimited, "more requests in flight than this server is set to take"))
        }
    }
}

/// A host with an optional port, as a `Host` header has it.
#[derive(Clone, Copy)]
struct Host<'a> {
    /// Name or address, without the brackets of IPv6.
    name: &'a str,
    /// All of it.
    full: &'a str,
}

impl<'a> Host<'a> {
    /// `None` if it is no host: only what names and addresses are written with is let through.
    fn parse(full: &'a str) -> Option<Host<'a>> {
        let (name, port) = match full.strip_prefix('[') {
            Some(rest) => rest.split_once(']')?,
            None => full.find(':').map_or((full, ""), |at| full.split_at(at)),
        };
        let port = port.is_empty()
            || port.strip_prefix(':').is_some_and(|port| port.bytes().all(|b| b.is_ascii_digit()));
        let letters = name.bytes().all(|b| {
            b.is_ascii_alphanumeric() || b"-._".contains(&b) || (b == b':' && full.starts_with('['))
        });
        (port && letters && !name.is_empty()).then_some(Host { name, full })
    }
}

/// The host that the request is addressed to. HTTP/1.0 may name none.
fn host(request: &Request) -> Result<Option<Host<'_>>, Failure> {
    let mut named = request.headers().get_all(header::HOST).iter();
    let (first, second) = (named.next(), named.next());
    let refused = |message: &str| Failure::new(Code::OriginRefused, message).status(StatusCode::BAD_REQUEST);
    match (first, second) {
        (Some(host), None) => match host.to_str().ok().and_then(Host::parse) {
            Some(host) => Ok(Some(host)),
            None => Err(refused("the `Host` header is not a host")),
        },
        (None, _) => match request.uri().authority().map(|authority| Host::parse(authority.as_str())) {
            Some(Some(host)) => Ok(Some(host)),
            None if request.version() <= Version::HTTP_10 => Ok(None),
            _ => Err(refused("the request names no `Host`")),
        },
        (Some(_), Some(_)) => Err(refused("the request names two hosts")),
    }
}

fn check_host(app: &App, host: Option<Host<'_>>) -> Result<(), Failure> {
    let Some(Host { name, full }) = host else { return Ok(()) };
    if is_loopback(name) || listed(&app.config().allow_hosts, name, full) {
        return Ok(());
    }
    // Rebinding needs a name to rebind; an address in the URL is where the request really went.
    if app.config().allow_remote && name.parse::<IpAddr>().is_ok() {
        return Ok(());
    }
    Err(Error::new(Code::OriginRefused, format!("this server is not addressed as {name}"))
        .hint("use a loopback address, or start the server with `--allow-host` for this name")
        .into())
}

fn check_origin(app: &App, headers: &HeaderMap, host: Option<Host<'_>>) -> Result<(), Failure> {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let Some(origin) = origins.next() else { return Ok(()) };
    let origin = origin.to_str().unwrap_or("");
    if origins.next().is_none() && origin_allowed(app, origin, host) {
        return Ok(());
    }
    Err(Error::new(Code::OriginRefused, format!("web pages of origin {origin:?} may not call this server"))
        .hint("start the server with `--allow-origin` for this origin")
        .into())
}

fn origin_allowed(app: &App, origin: &str, host: Option<Host<'_>>) -> bool {
    if app
        .config()
        .allow_origins
        .iter()
        .any(|known| known == "*" || known.trim_end_matches('/').eq_ignore_ascii_case(origin))
    {
        return true;
    }
    let Some((_, authority)) =
        origin.split_once("://").filter(|(scheme, _)| matches!(*scheme, "http" | "https"))
    else {
        return false;
    };
    // The server's own pages, by a host that has been checked already.
    if host.is_some_and(|host| host.full.eq_ignore_ascii_case(authority)) {
        return true;
    }
    // Local tools with a web page, such as the MCP inspector, for a server that only they can reach.
    app.config().addr.ip().is_loopback()
        && Host::parse(authority).is_some_and(|origin| is_loopback(origin.name))
}

/// Whether a `Host` (name or address, port or none) is this machine itself.
pub fn is_loopback_host(host: &str) -> bool {
    Host::parse(host).is_some_and(|host| is_loopback(host.name))
}

fn is_loopback(name: &str) -> bool {
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Whether a list of hosts has this one, by name alone or by name and port.
fn listed(list: &[String], name: &str, with_port: &str) -> bool {
    list.iter().any(|known| {
        known == "*" || known.eq_ignore_ascii_case(name) || known.eq_ignore_ascii_case(with_port)
    })
}

/// Every key that the request offers.
fn sent_keys(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let bearer = headers.get_all(header::AUTHORIZATION).iter().filter_map(|value| {
        let (scheme, key) = value.to_str().ok()?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
    });
    let plain = headers.get_all("x-api-key").iter().filter_map(|value| value.to_str().ok());
    bearer.chain(plain)
}

/// Compares in a time that depends on the lengths only, so that a key cannot be guessed byte by
/// byte from how long the refusal takes.
fn same(key: &[u8], sent: &[u8]) -> bool {
    let mut difference = key.len() ^ sent.len();
    for (index, byte) in sent.iter().enumerate() {
        difference |= usize::from(byte ^ key.get(index).copied().unwrap_or(0));
    }
    std::hint::black_box(difference) == 0
}

fn preflight(headers: &HeaderMap) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let out = response.headers_mut();
    out.insert(
        header::ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE"),
    );
    if let Some(asked) = headers.get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
        out.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, asked.clone());
    }
    out.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    response
}

/// Runs a future; `None` if it panics. Shared state stays usable: locks are taken past poisoning,
/// and a session changes only by a whole new value put in place at the end of a call.
struct CatchPanic<'a, F>(Pin<&'a mut F>);

impl<F: Future> Future for CatchPanic<'_, F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match catch_unwind(AssertUnwindSafe(|| self.0.as_mut().poll(cx))) {
            Ok(poll) => poll.map(Some),
            Err(_) => Poll::Ready(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ServerConfig;
    use crate::routes::guarded;
    use axum::routing::get;
    use gtm_sim::{Store, StoreConfig};
    use std::sync::Arc;
    use tower::ServiceExt;

    #[test]
    fn keys_are_compared_whole() {
        assert!(same(b"secret", b"secret"));
        for wrong in [&b"secre"[..], b"secrets", b"", b"Secret", b"xxxxxx", b"secret\0"] {
            assert!(!same(b"secret", wrong));
        }
    }

    #[tokio::test]
    async fn a_bug_costs_one_request() {
        let store = Arc::new(Store::new(StoreConfig::default()).expect("a store in memory"));
        let app = App::new(ServerConfig { max_in_flight: 2, ..ServerConfig::default() }, store);
        let routes: Router<App> = Router::new()
            .route(
                "/bug",
                get(|| async {
                    if true {
                        panic!("a bug, on purpose")
                    }
                }),
            )
            .route(
                "/late",
                get(|| async {
                    tokio::task::yield_now().await;
                    if true {
                        panic!("another bug, on purpose")
                    }
                }),
            )
            .route("/fine", get(|| async { "fine" }));
        let router = guarded(routes, &app);
        let ask = |path: &'static str| {
            let request = Request::builder()
                .uri(path)
                .header("host", "localhost")
                .body(Body::empty())
                .expect("a request");
            router.clone().oneshot(request)
        };
        // More often than there are places: each bug gives its place back.
        for _ in 0..3 {
            for path in ["/bug", "/late"] {
                let answer = ask(path).await.expect("the router does not fail");
                assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
                assert_eq!(answer.headers()["content-type"], "application/problem+json");
                let body = axum::body::to_bytes(answer.into_body(), 10_000).await.expect("a body");
                assert!(String::from_utf8_lossy(&body).contains("GTM0407"));
            }
            assert_eq!(ask("/fine").await.expect("the router does not fail").status(), StatusCode::OK);
        }
        assert_eq!(app.metrics().panics.load(Relaxed), 6);
        assert_eq!(app.places().taken(), 0);
    }
}
