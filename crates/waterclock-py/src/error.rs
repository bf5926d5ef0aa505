//! `EngineError`: a failure of the client, with everything that Python makes its exceptions from.

use crate::apart::guarded;
use crate::body::Raised;
use crate::record::Record;
use crate::world::take_raised;
use pyo3::exceptions::{PyException, PyMemoryError};
use pyo3::prelude::*;
use pyo3::types::PyType;
use std::collections::TryReserveError;
use std::error::Error as _;
use std::io;
use std::sync::{Mutex, PoisonError};
use waterclock::run::{ErrorRecord, RequestRecord, Run};
use waterclock::{Call, Error, ErrorKind};
use waterclock_proto::h1::ProtocolError;

pyo3::create_exception!(
    waterclock._engine,
    EngineError,
    PyException,
    "A failure of the client. Never seen by users: it becomes an exception of requests."
);

/// The call that a failure has left, for another try.
#[pyclass(frozen, module = "waterclock._engine")]
pub(crate) struct Continuation(Mutex<Option<Call>>);

#[pymethods]
impl Continuation {
    /// Exceptions are pickled with those that they came from; no call goes on in another process.
    #[new]
    fn nothing() -> Self {
        Continuation(Mutex::new(None))
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> (Bound<'py, PyType>, ()) {
        (py.get_type::<Continuation>(), ())
    }
}

impl Continuation {
    pub(crate) fn new(call: Call) -> Self {
        Continuation(Mutex::new(Some(call)))
    }

    pub(crate) fn take(&self) -> Option<Call> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// What Python is to raise: what one of its own functions raised in the call, `MemoryError`, else the failure.
pub(crate) fn raise(py: Python<'_>, error: Error, raised: Option<&Raised>) -> PyErr {
    if error.kind() == ErrorKind::Cancelled
        && let Some(signal) = take_raised()
    {
        return signal;
    }
    if let Some(own) = raised.and_then(Raised::take) {
        return own;
    }
    if error.source().and_then(|source| source.downcast_ref::<TryReserveError>()).is_some() {
        return PyMemoryError::new_err(error.message().to_owned());
    }
    guarded(|| make(py, error)).unwrap_or_else(|error| error)
}

fn make(py: Python<'_>, mut error: Error) -> PyResult<PyErr> {
    let exception = EngineError::new_err(error.message().to_owned());
    let value = exception.value(py);
    let seconds = |duration: std::time::Duration| duration.as_secs_f64();
    value.setattr("kind", error.kind().name())?;
    value.setattr("message", error.message())?;
    value.setattr("limit", error.limit().map(waterclock::Limit::name))?;
    value.setattr("phase", error.phase().map(waterclock::Phase::name))?;
    value.setattr("configured", error.configured().map(seconds))?;
    value.setattr("elapsed", seconds(error.elapsed()))?;
    value.setattr("late_by", error.late_by().map(seconds))?;
    value.setattr("request_sent", error.request_sent().name())?;
    value.setattr("retry_safe", error.retry_safe())?;
    value.setattr("errno", errno(&error))?;
    value.setattr("status", error.status())?;
    value.setattr("hint", error.hint())?;
    value.setattr("peer", error.peer().as_deref())?;
    value.setattr("detail", error.source().map(ToString::to_string))?;
    let url = error.timeline().and_then(|t| t.hops().last()).map(|hop| hop.request.url.clone());
    value.setattr("host", url.as_ref().and_then(|url| url.host_str()))?;
    value.setattr("port", url.as_ref().and_then(waterclock::Url::port_or_known_default))?;
    let (expected, received) = lengths(&error);
    value.setattr("expected", expected)?;
    value.setattr("received", received)?;
    let proxy = error.proxy_response();
    value.setattr("proxy_status", proxy.map(|proxy| proxy.head.status))?;
    value.setattr("proxy_reason", proxy.map(|proxy| proxy.head.reason().into_owned()))?;
    value.setattr("proxy_body", proxy.map(|proxy| &*proxy.body))?;
    let call = error.take_call();
    value
        .setattr("timeline", record(&error).map(|record| record.into_timeline(py)).transpose()?)?;
    value.setattr("_call", Py::new(py, Continuation(Mutex::new(call)))?)?;
    Ok(exception)
}

/// The system's number for what went wrong, if that was the cause.
fn errno(error: &Error) -> Option<i32> {
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(number) = cause.downcast_ref::<io::Error>().and_then(io::Error::raw_os_error) {
            return Some(number);
        }
        source = cause.source();
    }
    None
}

/// Of a body that ended early.
fn lengths(error: &Error) -> (Option<u64>, Option<u64>) {
    match error.source().and_then(|source| source.downcast_ref::<ProtocolError>()) {
        Some(ProtocolError::IncompleteBody { expected, received }) => (*expected, Some(*received)),
        Some(ProtocolError::BodyCutOff { received }) => (None, Some(*received)),
        _ => (None, None),
    }
}

fn record(error: &Error) -> Option<Record> {
    let mut timeline = error.timeline()?.clone();
    let hop = timeline.hops().first();
    let method = hop.map_or("", |hop| hop.request.method.as_str());
    let url = hop.map_or("", |hop| hop.request.url.as_str());
    let request = RequestRecord::refused(method, url);
    timeline.finish(timeline.ended());
    let mut run = Run::new(Record::wall_of(&timeline), request);
    run.wire = crate::capture::of_call(timeline.started(), timeline.ended());
    run.timeline = Some(timeline);
    run.error = Some(ErrorRecord::of(error));
    Some(Record(run))
}
