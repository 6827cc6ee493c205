//! A run as one page with curves, which needs nothing but a browser.

use crate::metrics::{self, Entry};
use gtm_error::Result;
use std::fmt::Write;
use std::path::Path;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 240.0;
/// Left and bottom margins, where the axes' numbers stand.
const MARGIN: (f64, f64) = (56.0, 28.0);
const COLORS: [&str; 8] =
    ["#2563eb", "#dc2626", "#059669", "#d97706", "#7c3aed", "#0891b2", "#be185d", "#4b5563"];

struct Curve {
    name: String,
    points: Vec<(f64, f64)>,
}

/// The page of the run whose metrics lie in `out`.
///
/// # Errors
/// [`gtm_error::Code::FileUnreadable`] if there are none.
pub fn page(out: &Path, title: &str) -> Result<String> {
    let entries = metrics::read(out)?;
    let of_steps = |name: &str, value: &dyn Fn(&metrics::StepMetrics) -> f64| Curve {
        name: name.to_owned(),
        points: entries
            .iter()
            .filter_map(|e| match e {
                Entry::Step(m) => Some((m.tokens as f64, value(m))),
                Entry::Judged { .. } => None,
            })
            .collect(),
    };
    let held_out = |value: &dyn Fn(&metrics::HeldOutScore) -> f64| {
        let mut curves: Vec<Curve> = Vec::new();
        for entry in &entries {
            let Entry::Judged { tokens, held_out, .. } = entry else { continue };
            for score in held_out {
                let point = (*tokens as f64, value(score));
                match curves.iter_mut().find(|c| c.name == score.task) {
                    Some(curve) => curve.points.push(point),
                    None => curves.push(Curve { name: score.task.clone(), points: vec![point] }),
                }
            }
        }
        curves
    };
    let mut body = String::new();
    let mut chart = |heading: &str, curves: Vec<Curve>| {
        if curves.iter().any(|c| !c.points.is_empty()) {
            let _ = write!(body, "<h2>{heading}</h2>\n{}", svg(&curves));
        }
    };
    chart("Training loss (nats per token)", vec![of_steps("loss", &|m| m.loss)]);
    chart("Held-out loss (nats per token)", held_out(&|s| s.loss));
    chart("Held-out completions exact", held_out(&|s| s.exact));
    chart("Held-out tokens right", held_out(&|s| s.accuracy));
    chart("Learning rate", vec![of_steps("rate", &|m| m.rate)]);
    chart("Gradient length", vec![of_steps("gradient", &|m| m.gradient)]);
    chart("Tokens per second", vec![of_steps("speed", &|m| m.tokens_per_second)]);
    let title = escape(title);
    Ok(format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\n<style>\
         body{{font:14px/1.4 system-ui,sans-serif;margin:2rem auto;max-width:760px;color:#111;background:#fff}}\
         h1{{font-size:1.3rem}}h2{{font-size:1rem;margin:1.5rem 0 .3rem}}text{{font:11px system-ui,sans-serif;fill:#555}}\
         table{{border-collapse:collapse}}td,th{{padding:.15rem .8rem .15rem 0;text-align:right}}td:first-child,th:first-child{{text-align:left}}\
         </style></head>\n<body><h1>{title}</h1>\n{}{body}<p>Curves run over tokens seen.</p></body></html>\n",
        summary(&entries)
    ))
}

/// The last judgement as a table.
fn summary(entries: &[Entry]) -> String {
    let mut out = String::new();
    let last_step = entries.iter().rev().find_map(|e| if let Entry::Step(m) = e { Some(m) } else { None });
    if let Some(m) = last_step {
        let _ = writeln!(
            out,
            "<p>{} updates, {} tokens, {:.1} minutes, {:.0} tokens/s; training loss {:.4}.</p>",
            m.step,
            m.tokens,
            m.seconds / 60.0,
            m.tokens as f64 / m.seconds.max(1e-9),
            m.loss
        );
    }
    let judged = entries.iter().rev().find_map(|e| match e {
        Entry::Judged { held_out, .. } => Some(held_out),
        Entry::Step(_) => None,
    });
    if let Some(scores) = judged {
        out.push_str("<table><tr><th>held out</th><th>samples</th><th>loss</th><th>tokens right</th><th>exact</th></tr>\n");
        for s in scores {
            let _ = writeln!(
                out,
                "<tr><td>{}</td><td>{}</td><td>{:.4}</td><td>{:.1} %</td><td>{:.1} %</td></tr>",
                escape(&s.task),
                s.samples,
                s.loss,
                100.0 * s.accuracy,
                100.0 * s.exact
            );
        }
        out.push_str("</table>\n");
    }
    out
}

fn svg(curves: &[Curve]) -> String {
    let points = || curves.iter().flat_map(|c| &c.points).filter(|(_, y)| y.is_finite());
    let bounds = |value: &dyn Fn(&(f64, f64)) -> f64| {
        points()
            .map(value)
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)))
    };
    let (mut x, mut y) = (bounds(&|p| p.0), bounds(&|p| p.1));
    if !(x.0.is_finite() && y.0.is_finite()) {
        return String::new();
    }
    x.0 = x.0.min(0.0);
    y.0 = y.0.min(0.0);
    x.1 = if x.1 > x.0 { x.1 } else { x.0 + 1.0 };
    y.1 = if y.1 > y.0 { y.1 } else { y.0 + 1.0 };
    let at = |(px, py): (f64, f64)| {
        let left = MARGIN.0 + (px - x.0) / (x.1 - x.0) * (WIDTH - MARGIN.0 - 8.0);
        let top = 8.0 + (y.1 - py) / (y.1 - y.0) * (HEIGHT - MARGIN.1 - 8.0);
        (left, top)
    };
    let mut out = format!(
        "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" role=\"img\">\n"
    );
    for i in 0..=4 {
        let part = f64::from(i) / 4.0;
        let (value, along) = (y.0 + part * (y.1 - y.0), x.0 + part * (x.1 - x.0));
        let ((left, top), (right, _)) = (at((x.0, value)), at((x.1, value)));
        let _ = writeln!(
            out,
            "<line x1=\"{left:.1}\" y1=\"{top:.1}\" x2=\"{right:.1}\" y2=\"{top:.1}\" stroke=\"#e5e7eb\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            left - 6.0,
            top + 4.0,
            short(value),
            at((along, y.0)).0,
            HEIGHT - 8.0,
            short(along),
        );
    }
    for (i, curve) in curves.iter().enumerate() {
        let color = COLORS[i % COLORS.len()];
        let path: Vec<String> = curve
            .points
            .iter()
            .filter(|(_, y)| y.is_finite())
            .map(|&p| at(p))
            .map(|(left, top)| format!("{left:.1},{top:.1}"))
            .collect();
        let _ = writeln!(
            out,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"1.5\"/>",
            path.join(" ")
        );
        if curves.len() > 1 {
            let (left, top) = (WIDTH - 8.0, 20.0 + 14.0 * i as f64);
            let name = escape(&curve.name);
            let _ = writeln!(
                out,
                "<text x=\"{left}\" y=\"{top}\" text-anchor=\"end\" style=\"fill:{color}\">{name}</text>"
            );
        }
    }
    out.push_str("</svg>\n");
    out
}

/// A number in few characters.
fn short(v: f64) -> String {
    let size = v.abs();
    match size {
        _ if v == 0.0 => "0".into(),
        _ if size >= 1e9 => format!("{:.1}G", v / 1e9),
        _ if size >= 1e6 => format!("{:.1}M", v / 1e6),
        _ if size >= 1e4 => format!("{:.0}k", v / 1e3),
        _ if size >= 100.0 => format!("{v:.0}"),
        _ if size >= 1.0 => format!("{v:.2}"),
        _ if size >= 1e-3 => format!("{v:.4}"),
        _ => format!("{v:.1e}"),
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
