//! `gtm record`: a transparent proxy in front of real tools that writes down what they are asked and
//! what they answer.

mod body;
mod mcp_http;
mod messages;
mod proxy;
mod recorder;
mod rest;
mod stdio;

use super::stop::stop_signal;
use crate::output::{self, Out, Paint, Result, Status, note};
use crate::source::{Live, Source};
use gtm_error::{Code, Error, printable};
use gtm_serve::Operations;
use gtm_sim::recording::Redaction;
use recorder::{Recorder, Summary};
use serde_json::json;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Record real tools: a proxy that writes what they are asked and what they answer
///
/// The client sees what the real tools say, as they say it. Each call is in the file before its answer
/// reaches the client. Toolsets replay the file (`recordings:`), `gtm eval` measures by it. Secrets
/// are left out of the file, by header and by name.
#[derive(Debug, clap::Args)]
#[command(
    override_usage = "gtm record [OPTIONS] -- <COMMAND>...\n       gtm record [OPTIONS] --mcp <URL>\n       gtm record [OPTIONS] --http <UPSTREAM> --spec <FILE>"
)]
pub(crate) struct Args {
    /// An MCP server over standard input and output: the command that starts it
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
    /// An MCP server over streamable HTTP: its address
    #[arg(long, value_name = "URL", conflicts_with = "command")]
    mcp: Option<String>,
    /// An HTTP API: its base address
    #[arg(long, value_name = "UPSTREAM", conflicts_with_all = ["command", "mcp"], requires = "spec")]
    http: Option<String>,
    /// With --http: the API's OpenAPI document, or any other spec whose tools are HTTP operations
    #[arg(long, value_name = "FILE", requires = "http")]
    spec: Option<String>,
    /// File that the recording is appended to
    #[arg(short, long, value_name = "FILE", default_value = "recording.jsonl")]
    out: PathBuf,
    /// Name of what is recorded. Default: from the command, address or spec
    #[arg(long, value_name = "NAME")]
    suite: Option<String>,
    /// Address that the proxy listens on, for --mcp and --http; port 0 takes a free one
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8032")]
    addr: SocketAddr,
    /// Keep the values of this member, parameter or header out of the file as well; may be repeated
    #[arg(long, value_name = "NAME")]
    redact: Vec<String>,
    /// Write everything as it is, secrets too
    #[arg(long, conflicts_with = "redact")]
    no_redact: bool,
    /// Seconds that a real server over HTTP may be silent
    #[arg(long, value_name = "S", default_value_t = 120, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    timeout: u64,
    /// Print where the proxy listens, and at the end what was recorded, as lines of JSON
    #[arg(long)]
    pub(crate) json: bool,
}

pub(crate) fn run(args: &Args) -> Result<Status> {
    let source = match (&args.mcp, &args.http, args.command.is_empty()) {
        (Some(address), _, _) => Source::McpHttp(address.clone()),
        (_, Some(address), _) => Source::Url(address.clone()),
        (_, _, false) => Source::McpCommand(args.command.clone()),
        _ => {
            return Err(output::usage("nothing is named that could be recorded")
                .expected("-- COMMAND…, --mcp URL, or --http UPSTREAM --spec FILE")
                .into());
        }
    };
    let redaction = if args.no_redact { Redaction::none() } else { Redaction::new(&args.redact) };
    // What cannot work is told before any file is made.
    let upstream = match &source {
        Source::McpHttp(address) | Source::Url(address) => Some(proxy::upstream(address)?),
        _ => None,
    };
    let operations = args.spec.as_deref().map(operations).transpose()?;
    let suite = args.suite.clone().unwrap_or_else(|| match &args.spec {
        Some(spec) => Source::Path(spec.into()).name(),
        None => source.name(),
    });
    let recorder = Arc::new(Recorder::new(&args.out, &suite, redaction)?);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|e| Error::new(Code::Internal, format!("cannot start the async runtime: {e}")))?;
    let recorded = runtime.block_on(async {
        let stop = stop_signal()?;
        match (upstream, operations) {
            (None, _) => Ok(stdio::run(&args.command, recorder.clone(), stop).await?),
            (Some(upstream), operations) => over_http(args, upstream, operations, &recorder, stop).await,
        }
    });
    // Reading standard input cannot be called off; the process ends anyway.
    runtime.shutdown_timeout(Duration::from_millis(100));
    let summary = recorder.finish();
    recorded?;
    tell(args, &summary)?;
    match summary.failed {
        Some(error) => Err(error.into()),
        None => Ok(Status::Done),
    }
}

async fn over_http(
    args: &Args,
    upstream: reqwest::Url,
    operations: Option<Operations>,
    recorder: &Arc<Recorder>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<()> {
    let (listener, addr) = proxy::bind(args.addr).await?;
    let timeout = Duration::from_secs(args.timeout);
    let recorder = recorder.clone();
    match operations {
        Some(operations) => {
            recorder.set_common_tools(
                operations.tools().iter().filter_map(|tool| serde_json::to_value(tool).ok()).collect(),
            );
            banner(args, &format!("http://{addr}"), upstream.as_str())?;
            let recording = rest::Rest { operations, recorder: recorder.clone() };
            proxy::serve(listener, upstream.as_str(), timeout, recorder, recording, stop).await?;
        }
        None => {
            // Beside the endpoint, servers have others of their own, such as those for signing in.
            let origin = upstream.origin().ascii_serialization();
            banner(args, &format!("http://{addr}{}", upstream.path()), upstream.as_str())?;
            let recording = mcp_http::McpHttp::new(recorder.clone());
            proxy::serve(listener, &origin, timeout, recorder, recording, stop).await?;
        }
    }
    Ok(())
}

/// The HTTP operations of a spec.
fn operations(spec: &str) -> Result<Operations> {
    let tools = Source::parse(spec)?.load(&Live::default())?.tools;
    let operations = Operations::new(&tools);
    match operations.tools().is_empty() {
        false => Ok(operations),
        true => Err(output::usage("the spec has no HTTP operations")
            .at(spec)
            .expected("an OpenAPI document, or tools with `method` and `path`")
            .into()),
    }
}

/// Where the proxy listens.
fn banner(args: &Args, listening: &str, upstream: &str) -> Result<()> {
    let mut out = Out::new();
    match args.json {
        true => out.json(&json!({"listening": listening, "upstream": upstream, "out": args.out}))?,
        false => {
            let paint = out.paint;
            let row = |label: &str, value: &str| format!("{}  {value}", paint.strong(&format!("{label:9}")));
            out.line(row("gtm", &format!("recording on {listening}")))?;
            out.line(row("upstream", &printable(upstream)))?;
            out.line(row("out", &shown(&args.out)))?;
        }
    }
    out.flush()
}

/// What was recorded. Over standard output, an MCP client is still listening.
fn tell(args: &Args, summary: &Summary) -> Result<()> {
    let Summary { calls, sessions, passed, .. } = summary;
    if args.json && args.command.is_empty() {
        let mut out = Out::new();
        out.json(&json!({"calls": calls, "sessions": sessions, "passed": passed, "out": args.out}))?;
        return out.flush();
    }
    let many = |n: u64, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    let mut text = format!("recorded {} in {}", many(*calls, "call"), many(*sessions, "session"));
    if *passed > 0 {
        text.push_str(&format!(", {passed} passed through unrecorded"));
    }
    note(&format!("{text}: {}", Paint::stderr().strong(&shown(&args.out))));
    Ok(())
}

fn shown(path: &Path) -> String {
    printable(&path.to_string_lossy()).into_owned()
}
