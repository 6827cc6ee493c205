//! Conditions that may decide what a call leads to: about its arguments, about what is wrong with
//! them, about records they select and single values of the state.

use crate::case::{Case, Probe};
use crate::quote;
use gtm_world::Value;
use std::collections::BTreeMap;

/// Cases that conditions are read off.
const MAX_CASES: usize = 24;
/// Most conditions of one tool.
const MAX_ATOMS: usize = 700;
/// Most lookups of one tool.
const MAX_LOOKUPS: usize = 90;
/// Costliest place in the state that a condition is about.
const MAX_COST: u32 = 14;

/// A condition, and how unlikely it is to be what decides.
#[derive(Clone, Debug)]
pub(crate) struct Atom {
    pub(crate) text: String,
    pub(crate) cost: u32,
}

/// Texts with costs, each once.
#[derive(Default)]
struct Costs(BTreeMap<String, (u32, u32)>);

impl Costs {
    fn add(&mut self, text: String, cost: u32) {
        let known = self.0.entry(text).or_insert((cost, 0));
        known.0 = known.0.min(cost);
        known.1 += 1;
    }

    /// The cheapest and commonest, at most so many.
    fn take(self, most: usize) -> Vec<(String, u32)> {
        let mut all: Vec<(String, u32, u32)> = self.0.into_iter().map(|(t, (c, n))| (t, c, n)).collect();
        all.sort_by(|a, b| a.1.cmp(&b.1).then(b.2.cmp(&a.2)).then_with(|| a.0.cmp(&b.0)));
        all.truncate(most);
        all.into_iter().map(|(text, cost, _)| (text, cost)).collect()
    }
}

/// Conditions for a tool, the likeliest first. `samples` are cases of all outcomes.
pub(crate) fn atoms(probe: &Probe, samples: &[usize]) -> Vec<Atom> {
    let all = samples;
    let samples = &samples[..samples.len().min(MAX_CASES)];
    let mut out = Costs::default();
    accepted(probe, all, &mut out);
    out.add("size(check.missing) > 0".into(), 1);
    out.add("size(check.unexpected) > 0".into(), 1);
    out.add("check != null".into(), 3);
    out.add("repeated".into(), 4);
    let places = arguments(probe, samples);
    for (place, values) in &places {
        about_argument(place, values, &mut out);
    }
    out.add("values(args).exists(v, isList(v) || isObject(v))".into(), 4);
    lookups(probe, samples, &mut out);
    singles(probe, samples, &mut out);
    comparisons(probe, samples, &mut out);
    out.take(MAX_ATOMS).into_iter().map(|(text, cost)| Atom { text, cost }).collect()
}

/// Places among the arguments, with the values seen there and how often.
fn arguments(probe: &Probe, samples: &[usize]) -> BTreeMap<String, Vec<(Value, usize)>> {
    let mut out: BTreeMap<String, Vec<(Value, usize)>> = BTreeMap::new();
    for &sample in samples {
        let facts = probe.cases[sample].facts();
        for at in 0..facts.nodes.len() as u32 {
            if facts.in_state(at) {
                break;
            }
            let Some(way) = facts.ways(at).first().cloned() else { continue };
            let item = way.text.ends_with(']') && !way.text.ends_with("\"]");
            if way.cost > 8 || item || !way.text.contains("args") || &*way.text == "args" || out.len() > 60 {
                continue;
            }
            let values = out.entry(way.text.to_string()).or_default();
            match values.iter().position(|(value, _)| value == facts.value(at)) {
                Some(known) => values[known].1 += 1,
                None if values.len() < 40 => values.push((facts.value(at).clone(), 1)),
                None => {}
            }
        }
    }
    out
}

fn about_argument(place: &str, seen: &[(Value, usize)], out: &mut Costs) {
    let values: Vec<&Value> = seen.iter().map(|(value, _)| value).collect();
    out.add(format!("{place} == null"), 2);
    if let Some((parent, name)) = place.rsplit_once('.').filter(|(parent, _)| !parent.is_empty())
        && quote::is_identifier(name)
    {
        out.add(format!("!has({parent}.{name})"), 3);
    }
    let mut kinds: Vec<&str> = values.iter().map(|v| v.type_name()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    if kinds.len() > 1 {
        for kind in kinds {
            out.add(format!("type({place}) == {}", quote::text(kind)), 3);
        }
        out.add(format!("isList({place}) || isObject({place})"), 3);
    }
    for (value, count) in seen.iter().filter(|(v, _)| v.as_key().is_some()).take(40) {
        let empty = value.as_str().is_some_and(|t| t.trim().is_empty());
        // A value that recurs is a choice; one that does not is data.
        let cost = if empty {
            3
        } else if *count > 1 {
            6
        } else {
            13
        };
        out.add(format!("{place} == {}", quote::literal(value)), cost);
    }
    let numbers: Vec<f64> = values.iter().filter_map(|v| v.as_f64()).collect();
    if !numbers.is_empty() {
        let mut bounds = vec![0.0, 1.0];
        bounds.extend(numbers.iter().copied().take(12));
        for bound in bounds {
            let bound = quote::literal(&whole(bound));
            out.add(format!("isNumber({place}) && {place} < {bound}"), 6);
            out.add(format!("isNumber({place}) && {place} > {bound}"), 6);
        }
    }
    let texts: Vec<&str> = values.iter().filter_map(|v| v.as_str()).collect();
    if !texts.is_empty() {
        for (test, cost) in [("isNumeric", 5), ("isDate", 5), ("isEmail", 5), ("isDigits", 6)] {
            out.add(format!("!{test}(string({place}))"), cost);
        }
        for pattern in texts.iter().take(12).filter_map(|t| pattern(t)) {
            let cost = 5 + pattern.len() as u32 / 10;
            out.add(format!("!matches(string({place}), {})", quote::text(&pattern)), cost);
        }
    }
}

/// That an argument is one of those that were accepted, where these recur.
fn accepted(probe: &Probe, samples: &[usize], out: &mut Costs) {
    let mut values: BTreeMap<String, Vec<(Value, usize)>> = BTreeMap::new();
    for &sample in samples {
        let call = &probe.cases[sample].call;
        for (name, value) in call.args.as_map().into_iter().flat_map(|m| m.iter()).filter(|_| !call.is_error)
        {
            let known = values.entry(name.to_string()).or_default();
            match known.iter_mut().find(|(v, _)| v == value) {
                Some((_, count)) => *count += 1,
                None => known.push((value.clone(), 1)),
            }
        }
    }
    for (name, known) in values {
        let calls: usize = known.iter().map(|(_, count)| count).sum();
        // How likely the next one is new, by how many were seen once (Good and Turing).
        let once = known.iter().filter(|(_, count)| *count == 1).count();
        let choice = once * 20 <= calls
            && known.iter().all(|(v, _)| matches!(v, Value::Str(_) | Value::Int(_) | Value::Bool(_)));
        if choice && known.len() > 1 && known.len() <= 60 && calls >= 2 * known.len() {
            let list: Vec<String> = known.iter().map(|(v, _)| quote::literal(v)).collect();
            let place = quote::member("args", &name);
            out.add(format!("{place} in [{}]", list.join(", ")), 4 + (2 * known.len() / calls.max(1)) as u32);
        }
    }
}

fn whole(x: f64) -> Value {
    if x.fract() == 0.0 && x.abs() < 1e15 { Value::Int(x as i64) } else { Value::float(x) }
}

/// The build of a text with digits in it: `2024-03-05` is `^[0-9]{4}-[0-9]{2}-[0-9]{2}$`.
fn pattern(text: &str) -> Option<String> {
    if !text.contains(|c: char| c.is_ascii_digit()) || text.len() > 40 {
        return None;
    }
    let mut out = String::from("^");
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let class: Option<fn(&char) -> bool> = match c {
            c if c.is_ascii_digit() => Some(char::is_ascii_digit),
            c if c.is_ascii_alphabetic() => Some(char::is_ascii_alphabetic),
            _ => None,
        };
        match class {
            Some(class) => {
                let mut count = 1;
                while chars.next_if(class).is_some() {
                    count += 1;
                }
                match c.is_ascii_digit() {
                    true => out.push_str(&format!("[0-9]{{{count}}}")),
                    false => out.push_str("[A-Za-z]+"),
                }
            }
            None => {
                out.push('\\');
                out.push(c);
            }
        }
    }
    out.push('$');
    (out.is_ascii()).then_some(out)
}

/// Records and items that arguments select, and that there are none.
fn lookups(probe: &Probe, samples: &[usize], out: &mut Costs) {
    let mut found = Costs::default();
    let mut within = Costs::default();
    for &sample in samples {
        let facts = probe.cases[sample].facts();
        for at in 0..facts.nodes.len() as u32 {
            let Some(parent) = facts.parent(at).filter(|_| facts.in_state(at)) else { continue };
            let selected = |way: &crate::facts::Way, base: &str| {
                way.cost <= MAX_COST
                    && way
                        .text
                        .strip_prefix(base)
                        .is_some_and(|rest| rest.starts_with('[') && rest.contains("args"))
                    || way.cost <= MAX_COST
                        && (way.text.starts_with("find(") || way.text.starts_with("first("))
                        && way.text.ends_with(')')
                        && way.text.contains("args")
            };
            let bases = facts.ways(parent);
            for way in facts.ways(at).iter().take(6) {
                if bases.iter().any(|base| selected(way, &base.text)) {
                    found.add(way.text.to_string(), way.cost);
                }
            }
            // An item of a list of texts.
            if let (Value::List(_), Some(key)) = (facts.value(parent), facts.value(at).as_key()) {
                for r in facts.refs(&key) {
                    for base in bases.iter().take(2).filter(|base| base.cost <= MAX_COST) {
                        within.add(format!("{} in {}", r.text, base.text), base.cost + r.cost);
                    }
                }
            }
        }
    }
    for (lookup, cost) in found.take(MAX_LOOKUPS) {
        if let Some((list, _)) = item_of_argument(&lookup) {
            let each = lookup.replace(&format!("{list}[0]"), "i");
            out.add(format!("isList({list}) && {list}.exists(i, {each} == null)"), 3 + cost / 4);
        }
        out.add(format!("{lookup} == null"), 2 + cost / 4);
    }
    for (condition, cost) in within.take(MAX_LOOKUPS) {
        if let Some((list, _)) = item_of_argument(&condition) {
            let each = condition.replace(&format!("{list}[0]"), "i");
            out.add(format!("isList({list}) && {list}.exists(i, !({each}))"), 3 + cost / 4);
        }
        out.add(condition, 2 + cost / 4);
    }
}

/// The argument whose first item a lookup goes by.
fn item_of_argument(lookup: &str) -> Option<(String, usize)> {
    let at = lookup.find("args.")?;
    let end = at + lookup[at..].find(|c: char| !c.is_ascii_alphanumeric() && c != '.' && c != '_')?;
    lookup[end..].starts_with("[0]").then(|| (lookup[at..end].to_owned(), at))
}

/// Single values of the state, and members of records that arguments select.
fn singles(probe: &Probe, samples: &[usize], out: &mut Costs) {
    let mut seen: BTreeMap<String, (u32, Vec<Value>)> = BTreeMap::new();
    for &sample in samples {
        let facts = probe.cases[sample].facts();
        for at in 0..facts.nodes.len() as u32 {
            let value = facts.value(at);
            let sized = matches!(value, Value::List(_) | Value::Map(_));
            if !facts.in_state(at) || value.as_str().is_some_and(|t| t.len() > 60) {
                continue;
            }
            for way in facts.ways(at).iter().take(2).filter(|way| way.cost <= MAX_COST) {
                if sized {
                    if way.cost <= 9 {
                        out.add(format!("isEmpty({})", way.text), 5 + way.cost / 4);
                    }
                } else if seen.len() < 400 || seen.contains_key(&*way.text) {
                    let known = seen.entry(way.text.to_string()).or_insert((way.cost, Vec::new()));
                    if known.1.len() < 8 && !known.1.contains(value) {
                        known.1.push(value.clone());
                    }
                }
            }
        }
    }
    for (place, (cost, values)) in seen {
        let cost = 3 + cost / 4;
        out.add(format!("isEmpty({place})"), cost + 1);
        if values.len() < 8 {
            for value in values.iter().filter(|v| !v.is_null()) {
                match value {
                    Value::Bool(true) => out.add(format!("{place} == true"), cost),
                    Value::Bool(false) => {}
                    Value::Int(_) | Value::Float(_) => {
                        out.add(format!("{place} == {}", quote::literal(value)), cost + 4)
                    }
                    other => out.add(format!("{place} == {}", quote::literal(other)), cost + 1),
                }
            }
        }
    }
}

/// Numbers against numbers, and arguments against what they have to agree with.
fn comparisons(probe: &Probe, samples: &[usize], out: &mut Costs) {
    let mut numbers = Costs::default();
    let mut equal = Costs::default();
    for &sample in samples {
        let case: &Case = &probe.cases[sample];
        let facts = case.facts();
        for at in 0..facts.nodes.len() as u32 {
            let value = facts.value(at);
            let Some(way) = facts.ways(at).first().filter(|way| way.cost <= MAX_COST).cloned() else {
                continue;
            };
            match value {
                Value::Int(_) | Value::Float(_) => numbers.add(way.text.to_string(), way.cost),
                Value::List(_) if facts.in_state(at) => {
                    numbers.add(format!("size({})", way.text), way.cost + 2)
                }
                _ => {}
            }
            if facts.in_state(at) {
                continue;
            }
            // What an argument is equal to, in the record that another argument selects.
            if value.as_key().is_some_and(|k| k.len() > 1) {
                for place in facts.places(value).filter(|p| facts.in_state(*p)).take(8) {
                    for other in facts.ways(place).iter().take(4) {
                        if other.cost <= MAX_COST && !other.text.contains(&*way.text) {
                            equal.add(format!("{} == {}", way.text, other.text), 2 + other.cost / 4);
                        }
                    }
                }
            }
        }
    }
    for (text, cost) in equal.take(60) {
        out.add(text, cost);
    }
    let numbers = numbers.take(16);
    for (a, cost) in numbers.iter().filter(|(a, _)| a.contains("args") || a.starts_with("size(")) {
        for (b, other) in numbers.iter().filter(|(b, _)| b != a) {
            let guard = format!("isNumber({a}) && isNumber({b})");
            let cost = 4 + (cost + other) / 5;
            out.add(format!("{guard} && {a} > {b}"), cost);
            out.add(format!("{guard} && {a} < {b}"), cost);
        }
    }
}
