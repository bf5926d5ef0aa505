//! [`apart`]: work without Python's lock, whose defects stay ours; [`guarded`]: work with it, which may end the
//! thread.

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs `work` without Python's lock. A panic in it, a defect of ours, is an ordinary exception.
pub(crate) fn apart<T: Send>(py: Python<'_>, work: impl FnOnce() -> T + Send) -> PyResult<T> {
    py.detach(|| catch_unwind(AssertUnwindSafe(work))).map_err(|panic| {
        let text = panic.downcast_ref::<&str>().copied();
        let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        let text = text.unwrap_or("no message");
        PyRuntimeError::new_err(format!("a defect of waterclock, please report it: {text}"))
    })
}

/// Runs `work`, in which Python code may run.
///
/// When the interpreter ends, a thread that wants Python's lock back is ended by Python (before 3.14), in the
/// middle of what it does: the stack is unwound through our frames, and the first `catch_unwind` on the way aborts the
/// process. Such a thread is kept here instead, for the moment that is left, as PyO3 does where it takes the lock itself and
/// as Python does from 3.14 on.
pub(crate) fn guarded<T>(work: impl FnOnce() -> T) -> T {
    let (mut work, mut result) = (Some(work), None);
    let mut run = || result = work.take().map(|work| work());
    let keeper = Keeper;
    // The compiler takes it for granted that Python's functions do not unwind, and would leave the keeper out: of this
    // call it knows nothing.
    let through: fn(&mut dyn FnMut()) = std::hint::black_box(|run| run());
    through(&mut run);
    std::mem::forget(keeper);
    // It has run.
    result.unwrap_or_else(|| std::process::abort())
}

struct Keeper;

impl Drop for Keeper {
    #[allow(clippy::disallowed_methods, reason = "of a thread that is to do nothing any more")]
    fn drop(&mut self) {
        // A panic of ours is unwound further, to be caught.
        while !std::thread::panicking() {
            std::thread::park();
        }
    }
}
