//! How many distinct names a dataset has, and how usual the most usual ones are, in memory that does not grow with it.
//!
//! Distinct names are estimated by HyperLogLog (Flajolet et al. 2007; standard error 1.6 % with these registers).
//! Of usual names, each part keeps exact counts of its [`KEPT`] most usual; a name in half a percent of the tools is
//! among them in nearly every part, so their sum is close to the truth, from below.

use gtm_world::seed;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Bits of the hash that choose a register.
const BITS: u32 = 12;
/// Names whose counts a part keeps.
const KEPT: usize = 32;

/// Names of one kind: of tools, or of arguments and members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Census {
    /// Tools looked at.
    pub tools: u64,
    /// For the usual names, in how many of the tools they are.
    pub usual: BTreeMap<String, u64>,
    /// One register a character, longest run of zeros plus 1, from `0` on.
    registers: String,
}

impl Default for Census {
    fn default() -> Census {
        Census { tools: 0, usual: BTreeMap::new(), registers: "0".repeat(1 << BITS) }
    }
}

impl Census {
    /// Counts the names of one tool, each once.
    pub fn see<'n>(&mut self, names: impl IntoIterator<Item = &'n str>) {
        self.tools += 1;
        // Characters are ASCII throughout, so bytes can be changed in place by way of a vector.
        let mut registers = std::mem::take(&mut self.registers).into_bytes();
        for name in names {
            *self.usual.entry(name.to_owned()).or_default() += 1;
            let hash = seed::mix(seed::derive(0, &[name]));
            let at = (hash >> (64 - BITS)) as usize;
            let run = ((hash << BITS).leading_zeros().min(64 - BITS) + 1) as u8;
            registers[at] = registers[at].max(b'0' + run);
        }
        self.registers = String::from_utf8(registers).unwrap_or_default();
    }

    /// Forgets the counts of all but the most usual names.
    pub fn prune(&mut self) {
        let mut counts: Vec<(u64, String)> =
            std::mem::take(&mut self.usual).into_iter().map(|(name, count)| (count, name)).collect();
        counts.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        self.usual = counts.into_iter().take(KEPT).map(|(count, name)| (name, count)).collect();
    }

    /// Adds another's counts. One that is damaged adds nothing to the estimate.
    pub fn add(&mut self, other: &Census) {
        self.tools += other.tools;
        for (name, count) in &other.usual {
            *self.usual.entry(name.clone()).or_default() += count;
        }
        let most = |(a, b): (u8, u8)| char::from(a.max(b).min(b'0' + 64));
        self.registers = self.registers.bytes().zip(other.registers.bytes()).map(most).collect();
    }

    /// Number of distinct names, as estimated.
    pub fn distinct(&self) -> u64 {
        let m = f64::from(1u32 << BITS);
        let runs = || self.registers.bytes().map(|b| b.saturating_sub(b'0'));
        let raw = 0.7213 / (1.0 + 1.079 / m) * m * m
            / runs().map(|run| 0.5f64.powi(i32::from(run))).sum::<f64>().max(f64::MIN_POSITIVE);
        let empty = runs().filter(|run| *run == 0).count() as f64;
        // Few names are counted better by the registers that no name fell into.
        let estimate = if raw <= 2.5 * m && empty > 0.0 { m * (m / empty).ln() } else { raw };
        estimate.round() as u64
    }

    /// The most usual names, with the share of tools that have them.
    pub fn most_usual(&self, count: usize) -> Vec<(String, f64)> {
        let mut all: Vec<(&String, u64)> = self.usual.iter().map(|(name, n)| (name, *n)).collect();
        all.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
        let share = |n: u64| n as f64 / self.tools.max(1) as f64;
        all.into_iter().take(count).map(|(name, n)| (name.clone(), share(n))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn estimates_are_near_and_parts_add_up() {
        for size in [0usize, 10, 1_000, 60_000] {
            let mut whole = Census::default();
            let mut parts = [Census::default(), Census::default()];
            for n in 0..size {
                let name = format!("name_{n}");
                whole.see(["id", name.as_str()]);
                parts[n % 2].see(["id", name.as_str()]);
            }
            let found = whole.distinct() as f64;
            let true_size = if size == 0 { 0.0 } else { size as f64 + 1.0 };
            assert!((found - true_size).abs() <= true_size * 0.05 + 0.5, "{size}: {found}");
            let [mut sum, other] = parts;
            sum.prune();
            sum.add(&other);
            assert_eq!(sum.distinct(), whole.distinct());
            assert_eq!(sum.tools, whole.tools);
            if size > 0 {
                assert_eq!(sum.most_usual(1), vec![("id".to_owned(), 1.0)]);
            }
        }
    }
}
