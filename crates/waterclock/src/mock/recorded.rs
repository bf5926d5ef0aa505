//! [`Recorded`]: a request that came to the mock.

use crate::call::Call;
use crate::error::{ErrorKind, Failure, Outcome};
use crate::request::{PreparedRequest, RequestBody};
use std::borrow::Cow;
use std::io::Read;
use std::sync::Arc;
use url::Url;
use waterclock_proto::message::{Headers, Method};
use waterclock_proto::timeline::{Phase, RequestLine};

/// So much of a streamed body is kept.
const KEPT: usize = 16 << 20;
/// A streamed body is read in pieces of this size, as for a connection.
const PIECE: usize = 64 * 1024;

/// A request as it came to a [`MockAdapter`](super::MockAdapter).
///
/// Its headers are those of the request, cookies and credentials of this hop included. What the
/// adapter for HTTP adds (`Host`, `Content-Length`, `Transfer-Encoding`) is not among them.
#[derive(Clone, Debug)]
pub struct Recorded {
    line: Arc<RequestLine>,
    headers: Headers,
    body: Arc<[u8]>,
    length: u64,
}

impl Recorded {
    /// The request, before any of its body was sent.
    pub(super) fn of(request: &PreparedRequest) -> Self {
        let mut headers = Headers::new();
        for (name, value) in request.headers() {
            // It was valid in the request.
            let _ = headers.append(name, value);
        }
        Recorded { line: Arc::clone(&request.line), headers, body: Arc::new([]), length: 0 }
    }

    pub(super) fn is_same(&self, other: &Recorded) -> bool {
        Arc::ptr_eq(&self.line, &other.line)
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.line.method
    }

    /// The URL, without userinfo.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.line.url
    }

    /// The first value of a header, if it is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get_str(name)
    }

    /// All headers.
    #[must_use]
    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    /// The content as far as it was sent, without chunks: empty if the call failed before that, and
    /// at most the first 16 MiB of a stream.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The content as text; what is not UTF-8 is replaced.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }

    /// How many bytes of content were sent.
    #[must_use]
    pub fn body_length(&self) -> u64 {
        self.length
    }

    /// Takes the content of the request, as sending it would: a stream is read to its end, in the
    /// caller's time.
    pub(super) fn take_body(
        &mut self,
        request: &mut PreparedRequest,
        call: &mut Call,
    ) -> Outcome<()> {
        call.reach(Phase::Upload)?;
        let expected = request.body.length();
        match &mut request.body {
            RequestBody::Empty => Ok(()),
            RequestBody::Bytes(bytes) => {
                self.length = bytes.len() as u64;
                self.body = Arc::clone(bytes);
                Ok(())
            }
            RequestBody::Streamed(streamed) => {
                let mut kept = Vec::new();
                let result = self.drain(streamed.start(), expected, call, &mut kept);
                self.body = kept.into();
                result
            }
        }
    }

    fn drain(
        &mut self,
        source: &mut dyn Read,
        expected: Option<u64>,
        call: &mut Call,
        kept: &mut Vec<u8>,
    ) -> Outcome<()> {
        let mut piece = vec![0; PIECE];
        loop {
            let left = expected.map_or(u64::MAX, |all| all.saturating_sub(self.length));
            let room = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
            if room == 0 {
                return Ok(());
            }
            let result = call.read_source(source, &mut piece[..room], Phase::Upload)?;
            let count = result.map_err(|error| {
                let doing = "the source of the request body failed";
                Failure::from_error(ErrorKind::InvalidRequest, doing, error)
            })?;
            if count == 0 && expected.is_some() {
                let text = format!("the request body ended {left} bytes before its length");
                return Err(Failure::new(ErrorKind::InvalidRequest, text));
            }
            if count == 0 {
                return Ok(());
            }
            self.length += count as u64;
            let keep = count.min(KEPT.saturating_sub(kept.len()));
            kept.extend_from_slice(&piece[..keep]);
        }
    }
}
