use super::*;
use std::sync::Arc;
use url::Url;

pub(super) fn ms(n: u64) -> Tick {
    Tick::from_nanos(n * 1_000_000)
}

fn dur(n: u64) -> Duration {
    Duration::from_millis(n)
}

pub(super) fn hop(started: Tick) -> Hop {
    Hop {
        request: Arc::new(RequestLine {
            method: crate::message::Method::Get,
            url: Url::parse("https://example.com/").unwrap(),
        }),
        reason: HopReason::First,
        started,
        sent: None,
        head_ended: None,
        ended: None,
        status: None,
        connection: None,
    }
}

/// The seed's case: 80 + 30 + (90 + 20) + 100 under `timeout=0.12`, with 1 ms of work after each.
fn seed() -> Timeline {
    let limits = Limits::per_wait(dur(120));
    let mut t = Timeline::new(ms(0), limits);
    t.begin_hop(hop(ms(0)));
    let read = |at: u64| Some((ms(at), Limit::Read));
    t.record_wait(
        Phase::Resolve,
        What::Answer,
        ms(0),
        ms(80),
        Some((ms(120), Limit::Resolve)),
        SpanEnd::Ready,
    );
    t.record_wait(
        Phase::Connect,
        What::Connect(0),
        ms(81),
        ms(111),
        Some((ms(201), Limit::Address)),
        SpanEnd::Ready,
    );
    t.record_wait(
        Phase::Tls,
        What::Read,
        ms(112),
        ms(202),
        Some((ms(232), Limit::Tls)),
        SpanEnd::Ready,
    );
    t.record_wait(
        Phase::Tls,
        What::Read,
        ms(203),
        ms(223),
        Some((ms(232), Limit::Tls)),
        SpanEnd::Ready,
    );
    t.record_wait(Phase::FirstByte, What::Read, ms(224), ms(324), read(344), SpanEnd::Ready);
    t.finish(ms(325));
    t
}

fn assert_tiles(t: &Timeline) {
    let mut at = t.started();
    for span in t.spans() {
        assert_eq!(span.started, at, "a gap before {span:?}");
        at = span.ended;
    }
    assert_eq!(at, t.ended());
    assert_eq!(t.waiting() + t.local(), t.elapsed());
    assert_eq!(t.unaccounted(), Duration::ZERO);
}

#[test]
fn spans_tile_and_the_sums_agree() {
    let t = seed();
    assert_tiles(&t);
    assert_eq!(t.elapsed(), dur(325));
    assert_eq!(t.waiting(), dur(320));
    assert_eq!(t.local(), dur(5));
    assert_eq!(t.hops()[0].ended, Some(ms(325)));
}

#[test]
fn the_tightest_wait_counts_what_the_same_limit_had_used_before() {
    let t = seed();
    let tightest = t.tightest().unwrap();
    assert_eq!((tightest.limit, tightest.used, tightest.of), (Limit::Tls, dur(111), dur(120)));
    assert_eq!(t.spans()[tightest.span].phase, Phase::Tls);
}

#[test]
fn what_was_spent_is_summed_by_phase() {
    let spent = [
        (Phase::Resolve, dur(80)),
        (Phase::Local, dur(5)),
        (Phase::Connect, dur(30)),
        (Phase::Tls, dur(110)),
        (Phase::FirstByte, dur(100)),
    ];
    assert_eq!(seed().spent(), spent);

    let mut t = Timeline::new(ms(0), Limits::total(dur(120)));
    t.begin_hop(hop(ms(0)));
    let total = Some((ms(120), Limit::Total));
    t.record_wait(Phase::Resolve, What::Answer, ms(0), ms(80), total, SpanEnd::Ready);
    t.record_wait(Phase::Tls, What::Read, ms(80), ms(120), total, SpanEnd::Expired);
    assert_eq!(t.spent(), [(Phase::Resolve, dur(80))]);
}

#[test]
fn what_if_total_fires_in_the_third_wait() {
    let fired = seed().what_if(&Limits::total(dur(120))).unwrap();
    assert_eq!((fired.limit, fired.at, fired.into), (Limit::Total, dur(120), dur(8)));
    assert_eq!(seed().spans()[fired.span].phase, Phase::Tls);
}

#[test]
fn what_if_knows_every_rule_of_the_table() {
    let t = seed();
    let at = |limits: Limits| t.what_if(&limits).map(|fired| (fired.limit, fired.at));
    let one = |limit, n| at(Limits::none().with(limit, Some(dur(n))));
    assert_eq!(at(Limits::per_wait(dur(120))), None);
    assert_eq!(at(Limits::per_wait(dur(109))), Some((Limit::Tls, dur(112 + 109))));
    assert_eq!(at(Limits::per_wait(dur(99))), Some((Limit::Tls, dur(112 + 99))));
    assert_eq!(one(Limit::Read, 99), Some((Limit::Read, dur(224 + 99))));
    assert_eq!(one(Limit::Read, 100), None);
    assert_eq!(one(Limit::Resolve, 79), Some((Limit::Resolve, dur(79))));
    assert_eq!(one(Limit::Connect, 222), Some((Limit::Connect, dur(222))));
    assert_eq!(one(Limit::Connect, 223), None);
    assert_eq!(one(Limit::Address, 29), Some((Limit::Address, dur(81 + 29))));
    assert_eq!(one(Limit::FirstByte, 99), Some((Limit::FirstByte, dur(224 + 99))));
    assert_eq!(one(Limit::Attempt, 300), Some((Limit::Attempt, dur(300))));
    assert_eq!(one(Limit::Body, 1), None);
}

#[test]
fn an_endless_body_needs_no_memory_and_still_tiles() {
    let mut t = Timeline::new(ms(0), Limits::per_wait(dur(50)));
    t.begin_hop(hop(ms(0)));
    t.record_wait(Phase::FirstByte, What::Read, ms(0), ms(10), None, SpanEnd::Ready);
    let mut now = 10;
    for round in 0..100_000u64 {
        let long = if round == 70_000 { 40 } else { 3 };
        t.record_wait(
            Phase::Body,
            What::Read,
            ms(now + 1),
            ms(now + 1 + long),
            Some((ms(now + 51), Limit::Read)),
            SpanEnd::Ready,
        );
        t.add_bytes(Phase::Body, 1000);
        t.record_caller(What::Reader, ms(now + 1 + long), ms(now + 2 + long));
        now += 2 + long;
    }
    t.finish(ms(now));
    assert!(t.spans().len() <= 24, "{} spans", t.spans().len());
    assert_eq!(t.folds().len(), 1);
    assert_tiles(&t);
    assert_eq!(t.spans().iter().map(|span| span.bytes).sum::<u64>(), 100_000_000);
    assert_eq!(t.longest_wait().unwrap().duration(), dur(40));
    assert_eq!(t.tightest().unwrap().used, dur(40));
    assert_eq!(t.caller(), dur(100_000));
    assert_eq!(t.local(), dur(200_000));
    let fired = t.what_if(&Limits::per_wait(dur(30))).unwrap();
    assert_eq!(fired.limit, Limit::Read);
}

#[test]
fn a_reader_that_never_has_to_wait_needs_no_memory_either() {
    for waits_before in [0, 1, 30] {
        let mut t = Timeline::new(ms(0), Limits::none());
        t.begin_hop(hop(ms(0)));
        for wait in 0..waits_before {
            t.record_wait(Phase::Body, What::Read, ms(wait), ms(wait + 1), None, SpanEnd::Ready);
        }
        for round in 0..10_000 {
            let at = 100 + 3 * round;
            t.record_caller(What::Reader, ms(at), ms(at + 1));
            t.add_bytes(Phase::Body, 7);
        }
        t.finish(ms(40_000));
        assert!(t.spans().len() < 40, "{}", t.spans().len());
        assert_eq!((t.caller(), t.waiting()), (dur(10_000), dur(waits_before)));
        assert_eq!(t.spans().iter().map(|span| span.bytes).sum::<u64>(), 70_000);
        assert_tiles(&t);
    }
}

#[test]
fn bytes_without_a_wait_belong_to_the_work() {
    let mut t = Timeline::new(ms(0), Limits::none());
    t.begin_hop(hop(ms(0)));
    t.add_bytes(Phase::Send, 70);
    t.record_wait(Phase::FirstByte, What::Read, ms(1), ms(5), None, SpanEnd::Ready);
    t.add_bytes(Phase::FirstByte, 30);
    t.finish(ms(6));
    let bytes: Vec<_> = t.spans().iter().map(|span| (span.phase, span.bytes)).collect();
    assert_eq!(bytes, [(Phase::Local, 70), (Phase::FirstByte, 30), (Phase::Local, 0)]);
}

#[test]
fn nothing_is_recorded_after_the_end() {
    let mut t = seed();
    t.record_wait(Phase::Body, What::Read, ms(400), ms(500), None, SpanEnd::Ready);
    t.finish(ms(600));
    assert_eq!(t.elapsed(), dur(325));
}

#[test]
fn a_clock_that_steps_back_leaves_no_gap() {
    let mut t = Timeline::new(ms(10), Limits::none());
    t.record_wait(Phase::Body, What::Read, ms(12), ms(11), None, SpanEnd::Ready);
    t.finish(ms(5));
    assert_tiles(&t);
}

#[test]
fn parts_make_the_same_timeline_again() {
    let mut t = seed();
    t.begin_attempt("192.0.2.1:443".into(), ms(81));
    let again = Timeline::from_parts(t.to_parts()).unwrap();
    assert_eq!((again.spans(), again.ended()), (t.spans(), t.ended()));
    assert_eq!(format!("{:?}", again.run), format!("{:?}", t.run));
    assert_tiles(&again);
}

#[test]
fn parts_of_no_call_are_refused() {
    let mut t = seed();
    assert_eq!(Timeline::from_parts(t.to_parts()).unwrap_err(), InvalidParts::AttemptOfSpan(2));
    t.begin_attempt("192.0.2.1:443".into(), ms(81));
    let with = |change: fn(&mut Parts)| {
        let mut parts = t.to_parts();
        change(&mut parts);
        Timeline::from_parts(parts).unwrap_err()
    };
    assert_eq!(with(|parts| parts.started = ms(1)), InvalidParts::Overlap(0));
    assert_eq!(with(|parts| _ = parts.spans.remove(1)), InvalidParts::Gap(1));
    assert_eq!(with(|parts| parts.spans[1].ended = ms(0)), InvalidParts::Backwards(1));
    assert_eq!(with(|parts| parts.spans[1].hop = 1), InvalidParts::HopOfSpan(1));
    assert_eq!(with(|parts| parts.attempts[0].hop = 9), InvalidParts::HopOfAttempt(0));
    assert_eq!(with(|parts| parts.spans[0].what = What::Folded(0)), InvalidParts::FoldOfSpan(0));
    assert_eq!(
        with(|parts| parts.spans.iter_mut().for_each(|span| span.bytes = u64::MAX)),
        InvalidParts::TooLarge
    );
    let many = |parts: &mut Parts| parts.hops = vec![parts.hops[0].clone(); 70_000];
    assert_eq!(with(many), InvalidParts::TooMany);
    let hops = |parts: &mut Parts| {
        parts.hops.push(parts.hops[0].clone());
        parts.spans[1].hop = 1;
    };
    assert_eq!(with(hops), InvalidParts::HopOfSpan(2), "back to the first hop");
}

/// Each note of the call stands in its timeline.
#[test]
fn what_is_noted_is_kept() {
    let mut t = Timeline::new(ms(0), Limits::none());
    t.record_caller(What::Hook, ms(0), ms(0));
    assert_eq!(t.spans(), []);
    t.begin_hop(hop(ms(0)));
    t.hop_mut().unwrap().status = Some(301);
    let connection = ConnectionUse { number: 7, idle: None, peer: None };
    t.use_connection(connection);
    t.set_request_sent(RequestSent::Yes);
    t.note("It is said.");
    let lost = t.begin_attempt("192.0.2.1:80".into(), ms(1));
    let won = t.begin_attempt("192.0.2.2:80".into(), ms(2));
    assert_eq!((lost, won), (0, 1));
    t.end_attempt(lost, ms(3), AttemptEnd::Expired);
    t.end_attempt(won, ms(4), AttemptEnd::Connected);
    t.end_attempt(won, ms(5), AttemptEnd::Abandoned);
    assert_eq!((t.request_sent(), t.notes()), (RequestSent::Yes, &["It is said.".into()][..]));
    assert_eq!(t.hops()[0].status, Some(301));
    assert_eq!(t.hops()[0].connection.unwrap().number, 7);
    let ends: Vec<_> = t.attempts().iter().map(|a| (a.hop, a.ended, a.end.clone())).collect();
    let failed = (0, Some(ms(3)), AttemptEnd::Expired);
    assert_eq!(ends, [failed, (0, Some(ms(4)), AttemptEnd::Connected)]);

    // Work up to a new hop belongs to the old one, and nothing of it was sent.
    t.begin_hop(hop(ms(9)));
    assert_eq!((t.spans().len(), t.spans()[0].hop, t.spans()[0].ended), (1, 0, ms(9)));
    assert_eq!(t.request_sent(), RequestSent::No);
    t.record_wait(Phase::Connect, What::Connect(1), ms(9), ms(10), None, SpanEnd::Ready);
    assert_eq!(t.begin_attempt("192.0.2.3:80".into(), ms(10)), 2);
    assert_eq!((t.spans()[1].hop, t.attempts()[2].hop), (1, 1));
}

/// Bytes belong to the wait before them, if it was for bytes of that direction; else to the work after it.
#[test]
fn bytes_go_to_the_wait_that_was_for_them() {
    use Phase::{Backoff, Body, Connect, Continue, FirstByte, Head, Send, Tunnel, Upload};
    let counted = |waited: Phase, moved: Phase, end: SpanEnd| {
        let mut t = Timeline::new(ms(0), Limits::none());
        t.begin_hop(hop(ms(0)));
        t.record_wait(waited, What::Read, ms(0), ms(1), None, end);
        t.add_bytes(moved, 5);
        t.finish(ms(2));
        (t.spans()[0].bytes, t.spans()[1].bytes)
    };
    let to_the_wait = [(Send, Upload), (Upload, Send), (FirstByte, Head), (Continue, FirstByte)];
    for (waited, moved) in to_the_wait.into_iter().chain([(Body, Body), (Tunnel, Tunnel)]) {
        assert_eq!(counted(waited, moved, SpanEnd::Ready), (5, 0), "{waited} {moved}");
        assert_eq!(counted(waited, moved, SpanEnd::Expired), (0, 5), "{waited} {moved}");
    }
    for (waited, moved) in [(Send, Body), (FirstByte, Upload), (Tunnel, Send), (Backoff, Head)] {
        assert_eq!(counted(waited, moved, SpanEnd::Ready), (0, 5), "{waited} {moved}");
    }
    assert_eq!(counted(Connect, Tunnel, SpanEnd::Ready), (0, 5));
}

/// A limit that ended a hop did not end the call if another hop follows.
#[test]
fn what_has_fired_can_be_taken_back() {
    let mut t = Timeline::new(ms(0), Limits::total(dur(1)));
    let fired = Fired { limit: Limit::Total, phase: Phase::Body, deadline: ms(1), noticed: ms(1) };
    t.set_fired(fired);
    assert_eq!(t.fired().map(|fired| fired.limit), Some(Limit::Total));
    t.clear_fired();
    assert!(t.fired().is_none());
}
