//! Bodies that go up: with and without a length, sources that fail or lie, `100 Continue`, and peers
//! that do not want them.

use crate::support::{Alone, ms, session, timed};
use signal_hook::consts::SIGPIPE;
use std::io::{self, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use waterclock::{ErrorKind, Limits, RequestSent};
use waterclock_lab::{FastServer, Script, Server, Step, respond, respond_with};

fn echo() -> Server {
    Server::start(Script::by_request(|request| respond(200, &request.body))).unwrap()
}

fn limits() -> Limits {
    Limits::total(ms(20_000))
}

/// Gives one byte at a time, so that every piece is a chunk.
struct Slowly(&'static [u8]);

impl io::Read for Slowly {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.0.len().min(out.len()).min(1);
        io::Read::read(&mut self.0, &mut out[..count])
    }
}

#[test]
fn streamed_bodies_with_and_without_a_length() {
    let server = echo();
    let session = session(limits());
    for length in [Some(7), None] {
        let request = session.post(server.url("/")).body_reader(Slowly(b"content"), length);
        assert_eq!(request.send().unwrap().text().unwrap(), "content");
    }
    let requests = server.requests();
    assert_eq!(requests[0].header("content-length"), Some("7"));
    assert_eq!(requests[1].header("transfer-encoding"), Some("chunked"));
    assert_eq!(requests[1].header("content-length"), None);
    assert_eq!(server.connections(), 1);
}

#[test]
fn large_bodies_of_every_kind_arrive_whole() {
    let server = echo();
    let session = session(limits());
    let body: Vec<u8> = (0..=250_u8).cycle().take(3_000_000).collect();
    let stream = || io::Cursor::new(body.clone());
    for request in [
        session.put(server.url("/")).body(body.clone()),
        session.put(server.url("/")).body_reader(stream(), Some(3_000_000)),
        session.put(server.url("/")).body_reader(stream(), None),
    ] {
        assert!(request.send().unwrap().content().unwrap() == body);
    }
}

struct Failing;

impl io::Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other("the disk is on fire"))
    }
}

#[test]
fn a_source_that_fails_is_the_callers_error() {
    let server = echo();
    let session = session(limits());
    let source = io::Read::chain(Slowly(b"abc"), Failing);
    let error = session.post(server.url("/")).body_reader(source, None).send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error:#}");
    assert!(error.to_string().contains("the disk is on fire"), "{error}");
    assert_eq!(error.request_sent(), RequestSent::Partly);
    // A half request is never followed by another one.
    assert_eq!(session.post(server.url("/")).body("x").send().unwrap().text().unwrap(), "x");
    assert_eq!(server.connections(), 2);
}

#[test]
fn a_length_that_lies_never_reaches_the_next_request() {
    let server = echo();
    let session = session(limits());
    let short = session.post(server.url("/")).body_reader(Slowly(b"abc"), Some(5));
    let error = short.send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error:#}");
    assert!(error.to_string().contains("2 bytes before its length"), "{error}");
    // What is too much is not read.
    let long = session.post(server.url("/")).body_reader(Slowly(b"abcdef"), Some(3));
    assert_eq!(long.send().unwrap().text().unwrap(), "abc");
    assert_eq!(session.post(server.url("/")).body("x").send().unwrap().text().unwrap(), "x");
}

#[test]
fn time_in_the_source_is_the_callers() {
    struct Pausing(bool);
    impl io::Read for Pausing {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            std::thread::sleep(ms(40));
            if std::mem::replace(&mut self.0, true) {
                return Ok(0);
            }
            out[0] = b'x';
            Ok(1)
        }
    }
    let server = echo();
    let session = session(Limits::builder().write(ms(30)).build());
    let request = session.post(server.url("/")).body_reader(Pausing(false), None);
    let mut response = request.send().unwrap();
    assert_eq!(response.text().unwrap(), "x");
    assert!(response.timeline().caller() >= ms(80), "{:?}", response.timeline().caller());
}

#[test]
fn the_server_asks_for_the_body_and_gets_it() {
    let server = echo(); // sends 100 Continue to those who wait for it
    let session = session(Limits::builder().total(ms(20_000)).continue_(ms(15_000)).build());
    for body in ["small".to_owned(), "x".repeat(100_000)] {
        let request = session.post(server.url("/")).expect_continue(true).body(body.clone());
        let (text, elapsed) = timed(|| request.send().unwrap().text().unwrap());
        assert!(text == body);
        assert!(elapsed < ms(10_000), "{elapsed:?}");
    }
    assert_eq!(server.connections(), 1);
}

#[test]
fn a_refused_expectation_spares_the_upload() {
    let script = Script::by_head(|_| respond_with(417, &[("Connection", "close")], "no"));
    let server = Server::start(script).unwrap();
    let session = session(Limits::builder().total(ms(20_000)).continue_(ms(15_000)).build());
    let source = Failing; // nobody must read it
    let request = session.post(server.url("/")).expect_continue(true).body_reader(source, Some(9));
    let mut response = request.send().unwrap();
    assert_eq!((response.status(), &*response.text().unwrap()), (417, "no"));
    // The body was never sent, so the connection cannot be used again, whatever the server says.
    assert_eq!(session.post(server.url("/")).body("").send().unwrap().status(), 417);
    assert_eq!(server.connections(), 2);
}

#[test]
fn an_empty_body_expects_nothing() {
    let server = echo();
    let session = session(limits());
    session.post(server.url("/")).expect_continue(true).body("").send().unwrap();
    assert_eq!(server.requests()[0].header("expect"), None);
    assert_eq!(server.requests()[0].header("content-length"), Some("0"));
}

#[test]
fn a_reset_during_an_upload_is_an_error_and_no_signal() {
    if !Alone::is_here() {
        Alone::test("uploads::a_reset_during_an_upload_is_an_error_and_no_signal").run();
        return;
    }
    let signalled = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(SIGPIPE, Arc::clone(&signalled)).unwrap();
    let steps = vec![Step::ReadHead, Step::sleep_ms(20), Step::Reset];
    let server = Server::builder().script(steps).receive_buffer(65_536).start().unwrap();
    let session = session(limits());
    for _ in 0..5 {
        let source = io::repeat(b'x');
        let error = session.post(server.url("/")).body_reader(source, None).send().unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Send | ErrorKind::Receive), "{error:#}");
        assert_eq!((error.request_sent(), error.retry_safe()), (RequestSent::Partly, false));
    }
    assert!(!signalled.load(Ordering::SeqCst), "SIGPIPE was raised");
}

#[test]
fn the_length_of_an_upload_is_counted() {
    let server = FastServer::start().unwrap();
    let session = session(limits());
    let source = io::Read::take(io::repeat(b'x'), 1_000_000);
    let mut response = session.post(server.url("/")).body_reader(source, None).send().unwrap();
    assert_eq!(response.text().unwrap(), "1000000");
}

/// What an echo server says depends on what it reads, and its answer is larger than any socket's room.
#[test]
fn an_answer_that_comes_with_the_upload_is_read_beside_it() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let mut peer = listener.accept().unwrap().0;
        let mut piece = vec![0; 65_536];
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            peer.read_exact(&mut piece[..1]).unwrap();
            head.push(piece[0]);
        }
        peer.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 12000000\r\n\r\n").unwrap();
        let mut left = 12_000_000;
        while left > 0 {
            let count = peer.read(&mut piece).unwrap();
            assert!(count > 0, "the upload ended {left} bytes early");
            peer.write_all(&piece[..count]).unwrap();
            left -= count;
        }
    });
    let body: Vec<u8> = (0..=250_u8).cycle().take(12_000_000).collect();
    let session = session(Limits::total(ms(20_000)));
    let mut response = session.post(url).body(body.clone()).send().unwrap();
    assert!(response.content().unwrap() == body);
    assert_eq!(response.timeline().request_sent(), RequestSent::Yes);
    server.join().unwrap();
}
