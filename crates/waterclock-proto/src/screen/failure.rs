//! A call that did not succeed: what ended it, what was spent before, and whether to try again.

use super::number::{self, Unit};
use super::{rows, verdict, words};
use crate::timeline::{Fired, Hop, HopReason, Phase, RequestSent, Span, SpanEnd, Timeline};
use std::time::Duration;

/// The sentences about a limit that fired.
pub(super) fn fired(timeline: &Timeline, fired: &Fired) -> Vec<String> {
    let span = fired_span(timeline, fired);
    let of = match timeline.limits().get(fired.limit) {
        Some(of) => format!(" of {}", number::configured_with_unit(of)),
        None => String::new(),
    };
    let place = span.map_or_else(|| fired.phase.to_string(), |span| words::label(timeline, span));
    let place = in_hop(timeline, span, place);
    let at = fired.noticed.since(timeline.started());
    let late = number::hundredths(fired.late_by());
    let when = match Unit::of(at) {
        Unit::Ms => format!("fired at {} ms, {late} late", number::hundredths(at)),
        Unit::S => format!("fired at {}, {late} ms late", number::with_unit(at)),
    };
    let mut out = vec![format!("{} limit{of} fired in {place} ({when})", fired.limit)];
    out.push(spent(timeline, span));
    out.extend(peer_so_far(timeline, fired.phase));
    out.push(retry(timeline));
    out
}

/// The sentences about a call that ended in a wait without any limit's doing.
pub(super) fn stopped(timeline: &Timeline) -> Option<Vec<String>> {
    let index = verdict::last_wait(timeline, &[SpanEnd::Failed, SpanEnd::Cancelled])?;
    let span = timeline.spans().get(index)?;
    let label = in_hop(timeline, Some(index), words::label(timeline, index));
    let after = number::with_unit(span.duration());
    let headline = if span.end == SpanEnd::Cancelled {
        format!("The call was cancelled in {label}, {after} into it. No limit fired.")
    } else {
        format!("No limit fired: {label} failed after {after}.")
    };
    let mut out = vec![headline, spent(timeline, Some(index))];
    out.push(retry(timeline));
    Some(out)
}

/// Which hop a wait was in, where there are several.
fn in_hop(timeline: &Timeline, span: Option<usize>, place: String) -> String {
    match span.and_then(|span| timeline.spans().get(span)) {
        Some(span) if timeline.hops().len() > 1 => format!("{place} of hop {}", span.hop + 1),
        _ => place,
    }
}

/// The wait in which the limit fired.
fn fired_span(timeline: &Timeline, fired: &Fired) -> Option<usize> {
    timeline.spans().iter().rposition(|span| {
        span.end == SpanEnd::Expired && span.phase == fired.phase && span.limit == Some(fired.limit)
    })
}

/// Sums by short name, in the order in which they began; `local` and the caller's time last.
fn sums(timeline: &Timeline, spans: &[Span]) -> Vec<(&'static str, Duration)> {
    let mut sums: Vec<(&'static str, Duration)> = Vec::new();
    let mut local = Duration::ZERO;
    let mut caller = Duration::ZERO;
    for span in spans {
        let (waited, phase) = match (timeline.fold_of(span), span.phase) {
            (Some(fold), phase) => {
                local += fold.local;
                caller += fold.caller;
                (fold.waited, fold.longest.map_or(phase, |longest| longest.phase))
            }
            (None, Phase::Local) => {
                local += span.duration();
                continue;
            }
            (None, Phase::Caller) => {
                caller += span.duration();
                continue;
            }
            (None, phase) => (span.duration(), phase),
        };
        let name = words::short(phase);
        match sums.iter_mut().find(|(known, _)| *known == name) {
            Some((_, sum)) => *sum += waited,
            None => sums.push((name, waited)),
        }
    }
    sums.extend([("caller", caller), ("local", local)]);
    sums.retain(|&(_, sum)| sum >= number::SHORT);
    sums
}

/// `spent before: dns 80.1, tcp 30.4, local 1.1. In this wait: 8.4 ms, 0 bytes.`
fn spent(timeline: &Timeline, span: Option<usize>) -> String {
    let spans = timeline.spans();
    let before = sums(timeline, &spans[..span.unwrap_or(spans.len())]);
    let list = before.iter().map(|(name, sum)| format!("{name} {}", number::brief(*sum)));
    let list =
        if before.is_empty() { "nothing".to_owned() } else { list.collect::<Vec<_>>().join(", ") };
    let Some(span) = span.and_then(|span| spans.get(span)) else {
        return format!("spent before: {list}.");
    };
    format!(
        "spent before: {list}. In this wait: {}, {} {}.",
        number::with_unit(span.duration()),
        number::grouped(span.bytes.into()),
        if span.bytes == 1 { "byte" } else { "bytes" },
    )
}

/// How far the peer had come when the limit fired.
fn peer_so_far(timeline: &Timeline, phase: Phase) -> Option<String> {
    let hop = timeline.hops().len().saturating_sub(1);
    let moved = |phases: &[Phase]| -> u64 {
        let of_hop = |span: &&Span| usize::from(span.hop) == hop && phases.contains(&span.phase);
        timeline.spans().iter().filter(of_hop).map(|span| span.bytes).sum()
    };
    let text = match phase {
        Phase::Pool => "No connection had become free.",
        Phase::Resolve => "The name lookup had not been answered.",
        Phase::Connect => "The server had not answered TCP.",
        Phase::Tunnel => "The proxy had answered TCP but not let the call through.",
        Phase::Tls if moved(&[Phase::Tls]) == 0 => "The server had answered TCP but not TLS.",
        Phase::Tls => "The server had answered TCP and begun TLS, but not finished the handshake.",
        Phase::Send | Phase::Upload => "The server was connected but did not take the request.",
        Phase::Continue => "The server had not said whether it wants the body.",
        Phase::FirstByte => "The server had taken the request but not begun to answer.",
        Phase::Head => "The server had begun to answer but not finished the headers.",
        // Its first bytes may have come with the headers and count there, so no number is given.
        Phase::Body => "The headers had come, but not the whole body.",
        Phase::Backoff => "The call was waiting before it tried again.",
        Phase::Caller => "The caller was busy; the server was not being waited for.",
        Phase::Local => return None,
    };
    Some(text.to_owned())
}

/// Whether the call can be repeated without doing something twice.
fn retry(timeline: &Timeline) -> String {
    let Some(hop) = timeline.hops().last() else { return retry_unsent(timeline) };
    let method = &hop.request.method;
    let safe = idempotent(hop);
    let text = match timeline.request_sent() {
        RequestSent::No => return retry_unsent(timeline),
        _ if safe && let Some(earlier) = timeline.unsafe_to_repeat() => {
            let earlier = &earlier.request.method;
            format!(
                "{method} is idempotent, but {earlier} was sent in {} before it: a retry of the \
                 call may do it twice.",
                what_led_to(hop)
            )
        }
        RequestSent::Partly if safe => {
            format!("Part of the request was sent. {method} is idempotent, so a retry is safe.")
        }
        RequestSent::Partly => format!(
            "Part of the request was sent. A server should not act on a part, but {method} is not \
             idempotent: a retry may do it twice."
        ),
        RequestSent::Yes if safe => format!(
            "The request was sent, so the server may have acted on it. {method} is idempotent, so a \
             retry is safe."
        ),
        RequestSent::Yes => format!(
            "The request was sent, so the server may have acted on it. {method} is not idempotent: \
             a retry may do it twice."
        ),
    };
    words::escape(&text).into_owned()
}

fn retry_unsent(timeline: &Timeline) -> String {
    let which = if timeline.hops().len() < 2 { "itself" } else { "of this hop" };
    let sent = format!("The request {which} was never sent");
    match timeline.unsafe_to_repeat() {
        None => format!("{sent}, so a retry is safe."),
        Some(earlier) => {
            let reason = timeline.hops().last().map_or("a hop", what_led_to);
            let method = words::escape(earlier.request.method.as_str());
            format!(
                "{sent}, but {method} was in {reason} before it: a retry of the call may do it twice."
            )
        }
    }
}

fn what_led_to(hop: &Hop) -> &'static str {
    match hop.reason {
        HopReason::Retry => "an attempt",
        _ => "a hop",
    }
}

/// RFC 9110, section 9.2.2.
fn idempotent(hop: &Hop) -> bool {
    hop.request.method.is_idempotent()
}

/// What a call that a limit ended did not come to any more: `read body`. Empty if none did.
#[must_use]
pub fn not_reached(timeline: &Timeline) -> Vec<&'static str> {
    let Some(fired) = timeline.fired() else { return Vec::new() };
    let hop = timeline.hops().last();
    let secure = hop.is_some_and(|hop| hop.request.url.scheme() == "https");
    let done = match fired.phase {
        Phase::Pool | Phase::Resolve | Phase::Backoff => 0,
        Phase::Connect | Phase::Tunnel => 1,
        Phase::Tls => 2,
        Phase::Send | Phase::Upload | Phase::Continue => 3,
        Phase::FirstByte | Phase::Head => 4,
        Phase::Body | Phase::Caller | Phase::Local => 5,
    };
    let steps = ["tcp connect", "tls handshake", "send request", "read headers", "read body"];
    let rest = steps.into_iter().skip(done);
    let body = (fired.phase == Phase::Continue).then_some("send body");
    body.into_iter().chain(rest.filter(|&step| secure || step != "tls handshake")).collect()
}

/// One line for a log: `limit=total value=0.120 phase=tls wait=3 spent=120.04ms dns=80.1 tcp=30.4
/// tls=8.4 sent=no`. `limit=none` if no limit fired. Milliseconds with one decimal.
#[must_use]
pub fn one_line(timeline: &Timeline) -> String {
    let mut fields = Vec::new();
    let fired = timeline.fired();
    if let Some(fired) = fired {
        fields.push(format!("limit={}", fired.limit));
        if let Some(of) = timeline.limits().get(fired.limit) {
            fields.push(format!("value={}", number::seconds(of, 3)));
        }
        fields.push(format!("phase={}", fired.phase));
        let number = fired_span(timeline, fired).and_then(|span| rows::numbers_of(timeline, span));
        fields.extend(number.map(|(_, last)| format!("wait={last}")));
    } else {
        fields.push("limit=none".to_owned());
    }
    let end = fired.map_or(timeline.ended(), |fired| fired.noticed);
    fields.push(format!("spent={}ms", number::hundredths(end.since(timeline.started()))));
    for (name, sum) in sums(timeline, timeline.spans()) {
        if name != "local" {
            fields.push(format!("{name}={}", number::plain_tenths(sum)));
        }
    }
    fields.push(format!("sent={}", timeline.request_sent().name()));
    fields.join(" ")
}
