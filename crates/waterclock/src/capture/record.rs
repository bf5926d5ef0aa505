//! What is kept while calls run.

use super::{Direction, Piece, Wire, WireConnection, WireFailure};
use crate::world::Endpoint;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use waterclock_proto::tick::Tick;

/// What a note of a connection or of a piece costs, so that a drip of single bytes is bounded, too.
const CONNECTION_COST: usize = 512;
const PIECE_COST: usize = 64;
/// A connection that is closed so soon after a call is closed because of it.
const AT_ONCE: Duration = Duration::from_secs(1);
/// Names by address that are remembered.
const MOST_NAMES: usize = 256;

/// All connections of a capture.
#[derive(Debug)]
pub(super) struct Records {
    budget: usize,
    left: usize,
    /// Something was over the budget: nothing that follows is kept, so that no stream has a gap.
    full: bool,
    /// Bytes of connections that are not in the list.
    dropped: u64,
    opened: u64,
    /// By ascending number.
    list: Vec<Record>,
    names: Vec<(SocketAddr, Box<str>)>,
}

#[derive(Debug)]
struct Record {
    number: u64,
    remote: Endpoint,
    host: Option<Box<str>>,
    local: Option<SocketAddr>,
    opened: Tick,
    connected: Option<Tick>,
    pieces: Vec<(Tick, Direction, Vec<u8>)>,
    dropped: u64,
    peer_ended: Option<Tick>,
    failed: Option<(Tick, String, bool)>,
    closed: Option<Tick>,
}

impl Records {
    pub(super) fn new(budget: usize) -> Self {
        Records {
            budget,
            left: budget,
            full: false,
            dropped: 0,
            opened: 0,
            list: Vec::new(),
            names: Vec::new(),
        }
    }

    /// These are the addresses of `name`.
    pub(super) fn named(&mut self, name: &str, addresses: &[SocketAddr]) {
        for &address in addresses {
            self.names.retain(|(known, _)| *known != address);
            if self.names.len() >= MOST_NAMES {
                self.names.remove(0);
            }
            self.names.push((address, name.into()));
        }
    }

    /// A connection is begun; its number.
    pub(super) fn open(&mut self, to: &Endpoint, now: Tick) -> u64 {
        self.opened += 1;
        let number = self.opened;
        if self.pay(CONNECTION_COST) {
            let name = |(known, _): &&(SocketAddr, Box<str>)| *to == Endpoint::Tcp(*known);
            self.list.push(Record {
                number,
                remote: to.clone(),
                host: self.names.iter().find(name).map(|(_, name)| name.clone()),
                local: None,
                opened: now,
                connected: None,
                pieces: Vec::new(),
                dropped: 0,
                peer_ended: None,
                failed: None,
                closed: None,
            });
        }
        number
    }

    pub(super) fn connected(&mut self, number: u64, now: Tick) {
        if let Some(record) = self.get(number) {
            record.connected.get_or_insert(now);
        }
    }

    pub(super) fn local(&mut self, number: u64, local: Option<SocketAddr>) {
        if let Some(record) = self.get(number) {
            record.local = local;
        }
    }

    /// Keeps the first `count` bytes of `parts`.
    pub(super) fn piece<'p>(
        &mut self,
        number: u64,
        now: Tick,
        direction: Direction,
        parts: impl Iterator<Item = &'p [u8]>,
        count: usize,
    ) {
        let kept = self.get(number).is_some() && self.pay(count.saturating_add(PIECE_COST));
        match self.get(number) {
            Some(record) if kept => {
                let mut bytes = Vec::with_capacity(count);
                bytes.extend(parts.flatten().take(count));
                record.pieces.push((now, direction, bytes));
            }
            Some(record) => record.dropped += count as u64,
            None => self.dropped += count as u64,
        }
    }

    pub(super) fn peer_ended(&mut self, number: u64, now: Tick) {
        if let Some(record) = self.get(number) {
            record.peer_ended.get_or_insert(now);
        }
    }

    pub(super) fn failed(&mut self, number: u64, now: Tick, error: &io::Error) {
        use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionRefused, ConnectionReset};
        let said = [BrokenPipe, ConnectionAborted, ConnectionRefused, ConnectionReset];
        let by_peer = said.contains(&error.kind());
        if let Some(record) = self.get(number) {
            record.failed.get_or_insert_with(|| (now, error.to_string(), by_peer));
        }
    }

    pub(super) fn closed(&mut self, number: u64, now: Tick) {
        if let Some(record) = self.get(number) {
            record.closed = Some(now);
        }
    }

    /// What belongs to the call that lasted from `started` to `ended`, and stays.
    pub(super) fn of_call(&self, started: Tick, ended: Tick) -> Wire {
        let mut wire = Wire { dropped: self.dropped, ..Wire::default() };
        for record in &self.list {
            let seen = record.seen(started, ended);
            // An idle connection has no part in the call.
            if seen.opened.is_some() || !seen.pieces.is_empty() {
                wire.dropped += seen.dropped;
                wire.connections.push(seen);
            }
        }
        wire
    }

    fn get(&mut self, number: u64) -> Option<&mut Record> {
        let found = self.list.binary_search_by_key(&number, |record| record.number).ok()?;
        self.list.get_mut(found)
    }

    fn pay(&mut self, cost: usize) -> bool {
        match self.left.checked_sub(cost) {
            Some(left) if !self.full => self.left = left,
            _ => self.full = true,
        }
        !self.full
    }

    /// What belongs to the call that began at `started`; connections that are open stay.
    pub(super) fn take(&mut self, started: Tick) -> Wire {
        let now_and_open = |record: &Record| record.closed.is_none_or(|closed| closed >= started);
        let mut wire = Wire { dropped: std::mem::take(&mut self.dropped), ..Wire::default() };
        for record in self.list.iter_mut().filter(|record| now_and_open(record)) {
            let taken = record.take(started);
            wire.dropped += taken.dropped;
            wire.connections.push(taken);
        }
        self.list.retain(|record| record.closed.is_none());
        let still = self.list.len().saturating_mul(CONNECTION_COST);
        (self.left, self.full) = (self.budget.saturating_sub(still), false);
        wire
    }
}

impl Record {
    /// What it did between two instants. The end of a call is closed after it.
    fn seen(&self, started: Tick, ended: Tick) -> WireConnection {
        let within = |tick: Tick| (started..=ended).contains(&tick).then(|| tick.since(started));
        let since = |tick: Tick| (tick >= started).then(|| tick.since(started));
        let soon = ended.after(AT_ONCE);
        let failed = self.failed.as_ref().and_then(|(at, message, by_peer)| {
            let (message, by_peer) = (message.clone(), *by_peer);
            Some(WireFailure { at: within(*at)?, message, by_peer })
        });
        let piece = |(at, direction, bytes): &(Tick, Direction, Vec<u8>)| {
            Some(Piece { at: within(*at)?, direction: *direction, bytes: bytes.clone() })
        };
        let pieces: Vec<Piece> = self.pieces.iter().filter_map(piece).collect();
        let is_last = self.pieces.last().is_none_or(|(at, ..)| *at <= ended);
        WireConnection {
            number: self.number,
            remote: self.remote.clone(),
            host: self.host.as_deref().map(str::to_owned),
            local: self.local,
            opened: within(self.opened),
            connected: self.connected.and_then(within),
            pieces,
            dropped: if is_last { self.dropped } else { 0 },
            peer_ended: self.peer_ended.and_then(within),
            failed,
            closed: self.closed.filter(|closed| is_last && *closed <= soon).and_then(since),
        }
    }

    fn take(&mut self, started: Tick) -> WireConnection {
        let since =
            |tick: Tick| -> Option<Duration> { (tick >= started).then(|| tick.since(started)) };
        let pieces = std::mem::take(&mut self.pieces).into_iter();
        let failed = self.failed.as_ref().and_then(|(at, message, by_peer)| {
            let (message, by_peer) = (message.clone(), *by_peer);
            Some(WireFailure { at: since(*at)?, message, by_peer })
        });
        WireConnection {
            number: self.number,
            remote: self.remote.clone(),
            host: self.host.as_deref().map(str::to_owned),
            local: self.local,
            opened: since(self.opened),
            connected: self.connected.and_then(since),
            pieces: pieces
                .filter_map(|(at, direction, bytes)| {
                    Some(Piece { at: since(at)?, direction, bytes })
                })
                .collect(),
            dropped: std::mem::take(&mut self.dropped),
            peer_ended: self.peer_ended.and_then(since),
            failed,
            closed: self.closed.and_then(since),
        }
    }
}
