//! What an attempt is worth, and why.

use crate::goal::RewardKind;
use serde::{Deserialize, Serialize};

/// What an attempt is worth, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// From 0 to 1.
    pub reward: f64,
    /// Whether all checks hold.
    pub success: bool,
    /// How the task pays.
    pub kind: RewardKind,
    /// The checks, in order.
    pub checks: Vec<CheckScore>,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckScore {
    /// Its name.
    pub name: String,
    /// Whether it holds.
    pub holds: bool,
    /// Whether it held before the first call. Such a check pays nothing; losing it costs all.
    pub held_at_start: bool,
    /// Its share of a shaped reward, beside the others.
    pub weight: f64,
    /// What was found.
    pub why: String,
}

impl Score {
    /// Adds the checks up.
    pub(crate) fn new(kind: RewardKind, checks: Vec<CheckScore>) -> Score {
        let success = checks.iter().all(|check| check.holds);
        let lost = checks.iter().any(|check| check.held_at_start && !check.holds);
        let goals = || checks.iter().filter(|check| !check.held_at_start);
        let whole: f64 = goals().map(|check| check.weight).sum();
        let reward = match kind {
            _ if success => 1.0,
            RewardKind::Sparse => 0.0,
            RewardKind::Shaped if lost || whole <= 0.0 => 0.0,
            RewardKind::Shaped => goals().filter(|c| c.holds).fold(0.0, |sum, c| sum + c.weight) / whole,
        };
        Score { reward, success, kind, checks }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(holds: bool, held_at_start: bool, weight: f64) -> CheckScore {
        CheckScore { name: String::new(), holds, held_at_start, weight, why: String::new() }
    }

    fn reward(kind: RewardKind, checks: &[CheckScore]) -> f64 {
        Score::new(kind, checks.to_vec()).reward
    }

    #[test]
    fn a_shaped_reward_is_the_share_of_what_was_achieved() {
        let checks = [check(true, false, 1.0), check(false, false, 3.0), check(true, true, 5.0)];
        assert_eq!(reward(RewardKind::Shaped, &checks), 0.25);
        assert_eq!(reward(RewardKind::Sparse, &checks), 0.0);
    }

    #[test]
    fn what_held_at_the_start_pays_nothing_and_must_not_be_lost() {
        let guard = [check(true, true, 1.0), check(false, false, 1.0)];
        assert_eq!(reward(RewardKind::Shaped, &guard), 0.0);
        let lost = [check(false, true, 1.0), check(true, false, 1.0)];
        assert_eq!(reward(RewardKind::Shaped, &lost), 0.0);
        let all = [check(true, true, 1.0), check(true, false, 1.0)];
        assert_eq!(reward(RewardKind::Shaped, &all), 1.0);
        assert_eq!(reward(RewardKind::Sparse, &all), 1.0);
    }
}
