//! [`RequestBody`]: the content of a request, in memory or from a source.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;
use waterclock_proto::h1::BodyLength;

/// The content of a request.
///
/// ```
/// use waterclock::RequestBody;
///
/// let text = RequestBody::from("in memory: sent with Content-Length, as often as need be");
/// let lines = RequestBody::chunks(["one\n", "two\n"].into_iter());
/// let file = RequestBody::file(std::fs::File::open("Cargo.toml")?)?;
/// assert!(text.is_replayable() && file.is_replayable());
/// assert_eq!(lines.length(), None);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Default)]
#[non_exhaustive]
pub enum RequestBody {
    /// None.
    #[default]
    Empty,
    /// Bytes in memory; they can be sent again.
    Bytes(Arc<[u8]>),
    /// Bytes from a source. Time spent in it is the caller's: `total` runs on, `write` does not.
    Streamed(Streamed),
}

/// Where a streamed body comes from.
///
/// A redirect, a retry or a challenge may ask for the body a second time. A source that can go back
/// to its beginning says so; one that cannot ends the call with an error then, never with half a
/// body.
pub trait BodySource: Read + Send {
    /// Whether [`rewind`](Self::rewind) can work. Default: no.
    fn is_rewindable(&self) -> bool {
        false
    }

    /// Goes back to the beginning.
    ///
    /// # Errors
    /// What keeps it from that; by default that it cannot.
    fn rewind(&mut self) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// A body from a [`BodySource`].
pub struct Streamed {
    source: Box<dyn BodySource>,
    length: Option<u64>,
    /// Whether anything may have been read from the source.
    started: bool,
}

impl RequestBody {
    /// Streams from `reader`, once: chunked, or `length` bytes with a Content-Length.
    pub fn reader(reader: impl Read + Send + 'static, length: Option<u64>) -> Self {
        RequestBody::source(Once(reader), length)
    }

    /// Streams from `source`: chunked, or `length` bytes with a Content-Length.
    pub fn source(source: impl BodySource + 'static, length: Option<u64>) -> Self {
        RequestBody::Streamed(Streamed { source: Box::new(source), length, started: false })
    }

    /// Streams from `reader` what follows its present position, with a Content-Length. It goes back
    /// there if the body is needed again.
    ///
    /// # Errors
    /// When it cannot be sought in.
    pub fn seekable(mut reader: impl Read + Seek + Send + 'static) -> io::Result<Self> {
        let start = reader.stream_position()?;
        let end = reader.seek(SeekFrom::End(0))?;
        reader.seek(SeekFrom::Start(start))?;
        let length = Some(end.saturating_sub(start));
        Ok(RequestBody::source(Seekable { reader, start }, length))
    }

    /// Streams a file from its present position: with a Content-Length if it is a regular file,
    /// chunked if it is a pipe or a device.
    ///
    /// # Errors
    /// When the system does not say what it is.
    pub fn file(file: File) -> io::Result<Self> {
        if file.metadata()?.is_file() {
            RequestBody::seekable(file)
        } else {
            Ok(RequestBody::reader(file, None))
        }
    }

    /// Streams the pieces that an iterator gives, once and chunked. Empty ones are left out.
    pub fn chunks<I>(pieces: I) -> Self
    where
        I: Iterator<Item: AsRef<[u8]> + Send> + Send + 'static,
    {
        RequestBody::reader(Pieces { pieces, current: None, at: 0 }, None)
    }

    /// How many bytes it has, if that is known; 0 for none.
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        match self {
            RequestBody::Empty => Some(0),
            RequestBody::Bytes(bytes) => Some(bytes.len() as u64),
            RequestBody::Streamed(streamed) => streamed.length,
        }
    }

    /// The bytes, if they are in memory.
    #[must_use]
    pub fn bytes(&self) -> Option<&[u8]> {
        match self {
            RequestBody::Empty => Some(&[]),
            RequestBody::Bytes(bytes) => Some(bytes),
            RequestBody::Streamed(_) => None,
        }
    }

    /// Whether the body can be sent (again, if it has been sent).
    #[must_use]
    pub fn is_replayable(&self) -> bool {
        match self {
            RequestBody::Empty | RequestBody::Bytes(_) => true,
            RequestBody::Streamed(streamed) => !streamed.started || streamed.source.is_rewindable(),
        }
    }

    /// Makes the body ready to be sent from its beginning.
    ///
    /// # Errors
    /// When it was used and cannot go back.
    pub fn rewind(&mut self) -> io::Result<()> {
        match self {
            RequestBody::Streamed(streamed) if streamed.started => {
                streamed.source.rewind()?;
                streamed.started = false;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// How its length is told to the server.
    pub(crate) fn framing_length(&self) -> BodyLength {
        match self {
            RequestBody::Empty => BodyLength::None,
            body => body.length().map_or(BodyLength::Unknown, BodyLength::Known),
        }
    }
}

impl Streamed {
    /// The source, to be read for sending.
    pub(crate) fn start(&mut self) -> &mut dyn Read {
        self.started = true;
        &mut self.source
    }
}

impl fmt::Debug for RequestBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RequestBody::Empty => f.write_str("Empty"),
            RequestBody::Bytes(bytes) => write!(f, "Bytes({})", bytes.len()),
            RequestBody::Streamed(streamed) => streamed.fmt(f),
        }
    }
}

impl fmt::Debug for Streamed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Streamed({:?})", self.length)
    }
}

impl From<Vec<u8>> for RequestBody {
    fn from(bytes: Vec<u8>) -> Self {
        RequestBody::Bytes(bytes.into())
    }
}

impl From<String> for RequestBody {
    fn from(text: String) -> Self {
        RequestBody::Bytes(text.into_bytes().into())
    }
}

impl From<&[u8]> for RequestBody {
    fn from(bytes: &[u8]) -> Self {
        RequestBody::Bytes(bytes.into())
    }
}

impl From<&str> for RequestBody {
    fn from(text: &str) -> Self {
        RequestBody::Bytes(text.as_bytes().into())
    }
}

impl From<Arc<[u8]>> for RequestBody {
    fn from(bytes: Arc<[u8]>) -> Self {
        RequestBody::Bytes(bytes)
    }
}

/// A reader that cannot go back.
struct Once<R>(R);

impl<R: Read> Read for Once<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.0.read(out)
    }
}

impl<R: Read + Send> BodySource for Once<R> {}

/// A reader that goes back to where it was at the beginning.
struct Seekable<R> {
    reader: R,
    start: u64,
}

impl<R: Read> Read for Seekable<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.reader.read(out)
    }
}

impl<R: Read + Seek + Send> BodySource for Seekable<R> {
    fn is_rewindable(&self) -> bool {
        true
    }

    fn rewind(&mut self) -> io::Result<()> {
        self.reader.seek(SeekFrom::Start(self.start)).map(drop)
    }
}

/// The pieces of an iterator, as a reader.
struct Pieces<I: Iterator> {
    pieces: I,
    current: Option<I::Item>,
    at: usize,
}

impl<I: Iterator<Item: AsRef<[u8]>>> Read for Pieces<I> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(piece) = &self.current {
                let rest = piece.as_ref().get(self.at..).unwrap_or_default();
                if !rest.is_empty() {
                    let count = rest.len().min(out.len());
                    out[..count].copy_from_slice(&rest[..count]);
                    self.at += count;
                    return Ok(count);
                }
            }
            let Some(next) = self.pieces.next() else { return Ok(0) };
            (self.current, self.at) = (Some(next), 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn read(body: &mut RequestBody) -> Vec<u8> {
        let RequestBody::Streamed(streamed) = body else { panic!("not streamed") };
        let mut all = Vec::new();
        streamed.start().read_to_end(&mut all).unwrap();
        all
    }

    #[test]
    fn a_seekable_body_is_sent_again_from_where_it_was() {
        let mut cursor = Cursor::new(b"head|content".to_vec());
        cursor.set_position(5);
        let mut body = RequestBody::seekable(cursor).unwrap();
        assert_eq!(body.length(), Some(7));
        for _ in 0..2 {
            assert_eq!(read(&mut body), b"content");
            assert!(body.is_replayable());
            body.rewind().unwrap();
        }
    }

    #[test]
    fn a_reader_is_used_up() {
        let mut body = RequestBody::reader(Cursor::new("once"), None);
        assert!(body.is_replayable(), "it has not been sent yet");
        body.rewind().unwrap();
        assert_eq!(read(&mut body), b"once");
        assert!(!body.is_replayable());
        assert!(body.rewind().is_err());
    }

    #[test]
    fn pieces_come_in_order() {
        let mut body =
            RequestBody::chunks(["ab".to_owned(), String::new(), "c".into()].into_iter());
        assert_eq!(body.length(), None);
        assert_eq!(read(&mut body), b"abc");
    }
}
