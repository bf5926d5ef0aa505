//! When each limit was armed, worked out from the recorded spans and the table "Limits: names, starts
//! and stops" (the documentation of `Limit`) alone: nothing here asks the client's deadlines.

use crate::plan::Ask;
use waterclock::timeline::{Hop, Span, SpanEnd, What};
use waterclock::{Limit, Phase, Tick, Timeline};

/// On a tie the most specific limit is named: single waits, then steps, then stretches of steps.
fn rank(limit: Limit) -> u8 {
    match limit {
        Limit::Read | Limit::Write | Limit::Continue => 4,
        Limit::Resolve | Limit::Address | Limit::Tunnel | Limit::Tls | Limit::FirstByte => 3,
        Limit::Pool | Limit::Connect | Limit::Head | Limit::Body | Limit::Upload => 2,
        Limit::Attempt => 1,
        Limit::Total => 0,
    }
}

const ESTABLISHING: [Phase; 4] = [Phase::Resolve, Phase::Connect, Phase::Tunnel, Phase::Tls];

pub(crate) struct Oracle<'t> {
    timeline: &'t Timeline,
    ask: &'t Ask,
}

impl<'t> Oracle<'t> {
    pub(crate) fn new(timeline: &'t Timeline, ask: &'t Ask) -> Self {
        Oracle { timeline, ask }
    }

    fn hop(&self, span: &Span) -> Option<&'t Hop> {
        self.timeline.hops().get(usize::from(span.hop))
    }

    /// The spans of the same hop up to this one.
    fn before(&self, index: usize) -> impl Iterator<Item = &'t Span> {
        let spans = self.timeline.spans();
        let hop = spans[index].hop;
        spans[..=index].iter().filter(move |span| span.hop == hop)
    }

    /// When the first span of one of `phases` began in the hop.
    fn began(&self, index: usize, phases: &[Phase]) -> Option<Tick> {
        self.before(index).find(|span| phases.contains(&span.phase)).map(|span| span.started)
    }

    /// When the handshake began: the proxy's if there is one, or the origin's behind the tunnel.
    fn shaken(&self, index: usize) -> Option<Tick> {
        let spans: Vec<&Span> = self.before(index).collect();
        let tunnel = spans.iter().rposition(|span| span.phase == Phase::Tunnel).unwrap_or(0);
        spans[tunnel..].iter().find(|span| span.phase == Phase::Tls).map(|span| span.started)
    }

    /// When the connection was ready for the request.
    fn ready(&self, index: usize) -> Option<Tick> {
        let before = [Phase::Pool, Phase::Resolve, Phase::Connect, Phase::Tunnel, Phase::Tls];
        let last = self.before(index).filter(|span| before.contains(&span.phase)).last();
        let span = &self.timeline.spans()[index];
        last.map(|span| span.ended).or(self.hop(span).map(|hop| hop.started))
    }

    /// When the request's body began to be sent.
    fn upload(&self, index: usize) -> Option<Tick> {
        let span = &self.timeline.spans()[index];
        let body = self.ask.body.filter(|_| self.hop(span).is_some_and(carries_body))?;
        if !body.expect {
            return self.ready(index);
        }
        let continued = self.before(index).filter(|span| span.phase == Phase::Continue).last();
        continued.map(|span| span.ended)
    }

    /// Since when each limit was armed that governs the span.
    fn armed(&self, index: usize) -> Vec<(Limit, Option<Tick>)> {
        let span = &self.timeline.spans()[index];
        let hop = self.hop(span);
        let mut armed = vec![(Limit::Total, Some(self.timeline.started()))];
        if span.phase == Phase::Backoff {
            return armed;
        }
        armed.push((Limit::Attempt, hop.map(|hop| hop.started)));
        let own = |phase| self.began(index, &[phase]);
        match span.phase {
            Phase::Pool => armed.push((Limit::Pool, own(Phase::Pool))),
            phase if ESTABLISHING.contains(&phase) => {
                armed.push((Limit::Connect, self.began(index, &ESTABLISHING)));
                match phase {
                    Phase::Resolve => armed.push((Limit::Resolve, own(phase))),
                    Phase::Tunnel => armed.push((Limit::Tunnel, own(phase))),
                    Phase::Tls => armed.push((Limit::Tls, self.shaken(index))),
                    _ => {}
                }
            }
            Phase::Send | Phase::Upload => {
                armed.push((Limit::Write, Some(span.started)));
                armed.push((Limit::Upload, self.upload(index)));
            }
            Phase::FirstByte | Phase::Head => {
                armed.push((Limit::Read, Some(span.started)));
                let sent = hop.and_then(|hop| hop.sent);
                armed.push((Limit::Head, sent));
                if span.phase == Phase::FirstByte {
                    armed.push((Limit::FirstByte, sent));
                }
            }
            Phase::Body => {
                let head_ended = hop.and_then(|hop| hop.head_ended);
                armed.push((Limit::Body, head_ended));
                armed.push((Limit::Read, Some(span.started)));
            }
            _ => {}
        }
        armed
    }

    /// The earliest armed deadline of a wait, `address` left out.
    pub(crate) fn earliest(&self, index: usize) -> Option<(Tick, Limit)> {
        let limits = self.timeline.limits();
        let deadline =
            |(limit, since): (Limit, Option<Tick>)| Some((since?.after(limits.get(limit)?), limit));
        let all = self.armed(index).into_iter().filter_map(deadline);
        all.min_by_key(|(at, limit)| (*at, std::cmp::Reverse(rank(*limit))))
    }

    /// When the limit `address` ends one of the connects that ran during the span.
    fn expiries(&self, span: &Span) -> Vec<Tick> {
        let Some(limit) = self.timeline.limits().get(Limit::Address) else { return Vec::new() };
        let running = self.timeline.attempts().iter().filter(|attempt| {
            attempt.hop == span.hop
                && attempt.started <= span.started
                && attempt.ended.is_none_or(|ended| ended >= span.ended)
        });
        running.map(|attempt| attempt.started.after(limit)).collect()
    }

    /// Checks one wait against what was armed while it lasted.
    pub(crate) fn check(&self, index: usize) {
        let span = &self.timeline.spans()[index];
        // A call that is found cancelled between two waits does not look what is in force.
        let instant = span.end == SpanEnd::Cancelled && span.started == span.ended;
        if matches!(span.what, What::Folded(_)) || instant {
            return;
        }
        let earliest = self.earliest(index);
        let (at, limit) = earliest.map_or((Tick::NEVER, None), |(at, limit)| (at, Some(limit)));
        if span.phase == Phase::Connect {
            return self.check_connect(span, at, limit);
        }
        assert_eq!((span.deadline, span.limit), (at, limit), "in force in {span:?}");
        match span.end {
            SpanEnd::Expired => assert_eq!(span.ended, at.max(span.started), "{span:?}"),
            SpanEnd::Cancelled => assert!(span.ended <= at.max(span.started), "{span:?}"),
            _ => assert!(span.ended < at, "it went on after its deadline: {span:?}"),
        }
        if span.phase == Phase::Continue
            && let Some(timer) = self.timeline.limits().get(Limit::Continue)
            && let Some(began) = self.began(index, &[Phase::Continue])
        {
            assert!(span.ended <= began.after(timer), "it waited on for 100 Continue: {span:?}");
        }
    }

    /// An address that its limit ends is one less; only the last one ends the call.
    fn check_connect(&self, span: &Span, at: Tick, limit: Option<Limit>) {
        for expiry in self.expiries(span) {
            assert!(span.ended <= expiry.max(span.started), "an address had more: {span:?}");
        }
        match (span.end, span.limit) {
            (SpanEnd::Expired, Some(Limit::Address)) => {
                let address = self.timeline.limits().get(Limit::Address).unwrap();
                let of_hop = self.timeline.attempts().iter().filter(|a| a.hop == span.hop);
                let newest = of_hop.map(|attempt| attempt.started).max().unwrap();
                assert_eq!(span.deadline, newest.after(address), "{span:?}");
                assert_eq!(span.ended, span.deadline, "{span:?}");
                assert!(span.deadline <= at, "{limit:?} was earlier than {span:?}");
            }
            (SpanEnd::Expired, fired) => {
                assert_eq!((span.deadline, fired), (at, limit), "{span:?}");
                assert_eq!(span.ended, at.max(span.started), "{span:?}");
            }
            (SpanEnd::Cancelled, _) => assert!(span.ended <= at, "{span:?}"),
            _ => assert!(span.ended < at, "it went on after its deadline: {span:?}"),
        }
    }

    /// How the earliest limit that goes on while the caller has the call stands.
    pub(crate) fn earliest_of_caller(&self, index: usize) -> Option<(Tick, Limit)> {
        let span = &self.timeline.spans()[index];
        let limits = self.timeline.limits();
        let hop = self.hop(span)?;
        let mut armed = vec![(Limit::Total, Some(self.timeline.started()))];
        armed.push((Limit::Attempt, Some(hop.started)));
        match span.what {
            What::Source => armed.push((Limit::Upload, self.upload(index))),
            _ => armed.push((Limit::Body, hop.head_ended)),
        }
        let deadline =
            |(limit, since): (Limit, Option<Tick>)| Some((since?.after(limits.get(limit)?), limit));
        let all = armed.into_iter().filter_map(deadline);
        all.min_by_key(|(at, limit)| (*at, std::cmp::Reverse(rank(*limit))))
    }
}

/// Whether a hop still has the body that the first one had.
fn carries_body(hop: &Hop) -> bool {
    hop.request.method == waterclock::Method::Post
}
