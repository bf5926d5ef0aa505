//! `Reply`: a response whose body may still be on its way.

use crate::apart::apart;
use crate::error::raise;
use crate::open::Open;
use crate::per_process::generation;
use crate::record::Record;
use crate::world::take_raised;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::sync::MutexExt;
use pyo3::types::{PyBytes, PyDict, PyList, PyMemoryView, PySlice, PyString, PyTuple};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use waterclock::run::RequestRecord;
use waterclock::{
    Call, CancelHandle, ConnectionInfo, Error, Headers, PreparedRequest, Response, Version,
};

/// The response has a `Set-Cookie` field.
pub(crate) const SETS_COOKIES: u8 = 1;
/// It is a redirect with somewhere to go.
pub(crate) const REDIRECTS: u8 = 2;
/// Its body is framed in chunks.
const CHUNKED: u8 = 4;

/// One response of the engine.
#[pyclass(frozen, weakref, module = "waterclock._engine")]
pub(crate) struct Reply {
    #[pyo3(get)]
    status: u16,
    #[pyo3(get)]
    flags: u8,
    #[pyo3(get)]
    elapsed: f64,
    #[pyo3(get)]
    url: Py<PyString>,
    /// The body of the request, as it was given.
    #[pyo3(get)]
    request_body: Py<PyAny>,
    /// The body, if it was read with the head.
    #[pyo3(get)]
    body: Option<Py<PyBytes>>,
    version: Version,
    reason: String,
    headers: Headers,
    /// Behind a lock, as a body may be read by one thread only.
    request: Mutex<Box<PreparedRequest>>,
    /// Which process it belongs to.
    generation: u32,
    /// Ends the reading of the body, if there was one to be read.
    ending: Option<CancelHandle>,
    stage: Mutex<Stage>,
    /// Where its record goes when it is gone, if somebody wants to know.
    follower: OnceLock<Slot>,
}

/// The record of a reply that is gone.
type Slot = Arc<Mutex<Option<Record>>>;

/// What became of a reply.
#[pyclass(frozen, module = "waterclock._engine")]
pub(crate) struct Followed(Slot);

#[pymethods]
impl Followed {
    /// The timeline of the reply as it was at its end; None before.
    fn timeline(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        let record = self.0.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner).take();
        record.map(|record| record.into_timeline(py)).transpose()
    }
}

enum Stage {
    Open(Box<Open>),
    /// Somebody reads.
    Busy,
    /// The response is gone.
    Over(Box<Over>),
}

struct Over {
    record: Record,
    info: Option<ConnectionInfo>,
    call: Option<Call>,
}

/// Whether a response says where to go instead.
pub(crate) fn is_redirect(response: &Response) -> bool {
    matches!(response.status(), 301 | 302 | 303 | 307 | 308)
        && response.headers().contains("Location")
}

/// What Python adds to a response to make a [`Reply`].
pub(crate) struct Given {
    pub(crate) request: Box<PreparedRequest>,
    pub(crate) url: Py<PyString>,
    pub(crate) request_body: Py<PyAny>,
    pub(crate) body: Option<Py<PyBytes>>,
}

impl Reply {
    pub(crate) fn new(mut response: Response, given: Given) -> Self {
        let redirects = is_redirect(&response);
        let headers = std::mem::take(response.headers_mut());
        let flag = |set: bool, flag: u8| if set { flag } else { 0 };
        let flags = flag(headers.contains("Set-Cookie"), SETS_COOKIES)
            | flag(redirects, REDIRECTS)
            | flag(headers.has_token("Transfer-Encoding", "chunked"), CHUNKED);
        let ending = (!response.body_is_done()).then(|| response.cancel_handle());
        let body_bytes = given.body.as_ref().map_or(0, |_| response.body_received());
        Reply {
            status: response.status(),
            flags,
            elapsed: response.elapsed().as_secs_f64(),
            url: given.url,
            request_body: given.request_body,
            body: given.body,
            version: response.version(),
            reason: latin1(response.reason_bytes()),
            headers,
            request: Mutex::new(given.request),
            generation: generation(),
            ending,
            stage: Mutex::new(Stage::Open(Box::new(Open::new(response, body_bytes)))),
            follower: OnceLock::new(),
        }
    }

    pub(crate) fn flags(&self) -> u8 {
        self.flags
    }

    /// Whether the body was read with the head.
    pub(crate) fn is_read(&self) -> bool {
        self.body.is_some()
    }

    /// What nearly everybody looks at: status, and the body if it was read with the head.
    pub(crate) fn at_a_glance(&self, py: Python<'_>) -> (u16, Option<Py<PyBytes>>) {
        (self.status, self.body.as_ref().map(|body| body.clone_ref(py)))
    }

    fn lock(&self, py: Python<'_>) -> MutexGuard<'_, Stage> {
        self.stage.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner)
    }

    fn request(&self, py: Python<'_>) -> MutexGuard<'_, Box<PreparedRequest>> {
        self.request.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `work` on the response, without Python's lock. `None` if the response is gone.
    fn with<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&mut Open) -> Result<T, Error> + Send,
    ) -> PyResult<Option<T>> {
        let Some(mut open) = self.take_open(py)? else { return Ok(None) };
        let result = apart(py, || work(&mut open));
        *self.lock(py) = Stage::Open(open);
        result?.map(Some).map_err(|error| raise(py, error, None))
    }

    fn take_open(&self, py: Python<'_>) -> PyResult<Option<Box<Open>>> {
        if self.generation != generation() {
            let text =
                "this response belongs to the parent process: its connection cannot be shared";
            return Err(PyRuntimeError::new_err(text));
        }
        let mut stage = self.lock(py);
        match std::mem::replace(&mut *stage, Stage::Busy) {
            Stage::Open(open) => Ok(Some(open)),
            Stage::Busy => {
                let text = "the response's body is being read already, by another thread or below \
                            this call in a signal handler";
                Err(PyRuntimeError::new_err(text))
            }
            over @ Stage::Over(_) => {
                *stage = over;
                Ok(None)
            }
        }
    }

    /// The call that it was a part of, to be gone on with: if the response is over.
    pub(crate) fn take_call(&self, py: Python<'_>) -> Option<Call> {
        if self.generation != generation() {
            return None;
        }
        let mut stage = self.lock(py);
        match std::mem::replace(&mut *stage, Stage::Busy) {
            Stage::Open(open) if open.response.body_is_done() => {
                let record = self.record_of(py, &open);
                let info = open.response.connection().cloned();
                let call = open.response.into_call();
                *stage = Stage::Over(Box::new(Over { record, info, call: None }));
                Some(call)
            }
            Stage::Over(mut over) => {
                let call = over.call.take();
                *stage = Stage::Over(over);
                call
            }
            other => {
                *stage = other;
                None
            }
        }
    }

    fn record_of(&self, py: Python<'_>, open: &Open) -> Record {
        let request = RequestRecord::of(&self.request(py));
        Record::of(open, &self.headers, request)
    }

    /// Ends the response with `end`, which gives its call back if that may go on.
    fn end<T: Default + Send>(
        &self,
        py: Python<'_>,
        end: impl FnOnce(Response) -> (Option<Call>, T) + Send,
    ) -> PyResult<T> {
        // Somebody is reading, or it is another process's: then it is not ours to end.
        let Ok(Some(open)) = self.take_open(py) else { return Ok(T::default()) };
        let info = open.response.connection().cloned();
        let mut record = self.record_of(py, &open);
        let (call, rest) = apart(py, || end(open.response)).unwrap_or_default();
        if let (Some(call), Some(timeline)) = (&call, &mut record.0.timeline) {
            *timeline = call.timeline().clone();
            timeline.finish(timeline.ended());
        }
        *self.lock(py) = Stage::Over(Box::new(Over { record, info, call }));
        // Throwing the rest away fails silently; what a signal handler raised in it does not.
        take_raised().map_or(Ok(rest), Err)
    }
}

#[pymethods]
impl Reply {
    #[getter]
    fn reason<'py>(&self, py: Python<'py>) -> Bound<'py, PyString> {
        PyString::new(py, &self.reason)
    }

    /// 10 or 11.
    #[getter]
    fn version(&self) -> u8 {
        if self.version == Version::Http10 { 10 } else { 11 }
    }

    #[getter]
    fn method(&self, py: Python<'_>) -> String {
        self.request(py).method().to_string()
    }

    /// The fields in wire order and case, as ISO-8859-1.
    #[getter]
    fn headers<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        pairs(py, self.headers.iter())
    }

    /// The fields as a `CaseInsensitiveDict` stores them: lower-case name to name and value, with the
    /// values of one name joined.
    fn header_store<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let store = PyDict::new(py);
        for (name, value) in self.headers.iter() {
            let key = PyString::new(py, &name.to_ascii_lowercase());
            let value = python_text(py, value);
            let pair = match store.get_item(&key)? {
                None => PyTuple::new(py, [PyString::new(py, name), value])?,
                Some(known) => {
                    let (first, before): (Bound<'_, PyString>, Bound<'_, PyString>) =
                        known.extract()?;
                    let all = format!("{}, {}", before.to_str()?, value.to_str()?);
                    PyTuple::new(py, [first, PyString::new(py, &all)])?
                }
            };
            store.set_item(key, pair)?;
        }
        Ok(store)
    }

    /// All values of a field, joined as requests joins them; None if there is none of that name.
    fn header<'py>(&self, name: &Bound<'py, PyAny>) -> Option<Bound<'py, PyString>> {
        let mut values = self.headers.get_all(name.cast::<PyString>().ok()?.to_str().ok()?);
        let first = values.next()?;
        let Some(second) = values.next() else { return Some(python_text(name.py(), first)) };
        let joined = |all: String, next: &[u8]| format!("{all}, {}", latin1(next));
        let all = values.fold(joined(latin1(first), second), joined);
        Some(PyString::new(name.py(), &all))
    }

    /// What was sent, but for Host and framing fields that the engine adds.
    #[getter]
    fn request_headers<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        pairs(py, self.request(py).headers())
    }

    #[getter]
    fn is_chunked(&self) -> bool {
        self.flags & CHUNKED != 0
    }

    /// Whether the body has been handed out to its end, or nothing more will be.
    #[getter]
    fn is_done(&self, py: Python<'_>) -> bool {
        match &*self.lock(py) {
            Stage::Open(open) => open.response.body_is_done(),
            Stage::Busy => false,
            Stage::Over(_) => true,
        }
    }

    /// Bytes of the body received, before content codings were undone.
    #[getter]
    fn received(&self, py: Python<'_>) -> u64 {
        match &*self.lock(py) {
            Stage::Open(open) => open.response.body_received(),
            _ => 0,
        }
    }

    /// How many bytes the body will give, if that is known.
    #[getter]
    fn expected(&self, py: Python<'_>) -> Option<u64> {
        match &*self.lock(py) {
            Stage::Open(open) => open.response.body_expected(),
            _ => None,
        }
    }

    #[getter]
    fn trailers<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        match &*self.lock(py) {
            Stage::Open(open) => {
                pairs(py, open.response.trailers().into_iter().flat_map(Headers::iter))
            }
            _ => Ok(PyList::empty(py)),
        }
    }

    /// Reads up to `amt` bytes of the body, all that is left without it; b"" at the end. With `fill`
    /// it goes on until there are `amt`, except for a body in chunks, which comes as it was cut.
    #[pyo3(signature = (amt = None, fill = true))]
    fn read<'py>(
        &self,
        py: Python<'py>,
        amt: Option<usize>,
        fill: bool,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let Some(amt) = amt else { return self.content(py) };
        let fill = fill && !self.is_chunked();
        let Some(mut open) = self.take_open(py)? else { return Ok(PyBytes::new(py, b"")) };
        let result = open.read(py, amt, fill);
        *self.lock(py) = Stage::Open(open);
        result
    }

    /// Reads into a buffer of bytes; 0 at the end.
    fn readinto(&self, py: Python<'_>, buffer: &Bound<'_, PyAny>) -> PyResult<usize> {
        let bytes = PyMemoryView::from(buffer)?.call_method1("cast", ("B",))?;
        let read = self.read(py, Some(bytes.len()?), false)?;
        let count = read.as_bytes().len();
        bytes.set_item(PySlice::new(py, 0, isize::try_from(count)?, 1), read)?;
        Ok(count)
    }

    /// All that is left of the body.
    fn content<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let Some(mut open) = self.take_open(py)? else { return Ok(PyBytes::new(py, b"")) };
        let result = open.content(py);
        *self.lock(py) = Stage::Open(open);
        result
    }

    /// From now on the body comes with its content codings; False if reading has begun without.
    fn keep_coded(&self, py: Python<'_>) -> PyResult<bool> {
        if matches!(&*self.lock(py), Stage::Busy) {
            return Ok(false);
        }
        Ok(self.with(py, |open| Ok(open.response.keep_coded()))?.unwrap_or(true))
    }

    /// Ends the reading of the body, from any thread: whoever reads gets an error.
    fn shutdown(&self) {
        // The signal that wakes a reader would wake the parent's.
        if let Some(ending) = self.ending.as_ref().filter(|_| self.generation == generation()) {
            ending.cancel();
        }
    }

    /// Ends the response: a small rest that is there is thrown away, else the connection is closed.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        if self.is_done(py) {
            return Ok(());
        }
        self.end(py, |response| {
            drop(response.close());
            (None, ())
        })
    }

    /// Takes what is left of the body, at most 64 KiB and 100 ms of it, so that the connection can be used
    /// again. Gives the body, with its content codings, if that was all of it.
    fn drain<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let untouched = match &*self.lock(py) {
            Stage::Open(open) => open.given == 0,
            _ => false,
        };
        let rest = self.end(py, |response| {
            let (call, past) = response.into_past();
            let whole = (untouched && past.is_whole()).then(|| past.raw_body().to_vec());
            (Some(call), whole)
        })?;
        Ok(rest.map(|rest| PyBytes::new(py, &rest)))
    }

    /// The record of the call, up to now.
    fn timeline(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let record = match &*self.lock(py) {
            Stage::Open(open) => self.record_of(py, open),
            Stage::Over(over) => Record(over.record.0.clone()),
            Stage::Busy => {
                let text = "the body is being read by another thread";
                return Err(PyRuntimeError::new_err(text));
            }
        };
        record.into_timeline(py)
    }

    /// Leaves the record behind when the reply goes, without keeping it.
    fn follow(&self) -> Followed {
        Followed(Arc::clone(self.follower.get_or_init(Slot::default)))
    }

    /// What is known of the connection.
    #[getter]
    fn connection<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDict>>> {
        match &*self.lock(py) {
            Stage::Open(open) => {
                let last = open.response.timeline().hops().last();
                let reused = last.and_then(|hop| hop.connection).is_some_and(|c| c.idle.is_some());
                describe(py, open.response.connection(), reused)
            }
            Stage::Over(over) => {
                let timeline = over.record.0.timeline.as_ref();
                let last = timeline.and_then(|timeline| timeline.hops().last());
                let reused = last.and_then(|hop| hop.connection).is_some_and(|c| c.idle.is_some());
                describe(py, over.info.as_ref(), reused)
            }
            Stage::Busy => Ok(None),
        }
    }
}

impl Drop for Reply {
    /// A forked child says nothing on its parent's connection.
    fn drop(&mut self) {
        if self.generation != generation() {
            let stage = self.stage.get_mut().unwrap_or_else(PoisonError::into_inner);
            std::mem::forget(std::mem::replace(stage, Stage::Busy));
            return;
        }
        if let Some(slot) = self.follower.get() {
            let request = self.request.get_mut().unwrap_or_else(PoisonError::into_inner);
            let record = match self.stage.get_mut().unwrap_or_else(PoisonError::into_inner) {
                Stage::Open(open) => {
                    let request = RequestRecord::of(request);
                    Some(Record::of(open, &self.headers, request))
                }
                Stage::Over(over) => Some(Record(over.record.0.clone())),
                Stage::Busy => None,
            };
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = record;
        }
    }
}

/// Bytes as requests shows them.
fn latin1(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if bytes.is_ascii() => text.to_owned(),
        _ => bytes.iter().map(|&byte| char::from(byte)).collect(),
    }
}

fn python_text<'py>(py: Python<'py>, value: &[u8]) -> Bound<'py, PyString> {
    match std::str::from_utf8(value) {
        Ok(text) if text.is_ascii() => PyString::new(py, text),
        _ => PyString::new(py, &latin1(value)),
    }
}

fn pairs<'a, 'py>(
    py: Python<'py>,
    fields: impl Iterator<Item = (&'a str, &'a [u8])>,
) -> PyResult<Bound<'py, PyList>> {
    let list = PyList::empty(py);
    for (name, value) in fields {
        let value = python_text(py, value);
        list.append(PyTuple::new(py, [PyString::new(py, name), value])?)?;
    }
    Ok(list)
}

fn describe<'py>(
    py: Python<'py>,
    info: Option<&ConnectionInfo>,
    reused: bool,
) -> PyResult<Option<Bound<'py, PyDict>>> {
    let Some(info) = info else { return Ok(None) };
    let dict = PyDict::new(py);
    dict.set_item("number", info.number)?;
    dict.set_item("reused", reused)?;
    dict.set_item("remote", info.remote_address.map(|at| (at.ip().to_string(), at.port())))?;
    dict.set_item("local", info.local_address.map(|at| (at.ip().to_string(), at.port())))?;
    dict.set_item("proxy", info.proxy.as_ref().map(ToString::to_string))?;
    let tls = info.tls.as_ref().map(|tls| -> PyResult<_> {
        let dict = PyDict::new(py);
        dict.set_item("version", &*tls.version)?;
        dict.set_item("cipher", &*tls.cipher)?;
        dict.set_item("alpn", tls.alpn.as_deref().map(latin1))?;
        dict.set_item("resumed", tls.resumed)?;
        let certificates = tls.certificates.iter().map(|der| PyBytes::new(py, der));
        dict.set_item("certificates", PyList::new(py, certificates)?)?;
        Ok(dict)
    });
    dict.set_item("tls", tls.transpose()?)?;
    Ok(Some(dict))
}
