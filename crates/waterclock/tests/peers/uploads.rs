//! Bodies that go up to nginx: stored, echoed, not read at all, and refused before they have gone.

use crate::peer::Nginx;
use crate::support::session;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use waterclock::{Response, Session};

/// So much fits no buffer between us and a server that does not read.
const LARGE: u64 = 200_000_000;

/// A body, and how much of it was asked for.
struct Counted(u64, Arc<AtomicU64>);

impl Counted {
    fn new(length: u64) -> (Self, Arc<AtomicU64>) {
        let taken = Arc::default();
        (Counted(length, Arc::clone(&taken)), taken)
    }
}

impl io::Read for Counted {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = io::Read::take(io::repeat(b'x'), self.0).read(out)?;
        self.0 -= count as u64;
        self.1.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

fn post(session: &Session, url: &str, body: Counted, length: Option<u64>) -> Response {
    session.post(url).body_reader(body, length).send().unwrap()
}

fn number(response: &Response) -> u64 {
    response.connection().unwrap().number
}

#[test]
fn what_is_stored_is_what_was_sent() {
    let Some(nginx) = Nginx::start() else { return };
    let body: Vec<u8> = (0..=250_u8).cycle().take(3_000_001).collect();
    for base in nginx.urls("/store") {
        let session = nginx.session();
        let source = || io::Cursor::new(body.clone());
        for (name, request) in [
            ("bytes", session.put(format!("{base}/bytes")).body(body.clone())),
            (
                "reader",
                session.put(format!("{base}/reader")).body_reader(source(), Some(3_000_001)),
            ),
            ("chunked", session.put(format!("{base}/chunked")).body_reader(source(), None)),
            ("expected", {
                let request = session.put(format!("{base}/expected")).expect_continue(true);
                request.body(body.clone())
            }),
        ] {
            assert_eq!(request.send().unwrap().status(), 201, "{name}");
            let url = format!("{base}/{name}");
            let mut stored = session.get(&url).send().unwrap();
            assert!(stored.content().unwrap() == body, "{name}");
            assert_eq!(number(&stored), 1);
            assert_eq!(session.delete(&url).send().unwrap().status(), 204);
        }
    }
}

#[test]
fn chunks_are_put_together() {
    let Some(nginx) = Nginx::start() else { return };
    let session = session();
    for (body, text) in [("a chunked body", "POST a chunked body"), ("", "POST ")] {
        let request = session.post(nginx.url("/echo")).body_reader(body.as_bytes(), None);
        let mut response = request.send().unwrap();
        assert_eq!(response.text().unwrap(), text);
        assert_eq!(number(&response), 1);
    }
}

#[test]
fn an_answer_before_the_body_was_read_is_returned() {
    let Some(nginx) = Nginx::start() else { return };
    for url in nginx.urls("/unread") {
        let session = nginx.session();
        for length in [Some(20_000_000), None] {
            let (body, _) = Counted::new(20_000_000);
            let mut response = post(&session, &url, body, length);
            assert_eq!((response.status(), &*response.text().unwrap()), (200, "unread\n"));
        }
    }
}

/// nginx knows from Content-Length that it will not take this, says so, and reads on for a while so
/// that its answer is not lost. (RFC 9110 §15.5.14)
#[test]
fn an_early_413_is_a_response_and_ends_the_upload() {
    let Some(nginx) = Nginx::start() else { return };
    for url in nginx.urls("/small/") {
        for length in [Some(LARGE), None] {
            let session = nginx.session();
            let (body, taken) = Counted::new(LARGE);
            let mut response = post(&session, &url, body, length);
            assert_eq!(response.status(), 413, "{url} {length:?}");
            assert!(response.text().unwrap().contains("413 Request Entity Too Large"));
            assert!(taken.load(Ordering::Relaxed) < LARGE, "all of it was sent");
            // The connection is of no use any more.
            let after = session.get(url.replace("/small/", "/hello")).send().unwrap();
            assert_eq!((after.status(), number(&after)), (200, 2));
        }
    }
}

/// Without `lingering_close` nginx resets a connection on which it has not read everything.
#[test]
fn an_early_413_is_seen_even_if_the_connection_is_reset() {
    let Some(nginx) = Nginx::start() else { return };
    for url in nginx.urls("/abrupt/") {
        for length in [Some(LARGE), None] {
            let (body, _) = Counted::new(LARGE);
            let mut response = post(&nginx.session(), &url, body, length);
            assert_eq!(response.status(), 413, "{url} {length:?}");
            assert!(response.text().unwrap().contains("413 Request Entity Too Large"));
        }
    }
}

#[test]
fn a_refused_expectation_spares_the_upload() {
    let Some(nginx) = Nginx::start() else { return };
    for url in nginx.urls("/small/") {
        let (body, taken) = Counted::new(LARGE);
        let session = nginx.session();
        let request = session.post(url).expect_continue(true).body_reader(body, Some(LARGE));
        assert_eq!(request.send().unwrap().status(), 413);
        assert_eq!(taken.load(Ordering::Relaxed), 0);
    }
}
