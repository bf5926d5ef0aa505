//! A reader of pcapng that takes nothing on trust: it panics at what a file may not have.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// What is in a file.
#[derive(Debug, Default)]
pub(super) struct Reading {
    /// The types of all blocks, in order.
    pub(super) blocks: Vec<u32>,
    /// The comments of the file.
    pub(super) about: Vec<String>,
    pub(super) keys: Option<String>,
    pub(super) packets: Vec<Read>,
}

/// A packet.
#[derive(Debug)]
pub(super) struct Read {
    /// Since 1970.
    pub(super) at: Duration,
    pub(super) outbound: bool,
    pub(super) comments: Vec<String>,
    pub(super) from: SocketAddr,
    pub(super) to: SocketAddr,
    pub(super) sequence: u32,
    pub(super) acknowledges: u32,
    pub(super) flags: String,
    pub(super) bytes: Vec<u8>,
}

impl Read {
    /// `3 ms > PA 12`: when, which way, flags, and how many bytes.
    pub(super) fn short(&self) -> String {
        let way = if self.outbound { ">" } else { "<" };
        let text = format!("{} ms {way} {} {}", self.at.as_millis(), self.flags, self.bytes.len());
        text.trim_end_matches(" 0").to_owned()
    }

    pub(super) fn ends(&self) -> (String, String) {
        (self.from.to_string(), self.to.to_string())
    }
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes(bytes[at..at + 2].try_into().unwrap())
}

/// Reads a whole file.
pub(super) fn read(mut file: &[u8]) -> Reading {
    let mut reading = Reading::default();
    while !file.is_empty() {
        let (kind, length) = (u32_at(file, 0), u32_at(file, 4) as usize);
        assert_eq!(length % 4, 0);
        let (block, rest) = file.split_at(length);
        assert_eq!(u32_at(block, length - 4) as usize, length, "the length at the end");
        reading.block(kind, &block[8..length - 4]);
        file = rest;
    }
    reading
}

impl Reading {
    fn block(&mut self, kind: u32, body: &[u8]) {
        match kind {
            0x0a0d_0d0a => {
                assert!(self.blocks.is_empty(), "one section");
                assert_eq!(body[..8], [0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0]);
                self.about = texts(&options(&body[16..]), 1);
            }
            1 => {
                assert_eq!(body[..8], [101, 0, 0, 0, 0, 0, 0, 0]);
                assert!(options(&body[8..]).contains(&(9, vec![9])));
            }
            4 => {}
            10 => {
                assert!(self.packets.is_empty(), "secrets come first");
                assert_eq!(&body[..4], b"KSLT");
                let length = u32_at(body, 4) as usize;
                assert_eq!(body.len(), 8 + length.next_multiple_of(4));
                self.keys = Some(String::from_utf8(body[8..8 + length].to_vec()).unwrap());
            }
            6 => self.packets.push(packet(body)),
            kind => panic!("block {kind}"),
        }
        self.blocks.push(kind);
    }
}

fn options(mut bytes: &[u8]) -> Vec<(u16, Vec<u8>)> {
    let mut options = Vec::new();
    while !bytes.is_empty() {
        let code = u16::from_le_bytes([bytes[0], bytes[1]]);
        let length = usize::from(u16::from_le_bytes([bytes[2], bytes[3]]));
        bytes = &bytes[4..];
        if code == 0 {
            assert!(bytes.is_empty() && length == 0, "the end of the options is the end");
            return options;
        }
        options.push((code, bytes[..length].to_vec()));
        bytes = &bytes[length.next_multiple_of(4)..];
    }
    assert!(options.is_empty(), "options without an end");
    options
}

fn texts(options: &[(u16, Vec<u8>)], wanted: u16) -> Vec<String> {
    let mine = options.iter().filter(|(code, _)| *code == wanted);
    let texts = mine.map(|(_, text)| String::from_utf8(text.clone()).unwrap());
    texts.inspect(|text| assert!(!text.contains(|c: char| c.is_control()), "{text:?}")).collect()
}

fn packet(body: &[u8]) -> Read {
    assert_eq!(u32_at(body, 0), 0, "the one interface");
    let nanos = u64::from(u32_at(body, 4)) << 32 | u64::from(u32_at(body, 8));
    let length = u32_at(body, 12) as usize;
    assert_eq!(u32_at(body, 16) as usize, length);
    let bytes = &body[20..20 + length];
    let options = options(&body[20 + length.next_multiple_of(4)..]);
    let way = options.iter().find(|(code, _)| *code == 2).unwrap().1[0];
    let (source, target, tcp) = ip(bytes);
    let header = usize::from(tcp[12] >> 4) * 4;
    let letters = [(2, 'S'), (1, 'F'), (4, 'R'), (8, 'P'), (16, 'A')];
    let set = letters.iter().filter(|(bit, _)| tcp[13] & bit != 0);
    Read {
        at: Duration::from_nanos(nanos),
        outbound: way == 2,
        comments: texts(&options, 1),
        from: SocketAddr::new(source, u16_at(tcp, 0)),
        to: SocketAddr::new(target, u16_at(tcp, 2)),
        sequence: u32::from_be_bytes(tcp[4..8].try_into().unwrap()),
        acknowledges: u32::from_be_bytes(tcp[8..12].try_into().unwrap()),
        flags: set.map(|(_, letter)| letter).collect(),
        bytes: tcp[header..].to_vec(),
    }
}

/// Source, target and payload, with lengths and checksums looked at.
fn ip(bytes: &[u8]) -> (IpAddr, IpAddr, &[u8]) {
    let (source, target, header) = match bytes[0] >> 4 {
        4 => {
            assert_eq!(usize::from(u16_at(bytes, 2)), bytes.len());
            assert_eq!(sum(&bytes[..20]), 0xffff, "the checksum of the header");
            let address = |at: usize| <[u8; 4]>::try_from(&bytes[at..at + 4]).unwrap();
            (address(12).into(), address(16).into(), 20)
        }
        6 => {
            assert_eq!(usize::from(u16_at(bytes, 4)), bytes.len() - 40);
            let address = |at: usize| <[u8; 16]>::try_from(&bytes[at..at + 16]).unwrap();
            (address(8).into(), address(24).into(), 40)
        }
        version => panic!("IP version {version}"),
    };
    let (tcp, addresses) = (&bytes[header..], if header == 20 { 12..20 } else { 8..40 });
    let length = u16::try_from(tcp.len()).unwrap().to_be_bytes();
    let pseudo = [&bytes[addresses], &[0, 6], &length, tcp].concat();
    assert_eq!(sum(&pseudo), 0xffff, "the checksum of the segment");
    (source, target, tcp)
}

/// The sum of RFC 1071, as its reader takes it: all ones if nothing is wrong.
fn sum(bytes: &[u8]) -> u16 {
    let mut sum = 0_u32;
    for pair in bytes.chunks(2) {
        sum += u32::from(pair[0]) << 8 | u32::from(pair.get(1).copied().unwrap_or(0));
        sum = (sum & 0xffff) + (sum >> 16);
    }
    u16::try_from(sum).unwrap()
}
