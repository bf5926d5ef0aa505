//! What the engine writes down is what is read back, call by call.

use super::*;
use crate::timeline::HopReason;
use crate::timeline::tests::{hop, ms};
use std::time::Duration;

fn timeline() -> Timeline {
    let mut timeline = Timeline::new(ms(0), Limits::none());
    timeline.begin_hop(hop(ms(0)));
    timeline
}

fn wait(timeline: &mut Timeline, phase: Phase, from: u64, to: u64, end: SpanEnd) {
    timeline.record_wait(phase, What::Read, ms(from), ms(to), None, end);
}

fn bytes(timeline: &Timeline) -> Vec<u64> {
    timeline.spans().iter().map(|span| span.bytes).collect()
}

#[test]
fn work_before_a_hop_belongs_to_the_hop_before_it() {
    let mut timeline = timeline();
    timeline.begin_hop(Hop { reason: HopReason::Redirect, ..hop(ms(5)) });
    wait(&mut timeline, Phase::FirstByte, 5, 7, SpanEnd::Ready);
    timeline.finish(ms(7));
    let of = |hop| timeline.spans_of(hop).map(|span| (span.phase, span.ended)).collect::<Vec<_>>();
    assert_eq!(of(0), [(Phase::Local, ms(5))]);
    assert_eq!(of(1), [(Phase::FirstByte, ms(7))]);
}

/// Before the first hop nothing has been done for any.
#[test]
fn the_first_hop_has_no_work_before_it() {
    let mut timeline = Timeline::new(ms(0), Limits::none());
    timeline.begin_hop(hop(ms(3)));
    assert!(timeline.spans().is_empty());
}

#[test]
fn hops_are_counted_up_to_a_bound() {
    let mut timeline = Timeline::new(ms(0), Limits::none());
    for _ in 0..MOST + 2 {
        timeline.begin_hop(hop(ms(0)));
    }
    assert_eq!(timeline.hops().len(), MOST);
    assert_eq!(timeline.hop_index(), u16::MAX - 2);
}

#[test]
fn the_running_hop_is_the_last_one() {
    let mut timeline = timeline();
    timeline.begin_hop(hop(ms(1)));
    let used = ConnectionUse { number: 7, idle: None, peer: None };
    timeline.use_connection(used);
    timeline.hop_mut().unwrap().status = Some(204);
    timeline.end_hop(ms(4));
    timeline.end_hop(ms(5));
    let [first, second] = timeline.hops() else { panic!("two hops") };
    assert_eq!((first.connection, first.status, first.ended), (None, None, None));
    assert_eq!(
        (second.connection, second.status, second.ended),
        (Some(used), Some(204), Some(ms(4)))
    );
}

#[test]
fn what_was_sent_is_of_this_hop() {
    let mut timeline = timeline();
    timeline.set_request_sent(RequestSent::Partly);
    assert_eq!(timeline.request_sent(), RequestSent::Partly);
    timeline.begin_hop(hop(ms(1)));
    assert_eq!(timeline.request_sent(), RequestSent::No);
}

#[test]
fn bytes_are_of_the_wait_that_let_them_through() {
    for (waited, moved, same) in [
        (Phase::Send, Phase::Upload, true),
        (Phase::Upload, Phase::Send, true),
        (Phase::Continue, Phase::Head, true),
        (Phase::FirstByte, Phase::Body, true),
        (Phase::Tunnel, Phase::Tunnel, true),
        (Phase::Send, Phase::Body, false),
        (Phase::Tunnel, Phase::Body, false),
        (Phase::Tunnel, Phase::Send, false),
        (Phase::Resolve, Phase::Send, false),
        (Phase::Resolve, Phase::Tunnel, false),
        (Phase::Resolve, Phase::FirstByte, false),
    ] {
        let mut timeline = timeline();
        wait(&mut timeline, waited, 0, 2, SpanEnd::Ready);
        timeline.add_bytes(moved, 9);
        timeline.finish(ms(3));
        let expected = if same { [9, 0] } else { [0, 9] };
        assert_eq!(bytes(&timeline), expected, "{waited:?}, then {moved:?}");
    }
}

#[test]
fn a_wait_that_expired_let_no_bytes_through() {
    let mut timeline = timeline();
    wait(&mut timeline, Phase::Body, 0, 2, SpanEnd::Expired);
    timeline.add_bytes(Phase::Body, 9);
    timeline.finish(ms(3));
    assert_eq!(bytes(&timeline), [0, 9]);
}

#[test]
fn the_callers_time_is_a_span_if_there_is_any() {
    let mut timeline = timeline();
    timeline.record_caller(What::Work, ms(0), ms(0));
    assert!(timeline.spans().is_empty());
    timeline.record_caller(What::Work, ms(1), ms(3));
    let found: Vec<_> = timeline.spans().iter().map(|span| (span.phase, span.ended)).collect();
    assert_eq!(found, [(Phase::Local, ms(1)), (Phase::Caller, ms(3))]);
}

#[test]
fn a_limit_that_fired_can_be_taken_back() {
    let mut timeline = timeline();
    let fired = Fired { limit: Limit::Body, phase: Phase::Body, deadline: ms(2), noticed: ms(3) };
    timeline.set_fired(fired);
    assert_eq!(timeline.fired(), Some(&fired));
    assert_eq!(fired.late_by(), Duration::from_millis(1));
    timeline.clear_fired();
    assert_eq!(timeline.fired(), None);
}

#[test]
fn notes_are_kept_in_order() {
    let mut timeline = timeline();
    timeline.note("one");
    timeline.note(String::from("two"));
    assert_eq!(timeline.notes(), ["one".into(), "two".into()]);
}

#[test]
fn an_attempt_ends_once_and_knows_its_hop() {
    let mut timeline = timeline();
    timeline.begin_hop(hop(ms(1)));
    assert_eq!(timeline.begin_attempt("192.0.2.1:80".into(), ms(1)), 0);
    assert_eq!(timeline.begin_attempt("192.0.2.2:80".into(), ms(2)), 1);
    timeline.end_attempt(1, ms(3), AttemptEnd::Connected);
    timeline.end_attempt(1, ms(4), AttemptEnd::Abandoned);
    timeline.end_attempt(9, ms(4), AttemptEnd::Abandoned);
    let [first, second] = timeline.attempts() else { panic!("two attempts") };
    assert_eq!((first.hop, first.ended, &first.end), (1, None, &AttemptEnd::Pending));
    assert_eq!((second.hop, second.ended, &second.end), (1, Some(ms(3)), &AttemptEnd::Connected));
}

#[test]
fn attempts_are_counted_up_to_a_bound() {
    let mut timeline = timeline();
    let last = (0..MOST + 2).map(|_| timeline.begin_attempt("a".into(), ms(0))).last();
    assert_eq!((timeline.attempts().len(), last), (MOST, Some(u16::MAX - 2)));
}

#[test]
fn the_end_is_the_end() {
    let mut timeline = timeline();
    timeline.finish(ms(2));
    timeline.finish(ms(9));
    wait(&mut timeline, Phase::Body, 9, 10, SpanEnd::Ready);
    assert_eq!((timeline.ended(), timeline.spans().len()), (ms(2), 1));
    assert_eq!(timeline.hops()[0].ended, Some(ms(2)));
}
