//! The browser of turns that went wrong.

use super::diff::marked;
use crate::evaluation::{Evaluation, Suite};
use crate::miss::{Example, Miss};
use gtm_page::{count, escaped};

/// Most examples on the page.
const MAX_EXAMPLES: usize = 300;

/// A way in which a tool goes wrong.
struct Way<'a> {
    /// Share of the suite's turns that are lost by it.
    share: f64,
    suite: &'a Suite,
    tool: &'a str,
    miss: Miss,
    /// Turns lost by it.
    lost: u64,
    examples: &'a [Example],
}

/// Examples of what costs most first, in turn from each suite, with filters.
pub(super) fn browser(evaluation: &Evaluation) -> String {
    let mut ways: Vec<Way<'_>> = Vec::new();
    for suite in &evaluation.suites {
        for ((tool, miss), (lost, examples)) in &suite.misses {
            let share = *lost as f64 / suite.ours.turns.max(1) as f64;
            ways.push(Way { share, suite, tool, miss: *miss, lost: *lost, examples });
        }
    }
    ways.sort_by(|a, b| b.share.total_cmp(&a.share).then_with(|| (a.tool, a.miss).cmp(&(b.tool, b.miss))));
    let suites: String = evaluation
        .suites
        .iter()
        .map(|suite| escaped(&suite.name))
        .map(|name| format!("<option value=\"{name}\">{name}</option>"))
        .collect();
    let kinds: String = Miss::ALL.iter().map(|miss| format!("<option>{}</option>", miss.name())).collect();
    let mut out = format!(
        "<div class=\"controls\" hidden><select id=\"by-suite\"><option value=\"\">all suites</option>{suites}</select>\
         <select id=\"by-kind\"><option value=\"\">all kinds</option>{kinds}</select>\
         <input id=\"by-text\" type=\"search\" placeholder=\"tool or text\"> <span id=\"shown\"></span></div>"
    );
    let all = ways.iter().flat_map(|way| way.examples.iter().map(move |example| (way, example)));
    for (at, (way, example)) in all.take(MAX_EXAMPLES).enumerate() {
        out.push_str(&turn(way, example, at == 0));
    }
    out
}

fn turn(way: &Way<'_>, example: &Example, open: bool) -> String {
    let name = escaped(&way.suite.name);
    let side = |title: &str, failed: bool, value: &str| {
        let failed = if failed { " <span class=\"err\">error</span>" } else { "" };
        format!("<div><h4>{title}{failed}</h4><pre>{value}</pre></div>")
    };
    let mutation =
        example.mutation.as_deref().map_or(String::new(), |m| format!(" · call spoilt: {}", escaped(m)));
    format!(
        "<details class=\"turn\" data-suite=\"{name}\" data-kind=\"{kind}\"{open}><summary><code>{tool}</code> \
         <span class=\"tag\">{kind}</span> <span class=\"of\">{name}</span><span class=\"count\">{lost} turns like this</span></summary>\
         <div class=\"body\"><p class=\"note\">session {session}, turn {turn}{mutation}</p><pre>{arguments}</pre>\
         <div class=\"sides\">{real}{ours}</div></div></details>",
        kind = way.miss.name(),
        open = if open { " open" } else { "" },
        tool = escaped(&example.tool),
        lost = count(way.lost),
        session = escaped(&example.session),
        turn = example.turn + 1,
        arguments = escaped(&example.arguments.to_string()),
        real = side("real", example.real_error, &marked(&example.real, &example.ours)),
        ours = side("simulated", example.our_error, &marked(&example.ours, &example.real)),
    )
}
