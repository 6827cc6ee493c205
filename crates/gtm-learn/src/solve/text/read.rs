//! Texts that write a value: a number, a truth value, a list. The value is explained, and written again.

use super::super::{Found, MAX_DEPTH, Search, Target};
use gtm_world::Value;
use serde_json::Value as Json;

/// How a value is written. `@` stands for its expression.
struct Writing {
    read: fn(&str) -> Option<Value>,
    written: &'static str,
}

const WRITINGS: &[Writing] = &[
    Writing { read: whole, written: "string(@)" },
    Writing { read: hundredths, written: "format('%.2f', [@])" },
    Writing { read: decimal, written: "string(double(@))" },
    Writing { read: tenths, written: "format('%.1f', [@])" },
    Writing { read: truth, written: "capitalize(string(@))" },
    Writing { read: quoted_list, written: "\"['\" + join(@, \"', '\") + \"']\"" },
    Writing { read: comma_list, written: "join(@, ', ')" },
];

impl Search<'_> {
    /// The text as a written value.
    pub(super) fn read(&self, targets: &[Target], name: &str, depth: usize) -> Option<Found> {
        if depth + 1 >= MAX_DEPTH {
            return None;
        }
        let each = |writing: &Writing| {
            let read = |t: &Target| Some(Target { case: t.case, value: (writing.read)(t.value.as_str()?)? });
            let below: Vec<Target> = targets.iter().map(read).collect::<Option<_>>()?;
            let found = self.explain(&below, name, depth + 1);
            // Constants and tables are simpler as the text itself.
            let Json::String(expr) = &found.template else { return None };
            if expr.contains("known_") || expr.starts_with('"') {
                return None;
            }
            let text = writing.written.replace('@', expr);
            let hits = targets
                .iter()
                .map(|t| self.probe.eval(&text, t.case).is_some_and(|v| v == t.value))
                .collect();
            Some(Found::expr(&text, hits, found.cost + 1))
        };
        WRITINGS.iter().filter_map(each).max_by_key(Found::score)
    }
}

fn whole(text: &str) -> Option<Value> {
    text.parse().ok().map(Value::Int)
}

fn decimals(text: &str, count: usize) -> Option<Value> {
    let (_, after) = text.split_once('.')?;
    let fits = after.len() == count && after.bytes().all(|b| b.is_ascii_digit());
    fits.then(|| text.parse().ok().map(Value::float))?
}

fn hundredths(text: &str) -> Option<Value> {
    decimals(text, 2)
}

fn tenths(text: &str) -> Option<Value> {
    decimals(text, 1)
}

fn decimal(text: &str) -> Option<Value> {
    let (_, after) = text.split_once('.')?;
    after.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok().map(Value::float))?
}

fn truth(text: &str) -> Option<Value> {
    match text {
        "True" => Some(Value::Bool(true)),
        "False" => Some(Value::Bool(false)),
        _ => None,
    }
}

fn quoted_list(text: &str) -> Option<Value> {
    let inner = text.strip_prefix("['")?.strip_suffix("']")?;
    Some(inner.split("', '").map(super::value).collect())
}

fn comma_list(text: &str) -> Option<Value> {
    text.contains(", ").then(|| text.split(", ").map(super::value).collect())
}
