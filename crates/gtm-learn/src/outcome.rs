//! Kinds of outcome of a tool: errors by what they say, successes by their shape.

use crate::case::Call;
use gtm_world::Value;

/// Most shapes of success that are told apart.
const MAX_SHAPES: usize = 40;
/// Most kinds of error that are told apart.
const MAX_ERRORS: usize = 60;
/// Longest text that is looked at.
const MAX_TEXT: usize = 400;

/// Cases of one outcome.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) is_error: bool,
    /// Indices of the cases.
    pub(crate) cases: Vec<usize>,
}

/// Tells the outcomes of calls apart; the commonest success, else the commonest error, comes last.
pub(crate) fn outcomes<'a>(calls: impl Iterator<Item = &'a Call>) -> Vec<Outcome> {
    let calls: Vec<&Call> = calls.collect();
    let mut kinds: Vec<(String, Outcome)> = Vec::new();
    // Finer first; what would tell nearly every call apart tells nothing.
    let good: Vec<&&Call> = calls.iter().filter(|c| !c.is_error).collect();
    let count = |coarse: usize| {
        let mut shapes: Vec<String> = good.iter().map(|call| shape(call, coarse)).collect();
        shapes.sort_unstable();
        shapes.dedup();
        shapes.len()
    };
    let few = |coarse: &usize| count(*coarse) <= MAX_SHAPES.min(3 + good.len() / 6);
    let coarse = [0, 1, 2].into_iter().find(few).unwrap_or(3);
    for (at, call) in calls.iter().enumerate() {
        let kind = match call.is_error {
            true => format!("error {}", said(call)),
            false => format!("success {}", shape(call, coarse)),
        };
        let full = kinds.len() >= MAX_ERRORS;
        match kinds.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, outcome)) => outcome.cases.push(at),
            None if full => {}
            None => kinds.push((kind, Outcome { is_error: call.is_error, cases: vec![at] })),
        }
    }
    let mut outcomes: Vec<Outcome> = kinds.into_iter().map(|(_, outcome)| outcome).collect();
    let usual = (0..outcomes.len()).max_by_key(|i| (!outcomes[*i].is_error, outcomes[*i].cases.len()));
    if let Some(usual) = usual {
        let last = outcomes.remove(usual);
        outcomes.push(last);
    }
    outcomes
}

/// What an error says, without what is particular to the call.
fn said(call: &Call) -> String {
    let mut out = String::new();
    say(&call.reply, call, &mut out, 0);
    out
}

fn say(value: &Value, call: &Call, out: &mut String, depth: usize) {
    match value {
        Value::Str(text) => out.push_str(&general(text, call)),
        Value::Map(map) if depth < 4 => {
            for (name, value) in map.iter().take(30) {
                out.push_str(name);
                out.push(':');
                say(value, call, out, depth + 1);
                out.push(',');
            }
        }
        Value::List(list) if depth < 4 => list.iter().take(3).for_each(|v| say(v, call, out, depth + 1)),
        other => out.push_str(other.type_name()),
    }
}

/// A text without arguments, quoted parts and digits.
pub(crate) fn general(text: &str, call: &Call) -> String {
    let mut text: String = text.chars().take(MAX_TEXT).collect();
    let mut values: Vec<String> = Vec::new();
    scalars(&call.args, &mut values, 0);
    scalars(&call.check, &mut values, 0);
    values.sort_by_key(|v| std::cmp::Reverse(v.len()));
    for value in values.iter().filter(|v| v.len() > 2) {
        text = text.replace(value.as_str(), "•");
    }
    let mut out = String::new();
    let mut quoted = None;
    let mut before = ' ';
    for c in text.chars() {
        match quoted {
            Some(quote) if c == quote => {
                quoted = None;
                out.push_str("•'");
            }
            Some(_) => {}
            // An apostrophe inside a word quotes nothing.
            None if (c == '\'' || c == '"') && !before.is_alphanumeric() => {
                quoted = Some(c);
                out.push('\'');
            }
            None if c.is_ascii_digit() => {
                if before != '#' {
                    out.push('#');
                }
                before = '#';
                continue;
            }
            None => out.push(c),
        }
        before = c;
    }
    out
}

fn scalars(value: &Value, out: &mut Vec<String>, depth: usize) {
    if out.len() > 60 || depth > 4 {
        return;
    }
    match value {
        Value::Map(map) => map.values().for_each(|v| scalars(v, out, depth + 1)),
        Value::List(list) => list.iter().for_each(|v| scalars(v, out, depth + 1)),
        Value::Str(text) => out.push(text.to_string()),
        Value::Int(_) | Value::Float(_) => out.extend(value.as_key().map(|k| k.to_string())),
        Value::Null | Value::Bool(_) => {}
    }
}

/// What kind of success a reply tells of, roughly.
pub(crate) fn kind_of_success(call: &Call) -> String {
    shape(call, 1)
}

/// The shape of a success, in more or less detail.
fn shape(call: &Call, coarse: usize) -> String {
    match &call.reply {
        Value::Str(text) => match coarse {
            0 => general(text.lines().next().unwrap_or_default(), call),
            1 => general(text, call).split(' ').take(4).collect::<Vec<_>>().join(" "),
            2 => general(text, call).split(' ').take(1).collect(),
            _ => "text".into(),
        },
        Value::Map(map) => match coarse {
            0 | 1 => {
                let mut members: Vec<String> = map
                    .iter()
                    .map(|(name, value)| match (coarse, value) {
                        (0, Value::Null) => format!("{name}:null"),
                        (0, Value::Map(inner)) if inner.len() <= 12 => {
                            let mut names: Vec<&str> = inner.keys().map(|k| &**k).collect();
                            names.sort_unstable();
                            format!("{name}:{{{}}}", names.join(","))
                        }
                        // A message says which case it is; a single word is a value.
                        (0, Value::Str(text)) if text.trim().contains(' ') => {
                            format!(
                                "{name}:{}",
                                general(text, call).split(' ').take(4).collect::<Vec<_>>().join(" ")
                            )
                        }
                        (0, other) => format!("{name}:{}", other.type_name()),
                        _ => name.to_string(),
                    })
                    .collect();
                members.sort_unstable();
                members.join(";")
            }
            _ => "object".into(),
        },
        other => other.type_name().into(),
    }
}
