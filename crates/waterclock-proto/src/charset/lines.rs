//! [`Lines`] and [`TextLines`]: a body as lines, while it arrives.

use super::TextDecoder;
use std::{error, fmt};

/// Splits bytes into lines while they arrive: at `\n`, `\r\n` and `\r`, wherever the bytes are cut.
///
/// A line comes out as soon as its end is there; after `\r` that is at once, and a `\n` that follows
/// belongs to it. The last line needs no end. Two things differ from requests' `iter_lines`, which
/// gives an empty line where a `\r\n` is cut in two, and splits text also at form feeds, U+0085,
/// U+2028 and the other ends of `str.splitlines`.
///
/// The bytes have to be in a charset that keeps ASCII (UTF-8 does); for others there is
/// [`TextLines`].
///
/// ```
/// use waterclock_proto::charset::Lines;
///
/// let mut lines = Lines::new();
/// lines.push(b"one\r");
/// assert_eq!(lines.next_line()?, Some(&b"one"[..]));
/// lines.push(b"\ntwo");
/// assert_eq!(lines.next_line()?, None);
/// lines.finish();
/// assert_eq!(lines.next_line()?, Some(&b"two"[..]));
/// # Ok::<(), waterclock_proto::charset::LineTooLong>(())
/// ```
#[derive(Debug, Default)]
pub struct Lines {
    buffer: Vec<u8>,
    /// Where the next line begins.
    start: usize,
    /// Up to where there is no line end after `start`.
    searched: usize,
    /// Whether the last line ended with `\r`.
    after_cr: bool,
    finished: bool,
    longest: Option<usize>,
}

impl Lines {
    /// Lines of any length.
    #[must_use]
    pub fn new() -> Self {
        Lines::default()
    }

    /// Lines of no more than `longest` bytes, without their end.
    #[must_use]
    pub fn with_longest(longest: usize) -> Self {
        Lines { longest: Some(longest), ..Lines::default() }
    }

    /// Adds bytes. Ask for lines before adding more, or they are all kept.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.start);
        self.searched -= self.start;
        self.start = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// Says that no more bytes come, so that what is left is a line.
    pub fn finish(&mut self) {
        self.finished = true;
    }

    /// The next line without its end; `None` until there are more bytes, or when all are read.
    ///
    /// # Errors
    /// [`LineTooLong`] for the first line that passes the limit, and ever after.
    pub fn next_line(&mut self) -> Result<Option<&[u8]>, LineTooLong> {
        self.pass_lf();
        let rest = self.buffer.get(self.searched..).unwrap_or_default();
        let found = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
        let end = found.map_or(self.buffer.len(), |at| self.searched + at);
        if let Some(longest) = self.longest.filter(|&longest| end - self.start > longest) {
            return Err(LineTooLong { longest });
        }
        self.searched = end;
        let start = self.start;
        if found.is_some() {
            self.after_cr = self.buffer.get(end) == Some(&b'\r');
            self.start = end + 1;
            self.searched = self.start;
        } else if self.finished && start < end {
            self.start = end;
        } else {
            return Ok(None);
        }
        Ok(self.buffer.get(start..end))
    }

    /// Steps over the second half of a `\r\n`.
    fn pass_lf(&mut self) {
        if self.after_cr
            && let Some(&byte) = self.buffer.get(self.start)
        {
            self.after_cr = false;
            if byte == b'\n' {
                self.start += 1;
                self.searched = self.start;
            }
        }
    }
}

/// Splits a body of any charset into lines of text while it arrives.
///
/// ```
/// use waterclock_proto::charset::{Fallback, Lines, TextDecoder, TextLines};
///
/// let decoder = TextDecoder::new(Some(b"text/plain; charset=utf-16le"), Fallback::Detect);
/// let mut lines = TextLines::new(decoder, Lines::new());
/// lines.push(b"a\0\n");
/// lines.push(b"\0b\0");
/// lines.finish();
/// assert_eq!(lines.next_line()?.as_deref(), Some("a"));
/// assert_eq!(lines.next_line()?.as_deref(), Some("b"));
/// assert_eq!(lines.next_line()?, None);
/// # Ok::<(), waterclock_proto::charset::LineTooLong>(())
/// ```
#[derive(Debug)]
pub struct TextLines {
    decoder: TextDecoder,
    lines: Lines,
    /// Between the two; empty but for its room.
    text: String,
}

impl TextLines {
    /// Lines of what `decoder` decodes. The limit of `lines` is in bytes of UTF-8.
    #[must_use]
    pub fn new(decoder: TextDecoder, lines: Lines) -> Self {
        TextLines { decoder, lines, text: String::new() }
    }

    /// Adds bytes of the body. Ask for lines before adding more, or they are all kept.
    pub fn push(&mut self, bytes: &[u8]) {
        self.decoder.push(bytes, &mut self.text);
        self.pass_on();
    }

    /// Says that no more bytes come.
    pub fn finish(&mut self) {
        self.decoder.finish(&mut self.text);
        self.pass_on();
        self.lines.finish();
    }

    /// The next line without its end; `None` until there are more bytes, or when all are read.
    ///
    /// # Errors
    /// As [`Lines::next_line`].
    pub fn next_line(&mut self) -> Result<Option<String>, LineTooLong> {
        let line = self.lines.next_line()?;
        // It was text before it was cut at ASCII bytes, so nothing is replaced.
        Ok(line.map(|line| String::from_utf8_lossy(line).into_owned()))
    }

    /// The decoder, which knows the charset.
    #[must_use]
    pub fn decoder(&self) -> &TextDecoder {
        &self.decoder
    }

    fn pass_on(&mut self) {
        self.lines.push(self.text.as_bytes());
        self.text.clear();
    }
}

/// A line passed the limit that was set for lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineTooLong {
    /// The limit, in bytes.
    pub longest: usize,
}

impl fmt::Display for LineTooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a line of the body is longer than the {} bytes allowed", self.longest)
    }
}

impl error::Error for LineTooLong {}
