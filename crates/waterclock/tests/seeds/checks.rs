//! What must hold for every seed.

use crate::drive::{Ended, Outcome, Story};
use crate::oracle::Oracle;
use crate::plan::{Ask, Framing, HOSTS, Hop, Plan, Route, Stop};
use crate::site::{content, origin};
use std::collections::BTreeMap;
use waterclock::timeline::{HopReason, Span, SpanEnd, What};
use waterclock::{ErrorKind, Limit, Method, Phase, Tick};
use waterclock_sim::Connection;

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
    // A pause for which there is no time is refused, and not begun.
    let begun = |span: &&Span| span.phase == Phase::Backoff && span.end == SpanEnd::Expired;
    assert_eq!(spans.iter().find(begun), None, "a pause that does not fit was begun");
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
    if [403, 407, 502].contains(status) {
        return assert!(read.is_empty(), "r{} has content of a refusal", ask.token);
    }
    let planned = ask.hops.get(*hop);
    let expected = planned.map(|planned| content(ask.token, *hop, planned.answer.size));
    if expected.as_ref() == Some(read) {
        return;
    }
    let begins = expected.is_some_and(|expected| expected.starts_with(read));
    // What was planted behind an answer and came when the next request had left cannot be told from
    // its answer; and that one, if it comes as late, not from the answer to the request after it.
    let anothers = !begins && read.starts_with(b"answer to r");
    if plants(&story.site.plan) && (read == b"planted" || anothers) {
        assert!(
            left_unseen(ended, story),
            "bytes that had arrived became the answer {status} to r{}",
            ask.token
        );
        return;
    }
    // A body that ends with its connection can be cut without a trace.
    let untold = planned.is_some_and(|Hop { answer, .. }| {
        let cut = answer.stop.is_some_and(|(_, stop)| stop == Stop::Fin);
        answer.framing == Framing::Close && cut
    });
    assert!(untold && begins, "r{} got {:?}", ask.token, String::from_utf8_lossy(read));
}

/// Whether a server sends more than it was asked for.
fn plants(plan: &Plan) -> bool {
    plan.asks().any(|ask| ask.hops.iter().any(|hop| hop.answer.plant.is_some()))
}

/// Whether a request of the call left on a connection that had been used before, and on which nothing lay
/// unread.
fn left_unseen(ended: &Ended, story: &Story) -> bool {
    (0..ended.timeline.hops().len()).any(|index| hop_left_unseen(ended, index, story))
}

fn hop_left_unseen(ended: &Ended, index: usize, story: &Story) -> bool {
    let hop = &ended.timeline.hops()[index];
    let Some(use_) = hop.connection.filter(|use_| use_.idle.is_some()) else { return false };
    let waited = ended.timeline.spans_of(index).filter(|span| span.phase == Phase::Pool);
    let begun = waited.map(|span| span.ended).max().unwrap_or(hop.started);
    let path = format!("{} ", hop.request.url.path());
    let connections = story.connections.get(&use_.peer.unwrap()).unwrap();
    let carried = |connection: &&Connection| {
        let texts = [&connection.received, &connection.decrypted];
        texts.iter().any(|bytes| String::from_utf8_lossy(bytes).contains(&path))
    };
    let clean = |connection: &Connection| {
        let first = connection.writes.iter().find(|(at, _)| *at >= begun);
        first.is_some_and(|(_, unread)| *unread == 0)
    };
    // Where the request got lost on its way, any of them may have been the one.
    let lost = !connections.iter().any(|connection| carried(&connection));
    connections.iter().filter(|connection| lost || carried(connection)).any(clean)
}

/// A request comes to a server at most as often as redirects, retries and dead connections explain.
fn delivered(ended: &Ended, ask: &Ask, plan: &Plan, story: &Story) {
    let log = story.site.log.lock().unwrap();
    for hop in 0..ask.hops.len() {
        let times = log.delivered.get(&(ask.token, hop)).copied().unwrap_or_default();
        let path = format!("/r{}/h{hop}", ask.token);
        // Behind planted bytes, another request may have been told to go there.
        let all = if plants(plan) { &story.ended[..] } else { std::slice::from_ref(ended) };
        let hops = all.iter().flat_map(|ended| ended.timeline.hops());
        let hops = hops.filter(|hop| hop.request.url.path() == path);
        let made = hops.clone().count();
        assert!(times <= made, "{path} came {times} times in {made} hops");
        // Each try may have met a dead connection first, or a challenge.
        let challenges = hops.clone().filter(|hop| hop.reason == HopReason::Auth).count();
        let most = 2 * (1 + plan.retries as usize) + 2 * challenges;
        let answerable = usize::from(ask.hops[hop].guarded && ask.password && !ask.secret);
        assert!(challenges <= answerable || plants(plan), "{path}: {challenges} challenges");
        assert!(made <= most, "{path} was tried {made} times");
        if hops.into_iter().any(|hop| hop.request.method == Method::Post) {
            assert!(times <= 1 + challenges, "a POST came {times} times");
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
