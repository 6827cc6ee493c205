//! Which part of a dataset a domain or provider belongs to. Never by session: what a model is tested on, it has seen
//! nothing of.

use gtm_world::seed;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A part of a dataset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// To learn from.
    #[default]
    Train,
    /// To choose by.
    Validation,
    /// Held out, to measure on.
    Test,
}

impl Split {
    /// All splits.
    pub const ALL: [Split; 3] = [Split::Train, Split::Validation, Split::Test];

    /// As files and records name it.
    pub fn name(self) -> &'static str {
        match self {
            Split::Train => "train",
            Split::Validation => "validation",
            Split::Test => "test",
        }
    }
}

/// Shares of domains and providers that are held out.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Splits {
    /// Share for validation, 0 to 1.
    pub validation: f64,
    /// Share for testing, 0 to 1.
    pub test: f64,
}

impl Default for Splits {
    fn default() -> Splits {
        Splits { validation: 0.04, test: 0.08 }
    }
}

impl Splits {
    /// The split of a domain or provider. It depends on the name alone, not on what else there is nor on the seed, so
    /// that what is held out stays so from one dataset to the next.
    pub fn of(&self, group: &str) -> Split {
        let at = (seed::derive(0, &["split", group]) >> 11) as f64 / (1u64 << 53) as f64;
        match at {
            _ if at < self.test => Split::Test,
            _ if at < self.test + self.validation => Split::Validation,
            _ => Split::Train,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_kept_and_nobody_moves() {
        let splits = Splits::default();
        let groups: Vec<String> = (0..20_000).map(|n| format!("domain_{n}")).collect();
        let share =
            |split| groups.iter().filter(|g| splits.of(g) == split).count() as f64 / groups.len() as f64;
        assert!((share(Split::Test) - 0.08).abs() < 0.01);
        assert!((share(Split::Validation) - 0.04).abs() < 0.01);
        // A larger share for testing holds out more, and lets nobody out.
        let more = Splits { test: 0.2, ..splits };
        assert!(groups.iter().filter(|g| splits.of(g) == Split::Test).all(|g| more.of(g) == Split::Test));
    }
}
