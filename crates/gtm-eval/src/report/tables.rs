//! Tables: suites, tools, errors, and where turns are lost.

use crate::evaluation::{Evaluation, Suite};
use crate::metric::class::ErrorClass;
use crate::miss::Miss;
use crate::tally::{Outcome, Tally};
use gtm_page::{count, escaped, figure};
use serde_json::{Map, Value as Json};
use std::collections::BTreeMap;

/// Columns of the tables of suites and tools: heading, metric, and whether more is better.
const COLUMNS: [(&str, &str, bool); 12] = [
    ("format", "format", true),
    ("paths", "paths_f1", true),
    ("types", "types", true),
    ("error recall", "error_recall", true),
    ("false", "error_false", false),
    ("class", "error_class", true),
    ("determined", "determined", true),
    ("leaves", "leaves", true),
    ("near", "near", true),
    ("exact", "exact", true),
    ("exact error", "exact_error", true),
    ("state", "state", true),
];

/// Most rows of the tables of tools and of losses.
const MAX_ROWS: usize = 60;

fn heading(first: &str) -> String {
    let columns: String = COLUMNS.iter().map(|(title, ..)| format!("<th>{title}</th>")).collect();
    format!("<tr><th>{first}</th><th>turns</th>{columns}</tr>")
}

fn row(class: &str, name: &str, figures: &Map<String, Json>) -> String {
    let turns = figures.get("n").and_then(Json::as_u64).unwrap_or_default();
    let cells: String = COLUMNS
        .iter()
        .map(|(_, metric, more_is_better)| {
            let value = figures.get(*metric).and_then(Json::as_f64);
            match value {
                Some(share) if *more_is_better && class.is_empty() => {
                    format!("<td class=\"heat\" style=\"--v:{share:.3}\">{share:.3}</td>")
                }
                value => format!("<td>{}</td>", figure(value)),
            }
        })
        .collect();
    format!("<tr class=\"{class}\"><td>{}</td><td>{}</td>{cells}</tr>", escaped(name), count(turns))
}

/// Suites, their macro average, and that of each baseline.
pub(super) fn suites(
    evaluation: &Evaluation,
    name: &str,
    baselines: &[(String, Map<String, Json>)],
) -> String {
    let mut out = format!("<div class=\"scroll\"><table>{}", heading("suite"));
    for suite in &evaluation.suites {
        out.push_str(&row("", &suite.name, &suite.ours.to_json()));
    }
    out.push_str(&row("sum", &format!("{name}, macro average"), &evaluation.overall()));
    for (name, figures) in baselines {
        out.push_str(&row("base", name, figures));
    }
    out + "</table></div>"
}

/// The tools of one suite, those called most first.
pub(super) fn tools(suite: &Suite) -> String {
    let mut tools: Vec<(&String, &Tally)> = suite.tools.iter().collect();
    tools.sort_by_key(|(_, tally)| std::cmp::Reverse(tally.turns));
    let mut out = format!("<div class=\"scroll\"><table>{}", heading("tool"));
    for (name, tally) in tools.iter().take(MAX_ROWS) {
        out.push_str(&row("", name, &tally.to_json()));
    }
    out.push_str("</table></div>");
    if tools.len() > MAX_ROWS {
        out.push_str(&format!("<p class=\"note\">and {} more tools</p>", tools.len() - MAX_ROWS));
    }
    out
}

/// How calls ended really (rows) and here (columns), over all suites.
pub(super) fn outcomes(evaluation: &Evaluation) -> String {
    let mut counts: BTreeMap<(Outcome, Outcome), u64> = BTreeMap::new();
    for (outcomes, count) in evaluation.suites.iter().flat_map(|suite| &suite.ours.outcomes) {
        *counts.entry(*outcomes).or_default() += count;
    }
    let every = std::iter::once(Outcome::Success)
        .chain(ErrorClass::ALL.map(|class| Outcome::Failure(Some(class))))
        .chain([Outcome::Failure(None)]);
    let occurs = |o: &Outcome| counts.keys().any(|(real, ours)| real == o || ours == o);
    let shown: Vec<Outcome> = every.filter(occurs).collect();
    let name = |outcome: &Outcome| match outcome {
        Outcome::Success => "success",
        Outcome::Failure(Some(class)) => class.name(),
        Outcome::Failure(None) => "error, class not told",
    };
    let columns: String = shown.iter().map(|outcome| format!("<th>{}</th>", name(outcome))).collect();
    let mut out =
        format!("<div class=\"scroll\"><table><tr><th>real ↓ &nbsp; simulated →</th>{columns}</tr>");
    for real in &shown {
        out.push_str(&format!("<tr><td>{}</td>", name(real)));
        for ours in &shown {
            let number = counts.get(&(*real, *ours)).copied().unwrap_or_default();
            let class = match (real == ours, number) {
                (_, 0) => "",
                (true, _) => " class=\"hot\"",
                (false, _) => " class=\"off\"",
            };
            out.push_str(&format!(
                "<td{class}>{}</td>",
                if number > 0 { count(number) } else { String::new() }
            ));
        }
        out.push_str("</tr>");
    }
    out + "</table></div>"
}

/// Recall of errors by how the call was spoilt, per suite.
pub(super) fn mutations(evaluation: &Evaluation) -> String {
    let mut all: Vec<&String> =
        evaluation.suites.iter().flat_map(|s| s.ours.caught_by_mutation.keys()).collect();
    all.sort();
    all.dedup();
    if all.is_empty() {
        return "<p class=\"note\">No call really failed.</p>".to_owned();
    }
    let columns: String = all.iter().map(|kind| format!("<th>{}</th>", escaped(kind))).collect();
    let mut out = format!("<div class=\"scroll\"><table><tr><th>suite</th>{columns}</tr>");
    for suite in &evaluation.suites {
        out.push_str(&format!("<tr><td>{}</td>", escaped(&suite.name)));
        for kind in &all {
            let caught = suite.ours.caught_by_mutation.get(*kind);
            out.push_str(&match caught.and_then(|caught| Some((caught.value()?, caught.count()))) {
                Some((share, n)) => {
                    format!("<td class=\"heat\" style=\"--v:{share:.3}\" title=\"of {n}\">{share:.3}</td>")
                }
                None => "<td>–</td>".to_owned(),
            });
        }
        out.push_str("</tr>");
    }
    out + "</table></div>"
}

/// Where most turns are lost: by suite, and by tool and kind.
pub(super) fn losses(evaluation: &Evaluation) -> String {
    let columns: String = Miss::ALL.iter().map(|miss| format!("<th>{}</th>", miss.name())).collect();
    let mut out =
        format!("<div class=\"scroll\"><table><tr><th>suite</th><th>turns</th><th>exact</th>{columns}</tr>");
    for suite in &evaluation.suites {
        let turns = suite.ours.turns;
        out.push_str(&format!(
            "<tr><td>{}</td><td>{}</td><td>{}</td>",
            escaped(&suite.name),
            count(turns),
            figure(suite.ours.exact.value())
        ));
        for miss in Miss::ALL {
            let lost: u64 =
                suite.misses.iter().filter(|((_, kind), _)| *kind == miss).map(|(_, (n, _))| n).sum();
            let share = lost as f64 / turns.max(1) as f64;
            out.push_str(&format!(
                "<td>{} <span style=\"color:var(--soft)\">{:.1} %</span></td>",
                count(lost),
                100.0 * share
            ));
        }
        out.push_str("</tr>");
    }
    out.push_str("</table></div><p class=\"note after\">And the tools that lose most:</p>");
    out.push_str("<div class=\"scroll\"><table><tr><th>tool</th><th class=\"text\">suite</th><th class=\"text\">what goes wrong</th><th>turns lost</th><th>of the suite</th></tr>");
    let mut all: Vec<(&Suite, &str, Miss, u64)> = evaluation
        .suites
        .iter()
        .flat_map(|suite| {
            suite.misses.iter().map(move |((tool, miss), (n, _))| (suite, tool.as_str(), *miss, *n))
        })
        .collect();
    let share = |suite: &Suite, lost: u64| lost as f64 / suite.ours.turns.max(1) as f64;
    all.sort_by(|a, b| share(b.0, b.3).total_cmp(&share(a.0, a.3)).then_with(|| (a.1, a.2).cmp(&(b.1, b.2))));
    for (suite, tool, miss, lost) in all.into_iter().take(MAX_ROWS) {
        out.push_str(&format!(
            "<tr><td>{}</td><td class=\"text\">{}</td><td class=\"text\">{}</td><td>{}</td><td>{:.2} %</td></tr>",
            escaped(tool),
            escaped(&suite.name),
            miss.name(),
            count(lost),
            100.0 * share(suite, lost)
        ));
    }
    out + "</table></div>"
}
