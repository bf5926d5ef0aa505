//! [`Link`]: what lies between the client and a peer, and what each direction of it does to bytes.

use crate::chance::Chance;
use std::time::Duration;
use waterclock_proto::tick::Tick;

/// With a bandwidth, bytes travel in segments of at most this size, as over Ethernet.
const SEGMENT: usize = 1460;

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the client to the peer.
    ToPeer,
    /// From the peer to the client.
    ToClient,
}

use Direction::{ToClient, ToPeer};

/// What lies between the client and a peer: how long it takes, how much fits, what gets lost. The
/// default is perfect: everything arrives at the instant at which it is sent.
///
/// ```
/// use std::time::Duration;
/// use waterclock_sim::Direction::{ToClient, ToPeer};
/// use waterclock_sim::{Link, SimWorld};
///
/// let ms = Duration::from_millis;
/// let world = SimWorld::new();
/// // A phone: 40 to 55 ms away, a megabit up and eight down, and after 100 kB the tunnel.
/// let phone = Link::new()
///     .latency(ms(40))
///     .jitter(ms(15))
///     .bandwidth(ToPeer, 125_000)
///     .bandwidth(ToClient, 1_000_000)
///     .lost_after(ToClient, 100_000);
/// world.listen("192.0.2.1:80").link(phone);
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Link {
    pub(crate) latency: Duration,
    pub(crate) window: Option<usize>,
    pub(crate) short_reads: bool,
    pub(crate) short_writes: bool,
    jitter: Duration,
    to_peer: Way,
    to_client: Way,
}

/// What one direction does.
#[derive(Clone, Debug, Default)]
struct Way {
    bandwidth: Option<u64>,
    lost_after: Option<u64>,
    reset_after: Option<u64>,
    lost_at: Option<Tick>,
}

impl Link {
    /// A perfect link.
    pub fn new() -> Self {
        Self::default()
    }

    /// What is sent arrives `latency` later, in either direction. Default: at the same instant.
    pub fn latency(mut self, latency: Duration) -> Self {
        self.latency = latency;
        self
    }

    /// Each piece takes up to `most` longer, drawn from the world's seed, in whole nanoseconds.
    /// Nothing overtakes what was sent before it in the same direction. Default: none.
    pub fn jitter(mut self, most: Duration) -> Self {
        self.jitter = most;
        self
    }

    /// So many bytes a second pass. Whatever is sent lines up, in segments of at most 1,460 bytes, each of
    /// which arrives when its last byte does; the end of the stream comes behind the bytes. The n-th
    /// byte of a line that began at `t` leaves at `t` + n / `bandwidth` seconds, rounded up to a
    /// nanosecond once and not for each segment. The line has room for everything: to make a writer
    /// wait, set a [`window`](Self::window) too. Default: no bound.
    ///
    /// # Panics
    /// If it is zero.
    #[allow(clippy::panic, reason = "a test tool, used wrongly")]
    pub fn bandwidth(mut self, direction: Direction, bytes_per_second: u64) -> Self {
        if bytes_per_second == 0 {
            panic!("a bandwidth of zero passes nothing; see Link::lost_after");
        }
        self.way(direction).bandwidth = Some(bytes_per_second);
        self
    }

    /// A peer has room for `bytes` that it did not take; more cannot be written to it. Default:
    /// any number.
    pub fn window(mut self, bytes: usize) -> Self {
        self.window = Some(bytes);
        self
    }

    /// After `bytes` bytes nothing arrives any more in this direction: no byte, no end, no reset, and
    /// no window. Neither side is told.
    pub fn lost_after(mut self, direction: Direction, bytes: u64) -> Self {
        self.way(direction).lost_after = Some(bytes);
        self
    }

    /// From the instant `at` on nothing arrives any more in this direction, the answer to a connect
    /// included.
    pub fn lost_at(mut self, direction: Direction, at: Tick) -> Self {
        self.way(direction).lost_at = Some(at);
        self
    }

    /// With the byte number `bytes` of this direction a reset (RST) arrives at both ends: somebody
    /// between them ends the connection.
    pub fn reset_after(mut self, direction: Direction, bytes: u64) -> Self {
        self.way(direction).reset_after = Some(bytes);
        self
    }

    /// Reads of the client give a part of what is there, drawn from the world's seed. Default: all.
    pub fn short_reads(mut self) -> Self {
        self.short_reads = true;
        self
    }

    /// Writes of the client take a part of what they are given, drawn from the world's seed.
    /// Default: all that fits the window.
    pub fn short_writes(mut self) -> Self {
        self.short_writes = true;
        self
    }

    /// Whether a handshake takes no time.
    pub(crate) fn is_instant(&self) -> bool {
        self.latency.is_zero() && self.jitter.is_zero()
    }

    fn way(&mut self, direction: Direction) -> &mut Way {
        match direction {
            ToPeer => &mut self.to_peer,
            ToClient => &mut self.to_client,
        }
    }

    /// Both directions of a new connection, the one to the peer first.
    pub(crate) fn lanes(&self) -> [Lane; 2] {
        [&self.to_peer, &self.to_client].map(|way| Lane {
            way: way.clone(),
            latency: self.latency,
            jitter: self.jitter,
            sent: 0,
            line_began: Tick::ZERO,
            line: 0,
            last_arrival: Tick::ZERO,
        })
    }
}

/// One direction of one connection.
#[derive(Debug)]
pub(crate) struct Lane {
    way: Way,
    latency: Duration,
    jitter: Duration,
    /// Bytes so far.
    sent: u64,
    /// When the line that is leaving began, and how many bytes it has had.
    line_began: Tick,
    line: u64,
    last_arrival: Tick,
}

/// What becomes of bytes that are sent.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Carried {
    /// What arrives, and when.
    pub(crate) pieces: Vec<(Tick, Vec<u8>)>,
    /// When a reset arrives behind them.
    pub(crate) reset: Option<Tick>,
}

impl Lane {
    /// When a part of the handshake arrives, which has no bytes; `None` if it gets lost.
    pub(crate) fn greet(&mut self, now: Tick, chance: &mut Chance) -> Option<Tick> {
        self.arrival(now, chance)
    }

    /// When something behind the bytes arrives: the end, a reset, a window.
    pub(crate) fn carry(&mut self, now: Tick, chance: &mut Chance) -> Option<Tick> {
        if self.way.lost_after.is_some_and(|most| self.sent >= most) {
            return None;
        }
        self.arrival(now.max(self.line_ends()), chance)
    }

    /// What becomes of `bytes` that are sent now.
    pub(crate) fn carry_bytes(
        &mut self,
        now: Tick,
        mut bytes: Vec<u8>,
        chance: &mut Chance,
    ) -> Carried {
        let room = |most: Option<u64>| most.map_or(u64::MAX, |most| most.saturating_sub(self.sent));
        let (until_lost, until_reset) = (room(self.way.lost_after), room(self.way.reset_after));
        let resets = bytes.len() as u64 >= until_reset && until_reset <= until_lost;
        bytes.truncate(usize::try_from(until_lost.min(until_reset)).unwrap_or(usize::MAX));
        let most = if self.way.bandwidth.is_some() { SEGMENT } else { bytes.len().max(1) };
        let mut carried = Carried::default();
        for piece in bytes.chunks(most) {
            self.sent += piece.len() as u64;
            let leaves = self.leaves(now, piece.len() as u64);
            if let Some(at) = self.arrival(leaves, chance) {
                carried.pieces.push((at, piece.to_vec()));
            }
        }
        if resets {
            carried.reset = self.arrival(now.max(self.line_ends()), chance);
        }
        carried
    }

    /// When the last of `bytes` bytes leaves.
    fn leaves(&mut self, now: Tick, bytes: u64) -> Tick {
        if self.way.bandwidth.is_none() {
            return now;
        }
        if self.line_ends() <= now {
            (self.line_began, self.line) = (now, 0);
        }
        self.line += bytes;
        self.line_ends()
    }

    fn line_ends(&self) -> Tick {
        let Some(bandwidth) = self.way.bandwidth else { return Tick::ZERO };
        let nanos = (u128::from(self.line) * 1_000_000_000).div_ceil(u128::from(bandwidth));
        self.line_began.after(Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)))
    }

    fn arrival(&mut self, leaves: Tick, chance: &mut Chance) -> Option<Tick> {
        let mut at = leaves.after(self.latency);
        if !self.jitter.is_zero() {
            let most = u64::try_from(self.jitter.as_nanos()).unwrap_or(u64::MAX);
            at = at.after(Duration::from_nanos(chance.up_to(most)));
        }
        at = at.max(self.last_arrival);
        if self.way.lost_at.is_some_and(|lost| at >= lost) {
            return None;
        }
        self.last_arrival = at;
        Some(at)
    }
}
