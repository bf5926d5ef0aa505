//! What a client is asked to do, and how its answer is checked.

use std::sync::Arc;
use std::time::Duration;

pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// How much is read at once where a caller brings a buffer.
pub const PIECE: usize = 64 * 1024;

/// A client, set up. What it keeps (connections, TLS sessions) it keeps from one call to the next.
pub trait Client: Send {
    /// Sends one request, gives the body to `sink`, and returns the status.
    fn send(&mut self, request: &Request, sink: &mut Sink) -> Result<u16>;

    /// The same session for another thread; `None` if that cannot be.
    fn share(&self) -> Option<Box<dyn Client>> {
        None
    }
}

#[derive(Clone)]
pub struct Setup {
    /// The authority to trust, in PEM.
    pub ca: Option<String>,
    /// Whether connections are kept. TLS sessions are resumed in any case, if the server lets them.
    pub keep_alive: bool,
    /// The limit for a whole call.
    pub total: Duration,
    /// Whether the client will be shared by threads.
    pub threads: bool,
}

impl Default for Setup {
    fn default() -> Self {
        Setup { ca: None, keep_alive: true, total: Duration::from_secs(30), threads: false }
    }
}

#[derive(Clone)]
pub struct Request {
    pub url: String,
    pub body: Body,
    /// The coding that is asked for, where the client does not ask by itself.
    pub coding: Option<&'static str>,
    /// Whether the body is read in pieces, or at once into memory.
    pub streamed: bool,
}

impl Request {
    pub fn get(url: impl Into<String>) -> Self {
        Request { url: url.into(), body: Body::None, coding: None, streamed: false }
    }

    pub fn with(self, body: Body) -> Self {
        Request { body, ..self }
    }

    pub fn streamed(self) -> Self {
        Request { streamed: true, ..self }
    }
}

#[derive(Clone, Copy)]
pub enum Body {
    None,
    /// A POST with these bytes as `application/json`.
    Json(&'static [u8]),
    /// A POST that streams so many bytes, of known length.
    Upload(u64),
}

/// Takes the body and checks it: both ends of each piece, and the length.
pub struct Sink {
    /// What repeats in the expected body.
    pattern: Arc<[u8]>,
    length: u64,
    differs: bool,
}

impl Sink {
    pub fn new(pattern: Arc<[u8]>) -> Self {
        Sink { pattern, length: 0, differs: false }
    }

    /// Counts only.
    pub fn unchecked() -> Self {
        Self::new(Arc::new([]))
    }

    pub fn take(&mut self, piece: &[u8]) {
        let Some(last) = piece.len().checked_sub(1) else { return };
        self.differs |= !self.pattern.is_empty() && self.differing(piece, last);
        self.length += piece.len() as u64;
    }

    /// Reads all of `body`, by a buffer of the caller's if `streamed`.
    pub fn read(&mut self, mut body: impl std::io::Read, streamed: bool) -> std::io::Result<()> {
        if !streamed {
            let mut whole = Vec::new();
            body.read_to_end(&mut whole)?;
            self.take(&whole);
            return Ok(());
        }
        let mut piece = vec![0; PIECE];
        loop {
            match body.read(&mut piece)? {
                0 => return Ok(()),
                count => self.take(&piece[..count]),
            }
        }
    }

    fn differing(&self, piece: &[u8], last: usize) -> bool {
        let begin = self.length as usize;
        let expected = |place| self.pattern[(begin + place) % self.pattern.len()];
        piece[0] != expected(0) || piece[last] != expected(last)
    }

    /// The length, or why the body is wrong; and begins anew.
    pub fn finish(&mut self) -> Result<u64> {
        let length = std::mem::take(&mut self.length);
        if std::mem::take(&mut self.differs) {
            return Err("the body is not what the server has".into());
        }
        Ok(length)
    }
}
