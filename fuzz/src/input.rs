//! An input is read from the front: a few bytes of choices, then the bytes of a peer.

use std::hash::{DefaultHasher, Hash, Hasher};

/// What is left of an input.
#[derive(Clone, Copy)]
pub struct Input<'a>(pub &'a [u8]);

impl<'a> Input<'a> {
    /// A password, and another one for each `number`. No input spells it, in whatever letters or code, since it
    /// depends on every byte: where it is shown, it has leaked.
    pub fn secret(self, number: u8) -> String {
        let mut hasher = DefaultHasher::new();
        (self.0, number).hash(&mut hasher);
        format!("{:016x}", hasher.finish())
    }

    /// The next choice; 0 if there is none.
    pub fn byte(&mut self) -> u8 {
        let Some((&first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        first
    }

    /// The next line, without its LF.
    pub fn line(&mut self) -> &'a [u8] {
        self.until(b'\n')
    }

    /// What stands before the next `end`, or all that is left.
    pub fn until(&mut self, end: u8) -> &'a [u8] {
        let end = self.0.iter().position(|&byte| byte == end).unwrap_or(self.0.len());
        let line = &self.0[..end];
        self.0 = self.0.get(end + 1..).unwrap_or_default();
        line
    }

    /// The next line, if it is text.
    pub fn text(&mut self) -> Option<&'a str> {
        str::from_utf8(self.line()).ok()
    }

    /// The rest in pieces, as a network may cut it. `seed` chooses the cuts.
    pub fn pieces(self, seed: u8) -> Pieces<'a> {
        Pieces { rest: self.0, state: u32::from(seed) }
    }
}

/// See [`Input::pieces`].
pub struct Pieces<'a> {
    rest: &'a [u8],
    state: u32,
}

impl<'a> Iterator for Pieces<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        // Knuth's multiplier; half of the pieces are single bytes.
        self.state = self.state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let size = match self.state >> 24 {
            0..128 => 1,
            more => (more as usize - 126) / 4 + 1,
        };
        let (piece, rest) = self.rest.split_at(size.min(self.rest.len()));
        self.rest = rest;
        Some(piece)
    }
}
