//! Header fields as Python has them.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::pybacked::{PyBackedBytes, PyBackedStr};
use pyo3::types::{PyBytes, PyDict, PyList, PyString, PyTuple};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use waterclock::Headers;

/// A value that was given as text or bytes.
pub(crate) enum Value {
    /// Text in ASCII.
    Text(PyBackedStr),
    /// Other text, encoded.
    Latin1(PyBackedBytes),
    Bytes(PyBackedBytes),
}

/// urllib3's value for a field that it is not to add.
const SKIP: &[u8] = b"@@@SKIP_HEADER@@@";

impl AsRef<[u8]> for Value {
    fn as_ref(&self) -> &[u8] {
        match self {
            Value::Text(text) => text.as_bytes(),
            Value::Latin1(bytes) | Value::Bytes(bytes) => bytes,
        }
    }
}

/// Names and values in the order in which they are sent.
#[derive(Default)]
pub(crate) struct Fields(pub(crate) Vec<(PyBackedStr, Value)>);

impl Fields {
    /// `headers`: the store of a `CaseInsensitiveDict` (lower-case name to name and value), or pairs;
    /// `own`, a plain mapping, goes over them as `Session.headers` and `headers=` go together: a name
    /// keeps its place, takes the new spelling, and vanishes with the value None.
    pub(crate) fn of(
        headers: &Bound<'_, PyAny>,
        own: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let mut fields = Fields(Vec::with_capacity(8));
        if let Ok(store) = headers.cast::<PyDict>() {
            for (_, pair) in store.iter() {
                fields.push(pair.cast::<PyTuple>()?)?;
            }
        } else {
            for pair in headers.cast::<PyList>()?.iter() {
                fields.push(pair.cast::<PyTuple>()?)?;
            }
        }
        for (name, value) in own.into_iter().flatten() {
            fields.lay_over(text(&name)?, &value)?;
        }
        Ok(fields)
    }

    fn push(&mut self, pair: &Bound<'_, PyTuple>) -> PyResult<()> {
        let value = pair.get_item(1)?;
        if !value.is_none() {
            self.0.push((text(&pair.get_item(0)?)?, self::value(&value)?));
        }
        Ok(())
    }

    fn lay_over(&mut self, name: PyBackedStr, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let known = self.0.iter().position(|(known, _)| known.eq_ignore_ascii_case(&name));
        match (known, value.is_none()) {
            (Some(at), true) => drop(self.0.remove(at)),
            (None, true) => {}
            (Some(at), false) => {
                if let Some(field) = self.0.get_mut(at) {
                    *field = (name, self::value(value)?);
                }
            }
            (None, false) => self.0.push((name, self::value(value)?)),
        }
        Ok(())
    }

    /// The fields as the client has them, if all values are text that is to be sent and nothing is
    /// missing that urllib3 would add.
    fn usual(&self) -> Option<Headers> {
        let mut headers = Headers::with_capacity(self.0.len() + 2, 256);
        for (name, value) in &self.0 {
            match value {
                Value::Text(text) if text.as_bytes() != SKIP => headers.append(name, text).ok()?,
                Value::Latin1(bytes) => headers.append(name, bytes).ok()?,
                Value::Text(_) | Value::Bytes(_) => return None,
            }
        }
        let has = |name| headers.contains(name);
        let frames_itself = has("Content-Length") || has("Transfer-Encoding");
        (has("User-Agent") && has("Accept-Encoding") && !frames_itself).then_some(headers)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&[u8]> {
        let found = self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_ref())
    }
}

/// The fields of a session, which are the same from call to call.
#[derive(Default)]
pub(crate) struct Remembered(Mutex<Option<Arc<Usual>>>);

/// Usual fields, and what they were made from.
pub(crate) struct Usual {
    pairs: Vec<Py<PyAny>>,
    pub(crate) headers: Headers,
}

impl Remembered {
    /// As [`Fields::of`] has them; None if they are not the usual ones. What is not text or bytes, or
    /// not for a request's head, is among them: Python has the words for it.
    pub(crate) fn usual(
        &self,
        headers: &Bound<'_, PyAny>,
        own: Option<&Bound<'_, PyDict>>,
    ) -> Option<Arc<Usual>> {
        if own.is_some() {
            let headers = Fields::of(headers, own).ok()?.usual()?;
            return Some(Arc::new(Usual { pairs: Vec::new(), headers }));
        }
        let store = headers.cast::<PyDict>().ok()?;
        if let Some(usual) = self.last().as_ref().filter(|usual| usual.was_made_from(store)) {
            return Some(Arc::clone(usual));
        }
        let headers = Fields::of(headers, None).ok()?.usual()?;
        let pairs = store.iter().map(|(_, pair)| pair.unbind()).collect();
        let usual = Arc::new(Usual { pairs, headers });
        let before = self.last().replace(Arc::clone(&usual));
        // Not while the lock is held: Python objects may go with it.
        drop(before);
        Some(usual)
    }

    /// Held for a glance, without calling Python: another thread may wait for it with Python's lock.
    fn last(&self) -> MutexGuard<'_, Option<Arc<Usual>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Usual {
    /// Names and values are tuples, which do not change.
    fn was_made_from(&self, store: &Bound<'_, PyDict>) -> bool {
        self.pairs.len() == store.len()
            && store.iter().zip(&self.pairs).all(|((_, pair), known)| pair.is(known))
    }
}

fn text(name: &Bound<'_, PyAny>) -> PyResult<PyBackedStr> {
    match name.cast::<PyString>() {
        Ok(name) => Ok(name.clone().try_into()?),
        Err(_) => {
            let name = name.cast::<PyBytes>()?;
            name.call_method1("decode", ("ascii",))?.cast_into::<PyString>()?.try_into()
        }
    }
}

/// Text travels as ISO-8859-1, as http.client sends it.
fn value(value: &Bound<'_, PyAny>) -> PyResult<Value> {
    if let Ok(text) = value.cast::<PyString>() {
        let backed: PyBackedStr = text.clone().try_into()?;
        if backed.is_ascii() {
            return Ok(Value::Text(backed));
        }
        let bytes = text.call_method1("encode", ("latin-1",))?.cast_into::<PyBytes>()?;
        return Ok(Value::Latin1(bytes.into()));
    }
    match value.cast::<PyBytes>() {
        Ok(bytes) => Ok(Value::Bytes(bytes.clone().into())),
        Err(_) => {
            let text = format!("a header value must be str or bytes, not {value:?}");
            Err(PyTypeError::new_err(text))
        }
    }
}
