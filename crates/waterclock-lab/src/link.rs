//! A connection as scripts see it: bytes in, bytes out, in clear or through TLS.
//!
//! rustls is driven by bytes (`read_tls`, `write_tls` on memory), never by a blocking stream, so
//! that what goes on the wire can be delayed, dripped or cut at any byte.

use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex};

use rustls::ServerConnection;

use crate::stop::lock;
use crate::stream::Stream;

/// Plaintext given to rustls at once; below its default buffer limit of 64 KiB.
const PLAIN_PIECE: usize = 48 * 1024;

pub(crate) struct Link {
    stream: Arc<Stream>,
    tls: Option<Tls>,
    /// Held while bytes go out, so that records of two writers do not change places.
    sending: Mutex<()>,
}

struct Tls {
    state: Mutex<ServerConnection>,
    /// Raw bytes read from the socket and not yet given to rustls. Never locked after `state`.
    raw: Mutex<Raw>,
}

struct Raw {
    bytes: Box<[u8]>,
    start: usize,
    end: usize,
}

impl Link {
    pub(crate) fn clear(stream: Arc<Stream>) -> Self {
        Link { stream, tls: None, sending: Mutex::new(()) }
    }

    pub(crate) fn secured(stream: Arc<Stream>, connection: ServerConnection) -> Self {
        let raw = Raw { bytes: vec![0; 32 * 1024].into(), start: 0, end: 0 };
        let tls = Tls { state: Mutex::new(connection), raw: Mutex::new(raw) };
        Link { stream, tls: Some(tls), sending: Mutex::new(()) }
    }

    pub(crate) fn stream(&self) -> &Stream {
        &self.stream
    }

    /// Reads plaintext; 0 is the end, with or without a close_notify.
    pub(crate) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(tls) = &self.tls else { return self.stream.read(buffer) };
        let mut raw = lock(&tls.raw);
        loop {
            match lock(&tls.state).reader().read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(0),
                result => return result,
            }
            if raw.start == raw.end {
                raw.start = 0;
                raw.end = self.stream.read(&mut raw.bytes)?;
                if raw.end == 0 {
                    return Ok(0);
                }
            }
            // One bite at a time: rustls refuses more when its plaintext buffer is full.
            let mut rest = raw.bytes.get(raw.start..raw.end).unwrap_or_default();
            let mut state = lock(&tls.state);
            raw.start += state.read_tls(&mut rest)?;
            state.process_new_packets().map_err(io::Error::other)?;
        }
    }

    pub(crate) fn write_all(&self, bytes: &[u8]) -> io::Result<()> {
        let _order = lock(&self.sending);
        if self.tls.is_none() {
            return self.stream.write_all(bytes);
        }
        for piece in bytes.chunks(PLAIN_PIECE) {
            self.stream.write_all(&self.seal(piece)?)?;
        }
        Ok(())
    }

    /// What `bytes` are on the wire: TLS records, or the bytes themselves.
    pub(crate) fn seal(&self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        let Some(tls) = &self.tls else { return Ok(bytes.to_vec()) };
        let mut state = lock(&tls.state);
        let mut wire = Vec::with_capacity(bytes.len() + bytes.len() / 64 + 64);
        for piece in bytes.chunks(PLAIN_PIECE) {
            state.writer().write_all(piece)?;
            drain(&mut state, &mut wire)?;
        }
        Ok(wire)
    }

    /// Sends bytes as they are, below TLS.
    pub(crate) fn write_wire(&self, bytes: &[u8]) -> io::Result<()> {
        let _order = lock(&self.sending);
        self.stream.write_all(bytes)
    }

    /// Sends close_notify, if there is TLS. A peer that is gone already does not matter.
    pub(crate) fn notify(&self) {
        if let Some(tls) = &self.tls {
            let _order = lock(&self.sending);
            let mut wire = Vec::new();
            {
                let mut state = lock(&tls.state);
                state.send_close_notify();
                let _ = drain(&mut state, &mut wire);
            }
            let _ = self.stream.write_all(&wire);
        }
    }
}

/// Moves everything that rustls wants to send into `wire`.
pub(crate) fn drain(connection: &mut ServerConnection, wire: &mut Vec<u8>) -> io::Result<()> {
    while connection.wants_write() {
        connection.write_tls(wire)?;
    }
    Ok(())
}
