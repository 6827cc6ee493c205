//! A reply, whose parts become Python values when they are looked at.

use crate::convert::to_python;
use pyo3::create_exception;
use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use serde_json::{Value as Json, json};

create_exception!(gtm, ToolError, PyException, "A simulated tool failed, with `kind` and `reply`.");

/// The answer to a call. A simulated failure is a reply too.
#[pyclass(frozen, module = "gtm")]
pub(crate) struct Reply(pub(crate) gtm_sim::Reply);

#[pymethods]
impl Reply {
    /// What the agent sees, in the tool's own shape.
    #[getter]
    fn content(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        to_python(py, &self.0.content)
    }

    /// The content as a language model reads it: text as it is, everything else as JSON.
    #[getter]
    fn text(&self) -> String {
        match &self.0.content {
            Json::String(text) => text.clone(),
            other => other.to_string(),
        }
    }

    #[getter]
    fn is_error(&self) -> bool {
        self.0.is_error
    }

    /// Why the call failed: `{"kind", "message", ...}`, or None.
    #[getter]
    fn error(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        let error = self.to_json()["error"].take();
        if error.is_null() { Ok(None) } else { to_python(py, &error).map(Some) }
    }

    #[getter]
    fn status(&self) -> u16 {
        self.0.status
    }

    /// Where the reply came from: `{"rung", "seed", "state_version", "invented", ...}`.
    #[getter]
    fn provenance(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        to_python(py, &self.to_json()["provenance"])
    }

    #[getter]
    fn state_version(&self) -> u64 {
        self.0.state_version
    }

    #[getter]
    fn delay_ms(&self) -> u64 {
        self.0.delay_ms
    }

    /// All of it, as the server sends it.
    fn to_dict(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        to_python(py, &self.to_json())
    }

    /// Raises `ToolError` if the call failed; else returns the reply.
    fn raise_for_error(slf: Bound<'_, Self>) -> PyResult<Bound<'_, Self>> {
        let reply = &slf.get().0;
        if !reply.is_error {
            return Ok(slf);
        }
        let raised = ToolError::new_err(slf.get().text());
        let value = raised.value(slf.py());
        value.setattr("kind", reply.error.as_ref().map(|error| error.kind.name()))?;
        value.setattr("reply", &slf)?;
        Err(raised)
    }

    fn __repr__(&self) -> String {
        let mark = if self.0.is_error { " error" } else { "" };
        let text = self.text();
        let short: String = text.chars().take(80).collect();
        let more = if short.len() < text.len() { "…" } else { "" };
        format!("<gtm.Reply{mark} {short}{more}>")
    }
}

impl Reply {
    fn to_json(&self) -> Json {
        serde_json::to_value(&self.0).unwrap_or_else(|_| json!({}))
    }
}
