//! Requests: [`Request`] is built, [`PreparedRequest`] is what is sent.

use crate::cancel::CancelHandle;
use crate::error::{Error, ErrorKind, Failure, Outcome};
use crate::proxy;
use crate::response::Response;
use crate::session::Session;
use crate::target::{Place, Target};
use crate::tls::TlsSettings;
use std::fmt;
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;
use waterclock_proto::decode::DecodeLimits;
use waterclock_proto::h1::BodyLength;
use waterclock_proto::limit::Limits;
use waterclock_proto::message::{Headers, Method};
use waterclock_proto::proxy::Proxies;
use waterclock_proto::timeline::RequestLine;

/// The content of a request.
#[derive(Default)]
pub enum RequestBody {
    /// None.
    #[default]
    Empty,
    /// Bytes in memory; they can be sent again.
    Bytes(Arc<[u8]>),
    /// Bytes from a source that can be read once. Time spent in it is the caller's: `total` runs
    /// on, `write` does not.
    Reader {
        /// The source.
        source: Box<dyn Read + Send>,
        /// How many bytes it will give; without it the body is chunked.
        length: Option<u64>,
    },
}

impl RequestBody {
    pub(crate) fn length(&self) -> BodyLength {
        match self {
            RequestBody::Empty => BodyLength::None,
            RequestBody::Bytes(bytes) => BodyLength::Known(bytes.len() as u64),
            RequestBody::Reader { length: Some(length), .. } => BodyLength::Known(*length),
            RequestBody::Reader { length: None, .. } => BodyLength::Unknown,
        }
    }

    /// Whether the body can be sent a second time.
    pub(crate) fn is_replayable(&self) -> bool {
        !matches!(self, RequestBody::Reader { .. })
    }
}

impl fmt::Debug for RequestBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RequestBody::Empty => f.write_str("Empty"),
            RequestBody::Bytes(bytes) => write!(f, "Bytes({})", bytes.len()),
            RequestBody::Reader { length, .. } => write!(f, "Reader({length:?})"),
        }
    }
}

impl From<Vec<u8>> for RequestBody {
    fn from(bytes: Vec<u8>) -> Self {
        RequestBody::Bytes(bytes.into())
    }
}

impl From<String> for RequestBody {
    fn from(text: String) -> Self {
        RequestBody::Bytes(text.into_bytes().into())
    }
}

impl From<&[u8]> for RequestBody {
    fn from(bytes: &[u8]) -> Self {
        RequestBody::Bytes(bytes.into())
    }
}

impl From<&str> for RequestBody {
    fn from(text: &str) -> Self {
        RequestBody::Bytes(text.as_bytes().into())
    }
}

/// What of a request is not method, URL, headers and body.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    pub(crate) limits: Option<Limits>,
    pub(crate) cancel: Option<CancelHandle>,
    pub(crate) expect_continue: bool,
    pub(crate) keep_coded: bool,
    pub(crate) decode_limits: DecodeLimits,
    pub(crate) tls: Option<TlsSettings>,
    pub(crate) proxies: Option<Proxies>,
}

/// A request in the making. Made by [`Session::get`] and its siblings.
///
/// What cannot be used (a line break in a header, say) is reported by [`send`](Self::send); nothing
/// is sent then.
///
/// ```no_run
/// use std::time::Duration;
/// use waterclock::{Limits, Session};
///
/// let mut response = Session::new()
///     .post("https://example.com/items")
///     .header("Content-Type", "application/json")
///     .body(r#"{"name": "clepsydra"}"#)
///     .limits(Limits::total(Duration::from_millis(500)))
///     .send()?;
/// println!("{} {}", response.status(), response.text()?);
/// println!("{}", response.explain());
/// # Ok::<(), waterclock::Error>(())
/// ```
#[must_use]
pub struct Request<'s> {
    session: &'s Session,
    target: Outcome<Target>,
    headers: Headers,
    body: RequestBody,
    options: Options,
    problem: Option<Box<Failure>>,
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("line", &self.target.as_ref().map(|target| &target.line))
            .field("headers", &self.headers)
            .field("body", &self.body)
            .finish_non_exhaustive()
    }
}

impl<'s> Request<'s> {
    pub(crate) fn new(session: &'s Session, target: Outcome<Target>) -> Self {
        let (headers, body) = (Headers::new(), RequestBody::Empty);
        Request { session, target, headers, body, options: Options::default(), problem: None }
    }

    /// Sets a header, in place of a default or earlier one of that name.
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let result = self.headers.set(name, value);
        self.note(result)
    }

    /// Adds a header to those of that name.
    pub fn append_header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let result = self.headers.append(name, value);
        self.note(result)
    }

    fn note(mut self, result: Result<(), impl std::error::Error>) -> Self {
        if let (Err(error), None) = (result, &self.problem) {
            self.problem = Some(Failure::new(ErrorKind::InvalidRequest, error.to_string()));
        }
        self
    }

    /// Sets the body. Bytes get a Content-Length.
    pub fn body(mut self, body: impl Into<RequestBody>) -> Self {
        self.body = body.into();
        self
    }

    /// Streams the body from `source`: chunked, or `length` bytes with a Content-Length.
    pub fn body_reader(mut self, source: impl Read + Send + 'static, length: Option<u64>) -> Self {
        self.body = RequestBody::Reader { source: Box::new(source), length };
        self
    }

    /// The limits of this call, in place of the session's.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.options.limits = Some(limits);
        self
    }

    /// A deadline over the whole call, in addition to its other limits.
    pub fn total(mut self, total: Duration) -> Self {
        let limits = self.options.limits.unwrap_or(*self.session.limits());
        self.options.limits = Some(limits.to_builder().total(total).build());
        self
    }

    /// Lets `cancel` end this call from another thread.
    pub fn cancel(mut self, cancel: &CancelHandle) -> Self {
        self.options.cancel = Some(cancel.clone());
        self
    }

    /// Sends `Expect: 100-continue` and waits for the answer, at most for the limit `continue`,
    /// before the body is sent. A server that refuses then spares us the upload.
    pub fn expect_continue(mut self, expect: bool) -> Self {
        self.options.expect_continue = expect;
        self
    }

    /// Whether content codings (gzip and others) are undone. Default: yes.
    pub fn decode(mut self, decode: bool) -> Self {
        self.options.keep_coded = !decode;
        self
    }

    /// Caps on what a coded body may become. Default: none.
    pub fn decode_limits(mut self, limits: DecodeLimits) -> Self {
        self.options.decode_limits = limits;
        self
    }

    /// TLS settings of this call, in place of the session's. Connections are shared only between
    /// calls with equal settings.
    pub fn tls(mut self, settings: TlsSettings) -> Self {
        self.options.tls = Some(settings);
        self
    }

    /// The proxies of this call, in place of the session's.
    /// [`Proxies::direct`](crate::Proxies::direct) is none.
    pub fn proxies(mut self, proxies: Proxies) -> Self {
        self.options.proxies = Some(proxies);
        self
    }

    /// Sends this call through a proxy, as [`SessionBuilder::proxy`](crate::SessionBuilder::proxy).
    pub fn proxy(mut self, url: &str) -> Self {
        match proxy::for_everything(url) {
            Ok(proxies) => self.options.proxies = Some(proxies),
            Err(failure) => self.problem = self.problem.or(Some(failure)),
        }
        self
    }

    /// Checks everything and works out what will be sent.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidUrl`] and [`ErrorKind::InvalidRequest`].
    pub fn prepare(self) -> Result<PreparedRequest, Error> {
        self.prepared().map_err(|failure| Error::new(failure, None))
    }

    fn prepared(mut self) -> Outcome<PreparedRequest> {
        let Target { line, place, credentials } = self.target?;
        if let Some(problem) = self.problem {
            return Err(problem);
        }
        if let Some(credentials) = credentials
            && !self.headers.contains("Authorization")
        {
            let result = self.headers.append("Authorization", credentials.as_bytes());
            result.map_err(|error| Failure::new(ErrorKind::InvalidUrl, error.to_string()))?;
        }
        Ok(PreparedRequest {
            line,
            place,
            headers: self.headers,
            defaults: Arc::clone(self.session.default_headers()),
            body: self.body,
            limits: self.options.limits.unwrap_or(*self.session.limits()),
            options: self.options,
        })
    }

    /// Sends the request and waits for the head of the response, and for no more: the body is read
    /// from the [`Response`].
    ///
    /// # Errors
    /// Any [`ErrorKind`] but those of the body.
    pub fn send(self) -> Result<Response, Error> {
        let session = self.session;
        let mut prepared = self.prepare()?;
        session.send(&mut prepared)
    }
}

/// A request as it will be sent. It can be sent repeatedly, unless its body comes from a reader.
#[derive(Debug)]
pub struct PreparedRequest {
    pub(crate) line: Arc<RequestLine>,
    pub(crate) place: Place,
    pub(crate) headers: Headers,
    pub(crate) defaults: Arc<Headers>,
    pub(crate) body: RequestBody,
    pub(crate) limits: Limits,
    pub(crate) options: Options,
}

impl PreparedRequest {
    /// The method.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.line.method
    }

    /// The URL, without userinfo.
    #[must_use]
    pub fn url(&self) -> &url::Url {
        &self.line.url
    }

    /// The headers of the request and those defaults that it does not replace. `Host` and the
    /// framing fields are added when it is sent.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let replaced = |&(name, _): &(&str, &[u8])| !self.headers.contains(name);
        self.defaults.iter().filter(replaced).chain(self.headers.iter())
    }

    /// The value of a header, the request's own or a default.
    pub(crate) fn header(&self, name: &str) -> Option<&[u8]> {
        self.headers.get(name).or_else(|| self.defaults.get(name))
    }

    /// The content.
    #[must_use]
    pub fn body(&self) -> &RequestBody {
        &self.body
    }

    /// The limits of the call.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }
}
