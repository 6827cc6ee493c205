//! The report: one self-contained page, without anything from elsewhere.

mod chart;
mod diff;
mod tables;
mod turns;

use crate::baseline::Baseline;
use crate::evaluation::Evaluation;
use crate::tally::HORIZON;
use chart::{COLOURS, Series};
use gtm_page::{Section, count, escaped};
use serde_json::{Map, Value as Json};

/// What a report shows.
#[derive(Clone, Copy, Debug)]
pub struct Page<'a> {
    /// What came out.
    pub evaluation: &'a Evaluation,
    /// Name of what was evaluated.
    pub name: &'a str,
    /// Whether it ran freely.
    pub free: bool,
    /// Fidelity by number of recorded sessions learned from; no curve if empty.
    pub curve: &'a [CurvePoint],
}

/// Fidelity after learning from so many recorded sessions.
#[derive(Clone, Debug)]
pub struct CurvePoint {
    /// Recorded sessions learned from.
    pub sessions: usize,
    /// What came out on sessions of other groups.
    pub evaluation: Evaluation,
}

/// Metrics of the overview: name, title, remark.
const OVERVIEW: [(&str, &str, &str); 9] = [
    ("format", "Format", "right kind, as declared"),
    ("paths_f1", "Paths", "F1 of member paths"),
    ("error_recall", "Errors caught", "of real failures"),
    ("error_false", "False refusals", "of real successes; less is better"),
    ("determined", "Determined leaves", "exact where knowable"),
    ("leaves", "All leaves", "exact"),
    ("near", "Near leaves", "numbers and text nearly right"),
    ("exact", "Exact replies", "the whole reply equal"),
    ("state", "State", "reads of what calls wrote"),
];

/// Metrics drawn against the number of recordings learned from.
const CURVE: [(&str, &str); 4] =
    [("exact", "exact"), ("determined", "determined"), ("error_recall", "errors caught"), ("state", "state")];

/// The page.
pub fn html(page: &Page<'_>) -> String {
    let Page { evaluation, name, free, curve } = *page;
    let baselines: Vec<(String, Map<String, Json>)> = Baseline::ALL
        .iter()
        .enumerate()
        .map(|(at, baseline)| (baseline.name().to_owned(), evaluation.overall_of(at)))
        .collect();
    let mut contenders = vec![(name.to_owned(), evaluation.overall())];
    contenders.extend(baselines.iter().cloned());
    let sessions = evaluation.suites.iter().map(|suite| suite.sessions).sum();
    let turns = evaluation.suites.iter().map(|suite| suite.ours.turns).sum();
    let mode = match free {
        true => "The sessions ran freely on the simulator's own replies.",
        false => "At each turn the true earlier turns were known.",
    };
    let lead = format!(
        "{} against the real tools: {} recorded sessions, {} turns. {mode} Code compared each predicted reply with the \
         real one; no language model judged. Figures over all suites are macro averages.",
        escaped(name),
        count(sessions),
        count(turns),
    );
    let mut sections: Vec<(&'static str, &'static str, String, String)> = vec![
        ("overview", "Overview", String::new(), overview(&contenders)),
        (
            "suites",
            "Suites",
            "A dash means that a suite has no turn to which the metric applies.".into(),
            tables::suites(evaluation, name, &baselines),
        ),
        (
            "horizon",
            "Horizon",
            "Exact replies by turn of the session, mean over suites.".into(),
            horizon(&contenders),
        ),
    ];
    if !curve.is_empty() {
        let note =
            "Fidelity on unseen groups, by the number of recorded sessions of the same tools learned from.";
        sections.push(("learning", "Learning", note.into(), learning(curve)));
    }
    let errors = tables::outcomes(evaluation)
        + "<p class=\"note after\">Errors caught, by how the call was spoilt on purpose (none: it was not).</p>"
        + &tables::mutations(evaluation);
    sections.push(("errors", "Errors", "How calls really ended, and how they ended here.".into(), errors));
    sections.push((
        "losses",
        "Where turns are lost",
        "Every turn that is not exact, by the first thing that is wrong with it.".into(),
        tables::losses(evaluation),
    ));
    let tools: String = evaluation
        .suites
        .iter()
        .map(|suite| {
            format!(
                "<details class=\"suite\"><summary>{}<span class=\"count\">{} tools</span></summary><div class=\"body\">{}</div></details>",
                escaped(&suite.name),
                suite.tools.len(),
                tables::tools(suite)
            )
        })
        .collect();
    sections.push(("tools", "Tools", String::new(), tools));
    sections.push((
        "turns",
        "Turns that went wrong",
        "What costs a suite most comes first. Leaves that differ are marked.".into(),
        turns::browser(evaluation),
    ));
    let sections: Vec<Section> =
        sections.into_iter().map(|(id, title, note, body)| Section { id, title, note, body }).collect();
    gtm_page::Page {
        title: "Fidelity of simulated tools",
        lead: &lead,
        sections: &sections,
        footer: concat!("gtm ", env!("CARGO_PKG_VERSION"), ". What each metric means: docs/metrics.md."),
        style: "",
        script: include_str!("script.js"),
    }
    .html()
}

fn value(figures: &Map<String, Json>, metric: &str) -> Option<f64> {
    figures.get(metric).and_then(Json::as_f64)
}

fn overview(contenders: &[(String, Map<String, Json>)]) -> String {
    let cards: String = OVERVIEW
        .iter()
        .map(|(metric, title, remark)| {
            let values: Vec<_> =
                contenders.iter().map(|(name, figures)| (name.clone(), value(figures, metric))).collect();
            chart::bars(title, remark, &values)
        })
        .collect();
    format!("<div class=\"metrics\">{cards}</div>")
}

fn horizon(contenders: &[(String, Map<String, Json>)]) -> String {
    let places = HORIZON.map(|part| match part.split_once('_') {
        Some((from, to)) => format!("turns {from}–{to}"),
        None => format!("turns {part}+"),
    });
    let series: Vec<Series> = contenders
        .iter()
        .zip(COLOURS)
        .map(|((name, figures), colour)| Series {
            name: name.clone(),
            colour,
            values: HORIZON.iter().map(|part| value(figures, &format!("horizon_{part}"))).collect(),
        })
        .collect();
    chart::lines(&places, &series)
}

fn learning(curve: &[CurvePoint]) -> String {
    let places: Vec<String> = curve.iter().map(|point| format!("{} sessions", point.sessions)).collect();
    let figures: Vec<Map<String, Json>> = curve.iter().map(|point| point.evaluation.overall()).collect();
    let series: Vec<Series> = CURVE
        .iter()
        .zip(COLOURS)
        .map(|((metric, name), colour)| Series {
            name: (*name).to_owned(),
            colour,
            values: figures.iter().map(|figures| value(figures, metric)).collect(),
        })
        .collect();
    chart::lines(&places, &series)
}
