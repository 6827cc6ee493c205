//! A task made ready: its goal compiled, its opening worked out.

use crate::answer::AnswerCheck;
use crate::calls::CallCheck;
use crate::end_state::{EndCheck, shown};
use crate::file::Task;
use crate::goal::{Check, Ends, RewardKind};
use crate::pattern::steps;
use crate::score::{CheckScore, Score};
use gtm_error::{Code, Error, Result};
use gtm_sim::{Call, Session, SessionOptions, Simulator};
use gtm_world::cel::{Expr, Scope, truth};
use gtm_world::{Budget, Value};
use std::sync::{Arc, OnceLock};

/// Most checks of a task.
const MAX_CHECKS: usize = 256;

/// A task made ready.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) task: Task,
    pub(crate) ends: Ends,
    kind: RewardKind,
    checks: Vec<Compiled>,
    /// How things stand before the first call.
    start: OnceLock<Start>,
}

#[derive(Debug)]
struct Start {
    state: Value,
    /// Which checks hold.
    held: Vec<bool>,
}

#[derive(Debug)]
struct Compiled {
    name: String,
    weight: f64,
    check: Kind,
}

#[derive(Debug)]
enum Kind {
    That(Expr),
    At { steps: Vec<String>, is: Value },
    After(EndCheck),
    Calls(CallCheck),
    Answer(AnswerCheck),
}

impl Prepared {
    /// # Errors
    /// [`Code::EnvironmentInvalid`], [`Code::ExpressionInvalid`], and those of [`Simulator::open`].
    pub(crate) fn new(task: Task, kind: RewardKind, simulator: &Simulator) -> Result<Prepared> {
        if task.goal.checks.len() > MAX_CHECKS {
            let what = format!("a goal of {} checks", task.goal.checks.len());
            return Err(Error::new(Code::EnvironmentInvalid, what).expected(format!("at most {MAX_CHECKS}")));
        }
        let checks = task.goal.checks.iter().enumerate();
        let checks = checks.map(|(at, check)| {
            Compiled::new(check, simulator).map_err(|e| e.at(format!("/goal/checks/{at}")))
        });
        let checks = checks.collect::<Result<Vec<_>>>()?;
        let answers = checks.iter().any(|check| matches!(check.check, Kind::Answer(_)));
        let ends = task.goal.ends.unwrap_or(if answers { Ends::Answer } else { Ends::Goal });
        let kind = task.goal.reward.unwrap_or(kind);
        let prepared = Prepared { task, ends, kind, checks, start: OnceLock::new() };
        simulator.open(prepared.opening())?;
        Ok(prepared)
    }

    /// How a session of the task differs from the toolset's defaults. Nothing of the goal is in it.
    pub(crate) fn opening(&self) -> SessionOptions {
        let Task { state, seed, world, faults, tools, .. } = &self.task;
        SessionOptions {
            seed: *seed,
            state: state.clone().map(serde_json::Value::Object),
            world: *world,
            faults: faults.clone(),
            tools: tools.clone(),
        }
    }

    /// Whether there is anything to achieve.
    pub(crate) fn has_goal(&self) -> bool {
        !self.checks.is_empty()
    }

    /// The calls that achieve the task, where it tells them.
    pub(crate) fn reference(&self) -> Option<&[Call]> {
        let own = Some(self.task.reference.as_slice()).filter(|calls| !calls.is_empty());
        own.or_else(|| {
            self.checks.iter().find_map(|check| match &check.check {
                Kind::After(end) => Some(end.calls()),
                _ => None,
            })
        })
    }

    /// An answer that satisfies the first check of the answer.
    pub(crate) fn right_answer(&self) -> Option<String> {
        self.checks.iter().find_map(|check| match &check.check {
            Kind::Answer(answer) => Some(answer.right()),
            _ => None,
        })
    }

    /// What an attempt is worth.
    pub(crate) fn score(&self, simulator: &Simulator, session: &Session, answer: Option<&str>) -> Score {
        let start = self.start.get_or_init(|| self.start(simulator));
        let facts = Facts { simulator, task: self, start: &start.state, session, answer };
        let checks = self.checks.iter().zip(&start.held).map(|(check, held_at_start)| {
            let (holds, why) = check.check.holds(&facts);
            let (name, weight) = (check.name.clone(), check.weight);
            CheckScore { name, holds, held_at_start: *held_at_start, weight, why }
        });
        Score::new(self.kind, checks.collect())
    }

    fn start(&self, simulator: &Simulator) -> Start {
        // It was opened once when the task was made ready, so it can be opened again.
        let Ok(fresh) = simulator.open(self.opening()) else {
            return Start { state: Value::map(), held: vec![false; self.checks.len()] };
        };
        let facts = Facts { simulator, task: self, start: fresh.state(), session: &fresh, answer: None };
        let held = self.checks.iter().map(|check| check.check.holds(&facts).0).collect();
        Start { state: fresh.state().clone(), held }
    }
}

/// What a check may look at.
struct Facts<'a> {
    simulator: &'a Simulator,
    task: &'a Prepared,
    start: &'a Value,
    session: &'a Session,
    answer: Option<&'a str>,
}

impl Compiled {
    fn new(check: &Check, simulator: &Simulator) -> Result<Compiled> {
        let Check { name, weight, that, at, is, after, called, not_called, answer } = check;
        let mut kinds = Vec::new();
        if let Some(text) = that {
            kinds.push((Kind::That(Expr::parse(text).map_err(|e| e.at("/that"))?), text.clone()));
        }
        if let Some(place) = at {
            let steps = steps(place).map_err(|e| e.at("/at"))?;
            let is = Value::from(is);
            let about = match is.is_null() {
                true => format!("{place} is gone"),
                false => format!("{place} is {}", shown(&is)),
            };
            kinds.push((Kind::At { steps, is }, about));
        } else if !is.is_null() {
            let what = "`is` says what is at a place";
            return Err(Error::new(Code::EnvironmentInvalid, what).at("/is").expected("`at` beside it"));
        }
        if let Some(end) = after {
            let end = EndCheck::new(end).map_err(|e| e.at("/after"))?;
            let about = end.about();
            kinds.push((Kind::After(end), about));
        }
        for (pattern, forbidden, place) in [(called, false, "/called"), (not_called, true, "/not_called")] {
            if let Some(pattern) = pattern {
                let calls = CallCheck::new(pattern, forbidden, simulator).map_err(|e| e.at(place))?;
                let about = calls.about();
                kinds.push((Kind::Calls(calls), about));
            }
        }
        if let Some(answer) = answer {
            let answer = AnswerCheck::new(answer)?;
            let about = answer.about();
            kinds.push((Kind::Answer(answer), about));
        }
        let weight = weight.unwrap_or(1.0);
        if !weight.is_finite() || weight < 0.0 {
            return Err(Error::new(Code::EnvironmentInvalid, "a weight below zero").at("/weight"));
        }
        match <[_; 1]>::try_from(kinds) {
            Ok([(kind, about)]) => Ok(Compiled { name: name.clone().unwrap_or(about), weight, check: kind }),
            Err(kinds) => {
                let what = match kinds.is_empty() {
                    true => "the check says nothing",
                    false => "the check says several things",
                };
                Err(Error::new(Code::EnvironmentInvalid, what)
                    .expected("one of `that`, `at`, `after`, `called`, `not_called`, `answer`"))
            }
        }
    }
}

impl Kind {
    /// Whether it holds, and what was found.
    fn holds(&self, facts: &Facts<'_>) -> (bool, String) {
        match self {
            Kind::That(expr) => that(expr, facts),
            Kind::At { steps, is } => {
                let found = steps.iter().try_fold(facts.session.state(), |at, step| match at {
                    Value::List(items) => step.parse::<usize>().ok().and_then(|index| items.get(index)),
                    other => other.get(step),
                });
                let found = found.unwrap_or(&Value::Null);
                (found == is, format!("it is {}", shown(found)))
            }
            Kind::After(end) => end.check(facts.simulator, &facts.task.opening(), facts.session),
            Kind::Calls(calls) => calls.check(facts.simulator, facts.session),
            Kind::Answer(answer) => answer.check(facts.answer),
        }
    }
}

/// Evaluates an expression over the session. One that fails does not hold, and says why.
fn that(expr: &Expr, facts: &Facts<'_>) -> (bool, String) {
    let session = facts.session;
    let mut scope = Scope::new(session.state().clone(), session.world().now());
    for name in expr.free_names() {
        let value = match name {
            "before" => facts.start.clone(),
            "answer" => facts.answer.map_or(Value::Null, Value::from),
            "calls" => calls(session),
            _ => continue,
        };
        scope.push(name.into(), value);
    }
    let mut budget = Budget::new(&facts.simulator.toolset().limits.world);
    match expr.eval(&scope, &mut budget).and_then(|value| truth(&value)) {
        Ok(true) => (true, "it is true".into()),
        Ok(false) => (false, "it is not true".into()),
        Err(error) => (false, format!("it cannot be told: {}", error.message)),
    }
}

fn calls(session: &Session) -> Value {
    session
        .transcript()
        .map(|turn| {
            let members: [(Arc<str>, Value); 4] = [
                ("tool".into(), Value::from(turn.call.tool)),
                ("arguments".into(), Value::from(turn.call.arguments)),
                ("content".into(), Value::from(turn.reply.content)),
                ("is_error".into(), Value::from(turn.reply.is_error)),
            ];
            Value::Map(members.into_iter().collect())
        })
        .collect()
}
