//! `deflate`: the zlib format (RFC 1950), or bare deflate (RFC 1951) as some servers send it.

use super::codec::{Codec, Fault, Flow, Io, Opening};
use flate2::{Decompress, FlushDecompress, Status};
use std::borrow::Cow;

/// Finds out which of the two it is, and undoes it.
#[derive(Default)]
pub(super) struct Deflate {
    opening: Opening,
    inflate: Option<Inflate>,
    over: bool,
}

impl Codec for Deflate {
    fn run(&mut self, io: &mut Io<'_>) -> Result<Flow, Fault> {
        let inflate = match &mut self.inflate {
            Some(inflate) => inflate,
            None => {
                if !self.opening.fill(2, io) {
                    return Ok(Flow::More);
                }
                let zlib = is_zlib(self.opening.bytes());
                self.inflate.insert(Inflate(Decompress::new(zlib)))
            }
        };
        let flow = inflate.run(&mut self.opening, io)?;
        self.over = flow == Flow::Over;
        Ok(flow)
    }

    fn may_end(&self) -> bool {
        self.over
    }
}

/// Whether these two bytes are a zlib header: method 8, a window of at most 32 KiB, and a multiple
/// of 31. Bare deflate would have to begin with a stored block and non-zero padding to look like it.
fn is_zlib(opening: &[u8]) -> bool {
    match *opening {
        [cmf, flg] => {
            cmf & 0x0f == 8 && cmf >> 4 <= 7 && u16::from_be_bytes([cmf, flg]).is_multiple_of(31)
        }
        _ => false,
    }
}

/// zlib's inflate, which gzip has in common with deflate.
pub(super) struct Inflate(pub(super) Decompress);

impl Inflate {
    /// Inflates the rest of `opening`, then `io`.
    pub(super) fn run(&mut self, opening: &mut Opening, io: &mut Io<'_>) -> Result<Flow, Fault> {
        loop {
            let replay = !opening.rest().is_empty();
            let input = if replay { opening.rest() } else { io.input() };
            let (before_in, before_out) = (self.0.total_in(), self.0.total_out());
            let result = self.0.decompress(input, io.room(), FlushDecompress::None);
            let consumed = moved(before_in, self.0.total_in());
            let produced = moved(before_out, self.0.total_out());
            if replay {
                opening.replay(consumed);
            } else {
                io.consume(consumed);
            }
            io.produce(produced);
            match result {
                Err(error) => return Err(fault(&error)),
                Ok(Status::StreamEnd) => return Ok(Flow::Over),
                Ok(Status::Ok | Status::BufError) if consumed == 0 && produced == 0 => {
                    return io.stuck();
                }
                Ok(Status::Ok | Status::BufError) => {}
            }
        }
    }
}

fn moved(before: u64, after: u64) -> usize {
    usize::try_from(after.saturating_sub(before)).unwrap_or(usize::MAX)
}

fn fault(error: &flate2::DecompressError) -> Fault {
    match error.message() {
        // zlib-rs forgets what its fast loop has found.
        Some("repeated call with bad state") => Cow::Borrowed("invalid deflate data"),
        Some(what) => Cow::Owned(what.to_owned()),
        None if error.needs_dictionary().is_some() => Cow::Borrowed("it needs a preset dictionary"),
        None => Cow::Borrowed("invalid deflate data"),
    }
}
