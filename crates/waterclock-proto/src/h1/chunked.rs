//! [`Chunked`]: the chunked transfer coding, undone in place (RFC 9112 §7.1).

use super::Caps;
use super::body::take;
use super::error::{LineFault, ProtocolError};
use super::parse;
use crate::message::{Headers, find_control, snippet_of_field};

/// A machine that eats framing byte by byte, so nothing has to be looked at twice.
#[derive(Clone, Debug)]
pub(super) struct Chunked {
    step: Step,
    /// Size of the chunk whose line is being read, then what is left of its data.
    size: u64,
    /// Bytes of the current chunk line.
    line: usize,
    /// Bytes of the current chunk's extensions.
    extension: usize,
    /// Extension bytes that no data has paid for yet.
    unpaid: usize,
    /// What follows the last chunk. Most bodies have nothing there.
    tail: Option<Box<Tail>>,
    caps: OwnCaps,
}

/// Those of the [`Caps`] that it needs: a body reader is moved by value, and stays small.
#[derive(Clone, Debug)]
struct OwnCaps {
    chunk_line: usize,
    chunk_extensions: usize,
    trailer_bytes: usize,
    fields: usize,
    body_bytes: u64,
}

#[derive(Clone, Debug)]
enum Tail {
    /// The trailer section so far.
    Section(Vec<u8>),
    Fields(Headers),
}

/// Where in the coding the next byte stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// The first digit of a size.
    Start,
    /// Another digit, or what ends the size.
    Size,
    /// White space after the size.
    Space,
    /// After a semicolon.
    Extension,
    /// The LF of a chunk line.
    LineEnd,
    Data,
    /// The CR after the data.
    DataCr,
    /// The LF after the data.
    DataLf,
    /// Behind the last chunk: the blank line, or trailer fields up to it.
    Trailers,
    /// The LF of a blank line without trailer fields before it.
    BlankLf,
    Done,
}

impl Chunked {
    pub(super) fn new(caps: &Caps) -> Self {
        let &Caps { chunk_line, chunk_extensions, trailer_bytes, fields, body_bytes, .. } = caps;
        Chunked {
            step: Step::Start,
            size: 0,
            line: 0,
            extension: 0,
            unpaid: 0,
            tail: None,
            caps: OwnCaps { chunk_line, chunk_extensions, trailer_bytes, fields, body_bytes },
        }
    }

    /// How many bytes of framing come first, and how many of data follow. If there is no data, the
    /// input is used up or the body is over.
    pub(super) fn next(
        &mut self,
        input: &[u8],
        received: u64,
    ) -> Result<(usize, usize), ProtocolError> {
        let at = self.usual(input);
        if self.step == Step::Data && at < input.len() {
            return Ok((at, self.data(input.len() - at, received)?));
        }
        self.unusual(input, at, received)
    }

    /// [`next`](Self::next) from `at` on, whatever comes.
    #[inline(never)]
    fn unusual(
        &mut self,
        input: &[u8],
        mut at: usize,
        received: u64,
    ) -> Result<(usize, usize), ProtocolError> {
        while let Some(&byte) = input.get(at) {
            at += match self.step {
                Step::Data => return Ok((at, self.data(input.len() - at, received)?)),
                Step::Extension => self.extension(&input[at..], received)?,
                Step::Trailers if byte == b'\r' && self.tail.is_none() => {
                    self.step = Step::BlankLf;
                    1
                }
                Step::Trailers => self.trailer(&input[at..])?,
                Step::Done => return Ok((at, 0)),
                _ => {
                    self.step = self.framing(byte, received)?;
                    1
                }
            };
        }
        Ok((at, 0))
    }

    fn data(&mut self, available: usize, received: u64) -> Result<usize, ProtocolError> {
        let room = self.room(received);
        if room == 0 {
            return Err(ProtocolError::BodyTooLarge { cap: self.caps.body_bytes });
        }
        let room = usize::try_from(room).unwrap_or(usize::MAX);
        let taken = take(&mut self.size, available.min(room));
        self.end_data();
        Ok(taken)
    }

    /// What the cap leaves.
    fn room(&self, received: u64) -> u64 {
        self.caps.body_bytes.saturating_sub(received)
    }

    fn end_data(&mut self) {
        if self.size == 0 {
            self.step = Step::DataCr;
        }
    }

    /// The way that nearly all chunks go, all at once: CRLF after the data, and a line of just a size.
    /// Says how many bytes that is; whatever else comes is for [`Self::unusual`].
    fn usual(&mut self, input: &[u8]) -> usize {
        let ending = match self.step {
            Step::Start => 0,
            Step::DataCr if input.starts_with(b"\r\n") => 2,
            _ => return 0,
        };
        match plain_size(&input[ending..]) {
            Some((size, digits)) if digits <= self.caps.chunk_line => {
                self.size = size;
                self.unpaid =
                    self.unpaid.saturating_sub(usize::try_from(size).unwrap_or(usize::MAX));
                self.step = if size == 0 { Step::Trailers } else { Step::Data };
                ending + digits + 2
            }
            _ => {
                self.step = Step::Start;
                ending
            }
        }
    }

    /// One byte of a chunk line (extensions apart) or of the line end after the data.
    fn framing(&mut self, byte: u8, after: u64) -> Result<Step, ProtocolError> {
        match (self.step, byte) {
            (Step::DataCr, b'\r') => Ok(Step::DataLf),
            (Step::DataLf, b'\n') => Ok(Step::Start),
            (Step::BlankLf, b'\n') => Ok(Step::Done),
            (Step::DataCr | Step::DataLf | Step::BlankLf, _) => {
                Err(ProtocolError::ChunkEnd { byte, after })
            }
            (Step::LineEnd, b'\n') => self.line_ended(),
            (Step::Size | Step::Space, b'\r') => Ok(Step::LineEnd),
            (Step::Size | Step::Space, b';' | b' ' | b'\t') => {
                self.count(1)?;
                Ok(if byte == b';' { Step::Extension } else { Step::Space })
            }
            (Step::Start | Step::Size, _) => self.digit(byte, after),
            _ => Err(ProtocolError::ChunkLine { byte, after }),
        }
    }

    fn digit(&mut self, byte: u8, after: u64) -> Result<Step, ProtocolError> {
        let Some(digit) = hex_digit(byte) else {
            return Err(ProtocolError::ChunkLine { byte, after });
        };
        self.count(1)?;
        // Below 2^60 a further digit fits.
        if self.size >> 60 != 0 {
            return Err(ProtocolError::ChunkSize { after });
        }
        self.size = self.size << 4 | digit;
        Ok(Step::Size)
    }

    fn count(&mut self, bytes: usize) -> Result<(), ProtocolError> {
        self.line += bytes;
        if self.line > self.caps.chunk_line {
            return Err(ProtocolError::ChunkLineTooLong { cap: self.caps.chunk_line });
        }
        Ok(())
    }

    /// Extensions mean nothing to us; they may not hold a control byte, which LF and NUL are.
    fn extension(&mut self, input: &[u8], after: u64) -> Result<usize, ProtocolError> {
        let room = self.caps.chunk_line.saturating_sub(self.line);
        let visible = input.get(..=room).unwrap_or(input);
        let mut at = 0;
        while let Some(offset) = find_control(&visible[at..]) {
            at += offset;
            match visible[at] {
                b'\t' => at += 1,
                b'\r' => {
                    self.extension += at;
                    self.step = Step::LineEnd;
                    return Ok(at + 1);
                }
                byte => return Err(ProtocolError::ChunkLine { byte, after }),
            }
        }
        self.count(visible.len())?;
        self.extension += visible.len();
        Ok(visible.len())
    }

    fn line_ended(&mut self) -> Result<Step, ProtocolError> {
        let paid = usize::try_from(self.size).unwrap_or(usize::MAX);
        self.unpaid = (self.unpaid + self.extension).saturating_sub(paid);
        if self.unpaid > self.caps.chunk_extensions {
            return Err(ProtocolError::ChunkExtensionsTooLarge { cap: self.caps.chunk_extensions });
        }
        self.line = 0;
        self.extension = 0;
        Ok(if self.size == 0 { Step::Trailers } else { Step::Data })
    }

    /// Collects one line of the trailer section, or the part of it that is there.
    fn trailer(&mut self, input: &[u8]) -> Result<usize, ProtocolError> {
        let tail = self.tail.get_or_insert_with(|| Box::new(Tail::Section(Vec::new())));
        let Tail::Section(section) = &mut **tail else { return Ok(0) };
        let line_feed = input.iter().position(|&byte| byte == b'\n');
        let part = &input[..line_feed.map_or(input.len(), |at| at + 1)];
        let room = self.caps.trailer_bytes.saturating_sub(section.len());
        let visible = part.get(..room).unwrap_or(part);
        section.extend_from_slice(visible);
        check_trailer(section, visible.len())?;
        if visible.len() < part.len() {
            return Err(ProtocolError::TrailersTooLarge { cap: self.caps.trailer_bytes });
        }
        if section.ends_with(b"\r\n\r\n") {
            let fields = parse::trailers(section, self.caps.fields)?;
            **tail = Tail::Fields(fields);
            self.step = Step::Done;
        }
        Ok(part.len())
    }

    pub(super) fn direct(&self, received: u64) -> Option<u64> {
        (self.step == Step::Data).then(|| self.size.min(self.room(received)))
    }

    pub(super) fn advance(&mut self, bytes: u64) {
        if self.step == Step::Data {
            self.size = self.size.saturating_sub(bytes);
            self.end_data();
        }
    }

    /// RFC 9112 §8: the body is complete once the zero-sized chunk is there. A trailer field that
    /// was cut is another matter.
    pub(super) fn eof(&mut self, received: u64) -> Result<(), ProtocolError> {
        match self.step {
            Step::Trailers | Step::BlankLf if self.tail.is_none() => self.step = Step::Done,
            Step::Trailers => return Err(ProtocolError::IncompleteTrailers { received }),
            Step::Done => {}
            _ => return Err(ProtocolError::IncompleteBody { expected: None, received }),
        }
        Ok(())
    }

    pub(super) fn is_done(&self) -> bool {
        self.step == Step::Done
    }

    pub(super) fn trailers(&self) -> Option<&Headers> {
        match self.tail.as_deref() {
            Some(Tail::Fields(fields)) => Some(fields),
            _ => None,
        }
    }
}

/// The size in a chunk line that is all there and has nothing else, and how many digits it has.
fn plain_size(input: &[u8]) -> Option<(u64, usize)> {
    let mut size = 0;
    // Eight digits cannot overflow; longer sizes are rare.
    for (at, &byte) in input.iter().enumerate().take(9) {
        match hex_digit(byte) {
            Some(digit) => size = size << 4 | digit,
            None => return (at > 0 && input[at..].starts_with(b"\r\n")).then_some((size, at)),
        }
    }
    None
}

fn hex_digit(byte: u8) -> Option<u64> {
    const NONE: u8 = 16;
    static DIGITS: [u8; 256] = {
        let mut digits = [NONE; 256];
        let mut value = 0;
        while value < NONE {
            digits[b"0123456789abcdef"[value as usize] as usize] = value;
            digits[b"0123456789ABCDEF"[value as usize] as usize] = value;
            value += 1;
        }
        digits
    };
    let digit = DIGITS[usize::from(byte)];
    (digit < NONE).then_some(u64::from(digit))
}

/// Looks at the last `new` bytes of the section (and the one before them): no control bytes, and
/// CR and LF only together.
fn check_trailer(section: &[u8], new: usize) -> Result<(), ProtocolError> {
    let from = (section.len() - new).saturating_sub(1);
    for at in from..section.len() {
        let previous = at.checked_sub(1).map(|before| section[before]);
        let fault = match section[at] {
            b'\n' if previous != Some(b'\r') => LineFault::LineEnd,
            byte if previous == Some(b'\r') && byte != b'\n' => LineFault::LineEnd,
            b'\r' | b'\n' | b'\t' => continue,
            byte if byte < 0x20 => LineFault::Value(byte),
            _ => continue,
        };
        let before = &section[..at];
        let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
        let start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |feed| feed + 1);
        return Err(ProtocolError::Trailer {
            fault,
            line,
            text: snippet_of_field(&section[start..=at]),
        });
    }
    Ok(())
}
