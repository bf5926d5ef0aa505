//! For every limit and every phase in which it can be armed: a peer that stops there, and the call
//! ends at exactly that instant, with that limit and phase named. For every other pair: the limit
//! does not fire there.

use crate::bench::{Bench, PATH, Route, ms};
use crate::stops::{Ask, Since, Stop, stops};
use crate::verify;
use std::collections::BTreeSet;
use std::time::Duration;
use waterclock::{Error, Limit, Limits, Phase, RequestSent, Response, Session, Tick};

/// The limit under test: longer than all that comes before a stop, and not round.
const LIMIT: Duration = Duration::from_nanos(1_000_000_007);
/// What ends the calls that the limit under test does not end.
const BACKSTOP: Duration = Duration::from_secs(60);

/// `limit` and nothing else, not even the `continue` that [`Limits::none`] has.
fn only(limit: Limit, duration: Duration) -> Limits {
    Limits::none().with(Limit::Continue, None).with(limit, Some(duration))
}

struct Ended {
    bench: Bench,
    begun: Tick,
    error: Error,
}

fn run(stop: &Stop, route: Route, limits: Limits) -> Ended {
    let bench = Bench::new(route);
    (stop.world)(&bench);
    let session = bench.narrow_session();
    let holder = (stop.ask == Ask::Second).then(|| hold_the_place(&bench, &session));
    let begun = bench.now();
    let result = stop.ask.request(&bench, &session).limits(limits).send();
    let error = result.and_then(|mut response| response.bytes()).unwrap_err();
    drop((holder, session));
    Ended { bench, begun, error }
}

/// A call whose response is not read: it keeps the only connection there may be.
fn hold_the_place(bench: &Bench, session: &Session) -> Response {
    session.get(bench.route.url("/first")).send().unwrap()
}

fn armed_at(since: Since, route: Route, begun: Tick) -> Tick {
    begun.after(ms(match since {
        Since::Start => 0,
        Since::Name => crate::bench::RESOLVE,
        Since::Connected => route.connected(),
        Since::Tls(more) => route.tls_begins() + more,
        Since::Ready(more) => route.ready() + more,
    }))
}

fn check(stop: &Stop, route: Route, limit: Limit) {
    let row = stop.armed.iter().find(|(armed, _)| *armed == limit);
    let since = row.map(|&(_, since)| since);
    // The whole call and its only hop begin where the call begins, in every phase.
    let everywhere = matches!(limit, Limit::Total | Limit::Attempt).then_some(Since::Start);
    let (ended, limit, deadline) = if let Some(since) = since.or(everywhere) {
        let ended = run(stop, route, only(limit, LIMIT));
        let deadline = armed_at(since, route, ended.begun).after(LIMIT);
        (ended, limit, deadline)
    } else {
        let limits = only(limit, LIMIT).with(Limit::Total, Some(BACKSTOP));
        let ended = run(stop, route, limits);
        let deadline = ended.begun.after(BACKSTOP);
        (ended, Limit::Total, deadline)
    };
    let Ended { bench, error, .. } = ended;
    verify::fired(&error, limit, stop.phase, deadline);
    assert_eq!(bench.world.waits().last().unwrap().ended, deadline);
    assert_eq!(error.request_sent(), stop.sent);
    let repeatable = stop.sent == RequestSent::No || !stop.ask.posts();
    assert_eq!(error.retry_safe(), repeatable);
    if stop.sent == RequestSent::No {
        assert_eq!(bench.times_sent(), 0, "{:?}", bench.requests());
    }
    if stop.sent == RequestSent::Yes {
        assert!(bench.requests().iter().any(|text| text.contains(PATH)));
    }
    assert_eq!(bench.world.open_sockets(), 0);
}

/// Runs every row of `phase`, on every route, with every limit.
fn all(phase: Phase) {
    let rows: Vec<Stop> = stops().into_iter().filter(|stop| stop.phase == phase).collect();
    assert!(!rows.is_empty());
    for stop in &rows {
        for &route in stop.routes {
            for limit in Limit::ALL {
                // Its expiry in that phase is no error but sends the body: see `expect`.
                if (phase, limit) == (Phase::Continue, Limit::Continue) {
                    continue;
                }
                println!("{phase}, {}, {route:?}: {limit}", stop.name);
                check(stop, route, limit);
            }
        }
    }
}

#[test]
fn pool() {
    all(Phase::Pool);
}

#[test]
fn resolve() {
    all(Phase::Resolve);
}

#[test]
fn connect() {
    all(Phase::Connect);
}

#[test]
fn tunnel() {
    all(Phase::Tunnel);
}

#[test]
fn tls() {
    all(Phase::Tls);
}

#[test]
fn send() {
    all(Phase::Send);
}

#[test]
fn upload() {
    all(Phase::Upload);
}

#[test]
fn expect_continue() {
    all(Phase::Continue);
}

#[test]
fn first_byte() {
    all(Phase::FirstByte);
}

#[test]
fn head() {
    all(Phase::Head);
}

#[test]
fn body() {
    all(Phase::Body);
}

/// The table is whole: no limit without a row in which it fires, no phase without a stop.
#[test]
fn every_limit_and_every_phase_has_a_row() {
    let stops = stops();
    let fires: BTreeSet<Limit> = stops.iter().flat_map(|s| s.armed).map(|row| row.0).collect();
    let elsewhere = [Limit::Total, Limit::Attempt, Limit::Continue];
    for limit in Limit::ALL.into_iter().filter(|limit| !elsewhere.contains(limit)) {
        assert!(fires.contains(&limit), "{limit} never fires");
    }
    let phases: BTreeSet<Phase> = stops.iter().map(|stop| stop.phase).collect();
    for phase in Phase::ALL.into_iter().filter(|phase| phase.is_wait()) {
        assert!(phases.contains(&phase) || phase == Phase::Backoff, "nobody stops in {phase}");
    }
}
