//! SIGPIPE, which ends a program that has not said otherwise, is never raised by what is written to a peer
//! that is gone.

use crate::support::{BOTH, alone, fetch, ms, served_by, until};
use signal_hook::consts::SIGPIPE;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use waterclock::{CancelHandle, ErrorKind, Limits, Session};
use waterclock_lab::{Server, Step, respond};

#[test]
fn sigpipe_is_never_raised() {
    if !alone("pipes::sigpipe_is_never_raised", "true") {
        return;
    }
    // Rust's start-up ignores it; a handler sees it again, and so it is seen here that none comes.
    let raised = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(SIGPIPE, Arc::clone(&raised)).unwrap();
    for secure in BOTH {
        uploads_to_a_peer_that_resets(secure);
        a_goodbye_to_a_peer_that_is_gone(secure);
        an_idle_connection_whose_peer_is_gone(secure);
    }
    assert!(!raised.load(Ordering::SeqCst), "SIGPIPE was raised");
    let (reader, mut writer) = std::io::pipe().unwrap();
    drop(reader);
    assert!(writer.write_all(b"x").is_err());
    assert!(raised.load(Ordering::SeqCst), "it would not have been noticed");
}

fn served(secure: bool, steps: Vec<Step>) -> (Server, Session) {
    let server = Server::builder().script(steps).receive_buffer(65_536);
    let (server, builder) = served_by(secure, server);
    (server, builder.limits(Limits::total(ms(20_000))).build().unwrap())
}

fn uploads_to_a_peer_that_resets(secure: bool) {
    let (server, session) = served(secure, vec![Step::ReadHead, Step::sleep_ms(20), Step::Reset]);
    for _ in 0..5 {
        let source = std::io::repeat(b'x');
        let error = session.post(server.url("/")).body_reader(source, None).send().unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Send | ErrorKind::Receive), "{error:#}");
    }
}

/// A call that is given up says close_notify, and TLS or TCP have nobody left to take it.
fn a_goodbye_to_a_peer_that_is_gone(secure: bool) {
    let head = Step::send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
    let (server, session) = served(secure, vec![Step::ReadHead, head, Step::Reset]);
    for _ in 0..5 {
        let cancel = CancelHandle::new();
        // The reset may be here before the answer has been read.
        let Ok(response) = session.get(server.url("/")).cancel(&cancel).send() else { continue };
        server.wait_for_open_connections(0, ms(20_000)).unwrap();
        cancel.cancel();
        drop(response);
    }
}

fn an_idle_connection_whose_peer_is_gone(secure: bool) {
    let answer = [vec![Step::ReadHead], respond(200, "ok"), vec![Step::sleep_ms(5), Step::Reset]];
    let (server, session) = served(secure, answer.concat());
    for _ in 0..5 {
        // Sent again on a new connection where it may be; an error is as good here as an answer.
        let _ = fetch(session.post(server.url("/")).body("x"));
        until("the reset", || (server.open_connections() == 0).then_some(()));
    }
    drop(session);
}
