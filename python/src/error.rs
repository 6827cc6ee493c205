//! GTM's own errors as Python exceptions: one class for each family of codes.

use gtm_error::Error;
use pyo3::create_exception;
use pyo3::exceptions::PyException;
use pyo3::prelude::*;

create_exception!(
    gtm,
    GtmError,
    PyException,
    "An error of GTM itself, with `code`, `place`, `expected` and `hint`."
);
create_exception!(gtm, SpecError, GtmError, "A tool spec cannot be read (codes GTM01..).");
create_exception!(gtm, ToolsetError, GtmError, "A toolset or behavior is not valid (codes GTM02..).");
create_exception!(gtm, SessionError, GtmError, "A session cannot do what it was asked for (codes GTM03..).");
create_exception!(gtm, RequestError, GtmError, "A request is malformed or too large (codes GTM04..).");
create_exception!(gtm, StorageError, GtmError, "A session cannot be stored or restored (codes GTM05..).");

/// The exception for an error.
pub(crate) fn raised(error: &Error) -> PyErr {
    let (code, text) = (error.code().id(), error.to_string());
    let exception = match code.get(3..5) {
        Some("01") => SpecError::new_err(text),
        Some("02") => ToolsetError::new_err(text),
        Some("03") => SessionError::new_err(text),
        Some("04") => RequestError::new_err(text),
        Some("05") => StorageError::new_err(text),
        _ => GtmError::new_err(text),
    };
    let set = Python::attach(|py| {
        let value = exception.value(py);
        value.setattr("code", code)?;
        value.setattr("message", error.message())?;
        value.setattr("place", error.place())?;
        value.setattr("expected", error.expectation())?;
        value.setattr("hint", error.advice())
    });
    match set {
        Ok(()) => exception,
        Err(other) => other,
    }
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    module.add("GtmError", py.get_type::<GtmError>())?;
    module.add("SpecError", py.get_type::<SpecError>())?;
    module.add("ToolsetError", py.get_type::<ToolsetError>())?;
    module.add("SessionError", py.get_type::<SessionError>())?;
    module.add("RequestError", py.get_type::<RequestError>())?;
    module.add("StorageError", py.get_type::<StorageError>())
}
