//! What other limits would have done with a recorded timeline.

use super::{Phase, Span, Timeline, What};
use crate::limit::{Deadlines, Limit, Limits};
use crate::tick::Tick;
use std::time::Duration;

/// The limit that would have fired first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WhatIf {
    /// Which limit.
    pub limit: Limit,
    /// When, from the start of the call.
    pub at: Duration,
    /// Index of the span in which it would have fired.
    pub span: usize,
    /// How far into that span.
    pub into: Duration,
}

impl Timeline {
    /// Replays the recorded spans under other limits. `None` if nothing would have fired.
    ///
    /// A limit that begins with a phase counts from that phase's first wait. In a folded run only
    /// the longest wait is known, so a limit on each wait is held against that one.
    ///
    /// ```
    /// use std::time::Duration;
    /// use waterclock_proto::limit::{Limit, Limits};
    /// use waterclock_proto::tick::Tick;
    /// use waterclock_proto::timeline::{Phase, SpanEnd, Timeline, What};
    ///
    /// let ms = |n: u64| Tick::from_nanos(n * 1_000_000);
    /// let mut timeline = Timeline::new(ms(0), Limits::none());
    /// timeline.record_wait(Phase::Resolve, What::Answer, ms(0), ms(80), None, SpanEnd::Ready);
    /// timeline.record_wait(Phase::Tls, What::Read, ms(80), ms(170), None, SpanEnd::Ready);
    ///
    /// let fired = timeline.what_if(&Limits::total(Duration::from_millis(120))).unwrap();
    /// assert_eq!((fired.limit, fired.span), (Limit::Total, 1));
    /// assert_eq!(fired.into, Duration::from_millis(40));
    /// assert!(timeline.what_if(&Limits::per_wait(Duration::from_millis(120))).is_none());
    /// ```
    #[must_use]
    pub fn what_if(&self, limits: &Limits) -> Option<WhatIf> {
        let mut replay = Replay::new(self, limits);
        self.spans().iter().enumerate().find_map(|(index, span)| replay.span(index, span).fired)
    }
}

/// What other limits come to in one span.
pub(super) struct Step {
    /// The deadline that comes first while it lasts, if it is a wait.
    pub(super) in_force: Option<(Tick, Limit)>,
    pub(super) fired: Option<WhatIf>,
}

/// The spans of a timeline, one after the other, under other limits.
pub(super) struct Replay<'a> {
    timeline: &'a Timeline,
    limits: &'a Limits,
    deadlines: Deadlines,
    /// Hop, phase and connect attempt of the last wait.
    last: Option<(u16, Phase, What)>,
}

impl<'a> Replay<'a> {
    pub(super) fn new(timeline: &'a Timeline, limits: &'a Limits) -> Self {
        let mut deadlines = Deadlines::default();
        deadlines.arm(Limit::Total, limits, timeline.started());
        Replay { timeline, limits, deadlines, last: None }
    }

    pub(super) fn span(&mut self, index: usize, span: &Span) -> Step {
        if span.phase.is_wait() {
            self.enter(span);
        }
        let each_wait = match span.phase {
            Phase::Send | Phase::Upload => Some(Limit::Write),
            Phase::FirstByte | Phase::Head | Phase::Body => Some(Limit::Read),
            _ => None,
        };
        // A folded run is held to the limit on each wait by its longest one.
        let wait = self.timeline.fold_of(span).map_or(Some(*span), |fold| fold.longest);
        if let (Some(limit), Some(wait)) = (each_wait, wait) {
            self.deadlines.arm(limit, self.limits, wait.started);
        }
        let in_force = self.deadlines.earliest().filter(|_| span.phase.is_wait());
        if let (Some(limit), Some(wait)) = (each_wait, wait)
            && self.deadlines.get(limit).is_none_or(|at| at >= wait.ended)
        {
            self.deadlines.disarm(limit);
        }
        // During work only the outer limits count: an inner one may have been disarmed before it.
        let counts = |limit| span.phase.is_wait() || matches!(limit, Limit::Total | Limit::Attempt);
        let fired =
            self.deadlines.earliest().filter(|&(at, limit)| at < span.ended && counts(limit));
        if let Some(limit) = each_wait {
            self.deadlines.disarm(limit);
        }
        let start = self.timeline.started();
        let fired = fired.map(|(at, limit)| {
            let at = at.max(span.started);
            WhatIf { limit, at: at.since(start), span: index, into: at.since(span.started) }
        });
        Step { in_force, fired }
    }

    /// Arms and disarms what the change of phase asks for; the table in [`crate::limit`].
    fn enter(&mut self, span: &Span) {
        let now = span.started;
        let what = if matches!(span.what, What::Connect(_)) { span.what } else { What::Answer };
        let before = self.last.replace((span.hop, span.phase, what));
        let hop_changed = before.is_none_or(|(hop, ..)| hop != span.hop);
        if hop_changed {
            let began =
                self.timeline.hops().get(usize::from(span.hop)).map_or(now, |hop| hop.started);
            self.only(&[Limit::Total]);
            self.deadlines.arm(Limit::Attempt, self.limits, began);
        }
        if !hop_changed && before == self.last {
            return;
        }
        let hop = self.timeline.hops().get(usize::from(span.hop));
        let outer = [Limit::Total, Limit::Attempt];
        let in_connect = [Limit::Total, Limit::Attempt, Limit::Connect];
        match span.phase {
            Phase::Pool => self.begin(&outer, &[Limit::Pool], now),
            Phase::Resolve => {
                self.begin(&outer, &[Limit::Resolve, Limit::Connect], now);
            }
            Phase::Connect => {
                self.arm_connect(now);
                self.begin(&in_connect, &[Limit::Address], now);
            }
            Phase::Tunnel => {
                self.arm_connect(now);
                self.begin(&in_connect, &[Limit::Tunnel], now);
            }
            Phase::Tls => {
                self.arm_connect(now);
                self.begin(&in_connect, &[Limit::Tls], now);
            }
            Phase::Send | Phase::Continue => self.only(&outer),
            Phase::Upload => self.begin(&outer, &[Limit::Upload], now),
            Phase::FirstByte => {
                let sent = hop.and_then(|hop| hop.sent).unwrap_or(now);
                self.begin(&outer, &[Limit::FirstByte, Limit::Head], sent);
            }
            Phase::Head => {
                let sent = hop.and_then(|hop| hop.sent).unwrap_or(now);
                self.begin(&outer, &[Limit::Head], sent);
            }
            Phase::Body => {
                let ended = hop.and_then(|hop| hop.head_ended).unwrap_or(now);
                self.begin(&outer, &[Limit::Body], ended);
            }
            Phase::Backoff | Phase::Caller | Phase::Local => {}
        }
    }

    fn arm_connect(&mut self, now: Tick) {
        if self.deadlines.get(Limit::Connect).is_none() {
            self.deadlines.arm(Limit::Connect, self.limits, now);
        }
    }

    fn begin(&mut self, keep: &[Limit], arm: &[Limit], now: Tick) {
        self.only(keep);
        for &limit in arm {
            self.deadlines.arm(limit, self.limits, now);
        }
    }

    fn only(&mut self, keep: &[Limit]) {
        for limit in Limit::ALL {
            if !keep.contains(&limit) {
                self.deadlines.disarm(limit);
            }
        }
    }
}
