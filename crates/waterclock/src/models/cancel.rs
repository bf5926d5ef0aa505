//! A call that is cancelled, times out and is answered at once: exactly one of these is what came of it.

use super::try_orders;
use super::world::ModelWorld;
use crate::{CancelHandle, Error, ErrorKind, Limit, Limits, PoolSettings};
use shuttle::thread;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use waterclock_proto::timeline::SpanEnd;

/// How the call ended, by its record: that has to tell it once, and nothing else.
fn told(error: &Error) -> Vec<SpanEnd> {
    let timeline = error.timeline().unwrap();
    assert_eq!(timeline.fired().is_some(), error.kind() == ErrorKind::Timeout);
    let ends = timeline.spans().iter().map(|span| span.end);
    ends.filter(|end| matches!(end, SpanEnd::Cancelled | SpanEnd::Expired)).collect()
}

/// How often the call was answered, cancelled and ended by its limit. Not shuttle's: the model does not see it.
static ANSWERED: AtomicUsize = AtomicUsize::new(0);
static CANCELLED: AtomicUsize = AtomicUsize::new(0);
static TIMED_OUT: AtomicUsize = AtomicUsize::new(0);

#[test]
fn one_outcome_and_the_place_is_free_again() {
    try_orders("cancelled, timed out, answered", || {
        let world = ModelWorld::default();
        let settings = PoolSettings { max_total: Some(1), ..PoolSettings::default() };
        let session = world.session(settings);
        let (clock, server) = (world.clock(), world.server());
        let handle = CancelHandle::new();
        let caller = {
            let (session, handle) = (session.clone(), handle.clone());
            thread::spawn(move || {
                let limits = Limits::total(Duration::from_millis(5));
                let request = session.get("http://192.0.2.1/later").limits(limits).cancel(&handle);
                match request.send().and_then(|mut response| response.text()) {
                    Ok(text) => {
                        assert_eq!(text, "/later");
                        count(&ANSWERED);
                    }
                    Err(error) => match error.kind() {
                        ErrorKind::Cancelled => {
                            assert!(handle.is_cancelled());
                            assert_eq!(told(&error), [SpanEnd::Cancelled]);
                            count(&CANCELLED);
                        }
                        ErrorKind::Timeout => {
                            assert_eq!(error.limit(), Some(Limit::Total));
                            assert_eq!(told(&error), [SpanEnd::Expired]);
                            count(&TIMED_OUT);
                        }
                        other => panic!("{other:?}: {error}"),
                    },
                }
            })
        };
        // Late enough, in many orders, for the others to be first.
        let canceller = thread::spawn(move || {
            (0..20).for_each(|_| thread::yield_now());
            handle.cancel();
        });
        let closer = {
            let session = session.clone();
            thread::spawn(move || session.close())
        };
        for thread in [caller, canceller, closer] {
            thread.join().unwrap();
        }
        // Whatever it was, another call is served.
        let mut response = session.get("http://192.0.2.1/2").send().unwrap();
        assert_eq!(response.text().unwrap(), "/2");
        drop(response);
        world.stop([clock, server]);
        drop(session);
        assert_eq!(world.open(), (0, 1));
    });
    let counts = [&ANSWERED, &CANCELLED, &TIMED_OUT].map(|count| count.load(Ordering::Relaxed));
    println!("answered, cancelled, timed out: {counts:?}");
    // One order, or few, need not show all of them.
    let many = counts.iter().sum::<usize>() >= 200;
    assert!(!many || counts.iter().all(|&count| count > 0), "{counts:?}");
}

fn count(outcome: &AtomicUsize) {
    outcome.fetch_add(1, Ordering::Relaxed);
}

/// The flag is set between the look at it and the wait: the wait must not sleep through it.
#[test]
fn a_cancel_is_never_slept_through() {
    try_orders("cancelled while waiting for a place", || {
        let world = ModelWorld::default();
        let settings = PoolSettings { max_total: Some(1), ..PoolSettings::default() };
        let session = world.session(settings);
        // Holds the only place until the other has ended: without the cancel that would be never.
        let holder = session.get("http://192.0.2.1/1").send().unwrap();
        let handle = CancelHandle::new();
        let caller = {
            let (session, handle) = (session.clone(), handle.clone());
            thread::spawn(move || {
                let error = session.get("http://192.0.2.1/2").cancel(&handle).send().unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Cancelled);
            })
        };
        handle.cancel();
        caller.join().unwrap();
        drop((holder, session));
        assert_eq!(world.open().0, 0);
    });
}

/// Two calls share a handle, and nothing else would ever end them: whichever makes the signal, both are woken.
#[test]
fn two_calls_under_one_handle() {
    try_orders("two calls under one handle", || {
        let world = ModelWorld::default();
        let settings = PoolSettings { max_total: Some(1), ..PoolSettings::default() };
        let session = world.session(settings);
        let holder = session.get("http://192.0.2.1/1").send().unwrap();
        let handle = CancelHandle::new();
        let callers = [2, 3].map(|path| {
            let (session, handle) = (session.clone(), handle.clone());
            thread::spawn(move || {
                let url = format!("http://192.0.2.1/{path}");
                let error = session.get(url).cancel(&handle).send().unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Cancelled);
                assert_eq!(told(&error), [SpanEnd::Cancelled]);
            })
        });
        handle.cancel();
        callers.into_iter().for_each(|caller| caller.join().unwrap());
        // It stays cancelled, and no place was lost.
        let again = session.get("http://192.0.2.1/4").cancel(&handle).send().unwrap_err();
        assert_eq!(again.kind(), ErrorKind::Cancelled);
        drop(holder);
        session.get("http://192.0.2.1/5").send().unwrap().content().unwrap();
        drop(session);
        assert_eq!(world.open(), (0, 1));
    });
}
