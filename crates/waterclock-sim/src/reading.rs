//! What a script expects to arrive: it says how many bytes belong to it and when it is complete.
//!
//! Deliberately not the client's own parser, which is what the tests are about.

/// Something expected, and how much of it has come.
#[derive(Clone, Debug)]
pub(crate) enum Reading {
    /// A request head, with what has come of it.
    Head(Vec<u8>),
    /// This many more bytes.
    Exactly(u64),
    /// A chunked body.
    Chunked(Chunks),
    /// Whatever comes.
    Everything,
}

impl Reading {
    /// The body that belongs to `head`.
    pub(crate) fn body_of(head: &[u8]) -> Reading {
        let chunked = field(head, "transfer-encoding")
            .is_some_and(|coding| coding.to_ascii_lowercase().ends_with("chunked"));
        if chunked {
            return Reading::Chunked(Chunks::Size(0));
        }
        let length = field(head, "content-length").and_then(|length| length.parse().ok());
        Reading::Exactly(length.unwrap_or(0))
    }

    /// Whether it needs nothing more.
    pub(crate) fn is_complete(&self) -> bool {
        match self {
            Reading::Head(head) => head.ends_with(b"\r\n\r\n"),
            Reading::Exactly(left) => *left == 0,
            Reading::Chunked(chunks) => matches!(chunks, Chunks::Complete),
            Reading::Everything => false,
        }
    }

    /// Uses as much of `bytes` as belongs to it; says how much that is.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> usize {
        match self {
            Reading::Head(head) => {
                for (used, byte) in bytes.iter().enumerate() {
                    if head.ends_with(b"\r\n\r\n") {
                        return used;
                    }
                    head.push(*byte);
                }
                bytes.len()
            }
            Reading::Exactly(left) => {
                let used = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                *left -= used as u64;
                used
            }
            Reading::Chunked(chunks) => {
                for (used, byte) in bytes.iter().enumerate() {
                    if matches!(chunks, Chunks::Complete) {
                        return used;
                    }
                    *chunks = chunks.after(*byte);
                }
                bytes.len()
            }
            Reading::Everything => bytes.len(),
        }
    }

    pub(crate) fn describe(&self) -> String {
        match self {
            Reading::Head(head) => {
                format!("expects a request head, has {} bytes of it", head.len())
            }
            Reading::Exactly(left) => format!("expects {left} more bytes"),
            Reading::Chunked(chunks) => format!("expects more of a chunked body: {chunks:?}"),
            Reading::Everything => "reads whatever comes".to_owned(),
        }
    }
}

/// Where in a chunked body (RFC 9112, section 7.1) we are.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Chunks {
    /// In a chunk's size, as far as it has been read.
    Size(u64),
    /// Between a chunk's size and the end of that line.
    Extension(u64),
    /// In a chunk: so many bytes to come, with the line end behind them.
    Data(u64),
    /// In the trailer section, this far into the line.
    Trailer(usize),
    /// Behind the last line.
    Complete,
}

impl Chunks {
    #[allow(clippy::panic, reason = "a test tool: the client sent nonsense")]
    fn after(self, byte: u8) -> Chunks {
        let digit = char::from(byte).to_digit(16);
        match (self, byte) {
            (Chunks::Size(0) | Chunks::Extension(0), b'\n') => Chunks::Trailer(0),
            (Chunks::Size(size) | Chunks::Extension(size), b'\n') => Chunks::Data(size + 2),
            (Chunks::Size(size), b'\r' | b';' | b' ' | b'\t') => Chunks::Extension(size),
            (Chunks::Size(size), _) => match digit {
                Some(digit) => Chunks::Size(size * 16 + u64::from(digit)),
                None => panic!("the client sent {:?} in a chunk's size", char::from(byte)),
            },
            (Chunks::Extension(size), _) => Chunks::Extension(size),
            (Chunks::Data(1), _) => Chunks::Size(0),
            (Chunks::Data(left), _) => Chunks::Data(left - 1),
            (Chunks::Trailer(0), b'\n') => Chunks::Complete,
            (Chunks::Trailer(_), b'\n') => Chunks::Trailer(0),
            (Chunks::Trailer(at), b'\r') => Chunks::Trailer(at),
            (Chunks::Trailer(at), _) => Chunks::Trailer(at + 1),
            (Chunks::Complete, _) => Chunks::Complete,
        }
    }
}

/// The value of the field called `name` in a request head.
fn field(head: &[u8], name: &str) -> Option<String> {
    let text = String::from_utf8_lossy(head);
    text.lines().skip(1).find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds byte by byte and at once: both must use the same and be complete.
    fn uses(reading: &Reading, bytes: &[u8]) -> usize {
        let mut whole = reading.clone();
        let used = whole.feed(bytes);
        assert!(whole.is_complete(), "{}", whole.describe());
        let mut slow = reading.clone();
        let singly = bytes.iter().map(|byte| slow.feed(std::slice::from_ref(byte))).sum::<usize>();
        assert_eq!(singly, used);
        used
    }

    #[test]
    fn a_head_ends_at_its_empty_line() {
        assert_eq!(uses(&Reading::Head(Vec::new()), b"GET / HTTP/1.1\r\nA: b\r\n\r\nrest"), 24);
        let mut part = Reading::Head(Vec::new());
        assert_eq!(part.feed(b"GET / HTTP/1.1\r\n"), 16);
        assert!(!part.is_complete());
    }

    #[test]
    fn a_length_is_taken_from_the_head() {
        let body = Reading::body_of(b"PUT / HTTP/1.1\r\ncontent-LENGTH: 5\r\n\r\n");
        assert_eq!(uses(&body, b"helloGET"), 5);
        assert!(Reading::body_of(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").is_complete());
    }

    #[test]
    fn chunks_end_behind_the_trailers() {
        let body = Reading::body_of(b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
        let plain = b"5\r\nhello\r\n0\r\n\r\n";
        assert_eq!(uses(&body, plain), plain.len());
        let rich = b"a;x=1\r\n0123456789\r\n0\r\nDigest: 7\r\n\r\nGET";
        assert_eq!(uses(&body, rich), rich.len() - 3);
    }
}
