//! One ordinary request, from the caller's URL to the reply.

use crate::body::Raised;
use crate::engine::{Engine, Hop, make, parse_method};
use crate::limits::{of_timeout, within_deadline};
use crate::reply::Reply;
use crate::simple;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use std::borrow::Cow;
use waterclock::{Method, Session};

/// What a call asks for, as Python has it.
pub(crate) struct Ask<'a, 'py> {
    pub(crate) method: &'a str,
    pub(crate) url: &'a Bound<'py, PyString>,
    /// The URL that is sent, if Python has prepared it.
    pub(crate) target: Option<&'a Bound<'py, PyString>>,
    /// The store of the session's fields.
    pub(crate) headers: &'a Bound<'py, PyAny>,
    pub(crate) own_headers: Option<&'a Bound<'py, PyDict>>,
    pub(crate) body: Option<&'a Bound<'py, PyAny>>,
    pub(crate) content_type: Option<&'a str>,
    pub(crate) cookie: Option<&'a str>,
    pub(crate) authorization: Option<&'a str>,
    pub(crate) timeout: &'a Bound<'py, PyAny>,
    /// The file or folder with the certificates to trust.
    pub(crate) verify: Option<&'a Bound<'py, PyAny>>,
    pub(crate) stream: bool,
}

/// A request that only has to be sent.
pub(crate) struct Ready<'a> {
    session: &'a Session,
    hop: Hop,
    url: Py<PyString>,
    body: Py<PyAny>,
}

impl Ready<'_> {
    pub(crate) fn send(self, py: Python<'_>) -> PyResult<Reply> {
        make(py, self.session, self.hop, self.url, self.body)
    }
}

impl Ask<'_, '_> {
    /// None if it is not that ordinary.
    pub(crate) fn prepare<'e>(
        &self,
        py: Python<'_>,
        engine: &'e Engine,
    ) -> PyResult<Option<Ready<'e>>> {
        let Some(limits) = of_timeout(self.timeout) else { return Ok(None) };
        let limits = within_deadline(py, limits)?;
        let Some(url) = self.target() else { return Ok(None) };
        let target = url.to_str()?;
        let state = engine.state();
        let Some(fields) = state.fields.usual(self.headers, self.own_headers) else {
            return Ok(None);
        };
        let method = parse_method(py, self.method)?;
        let bodiless = matches!(method, Method::Get | Method::Head);
        let mut request =
            state.session.request_as_written(method, target).held(true).limits(limits);
        request = request.show_proxy_authorization(true).append_headers(&fields.headers);
        if let Some(cookie) = self.cookie {
            request = request.header("Cookie", cookie);
        }
        match self.body {
            Some(given) => {
                let body = crate::body::body(given, None, false, &Raised::default())?;
                let length = body.length().unwrap_or_default();
                request = request.append_header("Content-Length", length.to_string()).body(body);
            }
            None if bodiless => {}
            None => request = request.append_header("Content-Length", "0"),
        }
        let is_typed = fields.headers.contains("Content-Type");
        if let Some(content_type) = self.content_type.filter(|_| !is_typed) {
            request = request.append_header("Content-Type", content_type);
        }
        if let Some(authorization) = self.authorization {
            request = request.header("Authorization", authorization);
        }
        // A file that cannot be used: the long way says so.
        let Ok(settings) = state.tls_settings(target, self.verify, None) else { return Ok(None) };
        if let Some(settings) = settings {
            request = request.tls(settings);
        }
        let Ok(request) = request.prepare() else { return Ok(None) };
        let (after, raised) = (None, Raised::default());
        let hop = Hop { request: Box::new(request), after, stream: self.stream, raised };
        let body = self.body.map_or_else(|| py.None(), |given| given.clone().unbind());
        Ok(Some(Ready { session: &state.session, hop, url: url.unbind(), body }))
    }

    /// The URL that is sent; None if Python has to prepare it.
    fn target(&self) -> Option<Bound<'_, PyString>> {
        if let Some(target) = self.target {
            return Some(target.clone());
        }
        match simple::prepared(self.url.to_str().ok()?)? {
            Cow::Borrowed(_) => Some(self.url.clone()),
            Cow::Owned(text) => Some(PyString::new(self.url.py(), &text)),
        }
    }
}
