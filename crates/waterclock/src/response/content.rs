//! Reading the body of a [`Response`]: whole, as text, in pieces.

use super::Response;
use crate::error::Error;
use std::io::{self, Read};

impl Response {
    /// Reads the rest of the body. (Not called `bytes`, which [`Read`] has for something else.)
    ///
    /// # Errors
    /// A limit that fires, or a body that is cut, malformed or too large.
    pub fn content(&mut self) -> Result<Vec<u8>, Error> {
        let inner = &mut *self.0;
        inner.resume().and_then(|()| inner.read_all()).map_err(|failure| inner.call.error(failure))
    }

    /// Reads the rest of the body as UTF-8; what is not is replaced by U+FFFD.
    ///
    /// # Errors
    /// As [`content`](Self::content).
    pub fn text(&mut self) -> Result<String, Error> {
        let bytes = self.content()?;
        Ok(String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
    }

    /// Reads a part of the body into `out`; 0 at its end. [`Read`] does the same, with the
    /// [`Error`] inside an [`io::Error`].
    ///
    /// # Errors
    /// As [`content`](Self::content).
    pub fn read_body(&mut self, out: &mut [u8]) -> Result<usize, Error> {
        let inner = &mut *self.0;
        let result = inner.resume().and_then(|()| inner.body.read(&mut inner.call, out));
        inner.left_at = if inner.body.is_done() { inner.left_at } else { inner.call.now() };
        result.map_err(|failure| inner.call.error(failure))
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
