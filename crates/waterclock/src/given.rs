//! [`Given`]: the body of a response that an adapter makes without a connection: bytes in memory, or
//! a reader.

use crate::call::Call;
use crate::error::{ErrorKind, Failure, Outcome};
use std::fmt;
use std::io::{self, Read};
use waterclock_proto::h1::ProtocolError;
use waterclock_proto::timeline::Phase;

/// A reader is asked for so much at a time.
const PIECE: usize = 16 * 1024;

pub(crate) struct Given {
    buffer: Vec<u8>,
    /// Of the buffer, how much has been used.
    at: usize,
    rest: Option<Rest>,
    length: Option<u64>,
}

/// What has not been read yet.
struct Rest {
    reader: Box<dyn Read + Send>,
    received: u64,
}

impl Given {
    pub(crate) fn bytes(bytes: Vec<u8>) -> Self {
        let length = Some(bytes.len() as u64);
        Given { buffer: bytes, at: 0, rest: None, length }
    }

    /// Up to `length` bytes of `reader`, or all it has. Fewer are an error when they are missed.
    pub(crate) fn reader(reader: Box<dyn Read + Send>, length: Option<u64>) -> Self {
        let rest = (length != Some(0)).then_some(Rest { reader, received: 0 });
        Given { buffer: Vec::new(), at: 0, rest, length }
    }

    pub(crate) fn length(&self) -> Option<u64> {
        self.length
    }

    /// What is there.
    pub(crate) fn filled(&self) -> &[u8] {
        self.buffer.get(self.at..).unwrap_or_default()
    }

    pub(crate) fn consume(&mut self, count: usize) {
        self.at = self.at.saturating_add(count).min(self.buffer.len());
    }

    /// Whether there is no more, now or later.
    pub(crate) fn is_over(&self) -> bool {
        self.rest.is_none() && self.at >= self.buffer.len()
    }

    /// Reads on if nothing is there. A reader's time is the caller's.
    pub(crate) fn fill(&mut self, call: &mut Call) -> Outcome<()> {
        let Some(rest) = &mut self.rest else { return Ok(()) };
        if self.at < self.buffer.len() {
            return Ok(());
        }
        let left = self.length.map_or(u64::MAX, |length| length.saturating_sub(rest.received));
        let most = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
        self.buffer.resize(most, 0);
        let result = call.read_source(&mut rest.reader, &mut self.buffer, Phase::Body);
        let count = result.and_then(|result| result.map_err(cut)).inspect_err(|_| {
            self.buffer.clear();
        })?;
        self.buffer.truncate(count);
        self.at = 0;
        rest.received += count as u64;
        match self.length {
            Some(length) if count == 0 => {
                let (expected, received) = (Some(length), rest.received);
                Err(ProtocolError::IncompleteBody { expected, received }.into())
            }
            Some(length) if rest.received < length => Ok(()),
            None if count > 0 => Ok(()),
            _ => {
                self.rest = None;
                Ok(())
            }
        }
    }
}

fn cut(error: io::Error) -> Box<Failure> {
    let kind = match error.kind() {
        io::ErrorKind::UnexpectedEof => ErrorKind::IncompleteBody,
        _ => ErrorKind::Receive,
    };
    Failure::from_error(kind, "the body that the adapter gives cannot be read", error)
}

impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Given({:?})", self.length)
    }
}
