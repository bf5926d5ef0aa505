//! [`Race`]: which address to try, and when (Happy Eyeballs, RFC 8305), without sockets or clock.
//!
//! A name often has several addresses, and some of them may be dead. Attempts are started one after
//! the other, `delay` apart, without waiting for the earlier ones to fail; the first that connects
//! wins. A failure starts the next attempt at once (RFC 8305 §5).
//!
//! The caller opens and closes sockets; the race says which and when:
//!
//! ```
//! use std::time::Duration;
//! use waterclock_proto::race::{Due, Race, RaceSettings, Step};
//! use waterclock_proto::tick::Tick;
//!
//! let addresses = ["[2001:db8::1]:443", "192.0.2.1:443"].map(|a| a.parse().unwrap());
//! let mut race = Race::new(addresses, RaceSettings::default());
//!
//! let Step::Start(v6) = race.step(Tick::ZERO) else { panic!() };
//! assert!(race.address(v6).is_ipv6());
//!
//! // Nothing happens for 250 ms, so the second address joins in. It connects first.
//! let later = Tick::ZERO.after(Duration::from_millis(250));
//! assert_eq!(race.step(Tick::ZERO), Step::Wait { until: later, due: Due::Start });
//! let Step::Start(v4) = race.step(later) else { panic!() };
//! race.won(v4);
//! assert_eq!(race.running().collect::<Vec<_>>(), [v6]); // the loser, to be closed
//! ```

use crate::tick::Tick;
use std::net::SocketAddr;
use std::time::Duration;

/// How an address race is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RaceSettings {
    /// How long one attempt runs alone before the next one joins it: 250 ms, as RFC 8305 §8
    /// recommends.
    pub delay: Duration,
    /// The limit `address`: how long each attempt may take, counted from its own start.
    pub address_limit: Option<Duration>,
}

impl Default for RaceSettings {
    fn default() -> Self {
        RaceSettings { delay: Duration::from_millis(250), address_limit: None }
    }
}

/// One attempt to connect to one address: its place in the order of attempts, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttemptId(usize);

impl AttemptId {
    /// The place in the order of attempts, from 0; always below [`Race::MAX_ADDRESSES`].
    #[must_use]
    pub const fn index(self) -> usize {
        self.0
    }
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Begin to connect to [`Race::address`] of this attempt.
    Start(AttemptId),
    /// The limit `address` of this attempt has passed: close its socket. The others go on.
    Expired(AttemptId),
    /// Nothing to do before `until`; [`Tick::NEVER`] if only an answer can change anything.
    Wait {
        /// The next instant at which [`Race::step`] has something to say.
        until: Tick,
        /// What happens then.
        due: Due,
    },
    /// Every attempt has failed or expired, or there was no address at all.
    Lost,
}

/// What a [`Step::Wait`] waits for, apart from an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// The next address joins the race.
    Start,
    /// The limit `address` of this attempt passes.
    Expiry(AttemptId),
    /// Nothing: the last attempts run without a limit, or the race is won.
    Nothing,
}

/// How an attempt that did not win has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It failed: refused, unreachable or the like.
    Failed,
    /// The limit `address` passed, at this instant.
    Expired(Tick),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Pending,
    Running { expires: Tick },
    Ended(End),
    Won,
}

#[derive(Clone, Copy, Debug)]
struct Attempt {
    address: SocketAddr,
    state: State,
}

/// A race between the addresses of one host. See the [module](self) for an example.
#[derive(Clone, Debug)]
pub struct Race {
    attempts: Vec<Attempt>,
    settings: RaceSettings,
    /// How many attempts have been started; the order never changes.
    started: usize,
    /// The earliest instant at which the next attempt may start.
    next_start: Tick,
    last_end: Option<(AttemptId, End)>,
}

impl Race {
    /// At most this many addresses are tried; the rest of a longer list is ignored.
    pub const MAX_ADDRESSES: usize = 64;

    /// A race between `addresses`.
    ///
    /// The resolver's order (RFC 6724) is kept within each family, and the families alternate,
    /// beginning with that of the first address (RFC 8305 §4). Duplicates are dropped.
    pub fn new(addresses: impl IntoIterator<Item = SocketAddr>, settings: RaceSettings) -> Self {
        let attempts = interleave(addresses)
            .into_iter()
            .map(|address| Attempt { address, state: State::Pending })
            .collect();
        Race { attempts, settings, started: 0, next_start: Tick::ZERO, last_end: None }
    }

    /// What to do at `now`. Call it until it answers [`Step::Wait`] or [`Step::Lost`].
    ///
    /// Expiries come before starts, so no address limit is overrun in favour of a new attempt. To
    /// let a deadline win over an answer that arrived too late, step before handling answers.
    pub fn step(&mut self, now: Tick) -> Step {
        if self.winner().is_some() {
            return Step::Wait { until: Tick::NEVER, due: Due::Nothing };
        }
        let expiry = self.next_expiry();
        if let Some((id, at)) = expiry
            && at <= now
        {
            self.end(id, End::Expired(at), now);
            return Step::Expired(id);
        }
        if self.started < self.attempts.len() && self.next_start <= now {
            return Step::Start(self.start(now));
        }
        let expiry = expiry.map(|(id, at)| (at, Due::Expiry(id)));
        let start = (self.started < self.attempts.len()).then_some((self.next_start, Due::Start));
        match (expiry, start) {
            (Some((at, _)), Some((until, due))) if until < at => Step::Wait { until, due },
            (Some((until, due)), _) | (None, Some((until, due))) => Step::Wait { until, due },
            (None, None) if self.running().next().is_some() => {
                Step::Wait { until: Tick::NEVER, due: Due::Nothing }
            }
            (None, None) => Step::Lost,
        }
    }

    /// `attempt` has failed at `now`: the next one may start at once (RFC 8305 §5).
    ///
    /// Ignored for an attempt that is not running.
    pub fn failed(&mut self, attempt: AttemptId, now: Tick) {
        if self.is_running(attempt) {
            self.end(attempt, End::Failed, now);
        }
    }

    /// `attempt` is connected: nothing starts or expires any more, and whatever is still
    /// [`running`](Race::running) is to be closed.
    ///
    /// Ignored for an attempt that is not running, and for all but the first.
    pub fn won(&mut self, attempt: AttemptId) {
        if self.winner().is_none()
            && self.is_running(attempt)
            && let Some(attempt) = self.attempts.get_mut(attempt.0)
        {
            attempt.state = State::Won;
        }
    }

    /// The address of `attempt`.
    ///
    /// # Panics
    /// If `attempt` comes from another race with more addresses.
    #[must_use]
    pub fn address(&self, attempt: AttemptId) -> SocketAddr {
        self.attempts[attempt.0].address
    }

    /// All addresses, in the order of attempts.
    pub fn addresses(&self) -> impl ExactSizeIterator<Item = SocketAddr> + '_ {
        self.attempts.iter().map(|attempt| attempt.address)
    }

    /// The attempts that have been started and not ended, in order.
    pub fn running(&self) -> impl Iterator<Item = AttemptId> + '_ {
        self.ids().filter(|&id| self.is_running(id))
    }

    /// The attempt that won.
    #[must_use]
    pub fn winner(&self) -> Option<AttemptId> {
        self.ids().find(|id| self.attempts[id.0].state == State::Won)
    }

    /// How many attempts have been started.
    #[must_use]
    pub fn started(&self) -> usize {
        self.started
    }

    /// The instant at which the limit `address` of a running attempt passes; [`Tick::NEVER`] if it
    /// has none, `None` if it is not running.
    #[must_use]
    pub fn expires(&self, attempt: AttemptId) -> Option<Tick> {
        match self.attempts.get(attempt.0)?.state {
            State::Running { expires } => Some(expires),
            _ => None,
        }
    }

    /// How `attempt` ended, if it did without winning.
    #[must_use]
    pub fn end_of(&self, attempt: AttemptId) -> Option<End> {
        match self.attempts.get(attempt.0)?.state {
            State::Ended(end) => Some(end),
            _ => None,
        }
    }

    /// The attempt that ended last, and how. Of a lost race it is what ended it: an expiry means
    /// that the limit `address` fired, a failure that the host said no.
    #[must_use]
    pub fn last_end(&self) -> Option<(AttemptId, End)> {
        self.last_end
    }

    /// The latest expiry: the attempt and the instant its limit passed.
    #[must_use]
    pub fn last_expiry(&self) -> Option<(AttemptId, Tick)> {
        let expiry = |id| match self.end_of(id) {
            Some(End::Expired(at)) => Some((id, at)),
            _ => None,
        };
        self.ids().filter_map(expiry).max_by_key(|&(_, at)| at)
    }

    /// Whether there were addresses, and the limit `address` ended every one of them.
    #[must_use]
    pub fn all_expired(&self) -> bool {
        let expired = |a: &Attempt| matches!(a.state, State::Ended(End::Expired(_)));
        !self.attempts.is_empty() && self.attempts.iter().all(expired)
    }

    fn ids(&self) -> impl Iterator<Item = AttemptId> + use<> {
        (0..self.attempts.len()).map(AttemptId)
    }

    fn is_running(&self, id: AttemptId) -> bool {
        self.expires(id).is_some()
    }

    /// The earliest expiry of a running attempt, on a tie that of the first.
    fn next_expiry(&self) -> Option<(AttemptId, Tick)> {
        self.ids()
            .filter_map(|id| Some((id, self.expires(id)?)))
            .filter(|(_, at)| !at.is_never())
            .min_by_key(|&(_, at)| at)
    }

    fn start(&mut self, now: Tick) -> AttemptId {
        let id = AttemptId(self.started);
        let expires = self.settings.address_limit.map_or(Tick::NEVER, |limit| now.after(limit));
        self.attempts[id.0].state = State::Running { expires };
        self.started += 1;
        self.next_start = now.after(self.settings.delay);
        id
    }

    fn end(&mut self, id: AttemptId, end: End, now: Tick) {
        self.attempts[id.0].state = State::Ended(end);
        self.last_end = Some((id, end));
        self.next_start = self.next_start.min(now);
    }
}

/// Alternates the families and drops duplicates. Each family is cut before they are merged, so that
/// a long list of one cannot push out the other.
fn interleave(addresses: impl IntoIterator<Item = SocketAddr>) -> Vec<SocketAddr> {
    let (mut first, mut second): (Vec<SocketAddr>, Vec<SocketAddr>) = Default::default();
    for address in addresses {
        let same = first.first().is_none_or(|f| f.is_ipv6() == address.is_ipv6());
        let family = if same { &mut first } else { &mut second };
        if family.len() < Race::MAX_ADDRESSES && !family.contains(&address) {
            family.push(address);
        }
    }
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    let mut merged = Vec::new();
    while merged.len() < Race::MAX_ADDRESSES {
        let before = merged.len();
        merged.extend(first.next());
        merged.extend(second.next());
        if merged.len() == before {
            break;
        }
    }
    merged
}

#[cfg(test)]
mod tests;
