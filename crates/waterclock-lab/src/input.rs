//! The reading side of a connection: one buffer, heads and bodies taken from it.

use std::io;
use std::time::Duration;

use crate::head::{Framing, Head};
use crate::link::Link;
use crate::stop::Stop;

const BUFFER: usize = 64 * 1024;
/// More than any client's head; a peer that sends more is cut off rather than stored.
const MAX_HEAD: usize = 4 * 1024 * 1024;
const MAX_LINE: usize = 16 * 1024;

/// Takes at most `bytes` of a body at a time, after a rest of `every`.
#[derive(Clone, Copy)]
pub(crate) struct Pace {
    pub(crate) bytes: usize,
    pub(crate) every: Duration,
}

pub(crate) struct Input {
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

impl Input {
    pub(crate) fn new() -> Self {
        Input { buffer: vec![0; BUFFER], start: 0, end: 0 }
    }

    pub(crate) fn unread(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Takes up to `wanted` bytes that are there already.
    pub(crate) fn take(&mut self, wanted: usize) -> &[u8] {
        let from = self.start;
        self.start += wanted.min(self.end - self.start);
        self.buffer.get(from..self.start).unwrap_or_default()
    }

    /// Reads once; false is the peer's end.
    pub(crate) fn fill(&mut self, link: &Link) -> io::Result<bool> {
        self.fill_some(link, usize::MAX)
    }

    fn fill_some(&mut self, link: &Link, most: usize) -> io::Result<bool> {
        if self.is_empty() {
            (self.start, self.end) = (0, 0);
        } else if self.end == self.buffer.len() && self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        if self.end == self.buffer.len() {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        let room = self.end..self.buffer.len().min(self.end.saturating_add(most));
        let count = link.read(self.buffer.get_mut(room).unwrap_or_default())?;
        self.end += count;
        Ok(count > 0)
    }

    /// Reads until a whole head is there and gives its length; `None` if the peer ended without
    /// sending a byte of one.
    pub(crate) fn find_head_end(&mut self, link: &Link) -> io::Result<Option<usize>> {
        let mut searched = 0;
        loop {
            let unread = self.unread();
            let mut fours = unread.get(searched..).unwrap_or_default().windows(4);
            if let Some(place) = fours.position(|four| four == b"\r\n\r\n") {
                return Ok(Some(searched + place + 4));
            }
            searched = unread.len().saturating_sub(3);
            if unread.len() > MAX_HEAD {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "the head has no end"));
            }
            if !self.fill(link)? {
                return if self.is_empty() { Ok(None) } else { Err(cut()) };
            }
        }
    }

    /// Takes a head; `None` if the peer ended without sending a byte of one.
    pub(crate) fn head(&mut self, link: &Link) -> io::Result<Option<Head>> {
        let end = self.find_head_end(link)?;
        Ok(end.map(|end| Head::parse(self.take(end))))
    }

    fn line(&mut self, source: &Source<'_>) -> io::Result<String> {
        loop {
            if let Some(place) = self.unread().iter().position(|&byte| byte == b'\n') {
                return Ok(String::from_utf8_lossy(self.take(place + 1)).trim().to_owned());
            }
            if self.unread().len() > MAX_LINE {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "the line has no end"));
            }
            if !self.fill_some(source.link, source.most())? {
                return Err(cut());
            }
        }
    }
}

/// Where more bytes come from, and how fast.
pub(crate) struct Source<'a> {
    pub(crate) link: &'a Link,
    pub(crate) stop: &'a Stop,
    pub(crate) pace: Option<Pace>,
}

impl Source<'_> {
    fn most(&self) -> usize {
        self.pace.map_or(usize::MAX, |pace| pace.bytes.max(1))
    }

    fn rest(&self) -> io::Result<()> {
        self.pace.map_or(Ok(()), |pace| self.stop.sleep(pace.every))
    }
}

/// A body being read. `next` gives its decoded pieces as they arrive.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Body {
    Left(u64),
    UntilClose,
    ChunkSize,
    Chunk(u64),
    Done,
}

impl Body {
    pub(crate) fn new(framing: Framing) -> Self {
        match framing {
            Framing::Length(length) => Body::Left(length),
            Framing::Chunked => Body::ChunkSize,
            Framing::UntilClose => Body::UntilClose,
        }
    }

    pub(crate) fn is_done(self) -> bool {
        matches!(self, Body::Done | Body::Left(0))
    }

    /// The next piece, or `None` at the body's end.
    pub(crate) fn next<'a>(
        &mut self,
        input: &'a mut Input,
        source: &Source<'_>,
    ) -> io::Result<Option<&'a [u8]>> {
        loop {
            match *self {
                Body::Done | Body::Left(0) => {
                    *self = Body::Done;
                    return Ok(None);
                }
                Body::ChunkSize => *self = next_chunk(input, source)?,
                Body::Chunk(0) => {
                    input.line(source)?;
                    *self = Body::ChunkSize;
                }
                Body::Left(_) | Body::Chunk(_) | Body::UntilClose if !input.is_empty() => {
                    source.rest()?;
                    return Ok(Some(self.piece(input, source.most())));
                }
                Body::UntilClose => {
                    if !input.fill_some(source.link, source.most())? {
                        *self = Body::Done;
                    }
                }
                Body::Left(_) | Body::Chunk(_) => {
                    if !input.fill_some(source.link, source.most())? {
                        return Err(cut());
                    }
                }
            }
        }
    }

    fn piece<'a>(&mut self, input: &'a mut Input, most: usize) -> &'a [u8] {
        let (Body::Left(left) | Body::Chunk(left)) = self else { return input.take(most) };
        let piece = input.take(usize::try_from(*left).unwrap_or(usize::MAX).min(most));
        *left -= piece.len() as u64;
        piece
    }
}

/// Reads a chunk's size line; after the last chunk the trailer section is read and dropped.
fn next_chunk(input: &mut Input, source: &Source<'_>) -> io::Result<Body> {
    let line = input.line(source)?;
    let digits = line.split(';').next().unwrap_or_default().trim();
    let size = u64::from_str_radix(digits, 16)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "bad chunk size"))?;
    if size > 0 {
        return Ok(Body::Chunk(size));
    }
    while !input.line(source)?.is_empty() {}
    Ok(Body::Done)
}

fn cut() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the peer ended in the middle of a message")
}
