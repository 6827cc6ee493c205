//! Numbers that occur nowhere: sums, counts, differences and products of what does.

use super::{Found, Search, Target, seeds};
use crate::facts::Facts;
use crate::quote;
use gtm_world::Value;
use std::rc::Rc;

/// Most numbers that are combined.
const MAX_POOL: usize = 48;
/// Most collections that are counted and summed up.
const MAX_COLLECTIONS: usize = 24;
/// Costliest place that is combined.
const MAX_COST: u32 = 14;

impl Search<'_> {
    pub(super) fn number(&self, targets: &[Target]) -> Option<Found> {
        let seed = *seeds(targets).first()?;
        let wanted = seed.value.as_f64()?;
        let mut pool = pool(self.probe.cases[seed.case].facts());
        let mut texts: Vec<(Rc<str>, u32)> = Vec::new();
        for (text, cost) in aggregates(self.probe.cases[seed.case].facts()) {
            if let Some(x) = self.probe.eval(&text, seed.case).and_then(|v| v.as_f64()) {
                pool.push((text, x, cost));
            }
        }
        pool.sort_by(|a, b| a.2.cmp(&b.2).then_with(|| a.0.cmp(&b.0)));
        pool.truncate(MAX_POOL);
        let near = |x: f64| (x - wanted).abs() <= 1e-9 * wanted.abs().max(1.0);
        let nearly = |x: f64| (x - wanted).abs() <= 0.00501;
        let mut note = |text: String, x: f64, cost: u32| {
            if near(x) {
                super::add(&mut texts, text.clone().into(), cost);
            }
            if nearly(x) && wanted.fract() != 0.0 {
                super::add(&mut texts, format!("round({text}, 2)").into(), cost + 2);
            }
        };
        for (a, x, cost) in &pool {
            note(a.to_string(), *x, *cost);
            for n in [1.0, 2.0, 10.0, 100.0] {
                note(format!("{a} + {n}"), x + n, cost + 3);
                note(format!("{a} - {n}"), x - n, cost + 3);
                if n > 1.0 {
                    note(format!("{a} * {n}"), x * n, cost + 4);
                    note(format!("{a} / {n}"), x / n, cost + 4);
                }
            }
            for (b, y, other) in &pool {
                let cost = cost + other + 3;
                if a != b {
                    note(format!("{a} - {b}"), x - y, cost);
                    if *y != 0.0 {
                        note(format!("{a} / {b}"), x / y, cost);
                    }
                }
                if a < b {
                    note(format!("{a} + {b}"), x + y, cost);
                    note(format!("{a} * {b}"), x * y, cost);
                }
            }
        }
        texts.sort_by(|a, b| a.1.cmp(&b.1).then_with(|| a.0.cmp(&b.0)));
        texts.truncate(super::MAX_CANDIDATES);
        self.best(targets, texts)
    }
}

/// Numbers at likely places.
fn pool(facts: &Facts) -> Vec<(Rc<str>, f64, u32)> {
    let mut out = Vec::new();
    for at in 0..facts.nodes.len() as u32 {
        let Some(x) = facts.value(at).as_f64() else { continue };
        if let Some(way) = facts.ways(at).first().filter(|way| way.cost <= MAX_COST) {
            out.push((way.text.clone(), x, way.cost));
        }
    }
    out.sort_by(|a, b| a.2.cmp(&b.2).then_with(|| a.0.cmp(&b.0)));
    out.truncate(MAX_POOL);
    out
}

/// Counts of collections, and sums and means of what their items have.
fn aggregates(facts: &Facts) -> Vec<(Rc<str>, u32)> {
    let mut out: Vec<(Rc<str>, u32)> = Vec::new();
    let mut collections: Vec<(u32, crate::facts::Way)> = Vec::new();
    for at in 0..facts.nodes.len() as u32 {
        let sized = match facts.value(at) {
            Value::List(_) => true,
            Value::Map(map) => map.values().all(|v| matches!(v, Value::Map(_) | Value::List(_))),
            _ => false,
        };
        if sized && let Some(way) = facts.ways(at).first().filter(|way| way.cost <= MAX_COST) {
            collections.push((at, way.clone()));
        }
    }
    collections.sort_by(|a, b| a.1.cost.cmp(&b.1.cost).then_with(|| a.1.text.cmp(&b.1.text)));
    for (at, way) in collections.into_iter().take(MAX_COLLECTIONS) {
        let (base, cost) = (&way.text, way.cost);
        let mut push = |text: String, more: u32| out.push((text.into(), cost + more));
        push(format!("size({base})"), 2);
        let items: Vec<&Value> = match facts.value(at) {
            Value::List(list) => list.iter().collect(),
            Value::Map(map) => map.values().collect(),
            _ => Vec::new(),
        };
        match items.first() {
            Some(Value::Int(_) | Value::Float(_)) => {
                for function in ["sum", "avg", "max", "min"] {
                    push(format!("{function}({base})"), 2);
                }
            }
            Some(Value::Map(record)) => {
                for (name, _) in record.iter().filter(|(_, v)| v.as_f64().is_some()).take(4) {
                    push(format!("sum(pluck(values({base}), {}))", quote::text(name)), 4);
                }
            }
            Some(Value::Str(_) | Value::List(_)) | Some(Value::Bool(_) | Value::Null) | None => {}
        }
    }
    out
}
