//! [`Call`]: what walks through all rooms with a request: armed deadlines, timeline and world.

use crate::cancel::CancelHandle;
use crate::error::{Error, ErrorKind, Failure, Outcome};
use crate::observe::{self, Observers, Watch};
use crate::world::{Interest, Woke, World};
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;
use waterclock_proto::limit::{Deadlines, Limit, Limits};
use waterclock_proto::message::Version;
use waterclock_proto::retry::{Attempted, Decision, Failed, Retry, RetryState};
use waterclock_proto::screen;
use waterclock_proto::tick::Tick;
use waterclock_proto::timeline::{
    Fired, Hop, HopReason, Phase, RequestLine, RequestSent, SpanEnd, Timeline, What,
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

    /// The instant that a limit is armed to.
    pub(crate) fn deadline(&self, limit: Limit) -> Option<Tick> {
        self.deadlines.get(limit)
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
        let woke = if until <= started { Ok(Woke::Expired) } else { self.block(interests, until) };
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
    fn block(&self, interests: &mut [Interest<'_>], until: Tick) -> Outcome<Woke> {
        let Some(cancel) = &self.cancel else { return self.block_through(interests, until) };
        let signal = cancel.signal(&*self.world).map_err(cannot_wait)?;
        let mut all = interests.to_vec();
        all.push(Interest::read(signal.source()));
        let woke = self.block_through(&mut all, until)?;
        if cancel.is_cancelled() {
            return Err(Failure::cancelled());
        }
        for (interest, waited) in interests.iter_mut().zip(&all) {
            interest.ready = waited.ready;
        }
        Ok(woke)
    }

    fn block_through(&self, interests: &mut [Interest<'_>], until: Tick) -> Outcome<Woke> {
        loop {
            match self.world.wait(interests, until).map_err(cannot_wait)? {
                Woke::Interrupted => {
                    let go_on = self.interrupted.as_ref().is_none_or(|hook| hook().is_continue());
                    if !go_on {
                        return Err(Failure::cancelled());
                    }
                }
                woke => return Ok(woke),
            }
        }
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

    /// Reads from a source that is not the peer: its time is the caller's. A limit that has passed
    /// meanwhile comes first, as a source may have given up because the call is over.
    pub(crate) fn read_source(
        &mut self,
        source: &mut dyn Read,
        out: &mut [u8],
        phase: Phase,
    ) -> Outcome<io::Result<usize>> {
        let since = self.now();
        let result = loop {
            match source.read(out) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break result,
            }
        };
        self.caller_time(What::Source, since, phase)?;
        Ok(result)
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

    /// Waits for `duration`, for adapters that have no socket to wait for: a mock, a rate limit.
    ///
    /// It is a wait like any other. It is recorded as `phase`, and the limits that govern this phase
    /// go on in it: `first_byte`, `head` and `read` in [`Phase::FirstByte`], `connect` and `address`
    /// in [`Phase::Connect`], and `attempt` and `total` always. Limits begin with the first pause
    /// that they govern and stop when a later phase is entered. From [`Phase::FirstByte`] on the
    /// request counts as sent ([`Error::request_sent`]), which keeps a POST from being retried.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::time::Duration;
    /// use waterclock::{Adapter, Call, Error, Limit, Limits, Phase, PreparedRequest, Response, Session};
    ///
    /// struct Slow;
    ///
    /// impl Adapter for Slow {
    ///     fn send(&self, request: &mut PreparedRequest, mut call: Call) -> Result<Response, Error> {
    ///         call.pause(Phase::FirstByte, Duration::from_secs(60))?;
    ///         Response::builder(request, call).body("at last")
    ///     }
    /// }
    ///
    /// let limits = Limits::builder().first_byte(Duration::from_millis(5)).build();
    /// let session = Session::builder().limits(limits).mount("slow://", Arc::new(Slow)).build()?;
    /// let error = session.get("slow://any/").send().unwrap_err();
    /// assert_eq!(error.limit(), Some(Limit::FirstByte));
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// A limit that fires, or the call is cancelled. The adapter returns it as it is.
    pub fn pause(&mut self, phase: Phase, duration: Duration) -> Result<(), Error> {
        self.pause_in(phase, duration).map_err(|failure| self.error(failure))
    }

    pub(crate) fn pause_in(&mut self, phase: Phase, duration: Duration) -> Outcome<()> {
        let now = self.reach(phase)?;
        if duration.is_zero() {
            return Ok(());
        }
        self.wait_until(phase, What::Answer, &mut [], now.after(duration)).map(drop)
    }

    /// An adapter without sockets gets to `phase`: limits of other phases stop, its own begin.
    pub(crate) fn reach(&mut self, phase: Phase) -> Outcome<Tick> {
        let now = self.check(phase, What::Answer)?;
        let governing = governing(phase);
        for limit in STEPS {
            if !governing.contains(&limit) {
                self.deadlines.disarm(limit);
            } else if self.deadlines.get(limit).is_none() {
                self.arm(limit, now);
            }
        }
        match phase {
            Phase::Upload | Phase::Continue if self.timeline.request_sent() == RequestSent::No => {
                self.timeline.set_request_sent(RequestSent::Partly);
            }
            Phase::FirstByte | Phase::Head | Phase::Body => {
                self.timeline.set_request_sent(RequestSent::Yes);
                if let Some(hop) = self.timeline.hop_mut() {
                    hop.sent.get_or_insert(now);
                }
            }
            _ => {}
        }
        Ok(now)
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
        Error::new(failure, Some(std::mem::replace(&mut self.timeline, spent)))
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
        Error::new(failure, Some(self.timeline.clone()))
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

    /// What is left until the earliest deadline, at most `most`.
    pub(crate) fn within(&self, now: Tick, most: Duration) -> Tick {
        let cap = now.after(most);
        self.deadlines.earliest().map_or(cap, |(deadline, _)| deadline.min(cap))
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

/// The limit that a wait in `phase` arms afresh. Dialogues before the exchange have their own.
const fn each_wait(phase: Phase) -> Option<Limit> {
    match phase {
        Phase::Send | Phase::Upload => Some(Limit::Write),
        Phase::FirstByte | Phase::Head | Phase::Body => Some(Limit::Read),
        _ => None,
    }
}

/// The limits that begin and end with steps of an exchange; `read` and `write` do with each wait.
const STEPS: [Limit; 10] = [
    Limit::Pool,
    Limit::Resolve,
    Limit::Connect,
    Limit::Address,
    Limit::Tunnel,
    Limit::Tls,
    Limit::Upload,
    Limit::FirstByte,
    Limit::Head,
    Limit::Body,
];

/// Those of [`STEPS`] that go on in `phase`.
const fn governing(phase: Phase) -> &'static [Limit] {
    match phase {
        Phase::Pool => &[Limit::Pool],
        Phase::Resolve => &[Limit::Connect, Limit::Resolve],
        Phase::Connect => &[Limit::Connect, Limit::Address],
        Phase::Tunnel => &[Limit::Connect, Limit::Tunnel],
        Phase::Tls => &[Limit::Connect, Limit::Tls],
        Phase::Upload => &[Limit::Upload],
        Phase::FirstByte => &[Limit::FirstByte, Limit::Head],
        Phase::Head => &[Limit::Head],
        Phase::Body => &[Limit::Body],
        _ => &[],
    }
}

fn cannot_wait(error: std::io::Error) -> Box<Failure> {
    Failure::from_error(ErrorKind::Receive, "the system cannot wait for the socket", error)
}
