//! What lies just on an edge: the last byte, line or response that a cap allows, and the first one that it
//! does not; the quick way through a chunk line, and the one a byte at a time.

use super::*;

/// A chunked body under these caps, whole and a byte at a time: both give the same.
fn chunked(caps: Caps, body: &str) -> Result<Vec<u8>, ProtocolError> {
    let whole = fed(caps, body, usize::MAX);
    assert_eq!(fed(caps, body, 1), whole, "{body:?} a byte at a time");
    whole
}

fn fed(caps: Caps, body: &str, size: usize) -> Result<Vec<u8>, ProtocolError> {
    let mut exchange = Exchange::new(&Method::Get, caps);
    exchange.feed(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", false)?;
    for part in body.as_bytes().chunks(size.min(body.len())) {
        exchange.feed(part, false)?;
    }
    Ok(exchange.content)
}

#[test]
fn a_chunk_line_may_have_as_many_bytes_as_its_cap() {
    let caps = Caps { chunk_line: 4, ..Caps::default() };
    let too_long = Err(ProtocolError::ChunkLineTooLong { cap: 4 });
    assert_eq!(chunked(caps, "0001\r\na\r\n0\r\n\r\n").unwrap(), b"a");
    assert_eq!(chunked(caps, "1;xy\r\na\r\n0\r\n\r\n").unwrap(), b"a");
    assert_eq!(chunked(caps, "00001\r\na\r\n0\r\n\r\n"), too_long);
    assert_eq!(chunked(caps, "1;xyz\r\na\r\n0\r\n\r\n"), too_long);
}

#[test]
fn the_end_of_input_behind_a_whole_body_is_no_fault() {
    for (head, body) in [
        ("Transfer-Encoding: chunked", "1\r\na\r\n0\r\n\r\n"),
        ("Transfer-Encoding: chunked", "1\r\na\r\n0\r\nX: y\r\n\r\n"),
        ("Content-Length: 1", "a"),
    ] {
        let response = format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n{body}");
        let ended = get(response, Then::Close);
        assert!(matches!(&ended, Outcome::Answer(answer) if answer.content == b"a"), "{ended:?}");
    }
}

#[test]
fn a_chunk_line_has_a_size() {
    assert!(chunked(Caps::default(), "\r\n\r\n").is_err());
    assert!(chunked(Caps::default(), "1\r\na\r\n\r\n\r\n").is_err());
}

#[test]
fn extensions_may_have_as_many_bytes_as_their_cap() {
    // A byte of data pays for one of the four.
    let caps = |chunk_extensions| Caps { chunk_extensions, ..Caps::default() };
    let body = "1;abcd\r\na\r\n0\r\n\r\n";
    assert_eq!(chunked(caps(3), body).unwrap(), b"a");
    assert_eq!(chunked(caps(2), body), Err(ProtocolError::ChunkExtensionsTooLarge { cap: 2 }));
}

#[test]
fn a_fault_in_a_trailer_is_found_in_its_line() {
    for (section, line, text) in
        [("X: a\rb\r\n\r\n", 1, "X: a\\rb"), ("X: a\r\nY: b\r\nZ: \x01\r\n\r\n", 3, "Z: \\x01")]
    {
        let body = format!("0\r\n{section}");
        match chunked(Caps::default(), &body) {
            Err(ProtocolError::Trailer { line: found, text: shown, .. }) => {
                assert_eq!((found, &*shown), (line, text), "{section:?}");
            }
            other => panic!("{section:?}: {other:?}"),
        }
    }
}

#[test]
fn a_trailer_section_may_have_as_many_fields_as_the_cap() {
    let caps = Caps { fields: 2, ..Caps::default() };
    assert!(chunked(caps, "0\r\nX: a\r\nY: b\r\n\r\n").is_ok());
    let too_many = ProtocolError::TooManyFields { cap: 2 };
    assert_eq!(chunked(caps, "0\r\nX: a\r\nY: b\r\nZ: c\r\n\r\n"), Err(too_many));
}

#[test]
fn as_many_interim_responses_may_come_as_the_cap() {
    let caps = Caps { informational: 2, ..Caps::default() };
    let feed = |interim: usize| {
        let mut exchange = Exchange::new(&Method::Get, caps);
        let text = "HTTP/1.1 103 \r\n\r\n".repeat(interim) + "HTTP/1.1 204 \r\n\r\n";
        exchange.feed(text.as_bytes(), false).map(|()| exchange.informational)
    };
    assert_eq!(feed(2), Ok(vec![103, 103]));
    assert_eq!(feed(3), Err(ProtocolError::TooManyInformational { cap: 2 }));
}

#[test]
fn a_body_that_fills_its_cap_is_too_large_with_the_next_byte_only() {
    let mut reader = ResponseReader::new(&Method::Get, Caps { body_bytes: 4, ..Caps::default() });
    let Ok(HeadStep::Head { mut body, .. }) = reader.read_head(b"HTTP/1.1 200 OK\r\n\r\n") else {
        panic!("no head")
    };
    for input in [b"abcd".as_slice(), b""] {
        assert!(body.next(input).is_ok(), "{input:?}");
    }
    assert_eq!(body.next(b"e"), Err(ProtocolError::BodyTooLarge { cap: 4 }));
}
