//! A request becomes bytes, and nothing but the request.

use super::framing;
use crate::message::{Headers, InvalidHeader, Method, check_field, parse_decimal, snippet, trim};
use std::fmt;

/// Writes request line, fields and blank line behind what is in `out`.
///
/// A small body may be appended to the same buffer, so that one write sends both. Target and fields
/// are checked here, whoever checked them before: this is the last place where a line break can be
/// stopped from becoming a second request. (A [`Method`] can only be made from a token.)
///
/// ```
/// use waterclock_proto::h1::write_head;
/// use waterclock_proto::message::{Headers, Method};
///
/// let mut headers = Headers::new();
/// headers.append("Host", "example.org")?;
/// let mut out = Vec::new();
/// write_head(&mut out, &Method::Get, "/?q=1", &headers)?;
/// assert_eq!(out, b"GET /?q=1 HTTP/1.1\r\nHost: example.org\r\n\r\n");
/// assert!(write_head(&mut out, &Method::Get, "/ HTTP/1.1\r\nEvil: 1", &headers).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`InvalidRequest`] when target or fields cannot be sent; `out` is as it was before then.
pub fn write_head<'a, N: AsRef<[u8]>>(
    out: &mut Vec<u8>,
    method: &Method,
    target: &str,
    headers: impl IntoIterator<Item = (N, &'a [u8])>,
) -> Result<(), InvalidRequest> {
    check_target(target)?;
    let before = out.len();
    out.reserve(512);
    for part in [method.as_str(), " ", target, " HTTP/1.1\r\n"] {
        out.extend_from_slice(part.as_bytes());
    }
    for (name, value) in headers {
        let name = name.as_ref();
        if let Err(invalid) = check_field(name, value) {
            out.truncate(before);
            return Err(invalid.into());
        }
        out.extend_from_slice(name);
        out.extend_from_slice(b": ");
        out.extend_from_slice(value);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"\r\n");
    Ok(())
}

/// A request target is visible ASCII (RFC 9112 §3.2): no space, no control byte.
fn check_target(target: &str) -> Result<(), InvalidRequest> {
    if target.is_empty() {
        return Err(InvalidRequest::EmptyTarget);
    }
    match target.bytes().position(|byte| !byte.is_ascii_graphic()) {
        None => Ok(()),
        Some(offset) => Err(InvalidRequest::Target { byte: target.as_bytes()[offset], offset }),
    }
}

/// What is known about a request's content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyLength {
    /// There is none.
    None,
    /// So many bytes.
    Known(u64),
    /// It ends when it ends.
    Unknown,
}

/// How the end of a request's content is told (RFC 9112 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestFraming {
    /// There is no content, and nothing has to be said about it.
    None,
    /// By Content-Length. The sender sends exactly so many bytes.
    Length(u64),
    /// By the chunked coding: [`write_chunk`], at the end [`write_last_chunk`].
    Chunked,
}

/// Decides how the content is framed, and refuses a caller's framing fields that would lie.
///
/// - Content of known length gets a Content-Length, other content is chunked.
/// - No content: `Content-Length: 0` for POST, PUT and PATCH (RFC 9110 §8.6), else no field.
/// - The caller's own Content-Length must be one field, a plain number, and true. Together with
///   content of unknown length it is a promise which the sender keeps.
/// - The caller's own Transfer-Encoding must be `chunked`, with content and no Content-Length.
/// - CONNECT and TRACE have no content (RFC 9110 §9.3.6, §9.3.8).
///
/// ```
/// use waterclock_proto::h1::{BodyLength, RequestFraming, plan_body};
/// use waterclock_proto::message::{Headers, Method};
///
/// let mut headers = Headers::new();
/// let framing = plan_body(&Method::Put, &headers, BodyLength::Known(3))?;
/// let field = framing.field(&headers).unwrap();
/// assert_eq!(field.pair(), ("Content-Length", b"3".as_slice()));
///
/// headers.append("Content-Length", "4")?;
/// assert!(plan_body(&Method::Put, &headers, BodyLength::Known(3)).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`InvalidRequest`] as said above.
pub fn plan_body(
    method: &Method,
    headers: &Headers,
    body: BodyLength,
) -> Result<RequestFraming, InvalidRequest> {
    let body = if body == BodyLength::Known(0) { BodyLength::None } else { body };
    if body != BodyLength::None && matches!(method, Method::Connect | Method::Trace) {
        return Err(InvalidRequest::ContentNotAllowed { method: method.clone() });
    }
    let chunked =
        framing::chunked(headers).map_err(|value| InvalidRequest::TransferEncoding { value })?;
    match (chunked, own_length(headers)?, body) {
        (true, Some(_), _) => Err(InvalidRequest::LengthAndTransferEncoding),
        (true, None, BodyLength::None) => Err(InvalidRequest::TransferEncodingWithoutContent),
        (true, None, _) | (false, None, BodyLength::Unknown) => Ok(RequestFraming::Chunked),
        (false, None, BodyLength::Known(length)) => Ok(RequestFraming::Length(length)),
        (false, None, BodyLength::None) if method.anticipates_content() => {
            Ok(RequestFraming::Length(0))
        }
        (false, None, BodyLength::None) => Ok(RequestFraming::None),
        (false, Some(declared), BodyLength::Unknown) => Ok(RequestFraming::Length(declared)),
        (false, Some(declared), body) => {
            let actual = if let BodyLength::Known(length) = body { length } else { 0 };
            if declared != actual {
                return Err(InvalidRequest::ContentLengthWrong { declared, actual });
            }
            Ok(RequestFraming::Length(actual))
        }
    }
}

/// The caller's own Content-Length.
fn own_length(headers: &Headers) -> Result<Option<u64>, InvalidRequest> {
    let mut values = headers.get_all("Content-Length");
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(InvalidRequest::ContentLengthRepeated);
    }
    match parse_decimal(trim(value)) {
        Some(length) => Ok(Some(length)),
        None => Err(InvalidRequest::ContentLength { value: snippet(value) }),
    }
}

impl RequestFraming {
    /// The field to send beside `headers`; `None` when there is nothing to say, or `headers` say it.
    #[must_use]
    pub fn field(self, headers: &Headers) -> Option<FramingField> {
        match self {
            RequestFraming::None => None,
            RequestFraming::Length(_) if headers.contains("Content-Length") => None,
            RequestFraming::Chunked if headers.contains("Transfer-Encoding") => None,
            RequestFraming::Length(length) => Some(FramingField::Length(Digits::decimal(length))),
            RequestFraming::Chunked => Some(FramingField::Chunked),
        }
    }
}

/// A Content-Length or Transfer-Encoding field to add to a request; it costs no allocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FramingField {
    /// `Content-Length`
    Length(Digits),
    /// `Transfer-Encoding: chunked`
    Chunked,
}

impl FramingField {
    /// Name and value, as [`write_head`] takes them.
    #[must_use]
    pub fn pair(&self) -> (&'static str, &[u8]) {
        match self {
            FramingField::Length(digits) => ("Content-Length", digits.as_bytes()),
            FramingField::Chunked => ("Transfer-Encoding", b"chunked"),
        }
    }
}

/// A number, written out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Digits {
    /// The digits stand at the end.
    text: [u8; 20],
    start: usize,
}

impl Digits {
    fn decimal(number: u64) -> Self {
        Digits::in_base(number, 10)
    }

    fn hex(number: u64) -> Self {
        Digits::in_base(number, 16)
    }

    fn in_base(mut number: u64, base: u64) -> Self {
        let mut text = [0; 20];
        let mut start = text.len();
        loop {
            start -= 1;
            // Below 16, so nothing is cut off.
            #[allow(clippy::cast_possible_truncation)]
            let digit = (number % base) as usize;
            text[start] = b"0123456789abcdef"[digit];
            number /= base;
            if number == 0 {
                return Digits { text, start };
            }
        }
    }

    /// The digits.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.text[self.start..]
    }
}

impl fmt::Debug for Digits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.as_bytes().escape_ascii())
    }
}

/// Writes `data` as one chunk. No data writes nothing, because an empty chunk ends the body.
pub fn write_chunk(out: &mut Vec<u8>, data: &[u8]) {
    if data.is_empty() {
        return;
    }
    out.reserve(data.len() + 20);
    out.extend_from_slice(Digits::hex(data.len() as u64).as_bytes());
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(data);
    out.extend_from_slice(b"\r\n");
}

/// Writes the end of a chunked body, without trailer fields.
pub fn write_last_chunk(out: &mut Vec<u8>) {
    out.extend_from_slice(b"0\r\n\r\n");
}

/// Why a request cannot be sent. Nothing of it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InvalidRequest {
    /// The request target is empty.
    EmptyTarget,
    /// A byte that cannot stand in a request target.
    Target {
        /// The byte.
        byte: u8,
        /// Where it stands.
        offset: usize,
    },
    /// A header field that cannot be sent.
    Header(InvalidHeader),
    /// Both Content-Length and Transfer-Encoding.
    LengthAndTransferEncoding,
    /// A Transfer-Encoding other than `chunked`.
    TransferEncoding {
        /// Its value.
        value: Box<str>,
    },
    /// Transfer-Encoding on a request without content.
    TransferEncodingWithoutContent,
    /// More than one Content-Length.
    ContentLengthRepeated,
    /// A Content-Length that is not a number.
    ContentLength {
        /// Its value.
        value: Box<str>,
    },
    /// A Content-Length that is not the content's.
    ContentLengthWrong {
        /// What the field says.
        declared: u64,
        /// How many bytes there are.
        actual: u64,
    },
    /// Content on a method that has none.
    ContentNotAllowed {
        /// The method.
        method: Method,
    },
    /// A host that cannot be named in a CONNECT.
    Host {
        /// The host.
        host: Box<str>,
    },
    /// A field that cannot be added to a CONNECT, because the tunnel writes it or it has no meaning.
    TunnelField {
        /// The field's name.
        name: &'static str,
    },
}

impl From<InvalidHeader> for InvalidRequest {
    fn from(invalid: InvalidHeader) -> Self {
        InvalidRequest::Header(invalid)
    }
}

impl fmt::Display for InvalidRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use InvalidRequest as E;
        match self {
            E::EmptyTarget => f.write_str("the request target is empty"),
            E::Target { byte, offset } => {
                write!(f, "byte '{}' at offset {offset} of the request target", byte.escape_ascii())
            }
            E::Header(invalid) => invalid.fmt(f),
            E::LengthAndTransferEncoding => {
                f.write_str("a request cannot have both Content-Length and Transfer-Encoding")
            }
            E::TransferEncoding { value } => {
                write!(
                    f,
                    "Transfer-Encoding \"{value}\" is not \"chunked\", which is all we can do"
                )
            }
            E::TransferEncodingWithoutContent => {
                f.write_str("Transfer-Encoding on a request without content")
            }
            E::ContentLengthRepeated => f.write_str("more than one Content-Length"),
            E::ContentLength { value } => write!(f, "Content-Length \"{value}\" is not a number"),
            E::ContentLengthWrong { declared, actual } => {
                write!(f, "Content-Length says {declared}, but the content has {actual} bytes")
            }
            E::ContentNotAllowed { method } => write!(f, "{method} requests have no content"),
            E::Host { host } => write!(f, "\"{host}\" cannot be the host of a tunnel"),
            E::TunnelField { name } => write!(f, "{name} cannot be set on a CONNECT request"),
        }
    }
}

impl std::error::Error for InvalidRequest {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            InvalidRequest::Header(invalid) => Some(invalid),
            _ => None,
        }
    }
}

#[cfg(test)]
#[path = "encode_tests.rs"]
mod tests;
