//! The page itself.

use super::{Real, Report, Trait, treemap::treemap};
use crate::trace::{Trace, Turn};
use gtm_page::{Page, Section, count, escaped};
use std::collections::BTreeMap;

/// Turns of a session that are shown.
const TURNS: usize = 30;
/// Characters of a reply that are shown.
const SHOWN: usize = 1_500;
/// Pairs of tools that are shown as nearest.
const NEAREST: usize = 10;

pub(super) fn html(report: &Report, real: &mut Real, areas: &BTreeMap<String, String>) -> String {
    let dropped: u64 = report.dropped.values().sum();
    let lead = format!(
        "{} sessions with {} call and reply pairs in {} domains, {} of them with a task; {} names of tools and {} of parameters. \
         Every reply was computed by the engine, none by a language model. {} sessions were dropped by the checks.",
        count(report.sessions),
        count(report.pairs),
        report.domains.len(),
        count(report.tasks),
        count(report.names.len() as u64),
        count(report.members.len() as u64),
        count(dropped),
    );
    let section = |id, title, note: &str, body| Section { id, title, note: note.to_owned(), body };
    let mut sections = vec![
        section("domains", "Domains", "By area; the larger, the more sessions.", domains(report, areas)),
        section("kinds", "Kinds", "", kinds(report)),
        section("sessions", "Sessions", "", sizes(report)),
    ];
    if real.tools + real.replies > 0 {
        let note = format!(
            "Against {} real tools (at most {} of one API) and {} replies of real tools. Divergence is Jensen–Shannon's, in bits: 0 for the \
             same distribution, 1 for two that share nothing.",
            count(real.tools),
            super::OF_ONE_API,
            count(real.replies)
        );
        sections.push(section("realism", "Beside real tools", &note, realism(report, real)));
    }
    if real.neighbours.len() > 0 {
        let note = "How many words of name, description and parameters a tool shares with the nearest real one: distance 0 is all, 1 none.";
        sections.push(section("neighbours", "Nearest real tools", note, nearest(report, real)));
    }
    let read: String =
        report.to_read.values().enumerate().map(|(at, trace)| session(trace, at == 0)).collect();
    sections.push(section("read", "Sessions to read", "Drawn at random.", read));
    Page {
        title: "A dataset of tool calls",
        lead: &lead,
        sections: &sections,
        footer: concat!("gtm ", env!("CARGO_PKG_VERSION"), ". How it is made: docs/carg.md."),
        style: include_str!("style.css"),
        script: "",
    }
    .html()
}

fn domains(report: &Report, areas: &BTreeMap<String, String>) -> String {
    let mut groups: BTreeMap<&str, Vec<(String, u64)>> = BTreeMap::new();
    for (domain, sessions) in &report.domains {
        let area = areas.get(domain).map_or("other", String::as_str);
        groups.entry(area).or_default().push((domain.clone(), *sessions));
    }
    let groups: Vec<(String, Vec<(String, u64)>)> =
        groups.into_iter().map(|(area, domains)| (area.replace('_', " "), domains)).collect();
    treemap(&groups)
}

/// A card of bars, one for each name, as long as its share of the greatest.
fn bars(title: &str, remark: &str, values: &[(String, u64)]) -> String {
    let total: u64 = values.iter().map(|(_, n)| n).sum();
    let most = values.iter().map(|(_, n)| *n).max().unwrap_or(1).max(1);
    let mut out = format!("<div class=\"card\"><h3>{title} <small>{remark}</small></h3>");
    for (name, n) in values {
        let width = 100.0 * *n as f64 / most as f64;
        let share = 100.0 * *n as f64 / total.max(1) as f64;
        out.push_str(&bar(name, width, "var(--ours)", &format!("{share:.1} %")));
    }
    out + "</div>"
}

fn bar(name: &str, width: f64, colour: &str, value: &str) -> String {
    format!(
        "<div class=\"bar\"><span title=\"{name}\">{name}</span><span class=\"track\"><span class=\"fill\" style=\"--c:{colour};width:{width:.1}%\"></span></span>\
         <span class=\"value\">{value}</span></div>",
        name = escaped(name)
    )
}

/// The greatest first, the rest as one.
fn greatest(counts: &BTreeMap<String, u64>, most: usize) -> Vec<(String, u64)> {
    let mut all: Vec<(String, u64)> = counts.iter().map(|(name, n)| (name.replace('_', " "), *n)).collect();
    all.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let rest: u64 = all.iter().skip(most).map(|(_, n)| n).sum();
    all.truncate(most);
    if rest > 0 {
        all.push(("others".into(), rest));
    }
    all
}

fn kinds(report: &Report) -> String {
    format!(
        "<div class=\"metrics\">{}{}{}{}{}</div>",
        bars("Tools called", "by kind", &greatest(&report.families, 14)),
        bars("Failures", "by kind", &greatest(&report.errors, 10)),
        bars("Replies", "what is around them", &greatest(&report.envelopes, 10)),
        bars("Failures look as", "members", &greatest(&report.failures, 10)),
        match report.dropped.is_empty() {
            true => String::new(),
            false => bars("Dropped", "by the check that failed", &greatest(&report.dropped, 10)),
        },
    )
}

fn sizes(report: &Report) -> String {
    let ranges = |counts: &BTreeMap<u64, u64>, width: u64| -> Vec<(String, u64)> {
        counts.iter().map(|(from, n)| (format!("{from}–{}", from + width - 1), *n)).collect()
    };
    format!(
        "<div class=\"metrics\">{}{}</div>",
        bars("Turns", "of a session", &ranges(&report.lengths, 5)),
        bars("Tools", "of a session", &ranges(&report.toolsets, 4)),
    )
}

fn realism(report: &Report, real: &Real) -> String {
    let mut out = String::from("<div class=\"metrics\">");
    for (of, bits) in report.divergences(real) {
        let bits = bits.map_or("nothing to compare with".to_owned(), |bits| format!("divergence {bits:.3}"));
        out.push_str(&format!("<div class=\"card\"><h3>{} <small>{bits}</small></h3>", of.title()));
        out.push_str(&pairs(report, real, of));
        out.push_str("</div>");
    }
    out + "</div><div class=\"legend\"><span><i style=\"--c:var(--ours)\"></i>dataset</span><span><i style=\"--c:var(--b2)\"></i>real</span></div>"
}

/// For each range, a bar of ours above one of the real.
fn pairs(report: &Report, real: &Real, of: Trait) -> String {
    let (ours, theirs) = (report.profile.shares(of), real.profile.shares(of));
    let share = |shares: &[(&str, f64)], place: &str| {
        shares.iter().find(|(name, _)| *name == place).map_or(0.0, |(_, share)| *share)
    };
    let most = ours.iter().chain(&theirs).map(|(_, share)| *share).fold(0.01, f64::max);
    let mut out = String::new();
    for place in report.profile.places(&real.profile, of) {
        let (a, b) = (share(&ours, place), share(&theirs, place));
        out.push_str(&bar(place, 100.0 * a / most, "var(--ours)", &format!("{:.1} %", 100.0 * a)));
        out.push_str(&bar("", 100.0 * b / most, "var(--b2)", &format!("{:.1} %", 100.0 * b)));
    }
    out
}

fn nearest(report: &Report, real: &mut Real) -> String {
    let placed = report.placed(real);
    let mut ranges: Vec<(String, u64)> = (0..10)
        .map(|at| (format!("{:.1}–{:.1}", f64::from(at) / 10.0, f64::from(at + 1) / 10.0), 0))
        .collect();
    for (distance, ..) in &placed {
        ranges[((distance * 10.0) as usize).min(9)].1 += 1;
    }
    let rows: String = placed
        .iter()
        .take(NEAREST)
        .map(|(distance, ours, theirs)| {
            format!(
                "<tr><td class=\"text\">{}</td><td class=\"text\">{}</td><td>{distance:.2}</td></tr>",
                escaped(ours),
                escaped(theirs)
            )
        })
        .collect();
    format!(
        "<div class=\"metrics\">{}<div class=\"card\"><h3>The nearest <small>of {} tools</small></h3><div class=\"scroll\"><table>\
         <tr><th class=\"text\">in the dataset</th><th class=\"text\">real</th><th>distance</th></tr>{rows}</table></div></div></div>",
        bars("Distance", "to the nearest real tool", &ranges),
        count(placed.len() as u64),
    )
}

fn session(trace: &Trace, open: bool) -> String {
    let task = trace.task.as_ref().map_or(String::new(), |task| {
        format!("<p class=\"note\"><b>Task.</b> {}</p>", escaped(&task.instruction))
    });
    let tools: String = trace
        .tools
        .iter()
        .map(|tool| {
            let text = serde_json::to_string_pretty(&tool.parameters).unwrap_or_default();
            format!(
                "<details class=\"spec\"><summary><code>{}</code><span class=\"of\">{}</span></summary><pre>{}</pre></details>",
                escaped(&tool.name),
                escaped(&tool.description),
                escaped(&text)
            )
        })
        .collect();
    let turns: String = trace.turns.iter().take(TURNS).map(turn).collect();
    let more = match trace.turns.len().checked_sub(TURNS) {
        Some(more @ 1..) => format!("<p class=\"note\">and {more} more turns</p>"),
        _ => String::new(),
    };
    format!(
        "<details class=\"turn\"{}><summary><code>{}</code><span class=\"of\">session {}</span><span class=\"count\">{} tools, {} turns</span></summary>\
         <div class=\"body\">{task}<details class=\"specs\"><summary>the tools</summary>{tools}</details>{turns}{more}</div></details>",
        if open { " open" } else { "" },
        escaped(&trace.group),
        escaped(&trace.session_id),
        trace.tools.len(),
        trace.turns.len(),
    )
}

fn turn(turn: &Turn) -> String {
    let reply = match &turn.response {
        serde_json::Value::String(text) => text.clone(),
        other => serde_json::to_string_pretty(other).unwrap_or_default(),
    };
    let mut shown: String = reply.chars().take(SHOWN).collect();
    if shown.len() < reply.len() {
        shown.push('…');
    }
    let failed = turn
        .error
        .as_deref()
        .map_or(String::new(), |kind| format!(" <span class=\"tag\">{}</span>", escaped(kind)));
    let changed = if turn.changed { " <span class=\"changed\">changes the state</span>" } else { "" };
    format!(
        "<div class=\"call\"><p><code>{}</code><code class=\"arguments\">{}</code>{failed}{changed}</p><pre>{}</pre></div>",
        escaped(&turn.call.name),
        escaped(&turn.call.arguments.to_string()),
        escaped(&shown)
    )
}
