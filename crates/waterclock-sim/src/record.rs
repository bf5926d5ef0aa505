//! What a world remembers, for a test to compare.

use std::fmt;
use waterclock::world::{Endpoint, SocketOptions, Woke};
use waterclock_proto::tick::Tick;

/// One call of [`World::wait`](waterclock::world::World::wait).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitRecord {
    /// Which of the world's [threads](crate::SimWorld::threads) waited, counted from 1; 0 for any
    /// other.
    pub thread: usize,
    /// When it began.
    pub started: Tick,
    /// Until when it was to last at most.
    pub until: Tick,
    /// When it came back.
    pub ended: Tick,
    /// Why it came back.
    pub woke: Woke,
    /// What it waited for.
    pub waited: Vec<Waited>,
}

impl WaitRecord {
    /// What was ready when it came back.
    pub fn ready(&self) -> impl Iterator<Item = &Subject> {
        self.waited.iter().filter(|waited| waited.ready).map(|waited| &waited.subject)
    }
}

/// One thing that was waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waited {
    /// Of what.
    pub subject: Subject,
    /// Whether until it could be read.
    pub read: bool,
    /// Whether until it could be written.
    pub write: bool,
    /// Whether it was ready in the end.
    pub ready: bool,
}

/// What can be waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A connection: where to, and the how many-th to there, counted from 0.
    Connection(Endpoint, usize),
    /// A signal, by its number in this world.
    Signal(u64),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subject::Connection(to, number) => write!(f, "{to}, connection {number}"),
            Subject::Signal(number) => write!(f, "signal {number}"),
        }
    }
}

/// The history of one connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// When it was begun.
    pub opened: Tick,
    /// How it was set up.
    pub options: SocketOptions,
    /// When it was connected, if it ever was.
    pub connected: Option<Tick>,
    /// When the client dropped the socket, if it did.
    pub dropped: Option<Tick>,
    /// What the peer's host received.
    pub received: Vec<u8>,
    /// What a TLS peer decrypted of it; empty without TLS.
    pub decrypted: Vec<u8>,
    /// Each write of the client: when, and how many bytes had arrived by then that it had not read.
    pub writes: Vec<(Tick, usize)>,
}
