//! [`Codec`]: what the chain asks of a single coding.

use std::borrow::Cow;

/// What is wrong with the coded bytes.
pub(super) type Fault = Cow<'static, str>;

/// Whether a coded stream goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    /// It stopped because the input is used up or the room is full.
    More,
    /// The stream is over; whatever input is left is not part of it.
    Over,
}

/// Undoes one coding.
pub(super) trait Codec: Send + Sync {
    /// Works until the input is used up and nothing is held back, the room is full, or the stream is
    /// over. Every turn of a loop in here moves `io` on, or ends the loop.
    fn run(&mut self, io: &mut Io<'_>) -> Result<Flow, Fault>;

    /// Whether the coded bytes may end here.
    fn may_end(&self) -> bool;
}

/// The input and the room lent to a codec, and how much of both is used.
pub(super) struct Io<'a> {
    input: &'a [u8],
    room: &'a mut [u8],
    consumed: usize,
    produced: usize,
}

impl<'a> Io<'a> {
    pub(super) fn new(input: &'a [u8], room: &'a mut [u8]) -> Self {
        Io { input, room, consumed: 0, produced: 0 }
    }

    pub(super) fn consumed(&self) -> usize {
        self.consumed
    }

    pub(super) fn produced(&self) -> usize {
        self.produced
    }

    /// The input not yet consumed.
    pub(super) fn input(&self) -> &'a [u8] {
        self.input.get(self.consumed..).unwrap_or_default()
    }

    /// The room not yet filled.
    pub(super) fn room(&mut self) -> &mut [u8] {
        self.room.get_mut(self.produced..).unwrap_or_default()
    }

    pub(super) fn consume(&mut self, count: usize) {
        self.consumed = self.input.len().min(self.consumed.saturating_add(count));
    }

    pub(super) fn produce(&mut self, count: usize) {
        self.produced = self.room.len().min(self.produced.saturating_add(count));
    }

    /// After a turn that moved nothing: whether to stop. With both input and room left a decoder that
    /// stands still would do so for ever (GHSA-gh4c-6fx4-qh6g), so that is a fault.
    pub(super) fn stuck(&self) -> Result<Flow, Fault> {
        if self.consumed < self.input.len() && self.produced < self.room.len() {
            return Err(Cow::Borrowed("the decoder makes no progress"));
        }
        Ok(Flow::More)
    }
}

/// The first bytes of a stream, kept until there are enough of them to tell what it is.
#[derive(Default)]
pub(super) struct Opening {
    bytes: [u8; 4],
    len: usize,
    replayed: usize,
}

impl Opening {
    /// Takes bytes from `io` until there are `want` (at most four) of them; false if it ran out.
    pub(super) fn fill(&mut self, want: usize, io: &mut Io<'_>) -> bool {
        while self.len < want {
            let (Some(&byte), Some(slot)) = (io.input().first(), self.bytes.get_mut(self.len))
            else {
                return false;
            };
            *slot = byte;
            self.len += 1;
            io.consume(1);
        }
        true
    }

    /// The bytes so far.
    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// The bytes that the decoder has not been given yet.
    pub(super) fn rest(&self) -> &[u8] {
        self.bytes().get(self.replayed..).unwrap_or_default()
    }

    /// `count` of the rest have been given to the decoder.
    pub(super) fn replay(&mut self, count: usize) {
        self.replayed += count;
    }
}

/// The most bytes that brotli and zstd are lent at a time.
pub(super) const MAX_TURN: usize = 1 << 20;

/// The first `max` bytes.
pub(super) fn cut(bytes: &[u8], max: usize) -> &[u8] {
    bytes.get(..max).unwrap_or(bytes)
}

/// The first `max` bytes.
pub(super) fn cut_mut(bytes: &mut [u8], max: usize) -> &mut [u8] {
    let len = bytes.len().min(max);
    &mut bytes[..len]
}
