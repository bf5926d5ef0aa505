//! Folding: the middle of a long run of like spans becomes one span, so that an endless body needs no
//! memory. What a run is gets known span by span, so that a long body needs little time either.

use super::record::{MOST, index};
use super::{Fold, Phase, Span, SpanEnd, Timeline, What};
use crate::tick::Tick;
use std::time::Duration;

/// Spans kept in full at the beginning of a run.
const KEEP_FIRST: usize = 12;
/// Spans kept in full at its end.
const KEEP_LAST: usize = 8;

/// The spans at the end that belong to the same hop and phase, with the work and the caller's time
/// between the waits. The phase is that of the last wait, however long ago that was: a reader that
/// is slower than its peer never has to wait. Runs are bounded in number by phases, addresses and
/// hops.
#[derive(Clone, Debug, Default)]
pub(super) struct Run {
    start: usize,
    /// Behind its last wait.
    waited: usize,
    /// The phase of its waits, if it has one.
    phase: Option<Phase>,
    hop: u16,
}

impl Run {
    /// `span`, now at `position`, is the last one.
    pub(super) fn extend(&mut self, position: usize, span: &Span) {
        if span.hop != self.hop {
            *self = Run { start: position, waited: position, phase: None, hop: span.hop };
        }
        if span.phase.is_wait() {
            if self.phase.is_some_and(|phase| phase != span.phase) {
                self.start = self.waited;
            }
            self.phase = Some(span.phase);
            self.waited = position + 1;
        }
    }

    /// The span at `position`, not the first one, has become a part of the one before it.
    fn shorten(&mut self, position: usize) {
        if self.waited > position {
            self.waited -= 1;
        }
    }
}

impl Timeline {
    /// Keeps the run at the end bounded, after each span: its middle goes into one folded span.
    pub(super) fn fold(&mut self) {
        let Some(last) = self.spans.last() else { return };
        self.run.extend(self.spans.len() - 1, last);
        let fold_at = self.run.start + KEEP_FIRST;
        if self.spans.len() <= fold_at + KEEP_LAST {
            return;
        }
        let fold = match self.spans[fold_at].what {
            What::Folded(fold) => fold,
            _ if self.folds.len() >= MOST => return,
            _ => self.begin_fold(fold_at),
        };
        let (kept, last) = self.spans.split_at_mut(fold_at + 1);
        let (Some(folded), Some(next)) = (kept.last_mut(), last.first()) else { return };
        self.folds[usize::from(fold)].absorb(next);
        folded.ended = next.ended;
        folded.bytes += next.bytes;
        if !folded.phase.is_wait() {
            folded.phase = next.phase;
        }
        self.spans.copy_within(fold_at + 2.., fold_at + 1);
        self.spans.pop();
        self.run.shorten(fold_at + 1);
    }

    /// Makes the span at `position` one that stands for many, so far for itself.
    fn begin_fold(&mut self, position: usize) -> u16 {
        let first = self.spans[position];
        let mut fold = Fold::default();
        fold.absorb(&first);
        self.folds.push(fold);
        let fold = index(self.folds.len() - 1);
        let (what, end) = (What::Folded(fold), SpanEnd::Done);
        self.spans[position] = Span { what, deadline: Tick::NEVER, limit: None, end, ..first };
        fold
    }
}

impl Fold {
    fn absorb(&mut self, span: &Span) {
        match span.phase {
            Phase::Local => self.local += span.duration(),
            Phase::Caller => self.caller += span.duration(),
            _ => {
                self.waits += 1;
                self.waited += span.duration();
                if self.longest.is_none_or(|longest| span.duration() > longest.duration()) {
                    self.longest = Some(*span);
                }
            }
        }
    }
}

impl Default for Fold {
    fn default() -> Self {
        Fold {
            waits: 0,
            waited: Duration::ZERO,
            local: Duration::ZERO,
            caller: Duration::ZERO,
            longest: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limit::Limits;
    use crate::timeline::tests::{hop, ms};
    use proptest::prelude::*;

    /// What the run is by its definition, looked for from the end.
    fn looked_for(spans: &[Span]) -> usize {
        let hop = spans.last().map(|span| span.hop);
        let phase = spans.iter().rev().map(|span| span.phase).find(|phase| phase.is_wait());
        let same = |span: &&Span| {
            Some(span.hop) == hop && (Some(span.phase) == phase || !span.phase.is_wait())
        };
        spans.len() - spans.iter().rev().take_while(same).count()
    }

    #[derive(Clone, Debug)]
    enum Step {
        Wait(Phase),
        Caller,
        Hop,
    }

    fn step() -> impl Strategy<Value = (Step, usize)> {
        let what = prop_oneof![
            prop_oneof![Just(Phase::Head), Just(Phase::Body)].prop_map(Step::Wait),
            Just(Step::Caller),
            Just(Step::Hop),
        ];
        (what, 1..40_usize)
    }

    proptest! {
        #[test]
        fn the_run_is_what_one_would_find(steps in proptest::collection::vec(step(), 1..12)) {
            let mut t = Timeline::new(ms(0), Limits::none());
            t.begin_hop(hop(ms(0)));
            let mut now = 0;
            for (step, times) in steps {
                for _ in 0..times {
                    let (from, to) = (ms(now + 1), ms(now + 3));
                    now += 3;
                    match step {
                        Step::Wait(phase) => {
                            t.record_wait(phase, What::Read, from, to, None, SpanEnd::Ready);
                        }
                        Step::Caller => t.record_caller(What::Reader, from, to),
                        Step::Hop => t.begin_hop(hop(from)),
                    }
                    if !t.spans().is_empty() {
                        prop_assert_eq!(t.run.start, looked_for(t.spans()));
                        let long = t.spans().len() - t.run.start;
                        prop_assert!(long <= KEEP_FIRST + KEEP_LAST + 1);
                    }
                }
            }
        }
    }
}
