//! Objects: member by member, or as a record of the state of which some members differ.

use super::{Found, MAX_DEPTH, Patch, Search, Target, leaves, mean, seeds};
use gtm_world::{Map, Value};
use serde_json::{Map as JsonMap, Value as Json};
use std::rc::Rc;

/// Most members that are explained one by one.
const MAX_MEMBERS: usize = 80;
/// Most members of a record that may differ.
const MAX_CHANGES: usize = 6;
/// Most records that are tried as the one that was changed.
const MAX_RECORDS: usize = 12;

impl Search<'_> {
    pub(super) fn object(&self, targets: &[Target], depth: usize) -> Option<Found> {
        let members = self.members(targets, depth);
        // A record of the state that came out otherwise was changed: that says more than the same member by member.
        match (members, self.changed(targets, depth)) {
            (Some(a), Some(b)) => Some(if b.worth() >= a.worth() { b } else { a }),
            (a, b) => a.or(b),
        }
    }

    /// Every member by itself; the members must be the same in all.
    fn members(&self, targets: &[Target], depth: usize) -> Option<Found> {
        let first = targets.first()?.value.as_map()?;
        let alike = |t: &Target| {
            t.value
                .as_map()
                .is_some_and(|m| m.len() == first.len() && m.keys().all(|k| first.contains_key(k)))
        };
        if first.len() > MAX_MEMBERS || !targets.iter().all(alike) {
            return None;
        }
        let mut out = JsonMap::new();
        let (mut hits, mut cost, mut invents) = (vec![true; targets.len()], 1, false);
        let mut sums = vec![0; targets.len()];
        for name in first.keys() {
            let found = self.explain(&self.below(targets, name), name, depth + 1);
            hits.iter_mut().zip(&found.hits).for_each(|(all, hit)| *all &= hit);
            for ((sum, part), target) in sums.iter_mut().zip(&found.parts).zip(targets) {
                *sum += usize::from(*part) * target.value.get(name).map_or(1, leaves);
            }
            cost += found.cost;
            invents |= found.invents;
            out.insert(name.to_string(), found.template);
        }
        // An object of one member that starts with `$` would be read as something special.
        if out.len() == 1 && out.keys().all(|name| name.starts_with('$')) {
            return None;
        }
        let parts = sums.into_iter().zip(targets).map(|(sum, t)| mean(sum, leaves(&t.value))).collect();
        Some(Found { parts, invents, ..Found::new(Json::Object(out), hits, cost) })
    }

    fn below(&self, targets: &[Target], name: &str) -> Vec<Target> {
        let member = |t: &Target| Some(Target { case: t.case, value: t.value.get(name)?.clone() });
        targets.iter().filter_map(member).collect()
    }

    /// A record of the state, some members of which are other than before.
    fn changed(&self, targets: &[Target], depth: usize) -> Option<Found> {
        let mut candidates: Vec<(Rc<str>, u32)> = Vec::new();
        for target in seeds(targets).into_iter().take(2) {
            let (facts, object) = (self.probe.cases[target.case].facts(), target.value.as_map()?);
            for at in 0..facts.nodes.len() as u32 {
                let Value::Map(record) = facts.value(at) else { continue };
                if !facts.in_state(at) || record.len() < 2 || !resembles(record, object) {
                    continue;
                }
                for way in facts.ways(at).iter() {
                    super::add(&mut candidates, way.text.clone(), way.cost);
                }
            }
        }
        candidates.sort_by(|a, b| a.1.cmp(&b.1).then_with(|| a.0.cmp(&b.0)));
        candidates.truncate(MAX_RECORDS);
        let found =
            candidates.into_iter().filter_map(|(text, cost)| self.patched(targets, &text, cost, depth));
        found.max_by_key(Found::score)
    }

    fn patched(&self, targets: &[Target], place: &str, cost: u32, depth: usize) -> Option<Found> {
        if depth >= MAX_DEPTH || !self.spend(targets.len()) {
            return None;
        }
        let mut hits = vec![true; targets.len()];
        let mut changed: Vec<String> = Vec::new();
        for (target, hit) in targets.iter().zip(&mut hits) {
            let (before, after) = (self.probe.eval(place, target.case), target.value.as_map()?);
            let Some(Value::Map(before)) = before else {
                *hit = false;
                continue;
            };
            if !resembles(&before, after) || before.keys().any(|name| !after.contains_key(name)) {
                *hit = false;
                continue;
            }
            for (name, value) in after.iter() {
                if before.get(name) != Some(value) && !changed.iter().any(|c| **c == **name) {
                    changed.push(name.to_string());
                }
            }
        }
        // By target, how many of its leaves are given, in percent of one.
        let whole = |(target, hit): (&Target, &bool)| if *hit { 100 * leaves(&target.value) } else { 0 };
        let mut given: Vec<usize> = targets.iter().zip(&hits).map(whole).collect();
        let good = hits.iter().filter(|hit| **hit).count();
        if changed.is_empty() || changed.len() > MAX_CHANGES || good * 3 < targets.len() * 2 {
            return None;
        }
        let fitting: Vec<Target> =
            targets.iter().zip(&hits).filter(|(_, hit)| **hit).map(|(t, _)| t.clone()).collect();
        let (mut set, mut cost, mut invents) = (Vec::new(), cost + 2, false);
        for name in changed {
            let below = self.below(&fitting, &name);
            let found = self.explain(&below, &name, depth + 1);
            let mut each = below.iter().zip(found.hits.iter().zip(&found.parts));
            for ((target, hit), given) in targets.iter().zip(&mut hits).zip(&mut given) {
                // A member that the record lacks in this case would be set all the same.
                let Some(value) = target.value.get(&name) else {
                    *hit = false;
                    continue;
                };
                match each.find(|(t, _)| t.case == target.case) {
                    Some((_, (right, part))) => {
                        *hit &= right;
                        *given = given.saturating_sub((100 - usize::from(*part)) * leaves(value));
                    }
                    None => *hit = false,
                }
            }
            cost += 1 + found.cost;
            invents |= found.invents;
            set.push((name, found.template));
        }
        let members: JsonMap<String, Json> = set.iter().cloned().collect();
        let name = self.name("changes", Json::Object(members));
        let part = |((given, hit), target): ((&usize, &bool), &Target)| match hit {
            true => 100,
            false => mean(*given, leaves(&target.value)).min(99),
        };
        let parts = given.iter().zip(&hits).zip(targets).map(part).collect();
        Some(Found {
            parts,
            invents,
            patch: Some(Patch { place: place.to_owned(), set }),
            ..Found::new(format!("merge({place}, {name})").into(), hits, cost)
        })
    }

    /// Gives a template a name that expressions can use.
    pub(super) fn name(&self, what: &str, template: Json) -> String {
        let mut named = self.named.borrow_mut();
        if let Some((name, _)) = named.iter().find(|(_, known)| *known == template) {
            return name.clone();
        }
        let name = format!("{what}_{}", named.len() + 1);
        named.push((name.clone(), template));
        name
    }
}

/// Whether most of a record's members are in the object, and most of these unchanged.
fn resembles(record: &Map, object: &Map) -> bool {
    let shared = record.keys().filter(|name| object.contains_key(name)).count();
    let equal = record.iter().filter(|(name, value)| object.get(name) == Some(value)).count();
    shared * 5 >= record.len() * 4 && equal * 2 >= record.len()
}
