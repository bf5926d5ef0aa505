//! [`Response`]: the head, the body still to be read, and the timeline.

use crate::body::{Body, DRAIN_TIME};
use crate::call::Call;
use crate::connection::ConnectionInfo;
use crate::error::{Error, Outcome};
use std::borrow::Cow;
use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;
use waterclock_proto::message::{Headers, Reason, ResponseHead, Version, canonical_reason};
use waterclock_proto::screen::{self, Style};
use waterclock_proto::tick::Tick;
use waterclock_proto::timeline::{HopReason, Phase, RequestLine, Timeline, What};

/// Bytes are set aside for at most so much of a Content-Length before they have arrived
/// (CVE-2025-13836).
const TRUSTED_LENGTH: u64 = 1 << 20;
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
    info: Option<ConnectionInfo>,
    call: Call,
    body: Body,
    /// When the response was last given to the caller: time since then is theirs.
    left_at: Tick,
}

impl Response {
    pub(crate) fn new(
        line: Arc<RequestLine>,
        head: ResponseHead,
        info: Option<ConnectionInfo>,
        mut call: Call,
        mut body: Body,
        now: Tick,
    ) -> Self {
        body.begin(&mut call);
        Response(Box::new(Inner { line, head, info, call, body, left_at: now }))
    }

    /// A response made in memory, without headers: what an adapter of the user's returns.
    #[must_use]
    pub fn from_memory(
        request: &crate::PreparedRequest,
        mut call: Call,
        status: u16,
        body: Vec<u8>,
    ) -> Self {
        let reason = canonical_reason(status).unwrap_or_default();
        let head = ResponseHead {
            version: Version::Http11,
            status,
            reason: Reason::received(status, reason.as_bytes()),
            headers: Headers::new(),
        };
        if call.timeline().hops().is_empty() {
            call.begin_hop(&request.line, HopReason::First);
        }
        let now = call.now();
        if let Some(hop) = call.timeline_mut().hop_mut() {
            hop.head_ended = Some(now);
            hop.status = Some(status);
        }
        Response::new(Arc::clone(&request.line), head, None, call, Body::memory(body), now)
    }

    /// The header fields, to be completed by an adapter that made the response.
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

    /// The URL that was requested, without userinfo.
    #[must_use]
    pub fn url(&self) -> &url::Url {
        &self.0.line.url
    }

    /// The connection it came over; `None` from an adapter that has none.
    #[must_use]
    pub fn connection(&self) -> Option<&ConnectionInfo> {
        self.0.info.as_ref()
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

    /// How many bytes the body will give, if that is known before they have arrived.
    #[must_use]
    pub fn body_expected(&self) -> Option<u64> {
        self.0.body.expected()
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

    /// Reads the rest of the body. (Not called `bytes`, which [`Read`] has for something else.)
    ///
    /// # Errors
    /// A limit that fires, or a body that is cut, malformed or too large.
    pub fn content(&mut self) -> Result<Vec<u8>, Error> {
        let inner = &mut *self.0;
        inner.resume().and_then(|()| inner.read_all()).map_err(|failure| inner.call.error(failure))
    }

    /// Reads the rest of the body as UTF-8; what is not is replaced by U+FFFD.
    ///
    /// # Errors
    /// As [`content`](Self::content).
    pub fn text(&mut self) -> Result<String, Error> {
        let bytes = self.content()?;
        Ok(String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
    }

    /// Reads a part of the body into `out`; 0 at its end. [`Read`] does the same, with the
    /// [`Error`] inside an [`io::Error`].
    ///
    /// # Errors
    /// As [`content`](Self::content).
    pub fn read_body(&mut self, out: &mut [u8]) -> Result<usize, Error> {
        let inner = &mut *self.0;
        let result = inner.resume().and_then(|()| inner.body.read(&mut inner.call, out));
        inner.left_at = if inner.body.is_done() { inner.left_at } else { inner.call.now() };
        result.map_err(|failure| inner.call.error(failure))
    }

    /// The rest of the body in pieces of at most `size` bytes.
    ///
    /// # Panics
    /// If `size` is 0.
    pub fn chunks(&mut self, size: usize) -> Chunks<'_> {
        assert!(size > 0, "chunks of no size would never end");
        Chunks { response: self, size }
    }

    /// Ends the call, whatever is left of the body, and gives its record. Never blocks.
    #[must_use]
    pub fn close(mut self) -> Timeline {
        let inner = &mut *self.0;
        inner.body.drain(&mut inner.call, None);
        inner.call.timeline().clone()
    }

    /// Throws away what is left of the body, at most 64 KiB and 100 ms of waiting, so that the
    /// connection can be used again. What is larger or slower is closed.
    pub fn drain(mut self) {
        let inner = &mut *self.0;
        let now = inner.call.now();
        let until = inner.call.within(now, DRAIN_TIME);
        inner.body.drain(&mut inner.call, Some(until));
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
        let expected = self.body.expected().unwrap_or(0).saturating_sub(self.body.received());
        let mut all = Vec::new();
        let mut filled = 0;
        let mut room = usize::try_from(expected.min(TRUSTED_LENGTH)).unwrap_or(ROOM);
        while !self.body.is_done() {
            if filled == all.len() {
                let more = if filled == 0 { room } else { room.max(filled) };
                all.resize(filled + more.max(1), 0);
                room = ROOM;
            }
            filled += self.body.read(&mut self.call, &mut all[filled..])?;
        }
        all.truncate(filled);
        Ok(all)
    }
}

impl Read for Response {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.read_body(out).map_err(|error| {
            let kind =
                if error.is_timeout() { io::ErrorKind::TimedOut } else { io::ErrorKind::Other };
            io::Error::new(kind, error)
        })
    }
}

impl Drop for Response {
    fn drop(&mut self) {
        let inner = &mut *self.0;
        inner.body.drain(&mut inner.call, None);
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

/// The pieces of a body; see [`Response::chunks`].
#[derive(Debug)]
pub struct Chunks<'r> {
    response: &'r mut Response,
    size: usize,
}

impl Iterator for Chunks<'_> {
    type Item = Result<Vec<u8>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut piece = vec![0; self.size];
        match self.response.read_body(&mut piece) {
            Ok(0) => None,
            Ok(count) => {
                piece.truncate(count);
                Some(Ok(piece))
            }
            Err(error) => Some(Err(error)),
        }
    }
}
