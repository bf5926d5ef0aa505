//! [`Response`]: the head, the body still to be read, and the timeline.

mod builder;
mod content;
mod past;

pub use builder::ResponseBuilder;
pub use content::{Chunks, ResponseLines};
pub use past::PastResponse;

use crate::body::{Body, DRAIN_TIME};
use crate::call::Call;
use crate::cancel::CancelHandle;
use crate::connection::ConnectionInfo;
use crate::error::{Error, ErrorKind, Failure, Outcome};
use crate::request::PreparedRequest;
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use waterclock_proto::message::{Headers, Link, Method, ResponseHead, Version, parse_links};
use waterclock_proto::redirect;
use waterclock_proto::retry::Attempted;
#[cfg(doc)]
use waterclock_proto::retry::Retry;
use waterclock_proto::screen::{self, Style};
use waterclock_proto::tick::Tick;
use waterclock_proto::timeline::{Phase, RequestLine, Timeline, What};

/// Bytes are set aside for at most so much of a Content-Length before they have arrived
/// (CVE-2025-13836).
const TRUSTED_LENGTH: usize = 1 << 20;
/// The least room for the next read of a body whose length is not known.
const ROOM: usize = 16 * 1024;

/// A response whose head has arrived. Its body is read on demand, under the same call's limits: the
/// deadline `total` goes on until the last byte was handed over.
///
/// Dropping it never blocks: what is left of a small body that is already there is thrown away so
/// that the connection can be used again, otherwise the connection is closed.
///
/// ```no_run
/// use std::io::Read;
///
/// let mut response = waterclock::get("https://example.com/large")?;
/// println!("{} {}", response.status(), response.reason());
/// let mut first = [0; 1024];
/// response.read(&mut first)?;
/// println!("{}", response.explain());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Response(Box<Inner>);

struct Inner {
    line: Arc<RequestLine>,
    head: ResponseHead,
    info: Option<Arc<ConnectionInfo>>,
    call: Call,
    body: Body,
    /// When the response was last given to the caller: time since then is theirs.
    left_at: Tick,
    history: Vec<PastResponse>,
    next: Option<Box<PreparedRequest>>,
    /// A handle was made for the body alone: it is not to end a later hop of the call.
    cancellable: bool,
}

impl Response {
    #[inline]
    pub(crate) fn new(
        line: Arc<RequestLine>,
        head: ResponseHead,
        info: Option<Arc<ConnectionInfo>>,
        mut call: Call,
        mut body: Body,
        now: Tick,
    ) -> Self {
        body.begin(&mut call);
        let history = Vec::new();
        Response(Box::new(Inner {
            line,
            head,
            info,
            call,
            body,
            left_at: now,
            history,
            next: None,
            cancellable: false,
        }))
    }

    /// The header fields, to be changed by a hook.
    pub fn headers_mut(&mut self) -> &mut Headers {
        &mut self.0.head.headers
    }

    /// The status code.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.0.head.status
    }

    /// The reason phrase, for people.
    #[must_use]
    pub fn reason(&self) -> Cow<'_, str> {
        self.0.head.reason()
    }

    /// The reason phrase as received.
    #[must_use]
    pub fn reason_bytes(&self) -> &[u8] {
        self.0.head.reason.as_bytes()
    }

    /// The version in the status line.
    #[must_use]
    pub fn version(&self) -> Version {
        self.0.head.version
    }

    /// The header fields, in wire order and case.
    #[must_use]
    pub fn headers(&self) -> &Headers {
        &self.0.head.headers
    }

    /// The method of the request: after redirects, that of the last one.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.0.line.method
    }

    /// The URL that was requested, without userinfo.
    #[must_use]
    pub fn url(&self) -> &url::Url {
        &self.0.line.url
    }

    /// The connection it came over; `None` from an adapter that has none.
    #[must_use]
    pub fn connection(&self) -> Option<&ConnectionInfo> {
        self.0.info.as_deref()
    }

    /// The trailer fields of a chunked body, once it has been read to its end.
    #[must_use]
    pub fn trailers(&self) -> Option<&Headers> {
        self.0.body.trailers()
    }

    /// Bytes of the body received so far, before content codings were undone.
    #[must_use]
    pub fn body_received(&self) -> u64 {
        self.0.body.received()
    }

    /// Whether the body has been read to its end, or nothing more will come.
    #[must_use]
    pub fn body_is_done(&self) -> bool {
        self.0.body.is_done()
    }

    /// How many bytes the body will give, if that is known before they have arrived.
    #[must_use]
    pub fn body_expected(&self) -> Option<u64> {
        self.0.body.expected()
    }

    /// The responses that led to this one, the oldest first: redirects that were followed and
    /// challenges that were answered.
    #[must_use]
    pub fn history(&self) -> &[PastResponse] {
        &self.0.history
    }

    /// The request that would have followed this redirect, if the policy
    /// ([`RedirectPolicy::none`](crate::RedirectPolicy::none)) did not follow it. A body that was
    /// streamed and is to be sent again moves there; if it cannot go back there is no such request.
    ///
    /// ```no_run
    /// use waterclock::{RedirectPolicy, Session};
    ///
    /// let session = Session::builder().redirects(RedirectPolicy::none()).build()?;
    /// let mut response = session.get("http://example.com/").send()?;
    /// while let Some(mut next) = response.take_next() {
    ///     println!("to {}", next.url());
    ///     response = session.send(&mut next)?;
    /// }
    /// # Ok::<(), waterclock::Error>(())
    /// ```
    pub fn take_next(&mut self) -> Option<PreparedRequest> {
        self.0.next.take().map(|next| *next)
    }

    /// The requests of this call that were sent again or redirected, the oldest first, with what had
    /// happened to them. Redirects are among them only if something else is, or [`Retry::redirect`]
    /// counts them.
    #[must_use]
    pub fn retries(&self) -> &[Attempted] {
        self.0.call.retries()
    }

    /// From the beginning of this response's hop to the end of its head, on the monotonic clock.
    /// Earlier hops and the body are not in it; [`timeline`](Self::timeline) has the whole call's
    /// time, see [`Timeline::elapsed`].
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        let hop = self.timeline().hops().last();
        hop.map_or(Duration::ZERO, |hop| {
            hop.head_ended.map_or(Duration::ZERO, |ended| ended.since(hop.started))
        })
    }

    /// The links in its `Link` fields (RFC 8288).
    ///
    /// ```no_run
    /// use waterclock::link::by_rel;
    ///
    /// let response = waterclock::get("https://example.com/items?page=1")?;
    /// if let Some(next) = by_rel(&response.links(), "next") {
    ///     println!("{}", next.target);
    /// }
    /// # Ok::<(), waterclock::Error>(())
    /// ```
    #[must_use]
    pub fn links(&self) -> Vec<Link> {
        parse_links(self.headers().get_all("Link"))
    }

    /// Whether the status is below 400.
    #[must_use]
    pub fn ok(&self) -> bool {
        self.status() < 400
    }

    /// An error for a status of 400 or above, in the words of requests: `404 Client Error: Not Found
    /// for url: https://example.com/`.
    ///
    /// ```no_run
    /// let mut response = waterclock::get("https://example.com/")?;
    /// println!("{}", response.raise_for_status()?.text()?);
    /// # Ok::<(), waterclock::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Status`], with the timeline so far.
    pub fn raise_for_status(&mut self) -> Result<&mut Self, Error> {
        let whose = match self.status() {
            400..500 => "Client",
            500.. => "Server",
            _ => return Ok(self),
        };
        let (status, reason, url) = (self.status(), self.reason(), self.url());
        let text = format!("{status} {whose} Error: {reason} for url: {url}");
        let timeline = self.timeline().clone();
        Err(Error::new(Failure::new(ErrorKind::Status, text), Some(timeline)))
    }

    /// Whether it is a redirect that has somewhere to go (301, 302, 303, 307, 308 with a Location).
    #[must_use]
    pub fn is_redirect(&self) -> bool {
        redirect::is_redirect(self.status(), self.headers())
    }

    /// Whether it is a redirect for good (301, 308).
    #[must_use]
    pub fn is_permanent_redirect(&self) -> bool {
        redirect::is_permanent(self.status(), self.headers())
    }

    /// The record of the call so far; complete once the body has been read.
    #[must_use]
    pub fn timeline(&self) -> &Timeline {
        self.0.call.timeline()
    }

    /// The waterfall, and why no limit fired.
    #[must_use]
    pub fn explain(&self) -> String {
        screen::screen(&[], self.timeline(), &Style::default())
    }

    /// Takes the call out of a response that is over, for [`Session::send_next`](crate::Session::send_next).
    /// What is left of the body is drained as [`drain`](Self::drain) does.
    #[must_use]
    pub fn into_call(self) -> Call {
        self.into_past().0
    }

    /// [`into_call`](Self::into_call), and what is worth keeping of the response.
    #[must_use]
    pub fn into_past(mut self) -> (Call, PastResponse) {
        let elapsed = self.elapsed();
        let inner = &mut *self.0;
        let mut body = Vec::new();
        let now = inner.call.now();
        let until = inner.call.within(now, DRAIN_TIME);
        let whole = inner.body.drain(&mut inner.call, Some(until), Some(&mut body));
        let mut call = inner.call.take();
        if inner.cancellable {
            call.forget_cancel();
        }
        let (line, head, info) = (Arc::clone(&inner.line), inner.head.clone(), inner.info.take());
        (call, PastResponse { line, head, info, elapsed, body, whole })
    }

    /// A handle that ends the reading of this body, from any thread: the request's own, if it was given one.
    #[must_use]
    pub fn cancel_handle(&mut self) -> CancelHandle {
        let inner = &mut *self.0;
        let (handle, made) = inner.call.cancel_handle();
        inner.cancellable |= made;
        handle
    }

    /// Ends the call, whatever is left of the body, and gives its record. Never blocks.
    #[must_use]
    pub fn close(mut self) -> Timeline {
        let inner = &mut *self.0;
        inner.body.drain(&mut inner.call, None, None);
        inner.call.timeline().clone()
    }

    /// Throws away what is left of the body, at most 64 KiB and 100 ms of waiting, so that the
    /// connection can be used again. What is larger or slower is closed.
    pub fn drain(mut self) {
        let inner = &mut *self.0;
        let now = inner.call.now();
        let until = inner.call.within(now, DRAIN_TIME);
        inner.body.drain(&mut inner.call, Some(until), None);
    }
}

/// For the rooms above that go on after this response.
impl Response {
    pub(crate) fn line(&self) -> &Arc<RequestLine> {
        &self.0.line
    }

    pub(crate) fn call_mut(&mut self) -> &mut Call {
        &mut self.0.call
    }

    pub(crate) fn set_next(&mut self, next: Box<PreparedRequest>) {
        self.0.next = Some(next);
    }

    /// The response goes to the caller, now. It is the final one unless its call is `held`.
    pub(crate) fn hand_over(mut self, history: Vec<PastResponse>, held: bool) -> Self {
        let inner = &mut *self.0;
        inner.history = history;
        inner.call.lend(false);
        if !held {
            inner.call.release();
        }
        inner.left_at = inner.call.latest();
        self
    }
}

impl Inner {
    /// The caller has come back: account for their time, and see whether a limit has passed in it.
    fn resume(&mut self) -> Outcome<()> {
        if let Some(mut failure) = self.body.failure() {
            failure.fired = self.call.timeline().fired().copied();
            return Err(failure);
        }
        if self.body.is_done() {
            return Ok(());
        }
        let checked = self.call.caller_time(What::Reader, self.left_at, Phase::Body);
        checked.inspect_err(|failure| self.body.fail(failure))
    }

    fn read_all(&mut self) -> Outcome<Vec<u8>> {
        let mut all = Vec::new();
        while !self.body.is_done() {
            if all.len() == all.capacity() {
                self.make_room(&mut all)?;
            }
            self.body.read_onto(&mut self.call, &mut all)?;
        }
        Ok(all)
    }

    /// A peer that goes on for ever must not end the process, which is what happens when memory that has
    /// to be there is not.
    fn make_room(&mut self, all: &mut Vec<u8>) -> Outcome<()> {
        let Err(error) = all.try_reserve_exact(self.more_room(all.len())) else { return Ok(()) };
        let context = format!("no memory for more than {} bytes of the body", all.len());
        let failure = Failure::from_error(ErrorKind::TooLarge, context, error);
        self.body.fail(&failure);
        Err(failure)
    }

    /// How much room the next reads get behind `filled` bytes.
    fn more_room(&self, filled: usize) -> usize {
        let left = self.body.left().map(|left| usize::try_from(left).unwrap_or(usize::MAX));
        let trusted = if filled == 0 { TRUSTED_LENGTH } else { filled.max(ROOM) };
        left.map_or(filled.max(ROOM), |left| left.clamp(1, trusted))
    }
}

impl Drop for Response {
    fn drop(&mut self) {
        let inner = &mut *self.0;
        inner.body.drain(&mut inner.call, None, None);
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status())
            .field("headers", self.headers())
            .field("elapsed", &self.timeline().elapsed())
            .finish_non_exhaustive()
    }
}
