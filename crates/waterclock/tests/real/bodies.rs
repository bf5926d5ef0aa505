//! Bodies that come down: framings, codings, ways to read, and what becomes of a body nobody reads.

use crate::support::{PROMPT, ms, session, timed};
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use std::io::{self, Write as _};
use waterclock::{DecodeLimits, ErrorKind, Limits, Phase, Response, Session};
use waterclock_lab::{
    FastServer, Script, Server, Step, chunk, drip_body, head, head_then_stall, respond,
    respond_chunked, respond_with,
};

fn get(server: &Server) -> Response {
    session(Limits::total(ms(10_000))).get(server.url("/")).send().unwrap()
}

fn answering(steps: impl Into<Vec<Step>>) -> Server {
    Server::start(Script::every_request(steps)).unwrap()
}

fn text() -> Vec<u8> {
    (0..5_000).flat_map(|line| format!("line {line}\n").into_bytes()).collect()
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn coded() -> Vec<(&'static str, Vec<u8>)> {
    let text = text();
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
    zlib.write_all(&text).unwrap();
    // Some servers call this deflate too (RFC 9110 §8.4.1.2).
    let mut raw = DeflateEncoder::new(Vec::new(), Compression::fast());
    raw.write_all(&text).unwrap();
    let mut zstd = Vec::with_capacity(zstd_safe::compress_bound(text.len()));
    zstd_safe::compress(&mut zstd, &text, 1).unwrap();
    vec![
        ("gzip", gzip(&text)),
        ("x-gzip", gzip(&text)),
        ("deflate", zlib.finish().unwrap()),
        ("deflate", raw.finish().unwrap()),
        ("zstd", zstd),
        ("gzip, gzip", gzip(&gzip(&text))),
    ]
}

#[test]
fn codings_are_undone_in_every_framing() {
    for (name, bytes) in coded() {
        let counted = respond_with(200, &[("Content-Encoding", name)], &bytes);
        let fields = [("Content-Encoding", name), ("Transfer-Encoding", "chunked")];
        let mut chunked = vec![Step::Send(head(200, &fields))];
        chunked.extend(bytes.chunks(1_000).map(|piece| Step::Send(chunk(piece))));
        chunked.push(Step::send("0\r\n\r\n"));
        let until_close = vec![
            Step::send([head(200, &[("Content-Encoding", name)]), bytes].concat()),
            Step::Close,
        ];
        for steps in [counted, chunked, until_close] {
            let server = answering(steps);
            assert!(get(&server).content().unwrap() == text(), "{name}");
        }
    }
}

#[test]
fn brotli_is_undone() {
    // One uncompressed meta-block (RFC 7932 §9.2) and an empty last one.
    let hello = b"\x0b\x02\x80hello\x03";
    let server = answering(respond_with(200, &[("Content-Encoding", "br")], hello));
    assert_eq!(get(&server).text().unwrap(), "hello");
}

#[test]
fn coded_bodies_that_are_damaged_or_cut_are_errors() {
    let mut damaged = gzip(&text());
    let last = damaged.len() - 6;
    damaged[last] ^= 1; // in the checksum
    for bytes in [&damaged[..], &gzip(&text())[..500], b"no gzip at all"] {
        let server = answering(respond_with(200, &[("Content-Encoding", "gzip")], bytes));
        let error = get(&server).content().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode, "{error:#}");
        assert_eq!(error.status(), Some(200));
    }
}

#[test]
fn coded_bodies_can_be_capped_or_left_as_they_are() {
    let bytes = gzip(&vec![0; 10_000_000]);
    let server = answering(respond_with(200, &[("Content-Encoding", "gzip")], &bytes));
    let session = session(Limits::total(ms(20_000)));
    let limits = DecodeLimits { max_size: Some(100_000), ..DecodeLimits::default() };
    let request = session.get(server.url("/")).decode_limits(limits);
    let error = request.send().unwrap().content().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge, "{error:#}");
    let request = session.get(server.url("/")).decode(false);
    assert_eq!(request.send().unwrap().content().unwrap(), bytes);
}

#[test]
fn chunks_have_trailers() {
    let server = answering(vec![
        Step::Send(head(200, &[("Transfer-Encoding", "chunked"), ("Trailer", "X-Sum")])),
        Step::send("5;ext=1\r\nhello\r\n"),
        Step::send("6\r\n world\r\n0\r\nX-Sum: 11\r\n\r\n"),
    ]);
    let mut response = get(&server);
    assert!(response.trailers().is_none());
    assert_eq!(response.text().unwrap(), "hello world");
    assert_eq!(response.trailers().unwrap().get("x-sum"), Some(&b"11"[..]));
    assert_eq!(response.body_received(), 11);
}

#[test]
fn responses_without_a_body_end_at_once_and_keep_their_connection() {
    let script = Script::by_request(|request| match request.path() {
        "/204" => vec![Step::Send(head(204, &[]))],
        "/304" => vec![Step::Send(head(304, &[("Content-Length", "100")]))],
        _ => vec![Step::Send(head(200, &[("Content-Length", "100")]))],
    });
    let server = Server::start(script).unwrap();
    let session = session(Limits::total(ms(10_000)));
    for (request, status) in [
        (session.get(server.url("/204")), 204),
        (session.get(server.url("/304")), 304),
        (session.head(server.url("/")), 200),
        (session.get(server.url("/204")), 204),
    ] {
        let mut response = request.send().unwrap();
        assert_eq!((response.status(), response.content().unwrap().len()), (status, 0));
        assert!(response.timeline().is_finished());
        assert_eq!(response.connection().unwrap().number, 1);
    }
    assert_eq!(server.connections(), 1);
}

#[test]
fn a_body_may_end_with_its_connection() {
    let mut steps = vec![Step::Send(head(200, &[]))];
    steps.extend([Step::send("some "), Step::sleep_ms(5), Step::send("more"), Step::Close]);
    let server = answering(steps);
    let mut response = get(&server);
    assert_eq!(response.body_expected(), None);
    assert_eq!(response.text().unwrap(), "some more");
}

#[test]
fn a_cut_body_is_incomplete_and_says_how_much_came() {
    let counted = [head(200, &[("Content-Length", "10")]), b"only".to_vec()].concat();
    let chunked = [head(200, &[("Transfer-Encoding", "chunked")]), chunk("only")].concat();
    for bytes in [counted, chunked] {
        let server = answering(vec![Step::Send(bytes), Step::Close]);
        let mut response = get(&server);
        let error = response.content().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::IncompleteBody, "{error:#}");
        assert_eq!((error.status(), response.body_received()), (Some(200), 4));
        // Whoever asks again must not take the part for the whole.
        let again = response.content().unwrap_err();
        assert_eq!((again.kind(), again.message()), (error.kind(), error.message()));
        assert!(response.read_body(&mut [0; 8]).is_err());
    }
}

#[test]
fn there_are_four_ways_to_read() {
    let server = FastServer::start().unwrap();
    let session = session(Limits::total(ms(20_000)));
    let expected: Vec<u8> = (0..=250_u8).cycle().take(100_000).collect();
    for path in ["/bytes/100000", "/chunked/100000/777"] {
        let open = || session.get(server.url(path)).send().unwrap();
        assert!(open().content().unwrap() == expected);

        let mut all = Vec::new();
        io::Read::read_to_end(&mut open(), &mut all).unwrap();
        assert!(all == expected);

        let mut response = open();
        let pieces: Result<Vec<_>, _> = response.chunks(1_000).collect();
        let pieces = pieces.unwrap();
        assert!(pieces.iter().all(|piece| (1..=1_000).contains(&piece.len())));
        assert!(pieces.concat() == expected);
        assert!(response.timeline().is_finished());

        let (mut response, mut all, mut piece) = (open(), Vec::new(), [0; 7]);
        loop {
            match response.read_body(&mut piece).unwrap() {
                0 => break,
                count => all.extend_from_slice(&piece[..count]),
            }
        }
        assert!(all == expected);
    }
    assert_eq!(server.connections(), 1);
}

#[test]
fn a_read_error_is_the_error_of_the_call() {
    let server = answering(head_then_stall(200, 10));
    let limits = Limits::builder().read(ms(200)).build();
    let mut response = session(limits).get(server.url("/")).send().unwrap();
    let error = io::Read::read_to_end(&mut response, &mut Vec::new()).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    let inner = error.get_ref().unwrap().downcast_ref::<waterclock::Error>().unwrap();
    assert_eq!(inner.phase(), Some(Phase::Body));
    // It does not come back to life, nor does the part look like the whole.
    let again = response.content().unwrap_err();
    assert_eq!((again.kind(), again.limit()), (ErrorKind::Timeout, Some(waterclock::Limit::Read)));
}

#[test]
fn dropping_a_small_response_keeps_the_connection() {
    let server = FastServer::start().unwrap();
    let session = session(Limits::total(ms(10_000)));
    for _ in 0..5 {
        let response = session.get(server.url("/bytes/10000")).send().unwrap();
        // So that the body is there: what is not yet there is not waited for.
        std::thread::sleep(ms(20));
        drop(response);
    }
    assert_eq!((server.connections(), server.requests()), (1, 5));
}

#[test]
fn dropping_never_waits() {
    let slow = drip_body(200, vec![b'x'; 100], 1, ms(50));
    for steps in [head_then_stall(200, 10), slow, respond(200, vec![0; 10_000_000])] {
        let server = answering(steps);
        let response = get(&server);
        let ((), elapsed) = timed(|| drop(response));
        assert!(elapsed < PROMPT, "{elapsed:?}");
    }
}

#[test]
fn drain_waits_a_little_for_a_small_rest() {
    let late = vec![
        Step::Send(head(200, &[("Content-Length", "4")])),
        Step::sleep_ms(20),
        Step::send("late"),
    ];
    let session: Session = session(Limits::total(ms(10_000)));
    // A busy machine may take longer than we wait, but not every time.
    let kept = |_| {
        let server = answering(late.clone());
        for _ in 0..2 {
            session.get(server.url("/")).send().unwrap().drain();
        }
        server.connections() == 1
    };
    assert!((0..3).any(kept));

    // But not for ever, and not for much.
    for steps in [head_then_stall(200, 10), respond(200, vec![0; 10_000_000])] {
        let server = answering(steps);
        let response = session.get(server.url("/")).send().unwrap();
        let ((), elapsed) = timed(|| response.drain());
        assert!(elapsed < ms(100) + PROMPT, "{elapsed:?}");
    }
}

#[test]
fn a_chunked_text_in_pieces() {
    let server = answering(respond_chunked(200, &["a", "bc", "def"]));
    assert_eq!(get(&server).text().unwrap(), "abcdef");
}
