//! Blocks of a pcapng file (draft-ietf-opsawg-pcapng), little endian.

use std::net::IpAddr;

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const NAMES: u32 = 4;
const PACKET: u32 = 6;
const SECRETS: u32 = 10;

/// What tells a reader the byte order.
const BYTE_ORDER: u32 = 0x1a2b_3c4d;
/// Packets begin with an IP header of either version.
const LINKTYPE_RAW: u16 = 101;
/// `if_tsresol`: times are multiples of 10⁻⁹ s. Without it they would be read as microseconds.
const NANOSECONDS: u8 = 9;
/// The secrets are the text of a TLS key log. A reader that sees another type decrypts nothing, and
/// says nothing.
const TLS_KEY_LOG: u32 = 0x544c_534b;
/// An option's length has 16 bits.
const LONGEST: usize = u16::MAX as usize;

/// Which way a packet went; the bits of `epb_flags`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    In = 1,
    Out = 2,
}

/// A file in the making.
#[derive(Debug, Default)]
pub(super) struct File(Vec<u8>);

impl File {
    /// The section header, first in a file.
    pub(super) fn section(&mut self, comments: &[String], application: &str) {
        let mut block = Block::new(SECTION_HEADER);
        block.u32(BYTE_ORDER);
        block.u16(1);
        block.u16(0);
        block.bytes(&u64::MAX.to_le_bytes()); // the section's length is not given
        block.comments(comments);
        block.option(4, application.as_bytes());
        self.end(block);
    }

    /// The interface that all packets are said to be from.
    pub(super) fn interface(&mut self, name: &str, description: &str) {
        let mut block = Block::new(INTERFACE);
        block.u16(LINKTYPE_RAW);
        block.u16(0);
        block.u32(0); // packets of any length
        block.option(2, name.as_bytes());
        block.option(3, description.as_bytes());
        block.option(9, &[NANOSECONDS]);
        self.end(block);
    }

    /// What addresses are called.
    pub(super) fn names<'n>(&mut self, names: impl IntoIterator<Item = (IpAddr, &'n str)>) {
        let mut block = Block::new(NAMES);
        for (address, name) in names {
            let record = match address {
                IpAddr::V4(address) => [&address.octets()[..], name.as_bytes(), &[0]].concat(),
                IpAddr::V6(address) => [&address.octets()[..], name.as_bytes(), &[0]].concat(),
            };
            block.option(if address.is_ipv4() { 1 } else { 2 }, &record);
        }
        block.u32(0); // the end of the records
        self.end(block);
    }

    /// Secrets of TLS, as a key log. Only packets behind them are decrypted.
    pub(super) fn keys(&mut self, text: &str) {
        let mut block = Block::new(SECRETS);
        block.u32(TLS_KEY_LOG);
        block.u32(length(text.as_bytes()));
        block.padded(text.as_bytes());
        self.end(block);
    }

    /// A packet, seen so many nanoseconds after 1970.
    pub(super) fn packet(&mut self, nanos: u64, way: Way, bytes: &[u8], comments: &[String]) {
        let [a, b, c, d, e, f, g, h] = nanos.to_le_bytes();
        let mut block = Block::new(PACKET);
        block.u32(0);
        block.bytes(&[e, f, g, h]);
        block.bytes(&[a, b, c, d]);
        block.u32(length(bytes)); // as much as was captured
        block.u32(length(bytes)); // of so much
        block.padded(bytes);
        block.comments(comments);
        block.option(2, &(way as u32).to_le_bytes());
        self.end(block);
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    fn end(&mut self, block: Block) {
        let Block { kind, mut body, has_options } = block;
        if has_options {
            body.extend_from_slice(&[0; 4]);
        }
        let total = length(&body).saturating_add(12).to_le_bytes();
        for part in [&kind.to_le_bytes()[..], &total, &body, &total] {
            self.0.extend_from_slice(part);
        }
    }
}

/// One block before its length is known.
struct Block {
    kind: u32,
    body: Vec<u8>,
    has_options: bool,
}

impl Block {
    fn new(kind: u32) -> Self {
        Block { kind, body: Vec::new(), has_options: false }
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.body.extend_from_slice(bytes);
    }

    fn u16(&mut self, number: u16) {
        self.bytes(&number.to_le_bytes());
    }

    fn u32(&mut self, number: u32) {
        self.bytes(&number.to_le_bytes());
    }

    /// Bytes, and zeros up to a multiple of four.
    fn padded(&mut self, bytes: &[u8]) {
        self.bytes(bytes);
        self.body.resize(self.body.len().next_multiple_of(4), 0);
    }

    fn option(&mut self, code: u16, value: &[u8]) {
        let value = value.get(..LONGEST).unwrap_or(value);
        self.u16(code);
        self.u16(u16::try_from(value.len()).unwrap_or(u16::MAX));
        self.padded(value);
        // Names have records of the same form, with an end of their own.
        self.has_options = self.kind != NAMES;
    }

    fn comments(&mut self, comments: &[String]) {
        for comment in comments {
            self.option(1, comment.as_bytes());
        }
    }
}

fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}
