//! A response that is cut behind each of its bytes, by FIN, by a reset, over TLS with close_notify and
//! without: a part is never taken for the whole.

use crate::support::{fetch, served};
use waterclock::ErrorKind;
use waterclock_lab::{Script, Step};

const BODY: &[u8] = b"hello, world";

#[derive(Clone, Copy, Debug, PartialEq)]
enum Framing {
    Length,
    Chunked,
    UntilTheEnd,
}

/// The response, and the length of its head.
fn response(framing: Framing) -> (Vec<u8>, usize) {
    let (field, body) = match framing {
        Framing::Length => ("Content-Length: 12\r\n", "hello, world"),
        Framing::Chunked => (
            "Transfer-Encoding: chunked\r\n",
            "5\r\nhello\r\n7;a=b\r\n, world\r\n0\r\nt: v\r\n\r\n",
        ),
        Framing::UntilTheEnd => ("", "hello, world"),
    };
    let head = format!("HTTP/1.1 200 OK\r\n{field}\r\n");
    ([head.as_bytes(), body.as_bytes()].concat(), head.len())
}

/// What a call comes to if the response ends so behind `cut` bytes.
fn wanted(framing: Framing, secure: bool, end: &Step, cut: usize) -> Result<Vec<u8>, ErrorKind> {
    let (response, head) = response(framing);
    // Only a proper end tells anything (RFC 9112 §9.8).
    let proper = *end == Step::Close || (*end == Step::CloseWithoutNotify && !secure);
    // The last chunk is the end of the content, however the connection ends then (RFC 9112 §9.8).
    let last_chunk = framing == Framing::Chunked && response[..cut].ends_with(b"\r\n0\r\n");
    match cut.checked_sub(head) {
        Some(_) if cut == response.len() && framing != Framing::UntilTheEnd => Ok(BODY.to_vec()),
        _ if *end == Step::Reset => Err(ErrorKind::Receive),
        None => Err(ErrorKind::Closed),
        Some(length) if framing == Framing::UntilTheEnd && proper => Ok(BODY[..length].to_vec()),
        Some(_) if last_chunk => Ok(BODY.to_vec()),
        Some(_) => Err(ErrorKind::IncompleteBody),
    }
}

/// One connection for each place to cut.
fn cut_everywhere(secure: bool, end: &Step) {
    for framing in [Framing::Length, Framing::Chunked, Framing::UntilTheEnd] {
        let (whole, _) = response(framing);
        let (sent, last) = (whole.clone(), end.clone());
        let script = Script::by_connection(move |cut| {
            let part = sent.get(..cut).unwrap_or_default();
            Script::steps([Step::ReadHead, Step::send(part), last.clone()])
        });
        let (server, session) = served(secure, script);
        for cut in 0..=whole.len() {
            let result = fetch(session.get(server.url("/"))).map_err(|error| error.kind());
            let want = wanted(framing, secure, end, cut);
            assert_eq!(result, want, "{framing:?}, TLS {secure}, {end:?} behind byte {cut}");
        }
        assert_eq!(server.connections(), whole.len() + 1, "{framing:?}: one call, one connection");
    }
}

#[test]
fn a_part_of_a_response_is_never_taken_for_the_whole() {
    for end in [Step::Close, Step::Reset] {
        cut_everywhere(false, &end);
    }
}

#[test]
fn a_part_of_a_response_over_tls_is_never_taken_for_the_whole() {
    for end in [Step::Close, Step::CloseWithoutNotify, Step::Reset] {
        cut_everywhere(true, &end);
    }
}
