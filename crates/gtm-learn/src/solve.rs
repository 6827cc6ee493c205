//! The search: from what a value was in some cases to the shortest expression that gives it in all.
//!
//! Candidates are not enumerated blindly but read off the evidence: where the value occurs among what
//! was known in a case, the ways that lead there are candidates, and those that hold in the other
//! cases survive. What is found nowhere as a whole is taken apart: objects by member, texts by
//! what their instances share, lists by the collection they are drawn from, numbers by arithmetic.

mod list;
mod number;
mod object;
mod table;
mod text;

use crate::case::Probe;
use crate::quote;
use gtm_world::Value;
use serde_json::{Value as Json, json};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// Cases whose values give candidates.
const SEEDS: usize = 6;
/// Most candidates tried for one value.
const MAX_CANDIDATES: usize = 160;
/// Deepest value that is taken apart.
const MAX_DEPTH: usize = 6;
/// Most leaves of a constant that only one of several groups has.
const MAX_DATA: usize = 4;

/// A value to be explained.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) case: usize,
    pub(crate) value: Value,
}

/// An explanation.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// A template of the behavior language.
    pub(crate) template: Json,
    /// Which targets it gives exactly.
    pub(crate) hits: Vec<bool>,
    /// How much of each target it gives, in percent of its leaves.
    pub(crate) parts: Vec<u8>,
    pub(crate) cost: u32,
    /// Whether values that nothing determines are made up by it.
    pub(crate) invents: bool,
    /// The value is a record of the state with some members changed.
    pub(crate) patch: Option<Patch>,
}

/// A record and what about it is other than it was.
#[derive(Clone, Debug)]
pub(crate) struct Patch {
    /// The place of the record.
    pub(crate) place: String,
    pub(crate) set: Vec<(String, Json)>,
}

impl Found {
    fn expr(text: &str, hits: Vec<bool>, cost: u32) -> Found {
        Found::new(json!(text), hits, cost)
    }

    /// An explanation that gives a target wholly or not at all.
    fn new(template: Json, hits: Vec<bool>, cost: u32) -> Found {
        let parts = hits.iter().map(|hit| if *hit { 100 } else { 0 }).collect();
        Found { template, hits, parts, cost, invents: false, patch: None }
    }

    pub(crate) fn count(&self) -> usize {
        self.hits.iter().filter(|hit| **hit).count()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.hits.iter().all(|hit| *hit)
    }

    /// Higher is better: what it explains, at what length. A whole counts more than its parts.
    pub(crate) fn score(&self) -> i64 {
        self.worth() - i64::from(self.cost)
    }

    /// What it explains, whatever its length.
    pub(crate) fn worth(&self) -> i64 {
        worth(self.count(), self.parts.iter().map(|part| usize::from(*part)).sum())
    }
}

/// What it is worth to give so many values wholly and so many percent of them altogether.
pub(crate) fn worth(whole: usize, percent: usize) -> i64 {
    8 * whole as i64 + 8 * percent as i64 / 100
}

/// One search over the cases of a tool.
pub(crate) struct Search<'a> {
    pub(crate) probe: &'a Probe,
    /// Named values that explanations refer to.
    pub(crate) named: RefCell<Vec<(String, Json)>>,
    /// Evaluations left.
    fuel: Cell<u64>,
}

impl<'a> Search<'a> {
    pub(crate) fn new(probe: &'a Probe, fuel: u64) -> Search<'a> {
        Search { probe, named: RefCell::default(), fuel: Cell::new(fuel) }
    }

    /// The best explanation of the values, which always exists: at worst they are filled.
    pub(crate) fn explain(&self, targets: &[Target], name: &str, depth: usize) -> Found {
        let mut best: Option<Found> = None;
        let consider = |found: Option<Found>, best: &mut Option<Found>| {
            if let Some(found) = found
                && best.as_ref().is_none_or(|b| found.score() > b.score())
            {
                *best = Some(found);
            }
        };
        let constant = self.constant(targets);
        let plain = constant.as_ref().is_some_and(|c| c.is_full() && c.cost <= 2);
        consider(constant, &mut best);
        let direct = self.direct(targets, name);
        let whole = plain || direct.as_ref().is_some_and(Found::is_full);
        consider(direct, &mut best);
        if !whole && depth < MAX_DEPTH && self.fuel.get() > 0 {
            let kind = |wanted: fn(&Value) -> bool| targets.iter().all(|t| wanted(&t.value));
            if kind(|v| matches!(v, Value::Map(_))) {
                consider(self.object(targets, depth), &mut best);
            } else if kind(|v| matches!(v, Value::List(_))) {
                consider(self.list(targets, name, depth), &mut best);
            } else if kind(|v| matches!(v, Value::Str(_))) {
                consider(self.text(targets, name, depth), &mut best);
            } else if kind(|v| matches!(v, Value::Int(_) | Value::Float(_))) {
                consider(self.number(targets), &mut best);
            }
            if !best.as_ref().is_some_and(Found::is_full) {
                consider(self.table(targets), &mut best);
            }
        }
        let best = best.filter(|found| found.worth() > 0);
        let filled = || self.fill(targets);
        match best {
            Some(found) if found.is_full() => found,
            Some(found)
                if found.invents || found.worth() * 5 >= worth(targets.len(), 100 * targets.len()) =>
            {
                let filled = filled();
                if filled.is_full() && filled.score() > found.score() { filled } else { found }
            }
            _ => filled(),
        }
    }

    /// The commonest value, as it stands.
    fn constant(&self, targets: &[Target]) -> Option<Found> {
        let mut counts: Vec<(&Value, usize)> = Vec::new();
        for target in targets {
            match counts.iter().position(|(value, _)| **value == target.value) {
                Some(at) => counts[at].1 += 1,
                None if counts.len() < 64 => counts.push((&target.value, 1)),
                None => {}
            }
        }
        let value = counts.iter().max_by_key(|(_, count)| *count)?.0;
        let hits: Vec<bool> = targets.iter().map(|t| t.value == *value).collect();
        // What groups agree on is more likely to be constant; a text that repeats an argument, less.
        let mut groups: Vec<usize> = targets
            .iter()
            .zip(&hits)
            .filter(|(_, hit)| **hit)
            .map(|(t, _)| self.probe.cases[t.case].call.group)
            .collect();
        groups.sort_unstable();
        groups.dedup();
        // What is large and was seen in one group alone is that group's data.
        let others = targets.iter().any(|t| self.probe.cases[t.case].call.group != groups[0]);
        if groups.len() == 1 && others && leaves(value) > MAX_DATA {
            return None;
        }
        let agreed = 2 * (groups.len() as u32 - 1).min(20);
        let first = targets.iter().find(|t| t.value == *value)?;
        let echoed = match value {
            Value::Str(text) => echoes(text, self.probe.cases[first.case].facts()),
            _ => 0,
        };
        let cost = (bits(value) + 6 * echoed).saturating_sub(agreed).max(bits(value).min(2));
        let parts = targets.iter().map(|t| part(value, &t.value)).collect();
        Some(Found { parts, ..Found::new(constant(value), hits, cost) })
    }

    /// An expression that leads to the value.
    fn direct(&self, targets: &[Target], name: &str) -> Option<Found> {
        let mut candidates: Vec<(Rc<str>, u32)> = Vec::new();
        for target in seeds(targets) {
            let facts = self.probe.cases[target.case].facts();
            // A value that occurs everywhere says nothing about where it came from.
            for at in facts.places(&target.value).take(40) {
                let named = facts.name(at).is_some_and(|known| alike(known, name));
                for way in facts.ways(at).iter() {
                    let cost = if named { way.cost.saturating_sub(2) } else { way.cost + 1 };
                    add(&mut candidates, way.text.clone(), cost);
                }
            }
            // A key of an object: the record it leads to is known by a member.
            if let Value::Str(text) = &target.value {
                for at in facts.keyed(text).iter().take(8) {
                    self.keys_of(facts, *at, &mut candidates);
                }
            }
        }
        candidates.sort_by(|a, b| a.1.cmp(&b.1).then_with(|| a.0.cmp(&b.0)));
        candidates.truncate(MAX_CANDIDATES);
        self.best(targets, candidates)
    }

    /// The first of the candidates, which come by cost, that explains most.
    pub(crate) fn best(&self, targets: &[Target], candidates: Vec<(Rc<str>, u32)>) -> Option<Found> {
        let mut best: Option<Found> = None;
        for (text, cost) in candidates {
            if best.as_ref().is_some_and(|b| b.is_full() && b.cost <= cost) || !self.spend(targets.len()) {
                break;
            }
            let hits: Vec<bool> = targets
                .iter()
                .map(|t| self.probe.eval(&text, t.case).is_some_and(|v| same(&v, &t.value)))
                .collect();
            let found = Found::expr(&text, hits, cost);
            if best.as_ref().is_none_or(|b| found.score() > b.score()) {
                best = Some(found);
            }
        }
        best
    }

    fn spend(&self, evaluations: usize) -> bool {
        let left = self.fuel.get().saturating_sub(evaluations as u64);
        self.fuel.set(left);
        left > 0
    }

    /// Keys of an object whose record has a member that some text equals.
    fn keys_of(&self, facts: &crate::facts::Facts, at: u32, out: &mut Vec<(Rc<str>, u32)>) {
        let (Some(parent), Some(record)) = (facts.parent(at), facts.value(at).as_map()) else { return };
        let Some(base) = facts.ways(parent).first().cloned() else { return };
        let mut conditions: Vec<(String, u32)> = Vec::new();
        let mut note = |place: String, value: &Value| {
            let Some(key) = value.as_key().filter(|k| k.len() > 1) else { return };
            for way in facts.refs(&key) {
                conditions.push((format!("{place} == {}", way.text), way.cost));
            }
        };
        for (name, value) in record.iter() {
            let place = quote::member("v", name);
            note(place.clone(), value);
            for (name, value) in value.as_map().into_iter().flat_map(|m| m.iter()) {
                note(quote::member(&place, name), value);
            }
        }
        conditions.sort_by(|a, b| a.1.cmp(&b.1).then_with(|| a.0.cmp(&b.0)));
        conditions.truncate(6);
        let keyed = |condition: &str| {
            format!("first(keys({0}).filter(k, cel.bind(v, {0}[k], {condition})))", base.text)
        };
        for (condition, cost) in &conditions {
            add(out, keyed(condition).into(), base.cost + 3 + cost);
        }
        // All that is known of it together: two people may share a name.
        if conditions.len() > 1 {
            let all: Vec<&str> = conditions.iter().take(4).map(|(c, _)| c.as_str()).collect();
            add(out, keyed(&all.join(" && ")).into(), base.cost + 6);
        }
    }

    /// Values that nothing explains: made up in the form that they had.
    fn fill(&self, targets: &[Target]) -> Found {
        let template = json!({"$fill": {"schema": crate::form::schema(targets.iter().map(|t| &t.value))}});
        let values: Vec<&Value> = targets.iter().take(50).map(|t| &t.value).collect();
        let hits = vec![crate::form::is_fresh(&values); targets.len()];
        Found { invents: true, ..Found::new(template, hits, 12) }
    }
}

/// Targets that candidates are read off: different values first.
pub(crate) fn seeds(targets: &[Target]) -> Vec<&Target> {
    let mut seeds: Vec<&Target> = Vec::new();
    for target in targets {
        if seeds.len() < SEEDS && seeds.iter().all(|s| s.value != target.value) {
            seeds.push(target);
        }
    }
    // The same value in another case: places that held it by chance drop out.
    for target in targets.iter().rev() {
        if seeds.len() < 2 && seeds.iter().all(|s| s.case != target.case) {
            seeds.push(target);
        }
    }
    seeds
}

/// A template that gives the value as it stands.
pub(crate) fn constant(value: &Value) -> Json {
    match value {
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) => value.to_json(),
        Value::Str(text) if text.len() < 200 && !text.contains('\n') => json!(quote::text(text)),
        _ => json!({"$value": value.to_json()}),
    }
}

/// How much a constant says: the more, the less it is believed to be one.
fn bits(value: &Value) -> u32 {
    match value {
        Value::Null | Value::Bool(_) => 2,
        Value::Int(i) if i.abs() < 3 => 3,
        Value::Int(i) if i.abs() < 100 => 7,
        Value::Int(_) => 12,
        Value::Float(x) if *x == 0.0 => 3,
        Value::Float(_) => 14,
        Value::Str(text) => match text.len() {
            0 => 2,
            n if text.chars().any(|c| c.is_ascii_digit()) => 6 + (n as u32 / 8).min(10),
            n => 3 + (n as u32 / 16).min(6),
        },
        Value::List(list) => list.iter().fold(2, |sum, v| sum + bits(v)).min(60),
        Value::Map(map) => map.values().fold(2, |sum, v| sum + 1 + bits(v)).min(60),
    }
}

/// How many arguments, or what they lead to, a text repeats.
fn echoes(text: &str, facts: &crate::facts::Facts) -> u32 {
    let telling = |known: &&gtm_world::Str| {
        known.len() > 3 && known.len() < text.len()
            || known.len() > 1 && known.chars().all(|c| c.is_ascii_digit())
    };
    let known = facts.all_refs().filter(|(_, ways)| ways[0].cost <= 6).map(|(known, _)| known);
    known.filter(telling).filter(|known| text.contains(&***known)).count().min(8) as u32
}

/// The mean of so many percentages; 100 if there are none.
fn mean(sum: usize, count: usize) -> u8 {
    sum.checked_div(count).unwrap_or(100).min(100) as u8
}

/// How many scalars and empty containers a value has.
fn leaves(value: &Value) -> usize {
    match value {
        Value::Map(map) if !map.is_empty() => map.values().map(leaves).sum(),
        Value::List(list) if !list.is_empty() => list.iter().map(leaves).sum(),
        _ => 1,
    }
}

/// How much of a value another one gives, in percent of its leaves.
pub(crate) fn part(ours: &Value, real: &Value) -> u8 {
    fn compare(ours: Option<&Value>, real: &Value, out: &mut (u64, u64), depth: usize) {
        match real {
            Value::Map(map) if !map.is_empty() && depth < MAX_DEPTH => map
                .iter()
                .for_each(|(name, real)| compare(ours.and_then(|o| o.get(name)), real, out, depth + 1)),
            Value::List(list) if !list.is_empty() && depth < MAX_DEPTH => {
                let ours = ours.and_then(Value::as_list);
                let each = |(at, real)| compare(ours.and_then(|o| o.get(at)), real, out, depth + 1);
                list.iter().enumerate().for_each(each);
            }
            leaf => {
                out.0 += u64::from(ours == Some(leaf));
                out.1 += 1;
            }
        }
    }
    if ours == real {
        return 100;
    }
    let mut out = (0, 0);
    compare(Some(ours), real, &mut out, 0);
    // A whole is more than all of its leaves.
    (out.0 * 99).checked_div(out.1).unwrap_or(0) as u8
}

/// Equal, and of the same kind of number: whoever reads `3.0` may not take `3` for it.
pub(crate) fn same(a: &Value, b: &Value) -> bool {
    a == b
}

fn add(candidates: &mut Vec<(Rc<str>, u32)>, text: Rc<str>, cost: u32) {
    match candidates.iter().position(|(known, _)| *known == text) {
        Some(at) => candidates[at].1 = candidates[at].1.min(cost),
        None if candidates.len() < 4 * MAX_CANDIDATES => candidates.push((text, cost)),
        None => {}
    }
}

/// Whether two names share a word, plural or not.
pub(crate) fn alike(a: &str, b: &str) -> bool {
    let words = |name: &str| -> Vec<String> {
        let mut words = vec![String::new()];
        let mut lower = false;
        for c in name.chars() {
            if !c.is_alphanumeric() || (c.is_uppercase() && lower) {
                words.push(String::new());
            }
            lower = c.is_lowercase();
            if c.is_alphanumeric() {
                words.last_mut().expect("there is one").extend(c.to_lowercase());
            }
        }
        words.iter().map(|w| w.trim_end_matches('s').to_owned()).filter(|w| w.len() > 1).collect()
    };
    let others = words(b);
    words(a).iter().any(|word| others.contains(word))
}
