//! What must hold for every seed.

use crate::drive::{Ended, Outcome, Story};
use crate::oracle::Oracle;
use crate::plan::{Ask, Framing, HOSTS, Plan, Route, Stop};
use crate::site::{content, origin};
use std::collections::BTreeMap;
use std::time::Duration;
use waterclock::timeline::{SpanEnd, What};
use waterclock::{ErrorKind, Limit, Method, Phase, Tick};

/// A connection used so recently is not looked at before it is used again: what was sent meanwhile
/// cannot be told from the answer. See `pool.rs`.
const FRESH: Duration = Duration::from_micros(200);

pub(crate) fn check(plan: &Plan, story: &Story) {
    assert_eq!(story.ended.len(), plan.asks().count());
    for ended in &story.ended {
        let ask = plan.asks().find(|ask| ask.token == ended.token).unwrap();
        tiles(ended);
        deadlines(ended, ask);
        content_is_its_own(ended, ask, story);
        delivered(ended, ask, plan, story);
    }
    waits_are_recorded(story);
    secrets(plan, story);
    assert_eq!(story.open_sockets, 0, "a descriptor stayed open");
}

fn tiles(ended: &Ended) {
    let timeline = &ended.timeline;
    let mut at = timeline.started();
    for span in timeline.spans() {
        assert_eq!(span.started, at, "a gap before {span:?}");
        at = span.ended;
    }
    assert_eq!(at, timeline.ended());
    assert!(timeline.is_finished() && timeline.unaccounted().is_zero());
    let local = timeline.spans().iter().find(|span| span.phase == Phase::Local);
    assert_eq!(local, None, "here the client's own work takes no time");
}

/// No wait lasts beyond the earliest armed deadline, and a timeout ends at exactly it.
fn deadlines(ended: &Ended, ask: &Ask) {
    let timeline = &ended.timeline;
    let oracle = Oracle::new(timeline, ask);
    let spans = timeline.spans();
    for index in (0..spans.len()).filter(|index| spans[*index].phase.is_wait()) {
        // The instant at which a limit is found to have passed in the caller's time.
        let late = index.checked_sub(1).filter(|before| spans[*before].phase == Phase::Caller);
        match late.and_then(|before| oracle.earliest_of_caller(before)) {
            // Whoever has cancelled meanwhile is told that first.
            Some(_) if spans[index].end == SpanEnd::Cancelled => oracle.check(index),
            Some((at, limit)) if at <= spans[index].started => {
                let span = &spans[index];
                assert_eq!((span.end, span.limit), (SpanEnd::Expired, Some(limit)), "{span:?}");
                assert_eq!((span.deadline, span.ended), (at, span.started), "{span:?}");
            }
            _ => oracle.check(index),
        }
    }
    let Outcome::Failed { kind, fired } = ended.outcome else { return };
    assert_eq!(kind == ErrorKind::Timeout, fired.is_some());
    let Some((limit, phase)) = fired else { return };
    let (last, fired) = (spans.last().unwrap(), timeline.fired().unwrap());
    assert_eq!((last.limit, last.phase, last.end), (Some(limit), phase, SpanEnd::Expired));
    assert_eq!((fired.limit, fired.deadline), (limit, last.deadline));
    assert_eq!(fired.noticed, timeline.ended());
}

/// The world's own record of waits is what the timelines say, no wait more and none less.
fn waits_are_recorded(story: &Story) {
    let folded = |ended: &Ended| !ended.timeline.folds().is_empty();
    if story.ended.iter().any(folded) {
        return;
    }
    let mut seen: BTreeMap<(Tick, Tick), i64> = BTreeMap::new();
    let mut count = |started: Tick, ended: Tick, one: i64| {
        if started < ended {
            *seen.entry((started, ended)).or_default() += one;
        }
    };
    for wait in &story.waits {
        assert!(wait.ended <= wait.until.max(wait.started), "{wait:?}");
        count(wait.started, wait.ended, 1);
    }
    for (_, started, ended) in &story.pauses {
        count(*started, *ended, -1);
    }
    let spans = story.ended.iter().flat_map(|ended| ended.timeline.spans());
    for span in spans.filter(|span| span.phase.is_wait()) {
        count(span.started, span.ended, -1);
    }
    seen.retain(|_, count| *count != 0);
    assert!(seen.is_empty(), "waits and spans differ: {seen:?}");
}

fn content_is_its_own(ended: &Ended, ask: &Ask, story: &Story) {
    let Outcome::Answered { status, hop, content: Some(read) } = &ended.outcome else { return };
    let planned = &ask.hops[*hop];
    let expected = content(ask.token, *hop, planned.answer.size);
    if *read == expected {
        return;
    }
    let last = ended.timeline.hops().last().unwrap();
    // Once planted bytes were taken for an answer unseen, each request after it gets the one before,
    // as long as none of them gives the connection a rest.
    let log = story.site.log.lock().unwrap();
    let fresh = last.connection.and_then(|connection| connection.idle).is_some_and(|i| i < FRESH);
    if fresh && !log.planted.is_empty() && read.starts_with(b"answer to r") {
        return;
    }
    if read == b"planted" {
        let use_ = last.connection.unwrap();
        let idle = use_.idle.expect("a fresh connection has nothing planted");
        let latency = |host: usize| match story.site.plan.route {
            Route::Direct => story.site.plan.hosts[host].latency,
            _ => story.site.plan.proxy.latency,
        };
        let seen = log.planted.iter().any(|(host, sent)| {
            // It was on its way when the request was.
            sent.after(latency(*host)).after(FRESH) >= last.started
        });
        assert!(idle < FRESH || seen, "planted bytes were taken for the answer {status}");
        return;
    }
    // A body that ends with its connection can be cut without a trace.
    let cut = planned.answer.stop.is_some_and(|(_, stop)| stop == Stop::Fin);
    let untold = planned.answer.framing == Framing::Close && cut && expected.starts_with(read);
    assert!(untold, "r{} got {:?}", ask.token, String::from_utf8_lossy(read));
}

/// A request comes to a server at most as often as redirects, retries and dead connections explain.
fn delivered(ended: &Ended, ask: &Ask, plan: &Plan, story: &Story) {
    let log = story.site.log.lock().unwrap();
    for hop in 0..ask.hops.len() {
        let times = log.delivered.get(&(ask.token, hop)).copied().unwrap_or_default();
        let path = format!("/r{}/h{hop}", ask.token);
        let hops = ended.timeline.hops().iter().filter(|hop| hop.request.url.path() == path);
        let made = hops.clone().count();
        assert!(times <= made, "{path} came {times} times in {made} hops");
        // Each try may have met a dead connection first.
        let most = 2 * (1 + plan.retries as usize);
        assert!(made <= most, "{path} was tried {made} times");
        if hops.into_iter().any(|hop| hop.request.method == Method::Post) {
            assert!(times <= 1, "a POST came {times} times");
        }
    }
}

/// No secret leaves its origin.
fn secrets(plan: &Plan, story: &Story) {
    let log = story.site.log.lock().unwrap();
    // "u:proxy-secret"
    const PROXY: &str = "dTpwcm94eS1zZWNyZXQ=";
    for (to, text) in &log.told {
        let (forwarded, name) = match to.strip_prefix("forwarded ") {
            Some(name) => (true, name),
            None => (false, to.as_str()),
        };
        assert!(!text.contains(PROXY) || forwarded || name == "proxy", "{to} was told {text}");
        for (host, host_name) in HOSTS.iter().enumerate() {
            let cookie = format!("cookie-of-{host_name}");
            let own = name.ends_with(host_name);
            assert!(own || !text.contains(&cookie), "{to} was told {text}");
            for tls in [false, true] {
                let secret = format!("secret-of-{}", origin(host, tls));
                // Credentials may go from http to https of the same host, as with requests.
                let own = name == origin(host, tls) || (!tls && name == origin(host, true));
                assert!(own || !text.contains(&secret), "{to} was told {text}");
            }
        }
        if name == "proxy" {
            assert!(!text.contains("secret-of") && !text.contains("cookie-of"), "{text}");
        }
    }
    assert!(plan.route == Route::Direct || log.told.iter().all(|(_, text)| !text.is_empty()));
}

/// Which limit fired in which phase, or how else the calls ended.
pub(crate) fn ends(story: &Story) -> impl Iterator<Item = (Option<(Limit, Phase)>, String)> {
    story.ended.iter().map(|ended| match &ended.outcome {
        Outcome::Answered { status, content: None, .. } => (None, format!("{status}, left early")),
        Outcome::Answered { status, .. } => (None, status.to_string()),
        Outcome::Failed { kind, fired } => (*fired, kind.to_string()),
    })
}

/// Whether one of the hops had been made under a limit that ended it, and the call went on.
pub(crate) fn expired_hops(story: &Story) -> usize {
    let spans = story.ended.iter().flat_map(|ended| ended.timeline.spans());
    spans.filter(|s| s.end == SpanEnd::Expired && !matches!(s.what, What::Folded(_))).count()
}
