//! `gtm try`: a first look at a spec. A few calls are made by itself, and shown with their replies.

mod plan;

use super::call::{line, provenance};
use crate::output::{Out, Result, Status, pretty_json, safe_json};
use crate::source::Live;
use gtm_error::printable;
use gtm_sim::{Call, Reply, Rung, SessionOptions, Simulator};
use serde_json::json;

/// Lines of a reply that are shown; `--json` shows all.
const MAX_LINES: usize = 14;

/// Characters of a reply that is shown on one line.
const MAX_SHORT: usize = 96;

/// Make a few calls by itself and show the replies: a first look at any spec
///
/// Takes the tools that create, get, list, change and delete one kind of record, and calls them in an
/// order that shows how replies depend on what was called before; one call is wrong on purpose.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Toolset: spec file, folder, toolset file, or address
    toolset: Option<String>,
    #[command(flatten)]
    live: Live,
    /// Seed of the session
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Print one line of JSON a call: call, reply
    #[arg(long)]
    pub(crate) json: bool,
}

pub(crate) fn run(args: &Args) -> Result<Status> {
    let source = args.live.one(args.toolset.as_deref())?;
    let simulator = Simulator::new(source.load(&args.live)?)?;
    let mut session = simulator.open(SessionOptions { seed: args.seed, ..SessionOptions::default() })?;
    let mut out = Out::new();
    if !args.json {
        out.line(summary(&simulator, &printable(&source.to_string())))?;
    }
    let mut plan = plan::Plan::new(&simulator, session.seed());
    let mut number = 0;
    let mut first = None;
    while let Some((why, call)) = plan.next(&session) {
        let reply = simulator.try_call(&mut session, &call)?;
        number += 1;
        match args.json {
            true => out.json(&json!({"call": call, "reply": line(&reply)}))?,
            false => show(number, &why, &call, &reply, &mut out)?,
        }
        first.get_or_insert(call);
    }
    if !args.json {
        let source = printable(&source.to_string()).into_owned();
        out.line("")?;
        match first {
            None => out.line("There is no tool to call.")?,
            Some(call) => {
                let tool = printable(&call.tool).into_owned();
                out.line(format!(
                    "next: gtm call {source} {tool} '{}' --session s.json",
                    safe_json(&call.arguments)
                ))?;
                out.line(format!("      gtm read {source}     what the tools do, to edit"))?;
                out.line(format!("      gtm serve {source}    the same over HTTP, MCP and REST"))?;
            }
        }
    }
    out.flush()?;
    Ok(Status::Done)
}

/// How many tools there are and how they are answered.
fn summary(simulator: &Simulator, source: &str) -> String {
    let direct = simulator.tools().iter().filter(|t| simulator.rung(&t.name) == Some(Rung::Direct)).count();
    let all = simulator.tools().len();
    let how = match direct {
        0 => "all with a behavior".to_owned(),
        n => format!("{} with a behavior, {n} answered directly from the return schema", all - n),
    };
    format!("{source}: {all} tools, {how}")
}

fn show(number: usize, why: &str, call: &Call, reply: &Reply, out: &mut Out) -> Result<()> {
    let paint = out.paint;
    out.line("")?;
    let tool = paint.strong(&printable(&call.tool));
    out.line(format!(
        "{number}. {tool} {}  {}",
        cut(&safe_json(&call.arguments)),
        paint.dim(&format!("# {why}"))
    ))?;
    let mark = if reply.is_error { paint.bad("✗") } else { paint.good("✓") };
    out.line(format!("   {mark} {}", paint.dim(&provenance(reply))))?;
    let short = safe_json(&reply.content);
    if short.chars().count() <= MAX_SHORT {
        return out.line(format!("   {short}"));
    }
    let text = pretty_json(&reply.content, paint);
    let lines: Vec<&str> = text.lines().collect();
    for line in lines.iter().take(MAX_LINES) {
        out.line(format!("   {line}"))?;
    }
    match lines.len().saturating_sub(MAX_LINES) {
        0 => Ok(()),
        more => out.line(format!("   {}", paint.dim(&format!("… {more} more lines")))),
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(400) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
