//! For every limit and every phase in which it can be armed: a peer that stops there, and the call
//! ends at exactly that instant, with that limit and phase named. For every other pair: the limit
//! does not fire there.

use crate::bench::{Bench, PATH, RESOLVE, Route, ms};
use crate::stops::{Ask, Since, Stop, stops};
use crate::verify;
use std::collections::BTreeSet;
use std::time::Duration;
use waterclock::{
    Error, Limit, Limits, Phase, PoolSettings, Request, RequestSent, Response, Session,
    SessionBuilder, Tick,
};

/// The limit under test: longer than all that comes before a stop, and not round.
const LIMIT: Duration = Duration::from_nanos(1_000_000_007);
/// What ends the calls that the limit under test does not end.
const BACKSTOP: Duration = Duration::from_secs(60);

/// `limit` and nothing else, not even the `continue` that [`Limits::none`] has.
pub(crate) fn only(limit: Limit, duration: Duration) -> Limits {
    Limits::none().with(Limit::Continue, None).with(limit, Some(duration))
}

/// A call to a peer that stops somewhere, before it is made.
pub(crate) struct Trial<'s> {
    pub(crate) bench: Bench,
    /// When the call will begin.
    pub(crate) begun: Tick,
    stop: &'s Stop,
    session: Session,
    holder: Option<Response>,
}

/// What came of it.
pub(crate) struct Ended {
    pub(crate) bench: Bench,
    pub(crate) begun: Tick,
    pub(crate) error: Error,
}

impl<'s> Trial<'s> {
    pub(crate) fn new(
        stop: &'s Stop,
        route: Route,
        adapt: impl FnOnce(SessionBuilder) -> SessionBuilder,
    ) -> Self {
        let bench = Bench::new(route);
        (stop.world)(&bench);
        let pool = PoolSettings { max_per_host: Some(1), ..PoolSettings::default() };
        let session = adapt(bench.builder().pool(pool)).build().unwrap();
        // A call whose response is not read keeps the only connection there may be.
        let hold = || session.get(route.url("/first")).send().unwrap();
        let holder = (stop.ask == Ask::Second).then(hold);
        let begun = bench.now();
        Trial { bench, begun, stop, session, holder }
    }

    /// Makes the call, which must fail, and closes everything.
    pub(crate) fn fail(self, adapt: impl FnOnce(Request<'_>) -> Request<'_>) -> Ended {
        let Trial { bench, begun, stop, session, holder } = self;
        let result = adapt(stop.ask.request(&bench, &session)).send();
        let error = result.and_then(|mut response| response.content()).unwrap_err();
        drop((holder, session));
        Ended { bench, begun, error }
    }
}

fn run(stop: &Stop, route: Route, limits: Limits) -> Ended {
    Trial::new(stop, route, |builder| builder).fail(|request| request.limits(limits))
}

/// How long after the start of the call the row says a limit was armed.
pub(crate) fn offset(since: Since, route: Route) -> Duration {
    ms(match since {
        Since::Start => 0,
        Since::Name => RESOLVE,
        Since::ProxyTls => route.connected(),
        Since::Tunnel => route.tunnel_begins(),
        Since::Tls(more) => route.tls_begins() + more,
        Since::Ready(more) => route.ready() + more,
    })
}

fn check(stop: &Stop, route: Route, limit: Limit) {
    let row = stop.armed.iter().find(|(armed, _)| *armed == limit);
    let since = row.map(|&(_, since)| since);
    // The whole call and its only hop begin where the call begins, in every phase.
    let everywhere = matches!(limit, Limit::Total | Limit::Attempt).then_some(Since::Start);
    let (ended, limit, deadline) = if let Some(since) = since.or(everywhere) {
        let ended = run(stop, route, only(limit, LIMIT));
        let deadline = ended.begun.after(offset(since, route)).after(LIMIT);
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

/// The armed limits of a phase, the most specific first.
fn by_specificity(phase: Phase) -> &'static [Limit] {
    use Limit::{Address, Attempt, Body, Connect, FirstByte, Head, Pool, Read, Resolve, Total};
    use Limit::{Tls, Tunnel, Upload, Write};
    match phase {
        Phase::Pool => &[Pool, Attempt, Total],
        Phase::Resolve => &[Resolve, Connect, Attempt, Total],
        Phase::Connect => &[Address, Connect, Attempt, Total],
        Phase::Tunnel => &[Tunnel, Connect, Attempt, Total],
        Phase::Tls => &[Tls, Connect, Attempt, Total],
        Phase::Send | Phase::Upload => &[Write, Upload, Attempt, Total],
        Phase::FirstByte | Phase::Head => &[Read, FirstByte, Head, Attempt, Total],
        Phase::Body => &[Read, Body, Attempt, Total],
        _ => &[Attempt, Total],
    }
}

/// All armed limits at one instant: the most specific is named. Without it, the next; and so on.
#[test]
fn ties_name_the_most_specific() {
    const END: Duration = Duration::from_secs(2);
    for stop in &stops() {
        let since = |limit| match stop.armed.iter().find(|row| row.0 == limit) {
            Some(row) => Some(row.1),
            None => matches!(limit, Limit::Attempt | Limit::Total).then_some(Since::Start),
        };
        let order = by_specificity(stop.phase).iter().copied();
        let order: Vec<_> = order.filter_map(|limit| Some((limit, since(limit)?))).collect();
        assert_eq!(order.len(), stop.armed.len() + 2, "{}", stop.name);
        for &route in stop.routes {
            for first in 0..order.len() {
                let mut limits = Limits::none().with(Limit::Continue, None);
                for &(limit, since) in &order[first..] {
                    limits = limits.with(limit, Some(END - offset(since, route)));
                }
                let Ended { begun, error, .. } = run(stop, route, limits);
                verify::fired(&error, order[first].0, stop.phase, begun.after(END));
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
