//! [`Layer`]: TLS on a socket, or on another layer of TLS: with an origin, inside that with its proxy.

use super::{Received, StreamError, Wire};
use crate::tls::{PlainRead, TlsSession};
use std::io::{self, IoSlice};

/// Ciphertext is read in pieces of this size: a few records at a time.
const CIPHER_BYTES: usize = 32 * 1024;
/// The size for whoever fills the first one at once.
const WIDE_BYTES: usize = 64 * 1024;

/// What one read of plaintext, or one step of a handshake, has read and taken in so far. A peer may send records
/// without data, tickets say, faster than they are read: a limit has to be looked at between. One record with data
/// always fits.
#[derive(Default)]
struct Turn {
    reads: usize,
    bytes: usize,
}

impl Turn {
    fn is_over(&self) -> bool {
        self.reads >= 16 || self.bytes >= CIPHER_BYTES
    }
}

/// One TLS connection and what its records travel on.
#[derive(Debug)]
pub(super) struct Layer {
    session: TlsSession,
    /// Ciphertext from below; what is between `at` and `end` was not yet taken in.
    cipher: Vec<u8>,
    at: usize,
    end: usize,
    /// The layer with the proxy; without it the records travel on the socket.
    below: Option<Box<Layer>>,
}

impl Layer {
    pub(super) fn new(session: TlsSession, below: Option<Box<Layer>>) -> Self {
        Layer { session, cipher: Vec::new(), at: 0, end: 0, below }
    }

    pub(super) fn session(&self) -> &TlsSession {
        &self.session
    }

    /// Reads plaintext that is there.
    pub(super) fn read(
        &mut self,
        wire: &mut Wire,
        out: &mut [u8],
    ) -> Result<Received, StreamError> {
        let mut turn = Turn::default();
        loop {
            match self.session.read_plain(out)? {
                PlainRead::Bytes(count) => return Ok(Received::Bytes(count)),
                PlainRead::CleanEnd => return Ok(Received::End),
                PlainRead::Truncated => return Ok(Received::Truncated),
                PlainRead::Empty => match self.receive(wire, &mut turn) {
                    // What came before the fault is handed out first, and then the fault: it must not
                    // matter whether both came at one go.
                    Err(StreamError::Tls(_)) => {}
                    result => result?,
                },
            }
        }
    }

    /// Goes on with the handshake; `Ok` when it is complete and flushed.
    ///
    /// Written first and then read, both without waiting; never only one of them, or two peers that
    /// both wait for room would wait for ever.
    pub(super) fn handshake(&mut self, wire: &mut Wire) -> Result<(), StreamError> {
        let mut turn = Turn::default();
        loop {
            let flushed = match self.flush(wire) {
                Err(StreamError::WouldBlock) => false,
                result => result.map(|()| true)?,
            };
            if !self.session.is_handshaking() {
                return if flushed { Ok(()) } else { Err(StreamError::WouldBlock) };
            }
            match self.receive(wire, &mut turn) {
                Ok(()) => {}
                Err(StreamError::Tls(error)) => {
                    // The alert tells the peer why; if it does not fit, the error still stands.
                    let _ = self.flush(wire);
                    return Err(error.into());
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Reads ciphertext once, unless some is left from before, and takes it in. When the turn is over, it gives
    /// "would block", though there may be [more at hand](Self::has_more_at_hand).
    fn receive(&mut self, wire: &mut Wire, turn: &mut Turn) -> Result<(), StreamError> {
        if turn.is_over() {
            return Err(StreamError::WouldBlock);
        }
        if self.at == self.end {
            if self.cipher.is_empty() {
                self.cipher = vec![0; CIPHER_BYTES];
            } else if self.end == CIPHER_BYTES && self.cipher.len() == CIPHER_BYTES {
                self.cipher = vec![0; WIDE_BYTES];
            }
            let count = Below::of(&mut self.below, wire).read(&mut self.cipher)?;
            // Only now: a read that would block must not bring the old bytes back.
            (self.at, self.end) = (0, count);
            turn.reads += 1;
            if count == 0 {
                return Ok(self.session.received_eof()?);
            }
        }
        let fresh = self.cipher.get(self.at..self.end).unwrap_or_default();
        let taken = self.session.receive(fresh)?;
        self.at += taken;
        turn.bytes += taken;
        Ok(())
    }

    /// Encrypts and sends what fits, and says how many bytes of `parts` were taken.
    pub(super) fn write(
        &mut self,
        wire: &mut Wire,
        parts: &[IoSlice<'_>],
    ) -> Result<usize, StreamError> {
        // Nothing new is encrypted before the old is out, so that memory stays bounded.
        self.flush(wire)?;
        let taken = self.session.write_plain(parts)?;
        match self.flush(wire) {
            // What was encrypted counts as taken; `flush` sends it later.
            Ok(()) | Err(StreamError::WouldBlock) => Ok(taken),
            Err(error) => Err(error),
        }
    }

    /// Sends what waits, from the top down: what this layer has written waits below.
    pub(super) fn flush(&mut self, wire: &mut Wire) -> Result<(), StreamError> {
        let mut below = Below::of(&mut self.below, wire);
        while self.session.wants_write() {
            self.session.transmit(&mut |parts| below.write(parts))?;
        }
        below.flush()
    }

    /// Whether bytes wait to be written, here or below.
    pub(super) fn wants_write(&self) -> bool {
        self.session.wants_write() || self.below.as_ref().is_some_and(|below| below.wants_write())
    }

    /// Whether received bytes lie here or below that nobody has asked for, be it a part of a record.
    pub(super) fn has_undelivered(&self) -> bool {
        self.has_more_at_hand()
            || self.session.ciphertext_left() > 0
            || self.below.as_ref().is_some_and(|below| below.has_undelivered())
    }

    /// Whether a read can go on without the socket.
    pub(super) fn has_more_at_hand(&self) -> bool {
        self.at < self.end
            || self.session.plaintext_pending() > 0
            || self.session.is_over()
            || self.below.as_ref().is_some_and(|below| below.has_more_at_hand())
    }

    /// Says goodbye, the origin first and then the proxy, as far as there is room.
    pub(super) fn close(&mut self, wire: &mut Wire) {
        if self.wants_write() {
            return;
        }
        self.session.send_close_notify();
        let _ = self.flush(wire);
        if let (false, Some(below)) = (self.session.wants_write(), &mut self.below) {
            below.close(wire);
        }
    }
}

/// What a layer's records travel on.
struct Below<'a> {
    layer: Option<&'a mut Layer>,
    wire: &'a mut Wire,
}

impl<'a> Below<'a> {
    fn of(layer: &'a mut Option<Box<Layer>>, wire: &'a mut Wire) -> Self {
        Below { layer: layer.as_deref_mut(), wire }
    }

    /// An end is an end, said in TLS or not: whether something was cut the layer above can tell.
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let Some(layer) = &mut self.layer else { return self.wire.read(out) };
        match layer.read(self.wire, out).map_err(as_io)? {
            Received::Bytes(count) => Ok(count),
            Received::End | Received::Truncated => Ok(0),
        }
    }

    fn write(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        match &mut self.layer {
            None => self.wire.write(parts),
            Some(layer) => layer.write(self.wire, parts).map_err(as_io),
        }
    }

    fn flush(self) -> Result<(), StreamError> {
        match self.layer {
            None => Ok(()),
            Some(layer) => layer.flush(self.wire).map_err(|error| as_io(error).into()),
        }
    }
}

/// To the layer above, the one below is what a socket is to it.
fn as_io(error: StreamError) -> io::Error {
    match error {
        StreamError::WouldBlock => io::ErrorKind::WouldBlock.into(),
        StreamError::Io(error) => error,
        StreamError::Tls(error) => io::Error::other(format!("TLS with the proxy failed: {error}")),
    }
}
