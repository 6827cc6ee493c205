//! A toolset, ready to open sessions.

use crate::convert::{to_json, to_python};
use crate::error::raised;
use crate::session::Session;
use gtm_error::{Code, Error};
use gtm_sim::{SessionOptions, Simulator};
use pyo3::prelude::*;
use serde_json::{Value as Json, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Tools with their behaviors and initial state. Immutable, cheap to share.
#[pyclass(frozen, module = "gtm")]
pub(crate) struct Toolset(Arc<Simulator>);

/// A tool as a chat model takes it.
pub(crate) fn chat_tool(tool: &gtm_tool::ToolSpec) -> Json {
    json!({"type": "function", "function": {
        "name": tool.name, "description": tool.description, "parameters": tool.parameters}})
}

#[pymethods]
impl Toolset {
    /// Reads a toolset or spec: a path (file or folder), or the document itself as dict or list.
    #[new]
    fn new(py: Python<'_>, source: &Bound<'_, PyAny>) -> PyResult<Toolset> {
        let path = source.extract::<PathBuf>().ok();
        let document = if path.is_none() { Some(to_json(source)?) } else { None };
        let simulator = py.detach(|| {
            let toolset = match (&path, &document) {
                (Some(path), _) => gtm_sim::Toolset::load(path)?,
                (None, Some(document)) => {
                    gtm_sim::Toolset::read(document.to_string().as_bytes(), Path::new(""), "toolset")?
                }
                (None, None) => return Err(Error::new(Code::Usage, "no source")),
            };
            Simulator::new(toolset)
        });
        simulator.map(|simulator| Toolset(Arc::new(simulator))).map_err(|e| raised(&e))
    }

    #[getter]
    fn name(&self) -> &str {
        &self.0.toolset().name
    }

    /// The tools as a chat model takes them: `{"type": "function", "function": {...}}`.
    #[getter]
    fn tools(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        to_python(py, &self.0.tools().iter().map(chat_tool).collect())
    }

    /// Opens a session; what is not given is as the toolset says.
    #[pyo3(signature = (*, seed=None, state=None, world=None, faults=None))]
    fn session(
        &self,
        seed: Option<u64>,
        state: Option<&Bound<'_, PyAny>>,
        world: Option<&str>,
        faults: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Session> {
        let mut options = serde_json::Map::new();
        let mut set = |name: &str, value: Option<Json>| {
            if let Some(value) = value {
                options.insert(name.to_owned(), value);
            }
        };
        set("seed", seed.map(Json::from));
        set("state", state.map(to_json).transpose()?);
        set("world", world.map(Json::from));
        set("faults", faults.map(to_json).transpose()?);
        let options: SessionOptions = serde_json::from_value(Json::Object(options))
            .map_err(|e| raised(&Error::new(Code::RequestMalformed, e.to_string())))?;
        let session = self.0.open(options).map_err(|e| raised(&e))?;
        Ok(Session::new(self.0.clone(), session, None))
    }

    /// A session that was saved before.
    fn restore(&self, saved: &str) -> PyResult<Session> {
        let json: Json = serde_json::from_str(saved)
            .map_err(|e| raised(&Error::new(Code::StorageCorrupt, format!("not a saved session: {e}"))))?;
        let session = gtm_sim::Session::from_json(&json).map_err(|e| raised(&e))?;
        Ok(Session::new(self.0.clone(), session, None))
    }

    fn __repr__(&self) -> String {
        format!("<gtm.Toolset {} of {} tools>", self.0.toolset().name, self.0.tools().len())
    }
}
