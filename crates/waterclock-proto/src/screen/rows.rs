//! Which rows the table has: one per wait, short ones and the middle of long runs folded.

use super::bound::{Bound, bound};
use super::number;
use crate::tick::Tick;
use crate::timeline::{Phase, Span, SpanEnd, Timeline, What};
use std::time::Duration;

/// More rows than this are folded where a run of them is alike.
const MOST_ROWS: usize = 12;
/// A folded run keeps at least its first row, its last one, and the fold between them.
const LEAST_RUN: usize = 3;
/// The caller's own time has a row from here on; the sum line has all of it.
const CALLER_ROW: Duration = Duration::from_millis(1);

/// One row: a wait, a fold of waits, or a stretch of the caller's own time.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Index of the first span.
    pub(super) span: usize,
    pub(super) hop: u16,
    pub(super) phase: Phase,
    pub(super) started: Tick,
    pub(super) ended: Tick,
    /// Numbers of the first and last wait; `None` for the caller's time.
    pub(super) numbers: Option<(u64, u64)>,
    /// How many waits it stands for.
    pub(super) waits: u64,
    /// The longest of them.
    pub(super) longest: Duration,
    pub(super) bound: Option<Bound>,
    pub(super) end: SpanEnd,
}

/// The rows of a timeline before they are laid out.
pub(super) struct Entries {
    pub(super) rows: Vec<Entry>,
    /// Waits too short for a row, and their sum.
    pub(super) short: (u64, Duration),
}

/// All rows, none folded but those that the timeline itself has folded.
pub(super) fn entries(timeline: &Timeline) -> Entries {
    let mut entries = Entries { rows: Vec::new(), short: (0, Duration::ZERO) };
    let mut number = 0;
    let mut named = None;
    for (index, span) in timeline.spans().iter().enumerate() {
        let Some((waits, wait)) = waits_of(timeline, span) else {
            if span.phase == Phase::Caller && span.duration() >= CALLER_ROW {
                entries.rows.push(Entry::new(index, span, None, 0, span, None));
            }
            continue;
        };
        if wait.duration() < number::SHORT && waits == 1 && wait.end == SpanEnd::Ready {
            entries.short.0 += 1;
            entries.short.1 += wait.duration();
            continue;
        }
        let numbers = Some((number + 1, number + waits));
        number += waits;
        let bound = bound(timeline, index, &wait, &mut named);
        entries.rows.push(Entry::new(index, span, numbers, waits, &wait, bound));
    }
    entries
}

/// How many waits a span stands for and the longest of them; `None` if it is not a wait.
fn waits_of(timeline: &Timeline, span: &Span) -> Option<(u64, Span)> {
    match timeline.fold_of(span) {
        Some(fold) => fold.longest.map(|longest| (fold.waits, longest)),
        None => span.phase.is_wait().then_some((1, *span)),
    }
}

/// The number that the table shows for the wait at `span_index`, or the numbers of a folded run.
pub(super) fn numbers_of(timeline: &Timeline, span_index: usize) -> Option<(u64, u64)> {
    entries(timeline).rows.iter().find(|row| row.span == span_index)?.numbers
}

impl Entry {
    fn new(
        index: usize,
        span: &Span,
        numbers: Option<(u64, u64)>,
        waits: u64,
        longest: &Span,
        bound: Option<Bound>,
    ) -> Entry {
        Entry {
            span: index,
            hop: span.hop,
            phase: if numbers.is_some() { longest.phase } else { span.phase },
            started: span.started,
            ended: span.ended,
            numbers,
            waits,
            longest: longest.duration(),
            bound,
            end: span.end,
        }
    }

    /// Takes in the row that follows.
    fn absorb(&mut self, next: &Entry) {
        self.ended = next.ended;
        if next.numbers.is_none() {
            if self.numbers.is_none() {
                self.longest += next.longest;
            }
            return;
        }
        self.phase = next.phase;
        self.numbers = match (self.numbers, next.numbers) {
            (Some((first, _)), Some((_, last))) => Some((first, last)),
            (mine, theirs) => mine.or(theirs),
        };
        if self.waits == 0 {
            self.span = next.span;
            self.longest = Duration::ZERO;
        }
        self.waits += next.waits;
        self.longest = self.longest.max(next.longest);
        let share = |bound: &Option<Bound>| bound.as_ref().map_or(-1.0, |bound| bound.share);
        if share(&next.bound) > share(&self.bound) {
            self.bound.clone_from(&next.bound);
        }
        self.end = next.end;
    }
}

/// Folds the middle of the longest runs until the table is short enough.
pub(super) fn fold(rows: &mut Vec<Entry>) {
    while rows.len() > MOST_ROWS {
        let Some((start, length)) = longest_run(rows) else { return };
        let keep = length.saturating_sub(rows.len() - MOST_ROWS).max(LEAST_RUN);
        let first = start + (keep - 1) / 2;
        let last = start + length - (keep - 1 - (keep - 1) / 2);
        let absorbed: Vec<Entry> = rows.drain(first + 1..last).collect();
        for row in &absorbed {
            rows[first].absorb(row);
        }
    }
}

/// Start and length of the longest run of rows of one hop and phase that is worth folding. The
/// caller's time between the waits belongs to their run.
fn longest_run(rows: &[Entry]) -> Option<(usize, usize)> {
    let mut best = None;
    let mut start = 0;
    while start < rows.len() {
        let phase = rows[start].phase;
        let alike = |row: &&Entry| {
            row.hop == rows[start].hop && (row.phase == phase || row.numbers.is_none())
        };
        let length = rows[start..].iter().take_while(alike).count();
        if length > LEAST_RUN && best.is_none_or(|(_, most)| length > most) {
            best = Some((start, length));
        }
        start += length;
    }
    best
}

/// The connect attempt that a row waited for.
pub(super) fn attempt_of(timeline: &Timeline, row: &Entry) -> Option<u16> {
    match timeline.spans().get(row.span)?.what {
        What::Connect(attempt) => Some(attempt),
        _ => None,
    }
}
