//! Calls that are interrupted or cancelled, wherever the peer has stopped.

use crate::bench::{Bench, Route, at, ms, ok};
use crate::matrix::{Ended, Trial, only};
use crate::stops::stops;
use crate::verify;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use waterclock::timeline::SpanEnd;
use waterclock::{CancelHandle, Error, ErrorKind, Limit, Phase, RequestSent, Tick};
use waterclock_sim::Script;

const LIMIT: Duration = Duration::from_secs(1);

#[track_caller]
fn cancelled(error: &Error, phase: Phase, when: Tick) {
    let seen = (error.kind(), error.limit(), error.phase());
    assert_eq!(seen, (ErrorKind::Cancelled, None, Some(phase)), "{error:#}");
    let timeline = error.timeline().unwrap();
    assert_eq!(timeline.ended(), when);
    verify::tiles(timeline);
    let last = timeline.spans().last().unwrap();
    assert_eq!((last.phase, last.end, last.ended), (phase, SpanEnd::Cancelled, when));
}

/// A wait that a signal handler has interrupted goes on to the same instant.
#[test]
fn an_interrupted_wait_goes_on_to_the_same_instant() {
    for stop in &stops() {
        for &route in stop.routes {
            let ran = Arc::new(AtomicUsize::new(0));
            let counter = Arc::clone(&ran);
            let trial = Trial::new(stop, route, |builder| {
                builder.on_interrupt(move || {
                    counter.fetch_add(1, Ordering::Relaxed);
                    ControlFlow::Continue(())
                })
            });
            for when in [100, 200, 999] {
                trial.bench.world.interrupt_at(trial.begun.after(ms(when)));
            }
            let limits = only(Limit::Total, LIMIT);
            let Ended { begun, error, .. } = trial.fail(|request| request.limits(limits));
            verify::fired(&error, Limit::Total, stop.phase, begun.after(LIMIT));
            assert_eq!(ran.load(Ordering::Relaxed), 3);
        }
    }
}

#[test]
fn without_a_hook_a_wait_goes_on_too() {
    let bench = Bench::serving(Route::Http, Script::new());
    bench.world.interrupt_at(at(20));
    let limits = only(Limit::Read, LIMIT);
    let error = bench.get(&bench.session()).limits(limits).send().unwrap_err();
    verify::fired(&error, Limit::Read, Phase::FirstByte, at(8).after(LIMIT));
}

#[test]
fn a_hook_can_cancel() {
    for stop in &stops() {
        for &route in stop.routes {
            let trial =
                Trial::new(stop, route, |builder| builder.on_interrupt(|| ControlFlow::Break(())));
            let when = trial.begun.after(ms(100));
            trial.bench.world.interrupt_at(when);
            let limits = only(Limit::Total, LIMIT);
            let Ended { bench, error, .. } = trial.fail(|request| request.limits(limits));
            cancelled(&error, stop.phase, when);
            assert_eq!(error.request_sent(), stop.sent);
            assert_eq!(bench.world.open_sockets(), 0);
        }
    }
}

/// At a planned instant, from another thread.
#[test]
fn another_thread_can_cancel() {
    for stop in &stops() {
        for &route in stop.routes {
            let trial = Trial::new(stop, route, |builder| builder);
            let when = trial.begun.after(ms(100));
            let handle = CancelHandle::new();
            let theirs = handle.clone();
            trial.bench.world.at(when, move |_| {
                std::thread::scope(|scope| {
                    scope.spawn(|| theirs.cancel());
                });
            });
            let limits = only(Limit::Total, LIMIT);
            let Ended { bench, error, .. } =
                trial.fail(|request| request.limits(limits).cancel(&handle));
            cancelled(&error, stop.phase, when);
            assert_eq!(error.request_sent(), stop.sent);
            assert_eq!(bench.world.open_sockets(), 0);
        }
    }
}

#[test]
fn a_call_that_was_cancelled_before_sends_nothing() {
    let bench = Bench::serving(Route::Http, Script::new());
    let handle = CancelHandle::new();
    handle.cancel();
    let error = bench.get(&bench.session()).cancel(&handle).send().unwrap_err();
    assert_eq!((error.kind(), error.request_sent()), (ErrorKind::Cancelled, RequestSent::No));
    assert_eq!(bench.now(), Tick::ZERO);
    assert!(bench.world.lookups().is_empty());
    assert_eq!(bench.times_sent(), 0);
}

/// Between two reads nobody waits; the next read says it.
#[test]
fn a_call_can_be_cancelled_while_its_caller_is_busy() {
    let bench = Bench::serving(Route::Http, Script::new().expect_head().send(ok("hello")));
    let handle = CancelHandle::new();
    let session = bench.session();
    let mut response = bench.get(&session).cancel(&handle).send().unwrap();
    bench.world.advance(ms(30));
    handle.cancel();
    let error = response.content().unwrap_err();
    cancelled(&error, Phase::Body, at(8 + 30));
}
