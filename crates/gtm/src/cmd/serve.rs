//! `gtm serve`: many sessions of some toolsets, over HTTP, MCP and REST.

use super::stop::stop_signal;
use crate::output::{self, Out, Result, Status, note};
use crate::real::LiveFlag;
use crate::source::{Live, no_toolset};
use clap::builder::NonEmptyStringValueParser;
use gtm_error::{Code, Error, printable};
use gtm_serve::ServerConfig;
use gtm_sim::{Simulator, Store, StoreConfig};
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Toolsets named when the server starts.
const SHOWN: usize = 12;

/// Serve toolsets and environments over HTTP, MCP, REST and the protocols of trainers
///
/// Ends on SIGTERM or ctrl-c, after finishing what is under way. Without --data, sessions live in
/// memory only and are gone after a restart.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Toolsets (spec files, folders, toolset files, addresses) and environments (files with tasks, or
    /// datasets of `gtm carg run`); each is served under its name
    #[arg(value_name = "TOOLSET")]
    toolsets: Vec<String>,
    #[command(flatten)]
    live: Live,
    #[command(flatten)]
    real: LiveFlag,
    /// Address to listen on; port 0 takes a free one
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8031", env = "GTM_ADDR")]
    addr: String,
    /// Key that requests must carry, as `Authorization: Bearer KEY` or `X-API-Key: KEY`
    #[arg(long, value_name = "KEY", env = "GTM_API_KEY", hide_env_values = true, value_parser = NonEmptyStringValueParser::new())]
    api_key: Option<String>,
    /// Allow an address other than loopback; needs an API key
    #[arg(long)]
    allow_remote: bool,
    /// Origin whose web pages may call, such as https://app.example; `*` for all; may be repeated
    #[arg(long, value_name = "ORIGIN")]
    allow_origin: Vec<String>,
    /// Host name by which the server may be addressed; `*` for all; may be repeated
    #[arg(long, value_name = "HOST")]
    allow_host: Vec<String>,
    #[command(flatten)]
    sessions: Sessions,
    #[command(flatten)]
    limits: Limits,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Sessions")]
struct Sessions {
    /// Folder that sessions are stored in, so that they outlive a restart or a crash
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// With --data: a reply is sent only once its call is on the disk itself (slower)
    #[arg(long, requires = "data")]
    fsync: bool,
    /// Seconds that an idle session is kept
    #[arg(long, value_name = "S")]
    ttl: Option<u64>,
    /// Most sessions at once
    #[arg(long, value_name = "N")]
    max_sessions: Option<usize>,
    /// Do not make a session when an MCP or REST address names one that does not exist
    #[arg(long)]
    no_auto_create: bool,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Limits")]
struct Limits {
    /// Largest request body, in bytes
    #[arg(long, value_name = "BYTES")]
    max_body: Option<usize>,
    /// Most requests worked on at once; more are answered 429
    #[arg(long, value_name = "N")]
    max_in_flight: Option<usize>,
    /// Most connections at once
    #[arg(long, value_name = "N")]
    max_connections: Option<usize>,
    /// Most requests a second, of all clients together; more are answered 429
    #[arg(long, value_name = "N")]
    rate: Option<u32>,
    /// Most requests a second from one client address
    #[arg(long, value_name = "N")]
    client_rate: Option<u32>,
    /// Seconds that requests under way get to finish when the server is told to stop
    #[arg(long, value_name = "S")]
    shutdown_grace: Option<u64>,
}

pub(crate) fn run(args: Args) -> Result<Status> {
    let sources = args.live.sources(&args.toolsets)?;
    if sources.is_empty() {
        return Err(no_toolset().hint("try `gtm serve examples/petstore.yaml`").into());
    }
    let mut config = config(&args)?;
    // Refuse before any work is done, not after minutes of import.
    config.check(config.addr)?;
    let store = Arc::new(Store::new(store_config(&args))?);
    let mut served: Vec<(String, Arc<Simulator>)> = Vec::new();
    for source in &sources {
        let loaded = match source.path().filter(|path| gtm_env::is_environment(path)) {
            Some(path) => {
                let environment = gtm_env::load(path, &|toolset| args.real.simulator(toolset))?;
                let toolsets =
                    environment.toolsets().map(|(name, made)| (name.to_owned(), made.clone())).collect();
                config.environments.push(Arc::new(environment));
                toolsets
            }
            None => {
                let toolset = source.load(&args.live)?;
                vec![(toolset.name.clone(), Arc::new(args.real.simulator(toolset)?))]
            }
        };
        for (name, simulator) in loaded {
            if served.iter().any(|(known, _)| *known == name) {
                return Err(Error::new(
                    Code::DuplicateTool,
                    format!("two toolsets are called `{}`", printable(&name)),
                )
                .at(source)
                .hint("give one of them another `name:` in a toolset file")
                .into());
            }
            served.push((name.clone(), simulator.clone()));
            store.add_toolset(name, simulator);
        }
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|e| Error::new(Code::Internal, format!("cannot start the async runtime: {e}")))?;
    runtime.block_on(async {
        let listener = config.bind().await?;
        let addr = listener
            .local_addr()
            .map_err(|e| Error::new(Code::BindRefused, format!("the listener has no address: {e}")))?;
        // Before the address is printed: whoever has read it may stop the server at once.
        let stop = stop_signal()?;
        banner(&config, addr, &served, &args)?;
        gtm_serve::serve(config, store, listener, stop).await?;
        note("stopped");
        Ok(Status::Done)
    })
}

fn config(args: &Args) -> Result<ServerConfig> {
    let defaults = ServerConfig::default();
    let limits = &args.limits;
    Ok(ServerConfig {
        addr: address(&args.addr)?,
        allow_remote: args.allow_remote,
        api_key: args.api_key.clone(),
        allow_origins: args.allow_origin.clone(),
        allow_hosts: args.allow_host.clone(),
        max_connections: limits.max_connections.unwrap_or(defaults.max_connections),
        max_in_flight: limits.max_in_flight.unwrap_or(defaults.max_in_flight),
        requests_per_second: limits.rate,
        client_requests_per_second: limits.client_rate,
        max_body: limits.max_body.unwrap_or(defaults.max_body),
        shutdown_grace: limits.shutdown_grace.map_or(defaults.shutdown_grace, Duration::from_secs),
        auto_create: !args.sessions.no_auto_create,
        ..defaults
    })
}

/// The address; a name such as `localhost` is looked up.
fn address(text: &str) -> Result<SocketAddr> {
    let wrong =
        || output::usage(format!("`{text}` is no address to listen on")).expected("such as 127.0.0.1:8031");
    match text.parse() {
        Ok(addr) => Ok(addr),
        Err(_) => Ok(text.to_socket_addrs().map_err(|_| wrong())?.next().ok_or_else(wrong)?),
    }
}

fn store_config(args: &Args) -> StoreConfig {
    let defaults = StoreConfig::default();
    let sessions = &args.sessions;
    StoreConfig {
        max_sessions: sessions.max_sessions.unwrap_or(defaults.max_sessions),
        ttl: sessions.ttl.map_or(defaults.ttl, Duration::from_secs),
        data: sessions.data.clone(),
        fsync: sessions.fsync,
    }
}

/// Address, ways in, limits, and a snippet to copy.
fn banner(
    config: &ServerConfig,
    addr: SocketAddr,
    toolsets: &[(String, Arc<Simulator>)],
    args: &Args,
) -> Result<()> {
    let mut out = Out::new();
    let paint = out.paint;
    let store = store_config(args);
    let base = format!("http://{addr}");
    let tools = |simulator: &Simulator| simulator.tools().len();
    let mut names: Vec<String> = toolsets
        .iter()
        .take(SHOWN)
        .map(|(name, simulator)| format!("{} ({} tools)", printable(name), tools(simulator)))
        .collect();
    if toolsets.len() > SHOWN {
        names.push(format!("and {} more", toolsets.len() - SHOWN));
    }
    let environments: Vec<String> = config
        .environments
        .iter()
        .map(|environment| format!("{} ({} tasks)", printable(environment.name()), environment.tasks().len()))
        .collect();
    let mut row =
        |label: &str, value: String| out.line(format!("{}  {value}", paint.strong(&format!("{label:9}"))));
    row("gtm", format!("listening on {base}"))?;
    row("toolsets", names.join(", "))?;
    if !environments.is_empty() {
        row("tasks", environments.join(", "))?;
    }
    row("sessions", format!("POST {base}/v1/sessions    (described by {base}/openapi.json)"))?;
    row("MCP", format!("{base}/mcp, or {base}/s/SESSION/mcp with a session of its own"))?;
    row("REST", format!("{base}/rest/…, or {base}/r/SESSION/…    at the API's own paths"))?;
    row("trainers", format!("OpenEnv and ORS at {base}, or {base}/e/ENVIRONMENT; chats at {base}/v1"))?;
    row("key", if config.api_key.is_some() { "required".into() } else { "none (loopback only)".to_owned() })?;
    let data = match &store.data {
        Some(folder) => format!("stored in {}", printable(&folder.to_string_lossy())),
        None => "kept in memory: gone after a restart (see --data)".to_owned(),
    };
    row(
        "limits",
        format!(
            "{} sessions, idle for at most {} s, {data}; bodies up to {} KiB, {} requests at once",
            store.max_sessions,
            store.ttl.as_secs(),
            config.max_body >> 10,
            config.max_in_flight
        ),
    )?;
    let key = if config.api_key.is_some() { " -H \"Authorization: Bearer $GTM_API_KEY\"" } else { "" };
    out.line(format!("\n{}", paint.dim("# any MCP client, for example in its JSON configuration:")))?;
    out.line(format!(
        "{{\"mcpServers\": {{\"gtm\": {{\"type\": \"http\", \"url\": \"{base}/s/demo/mcp\"}}}}}}"
    ))?;
    out.line(paint.dim("# or by hand:"))?;
    out.line(format!(
        "curl -s{key} -X POST {base}/v1/sessions -H 'Content-Type: application/json' -d '{{\"id\":\"demo\"}}'"
    ))?;
    out.flush()
}
