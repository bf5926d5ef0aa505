//! [`Stream`]: a socket, with TLS on it or not, read and written without blocking.

use crate::error::{ErrorKind, Failure};
use crate::tls::{PlainRead, TlsError, TlsSession};
use crate::world::{Socket, Source};
use std::io::{self, IoSlice};

/// Ciphertext is read in pieces of this size: a few records at a time.
const CIPHER_BYTES: usize = 32 * 1024;

/// A byte stream to the peer.
#[derive(Debug)]
pub(crate) struct Stream {
    socket: Box<dyn Socket>,
    tls: Option<Box<Tls>>,
    /// The last read took all the room it had: more may lie in the socket.
    filled: bool,
}

#[derive(Debug)]
struct Tls {
    session: TlsSession,
    /// Ciphertext from the socket; what is between `at` and `end` was not yet taken in.
    cipher: Vec<u8>,
    at: usize,
    end: usize,
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
        Stream { socket, tls: None, filled: false }
    }

    pub(crate) fn source(&self) -> Source<'_> {
        self.socket.source()
    }

    pub(crate) fn socket(&self) -> &dyn Socket {
        &*self.socket
    }

    /// Puts TLS on the stream; the handshake is then driven by reading and flushing.
    pub(crate) fn start_tls(&mut self, session: TlsSession) {
        let tls = Tls { session, cipher: Vec::new(), at: 0, end: 0 };
        self.tls = Some(Box::new(tls));
    }

    pub(crate) fn tls(&self) -> Option<&TlsSession> {
        self.tls.as_ref().map(|tls| &tls.session)
    }

    /// Reads plaintext that is there.
    pub(crate) fn read(&mut self, out: &mut [u8]) -> Result<Received, StreamError> {
        let Some(tls) = &mut self.tls else {
            let count = self.socket.read(out)?;
            self.filled = count == out.len();
            return Ok(if count == 0 { Received::End } else { Received::Bytes(count) });
        };
        loop {
            match tls.session.read_plain(out)? {
                PlainRead::Bytes(count) => return Ok(Received::Bytes(count)),
                PlainRead::CleanEnd => return Ok(Received::End),
                PlainRead::Truncated => return Ok(Received::Truncated),
                PlainRead::Empty => self.filled = tls.receive(&mut *self.socket)?,
            }
        }
    }

    /// Goes on with the TLS handshake; `Ok` when it is complete and flushed.
    ///
    /// Written first and then read, both without waiting; never only one of them, or two peers that
    /// both wait for room would wait for ever.
    pub(crate) fn handshake(&mut self) -> Result<(), StreamError> {
        let Some(tls) = &mut self.tls else { return Ok(()) };
        loop {
            let flushed = match tls.flush(&mut *self.socket) {
                Err(StreamError::WouldBlock) => false,
                result => result.map(|()| true)?,
            };
            if !tls.session.is_handshaking() {
                return if flushed { Ok(()) } else { Err(StreamError::WouldBlock) };
            }
            match tls.receive(&mut *self.socket) {
                Ok(_) => {}
                Err(StreamError::Tls(error)) => {
                    // The alert tells the peer why; if it does not fit, the error still stands.
                    let _ = tls.flush(&mut *self.socket);
                    return Err(error.into());
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Whether bytes wait to be written, so that a wait has to ask for room too.
    pub(crate) fn wants_write(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.session.wants_write())
    }

    /// Writes what fits and says how many bytes of `parts` were taken.
    pub(crate) fn write(&mut self, parts: &[IoSlice<'_>]) -> Result<usize, StreamError> {
        let Some(tls) = &mut self.tls else { return Ok(self.socket.write(parts)?) };
        // Nothing new is encrypted before the old is out, so that memory stays bounded.
        tls.flush(&mut *self.socket)?;
        let taken = tls.session.write_plain(parts)?;
        match tls.flush(&mut *self.socket) {
            // What was encrypted counts as taken; `flush` sends it later.
            Ok(()) | Err(StreamError::WouldBlock) => Ok(taken),
            Err(error) => Err(error),
        }
    }

    /// Writes what an earlier write has left behind.
    pub(crate) fn flush(&mut self) -> Result<(), StreamError> {
        match &mut self.tls {
            Some(tls) => tls.flush(&mut *self.socket),
            None => Ok(()),
        }
    }

    /// Whether received bytes lie in the TLS layer that nobody has asked for.
    pub(crate) fn has_undelivered(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.has_undelivered())
    }

    /// Whether the last read may have left bytes in the socket.
    pub(crate) fn may_have_more(&self) -> bool {
        self.filled
    }

    /// Whether the peer has said something that nobody has asked for, or has gone: looks at TLS and,
    /// without waiting, at the socket.
    pub(crate) fn has_stray_bytes(&mut self) -> bool {
        let quiet = matches!(self.read(&mut [0]), Err(StreamError::WouldBlock));
        !quiet || self.has_undelivered()
    }

    /// Says goodbye as far as that is possible without waiting. Not behind bytes that have found no
    /// room yet: they belong to a call that is over, and must not leave after it.
    pub(crate) fn close(&mut self) {
        if let Some(tls) = &mut self.tls
            && !tls.session.wants_write()
        {
            tls.session.send_close_notify();
            let _ = tls.flush(&mut *self.socket);
        }
    }
}

impl Tls {
    /// Reads ciphertext once, unless some is left from before, and takes it in. Says whether the
    /// socket may hold more.
    fn receive(&mut self, socket: &mut dyn Socket) -> Result<bool, StreamError> {
        if self.at == self.end {
            if self.cipher.is_empty() {
                self.cipher.resize(CIPHER_BYTES, 0);
            }
            let count = socket.read(&mut self.cipher)?;
            // Only now: a read that would block must not bring the old bytes back.
            (self.at, self.end) = (0, count);
            if count == 0 {
                self.session.received_eof()?;
                return Ok(false);
            }
        }
        let fresh = self.cipher.get(self.at..self.end).unwrap_or_default();
        self.at += self.session.receive(fresh)?;
        Ok(self.end == self.cipher.len())
    }

    fn has_undelivered(&self) -> bool {
        let session = &self.session;
        self.at < self.end || session.plaintext_pending() > 0 || session.ciphertext_left() > 0
    }

    fn flush(&mut self, socket: &mut dyn Socket) -> Result<(), StreamError> {
        while self.session.wants_write() {
            self.session.transmit(&mut |parts| socket.write(parts))?;
        }
        Ok(())
    }
}
