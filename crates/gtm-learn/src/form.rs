//! The form of values that nothing explains, as a JSON Schema for the filler.

use gtm_world::Value;
use serde_json::{Map, Value as Json, json};

/// Most different values that count as a choice.
const MAX_CHOICE: usize = 6;

/// Most values that are looked at, and most levels of them.
const MAX_VALUES: usize = 200;
const MAX_DEPTH: usize = 6;

/// A schema that the values satisfy, as narrow as they allow.
pub(crate) fn schema<'a>(values: impl Iterator<Item = &'a Value>) -> Json {
    of(&values.take(MAX_VALUES).collect::<Vec<_>>(), MAX_DEPTH)
}

fn of(values: &[&Value], depth: usize) -> Json {
    if depth == 0 {
        return json!({});
    }
    let all = |wanted: fn(&Value) -> bool| !values.is_empty() && values.iter().all(|v| wanted(v));
    let numbers = || values.iter().filter_map(|v| v.as_f64());
    if let Some(choice) = choice(values) {
        return json!({"enum": choice});
    }
    if all(|v| matches!(v, Value::Bool(_))) {
        json!({"type": "boolean"})
    } else if all(|v| matches!(v, Value::Int(_) | Value::Float(_))) {
        let kind = if all(|v| matches!(v, Value::Int(_))) { "integer" } else { "number" };
        let (least, most) = numbers().fold((f64::MAX, f64::MIN), |(a, b), x| (a.min(x), b.max(x)));
        let bound = |x: f64| if kind == "integer" { json!(x as i64) } else { json!(x) };
        json!({"type": kind, "minimum": bound(least), "maximum": bound(most)})
    } else if all(|v| matches!(v, Value::Str(_))) {
        let texts: Vec<&str> = values.iter().filter_map(|v| v.as_str()).collect();
        match pattern(&texts) {
            Some(pattern) => json!({"type": "string", "pattern": pattern}),
            None => json!({"type": "string", "examples": texts.iter().take(3).collect::<Vec<_>>()}),
        }
    } else if all(|v| matches!(v, Value::List(_))) {
        let items: Vec<&Value> = values.iter().filter_map(|v| v.as_list()).flatten().collect();
        match items.is_empty() {
            true => json!({"type": "array", "maxItems": 0}),
            false => json!({"type": "array", "items": of(&items, depth - 1)}),
        }
    } else if all(|v| matches!(v, Value::Map(_))) {
        let mut properties = Map::new();
        let maps: Vec<_> = values.iter().filter_map(|v| v.as_map()).collect();
        for name in maps.iter().flat_map(|m| m.keys()).take(200) {
            if !properties.contains_key(&**name) {
                properties.insert(
                    name.to_string(),
                    of(&maps.iter().filter_map(|m| m.get(name)).collect::<Vec<_>>(), depth - 1),
                );
            }
        }
        let required: Vec<&String> =
            properties.keys().filter(|name| maps.iter().all(|m| m.contains_key(name))).collect();
        json!({"type": "object", "required": required, "properties": properties.clone()})
    } else {
        json!({})
    }
}

/// Whether the values are made up afresh for each call, such as ids and tokens: no two are equal, they have
/// one build, and digits among them. Nobody can foretell them, so having their form is all there is to have.
pub(crate) fn is_fresh(values: &[&Value]) -> bool {
    let texts: Vec<&str> = values.iter().filter_map(|v| v.as_str()).collect();
    let distinct = texts.iter().enumerate().all(|(i, text)| !texts[..i].contains(text));
    texts.len() == values.len() && distinct && texts.iter().all(|t| is_token(t)) && {
        texts.len() == 1 || pattern(&texts).is_some()
    }
}

/// Letters and digits mixed, as no word is.
pub(crate) fn is_token(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let letters = text.bytes().filter(u8::is_ascii_alphabetic).count();
    let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    plain && text.len() >= 8 && digits >= 3 && letters >= 1
}

/// A few values that recur.
fn choice(values: &[&Value]) -> Option<Vec<Json>> {
    let mut distinct: Vec<&Value> = Vec::new();
    for value in values {
        if matches!(value, Value::List(_) | Value::Map(_)) {
            return None;
        }
        if !distinct.contains(value) {
            distinct.push(value);
        }
        if distinct.len() > MAX_CHOICE {
            return None;
        }
    }
    (distinct.len() * 3 <= values.len()).then(|| distinct.iter().map(|v| v.to_json()).collect())
}

/// A pattern for made-up texts of one build, such as `^dsp_[0-9a-f]{12}$`: what they share at the start,
/// then runs of characters, where all have the same length. `None` for prose.
fn pattern(texts: &[&str]) -> Option<String> {
    let first = texts.first()?;
    let length = first.chars().count();
    let shaped = texts.iter().all(|t| t.chars().count() == length && !t.contains(' '));
    if !shaped || length < 3 || (texts.len() < 2 && !is_token(first)) {
        return None;
    }
    let columns: Vec<Vec<char>> = texts.iter().map(|t| t.chars().collect()).collect();
    let mut out = String::from("^");
    let mut run: Option<(&str, usize)> = None;
    let flush = |run: &mut Option<(&str, usize)>, out: &mut String| {
        if let Some((class, count)) = run.take() {
            out.push_str(&if count == 1 { class.to_owned() } else { format!("{class}{{{count}}}") });
        }
    };
    for i in 0..length {
        let column: Vec<char> = columns.iter().map(|c| c[i]).collect();
        if column.iter().all(|c| *c == column[0]) && !column[0].is_ascii_digit() {
            flush(&mut run, &mut out);
            if !column[0].is_alphanumeric() && !matches!(column[0], '_' | '-' | ':' | '#') {
                out.push('\\');
            }
            out.push(column[0]);
            continue;
        }
        let is = |wanted: fn(&char) -> bool| column.iter().all(wanted);
        let class = if is(char::is_ascii_digit) {
            "[0-9]"
        } else if is(|c| c.is_ascii_hexdigit() && !c.is_ascii_uppercase()) {
            "[0-9a-f]"
        } else if is(char::is_ascii_alphanumeric) {
            "[0-9A-Za-z]"
        } else {
            return None;
        };
        match &mut run {
            Some((known, count)) if *known == class => *count += 1,
            // Digits among hexadecimal ones are hexadecimal ones by chance.
            Some((known, count)) if *known == "[0-9a-f]" && class == "[0-9]" => *count += 1,
            _ => {
                flush(&mut run, &mut out);
                run = Some((class, 1));
            }
        }
    }
    flush(&mut run, &mut out);
    out.push('$');
    Some(out)
}
