//! Calls whose hops the caller makes: one deadline and one timeline over all of them, as for hops that the
//! session makes itself.

use crate::bench::{Bench, CONNECT, PATH, RESOLVE, Route, at, ms, ok};
use crate::matrix::only;
use crate::verify::tiles;
use std::time::Duration;
use waterclock::timeline::HopReason;
use waterclock::{Call, Error, ErrorKind, Limit, Limits, Phase, RedirectPolicy, Response, Session};
use waterclock_sim::Script;

const READY: u64 = RESOLVE + CONNECT;

/// Two answers on one connection, after 20 and 30 ms.
fn two_answers() -> Script {
    let one = Script::new().expect_head().wait(ms(20)).send(ok("one"));
    one.expect_head().wait(ms(30)).send(ok("two"))
}

fn session(bench: &Bench) -> Session {
    bench.builder().redirects(RedirectPolicy::none()).build().unwrap()
}

/// The first hop of a call that may go on.
fn first(bench: &Bench, session: &Session, limits: Limits) -> Response {
    let mut response = bench.get(session).held(true).limits(limits).send().unwrap();
    assert_eq!(response.text().unwrap(), "one");
    response
}

fn second(bench: &Bench, session: &Session, call: Call) -> Result<Response, Error> {
    let mut request = bench.get(session).held(true).prepare().unwrap();
    session.send_next(call, HopReason::Auth, &mut request)
}

#[test]
fn one_timeline_goes_over_the_hops() {
    let bench = Bench::serving(Route::Http, two_answers());
    let session = session(&bench);
    let response = first(&bench, &session, Limits::none());
    bench.world.advance(ms(5));
    let mut response = second(&bench, &session, response.into_call()).unwrap();
    assert_eq!(response.text().unwrap(), "two");
    let call = response.into_call();
    let timeline = call.timeline();
    let hops: Vec<_> = timeline.hops().iter().map(|hop| (hop.reason, hop.ended)).collect();
    let ends = [READY + 20, READY + 20 + 5 + 30].map(|end| Some(at(end)));
    assert_eq!(hops, [(HopReason::First, ends[0]), (HopReason::Auth, ends[1])]);
    // What the caller did in between is the caller's.
    assert_eq!(timeline.caller(), ms(5));
    tiles(timeline);
}

#[test]
fn total_goes_on_and_other_limits_begin_anew() {
    let bench = Bench::serving(Route::Http, two_answers());
    let session = session(&bench);
    let response = first(&bench, &session, only(Limit::Total, ms(READY + 45)));
    let error = second(&bench, &session, response.into_call()).unwrap_err();
    assert_eq!((error.limit(), error.phase()), (Some(Limit::Total), Some(Phase::FirstByte)));
    assert_eq!(bench.now(), at(READY + 45));
    tiles(error.timeline().unwrap());

    let bench = Bench::serving(Route::Http, two_answers());
    let session = self::session(&bench);
    let response = first(&bench, &session, only(Limit::FirstByte, ms(31)));
    assert!(second(&bench, &session, response.into_call()).is_ok());
}

#[test]
fn a_deadline_that_passed_between_hops_sends_nothing() {
    let bench = Bench::serving(Route::Http, two_answers());
    let session = session(&bench);
    let response = first(&bench, &session, only(Limit::Total, ms(READY + 25)));
    bench.world.advance(ms(5));
    let error = second(&bench, &session, response.into_call()).unwrap_err();
    assert_eq!(error.limit(), Some(Limit::Total));
    assert_eq!(bench.times_sent(), 1);
}

/// Of a call that failed before there was a response.
#[test]
fn a_failure_gives_its_call_back() {
    let bench = Bench::new(Route::Http);
    bench.serve_each(None, |number| match number {
        0 => Script::new().expect_head().close(),
        _ => Script::new().expect_head().send(ok("again")),
    });
    let session = session(&bench);
    let mut error = bench.get(&session).held(true).send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Closed);
    let mut call = error.take_call().unwrap();
    assert!(error.take_call().is_none());
    assert!(call.back_off(ms(40)).unwrap());
    let mut request = bench.get(&session).held(true).prepare().unwrap();
    let mut response = session.send_next(call, HopReason::Retry, &mut request).unwrap();
    assert_eq!(response.text().unwrap(), "again");
    assert_eq!(bench.now(), at(READY + 40 + READY));
    let timeline = response.into_call().timeline().clone();
    assert_eq!(timeline.hops().len(), 2);
    let paused = timeline.spent().into_iter().find(|(phase, _)| *phase == Phase::Backoff);
    assert_eq!(paused, Some((Phase::Backoff, ms(40))));
    tiles(&timeline);
}

#[test]
fn a_call_that_is_not_held_ends_with_its_failure() {
    let bench = Bench::serving(Route::Http, Script::new().expect_head().close());
    let session = session(&bench);
    assert!(bench.get(&session).send().unwrap_err().take_call().is_none());
}

#[test]
fn a_pause_that_does_not_fit_is_not_begun() {
    let bench = Bench::serving(Route::Http, two_answers());
    let session = session(&bench);
    let response = first(&bench, &session, only(Limit::Total, ms(READY + 60)));
    let mut call = response.into_call();
    assert!(!call.back_off(ms(40)).unwrap());
    assert_eq!(bench.now(), at(READY + 20));
    let notes = call.timeline().notes();
    assert!(notes[0].starts_with("It was not sent again: "), "{notes:?}");
    assert!(call.back_off(ms(39)).unwrap());
    assert_eq!(bench.now(), at(READY + 59));
    assert_eq!(call.back_off(Duration::MAX).ok(), Some(false));
}

#[test]
fn codings_may_be_left_as_they_are_until_they_are_undone() {
    let coded = || Script::new().expect_head().send(crate::bench::ok_gzip());
    let bench = Bench::serving(Route::Http, coded());
    let session = session(&bench);
    let mut response = bench.get(&session).send().unwrap();
    assert!(response.keep_coded());
    assert_eq!(response.content().unwrap(), crate::bench::GZIP);

    let bench = Bench::serving(Route::Http, coded());
    let session = self::session(&bench);
    let mut response = bench.get(&session).send().unwrap();
    assert_eq!(response.read_body(&mut [0; 1]).unwrap(), 1);
    assert!(!response.keep_coded(), "the first byte was decoded");
}

#[test]
fn a_target_is_sent_as_it_was_written() {
    for &route in &[Route::Http, Route::Forward] {
        let bench = Bench::serving(route, Script::new().expect_head().send(ok("")));
        let session = session(&bench);
        let url = route.url("/a/../b'?q='{x}'#part");
        session.request_as_written(waterclock::Method::Get, &url).send().unwrap();
        let request = &bench.requests()[0];
        assert!(request.contains("/a/../b'?q='{x}' HTTP/1.1"), "{request}");
    }
    assert!(PATH.starts_with('/'));
}

#[test]
fn what_is_left_of_a_body_is_kept_if_it_is_small_and_there() {
    let head = "HTTP/1.1 302 Found\r\nContent-Length: 4\r\n\r\n";
    for (body, whole) in [("body", true), ("bo", false)] {
        let script = Script::new().expect_head().send(head).send(body).stall();
        let bench = Bench::serving(Route::Http, script);
        let session = session(&bench);
        let response = bench.get(&session).held(true).send().unwrap();
        let (_, past) = response.into_past();
        assert_eq!((past.raw_body(), past.is_whole()), (body.as_bytes(), whole));
        let waited = if whole { 0 } else { 100 };
        assert_eq!(bench.now(), at(READY + waited));
    }
}
