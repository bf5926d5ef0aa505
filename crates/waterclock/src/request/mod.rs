//! Requests: [`Request`] is built, [`PreparedRequest`] is what is sent.

mod body;
mod content;
mod options;
mod prepared;

pub use body::{BodySource, RequestBody, Streamed};
pub(crate) use options::Options;
pub use prepared::PreparedRequest;

use crate::auth::Auth;
use crate::cancel::CancelHandle;
use crate::cookies::RequestCookie;
use crate::error::{Error, ErrorKind, Failure, Outcome};
use crate::proxy;
use crate::response::Response;
use crate::session::Session;
use crate::target::Target;
use crate::tls::TlsSettings;
use std::borrow::Cow;
use std::fmt;
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;
use waterclock_proto::decode::DecodeLimits;
use waterclock_proto::limit::Limits;
use waterclock_proto::message::Headers;
use waterclock_proto::proxy::Proxies;
use waterclock_proto::redirect::{RedirectPolicy, Redirected};
use waterclock_proto::retry::Retry;

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
    content_type: Option<Cow<'static, str>>,
    /// Default headers that this request does not want.
    removed: Vec<Box<str>>,
    retry: Option<Arc<Retry>>,
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
        Request {
            session,
            target,
            headers: Headers::new(),
            body: RequestBody::Empty,
            content_type: None,
            removed: Vec::new(),
            retry: None,
            options: Options::default(),
            problem: None,
        }
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

    /// Adds headers that were checked when they were collected.
    pub fn append_headers(mut self, headers: &Headers) -> Self {
        self.headers.extend(headers);
        self
    }

    /// Leaves out a default header of the session.
    pub fn without_header(mut self, name: &str) -> Self {
        self.headers.remove(name);
        self.removed.push(name.into());
        self
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
        self.body = RequestBody::reader(source, length);
        self
    }

    /// Credentials, in place of the session's and of any `Authorization` header.
    pub fn auth(mut self, auth: Auth) -> Self {
        self.options.auth = Some(auth);
        self
    }

    /// Sends a cookie with this call, and keeps it out of the session's jar. It replaces one of that
    /// name in the jar, and does not leave the origin of the URL.
    pub fn cookie(mut self, name: &str, value: &str) -> Self {
        match RequestCookie::new(name, value) {
            Ok(cookie) => self.options.cookies.push(cookie),
            Err(error) => return self.note(Err(error)),
        }
        self
    }

    /// Which redirects are followed, in place of the session's rule.
    pub fn redirects(mut self, policy: RedirectPolicy) -> Self {
        self.options.redirects = Some(policy);
        self
    }

    /// What is sent again when it fails, in place of the session's rule.
    pub fn retry(mut self, retry: Retry) -> Self {
        self.retry = Some(Arc::new(retry));
        self
    }

    /// Called before each hop of this call is sent, after the session's hooks.
    pub fn on_request(
        mut self,
        hook: impl Fn(&mut PreparedRequest) -> Result<(), Error> + Send + Sync + 'static,
    ) -> Self {
        self.options.hooks.on_request(hook);
        self
    }

    /// Called with the response of each hop of this call, after the session's hooks.
    pub fn on_response(
        mut self,
        hook: impl Fn(&mut Response) -> Result<(), Error> + Send + Sync + 'static,
    ) -> Self {
        self.options.hooks.on_response(hook);
        self
    }

    /// Asked, after the hooks of the session, before a redirect that the policy allows is
    /// followed, as [`SessionBuilder::on_redirect`](crate::SessionBuilder::on_redirect).
    pub fn on_redirect(
        mut self,
        hook: impl Fn(&Response, &Redirected) -> Result<bool, Error> + Send + Sync + 'static,
    ) -> Self {
        self.options.hooks.on_redirect(hook);
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

    /// The caller may send another request as part of this call, with
    /// [`Session::send_next`](crate::Session::send_next): the end of the body does not end the call, nor does
    /// a failure before the response. Default: no.
    pub fn held(mut self, held: bool) -> Self {
        self.options.held = held;
        self
    }

    /// Sends the request's own `Proxy-Authorization` to the origin where there is no proxy: for one that
    /// takes the client's side for a proxy's. Default: no, as the field is not for origins (RFC 9110 §11.7.2).
    pub fn show_proxy_authorization(mut self, show: bool) -> Self {
        self.options.shows_proxy_authorization = show;
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
        let Target { mut line, place, credentials } = self.target?;
        if !self.session.default_query().is_empty() {
            content::add_default_query(&mut line, self.session.default_query());
        }
        if let Some(problem) = self.problem {
            return Err(problem);
        }
        if let Some(kind) = self.content_type
            && !self.headers.contains("Content-Type")
        {
            let result = self.headers.append("Content-Type", kind.as_bytes());
            result.map_err(|error| Failure::new(ErrorKind::InvalidRequest, error.to_string()))?;
        }
        let mut defaults = Arc::clone(self.session.default_headers());
        if self.removed.iter().any(|name| defaults.contains(name)) {
            let kept = Arc::make_mut(&mut defaults);
            for name in &self.removed {
                kept.remove(name);
            }
        }
        Ok(PreparedRequest {
            line,
            place,
            headers: self.headers,
            defaults,
            added: Headers::new(),
            body: self.body,
            limits: self.options.limits.unwrap_or(*self.session.limits()),
            retry: self.retry.unwrap_or_else(|| Arc::clone(self.session.retry())),
            options: self.options,
            credentials,
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
