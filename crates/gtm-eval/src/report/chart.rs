//! Bars and lines.

use gtm_page::{escaped, figure};

/// One line of a plot: its name, CSS colour, and a value at each place, if known.
pub(super) struct Series {
    pub(super) name: String,
    pub(super) colour: &'static str,
    pub(super) values: Vec<Option<f64>>,
}

/// CSS colours: what was evaluated, then the baselines.
pub(super) const COLOURS: [&str; 4] = ["var(--ours)", "var(--b1)", "var(--b2)", "var(--b3)"];

/// A card with one metric: a bar for each contender, the first being ours. Values are shares.
pub(super) fn bars(title: &str, remark: &str, values: &[(String, Option<f64>)]) -> String {
    let mut out = format!("<div class=\"card\"><h3>{title} <small>{remark}</small></h3>");
    for (at, (name, value)) in values.iter().enumerate() {
        let name = match at {
            0 => format!("<b>{}</b>", escaped(name)),
            _ => escaped(name),
        };
        let width = value.unwrap_or_default().clamp(0.0, 1.0) * 100.0;
        let colour = COLOURS.get(at).copied().unwrap_or("var(--soft)");
        out.push_str(&format!(
            "<div class=\"bar\"><span>{name}</span><span class=\"track\"><span class=\"fill\" style=\"--c:{colour};width:{width:.1}%\"></span></span><span class=\"value\">{}</span></div>",
            figure(*value)
        ));
    }
    out.push_str("</div>");
    out
}

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 260.0;
const LEFT: f64 = 44.0;
const BOTTOM: f64 = 34.0;
const TOP: f64 = 12.0;

/// Lines over named places from 0 to 1, as SVG with a legend.
pub(super) fn lines(places: &[String], series: &[Series]) -> String {
    let x = |at: usize| LEFT + (WIDTH - LEFT - 40.0) * (at as f64 + 0.5) / places.len().max(1) as f64;
    let y = |value: f64| TOP + (HEIGHT - TOP - BOTTOM) * (1.0 - value.clamp(0.0, 1.0));
    let mut out = format!("<div class=\"card\"><svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\">");
    for step in 0..=4 {
        let value = f64::from(step) / 4.0;
        let at = y(value);
        out.push_str(&format!(
            "<line class=\"axis\" x1=\"{LEFT}\" x2=\"{}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/><text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{value:.2}</text>",
            WIDTH - 8.0,
            LEFT - 8.0,
            at + 4.0
        ));
    }
    for (at, place) in places.iter().enumerate() {
        let (x, y, place) = (x(at), HEIGHT - 10.0, escaped(place));
        out.push_str(&format!("<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"middle\">{place}</text>"));
    }
    // Ours last, so that it lies on top.
    for one in series.iter().rev() {
        let known =
            || one.values.iter().enumerate().filter_map(|(at, value)| Some((x(at), y((*value)?), (*value)?)));
        let points: Vec<String> = known().map(|(x, y, _)| format!("{x:.1},{y:.1}")).collect();
        out.push_str(&format!("<polyline points=\"{}\" style=\"stroke:{}\"/>", points.join(" "), one.colour));
        for (x, y, value) in known() {
            out.push_str(&format!(
                "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\" style=\"fill:{}\"><title>{}: {value:.3}</title></circle>",
                one.colour,
                escaped(&one.name)
            ));
        }
    }
    out.push_str("</svg><div class=\"legend\">");
    for one in series {
        out.push_str(&format!("<span><i style=\"--c:{}\"></i>{}</span>", one.colour, escaped(&one.name)));
    }
    out.push_str("</div></div>");
    out
}
