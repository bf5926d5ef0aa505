//! What [`BodyReader`] says about itself, and the way round the buffer.

use super::*;

fn open(fields: &str) -> BodyReader {
    capped(fields, u64::MAX)
}

fn capped(fields: &str, body_bytes: u64) -> BodyReader {
    let head = format!("HTTP/1.1 200 OK\r\n{fields}\r\n\r\n");
    let caps = Caps { body_bytes, ..Caps::default() };
    let mut reader = ResponseReader::new(&Method::Get, caps);
    match reader.read_head(head.as_bytes()) {
        Ok(HeadStep::Head { body, .. }) => body,
        other => panic!("{other:?}"),
    }
}

const fn step(skip: usize, data: usize, state: BodyState) -> BodyStep {
    BodyStep { skip, data, state }
}

#[test]
fn a_length_is_counted_down() {
    let mut body = open("Content-Length: 10");
    assert_eq!((body.expected(), body.direct(), body.received()), (Some(10), Some(10), 0));
    assert_eq!(body.next(b""), Ok(step(0, 0, BodyState::NeedInput)));
    assert_eq!(body.next(b"abc"), Ok(step(0, 3, BodyState::NeedInput)));
    assert_eq!(body.direct(), Some(7));
    body.advance(4);
    assert_eq!(body.next(b"hijHTTP/1.1"), Ok(step(0, 3, BodyState::Done)));
    assert_eq!((body.direct(), body.received(), body.is_done()), (None, 10, true));
    assert_eq!(body.next(b"HTTP/1.1"), Ok(step(0, 0, BodyState::Done)));
    assert_eq!(body.eof(), Ok(()));
}

#[test]
fn a_cap_lets_exactly_so_many_bytes_pass() {
    let too_large = Err(ProtocolError::BodyTooLarge { cap: 4 });
    // A length says it beforehand.
    let mut body = capped("Content-Length: 5", 4);
    assert_eq!((body.direct(), body.next(b"")), (Some(0), too_large.clone()));
    assert!(capped("Content-Length: 4", 4).next(b"abcd").unwrap().state == BodyState::Done);
    for (fields, line) in [("Transfer-Encoding: chunked", "5\r\n"), ("X: y", "")] {
        for direct in [false, true] {
            let mut body = capped(fields, 4);
            assert_eq!(body.next(line.as_bytes()), Ok(step(line.len(), 0, BodyState::NeedInput)));
            assert_eq!(body.direct(), Some(4));
            match direct {
                true => body.advance(4),
                false => assert_eq!(body.next(b"abcde"), Ok(step(0, 4, BodyState::More))),
            }
            assert_eq!((body.direct(), body.next(b"e")), (Some(0), too_large.clone()));
        }
    }
    let mut body = capped("Transfer-Encoding: chunked", 4);
    assert_eq!(body.next(b"4\r\nabcd\r\n0\r\n\r\n"), Ok(step(3, 4, BodyState::More)));
    assert_eq!(body.next(b"\r\n0\r\n\r\n"), Ok(step(7, 0, BodyState::Done)));
}

#[test]
fn direct_reads_may_end_a_body() {
    let mut body = open("Content-Length: 10");
    body.advance(10);
    assert!(body.is_done());
}

#[test]
fn an_empty_body_is_done_at_once() {
    let body = open("Content-Length: 0");
    assert!(body.is_done());
    assert_eq!((body.expected(), body.direct()), (Some(0), None));
}

#[test]
fn chunks_are_found_in_place() {
    let mut body = open("Transfer-Encoding: chunked");
    assert_eq!((body.expected(), body.direct()), (None, None));
    body.advance(0);
    assert_eq!(body.next(b"a;x\r\nabc"), Ok(step(5, 3, BodyState::NeedInput)));
    assert_eq!(body.direct(), Some(7));
    body.advance(7);
    assert_eq!((body.direct(), body.received()), (None, 10));
    body.advance(0);
    assert_eq!(body.next(b"\r"), Ok(step(1, 0, BodyState::NeedInput)));
    assert_eq!(body.next(b"\n2\r\nkl\r\n0"), Ok(step(4, 2, BodyState::More)));
    assert_eq!(body.next(b"\r\n0"), Ok(step(3, 0, BodyState::NeedInput)));
    assert_eq!(body.next(b"\r\n\r\nnext"), Ok(step(4, 0, BodyState::Done)));
    assert_eq!((body.received(), body.trailers()), (12, None));
}

/// Whoever has used what came before an error asks again, and must not find something else behind it.
#[test]
fn an_error_stays() {
    let mut body = open("Transfer-Encoding: chunked");
    assert_eq!(body.next(b"3\r\nabc\r\n4x"), Ok(step(3, 3, BodyState::More)));
    let refused = body.next(b"\r\n4x");
    assert_eq!(refused, Err(ProtocolError::ChunkLine { byte: b'x', after: 3 }));
    assert_eq!((body.next(b"\r\n0\r\n\r\n"), body.direct()), (refused, Some(0)));
    assert_eq!((body.is_done(), body.trailers()), (false, None));
    let cut = ProtocolError::IncompleteBody { expected: None, received: 3 };
    assert_eq!(body.eof(), Err(cut));
}

#[test]
fn until_close_is_endless() {
    let mut body = open("X: y");
    assert_eq!((body.framing(), body.direct()), (Framing::UntilClose, Some(u64::MAX)));
    body.advance(5);
    assert_eq!(body.next(b"abc"), Ok(step(0, 3, BodyState::NeedInput)));
    assert!(!body.is_done());
    assert_eq!(body.eof(), Ok(()));
    assert_eq!((body.is_done(), body.received(), body.direct()), (true, 8, None));
}

/// Every variant has words of its own, and remote bytes in them are escaped.
#[test]
fn errors_speak_plainly() {
    for (error, text) in [
        (
            get(b"HTTP/1.1 200 OK\r\nX\x7f: \xe4\r\n\r\n", Then::Hold).error(),
            r#"byte '\x7f' in the field name in line 2 of the head: "X\x7f: \xe4""#,
        ),
        (
            get("HTTP/1.1 200 OK\r\nContent-Length: \u{1f600}\r\n\r\n", Then::Hold).error(),
            r#"Content-Length "\xf0\x9f\x98\x80" is not a number"#,
        ),
        (
            get("HTTP/2.0 200 OK\r\n", Then::Hold).error(),
            "neither HTTP/1.0 nor HTTP/1.1 in the status line \"HTTP/2.0 200 OK\"",
        ),
        (
            get("HTTP/1.1 200 OK\r\nX: \x1b[2J", Then::Hold).error(),
            r"control byte '\x1b' at offset 20 of the head",
        ),
        (
            get("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", Then::Close).error(),
            "the body ended after 5 of 9 bytes",
        ),
    ] {
        assert_eq!(error.to_string(), text);
    }
    let long = format!("SSH-2.0-{}", "x".repeat(1000));
    assert!(get(long, Then::Hold).error().to_string().len() < 120, "remote input is cut short");
}
