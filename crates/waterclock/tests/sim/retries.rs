//! A kept connection that dies as it is used: repeated once, if nothing can be done twice by that.

use crate::bench::{Bench, PLAIN, Route, at, ms, ok};
use crate::matrix::only;
use crate::verify::{fired, tiles};
use std::io::Cursor;
use waterclock::timeline::HopReason;
use waterclock::{
    Error, ErrorKind, Limit, Method, Phase, RequestBody, RequestSent, Response, Session,
};
use waterclock_sim::Script;

/// Answers a first request; what `dies` says comes after the second one has arrived.
fn bench(route: Route, dies: fn(Script) -> Script, next: fn(Script) -> Script) -> Bench {
    let bench = Bench::new(route);
    bench.serve_each(None, move |number| match number {
        0 => dies(Script::new().expect_head().send(ok("hello")).expect_head().expect_body()),
        _ => next(Script::new().expect_head().expect_body()),
    });
    bench
}

/// A session with a connection that has been idle for 10 ms.
fn warm(bench: &Bench) -> Session {
    let session = bench.session();
    session.get(bench.route.url("/first")).send().unwrap().content().unwrap();
    bench.world.advance(ms(10));
    session
}

fn reasons(response: &Response) -> Vec<HopReason> {
    response.timeline().hops().iter().map(|hop| hop.reason).collect()
}

fn closes(script: Script) -> Script {
    script.wait(ms(60)).close()
}

fn resets(script: Script) -> Script {
    script.wait(ms(60)).reset()
}

fn answers(script: Script) -> Script {
    script.send(ok("other"))
}

#[test]
fn an_idempotent_request_is_sent_again_once() {
    for &route in Route::ALL {
        for dies in [closes, resets] {
            for method in [Method::Get, Method::Head, Method::Put, Method::Delete] {
                let bench = bench(route, dies, answers);
                let session = warm(&bench);
                let request = session.request(method.clone(), route.url(crate::bench::PATH));
                let request = if method == Method::Put { request.body("content") } else { request };
                let begun = bench.now();
                let mut response = request.send().unwrap();
                let text = response.text().unwrap();
                assert_eq!(text, if method == Method::Head { "" } else { "other" });
                assert_eq!(reasons(&response), [HopReason::First, HopReason::Retry]);
                let timeline = response.timeline();
                assert_eq!(timeline.ended(), begun.after(ms(60 + route.ready())));
                assert_eq!(timeline.hops()[0].ended, Some(begun.after(ms(60))));
                assert_eq!(timeline.hops()[0].connection.unwrap().number, 1);
                assert_eq!(timeline.hops()[1].connection.unwrap().number, 2);
                tiles(timeline);
                assert_eq!(bench.times_sent(), 2);
            }
        }
    }
}

fn fails(bench: &Bench, session: &Session, method: Method) -> Error {
    session.request(method, bench.route.url(crate::bench::PATH)).send().unwrap_err()
}

/// It may have been done already.
#[test]
fn a_post_is_sent_once() {
    for &route in Route::ALL {
        for (dies, kind) in
            [(closes as fn(_) -> _, ErrorKind::Closed), (resets, ErrorKind::Receive)]
        {
            let bench = bench(route, dies, answers);
            let session = warm(&bench);
            let error = fails(&bench, &session, Method::Post);
            assert_eq!(error.kind(), kind, "{error:#}");
            assert_eq!(error.request_sent(), RequestSent::Yes);
            assert!(!error.retry_safe());
            assert_eq!(error.timeline().unwrap().hops().len(), 1);
            assert_eq!(bench.times_sent(), 1);
        }
    }
}

/// The connection is dead already, which is seen before anything is written: no attempt, so no retry.
#[test]
fn a_post_does_not_begin_on_a_dead_connection() {
    let bench = Bench::new(Route::Http);
    bench.serve_each(None, |number| match number {
        0 => Script::new().expect_head().send(ok("hello")).reset(),
        _ => Script::new().expect_head().send(ok("other")),
    });
    let session = bench.session();
    session.get(bench.route.url("/first")).send().unwrap().content().unwrap();
    let mut response = bench.post(&session).body("content").send().unwrap();
    assert_eq!(response.text().unwrap(), "other");
    assert_eq!(reasons(&response), [HopReason::First]);
    assert_eq!(response.timeline().hops()[0].connection.unwrap().number, 2);
    assert_eq!(bench.times_sent(), 1);
}

/// The kept connection has no room, and dies before a byte of the request was taken.
#[test]
fn a_post_of_which_nothing_was_written_is_sent_again() {
    const ROOM: usize = 10_000;
    let bench = Bench::new(Route::Http);
    bench.serve_each(Some(ROOM), |number| match number {
        // It answers without taking the first body, which fills its window to the last byte.
        0 => Script::new().expect_head().wait(ms(1)).send(ok("")).wait(ms(5)).reset(),
        _ => Script::new().expect_head().send(ok("other")),
    });
    let session = bench.session();
    let first = session.post(bench.route.url("/first")).body(vec![b'x'; ROOM]);
    first.send().unwrap().content().unwrap();
    let begun = bench.now();
    let mut response = bench.post(&session).body("content").send().unwrap();
    assert_eq!(response.text().unwrap(), "other");
    assert_eq!(reasons(&response), [HopReason::First, HopReason::Retry]);
    assert_eq!(response.timeline().hops()[0].ended, Some(begun.after(ms(5))));
    assert_eq!(bench.times_sent(), 1);
}

/// A body that was read from its source is gone.
#[test]
fn a_stream_is_not_sent_again() {
    let bench = bench(Route::Http, closes, answers);
    let session = warm(&bench);
    let request = session.put(bench.route.url(crate::bench::PATH));
    let error = request.body_reader(Cursor::new("content"), None).send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Closed);
    assert_eq!(bench.times_sent(), 1);
}

/// A file can go back to where it was, and does: never a part of it is sent as the whole.
#[test]
fn a_seekable_body_is_sent_again_whole() {
    let bench = bench(Route::Http, closes, answers);
    let session = warm(&bench);
    let mut file = Cursor::new("head|content");
    file.set_position(5);
    let body = RequestBody::seekable(file).unwrap();
    let request = session.put(bench.route.url(crate::bench::PATH)).body(body);
    assert_eq!(request.send().unwrap().text().unwrap(), "other");
    let sent = bench.world.received(PLAIN);
    assert_eq!(sent.len(), 2);
    for connection in sent {
        assert!(connection.ends_with(b"\r\n\r\ncontent"));
    }
}

/// The peer has begun to answer: that is not a connection which had died before.
#[test]
fn after_half_an_answer_nothing_is_sent_again() {
    for &route in Route::ALL {
        let bench = bench(route, |script| script.send("HTTP/1.1 20").close(), answers);
        let session = warm(&bench);
        let error = fails(&bench, &session, Method::Get);
        assert_eq!(error.kind(), ErrorKind::Closed, "{error:#}");
        assert_eq!(bench.times_sent(), 1);
    }
}

/// A connection that was made for this request has no such excuse, nor has the second attempt.
#[test]
fn a_new_connection_is_not_repeated() {
    let fresh = Bench::serving(Route::Http, Script::new().expect_head().close());
    let error = fails(&fresh, &fresh.session(), Method::Get);
    assert_eq!((error.kind(), fresh.times_sent()), (ErrorKind::Closed, 1));

    let bench = bench(Route::Http, closes, closes);
    let session = warm(&bench);
    let error = fails(&bench, &session, Method::Get);
    assert_eq!((error.kind(), bench.times_sent()), (ErrorKind::Closed, 2));
    assert_eq!(error.timeline().unwrap().hops().len(), 2);
}

/// A kept connection that stalls is waited for once: a timeout is not a reason to repeat.
#[test]
fn a_stall_is_one_timeout_and_not_two() {
    for limit in [Limit::Read, Limit::Total, Limit::Head] {
        let bench = bench(Route::Http, Script::stall, answers);
        let session = warm(&bench);
        let begun = bench.now();
        let error = bench.get(&session).limits(only(limit, ms(70))).send().unwrap_err();
        fired(&error, limit, Phase::FirstByte, begun.after(ms(70)));
        assert_eq!(bench.times_sent(), 1);
    }
}

/// Both stall: the first until it is closed, the second until the limit. `total` spans both.
#[test]
fn a_retry_that_stalls_is_one_timeout() {
    // The first hop takes 60 ms, and the second connection is ready 8 ms later.
    let table = [
        (Limit::Total, 0),
        (Limit::Attempt, 60),
        (Limit::FirstByte, 68),
        (Limit::Head, 68),
        (Limit::Read, 68),
    ];
    for (limit, armed) in table {
        let bench = bench(Route::Http, closes, Script::stall);
        let session = warm(&bench);
        let begun = bench.now();
        let error = bench.get(&session).limits(only(limit, ms(70))).send().unwrap_err();
        fired(&error, limit, Phase::FirstByte, begun.after(ms(armed + 70)));
        assert_eq!(error.timeline().unwrap().hops().len(), 2);
    }
}

/// The limits of the first exchange end with it: none of them fires while the second connects.
#[test]
fn limits_of_an_exchange_end_with_it() {
    for limit in [Limit::FirstByte, Limit::Head, Limit::Upload, Limit::Read, Limit::Write] {
        let bench = Bench::new(Route::Http);
        bench.serve_each(None, |number| match number {
            0 => Script::new().expect_head().send(ok("hello")).expect_head().wait(ms(60)).close(),
            _ => Script::new().expect_head().expect_body().send(ok("other")),
        });
        let session = warm(&bench);
        // The name takes its time the second time: 60 and 50 are more than 100.
        bench.world.host(crate::bench::ORIGIN).after(ms(50));
        let request = session.put(bench.route.url(crate::bench::PATH));
        let request = request.body("content").limits(only(limit, ms(100)));
        let mut response = request.send().unwrap();
        assert_eq!(response.text().unwrap(), "other");
        assert_eq!(bench.now(), at(8 + 10 + 60 + 50 + 5));
    }
    let bench = Bench::new(Route::Http);
    // The first exchange ends within a body that has no room.
    bench.serve_each(Some(1000), |number| match number {
        0 => Script::new().expect_head().send(ok("hello")).expect_head().wait(ms(60)).reset(),
        _ => Script::new().expect_head().expect_body().send(ok("other")),
    });
    let session = warm(&bench);
    bench.world.host(crate::bench::ORIGIN).after(ms(50));
    let request = session.put(bench.route.url(crate::bench::PATH)).body(vec![b'x'; 50_000]);
    let mut response = request.limits(only(Limit::Upload, ms(100))).send().unwrap();
    assert_eq!(response.text().unwrap(), "other");
}
