//! Writing a timeline while the call runs. No clock is read here and, up to the folding threshold,
//! nothing is allocated per span.

use super::{
    Attempt, AttemptEnd, ConnectionUse, Fired, Hop, Phase, RequestSent, Run, Span, SpanEnd,
    Timeline, What,
};
use crate::limit::{Limit, Limits};
use crate::tick::Tick;
use smallvec::SmallVec;

/// Most calls need no more spans than this, so no more than one allocation.
const USUAL_SPANS: usize = 8;
/// The number of hops, attempts and folds is bounded by limits elsewhere; the index type is not.
pub(super) const MOST: usize = u16::MAX as usize - 1;

impl Timeline {
    /// A timeline of a call that begins now.
    #[must_use]
    pub fn new(started: Tick, limits: Limits) -> Self {
        Timeline {
            started,
            at: started,
            finished: false,
            limits,
            spans: Vec::with_capacity(USUAL_SPANS),
            folds: Vec::new(),
            run: Run::default(),
            hops: SmallVec::new(),
            attempts: Vec::new(),
            loose_bytes: 0,
            request_sent: RequestSent::No,
            fired: None,
            notes: Vec::new(),
        }
    }

    /// Adds a sentence to the verdict.
    pub fn note(&mut self, sentence: impl Into<Box<str>>) {
        self.notes.push(sentence.into());
    }

    /// Begins a hop. Work since the last span belongs to the hop before it.
    pub fn begin_hop(&mut self, hop: Hop) {
        if !self.hops.is_empty() {
            self.work_until(hop.started);
        }
        self.request_sent = RequestSent::No;
        if self.hops.len() < MOST {
            self.hops.push(hop);
        }
    }

    /// The hop that is running.
    pub fn hop_mut(&mut self) -> Option<&mut Hop> {
        self.hops.last_mut()
    }

    /// Notes the connection of the running hop.
    pub fn use_connection(&mut self, connection: ConnectionUse) {
        if let Some(hop) = self.hops.last_mut() {
            hop.connection = Some(connection);
        }
    }

    /// Notes how much of the request has left.
    pub fn set_request_sent(&mut self, sent: RequestSent) {
        self.request_sent = sent;
    }

    /// Records a wait. Time since the last span becomes a `local` span before it.
    pub fn record_wait(
        &mut self,
        phase: Phase,
        what: What,
        started: Tick,
        ended: Tick,
        in_force: Option<(Tick, Limit)>,
        end: SpanEnd,
    ) {
        self.work_until(started);
        let (deadline, limit) = match in_force {
            Some((deadline, limit)) => (deadline, Some(limit)),
            None => (Tick::NEVER, None),
        };
        self.push(phase, what, ended, deadline, limit, end);
    }

    /// Records the caller's own time, from the end of the last span, or `started` if that is later.
    pub fn record_caller(&mut self, what: What, started: Tick, ended: Tick) {
        self.work_until(started);
        if ended > self.at {
            self.push(Phase::Caller, what, ended, Tick::NEVER, None, SpanEnd::Done);
        }
    }

    /// Counts bytes that were moved in `phase`: to the wait that made it possible, else to the work
    /// going on.
    pub fn add_bytes(&mut self, phase: Phase, bytes: u64) {
        match self.spans.last_mut() {
            Some(last)
                if last.end == SpanEnd::Ready && direction(last.phase) == direction(phase) =>
            {
                last.bytes += bytes;
            }
            _ => self.loose_bytes += bytes,
        }
    }

    /// Notes that `fired` ended the call.
    pub fn set_fired(&mut self, fired: Fired) {
        self.fired = Some(fired);
    }

    /// The limit that fired did not end the call: another hop follows.
    pub fn clear_fired(&mut self) {
        self.fired = None;
    }

    /// Ends the running hop.
    pub fn end_hop(&mut self, now: Tick) {
        if let Some(hop) = self.hops.last_mut() {
            hop.ended.get_or_insert(now);
        }
    }

    /// Ends the call. Later calls change nothing.
    pub fn finish(&mut self, now: Tick) {
        if !self.finished {
            self.work_until(now);
            self.end_hop(now);
            self.finished = true;
        }
    }

    /// Begins a connect attempt and gives its index.
    pub fn begin_attempt(&mut self, peer: Box<str>, now: Tick) -> u16 {
        if self.attempts.len() < MOST {
            let hop = self.hop_index();
            self.attempts.push(Attempt {
                hop,
                peer,
                started: now,
                ended: None,
                end: AttemptEnd::Pending,
            });
        }
        index(self.attempts.len().saturating_sub(1))
    }

    /// Ends a connect attempt.
    pub fn end_attempt(&mut self, attempt: u16, now: Tick, end: AttemptEnd) {
        let attempt = self.attempts.get_mut(usize::from(attempt));
        if let Some(attempt) = attempt.filter(|attempt| attempt.ended.is_none()) {
            attempt.ended = Some(now);
            attempt.end = end;
        }
    }

    /// Time since the last span was the engine's own work.
    fn work_until(&mut self, now: Tick) {
        if now > self.at {
            self.push(Phase::Local, What::Work, now, Tick::NEVER, None, SpanEnd::Done);
        }
    }

    fn hop_index(&self) -> u16 {
        index(self.hops.len().saturating_sub(1))
    }

    fn push(
        &mut self,
        phase: Phase,
        what: What,
        ended: Tick,
        deadline: Tick,
        limit: Option<Limit>,
        end: SpanEnd,
    ) {
        if self.finished {
            return;
        }
        let bytes = if phase == Phase::Local { std::mem::take(&mut self.loose_bytes) } else { 0 };
        // Spans tile: whatever the clock did, a span begins where the last one ended.
        let started = self.at;
        let ended = ended.max(started);
        let hop = self.hop_index();
        self.spans.push(Span { started, ended, bytes, deadline, limit, hop, phase, what, end });
        self.at = ended;
        self.fold();
    }
}

/// Waits that move bytes of the request, of the response, or of the dialogue before them.
fn direction(phase: Phase) -> Option<u8> {
    match phase {
        Phase::Send | Phase::Upload => Some(0),
        Phase::Continue | Phase::FirstByte | Phase::Head | Phase::Body => Some(1),
        Phase::Tunnel => Some(2),
        _ => None,
    }
}

/// Indexes are bounded by [`MOST`].
pub(super) fn index(position: usize) -> u16 {
    u16::try_from(position).unwrap_or(u16::MAX)
}

#[cfg(test)]
#[path = "record_tests.rs"]
mod tests;
