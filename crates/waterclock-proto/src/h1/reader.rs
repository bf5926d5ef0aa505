//! [`ResponseReader`]: from bytes to the final response's head.

use super::Caps;
use super::body::BodyReader;
use super::error::ProtocolError;
use super::framing::{self, Asked};
use super::parse;
use super::scan::Scan;
use crate::message::{Headers, Method, ResponseHead};

/// Reads the answer to one request, up to the end of the final head.
///
/// ```
/// use waterclock_proto::h1::{BodyState, Caps, HeadStep, ResponseReader};
/// use waterclock_proto::message::Method;
///
/// let input = b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
/// let mut reader = ResponseReader::new(&Method::Get, Caps::default());
/// let mut at = 0;
/// let (head, mut body) = loop {
///     match reader.read_head(&input[at..])? {
///         HeadStep::Incomplete => unreachable!("it is all there"),
///         HeadStep::Informational { used, .. } => at += used,
///         HeadStep::Head { used, head, body } => {
///             at += used;
///             break (head, body);
///         }
///     }
/// };
/// assert_eq!(head.status, 200);
/// let step = body.next(&input[at..])?;
/// assert_eq!((step.skip, step.data, step.state), (0, 2, BodyState::Done));
/// # Ok::<(), waterclock_proto::h1::ProtocolError>(())
/// ```
#[derive(Clone, Debug)]
pub struct ResponseReader {
    asked: Asked,
    caps: Caps,
    scan: Scan,
    /// Bytes of the head that were there at the last call.
    seen: usize,
    informational: usize,
}

/// What [`ResponseReader::read_head`] found.
#[derive(Clone, Debug)]
pub enum HeadStep {
    /// No whole head yet: call again with more bytes.
    Incomplete,
    /// An interim response (1xx other than 101). Drop `used` bytes and call again.
    Informational {
        /// The bytes it took.
        used: usize,
        /// 100, 102, 103 ...
        status: u16,
        /// Its fields, `Link` for instance.
        headers: Headers,
    },
    /// The final head. Drop `used` bytes; the next one belongs to `body`.
    Head {
        /// The bytes it took.
        used: usize,
        /// Status line and fields.
        head: ResponseHead,
        /// Finds the body.
        body: BodyReader,
    },
}

impl ResponseReader {
    /// A reader for the answer to a request with that method.
    #[must_use]
    pub fn new(request_method: &Method, caps: Caps) -> Self {
        // Offsets into a head or trailer section are 32 bits wide.
        let clamp = |bytes: usize| bytes.min(u32::MAX as usize);
        let (head_bytes, trailer_bytes) = (clamp(caps.head_bytes), clamp(caps.trailer_bytes));
        let caps = Caps { head_bytes, trailer_bytes, ..caps };
        let asked = Asked::of(request_method);
        ResponseReader { asked, caps, scan: Scan::default(), seen: 0, informational: 0 }
    }

    /// Looks at *all* bytes that were not consumed yet; call again whenever there are more.
    ///
    /// # Errors
    ///
    /// [`ProtocolError`] as soon as the bytes cannot become a response, even if more would follow.
    pub fn read_head(&mut self, input: &[u8]) -> Result<HeadStep, ProtocolError> {
        self.seen = input.len();
        let Some((used, head)) = self.find_head(input)? else {
            return Ok(HeadStep::Incomplete);
        };
        if matches!(head.status, 100..=199) && head.status != 101 {
            return self.informational(used, head);
        }
        let framing = framing::of_response(self.asked, head.status, &head.headers)?;
        Ok(HeadStep::Head { used, head, body: BodyReader::new(framing, &self.caps) })
    }

    fn find_head(&mut self, input: &[u8]) -> Result<Option<(usize, ResponseHead)>, ProtocolError> {
        if self.scan.is_fresh()
            && let Some(usual) = parse::usual(input, &self.caps)
        {
            return Ok(Some(usual));
        }
        match self.scan.resume(input, &self.caps)? {
            Some(found) => Ok(Some((found.end, parse::scanned(input, &found)?))),
            None => Ok(None),
        }
    }

    fn informational(
        &mut self,
        used: usize,
        head: ResponseHead,
    ) -> Result<HeadStep, ProtocolError> {
        self.informational += 1;
        if self.informational > self.caps.informational {
            return Err(ProtocolError::TooManyInformational { cap: self.caps.informational });
        }
        self.scan = Scan::default();
        self.seen = 0;
        Ok(HeadStep::Informational { used, status: head.status, headers: head.headers })
    }

    /// What it means that the input has ended before the final head.
    #[must_use]
    pub fn eof(&self) -> ProtocolError {
        match (self.seen, self.informational) {
            (0, 0) => ProtocolError::ClosedBeforeResponse,
            (received, informational) => ProtocolError::ClosedInHead { received, informational },
        }
    }
}
