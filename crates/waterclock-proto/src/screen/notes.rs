//! Each wait in one line of text, for places that have room for no table.

use super::bound::used;
use super::{label, number, rows};
use crate::timeline::{Span, SpanEnd, Timeline};

/// A wait, or a folded run of them, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitNote {
    /// Its index in [`Timeline::spans`].
    pub span: usize,
    /// Number, name, how long, and what was used of which limit: `wait 3: tls read 1, 90.2 ms, 75% of
    /// 120 ms (tls)`. Escaped, as [`escape`](super::escape) does it.
    pub text: String,
}

/// All waits in words, in order. They have the numbers of the waterfall; those that are too short for a
/// row there have none.
///
/// ```
/// use std::time::Duration;
/// use waterclock_proto::limit::{Limit, Limits};
/// use waterclock_proto::screen;
/// use waterclock_proto::tick::Tick;
/// use waterclock_proto::timeline::{Phase, SpanEnd, Timeline, What};
///
/// let ms = |n: u64| Tick::from_nanos(n * 1_000_000);
/// let mut timeline = Timeline::new(ms(0), Limits::per_wait(Duration::from_millis(80)));
/// let read = Some((ms(80), Limit::Read));
/// timeline.record_wait(Phase::FirstByte, What::Read, ms(0), ms(60), read, SpanEnd::Ready);
/// let notes = screen::wait_notes(&timeline);
/// assert_eq!(notes[0].text, "wait 1: read headers, 60.0 ms, 75% of 80 ms (read)");
/// ```
#[must_use]
pub fn wait_notes(timeline: &Timeline) -> Vec<WaitNote> {
    let mut rows = rows::entries(timeline).rows.into_iter().peekable();
    let mut notes = Vec::new();
    for (index, span) in timeline.spans().iter().enumerate() {
        let row = rows.next_if(|row| row.span == index);
        let folded = timeline.fold_of(span).is_some();
        if folded || span.phase.is_wait() {
            let numbers = row.and_then(|row| row.numbers);
            notes.push(WaitNote { span: index, text: text(timeline, index, span, numbers) });
        }
    }
    notes
}

fn text(timeline: &Timeline, index: usize, span: &Span, numbers: Option<(u64, u64)>) -> String {
    let wait = match numbers {
        Some((first, last)) if first == last => format!("wait {first}"),
        Some((first, last)) => format!("waits {first}-{last}"),
        None => "short wait".to_owned(),
    };
    let longest = timeline.fold_of(span).and_then(|fold| fold.longest);
    let took = match longest {
        Some(longest) => format!("longest {}", number::with_unit(longest.duration())),
        None => number::with_unit(span.duration()),
    };
    format!("{wait}: {}, {took}, {}", label(timeline, index), outcome(timeline, index, span))
}

/// What became of the limit in force.
fn outcome(timeline: &Timeline, index: usize, span: &Span) -> String {
    match (span.end, used(timeline, index)) {
        (SpanEnd::Failed, _) => "failed".to_owned(),
        (SpanEnd::Cancelled, _) => "cancelled".to_owned(),
        (_, None) => "no limit".to_owned(),
        (SpanEnd::Expired, Some(used)) => {
            let set = timeline.limits().get(used.limit).unwrap_or(used.of);
            let late = number::with_unit(span.ended.since(span.deadline));
            let set = number::configured_with_unit(set);
            format!("limit fired: {} {set}, {late} late", used.limit)
        }
        (_, Some(used)) => {
            let of = match used.whole {
                true => number::configured_with_unit(used.of),
                false => format!("{} left", number::with_unit(used.of)),
            };
            format!("{}% of {of} ({})", used.percent(), used.limit)
        }
    }
}
