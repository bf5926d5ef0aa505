//! [`Stream`]: a socket, with TLS on it or not, read and written without blocking.

mod layer;

use crate::error::{ErrorKind, Failure};
use crate::tls::{TlsError, TlsSession};
use crate::world::{Socket, Source, read_onto};
use layer::Layer;
use std::io::{self, IoSlice};

/// A byte stream to the peer.
#[derive(Debug)]
pub(crate) struct Stream {
    wire: Wire,
    /// The layer of TLS that we talk in. It lies on the socket, or on the layer with a proxy.
    tls: Option<Box<Layer>>,
}

/// The socket, and what its last read has told.
#[derive(Debug)]
struct Wire {
    socket: Box<dyn Socket>,
    /// The last read took all the room it had: more may lie in the socket.
    filled: bool,
    /// The last read found something, or the end, and not that it would have to wait.
    found: bool,
}

impl Wire {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.found = true;
        let count = self.socket.read(out).inspect_err(|_| self.found = false)?;
        self.filled = count == out.len();
        Ok(count)
    }

    fn read_onto(&mut self, out: &mut Vec<u8>) -> io::Result<usize> {
        let room = out.capacity() - out.len();
        let count = self.socket.read_onto(out)?;
        self.filled = count == room;
        Ok(count)
    }

    fn write(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        self.socket.write(parts)
    }
}

/// What a read found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Received {
    /// So many bytes.
    Bytes(usize),
    /// The peer has ended the stream, and said so (FIN; with TLS also close_notify).
    End,
    /// The TCP stream has ended without TLS's close_notify: it may have been cut (RFC 9112 §9.8).
    Truncated,
}

/// Why a read or write did nothing.
#[derive(Debug)]
pub(crate) enum StreamError {
    /// It would have to wait.
    WouldBlock,
    /// The socket failed.
    Io(io::Error),
    /// TLS failed.
    Tls(TlsError),
}

impl StreamError {
    /// The failure it is when it happens while sending or receiving (`kind`).
    pub(crate) fn into_failure(self, kind: ErrorKind) -> Box<Failure> {
        let doing = if kind == ErrorKind::Send { "sending failed" } else { "receiving failed" };
        match self {
            StreamError::WouldBlock => Failure::new(kind, doing),
            StreamError::Io(error) => Failure::from_error(kind, doing, error),
            StreamError::Tls(error) => error.into(),
        }
    }
}

impl From<io::Error> for StreamError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::WouldBlock => StreamError::WouldBlock,
            _ => StreamError::Io(error),
        }
    }
}

impl From<TlsError> for StreamError {
    fn from(error: TlsError) -> Self {
        StreamError::Tls(error)
    }
}

impl Stream {
    pub(crate) fn new(socket: Box<dyn Socket>) -> Self {
        Stream { wire: Wire { socket, filled: false, found: false }, tls: None }
    }

    pub(crate) fn source(&self) -> Source<'_> {
        self.wire.socket.source()
    }

    pub(crate) fn socket(&self) -> &dyn Socket {
        &*self.wire.socket
    }

    /// Puts TLS on what the stream is so far; the handshake is then driven by
    /// [`handshake`](Self::handshake).
    pub(crate) fn start_tls(&mut self, session: TlsSession) {
        self.tls = Some(Box::new(Layer::new(session, self.tls.take())));
    }

    /// The layer of TLS that was put on last.
    pub(crate) fn tls(&self) -> Option<&TlsSession> {
        self.tls.as_ref().map(|tls| tls.session())
    }

    /// Reads plaintext that is there.
    pub(crate) fn read(&mut self, out: &mut [u8]) -> Result<Received, StreamError> {
        if let Some(tls) = &mut self.tls {
            return tls.read(&mut self.wire, out);
        }
        Ok(received(self.wire.read(out)?))
    }

    /// Reads plaintext that is there onto `out`: at most `most` bytes, and what its capacity takes.
    pub(crate) fn read_onto(
        &mut self,
        out: &mut Vec<u8>,
        most: usize,
    ) -> Result<Received, StreamError> {
        let room = out.capacity() - out.len();
        if self.tls.is_none() && room <= most {
            return Ok(received(self.wire.read_onto(out)?));
        }
        let mut found = Received::End;
        read_onto(out, room.min(most), |room| {
            found = self.read(room)?;
            Ok::<_, StreamError>(if let Received::Bytes(count) = found { count } else { 0 })
        })?;
        Ok(found)
    }

    /// Goes on with the handshake of the TLS that was put on last; `Ok` when it is complete and
    /// flushed.
    pub(crate) fn handshake(&mut self) -> Result<(), StreamError> {
        match &mut self.tls {
            Some(tls) => tls.handshake(&mut self.wire),
            None => Ok(()),
        }
    }

    /// Whether bytes wait to be written, so that a wait has to ask for room too.
    pub(crate) fn wants_write(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.wants_write())
    }

    /// Writes what fits and says how many bytes of `parts` were taken.
    pub(crate) fn write(&mut self, parts: &[IoSlice<'_>]) -> Result<usize, StreamError> {
        match &mut self.tls {
            Some(tls) => tls.write(&mut self.wire, parts),
            None => Ok(self.wire.write(parts)?),
        }
    }

    /// Writes what an earlier write has left behind.
    pub(crate) fn flush(&mut self) -> Result<(), StreamError> {
        match &mut self.tls {
            Some(tls) => tls.flush(&mut self.wire),
            None => Ok(()),
        }
    }

    /// Whether received bytes lie in TLS that nobody has asked for.
    pub(crate) fn has_undelivered(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.has_undelivered())
    }

    /// Whether the next read can give something that TLS has taken out of the socket already, so
    /// that no wait for the socket would tell of it.
    pub(crate) fn has_more_at_hand(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.has_more_at_hand())
    }

    /// Whether the last read may have left bytes in the socket.
    pub(crate) fn may_have_more(&self) -> bool {
        self.wire.filled
    }

    /// Whether the peer has said something that nobody has asked for, or has gone: looks at TLS and,
    /// without waiting, at the socket.
    pub(crate) fn has_stray_bytes(&mut self) -> bool {
        self.wire.found = false;
        let quiet = matches!(self.read(&mut [0]), Err(StreamError::WouldBlock));
        // TLS gives up on records without data, however many there are.
        !quiet || self.wire.found || self.has_undelivered()
    }

    /// Says goodbye as far as that is possible without waiting. Not behind bytes that have found no
    /// room yet: they belong to a call that is over, and must not leave after it.
    pub(crate) fn close(&mut self) {
        if let Some(tls) = &mut self.tls {
            tls.close(&mut self.wire);
        }
    }
}

/// What a read of `count` bytes from a socket has found.
fn received(count: usize) -> Received {
    if count == 0 { Received::End } else { Received::Bytes(count) }
}
