//! Spans, hops and connect attempts of a timeline as members of a document.

use super::seconds::Seconds;
use serde::Serialize;
use waterclock_proto::limit::Limit;
use waterclock_proto::screen;
use waterclock_proto::tick::Tick;
use waterclock_proto::timeline::{Attempt, AttemptEnd, Hop, Span, Timeline, What};

/// One wait or one stretch of work; or, with `count`, a folded run of them.
#[derive(Serialize)]
pub(super) struct SpanPart {
    hop: u16,
    phase: &'static str,
    what: &'static str,
    /// What the screen calls it.
    label: String,
    /// The newest connect attempt: an index into `attempts`.
    #[serde(skip_serializing_if = "Option::is_none")]
    attempt: Option<u16>,
    started: Seconds,
    ended: Seconds,
    #[serde(flatten)]
    bound: Bound,
    bytes: u64,
    end: &'static str,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    fold: Option<FoldPart>,
}

/// The limit in force and what was left of it.
#[derive(Serialize)]
struct Bound {
    limit: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit_value: Option<Seconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    left_before: Option<Seconds>,
    /// How long before the span that limit had expired.
    #[serde(skip_serializing_if = "Option::is_none")]
    overdue: Option<Seconds>,
}

/// What a folded run stands for.
#[derive(Serialize)]
struct FoldPart {
    count: u64,
    waited: Seconds,
    local: Seconds,
    caller: Seconds,
    #[serde(skip_serializing_if = "Option::is_none")]
    longest: Option<LongestPart>,
}

/// The longest wait of a folded run.
#[derive(Serialize)]
struct LongestPart {
    phase: &'static str,
    what: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    attempt: Option<u16>,
    started: Seconds,
    ended: Seconds,
    #[serde(flatten)]
    bound: Bound,
    bytes: u64,
    end: &'static str,
}

pub(super) fn spans(timeline: &Timeline) -> Vec<SpanPart> {
    let part = |(index, span): (usize, &Span)| SpanPart {
        hop: span.hop,
        phase: span.phase.name(),
        what: what(span.what),
        label: screen::label(timeline, index),
        attempt: attempt_of(span.what),
        started: at(timeline, span.started),
        ended: at(timeline, span.ended),
        bound: bound(timeline, span),
        bytes: span.bytes,
        end: span.end.name(),
        fold: timeline.fold_of(span).map(|fold| FoldPart {
            count: fold.waits,
            waited: Seconds(fold.waited),
            local: Seconds(fold.local),
            caller: Seconds(fold.caller),
            longest: fold.longest.as_ref().map(|span| longest(timeline, span)),
        }),
    };
    timeline.spans().iter().enumerate().map(part).collect()
}

fn longest(timeline: &Timeline, span: &Span) -> LongestPart {
    LongestPart {
        phase: span.phase.name(),
        what: what(span.what),
        attempt: attempt_of(span.what),
        started: at(timeline, span.started),
        ended: at(timeline, span.ended),
        bound: bound(timeline, span),
        bytes: span.bytes,
        end: span.end.name(),
    }
}

fn bound(timeline: &Timeline, span: &Span) -> Bound {
    Bound {
        limit: span.limit.map(Limit::name),
        limit_value: span.limit.and_then(|limit| timeline.limits().get(limit)).map(Seconds),
        left_before: span.left_before().map(Seconds),
        overdue: span
            .limit
            .map(|_| span.started.since(span.deadline))
            .filter(|overdue| !overdue.is_zero())
            .map(Seconds),
    }
}

pub(super) fn at(timeline: &Timeline, tick: Tick) -> Seconds {
    Seconds(tick.since(timeline.started()))
}

fn what(what: What) -> &'static str {
    match what {
        What::Answer => "answer",
        What::Read => "read",
        What::Write => "write",
        What::Connect(_) => "connect",
        What::Source => "source",
        What::Reader => "reader",
        What::Hook => "hook",
        What::Work => "work",
        What::Folded(_) => "folded",
    }
}

fn attempt_of(what: What) -> Option<u16> {
    match what {
        What::Connect(attempt) => Some(attempt),
        _ => None,
    }
}

/// One request and its response.
#[derive(Serialize)]
pub(super) struct HopPart {
    method: String,
    url: String,
    reason: &'static str,
    started: Seconds,
    #[serde(skip_serializing_if = "Option::is_none")]
    sent: Option<Seconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    head_ended: Option<Seconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<Seconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    connection: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reused: Option<bool>,
    /// How long a reused connection had been idle.
    #[serde(skip_serializing_if = "Option::is_none")]
    idle: Option<Seconds>,
    /// The address at the connection's other end.
    #[serde(skip_serializing_if = "Option::is_none")]
    peer: Option<String>,
}

pub(super) fn hops(timeline: &Timeline) -> Vec<HopPart> {
    let part = |hop: &Hop| HopPart {
        method: hop.request.method.to_string(),
        url: hop.request.url.to_string(),
        reason: hop.reason.name(),
        started: at(timeline, hop.started),
        sent: hop.sent.map(|tick| at(timeline, tick)),
        head_ended: hop.head_ended.map(|tick| at(timeline, tick)),
        ended: hop.ended.map(|tick| at(timeline, tick)),
        status: hop.status,
        connection: hop.connection.map(|connection| connection.number),
        reused: hop.connection.map(|connection| connection.idle.is_some()),
        idle: hop.connection.and_then(|connection| connection.idle).map(Seconds),
        peer: hop.connection.and_then(|connection| connection.peer).map(|peer| peer.to_string()),
    };
    timeline.hops().iter().map(part).collect()
}

/// One connect to one address; attempts race and may overlap.
#[derive(Serialize)]
pub(super) struct AttemptPart {
    hop: u16,
    peer: String,
    started: Seconds,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<Seconds>,
    end: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

pub(super) fn attempts(timeline: &Timeline) -> Vec<AttemptPart> {
    let part = |attempt: &Attempt| {
        let (end, message) = match &attempt.end {
            AttemptEnd::Pending => ("pending", None),
            AttemptEnd::Connected => ("connected", None),
            AttemptEnd::Failed(words) => ("failed", Some(words.to_string())),
            AttemptEnd::Expired => ("expired", None),
            AttemptEnd::Abandoned => ("abandoned", None),
        };
        AttemptPart {
            hop: attempt.hop,
            peer: attempt.peer.to_string(),
            started: at(timeline, attempt.started),
            ended: attempt.ended.map(|tick| at(timeline, tick)),
            end,
            message,
        }
    };
    timeline.attempts().iter().map(part).collect()
}
