//! What adapters of users' have of a [`Call`]: pauses, and the reading of a source.

use super::Call;
use crate::error::{Error, Outcome};
use std::io::{self, Read};
use std::time::Duration;
use waterclock_proto::limit::Limit;
use waterclock_proto::retry;
use waterclock_proto::tick::Tick;
use waterclock_proto::timeline::{HopReason, Phase, RequestSent, What};

impl Call {
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

    /// Waits before another try, as a `backoff` span under the limit `total`. `false`, at once and with a
    /// sentence on the timeline, if the pause would not end before that limit.
    ///
    /// # Errors
    /// As [`pause`](Self::pause).
    pub fn back_off(&mut self, delay: Duration) -> Result<bool, Error> {
        self.again(HopReason::Retry);
        let now = self.latest();
        let left = self.deadline(Limit::Total).map(|deadline| deadline.since(now));
        if let Err(refused) = retry::fits(delay, left) {
            self.timeline.note(format!("It was not sent again: {refused} of the limit total."));
            return Ok(false);
        }
        self.pause(Phase::Backoff, delay).map(|()| true)
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
