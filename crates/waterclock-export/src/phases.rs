//! A hop seen from outside: its spans, and the stretches that one phase took.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};
use waterclock::run::Run;
use waterclock_proto::limit::Limit;
use waterclock_proto::tick::Tick;
use waterclock_proto::timeline::{Attempt, Hop, Phase, Span, SpanEnd, Timeline};

/// One hop of a timeline.
#[derive(Clone, Copy)]
pub(crate) struct HopView<'t> {
    pub(crate) timeline: &'t Timeline,
    pub(crate) index: usize,
    pub(crate) hop: &'t Hop,
    /// Where its spans begin in the timeline: those of a hop are neighbours.
    first: usize,
    spans: &'t [Span],
}

/// Consecutive waits in one phase, with the work in between.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Stretch {
    pub(crate) phase: Phase,
    pub(crate) from: Tick,
    pub(crate) to: Tick,
    /// Indexes of its first and last span.
    pub(crate) spans: (usize, usize),
}

/// The hops of a timeline.
pub(crate) fn hops(timeline: &Timeline) -> Vec<HopView<'_>> {
    let spans = timeline.spans();
    let view = |(index, hop)| {
        let first = spans.partition_point(|span| usize::from(span.hop) < index);
        let end = spans.partition_point(|span| usize::from(span.hop) <= index);
        let spans = spans.get(first..end).unwrap_or_default();
        HopView { timeline, index, hop, first, spans }
    };
    timeline.hops().iter().enumerate().map(view).collect()
}

impl<'t> HopView<'t> {
    /// Its spans with their indexes in the timeline.
    pub(crate) fn spans(self) -> impl DoubleEndedIterator<Item = (usize, &'t Span)> {
        (self.first..self.first + self.spans.len()).zip(self.spans)
    }

    /// The spans up to the pause before a retry, which is nobody's request.
    pub(crate) fn exchange(self) -> impl Iterator<Item = (usize, &'t Span)> {
        self.spans().take_while(|(_, span)| phase_of(self.timeline, span) != Phase::Backoff)
    }

    pub(crate) fn started(self) -> Tick {
        self.spans.first().map_or(self.hop.started, |span| span.started)
    }

    /// The end of its last span.
    pub(crate) fn ended(self) -> Tick {
        self.spans.last().map_or(self.started(), |span| span.ended)
    }

    /// The end of the last span before a pause.
    pub(crate) fn exchange_ended(self) -> Tick {
        self.exchange().last().map_or(self.started(), |(_, span)| span.ended)
    }

    pub(crate) fn is_last(self) -> bool {
        self.index + 1 == self.timeline.hops().len()
    }

    /// Its stretches, in order. They do not overlap; what is between them is work, or the caller's.
    pub(crate) fn stretches(self) -> Vec<Stretch> {
        let mut stretches: Vec<Stretch> = Vec::new();
        for (index, span) in self.spans() {
            let phase = phase_of(self.timeline, span);
            if !phase.is_wait() {
                continue;
            }
            match stretches.last_mut() {
                Some(last) if last.phase == phase => {
                    last.to = span.ended;
                    last.spans.1 = index;
                }
                _ => stretches.push(Stretch {
                    phase,
                    from: span.started,
                    to: span.ended,
                    spans: (index, index),
                }),
            }
        }
        stretches
    }

    /// Why it failed, if it did and another hop was made for that reason.
    pub(crate) fn failure(self) -> Option<String> {
        if self.hop.status.is_some() || self.is_last() {
            return None;
        }
        let ended = self.spans().rev().find(|(_, span)| span.end == SpanEnd::Expired);
        Some(match ended.and_then(|(_, span)| span.limit) {
            Some(limit) => format!("the {limit} limit fired; the request was tried again"),
            None => "the request failed and was tried again".to_owned(),
        })
    }

    /// The limit that fired in it, and during what.
    pub(crate) fn expired(self) -> Option<(Phase, Limit)> {
        let (_, span) = self.spans().rev().find(|(_, span)| span.end == SpanEnd::Expired)?;
        Some((span.phase, span.limit?))
    }
}

/// The connect attempts by hop.
pub(crate) fn attempts(timeline: &Timeline) -> BTreeMap<u16, Vec<&Attempt>> {
    let mut attempts: BTreeMap<u16, Vec<&Attempt>> = BTreeMap::new();
    for attempt in timeline.attempts() {
        attempts.entry(attempt.hop).or_default().push(attempt);
    }
    attempts
}

/// The phase of a span; of a folded run, that of its waits.
pub(crate) fn phase_of(timeline: &Timeline, span: &Span) -> Phase {
    let longest = timeline.fold_of(span).and_then(|fold| fold.longest);
    longest.map_or(span.phase, |longest| longest.phase)
}

/// An instant of the run, by the calendar.
pub(crate) fn date(run: &Run, tick: Tick) -> SystemTime {
    let began = began(run);
    let since = run.timeline.as_ref().map(|timeline| tick.since(timeline.started()));
    since.and_then(|since| began.checked_add(since)).unwrap_or(began)
}

/// When the run began, to the microsecond, as its document says it: a live run and a saved one are
/// exported to the same bytes.
pub(crate) fn began(run: &Run) -> SystemTime {
    match run.started_at.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => {
            let whole = Duration::new(since.as_secs(), since.subsec_micros() * 1_000);
            SystemTime::UNIX_EPOCH + whole
        }
        Err(_) => run.started_at,
    }
}
