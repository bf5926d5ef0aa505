//! Reading the body of a [`Response`]: whole, as text, in pieces.

use super::Response;
use crate::body::Body;
use crate::call::Call;
use crate::error::{Error, Outcome};
#[cfg(feature = "json")]
use crate::error::{ErrorKind, Failure};
use std::borrow::Cow;
use std::io::{self, Read};
use waterclock_proto::charset::{self, Fallback, Lines, TextDecoder, TextLines};

/// So much is read at a time where lines are looked for.
const LINES_PIECE: usize = 16 * 1024;

impl Response {
    /// Reads the rest of the body. (Not called `bytes`, which [`Read`] has for something else.)
    ///
    /// # Errors
    /// A limit that fires, or a body that is cut, malformed or too large.
    pub fn content(&mut self) -> Result<Vec<u8>, Error> {
        let inner = &mut *self.0;
        inner.resume().and_then(|()| inner.read_all()).map_err(|failure| inner.call.error(failure))
    }

    /// Reads the rest of the body as text. Its charset is that of a byte order mark, of the
    /// Content-Type, of the document itself or, if none of them says, is found out from the bytes;
    /// [`charset`] has the rules. What it cannot decode becomes U+FFFD.
    ///
    /// # Errors
    /// As [`content`](Self::content).
    pub fn text(&mut self) -> Result<String, Error> {
        self.text_with(Fallback::Detect)
    }

    /// [`text`](Self::text), with another rule for text whose Content-Type names no charset:
    /// [`Fallback::Latin1`] is that of requests.
    ///
    /// # Errors
    /// As [`content`](Self::content).
    pub fn text_with(&mut self, fallback: Fallback) -> Result<String, Error> {
        let bytes = self.content()?;
        let decoded = charset::decode(&bytes, self.headers().get("Content-Type"), fallback);
        match decoded.text {
            Cow::Owned(text) => Ok(text),
            // All of it is UTF-8 without a mark, or only the mark is missing: no copy in the first case.
            Cow::Borrowed(text) if text.len() == bytes.len() => {
                Ok(String::from_utf8(bytes).unwrap_or_default())
            }
            Cow::Borrowed(text) => Ok(text.to_owned()),
        }
    }

    /// Reads the rest of the body as JSON (UTF-8, or UTF-16 and UTF-32 as their first bytes tell).
    ///
    /// ```no_run
    /// let mut response = waterclock::get("https://example.com/items")?;
    /// let items: Vec<u64> = response.json()?;
    /// # Ok::<(), waterclock::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`content`](Self::content), and [`ErrorKind::Decode`] with line and column if it is no JSON
    /// or not of this shape.
    #[cfg(feature = "json")]
    pub fn json<T: serde::de::DeserializeOwned>(&mut self) -> Result<T, Error> {
        let bytes = self.content()?;
        let text = charset::decode(&bytes, Some(b"application/json"), Fallback::Detect).text;
        serde_json::from_str(&text).map_err(|error| {
            let context = "the body is not the JSON that was expected";
            self.0.call.error(Failure::from_error(ErrorKind::Decode, context, error))
        })
    }

    /// The lines of the body as text, as they come. A line ends with LF, CR LF or CR, wherever the
    /// peer cut its packets; the last one may have no end.
    ///
    /// ```no_run
    /// let mut response = waterclock::get("https://example.com/events")?;
    /// for line in response.lines() {
    ///     println!("{}", line?);
    /// }
    /// # Ok::<(), waterclock::Error>(())
    /// ```
    pub fn lines(&mut self) -> ResponseLines<'_> {
        let decoder = TextDecoder::new(self.headers().get("Content-Type"), Fallback::Detect);
        let lines = TextLines::new(decoder, Lines::new());
        ResponseLines { response: self, lines, piece: vec![0; LINES_PIECE], ended: false }
    }

    /// Reads the rest of the body and keeps it, to be read (again) by whoever comes next: a hook that
    /// looks at the body leaves it to the caller this way.
    ///
    /// # Errors
    /// As [`content`](Self::content).
    pub fn buffer(&mut self) -> Result<&[u8], Error> {
        let bytes = self.content()?;
        self.replace_body(bytes);
        Ok(self.0.body.in_memory())
    }

    /// Puts `body` in the place of what is left of the body.
    pub fn replace_body(&mut self, body: Vec<u8>) {
        let inner = &mut *self.0;
        inner.body.drain(&mut inner.call, None, None);
        inner.body.replace(body);
    }

    /// Reads a part of the body into `out`; 0 at its end. [`Read`] does the same, with the
    /// [`Error`] inside an [`io::Error`].
    ///
    /// # Errors
    /// As [`content`](Self::content).
    pub fn read_body(&mut self, out: &mut [u8]) -> Result<usize, Error> {
        self.read_with(|body, call| body.read(call, out))
    }

    /// [`read_body`](Self::read_body) until `out` is full or the body ends.
    ///
    /// # Errors
    /// As [`content`](Self::content). How much was read before is not said then.
    pub fn read_full(&mut self, out: &mut [u8]) -> Result<usize, Error> {
        self.read_with(|body, call| body.read_full(call, out))
    }

    /// [`read_body`](Self::read_body), but never over the end of a chunk of the transfer coding, for
    /// peers whose chunks mean something. Each small chunk costs a call.
    ///
    /// # Errors
    /// As [`content`](Self::content).
    pub fn read_chunk(&mut self, out: &mut [u8]) -> Result<usize, Error> {
        self.read_with(|body, call| body.read_chunk(call, out))
    }

    fn read_with(
        &mut self,
        read: impl FnOnce(&mut Body, &mut Call) -> Outcome<usize>,
    ) -> Result<usize, Error> {
        let inner = &mut *self.0;
        let result = inner.resume().and_then(|()| read(&mut inner.body, &mut inner.call));
        inner.left_at = if inner.body.is_done() { inner.left_at } else { inner.call.now() };
        result.map_err(|failure| inner.call.error(failure))
    }

    /// Gives the body as it comes from the wire from now on, content codings and all, as
    /// [`Request::decode`](crate::Request::decode) would have. `false` if reading has begun and
    /// something was decoded already.
    pub fn keep_coded(&mut self) -> bool {
        self.0.body.keep_coded()
    }

    /// The rest of the body in pieces of at most `size` bytes.
    ///
    /// # Panics
    /// If `size` is 0.
    pub fn chunks(&mut self, size: usize) -> Chunks<'_> {
        assert!(size > 0, "chunks of no size would never end");
        Chunks { response: self, size }
    }
}

impl Read for Response {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.read_body(out).map_err(|error| {
            let kind =
                if error.is_timeout() { io::ErrorKind::TimedOut } else { io::ErrorKind::Other };
            io::Error::new(kind, error)
        })
    }
}

/// The pieces of a body; see [`Response::chunks`].
#[derive(Debug)]
pub struct Chunks<'r> {
    response: &'r mut Response,
    size: usize,
}

impl Iterator for Chunks<'_> {
    type Item = Result<Vec<u8>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut piece = vec![0; self.size];
        match self.response.read_body(&mut piece) {
            Ok(0) => None,
            Ok(count) => {
                piece.truncate(count);
                Some(Ok(piece))
            }
            Err(error) => Some(Err(error)),
        }
    }
}

/// The lines of a body; see [`Response::lines`].
#[derive(Debug)]
pub struct ResponseLines<'r> {
    response: &'r mut Response,
    lines: TextLines,
    piece: Vec<u8>,
    ended: bool,
}

impl Iterator for ResponseLines<'_> {
    type Item = Result<String, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            // No length was capped, so no line is too long.
            if let Ok(Some(line)) = self.lines.next_line() {
                return Some(Ok(line));
            }
            if self.ended {
                return None;
            }
            match self.response.read_body(&mut self.piece) {
                Ok(0) => {
                    self.ended = true;
                    self.lines.finish();
                }
                Ok(count) => self.lines.push(self.piece.get(..count).unwrap_or_default()),
                Err(error) => {
                    self.ended = true;
                    return Some(Err(error));
                }
            }
        }
    }
}
