//! Observers are told what the timeline records: the same spans, in the same order, and every
//! start has its end.

use crate::bench::{Bench, PATH, Route, at, ms, ok};
use crate::matrix::{Ended, Trial, only};
use crate::recorder::{Event, Recorder};
use crate::stops::stops;
use crate::verify;
use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use waterclock::observe::{CallEnded, Observer, Outcome, SpanStarted};
use waterclock::timeline::{HopReason, Span, What};
use waterclock::{
    Adapter, Call, CancelHandle, Error, ErrorKind, Limit, Phase, PoolSettings, PreparedRequest,
    Response, Session, SessionBuilder, Version,
};
use waterclock_sim::{Script, SimWorld};

const LIMIT: Duration = Duration::from_secs(1);

fn observed(builder: SessionBuilder, recorder: &Arc<Recorder>) -> SessionBuilder {
    builder.observer(Arc::<Recorder>::clone(recorder))
}

fn session(bench: &Bench) -> (Session, Arc<Recorder>) {
    let recorder = Arc::new(Recorder::default());
    (observed(bench.builder(), &recorder).build().unwrap(), recorder)
}

/// Half of a body with the head, the other half 20 ms later.
fn in_halves() -> Script {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello";
    Script::new().expect_head().send(head).wait(ms(20)).send("again")
}

/// Wherever a peer stops: a limit that fires there, and a caller that gives up there.
#[test]
fn a_failed_call_is_seen_as_its_timeline_has_it() {
    for stop in &stops() {
        for &route in stop.routes {
            for cancelled in [false, true] {
                let recorder = Arc::new(Recorder::default());
                let trial = Trial::new(stop, route, |builder| observed(builder, &recorder));
                let cancel = CancelHandle::new();
                if cancelled {
                    let theirs = cancel.clone();
                    let when = trial.begun.after(LIMIT);
                    trial.bench.world.at(when, move |_| theirs.cancel());
                }
                let limits = only(Limit::Total, if cancelled { 2 * LIMIT } else { LIMIT });
                let Ended { error, .. } =
                    trial.fail(|request| request.limits(limits).cancel(&cancel));
                let kind = if cancelled { ErrorKind::Cancelled } else { ErrorKind::Timeout };
                assert_eq!(error.kind(), kind, "{}", stop.name);
                let events = recorder.last_call(Outcome::Failed(kind));
                events.agree_with(error.timeline().unwrap());
                let last = events.spans_started().last().unwrap().clone();
                assert_eq!(last.phase, stop.phase);
                let limit = (last.limit, last.left.map(|left| last.at.after(left)));
                let deadline = error.timeline().unwrap().started().after(2 * LIMIT);
                if cancelled {
                    assert_eq!(limit, (Some(Limit::Total), Some(deadline)));
                } else {
                    verify::fired(&error, Limit::Total, stop.phase, limit.1.unwrap());
                }
            }
        }
    }
}

/// A kept connection, a reader that pauses and a second request.
#[test]
fn a_streamed_response_is_seen_as_its_timeline_has_it() {
    for &route in Route::ALL {
        let bench = Bench::serving(route, Script::new().repeat(in_halves()));
        let (session, recorder) = session(&bench);
        for _ in 0..2 {
            let mut response = bench.get(&session).send().unwrap();
            bench.world.advance(ms(5));
            let mut piece = [0; 5];
            response.read_exact(&mut piece).unwrap();
            bench.world.advance(ms(7));
            assert_eq!(response.text().unwrap(), "again");
            let events = recorder.last_call(Outcome::Response(200));
            events.agree_with(response.timeline());
            let phases: Vec<_> = events.spans_ended().map(|span| (span.phase, span.what)).collect();
            assert!(phases.contains(&(Phase::Caller, What::Reader)));
            assert!(phases.contains(&(Phase::Body, What::Read)));
            assert_eq!(
                events.hops(),
                [
                    Event::HopStarted(0, HopReason::First, route.url(PATH)),
                    Event::HopEnded(0, Some(200), Some(Version::Http11), None)
                ]
            );
        }
    }
}

/// The time of a source and its waits to send, in a call that ends with its response dropped.
#[test]
fn an_upload_and_a_dropped_response_are_seen_as_their_timeline_has_them() {
    struct Slow(Arc<SimWorld>, usize);
    impl Read for Slow {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            self.0.advance(ms(3));
            let count = out.len().min(self.1).min(6000);
            self.1 -= count;
            Ok(count)
        }
    }
    for &route in Route::ALL {
        let bench = Bench::new(route);
        let script = Script::new().expect_head().wait(ms(50)).expect_body().send(ok("hello"));
        bench.serve(script, Some(3000));
        let (session, recorder) = session(&bench);
        let source = Slow(bench.world.clone(), 12_000);
        let response = bench.post(&session).body_reader(source, None).send().unwrap();
        assert!(recorder.events().iter().all(|(_, event)| !matches!(event, Event::CallEnded(_))));
        bench.world.advance(ms(9));
        let timeline = response.close();
        let events = recorder.last_call(Outcome::Response(200));
        events.agree_with(&timeline);
        assert!(events.spans_ended().any(|span| span.what == What::Source));
        assert!(events.spans_ended().any(|span| span.phase == Phase::Upload));
    }
}

/// The timeline folds the middle of a long body; whoever looks on sees each wait.
#[test]
fn a_long_body_is_seen_in_full() {
    let bench = Bench::serving(
        Route::Http,
        Script::new().expect_head().send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n").drip(
            vec![b'x'; 100],
            1,
            ms(2),
        ),
    );
    let (session, recorder) = session(&bench);
    let mut response = bench.get(&session).send().unwrap();
    assert_eq!(response.content().unwrap().len(), 100);
    let timeline = response.timeline();
    assert_eq!(timeline.folds().len(), 1);
    let events = recorder.last_call(Outcome::Response(200));
    // The first byte comes with the head.
    assert_eq!(events.spans_ended().filter(|span| span.phase == Phase::Body).count(), 99);
    let waited: Duration = events.spans_ended().map(Span::duration).sum();
    assert_eq!(waited, timeline.elapsed());
    assert_eq!(events.spans_started().count(), events.spans_ended().count());
}

/// Two hops: the kept connection dies as it is used.
#[test]
fn a_repeated_request_is_two_hops() {
    let bench = Bench::new(Route::Http);
    bench.serve_each(None, |number| match number {
        0 => Script::new().expect_head().send(ok("hello")).expect_head().wait(ms(60)).close(),
        _ => Script::new().expect_head().send(ok("other")),
    });
    let (session, recorder) = session(&bench);
    bench.get(&session).send().unwrap().content().unwrap();
    bench.world.advance(ms(10));
    let mut response = bench.get(&session).send().unwrap();
    assert_eq!(response.text().unwrap(), "other");
    let events = recorder.last_call(Outcome::Response(200));
    events.agree_with(response.timeline());
    let url = bench.route.url(PATH);
    assert_eq!(
        events.hops(),
        [
            Event::HopStarted(0, HopReason::First, url.clone()),
            Event::HopEnded(0, None, None, Some(ErrorKind::Closed)),
            Event::HopStarted(1, HopReason::Retry, url),
            Event::HopEnded(1, Some(200), Some(Version::Http11), None)
        ]
    );
}

struct Mock;

impl Adapter for Mock {
    fn send(&self, request: &mut PreparedRequest, call: Call) -> Result<Response, Error> {
        Response::builder(request, call).status(404).body("hello")
    }
}

/// Calls that never come near a socket have their beginning and end as well.
#[test]
fn calls_without_a_connection_are_seen() {
    let bench = Bench::new(Route::Http);
    let recorder = Arc::new(Recorder::default());
    let builder = observed(bench.builder().mount("mock://", Arc::new(Mock)), &recorder);
    let session = builder.build().unwrap();
    drop(session.get("mock://user:secret@any/").send().unwrap());
    let events = recorder.last_call(Outcome::Response(404));
    assert_eq!(events.0[0].1, Event::CallStarted("GET mock://any/".to_owned()));
    assert_eq!(events.hops().last(), Some(&Event::HopEnded(0, Some(404), None, None)));

    let error = session.get("gopher://any/").send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnsupportedScheme);
    assert!(error.timeline().is_none());
    let events = recorder.last_call(Outcome::Failed(ErrorKind::UnsupportedScheme));
    assert_eq!(events.0.len(), 2);
}

/// All observers are told, in their order; a clone of the session is the same session; and a
/// session that has none tells nobody.
#[test]
fn the_observers_of_a_session_see_its_calls_and_no_others() {
    let bench = Bench::serving(Route::Http, in_halves());
    let [first, second] = [(); 2].map(|()| Arc::new(Recorder::default()));
    let builder = observed(observed(bench.builder(), &first), &second);
    let session = builder.build().unwrap();
    bench.get(&bench.session()).send().unwrap().content().unwrap();
    assert!(first.events().is_empty());
    bench.get(&session.clone()).send().unwrap().content().unwrap();
    assert!(first.events().len() > 10);
    assert_eq!(first.events(), second.events());
    let calls = first.events().into_iter().filter(|(_, e)| matches!(e, Event::CallStarted(_)));
    assert_eq!(calls.count(), 1);
}

/// Takes 30 ms to say that a wait begins.
struct Slow(Arc<SimWorld>);

impl Observer for Slow {
    fn span_started(&self, _: &SpanStarted<'_>) {
        self.0.advance(ms(30));
    }
}

/// The limits of a wait begin behind the observers, whose time is work on the timeline. `total`
/// goes on in it.
#[test]
fn the_time_of_an_observer_is_not_the_waits() {
    let trickles = Script::new().expect_head().wait(ms(39)).send(ok("hello"));
    let limited = |limit, duration| {
        let bench = Bench::serving(Route::Http, trickles.clone());
        let slow = Arc::new(Slow(bench.world.clone()));
        let session = bench.builder().observer(slow).build().unwrap();
        let result = bench.get(&session).limits(only(limit, ms(duration))).send();
        result.and_then(|mut response| {
            response.content()?;
            Ok(response.close())
        })
    };
    // Waits for a name, a connection and the answer: 3 times 30 ms, of which the first two are
    // longer than what is waited for.
    let timeline = limited(Limit::Read, 10).unwrap();
    verify::tiles(&timeline);
    assert_eq!(timeline.local(), ms(90));
    let error = limited(Limit::Total, 89).unwrap_err();
    assert_eq!(error.timeline().unwrap().fired().unwrap().deadline, at(89));
    assert_eq!(error.phase(), Some(Phase::FirstByte));
}

/// Panics at the first wait of a kind; afterwards it is told the end.
#[derive(Default)]
struct Bomb {
    phase: Option<Phase>,
    ended: Mutex<Vec<Outcome>>,
}

impl Observer for Bomb {
    fn span_started(&self, wait: &SpanStarted<'_>) {
        assert!(Some(wait.phase) != self.phase || !self.ended.lock().unwrap().is_empty(), "bomb");
    }

    fn call_ended(&self, call: &CallEnded<'_>) {
        self.ended.lock().unwrap().push(call.outcome);
        assert!(call.outcome != Outcome::Abandoned, "a second panic does not abort");
    }
}

/// Nothing of ours is poisoned: the only connection that is allowed can be made again.
#[test]
fn a_panic_in_an_observer_leaves_the_session_whole() {
    for phase in [Phase::Resolve, Phase::Connect, Phase::Tls, Phase::FirstByte, Phase::Body] {
        let bench = Bench::serving(Route::Https, Script::new().repeat(in_halves()));
        let bomb = Arc::new(Bomb { phase: Some(phase), ..Bomb::default() });
        let pool = PoolSettings { max_per_host: Some(1), ..PoolSettings::default() };
        let builder = bench.builder().pool(pool).observer(Arc::<Bomb>::clone(&bomb));
        let session = builder.build().unwrap();
        let fetch = || bench.get(&session).send().and_then(|mut response| response.text());
        assert!(catch_unwind(AssertUnwindSafe(fetch)).is_err(), "{phase}");
        let first = bomb.ended.lock().unwrap_or_else(std::sync::PoisonError::into_inner)[0];
        // Where the response was in the caller's hands already, it is dropped.
        let expected =
            if phase == Phase::Body { Outcome::Response(200) } else { Outcome::Abandoned };
        assert_eq!(first, expected, "{phase}");
        bomb.ended.clear_poison();
        assert_eq!(fetch().unwrap(), "helloagain", "{phase}");
        drop(session);
        assert_eq!(bench.world.open_sockets(), 0);
    }
}

/// A call that the caller's own code ends with a panic has an end for its observers, too.
#[test]
fn a_panic_of_the_caller_ends_the_call() {
    struct Bad;
    impl Read for Bad {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            panic!("the source is broken")
        }
    }
    let bench = Bench::serving(Route::Http, Script::new().expect_head());
    let (session, recorder) = session(&bench);
    let send = || bench.post(&session).body_reader(Bad, None).send().map(drop);
    assert!(catch_unwind(AssertUnwindSafe(send)).is_err());
    let events = recorder.last_call(Outcome::Abandoned);
    assert_eq!(events.hops().len(), 2);
}

/// Uses the session that it observes, once.
#[derive(Default)]
struct Nested {
    session: Mutex<Option<Session>>,
    ended: Mutex<Vec<Outcome>>,
}

impl Observer for Nested {
    fn call_ended(&self, call: &CallEnded<'_>) {
        self.ended.lock().unwrap().push(call.outcome);
        let session = self.session.lock().unwrap().take();
        if let Some(session) = session {
            let url = Route::Http.url("/report");
            assert_eq!(session.get(url).send().unwrap().text().unwrap(), "hello");
        }
    }
}

#[test]
fn an_observer_may_use_the_session() {
    let bench = Bench::serving(
        Route::Http,
        Script::new().repeat(Script::new().expect_head().send(ok("hello"))),
    );
    let nested = Arc::new(Nested::default());
    let builder = bench.builder().observer(Arc::<Nested>::clone(&nested));
    let session = builder.build().unwrap();
    *nested.session.lock().unwrap() = Some(session.clone());
    assert_eq!(bench.get(&session).send().unwrap().text().unwrap(), "hello");
    assert_eq!(*nested.ended.lock().unwrap(), [Outcome::Response(200); 2]);
}
