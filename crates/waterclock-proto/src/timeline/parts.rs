//! A timeline put together again from its parts: a saved call that is read back.

use super::{Attempt, Fired, Fold, Hop, RequestSent, Run, Span, Timeline, What};
use crate::limit::Limits;
use crate::tick::Tick;
use std::fmt;

/// What a timeline consists of. Sums, labels and verdicts are worked out from it.
#[derive(Clone, Debug)]
pub struct Parts {
    /// When the call began.
    pub started: Tick,
    /// Whether it is over.
    pub finished: bool,
    /// The configured limits.
    pub limits: Limits,
    /// Waits and work, in order and without gaps.
    pub spans: Vec<Span>,
    /// What folded spans stand for; [`What::Folded`] is an index into it.
    pub folds: Vec<Fold>,
    /// The requests that were made.
    pub hops: Vec<Hop>,
    /// The connect attempts.
    pub attempts: Vec<Attempt>,
    /// How much of the last hop's request had left.
    pub request_sent: RequestSent,
    /// The limit that ended the call.
    pub fired: Option<Fired>,
    /// Further sentences of the verdict.
    pub notes: Vec<Box<str>>,
}

/// Parts that do not make a timeline. The index is that of the span, attempt or list at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidParts {
    /// A span begins before the one before it ended, or the call began.
    Overlap(usize),
    /// Nothing accounts for the time before a span.
    Gap(usize),
    /// A span ends before it begins.
    Backwards(usize),
    /// A span belongs to no hop, or to an earlier one than the span before it.
    HopOfSpan(usize),
    /// A span waits for an attempt that there is not.
    AttemptOfSpan(usize),
    /// A folded span has no sums of its own.
    FoldOfSpan(usize),
    /// The sums of a folded span do not add up to its length, or its longest wait is longer.
    SumsOfSpan(usize),
    /// An attempt belongs to no hop.
    HopOfAttempt(usize),
    /// More hops, attempts or folds than a call can have.
    TooMany,
    /// So many bytes or waits that they cannot be counted.
    TooLarge,
}

impl InvalidParts {
    /// The span at fault.
    #[must_use]
    pub const fn span(&self) -> Option<usize> {
        match self {
            InvalidParts::Overlap(span)
            | InvalidParts::Gap(span)
            | InvalidParts::Backwards(span)
            | InvalidParts::HopOfSpan(span)
            | InvalidParts::AttemptOfSpan(span)
            | InvalidParts::FoldOfSpan(span)
            | InvalidParts::SumsOfSpan(span) => Some(*span),
            _ => None,
        }
    }

    /// The attempt at fault.
    #[must_use]
    pub const fn attempt(&self) -> Option<usize> {
        match self {
            InvalidParts::HopOfAttempt(attempt) => Some(*attempt),
            _ => None,
        }
    }
}

impl fmt::Display for InvalidParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            InvalidParts::Overlap(0) => "it begins before the call",
            InvalidParts::Overlap(_) => "it begins before the one before it has ended",
            InvalidParts::Gap(0) => "there is a gap between the call's start and it",
            InvalidParts::Gap(_) => "there is a gap between the one before it and it",
            InvalidParts::Backwards(_) => "it ends before it begins",
            InvalidParts::HopOfSpan(_) => "there is no such hop, or an earlier one has ended",
            InvalidParts::AttemptOfSpan(_) => "there is no such attempt",
            InvalidParts::FoldOfSpan(_) => "it stands for many spans but has no sums of its own",
            InvalidParts::SumsOfSpan(_) => "waited, local and caller do not add up to its length",
            InvalidParts::HopOfAttempt(_) => "there is no such hop",
            InvalidParts::TooMany => "there are more hops, attempts or folds than a call can have",
            InvalidParts::TooLarge => "bytes or waits are more than can be counted",
        })
    }
}

impl std::error::Error for InvalidParts {}

impl Timeline {
    /// A timeline from its parts.
    ///
    /// # Errors
    /// [`InvalidParts`] for what no call can have left behind: gaps, overlaps, indexes out of range.
    ///
    /// ```
    /// use waterclock_proto::limit::Limits;
    /// use waterclock_proto::tick::Tick;
    /// use waterclock_proto::timeline::{Phase, SpanEnd, Timeline, What};
    ///
    /// let mut live = Timeline::new(Tick::ZERO, Limits::none());
    /// let end = Tick::from_nanos(5);
    /// live.record_wait(Phase::Resolve, What::Answer, Tick::ZERO, end, None, SpanEnd::Ready);
    /// let again = Timeline::from_parts(live.to_parts())?;
    /// assert_eq!(again.spans(), live.spans());
    /// # Ok::<(), waterclock_proto::timeline::InvalidParts>(())
    /// ```
    pub fn from_parts(parts: Parts) -> Result<Timeline, InvalidParts> {
        check(&parts)?;
        Ok(Timeline::put_together(parts))
    }

    /// From parts that are known to be those of a call.
    pub(super) fn put_together(parts: Parts) -> Timeline {
        let mut run = Run::default();
        for (position, span) in parts.spans.iter().enumerate() {
            run.extend(position, span);
        }
        Timeline {
            started: parts.started,
            at: parts.spans.last().map_or(parts.started, |span| span.ended),
            finished: parts.finished,
            limits: parts.limits,
            spans: parts.spans,
            folds: parts.folds,
            run,
            hops: parts.hops.into(),
            attempts: parts.attempts,
            loose_bytes: 0,
            request_sent: parts.request_sent,
            fired: parts.fired,
            notes: parts.notes,
        }
    }

    /// What [`from_parts`](Self::from_parts) takes.
    #[must_use]
    pub fn to_parts(&self) -> Parts {
        Parts {
            started: self.started,
            finished: self.finished,
            limits: self.limits,
            spans: self.spans.clone(),
            folds: self.folds.clone(),
            hops: self.hops.to_vec(),
            attempts: self.attempts.clone(),
            request_sent: self.request_sent,
            fired: self.fired,
            notes: self.notes.clone(),
        }
    }
}

fn check(parts: &Parts) -> Result<(), InvalidParts> {
    let most = super::record::MOST;
    if parts.hops.len().max(parts.attempts.len()).max(parts.folds.len()) > most {
        return Err(InvalidParts::TooMany);
    }
    // Without a hop everything belongs to the first one.
    let is_hop = |hop: u16| usize::from(hop) < parts.hops.len().max(1);
    let mut at = parts.started;
    let mut hop = 0;
    for (index, span) in parts.spans.iter().enumerate() {
        match span.started.cmp(&at) {
            std::cmp::Ordering::Less => return Err(InvalidParts::Overlap(index)),
            std::cmp::Ordering::Greater => return Err(InvalidParts::Gap(index)),
            std::cmp::Ordering::Equal => {}
        }
        if span.ended < span.started {
            return Err(InvalidParts::Backwards(index));
        }
        if span.hop < hop || !is_hop(span.hop) {
            return Err(InvalidParts::HopOfSpan(index));
        }
        check_what(parts, index, span)?;
        (at, hop) = (span.ended, span.hop);
    }
    match parts.attempts.iter().position(|attempt| !is_hop(attempt.hop)) {
        Some(attempt) => Err(InvalidParts::HopOfAttempt(attempt)),
        None => check_sums(parts),
    }
}

fn check_what(parts: &Parts, index: usize, span: &Span) -> Result<(), InvalidParts> {
    match span.what {
        What::Connect(attempt) if usize::from(attempt) >= parts.attempts.len() => {
            Err(InvalidParts::AttemptOfSpan(index))
        }
        What::Folded(fold) => {
            let Some(fold) = parts.folds.get(usize::from(fold)) else {
                return Err(InvalidParts::FoldOfSpan(index));
            };
            let sum = [fold.waited, fold.local, fold.caller]
                .into_iter()
                .try_fold(std::time::Duration::ZERO, std::time::Duration::checked_add);
            let longest = fold.longest.map(|longest| longest.duration());
            let fair = longest.is_none_or(|longest| longest <= fold.waited);
            let known = (fold.waits > 0) == fold.longest.is_some();
            if sum == Some(span.duration()) && fair && known {
                Ok(())
            } else {
                Err(InvalidParts::SumsOfSpan(index))
            }
        }
        _ => Ok(()),
    }
}

/// Sums over all spans are made in `u64`.
fn check_sums(parts: &Parts) -> Result<(), InvalidParts> {
    let bytes = parts.spans.iter().map(|span| u128::from(span.bytes)).sum::<u128>();
    let folded = parts.folds.iter().map(|fold| u128::from(fold.waits)).sum::<u128>();
    let waits = folded + parts.spans.len() as u128;
    if bytes.max(waits) > u128::from(u64::MAX) { Err(InvalidParts::TooLarge) } else { Ok(()) }
}
