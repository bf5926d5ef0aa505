//! `zstd` (RFC 8878): one or more frames, some of which may be skippable.

use super::codec::{Codec, Fault, Flow, Io, MAX_TURN, Opening, cut, cut_mut};
use std::borrow::Cow;
use zstd_safe::{DCtx, DParameter, InBuffer, OutBuffer, get_error_name};

const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// Of a skippable frame, where the first byte is `0x50` to `0x5f`.
const SKIPPABLE: [u8; 3] = [0x2a, 0x4d, 0x18];
/// The most bytes of a frame's header behind the magic ones (RFC 8878 §3.1.1.1).
const HEADER: usize = 14;
/// The window is at most 8 MiB for content codings (RFC 9659 §3).
const WINDOW_LOG: u32 = 23;

/// Undoes zstd, frame after frame.
#[derive(Default)]
pub(super) struct Zstd {
    context: Option<DCtx<'static>>,
    /// Whether the last call filled the room, so that there may be more without further input.
    held_back: bool,
    /// The first bytes of the current frame, or of what follows the last one.
    opening: Opening,
    /// So many bytes of the frame's header, behind `opening`, have been given to the decoder.
    header: usize,
    /// Whether `opening` turned out to begin a frame that is not complete yet.
    inside: bool,
    /// Whether the first frame is complete: only then may something else follow.
    complete: bool,
}

impl Codec for Zstd {
    fn run(&mut self, io: &mut Io<'_>) -> Result<Flow, Fault> {
        loop {
            if !self.inside {
                let filled = self.opening.fill(MAGIC.len(), io);
                if !may_begin_frame(self.opening.bytes()) {
                    return self.not_a_frame();
                }
                if !filled {
                    return Ok(Flow::More);
                }
                self.inside = true;
            }
            if self.frame(io)? == Flow::More {
                return Ok(Flow::More);
            }
            self.opening = Opening::default();
            self.header = 0;
            self.inside = false;
            self.complete = true;
        }
    }

    fn may_end(&self) -> bool {
        self.complete && self.opening.bytes().is_empty()
    }
}

impl Zstd {
    fn not_a_frame(&self) -> Result<Flow, Fault> {
        if self.complete {
            return Ok(Flow::Over);
        }
        Err(Cow::Borrowed("it does not begin with the magic bytes 28 b5 2f fd"))
    }

    /// Decodes to the end of the current frame.
    fn frame(&mut self, io: &mut Io<'_>) -> Result<Flow, Fault> {
        let context = match &mut self.context {
            Some(context) => context,
            None => self.context.insert(context()?),
        };
        loop {
            let replay = !self.opening.rest().is_empty();
            let bytes = if replay { self.opening.rest() } else { io.input() };
            // libzstd takes repeated calls in which nothing can move for a fault.
            if io.room().is_empty() || (bytes.is_empty() && !self.held_back) {
                return Ok(Flow::More);
            }
            // In the call that completes a header libzstd looks for a whole frame where that call's bytes
            // begin, as if the header began there: a header can be written to look like one. A byte cannot.
            let turn = if replay || self.header == HEADER { MAX_TURN } else { 1 };
            let mut input = InBuffer::around(cut(bytes, turn));
            // A frame that fits into the room as a whole would be exempt from the window's limit, so
            // what is allowed would depend on the caller's room. Small turns never reach that size.
            let mut room = OutBuffer::around(cut_mut(io.room(), MAX_TURN));
            let result = context.decompress_stream(&mut room, &mut input);
            let (consumed, produced) = (input.pos(), room.pos());
            self.held_back = produced == room.capacity();
            if replay {
                self.opening.replay(consumed);
            } else {
                io.consume(consumed);
                self.header = HEADER.min(self.header + consumed);
            }
            io.produce(produced);
            match result {
                Err(code) => return Err(Cow::Borrowed(get_error_name(code))),
                Ok(0) => return Ok(Flow::Over),
                Ok(_) if consumed == 0 && produced == 0 => return io.stuck(),
                Ok(_) => {}
            }
        }
    }
}

fn context() -> Result<DCtx<'static>, Fault> {
    let mut context = DCtx::try_create().ok_or("no memory for a zstd decoder")?;
    let set = context.set_parameter(DParameter::WindowLogMax(WINDOW_LOG));
    set.map_err(|code| Cow::Borrowed(get_error_name(code)))?;
    Ok(context)
}

/// Whether a frame could begin with these bytes, of which there are at most four.
fn may_begin_frame(opening: &[u8]) -> bool {
    match opening {
        [0x50..=0x5f, rest @ ..] => SKIPPABLE.starts_with(rest),
        _ => MAGIC.starts_with(opening),
    }
}
