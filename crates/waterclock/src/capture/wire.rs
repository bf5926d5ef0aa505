//! [`Wire`]: what was recorded of one call.

use super::mask;
use crate::world::Endpoint;
use std::net::SocketAddr;
use std::time::Duration;

/// What the sockets of one call read and wrote. Instants are counted from the start of the call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wire {
    /// The connections, and the attempts to make one, in the order in which they were opened.
    pub connections: Vec<WireConnection>,
    /// Bytes that were not kept because they were over the budget; those of connections that are
    /// not in the list included.
    pub dropped: u64,
    /// The secrets of TLS as an NSS key log, if they were asked for. With them everything here can
    /// be read.
    pub keys: Option<String>,
}

/// One connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireConnection {
    /// Counts the sockets of the capture, from 1.
    pub number: u64,
    /// Where it goes: to the proxy, if there is one.
    pub remote: Endpoint,
    /// The name that was looked up to find that address.
    pub host: Option<String>,
    /// Where it comes from.
    pub local: Option<SocketAddr>,
    /// When connecting began; `None` if that was before this call.
    pub opened: Option<Duration>,
    /// When it was known to be connected, if the socket was asked.
    pub connected: Option<Duration>,
    /// What was read and written, in order.
    pub pieces: Vec<Piece>,
    /// Bytes that were not kept, all of them after the last piece.
    pub dropped: u64,
    /// When the end of what the peer sends was read.
    pub peer_ended: Option<Duration>,
    /// When the socket failed, and how.
    pub failed: Option<WireFailure>,
    /// When this side closed it; `None` if it was still open.
    pub closed: Option<Duration>,
}

/// Bytes that one call of the system has read or written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// When the process saw it: after the call of the system.
    pub at: Duration,
    /// Whether they were written or read.
    pub direction: Direction,
    /// The bytes; at least one.
    pub bytes: Vec<u8>,
}

/// Which way bytes went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// To the peer.
    Sent,
    /// From the peer.
    Received,
}

impl Direction {
    /// The name in JSON: `sent` or `received`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Direction::Sent => "sent",
            Direction::Received => "received",
        }
    }
}

/// How a socket failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireFailure {
    /// When.
    pub at: Duration,
    /// The system's words.
    pub message: String,
    /// Whether the peer said so: it refused or reset the connection.
    pub by_peer: bool,
}

impl Wire {
    /// The same with `*` in the place of each byte of a secret that went over a connection in plain text:
    /// the values of `Authorization`, `Proxy-Authorization`, `Cookie` and `Set-Cookie`, and user name
    /// and password for a SOCKS proxy. Nothing changes its length. What is encrypted is left alone, and
    /// so are the keys to it.
    ///
    /// A body of plain text with a line that reads like such a field is masked, too. Other secrets (in a
    /// path, in a body) are not found.
    #[must_use]
    pub fn masked(mut self) -> Self {
        for connection in &mut self.connections {
            mask::connection(&mut connection.pieces);
        }
        self
    }
}
