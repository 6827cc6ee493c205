//! Tables: the value depends on some arguments alone, and what it was for them is known.

use super::{Found, Search, Target, constant};
use crate::quote;
use gtm_world::Value;
use serde_json::{Map as JsonMap, Value as Json};
use std::collections::BTreeMap;

/// Most rows of a table.
const MAX_ROWS: usize = 2_000;
/// Most bytes of JSON in a table.
const MAX_BYTES: usize = 256 << 10;

impl Search<'_> {
    /// The fewest arguments that the value is a function of.
    pub(super) fn table(&self, targets: &[Target]) -> Option<Found> {
        // Objects with the same members are better explained member by member.
        let first = targets.first()?.value.as_map();
        let alike = |t: &Target| {
            let (a, b) = (first?, t.value.as_map()?);
            (a.len() == b.len() && b.keys().all(|name| a.contains_key(name))).then_some(())
        };
        if first.is_some_and(|map| !map.is_empty()) && targets.iter().all(|t| alike(t).is_some()) {
            return None;
        }
        let names = self.argument_names(targets);
        let mut choices: Vec<Vec<&String>> = names.iter().map(|name| vec![name]).collect();
        for (i, a) in names.iter().enumerate() {
            choices.extend(names[i + 1..].iter().map(|b| vec![a, b]));
        }
        for (i, a) in names.iter().enumerate() {
            for (j, b) in names.iter().enumerate().skip(i + 1) {
                choices.extend(names[j + 1..].iter().map(|c| vec![a, b, c]));
            }
        }
        let mut types: Vec<String> = names.iter().map(|name| format!("type({})", place(name))).collect();
        types.retain(|expr| {
            targets.iter().any(|t| self.probe.eval(expr, t.case) != self.probe.eval(expr, targets[0].case))
        });
        let keys = choices.into_iter().map(|names| key(&names)).chain(types);
        let found = keys.filter_map(|key| self.by(targets, &key));
        found.max_by_key(|found| found.score())
    }

    fn argument_names(&self, targets: &[Target]) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for target in targets.iter().take(50) {
            for (name, value) in
                self.probe.cases[target.case].call.args.as_map().into_iter().flat_map(|m| m.iter())
            {
                let scalar = value.as_key().is_some_and(|k| k.len() < 200);
                if scalar && names.len() < 5 && !names.iter().any(|n| **n == **name) {
                    names.push(name.to_string());
                }
            }
        }
        names
    }

    fn by(&self, targets: &[Target], key: &str) -> Option<Found> {
        if !self.spend(targets.len()) {
            return None;
        }
        let mut rows: BTreeMap<String, (&Value, Vec<usize>)> = BTreeMap::new();
        let mut wrong = 0;
        let mut keys = Vec::with_capacity(targets.len());
        for target in targets {
            let key = self.probe.eval(key, target.case).and_then(|v| v.as_key());
            let group = self.probe.cases[target.case].call.group;
            if let Some(key) = &key {
                let row = rows.entry(key.to_string()).or_insert((&target.value, Vec::new()));
                match *row.0 == target.value {
                    true => row.1.push(group),
                    false => wrong += 1,
                }
            }
            keys.push(key);
        }
        if rows.len() > MAX_ROWS || wrong * 20 > targets.len() || rows.len() < 2 {
            return None;
        }
        // A row is worth something where another group has it, too.
        let hit = |(target, key): (&Target, &Option<gtm_world::Str>)| {
            key.as_ref().and_then(|key| rows.get(&**key)).is_some_and(|(value, groups)| {
                **value == target.value && groups.iter().any(|s| *s != groups[0])
            })
        };
        let hits: Vec<bool> = targets.iter().zip(&keys).map(hit).collect();
        let container = |t: &Target| matches!(t.value, Value::Map(_) | Value::List(_));
        if targets.iter().any(container) && hits.iter().filter(|hit| **hit).count() * 2 < targets.len() {
            return None;
        }
        // What no two groups share is worth remembering if it is short: a price, a code.
        let short = |t: &Target| t.value.as_key().is_some_and(|k| k.len() < 60) || t.value.is_null();
        if !hits.iter().any(|hit| *hit) && !targets.iter().all(short) {
            return None;
        }
        let commonest = commonest(targets);
        let table: JsonMap<String, Json> =
            rows.iter().map(|(key, (value, _))| (key.clone(), value.to_json())).collect();
        let table = Json::Object(table);
        if table.to_string().len() > MAX_BYTES {
            return None;
        }
        let name = self.name("known", serde_json::json!({"$value": table}));
        let otherwise = match constant(commonest) {
            Json::Object(_) => "null".to_owned(),
            _ => quote::literal(commonest),
        };
        let text = format!("cel.bind(k, {key}, k in {name} ? {name}[k] : {otherwise})");
        Some(Found::new(text.into(), hits, 10 + (rows.len() as u32).min(30)))
    }
}

fn place(name: &str) -> String {
    quote::member("args", name)
}

fn key(names: &[&String]) -> String {
    let parts: Vec<String> = names.iter().map(|name| format!("string({})", place(name))).collect();
    parts.join(" + '|' + ")
}

fn commonest(targets: &[Target]) -> &Value {
    let mut counts: Vec<(&Value, usize)> = Vec::new();
    for target in targets.iter().take(200) {
        match counts.iter_mut().find(|(value, _)| **value == target.value) {
            Some((_, count)) => *count += 1,
            None => counts.push((&target.value, 1)),
        }
    }
    counts.iter().max_by_key(|(_, count)| *count).map_or(&Value::Null, |(value, _)| value)
}
