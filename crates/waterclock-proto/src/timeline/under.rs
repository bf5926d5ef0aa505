//! A recorded call as other limits would have left it.

use super::what_if::Replay;
use super::{
    Attempt, AttemptEnd, Fired, Fold, Hop, Parts, Phase, RequestSent, Span, SpanEnd, Timeline,
    What, WhatIf,
};
use crate::limit::{Limit, Limits};
use crate::tick::Tick;
use std::time::Duration;

impl Timeline {
    /// The same waits under other limits: each with the limit that would have been in force, up to
    /// where the first of them would have fired ([`what_if`](Self::what_if)).
    ///
    /// Where a limit of its own ended the call and none of these would have fired before, the rest is
    /// not known: the result is not finished. In a folded run, of which only sums are known, what came
    /// before the limit is taken in proportion.
    ///
    /// ```
    /// use std::time::Duration;
    /// use waterclock_proto::limit::Limits;
    /// use waterclock_proto::tick::Tick;
    /// use waterclock_proto::timeline::{Phase, SpanEnd, Timeline, What};
    ///
    /// let ms = |n: u64| Tick::from_nanos(n * 1_000_000);
    /// let mut timeline = Timeline::new(ms(0), Limits::none());
    /// timeline.record_wait(Phase::Resolve, What::Answer, ms(0), ms(80), None, SpanEnd::Ready);
    /// timeline.finish(ms(80));
    ///
    /// let cut = timeline.under(&Limits::total(Duration::from_millis(30)));
    /// assert_eq!(cut.elapsed(), Duration::from_millis(30));
    /// assert!(cut.fired().is_some());
    /// ```
    #[must_use]
    pub fn under(&self, limits: &Limits) -> Timeline {
        let mut replay = Replay::new(self, limits);
        let mut parts = self.to_parts();
        parts.limits = *limits;
        // Notes and the limit that fired are about the limits that were.
        parts.notes.clear();
        let own = parts.fired.take();
        parts.spans.clear();
        for (index, span) in self.spans().iter().enumerate() {
            let step = replay.span(index, span);
            let span = with_limit(span, step.in_force, &mut parts.folds);
            if let Some(fired) = step.fired {
                cut(self, &mut parts, span, &fired);
                return Timeline::put_together(parts);
            }
            parts.spans.push(span);
        }
        if own.is_some() {
            parts.finished = false;
            if let Some(last) = parts.spans.iter_mut().rfind(|span| span.end == SpanEnd::Expired) {
                last.end = SpanEnd::Ready;
            }
        }
        Timeline::put_together(parts)
    }
}

/// The span with another limit in force; of a folded one, its longest wait.
fn with_limit(span: &Span, in_force: Option<(Tick, Limit)>, folds: &mut [Fold]) -> Span {
    let (deadline, limit) = match in_force {
        Some((deadline, limit)) => (deadline, Some(limit)),
        None => (Tick::NEVER, None),
    };
    let set = |span: Span| Span { deadline, limit, ..span };
    match span.what {
        What::Folded(fold) => {
            if let Some(fold) = folds.get_mut(usize::from(fold)) {
                fold.longest = fold.longest.map(set);
            }
            *span
        }
        _ => set(*span),
    }
}

/// Ends everything where `fired` ends the call, in `span`.
fn cut(timeline: &Timeline, parts: &mut Parts, span: Span, fired: &WhatIf) {
    let at = timeline.started().after(fired.at);
    let longest = timeline.fold_of(&span).and_then(|fold| fold.longest);
    let in_longest = longest.filter(|_| fired.limit.restarts_every_wait());
    // What a wait brings comes at its end.
    let mut last = Span { bytes: 0, ..span };
    if let (What::Folded(index), Some(fold)) = (span.what, timeline.fold_of(&span)) {
        // A limit on each wait fires in the longest one, whose beginning is known.
        let until = in_longest.map_or(at, |longest| longest.started);
        let limited = parts.folds.get(usize::from(index)).and_then(|fold| fold.longest);
        let before = part_of(fold, limited, &span, until);
        if let Some(kept) = parts.folds.get_mut(usize::from(index)) {
            *kept = before;
        }
        if let Some(longest) = in_longest {
            parts.spans.push(Span { ended: until, ..span });
            last = Span { bytes: 0, ..longest };
        }
    }
    let limit = Some(fired.limit);
    let deadline = at;
    parts.spans.push(Span { ended: at, deadline, limit, end: SpanEnd::Expired, ..last });
    parts.finished = true;
    parts.fired = Some(Fired { limit: fired.limit, phase: last.phase, deadline, noticed: at });
    parts.attempts.retain(|attempt| attempt.started <= at);
    parts.attempts.iter_mut().for_each(|attempt| cut_attempt(attempt, at));
    parts.hops.truncate(usize::from(span.hop) + 1);
    parts.request_sent = RequestSent::No;
    if let Some(hop) = parts.hops.last_mut() {
        parts.request_sent = cut_hop(hop, last.phase, at);
    }
}

fn cut_attempt(attempt: &mut Attempt, at: Tick) {
    if attempt.ended.is_none_or(|ended| ended > at) {
        (attempt.ended, attempt.end) = (None, AttemptEnd::Pending);
    }
}

/// Ends the running hop at an instant, and says how much of its request had left.
fn cut_hop(hop: &mut Hop, phase: Phase, at: Tick) -> RequestSent {
    let past = |tick: &Tick| *tick <= at;
    hop.sent = hop.sent.filter(past);
    hop.head_ended = hop.head_ended.filter(past);
    hop.status = hop.status.filter(|_| hop.head_ended.is_some());
    hop.ended = Some(at);
    if phase <= Phase::Tls {
        hop.connection = None;
    }
    match phase {
        Phase::Upload | Phase::Continue => RequestSent::Partly,
        _ if hop.sent.is_some() || phase >= Phase::FirstByte => RequestSent::Yes,
        _ => RequestSent::No,
    }
}

/// What a folded run stands for up to an instant. Only its sums are known, so it is a proportion.
fn part_of(fold: &Fold, longest: Option<Span>, span: &Span, until: Tick) -> Fold {
    let (part, whole) = (until.since(span.started), span.duration());
    let share = |duration: Duration| {
        let nanos = duration.as_nanos() * part.as_nanos() / whole.as_nanos().max(1);
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    };
    let (local, caller) = (share(fold.local), share(fold.caller));
    let waited = part.saturating_sub(local + caller);
    let waits = u128::from(fold.waits) * part.as_nanos() / whole.as_nanos().max(1);
    let waits = u64::try_from(waits).unwrap_or(fold.waits).max(1).min(fold.waits);
    // It may have been later; none before it was longer.
    let longest = longest.map(|longest| match longest.ended <= until {
        true => longest,
        false => {
            let ended = span.started.after(longest.duration().min(waited));
            let deadline = span.started.after(longest.deadline.since(longest.started));
            Span { started: span.started, ended, deadline, ..longest }
        }
    });
    Fold { waits, waited, local, caller, longest }
}
