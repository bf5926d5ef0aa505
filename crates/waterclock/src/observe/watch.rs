//! [`Watch`]: what an observed call keeps to tell its observers.

use super::{
    CallEnded, CallId, CallStarted, HopEnded, HopStarted, Observer, Outcome, SpanEnded, SpanStarted,
};
use crate::error::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use waterclock_proto::limit::Limit;
use waterclock_proto::message::Version;
use waterclock_proto::tick::Tick;
use waterclock_proto::timeline::{Phase, RequestLine, Timeline, What};

/// The observers of a session; `None` if there is none, so that a call has one thing to look at.
pub(crate) type Observers = Option<Arc<[Arc<dyn Observer>]>>;

static CALLS: AtomicU64 = AtomicU64::new(0);

/// Tells the observers of one call. It is in the call only if there are any, which is rare: what it
/// does is kept out of the way of calls without.
pub(crate) struct Watch {
    observers: Arc<[Arc<dyn Observer>]>,
    call: CallId,
    /// Of the running hop's response.
    version: Option<Version>,
    /// The hop that was started and has not been ended.
    hop: Option<u16>,
}

impl Watch {
    pub(crate) fn new(observers: &Arc<[Arc<dyn Observer>]>) -> Self {
        let call = CallId(CALLS.fetch_add(1, Ordering::Relaxed) + 1);
        Watch { observers: Arc::clone(observers), call, version: None, hop: None }
    }

    #[cold]
    pub(crate) fn call_started(&self, request: &RequestLine, at: Tick) {
        let told = CallStarted { call: self.call, at, request };
        self.each(|observer| observer.call_started(&told));
    }

    fn each(&self, tell: impl Fn(&dyn Observer)) {
        for observer in &*self.observers {
            tell(&**observer);
        }
    }

    /// The timeline's last hop has begun; its spans had come to `before`.
    #[cold]
    pub(crate) fn hop_started(&mut self, timeline: &Timeline, before: Tick) {
        // Work before the first hop is recorded with the first wait.
        self.spans_ended(timeline, usize::from(timeline.ended() > before));
        self.hop_ended(timeline, None);
        let Some(hop) = timeline.hops().last() else { return };
        let index = last_hop(timeline);
        (self.hop, self.version) = (Some(index), None);
        let told = HopStarted {
            call: self.call,
            hop: index,
            at: hop.started,
            request: &hop.request,
            reason: hop.reason,
        };
        self.each(|observer| observer.hop_started(&told));
    }

    /// The running hop's response has this version.
    pub(crate) fn answered(&mut self, version: Version) {
        self.version = Some(version);
    }

    /// The running hop is over, unless that was told already.
    #[cold]
    pub(crate) fn hop_ended(&mut self, timeline: &Timeline, error: Option<ErrorKind>) {
        let Some(hop) = self.hop.take() else { return };
        let Some(record) = timeline.hops().get(usize::from(hop)) else { return };
        let (call, version) = (self.call, self.version);
        let told = HopEnded { call, hop, record, version, error };
        self.each(|observer| observer.hop_ended(&told));
    }

    #[cold]
    pub(crate) fn span_started(
        &self,
        timeline: &Timeline,
        phase: Phase,
        what: What,
        at: Tick,
        in_force: Option<(Tick, Limit)>,
    ) {
        let told = SpanStarted {
            call: self.call,
            hop: last_hop(timeline),
            phase,
            what,
            at,
            limit: in_force.map(|(_, limit)| limit),
            left: in_force.map(|(deadline, _)| deadline.since(at)),
            timeline,
        };
        self.each(|observer| observer.span_started(&told));
    }

    /// The last `count` spans of the timeline have been recorded. (None of them is ever folded.)
    #[cold]
    pub(crate) fn spans_ended(&self, timeline: &Timeline, count: usize) {
        let spans = timeline.spans();
        for span in spans.iter().skip(spans.len().saturating_sub(count)) {
            let told = SpanEnded { call: self.call, span, timeline };
            self.each(|observer| observer.span_ended(&told));
        }
    }

    /// The call is over, and so is this.
    #[cold]
    pub(crate) fn call_ended(mut self, timeline: &Timeline, outcome: Outcome) {
        self.hop_ended(timeline, outcome.error());
        let told = CallEnded { call: self.call, outcome, timeline };
        self.each(|observer| observer.call_ended(&told));
    }
}

fn last_hop(timeline: &Timeline) -> u16 {
    u16::try_from(timeline.hops().len().saturating_sub(1)).unwrap_or(u16::MAX)
}
