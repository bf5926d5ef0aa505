//! [`ProtocolError`]: what the peer did wrong, and where.

use std::fmt;

/// Why what the peer sent (or did not send) is not a response.
///
/// Pieces of remote input in it are short and have their control bytes escaped, so a message is
/// safe to print.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProtocolError {
    /// The first bytes are not those of an HTTP/1.x response.
    NotHttp {
        /// How the input begins.
        received: Box<str>,
    },
    /// The peer speaks HTTP, but neither 1.0 nor 1.1.
    Version {
        /// How the input begins.
        received: Box<str>,
    },
    /// The status code is not three digits from 100 up.
    Status {
        /// How the input begins.
        received: Box<str>,
    },
    /// A control byte in a head; CR without LF is one.
    ControlByte {
        /// The byte.
        byte: u8,
        /// Where in the head.
        offset: usize,
    },
    /// A line of the head is not a header field.
    Field {
        /// What is wrong.
        fault: LineFault,
        /// Which line of the head; the status line is 1.
        line: usize,
        /// The line.
        text: Box<str>,
    },
    /// A line of the trailer section is not a field.
    Trailer {
        /// What is wrong.
        fault: LineFault,
        /// Which line of the trailer section, from 1.
        line: usize,
        /// The line.
        text: Box<str>,
    },
    /// A Content-Length that is not a number of bytes.
    ContentLength {
        /// The field's value.
        value: Box<str>,
    },
    /// Two different Content-Lengths.
    ContentLengthConflict {
        /// The first one.
        first: u64,
        /// Another one.
        other: u64,
    },
    /// Content-Length and Transfer-Encoding together.
    LengthAndTransferEncoding,
    /// A Transfer-Encoding other than `chunked`.
    TransferEncoding {
        /// The values, joined by commas.
        value: Box<str>,
    },
    /// A byte that cannot stand in a chunk's line.
    ChunkLine {
        /// The byte.
        byte: u8,
        /// How many bytes of content came before the line.
        after: u64,
    },
    /// A chunk size of 2^64 or more.
    ChunkSize {
        /// How many bytes of content came before the line.
        after: u64,
    },
    /// A chunk's data is not followed by CRLF.
    ChunkEnd {
        /// The byte found instead.
        byte: u8,
        /// How many bytes of content came before it.
        after: u64,
    },
    /// The head passed [`Caps::head_bytes`](super::Caps::head_bytes).
    HeadTooLarge {
        /// The cap.
        cap: usize,
    },
    /// Head or trailer section passed [`Caps::fields`](super::Caps::fields).
    TooManyFields {
        /// The cap.
        cap: usize,
    },
    /// A chunk line passed [`Caps::chunk_line`](super::Caps::chunk_line).
    ChunkLineTooLong {
        /// The cap.
        cap: usize,
    },
    /// Extensions passed [`Caps::chunk_extensions`](super::Caps::chunk_extensions).
    ChunkExtensionsTooLarge {
        /// The cap.
        cap: usize,
    },
    /// The trailer section passed [`Caps::trailer_bytes`](super::Caps::trailer_bytes).
    TrailersTooLarge {
        /// The cap.
        cap: usize,
    },
    /// More interim responses than [`Caps::informational`](super::Caps::informational).
    TooManyInformational {
        /// The cap.
        cap: usize,
    },
    /// The content passed [`Caps::body_bytes`](super::Caps::body_bytes), or is going to.
    BodyTooLarge {
        /// The cap.
        cap: u64,
    },
    /// The input ended before any byte of a response: the usual end of an idle connection.
    ClosedBeforeResponse,
    /// The input ended inside a head, or after interim responses only (RFC 9112 §8).
    ClosedInHead {
        /// How many bytes there were of it.
        received: usize,
        /// How many interim responses came before.
        informational: usize,
    },
    /// The input ended inside the content.
    IncompleteBody {
        /// How many bytes were announced, if that is known.
        expected: Option<u64>,
        /// How many arrived.
        received: u64,
    },
    /// The connection ended, which ends such a body, but not as TLS ends one: an attacker may have cut it (RFC 9112 §9.8).
    BodyCutOff {
        /// How many bytes arrived.
        received: u64,
    },
    /// The input ended inside a trailer field.
    IncompleteTrailers {
        /// How many bytes of content arrived; they are all there are.
        received: u64,
    },
}

/// What is wrong with a line that ought to be a header field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineFault {
    /// No colon.
    NoColon,
    /// Nothing before the colon.
    EmptyName,
    /// White space before the colon, which has been used for request smuggling.
    SpaceBeforeColon,
    /// White space before the first field, or a folded trailer line.
    LeadingSpace,
    /// A byte that cannot stand in a name.
    Name(u8),
    /// A byte that cannot stand in a value.
    Value(u8),
    /// A line end that is not CRLF, in a trailer section.
    LineEnd,
}

/// The kind of a [`ProtocolError`], which is what callers act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The peer broke HTTP.
    Protocol,
    /// The peer closed the connection before the end of a head.
    Closed,
    /// The peer closed the connection inside a body.
    IncompleteBody,
    /// One of the [`Caps`](super::Caps) was passed.
    TooLarge,
}

impl ProtocolError {
    /// The kind, for callers that do not care about the details.
    #[must_use]
    pub const fn kind(&self) -> FaultKind {
        use ProtocolError as E;
        match self {
            E::HeadTooLarge { .. }
            | E::TooManyFields { .. }
            | E::ChunkLineTooLong { .. }
            | E::ChunkExtensionsTooLarge { .. }
            | E::TrailersTooLarge { .. }
            | E::TooManyInformational { .. }
            | E::BodyTooLarge { .. } => FaultKind::TooLarge,
            E::ClosedBeforeResponse | E::ClosedInHead { .. } => FaultKind::Closed,
            E::IncompleteBody { .. } | E::BodyCutOff { .. } | E::IncompleteTrailers { .. } => {
                FaultKind::IncompleteBody
            }
            _ => FaultKind::Protocol,
        }
    }
}

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use ProtocolError as E;
        match self {
            // How a TLS server complains about a plain request: an alert record (RFC 8446 §6).
            E::NotHttp { received } if received.starts_with(r"\x15\x03") => {
                f.write_str("the peer speaks TLS here, not HTTP; try https:// instead of http://")
            }
            E::NotHttp { received } => {
                write!(f, "the peer does not answer in HTTP/1.x; it sent \"{received}\"")
            }
            E::Version { received } => {
                write!(f, "neither HTTP/1.0 nor HTTP/1.1 in the status line \"{received}\"")
            }
            E::Status { received } => {
                write!(f, "no status code from 100 to 999 in the status line \"{received}\"")
            }
            E::ControlByte { byte, offset } => {
                write!(f, "control byte '{}' at offset {offset} of the head", byte.escape_ascii())
            }
            E::Field { fault, line, text } => {
                write!(f, "{fault} in line {line} of the head: \"{text}\"")
            }
            E::Trailer { fault, line, text } => {
                write!(f, "{fault} in line {line} of the trailer section: \"{text}\"")
            }
            E::ContentLength { value } => write!(f, "Content-Length \"{value}\" is not a number"),
            E::ContentLengthConflict { first, other } => {
                write!(f, "Content-Length is both {first} and {other}")
            }
            E::LengthAndTransferEncoding => {
                f.write_str("both Content-Length and Transfer-Encoding say where the body ends")
            }
            E::TransferEncoding { value } => {
                write!(f, "Transfer-Encoding \"{value}\" is not \"chunked\", the only one offered")
            }
            E::ChunkLine { byte, after } => write!(
                f,
                "unexpected byte '{}' in the line of the chunk after {after} bytes of content",
                byte.escape_ascii()
            ),
            E::ChunkSize { after } => {
                write!(f, "the size of the chunk after {after} bytes of content is 2^64 or more")
            }
            E::ChunkEnd { byte, after } => write!(
                f,
                "byte '{}' where CRLF should end a chunk, after {after} bytes of content",
                byte.escape_ascii()
            ),
            E::HeadTooLarge { cap } => write!(f, "the response head is larger than {cap} bytes"),
            E::TooManyFields { cap } => write!(f, "more than {cap} header fields"),
            E::ChunkLineTooLong { cap } => write!(f, "a chunk line is longer than {cap} bytes"),
            E::ChunkExtensionsTooLarge { cap } => {
                write!(f, "chunk extensions outweigh the content by more than {cap} bytes")
            }
            E::TrailersTooLarge { cap } => {
                write!(f, "the trailer section is larger than {cap} bytes")
            }
            E::TooManyInformational { cap } => write!(f, "more than {cap} interim (1xx) responses"),
            E::BodyTooLarge { cap } => write!(f, "the body is larger than {cap} bytes"),
            E::ClosedBeforeResponse => f.write_str("the peer closed without sending a response"),
            E::ClosedInHead { received: 0, informational } => write!(
                f,
                "the peer closed after {informational} interim (1xx) responses, before the final one"
            ),
            E::ClosedInHead { received, .. } => {
                write!(f, "the peer closed inside the response head, after {received} bytes of it")
            }
            E::IncompleteBody { expected: Some(expected), received } => {
                write!(f, "the body ended after {received} of {expected} bytes")
            }
            E::IncompleteBody { expected: None, received } => {
                write!(f, "the body ended after {received} bytes, before its last chunk")
            }
            E::BodyCutOff { received } => write!(
                f,
                "the connection ended after {received} bytes of the body, without TLS's close_notify: \
                 the rest may have been cut off"
            ),
            E::IncompleteTrailers { received } => {
                write!(
                    f,
                    "the peer closed inside the trailer section, after {received} bytes of body"
                )
            }
        }
    }
}

impl fmt::Display for LineFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LineFault::NoColon => f.write_str("no colon"),
            LineFault::EmptyName => f.write_str("empty field name"),
            LineFault::SpaceBeforeColon => f.write_str("white space before the colon"),
            LineFault::LeadingSpace => f.write_str("white space before the field"),
            LineFault::Name(byte) => {
                write!(f, "byte '{}' in the field name", byte.escape_ascii())
            }
            LineFault::Value(byte) => {
                write!(f, "byte '{}' in the field value", byte.escape_ascii())
            }
            LineFault::LineEnd => f.write_str("line end other than CRLF"),
        }
    }
}

impl std::error::Error for ProtocolError {}

#[cfg(test)]
mod tests {
    use super::ProtocolError;

    #[test]
    fn a_tls_alert_is_told_from_other_nonsense() {
        let said =
            |received: &str| ProtocolError::NotHttp { received: received.into() }.to_string();
        assert!(said(r"\x15\x03\x03\x00\x02\x022").contains("try https://"));
        assert!(!said("SSH-2.0").contains("https"));
    }
}
