//! The timeline: what a call waited for, for how long, and under which limit.
//!
//! Spans *tile* the call: each begins where the one before it ended, so that
//! `waiting + local + unaccounted = elapsed` with `unaccounted` zero. The sums are worked out from
//! the spans and not assumed, so a gap would show. Everything that is shown to people is a pure
//! function of a recorded timeline.

mod fold;
mod parts;
mod record;
mod span;
mod under;
mod what_if;

pub use parts::{InvalidParts, Parts};
pub use span::{
    Attempt, AttemptEnd, ConnectionUse, Fold, Hop, HopReason, Phase, RequestLine, Span, SpanEnd,
    What,
};
pub use what_if::WhatIf;

use crate::limit::{Limit, Limits};
use crate::tick::Tick;
use fold::Run;
use smallvec::SmallVec;
use std::borrow::Cow;
use std::time::Duration;

/// How much of the request had left when the call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestSent {
    /// Not a byte: a retry is safe.
    No,
    /// Some bytes: the peer cannot have acted on a whole request, but may have seen it begin.
    Partly,
    /// All of it.
    Yes,
}

impl RequestSent {
    /// The name in JSON and errors.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            RequestSent::No => "no",
            RequestSent::Partly => "partly",
            RequestSent::Yes => "yes",
        }
    }

    /// The one of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<RequestSent> {
        let all = [RequestSent::No, RequestSent::Partly, RequestSent::Yes];
        all.into_iter().find(|sent| sent.name() == name)
    }
}

/// A limit that ended the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fired {
    /// Which limit.
    pub limit: Limit,
    /// What the call was doing.
    pub phase: Phase,
    /// The instant it was armed to.
    pub deadline: Tick,
    /// When the call noticed.
    pub noticed: Tick,
}

impl Fired {
    /// How late the call noticed.
    #[must_use]
    pub const fn late_by(&self) -> Duration {
        self.noticed.since(self.deadline)
    }
}

/// The record of one call.
#[derive(Clone, Debug)]
pub struct Timeline {
    started: Tick,
    /// The end of the last span: where the next one begins.
    at: Tick,
    finished: bool,
    limits: Limits,
    spans: Vec<Span>,
    folds: Vec<Fold>,
    run: Run,
    /// Most calls have one; it needs no allocation.
    hops: SmallVec<[Hop; 1]>,
    attempts: Vec<Attempt>,
    /// Bytes moved since the last span, for the local span that will be written.
    loose_bytes: u64,
    request_sent: RequestSent,
    fired: Option<Fired>,
    notes: Vec<Box<str>>,
}

/// The wait that came closest to its limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tightest {
    /// Index of the span in which the most of the limit was used.
    pub span: usize,
    /// The limit.
    pub limit: Limit,
    /// How much of it was used at the end of that span, earlier waits under the same arming included.
    pub used: Duration,
    /// The configured duration.
    pub of: Duration,
}

impl Tightest {
    /// `used / of`; 1 if the limit is zero.
    #[must_use]
    pub fn fraction(&self) -> f64 {
        if self.of.is_zero() { 1.0 } else { self.used.as_secs_f64() / self.of.as_secs_f64() }
    }
}

impl Timeline {
    /// When the call began.
    #[must_use]
    pub const fn started(&self) -> Tick {
        self.started
    }

    /// The end of the last recorded span.
    #[must_use]
    pub const fn ended(&self) -> Tick {
        self.at
    }

    /// Whether the call is over. Until then (a streamed body) the last spans are still to come.
    #[must_use]
    pub const fn is_finished(&self) -> bool {
        self.finished
    }

    /// The configured limits.
    #[must_use]
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The spans, in order and without gaps.
    #[must_use]
    pub fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// What [`What::Folded`] spans stand for.
    #[must_use]
    pub fn folds(&self) -> &[Fold] {
        &self.folds
    }

    /// The fold a span stands for, if it is one.
    #[must_use]
    pub fn fold_of(&self, span: &Span) -> Option<&Fold> {
        match span.what {
            What::Folded(index) => self.folds.get(usize::from(index)),
            _ => None,
        }
    }

    /// The requests that were made, at least one once the call has begun.
    #[must_use]
    pub fn hops(&self) -> &[Hop] {
        &self.hops
    }

    /// The spans of one hop, an index into [`hops`](Self::hops): its own timeline. A pause before a
    /// retry belongs to the hop that failed.
    pub fn spans_of(&self, hop: usize) -> impl Iterator<Item = &Span> {
        self.spans.iter().filter(move |span| usize::from(span.hop) == hop)
    }

    /// The connect attempts, winners and losers.
    #[must_use]
    pub fn attempts(&self) -> &[Attempt] {
        &self.attempts
    }

    /// How much of the last hop's request has left.
    #[must_use]
    pub const fn request_sent(&self) -> RequestSent {
        self.request_sent
    }

    /// The limit that ended the call, if one did.
    #[must_use]
    pub const fn fired(&self) -> Option<&Fired> {
        self.fired.as_ref()
    }

    /// What else is to be said about the call, in sentences: a retry that was not made, and why.
    #[must_use]
    pub fn notes(&self) -> &[Box<str>] {
        &self.notes
    }

    /// From the call's start to the end of the last span.
    #[must_use]
    pub const fn elapsed(&self) -> Duration {
        self.at.since(self.started)
    }

    /// The sum of all waits.
    #[must_use]
    pub fn waiting(&self) -> Duration {
        self.sum(|span| span.phase.is_wait(), |fold| fold.waited)
    }

    /// The sum of everything that was not a wait: the engine's own work and the caller's time.
    #[must_use]
    pub fn local(&self) -> Duration {
        self.sum(|span| !span.phase.is_wait(), |fold| fold.local + fold.caller)
    }

    /// The caller's part of [`local`](Self::local).
    #[must_use]
    pub fn caller(&self) -> Duration {
        self.sum(|span| span.phase == Phase::Caller, |fold| fold.caller)
    }

    /// What no span accounts for. Zero: the spans tile the call.
    #[must_use]
    pub fn unaccounted(&self) -> Duration {
        self.elapsed().saturating_sub(self.waiting() + self.local())
    }

    fn sum(
        &self,
        of_span: impl Fn(&Span) -> bool,
        of_fold: impl Fn(&Fold) -> Duration,
    ) -> Duration {
        let parts = self.spans.iter().map(|span| match self.fold_of(span) {
            Some(fold) => of_fold(fold),
            None if of_span(span) => span.duration(),
            None => Duration::ZERO,
        });
        parts.sum()
    }

    /// What each phase took before the limit fired, or in all if none did: waits by phase, in the
    /// order in which they began, and `local` and `caller` where there was any.
    #[must_use]
    pub fn spent(&self) -> Vec<(Phase, Duration)> {
        let mut spent: Vec<(Phase, Duration)> = Vec::new();
        let mut add =
            |phase, duration: Duration| match spent.iter_mut().find(|(known, _)| *known == phase) {
                Some((_, sum)) => *sum += duration,
                None if duration.is_zero() => {}
                None => spent.push((phase, duration)),
            };
        // A limit that ended an earlier hop did not end the call.
        let hop = self.spans.last().map(|span| span.hop);
        let ended = |span: &Span| span.end == SpanEnd::Expired && Some(span.hop) == hop;
        let last = self.spans.iter().rposition(ended);
        for span in self.spans.iter().take(last.unwrap_or(self.spans.len())) {
            match self.fold_of(span) {
                Some(fold) => {
                    add(span.phase, fold.waited);
                    add(Phase::Local, fold.local);
                    add(Phase::Caller, fold.caller);
                }
                None => add(span.phase, span.duration()),
            }
        }
        spent
    }

    /// The first hop before the last one that a retry of the call would do twice: its request was sent, and its
    /// method is not idempotent (RFC 9110 §9.2.2). To repeat the call is to begin with its first hop.
    #[must_use]
    pub fn unsafe_to_repeat(&self) -> Option<&Hop> {
        let (_, before) = self.hops.split_last()?;
        let sent = |hop: &Hop| hop.sent.or(hop.head_ended).is_some();
        before.iter().find(|hop| !hop.request.method.is_idempotent() && sent(hop))
    }

    /// Who was at the other end last: the address of the running hop's connection, or of the connect
    /// attempt that got furthest.
    #[must_use]
    pub fn peer(&self) -> Option<Cow<'_, str>> {
        let connection = self.hops.last().and_then(|hop| hop.connection);
        if let Some(peer) = connection.and_then(|connection| connection.peer) {
            return Some(peer.to_string().into());
        }
        let here =
            self.attempts.iter().filter(|attempt| usize::from(attempt.hop) + 1 == self.hops.len());
        // When a limit has fired, one that was refused was not waited for any more.
        let waited_for =
            |end: &AttemptEnd| self.fired.is_some() && !matches!(end, AttemptEnd::Failed(_));
        let best = here.max_by_key(|attempt| {
            let connected = attempt.end == AttemptEnd::Connected;
            (connected, waited_for(&attempt.end), attempt.started)
        })?;
        Some(Cow::Borrowed(&best.peer))
    }

    /// The longest single wait.
    #[must_use]
    pub fn longest_wait(&self) -> Option<&Span> {
        let waits = self.spans.iter().filter_map(|span| match self.fold_of(span) {
            Some(fold) => fold.longest.as_ref(),
            None => span.phase.is_wait().then_some(span),
        });
        waits.max_by_key(|span| span.duration())
    }

    /// The wait that used the largest part of its limit. `None` if no wait had a limit.
    #[must_use]
    pub fn tightest(&self) -> Option<Tightest> {
        let mut best: Option<Tightest> = None;
        for (index, span) in self.spans.iter().enumerate() {
            let wait = match self.fold_of(span) {
                Some(fold) => fold.longest.as_ref(),
                None => span.phase.is_wait().then_some(span),
            };
            let Some(candidate) = wait.and_then(|wait| self.used_of_limit(index, wait)) else {
                continue;
            };
            if best.is_none_or(|best| candidate.fraction() > best.fraction()) {
                best = Some(candidate);
            }
        }
        best
    }

    fn used_of_limit(&self, index: usize, wait: &Span) -> Option<Tightest> {
        let limit = wait.limit?;
        let of = self.limits.get(limit)?;
        // The limit was armed `of` before its deadline, perhaps several waits ago.
        let used = of.saturating_sub(wait.deadline.since(wait.ended));
        Some(Tightest { span: index, limit, used, of })
    }
}

#[cfg(test)]
mod tests;
