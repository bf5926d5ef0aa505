//! `Limits` and `Deadline` for Python, and what `timeout=` means.

use crate::apart::guarded;
use crate::world::world;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::MutexExt;
use pyo3::types::{PyDict, PyFloat, PyInt, PyString, PyTuple};
use std::hash::{Hash, Hasher};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use waterclock::limit::{InvalidSeconds, duration_from_seconds};
use waterclock::{Limit, Tick};

/// Named limits of a call, in seconds: ``Limits(total=5, first_byte=1)``.
///
/// Names: total, attempt, pool, resolve, connect, address, tunnel, tls, write, upload, continue (give
/// it as ``continue_``), first_byte, head, read, body. None, the default, is no limit. Accepted wherever
/// ``timeout=`` is.
#[pyclass(frozen, eq, module = "waterclock", name = "Limits")]
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits(pub(crate) waterclock::Limits);

/// What an attribute or argument of this name is about: `continue` is a word of Python's.
fn limit_named(name: &str) -> Option<Limit> {
    Limit::from_name(if name == "continue_" { "continue" } else { name })
}

fn argument(limit: Limit) -> &'static str {
    match limit.name() {
        "continue" => "continue_",
        name => name,
    }
}

#[pymethods]
impl Limits {
    #[new]
    #[pyo3(signature = (**limits))]
    fn new(limits: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        let mut built = waterclock::Limits::none();
        for (name, value) in limits.into_iter().flatten() {
            let name = name.cast::<PyString>()?.to_str()?.to_owned();
            let Some(limit) = limit_named(&name) else {
                let known = Limit::ALL.map(argument).join(", ");
                let text = format!("there is no limit {name:?}; the limits are {known}");
                return Err(PyTypeError::new_err(text));
            };
            if !value.is_none() {
                built = built.with(limit, seconds(&name, &value)?);
            }
        }
        Ok(Limits(built))
    }

    /// The limits that are set, by name, in seconds.
    #[allow(clippy::wrong_self_convention, reason = "PyO3 needs a reference")]
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        for (limit, duration) in self.0.iter() {
            dict.set_item(argument(limit), duration.as_secs_f64())?;
        }
        Ok(dict)
    }

    fn __getattr__(&self, name: &str) -> PyResult<Option<f64>> {
        let Some(limit) = limit_named(name) else {
            let text = format!("'Limits' object has no attribute '{name}'");
            return Err(pyo3::exceptions::PyAttributeError::new_err(text));
        };
        Ok(self.0.get(limit).map(|duration| duration.as_secs_f64()))
    }

    fn __hash__(&self) -> u64 {
        let mut hasher = std::hash::DefaultHasher::new();
        self.0
            .iter()
            .map(|(limit, duration)| (limit.name(), duration))
            .for_each(|set| set.hash(&mut hasher));
        hasher.finish()
    }

    fn __repr__(&self) -> String {
        let set = |(limit, duration): (Limit, Duration)| {
            format!("{}={}", argument(limit), duration.as_secs_f64())
        };
        format!("Limits({})", self.0.iter().map(set).collect::<Vec<_>>().join(", "))
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Py<PyAny>, (Bound<'py, PyDict>,))> {
        let restore = slf.get_type().getattr("_restore")?;
        Ok((restore.unbind(), (slf.get().to_dict(slf.py())?,)))
    }

    #[staticmethod]
    #[pyo3(signature = (limits, /))]
    fn _restore(limits: &Bound<'_, PyDict>) -> PyResult<Self> {
        Self::new(Some(limits))
    }
}

/// A positive number of seconds; `None` for one that never comes.
fn seconds(name: &str, value: &Bound<'_, PyAny>) -> PyResult<Option<Duration>> {
    let number = if value.is_instance_of::<pyo3::types::PyBool>() {
        Err(PyTypeError::new_err(""))
    } else {
        value.extract::<f64>()
    };
    let number = number.map_err(|_| {
        let text = format!("the limit {name} must be a number of seconds or None, not {value:?}");
        PyTypeError::new_err(text)
    })?;
    duration_from_seconds(number).map_err(|error| {
        let why = match error {
            InvalidSeconds::Zero => "is 0; leave it out (or None) for no limit",
            _ => "is not a positive number",
        };
        PyValueError::new_err(format!("the limit {name} {why}: {number}"))
    })
}

/// What `timeout=` says, in a form that was checked: a number, a pair, `Limits` or None. `None` in
/// the outer option: it is something else, and Python's business.
pub(crate) fn of_timeout(timeout: &Bound<'_, PyAny>) -> Option<waterclock::Limits> {
    if timeout.is_none() {
        return Some(waterclock::Limits::none());
    }
    if let Ok(limits) = timeout.cast_exact::<Limits>() {
        return Some(limits.get().0);
    }
    if let Ok(pair) = timeout.cast_exact::<PyTuple>() {
        if pair.len() != 2 {
            return None;
        }
        let connect = one(&pair.get_item(0).ok()?)?;
        let read = one(&pair.get_item(1).ok()?)?;
        return Some(waterclock::Limits::requests(connect, read));
    }
    let both = one(timeout)?;
    Some(waterclock::Limits::requests(both, both))
}

/// One number of a timeout; the inner `None` is no limit.
fn one(value: &Bound<'_, PyAny>) -> Option<Option<Duration>> {
    if value.is_none() {
        return Some(None);
    }
    let number = match value.cast_exact::<PyFloat>() {
        Ok(number) => number.value(),
        Err(_) => value.cast_exact::<PyInt>().ok()?.extract().ok()?,
    };
    duration_from_seconds(number).ok()
}

/// Who says which deadline a call of this thread or task is under.
static CURRENT_DEADLINE: Mutex<Option<Py<PyAny>>> = Mutex::new(None);

/// Until this is called, no call is under one.
#[pyfunction]
pub(crate) fn ask_for_deadline(py: Python<'_>, current: Py<PyAny>) {
    let mut known = CURRENT_DEADLINE.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner);
    let before = known.replace(current);
    drop(known);
    drop(before);
}

/// `limits`, within the deadline that this call is under.
pub(crate) fn within_deadline(
    py: Python<'_>,
    limits: waterclock::Limits,
) -> PyResult<waterclock::Limits> {
    let known = CURRENT_DEADLINE.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner);
    let Some(current) = known.as_ref().map(|current| current.clone_ref(py)) else {
        return Ok(limits);
    };
    drop(known);
    let deadline: Option<Py<Deadline>> = guarded(|| current.bind(py).call0())?.extract()?;
    Ok(deadline.map_or(limits, |deadline| deadline.get().bound(limits)))
}

/// An instant that calls must not outlive.
#[pyclass(frozen, module = "waterclock._engine")]
pub(crate) struct Deadline(Tick);

#[pymethods]
impl Deadline {
    #[new]
    fn new(seconds: f64) -> PyResult<Self> {
        if seconds.is_nan() || seconds < 0.0 {
            let text = format!("a deadline must be a number of seconds from now, not {seconds}");
            return Err(PyValueError::new_err(text));
        }
        let left = Duration::try_from_secs_f64(seconds).ok();
        Ok(Deadline(left.map_or(Tick::NEVER, |left| world().now().after(left))))
    }

    /// Seconds that are left; 0 when it has passed.
    fn left(&self) -> f64 {
        if self.0.is_never() {
            return f64::INFINITY;
        }
        self.0.since(world().now()).as_secs_f64()
    }

    /// The earlier one of both.
    fn earlier(slf: Py<Self>, other: Py<Self>) -> Py<Self> {
        if other.get().0 < slf.get().0 { other } else { slf }
    }
}

impl Deadline {
    /// `limits`, with what is left of this as `total` if that is less.
    pub(crate) fn bound(&self, limits: waterclock::Limits) -> waterclock::Limits {
        if self.0.is_never() {
            return limits;
        }
        let left = self.0.since(world().now());
        let total = limits.get(Limit::Total).map_or(left, |total| total.min(left));
        limits.with(Limit::Total, Some(total))
    }
}
