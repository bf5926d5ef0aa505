//! Timers of other clients, held against recorded waits.

use super::Fires;
use crate::tick::Tick;
use crate::timeline::{AttemptEnd, Phase, Span, Timeline, What};
use std::time::Duration;

/// A timer: what it is set to, and when it runs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timer {
    /// What the client calls it.
    pub(super) limit: &'static str,
    pub(super) value: Duration,
    pub(super) scope: Scope,
    /// What its expiry looks like to a user.
    pub(super) error: &'static str,
    /// Only in this hop.
    pub(super) hop: Option<u16>,
}

/// When a timer is armed, and over which waits it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// Once, from the start of the call to its end: hops, work and pauses included.
    Call,
    /// From the first wait to establish a connection, in these phases of a hop, to the last one.
    Establish(&'static [Phase]),
    /// One connect to one address.
    Address,
    /// A TLS handshake as a whole; but each of its waits where it is one inside the TLS of a proxy, which
    /// is not CPython's own.
    Handshake,
    /// All waits of one phase in a row.
    Phase(Phase),
    /// Afresh for each wait in one of these phases.
    EachWait(&'static [Phase]),
    /// From the request's last byte to the end of the head.
    Head,
}

/// The waits for the response.
pub(super) const RESPONSE: &[Phase] =
    &[Phase::Continue, Phase::FirstByte, Phase::Head, Phase::Body];
/// The waits to send the request.
pub(super) const SENDING: &[Phase] = &[Phase::Send, Phase::Upload];

impl Timer {
    /// A timer, if it is set.
    pub(super) fn set(
        limit: &'static str,
        value: Option<Duration>,
        scope: Scope,
        error: &'static str,
    ) -> Option<Timer> {
        value.map(|value| Timer { limit, value, scope, error, hop: None })
    }
}

/// The timer that would have fired first; of two at the same instant the first one of the list.
pub(super) fn first_to_fire(timeline: &Timeline, timers: &[Timer]) -> Option<Fires> {
    let fired = timers.iter().filter_map(|timer| fires(timeline, timer));
    fired.reduce(|first, next| if next.at < first.at { next } else { first })
}

fn fires(timeline: &Timeline, timer: &Timer) -> Option<Fires> {
    let mut armed: Option<(Key, Tick)> = None;
    for (index, span) in timeline.spans().iter().enumerate() {
        if timer.hop.is_some_and(|hop| hop != span.hop) {
            continue;
        }
        let Some((key, from)) = arm(timeline, timer, index, span) else {
            // Work between two waits belongs to neither.
            if span.phase.is_wait() {
                armed = None;
            }
            continue;
        };
        let from = match armed {
            Some((before, from)) if before == key => from,
            _ => from,
        };
        armed = Some((key, from));
        let at = from.after(timer.value);
        let ended = last_instant(timeline, timer, span);
        if at < ended {
            let at = at.max(span.started);
            return Some(Fires {
                at: at.since(timeline.started()),
                limit: timer.limit,
                value: timer.value,
                error: timer.error,
                span: index,
                into: at.since(span.started),
            });
        }
    }
    None
}

/// Waits with the same key are under one arming.
type Key = (u16, usize);

/// Whether a timer runs during a span; under which key, and from when if it begins there.
fn arm(timeline: &Timeline, timer: &Timer, index: usize, span: &Span) -> Option<(Key, Tick)> {
    let here = |phases: &[Phase]| phases.contains(&span.phase);
    match timer.scope {
        Scope::Call => Some(((0, 0), timeline.started())),
        Scope::Establish(phases) if here(phases) => Some(((span.hop, 0), span.started)),
        Scope::Phase(phase) if span.phase == phase => Some(((span.hop, 0), span.started)),
        Scope::Handshake if span.phase == Phase::Tls => {
            let wait = if is_inner(timeline, index, span) { index + 1 } else { 0 };
            Some(((span.hop, wait), span.started))
        }
        Scope::Address if span.phase == Phase::Connect => address(timeline, span),
        Scope::EachWait(phases) if here(phases) => {
            let longest = timeline.fold_of(span).and_then(|fold| fold.longest);
            Some(((span.hop, index), longest.map_or(span.started, |longest| longest.started)))
        }
        Scope::Head if here(&[Phase::FirstByte, Phase::Head]) => {
            let sent = timeline.hops().get(usize::from(span.hop)).and_then(|hop| hop.sent);
            Some(((span.hop, 0), sent.unwrap_or(span.started)))
        }
        _ => None,
    }
}

/// Whether a handshake comes after one with the proxy and the dialogue that followed it.
fn is_inner(timeline: &Timeline, index: usize, span: &Span) -> bool {
    let before = timeline.spans().iter().take(index).filter(|other| other.hop == span.hop);
    let mut handshakes = before.skip_while(|other| other.phase != Phase::Tls);
    handshakes.any(|other| other.phase == Phase::Tunnel)
}

/// When the wait under a timer was over: of a folded run only the longest wait is known.
fn last_instant(timeline: &Timeline, timer: &Timer, span: &Span) -> Tick {
    let longest = timeline.fold_of(span).and_then(|fold| fold.longest);
    match (timer.scope, longest) {
        (Scope::EachWait(_), Some(longest)) => longest.ended,
        _ => span.ended,
    }
}

/// The connect that counts in the end: of the address that answered, else of the last one. An address
/// that is given up is one less.
fn address(timeline: &Timeline, span: &Span) -> Option<(Key, Tick)> {
    let of_hop = || timeline.attempts().iter().enumerate().filter(|(_, it)| it.hop == span.hop);
    let won = of_hop().find(|(_, attempt)| attempt.end == AttemptEnd::Connected);
    let Some((index, attempt)) = won.or_else(|| of_hop().next_back()) else {
        let index = match span.what {
            What::Connect(attempt) => usize::from(attempt),
            _ => 0,
        };
        return Some(((span.hop, index), span.started));
    };
    (attempt.started < span.ended).then_some(((span.hop, index), attempt.started))
}
