//! The simulator in a Python process: the module `gtm._native`.
//!
//! Thin by intent: what a call means is in `gtm-sim`; here are only conversions, and the rule that
//! the interpreter is let go while the simulator works. Everything public is described in
//! `gtm/_native.pyi`.

mod batch;
mod convert;
mod environment;
mod error;
mod reply;
mod session;
mod toolset;

use pyo3::prelude::*;

/// The command line `gtm`, with these arguments; returns its exit code.
#[pyfunction]
fn main(py: Python<'_>, arguments: Vec<String>) -> u8 {
    py.detach(|| gtm::run(arguments.into_iter().map(Into::into)))
}

#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<toolset::Toolset>()?;
    module.add_class::<environment::Environment>()?;
    module.add_class::<session::Session>()?;
    module.add_class::<reply::Reply>()?;
    module.add("ToolError", module.py().get_type::<reply::ToolError>())?;
    module.add_function(wrap_pyfunction!(batch::call_batch, module)?)?;
    module.add_function(wrap_pyfunction!(main, module)?)?;
    error::register(module)
}
