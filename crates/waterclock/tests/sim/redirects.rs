//! Redirects in time: what one limit spans, what each hop begins anew, and what a redirect's body may
//! cost.

use crate::bench::{Bench, CONNECT, ORIGIN, PATH, RESOLVE, Route, at, ms, ok};
use crate::matrix::only;
use crate::verify::{fired, tiles};
use waterclock::timeline::{HopReason, What};
use waterclock::{ErrorKind, Limit, Phase, RequestSent, Response, Retry, Session, Timeline};
use waterclock_sim::Script;

/// When the client is connected, and the first request leaves.
const READY: u64 = RESOLVE + CONNECT;
/// A redirect's head with no body.
const TO_TWO: &str = "HTTP/1.1 302 Found\r\nLocation: /two\r\nContent-Length: 0\r\n\r\n";
const TO_THREE: &str = "HTTP/1.1 307 Temporary\r\nLocation: /three\r\nContent-Length: 0\r\n\r\n";

/// Three hops on one connection, of 28, 30 and 40 ms.
fn three_hops() -> Script {
    Script::new()
        .expect_head()
        .wait(ms(20))
        .send(TO_TWO)
        .expect_head()
        .wait(ms(30))
        .send(TO_THREE)
        .expect_head()
        .wait(ms(40))
        .send(ok("there"))
}

fn chain() -> (Bench, Session) {
    let bench = Bench::serving(Route::Http, three_hops());
    let session = bench.session();
    (bench, session)
}

fn reasons(timeline: &Timeline) -> Vec<HopReason> {
    timeline.hops().iter().map(|hop| hop.reason).collect()
}

fn waited(timeline: &Timeline, phase: Phase) -> Vec<u128> {
    let spans = timeline.spans().iter().filter(|span| span.phase == phase);
    spans.map(|span| span.duration().as_millis()).collect()
}

#[test]
fn each_hop_has_its_time_and_the_call_has_all_of_it() {
    for &route in Route::ALL {
        let bench = Bench::serving(route, three_hops());
        let session = bench.session();
        let ready = route.ready();
        let mut response = bench.get(&session).send().unwrap();
        assert_eq!(response.text().unwrap(), "there");
        let history = response.history();
        let seen: Vec<_> = history.iter().map(|past| (past.status(), past.url().path())).collect();
        assert_eq!(seen, [(302, PATH), (307, "/two")]);
        assert_eq!(response.url().path(), "/three");
        assert_eq!([history[0].elapsed(), history[1].elapsed()], [ms(ready + 20), ms(30)]);
        // This hop to the end of its head, and the whole call.
        assert_eq!(response.elapsed(), ms(40));
        let timeline = response.timeline();
        assert_eq!(timeline.elapsed(), ms(ready + 90));
        assert_eq!(reasons(timeline), [HopReason::First, HopReason::Redirect, HopReason::Redirect]);
        let hops: Vec<_> = timeline
            .hops()
            .iter()
            .map(|hop| (hop.started, hop.head_ended.unwrap(), hop.ended.unwrap(), hop.status))
            .collect();
        let [one, two, three] = [at(ready + 20), at(ready + 50), at(ready + 90)];
        assert_eq!(hops[0], (at(0), one, one, Some(302)));
        assert_eq!(hops[1], (one, two, two, Some(307)));
        assert_eq!(hops[2], (two, three, three, Some(200)));
        let ends = |hop| timeline.spans_of(hop).last().unwrap().ended;
        assert_eq!([ends(0), ends(1), ends(2)], [one, two, three]);
        tiles(timeline);
        assert_eq!(bench.world.connections(route.door()).len(), 1);
    }
}

#[test]
fn total_spans_the_chain() {
    let (_bench, session) = chain();
    let url = Route::Http.url(PATH);
    let error = session.get(&url).limits(only(Limit::Total, ms(70))).send().unwrap_err();
    fired(&error, Limit::Total, Phase::FirstByte, at(70));
    assert_eq!(error.history().len(), 2);
    assert_eq!(error.timeline().unwrap().hops().len(), 3);
    assert!(error.to_string().contains("/three"), "{error}");
    // One millisecond more than all of it, and the limit it ends at exactly.
    for (limit, fires) in [(READY + 91, false), (READY + 90, true)] {
        let (_bench, session) = chain();
        let result = session.get(&url).limits(only(Limit::Total, ms(limit))).send();
        assert_eq!(result.is_err(), fires, "{limit}");
    }
}

#[test]
fn every_other_limit_begins_anew_with_each_hop() {
    // The longest hop: 40 ms. Fired in the third, after 58 ms.
    for limit in [Limit::Attempt, Limit::FirstByte, Limit::Head, Limit::Read] {
        let (_bench, session) = chain();
        let url = Route::Http.url(PATH);
        let mut response = session.get(&url).limits(only(limit, ms(41))).send().unwrap();
        assert_eq!(response.text().unwrap(), "there");
        let (_bench, session) = chain();
        let error = session.get(&url).limits(only(limit, ms(39))).send().unwrap_err();
        fired(&error, limit, Phase::FirstByte, at(58 + 39));
        assert_eq!(error.history().len(), 2);
    }
}

/// A redirect with this after its head, and an answer behind it on whatever connection comes.
fn with_body(fields: &'static str, body: fn(Script) -> Script) -> Bench {
    let bench = Bench::new(Route::Http);
    let head = format!("HTTP/1.1 302 Found\r\nLocation: /two\r\n{fields}\r\n");
    bench.serve_each(None, move |number| {
        let answer = Script::new().expect_head().send(ok("there"));
        match number {
            0 => body(Script::new().expect_head().send(&head)).expect_head().send(ok("there")),
            _ => answer,
        }
    });
    bench
}

fn follow(bench: &Bench) -> Response {
    let session = bench.session();
    let mut response = bench.get(&session).send().unwrap();
    assert_eq!(response.text().unwrap(), "there");
    tiles(response.timeline());
    response
}

#[test]
fn a_short_body_is_read_and_its_connection_kept() {
    let bench = with_body("Content-Length: 10\r\n", |script| script.drip("0123456789", 1, ms(10)));
    let response = follow(&bench);
    assert_eq!(bench.now(), at(READY + 90));
    assert_eq!(response.history()[0].raw_body(), b"0123456789");
    assert_eq!(response.history()[0].elapsed(), ms(READY));
    assert_eq!(response.connection().unwrap().number, 1);
}

#[test]
fn a_slow_body_costs_100_ms_and_its_connection() {
    for body in [
        |script: Script| script.send("01234").stall(),
        |script: Script| script.drip("01234".repeat(100), 5, ms(99)),
    ] {
        let bench = with_body("Content-Length: 5000\r\n", body);
        let response = follow(&bench);
        assert_eq!(bench.now(), at(READY + 100 + READY));
        assert!(response.history()[0].raw_body().starts_with(b"01234"));
        assert_eq!(response.connection().unwrap().number, 2);
        assert_eq!(response.timeline().hops()[0].ended, Some(at(READY + 100)));
        assert_eq!(bench.world.connections(Route::Http.door())[0].dropped, Some(at(READY + 100)));
    }
}

#[test]
fn a_body_known_to_be_large_is_not_waited_for_at_all() {
    let bench = with_body("Content-Length: 100000\r\n", |script| script.send("begun").stall());
    let response = follow(&bench);
    assert_eq!(bench.now(), at(READY + READY));
    assert_eq!(response.connection().unwrap().number, 2);
}

#[test]
fn a_body_that_turns_out_to_be_large_is_closed() {
    // 80 chunks of 1000 bytes, one each millisecond: more than 64 KiB after some of them.
    let bench = with_body("Transfer-Encoding: chunked\r\n", |script| {
        let chunk = format!("3e8\r\n{}\r\n", "x".repeat(1000));
        script.drip(chunk.repeat(80), 1007, ms(1))
    });
    let response = follow(&bench);
    assert!(bench.now() < at(READY + 80 + READY), "{:?}", bench.now());
    let kept = response.history()[0].raw_body().len();
    assert!((64 * 1024..=64 * 1024 + 8 * 1024).contains(&kept), "{kept}");
    assert_eq!(response.connection().unwrap().number, 2);
}

/// The limits of waits are for what the caller waits for; here only the patience is ours.
#[test]
fn a_read_limit_in_a_redirects_body_is_no_failure() {
    for limit in [Limit::Read, Limit::Body, Limit::Attempt] {
        let bench = with_body("Content-Length: 10\r\n", |script| script.send("01234").stall());
        let session = bench.session();
        let mut response = bench.get(&session).limits(only(limit, ms(50))).send().unwrap();
        assert_eq!(response.text().unwrap(), "there");
        assert!(response.timeline().fired().is_none(), "{limit}: {}", response.explain());
        let waited = if limit == Limit::Attempt { 50 } else { READY + 50 };
        assert_eq!(bench.now(), at(waited + READY), "{limit}");
        tiles(response.timeline());
    }
}

#[test]
fn a_deadline_within_a_redirects_body_keeps_the_next_request_back() {
    let bench = with_body("Content-Length: 10\r\n", |script| script.send("01234").stall());
    let session = bench.session();
    let error = bench.get(&session).limits(only(Limit::Total, ms(60))).send().unwrap_err();
    let seen = (error.kind(), error.limit(), error.timeline().unwrap().ended());
    assert_eq!(seen, (ErrorKind::Timeout, Some(Limit::Total), at(60)), "{error:#}");
    assert_eq!(error.request_sent(), RequestSent::No);
    assert!(error.to_string().contains("nothing of the request was sent"), "{error}");
    assert!(error.to_string().contains("/two"), "{error}");
    assert_eq!(error.history().len(), 1);
    assert_eq!(bench.world.connections(Route::Http.door()).len(), 1);
    tiles(error.timeline().unwrap());
}

/// On a kept connection there is no wait before the request leaves, so it is looked at the clock.
#[test]
fn a_deadline_that_passes_in_a_hook_keeps_the_next_request_back() {
    for on_response in [true, false] {
        let (bench, _) = chain();
        let world = bench.world.clone();
        let spend = move || world.advance(ms(50));
        let builder = bench.builder().limits(only(Limit::Total, ms(70)));
        let builder = match on_response {
            true => builder.on_response(move |response| {
                if response.status() == 302 {
                    spend();
                }
                Ok(())
            }),
            false => builder.on_request(move |request| {
                if request.url().path() == "/two" {
                    spend();
                }
                Ok(())
            }),
        };
        let session = builder.build().unwrap();
        let error = bench.get(&session).send().unwrap_err();
        assert_eq!((error.limit(), bench.times_sent()), (Some(Limit::Total), 1));
        let timeline = error.timeline().unwrap();
        assert_eq!((timeline.ended(), error.late_by()), (at(78), Some(ms(8))));
        assert!(timeline.is_finished());
        tiles(timeline);
        assert!(!bench.requests()[0].contains("/two"));
        assert_eq!(waited(timeline, Phase::Caller), [50]);
        if !on_response {
            assert_eq!(error.request_sent(), RequestSent::No);
            assert_eq!(error.history().len(), 1);
            assert!(error.to_string().contains("nothing of the request was sent"), "{error}");
        }
        drop(session);
        assert_eq!(bench.world.open_sockets(), 0);
    }
}

#[test]
fn time_in_hooks_is_the_callers() {
    let (bench, _) = chain();
    let (before, after) = (bench.world.clone(), bench.world.clone());
    let builder = bench.builder().on_request(move |_| {
        before.advance(ms(3));
        Ok(())
    });
    let builder = builder.on_response(move |_| {
        after.advance(ms(5));
        Ok(())
    });
    let session = builder.build().unwrap();
    // 50 ms for each wait: hooks are none of `read`'s business.
    let mut response = bench.get(&session).limits(only(Limit::Read, ms(41))).send().unwrap();
    assert_eq!(response.text().unwrap(), "there");
    let timeline = response.timeline();
    assert_eq!(timeline.elapsed(), ms(READY + 90 + 3 * 8));
    assert_eq!(timeline.caller(), ms(24));
    let hooks = timeline.spans().iter().filter(|span| span.what == What::Hook);
    assert!(hooks.clone().all(|span| span.phase == Phase::Caller));
    // One before the first hop; the next ones stand together.
    assert_eq!(
        hooks.map(waterclock::timeline::Span::duration).sum::<std::time::Duration>(),
        ms(24)
    );
    // The hook before a request is part of its hop, the one after its response is not of its head.
    assert_eq!(response.history()[0].elapsed(), ms(3 + READY + 20));
    assert_eq!(response.elapsed(), ms(3 + 40));
    tiles(timeline);
}

/// A POST led here: the call may not be repeated as if nothing had happened.
#[test]
fn a_chain_that_began_with_a_post_is_not_safe_to_repeat() {
    let bench = Bench::serving(
        Route::Http,
        Script::new()
            .expect_head()
            .expect_body()
            .send("HTTP/1.1 303 See\r\nLocation: http://gone.test/\r\nContent-Length: 0\r\n\r\n"),
    );
    bench.world.host("gone.test").fails(std::io::ErrorKind::NotFound);
    let session = bench.session();
    let error = bench.post(&session).body("order").send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Resolve, "{error:#}");
    assert_eq!(error.request_sent(), RequestSent::No);
    assert!(!error.retry_safe());
    let error = bench.get(&bench.session()).send().unwrap_err();
    assert!(error.retry_safe());
}

/// Nor if the GET that it led to was sent: what is said agrees with [`Error::retry_safe`].
#[test]
fn the_verdict_names_the_post_that_led_to_a_get() {
    let bench = Bench::serving(
        Route::Http,
        Script::new()
            .expect_head()
            .expect_body()
            .send("HTTP/1.1 303 See\r\nLocation: /y\r\nContent-Length: 0\r\n\r\n")
            .expect_head()
            .stall(),
    );
    let session = bench.session();
    let request = bench.post(&session).body("order").limits(only(Limit::Total, ms(400)));
    let error = request.send().unwrap_err();
    assert_eq!(error.request_sent(), RequestSent::Yes);
    assert!(!error.retry_safe());
    let said = error.explain().split_whitespace().collect::<Vec<_>>().join(" ");
    let wanted =
        "GET is idempotent, but POST was sent in a hop before it: a retry of the call may do";
    assert!(said.contains(wanted) && !said.contains("retry is safe"), "{said}");
}

/// What an earlier hop has armed, and even fired, says nothing about the one that succeeds.
#[test]
fn a_limit_that_fired_in_an_earlier_hop_is_not_reported() {
    let bench = Bench::new(Route::Http);
    bench.serve_each(None, |number| match number {
        0 => Script::new().expect_head().stall(),
        _ => Script::new().expect_head().wait(ms(20)).send(TO_TWO).expect_head().send(ok("there")),
    });
    let session = bench.builder().retry(Retry::new(1)).build().unwrap();
    let mut response = bench.get(&session).limits(only(Limit::Read, ms(50))).send().unwrap();
    assert_eq!(response.text().unwrap(), "there");
    let timeline = response.timeline();
    assert!(timeline.fired().is_none());
    assert_eq!(reasons(timeline), [HopReason::First, HopReason::Retry, HopReason::Redirect]);
    assert_eq!(timeline.elapsed(), ms(READY + 50 + READY + 20));
    tiles(timeline);
}

/// A redirect to another host is another name, another connection, and the same deadline.
#[test]
fn hops_to_other_hosts_connect_anew() {
    let to = format!(
        "HTTP/1.1 301 Moved\r\nLocation: http://other.test{PATH}\r\nContent-Length: 0\r\n\r\n"
    );
    let bench = Bench::serving(Route::Http, Script::new().expect_head().send(to));
    bench.world.host("other.test").resolves_to(["192.0.2.2"]).after(ms(13));
    bench
        .world
        .listen("192.0.2.2:80")
        .after(ms(17))
        .serve(Script::new().expect_head().send(ok("there")));
    let session = bench.session();
    let mut response = bench.get(&session).send().unwrap();
    assert_eq!(response.text().unwrap(), "there");
    assert_eq!(waited(response.timeline(), Phase::Resolve), [u128::from(RESOLVE), 13]);
    assert_eq!(waited(response.timeline(), Phase::Connect), [u128::from(CONNECT), 17]);
    assert_eq!(response.elapsed(), ms(13 + 17));
    assert_eq!(bench.world.lookups(), [ORIGIN, "other.test"]);
    // The first connection is kept all the same.
    assert_eq!(bench.world.open_sockets(), 2);
}

/// 30 hops, and every one of them on the record.
#[test]
fn a_loop_ends_and_its_timeline_tiles() {
    let hop = Script::new().expect_head().wait(ms(1)).send(TO_TWO);
    let bench = Bench::serving(Route::Http, Script::new().repeat(hop));
    let error = bench.get(&bench.session()).send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooManyRedirects, "{error:#}");
    assert_eq!((error.history().len(), error.status()), (31, Some(302)));
    let timeline = error.timeline().unwrap();
    assert_eq!((timeline.hops().len(), timeline.elapsed()), (31, ms(READY + 31)));
    assert!(timeline.is_finished());
    tiles(timeline);
}
