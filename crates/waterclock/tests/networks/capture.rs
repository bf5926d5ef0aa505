//! What the client's side of the line has seen: packets with the instants at which they passed.

use std::path::Path;
use std::time::SystemTime;
use waterclock::Tick;
use waterclock::world::real::RealWorld;

const HEADER: usize = 24;
const RECORD: usize = 16;
const SYN: u8 = 0x02;
const ACK: u8 = 0x10;

pub(crate) struct Capture(pub(crate) Vec<Packet>);

/// An IPv4 packet with UDP or TCP in it.
#[derive(Clone, Debug)]
pub(crate) struct Packet {
    /// To the client: just before it could see it. From the client: just after it was sent.
    pub(crate) at: Tick,
    pub(crate) to_client: bool,
    pub(crate) udp: bool,
    /// The port at the client.
    pub(crate) port: u16,
    /// Of TCP.
    pub(crate) sequence: u32,
    flags: u8,
    pub(crate) payload: usize,
}

impl Packet {
    /// Asks for a connection.
    pub(crate) fn is_syn(&self) -> bool {
        !self.udp && self.flags & (SYN | ACK) == SYN
    }

    /// Accepts one.
    pub(crate) fn is_syn_ack(&self) -> bool {
        !self.udp && self.flags & (SYN | ACK) == SYN | ACK
    }

    /// Carries bytes of a TCP connection.
    pub(crate) fn is_data(&self) -> bool {
        !self.udp && self.payload > 0
    }

    /// Says something that an answer may come to; acknowledgements do not.
    fn speaks(&self) -> bool {
        self.udp || self.payload > 0 || self.flags & SYN != 0
    }

    /// `bytes` are an IP packet.
    fn read(at: Tick, bytes: &[u8]) -> Option<Packet> {
        let transport = bytes.get(4 * usize::from(bytes[0] & 15)..)?;
        let udp = match bytes[9] {
            6 => false,
            17 => true,
            _ => return None,
        };
        let to_client = bytes[16..20] == [10, 7, 0, 1];
        let port = &transport[if to_client { 2..4 } else { 0..2 }];
        let header = if udp { 8 } else { 4 * usize::from(transport[12] >> 4) };
        Some(Packet {
            at,
            to_client,
            udp,
            port: u16::from_be_bytes(port.try_into().unwrap()),
            sequence: u32::from_be_bytes(transport[4..8].try_into().unwrap()),
            flags: if udp { 0 } else { transport[13] },
            payload: transport.len() - header,
        })
    }
}

impl Capture {
    /// Reads a pcap file of IP packets with nanoseconds.
    pub(crate) fn read(path: &Path) -> Capture {
        let bytes = std::fs::read(path).unwrap();
        let clock = Clock::read();
        let number = |bytes: &[u8]| u32::from_le_bytes(bytes[..4].try_into().unwrap());
        let mut rest = &bytes[HEADER..];
        let mut packets = Vec::new();
        while !rest.is_empty() {
            let wall = u64::from(number(rest)) * 1_000_000_000 + u64::from(number(&rest[4..]));
            let end = RECORD + number(&rest[8..]) as usize;
            packets.extend(Packet::read(clock.tick(wall), &rest[RECORD..end]));
            rest = &rest[end..];
        }
        Capture(packets)
    }

    pub(crate) fn received(&self) -> impl Iterator<Item = &Packet> {
        self.0.iter().filter(|packet| packet.to_client)
    }

    pub(crate) fn sent(&self) -> impl Iterator<Item = &Packet> {
        self.0.iter().filter(|packet| !packet.to_client)
    }

    /// How often the client has said something and the other side has answered: round trips.
    pub(crate) fn round_trips(&self) -> usize {
        let sides: Vec<bool> =
            self.0.iter().filter(|packet| packet.speaks()).map(|packet| packet.to_client).collect();
        sides.windows(2).filter(|pair| pair[..] == [false, true]).count()
    }

    /// Packets of the server's whose bytes had come before, or come after later ones.
    pub(crate) fn out_of_order(&self) -> usize {
        let mut furthest = None;
        let mut count = 0;
        for packet in self.received().filter(|packet| packet.is_data()) {
            let end = packet.sequence.wrapping_add(u32::try_from(packet.payload).unwrap());
            match furthest {
                Some((port, known)) if port == packet.port && before(end, known) => count += 1,
                _ => furthest = Some((packet.port, end)),
            }
        }
        count
    }
}

/// Of sequence numbers.
fn before(one: u32, other: u32) -> bool {
    one != other && other.wrapping_sub(one) < 1 << 31
}

/// What the clock on the wall shows, in ticks of the client's world.
struct Clock {
    tick: u64,
    wall: u64,
}

impl Clock {
    /// The two are read right after each other: the closest of a few pairs.
    fn read() -> Clock {
        let world = RealWorld::shared();
        let pairs = (0..20).map(|_| {
            let before = world.now().as_nanos();
            let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
            let between = world.now().as_nanos() - before;
            (
                between,
                Clock { tick: before + between / 2, wall: u64::try_from(wall.as_nanos()).unwrap() },
            )
        });
        pairs.min_by_key(|(between, _)| *between).unwrap().1
    }

    fn tick(&self, wall: u64) -> Tick {
        Tick::from_nanos((self.tick + wall).saturating_sub(self.wall))
    }
}
