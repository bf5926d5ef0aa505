//! Calls of several hops, as exact text.

use super::*;

/// The next request of a call, at `at`.
fn next(t: &mut Timeline, reason: HopReason, url: &str, at: u64) {
    t.end_hop(us(at));
    let mut next = hop("GET", url, us(at));
    next.reason = reason;
    t.begin_hop(next);
}

fn answered(t: &mut Timeline, status: u16) {
    t.hop_mut().unwrap().status = Some(status);
}

/// A redirect to another host, a challenge there, and a 503 that is tried again after a pause.
fn chain() -> Timeline {
    let limits = Limits::none().with(Limit::Total, Some(ms(1_000)));
    let total = Some((0, Limit::Total));
    let mut t = call("http://a.test/", limits);
    connect(&mut t, "192.0.2.1:80", (0, 20_000), total);
    wait(&mut t, Phase::FirstByte, What::Read, (20_000, 60_000), total);
    answered(&mut t, 302);
    next(&mut t, HopReason::Redirect, "http://b.test/in", 60_000);
    connect(&mut t, "192.0.2.2:80", (60_000, 80_000), total);
    wait(&mut t, Phase::FirstByte, What::Read, (80_000, 120_000), total);
    answered(&mut t, 401);
    next(&mut t, HopReason::Auth, "http://b.test/in", 120_000);
    let idle = Some(Duration::ZERO);
    t.use_connection(crate::timeline::ConnectionUse { number: 2, idle, peer: None });
    wait(&mut t, Phase::FirstByte, What::Read, (120_000, 160_000), total);
    answered(&mut t, 503);
    wait(&mut t, Phase::Backoff, What::Answer, (160_000, 260_000), total);
    next(&mut t, HopReason::Retry, "http://b.test/in", 260_000);
    wait(&mut t, Phase::FirstByte, What::Read, (260_000, 300_000), total);
    answered(&mut t, 200);
    t.finish(us(300_000));
    t
}

#[test]
fn each_hop_says_why_it_was_made() {
    assert_eq!(
        waterfall(&chain(), &unicode()),
        " #  wait                0        100      200            ms  of its limit
── hop 1  GET http://a.test/
 1  tcp 192.0.2.1:80    █▉░░░░░░░░░░░░░░░░░░░░░░░░░░   20.0    2% of 1,000 total
 2  read headers         ▕███▋░░░░░░░░░░░░░░░░░░░░░░   40.0    4% of 980.0 left
── hop 2  (redirect after 302)  GET http://b.test/in
 3  tcp 192.0.2.2:80         ▐█▌░░░░░░░░░░░░░░░░░░░░   20.0    2% of 940.0 left
 4  read headers               ▐███▎░░░░░░░░░░░░░░░░   40.0    4% of 920.0 left
── hop 3  (auth after 401)  GET http://b.test/in
    tcp: reused, idle 0.0 ms
 5  read headers                   ███▉░░░░░░░░░░░░░   40.0    5% of 880.0 left
 6  wait before retry                 ▕█████████▎░░░  100.0   12% of 840.0 left
── hop 4  (retry after 503)  GET http://b.test/in
 7  read headers                                ████   40.0    5% of 740.0 left
    █ waited  ░ limit left

 300.0 ms = 300.0 waiting + 0.0 local work + 0.0 unaccounted
"
    );
}

/// A read limit that fired, a refused connection, and then an answer.
fn failures() -> Timeline {
    let mut t = call("http://a.test/", Limits::per_wait(ms(50)));
    let read = Some((us(50_000), Limit::Read));
    t.record_wait(Phase::FirstByte, What::Read, us(0), us(50_000), read, SpanEnd::Expired);
    next(&mut t, HopReason::Retry, "http://a.test/", 50_000);
    wait(&mut t, Phase::Resolve, What::Answer, (50_000, 60_000), Some((50_000, Limit::Resolve)));
    let attempt = t.begin_attempt("192.0.2.1:80".into(), us(60_000));
    t.end_attempt(attempt, us(60_010), AttemptEnd::Failed("Connection refused".into()));
    next(&mut t, HopReason::Retry, "http://a.test/", 60_010);
    wait(&mut t, Phase::FirstByte, What::Read, (60_010, 80_000), Some((60_010, Limit::Read)));
    answered(&mut t, 200);
    t.finish(us(80_000));
    t
}

#[test]
fn a_failure_is_a_reason_too() {
    assert_eq!(
        waterfall(&failures(), &ascii()),
        " #  wait               0                   50                ms  of its limit
-- hop 1  GET http://a.test/
 1  read headers       ####################x               50.0  100% of 50
-- hop 2  (retry after read limit)  GET http://a.test/
 2  dns a.test                              ####........   10.0   20% of 50
    tcp 192.0.2.1:80                           #          (0.0)  x refused
-- hop 3  (retry after a failure)  GET http://a.test/
 3  read headers                                ########   20.0   40% of 50
    # waited  . limit left  x limit expired  ( ) overlapping, not in the sum

 80.0 ms = 80.0 waiting + 0.0 local work + 0.0 unaccounted
"
    );
}

#[test]
fn what_ended_the_call_says_in_which_hop() {
    let mut t = call("http://a.test/", Limits::per_wait(ms(50)));
    answered(&mut t, 302);
    next(&mut t, HopReason::Redirect, "http://a.test/b", 10_000);
    let read = Some((us(60_000), Limit::Read));
    t.record_wait(Phase::FirstByte, What::Read, us(10_000), us(60_040), read, SpanEnd::Expired);
    let (deadline, noticed) = (us(60_000), us(60_040));
    t.set_fired(Fired { limit: Limit::Read, phase: Phase::FirstByte, deadline, noticed });
    t.finish(us(60_040));
    assert_eq!(
        verdict(&t)[0],
        "read limit of 50 ms fired in read headers of hop 2 (fired at 60.04 ms, 0.04 late)"
    );
}

#[test]
fn they_hold_what_every_screen_does() {
    super::any::check(&chain());
    super::any::check(&failures());
}

#[test]
fn a_part_of_ten_seconds_has_its_unit() {
    let limits = Limits::none().with(Limit::Read, Some(Duration::from_secs(60)));
    let mut t = call("http://a.test/", limits);
    wait(&mut t, Phase::FirstByte, What::Read, (0, 13_300), Some((0, Limit::Read)));
    t.finish(us(13_300));
    assert_eq!(
        verdict(&t)[0],
        "No limit fired. The closest was read headers: 13.3 ms of 60 s (0%)."
    );
}
