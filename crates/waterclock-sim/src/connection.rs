//! One connection as the network sees it, and the client's [`Socket`] on it.

use crate::chance::Chance;
use crate::link::{Direction, Lane};
use crate::net::{Id, Net, SharedNet, lock};
use crate::peer::{Peer, Wire};
use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::io::{self, ErrorKind, IoSlice};
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::time::Duration;
use waterclock::world::{Endpoint, Socket, SocketOptions, Source};
use waterclock_proto::tick::Tick;

/// How far the connection has come, seen from the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Connecting,
    Failed(ErrorKind),
    Open,
}

/// Its place with a listener that does not serve everybody at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seat {
    /// It has not been let in, or is over.
    None,
    /// In the backlog.
    Queued,
    Served,
}

/// What the client finds behind the last byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Fin,
    Reset,
}

pub(crate) struct Conn {
    pub(crate) to: Endpoint,
    pub(crate) number: usize,
    pub(crate) local: Option<SocketAddr>,
    pub(crate) options: SocketOptions,
    /// Bytes to the peer, and bytes to the client.
    pub(crate) lanes: [Lane; 2],
    pub(crate) short_reads: bool,
    pub(crate) short_writes: bool,
    /// What the listener takes before it answers a connect.
    pub(crate) delay: Duration,
    pub(crate) phase: Phase,
    pub(crate) seat: Seat,
    /// The client's part of the handshake is complete.
    pub(crate) arrived: bool,

    pub(crate) opened: Tick,
    pub(crate) connected: Option<Tick>,
    pub(crate) dropped: Option<Tick>,

    /// What has arrived at the client and was not read.
    pub(crate) inbound: VecDeque<u8>,
    pub(crate) end: Option<End>,
    /// A reset has arrived: nothing can be written any more.
    pub(crate) broken: bool,
    /// How much the client may write before the peer takes something; `None` is any amount.
    pub(crate) credit: Option<usize>,

    /// Gone once it has closed or reset, or has seen the client go.
    pub(crate) peer: Option<Box<dyn Peer>>,
    pub(crate) wire: Wire,
    pub(crate) wakes: BTreeSet<Tick>,
    pub(crate) received: Vec<u8>,
    pub(crate) writes: Vec<(Tick, usize)>,
}

impl Conn {
    pub(crate) fn readable(&self) -> bool {
        self.failed() || self.end.is_some() || !self.inbound.is_empty()
    }

    pub(crate) fn writable(&self) -> bool {
        self.failed() || self.broken || (self.phase == Phase::Open && self.credit != Some(0))
    }

    /// An error is there to be told, which poll(2) reports whatever was asked.
    pub(crate) fn failed(&self) -> bool {
        matches!(self.phase, Phase::Failed(_)) || self.end == Some(End::Reset)
    }

    /// A reset: a stream that had ended already still ends well for a reader, as on Linux.
    pub(crate) fn on_reset(&mut self) {
        self.broken = true;
        self.end.get_or_insert(End::Reset);
    }

    fn read(&mut self, out: &mut [u8], chance: &mut Chance) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        if self.inbound.is_empty() {
            return match (self.phase, self.end) {
                (Phase::Failed(kind), _) => Err(kind.into()),
                (_, Some(End::Fin)) => Ok(0),
                (_, Some(End::Reset)) => Err(ErrorKind::ConnectionReset.into()),
                (_, None) => Err(ErrorKind::WouldBlock.into()),
            };
        }
        let all = out.len().min(self.inbound.len());
        let count = if self.short_reads { chance.part(all) } else { all };
        let out = out.get_mut(..count).unwrap_or_default();
        io::Read::read(&mut self.inbound, out)
    }

    /// How many of `wanted` bytes may be written now.
    fn accept(&mut self, wanted: usize, chance: &mut Chance) -> io::Result<usize> {
        match (self.phase, self.broken, self.end) {
            (Phase::Connecting, ..) => return Err(ErrorKind::WouldBlock.into()),
            (Phase::Failed(kind), ..) => return Err(kind.into()),
            (Phase::Open, true, Some(End::Fin)) => return Err(ErrorKind::BrokenPipe.into()),
            (Phase::Open, true, _) => return Err(ErrorKind::ConnectionReset.into()),
            (Phase::Open, false, _) => {}
        }
        let fits = wanted.min(self.credit.unwrap_or(wanted));
        if fits == 0 && wanted > 0 {
            return Err(ErrorKind::WouldBlock.into());
        }
        let count = if self.short_writes { chance.part(fits) } else { fits };
        self.credit = self.credit.map(|credit| credit - count);
        Ok(count)
    }

    /// What it is doing, for the description of a deadlock.
    pub(crate) fn describe(&self) -> String {
        match (self.phase, &self.peer) {
            (Phase::Connecting, _) => "the connect is never answered".to_owned(),
            (Phase::Failed(kind), _) => format!("the connect failed: {kind}"),
            (Phase::Open, None) => "the peer has closed or reset".to_owned(),
            (Phase::Open, Some(_)) if self.seat == Seat::Queued => "in the backlog".to_owned(),
            (Phase::Open, Some(peer)) => {
                let unread = self.wire.arrived().len();
                let credit = self.credit.map_or_else(|| "any number of".into(), |n| n.to_string());
                format!(
                    "{}; {unread} bytes it did not take, {credit} more would fit",
                    peer.describe()
                )
            }
        }
    }
}

/// The client's end.
pub(crate) struct SimSocket {
    pub(crate) net: SharedNet,
    pub(crate) id: Id,
}

impl SimSocket {
    fn with<T>(&self, look: impl FnOnce(&mut Conn, &mut Chance) -> T) -> io::Result<T> {
        let mut net = lock(&self.net);
        let Net { connections, chance, .. } = &mut *net;
        let conn = connections.get_mut(&self.id);
        conn.map(|conn| look(conn, chance)).ok_or(ErrorKind::NotConnected.into())
    }
}

impl Socket for SimSocket {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.with(|conn, chance| conn.read(out, chance))?
    }

    fn write(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        let wanted = parts.iter().map(|part| part.len()).sum();
        let count = self.with(|conn, chance| conn.accept(wanted, chance))??;
        if count > 0 {
            let mut bytes = Vec::with_capacity(count);
            for part in parts {
                bytes.extend_from_slice(part.get(..count - bytes.len()).unwrap_or(part));
            }
            let mut net = lock(&self.net);
            let now = net.now;
            if let Some(conn) = net.connections.get_mut(&self.id) {
                conn.writes.push((now, conn.inbound.len()));
            }
            net.send_bytes(self.id, Direction::ToPeer, bytes);
        }
        Ok(count)
    }

    fn connected(&mut self) -> io::Result<()> {
        match self.with(|conn, _| conn.phase)? {
            Phase::Open => Ok(()),
            Phase::Failed(kind) => Err(kind.into()),
            Phase::Connecting => Err(ErrorKind::NotConnected.into()),
        }
    }

    fn peer_address(&self) -> Option<SocketAddr> {
        match self.with(|conn, _| (conn.phase, conn.to.clone())).ok()? {
            (Phase::Open, Endpoint::Tcp(address)) => Some(address),
            _ => None,
        }
    }

    fn local_address(&self) -> Option<SocketAddr> {
        self.with(|conn, _| conn.local).ok()?
    }

    fn source(&self) -> Source<'_> {
        Source::Virtual(self.id, PhantomData)
    }
}

impl fmt::Debug for SimSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SimSocket({})", self.id)
    }
}

impl Drop for SimSocket {
    fn drop(&mut self) {
        lock(&self.net).drop_socket(self.id);
    }
}
