//! Runs a scenario, with a fault or without, and judges what came of it.

use crate::bench::{Bench, Route, ms, proxy_tls_server, tls_server, trusting};
use crate::cases::{UNTIL_CLOSE, limits};
use crate::fault::{Fault, Point};
use crate::scenario::{Answer, Case, Place};
use crate::world::{FaultyWorld, Target};
use std::panic::{AssertUnwindSafe, catch_unwind};
use waterclock::{Error, ErrorKind, PoolSettings, Session, SessionBuilder, Timeline};

/// What came of a scenario, as far as two runs can be compared.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Answer(u16, Vec<u8>),
    Failed(ErrorKind),
}

/// One run.
struct Run {
    outcome: Outcome,
    points: Vec<Point>,
    struck: usize,
    /// How often a POST was begun.
    posts: usize,
    /// What came of the same, once more, without a fault.
    again: Outcome,
}

/// A scenario whose run without a fault is known.
pub(crate) struct Known<'a> {
    case: &'a Case,
    route: Route,
    expected: Outcome,
    points: Vec<Point>,
    posts: usize,
}

/// Waits may be found to be over so much too late where each try takes time.
const LATE: std::time::Duration = ms(300);

impl<'a> Known<'a> {
    /// Runs `case` on `route` without a fault.
    pub(crate) fn new(case: &'a Case, route: Route) -> Result<Self, String> {
        let run = run(case, route, None)?;
        if run.again != run.outcome {
            return Err(format!("comes to {:?} and then to {:?}", run.outcome, run.again));
        }
        let Run { outcome: expected, points, posts, .. } = run;
        Ok(Known { case, route, expected, points, posts })
    }

    /// The points of the run, in order.
    pub(crate) fn points(&self) -> &[Point] {
        &self.points
    }

    /// Runs it again, with a fault.
    pub(crate) fn with(&self, target: Target) -> Result<(), String> {
        let run = run(self.case, self.route, Some(target))?;
        let wrong = |what: &str| Err(format!("{what}: {:?}, not {:?}", run.outcome, self.expected));
        if run.struck == 0 {
            return wrong("the point was not reached");
        }
        if run.posts > self.posts {
            return Err(format!("{} POSTs instead of {}", run.posts, self.posts));
        }
        if run.again != self.expected {
            return Err(format!("afterwards the session comes to {:?}", run.again));
        }
        if run.outcome == self.expected {
            return Ok(());
        }
        let Target { point, fault, lasting, .. } = target;
        match &run.outcome {
            Outcome::Answer(_, cut) if self.may_be_cut(fault, cut) => Ok(()),
            Outcome::Answer(..) => wrong("another answer"),
            _ if !lasting && fault.is_harmless_at(point) => wrong("it did harm"),
            // Whoever tries for ever comes to the end of a limit.
            Outcome::Failed(ErrorKind::Timeout) if lasting => Ok(()),
            Outcome::Failed(kind) if point.kinds(fault).contains(kind) => Ok(()),
            // To an onlooker the handshake inside another one is data.
            Outcome::Failed(ErrorKind::Tls) if self.route == Route::SecureTunnel => Ok(()),
            Outcome::Failed(_) => wrong("a kind that does not fit"),
        }
    }
}

impl Known<'_> {
    fn may_be_cut(&self, fault: Fault, cut: &[u8]) -> bool {
        let Outcome::Answer(_, whole) = &self.expected else { return false };
        fault == Fault::End
            && self.case.name == UNTIL_CLOSE
            && !self.route.has_tls()
            && !self.route.is_secure()
            && whole.starts_with(cut)
    }
}

fn run(case: &Case, route: Route, target: Option<Target>) -> Result<Run, String> {
    let guarded = AssertUnwindSafe(|| run_unguarded(case, route, target));
    catch_unwind(guarded).unwrap_or_else(|_| Err("it panicked".to_owned()))
}

fn run_unguarded(case: &Case, route: Route, target: Option<Target>) -> Result<Run, String> {
    let bench = Bench::new(route);
    (case.serve)(&bench);
    let world = FaultyWorld::new(bench.world.clone());
    let session = session(case, route, &world);
    let place = Place { route, bench };
    world.arm(target);
    let outcome = outcome((case.ask)(&session, &place))?;
    let (points, struck) = world.disarm();
    let open = place.bench.world.open_sockets();
    if open > 1 {
        return Err(format!("{open} sockets are open"));
    }
    let posts = posts(&place.bench);
    let again = self::outcome((case.ask)(&session, &place))?;
    drop(session);
    match place.bench.world.open_sockets() {
        0 => Ok(Run { outcome, points, struck, posts, again }),
        open => Err(format!("{open} sockets are left open")),
    }
}

/// A session with room for one connection, so that a place that is not given back is missed.
fn session(case: &Case, route: Route, world: &std::sync::Arc<FaultyWorld>) -> Session {
    let builder = SessionBuilder::in_world(world.clone())
        .limits(limits())
        .pool(PoolSettings { max_per_host: Some(1), ..PoolSettings::default() })
        .tls(trusting([&*tls_server().root()]))
        .proxy_tls(trusting([&*proxy_tls_server().root()]));
    let builder = match route.proxy() {
        Some(proxy) => builder.proxy(proxy),
        None => builder,
    };
    (case.build)(builder).build().unwrap()
}

fn outcome(result: Result<Answer, Error>) -> Result<Outcome, String> {
    match result {
        Ok(Answer { status, body, timeline }) => {
            check(&timeline)?;
            Ok(Outcome::Answer(status, body))
        }
        Err(error) => {
            check(error.timeline().ok_or("an error without a record")?)?;
            if error.to_string().is_empty() {
                return Err("an error without words".to_owned());
            }
            Ok(Outcome::Failed(error.kind()))
        }
    }
}

/// The record has no gap, and does not reach beyond the limit of the whole call.
fn check(timeline: &Timeline) -> Result<(), String> {
    let mut at = timeline.started();
    for span in timeline.spans() {
        if span.started != at {
            return Err(format!("a gap in the record before {span:?}"));
        }
        at = span.ended;
    }
    if at != timeline.ended() || !timeline.unaccounted().is_zero() {
        return Err("the record does not come to the end".to_owned());
    }
    let most = timeline.limits().get(waterclock::Limit::Total).unwrap() + LATE;
    if timeline.elapsed() > most {
        return Err(format!("it took {:?}", timeline.elapsed()));
    }
    Ok(())
}

fn posts(bench: &Bench) -> usize {
    bench.requests().iter().map(|text| text.matches("POST ").count()).sum()
}

/// Every fault that there is at the points of `known`.
pub(crate) fn targets(known: &Known<'_>) -> impl Iterator<Item = Target> {
    known.points().iter().enumerate().flat_map(|(index, &point)| {
        let faults = point.faults().iter();
        faults.flat_map(move |&fault| {
            // A peer that is cut short for ever sends nothing but single bytes: that has an own row.
            let lasts = fault != Fault::Nothing;
            let once = Target { index, point, fault, lasting: false };
            let ever = Target { lasting: true, ..once };
            [Some(once), lasts.then_some(ever)].into_iter().flatten()
        })
    })
}
