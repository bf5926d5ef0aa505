//! `Engine`: connections, and the calls over them.

use crate::apart::apart;
use crate::body::Raised;
use crate::error::{Continuation, raise};
use crate::fields::{Fields, Remembered};
use crate::limits::{Deadline, of_timeout};
use crate::open::LARGE;
use crate::per_process::PerProcess;
use crate::reply::{Given, Reply, is_redirect};
use crate::tls::{Cert, TlsCache, Verify, cert};
use crate::world::{interrupted, world};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use waterclock::timeline::HopReason;
use waterclock::{
    Call, Error, Method, PoolSettings, PreparedRequest, Proxies, RedirectPolicy, Response, Session,
    SessionBuilder, TlsSettings,
};

/// The connections of one adapter, and the client that uses them. Safe to share between threads.
///
/// It makes single hops: no redirects, cookies, credentials or retries. A process that was forked
/// has connections of its own.
#[pyclass(frozen, module = "waterclock._engine")]
pub(crate) struct Engine {
    pool: PoolSettings,
    state: PerProcess<State>,
}

/// Fields that proxies get, with their values.
type ProxyHeaders = Vec<(String, Vec<u8>)>;

/// What makes proxies be spoken to in another way.
#[derive(Clone, PartialEq, Eq, Hash)]
struct ToProxy {
    headers: ProxyHeaders,
    /// Whom to trust at an `https` proxy.
    verify: Option<Verify>,
}

pub(crate) struct State {
    pub(crate) session: Session,
    pub(crate) fields: Remembered,
    /// Sessions whose proxies are told something, or trusted by something.
    telling: Mutex<HashMap<ToProxy, Session>>,
    proxies: Mutex<HashMap<String, Proxies>>,
    tls: TlsCache,
}

/// More proxies than this are not remembered.
const MOST_PROXIES: usize = 64;

/// Which part of a call a hop is, and what of it is wanted.
pub(crate) struct Hop {
    /// Large, and handed on from here to the reply.
    pub(crate) request: Box<PreparedRequest>,
    pub(crate) after: Option<(Call, HopReason)>,
    pub(crate) stream: bool,
    pub(crate) raised: Raised,
}

/// A body that was read with the head, or that is read later.
enum Content {
    Read(Vec<u8>),
    Later,
}

#[pymethods]
impl Engine {
    #[new]
    #[pyo3(signature = (pool_connections = 10, pool_maxsize = 10, pool_block = false))]
    fn new(pool_connections: usize, pool_maxsize: usize, pool_block: bool) -> Self {
        let pool = PoolSettings {
            max_per_host: pool_block.then_some(pool_maxsize.max(1)),
            max_idle: pool_connections.max(1).saturating_mul(pool_maxsize.max(1)),
            ..PoolSettings::default()
        };
        Engine { pool, state: PerProcess::new() }
    }

    /// Makes one hop; waterclock/_engine.pyi says what the arguments mean.
    #[pyo3(signature = (
        method, url, headers, own_headers = None, body = None, *, timeout = None, total_until = None,
        verify = None, cert = None, proxy = None, proxy_headers = None, proxy_verify = None,
        stream = false, after = None,
        reason = "redirect", chunked = false
    ))]
    #[allow(clippy::too_many_arguments, reason = "they are keywords")]
    fn send(
        &self,
        py: Python<'_>,
        method: &str,
        url: &Bound<'_, PyString>,
        headers: &Bound<'_, PyAny>,
        own_headers: Option<&Bound<'_, PyDict>>,
        body: Option<&Bound<'_, PyAny>>,
        timeout: Option<&Bound<'_, PyAny>>,
        total_until: Option<&Bound<'_, Deadline>>,
        verify: Option<&Bound<'_, PyAny>>,
        cert: Option<&Bound<'_, PyAny>>,
        proxy: Option<&str>,
        proxy_headers: Option<ProxyHeaders>,
        proxy_verify: Option<&Bound<'_, PyAny>>,
        stream: bool,
        after: Option<&Bound<'_, PyAny>>,
        reason: &str,
        chunked: bool,
    ) -> PyResult<Reply> {
        let fields = Fields::of(headers, own_headers)?;
        let none = py.None().into_bound(py);
        let given = body.unwrap_or(&none);
        let raised = Raised::default();
        let length = fields
            .get("Content-Length")
            .and_then(|value| std::str::from_utf8(value).ok()?.trim().parse().ok());
        let body = crate::body::body(given, length, chunked, &raised)?;
        let limits = limits(timeout, total_until)?;
        let state = self.state();
        let session = match (proxy_headers, proxy_verify.map(Verify::extract).transpose()?) {
            (None, None) => state.session.clone(),
            (headers, verify) => {
                let to_proxy = ToProxy { headers: headers.unwrap_or_default(), verify };
                state.session_with(to_proxy, self.pool)?
            }
        };
        let mut request = session
            .request_as_written(parse_method(py, method)?, url.to_str()?)
            .held(true)
            .show_proxy_authorization(true)
            .limits(limits)
            .body(body);
        for (name, value) in &fields.0 {
            request = request.append_header(name, value);
        }
        if let Some(settings) = state.tls_settings(url.to_str()?, verify, cert)? {
            request = request.tls(settings);
        }
        if let Some(proxy) = proxy {
            request = request.proxies(state.proxies(proxy)?);
        }
        let request = request.prepare().map_err(|error| raise(py, error, None))?;
        let after = match after {
            Some(after) => continued(py, after)?.map(|call| Ok::<_, PyErr>((call, why(reason)?))),
            None => None,
        };
        let hop = Hop { request: Box::new(request), after: after.transpose()?, stream, raised };
        make(py, &session, hop, url.clone().unbind(), given.clone().unbind())
    }

    /// Waits before another try, in the call that `after` was a part of. False, at once, if the pause
    /// would not end before the call's limit `total`.
    fn pause(&self, py: Python<'_>, seconds: f64, after: &Bound<'_, PyAny>) -> PyResult<Paused> {
        let delay = Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX);
        let call = match continued(py, after)? {
            Some(call) => call,
            None => {
                let text = "the call to pause in is not over, or goes on already";
                return Err(PyValueError::new_err(text));
            }
        };
        Paused::after(py, call, delay)
    }

    /// Closes idle connections.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        self.state.get().map_or(Ok(()), |state| apart(py, || state.close()))
    }
}

/// The call after a pause; true if it may go on.
#[pyclass(frozen, module = "waterclock._engine")]
pub(crate) struct Paused {
    fits: bool,
    #[pyo3(get)]
    _call: Py<Continuation>,
}

#[pymethods]
impl Paused {
    fn __bool__(&self) -> bool {
        self.fits
    }
}

impl Paused {
    fn after(py: Python<'_>, mut call: Call, delay: Duration) -> PyResult<Self> {
        let waited = apart(py, || call.back_off(delay))?;
        let fits = waited.map_err(|error| raise(py, error, None))?;
        Ok(Paused { fits, _call: Py::new(py, Continuation::new(call))? })
    }
}

impl Engine {
    pub(crate) fn state(&self) -> &State {
        self.state.get_or_init(|| State {
            session: session(self.pool, &[], None),
            fields: Remembered::default(),
            telling: Mutex::default(),
            proxies: Mutex::default(),
            tls: TlsCache::default(),
        })
    }
}

impl State {
    fn session_with(&self, to_proxy: ToProxy, pool: PoolSettings) -> PyResult<Session> {
        let tls = to_proxy.verify.as_ref().map(|verify| self.tls.get(verify, None)).transpose()?;
        let mut sessions = self.telling.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(session) = sessions.get(&to_proxy) {
            return Ok(session.clone());
        }
        if sessions.len() >= MOST_PROXIES {
            sessions.clear();
        }
        let made = session(pool, &to_proxy.headers, tls);
        sessions.insert(to_proxy, made.clone());
        Ok(made)
    }

    pub(crate) fn tls_settings(
        &self,
        url: &str,
        verify: Option<&Bound<'_, PyAny>>,
        given: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Option<TlsSettings>> {
        if !url.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("https:")) {
            return Ok(None);
        }
        let verify = verify.map_or(Ok(Verify::System), Verify::extract)?;
        let given: Option<Cert> = given.map_or(Ok(None), cert)?;
        self.tls.get(&verify, given.as_ref()).map(Some)
    }

    fn proxies(&self, url: &str) -> PyResult<Proxies> {
        let mut known = self.proxies.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(proxies) = known.get(url) {
            return Ok(proxies.clone());
        }
        let parsed = waterclock::ProxyUrl::parse(url);
        let proxy = parsed.map_err(|error| PyValueError::new_err(error.to_string()))?;
        let proxies = Proxies::all(proxy);
        if known.len() >= MOST_PROXIES {
            known.clear();
        }
        known.insert(url.to_owned(), proxies.clone());
        Ok(proxies)
    }

    fn close(&self) {
        self.session.close();
        let telling = self.telling.lock().unwrap_or_else(PoisonError::into_inner);
        telling.values().for_each(Session::close);
    }
}

/// A session that does nothing by itself.
fn session(
    pool: PoolSettings,
    proxy_headers: &[(String, Vec<u8>)],
    proxy_tls: Option<TlsSettings>,
) -> Session {
    let mut builder = SessionBuilder::in_world(Arc::clone(world()))
        .limits(waterclock::Limits::none())
        .redirects(RedirectPolicy::none())
        .without_cookies()
        .without_header("User-Agent")
        .without_header("Accept")
        .without_header("Accept-Encoding")
        .pool(pool)
        .on_interrupt(interrupted);
    if let Some(settings) = proxy_tls {
        builder = builder.proxy_tls(settings);
    }
    for (name, value) in proxy_headers {
        builder = builder.proxy_header(name, value);
    }
    // Only a header that cannot be sent makes this fail: then proxies are not told.
    builder.build().unwrap_or_default()
}

/// Sends, and reads the body unless it is streamed or long, without Python's lock.
pub(crate) fn make(
    py: Python<'_>,
    session: &Session,
    hop: Hop,
    url: Py<PyString>,
    request_body: Py<PyAny>,
) -> PyResult<Reply> {
    let Hop { mut request, after, stream, raised } = hop;
    let result = apart(py, || sent(session, &mut request, after, stream))?;
    let (response, content) = result.map_err(|error| raise(py, error, Some(&raised)))?;
    let body = match &content {
        Content::Read(bytes) => Some(PyBytes::new(py, bytes).unbind()),
        Content::Later => None,
    };
    Ok(Reply::new(response, Given { request, url, request_body, body }))
}

fn sent(
    session: &Session,
    request: &mut PreparedRequest,
    after: Option<(Call, HopReason)>,
    stream: bool,
) -> Result<(Response, Content), Error> {
    let mut response = match after {
        None => session.send(request)?,
        Some((call, reason)) => session.send_next(call, reason, request)?,
    };
    // The body of a redirect is not decoded, and cookies are collected even if the body fails.
    let is_last = !is_redirect(&response) && !response.headers().contains("Set-Cookie");
    let is_large = response.body_expected().is_some_and(|length| length >= LARGE);
    if stream || is_large || !is_last {
        return Ok((response, Content::Later));
    }
    let content = response.content()?;
    Ok((response, Content::Read(content)))
}

fn limits(
    timeout: Option<&Bound<'_, PyAny>>,
    until: Option<&Bound<'_, Deadline>>,
) -> PyResult<waterclock::Limits> {
    let limits = match timeout {
        None => waterclock::Limits::none(),
        Some(timeout) => of_timeout(timeout).ok_or_else(|| {
            PyTypeError::new_err(format!("this is no timeout that was checked: {timeout:?}"))
        })?,
    };
    Ok(until.map_or(limits, |until| until.get().bound(limits)))
}

pub(crate) fn parse_method(py: Python<'_>, method: &str) -> PyResult<Method> {
    method
        .parse::<Method>()
        .map_err(|error| raise(py, Error::invalid_request(error.to_string()), None))
}

fn why(reason: &str) -> PyResult<HopReason> {
    match reason {
        "redirect" => Ok(HopReason::Redirect),
        "retry" => Ok(HopReason::Retry),
        "auth" => Ok(HopReason::Auth),
        _ => Err(PyValueError::new_err(format!("no hop is made for the reason {reason:?}"))),
    }
}

/// The call of a reply that is over, of a failure, or after a pause; None if it cannot go on.
fn continued(py: Python<'_>, after: &Bound<'_, PyAny>) -> PyResult<Option<Call>> {
    if let Ok(reply) = after.cast::<Reply>() {
        return Ok(reply.get().take_call(py));
    }
    let call = after.getattr("_call")?;
    Ok(call.cast::<Continuation>()?.get().take())
}
