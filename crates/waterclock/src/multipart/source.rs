//! The bytes of a form, one segment after the other.

use crate::request::{BodySource, RequestBody};
use std::io::{self, Read};

/// Frames and parts in turn, and how far they have been read.
pub(super) struct Form {
    segments: Vec<Segment>,
    at: usize,
    /// Bytes read of the segment there.
    done: u64,
}

/// A part's content, or what stands between two of them.
pub(super) struct Segment {
    /// The part's name, for errors.
    pub(super) part: String,
    pub(super) body: RequestBody,
}

impl Form {
    pub(super) fn new(segments: Vec<Segment>) -> Self {
        Form { segments, at: 0, done: 0 }
    }

    /// The sum, if all lengths are known.
    pub(super) fn length(&self) -> Option<u64> {
        let add = |sum: u64, segment: &Segment| sum.checked_add(segment.body.length()?);
        self.segments.iter().try_fold(0, add)
    }
}

impl Read for Form {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while filled < out.len()
            && let Some(segment) = self.segments.get_mut(self.at)
        {
            // What is there already does not wait for a source, nor get lost by its error.
            if filled > 0 && segment.body.bytes().is_none() {
                break;
            }
            let count = segment.read(self.done, &mut out[filled..])?;
            filled += count;
            self.done += count as u64;
            if count == 0 {
                (self.at, self.done) = (self.at + 1, 0);
            }
        }
        Ok(filled)
    }
}

impl BodySource for Form {
    fn is_rewindable(&self) -> bool {
        self.segments.iter().all(|segment| segment.body.is_replayable())
    }

    fn rewind(&mut self) -> io::Result<()> {
        self.segments.iter_mut().try_for_each(|segment| segment.body.rewind())?;
        (self.at, self.done) = (0, 0);
        Ok(())
    }
}

impl Segment {
    pub(super) fn frame(bytes: Vec<u8>) -> Self {
        Segment { part: String::new(), body: bytes.into() }
    }

    /// What follows the first `done` bytes; 0 at the end. No more is read than was announced.
    fn read(&mut self, done: u64, out: &mut [u8]) -> io::Result<usize> {
        let left = self.body.length().map(|length| length.saturating_sub(done));
        let room = left.map_or(out.len(), |left| at_most(left, out.len()));
        let out = &mut out[..room];
        if out.is_empty() {
            return Ok(0);
        }
        let RequestBody::Streamed(streamed) = &mut self.body else {
            let start = at_most(done, usize::MAX);
            return self
                .body
                .bytes()
                .unwrap_or_default()
                .get(start..)
                .unwrap_or_default()
                .read(out);
        };
        let count = streamed.start().read(out)?.min(room);
        match left {
            Some(left) if count == 0 => Err(self.ended_early(left)),
            _ => Ok(count),
        }
    }

    fn ended_early(&self, left: u64) -> io::Error {
        let text = format!("part {:?} of the form ended {left} bytes before its length", self.part);
        io::Error::new(io::ErrorKind::UnexpectedEof, text)
    }
}

fn at_most(count: u64, most: usize) -> usize {
    usize::try_from(count).map_or(most, |count| count.min(most))
}
