//! Request bodies that Python gives: bytes, text, files and iterators.

use crate::apart::guarded;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyByteArray, PyBytes, PyIterator, PyMemoryView, PyString};
use std::io::{self, Cursor, Read};
use std::sync::{Arc, Mutex, PoisonError};
use waterclock::{BodySource, RequestBody};

/// Up to this size a body is copied, which costs less than streaming it.
const COPIED: usize = 64 * 1024;

/// What a file or iterator of Python's raised while it was read.
#[derive(Clone, Default)]
pub(crate) struct Raised(Arc<Mutex<Option<PyErr>>>);

impl Raised {
    pub(crate) fn take(&self) -> Option<PyErr> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn put(&self, error: PyErr) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
    }
}

/// `length`, if it is known, goes for what is streamed: bytes know theirs.
pub(crate) fn body(
    body: &Bound<'_, PyAny>,
    length: Option<u64>,
    chunked: bool,
    raised: &Raised,
) -> PyResult<RequestBody> {
    if body.is_none() {
        return Ok(RequestBody::Empty);
    }
    if let Ok(text) = body.cast::<PyString>() {
        return Ok(text.to_str()?.into());
    }
    if let Ok(bytes) = body.cast::<PyBytes>() {
        return Ok(match bytes.as_bytes() {
            small if small.len() <= COPIED => small.into(),
            _ => large(bytes.clone().into()),
        });
    }
    if let Ok(array) = body.cast::<PyByteArray>() {
        return Ok(array.to_vec().into());
    }
    let (reads, from) = guarded(|| {
        let reads = body.hasattr("read")?;
        let from = if reads { body.clone() } else { body.try_iter()?.into_any() };
        Ok::<_, PyErr>((reads, from.unbind()))
    })?;
    let source = Source { reads, from, rest: None, raised: raised.clone() };
    Ok(RequestBody::source(source, if chunked { None } else { length }))
}

/// Bytes that are sent from where Python has them.
fn large(bytes: PyBackedBytes) -> RequestBody {
    // Nothing in memory fails to be sought in.
    RequestBody::seekable(Cursor::new(bytes)).unwrap_or_default()
}

/// A file-like object or an iterator.
struct Source {
    from: Py<PyAny>,
    reads: bool,
    /// What of the last piece did not fit, and where it begins.
    rest: Option<(Vec<u8>, usize)>,
    raised: Raised,
}

impl Source {
    /// The next piece that is not empty; `None` at the end.
    fn next(&self, py: Python<'_>, most: usize) -> PyResult<Option<Vec<u8>>> {
        loop {
            let piece = if self.reads {
                self.from.bind(py).call_method1("read", (most,))?
            } else {
                match self.from.bind(py).cast::<PyIterator>()?.clone().next() {
                    Some(piece) => piece?,
                    None => return Ok(None),
                }
            };
            let bytes = bytes_of(&piece)?;
            match (bytes.is_empty(), self.reads) {
                (true, true) => return Ok(None),
                (true, false) => {}
                (false, _) => return Ok(Some(bytes)),
            }
        }
    }
}

fn bytes_of(piece: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
    if let Ok(bytes) = piece.cast::<PyBytes>() {
        return Ok(bytes.as_bytes().to_vec());
    }
    if let Ok(text) = piece.cast::<PyString>() {
        return Ok(text.to_str()?.as_bytes().to_vec());
    }
    if piece.is_none() {
        return Ok(Vec::new());
    }
    // A number would make so many NUL bytes.
    let bytes = PyMemoryView::from(piece).and_then(|view| view.call_method0("tobytes"));
    match bytes {
        Ok(bytes) => Ok(bytes.cast::<PyBytes>()?.as_bytes().to_vec()),
        Err(_) => {
            let text = format!("a piece of a request body must be bytes or str, not {piece:?}");
            Err(PyTypeError::new_err(text))
        }
    }
}

impl Read for Source {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.rest.is_none() {
            let next = Python::try_attach(|py| guarded(|| self.next(py, out.len())));
            match next.unwrap_or(Ok(None)) {
                Ok(None) => return Ok(0),
                Ok(Some(piece)) => self.rest = Some((piece, 0)),
                Err(error) => {
                    self.raised.put(error);
                    return Err(io::Error::other("the request body raised an exception"));
                }
            }
        }
        let Some((piece, at)) = &mut self.rest else { return Ok(0) };
        let left = piece.get(*at..).unwrap_or_default();
        let count = left.len().min(out.len());
        if let (Some(to), Some(from)) = (out.get_mut(..count), left.get(..count)) {
            to.copy_from_slice(from);
        }
        *at += count;
        if *at >= piece.len() {
            self.rest = None;
        }
        Ok(count)
    }
}

impl BodySource for Source {}
