//! Cancelling from another thread wakes the caller in every phase.

use crate::support::{PROMPT, fetch, ms, resolver, session, timed, trusting};
use std::sync::Arc;
use std::time::Instant;
use waterclock::{CancelHandle, ErrorKind, Limits, Phase, PoolSettings, Request, Session};
use waterclock_lab::{
    Blackhole, Identity, Script, Server, Step, Tls, TlsScript, Zone, head_then_stall,
};

/// Cancels the call while it waits in `phase`. Three tries, each with more time to get there: it is
/// the machine's business to give a woken thread a processor, and ours that there is nothing else
/// to wait for.
fn expect_woken<'s>(phase: Phase, request: impl Fn() -> Request<'s>) {
    let mut tries = Vec::new();
    for after in [40, 200, 1_000] {
        let cancel = CancelHandle::new();
        let (result, woken) = std::thread::scope(|scope| {
            let cancelling = scope.spawn(|| {
                std::thread::sleep(ms(after));
                let at = Instant::now();
                cancel.cancel();
                at
            });
            let result = fetch(request().cancel(&cancel));
            (result, Instant::now().saturating_duration_since(cancelling.join().unwrap()))
        });
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Cancelled, "{error:#}");
        assert!(error.timeline().unwrap().is_finished());
        if error.phase() == Some(phase) && woken < ms(50) {
            return;
        }
        tries.push((error.phase(), woken));
    }
    panic!("woken too late, or elsewhere: {tries:?}");
}

#[test]
fn in_resolve() {
    let (_server, lookup) = resolver(Zone::new().silent("never.test"));
    let session = Session::builder().resolver(Arc::new(lookup)).build().unwrap();
    expect_woken(Phase::Resolve, || session.get("http://never.test/"));
}

#[test]
fn in_connect() {
    let hole = Blackhole::start().unwrap();
    let session = session(Limits::none());
    expect_woken(Phase::Connect, || session.get(format!("http://{}/", hole.address())));
}

#[test]
fn in_tls() {
    let identity = Identity::new(&["127.0.0.1"]).unwrap();
    let session = trusting(identity.ca_pem()).build().unwrap();
    let tls = Tls::new(identity).script(TlsScript::new().stall_after(50));
    let server = Server::builder().tls(tls).start().unwrap();
    expect_woken(Phase::Tls, || session.get(server.url("/")));
}

#[test]
fn in_first_byte() {
    let server = Server::start(vec![Step::ReadHead, Step::Stall]).unwrap();
    let session = session(Limits::none());
    expect_woken(Phase::FirstByte, || session.get(server.url("/")));
}

#[test]
fn in_upload() {
    let script = Script::steps([Step::ReadHead, Step::Stall]);
    let server = Server::builder().script(script).receive_buffer(65_536).start().unwrap();
    let session = session(Limits::none());
    let source = || std::io::repeat(0);
    expect_woken(Phase::Upload, || session.post(server.url("/")).body_reader(source(), None));
}

#[test]
fn in_body() {
    let steps = [vec![Step::ReadHead], head_then_stall(200, 10)].concat();
    let server = Server::start(steps).unwrap();
    let session = session(Limits::none());
    expect_woken(Phase::Body, || session.get(server.url("/")));
}

#[test]
fn in_pool() {
    let server = Server::start([vec![Step::ReadHead], head_then_stall(200, 10)].concat()).unwrap();
    let settings = PoolSettings { max_per_host: Some(1), ..PoolSettings::default() };
    let session = Session::builder().pool(settings).limits(Limits::none()).build().unwrap();
    let held = session.get(server.url("/")).send().unwrap();
    expect_woken(Phase::Pool, || session.get(server.url("/")));
    drop(held);
}

#[test]
fn one_handle_ends_many_calls_and_later_ones() {
    let server = Server::start(vec![Step::ReadHead, Step::Stall]).unwrap();
    let session = session(Limits::none());
    let cancel = CancelHandle::new();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let error = session.get(server.url("/")).cancel(&cancel).send().unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Cancelled);
            });
        }
        server.wait_for_requests(8, crate::support::PATIENCE).unwrap();
        cancel.cancel();
    });
    let (error, elapsed) =
        timed(|| session.get(server.url("/")).cancel(&cancel).send().unwrap_err());
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert!(elapsed < PROMPT, "{elapsed:?}");
    assert_eq!(server.connections(), 8);
}
