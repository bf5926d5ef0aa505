//! [`BodyReader`]: which of the bytes that follow a head are content.

use super::Caps;
use super::chunked::Chunked;
use super::error::ProtocolError;
use super::framing::Framing;
use crate::message::Headers;

/// Finds the content in the bytes behind a head, without copying it.
///
/// Two ways lead through a body, and they may be mixed:
///
/// - [`next`](Self::next) looks at bytes in a buffer and says which of them are framing and which
///   are content;
/// - when the buffer is empty, [`direct`](Self::direct) says how many bytes of content may be read
///   straight into the caller's own memory; [`advance`](Self::advance) accounts for them.
///
/// ```
/// use waterclock_proto::h1::{BodyState, Caps, HeadStep, ResponseReader};
/// use waterclock_proto::message::Method;
///
/// let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
/// let mut reader = ResponseReader::new(&Method::Get, Caps::default());
/// let HeadStep::Head { mut body, .. } = reader.read_head(head)? else { unreachable!() };
///
/// let mut buffer: &[u8] = b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n";
/// let mut content = Vec::new();
/// loop {
///     let step = body.next(buffer)?;
///     content.extend_from_slice(&buffer[step.skip..step.skip + step.data]);
///     buffer = &buffer[step.skip + step.data..];
///     if step.state != BodyState::More {
///         break;
///     }
/// }
/// assert_eq!(content, b"abcde");
/// assert!(body.is_done() && buffer.is_empty());
/// # Ok::<(), waterclock_proto::h1::ProtocolError>(())
/// ```
#[derive(Clone, Debug)]
pub struct BodyReader {
    framing: Framing,
    state: State,
    received: u64,
}

#[derive(Clone, Debug)]
enum State {
    Done,
    Length {
        left: u64,
    },
    Chunked(Chunked),
    /// With what the cap leaves.
    UntilClose {
        left: u64,
    },
    /// The rest cannot be read, as [`BodyReader::next`] says each time.
    Refused(ProtocolError),
}

/// What [`BodyReader::next`] found at the start of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyStep {
    /// So many bytes of framing come first: drop them.
    pub skip: usize,
    /// So many bytes of content follow: use them, then drop them.
    pub data: usize,
    /// What to do after that.
    pub state: BodyState,
}

/// What to do after a [`BodyStep`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyState {
    /// Input is left: call again.
    More,
    /// The input is used up: call again when there is more of it.
    NeedInput,
    /// The body is over. Whatever is left of the input does not belong to it.
    Done,
}

impl BodyReader {
    pub(super) fn new(framing: Framing, caps: &Caps) -> Self {
        let state = match framing {
            Framing::None | Framing::Upgrade | Framing::Tunnel | Framing::Length(0) => State::Done,
            Framing::Length(length) if length > caps.body_bytes => {
                State::Refused(ProtocolError::BodyTooLarge { cap: caps.body_bytes })
            }
            Framing::Length(left) => State::Length { left },
            Framing::Chunked => State::Chunked(Chunked::new(caps)),
            Framing::UntilClose => State::UntilClose { left: caps.body_bytes },
        };
        BodyReader { framing, state, received: 0 }
    }

    /// How the end of this body is found.
    #[must_use]
    pub fn framing(&self) -> Framing {
        self.framing
    }

    /// Looks at the bytes that follow those of the last step. The content of the step counts as
    /// received.
    ///
    /// The work of one call is bounded: by the content found, or by the caps on framing.
    ///
    /// # Errors
    ///
    /// [`ProtocolError`] when a chunk line or a trailer is malformed or too large, or the body itself
    /// is. The rest of the body cannot be found then, and the connection is of no further use: from
    /// then on the same error is given.
    pub fn next(&mut self, input: &[u8]) -> Result<BodyStep, ProtocolError> {
        let found = match &mut self.state {
            State::Done => Ok((0, 0)),
            State::Chunked(chunked) => chunked.next(input, self.received),
            State::UntilClose { left: 0 } if !input.is_empty() => {
                Err(ProtocolError::BodyTooLarge { cap: self.received })
            }
            State::Length { left } | State::UntilClose { left } => Ok((0, take(left, input.len()))),
            State::Refused(error) => return Err(error.clone()),
        };
        let (skip, data) = match found {
            Ok(found) => found,
            Err(error) => return Err(self.refuse(error)),
        };
        self.received = self.received.saturating_add(data as u64);
        self.settle();
        let state = match self.state {
            State::Done => BodyState::Done,
            State::Chunked(ref chunked) if chunked.is_done() => BodyState::Done,
            _ if skip + data < input.len() => BodyState::More,
            _ => BodyState::NeedInput,
        };
        Ok(BodyStep { skip, data, state })
    }

    #[cold]
    fn refuse(&mut self, error: ProtocolError) -> ProtocolError {
        self.state = State::Refused(error.clone());
        error
    }

    /// How many bytes of content come next for certain, without framing in between.
    ///
    /// `None` when framing comes next or the body is over. A body that ends with the connection
    /// gives what [`Caps::body_bytes`] leaves, which is practically endless by default.
    #[must_use]
    pub fn direct(&self) -> Option<u64> {
        match &self.state {
            State::Length { left } | State::UntilClose { left } => Some(*left),
            State::Chunked(chunked) => chunked.direct(self.received),
            // For `next` to refuse, before anything of it is read.
            State::Refused(_) => Some(0),
            State::Done => None,
        }
    }

    /// Accounts for `bytes` of content that were read without [`next`](Self::next); at most as many
    /// as [`direct`](Self::direct) allowed.
    pub fn advance(&mut self, bytes: u64) {
        let allowed = self.direct().unwrap_or(0);
        debug_assert!(bytes <= allowed, "{bytes} bytes read where {allowed} were allowed");
        let bytes = bytes.min(allowed);
        match &mut self.state {
            State::Length { left } | State::UntilClose { left } => *left -= bytes,
            State::Chunked(chunked) => chunked.advance(bytes),
            State::Refused(_) | State::Done => {}
        }
        self.received = self.received.saturating_add(bytes);
        self.settle();
    }

    /// The input has ended. That is how some bodies are meant to end.
    ///
    /// # Errors
    ///
    /// [`ProtocolError::IncompleteBody`] when there should have been more.
    pub fn eof(&mut self) -> Result<(), ProtocolError> {
        let received = self.received;
        match &mut self.state {
            State::Done => {}
            State::UntilClose { .. } => self.state = State::Done,
            State::Chunked(chunked) => chunked.eof(received)?,
            State::Length { .. } | State::Refused(_) => {
                return Err(ProtocolError::IncompleteBody { expected: self.expected(), received });
            }
        }
        Ok(())
    }

    /// Whether the body is over.
    #[must_use]
    pub fn is_done(&self) -> bool {
        match &self.state {
            State::Done => true,
            State::Chunked(chunked) => chunked.is_done(),
            State::Length { .. } | State::UntilClose { .. } | State::Refused(_) => false,
        }
    }

    /// Bytes of content so far, framing not counted.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Bytes of content in all, if the head said so.
    #[must_use]
    pub fn expected(&self) -> Option<u64> {
        match self.framing {
            Framing::Length(length) => Some(length),
            Framing::None | Framing::Upgrade | Framing::Tunnel => Some(0),
            Framing::Chunked | Framing::UntilClose => None,
        }
    }

    /// The fields that came after a chunked body. They are never merged into the header fields
    /// (RFC 9110 §6.5.1).
    #[must_use]
    pub fn trailers(&self) -> Option<&Headers> {
        match &self.state {
            State::Chunked(chunked) => chunked.trailers(),
            _ => None,
        }
    }

    fn settle(&mut self) {
        if matches!(self.state, State::Length { left: 0 }) {
            self.state = State::Done;
        }
    }
}

/// Takes up to `available` from `left` and says how much that was.
pub(super) fn take(left: &mut u64, available: usize) -> usize {
    let taken = usize::try_from(*left).unwrap_or(usize::MAX).min(available);
    *left -= taken as u64;
    taken
}
