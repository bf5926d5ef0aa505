//! JSON as Python's objects, where there is no doubt of what Python's json would make of it.

use jiter::{PythonParse, StringCacheMode};
use pyo3::prelude::*;

/// The value alone in a tuple; None for whatever json would refuse, or read in another way: integers of more than 64
/// bits, halves of surrogate pairs, deep nesting, what is not UTF-8.
#[pyfunction]
pub(crate) fn plain_json<'py>(py: Python<'py>, content: &[u8]) -> Option<(Bound<'py, PyAny>,)> {
    let parser = PythonParse {
        allow_inf_nan: true,
        cache_mode: StringCacheMode::Keys,
        ..PythonParse::default()
    };
    parser.python_parse(py, content).ok().map(|value| (value,))
}
