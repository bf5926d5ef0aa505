//! Curl's instants of a transfer. As there, each is counted from the hop's own start and added up over
//! the hops that redirects lead to; a retry begins anew; and what was not reached is 0.

use std::time::Duration;
use waterclock_proto::tick::Tick;
use waterclock_proto::timeline::{AttemptEnd, Hop, HopReason, Phase, Span, Timeline};

/// An instant of each hop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// The address is known.
    NameLookup,
    /// The socket is connected.
    Connect,
    /// The TLS handshake is complete.
    AppConnect,
    /// The request can be sent.
    PreTransfer,
    /// Its last byte has been sent.
    PostTransfer,
    /// The first byte of the response is there.
    StartTransfer,
}

/// One mark, added up over hops.
pub(super) fn sum(timeline: &Timeline, mark: Mark) -> Duration {
    tries(timeline).map(|index| of_hop(timeline, index, mark)).sum()
}

/// The hops since the last retry.
fn tries(timeline: &Timeline) -> std::ops::Range<usize> {
    let hops = timeline.hops();
    hops.iter().rposition(|hop| hop.reason == HopReason::Retry).unwrap_or(0)..hops.len()
}

/// Waiting for a free connection.
pub(super) fn queue(timeline: &Timeline) -> Duration {
    let pool = timeline.spans().iter().filter(|span| span.phase == Phase::Pool);
    pool.map(Span::duration).sum()
}

/// Everything before the hop that the last redirect led to.
pub(super) fn redirect(timeline: &Timeline) -> Duration {
    let last = timeline.hops().iter().rfind(|hop| hop.reason == HopReason::Redirect);
    last.map_or(Duration::ZERO, |hop| hop.started.since(timeline.started()))
}

/// How many waits there were.
pub(super) fn waits(timeline: &Timeline) -> u64 {
    let of = |span| match timeline.fold_of(span) {
        Some(fold) => fold.waits,
        None => u64::from(span.phase.is_wait()),
    };
    timeline.spans().iter().map(of).sum()
}

fn of_hop(timeline: &Timeline, index: usize, mark: Mark) -> Duration {
    let Some(hop) = timeline.hops().get(index) else { return Duration::ZERO };
    let at = match mark {
        Mark::NameLookup => name_lookup(timeline, index, hop),
        Mark::Connect => connected(timeline, index),
        Mark::AppConnect => secured(timeline, index, hop),
        Mark::PreTransfer => ready(timeline, index, hop),
        Mark::PostTransfer => hop.sent,
        Mark::StartTransfer => first_byte(timeline, index, hop),
    };
    at.map_or(Duration::ZERO, |at| at.since(hop.started))
}

/// The end of the hop's last wait in one of `phases`.
fn end_of(timeline: &Timeline, index: usize, phases: &[Phase]) -> Option<Tick> {
    let waits = timeline.spans_of(index).filter(|span| phases.contains(&span.phase));
    waits.last().map(|span| span.ended)
}

fn attempts(
    timeline: &Timeline,
    index: usize,
) -> impl Iterator<Item = &waterclock_proto::timeline::Attempt> {
    timeline.attempts().iter().filter(move |attempt| usize::from(attempt.hop) == index)
}

/// Without a lookup: when the first connect began.
fn name_lookup(timeline: &Timeline, index: usize, hop: &Hop) -> Option<Tick> {
    let first = attempts(timeline, index).map(|attempt| attempt.started).next();
    let known = end_of(timeline, index, &[Phase::Resolve]).filter(|_| first.is_some());
    known.or(first).or_else(|| reused(timeline, index, hop))
}

/// A connection that was there: when it was found.
fn reused(timeline: &Timeline, index: usize, hop: &Hop) -> Option<Tick> {
    hop.connection.filter(|connection| connection.idle.is_some())?;
    Some(end_of(timeline, index, &[Phase::Pool]).unwrap_or(hop.started))
}

fn connected(timeline: &Timeline, index: usize) -> Option<Tick> {
    let won = attempts(timeline, index).filter(|attempt| attempt.end == AttemptEnd::Connected);
    won.last().and_then(|attempt| attempt.ended)
}

/// The end of the last handshake. One that needed no wait was over when the request left.
fn secured(timeline: &Timeline, index: usize, hop: &Hop) -> Option<Tick> {
    hop.connection.filter(|connection| connection.idle.is_none())?;
    if hop.request.url.scheme() != "https" {
        return None;
    }
    end_of(timeline, index, &[Phase::Tls]).or(hop.sent)
}

fn ready(timeline: &Timeline, index: usize, hop: &Hop) -> Option<Tick> {
    hop.connection?;
    let tunnel = end_of(timeline, index, &[Phase::Tunnel]);
    let made = [connected(timeline, index), tunnel, secured(timeline, index, hop)];
    made.into_iter().flatten().max().or_else(|| reused(timeline, index, hop))
}

fn first_byte(timeline: &Timeline, index: usize, hop: &Hop) -> Option<Tick> {
    let head_ended = hop.head_ended?;
    // It may be there at once, or with the end of an interim response.
    end_of(timeline, index, &[Phase::FirstByte]).or(hop.sent).map(|at| at.min(head_ended))
}
