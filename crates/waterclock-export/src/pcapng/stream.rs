//! A connection as packets.

use super::block::Way;
use super::packet::{Flags, SEGMENT, Segment, packet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use waterclock::capture::{Direction, WireConnection};
use waterclock::world::Endpoint;

/// What a packet is, as far as comments go by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Our SYN.
    Begin,
    /// The peer's answer to it.
    Answer,
    /// Our ACK of that answer.
    Acknowledgement,
    /// Bytes.
    Data,
    /// A FIN or RST.
    End,
}

/// A packet and when it was seen, counted from the start of the call.
#[derive(Debug)]
pub(super) struct Packet {
    pub(super) at: Duration,
    pub(super) way: Way,
    pub(super) kind: Kind,
    pub(super) bytes: Vec<u8>,
}

/// The ends of a connection; documentation addresses (RFC 5737, RFC 3849) where they are not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ends {
    pub(super) ours: SocketAddr,
    pub(super) theirs: SocketAddr,
}

const SOMEBODY_V4: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
const SOMEBODY_V6: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1));
const UNIX_SOCKET: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2));
/// The first port that programs get when they ask for none.
const SOME_PORT: u16 = 49_152;

impl Ends {
    pub(super) fn of(connection: &WireConnection) -> Ends {
        let theirs = match &connection.remote {
            Endpoint::Tcp(address) => *address,
            Endpoint::Unix(_) => SocketAddr::new(UNIX_SOCKET, 80),
        };
        let known = connection.local.filter(|local| local.is_ipv4() == theirs.is_ipv4());
        let ours = known.unwrap_or_else(|| {
            let somebody = if theirs.is_ipv4() { SOMEBODY_V4 } else { SOMEBODY_V6 };
            let port = u16::try_from(connection.number % 16_384).unwrap_or(0) + SOME_PORT;
            SocketAddr::new(somebody, port)
        });
        Ends { ours, theirs }
    }
}

/// The packets of a connection, in order. `answered` is when connecting was over, if the timeline
/// knows.
pub(super) fn packets(connection: &WireConnection, answered: Option<Duration>) -> Vec<Packet> {
    let mut stream = Stream::new(connection);
    let established = established(connection, answered);
    if let Some(opened) = connection.opened {
        stream.add(opened, Way::Out, Kind::Begin, Flags::SYN, &[]);
        if let Some(at) = established {
            stream.add(at, Way::In, Kind::Answer, Flags::SYN_ACK, &[]);
            stream.add(at, Way::Out, Kind::Acknowledgement, Flags::ACK, &[]);
        }
    }
    for (at, event) in events(connection) {
        match event {
            Event::Data(way, bytes) => {
                for part in bytes.chunks(SEGMENT) {
                    stream.add(at, way, Kind::Data, Flags::DATA, part);
                }
            }
            Event::Reset => {
                stream.add(at, Way::In, Kind::End, Flags::RESET, &[]);
                return stream.packets;
            }
            // What was never connected is closed without a word.
            Event::Closed(Way::Out) if established.is_none() => {}
            Event::Closed(way) => stream.add(at, way, Kind::End, Flags::FIN, &[]),
        }
    }
    stream.packets
}

/// When the connection was there; `None` if it never was.
fn established(connection: &WireConnection, answered: Option<Duration>) -> Option<Duration> {
    let first = connection.pieces.first().map(|piece| piece.at);
    let told = connection.connected.or(answered).or(connection.peer_ended);
    match (told, first) {
        (Some(told), Some(first)) => Some(told.min(first)),
        (told, first) => told.or(first),
    }
    // One that was there before the call was connected before it, too.
    .or(connection.opened.is_none().then_some(Duration::ZERO))
}

enum Event<'b> {
    Data(Way, &'b [u8]),
    Closed(Way),
    Reset,
}

/// What happened after the handshake, by time; bytes before the ends.
fn events(connection: &WireConnection) -> Vec<(Duration, Event<'_>)> {
    let mut last = Duration::ZERO;
    let mut events: Vec<_> = Vec::with_capacity(connection.pieces.len() + 3);
    for piece in &connection.pieces {
        let way = match piece.direction {
            Direction::Sent => Way::Out,
            Direction::Received => Way::In,
        };
        // The order of the bytes is certain.
        last = last.max(piece.at);
        events.push((last, Event::Data(way, &piece.bytes)));
    }
    events.extend(connection.peer_ended.map(|at| (at, Event::Closed(Way::In))));
    let reset = connection.failed.as_ref().filter(|failed| failed.by_peer);
    events.extend(reset.map(|failed| (failed.at, Event::Reset)));
    events.extend(connection.closed.map(|at| (at, Event::Closed(Way::Out))));
    events.sort_by_key(|(at, _)| *at);
    events
}

/// Counts what both sides have sent.
struct Stream {
    ends: Ends,
    /// The next sequence numbers.
    ours: u32,
    theirs: u32,
    /// No packet is older than the one before it.
    last: Duration,
    packets: Vec<Packet>,
}

impl Stream {
    fn new(connection: &WireConnection) -> Self {
        // Connections between the same ports must not look like one.
        let [.., a, b, c, d] = connection.number.to_be_bytes();
        let start = u32::from_be_bytes([a, b, c, d]).wrapping_mul(0x0100_0193);
        // A connection from before the call has had its SYN, which counts as one.
        let before = u32::from(connection.opened.is_none());
        Stream {
            ends: Ends::of(connection),
            ours: start.wrapping_add(before),
            theirs: start.wrapping_add(0x8000_0000).wrapping_add(before),
            last: Duration::ZERO,
            packets: Vec::new(),
        }
    }

    fn add(&mut self, at: Duration, way: Way, kind: Kind, flags: Flags, bytes: &[u8]) {
        let Ends { ours, theirs } = self.ends;
        let (from, to, sent, received) = match way {
            Way::Out => (ours, theirs, &mut self.ours, self.theirs),
            Way::In => (theirs, ours, &mut self.theirs, self.ours),
        };
        let acknowledges = if kind == Kind::Begin { 0 } else { received };
        let segment = Segment { sequence: *sent, acknowledges, flags, bytes };
        let count = u32::try_from(bytes.len()).unwrap_or(u32::MAX).wrapping_add(flags.counts());
        *sent = sent.wrapping_add(count);
        self.last = self.last.max(at);
        self.packets.push(Packet { at: self.last, way, kind, bytes: packet(from, to, segment) });
    }
}
