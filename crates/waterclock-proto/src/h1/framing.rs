//! [`Framing`]: where a response's body ends (RFC 9112 §6.3).

use super::error::ProtocolError;
use crate::message::{Headers, Method, parse_decimal, snippet, trim};

/// How the end of a response's body is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// There is no body: the request was HEAD, or the status is 1xx, 204 or 304.
    None,
    /// As many bytes as Content-Length says.
    Length(u64),
    /// Chunks, the last of which is empty.
    Chunked,
    /// Until the peer closes the connection.
    UntilClose,
    /// There is no body, and what follows is another protocol: a 101.
    Upgrade,
    /// There is no body, and what follows is the tunnel: a 2xx to CONNECT.
    Tunnel,
}

/// What of the request decides about the response's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Head,
    Connect,
    Other,
}

impl Asked {
    pub(super) fn of(method: &Method) -> Self {
        match method {
            Method::Head => Asked::Head,
            Method::Connect => Asked::Connect,
            _ => Asked::Other,
        }
    }
}

/// RFC 9112 §6.3, rules 1 to 8.
pub(super) fn of_response(
    asked: Asked,
    status: u16,
    headers: &Headers,
) -> Result<Framing, ProtocolError> {
    match (asked, status) {
        (_, 101) => Ok(Framing::Upgrade),
        (Asked::Connect, 200..=299) => Ok(Framing::Tunnel),
        (Asked::Head, _) | (_, 100..=199 | 204 | 304) => Ok(Framing::None),
        _ => of_fields(headers),
    }
}

/// What the framing fields say by themselves; rules 3 to 5 and 8.
pub(super) fn of_fields(headers: &Headers) -> Result<Framing, ProtocolError> {
    let chunked = chunked(headers).map_err(|value| ProtocolError::TransferEncoding { value })?;
    match (chunked, content_length(headers)?) {
        (true, Some(_)) => Err(ProtocolError::LengthAndTransferEncoding),
        (true, None) => Ok(Framing::Chunked),
        (false, Some(length)) => Ok(Framing::Length(length)),
        (false, None) => Ok(Framing::UntilClose),
    }
}

/// Whether there is a Transfer-Encoding. It must be exactly `chunked`; other values are the error.
pub(super) fn chunked(headers: &Headers) -> Result<bool, Box<str>> {
    let mut values = headers.get_all("Transfer-Encoding");
    let Some(first) = values.next() else { return Ok(false) };
    if values.next().is_none() && trim(first).eq_ignore_ascii_case(b"chunked") {
        return Ok(true);
    }
    let all: Vec<&[u8]> = headers.get_all("Transfer-Encoding").collect();
    Err(snippet(&all.join(b", ".as_slice())))
}

/// The one length that all Content-Length fields and list elements agree on.
pub(super) fn content_length(headers: &Headers) -> Result<Option<u64>, ProtocolError> {
    let mut agreed = None;
    for value in headers.get_all("Content-Length") {
        for element in value.split(|&byte| byte == b',') {
            let Some(length) = parse_decimal(trim(element)) else {
                return Err(ProtocolError::ContentLength { value: snippet(value) });
            };
            match agreed {
                Some(first) if first != length => {
                    return Err(ProtocolError::ContentLengthConflict { first, other: length });
                }
                _ => agreed = Some(length),
            }
        }
    }
    Ok(agreed)
}
