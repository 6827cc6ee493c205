//! A session: one agent's copy of a world.

use crate::convert::{arguments, to_json, to_python};
use crate::error::raised;
use crate::reply::Reply;
use gtm_env::TaskRef;
use gtm_error::{Code, Error};
use gtm_sim::{Call, Observed, Simulator, SnapshotRef};
use pyo3::prelude::*;
use pyo3::types::PyList;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// One agent's copy of a toolset's world. Safe to use from several threads: calls to one session
/// run one after the other.
#[pyclass(frozen, module = "gtm")]
pub(crate) struct Session {
    pub(crate) simulator: Arc<Simulator>,
    pub(crate) session: Mutex<gtm_sim::Session>,
    /// What the session is an attempt at. It looks at the session from outside, which knows nothing of it.
    task: Option<TaskRef>,
}

impl Session {
    pub(crate) fn new(
        simulator: Arc<Simulator>,
        session: gtm_sim::Session,
        task: Option<TaskRef>,
    ) -> Session {
        Session { simulator, session: Mutex::new(session), task }
    }

    /// The session, alone. It changes only by whole turns, so that one which a panic left behind is whole.
    pub(crate) fn lock(&self) -> MutexGuard<'_, gtm_sim::Session> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Works on the session while other Python threads run.
    fn work<T: Send>(&self, py: Python<'_>, work: impl FnOnce(&mut gtm_sim::Session) -> T + Send) -> T {
        py.detach(|| work(&mut self.lock()))
    }
}

#[pymethods]
impl Session {
    /// Calls a tool.
    #[pyo3(signature = (tool, arguments=None, *, idempotency_key=None))]
    fn call(
        &self,
        py: Python<'_>,
        tool: String,
        arguments: Option<&Bound<'_, PyAny>>,
        idempotency_key: Option<String>,
    ) -> PyResult<Reply> {
        let call = Call { tool, arguments: self::arguments(arguments)?, idempotency_key };
        let reply = self.work(py, |session| self.simulator.try_call(session, &call));
        reply.map(Reply).map_err(|e| raised(&e))
    }

    /// Feeds in what the real tool answered to a call.
    #[pyo3(signature = (tool, arguments, content, is_error=false))]
    fn observe(
        &self,
        py: Python<'_>,
        tool: String,
        arguments: Option<&Bound<'_, PyAny>>,
        content: &Bound<'_, PyAny>,
        is_error: bool,
    ) -> PyResult<Reply> {
        let call = Call { tool, arguments: self::arguments(arguments)?, idempotency_key: None };
        let observed = Observed { content: to_json(content)?, is_error };
        let reply = self.work(py, |session| self.simulator.observe(session, &call, observed));
        reply.map(Reply).map_err(|e| raised(&e))
    }

    /// A copy that goes its own way, or a list of `n` of them; costs next to nothing.
    #[pyo3(signature = (n=None, *, seed=None))]
    fn fork(&self, py: Python<'_>, n: Option<usize>, seed: Option<u64>) -> PyResult<Py<PyAny>> {
        let session = self.lock().clone();
        let copy = |at: usize| {
            let fork = match seed {
                // Each its own, in a way that can be repeated.
                Some(seed) => session.fork_with_seed(seed.wrapping_add(at as u64)),
                None => session.fork(),
            };
            Session::new(self.simulator.clone(), fork, self.task.clone())
        };
        match n {
            None => Ok(Py::new(py, copy(0))?.into_any()),
            Some(n) => {
                let forks = (0..n).map(|at| Py::new(py, copy(at))).collect::<PyResult<Vec<_>>>()?;
                Ok(PyList::new(py, forks)?.into_any().unbind())
            }
        }
    }

    /// Names the present point.
    fn snapshot(&self, name: &str) -> PyResult<()> {
        self.lock().snapshot(name).map_err(|e| raised(&e))
    }

    /// Goes back to a snapshot by its name, or to just before a turn by its number.
    fn rollback(&self, to: &Bound<'_, PyAny>) -> PyResult<()> {
        let to = match to.extract::<u64>() {
            Ok(turn) => SnapshotRef::Turn(turn),
            Err(_) => SnapshotRef::Name(to.extract::<String>()?),
        };
        self.lock().rollback(&to).map_err(|e| raised(&e))
    }

    /// Goes back to the beginning.
    fn reset(&self) {
        self.lock().reset();
    }

    /// The visible state.
    fn state(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let session = self.lock().clone();
        let state = py.detach(|| session.state().to_json());
        to_python(py, &state)
    }

    /// Calls and replies so far: a list of `{"turn", "call", "reply"}`.
    fn transcript(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let session = self.lock().clone();
        let turns = py.detach(|| serde_json::to_value(session.transcript().collect::<Vec<_>>()));
        to_python(py, &turns.unwrap_or_default())
    }

    /// The whole session as text, for `Toolset.restore`.
    fn save(&self, py: Python<'_>) -> String {
        let session = self.lock().clone();
        py.detach(|| session.to_json().to_string())
    }

    /// What the attempt is worth now, with the agent's answer if it has one, and why.
    #[pyo3(signature = (answer=None))]
    fn reward(&self, py: Python<'_>, answer: Option<&str>) -> PyResult<Py<PyAny>> {
        let Some(task) = &self.task else {
            let error = Error::new(Code::TaskUnknown, "the session has no task");
            return Err(raised(&error.hint("open it by `Environment.attempt`")));
        };
        let session = self.lock().clone();
        let score = py.detach(|| serde_json::to_value(task.score(&session, answer)));
        to_python(py, &score.unwrap_or_default())
    }

    /// The tools that may be called here, as a chat model takes them.
    #[getter]
    fn tools(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let allowed = self.task.as_ref().and_then(TaskRef::tools);
        let may = |name: &String| allowed.is_none_or(|allowed| allowed.contains(name));
        let tools = self.simulator.tools().iter().filter(|tool| may(&tool.name));
        to_python(py, &tools.map(crate::toolset::chat_tool).collect())
    }

    /// Number of turns so far.
    #[getter]
    fn turns(&self) -> usize {
        self.lock().turns()
    }

    /// Version of the state; a call that changes nothing leaves it.
    #[getter]
    fn version(&self) -> u64 {
        self.lock().version()
    }

    #[getter]
    fn seed(&self) -> u64 {
        self.lock().seed()
    }

    fn __repr__(&self) -> String {
        let session = self.lock();
        let name = &self.simulator.toolset().name;
        format!("<gtm.Session of {name}, {} turns, seed {}>", session.turns(), session.seed())
    }
}
