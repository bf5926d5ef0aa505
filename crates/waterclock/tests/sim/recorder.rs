//! An observer that keeps what it is told, and compares it with a timeline.

use std::sync::Mutex;
use std::time::Duration;
use waterclock::observe::{
    CallEnded, CallId, CallStarted, HopEnded, HopStarted, Observer, Outcome, SpanEnded, SpanStarted,
};
use waterclock::timeline::{HopReason, Span, Timeline, What};
use waterclock::{ErrorKind, Limit, Phase, Tick, Version};

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Event {
    /// Method and URL.
    CallStarted(String),
    /// Index, reason and URL.
    HopStarted(u16, HopReason, String),
    SpanStarted(Started),
    SpanEnded(Span),
    /// Index, status, version, error.
    HopEnded(u16, Option<u16>, Option<Version>, Option<ErrorKind>),
    CallEnded(Outcome),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Started {
    pub(crate) hop: u16,
    pub(crate) phase: Phase,
    pub(crate) what: What,
    pub(crate) at: Tick,
    pub(crate) limit: Option<Limit>,
    pub(crate) left: Option<Duration>,
}

#[derive(Default)]
pub(crate) struct Recorder(Mutex<Vec<(CallId, Event)>>);

impl Recorder {
    pub(crate) fn events(&self) -> Vec<(CallId, Event)> {
        self.0.lock().unwrap().clone()
    }

    fn push(&self, call: CallId, event: Event) {
        self.0.lock().unwrap().push((call, event));
    }

    /// What the call was that was begun last, which must have ended like that.
    #[track_caller]
    pub(crate) fn last_call(&self, outcome: Outcome) -> Events {
        let mut events = self.events();
        let last = events.iter().map(|(call, _)| *call).max().unwrap();
        events.retain(|(call, _)| *call == last);
        assert!(matches!(events[0].1, Event::CallStarted(_)));
        assert_eq!(events.last().unwrap().1, Event::CallEnded(outcome));
        Events(events)
    }
}

/// What was told of one call.
pub(crate) struct Events(pub(crate) Vec<(CallId, Event)>);

impl Events {
    pub(crate) fn spans_started(&self) -> impl Iterator<Item = &Started> {
        self.0.iter().filter_map(|(_, event)| match event {
            Event::SpanStarted(started) => Some(started),
            _ => None,
        })
    }

    pub(crate) fn spans_ended(&self) -> impl Iterator<Item = &Span> {
        self.0.iter().filter_map(|(_, event)| match event {
            Event::SpanEnded(span) => Some(span),
            _ => None,
        })
    }

    pub(crate) fn hops(&self) -> Vec<Event> {
        let is_hop = |event: &Event| matches!(event, Event::HopStarted(..) | Event::HopEnded(..));
        self.0.iter().map(|(_, event)| event.clone()).filter(is_hop).collect()
    }

    /// The spans are those of the timeline, each wait was announced before it ended, and they lie
    /// within their hops.
    #[track_caller]
    pub(crate) fn agree_with(&self, timeline: &Timeline) {
        assert!(timeline.is_finished() && timeline.folds().is_empty());
        // The bytes of a wait are moved when it is over.
        let without_bytes = |span: &Span| Span {
            bytes: if span.phase.is_wait() { 0 } else { span.bytes },
            ..*span
        };
        let recorded: Vec<_> = timeline.spans().iter().map(without_bytes).collect();
        let told: Vec<_> = self.spans_ended().copied().collect();
        assert_eq!(told, recorded);
        let waits: Vec<_> =
            recorded.iter().filter(|span| span.phase.is_wait()).map(announced).collect();
        let told: Vec<_> = self.spans_started().cloned().collect();
        assert_eq!(told, waits);
        self.is_nested(timeline);
    }

    #[track_caller]
    fn is_nested(&self, timeline: &Timeline) {
        let (mut hop, mut waiting, mut hops) = (None, None, 0);
        for (_, event) in &self.0 {
            match event {
                Event::HopStarted(index, ..) => {
                    assert_eq!((hop, usize::from(*index)), (None, hops));
                    (hop, hops) = (Some(*index), hops + 1);
                }
                Event::HopEnded(index, ..) => assert_eq!(hop.take(), Some(*index)),
                Event::SpanStarted(started) => {
                    assert_eq!(hop, Some(started.hop));
                    assert_eq!(waiting.replace(started.phase), None);
                }
                Event::SpanEnded(span) if span.phase.is_wait() => {
                    assert_eq!(waiting.take(), Some(span.phase));
                }
                _ => {}
            }
        }
        assert_eq!((hop, waiting, hops), (None, None, timeline.hops().len()));
    }
}

/// What must have been told when this wait began.
fn announced(wait: &Span) -> Started {
    Started {
        hop: wait.hop,
        phase: wait.phase,
        what: wait.what,
        at: wait.started,
        limit: wait.limit,
        left: wait.left_before(),
    }
}

impl Observer for Recorder {
    fn call_started(&self, call: &CallStarted<'_>) {
        let line = format!("{} {}", call.request.method, call.request.url);
        self.push(call.call, Event::CallStarted(line));
    }

    fn hop_started(&self, hop: &HopStarted<'_>) {
        let url = hop.request.url.to_string();
        self.push(hop.call, Event::HopStarted(hop.hop, hop.reason, url));
    }

    fn span_started(&self, wait: &SpanStarted<'_>) {
        let SpanStarted { hop, phase, what, at, limit, left, .. } = *wait;
        self.push(wait.call, Event::SpanStarted(Started { hop, phase, what, at, limit, left }));
    }

    fn span_ended(&self, ended: &SpanEnded<'_>) {
        self.push(ended.call, Event::SpanEnded(*ended.span));
    }

    fn hop_ended(&self, hop: &HopEnded<'_>) {
        let event = Event::HopEnded(hop.hop, hop.record.status, hop.version, hop.error);
        assert!(hop.record.ended.is_some());
        self.push(hop.call, event);
    }

    fn call_ended(&self, call: &CallEnded<'_>) {
        assert!(call.timeline.is_finished());
        self.push(call.call, Event::CallEnded(call.outcome));
    }
}
