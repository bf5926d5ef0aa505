//! The program `waterclock`, as `python -m waterclock`.

use pyo3::prelude::*;
use std::ffi::OsString;

/// Does what the arguments ask for, the first of which is the program's name; gives the exit code.
///
/// Once in a process that does nothing else: it takes over SIGINT and SIGTERM, and Python is not asked
/// about signals meanwhile. SIGPIPE is ignored in Python as in Rust programs, so a reader that is gone is
/// an error of a write for the program.
#[pyfunction]
pub(crate) fn main(py: Python<'_>, argv: Vec<OsString>) -> u8 {
    py.detach(|| waterclock_cli::main(argv))
}
