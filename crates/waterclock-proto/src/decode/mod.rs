//! [`Decoder`]: content codings undone (RFC 9110 §8.4), a bounded amount at a time.
//!
//! Codings are `gzip`, `x-gzip`, `deflate`, `br` and `zstd`, alone or chained. The caller lends a
//! piece of the coded body and room for decoded bytes; a bomb never inflates to more than that room.
//! Between chained codings there are fixed buffers, so memory depends on the codings (gzip and
//! deflate 50 KiB, br at most 17 MiB, zstd at most 9 MiB), never on the body.
//!
//! ```
//! use waterclock_proto::decode::{DecodeLimits, Decoder, State};
//!
//! // "hello" as gzip
//! let coded = [
//!     31, 139, 8, 0, 0, 0, 0, 0, 0, 3, 203, 72, 205, 201, 201, 7, 0, 134, 166, 16, 54, 5, 0, 0, 0,
//! ];
//! let header: [&[u8]; 1] = [b"gzip"];
//! let mut decoder = Decoder::from_content_encoding(header, DecodeLimits::default())?.unwrap();
//!
//! let (mut text, mut room, mut rest) = (Vec::new(), [0; 2], &coded[..]);
//! loop {
//!     // Coded bytes as they arrive; after the last of them, `finish` until it is done.
//!     let progress = match rest {
//!         [] => decoder.finish(&mut room)?,
//!         _ => decoder.decode(rest, &mut room)?,
//!     };
//!     text.extend_from_slice(&room[..progress.produced]);
//!     rest = &rest[progress.consumed..];
//!     if progress.state == State::Done {
//!         break;
//!     }
//! }
//! assert_eq!(text, b"hello");
//! # Ok::<(), waterclock_proto::decode::DecodeError>(())
//! ```
//!
//! # What is lenient, and what is not
//!
//! - A body of no bytes decodes to no bytes, whatever its coding: answers to HEAD, 204 and 304 keep
//!   the header.
//! - A coded stream that is cut short is an error ([`DecodeError::Truncated`]), and so is a wrong
//!   checksum or length. Bytes decoded before that were handed out already.
//! - gzip may have several members and zstd several frames. Whatever follows the last one and does
//!   not begin with the right magic bytes is ignored (zero padding is common), as browsers and
//!   urllib3 do; the same goes for bytes after the end of a deflate or br stream.
//! - `deflate` is the zlib format (RFC 1950), but some servers send it bare (RFC 1951): the first two
//!   bytes tell.
//! - With an unknown coding anywhere in the list, nothing is undone and the body is left as it is.

mod brotli;
mod chain;
mod codec;
mod error;
mod gzip;
mod zlib;
mod zstd;

pub use chain::Decoder;
pub use error::{DecodeError, SizeLimit};

use std::fmt;

/// A content coding that can be undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Coding {
    /// `gzip`, also known as `x-gzip` (RFC 1952).
    Gzip,
    /// `deflate`: zlib (RFC 1950), or bare deflate (RFC 1951).
    Deflate,
    /// `br` (RFC 7932).
    Br,
    /// `zstd` (RFC 8878), with a window of at most 8 MiB (RFC 9659).
    Zstd,
}

impl Coding {
    /// What `Accept-Encoding` says when everything that can be undone is welcome.
    pub const ACCEPT: &'static str = "gzip, deflate, br, zstd";

    /// The registered name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Coding::Gzip => "gzip",
            Coding::Deflate => "deflate",
            Coding::Br => "br",
            Coding::Zstd => "zstd",
        }
    }

    /// The coding of that name, in any case.
    #[must_use]
    pub fn from_name(name: &[u8]) -> Option<Coding> {
        let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        match () {
            () if is("gzip") || is("x-gzip") => Some(Coding::Gzip),
            () if is("deflate") => Some(Coding::Deflate),
            () if is("br") => Some(Coding::Br),
            () if is("zstd") => Some(Coding::Zstd),
            () => None,
        }
    }
}

impl fmt::Display for Coding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Caps on what a coded body may become. By default there are none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DecodeLimits {
    /// The most decoded bytes. All of them are handed out before [`DecodeError::TooLarge`] is.
    pub max_size: Option<u64>,
    /// The most decoded bytes for each coded one. It is judged after each call, once
    /// [`DecodeLimits::RATIO_FLOOR`] bytes have come out: small bodies may compress very well.
    pub max_ratio: Option<u32>,
}

impl DecodeLimits {
    /// Up to this many decoded bytes any ratio is fine: 1 MiB.
    pub const RATIO_FLOOR: u64 = 1 << 20;
}

/// What one call has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Progress {
    /// How many bytes of the input are used up.
    pub consumed: usize,
    /// How many bytes of the output are filled.
    pub produced: usize,
    /// What is to be done next.
    pub state: State,
}

/// What a [`Decoder`] needs next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// All input is used up and everything that follows from it handed out: lend more input, or
    /// call [`Decoder::finish`] if there is none.
    NeedInput,
    /// There may be more: call again, with the rest of the input and fresh room. Usually the room is
    /// full; it also comes, possibly with nothing produced, when one call has worked enough, so that
    /// the caller can look at the clock.
    OutputFull,
    /// Nothing more will come out. What is left of the coded body means nothing.
    Done,
}

#[cfg(test)]
mod tests;
