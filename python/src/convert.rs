//! Python values from JSON and back.

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use serde_json::Value as Json;

/// Deepest nesting taken over from Python: deeper values are refused before they could exhaust a stack.
const DEPTH: usize = 128;

/// JSON of a Python value: dicts with text keys, lists, tuples, text, numbers, booleans and None.
pub(crate) fn to_json(value: &Bound<'_, PyAny>) -> PyResult<Json> {
    check_depth(value, DEPTH)?;
    pythonize::depythonize(value).map_err(|e| PyTypeError::new_err(format!("not a JSON value: {e}")))
}

/// Arguments of a call; None stands for none.
pub(crate) fn arguments(value: Option<&Bound<'_, PyAny>>) -> PyResult<Json> {
    match value {
        Some(value) if !value.is_none() => to_json(value),
        _ => Ok(Json::Object(serde_json::Map::new())),
    }
}

/// A Python value of JSON.
pub(crate) fn to_python(py: Python<'_>, json: &Json) -> PyResult<Py<PyAny>> {
    pythonize::pythonize(py, json)
        .map(Bound::unbind)
        .map_err(|e| PyValueError::new_err(format!("cannot be shown in Python: {e}")))
}

fn check_depth(value: &Bound<'_, PyAny>, left: usize) -> PyResult<()> {
    let (dict, list, tuple) = (
        value.cast::<pyo3::types::PyDict>(),
        value.cast::<pyo3::types::PyList>(),
        value.cast::<pyo3::types::PyTuple>(),
    );
    if dict.is_err() && list.is_err() && tuple.is_err() {
        return Ok(());
    }
    let Some(left) = left.checked_sub(1) else {
        return Err(PyValueError::new_err(format!("nested more than {DEPTH} deep")));
    };
    if let Ok(dict) = dict {
        return dict.values().iter().try_for_each(|item| check_depth(&item, left));
    }
    if let Ok(list) = list {
        return list.iter().try_for_each(|item| check_depth(&item, left));
    }
    tuple.map_or(Ok(()), |tuple| tuple.iter().try_for_each(|item| check_depth(&item, left)))
}
