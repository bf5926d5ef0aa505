//! Packets of IP and TCP, made up around bytes.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// As much of a stream as a packet has: what fits into a frame of Ethernet.
pub(super) const SEGMENT: usize = 1460;

const TCP: u8 = 6;
const HOPS: u8 = 64;
/// Nothing of the real window is known. A large one is never full.
const WINDOW: u16 = u16::MAX;
/// Largest segment, and a window scaled by 2¹⁴ (RFC 9293 §3.7.1, RFC 7323 §2.2).
const SYN_OPTIONS: [u8; 8] = [2, 4, 0x05, 0xb4, 1, 3, 3, 14];

/// The flags of a TCP segment (RFC 9293 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Flags(u8);

impl Flags {
    pub(super) const SYN: Flags = Flags(0x02);
    pub(super) const SYN_ACK: Flags = Flags(0x12);
    pub(super) const ACK: Flags = Flags(0x10);
    pub(super) const DATA: Flags = Flags(0x18);
    pub(super) const FIN: Flags = Flags(0x11);
    pub(super) const RESET: Flags = Flags(0x14);

    /// Numbers of the stream that it takes, beside those of its bytes.
    pub(super) const fn counts(self) -> u32 {
        (self.0 & 0x03 != 0) as u32
    }

    const fn is_syn(self) -> bool {
        self.0 & 0x02 != 0
    }
}

/// A segment before it has addresses.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment<'b> {
    pub(super) sequence: u32,
    pub(super) acknowledges: u32,
    pub(super) flags: Flags,
    /// At most [`SEGMENT`] bytes.
    pub(super) bytes: &'b [u8],
}

/// The packet that takes a segment there.
pub(super) fn packet(from: SocketAddr, to: SocketAddr, segment: Segment<'_>) -> Vec<u8> {
    let mut tcp = tcp(from.port(), to.port(), segment);
    let length = u16::try_from(tcp.len()).unwrap_or(u16::MAX);
    let (mut ip, addresses) = match (from.ip(), to.ip()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            (v4(from, to, length), [from.octets(), to.octets()].concat())
        }
        (from, to) => {
            let addresses = [from, to].map(octets).concat();
            (v6(&addresses, length), addresses)
        }
    };
    // The checksum covers addresses, protocol and length, too (RFC 9293 §3.1).
    let [high, low] = length.to_be_bytes();
    let sum = checksum(&[&addresses, &[0, TCP, high, low], &tcp]);
    if let Some(field) = tcp.get_mut(16..18) {
        field.copy_from_slice(&sum.to_be_bytes());
    }
    ip.append(&mut tcp);
    ip
}

fn tcp(from: u16, to: u16, segment: Segment<'_>) -> Vec<u8> {
    let Segment { sequence, acknowledges, flags, bytes } = segment;
    let options: &[u8] = if flags.is_syn() { &SYN_OPTIONS } else { &[] };
    let words: u8 = if flags.is_syn() { 7 } else { 5 };
    let mut tcp = Vec::with_capacity(60 + bytes.len());
    tcp.extend_from_slice(&from.to_be_bytes());
    tcp.extend_from_slice(&to.to_be_bytes());
    tcp.extend_from_slice(&sequence.to_be_bytes());
    tcp.extend_from_slice(&acknowledges.to_be_bytes());
    tcp.extend_from_slice(&[words << 4, flags.0]);
    tcp.extend_from_slice(&WINDOW.to_be_bytes());
    tcp.extend_from_slice(&[0; 4]); // the checksum's place, and nothing urgent
    tcp.extend_from_slice(options);
    tcp.extend_from_slice(bytes);
    tcp
}

/// A header of IPv4 (RFC 791 §3.1), not to be fragmented.
fn v4(from: Ipv4Addr, to: Ipv4Addr, length: u16) -> Vec<u8> {
    let [high, low] = length.saturating_add(20).to_be_bytes();
    let mut header = vec![0x45, 0, high, low, 0, 0, 0x40, 0, HOPS, TCP, 0, 0];
    header.extend_from_slice(&from.octets());
    header.extend_from_slice(&to.octets());
    let sum = checksum(&[&header]);
    if let Some(field) = header.get_mut(10..12) {
        field.copy_from_slice(&sum.to_be_bytes());
    }
    header
}

/// A header of IPv6 (RFC 8200 §3).
fn v6(addresses: &[u8], length: u16) -> Vec<u8> {
    let [high, low] = length.to_be_bytes();
    [&[0x60, 0, 0, 0, high, low, TCP, HOPS], addresses].concat()
}

fn octets(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    }
}

/// The Internet checksum (RFC 1071) over parts of which all but the last have even lengths.
fn checksum(parts: &[&[u8]]) -> u16 {
    let words = parts.iter().flat_map(|part| part.chunks(2));
    let word = |pair: &[u8]| match *pair {
        [high, low] => u64::from(u16::from_be_bytes([high, low])),
        [high] => u64::from(high) << 8,
        _ => 0,
    };
    let mut sum: u64 = words.map(word).sum();
    while sum > 0xffff {
        sum = (sum >> 16) + (sum & 0xffff);
    }
    !u16::try_from(sum).unwrap_or(0)
}
