//! Trying a task: does its reference earn 1, and doing nothing 0?

use crate::environment::TaskRef;
use crate::score::Score;
use gtm_error::Result;
use gtm_sim::Call;
use serde::Serialize;

/// What came of trying a task.
#[derive(Clone, Debug, Serialize)]
pub struct Trial {
    /// What doing nothing is worth.
    pub nothing: Score,
    /// What the reference is worth, with the right answer where the goal tells one; none if the task gives
    /// no reference and wants no answer that the goal tells.
    pub reference: Option<Score>,
    /// Calls of the reference that failed, by number from 1: what they were answered.
    pub failed: Vec<(usize, String)>,
}

impl Trial {
    /// Whether the task is as it should be.
    pub fn is_sound(&self) -> bool {
        self.nothing.reward == 0.0 && self.reference.as_ref().is_none_or(|score| score.success)
    }
}

impl TaskRef {
    /// Tries the task.
    ///
    /// # Errors
    /// Those of opening a session and of making a call.
    pub fn try_out(&self) -> Result<Trial> {
        let simulator = self.simulator();
        let mut session = simulator.open(self.opening())?;
        let nothing = self.score(&session, None);
        let answer = self.0.prepared.right_answer();
        let calls: &[Call] = match (self.reference(), &answer) {
            (None, None) => return Ok(Trial { nothing, reference: None, failed: Vec::new() }),
            (calls, _) => calls.unwrap_or_default(),
        };
        let mut failed = Vec::new();
        for (at, call) in calls.iter().enumerate() {
            let reply = simulator.try_call(&mut session, call)?;
            if reply.is_error {
                let told = reply.error.map_or_else(|| reply.content.to_string(), |error| error.message);
                failed.push((at + 1, told));
            }
        }
        let reference = Some(self.score(&session, answer.as_deref()));
        Ok(Trial { nothing, reference, failed })
    }
}
