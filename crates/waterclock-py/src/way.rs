//! `Way`: who sends an ordinary request, with which fields, and whom it trusts.
//!
//! waterclock/_fast_way.py finds it, and it is taken again in one step while all that it was found from is
//! as it was.

use crate::apart::guarded;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::fetch::Ask;
use crate::reply::{REDIRECTS, Reply, SETS_COOKIES};
use crate::unchanged::Attributes;
use crate::world::world;
use pyo3::exceptions::PyOSError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple, PyType};
use std::time::Duration;
use waterclock::Tick;

/// The classes that Python knows a response by, and who goes on where Rust has nothing to say.
#[pyclass(frozen, module = "waterclock._engine")]
pub(crate) struct Surface {
    response: Maker,
    mapping: Maker,
    /// `Session.request`, as it was written: `get` calls what is in its place.
    request: Py<PyAny>,
    audit: Py<PyAny>,
    /// Makes the exception of a failure.
    failed: Py<PyAny>,
    /// Goes on with a redirect, and with a response that sets cookies.
    finish: Py<PyAny>,
}

/// Makes an instance of a class, without its `__init__`.
struct Maker {
    new: Py<PyAny>,
    class: Py<PyTuple>,
}

impl Maker {
    fn of(class: &Bound<'_, PyType>) -> PyResult<Self> {
        let new = class.getattr("__new__")?.unbind();
        Ok(Maker { new, class: PyTuple::new(class.py(), [class])?.unbind() })
    }

    fn make<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.new.bind(py).call1(self.class.bind(py))
    }
}

#[pymethods]
impl Surface {
    /// waterclock/_engine.pyi says what the arguments mean.
    #[new]
    fn new(
        response: &Bound<'_, PyType>,
        mapping: &Bound<'_, PyType>,
        request: Py<PyAny>,
        audit: Py<PyAny>,
        failed: Py<PyAny>,
        finish: Py<PyAny>,
    ) -> PyResult<Self> {
        let (response, mapping) = (Maker::of(response)?, Maker::of(mapping)?);
        Ok(Surface { response, mapping, request, audit, failed, finish })
    }
}

/// What a call needs besides what it was given.
#[pyclass(frozen, module = "waterclock._engine")]
pub(crate) struct Way {
    surface: Py<Surface>,
    /// The class of the session.
    kind: Py<PyType>,
    adapter: Py<PyAny>,
    engine: Py<Engine>,
    /// How URLs begin that may go this way, and where they go.
    prefix: String,
    origin: (Py<PyAny>, Py<PyAny>),
    /// The store of the session's header fields; what is in it is looked at in each call.
    store: Py<PyAny>,
    cookie: Option<String>,
    sent_cookies: Option<Py<PyAny>>,
    authorization: Option<String>,
    verify: Py<PyAny>,
    trusted: Option<Py<PyAny>>,
    stream: bool,
    again: Option<Again>,
}

/// For how long a way holds.
struct Again {
    attributes: Py<Attributes>,
    /// Whether the session has a `request` of its own.
    has_request: bool,
    until: Tick,
}

/// What a call was given.
struct Given<'a, 'py> {
    session: &'a Bound<'py, PyAny>,
    method: &'a str,
    url: &'a Bound<'py, PyString>,
    /// The URL that is sent, if Python has prepared it.
    target: Option<&'a Bound<'py, PyString>>,
    headers: Option<&'a Bound<'py, PyDict>>,
    body: Option<&'a Bound<'py, PyAny>>,
    content_type: Option<&'a str>,
    timeout: &'a Bound<'py, PyAny>,
    stream: Option<bool>,
    allow_redirects: bool,
    /// What else it was given, which only a failure needs.
    rest: Option<&'a Bound<'py, PyTuple>>,
}

#[pymethods]
impl Way {
    /// waterclock/_engine.pyi says what the arguments mean.
    #[new]
    #[pyo3(signature = (
        surface, kind, adapter, engine, prefix, origin, store, cookie, sent_cookies, authorization, verify,
        trusted, stream, attributes = None, holds = 0.0
    ))]
    #[allow(clippy::too_many_arguments, reason = "it is what a way consists of")]
    fn new(
        py: Python<'_>,
        surface: Py<Surface>,
        kind: Py<PyType>,
        adapter: Py<PyAny>,
        engine: Py<Engine>,
        prefix: String,
        origin: (Py<PyAny>, Py<PyAny>),
        store: Py<PyAny>,
        cookie: Option<String>,
        sent_cookies: Option<Py<PyAny>>,
        authorization: Option<String>,
        verify: Py<PyAny>,
        trusted: Option<Py<PyAny>>,
        stream: bool,
        attributes: Option<Py<Attributes>>,
        holds: f64,
    ) -> Self {
        let until = || match Duration::try_from_secs_f64(holds.max(0.0)) {
            Ok(holds) => world().now().after(holds),
            Err(_) => Tick::NEVER,
        };
        let again = attributes.map(|attributes| {
            let has_request = attributes.get().has(py, "request");
            Again { attributes, has_request, until: until() }
        });
        Way {
            surface,
            kind,
            adapter,
            engine,
            prefix,
            origin,
            store,
            cookie,
            sent_cookies,
            authorization,
            verify,
            trusted,
            stream,
            again,
        }
    }

    /// A subclass of Session may pickle all that it has.
    fn __reduce__<'py>(&self, py: Python<'py>) -> (Bound<'py, PyType>, ()) {
        (py.None().bind(py).get_type(), ())
    }

    /// Makes a call that has just found this way; None if it is not that ordinary, and nothing was done.
    #[pyo3(signature = (
        session, method, url, target, headers, body, content_type, timeout, stream, allow_redirects, rest, /
    ))]
    #[allow(clippy::too_many_arguments, reason = "a call with positions is the fastest there is")]
    fn go<'py>(
        &self,
        session: &Bound<'py, PyAny>,
        method: &str,
        url: &Bound<'py, PyString>,
        target: Option<&Bound<'py, PyString>>,
        headers: Option<&Bound<'py, PyDict>>,
        body: Option<&Bound<'py, PyAny>>,
        content_type: Option<&str>,
        timeout: &Bound<'py, PyAny>,
        stream: Option<bool>,
        allow_redirects: bool,
        rest: Option<&Bound<'py, PyTuple>>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.make(&Given {
            session,
            method,
            url,
            target,
            headers,
            body,
            content_type,
            timeout,
            stream,
            allow_redirects,
            rest,
        })
    }

    /// The same of a later call; None also if the way does not hold any more, or leads elsewhere.
    #[pyo3(signature = (
        session, method, url, headers, body, content_type, timeout, stream, allow_redirects, rest, /
    ))]
    #[allow(clippy::too_many_arguments, reason = "a call with positions is the fastest there is")]
    fn again<'py>(
        &self,
        session: &Bound<'py, PyAny>,
        method: &str,
        url: &Bound<'py, PyString>,
        headers: Option<&Bound<'py, PyDict>>,
        body: Option<&Bound<'py, PyAny>>,
        content_type: Option<&str>,
        timeout: &Bound<'py, PyAny>,
        stream: Option<bool>,
        allow_redirects: bool,
        rest: Option<&Bound<'py, PyTuple>>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        if !self.holds(session, url)? {
            return Ok(None);
        }
        self.make(&Given {
            session,
            method,
            url,
            target: None,
            headers,
            body,
            content_type,
            timeout,
            stream,
            allow_redirects,
            rest,
        })
    }

    /// The same for `Session.get(url, **kwargs)`.
    #[pyo3(signature = (session, url, kwargs, /))]
    fn get<'py>(
        &self,
        session: &Bound<'py, PyAny>,
        url: &Bound<'py, PyAny>,
        kwargs: &Bound<'py, PyDict>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = session.py();
        let Ok(url) = url.cast_exact::<PyString>() else { return Ok(None) };
        let Some(arguments) = Arguments::read(kwargs) else { return Ok(None) };
        if !self.calls_our_request(py)? || !self.holds(session, url)? {
            return Ok(None);
        }
        let timeout = match arguments.timeout.filter(|timeout| !timeout.is_none()) {
            Some(timeout) => timeout,
            None => guarded(|| session.getattr(intern!(py, "timeout")))?,
        };
        let given = Given {
            session,
            method: "GET",
            url,
            target: None,
            headers: arguments.headers.as_ref(),
            body: None,
            content_type: None,
            timeout: &timeout,
            stream: arguments.stream,
            allow_redirects: arguments.allow_redirects,
            rest: None,
        };
        self.make(&given)
    }
}

impl Way {
    fn calls_our_request(&self, py: Python<'_>) -> PyResult<bool> {
        let found = self.kind.bind(py).getattr(intern!(py, "request"))?;
        let has_own = self.again.as_ref().is_some_and(|again| again.has_request);
        Ok(!has_own && found.is(&self.surface.get().request))
    }

    fn holds(&self, session: &Bound<'_, PyAny>, url: &Bound<'_, PyString>) -> PyResult<bool> {
        let py = session.py();
        let Some(again) = &self.again else { return Ok(false) };
        if !session.get_type().is(&self.kind)
            || !url.to_str().is_ok_and(|url| url.starts_with(&self.prefix))
            || world().now() >= again.until
        {
            return Ok(false);
        }
        let own = session.getattr(intern!(py, "__dict__"))?.cast_into::<PyDict>()?;
        again.attributes.get().are_in(py, &own)
    }

    fn make<'py>(&self, given: &Given<'_, 'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = given.session.py();
        let stream = given.stream.unwrap_or(self.stream);
        let ask = Ask {
            method: given.method,
            url: given.url,
            target: given.target,
            headers: self.store.bind(py),
            own_headers: given.headers,
            body: given.body,
            content_type: given.content_type,
            cookie: self.cookie.as_deref(),
            authorization: self.authorization.as_deref(),
            timeout: given.timeout,
            verify: self.trusted.as_ref().map(|trusted| trusted.bind(py)),
            stream,
        };
        let explained = |error| self.explained(given, error);
        let ready = ask.prepare(py, self.engine.get()).map_err(explained)?;
        let Some(ready) = ready else { return Ok(None) };
        let surface = self.surface.get();
        let (host, port) = &self.origin;
        let event = (intern!(py, "http.client.connect"), &self.adapter, host, port);
        guarded(|| surface.audit.bind(py).call1(event))?;
        let reply = ready.send(py).map_err(explained)?;
        let (flags, is_read) = (reply.flags(), reply.is_read());
        let response = self.response(py, reply)?;
        if flags & (SETS_COOKIES | REDIRECTS) != 0 {
            let how = (&self.verify, given.timeout, stream, given.allow_redirects);
            let (verify, timeout, stream, follow) = how;
            let arguments = (given.session, response, verify, timeout, stream, follow);
            return guarded(|| surface.finish.bind(py).call1(arguments)).map(Some);
        }
        if !is_read && !stream {
            guarded(|| response.getattr(intern!(py, "content")))?;
        }
        Ok(Some(response))
    }

    fn response<'py>(&self, py: Python<'py>, reply: Reply) -> PyResult<Bound<'py, PyAny>> {
        let surface = self.surface.get();
        let (response, headers) = (surface.response.make(py)?, surface.mapping.make(py)?);
        let (status, content) = reply.at_a_glance(py);
        let reply = Bound::new(py, reply)?;
        // One by one: an object without a dictionary takes less time to make, and to read.
        headers.setattr(intern!(py, "_source"), &reply)?;
        response.setattr(intern!(py, "_reply"), reply)?;
        response.setattr(intern!(py, "connection"), &self.adapter)?;
        // What nearly everybody looks at costs less now than later.
        response.setattr(intern!(py, "status_code"), status)?;
        response.setattr(intern!(py, "headers"), headers)?;
        if let Some(cookies) = &self.sent_cookies {
            response.setattr(intern!(py, "_sent_cookies"), cookies)?;
        }
        if let Some(content) = content {
            response.setattr(intern!(py, "_content"), content)?;
        }
        Ok(response)
    }

    /// The exception that the long way would have raised.
    fn explained(&self, given: &Given<'_, '_>, error: PyErr) -> PyErr {
        let py = given.session.py();
        // An OSError: a signal handler raised it.
        if !error.is_instance_of::<EngineError>(py) && !error.is_instance_of::<PyOSError>(py) {
            return error;
        }
        let of = (given.session, &self.adapter, error.value(py), given.method, given.url);
        let (session, adapter, value, method, url) = of;
        let arguments =
            (session, adapter, value, method, url, given.headers, given.timeout, given.rest);
        match guarded(|| self.surface.get().failed.bind(py).call1(arguments)) {
            Ok(made) => {
                let made = PyErr::from_value(made);
                made.set_cause(py, None);
                made
            }
            Err(another) => another,
        }
    }
}

/// The keywords of `Session.get` that a way can do with.
struct Arguments<'py> {
    timeout: Option<Bound<'py, PyAny>>,
    headers: Option<Bound<'py, PyDict>>,
    stream: Option<bool>,
    allow_redirects: bool,
}

impl<'py> Arguments<'py> {
    /// None if there is one that it cannot do with.
    fn read(kwargs: &Bound<'py, PyDict>) -> Option<Self> {
        let mut read =
            Arguments { timeout: None, headers: None, stream: None, allow_redirects: true };
        for (name, value) in kwargs.iter() {
            match name.cast::<PyString>().ok()?.to_str().ok()? {
                "timeout" => read.timeout = Some(value),
                _ if value.is_none() => return None,
                "headers" => read.headers = Some(value.cast_into_exact().ok()?),
                "stream" => read.stream = Some(value.is_truthy().ok()?),
                "allow_redirects" => read.allow_redirects = value.is_truthy().ok()?,
                _ => return None,
            }
        }
        Some(read)
    }
}
