//! [`Scan`]: where does the head end? Each byte is looked at once, however slowly they drip in.

use super::Caps;
use super::error::ProtocolError;
use crate::message::{controls, snippet};

/// How far a head has been looked through.
///
/// On the way control bytes are refused where they stand, and a beginning that cannot become a
/// status line is refused at once: the peer may hold the connection open and say nothing more.
#[derive(Clone, Debug, Default)]
pub(super) struct Scan {
    /// Everything before this offset is known.
    at: usize,
    /// Where the status line begins: after an empty line, if there was one.
    start: usize,
    /// Where the line begins that `at` stands in.
    line: usize,
    /// How many non-empty lines have ended.
    lines: usize,
    /// Whether a line began with white space, which continues the line before it.
    folded: bool,
}

/// A head that is all there.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// Where the status line begins.
    pub(super) start: usize,
    /// Behind the blank line.
    pub(super) end: usize,
    /// How many field lines there are at most.
    pub(super) fields: usize,
    /// Whether folded lines have to be unfolded.
    pub(super) folded: bool,
}

impl Scan {
    /// Whether nothing was looked at yet.
    pub(super) fn is_fresh(&self) -> bool {
        self.at == 0
    }

    /// Looks at the bytes of `input` that were not there last time.
    pub(super) fn resume(
        &mut self,
        input: &[u8],
        caps: &Caps,
    ) -> Result<Option<Found>, ProtocolError> {
        let visible = input.get(..caps.head_bytes).unwrap_or(input);
        let found = self.find_end(visible, caps);
        // A wrong beginning says more than the control byte further on.
        check_beginning(input.get(self.start..).unwrap_or_default())?;
        match found {
            Ok(None) if visible.len() == caps.head_bytes => {
                Err(ProtocolError::HeadTooLarge { cap: caps.head_bytes })
            }
            other => other,
        }
    }

    fn find_end(&mut self, input: &[u8], caps: &Caps) -> Result<Option<Found>, ProtocolError> {
        let from = self.at;
        for offset in controls(input.get(from..).unwrap_or_default()) {
            let at = from + offset;
            match (input[at], input.get(at + 1)) {
                (b'\n', _) => {
                    if let Some(found) = self.end_line(input, at, caps)? {
                        return Ok(Some(found));
                    }
                }
                (b'\t', _) | (b'\r', Some(b'\n')) => {}
                (b'\r', None) => {
                    self.at = at;
                    return Ok(None);
                }
                (byte, _) => return Err(ProtocolError::ControlByte { byte, offset: at }),
            }
        }
        self.at = input.len();
        Ok(None)
    }

    /// A line has ended with the LF at `line_feed`. A blank one ends the head.
    fn end_line(
        &mut self,
        input: &[u8],
        line_feed: usize,
        caps: &Caps,
    ) -> Result<Option<Found>, ProtocolError> {
        let first = input[self.line];
        let blank = self.line == line_feed || (first == b'\r' && self.line + 1 == line_feed);
        let end = line_feed + 1;
        self.line = end;
        match (blank, self.lines) {
            (true, 0) if self.start > 0 => {
                return Err(ProtocolError::NotHttp { received: snippet(input) });
            }
            (true, 0) => self.start = end,
            (true, lines) => {
                let (start, folded) = (self.start, self.folded);
                return Ok(Some(Found { start, end, fields: lines - 1, folded }));
            }
            (false, lines) if lines > caps.fields => {
                return Err(ProtocolError::TooManyFields { cap: caps.fields });
            }
            (false, lines) => {
                self.folded |= matches!(first, b' ' | b'\t');
                self.lines = lines + 1;
            }
        }
        Ok(None)
    }
}

/// Refuses a beginning that no further byte can turn into `HTTP/1.1 200` (RFC 9112 §4).
fn check_beginning(input: &[u8]) -> Result<(), ProtocolError> {
    const SHAPE: &[u8] = b"HTTP/1.x ddd";
    for (offset, &byte) in input.iter().enumerate().take(SHAPE.len() + 1) {
        let fits = match SHAPE.get(offset) {
            // The line may also end here: the reason phrase is optional.
            None => matches!(byte, b' ' | b'\r' | b'\n'),
            Some(b'x') => matches!(byte, b'0' | b'1'),
            // No status code is below 100.
            Some(b'd') => byte.is_ascii_digit() && (offset > 9 || byte != b'0'),
            Some(&expected) => byte == expected,
        };
        if !fits {
            let received = snippet(first_line(input));
            return Err(match offset {
                // An empty line may come before the status line.
                0 if matches!(byte, b'\r') && input.len() == 1 => return Ok(()),
                0..5 => ProtocolError::NotHttp { received },
                5..9 => ProtocolError::Version { received },
                _ => ProtocolError::Status { received },
            });
        }
    }
    Ok(())
}

/// The line without its end, as far as it is there.
fn first_line(input: &[u8]) -> &[u8] {
    let end = input.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
    &input[..end.unwrap_or(input.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(input: &[u8]) -> Result<Option<Found>, ProtocolError> {
        Scan::default().resume(input, &Caps::default())
    }

    #[test]
    fn finds_the_end_whatever_the_line_ends() {
        for (input, fields) in [
            ("HTTP/1.1 200 OK\r\n\r\nrest", 0),
            ("HTTP/1.1 200 OK\n\nrest", 0),
            ("HTTP/1.1 200\r\nA: b\n\r\nrest", 1),
            ("HTTP/1.1 200 OK\r\nA:\tb\r\nC: \r\n\nrest", 2),
        ] {
            let found = whole(input.as_bytes()).unwrap().unwrap();
            assert_eq!(&input[found.end..], "rest");
            assert_eq!((found.start, found.fields, found.folded), (0, fields, false), "{input:?}");
        }
    }

    #[test]
    fn a_line_of_white_space_is_not_blank() {
        let found = whole(b"HTTP/1.1 200 OK\r\nA: b\r\n \r\nC: d\r\n\r\n").unwrap().unwrap();
        assert_eq!((found.end, found.fields, found.folded), (34, 3, true));
    }

    #[test]
    fn one_empty_line_may_come_first() {
        assert_eq!(whole(b"\r\nHTTP/1.1 200 OK\r\n\r\n").unwrap().unwrap().start, 2);
        assert_eq!(whole(b"\nHTTP/1.1 200 OK\r\n\r\n").unwrap().unwrap().start, 1);
        assert_eq!(whole(b"\r"), Ok(None));
        assert_eq!(whole(b"\r\n"), Ok(None));
        assert_eq!(whole(b"\r\n\r"), Ok(None));
        assert!(whole(b"\r\n\r\n").is_err());
        assert!(whole(b"\n\nHTTP/1.1 200 OK\r\n\r\n").is_err());
    }

    #[test]
    fn every_byte_is_looked_at_once() {
        let mut scan = Scan::default();
        let input = b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n";
        for end in 0..input.len() {
            assert_eq!(scan.resume(&input[..end], &Caps::default()), Ok(None));
            // A CR is looked at again when the byte behind it has come; nothing else is.
            assert!(scan.at + 1 >= end, "{end}");
        }
        assert!(scan.resume(input, &Caps::default()).unwrap().is_some());
    }

    #[test]
    fn refuses_as_soon_as_the_beginning_is_wrong() {
        for (input, wrong_from) in [
            ("SSH-2.0-OpenSSH", 1),
            ("ICY 200 OK", 1),
            ("http/1.1 200", 1),
            (" HTTP/1.1", 1),
            ("HTTP/2.0 200", 6),
            ("HTTP/1.2 200", 8),
            ("HTTP/1.10 200", 9),
            ("HTTP/1.1  200", 10),
            ("HTTP/1.1 099", 10),
            ("HTTP/1.1 2OO", 11),
            ("HTTP/1.1 20 OK", 12),
            ("HTTP/1.1 2000", 13),
        ] {
            for end in 0..=input.len() {
                let got = whole(&input.as_bytes()[..end]);
                assert_eq!(got.is_err(), end >= wrong_from, "{:?}", &input[..end]);
            }
        }
    }
}
