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
/// Costliest look-up by arguments: one in the record that another leads to.
const MAX_LOOKUP_COST: u32 = 20;
/// Cost from which on a place is reached by a key that is data.
const DATA: u32 = 12;

/// What a condition is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum About {
    /// Arguments by themselves, and what is wrong with them.
    Arguments,
    /// Arguments against the state: what they select is there, or agrees.
    Relation,
    /// The state alone, and members of what arguments select.
    State,
    /// A value that is data: that it is this one says something of other calls, that it is not says nothing.
    Datum,
}

/// A condition, and how unlikely it is to be what decides.
#[derive(Clone, Debug)]
pub(crate) struct Atom {
    pub(crate) text: String,
    pub(crate) cost: u32,
    pub(crate) about: About,
}

/// Conditions with costs, each once.
#[derive(Default)]
struct Costs(BTreeMap<String, (u32, u32, Option<About>)>);

impl Costs {
    fn add(&mut self, text: String, cost: u32) {
        self.note(text, cost, None);
    }

    fn note(&mut self, text: String, cost: u32, about: impl Into<Option<About>>) {
        let known = self.0.entry(text).or_insert((cost, 0, about.into()));
        known.0 = known.0.min(cost);
        known.1 += 1;
    }

    /// The cheapest and commonest, at most so many.
    fn take(self, most: usize) -> Vec<(String, u32)> {
        self.sorted(most).into_iter().map(|(text, cost, _)| (text, cost)).collect()
    }

    fn atoms(self) -> Vec<Atom> {
        let atom = |(text, cost, about): (String, u32, Option<About>)| Atom {
            text,
            cost,
            about: about.unwrap_or(About::Arguments),
        };
        self.sorted(MAX_ATOMS).into_iter().map(atom).collect()
    }

    fn sorted(self, most: usize) -> Vec<(String, u32, Option<About>)> {
        let mut all: Vec<_> = self.0.into_iter().map(|(t, (c, n, about))| (t, c, n, about)).collect();
        all.sort_by(|a, b| a.1.cmp(&b.1).then(b.2.cmp(&a.2)).then_with(|| a.0.cmp(&b.0)));
        all.truncate(most);
        all.into_iter().map(|(text, cost, _, about)| (text, cost, about)).collect()
    }
}

/// A value with the groups in which it was seen.
struct SeenIn {
    value: Value,
    groups: Vec<usize>,
}

/// Notes a value; `false` if there are too many.
fn seen_in(values: &mut Vec<SeenIn>, value: &Value, group: usize, most: usize) -> bool {
    match values.iter().position(|seen| seen.value == *value) {
        Some(known) if values[known].groups.contains(&group) => {}
        Some(known) => values[known].groups.push(group),
        None if values.len() < most => values.push(SeenIn { value: value.clone(), groups: vec![group] }),
        None => return false,
    }
    true
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
    out.atoms()
}

/// Places among the arguments, with the values seen there.
fn arguments(probe: &Probe, samples: &[usize]) -> BTreeMap<String, Vec<SeenIn>> {
    let mut out: BTreeMap<String, Vec<SeenIn>> = BTreeMap::new();
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
            seen_in(values, facts.value(at), probe.cases[sample].call.group, 40);
        }
    }
    out
}

fn about_argument(place: &str, seen: &[SeenIn], out: &mut Costs) {
    let values: Vec<&Value> = seen.iter().map(|seen| &seen.value).collect();
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
    for SeenIn { value, groups } in seen.iter().filter(|seen| seen.value.as_key().is_some()).take(40) {
        let empty = value.as_str().is_some_and(|t| t.trim().is_empty());
        // A value that recurs is a choice; one that does not is data.
        let (cost, about) = match groups.len() {
            _ if empty || matches!(value, Value::Bool(_)) => (3, About::Arguments),
            1 => (13, About::Datum),
            _ => (6, About::Arguments),
        };
        out.note(format!("{place} == {}", quote::literal(value)), cost, about);
    }
    let numbers: Vec<f64> = values.iter().filter_map(|v| v.as_f64()).collect();
    if !numbers.is_empty() {
        let natural = [(0.0, 4), (1.0, 5)].into_iter();
        for (bound, cost) in natural.chain(numbers.iter().take(12).map(|bound| (*bound, 6))) {
            let bound = quote::literal(&whole(bound));
            out.add(format!("isNumber({place}) && {place} < {bound}"), cost);
            out.add(format!("isNumber({place}) && {place} > {bound}"), cost);
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
    let mut values: BTreeMap<String, Vec<SeenIn>> = BTreeMap::new();
    let mut open: Vec<String> = Vec::new();
    for call in samples.iter().map(|sample| &probe.cases[*sample].call).filter(|call| !call.is_error) {
        for (name, value) in call.args.as_map().into_iter().flat_map(|m| m.iter()) {
            let scalar = matches!(value, Value::Str(_) | Value::Int(_) | Value::Bool(_));
            if !scalar || !seen_in(values.entry(name.to_string()).or_default(), value, call.group, 60) {
                open.push(name.to_string());
            }
        }
    }
    for (name, known) in values.into_iter().filter(|(name, _)| !open.contains(name)) {
        mistaken(&quote::member("args", &name), &known, out);
        let uses: usize = known.iter().map(|seen| seen.groups.len()).sum();
        // How likely another group brings a new one, by how many were seen in one alone (Good and Turing).
        let once = known.iter().filter(|seen| seen.groups.len() == 1).count();
        if once * 20 <= uses && known.len() > 1 && uses >= 3 * known.len() {
            let list: Vec<String> = known.iter().map(|seen| quote::literal(&seen.value)).collect();
            let place = quote::member("args", &name);
            out.add(format!("{place} in [{}]", list.join(", ")), 4);
        }
    }
}

/// That an argument is nearly one that was accepted, but with other digits: where names end in codes and no two
/// differ in these alone, that is a mistake.
fn mistaken(place: &str, known: &[SeenIn], out: &mut Costs) {
    // Names of which two differ in their digits alone are numbered, and no mistake shows in the number.
    let mut forms: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for text in known.iter().filter_map(|seen| seen.value.as_str()) {
        if let Some(form) = apart_from_digits(text) {
            forms.entry(form).or_default().push(quote::text(text));
        }
    }
    forms.retain(|_, names| names.len() == 1);
    if !forms.is_empty() {
        let accepted: Vec<String> = forms.values().flatten().cloned().collect();
        let forms: Vec<String> = forms.into_keys().collect();
        let (forms, accepted) = (quote::text(&format!("^({})$", forms.join("|"))), accepted.join(", "));
        out.add(format!("matches(string({place}), {forms}) && !({place} in [{accepted}])"), 5);
    }
}

/// A pattern for texts that differ from a name in its digits alone; `None` if it has none or is no name.
fn apart_from_digits(text: &str) -> Option<String> {
    let name = text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    let letters = text.chars().filter(char::is_ascii_alphabetic).count();
    if !name || letters < 4 || text.len() > 80 {
        return None;
    }
    let mut out = String::new();
    let mut chars = text.chars().peekable();
    let mut digits = false;
    while let Some(c) = chars.next() {
        if !c.is_ascii_digit() {
            out.push(c);
            continue;
        }
        while chars.next_if(char::is_ascii_digit).is_some() {}
        out.push_str("[0-9]+");
        digits = true;
    }
    digits.then_some(out)
}

fn whole(x: f64) -> Value {
    if x.fract() == 0.0 && x.abs() < 1e15 { Value::Int(x as i64) } else { Value::float(x) }
}

/// The build of a text with digits in it: `2024-03-05` is `^[0-9]{4}-[0-9]{2}-[0-9]{2}$`.
fn pattern(text: &str) -> Option<String> {
    if !text.contains(|c: char| c.is_ascii_digit()) || text.len() > 40 || text.starts_with(['{', '[']) {
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
                way.cost <= MAX_LOOKUP_COST
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
            let missing = format!("isList({list}) && {list}.exists(i, {each} == null)");
            out.note(missing, 3 + cost / 4, About::Relation);
        }
        out.note(format!("{lookup} == null"), 2 + cost / 4, About::Relation);
    }
    for (condition, cost) in within.take(MAX_LOOKUPS) {
        if let Some((list, _)) = item_of_argument(&condition) {
            let each = condition.replace(&format!("{list}[0]"), "i");
            let missing = format!("isList({list}) && {list}.exists(i, !({each}))");
            out.note(missing, 3 + cost / 4, About::Relation);
        }
        out.note(condition, 2 + cost / 4, About::Relation);
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
    let mut seen: BTreeMap<String, (u32, Vec<SeenIn>, bool)> = BTreeMap::new();
    for &sample in samples {
        let (facts, group) = (probe.cases[sample].facts(), probe.cases[sample].call.group);
        for at in 0..facts.nodes.len() as u32 {
            let value = facts.value(at);
            let sized = matches!(value, Value::List(_) | Value::Map(_));
            if !facts.in_state(at) || value.as_str().is_some_and(|t| t.len() > 60) {
                continue;
            }
            for way in facts.ways(at).iter().take(2).filter(|way| way.cost <= MAX_COST) {
                if sized {
                    if way.cost <= 9 {
                        out.note(format!("isEmpty({})", way.text), 5 + way.cost / 4, About::State);
                    }
                } else if seen.len() < 400 || seen.contains_key(&*way.text) {
                    let known = seen.entry(way.text.to_string()).or_insert((way.cost, Vec::new(), true));
                    known.2 &= seen_in(&mut known.1, value, group, 8);
                }
            }
        }
    }
    for (place, (cost, values, few)) in seen {
        let cost = 3 + cost / 4;
        out.note(format!("isEmpty({place})"), cost + 1, About::State);
        // A value that is of one group alone and never changes there tells the group, and nothing else.
        let changes = |seen: &SeenIn| {
            let others = || values.iter().filter(|other| other.value != seen.value);
            seen.groups.len() > 1 || others().any(|other| other.groups.contains(&seen.groups[0]))
        };
        for seen in values.iter().filter(|seen| few && changes(seen)) {
            match &seen.value {
                Value::Bool(true) => out.note(format!("{place} == true"), cost, About::State),
                Value::Bool(false) | Value::Null => {}
                number @ (Value::Int(_) | Value::Float(_)) => {
                    out.note(format!("{place} == {}", quote::literal(number)), cost + 4, About::State)
                }
                other => out.note(format!("{place} == {}", quote::literal(other)), cost + 1, About::State),
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
                            // A certain record that no argument selects is data, not a rule.
                            let about = if other.cost < DATA { About::Relation } else { About::Datum };
                            let text = format!("{} == {}", way.text, other.text);
                            equal.note(text, 2 + other.cost / 4, about);
                        }
                    }
                }
            }
        }
    }
    for (text, cost, about) in equal.sorted(60) {
        out.note(text, cost, about);
    }
    let numbers = numbers.take(16);
    for (a, cost) in numbers.iter().filter(|(a, _)| a.contains("args") || a.starts_with("size(")) {
        for (b, other) in numbers.iter().filter(|(b, _)| b != a) {
            let guard = format!("isNumber({a}) && isNumber({b})");
            let cost = 4 + (cost + other) / 5;
            out.note(format!("{guard} && {a} > {b}"), cost, About::Relation);
            out.note(format!("{guard} && {a} < {b}"), cost, About::Relation);
        }
    }
}
