//! Table A, "malformed heads", and the head's part of table J, "limits": one test a row. The peer
//! holds the connection open unless a row says otherwise, so an error has to come at once.

use super::*;

/// Row: `just some text`.
#[test]
fn a_text_is_no_response() {
    assert_eq!(
        refused("just some text").to_string(),
        "the peer does not answer in HTTP/1.x; it sent \"just some text\""
    );
    assert_eq!(get("just some text", Then::Close).error().kind(), FaultKind::Protocol);
}

/// Row: nothing, FIN.
#[test]
fn a_nothing_then_close() {
    assert_eq!(get("", Then::Close).error(), ProtocolError::ClosedBeforeResponse);
}

/// Row: TLS alert bytes, SSH or SMTP banner.
#[test]
fn a_banners_of_other_protocols() {
    for banner in [
        "\x15\x03\x01\x00\x02\x02\x46",
        "SSH-2.0-OpenSSH_9.6\r\n",
        "220 mail.test ESMTP\r\n",
        "<!DOCTYPE html>",
        "H2",
        "HTTPS",
        "\0",
    ] {
        assert!(matches!(refused(banner), ProtocolError::NotHttp { .. }), "{banner:?}");
    }
}

/// Row: status line without status, or with a malformed one.
#[test]
fn a_status_malformed() {
    for status in
        ["", "2OO", "2", "20", "2000", "-200", "+20", "2_0", "1e2", "0x1", " 200", "000", "099"]
    {
        refused(format!("HTTP/1.1 {status}\r\n\r\n"));
        refused(format!("HTTP/1.1 {status} OK\r\n\r\n"));
    }
    refused("HTTP/1.1\r\n\r\n");
    refused(format!("HTTP/1.1 {} OK\r\n\r\n", "2".repeat(100)));
}

/// Row: status 999 (any code above 599 means 5xx).
#[test]
fn a_status_beyond_599() {
    let input = "HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n";
    let answer = get(input, Then::Hold).answer();
    assert_eq!((answer.head.status, &*answer.head.reason()), (999, "Odd"));
}

/// Row: `HTTP/2.0`, `HTTP/3`, `HTTP/0.9`, `HTTP/1.10`, `http/1.1`, `ICY`; and `HTTP/1.2`.
#[test]
fn a_version_unknown() {
    for version in
        ["HTTP/2.0", "HTTP/3", "HTTP/0.9", "HTTP/1.10", "HTTP/1.2", "http/1.1", "ICY", "HTTP/01.1"]
    {
        refused(format!("{version} 200 OK\r\n\r\n"));
        refused(format!("{version} 200 OK"));
    }
}

/// Row: tab or two spaces in the status line; leading space; leading CRLF.
#[test]
fn a_status_line_white_space() {
    refused("HTTP/1.1\t200 OK\r\n\r\n");
    refused("HTTP/1.1  200 OK\r\n\r\n");
    refused("HTTP/1.1 200\tOK\r\n\r\n");
    refused(" HTTP/1.1 200 OK\r\n\r\n");
    refused("\r\n\r\nHTTP/1.1 200 OK\r\n\r\n");
    let answer = get("\r\nHTTP/1.1 204 None\r\n\r\n", Then::Hold).answer();
    assert_eq!(answer.head.status, 204);
    let answer = get("HTTP/1.1 204  two\r\n\r\n", Then::Hold).answer();
    assert_eq!(answer.head.reason(), " two", "white space in the reason belongs to it");
}

/// Row: bare CR or NUL in the reason.
#[test]
fn a_reason_control_bytes() {
    for reason in ["O\rK", "O\0K", "O\rX-Evil: 1", "O\x1b[31m", "O\x7fK"] {
        let error = refused(format!("HTTP/1.1 200 {reason}\r\n\r\n"));
        assert!(matches!(error, ProtocolError::ControlByte { offset: 14, .. }), "{error:?}");
    }
}

/// Row: LF-only line ends; mixed.
#[test]
fn a_line_feeds_only() {
    for input in [
        "HTTP/1.1 200 OK\nContent-Length: 2\nX: y\n\nhi",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\nX: y\r\n\nhi",
        "HTTP/1.1 200 OK\nContent-Length: 2\r\nX: y\n\r\nhi",
    ] {
        let answer = get(input, Then::Hold).answer();
        assert_eq!(answer.content, b"hi");
        assert_eq!(answer.head.headers.get_str("x"), Some("y"));
    }
}

/// Row: CR-only; CR CR LF.
#[test]
fn a_carriage_returns_only() {
    refused("HTTP/1.1 200 OK\rContent-Length: 5\r\rhello");
    refused("HTTP/1.1 200 OK\r\r\nContent-Length: 5\r\r\n\r\r\nhello");
}

/// Row: field without colon; empty name; space or `(` or 0xE4 in a name.
#[test]
fn a_field_names() {
    use LineFault as F;
    for (field, expected) in [
        (&b"no colon here"[..], F::NoColon),
        (b"X", F::NoColon),
        (b": x", F::EmptyName),
        (b"X Y: z", F::Name(b' ')),
        (b"X(: z", F::Name(b'(')),
        (b"X\xe4: z", F::Name(0xe4)),
        (b"\"X\": z", F::Name(b'"')),
    ] {
        let input =
            [b"HTTP/1.1 200 OK\r\nA: b\r\n", field, b"\r\nContent-Length: 0\r\n\r\n"].concat();
        match refused(input) {
            ProtocolError::Field { fault, line: 3, .. } => assert_eq!(fault, expected),
            other => panic!("{other:?}"),
        }
    }
}

/// Row: space before the colon.
#[test]
fn a_space_before_colon() {
    for name in ["X-A", "Content-Length", "Transfer-Encoding"] {
        for space in [" ", "\t", "  "] {
            let error = refused(format!("HTTP/1.1 200 OK\r\n{name}{space}: 5\r\n\r\nhello"));
            let fault = LineFault::SpaceBeforeColon;
            assert!(matches!(error, ProtocolError::Field { fault: f, line: 2, .. } if f == fault));
        }
    }
}

/// Row: white space before the first field.
#[test]
fn a_space_before_first_field() {
    for line in [" X: y", "\tX: y", " "] {
        let error = refused(format!("HTTP/1.1 200 OK\r\n{line}\r\nContent-Length: 0\r\n\r\n"));
        let fault = LineFault::LeadingSpace;
        assert!(matches!(error, ProtocolError::Field { fault: f, line: 2, .. } if f == fault));
    }
}

/// What is wrong behind an obs-fold is told of its own line.
#[test]
fn a_space_begins_a_fold_and_the_fault_is_further_down() {
    let error = refused("HTTP/1.1 200 OK\r\nX: y\r\n z\r\nno colon\r\n\r\n");
    let fault = LineFault::NoColon;
    assert!(matches!(error, ProtocolError::Field { fault: f, line: 4, .. } if f == fault));
}

/// Row: obs-fold in a plain field; in Content-Length; in Transfer-Encoding.
#[test]
fn a_obs_fold() {
    let folded =
        |fields: &str| get(format!("HTTP/1.1 200 OK\r\n{fields}\r\n\r\nhello"), Then::Hold);
    let answer = folded("X: a\r\n b\n\tc\r\n \r\nContent-Length:\r\n 5").answer();
    assert_eq!(answer.head.headers.get_str("X"), Some("a   b \tc"));
    assert_eq!(answer.content, b"hello");
    assert_eq!(folded("Content-Length: 5\r\n 5").error().kind(), FaultKind::Protocol);
    let chunked = folded("Transfer-Encoding:\r\n chunked");
    assert_eq!(chunked.error().kind(), FaultKind::Protocol, "hello is no chunk size");
    assert_eq!(folded("Transfer-Encoding: chun\r\n ked").error().kind(), FaultKind::Protocol);
    let injected = folded("Content-Length: 5\r\nX: a\r\n Set-Cookie: evil=1").answer();
    assert!(!injected.head.headers.contains("Set-Cookie"));
    assert_eq!(injected.head.headers.get_str("X"), Some("a   Set-Cookie: evil=1"));
}

/// Row: NUL, CR in a value; `a\rSet-Cookie: evil=1`.
#[test]
fn a_value_control_bytes() {
    for value in ["a\0b", "a\rb", "a\rSet-Cookie: evil=1", "\x1b[2J", "a\x0bb", "a\x7f"] {
        refused(format!("HTTP/1.1 200 OK\r\nX: {value}\r\nContent-Length: 0\r\n\r\n"));
    }
    // Without a blank line to come, too.
    refused("HTTP/1.1 200 OK\r\nX: a\0");
}

/// Row: raw UTF-8 value; OWS round Content-Length; empty value; no reason phrase.
#[test]
fn a_unusual_but_valid() {
    for status_line in ["HTTP/1.1 200", "HTTP/1.1 200 "] {
        let fields = "X: z\u{fc}rich\r\nEmpty:\r\nBlank: \t \r\nContent-Length: \t2 \t";
        let answer = get(format!("{status_line}\r\n{fields}\r\n\r\nhi"), Then::Hold).answer();
        let headers = &answer.head.headers;
        assert_eq!((answer.head.reason().as_ref(), answer.content.as_slice()), ("", &b"hi"[..]));
        assert_eq!(headers.get_str("x"), Some("z\u{fc}rich"));
        assert_eq!((headers.get("empty"), headers.get("blank")), (Some(&b""[..]), Some(&b""[..])));
        let names: Vec<_> = headers.iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["X", "Empty", "Blank", "Content-Length"]);
    }
}

/// A reason in Latin-1 is kept as it is and shown as well as possible.
#[test]
fn a_reason_not_ascii() {
    let input = b"HTTP/1.1 404 Seite nicht gefunden \xfc\r\nContent-Length: 0\r\n\r\n";
    let answer = get(input, Then::Hold).answer();
    assert_eq!(answer.head.reason.as_bytes(), b"Seite nicht gefunden \xfc");
    assert_eq!(answer.head.reason(), "Seite nicht gefunden \u{fffd}");
}

/// Row: EOF in the status line; after it; in a name; before the blank line.
#[test]
fn a_cut_head_is_no_response() {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    for end in 1..head.len() {
        let expected = ProtocolError::ClosedInHead { received: end, informational: 0 };
        assert_eq!(get(&head[..end], Then::Close).error(), expected);
    }
}

/// Row: 204, 304 with Content-Length or chunked; HEAD with either.
#[test]
fn a_no_body_whatever_the_fields_say() {
    let fields = [
        "Content-Length: 5",
        "Transfer-Encoding: chunked",
        "Content-Length: x",
        "Content-Length: 5\r\nTransfer-Encoding: gzip",
        "X: y",
    ];
    for field in fields {
        for (method, status) in [(Method::Get, 204), (Method::Get, 304), (Method::Head, 200)] {
            let input = format!("HTTP/1.1 {status} Fine\r\n{field}\r\n\r\nhello");
            let answer = run(&method, input.as_bytes(), Then::Hold).answer();
            assert_eq!(
                (answer.content.as_slice(), answer.rest.as_slice()),
                (&b""[..], &b"hello"[..])
            );
        }
    }
}

/// Row: 100, 102, 103, 199 then 200.
#[test]
fn a_interim_responses() {
    for status in [100, 102, 103, 199] {
        let input = format!("HTTP/1.1 {status} Wait\r\nLink: x\r\n\r\nHTTP/1.1 204 None\r\n\r\n");
        let answer = get(input, Then::Hold).answer();
        assert_eq!((answer.informational, answer.head.status), (vec![status], 204));
        assert!(!answer.head.headers.contains("Link"));
    }
}

/// Row: 100 with Content-Length 5 and `hello`, then 200.
#[test]
fn a_interim_with_body() {
    refused("HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 200 OK\r\n\r\n");
}

/// Row: 100 then EOF; 100 then garbage.
#[test]
fn a_interim_then_nothing() {
    let interim = "HTTP/1.1 100 Continue\r\n\r\n";
    let cut = get(interim, Then::Close).error();
    assert_eq!(cut, ProtocolError::ClosedInHead { received: 0, informational: 1 });
    assert_eq!(cut.kind(), FaultKind::Closed);
    refused(format!("{interim}garbage"));
}

/// Row: 101 unasked.
#[test]
fn a_switching_protocols_is_final() {
    let input =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nContent-Length: 5\r\n\r\n\x01\x02";
    let answer = get(input, Then::Hold).answer();
    assert_eq!((answer.head.status, answer.rest), (101, vec![1, 2]));
}

/// Row (J): endless status line, name, value, fields, 1xx, 103.
#[test]
fn j_endless_heads_are_too_large() {
    let long = "a".repeat(1 << 20);
    for input in [
        format!("HTTP/1.1 200 {long}"),
        format!("HTTP/1.1 200 OK\r\n{long}"),
        format!("HTTP/1.1 200 OK\r\nX: {long}"),
        format!("HTTP/1.1 200 OK\r\nX: {}", "\t\t".repeat(1 << 20)),
        format!("HTTP/1.1 200 OK\r\nX: a{}", "\r\n a".repeat(1 << 20)),
    ] {
        too_large(input);
    }
    let fields = format!("HTTP/1.1 200 OK\r\n{}", "X: y\r\n".repeat(10_000));
    assert_eq!(too_large(fields), ProtocolError::TooManyFields { cap: 256 });
    for status in [100, 103] {
        let interim = format!("HTTP/1.1 {status} Wait\r\n\r\n").repeat(1_000);
        assert_eq!(too_large(interim), ProtocolError::TooManyInformational { cap: 32 });
    }
}

/// Row (J): 90 fields; one 16 KB field; and what the caps allow at most.
#[test]
fn j_no_false_alarm() {
    for count in [64, 65, 90, 256] {
        let fields = (0..count).map(|n| format!("X-{n}: {n}\r\n")).collect::<String>();
        let answer = get(format!("HTTP/1.1 204 None\r\n{fields}\r\n"), Then::Hold).answer();
        assert_eq!(answer.head.headers.len(), count);
        assert_eq!(
            answer.head.headers.get_str(&format!("x-{}", count - 1)),
            Some(&*(count - 1).to_string())
        );
    }
    let value = "v".repeat(16 * 1024);
    let answer = get(format!("HTTP/1.1 204 None\r\nX: {value}\r\n\r\n"), Then::Hold).answer();
    assert_eq!(answer.head.headers.get_str("x"), Some(&*value));
}

#[test]
fn a_head_may_be_as_large_as_its_cap_and_no_larger() {
    let input = b"HTTP/1.1 204 None\r\nA: b\r\n\r\n";
    for (head_bytes, fits) in [(input.len(), true), (input.len() - 1, false)] {
        let caps = Caps { head_bytes, ..Caps::default() };
        let mut exchange = Exchange::new(&Method::Get, caps);
        let fed = exchange.feed(input, false);
        assert_eq!(fed.is_ok(), fits, "{fed:?}");
        assert!(fits || fed == Err(ProtocolError::HeadTooLarge { cap: head_bytes }));
    }
}
