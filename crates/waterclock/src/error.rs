//! [`Error`]: what went wrong, in which wait, under which limit, and what was spent before.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;
use waterclock_proto::h1::{FaultKind, InvalidRequest, ProtocolError};
use waterclock_proto::limit::Limit;
use waterclock_proto::message::{Headers, ResponseHead};
use waterclock_proto::redirect::RedirectError;
use waterclock_proto::retry::Attempted;
use waterclock_proto::screen::{self, Style};
use waterclock_proto::timeline::{Fired, Hop, Phase, RequestSent, Timeline};

use crate::call::Call;
use crate::response::PastResponse;
use crate::tls::TlsError;

/// The kind of an [`Error`]. The names are a promise; see [`ErrorKind::name`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A limit fired; [`Error::limit`] and [`Error::phase`] say which and where.
    Timeout,
    /// The URL cannot be used; nothing was sent.
    InvalidUrl,
    /// The method, a header, the body or an option cannot be used; nothing was sent.
    InvalidRequest,
    /// No adapter is mounted for the URL.
    UnsupportedScheme,
    /// The name does not resolve.
    Resolve,
    /// Refused, unreachable, or reset while connecting.
    Connect,
    /// The proxy refused, failed or answered nonsense; see [`Error::proxy_response`].
    Proxy,
    /// The TLS handshake failed.
    Tls,
    /// The peer's certificate was not accepted.
    Certificate,
    /// The peer broke HTTP.
    Protocol,
    /// The peer closed the connection before a response.
    Closed,
    /// The body ended early.
    IncompleteBody,
    /// The socket failed while sending.
    Send,
    /// The socket failed while receiving.
    Receive,
    /// A content coding could not be undone.
    Decode,
    /// A size limit was passed, or there is no memory for the whole body.
    TooLarge,
    /// More redirects than the policy allows.
    TooManyRedirects,
    /// A redirect could not be followed: a Location that cannot be used, a rule that forbids it, or
    /// a body that cannot be sent again.
    Redirect,
    /// The call was cancelled, from another thread or by an interrupt.
    Cancelled,
    /// The status is 400 or above, and the caller asked for that to be an error.
    Status,
}

impl ErrorKind {
    /// The name in JSON, logs and documentation.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            ErrorKind::Timeout => "timeout",
            ErrorKind::InvalidUrl => "invalid-url",
            ErrorKind::InvalidRequest => "invalid-request",
            ErrorKind::UnsupportedScheme => "unsupported-scheme",
            ErrorKind::Resolve => "resolve",
            ErrorKind::Connect => "connect",
            ErrorKind::Proxy => "proxy",
            ErrorKind::Tls => "tls",
            ErrorKind::Certificate => "certificate",
            ErrorKind::Protocol => "protocol",
            ErrorKind::Closed => "closed",
            ErrorKind::IncompleteBody => "incomplete-body",
            ErrorKind::Send => "send",
            ErrorKind::Receive => "receive",
            ErrorKind::Decode => "decode",
            ErrorKind::TooLarge => "too-large",
            ErrorKind::TooManyRedirects => "too-many-redirects",
            ErrorKind::Redirect => "redirect",
            ErrorKind::Cancelled => "cancelled",
            ErrorKind::Status => "status",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a proxy answered when it refused.
#[derive(Clone, Debug)]
pub struct ProxyResponse {
    /// Status line and fields.
    pub head: ResponseHead,
    /// The body, cut at 64 KiB.
    pub body: Vec<u8>,
}

/// A failure inside the engine, before it is joined with the timeline of its call.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) kind: ErrorKind,
    pub(crate) message: Cow<'static, str>,
    pub(crate) source: Option<Box<dyn StdError + Send + Sync>>,
    pub(crate) fired: Option<Fired>,
    pub(crate) proxy: Option<Box<ProxyResponse>>,
    /// What was being done, where the last wait does not say: nothing may have been waited for.
    pub(crate) during: Option<Phase>,
}

/// The result of a step of the engine. Failures are rare and large, so they are boxed.
pub(crate) type Outcome<T> = Result<T, Box<Failure>>;

impl Failure {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Box<Failure> {
        let message = message.into();
        Box::new(Failure { kind, message, source: None, fired: None, proxy: None, during: None })
    }

    /// A failure that another error explains; its words are put behind `context`.
    pub(crate) fn from_error(
        kind: ErrorKind,
        context: impl fmt::Display,
        source: impl StdError + Send + Sync + 'static,
    ) -> Box<Failure> {
        let mut failure = Failure::new(kind, format!("{context}: {source}"));
        failure.source = Some(Box::new(source));
        failure
    }

    pub(crate) fn timeout(fired: Fired, message: impl Into<Cow<'static, str>>) -> Box<Failure> {
        let mut failure = Failure::new(ErrorKind::Timeout, message);
        failure.fired = Some(fired);
        failure
    }

    pub(crate) fn cancelled() -> Box<Failure> {
        Failure::new(ErrorKind::Cancelled, "the call was cancelled")
    }
}

impl From<ProtocolError> for Box<Failure> {
    fn from(error: ProtocolError) -> Self {
        let kind = match error.kind() {
            FaultKind::Protocol => ErrorKind::Protocol,
            FaultKind::Closed => ErrorKind::Closed,
            FaultKind::IncompleteBody => ErrorKind::IncompleteBody,
            FaultKind::TooLarge => ErrorKind::TooLarge,
        };
        let mut failure = Failure::new(kind, error.to_string());
        failure.source = Some(Box::new(error));
        failure
    }
}

impl From<InvalidRequest> for Box<Failure> {
    fn from(error: InvalidRequest) -> Self {
        let mut failure = Failure::new(ErrorKind::InvalidRequest, error.to_string());
        failure.source = Some(Box::new(error));
        failure
    }
}

impl From<RedirectError> for Box<Failure> {
    fn from(error: RedirectError) -> Self {
        let kind = match error {
            RedirectError::TooMany { .. } => ErrorKind::TooManyRedirects,
            _ => ErrorKind::Redirect,
        };
        let mut failure = Failure::new(kind, error.to_string());
        failure.source = Some(Box::new(error));
        failure
    }
}

impl From<TlsError> for Box<Failure> {
    fn from(error: TlsError) -> Self {
        let kind = match error {
            TlsError::Certificate(_) => ErrorKind::Certificate,
            TlsError::Handshake(_) => ErrorKind::Tls,
            TlsError::Settings(_) => ErrorKind::InvalidRequest,
        };
        let mut failure = Failure::new(kind, error.to_string());
        failure.source = Some(Box::new(error));
        failure
    }
}

/// Why a call failed.
///
/// `{}` is one helpful line; `{:#}` adds the waterfall of the call and what it means.
///
/// ```
/// use std::time::Duration;
/// use waterclock::{ErrorKind, Limit, Limits, Session};
///
/// // Nothing is left of the limit, so nothing is sent.
/// let error = Session::new()
///     .get("http://127.0.0.1:9/")
///     .limits(Limits::total(Duration::ZERO))
///     .send()
///     .unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Timeout);
/// assert_eq!(error.limit(), Some(Limit::Total));
/// assert!(error.retry_safe());
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    failure: Failure,
    timeline: Option<Timeline>,
    status: Option<u16>,
    history: Vec<PastResponse>,
    retries: Vec<Attempted>,
    /// The call, if it may go on.
    call: Option<Call>,
}

impl Error {
    #[allow(clippy::boxed_local, reason = "failures travel boxed; here they are unpacked")]
    pub(crate) fn new(failure: Box<Failure>, timeline: Option<Timeline>) -> Self {
        let status = timeline.as_ref().and_then(status);
        let history = Vec::new();
        Error(Box::new(Inner {
            failure: *failure,
            timeline,
            status,
            history,
            retries: Vec::new(),
            call: None,
        }))
    }

    /// An error of kind [`ErrorKind::InvalidRequest`]: for hooks, and ways to authenticate, that keep
    /// a request from being sent.
    #[must_use]
    pub fn invalid_request(message: impl Into<String>) -> Error {
        Error::new(Failure::new(ErrorKind::InvalidRequest, message.into()), None)
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.failure.kind
    }

    /// Whether a limit fired.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        self.kind() == ErrorKind::Timeout
    }

    /// The limit that fired.
    #[must_use]
    pub fn limit(&self) -> Option<Limit> {
        self.0.failure.fired.map(|fired| fired.limit)
    }

    /// What the call was doing when it failed.
    #[must_use]
    pub fn phase(&self) -> Option<Phase> {
        match &self.0.failure.fired {
            Some(fired) => Some(fired.phase),
            None => self.0.failure.during.or_else(|| {
                let spans = self.timeline()?.spans().iter().rev();
                spans.map(|span| span.phase).find(|phase| phase.is_wait())
            }),
        }
    }

    /// The duration that the fired limit was configured with.
    #[must_use]
    pub fn configured(&self) -> Option<Duration> {
        self.timeline()?.limits().get(self.limit()?)
    }

    /// How late the call noticed that the limit had expired. Never early.
    #[must_use]
    pub fn late_by(&self) -> Option<Duration> {
        self.0.failure.fired.map(|fired| fired.late_by())
    }

    /// From the start of the call to its end.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.timeline().map_or(Duration::ZERO, Timeline::elapsed)
    }

    /// What was spent before: each phase's waits, and the work in between.
    #[must_use]
    pub fn spent(&self) -> Vec<(Phase, Duration)> {
        self.timeline().map_or_else(Vec::new, Timeline::spent)
    }

    /// Who was at the other end: the address of the connection, or of the attempt to connect.
    #[must_use]
    pub fn peer(&self) -> Option<Cow<'_, str>> {
        self.timeline()?.peer()
    }

    /// How much of the request had left.
    #[must_use]
    pub fn request_sent(&self) -> RequestSent {
        self.timeline().map_or(RequestSent::No, Timeline::request_sent)
    }

    /// Whether the request may be sent again without the risk of doing its work twice: nothing of
    /// it was sent, or its method is idempotent (RFC 9110 §9.2.2).
    #[must_use]
    pub fn retry_safe(&self) -> bool {
        let Some(timeline) = self.timeline() else { return true };
        let idempotent = |hop: &Hop| hop.request.method.is_idempotent();
        // A POST may have led here.
        timeline.unsafe_to_repeat().is_none()
            && (self.request_sent() == RequestSent::No
                || timeline.hops().last().is_none_or(idempotent))
    }

    /// The status of the response, if its head had arrived.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// The responses that led to where the call failed, the oldest first; with
    /// [`ErrorKind::TooManyRedirects`] and [`ErrorKind::Redirect`] the last one is the redirect that
    /// was not followed.
    #[must_use]
    pub fn history(&self) -> &[PastResponse] {
        &self.0.history
    }

    /// The requests of the call that were sent again before it failed, with what had happened to them.
    #[must_use]
    pub fn retries(&self) -> &[Attempted] {
        &self.0.retries
    }

    pub(crate) fn with_retries(mut self, retries: &[Attempted]) -> Self {
        self.0.retries = retries.to_vec();
        self
    }

    /// Puts `earlier` before the responses that it has already.
    pub(crate) fn with_history(mut self, mut earlier: Vec<PastResponse>) -> Self {
        earlier.append(&mut self.0.history);
        self.0.history = earlier;
        self
    }

    /// What made the call fail.
    pub(crate) fn into_failure(self) -> Box<Failure> {
        Box::new(self.0.failure)
    }

    /// Keeps the call that it ended, for another try.
    pub(crate) fn keep_call(mut self, call: Call) -> Self {
        self.0.call = Some(call);
        self
    }

    /// The call that it ended, if that was [`held`](crate::Request::held) and had not been answered: for
    /// another try with [`Session::send_next`](crate::Session::send_next).
    pub fn take_call(&mut self) -> Option<Call> {
        self.0.call.take()
    }

    /// Gives an error of the caller's own the record of the call that it ended.
    pub(crate) fn of_call(mut self, call: &mut Call) -> Self {
        if self.0.timeline.is_none() {
            call.abort(self.kind());
            self.0.status = status(call.timeline());
            self.0.timeline = Some(call.timeline().clone());
        }
        self
    }

    /// What the proxy answered, if it refused.
    #[must_use]
    pub fn proxy_response(&self) -> Option<&ProxyResponse> {
        self.0.failure.proxy.as_deref()
    }

    /// What may be done about it, where there is something to advise.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        let source = self.0.failure.source.as_deref()?;
        source.downcast_ref::<TlsError>()?.hint()
    }

    /// The record of the call; absent if it never began (an invalid URL).
    #[must_use]
    pub fn timeline(&self) -> Option<&Timeline> {
        self.0.timeline.as_ref()
    }

    /// What happened, without the method and URL that `Display` puts in front.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.failure.message
    }

    /// The waterfall and the verdict, as `{:#}` prints them.
    #[must_use]
    pub fn explain(&self) -> String {
        self.timeline()
            .map_or_else(String::new, |timeline| screen::screen(&[], timeline, &Style::default()))
    }
}

/// That of the last response, if its head has arrived.
fn status(timeline: &Timeline) -> Option<u16> {
    timeline.hops().last()?.status
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(hop) = self.timeline().and_then(|timeline| timeline.hops().last()) {
            write!(f, "{} {}: ", hop.request.method, hop.request.url)?;
        }
        f.write_str(&screen::escape(self.message()))?;
        if f.alternate() {
            write!(f, "\n\n{}", self.explain())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.kind())
            .field("message", &self.message())
            .field("limit", &self.limit())
            .field("phase", &self.phase())
            .field("request_sent", &self.request_sent())
            .field("elapsed", &self.elapsed())
            .finish_non_exhaustive()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.failure.source.as_ref().map(|source| &**source as &(dyn StdError + 'static))
    }
}

/// The fields of the answer a [`ProxyResponse`] keeps.
impl ProxyResponse {
    /// Its header fields.
    #[must_use]
    pub fn headers(&self) -> &Headers {
        &self.head.headers
    }
}
