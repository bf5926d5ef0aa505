//! How a [`Call`] goes from hop to hop, and how it ends.

use super::{Call, Held};
use crate::error::{Error, ErrorKind, Failure};
use crate::observe;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use waterclock_proto::limit::{Deadlines, Limit, Limits};
use waterclock_proto::message::Version;
use waterclock_proto::retry::{Attempted, Decision, Failed, Retry, RetryState};
use waterclock_proto::tick::Tick;
use waterclock_proto::timeline::{Hop, HopReason, RequestLine, Timeline};

impl Call {
    /// Takes the call out of a response that is over; what stays behind records nothing.
    pub(crate) fn take(&mut self) -> Call {
        let husk = Call {
            world: Arc::clone(&self.world),
            deadlines: Deadlines::default(),
            timeline: Timeline::new(self.latest, Limits::none()),
            cancel: None,
            interrupted: None,
            latest: self.latest,
            reason: self.reason,
            held: Held::No,
            retries: None,
            watch: None,
            lent: false,
        };
        std::mem::replace(self, husk)
    }

    /// Whether an error that ends the call keeps it, so that [`Error::take_call`] can go on with it.
    pub(crate) fn lend(&mut self, lent: bool) {
        self.lent = lent;
    }

    /// What to do after a failure, as `policy` and the failures before say.
    pub(crate) fn decide(&mut self, policy: &Arc<Retry>, failed: &Failed<'_>) -> Decision {
        let mut random = [0; 4];
        self.world.random(&mut random);
        let random = f64::from(u32::from_le_bytes(random)) / f64::from(u32::MAX);
        let wall = self.world.wall();
        self.retry_state(policy).decide(failed, wall, random)
    }

    /// What was used of the retries so far.
    pub(crate) fn retry_state(&mut self, policy: &Arc<Retry>) -> &mut RetryState {
        self.retries.get_or_insert_with(|| Box::new(RetryState::new(Arc::clone(policy))))
    }

    /// The requests of this call that were followed by another one.
    pub(crate) fn retries(&self) -> &[Attempted] {
        self.retries.as_ref().map_or(&[], |state| state.history())
    }

    /// Another hop may follow: until [`release`](Self::release) the end of a body does not end the
    /// call.
    pub(crate) fn hold(&mut self) {
        self.held = Held::Yes;
    }

    /// No other hop follows.
    pub(crate) fn release(&mut self) {
        if std::mem::replace(&mut self.held, Held::No) == Held::Ended {
            self.finish();
        }
    }

    /// Goes on after a hop that failed or was answered with "again": what it had armed no longer
    /// counts, and `total` goes on.
    pub(crate) fn again(&mut self, reason: HopReason) {
        self.now();
        self.end_hop(None);
        self.timeline.clear_fired();
        self.deadlines.disarm_all_but(Limit::Total);
        self.reason = reason;
        self.held = Held::Yes;
    }

    /// Begins a hop at the last reading of the clock, unless one is running: what the caller's hooks
    /// do before a request belongs to it.
    pub(crate) fn begin_hop(&mut self, request: &Arc<RequestLine>) {
        if self.timeline.hops().last().is_some_and(|hop| hop.ended.is_none()) {
            return;
        }
        let (now, reason) = (self.latest, self.reason);
        let before = self.timeline.ended();
        self.timeline.begin_hop(Hop {
            request: Arc::clone(request),
            reason,
            started: now,
            sent: None,
            head_ended: None,
            ended: None,
            status: None,
            connection: None,
        });
        if let Some(watch) = &mut self.watch {
            watch.hop_started(&self.timeline, before);
        }
        self.arm(Limit::Attempt, now);
    }

    /// Ends the running hop at the last reading of the clock; `error` is what ended it, if it failed
    /// and the call goes on.
    pub(crate) fn end_hop(&mut self, error: Option<ErrorKind>) {
        self.timeline.end_hop(self.latest);
        if let Some(watch) = &mut self.watch {
            watch.hop_ended(&self.timeline, error);
        }
    }

    /// Notes the version of the running hop's response, which the timeline does not keep.
    pub(crate) fn answered(&mut self, version: Version) {
        if let Some(watch) = &mut self.watch {
            watch.answered(version);
        }
    }

    /// Ends the call with an error of the caller's own making: for adapters.
    #[must_use]
    pub fn into_error(self, kind: ErrorKind, message: impl Into<String>) -> Error {
        self.fail(Failure::new(kind, message.into()))
    }

    /// Ends the call with an error; the timeline goes into it.
    pub(crate) fn fail(mut self, failure: Box<Failure>) -> Error {
        if self.lent {
            self.now();
            self.end_hop(Some(failure.kind));
            return Error::new(failure, Some(self.timeline.clone())).keep_call(self);
        }
        self.held = Held::No;
        self.end(Some(observe::Outcome::Failed(failure.kind)));
        let spent = Timeline::new(Tick::ZERO, Limits::none());
        let timeline = std::mem::replace(&mut self.timeline, spent);
        Error::new(failure, Some(timeline)).with_retries(self.retries())
    }

    /// Ends a call that nobody would take. There is nothing on its timeline to show.
    pub(crate) fn refuse(mut self, failure: Box<Failure>) -> Error {
        self.held = Held::No;
        self.end(Some(observe::Outcome::Failed(failure.kind)));
        Error::new(failure, None)
    }

    /// An error of a call whose response is still in the caller's hands.
    pub(crate) fn error(&mut self, failure: Box<Failure>) -> Error {
        if self.lent {
            return self.take().fail(failure);
        }
        self.abort(failure.kind);
        Error::new(failure, Some(self.timeline.clone())).with_retries(self.retries())
    }

    /// Ends the call with an error that is not its own.
    pub(crate) fn abort(&mut self, kind: ErrorKind) {
        self.held = Held::No;
        self.end(Some(observe::Outcome::Failed(kind)));
    }

    /// Ends the record; every limit is disarmed. Not so while another hop may follow.
    pub(crate) fn finish(&mut self) {
        self.end(None);
    }

    #[inline]
    fn end(&mut self, outcome: Option<observe::Outcome>) {
        let (now, before) = (self.now(), self.timeline.ended());
        if self.held != Held::No {
            self.held = Held::Ended;
            self.end_hop(None);
            return;
        }
        self.timeline.finish(now);
        self.deadlines = Deadlines::default();
        if self.watch.is_some() {
            self.tell_end(before, outcome);
        }
    }

    /// Without an `outcome` it is that of the last response.
    #[cold]
    fn tell_end(&mut self, before: Tick, outcome: Option<observe::Outcome>) {
        let Some(watch) = self.watch.take() else { return };
        let status = self.timeline.hops().last().and_then(|hop| hop.status);
        let answered = status.map_or(observe::Outcome::Abandoned, observe::Outcome::Response);
        watch.spans_ended(&self.timeline, usize::from(self.timeline.ended() > before));
        watch.call_ended(&self.timeline, outcome.unwrap_or(answered));
    }
}

/// A panic in code of the caller's has ended the call. Its observers are told even then; a second
/// panic, of one of them, must not abort the program.
impl Drop for Call {
    fn drop(&mut self) {
        if self.watch.is_some() {
            self.held = Held::No;
            let end = || self.end(Some(observe::Outcome::Abandoned));
            let _ = catch_unwind(AssertUnwindSafe(end));
        }
    }
}
