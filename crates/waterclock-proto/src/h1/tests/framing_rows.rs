//! Table B, "framing", and the body's part of table J, "limits": one test a row.

use super::*;

const EXTRA: &str = "helloEXTRA";

fn with_fields(fields: &str) -> String {
    format!("HTTP/1.1 200 OK\r\n{fields}\r\n\r\n{EXTRA}")
}

fn chunked(body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{body}").into_bytes()
}

#[track_caller]
fn content(input: impl AsRef<[u8]>) -> (Vec<u8>, Vec<u8>) {
    let answer = get(input, Then::Hold).answer();
    (answer.content, answer.rest)
}

fn split(content: &str, rest: &str) -> (Vec<u8>, Vec<u8>) {
    (content.into(), rest.into())
}

/// Row: Content-Length `-6`, `+5`, `crap`, `5badness`, `0x5`, `5.0`, `5e0`, `0_5`, `5 5`, empty,
/// `,`, `"5"`, `\x0b5`, `\xa05`.
#[test]
fn b_content_length_malformed() {
    let values: [&[u8]; 20] = [
        b"-6",
        b"+5",
        b"crap",
        b"5badness",
        b"0x5",
        b"5.0",
        b"5e0",
        b"0_5",
        b"5 5",
        b"",
        b",",
        b"\"5\"",
        b"\x0b5",
        b"\xa05",
        b"5,",
        b",5",
        b"5,,5",
        b"5;5",
        b"5\xc2\xa0",
        b"\xd9\xa5",
    ];
    for value in values {
        refused([b"HTTP/1.1 200 OK\r\nContent-Length: ", value, b"\r\n\r\nhelloEXTRA"].concat());
    }
}

/// Row: Content-Length `5, 6`; 10 and 5; 5 and 7 with a field between; 5 and `x`.
#[test]
fn b_content_length_conflict() {
    let conflict = |first, other| ProtocolError::ContentLengthConflict { first, other };
    assert_eq!(refused(with_fields("Content-Length: 5, 6")), conflict(5, 6));
    let two = "Content-Length: 10\r\nContent-Length: 5";
    assert_eq!(refused(with_fields(two)), conflict(10, 5));
    let apart = "Content-Length: 5\r\nX: y\r\ncontent-length: 7";
    assert_eq!(refused(with_fields(apart)), conflict(5, 7));
    refused(with_fields("Content-Length: 5\r\nContent-Length: x"));
}

/// Row: Content-Length `5, 5`; two equal fields.
#[test]
fn b_content_length_repeated() {
    for fields in [
        "Content-Length: 5, 5",
        "Content-Length: 5\r\nContent-Length: 5",
        "Content-Length: 5 ,\t005",
    ] {
        assert_eq!(content(with_fields(fields)), split("hello", "EXTRA"));
    }
}

/// Row: Content-Length 2^64-1; 2^64+5; 2^65; 1000 digits; then close.
#[test]
fn b_content_length_huge() {
    let most = with_fields("Content-Length: 18446744073709551615");
    assert_eq!(get(&most, Then::Hold), Outcome::Waiting { content: EXTRA.into() });
    let expected = Some(u64::MAX);
    let cut = ProtocolError::IncompleteBody { expected, received: 10 };
    assert_eq!(get(&most, Then::Close).error(), cut);
    for value in ["18446744073709551616", "18446744073709551621", "36893488147419103232"] {
        refused(with_fields(&format!("Content-Length: {value}")));
    }
    refused(with_fields(&format!("Content-Length: {}", "5".repeat(1000))));
}

/// Row: Content-Length 50 with 5 bytes, with none; 500 with fewer. Then FIN.
#[test]
fn b_content_length_cut() {
    for (length, body) in [(50, "hello"), (50, ""), (500, "twenty-five bytes of gzip")] {
        let input = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}");
        let received = body.len() as u64;
        let cut = ProtocolError::IncompleteBody { expected: Some(length), received };
        assert_eq!(get(&input, Then::Close).error(), cut);
        assert_eq!(cut.kind(), FaultKind::IncompleteBody);
        assert_eq!(get(&input, Then::Hold), Outcome::Waiting { content: body.into() });
    }
}

/// No length: the body ends with the connection, and only with it.
#[test]
fn b_no_length() {
    let input = with_fields("X: y");
    assert_eq!(get(&input, Then::Hold), Outcome::Waiting { content: EXTRA.into() });
    assert_eq!(get(&input, Then::Close).answer().content, EXTRA.as_bytes());
}

/// Row: Transfer-Encoding chunked with Content-Length 3; 100.
#[test]
fn b_length_and_transfer_encoding() {
    for length in ["3", "100", "x"] {
        for fields in [
            format!("Transfer-Encoding: chunked\r\nContent-Length: {length}"),
            format!("Content-Length: {length}\r\nTransfer-Encoding: chunked"),
        ] {
            refused(with_fields(&fields));
        }
    }
}

/// Row: Transfer-Encoding `xchunked`, `chunkedx`, `"chunked"`, `chunked, identity`,
/// `chunked, gzip`, empty, with Content-Length; `\x0bchunked`, `chunked\0`.
#[test]
fn b_transfer_encoding_unknown() {
    for value in [
        "xchunked",
        "chunkedx",
        "\"chunked\"",
        "chunked, identity",
        "chunked, gzip",
        "",
        "identity",
        "gzip",
        "gzip, chunked",
        "chunked;q=1",
        "chunked,",
        ",chunked",
        "\x0bchunked",
        "chunked\0",
        "chun ked",
        "\u{212a}chunked",
    ] {
        refused(with_fields(&format!("Transfer-Encoding: {value}")));
        refused(with_fields(&format!("Transfer-Encoding: {value}\r\nContent-Length: 5")));
    }
}

/// Row: Transfer-Encoding `chunked, chunked`; two fields; `foo` and `chunked`.
#[test]
fn b_transfer_encoding_repeated() {
    for fields in [
        "Transfer-Encoding: chunked, chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: foo\r\nTransfer-Encoding: chunked",
    ] {
        let error = refused(with_fields(fields));
        assert!(matches!(error, ProtocolError::TransferEncoding { .. }), "{error:?}");
    }
}

/// Row: Transfer-Encoding `CHUNKED`; tabs round it.
#[test]
fn b_transfer_encoding_case_and_tabs() {
    for field in ["Transfer-Encoding: CHUNKED", "transfer-encoding:\tchunked\t"] {
        let input = format!("HTTP/1.1 200 OK\r\n{field}\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
        assert_eq!(content(input), split("hello", ""));
    }
}

/// Row: `Transfer_Encoding`, `Content_Length`, `Content-Length-X` are not framing.
#[test]
fn b_look_alikes_are_not_framing() {
    for field in ["Transfer_Encoding: chunked", "Content_Length: 5", "Content-Length-X: 5"] {
        assert_eq!(get(with_fields(field), Then::Close).answer().content, EXTRA.as_bytes());
    }
}

/// Row: HTTP/1.0 with Transfer-Encoding: decoded; `keep_alive` closes the connection.
#[test]
fn b_http10_chunked() {
    let input = "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    let answer = get(input, Then::Hold).answer();
    assert_eq!(answer.content, b"hello");
    let verdict = keep_alive(false, &answer.head, Framing::Chunked);
    assert_eq!(verdict, Err(CloseReason::FramingConflict));
}

/// Row: chunk size `G`, `-5`, `+5`, `0x5`, `0_5`, ` 5`, empty; `ILLEGAL` as the second.
#[test]
fn b_chunk_size_malformed() {
    for size in ["G", "-5", "+5", "0x5", "0_5", " 5", "", "5 5", "5,", "5.", "\u{665}", "5\x0b"] {
        refused(chunked(&format!("{size}\r\nhello\r\n0\r\n\r\n")));
    }
    let second = refused(chunked("5\r\nhello\r\nILLEGAL\r\n"));
    assert_eq!(second, ProtocolError::ChunkLine { byte: b'I', after: 5 });
    assert_eq!(
        second.to_string(),
        "unexpected byte 'I' in the line of the chunk after 5 bytes of content"
    );
}

/// Row: chunk size `5 `.
#[test]
fn b_chunk_size_then_space() {
    for size in ["5 ", "5\t ", "5 ;a=b"] {
        let input = chunked(&format!("{size}\r\nhello\r\n0\r\n\r\n"));
        assert_eq!(content(input), split("hello", ""));
    }
}

/// Row: chunk size of 17 digits; 2^64+5; 2^32+5; FFFFFFFFFFFFFFFF; 8000000000000000.
#[test]
fn b_chunk_size_huge() {
    for size in ["11111111111111111", "10000000000000005"] {
        let error = refused(chunked(&format!("{size}\r\nhello\r\n0\r\n\r\n")));
        assert_eq!(error, ProtocolError::ChunkSize { after: 0 });
    }
    for size in ["100000005", "FFFFFFFFFFFFFFFF", "8000000000000000"] {
        let input = chunked(&format!("{size}\r\nhello\r\n0\r\n\r\n"));
        let content = b"hello\r\n0\r\n\r\n".to_vec();
        assert_eq!(get(input, Then::Hold), Outcome::Waiting { content });
    }
}

/// Row: 40 zeros, then 5.
#[test]
fn b_chunk_size_leading_zeros() {
    let input = chunked(&format!("{}5\r\nhello\r\n000\r\n\r\n", "0".repeat(40)));
    assert_eq!(content(input), split("hello", ""));
}

/// Row: data too long; no CRLF after data; `XY` for CRLF; `\rX`.
#[test]
fn b_chunk_data_end() {
    for (body, byte) in [
        ("5\r\nhelloWORLD\r\n0\r\n\r\n", b'W'),
        ("5\r\nhello0\r\n\r\n", b'0'),
        ("5\r\nhelloXY0\r\n\r\n", b'X'),
        ("5\r\nhello\rX0\r\n\r\n", b'X'),
        ("5\r\nhello\n0\r\n\r\n", b'\n'),
    ] {
        let outcome = get(chunked(body), Then::Hold);
        assert!(matches!(&outcome, Outcome::Failed { content, .. } if content == b"hello"));
        assert_eq!(outcome.error(), ProtocolError::ChunkEnd { byte, after: 5 });
    }
}

/// Row: LF-only chunk lines; extension ended by LF; CR or NUL in one; one without `;`.
#[test]
fn b_chunk_line_ends() {
    for body in [
        "5\nhello\r\n0\r\n\r\n",
        "5;a=b\nhello\r\n0\r\n\r\n",
        "5;a\rb\r\nhello\r\n0\r\n\r\n",
        "5;a\0b\r\nhello\r\n0\r\n\r\n",
        "5 a=b\r\nhello\r\n0\r\n\r\n",
        "5\r\r\nhello\r\n0\r\n\r\n",
        "5\r\nhello\r\n0\n\r\n",
        "5\r\nhello\r\n0\r\n\n",
        "5\r\nhello\r\n0\r\n\rX",
    ] {
        refused(chunked(body));
    }
}

/// Row: `5;a=b;c="d e"`; last chunk `000`; `0;x`.
#[test]
fn b_chunk_extensions() {
    for body in [
        "5;a=b;c=\"d e\"\r\nhello\r\n0\r\n\r\nnext",
        "5\r\nhello\r\n000\r\n\r\nnext",
        "5\r\nhello\r\n0;x\r\n\r\nnext",
        "5;\t\u{e4}\r\nhello\r\n0 ; x=\ty\r\n\r\nnext",
    ] {
        assert_eq!(content(chunked(body)), split("hello", "next"));
    }
}

/// Row: EOF before the last chunk, in data, in the size, in `0`.
#[test]
fn b_chunked_cut() {
    let body = "5;x=y\r\nhello\r\n0";
    for end in 0..=body.len() {
        let error = get(chunked(&body[..end]), Then::Close).error();
        let received = end.saturating_sub(7).min(5) as u64;
        assert_eq!(error, ProtocolError::IncompleteBody { expected: None, received });
    }
}

/// Row: EOF after `0\r\n`; in trailers.
#[test]
fn b_chunked_cut_behind_the_last_chunk() {
    for end in ["0\r\n", "0\r\n\r"] {
        let input = chunked(&format!("5\r\nhello\r\n{end}"));
        assert_eq!(get(&input, Then::Hold), Outcome::Waiting { content: b"hello".into() });
        assert_eq!(get(&input, Then::Close).answer().content, b"hello");
    }
    for trailer in ["X", "X: y", "X: y\r", "X: y\r\n", "X: y\r\n\r"] {
        let input = chunked(&format!("5\r\nhello\r\n0\r\n{trailer}"));
        let error = get(input, Then::Close).error();
        assert_eq!(error, ProtocolError::IncompleteTrailers { received: 5 });
        assert_eq!(error.kind(), FaultKind::IncompleteBody);
    }
}

/// Row: trailer Content-Length, Transfer-Encoding, Set-Cookie.
#[test]
fn b_trailers_are_not_merged() {
    let trailers = "Content-Length: 3\r\nTransfer-Encoding: gzip\r\nSet-Cookie: a=b\r\nX:  y \r\n";
    let input = chunked(&format!("5\r\nhello\r\n0\r\n{trailers}\r\nnext"));
    let answer = get(input, Then::Hold).answer();
    assert_eq!((answer.content, answer.rest), split("hello", "next"));
    assert_eq!(answer.head.headers.len(), 1);
    let trailers = answer.trailers.unwrap();
    let names: Vec<_> = trailers.iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["Content-Length", "Transfer-Encoding", "Set-Cookie", "X"]);
    assert_eq!(trailers.get_str("x"), Some("y"));
}

/// Row: trailer with NUL; without colon.
#[test]
fn b_trailers_malformed() {
    use LineFault as F;
    for (line, fault) in [
        ("X: a\0b", F::Value(0)),
        ("no colon", F::NoColon),
        (": y", F::EmptyName),
        ("X : y", F::SpaceBeforeColon),
        (" X: y", F::LeadingSpace),
        ("X: a\r b", F::LineEnd),
        ("X: a\nY: b", F::LineEnd),
        ("X: a\r\n b", F::LeadingSpace),
        ("X: a\x7f", F::Value(0x7f)),
    ] {
        let error = refused(chunked(&format!("0\r\nA: b\r\n{line}\r\n\r\n")));
        let found = match error {
            ProtocolError::Trailer { fault, line: 2 | 3, .. } => fault,
            other => panic!("{line:?}: {other:?}"),
        };
        assert_eq!(found, fault, "{line:?}");
    }
}

/// Row: 20 000 one-byte chunks.
#[test]
fn b_many_tiny_chunks() {
    let input = chunked(&format!("{}0\r\n\r\n", "1\r\nx\r\n".repeat(20_000)));
    assert_eq!(content(input).0, vec![b'x'; 20_000]);
}

/// Row (J): endless chunk size, chunk extension, many extensions, trailers.
#[test]
fn j_endless_framing_is_too_large() {
    let endless = |body: String| too_large(chunked(&body));
    let line = ProtocolError::ChunkLineTooLong { cap: 4096 };
    assert_eq!(endless("0".repeat(1 << 20)), line);
    assert_eq!(endless(format!("5{}", " ".repeat(1 << 20))), line);
    assert_eq!(endless(format!("5;{}", "x".repeat(1 << 20))), line);
    let wasteful = format!("1;{}\r\nx\r\n", "y".repeat(1000)).repeat(1000);
    assert_eq!(endless(wasteful), ProtocolError::ChunkExtensionsTooLarge { cap: 16 * 1024 });
    let trailers = ProtocolError::TrailersTooLarge { cap: 16 * 1024 };
    assert_eq!(endless(format!("0\r\nX: {}", "y".repeat(1 << 20))), trailers);
    assert_eq!(endless(format!("0\r\n{}", "X: y\r\n".repeat(1 << 20))), trailers);
    let many = format!("0\r\n{}\r\n", "X: y\r\n".repeat(257));
    assert_eq!(endless(many), ProtocolError::TooManyFields { cap: 256 });
}

/// Signed chunks (an extension of 85 bytes for each 64 KiB) are no attack, however many there are.
#[test]
fn j_extensions_paid_for_by_data_are_fine() {
    let chunk = format!("1000;chunk-signature={}\r\n{}\r\n", "0".repeat(64), "x".repeat(4096));
    let input = chunked(&format!("{}0\r\n\r\n", chunk.repeat(400)));
    assert_eq!(content(input).0.len(), 4096 * 400);
}
