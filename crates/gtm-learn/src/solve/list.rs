//! Lists: drawn from a collection, with some of its items left out and a member of each taken.

use super::{Found, Search, Target, add, mean};
use crate::facts::{Facts, Way};
use crate::quote;
use gtm_world::{Map, Str, Value};
use serde_json::Value as Json;
use std::rc::Rc;

/// Longest list of fixed length that is explained item by item.
const MAX_TUPLE: usize = 4;
/// Largest collection that is looked into.
const MAX_ITEMS: usize = 2_000;
/// Most conditions tried on the items of one collection.
const MAX_CONDITIONS: usize = 40;

/// How the items of a collection become those of the list.
#[derive(Clone, Debug, PartialEq)]
enum Shown {
    Item,
    Key,
    Member(Str),
}

impl Search<'_> {
    pub(super) fn list(&self, targets: &[Target], name: &str, depth: usize) -> Option<Found> {
        let mut candidates: Vec<(Rc<str>, u32)> = Vec::new();
        let mut longest: Vec<&Target> = targets.iter().collect();
        longest.sort_by_key(|t| std::cmp::Reverse(t.value.as_list().map_or(0, |l| l.len().min(50))));
        let empty = targets.iter().find(|t| t.value.as_list().is_some_and(|l| l.is_empty()));
        for target in longest.into_iter().take(3).chain(empty) {
            let facts = self.probe.cases[target.case].facts();
            drawn(facts, &target.value, name, &mut candidates);
            sorted(facts, &target.value, &mut candidates);
            mapped(facts, &target.value, &mut candidates);
        }
        candidates.sort_by(|a, b| a.1.cmp(&b.1).then_with(|| a.0.cmp(&b.0)));
        candidates.truncate(super::MAX_CANDIDATES);
        let found = self.best(targets, candidates);
        if found.as_ref().is_some_and(Found::is_full) {
            return found;
        }
        [found, self.grown(targets, name, depth), self.tuple(targets, name, depth)]
            .into_iter()
            .flatten()
            .max_by_key(Found::score)
    }

    /// A list of the state with items added at its end.
    fn grown(&self, targets: &[Target], name: &str, depth: usize) -> Option<Found> {
        let mut candidates: Vec<(Rc<str>, u32)> = Vec::new();
        for target in super::seeds(targets).into_iter().take(2) {
            let (facts, wanted) = (self.probe.cases[target.case].facts(), target.value.as_list()?);
            for at in 0..facts.nodes.len() as u32 {
                let Some(before) = facts.value(at).as_list().filter(|_| facts.in_state(at)) else { continue };
                let starts = !before.is_empty()
                    && before.len() < wanted.len()
                    && before.iter().zip(wanted.iter()).all(|(a, b)| a == b);
                if starts {
                    facts.ways(at).iter().for_each(|way| add(&mut candidates, way.text.clone(), way.cost));
                }
            }
        }
        candidates.sort_by(|a, b| a.1.cmp(&b.1).then_with(|| a.0.cmp(&b.0)));
        let grown = |(base, cost): (Rc<str>, u32)| {
            let (mut below, mut at) = (Vec::new(), Vec::new());
            for (i, target) in targets.iter().enumerate() {
                let Some(Value::List(before)) = self.probe.eval(&base, target.case) else { continue };
                let wanted = target.value.as_list()?;
                if before.len() + 1 == wanted.len() && before.iter().zip(wanted.iter()).all(|(a, b)| a == b) {
                    below.push(Target { case: target.case, value: wanted.last()?.clone() });
                    at.push(i);
                }
            }
            if below.len() * 2 < targets.len() || depth + 1 >= super::MAX_DEPTH {
                return None;
            }
            let found = self.explain(&below, name, depth + 1);
            let mut hits = vec![false; targets.len()];
            let mut parts = vec![0; targets.len()];
            for (i, at) in at.iter().enumerate() {
                hits[*at] = found.hits[i];
                // The items before the new one are right.
                let before = targets[*at].value.as_list().map_or(0, |l| l.len() - 1);
                parts[*at] = if found.hits[i] {
                    100
                } else {
                    mean(100 * before + usize::from(found.parts[i]), before + 1)
                };
            }
            let item = self.name("added", found.template);
            let template = format!("withItem({base}, {item})").into();
            let (cost, invents) = (cost + found.cost + 2, found.invents);
            Some(Found { parts, invents, ..Found::new(template, hits, cost) })
        };
        candidates.into_iter().take(4).filter_map(grown).max_by_key(Found::score)
    }

    /// Item by item, where all lists have the same length.
    fn tuple(&self, targets: &[Target], name: &str, depth: usize) -> Option<Found> {
        let length = targets.first()?.value.as_list()?.len();
        let same = |t: &Target| t.value.as_list().is_some_and(|l| l.len() == length);
        if length == 0 || length > MAX_TUPLE || !targets.iter().all(same) {
            return None;
        }
        let (mut items, mut hits, mut cost, mut invents) = (Vec::new(), vec![true; targets.len()], 3, false);
        let mut sums = vec![0; targets.len()];
        for i in 0..length {
            let item = |t: &Target| Some(Target { case: t.case, value: t.value.as_list()?.get(i)?.clone() });
            let found = self.explain(&targets.iter().filter_map(item).collect::<Vec<_>>(), name, depth + 1);
            hits.iter_mut().zip(&found.hits).for_each(|(all, hit)| *all &= hit);
            sums.iter_mut().zip(&found.parts).for_each(|(sum, part)| *sum += usize::from(*part));
            cost += found.cost;
            invents |= found.invents;
            items.push(found.template);
        }
        let parts = sums.into_iter().map(|sum| mean(sum, length)).collect();
        Some(Found { parts, invents, ..Found::new(Json::Array(items), hits, cost) })
    }
}

/// Lists of the same items in order.
fn sorted(facts: &Facts, list: &Value, out: &mut Vec<(Rc<str>, u32)>) {
    let Some(wanted) = list.as_list().filter(|l| l.len() > 1) else { return };
    for at in 0..facts.nodes.len() as u32 {
        let Some(source) = facts.value(at).as_list().filter(|l| l.len() == wanted.len()) else { continue };
        if source != wanted && wanted.iter().all(|item| source.contains(item)) {
            for way in facts.ways(at).iter().take(3) {
                add(out, format!("sort({})", way.text).into(), way.cost + 2);
                add(out, format!("reverse({})", way.text).into(), way.cost + 2);
            }
        }
    }
}

/// Collections that the list can be drawn from.
fn drawn(facts: &Facts, list: &Value, name: &str, out: &mut Vec<(Rc<str>, u32)>) {
    let Some(wanted) = list.as_list() else { return };
    for at in 0..facts.nodes.len() as u32 {
        let items: Vec<(Option<&Str>, &Value)> = match facts.value(at) {
            Value::List(items) if items.len() <= MAX_ITEMS => items.iter().map(|v| (None, v)).collect(),
            Value::Map(map) if map.len() <= MAX_ITEMS => map.iter().map(|(k, v)| (Some(k), v)).collect(),
            _ => continue,
        };
        if items.len() < wanted.len() || items.is_empty() {
            continue;
        }
        for shown in projections(&items) {
            let Some(kept) = kept(&items, &shown, wanted) else { continue };
            let named = u32::from(!facts.name(at).is_some_and(|known| super::alike(known, name)));
            for way in facts.ways(at).iter().take(3) {
                let cost = way.cost + 2 * named;
                if kept.iter().all(|kept| *kept) {
                    add(out, show(&way.text, items[0].0.is_some(), &shown, None).into(), cost + 1);
                }
                for (condition, more) in conditions(facts, &items, &kept) {
                    let text = show(&way.text, items[0].0.is_some(), &shown, Some(&condition));
                    add(out, text.into(), cost + 2 + more);
                }
            }
        }
    }
}

fn projections(items: &[(Option<&Str>, &Value)]) -> Vec<Shown> {
    let mut out = vec![Shown::Item];
    if items[0].0.is_some() {
        out.push(Shown::Key);
    }
    if let Value::Map(record) = items[0].1 {
        out.extend(record.keys().take(20).map(|name| Shown::Member(name.clone())));
    }
    out
}

/// Which items are in the list, if the list is made of them in their order.
fn kept(items: &[(Option<&Str>, &Value)], shown: &Shown, wanted: &imbl_list::List) -> Option<Vec<bool>> {
    let mut left = wanted.iter().peekable();
    let mut kept = Vec::with_capacity(items.len());
    for (key, value) in items {
        let value = match (shown, key) {
            (Shown::Item, _) => Some((*value).clone()),
            (Shown::Key, Some(key)) => Some(Value::Str((*key).clone())),
            (Shown::Key, None) => None,
            (Shown::Member(name), _) => value.get(name).cloned(),
        };
        let taken = value.is_some_and(|value| left.peek().is_some_and(|next| **next == value));
        if taken {
            left.next();
        }
        kept.push(taken);
    }
    left.peek().is_none().then_some(kept)
}

mod imbl_list {
    /// What [`gtm_world::List`] shares.
    pub(super) type List = <gtm_world::List as std::ops::Deref>::Target;
}

/// The expression for what is shown of the items for which a condition on `r` holds.
fn show(base: &str, keyed: bool, shown: &Shown, condition: Option<&str>) -> String {
    match (shown, condition) {
        (Shown::Key, None) => format!("keys({base})"),
        (Shown::Key, Some(condition)) => {
            format!("keys({base}).filter(k, cel.bind(r, {base}[k], {condition}))")
        }
        (shown, condition) => {
            let rows = if keyed { format!("values({base})") } else { base.to_owned() };
            let rows = condition.map_or(rows.clone(), |condition| format!("{rows}.filter(r, {condition})"));
            match shown {
                Shown::Member(name) => format!("{rows}.map(r, {})", quote::member("r", name)),
                Shown::Item | Shown::Key => rows,
            }
        }
    }
}

/// Conditions on `r` that hold for the items kept and for no others.
fn conditions(facts: &Facts, items: &[(Option<&Str>, &Value)], kept: &[bool]) -> Vec<(String, u32)> {
    let mut out: Vec<(String, u32)> = Vec::new();
    let places: Vec<Option<Str>> = match items[0].1 {
        Value::Map(record) => record.keys().take(16).cloned().map(Some).collect(),
        _ => vec![None],
    };
    for place in places {
        let of = |item: &Value| match &place {
            Some(name) => item.as_map().and_then(|m: &Map| m.get(name)).cloned().unwrap_or_default(),
            None => item.clone(),
        };
        let text = place.as_ref().map_or("r".to_owned(), |name| quote::member("r", name));
        let values: Vec<Value> = items.iter().map(|(_, item)| of(item)).collect();
        let chosen =
            |test: &dyn Fn(&Value) -> bool| values.iter().zip(kept).all(|(v, kept)| test(v) == *kept);
        for (value, way) in selectors(facts) {
            if out.len() > MAX_CONDITIONS {
                return out;
            }
            if chosen(&|v| *v == *value || v.as_key().is_some_and(|k| value.as_key() == Some(k))) {
                out.push((format!("string({text}) == string({})", way.text), way.cost));
            }
            if let Value::Str(part) = value {
                let part = part.to_lowercase();
                if chosen(&|v| v.as_str().is_some_and(|s| s.to_lowercase().contains(&part))) {
                    out.push((format!("contains(lower({text}), lower({}))", way.text), way.cost + 2));
                }
                if chosen(&|v| v.as_list().is_some_and(|l| l.iter().any(|x| x == value))) {
                    out.push((format!("{} in {text}", way.text), way.cost + 1));
                }
            }
            if let Some(x) = value.as_f64() {
                for (sign, test) in [("<=", (|a, b| a <= b) as fn(f64, f64) -> bool), (">=", |a, b| a >= b)] {
                    if chosen(&|v| v.as_f64().is_some_and(|v| test(v, x))) {
                        out.push((format!("isNumber({text}) && {text} {sign} {}", way.text), way.cost + 3));
                    }
                }
            }
        }
        if let Some(first) = values.iter().zip(kept).find(|(_, kept)| **kept).map(|(v, _)| v)
            && first.as_key().is_some()
            && chosen(&|v| v == first)
        {
            out.push((format!("{text} == {}", quote::literal(first)), 5));
        }
        if chosen(&|v| !v.is_null()) {
            out.push((format!("{text} != null"), 5));
        }
    }
    out
}

/// Values that may select items: arguments, and whatever else is known to select records.
fn selectors(facts: &Facts) -> Vec<(&Value, Way)> {
    let mut out = Vec::new();
    for at in 0..facts.nodes.len() as u32 {
        let value = facts.value(at);
        if facts.in_state(at)
            && (!value.as_str().is_some_and(|t| facts.refs(t).iter().any(|w| w.cost < 7)) || out.len() > 40)
        {
            continue;
        }
        if value.as_key().is_some_and(|k| !k.is_empty())
            && let Some(way) = facts.ways(at).first().filter(|w| w.cost < 10)
        {
            out.push((value, way.clone()));
        }
    }
    out
}

/// Lists that have one item for each item of an argument.
fn mapped(facts: &Facts, list: &Value, out: &mut Vec<(Rc<str>, u32)>) {
    let Some(wanted) = list.as_list().filter(|l| !l.is_empty()) else { return };
    for at in 0..facts.nodes.len() as u32 {
        let Some(source) = facts.value(at).as_list().filter(|l| l.len() == wanted.len()) else { continue };
        if facts.in_state(at) || source.is_empty() {
            continue;
        }
        for base in facts.ways(at).iter().take(2) {
            let first = format!("{}[0]", base.text);
            for place in facts.places(&wanted[0]).take(10) {
                for way in facts.ways(place).iter().filter(|way| way.text.contains(&first)) {
                    let each = way.text.replace(&first, "i");
                    add(out, format!("{}.map(i, {each})", base.text).into(), way.cost + 3);
                }
            }
        }
    }
}
