//! Tests of the request side.

use super::*;
use proptest::prelude::*;

fn of(pairs: &[(&str, &str)]) -> Headers {
    let mut headers = Headers::new();
    for (name, value) in pairs {
        headers.append(name, value).unwrap();
    }
    headers
}

fn pairs<'a>(list: &'a [(&'a str, &'a [u8])]) -> impl Iterator<Item = (&'a str, &'a [u8])> {
    list.iter().copied()
}

/// Rows of table L: whatever was not checked before is stopped here, and nothing is left in `out`.
#[test]
fn the_last_writer_stops_injection() {
    let mut out = b"kept".to_vec();
    for target in ["", "/ ", "/\r\nX: 1", "/\n", "/\0", "/\t", "/\x7f", "/é"] {
        assert!(write_head(&mut out, &Method::Get, target, &Headers::new()).is_err(), "{target:?}");
    }
    let good: (&str, &[u8]) = ("Host", b"a");
    for bad in [
        ("X", b"a\r\nY: b".as_slice()),
        ("X", b"a\rb"),
        ("X", b"a\nb"),
        ("X", b"a\0b"),
        ("X\r\nY", b"a"),
        ("X:", b"a"),
        ("X Y", b"a"),
        ("", b"a"),
        ("X\0", b"a"),
    ] {
        let refused = write_head(&mut out, &Method::Get, "/", pairs(&[good, bad]));
        assert!(matches!(refused, Err(InvalidRequest::Header(_))), "{bad:?}");
    }
    assert_eq!(out, b"kept");
}

#[test]
fn head_and_body_share_a_buffer() {
    let mut out = Vec::new();
    let fields: [(&str, &[u8]); 2] = [("HOST", b"a"), ("x-empty", b"")];
    write_head(&mut out, &Method::Post, "http://a/b", pairs(&fields)).unwrap();
    write_chunk(&mut out, &[b'x'; 26]);
    write_chunk(&mut out, b"");
    write_last_chunk(&mut out);
    assert_eq!(
        String::from_utf8(out).unwrap(),
        format!(
            "POST http://a/b HTTP/1.1\r\nHOST: a\r\nx-empty: \r\n\r\n1a\r\n{}\r\n0\r\n\r\n",
            "x".repeat(26)
        )
    );
}

#[test]
fn numbers_are_written_as_std_writes_them() {
    for number in [0, 7, 10, 255, 4096, u64::from(u32::MAX), u64::MAX] {
        assert_eq!(Digits::decimal(number).as_bytes(), number.to_string().as_bytes());
        assert_eq!(Digits::hex(number).as_bytes(), format!("{number:x}").as_bytes());
    }
}

#[test]
fn framing_follows_content_and_method() {
    let none = of(&[]);
    let plan = |method: &Method, body| plan_body(method, &none, body).unwrap();
    assert_eq!(plan(&Method::Get, BodyLength::None), RequestFraming::None);
    assert_eq!(plan(&Method::Get, BodyLength::Known(0)), RequestFraming::None);
    assert_eq!(plan(&Method::Get, BodyLength::Known(4)), RequestFraming::Length(4));
    assert_eq!(plan(&Method::Delete, BodyLength::None), RequestFraming::None);
    for method in [Method::Post, Method::Put, Method::Patch] {
        assert_eq!(plan(&method, BodyLength::None), RequestFraming::Length(0));
        assert_eq!(plan(&method, BodyLength::Known(0)), RequestFraming::Length(0));
        assert_eq!(plan(&method, BodyLength::Unknown), RequestFraming::Chunked);
    }
}

#[test]
fn the_callers_own_framing_is_kept_when_it_is_true() {
    let own = of(&[("content-length", "4 ")]);
    let framing = plan_body(&Method::Post, &own, BodyLength::Known(4)).unwrap();
    assert_eq!((framing, framing.field(&own)), (RequestFraming::Length(4), None));
    let framing = plan_body(&Method::Post, &own, BodyLength::Unknown).unwrap();
    assert_eq!((framing, framing.field(&own)), (RequestFraming::Length(4), None));

    let own = of(&[("Transfer-Encoding", "Chunked")]);
    for body in [BodyLength::Known(4), BodyLength::Unknown] {
        let framing = plan_body(&Method::Post, &own, body).unwrap();
        assert_eq!((framing, framing.field(&own)), (RequestFraming::Chunked, None));
    }

    let zero = of(&[("Content-Length", "0")]);
    let framing = plan_body(&Method::Delete, &zero, BodyLength::None).unwrap();
    assert_eq!((framing, framing.field(&zero)), (RequestFraming::Length(0), None));
}

#[test]
fn framing_fields_that_lie_are_refused() {
    use InvalidRequest as E;
    let refused =
        |fields: &[(&str, &str)], body| plan_body(&Method::Post, &of(fields), body).unwrap_err();
    let known = BodyLength::Known(5);
    let both = [("Transfer-Encoding", "chunked"), ("Content-Length", "5")];
    assert_eq!(refused(&both, known), E::LengthAndTransferEncoding);
    let twice = [("Content-Length", "5"), ("content-length", "5")];
    assert_eq!(refused(&twice, known), E::ContentLengthRepeated);
    let wrong = E::ContentLengthWrong { declared: 6, actual: 5 };
    assert_eq!(refused(&[("Content-Length", "6")], known), wrong);
    let wrong = E::ContentLengthWrong { declared: 6, actual: 0 };
    assert_eq!(refused(&[("Content-Length", "6")], BodyLength::None), wrong);
    for value in ["+5", "5, 5", "0x5", "", "5.0", "18446744073709551621"] {
        let error = refused(&[("Content-Length", value)], known);
        assert!(matches!(error, E::ContentLength { .. }), "{value:?}");
    }
    for value in ["gzip", "gzip, chunked", "xchunked", "chunked, chunked", ""] {
        let error = refused(&[("Transfer-Encoding", value)], known);
        assert!(matches!(error, E::TransferEncoding { .. }), "{value:?}");
    }
    let chunked = [("Transfer-Encoding", "chunked")];
    assert_eq!(refused(&chunked, BodyLength::None), E::TransferEncodingWithoutContent);
}

#[test]
fn connect_and_trace_have_no_content() {
    for method in [Method::Connect, Method::Trace] {
        let refused = plan_body(&method, &of(&[]), BodyLength::Unknown).unwrap_err();
        assert_eq!(refused, InvalidRequest::ContentNotAllowed { method });
    }
}

/// What is said about the length, unless the fields say it.
#[test]
fn framing_fields() {
    let said = |framing: RequestFraming, fields: &[(&str, &str)]| {
        let field = framing.field(&of(fields));
        field.map(|field| (field.pair().0, field.pair().1.to_vec()))
    };
    let length = RequestFraming::Length(70);
    assert_eq!(said(RequestFraming::None, &[]), None);
    assert_eq!(said(length, &[("X", "y")]), Some(("Content-Length", b"70".to_vec())));
    assert_eq!(said(length, &[("content-length", "70")]), None);
    let chunked = Some(("Transfer-Encoding", b"chunked".to_vec()));
    assert_eq!(said(RequestFraming::Chunked, &[("X", "y")]), chunked);
    assert_eq!(said(RequestFraming::Chunked, &[("transfer-encoding", "chunked")]), None);
}

/// Bytes with what could end a name, a value or a line.
fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let special = prop::sample::select(b"\r\n\0\t :\x7f".to_vec());
    let byte = prop_oneof![6 => 0x21..0x7f_u8, 1 => special, 1 => any::<u8>()];
    prop::collection::vec(byte, 0..9)
}

proptest! {
    /// Whatever a caller gives: refused with nothing changed, or one line for each field, as given.
    #[test]
    fn a_field_stays_in_its_line(
        fields in prop::collection::vec((hostile(), hostile()), 0..6),
        target in hostile(),
    ) {
        let mut headers = Headers::new();
        let mut kept = Vec::new();
        for (name, value) in &fields {
            let name = String::from_utf8_lossy(name);
            let before = headers.clone();
            match headers.append(&name, value) {
                Ok(()) => kept.push([name.as_bytes(), b": ", value, b"\r"].concat()),
                Err(_) => prop_assert_eq!(&headers, &before),
            }
        }
        let target = String::from_utf8_lossy(&target);
        let mut out = b"kept".to_vec();
        if write_head(&mut out, &Method::Get, &target, &headers).is_err() {
            prop_assert_eq!(&out, b"kept");
            return Ok(());
        }
        let first = format!("keptGET {target} HTTP/1.1\r").into_bytes();
        let lines: Vec<&[u8]> = out.split(|&byte| byte == b'\n').collect();
        let expected: Vec<&[u8]> = std::iter::once(first.as_slice())
            .chain(kept.iter().map(Vec::as_slice))
            .chain([b"\r".as_slice(), b""])
            .collect();
        prop_assert_eq!(lines, expected);
    }
}
