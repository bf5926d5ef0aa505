//! The engine of the Python package `waterclock`: the Rust client behind the classes of requests.
//!
//! Everything that blocks runs without Python's lock. No panic and no lock outlives a call, a fork or
//! a signal.

mod answers;
mod apart;
mod body;
mod capture;
mod engine;
mod error;
mod fetch;
mod fields;
mod json;
mod limits;
mod open;
mod per_process;
mod program;
mod record;
mod reply;
mod simple;
mod tls;
mod unchanged;
mod way;
mod world;

use pyo3::exceptions::PyImportError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::IntoPyDict;

/// Connections, replies and limits. Private: users see `waterclock`.
#[pymodule(gil_used = false)]
mod _engine {
    use super::*;

    #[pymodule_export]
    use crate::capture::Capture;
    #[pymodule_export]
    use crate::engine::{Engine, Paused};
    #[pymodule_export]
    use crate::error::{Continuation, EngineError};
    #[pymodule_export]
    use crate::json::plain_json;
    #[pymodule_export]
    use crate::limits::{Deadline, Limits, ask_for_deadline};
    #[pymodule_export]
    use crate::program::main;
    #[pymodule_export]
    use crate::record::{Record, export_program, external_timeline};
    #[pymodule_export]
    use crate::reply::{Followed, Reply};

    #[pymodule_export]
    use crate::unchanged::{Attributes, Unchanged};
    #[pymodule_export]
    use crate::way::{Surface, Way};

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        refuse_other_interpreters(module.py())?;
        // Windows has no fork.
        if let Some(register) = module.py().import("os")?.getattr_opt("register_at_fork")? {
            let children = [("after_in_child", module.getattr("after_fork")?)];
            register.call((), Some(&children.into_py_dict(module.py())?))?;
        }
        Ok(())
    }

    /// Types that Rust has made belong to one interpreter. From 3.12 on Python itself refuses.
    fn refuse_other_interpreters(py: Python<'_>) -> PyResult<()> {
        static SYS: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
        let sys = py.import("sys")?;
        if SYS.get_or_init(py, || sys.clone().unbind()).is(&sys) {
            return Ok(());
        }
        let text = "waterclock is in use by another interpreter of this process, and cannot be used \
                    by two of them";
        Err(PyImportError::new_err(text))
    }

    /// Called in a forked child: nothing of its parent is used from now on.
    #[pyfunction]
    fn after_fork() {
        per_process::forked();
    }

    /// The URL as requests would send it, if it stays as it is; None if it must be prepared.
    #[pyfunction]
    fn simple_url(url: &str) -> Option<String> {
        simple::prepared(url).map(std::borrow::Cow::into_owned)
    }
}
