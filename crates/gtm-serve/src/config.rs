//! Everything that can be set about the server, in one place.

use gtm_env::Environment;
use gtm_error::{Code, Error, Result};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// How the server listens, whom it lets in and what one client may cost.
///
/// Each limit is checked before the work it bounds is done. `docs/http.md` has the same table; a
/// test compares the two.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// Address to listen on. Default `127.0.0.1:8031`.
    pub addr: SocketAddr,
    /// Whether `addr` may be other than loopback. Needs `api_key`. Default no.
    pub allow_remote: bool,
    /// The key that requests must carry, except those to `/health`, `/livez`, `/readyz` and
    /// `/version`. Default none.
    pub api_key: Option<String>,
    /// Origins (`https://app.example`, with a port if it is not the scheme's own) whose web pages
    /// may call, beside the server's own origin and, for a server on loopback, pages on loopback.
    /// `*` allows all. Default none.
    pub allow_origins: Vec<String>,
    /// Host names (`sim.example` or `sim.example:8031`) by which the server may be addressed,
    /// beside loopback names and, if `allow_remote`, IP addresses. `*` allows all. Default none.
    pub allow_hosts: Vec<String>,
    /// Connections held at once; more wait in the system's queue. Cost: about 10 KiB each.
    /// Default 8,192.
    pub max_connections: usize,
    /// Requests worked on at once; more get 429. Default 1,024.
    pub max_in_flight: usize,
    /// Requests a second from all clients together; more get 429. Default no limit.
    pub requests_per_second: Option<u32>,
    /// Requests a second from one client address; more get 429. Default no limit.
    pub client_requests_per_second: Option<u32>,
    /// Bytes of a request body; more gets 413. Default 4 MiB.
    pub max_body: usize,
    /// Bytes of a request's line and headers; more gets 431. Default 64 KiB.
    pub max_header: usize,
    /// Time for the headers to arrive, and for which an idle connection is kept. Default 20 s.
    pub header_timeout: Duration,
    /// Time for the body to arrive; longer gets 408. Default 30 s.
    pub body_timeout: Duration,
    /// Time that a client may leave an answer unread before it is cut off. Default 30 s.
    pub write_timeout: Duration,
    /// Time that requests under way get to finish when the server is told to stop. Default 10 s.
    pub shutdown_grace: Duration,
    /// How often idle sessions are looked for. Default 5 s.
    pub sweep_interval: Duration,
    /// Calls of one batch; more gets 413. Default 1,000.
    pub max_batch: usize,
    /// Sessions made by one fork request; more gets 413. Default 10,000.
    pub max_fork: usize,
    /// Entries of one page of a listing (sessions, tools, turns); more is cut to it. Default 1,000.
    pub max_page: usize,
    /// Latency that a fault may ask for; longer is cut to it. Default 60 s.
    pub max_delay: Duration,
    /// Environments: toolsets with tasks. Their toolsets are in the store as well. The first is that of
    /// requests that name none. Default none.
    pub environments: Vec<Arc<Environment>>,
    /// Toolset of requests that name none. Default the only one there is.
    pub default_toolset: Option<String>,
    /// Whether the store waits for a disk, so that calls are made on threads that may wait.
    /// Default no.
    pub blocking_store: bool,
    /// Whether the MCP and REST faces make a session when a URL names one that does not exist.
    /// Default yes.
    pub auto_create: bool,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            addr: SocketAddr::from((Ipv4Addr::LOCALHOST, 8031)),
            allow_remote: false,
            api_key: None,
            allow_origins: Vec::new(),
            allow_hosts: Vec::new(),
            max_connections: 8_192,
            max_in_flight: 1_024,
            requests_per_second: None,
            client_requests_per_second: None,
            max_body: 4 << 20,
            max_header: 64 << 10,
            header_timeout: Duration::from_secs(20),
            body_timeout: Duration::from_secs(30),
            write_timeout: Duration::from_secs(30),
            shutdown_grace: Duration::from_secs(10),
            sweep_interval: Duration::from_secs(5),
            max_batch: 1_000,
            max_fork: 10_000,
            max_page: 1_000,
            max_delay: Duration::from_secs(60),
            environments: Vec::new(),
            default_toolset: None,
            blocking_store: false,
            auto_create: true,
        }
    }
}

impl ServerConfig {
    /// Whether the server may listen on `addr` with these settings.
    pub fn check(&self, addr: SocketAddr) -> Result<()> {
        if self.api_key.as_deref().is_some_and(|key| key.trim().is_empty()) {
            return Err(
                Error::new(Code::BindRefused, "the API key is empty").expected("a key of some length")
            );
        }
        if addr.ip().is_loopback() {
            return Ok(());
        }
        if !self.allow_remote {
            return Err(Error::new(Code::BindRefused, format!("{addr} is not a loopback address")));
        }
        if self.api_key.is_none() {
            return Err(Error::new(Code::BindRefused, format!("{addr} would be open to everyone"))
                .hint("give `--api-key` (or GTM_API_KEY) along with `--allow-remote`"));
        }
        Ok(())
    }

    /// Listens on `addr`, if it is allowed to.
    pub async fn bind(&self) -> Result<tokio::net::TcpListener> {
        self.check(self.addr)?;
        tokio::net::TcpListener::bind(self.addr).await.map_err(|e| {
            Error::new(Code::BindRefused, format!("cannot listen on {}: {e}", self.addr))
                .hint("choose another port with `--addr`, or stop what listens there")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table in the documentation has every limit and its default.
    #[test]
    fn documented_limits_are_the_limits() {
        let page = include_str!("../../../docs/http.md");
        let ServerConfig {
            max_connections,
            max_in_flight,
            max_body,
            max_header,
            header_timeout,
            body_timeout,
            write_timeout,
            shutdown_grace,
            sweep_interval,
            max_batch,
            max_fork,
            max_page,
            max_delay,
            ..
        } = ServerConfig::default();
        let number = |n: usize| match n {
            n if n >= 1 << 20 => format!("{} MiB", n >> 20),
            n if n >= 1 << 14 => format!("{} KiB", n >> 10),
            n if n >= 1_000 => format!("{},{:03}", n / 1_000, n % 1_000),
            n => n.to_string(),
        };
        let seconds = |time: Duration| format!("{} s", time.as_secs());
        for (name, value) in [
            ("max_connections", number(max_connections)),
            ("max_in_flight", number(max_in_flight)),
            ("requests_per_second", "none".into()),
            ("client_requests_per_second", "none".into()),
            ("max_body", number(max_body)),
            ("max_header", number(max_header)),
            ("header_timeout", seconds(header_timeout)),
            ("body_timeout", seconds(body_timeout)),
            ("write_timeout", seconds(write_timeout)),
            ("shutdown_grace", seconds(shutdown_grace)),
            ("sweep_interval", seconds(sweep_interval)),
            ("max_batch", number(max_batch)),
            ("max_fork", number(max_fork)),
            ("max_page", number(max_page)),
            ("max_delay", seconds(max_delay)),
        ] {
            let row = format!("| `{name}` | {value} |");
            assert!(page.contains(&row), "docs/http.md lacks {row}");
        }
    }

    #[test]
    fn only_loopback_unless_remote_is_allowed_with_a_key() {
        let any: SocketAddr = ([0, 0, 0, 0], 80).into();
        let mut config = ServerConfig::default();
        assert!(config.check(config.addr).is_ok());
        assert!(config.check("[::1]:80".parse().expect("an address")).is_ok());
        assert_eq!(config.check(any).map_err(|e| e.code()), Err(Code::BindRefused));
        config.allow_remote = true;
        assert_eq!(config.check(any).map_err(|e| e.code()), Err(Code::BindRefused));
        config.api_key = Some("  ".into());
        assert_eq!(config.check(any).map_err(|e| e.code()), Err(Code::BindRefused));
        config.api_key = Some("secret".into());
        assert!(config.check(any).is_ok());
    }
}
