//! `br` (RFC 7932).

use super::codec::{Codec, Fault, Flow, Io, MAX_TURN, cut};
use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};
use std::borrow::Cow;

/// Undoes br.
pub(super) struct Brotli {
    state: Box<BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>>,
    over: bool,
}

impl Default for Brotli {
    fn default() -> Self {
        let alloc = StandardAlloc::default;
        // Strict: a window of at most 16 MiB. The "large window" of 1 GiB is not part of `br`.
        let state = BrotliState::new_strict(alloc(), alloc(), alloc());
        Brotli { state: Box::new(state), over: false }
    }
}

impl Codec for Brotli {
    fn run(&mut self, io: &mut Io<'_>) -> Result<Flow, Fault> {
        loop {
            let input = cut(io.input(), MAX_TURN);
            let (mut input_left, mut consumed) = (input.len(), 0);
            let room = io.room();
            let (mut room_left, mut produced, mut total) = (room.len(), 0, 0);
            let result = BrotliDecompressStream(
                &mut input_left,
                &mut consumed,
                input,
                &mut room_left,
                &mut produced,
                room,
                &mut total,
                &mut self.state,
            );
            io.consume(consumed);
            io.produce(produced);
            match result {
                BrotliResult::ResultFailure => return Err(self.fault()),
                BrotliResult::ResultSuccess => {
                    self.over = true;
                    return Ok(Flow::Over);
                }
                BrotliResult::NeedsMoreInput | BrotliResult::NeedsMoreOutput => {
                    if consumed == 0 && produced == 0 {
                        return io.stuck();
                    }
                }
            }
        }
    }

    fn may_end(&self) -> bool {
        self.over
    }
}

impl Brotli {
    /// The decoder's own words: `BROTLI_DECODER_ERROR_FORMAT_PADDING_1` says `format padding 1`.
    fn fault(&self) -> Fault {
        let code = format!("{:?}", self.state.error_code);
        let name = code.strip_prefix("BROTLI_DECODER_ERROR_").unwrap_or(&code);
        Cow::Owned(name.to_lowercase().replace('_', " "))
    }
}
