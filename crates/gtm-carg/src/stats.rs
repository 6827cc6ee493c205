//! What packs amount to: domains, tools apart from style, near-duplicates among them.

use crate::domain::Domain;
use crate::tools::{Plan, Reply};
use gtm_world::seed;
use serde::Serialize;
use std::collections::{HashMap, HashSet};

/// Hash functions of a sketch.
const HASHES: usize = 64;
/// Rows of a band: tools that share a band are compared.
const ROWS: usize = 4;
/// Tools whose sketches agree in so many places are near-duplicates.
const NEAR: f64 = 0.9;
/// Words of one shingle.
const SHINGLE: usize = 3;

/// Figures about packs.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Stats {
    /// Domains.
    pub domains: usize,
    /// Areas.
    pub areas: usize,
    /// Tools without style.
    pub tools: usize,
    /// Tools that differ in domain, parameters or behavior.
    pub distinct_tools: usize,
    /// Share of distinct tools that are like an earlier one: estimated Jaccard similarity of 0.9 or more of
    /// the word triples in parameters, steps and reply.
    pub near_duplicate_rate: f64,
    /// Formulas.
    pub formulas: usize,
    /// Worked values of formulas and simulators.
    pub worked_values: usize,
    /// Types of records and single things.
    pub entities: usize,
    /// Operations and reports.
    pub operations: usize,
    /// Simulators.
    pub simulators: usize,
}

/// Counts what packs amount to.
pub fn stats<'d>(domains: impl IntoIterator<Item = (&'d Domain, &'d [Plan])>) -> Stats {
    let mut stats = Stats::default();
    let mut areas = HashSet::new();
    let mut seen = HashSet::new();
    let mut index = Index::default();
    let mut near = 0usize;
    for (domain, plans) in domains {
        let pack = &domain.pack;
        stats.domains += 1;
        areas.insert(pack.area.as_str());
        stats.formulas += pack.formulas.len();
        stats.worked_values += pack.formulas.values().map(|f| f.worked.len()).sum::<usize>();
        stats.worked_values += pack.simulators.values().map(|s| s.worked.len()).sum::<usize>();
        stats.entities += pack.entities.len() + pack.singletons.len();
        stats.operations += pack.operations.len() + pack.reports.len();
        stats.simulators += pack.simulators.len();
        for plan in plans {
            stats.tools += 1;
            let folded = folded(plan);
            if !seen.insert((pack.domain.clone(), seed::derive(0, &[&folded]))) {
                continue;
            }
            stats.distinct_tools += 1;
            near += usize::from(index.add(&folded));
        }
    }
    stats.areas = areas.len();
    stats.near_duplicate_rate = match stats.distinct_tools {
        0 => 0.0,
        n => (1e4 * near as f64 / n as f64).round() / 1e4,
    };
    stats
}

/// A tool as text, without what styles change: parameters with kinds, steps, reply.
fn folded(plan: &Plan) -> String {
    let mut text = String::new();
    for param in &plan.params {
        text.push_str(&format!(
            "{} {:?} {:?} {:?} {}\n",
            param.name, param.attribute.kind, param.attribute.unit, param.attribute.list, param.required
        ));
    }
    text.push_str(&serde_json::to_string(&plan.steps).unwrap_or_default());
    match &plan.reply {
        Reply::Record(of, _) => text.push_str(&format!("\nrecord {of}")),
        Reply::Rows(of, _, total) => text.push_str(&format!("\nrows {of} {}", total.is_some())),
        Reply::Done(of, what, _) => text.push_str(&format!("\n{what} {of}")),
        Reply::Value(template) => text.push_str(&format!("\n{template}")),
    }
    text
}

/// Sketches of the tools so far, by band.
#[derive(Default)]
struct Index {
    sketches: Vec<[u32; HASHES]>,
    bands: HashMap<(usize, u64), Vec<usize>>,
}

impl Index {
    /// Adds a text; true if one like it is there already.
    fn add(&mut self, text: &str) -> bool {
        let sketch = sketch(text);
        let mut near = false;
        for (band, rows) in sketch.chunks(ROWS).enumerate() {
            let key = rows.iter().fold(band as u64, |key, row| seed::mix(key ^ u64::from(*row)));
            let bucket = self.bands.entry((band, key)).or_default();
            near = near
                || bucket.iter().any(|other| {
                    let same = self.sketches[*other].iter().zip(&sketch).filter(|(a, b)| a == b).count();
                    same as f64 >= NEAR * HASHES as f64
                });
            bucket.push(self.sketches.len());
        }
        self.sketches.push(sketch);
        near
    }
}

/// MinHash of the shingles of words.
fn sketch(text: &str) -> [u32; HASHES] {
    let words: Vec<&str> =
        text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty()).collect();
    let mut least = [u32::MAX; HASHES];
    for shingle in words.windows(SHINGLE.min(words.len().max(1))) {
        let base = seed::derive(1, shingle);
        for (at, slot) in least.iter_mut().enumerate() {
            *slot =
                (*slot).min((seed::mix(base ^ (at as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)) >> 32) as u32);
        }
    }
    least
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_texts_are_near() {
        let text: String = (0..200).map(|i| format!("word{} ", i * 7 % 101)).collect();
        let mut index = Index::default();
        assert!(!index.add(&text));
        assert!(index.add(&text.replacen("word7 ", "other ", 1)));
        assert!(!index.add(&(0..200).map(|i| format!("else{i} ")).collect::<String>()));
    }
}
