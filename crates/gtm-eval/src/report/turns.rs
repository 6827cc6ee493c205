//! The browser of turns that went wrong.

use super::diff::marked;
use super::text::{count, escaped};
use crate::miss::{Example, Miss};
use crate::runner::{Evaluation, Suite};

/// Most examples on the page.
const MAX_EXAMPLES: usize = 300;

/// A way of missing the truth: its share of a suite's turns, suite, tool, kind, turns lost, examples.
type Way<'a> = (f64, &'a Suite, &'a str, Miss, u64, &'a [Example]);

/// Examples of what costs most first, in turn from each suite, with filters.
pub(super) fn browser(evaluation: &Evaluation) -> String {
    let mut ways: Vec<Way<'_>> = Vec::new();
    for suite in &evaluation.suites {
        for ((tool, miss), (lost, examples)) in &suite.misses {
            let share = *lost as f64 / suite.ours.turns.max(1) as f64;
            ways.push((share, suite, tool, *miss, *lost, examples));
        }
    }
    ways.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| (a.2, a.3).cmp(&(b.2, b.3))));
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
    let all = ways.iter().flat_map(|way| way.5.iter().map(move |example| (way, example)));
    for (at, ((_, suite, _, miss, lost, _), example)) in all.take(MAX_EXAMPLES).enumerate() {
        out.push_str(&turn(suite, *miss, *lost, example, at == 0));
    }
    out
}

fn turn(suite: &Suite, miss: Miss, lost: u64, example: &Example, open: bool) -> String {
    let name = escaped(&suite.name);
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
        kind = miss.name(),
        open = if open { " open" } else { "" },
        tool = escaped(&example.tool),
        lost = count(lost),
        session = escaped(&example.session),
        turn = example.turn + 1,
        arguments = escaped(&example.arguments.to_string()),
        real = side("real", example.real_error, &marked(&example.real, &example.ours)),
        ours = side("simulated", example.our_error, &marked(&example.ours, &example.real)),
    )
}
