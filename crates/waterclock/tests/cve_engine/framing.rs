//! Flaws of framing: what is buffered, counted and believed while a response is read.

use crate::peak;
use crate::support::{EVIL, Origin, alone, builder, ok};
use std::time::Duration;
use waterclock::{Caps, ErrorKind, Limit, Limits};
use waterclock_lab::{Server, Step, head};
use waterclock_sim::Script;

const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

/// The kind and the words of the error that a response must bring.
#[track_caller]
fn refused(response: &[u8], kind: ErrorKind, words: &str) {
    let origin = Origin::answering([response, EVIL.as_bytes()].concat());
    let error = origin.fetch().unwrap_err();
    let text = error.to_string();
    assert_eq!((error.kind(), text.contains(words)), (kind, true), "{error:#}");
    assert_eq!(origin.fetch().unwrap(), "other");
}

/// GHSA-vxq7-64xx-v4gw: urllib3 read the line of a chunk's size to its end, wherever that was.
#[test]
fn ghsa_vxq7_64xx_v4gw_a_chunk_line_without_an_end() {
    const LONG: usize = 1 << 20;
    let long = |byte: &str| byte.repeat(LONG);
    let extension = |count| format!("1;{}\r\nx\r\n", "e".repeat(1000)).repeat(count);
    let trailers = |count| format!("0\r\n{}", "A: b\r\n".repeat(count));
    // Each of them goes on properly, for a client that would take so much.
    for (body, words) in [
        (format!("{}5\r\nhello\r\n0\r\n\r\n", long("0")), "a chunk line is longer than 4096"),
        (format!("5;{}\r\nhello\r\n0\r\n\r\n", long("e")), "a chunk line is longer than 4096"),
        (format!("5{}\r\nhello\r\n0\r\n\r\n", long(" ")), "a chunk line is longer than 4096"),
        (format!("{}0\r\n\r\n", extension(100)), "chunk extensions outweigh the content"),
        (format!("0\r\nA: {}\r\n\r\n", long("t")), "the trailer section is larger than 16384"),
        (format!("{}\r\n", trailers(300)), "more than 256 header fields"),
    ] {
        refused(format!("{CHUNKED}{body}").as_bytes(), ErrorKind::TooLarge, words);
    }
    for line in ["+5", "-5", "0x5", "5h", "", " 5", "\n5", "5\n", "5\r", "5;\u{b}", "_5", "5\0"] {
        let response = format!("{CHUNKED}{line}\r\nhello\r\n0\r\n\r\n");
        refused(response.as_bytes(), ErrorKind::Protocol, "the chunk after 0 bytes");
    }
    let bare = format!("{CHUNKED}5\nhello\n0\n\n");
    refused(bare.as_bytes(), ErrorKind::Protocol, "the chunk after 0 bytes");
    let overflow = format!("{CHUNKED}10000000000000005\r\nhello\r\n0\r\n\r\n");
    refused(overflow.as_bytes(), ErrorKind::Protocol, "2^64");

    // And one that really has no end, on a real socket.
    let endless = vec![Step::send("0".repeat(1000))];
    let steps = vec![Step::ReadHead, Step::send(CHUNKED), Step::Loop(endless)];
    let server = Server::start(steps).unwrap();
    let mut response = builder().build().unwrap().get(server.url("/")).send().unwrap();
    assert_eq!(response.content().unwrap_err().kind(), ErrorKind::TooLarge);
}

/// urllib3#1362: a field value that went on in another line (obs-fold) kept its CR LF, which whoever
/// passed it on then sent.
#[test]
fn urllib3_1362_a_folded_field() {
    let folded =
        "HTTP/1.1 200 OK\r\nX-Folded: one\r\n two\r\n\tthree\r\nContent-Length: 2\r\n\r\nok";
    let origin = Origin::answering(folded);
    let mut response = origin.get().unwrap();
    let value = response.headers().get("X-Folded").unwrap();
    let words: Vec<_> =
        value.split(|byte| b" \t".contains(byte)).filter(|w| !w.is_empty()).collect();
    assert_eq!(words, [&b"one"[..], b"two", b"three"]);
    for (name, value) in response.headers() {
        assert!(!value.iter().any(|byte| b"\r\n\0".contains(byte)), "{name}: {value:?}");
    }
    assert_eq!(response.text().unwrap(), "ok");
    // Trailers need no such leniency.
    let trailer = format!("{CHUNKED}2\r\nok\r\n0\r\nX-Folded: one\r\n two\r\n\r\n");
    refused(trailer.as_bytes(), ErrorKind::Protocol, "white space before the field");
    // A line break that is none of HTTP's.
    let bare = "HTTP/1.1 200 OK\r\nX: one\rEvil: two\r\nContent-Length: 0\r\n\r\n";
    refused(bare.as_bytes(), ErrorKind::Protocol, "control byte");
}

/// CVE-2025-13836: `http.client` set aside as much memory as Content-Length said, before a byte of
/// the body had come.
#[test]
fn cve_2025_13836_a_content_length_that_is_a_lie() {
    if !alone("framing::cve_2025_13836_a_content_length_that_is_a_lie", &[]) {
        return;
    }
    for length in [256_u64 << 20, 1 << 50, u64::MAX] {
        let promise = head(200, &[("Content-Length", &length.to_string())]);
        let chunk = format!("{CHUNKED}{length:x}\r\nhello").into_bytes();
        for bytes in [[promise, b"hello".to_vec()].concat(), chunk] {
            let steps = vec![Step::ReadHead, Step::Send(bytes), Step::Close];
            let server = Server::start(steps).unwrap();
            let session = builder().build().unwrap();
            let grown = peak::grown_by(|| {
                let error = session.get(server.url("/")).send().unwrap().content().unwrap_err();
                assert_eq!(error.kind(), ErrorKind::IncompleteBody, "{error:#}");
            });
            assert!(grown < 16 << 20, "{grown} bytes for a body of 5");
        }
    }
    // Who reads bodies whole may cap what does come, however it is framed and read.
    let zeros = "0".repeat(100_001);
    let chunked = format!("{CHUNKED}{:x}\r\n{zeros}\r\n0\r\n\r\n", zeros.len());
    for response in [ok(&zeros), chunked, format!("HTTP/1.0 200 OK\r\n\r\n{zeros}")] {
        let steps = vec![Step::ReadHead, Step::send(response), Step::Close];
        let server = Server::start(steps).unwrap();
        for (cap, piece, fits) in
            [(100_001, 50_000, true), (100_000, 50_000, false), (100_000, 100, false)]
        {
            let caps = Caps { body_bytes: cap, ..Caps::default() };
            let session = builder().caps(caps).build().unwrap();
            let mut response = session.get(server.url("/")).send().unwrap();
            let (mut room, mut length) = (vec![1; piece], 0);
            let error = loop {
                match response.read_body(&mut room) {
                    Ok(0) => break None,
                    Ok(count) => length += count as u64,
                    Err(error) => break Some(error.kind()),
                }
            };
            assert_eq!(error, (!fits).then_some(ErrorKind::TooLarge), "{cap}, {piece}");
            assert!(length <= cap, "{length} of {cap}");
        }
    }
}

/// CVE-2021-3737: after a `100 Continue`, `http.client` read header lines for ever. (And still takes
/// any number of 1xx responses.)
#[test]
fn cve_2021_3737_fields_behind_an_interim_response() {
    const CONTINUE: &str = "HTTP/1.1 100 Continue\r\n";
    let many = "A: b\r\n".repeat(300);
    let long = format!("A: {}\r\n", "b".repeat(1 << 20));
    let lines = "more than 256 header fields";
    let bytes = "the response head is larger than 65536 bytes";
    let end = "\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    refused(format!("{CONTINUE}{many}{end}").as_bytes(), ErrorKind::TooLarge, lines);
    refused(format!("{CONTINUE}{long}{end}").as_bytes(), ErrorKind::TooLarge, bytes);
    let interims = |count| format!("{CONTINUE}\r\n").repeat(count) + &ok("hello");
    refused(interims(33).as_bytes(), ErrorKind::TooLarge, "more than 32 interim");
    assert_eq!(Origin::answering(interims(32)).fetch().unwrap(), "hello");

    // However they come, they gain no time.
    let every = Duration::from_millis(10);
    let drip = Script::new().send("A: b\r\n").wait(every);
    let lines = Script::new().expect_head().send(CONTINUE).repeat(drip);
    let drip = Script::new().send(format!("{CONTINUE}\r\n")).wait(every);
    for script in [lines, Script::new().expect_head().repeat(drip)] {
        let origin = Origin::new(script);
        let limits = Limits::builder().head(Duration::from_millis(105)).build();
        let request = origin.session.get("http://origin.test/").limits(limits);
        let error = request.send().unwrap_err();
        assert_eq!(error.limit(), Some(Limit::Head), "{error:#}");
        assert_eq!(error.elapsed(), Duration::from_millis(105));
    }
}

/// No id: `http.client` takes a 103 for the answer, so that the answer itself lies in the buffer and
/// becomes that of the next request.
#[test]
fn no_id_103_desync() {
    const HINTS: &str = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n";
    let each = |text: &str| Script::new().expect_head().send(text);
    for interim in [HINTS.to_owned(), HINTS.repeat(3), HINTS.replace("103", "199")] {
        // Before the answer it is passed over.
        let first = each(&(interim.clone() + &ok("first"))).then(each(&ok("second")));
        let origin = Origin::new(first);
        for expected in ["first", "second"] {
            let mut response = origin.get().unwrap();
            assert_eq!((response.status(), &*response.text().unwrap()), (200, expected));
            assert_eq!(response.headers().get("Link"), None);
        }
        assert_eq!(origin.connections(), 1);
        // Behind it, it belongs to no answer, and nothing else that comes there is one.
        let text = ok("first") + &interim + EVIL;
        for script in [each(&text), each(&ok("first")).send(interim.clone() + EVIL)] {
            let origin = Origin::new(script.then(each(&ok("second"))));
            assert_eq!(origin.fetch().unwrap(), "first");
            assert_eq!(origin.fetch().unwrap(), "other");
            assert_eq!(origin.connections(), 2);
        }
    }
}
