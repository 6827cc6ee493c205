//! The figures that matter most, as a table for people.

use crate::output::{Out, Result};
use gtm_error::printable;
use gtm_eval::Evaluation;
use gtm_eval::baseline::Baseline;
use gtm_eval::report::CurvePoint;
use serde_json::{Map, Value as Json};

/// Columns: heading and metric.
const COLUMNS: [(&str, &str); 11] = [
    ("turns", "n"),
    ("format", "format"),
    ("paths", "paths_f1"),
    ("types", "types"),
    ("recall", "error_recall"),
    ("false", "error_false"),
    ("class", "error_class"),
    ("determ.", "determined"),
    ("near", "near"),
    ("exact", "exact"),
    ("state", "state"),
];

/// Widest name of a suite shown in full.
const NAME: usize = 22;

pub(super) fn show(evaluation: &Evaluation, name: &str, out: &mut Out) -> Result<()> {
    let mut heading = format!("{:<NAME$}", "suite");
    COLUMNS.iter().for_each(|(title, _)| heading.push_str(&format!(" {title:>7}")));
    let paint = out.paint;
    out.line(paint.strong(&heading))?;
    for suite in &evaluation.suites {
        out.line(row(&suite.name, &suite.ours.to_json()))?;
    }
    out.line(paint.strong(&row(&format!("{name} (macro)"), &evaluation.overall())))?;
    for (at, baseline) in Baseline::ALL.into_iter().enumerate() {
        out.line(paint.dim(&row(baseline.name(), &evaluation.overall_of(at))))?;
    }
    let overall = evaluation.overall();
    let figure = |metric: &str| overall.get(metric).and_then(Json::as_f64).unwrap_or_default();
    out.line(format!(
        "deterministic {:.2}; {:.3} ms a call (median), {:.3} ms (99 %){}",
        figure("deterministic"),
        figure("ms_per_call_p50"),
        figure("ms_per_call_p99"),
        if cfg!(debug_assertions) { ", in a debug build" } else { "" },
    ))
}

/// The macro average by the number of recorded sessions learned from; nothing if there is no curve.
pub(super) fn curve(points: &[CurvePoint], out: &mut Out) -> Result<()> {
    if points.is_empty() {
        return Ok(());
    }
    let paint = out.paint;
    out.line(paint.strong("learning curve (macro)"))?;
    for point in points {
        out.line(row(&format!("{} sessions", point.sessions), &point.evaluation.overall()))?;
    }
    Ok(())
}

fn row(name: &str, figures: &Map<String, Json>) -> String {
    let name = printable(name);
    let mut row = format!("{:<NAME$}", name.chars().take(NAME).collect::<String>());
    for (_, metric) in COLUMNS {
        let text = match figures.get(metric) {
            Some(Json::Number(n)) if n.is_u64() => n.to_string(),
            Some(Json::Number(n)) => format!("{:.3}", n.as_f64().unwrap_or_default()),
            _ => "-".to_owned(),
        };
        row.push_str(&format!(" {text:>7}"));
    }
    row
}
