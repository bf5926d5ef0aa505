//! [`Call`]: what walks through all rooms with a request: armed deadlines, timeline and world.

mod hops;
mod pause;

use crate::cancel::CancelHandle;
use crate::error::{ErrorKind, Failure, Outcome};
use crate::observe::{Observers, Watch};
use crate::stream::Stream;
use crate::world::{Interest, Woke, World};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;
use waterclock_proto::limit::{Deadlines, Limit, Limits};
use waterclock_proto::retry::RetryState;
use waterclock_proto::screen;
use waterclock_proto::tick::Tick;
use waterclock_proto::timeline::{
    Fired, HopReason, Phase, RequestLine, RequestSent, SpanEnd, Timeline, What,
};

/// Called when a signal handler has interrupted a wait: go on, to the same instant, or cancel.
pub type InterruptHook = Arc<dyn Fn() -> ControlFlow<()> + Send + Sync>;

/// One call: from the caller's request to the last byte of the response.
///
/// `Call::wait` is the only caller of [`World::wait`]. It takes the earliest armed deadline, waits,
/// records the span, and on expiry makes the failure that names limit, phase and lateness.
pub struct Call {
    world: Arc<dyn World>,
    deadlines: Deadlines,
    timeline: Timeline,
    cancel: Option<CancelHandle>,
    interrupted: Option<InterruptHook>,
    /// The last reading of the clock, for bookkeeping that needs no new one.
    latest: Tick,
    /// Why the next hop is made.
    reason: HopReason,
    /// Whether another hop may follow, so that the end of a body is not yet the end of the call.
    held: Held,
    /// Made at the first failure that could be retried.
    retries: Option<Box<RetryState>>,
    /// Tells the observers; taken when they have been told the end.
    watch: Option<Box<Watch>>,
    /// An error ends the hop only, and keeps the call: another try may follow.
    lent: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Held {
    /// The end of the body ends the call.
    No,
    /// It does not, yet.
    Yes,
    /// It would have.
    Ended,
}

impl std::fmt::Debug for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Call")
            .field("deadlines", &self.deadlines)
            .field("timeline", &self.timeline)
            .finish_non_exhaustive()
    }
}

/// How a wait with a timer of its own ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waited {
    /// What was waited for is ready.
    Ready,
    /// The timer came first.
    Timer,
}

impl Call {
    #[inline]
    pub(crate) fn new(
        world: Arc<dyn World>,
        limits: Limits,
        cancel: Option<CancelHandle>,
        interrupted: Option<InterruptHook>,
    ) -> Self {
        let started = world.now();
        let mut deadlines = Deadlines::default();
        deadlines.arm(Limit::Total, &limits, started);
        let timeline = Timeline::new(started, limits);
        let (reason, held) = (HopReason::First, Held::No);
        Call {
            world,
            deadlines,
            timeline,
            cancel,
            interrupted,
            latest: started,
            reason,
            held,
            retries: None,
            watch: None,
            lent: false,
        }
    }

    /// The instant that a limit is armed to.
    pub(crate) fn deadline(&self, limit: Limit) -> Option<Tick> {
        self.deadlines.get(limit)
    }

    /// Lets `observers` see this call, from now on.
    pub(crate) fn observe(&mut self, observers: &Observers, request: &RequestLine) {
        if let Some(observers) = observers {
            let watch = self.watch.insert(Box::new(Watch::new(observers)));
            watch.call_started(request, self.latest);
        }
    }

    /// The world the call runs in.
    #[must_use]
    pub fn world(&self) -> &Arc<dyn World> {
        &self.world
    }

    /// The record so far.
    #[must_use]
    pub fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    pub(crate) fn timeline_mut(&mut self) -> &mut Timeline {
        &mut self.timeline
    }

    /// Reads the clock.
    pub(crate) fn now(&mut self) -> Tick {
        self.latest = self.world.now();
        self.latest
    }

    /// The last reading of the clock: good enough to say when something began or ended that took
    /// no wait since.
    pub(crate) fn latest(&self) -> Tick {
        self.latest
    }

    pub(crate) fn limits(&self) -> &Limits {
        self.timeline.limits()
    }

    pub(crate) fn arm(&mut self, limit: Limit, now: Tick) {
        self.deadlines.arm(limit, self.timeline.limits(), now);
    }

    pub(crate) fn arm_at(&mut self, limit: Limit, at: Tick) {
        self.deadlines.arm_at(limit, at);
    }

    pub(crate) fn disarm(&mut self, limits: &[Limit]) {
        for &limit in limits {
            self.deadlines.disarm(limit);
        }
    }

    /// Waits until one of `interests` is ready. The only door to [`World::wait`].
    pub(crate) fn wait(
        &mut self,
        phase: Phase,
        what: What,
        interests: &mut [Interest<'_>],
    ) -> Outcome<()> {
        self.wait_until(phase, what, interests, Tick::NEVER).map(|_| ())
    }

    /// Waits for what `interest` says of `stream`; or looks at the limits only, if TLS has bytes at hand of which
    /// no wait for the socket would tell.
    pub(crate) fn wait_for(
        &mut self,
        phase: Phase,
        what: What,
        stream: &Stream,
        interest: Interest<'_>,
    ) -> Outcome<()> {
        self.wait_for_until(phase, what, stream, interest, Tick::NEVER).map(|_| ())
    }

    /// [`wait_for`](Self::wait_for), or until `timer`, as [`wait_until`](Self::wait_until) has it.
    pub(crate) fn wait_for_until(
        &mut self,
        phase: Phase,
        what: What,
        stream: &Stream,
        interest: Interest<'_>,
        timer: Tick,
    ) -> Outcome<Waited> {
        if stream.has_more_at_hand() {
            let now = self.check(phase, What::Read)?;
            return Ok(if now >= timer { Waited::Timer } else { Waited::Ready });
        }
        self.wait_until(phase, what, &mut [interest], timer)
    }

    /// [`wait`](Self::wait), or until `timer`, which is not a limit: its expiry is no failure.
    pub(crate) fn wait_until(
        &mut self,
        phase: Phase,
        what: What,
        interests: &mut [Interest<'_>],
        timer: Tick,
    ) -> Outcome<Waited> {
        let each_wait = each_wait(phase);
        let mut started = self.now();
        let mut in_force = self.enter(each_wait, started);
        if let Some(watch) = &self.watch {
            watch.span_started(&self.timeline, phase, what, started, in_force);
            // The observers' time is not the wait's.
            started = self.now();
            in_force = self.enter(each_wait, started);
        }
        let result = self.blocked(phase, what, interests, timer, started, in_force);
        if let Some(limit) = each_wait {
            self.deadlines.disarm(limit);
        }
        result
    }

    /// Arms the limit of a single wait, and gives the earliest of all.
    fn enter(&mut self, each_wait: Option<Limit>, now: Tick) -> Option<(Tick, Limit)> {
        if let Some(limit) = each_wait {
            self.arm(limit, now);
        }
        self.deadlines.earliest()
    }

    fn blocked(
        &mut self,
        phase: Phase,
        what: What,
        interests: &mut [Interest<'_>],
        timer: Tick,
        started: Tick,
        in_force: Option<(Tick, Limit)>,
    ) -> Outcome<Waited> {
        let until = in_force.map_or(timer, |(deadline, _)| deadline.min(timer));
        let woke =
            if until <= started { Ok(Woke::Expired) } else { self.block(phase, interests, until) };
        let ended = self.now();
        // A deadline wins over data that came with it: progress must not outlive a limit.
        let expired = in_force.filter(|&(deadline, _)| ended >= deadline);
        let (end, result) = match woke {
            Err(failure) => (SpanEnd::Failed, Err(failure)),
            Ok(_) if expired.is_some() => (SpanEnd::Expired, Ok(Waited::Timer)),
            Ok(Woke::Ready) => (SpanEnd::Ready, Ok(Waited::Ready)),
            Ok(_) => (SpanEnd::Done, Ok(Waited::Timer)),
        };
        let cancelled = matches!(&result, Err(failure) if failure.kind == ErrorKind::Cancelled);
        let end = if cancelled { SpanEnd::Cancelled } else { end };
        self.record_wait(phase, what, started, ended, in_force, end);
        match expired {
            Some((deadline, limit)) if result.is_ok() => {
                Err(self.fired(Fired { limit, phase, deadline, noticed: ended }))
            }
            _ => result,
        }
    }

    /// Blocks, with the cancel handle's signal joined in, and through interruptions.
    fn block(&self, phase: Phase, interests: &mut [Interest<'_>], until: Tick) -> Outcome<Woke> {
        let Some(cancel) = &self.cancel else {
            return self.block_through(phase, interests, until);
        };
        let signal = cancel.signal(&*self.world).map_err(|error| cannot_wait(phase, error))?;
        let mut all = interests.to_vec();
        all.push(Interest::read(signal.source()));
        let woke = self.block_through(phase, &mut all, until)?;
        if cancel.is_cancelled() {
            return Err(Failure::cancelled());
        }
        for (interest, waited) in interests.iter_mut().zip(&all) {
            (interest.ready, interest.sound) = (waited.ready, waited.sound);
        }
        Ok(woke)
    }

    fn block_through(
        &self,
        phase: Phase,
        interests: &mut [Interest<'_>],
        until: Tick,
    ) -> Outcome<Woke> {
        loop {
            let woke = self.world.wait(interests, until);
            match woke.map_err(|error| cannot_wait(phase, error))? {
                Woke::Interrupted => {
                    if !self.may_go_on() {
                        return Err(Failure::cancelled());
                    }
                }
                woke => return Ok(woke),
            }
        }
    }

    /// What cancels this call, and whether it was made for that just now.
    pub(crate) fn cancel_handle(&mut self) -> (CancelHandle, bool) {
        let made = self.cancel.is_none();
        (self.cancel.get_or_insert_default().clone(), made)
    }

    pub(crate) fn forget_cancel(&mut self) {
        self.cancel = None;
    }

    /// Asks the hook for interruptions.
    fn may_go_on(&self) -> bool {
        self.interrupted.as_ref().is_none_or(|hook| hook().is_continue())
    }

    /// Looks at the clock between waits: work and progress must not outlive a limit either.
    pub(crate) fn check(&mut self, phase: Phase, what: What) -> Outcome<Tick> {
        let now = self.now();
        self.check_at(phase, what, now)
    }

    fn check_at(&mut self, phase: Phase, what: What, now: Tick) -> Outcome<Tick> {
        if self.cancel.as_ref().is_some_and(CancelHandle::is_cancelled) {
            self.record_instant(phase, what, now, None, SpanEnd::Cancelled);
            return Err(Failure::cancelled());
        }
        if self.world.asks_between_waits(now) && !self.may_go_on() {
            self.record_instant(phase, what, now, None, SpanEnd::Cancelled);
            return Err(Failure::cancelled());
        }
        match self.deadlines.earliest() {
            Some((deadline, limit)) if now >= deadline => {
                Err(self.expire(what, Fired { limit, phase, deadline, noticed: now }))
            }
            _ => Ok(now),
        }
    }

    /// A limit is found to have fired between two waits.
    pub(crate) fn expire(&mut self, what: What, fired: Fired) -> Box<Failure> {
        let (now, in_force) = (fired.noticed, Some((fired.deadline, fired.limit)));
        self.record_instant(fired.phase, what, now, in_force, SpanEnd::Expired);
        self.fired(fired)
    }

    /// The failure that says which limit fired, where, and what had been sent.
    pub(crate) fn fired(&mut self, fired: Fired) -> Box<Failure> {
        self.timeline.set_fired(fired);
        let sent = match self.timeline.request_sent() {
            RequestSent::No => "nothing of the request was sent",
            RequestSent::Partly => "part of the request was sent",
            RequestSent::Yes => "the request was sent",
        };
        let peer = self.timeline.peer().map(|peer| format!(" to {peer}")).unwrap_or_default();
        let message = match screen::verdict(&self.timeline).first() {
            Some(headline) => format!("{headline}; {sent}{peer}"),
            None => format!("{} limit fired; {sent}{peer}", fired.limit),
        };
        Failure::timeout(fired, message)
    }

    /// Records the caller's own time since `since`, and looks whether a limit has passed in it.
    pub(crate) fn caller_time(&mut self, what: What, since: Tick, phase: Phase) -> Outcome<()> {
        let now = self.now();
        let before = self.timeline.ended();
        self.timeline.record_caller(what, since, now);
        if let Some(watch) = &self.watch {
            let (work, time) = (since > before, now > since.max(before));
            watch.spans_ended(&self.timeline, usize::from(work) + usize::from(time));
        }
        self.check_at(phase, What::Read, now).map(|_| ())
    }

    /// Records a wait, with the work before it.
    fn record_wait(
        &mut self,
        phase: Phase,
        what: What,
        started: Tick,
        ended: Tick,
        in_force: Option<(Tick, Limit)>,
        end: SpanEnd,
    ) {
        let before = self.timeline.ended();
        self.timeline.record_wait(phase, what, started, ended, in_force, end);
        if let Some(watch) = &self.watch {
            watch.spans_ended(&self.timeline, 1 + usize::from(started > before));
        }
    }

    /// Records a wait that was over before it could begin.
    pub(crate) fn record_instant(
        &mut self,
        phase: Phase,
        what: What,
        now: Tick,
        in_force: Option<(Tick, Limit)>,
        end: SpanEnd,
    ) {
        if let Some(watch) = &self.watch {
            watch.span_started(&self.timeline, phase, what, now, in_force);
        }
        self.record_wait(phase, what, now, now, in_force, end);
    }

    /// What is left until the earliest deadline, at most `most`.
    pub(crate) fn within(&self, now: Tick, most: Duration) -> Tick {
        let cap = now.after(most);
        self.deadlines.earliest().map_or(cap, |(deadline, _)| deadline.min(cap))
    }
}

/// The limit that a wait in `phase` arms afresh. Dialogues before the exchange have their own.
const fn each_wait(phase: Phase) -> Option<Limit> {
    match phase {
        Phase::Send | Phase::Upload => Some(Limit::Write),
        Phase::FirstByte | Phase::Head | Phase::Body => Some(Limit::Read),
        _ => None,
    }
}

/// The failure of a wait is one of what was being done.
fn cannot_wait(phase: Phase, error: std::io::Error) -> Box<Failure> {
    let kind = match phase {
        Phase::Pool | Phase::Connect => ErrorKind::Connect,
        Phase::Resolve => ErrorKind::Resolve,
        Phase::Tunnel => ErrorKind::Proxy,
        Phase::Tls => ErrorKind::Tls,
        Phase::Send | Phase::Upload | Phase::Continue => ErrorKind::Send,
        _ => ErrorKind::Receive,
    };
    Failure::from_error(kind, "the system cannot wait for the socket", error)
}
