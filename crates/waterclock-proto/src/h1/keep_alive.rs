//! [`keep_alive`]: may the connection serve another request, and if not, why.

use super::framing::{self, Framing};
use crate::message::{ResponseHead, Version};
use std::fmt;

/// Why a connection is not used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CloseReason {
    /// The request said `Connection: close`.
    RequestedByUs,
    /// The response said `Connection: close`.
    RequestedByPeer,
    /// The peer speaks HTTP/1.0 and did not say `Connection: keep-alive`.
    Http10,
    /// The end of the body was the end of the connection.
    CloseDelimited,
    /// The body was not read to its end.
    BodyUnread,
    /// Bytes came that belong to no response.
    StrayBytes,
    /// The final response came before the whole request was sent.
    RequestUnfinished,
    /// The connection speaks another protocol now (101).
    Upgrade,
    /// The connection is a tunnel now (2xx to CONNECT).
    Tunnel,
    /// The framing fields contradict each other, or HTTP/1.0.
    FramingConflict,
    /// The peer closed it.
    ClosedByPeer,
    /// It lay idle for too long.
    Idle,
    /// It lived for too long.
    Age,
    /// The pool had no room for it.
    PoolFull,
    /// The exchange failed.
    Failed,
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CloseReason::RequestedByUs => "the request said Connection: close",
            CloseReason::RequestedByPeer => "the response said Connection: close",
            CloseReason::Http10 => "the peer speaks HTTP/1.0 without keep-alive",
            CloseReason::CloseDelimited => "the body ends with the connection",
            CloseReason::BodyUnread => "the body was not read to its end",
            CloseReason::StrayBytes => "bytes came that belong to no response",
            CloseReason::RequestUnfinished => "the response came before the whole request was sent",
            CloseReason::Upgrade => "the connection changed to another protocol",
            CloseReason::Tunnel => "the connection became a tunnel",
            CloseReason::FramingConflict => "the framing of the response contradicts itself",
            CloseReason::ClosedByPeer => "the peer closed the connection",
            CloseReason::Idle => "the connection was idle for too long",
            CloseReason::Age => "the connection reached its greatest age",
            CloseReason::PoolFull => "the pool had no room for the connection",
            CloseReason::Failed => "the exchange failed",
        })
    }
}

/// What request and head say about the connection (RFC 9112 §9.3).
///
/// Whether the body was read, the request sent, and nothing left over, is known only afterwards.
///
/// # Errors
///
/// The reason why the connection has to be closed after this exchange.
pub fn keep_alive(
    request_says_close: bool,
    head: &ResponseHead,
    framing: Framing,
) -> Result<(), CloseReason> {
    match framing {
        Framing::Upgrade => return Err(CloseReason::Upgrade),
        Framing::Tunnel => return Err(CloseReason::Tunnel),
        Framing::UntilClose => return Err(CloseReason::CloseDelimited),
        // Ignored for this response, but the peer's next bytes cannot be trusted.
        Framing::None if framing::of_fields(&head.headers).is_err() => {
            return Err(CloseReason::FramingConflict);
        }
        Framing::None | Framing::Length(_) | Framing::Chunked => {}
    }
    if request_says_close {
        return Err(CloseReason::RequestedByUs);
    }
    if head.headers.has_token("Connection", "close") {
        return Err(CloseReason::RequestedByPeer);
    }
    if head.version == Version::Http10 {
        // RFC 9112 §6.1: faulty framing, close after processing.
        if head.headers.contains("Transfer-Encoding") {
            return Err(CloseReason::FramingConflict);
        }
        if !head.headers.has_token("Connection", "keep-alive") {
            return Err(CloseReason::Http10);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::{Caps, HeadStep, ResponseReader};
    use super::*;
    use crate::message::Method;

    fn verdict(method: &Method, head: &str) -> Result<(), CloseReason> {
        let mut reader = ResponseReader::new(method, Caps::default());
        match reader.read_head(head.as_bytes()) {
            Ok(HeadStep::Head { head, body, .. }) => keep_alive(false, &head, body.framing()),
            other => panic!("{other:?}"),
        }
    }

    /// Rows of table C that the head alone decides.
    #[test]
    fn c_rows_of_the_head() {
        use CloseReason as R;
        let get = &Method::Get;
        for (method, head, expected) in [
            (get, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", Ok(())),
            (get, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", Ok(())),
            (get, "HTTP/1.1 204 No Content\r\n\r\n", Ok(())),
            (get, "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", Ok(())),
            (&Method::Head, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", Ok(())),
            (get, "HTTP/1.1 200 OK\r\n\r\n", Err(R::CloseDelimited)),
            (
                get,
                "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: Foo, CLOSE\r\n\r\n",
                Err(R::RequestedByPeer),
            ),
            (
                get,
                "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n",
                Err(R::RequestedByPeer),
            ),
            (get, "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", Err(R::Http10)),
            (get, "HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: Keep-Alive\r\n\r\n", Ok(())),
            (
                get,
                "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n",
                Err(R::FramingConflict),
            ),
            (
                &Method::Head,
                "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
                Err(R::FramingConflict),
            ),
            (get, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", Err(R::Upgrade)),
            (&Method::Connect, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", Err(R::Tunnel)),
        ] {
            assert_eq!(verdict(method, head), expected, "{method} {head:?}");
        }
    }

    #[test]
    fn our_own_close_counts() {
        let mut reader = ResponseReader::new(&Method::Get, Caps::default());
        let input = b"HTTP/1.1 204 No Content\r\n\r\n";
        let Ok(HeadStep::Head { head, body, .. }) = reader.read_head(input) else { panic!() };
        assert_eq!(keep_alive(true, &head, body.framing()), Err(CloseReason::RequestedByUs));
    }
}
