//! One quantity in two units: `temperature_c` and `temperature_f` side by side say the same.

use super::counters::{Check, Found};
use serde_json::Value as Json;

/// Units by suffix: what they measure, and factor and offset to its base.
const UNITS: [(&str, &str, f64, f64); 26] = [
    ("mm", "length", 1e-3, 0.0),
    ("cm", "length", 1e-2, 0.0),
    ("m", "length", 1.0, 0.0),
    ("km", "length", 1e3, 0.0),
    ("ft", "length", 0.3048, 0.0),
    ("mi", "length", 1609.344, 0.0),
    ("nmi", "length", 1852.0, 0.0),
    ("mg", "mass", 1e-6, 0.0),
    ("g", "mass", 1e-3, 0.0),
    ("kg", "mass", 1.0, 0.0),
    ("t", "mass", 1e3, 0.0),
    ("lb", "mass", 0.453_592_37, 0.0),
    ("ml", "volume", 1e-3, 0.0),
    ("l", "volume", 1.0, 0.0),
    ("m3", "volume", 1e3, 0.0),
    ("c", "temperature", 1.0, 273.15),
    ("f", "temperature", 5.0 / 9.0, 459.67 * 5.0 / 9.0),
    ("k", "temperature", 1.0, 0.0),
    ("pa", "pressure", 1.0, 0.0),
    ("kpa", "pressure", 1e3, 0.0),
    ("bar", "pressure", 1e5, 0.0),
    ("wh", "energy", 1.0, 0.0),
    ("kwh", "energy", 1e3, 0.0),
    ("mwh", "energy", 1e6, 0.0),
    ("kmh", "speed", 1.0 / 3.6, 0.0),
    ("ms", "speed", 1.0, 0.0),
];
/// Both may be rounded, to at worst two digits.
const TOLERANCE: f64 = 0.01;

/// Checks all objects of a reply.
pub(super) fn check(reply: &Json, found: &mut Found<'_>) {
    let mut open = vec![reply];
    while let Some(json) = open.pop() {
        match json {
            Json::Array(items) => open.extend(items),
            Json::Object(members) => {
                let known: Vec<(String, &str, f64, &str)> = members
                    .iter()
                    .filter_map(|(name, value)| {
                        let (stem, unit) = split(name)?;
                        let (_, kind, factor, offset) = UNITS.iter().find(|(suffix, ..)| *suffix == unit)?;
                        Some((stem, *kind, value.as_f64()? * factor + offset, name.as_str()))
                    })
                    .collect();
                for (at, (stem, kind, one, name)) in known.iter().enumerate() {
                    for (_, _, other, second) in
                        known[at + 1..].iter().filter(|k| k.0 == *stem && k.1 == *kind)
                    {
                        let near = (one - other).abs() <= TOLERANCE * one.abs().max(other.abs());
                        found.check(Check::Units, near, || {
                            format!("{name} and {second} are not the same quantity")
                        });
                    }
                }
                open.extend(members.values());
            }
            _ => {}
        }
    }
}

/// `speed_kmh` and `speedKmh` → `speed`, `kmh`; nothing for a name without a unit.
fn split(name: &str) -> Option<(String, String)> {
    let at = match name.rfind(['_', '-']) {
        Some(at) if at > 0 && at + 1 < name.len() => at,
        _ => name.rfind(|c: char| c.is_ascii_uppercase()).filter(|at| *at > 0)?,
    };
    let unit = name[at..].trim_start_matches(['_', '-']).to_ascii_lowercase();
    Some((name[..at].to_ascii_lowercase(), unit))
}
