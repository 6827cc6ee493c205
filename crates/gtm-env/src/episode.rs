//! One attempt at a task, seen from outside the simulator.

use crate::environment::TaskRef;
use crate::goal::Ends;
use crate::score::Score;
use gtm_sim::Session;
use serde::Serialize;

/// One attempt: which task, what was answered, whether it is over, and what was paid so far. It does not
/// hold the session; whoever makes the calls shows it. Clone it along with a forked session.
#[derive(Clone, Debug, Default)]
pub struct Episode {
    task: Option<TaskRef>,
    answer: Option<String>,
    over: Option<End>,
    paid: f64,
}

/// Why an attempt is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// All checks hold.
    Goal,
    /// The agent handed in its answer.
    Answer,
    /// It used all calls that it had.
    Calls,
}

/// What a step of an attempt brought.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Step {
    /// What the step adds to the attempt's reward; all steps together are worth [`Score::reward`]. `None` if
    /// there is nothing to achieve.
    pub reward: Option<f64>,
    /// Whether the attempt is over, and why.
    pub done: Option<End>,
}

impl Episode {
    /// A new attempt at a task, or a session without one.
    pub fn new(task: Option<TaskRef>) -> Episode {
        Episode { task, ..Episode::default() }
    }

    /// The task.
    pub fn task(&self) -> Option<&TaskRef> {
        self.task.as_ref()
    }

    /// Why it is over, if it is.
    pub fn over(&self) -> Option<End> {
        self.over
    }

    /// The answer handed in.
    pub fn answer(&self) -> Option<&str> {
        self.answer.as_deref()
    }

    /// Takes the agent's answer.
    pub fn submit(&mut self, answer: impl Into<String>) {
        self.answer = Some(answer.into());
        self.over = self.over.or(Some(End::Answer));
    }

    /// Goes on after the session was taken back: the attempt is not over, and what was paid counts.
    pub fn reopen(&mut self) {
        (self.answer, self.over) = (None, None);
    }

    /// Looks at the session after a call or an answer. An attempt that is over pays no more.
    pub fn step(&mut self, session: &Session) -> Step {
        let goal = self.task.as_ref().filter(|task| task.0.prepared.has_goal());
        let limit = self.task.as_ref().and_then(|task| task.limits().calls);
        if limit.is_some_and(|limit| session.turns() >= limit) {
            self.over = self.over.or(Some(End::Calls));
        }
        let Some(task) = goal else { return Step { reward: None, done: self.over } };
        let score = task.score(session, self.answer.as_deref());
        if score.success && task.0.prepared.ends == Ends::Goal && session.turns() > 0 {
            self.over = self.over.or(Some(End::Goal));
        }
        let reward = score.reward - self.paid;
        self.paid = score.reward;
        Step { reward: Some(reward), done: self.over }
    }

    /// What the attempt is worth so far; `None` if there is nothing to achieve.
    pub fn score(&self, session: &Session) -> Option<Score> {
        let goal = self.task.as_ref().filter(|task| task.0.prepared.has_goal());
        goal.map(|task| task.score(session, self.answer.as_deref()))
    }
}
