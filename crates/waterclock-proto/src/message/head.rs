//! [`ResponseHead`]: status line and header fields of a response.

use super::Headers;
use std::borrow::Cow;
use std::fmt;

/// The HTTP version a peer spoke.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// HTTP/1.0
    Http10,
    /// HTTP/1.1
    Http11,
}

impl Version {
    /// As it stands in a status line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Version::Http10 => "HTTP/1.0",
            Version::Http11 => "HTTP/1.1",
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A response up to its blank line.
///
/// ```
/// use waterclock_proto::message::{Headers, Reason, ResponseHead, Version};
///
/// let head = ResponseHead {
///     version: Version::Http11,
///     status: 404,
///     reason: Reason::received(404, b"Not Found"),
///     headers: Headers::new(),
/// };
/// assert_eq!(head.reason(), "Not Found");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ResponseHead {
    /// The version in the status line.
    pub version: Version,
    /// The status code, 100 to 999. Codes above 599 mean 5xx (RFC 9110 §15).
    pub status: u16,
    /// The reason phrase.
    pub reason: Reason,
    /// The header fields, in wire order and case.
    pub headers: Headers,
}

impl ResponseHead {
    /// The reason phrase for people; bytes that are not UTF-8 are replaced.
    #[must_use]
    pub fn reason(&self) -> Cow<'_, str> {
        self.reason.to_text()
    }
}

/// A reason phrase as received. The standard phrases cost no allocation.
#[derive(Clone, PartialEq, Eq)]
pub struct Reason(Cow<'static, [u8]>);

impl Reason {
    /// The phrase `phrase`, received together with `status`.
    #[must_use]
    pub fn received(status: u16, phrase: &[u8]) -> Self {
        match canonical_reason(status) {
            Some(known) if known.as_bytes() == phrase => Reason(Cow::Borrowed(known.as_bytes())),
            _ if phrase.is_empty() => Reason(Cow::Borrowed(b"")),
            _ => Reason(Cow::Owned(phrase.to_vec())),
        }
    }

    /// The bytes as received.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The phrase for people; bytes that are not UTF-8 are replaced.
    #[must_use]
    pub fn to_text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.0)
    }
}

impl fmt::Debug for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.to_text(), f)
    }
}

/// The phrase that the IANA registry of status codes gives `status`.
#[must_use]
pub const fn canonical_reason(status: u16) -> Option<&'static str> {
    Some(match status {
        100 => "Continue",
        101 => "Switching Protocols",
        102 => "Processing",
        103 => "Early Hints",
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        203 => "Non-Authoritative Information",
        204 => "No Content",
        205 => "Reset Content",
        206 => "Partial Content",
        207 => "Multi-Status",
        208 => "Already Reported",
        226 => "IM Used",
        300 => "Multiple Choices",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        305 => "Use Proxy",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        407 => "Proxy Authentication Required",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        411 => "Length Required",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        414 => "URI Too Long",
        415 => "Unsupported Media Type",
        416 => "Range Not Satisfiable",
        417 => "Expectation Failed",
        421 => "Misdirected Request",
        422 => "Unprocessable Content",
        423 => "Locked",
        424 => "Failed Dependency",
        425 => "Too Early",
        426 => "Upgrade Required",
        428 => "Precondition Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        451 => "Unavailable For Legal Reasons",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        506 => "Variant Also Negotiates",
        507 => "Insufficient Storage",
        508 => "Loop Detected",
        511 => "Network Authentication Required",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standard_phrases_are_borrowed() {
        assert!(matches!(Reason::received(200, b"OK").0, Cow::Borrowed(_)));
        assert!(matches!(Reason::received(200, b"").0, Cow::Borrowed(_)));
        let own = Reason::received(200, b"Ok\xe4");
        assert_eq!(own.as_bytes(), b"Ok\xe4");
        assert_eq!(own.to_text(), "Ok\u{fffd}");
    }
}
