//! What a server saw: connections, handshakes, requests.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::head::Head;
use crate::stop::lock;

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct ReceivedRequest {
    /// The connection it came on, counted from 0 in the order of acceptance.
    pub connection: usize,
    /// Its place on that connection, counted from 0.
    pub number: usize,
    /// When the last byte of the head had been read.
    pub received: Instant,
    /// The method, as sent.
    pub method: String,
    /// The request target, as sent: `/path?query`, an absolute URL, or `host:port` for CONNECT.
    pub target: String,
    /// `HTTP/1.1`, as sent.
    pub version: String,
    /// Field names and values in wire order and case.
    pub headers: Vec<(String, String)>,
    /// The head byte for byte, with its empty line.
    pub raw_head: Vec<u8>,
    /// The body without its framing, as far as the script has read it.
    pub body: Vec<u8>,
    /// True once the body has been read to its end, or there is none.
    pub complete: bool,
}

impl ReceivedRequest {
    pub(crate) fn new(head: &Head, connection: usize, number: usize, complete: bool) -> Self {
        let mut words = head.start_line.splitn(3, ' ').map(String::from);
        ReceivedRequest {
            connection,
            number,
            received: Instant::now(),
            method: words.next().unwrap_or_default(),
            target: words.next().unwrap_or_default(),
            version: words.next().unwrap_or_default(),
            headers: head.fields.clone(),
            raw_head: head.raw.clone(),
            body: Vec::new(),
            complete,
        }
    }

    /// The value of the first field with this name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        crate::head::find(&self.headers, name)
    }

    /// The path of the target, without query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }
}

/// How many TLS handshakes came to which end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Handshakes {
    /// Completed with certificate and key exchange.
    pub full: usize,
    /// Completed by resuming an earlier session.
    pub resumed: usize,
    /// Refused by the peer, broken off, or ended by the script.
    pub failed: usize,
}

/// Something that a server saw, told as it happens (`Builder::watch`). Connections are counted
/// from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A connection was accepted.
    Accepted {
        /// The connection.
        connection: usize,
        /// Whose it is; `None` on a Unix socket.
        peer: Option<SocketAddr>,
    },
    /// The TLS handshake ended.
    Handshake {
        /// The connection.
        connection: usize,
        /// Whether it was completed.
        completed: bool,
    },
    /// The head of a request was read.
    Request {
        /// The connection.
        connection: usize,
        /// The method, as sent.
        method: String,
        /// The request target, as sent.
        target: String,
    },
    /// The server is done with the connection.
    Closed {
        /// The connection.
        connection: usize,
    },
    /// The same about a connection to the proxy of a scene.
    OfProxy(Box<Event>),
}

/// Who is told. Called by the threads of connections, so it must not wait for one of them.
pub(crate) type Watch = Arc<dyn Fn(&Event) + Send + Sync>;

#[derive(Default)]
pub(crate) struct Log {
    state: Mutex<Seen>,
    changed: Condvar,
    watch: Option<Watch>,
}

#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) accepted: usize,
    pub(crate) first: Option<Instant>,
    pub(crate) left: usize,
    pub(crate) last_left: Option<Instant>,
    pub(crate) open: usize,
    pub(crate) handshakes: Handshakes,
    pub(crate) requests: Vec<ReceivedRequest>,
}

impl Seen {
    /// When the last peer left, if all have.
    pub(crate) fn all_left(&self) -> Option<Instant> {
        self.last_left.filter(|_| self.left == self.accepted)
    }
}

impl Log {
    pub(crate) fn new(watch: Option<Watch>) -> Self {
        Log { watch, ..Log::default() }
    }

    pub(crate) fn tell(&self, event: &Event) {
        if let Some(watch) = &self.watch {
            watch(event);
        }
    }

    pub(crate) fn read<T>(&self, look: impl FnOnce(&Seen) -> T) -> T {
        look(&lock(&self.state))
    }

    pub(crate) fn write<T>(&self, change: impl FnOnce(&mut Seen) -> T) -> T {
        let result = change(&mut lock(&self.state));
        self.changed.notify_all();
        result
    }

    /// Waits until `look` finds what it looks for; `TimedOut` after `patience`.
    pub(crate) fn wait<T>(
        &self,
        patience: Duration,
        what: &str,
        look: impl Fn(&Seen) -> Option<T>,
    ) -> io::Result<T> {
        let start = Instant::now();
        let mut state = lock(&self.state);
        loop {
            if let Some(found) = look(&state) {
                return Ok(found);
            }
            let left = patience.saturating_sub(start.elapsed());
            if left.is_zero() {
                let sentence = format!(
                    "waited {patience:?} for {what}; saw {} connections ({} open), {} requests",
                    state.accepted,
                    state.open,
                    state.requests.len(),
                );
                return Err(io::Error::new(io::ErrorKind::TimedOut, sentence));
            }
            let woken = self.changed.wait_timeout(state, left);
            state = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}
