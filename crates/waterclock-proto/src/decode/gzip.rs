//! `gzip` (RFC 1952): one or more members, each with its checksum and length.

use super::codec::{Codec, Fault, Flow, Io, Opening};
use super::zlib::Inflate;
use flate2::Decompress;
use std::borrow::Cow;

const MAGIC: [u8; 2] = [0x1f, 0x8b];
/// The largest window deflate has: 32 KiB.
const WINDOW_BITS: u8 = 15;

/// Undoes gzip, member after member.
pub(super) struct Gzip {
    inflate: Inflate,
    /// The first bytes of the current member, or of what follows the last one.
    opening: Opening,
    /// Whether `opening` turned out to begin a member that is not complete yet.
    inside: bool,
    /// Whether the first member is complete: only then may something else follow.
    complete: bool,
}

impl Default for Gzip {
    fn default() -> Self {
        Gzip {
            inflate: Inflate(Decompress::new_gzip(WINDOW_BITS)),
            opening: Opening::default(),
            inside: false,
            complete: false,
        }
    }
}

impl Codec for Gzip {
    fn run(&mut self, io: &mut Io<'_>) -> Result<Flow, Fault> {
        loop {
            if !self.inside {
                let filled = self.opening.fill(MAGIC.len(), io);
                if !MAGIC.starts_with(self.opening.bytes()) {
                    return self.not_a_member();
                }
                if !filled {
                    return Ok(Flow::More);
                }
                self.inside = true;
            }
            if self.inflate.run(&mut self.opening, io)? == Flow::More {
                return Ok(Flow::More);
            }
            self.inflate.0.reset(true); // stays a gzip decoder
            self.opening = Opening::default();
            self.inside = false;
            self.complete = true;
        }
    }

    fn may_end(&self) -> bool {
        self.complete && self.opening.bytes().is_empty()
    }
}

impl Gzip {
    fn not_a_member(&self) -> Result<Flow, Fault> {
        if self.complete {
            return Ok(Flow::Over);
        }
        Err(Cow::Borrowed("it does not begin with the magic bytes 1f 8b"))
    }
}
