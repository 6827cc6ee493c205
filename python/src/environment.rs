//! An environment: tasks, and sessions that are attempts at them.

use crate::convert::to_python;
use crate::error::raised;
use crate::session::Session;
use gtm_env::TaskRef;
use gtm_sim::Simulator;
use pyo3::prelude::*;
use serde_json::json;
use std::path::PathBuf;
use std::sync::Arc;

/// A toolset with tasks whose goals code checks. Immutable, cheap to share.
#[pyclass(frozen, module = "gtm")]
pub(crate) struct Environment(Arc<gtm_env::Environment>);

#[pymethods]
impl Environment {
    /// Reads an environment file, or a dataset that `gtm carg run` made.
    #[new]
    fn new(py: Python<'_>, path: PathBuf) -> PyResult<Environment> {
        let loaded = py.detach(|| gtm_env::load(&path, &Simulator::new));
        loaded.map(|environment| Environment(Arc::new(environment))).map_err(|e| raised(&e))
    }

    #[getter]
    fn name(&self) -> &str {
        self.0.name()
    }

    #[getter]
    fn description(&self) -> &str {
        self.0.description()
    }

    /// What the tasks ask, all or those of a split: `{"id", "split", "instruction", "calls", "answer"}`.
    #[pyo3(signature = (split=None))]
    fn tasks(&self, py: Python<'_>, split: Option<&str>) -> PyResult<Py<PyAny>> {
        let shown = |task: TaskRef| {
            json!({
                "id": task.id(),
                "split": task.split(),
                "instruction": task.instruction(),
                "calls": task.limits().calls,
                "answer": task.wants_answer(),
            })
        };
        let tasks = match split {
            Some(split) => self.0.in_split(split).map(shown).collect(),
            None => self.0.tasks().map(shown).collect(),
        };
        to_python(py, &tasks)
    }

    /// Opens a session that is an attempt at a task.
    fn attempt(&self, task: &str) -> PyResult<Session> {
        let task = self.0.task(task).map_err(|e| raised(&e))?;
        let session = task.simulator().open(task.opening()).map_err(|e| raised(&e))?;
        Ok(Session::new(task.simulator().clone(), session, Some(task)))
    }

    fn __repr__(&self) -> String {
        format!("<gtm.Environment {} of {} tasks>", self.0.name(), self.0.tasks().len())
    }
}
