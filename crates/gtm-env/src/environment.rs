//! An environment, ready to be attempted.

use crate::episode::Episode;
use crate::file::{Dialect, EnvironmentFile, Task, TaskLimits};
use crate::goal::RewardKind;
use crate::prepared::Prepared;
use crate::score::Score;
use gtm_error::{Code, Error, Result, printable};
use gtm_sim::{Call, Session, SessionOptions, Simulator};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// Name of the tool that takes answers, unless the environment names another.
const SUBMIT: &str = "submit_answer";
/// Most tasks of an environment.
pub(crate) const MAX_TASKS: usize = 100_000;
/// The split of tasks that name none.
const SPLIT: &str = "train";

/// Toolsets with tasks. Immutable; share it behind an [`Arc`].
#[derive(Debug)]
pub struct Environment {
    name: String,
    description: String,
    submit: String,
    dialects: BTreeSet<Dialect>,
    toolsets: Vec<(String, Shown)>,
    tasks: Vec<Arc<Ready>>,
    by_id: HashMap<String, usize>,
}

/// A simulator in a type that can be printed.
#[derive(Clone)]
pub(crate) struct Shown(pub(crate) Arc<Simulator>);

impl std::fmt::Debug for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Simulator({})", self.0.toolset().name)
    }
}

/// A task and the toolset it is about.
#[derive(Debug)]
pub(crate) struct Ready {
    pub(crate) prepared: Prepared,
    pub(crate) toolset: String,
    pub(crate) simulator: Shown,
}

/// A task of an environment. Cloning shares it.
#[derive(Clone, Debug)]
pub struct TaskRef(pub(crate) Arc<Ready>);

impl Environment {
    /// An environment of these toolsets and tasks; each task comes with the number of its toolset.
    ///
    /// # Errors
    /// [`Code::EnvironmentInvalid`] with the place, [`Code::ExpressionInvalid`], and those of opening
    /// a session.
    pub fn new(
        file: &EnvironmentFile,
        name: &str,
        toolsets: Vec<(String, Arc<Simulator>)>,
        tasks: Vec<(Task, usize)>,
    ) -> Result<Environment> {
        if tasks.len() > MAX_TASKS {
            let what = format!("{} tasks", tasks.len());
            return Err(Error::new(Code::EnvironmentInvalid, what).expected(format!("at most {MAX_TASKS}")));
        }
        let submit = file.submit.clone().unwrap_or_else(|| SUBMIT.to_owned());
        let kind: RewardKind = file.reward.unwrap_or_default();
        let mut by_id = HashMap::with_capacity(tasks.len());
        let mut ready = Vec::with_capacity(tasks.len());
        for (at, (mut task, toolset)) in tasks.into_iter().enumerate() {
            let place = |error: Error| error.at(format!("/tasks/{at}"));
            let Some((toolset, simulator)) = toolsets.get(toolset) else {
                return Err(place(
                    Error::new(Code::EnvironmentInvalid, "the task has no toolset")
                        .expected("`toolset` here or in the environment"),
                ));
            };
            if task.id.is_empty() {
                task.id = at.to_string();
            }
            if simulator.tool(&submit).is_some() {
                let what =
                    format!("a tool is called `{}`, as the one that takes answers", printable(&submit));
                return Err(Error::new(Code::EnvironmentInvalid, what)
                    .at("/submit")
                    .expected("another name"));
            }
            task.limits = TaskLimits { calls: task.limits.calls.or(file.limits.calls) };
            if by_id.insert(task.id.clone(), at).is_some() {
                let what = format!("two tasks are called `{}`", printable(&task.id));
                return Err(place(Error::new(Code::EnvironmentInvalid, what)));
            }
            let prepared = Prepared::new(task, kind, simulator).map_err(place)?;
            let (toolset, simulator) = (toolset.clone(), Shown(simulator.clone()));
            ready.push(Arc::new(Ready { prepared, toolset, simulator }));
        }
        let dialects = file.dialects.clone().unwrap_or_else(|| Dialect::ALL.into());
        Ok(Environment {
            name: file.name.clone().unwrap_or_else(|| name.to_owned()),
            description: file.description.clone(),
            submit,
            dialects,
            toolsets: toolsets.into_iter().map(|(name, simulator)| (name, Shown(simulator))).collect(),
            tasks: ready,
            by_id,
        })
    }

    /// A toolset alone, without tasks: there is nothing to achieve in it.
    pub fn of_toolset(name: impl Into<String>, simulator: Arc<Simulator>) -> Environment {
        let name = name.into();
        Environment {
            description: simulator.toolset().description.clone(),
            submit: SUBMIT.to_owned(),
            dialects: Dialect::ALL.into(),
            toolsets: vec![(name.clone(), Shown(simulator))],
            tasks: Vec::new(),
            by_id: HashMap::new(),
            name,
        }
    }

    /// Name, also in addresses.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is for.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// Name of the tool by which an agent hands in its answer.
    pub fn submit(&self) -> &str {
        &self.submit
    }

    /// Whether a way in is open.
    pub fn speaks(&self, dialect: Dialect) -> bool {
        self.dialects.contains(&dialect)
    }

    /// The toolsets by name; the first is that of sessions without a task.
    pub fn toolsets(&self) -> impl Iterator<Item = (&str, &Arc<Simulator>)> {
        self.toolsets.iter().map(|(name, simulator)| (name.as_str(), &simulator.0))
    }

    /// The tasks, in order.
    pub fn tasks(&self) -> impl ExactSizeIterator<Item = TaskRef> + '_ {
        self.tasks.iter().map(|task| TaskRef(task.clone()))
    }

    /// The task of this id.
    ///
    /// # Errors
    /// [`Code::TaskUnknown`].
    pub fn task(&self, id: &str) -> Result<TaskRef> {
        let found = self.by_id.get(id).and_then(|at| self.tasks.get(*at));
        found.map(|task| TaskRef(task.clone())).ok_or_else(|| {
            let what = format!("the environment {} has no task `{}`", self.name, printable(id));
            Error::new(Code::TaskUnknown, what)
        })
    }

    /// The splits that tasks are in, in order of first use.
    pub fn splits(&self) -> Vec<&str> {
        let mut splits = Vec::new();
        for task in &self.tasks {
            let split = split(&task.prepared.task);
            if !splits.contains(&split) {
                splits.push(split);
            }
        }
        splits
    }

    /// The tasks of a split, in order.
    pub fn in_split(&self, name: &str) -> impl Iterator<Item = TaskRef> {
        self.tasks
            .iter()
            .filter(move |task| split(&task.prepared.task) == name)
            .map(|task| TaskRef(task.clone()))
    }
}

fn split(task: &Task) -> &str {
    task.split.as_deref().unwrap_or(SPLIT)
}

impl TaskRef {
    /// Its id.
    pub fn id(&self) -> &str {
        &self.0.prepared.task.id
    }

    /// What it is held out for.
    pub fn split(&self) -> &str {
        split(&self.0.prepared.task)
    }

    /// What is asked, as the agent reads it.
    pub fn instruction(&self) -> &str {
        &self.0.prepared.task.instruction
    }

    /// Name of the toolset it is about.
    pub fn toolset(&self) -> &str {
        &self.0.toolset
    }

    /// The simulator of its tools.
    pub fn simulator(&self) -> &Arc<Simulator> {
        &self.0.simulator.0
    }

    /// The tools that may be used; `None` for all.
    pub fn tools(&self) -> Option<&[String]> {
        self.0.prepared.task.tools.as_deref()
    }

    /// What an attempt may use.
    pub fn limits(&self) -> TaskLimits {
        self.0.prepared.task.limits
    }

    /// Whether the agent hands in an answer at the end.
    pub fn wants_answer(&self) -> bool {
        self.0.prepared.ends == crate::goal::Ends::Answer
    }

    /// How a session of the task differs from the toolset's defaults. Nothing of the goal is in it.
    pub fn opening(&self) -> SessionOptions {
        self.0.prepared.opening()
    }

    /// The calls that achieve it, where its goal gives a reference.
    pub fn reference(&self) -> Option<&[Call]> {
        self.0.prepared.reference()
    }

    /// What an attempt is worth so far.
    pub fn score(&self, session: &Session, answer: Option<&str>) -> Score {
        self.0.prepared.score(self.simulator(), session, answer)
    }

    /// A new attempt.
    pub fn attempt(&self) -> Episode {
        Episode::new(Some(self.clone()))
    }
}
