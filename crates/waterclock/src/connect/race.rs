//! The address race, on real sockets: [`Race`] decides, this opens, waits and closes.

use super::cannot_connect;
use crate::call::Call;
use crate::error::{ErrorKind, Failure, Outcome};
use crate::world::{Endpoint, Interest, Socket, SocketOptions};
use std::io;
use std::net::SocketAddr;
use waterclock_proto::limit::Limit;
use waterclock_proto::race::{AttemptId, Due, End, Race, RaceSettings, Step};
use waterclock_proto::tick::Tick;
use waterclock_proto::timeline::{AttemptEnd, Fired, Phase, SpanEnd, What};

/// Connects to one of `addresses`, which are those of `host`.
pub(super) fn connect(
    call: &mut Call,
    socket: &SocketOptions,
    host: &str,
    addresses: Vec<SocketAddr>,
) -> Outcome<Box<dyn Socket>> {
    let address_limit = call.limits().get(Limit::Address);
    let race = Race::new(addresses, RaceSettings { address_limit, ..RaceSettings::default() });
    Runner { call, socket, race, running: Vec::new(), last_error: None }.run(host)
}

struct Runner<'a> {
    call: &'a mut Call,
    socket: &'a SocketOptions,
    race: Race,
    running: Vec<Running>,
    last_error: Option<io::Error>,
}

struct Running {
    id: AttemptId,
    /// Its index on the timeline.
    attempt: u16,
    socket: Box<dyn Socket>,
}

impl Runner<'_> {
    fn run(mut self, host: &str) -> Outcome<Box<dyn Socket>> {
        loop {
            let now = self.call.check(Phase::Connect, self.newest())?;
            match self.race.step(now) {
                Step::Start(id) => {
                    if let Some(socket) = self.start(id, now) {
                        return Ok(self.won(socket));
                    }
                }
                Step::Expired(id) => self.end(id, now, AttemptEnd::Expired),
                Step::Wait { until, due } => {
                    if let Some(socket) = self.wait(until, due)? {
                        return Ok(self.won(socket));
                    }
                }
                Step::Lost => return Err(self.lost(host, now)),
            }
        }
    }

    fn newest(&self) -> What {
        self.running.last().map_or(What::Answer, |running| What::Connect(running.attempt))
    }

    fn start(&mut self, id: AttemptId, now: Tick) -> Option<Box<dyn Socket>> {
        let address = self.race.address(id);
        let peer = address.to_string().into();
        let attempt = self.call.timeline_mut().begin_attempt(peer, now);
        match self.call.world().open(&Endpoint::Tcp(address), self.socket) {
            Ok(opened) => {
                self.running.push(Running { id, attempt, socket: opened.socket });
                opened.connected.then(|| self.connected(id)).flatten()
            }
            Err(error) => {
                let end = AttemptEnd::Failed(error.to_string().into());
                self.call.timeline_mut().end_attempt(attempt, now, end);
                self.race.failed(id, now);
                self.last_error = Some(error);
                None
            }
        }
    }

    /// Waits for any of the running attempts, or for what the race has in mind at `until`.
    fn wait(&mut self, until: Tick, due: Due) -> Outcome<Option<Box<dyn Socket>>> {
        let what = self.newest();
        let mut interests: Vec<_> =
            self.running.iter().map(|running| Interest::write(running.socket.source())).collect();
        // The limit `address` ends the call only if it ends the last attempt; else the race goes on.
        let expiries = self.running.iter().filter_map(|running| self.race.expires(running.id));
        let expiry = expiries.min().unwrap_or(Tick::NEVER);
        if expiry > until || (matches!(due, Due::Expiry(_)) && self.is_last()) {
            self.call.arm_at(Limit::Address, expiry);
        }
        let waited = self.call.wait_until(Phase::Connect, what, &mut interests, until);
        let (running, ends) = (self.running.iter(), interests.iter());
        let ready: Vec<_> = running
            .zip(ends)
            .filter(|(_, end)| end.ready)
            .map(|(running, end)| (running.id, end.sound))
            .collect();
        drop(interests);
        self.call.disarm(&[Limit::Address]);
        if let Err(failure) = waited {
            self.stopped(&failure);
            return Err(failure);
        }
        let now = self.call.now();
        for (id, sound) in ready {
            let Some(running) = self.running.iter_mut().find(|running| running.id == id) else {
                continue;
            };
            match if sound { Ok(()) } else { running.socket.connected() } {
                Ok(()) => return Ok(self.connected(id)),
                Err(error) => {
                    self.end(id, now, AttemptEnd::Failed(error.to_string().into()));
                    self.race.failed(id, now);
                    self.last_error = Some(error);
                }
            }
        }
        Ok(None)
    }

    /// Whether nobody is left but one running attempt.
    fn is_last(&self) -> bool {
        self.running.len() == 1 && self.race.started() == self.race.addresses().len()
    }

    fn connected(&mut self, id: AttemptId) -> Option<Box<dyn Socket>> {
        let index = self.running.iter().position(|running| running.id == id)?;
        let running = self.running.swap_remove(index);
        let now = self.call.now();
        self.call.timeline_mut().end_attempt(running.attempt, now, AttemptEnd::Connected);
        self.race.won(id);
        Some(running.socket)
    }

    fn won(&mut self, socket: Box<dyn Socket>) -> Box<dyn Socket> {
        self.give_up();
        socket
    }

    /// The call ends while attempts are running: none of them lost against a faster one.
    fn stopped(&mut self, failure: &Failure) {
        let expired = failure.fired.is_some_and(|fired| fired.limit == Limit::Address);
        let now = self.call.now();
        for running in self.running.drain(..).filter(|_| expired) {
            self.call.timeline_mut().end_attempt(running.attempt, now, AttemptEnd::Expired);
        }
    }

    /// Closes what is still running.
    fn give_up(&mut self) {
        let now = self.call.now();
        for running in self.running.drain(..) {
            self.call.timeline_mut().end_attempt(running.attempt, now, AttemptEnd::Abandoned);
        }
    }

    fn end(&mut self, id: AttemptId, now: Tick, end: AttemptEnd) {
        if let Some(index) = self.running.iter().position(|running| running.id == id) {
            let running = self.running.swap_remove(index);
            self.call.timeline_mut().end_attempt(running.attempt, now, end);
        }
    }

    /// Every address has failed; what ended the race is what is reported.
    fn lost(&mut self, host: &str, now: Tick) -> Box<Failure> {
        if let Some((_, End::Expired(deadline))) = self.race.last_end() {
            let (limit, phase) = (Limit::Address, Phase::Connect);
            // No wait ended with it: the limit was over before one could begin.
            let in_force = Some((deadline, limit));
            let end = SpanEnd::Expired;
            self.call.record_instant(phase, What::Answer, now, in_force, end);
            return self.call.fired(Fired { limit, phase, deadline, noticed: now });
        }
        match self.last_error.take() {
            Some(error) => cannot_connect(host, error),
            None => {
                Failure::new(ErrorKind::Connect, format!("{host} has no address to connect to"))
            }
        }
    }
}
