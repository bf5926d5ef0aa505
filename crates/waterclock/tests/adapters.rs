//! Adapters of the user's own: what [`Response::builder`], [`Call::pause`] and [`Retrying`] make of
//! them, in a simulated world.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests too")]

#[path = "../examples/file_adapter.rs"]
#[allow(dead_code, unreachable_pub, reason = "its main function is not run here")]
mod file_adapter;

use file_adapter::Files;
use std::io::{self, Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use waterclock::mock::MockAdapter;
use waterclock::{
    Adapter, Call, Error, ErrorKind, Limit, Limits, Phase, PreparedRequest, Request, Response,
    Retry, Retrying, SessionBuilder,
};
use waterclock_sim::SimWorld;

const fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// Refuses twice, then waits in several phases.
struct Flaky(AtomicU32);

impl Adapter for Flaky {
    fn send(&self, request: &mut PreparedRequest, mut call: Call) -> Result<Response, Error> {
        if self.0.fetch_add(1, Ordering::Relaxed) < 2 {
            call.pause(Phase::Connect, ms(3))?;
            return Err(call.into_error(ErrorKind::Connect, "refused"));
        }
        call.pause(Phase::Resolve, ms(10))?;
        call.pause(Phase::Connect, ms(10))?;
        call.pause(Phase::FirstByte, ms(10))?;
        call.pause(Phase::FirstByte, ms(10))?;
        Response::builder(request, call).status(200).body_reader(Cursor::new("here"), None)
    }
}

fn flaky(limits: Limits) -> Result<Response, Error> {
    let adapter = Arc::new(Retrying(Flaky(AtomicU32::new(0))));
    let builder = SessionBuilder::in_world(SimWorld::new()).mount("flaky:", adapter);
    let session = builder.limits(limits).retry(Retry::new(2).backoff_factor(0.0)).build()?;
    session.get("flaky:thing").send()
}

#[test]
fn adapters_of_users_can_retry_and_pause() {
    let mut response = flaky(Limits::none()).unwrap();
    assert_eq!(response.text().unwrap(), "here");
    assert_eq!(response.body_received(), 4);
    assert_eq!((response.elapsed(), response.timeline().elapsed()), (ms(40), ms(46)));
    assert_eq!(response.retries().len(), 2);
    assert_eq!(response.timeline().unaccounted(), Duration::ZERO);

    // `connect` is one limit over all phases before the exchange; each pause is a wait for `read`.
    for (limit, limited) in [(Limit::Connect, 15), (Limit::FirstByte, 15), (Limit::Head, 15)] {
        let error = flaky(Limits::none().with(limit, Some(ms(limited)))).unwrap_err();
        assert_eq!(error.limit(), Some(limit));
    }
    assert!(flaky(Limits::none().with(Limit::Read, Some(ms(11)))).is_ok());
    let error = flaky(Limits::total(ms(2))).unwrap_err();
    assert_eq!((error.limit(), error.phase()), (Some(Limit::Total), Some(Phase::Connect)));
    assert_eq!(error.timeline().unwrap().hops().len(), 1, "{error:#}");
}

#[test]
fn an_adapter_that_takes_too_long_is_told_so() {
    struct Busy(Arc<SimWorld>);
    impl Adapter for Busy {
        fn send(&self, request: &mut PreparedRequest, call: Call) -> Result<Response, Error> {
            self.0.advance(ms(30));
            Response::builder(request, call).body("done")
        }
    }
    let world = SimWorld::new();
    let builder = SessionBuilder::in_world(world.clone()).mount("busy://", Arc::new(Busy(world)));
    let session = builder.build().unwrap();
    let error = session.get("busy://a/").limits(Limits::total(ms(20))).send().unwrap_err();
    assert_eq!((error.limit(), error.late_by()), (Some(Limit::Total), Some(ms(10))));
    let response = session.get("busy://a/").send().unwrap();
    assert_eq!(response.elapsed(), ms(30));
}

#[test]
fn a_reader_that_fails_or_ends_early_cuts_the_body() {
    struct Broken(io::ErrorKind);
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(self.0.into())
        }
    }
    struct Gives(fn() -> Box<dyn Read + Send>, Option<u64>);
    impl Adapter for Gives {
        fn send(&self, request: &mut PreparedRequest, call: Call) -> Result<Response, Error> {
            Response::builder(request, call).body_reader(self.0(), self.1)
        }
    }
    let read = |gives| {
        let builder = SessionBuilder::in_world(SimWorld::new()).mount("x:", Arc::new(gives));
        builder.build().unwrap().get("x:y").send().unwrap().content()
    };
    let text: fn() -> Box<dyn Read + Send> = || Box::new(Cursor::new("hello"));
    assert_eq!(read(Gives(text, None)).unwrap(), b"hello");
    assert_eq!(read(Gives(text, Some(3))).unwrap(), b"hel");
    assert_eq!(read(Gives(text, Some(0))).unwrap(), b"");
    assert_eq!(read(Gives(text, Some(6))).unwrap_err().kind(), ErrorKind::IncompleteBody);
    let failing = |kind| -> fn() -> Box<dyn Read + Send> {
        match kind {
            ErrorKind::Receive => || Box::new(Broken(io::ErrorKind::PermissionDenied)),
            _ => || Box::new(Broken(io::ErrorKind::UnexpectedEof)),
        }
    };
    for kind in [ErrorKind::Receive, ErrorKind::IncompleteBody] {
        assert_eq!(read(Gives(failing(kind), None)).unwrap_err().kind(), kind);
    }
}

#[test]
fn files_are_served_by_an_adapter_of_the_users_own() {
    let builder = SessionBuilder::in_world(SimWorld::new()).mount("file://", Arc::new(Files));
    let session = builder.build().unwrap();
    let folder = concat!("file://", env!("CARGO_MANIFEST_DIR"));
    let url = format!("{folder}/Cargo.toml");
    let content =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")).unwrap();
    let mut response = session.get(&url).send().unwrap();
    assert_eq!((response.status(), response.url().as_str()), (200, &*url));
    assert_eq!(response.body_expected(), Some(content.len() as u64));
    assert_eq!(response.text().unwrap(), content);
    let status = |request: Request<'_>| request.send().unwrap().status();
    assert_eq!(status(session.head(&url)), 200);
    assert_eq!(status(session.get(format!("{folder}/none"))), 404);
    assert_eq!(status(session.get(folder)), 403);
    assert_eq!(status(session.post(&url).body("x")), 405);
    let error = session.get("file://host.example/x").send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidUrl);
}

/// A server does not get to files by a redirect.
#[test]
fn a_redirect_does_not_lead_to_other_schemes() {
    let mock = MockAdapter::new();
    mock.get("http://a.example/").reply(302).header("Location", "file:///etc/passwd");
    let builder = SessionBuilder::in_world(SimWorld::new()).mount("http://", Arc::new(mock));
    let session = builder.mount("file://", Arc::new(Files)).build().unwrap();
    let error = session.get("http://a.example/").send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Redirect);
}
