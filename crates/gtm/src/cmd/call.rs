//! `gtm call`: one call, and the session it belongs to.

use crate::output::{self, Out, Paint, Result, Status, note};
use crate::real::{self, LiveFlag};
use crate::session_file::SessionFile;
use crate::source::Live;
use crate::suggest;
use gtm_error::{Code, Error, printable};
use gtm_sim::{Call, Reply, SessionOptions, Simulator};
use gtm_tool::{Limits, parse_document};
use gtm_world::ErrorKind;
use serde_json::{Map, Value, json};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Longest wait that a latency fault may ask for.
const MAX_DELAY: Duration = Duration::from_secs(60);

/// Call one tool
///
/// Prints the reply. With --session, the state is carried from call to call in a file. A simulated
/// failure is a reply as well: the exit code is then 0 and `is_error` is true.
#[derive(Debug, clap::Args)]
#[command(
    override_usage = "gtm call [OPTIONS] <TOOLSET> <TOOL> [ARGUMENTS]\n       gtm call [OPTIONS] --mcp <URL> <TOOL> [ARGUMENTS]"
)]
pub(crate) struct Args {
    /// Toolset (unless a flag names a live server), tool, and arguments as a JSON object: `-` reads
    /// them from standard input, `@FILE` from a file; none means {}
    #[arg(value_name = "TOOLSET> <TOOL> [ARGUMENTS", num_args = 1..=3, required = true)]
    words: Vec<String>,
    #[command(flatten)]
    live: Live,
    #[command(flatten)]
    real: LiveFlag,
    /// File that carries the session from call to call; made if it does not exist
    #[arg(long, value_name = "FILE")]
    session: Option<PathBuf>,
    /// Seed of a new session
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Initial state of a new session, a JSON or YAML file
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Print one line of JSON: content, is_error, error, provenance, state_version
    #[arg(long)]
    pub(crate) json: bool,
}

pub(crate) fn run(args: &Args) -> Result<Status> {
    let words: Vec<&str> = args.words.iter().map(String::as_str).collect();
    let (toolset, tool, arguments) = match (args.live.given(), words.as_slice()) {
        (true, [tool]) => (None, *tool, None),
        (true, [tool, arguments]) => (None, *tool, Some(*arguments)),
        (false, [toolset, tool]) => (Some(*toolset), *tool, None),
        (false, [toolset, tool, arguments]) => (Some(*toolset), *tool, Some(*arguments)),
        (false, _) => {
            return Err(output::usage("no tool is named")
                .expected("gtm call TOOLSET TOOL '{\"argument\": 1}'")
                .hint(format!(
                    "list the tools with `gtm tools {}`",
                    printable(words.first().unwrap_or(&"TOOLSET"))
                ))
                .into());
        }
        (true, _) => return Err(output::usage("too many arguments").expected("TOOL [ARGUMENTS]").into()),
    };
    let arguments = arguments.map_or(Ok(Value::Object(Map::new())), read_arguments)?;
    let simulator = args.real.simulator(args.live.one(toolset)?.load(&args.live)?)?;
    let file = args.session.as_deref().map(SessionFile::lock).transpose()?;
    let state = args.state.as_deref().map(read_state).transpose()?;
    let options = SessionOptions { seed: args.seed, state, ..SessionOptions::default() };
    let mut session = match &file {
        Some(file) => file.open(&simulator, options)?,
        None => simulator.open(options)?,
    };
    let reply = real::call(&simulator, &mut session, &Call::new(tool, arguments))?;
    if let Some(file) = &file {
        file.write(&session)?;
    }
    std::thread::sleep(Duration::from_millis(reply.delay_ms).min(MAX_DELAY));
    show(&reply, args.json)?;
    if reply.error.as_ref().is_some_and(|e| e.kind == ErrorKind::UnknownTool) && !args.json {
        note(&unknown(&simulator, tool));
    }
    Ok(Status::Done)
}

fn read_state(path: &Path) -> Result<Value> {
    let limits = Limits::default();
    let bytes = read_file(path, &limits)?;
    Ok(parse_document(bytes, &limits).map_err(|e| e.in_file(path.display()))?)
}

/// Arguments as given, from standard input, or from a file.
fn read_arguments(text: &str) -> Result<Value> {
    let limits = Limits::default();
    let (bytes, place) = match text.strip_prefix('@') {
        Some(path) => (read_file(Path::new(path), &limits)?, path),
        None if text == "-" => {
            let mut bytes = Vec::new();
            let max = limits.document_bytes as u64 + 1;
            std::io::stdin().take(max).read_to_end(&mut bytes).map_err(|e| {
                Error::new(Code::FileUnreadable, format!("cannot read the arguments: {e}"))
                    .at("standard input")
            })?;
            (bytes, "standard input")
        }
        None => (text.as_bytes().to_vec(), "arguments"),
    };
    if bytes.trim_ascii().is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    Ok(parse_document(bytes, &limits).map_err(|e| {
        let wrong = output::usage(format!("the arguments are not JSON: {}", e.message()))
            .expected("a JSON object, such as '{\"id\": 7}'")
            .hint("put the JSON in single quotes, or give it as `@FILE` or `-`");
        wrong.at(e.place().map_or(place.to_owned(), |inner| format!("{place}, {inner}")))
    })?)
}

fn read_file(path: &Path, limits: &Limits) -> Result<Vec<u8>> {
    let unreadable =
        |e: std::io::Error| Error::new(Code::FileUnreadable, e.to_string()).in_file(path.display());
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(unreadable)?;
    file.take(limits.document_bytes as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    Ok(bytes)
}

/// One line of `gtm call --json`.
pub(super) fn line(reply: &Reply) -> Value {
    json!({
        "content": reply.content,
        "is_error": reply.is_error,
        "error": reply.error,
        "provenance": reply.provenance,
        "state_version": reply.state_version,
    })
}

fn show(reply: &Reply, json: bool) -> Result<()> {
    let mut out = Out::new();
    match json {
        true => out.json(&line(reply))?,
        false => out.pretty(&reply.content)?,
    }
    out.flush()?;
    if !json {
        let paint = Paint::stderr();
        let failed =
            reply.error.as_ref().map(|e| format!("{} · ", paint.bad(e.kind.name()))).unwrap_or_default();
        // Nothing can be done if standard error is closed.
        let _ = writeln!(std::io::stderr(), "{failed}{}", paint.dim(&provenance(reply)));
    }
    Ok(())
}

/// Where a reply came from, in a few words.
pub(super) fn provenance(reply: &Reply) -> String {
    let mut parts = vec![
        format!("status {}", reply.status),
        format!("by {}", reply.provenance.rung.name()),
        format!("state {}", reply.state_version),
    ];
    if let Some(fault) = &reply.provenance.fault {
        parts.push(format!("fault {}", printable(fault)));
    }
    match reply.provenance.invented.as_slice() {
        [] => {}
        [all] if all.is_empty() => parts.push("all invented".into()),
        invented => {
            let shown: Vec<_> = invented.iter().take(8).map(|p| printable(p)).collect();
            let more = invented.len().saturating_sub(8);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            parts.push(format!("invented {}{more}", shown.join(" ")));
        }
    }
    parts.join(" · ")
}

fn unknown(simulator: &Simulator, tool: &str) -> String {
    let near = suggest::near(tool, simulator.tools().iter().map(|t| t.name.as_str()));
    match near.is_empty() {
        true => format!("hint: list the {} tools with `gtm tools`", simulator.tools().len()),
        false => format!(
            "hint: did you mean {}?",
            near.iter().map(|n| printable(n)).collect::<Vec<_>>().join(", ")
        ),
    }
}
