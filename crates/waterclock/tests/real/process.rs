//! What the process around a call does: signals, descriptors that run out, an end in the middle.

use crate::support::{Alone, PATIENCE, PROMPT, assert_fired, descriptors, ms, session, timed};
use signal_hook::consts::SIGUSR1;
use std::ffi::OsStr;
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;
use waterclock::world::real::ThreadedLookup;
use waterclock::{CancelHandle, ErrorKind, Limit, Limits, Phase, Session};
use waterclock_lab::{FastServer, Script, Server, Step, head, respond};

/// A shell that sends this thread signals as fast as it can.
struct Storm(Child);

impl Storm {
    fn begin() -> Self {
        // A signal for the id of a thread goes to that one first, among those of its process.
        let thread = std::fs::read_link("/proc/thread-self").unwrap();
        let script = "while kill -USR1 \"$0\"; do :; done";
        let arguments = [OsStr::new("-c"), OsStr::new(script), thread.file_name().unwrap()];
        Storm(Command::new("sh").args(arguments).spawn().unwrap())
    }
}

impl Drop for Storm {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Counts interruptions and goes on.
fn counting(limits: Limits) -> (Session, Arc<AtomicUsize>) {
    let interruptions = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&interruptions);
    let builder = Session::builder().limits(limits).on_interrupt(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        ControlFlow::Continue(())
    });
    (builder.build().unwrap(), interruptions)
}

#[test]
fn signals_move_no_limit_and_fail_no_request() {
    if !Alone::is_here() {
        Alone::test("process::signals_move_no_limit_and_fail_no_request").run();
        return;
    }
    signal_hook::flag::register(SIGUSR1, Arc::default()).unwrap();
    let silent = Server::start(vec![Step::ReadHead, Step::Stall]).unwrap();
    let slow = Script::every_request([
        Step::sleep_ms(5),
        Step::send(head(200, &[("Content-Length", "2")])),
        Step::sleep_ms(5),
        Step::send("ok"),
    ]);
    let slow = Server::start(slow).unwrap();
    let (session, interruptions) = counting(Limits::total(ms(300)));
    let storm = Storm::begin();
    let (result, elapsed) = timed(|| session.get(silent.url("/")).send());
    assert_fired(&result.unwrap_err(), elapsed, Limit::Total, Phase::FirstByte);
    assert!(interruptions.swap(0, Ordering::Relaxed) > 0);

    let (limits, begin) = (Limits::total(ms(10_000)), Instant::now());
    while interruptions.load(Ordering::Relaxed) < 20 {
        let mut response = session.get(slow.url("/")).limits(limits).send().unwrap();
        assert_eq!(response.text().unwrap(), "ok");
        assert!(begin.elapsed() < PATIENCE, "hardly a signal interrupts");
    }
    drop(storm);
}

#[test]
fn a_signal_can_cancel_the_call() {
    if !Alone::is_here() {
        Alone::test("process::a_signal_can_cancel_the_call").run();
        return;
    }
    signal_hook::flag::register(SIGUSR1, Arc::default()).unwrap();
    let silent = Server::start(vec![Step::ReadHead, Step::Stall]).unwrap();
    let builder = Session::builder().on_interrupt(|| ControlFlow::Break(()));
    let session = builder.limits(Limits::total(ms(20_000))).build().unwrap();
    let storm = Storm::begin();
    let (result, elapsed) = timed(|| session.get(silent.url("/")).send());
    assert_eq!(result.unwrap_err().kind(), ErrorKind::Cancelled);
    assert!(elapsed < ms(10_000), "{elapsed:?}");
    drop(storm);
}

#[test]
fn without_descriptors_calls_fail_clearly_and_later_ones_work() {
    const NAME: &str = "process::without_descriptors_calls_fail_clearly_and_later_ones_work";
    if !Alone::is_here() {
        // The server has descriptors of its own: those of this process.
        let server = FastServer::start().unwrap();
        Alone::with_descriptors(40, NAME).env("SERVER", server.address().to_string()).run();
        return;
    }
    let server: SocketAddr = std::env::var("SERVER").unwrap().parse().unwrap();
    let before = descriptors();
    let session = session(Limits::total(ms(60_000)));
    let url = format!("http://{server}/bytes/100000");
    for _ in 0..2 {
        let mut held = Vec::new();
        let error = loop {
            match session.get(&url).send() {
                Ok(response) => held.push(response),
                Err(error) => break error,
            }
            assert!(held.len() < 100, "the descriptors do not run out");
        };
        assert!(held.len() > 10, "{error:#}");
        assert_eq!(error.kind(), ErrorKind::Connect, "{error:#}");
        assert!(error.message().contains("Too many open files"), "{error}");
        assert!(error.retry_safe());

        // A name cannot be looked up, and a call cannot be made ready to be cancelled: the same.
        let error = session.get("http://localhost:9/").send().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Resolve, "{error:#}");
        assert!(error.message().contains("Too many open files"), "{error}");
        let mut response = held.pop().unwrap();
        let cancel = CancelHandle::new();
        let taken = session.get(&url).cancel(&cancel).send();
        assert!(taken.is_err(), "one descriptor is not enough for a socket and a cancel handle");

        // Those that are there go on, and when they have ended others can come.
        assert_eq!(response.content().unwrap().len(), 100_000);
        drop(response);
        for mut response in held {
            assert_eq!(response.content().unwrap().len(), 100_000);
        }
        let mut response = session.get(format!("http://{server}/?id=7")).send().unwrap();
        assert_eq!(response.text().unwrap(), "7");
        session.close();
        drop(response);
        assert_eq!(descriptors(), before);
    }
}

#[test]
fn closing_a_session_closes_what_is_idle() {
    let server = FastServer::start().unwrap();
    let session = session(Limits::total(ms(10_000)));
    for connections in 1..4 {
        session.get(server.url("/")).send().unwrap().content().unwrap();
        session.close();
        server.wait_for_open_connections(0, PATIENCE).unwrap();
        assert_eq!(server.connections(), connections);
    }
}

#[test]
fn a_lookup_that_never_ends_does_not_keep_the_process() {
    const NAME: &str = "process::a_lookup_that_never_ends_does_not_keep_the_process";
    if !Alone::is_here() {
        let (_, elapsed) = timed(|| Alone::test(NAME).run());
        assert!(elapsed < ms(10_000), "{elapsed:?}");
        return;
    }
    let stuck = ThreadedLookup::new(|_, _| {
        loop {
            std::thread::park();
        }
    });
    let limits = Limits::builder().resolve(ms(50)).build();
    let session = Session::builder().limits(limits).resolver(Arc::new(stuck)).build().unwrap();
    // More names than there are lookup threads; each call ends with its own limit.
    for name in ["a", "b", "c", "d", "e", "f"] {
        let (result, elapsed) = timed(|| session.get(format!("http://{name}.test/")).send());
        assert_fired(&result.unwrap_err(), elapsed, Limit::Resolve, Phase::Resolve);
    }
    let begin = Instant::now();
    drop(session);
    assert!(begin.elapsed() < PROMPT);
}

#[test]
fn a_session_can_be_dropped_in_the_middle_of_a_response() {
    let server = Server::start(Script::every_request(respond(200, vec![b'x'; 1 << 20]))).unwrap();
    let session = session(Limits::total(ms(10_000)));
    let mut response = session.get(server.url("/")).send().unwrap();
    drop(session);
    assert_eq!(response.content().unwrap().len(), 1 << 20);
    drop(response);
    server.wait_for_open_connections(0, PATIENCE).unwrap();
}
