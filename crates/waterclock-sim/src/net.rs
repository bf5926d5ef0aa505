//! The network's state: the clock, the queue of what will happen, and what each event does.
//!
//! One lock guards it. Code of a test (peers, callbacks, answers) never runs under the lock; see
//! [`Work`].

use crate::connection::{Conn, End, Phase};
use crate::host::{Name, Place};
use crate::peer::{Action, Peer, Wire};
use crate::record::{Subject, WaitRecord};
use crate::world::SimWorld;
use std::collections::{BTreeMap, HashMap};
use std::io::ErrorKind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, SystemTime};
use waterclock::world::{Answer, Endpoint, Interest, LookupResult, Source};
use waterclock_proto::tick::Tick;

pub(crate) type Id = u64;
pub(crate) type SharedNet = Arc<Mutex<Net>>;

pub(crate) fn lock(net: &SharedNet) -> MutexGuard<'_, Net> {
    net.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A call that a test planned.
pub(crate) type Planned = Box<dyn FnOnce(&SimWorld) + Send>;

/// What will happen.
pub(crate) enum Event {
    At(Id, ConnEvent),
    Answer(Answer, LookupResult),
    Planned(Planned),
    Interrupt,
}

/// What will happen to one connection.
pub(crate) enum ConnEvent {
    /// The client's connect is answered.
    Answered(Result<(), ErrorKind>),
    /// The peer begins.
    Accepted,
    /// Bytes arrive at the peer.
    AtPeer(Vec<u8>),
    /// The peer learns that the client has gone.
    Gone,
    /// The peer's timer.
    Wake,
    /// Bytes arrive at the client.
    AtClient(Vec<u8>),
    /// The end or a reset arrives at the client.
    Ends(End),
    /// The client learns that the peer has taken bytes.
    Window(usize),
}

/// What an event leaves to be done outside the lock.
pub(crate) enum Work {
    Nothing,
    Poll(Id, Box<dyn Peer>, Wire),
    Answer(Answer, LookupResult),
    Planned(Planned),
    Interrupt,
}

/// What a wait finds when nothing is ready at this instant.
pub(crate) enum Jump {
    /// Something happens at the instant that it is now.
    Event,
    /// `until` has come.
    Expired,
    /// Nothing will ever happen.
    Deadlock,
}

pub(crate) struct Net {
    pub(crate) now: Tick,
    /// What the calendar said at tick zero.
    pub(crate) wall_at_zero: SystemTime,
    pub(crate) random: u64,
    pub(crate) names: BTreeMap<String, Name>,
    pub(crate) lookups: Vec<String>,
    /// Lookups that are never answered: an answer that is dropped would be one.
    pub(crate) unanswered: Vec<(String, Answer)>,
    pub(crate) places: HashMap<Endpoint, Place>,
    pub(crate) connections: BTreeMap<Id, Conn>,
    pub(crate) signals: BTreeMap<Id, Weak<AtomicBool>>,
    pub(crate) waits: Vec<WaitRecord>,
    /// Ordered by instant, then by when they were planned.
    events: BTreeMap<(Tick, u64), Event>,
    planned: u64,
    ids: Id,
}

impl Net {
    pub(crate) fn new(seed: u64, wall: SystemTime) -> Self {
        Net {
            now: Tick::ZERO,
            wall_at_zero: wall,
            random: seed,
            names: BTreeMap::new(),
            lookups: Vec::new(),
            unanswered: Vec::new(),
            places: HashMap::new(),
            connections: BTreeMap::new(),
            signals: BTreeMap::new(),
            waits: Vec::new(),
            events: BTreeMap::new(),
            planned: 0,
            ids: 0,
        }
    }

    pub(crate) fn new_id(&mut self) -> Id {
        self.ids += 1;
        self.ids
    }

    /// Plans `event`. What is planned for the past happens now; what is planned for never, never.
    pub(crate) fn plan(&mut self, at: Tick, event: Event) {
        if !at.is_never() {
            self.planned += 1;
            self.events.insert((at.max(self.now), self.planned), event);
        }
    }

    /// Plans something that takes one trip over the connection's wire.
    fn send(&mut self, id: Id, event: ConnEvent) {
        if let Some(conn) = self.connections.get(&id) {
            let at = self.now.after(conn.latency);
            self.plan(at, Event::At(id, event));
        }
    }

    pub(crate) fn write_to_peer(&mut self, id: Id, bytes: Vec<u8>) {
        self.send(id, ConnEvent::AtPeer(bytes));
    }

    pub(crate) fn drop_socket(&mut self, id: Id) {
        let now = self.now;
        if let Some(conn) = self.connections.get_mut(&id) {
            conn.dropped.get_or_insert(now);
            conn.inbound.clear();
        }
        self.send(id, ConnEvent::Gone);
    }

    /// The connect is answered after a round trip and `delay`.
    pub(crate) fn plan_connect(&mut self, id: Id, delay: Duration, answer: Result<(), ErrorKind>) {
        if let Some(conn) = self.connections.get(&id) {
            let at = self.now.after(conn.latency).after(conn.latency).after(delay);
            self.plan(at, Event::At(id, ConnEvent::Answered(answer)));
        }
    }

    pub(crate) fn establish(&mut self, id: Id) {
        let now = self.now;
        if let Some(conn) = self.connections.get_mut(&id) {
            conn.phase = Phase::Open;
            conn.connected = Some(now);
        }
        self.send(id, ConnEvent::Accepted);
    }

    /// Moves the clock to the next event, or to `until` if that comes first.
    pub(crate) fn jump(&mut self, until: Tick) -> Jump {
        match self.events.first_key_value() {
            Some((&(at, _), _)) if at <= until => {
                self.now = self.now.max(at);
                Jump::Event
            }
            None if until.is_never() => Jump::Deadlock,
            _ => {
                self.now = self.now.max(until);
                Jump::Expired
            }
        }
    }

    /// Does the next thing that happens at this instant; `None` if nothing does.
    pub(crate) fn step(&mut self) -> Option<Work> {
        let next = self.events.first_entry()?;
        if next.key().0 > self.now {
            return None;
        }
        Some(match next.remove() {
            Event::At(id, event) => self.happen(id, event),
            Event::Answer(answer, result) => Work::Answer(answer, result),
            Event::Planned(call) => Work::Planned(call),
            Event::Interrupt => Work::Interrupt,
        })
    }

    fn happen(&mut self, id: Id, event: ConnEvent) -> Work {
        let now = self.now;
        let Some(conn) = self.connections.get_mut(&id) else { return Work::Nothing };
        match event {
            ConnEvent::Answered(_) if conn.dropped.is_some() => {}
            ConnEvent::Answered(Ok(())) => self.establish(id),
            ConnEvent::Answered(Err(kind)) => conn.phase = Phase::Failed(kind),
            ConnEvent::AtPeer(_) if conn.peer.is_none() => {
                // Nobody is there any more: the host answers with a reset.
                self.send(id, ConnEvent::Ends(End::Reset));
            }
            ConnEvent::AtPeer(bytes) => {
                conn.received.extend_from_slice(&bytes);
                conn.wire.feed(&bytes);
                return self.poll(id);
            }
            ConnEvent::Gone if conn.connected.is_none() => conn.peer = None,
            ConnEvent::Gone => {
                conn.wire.ended = true;
                return self.poll(id);
            }
            ConnEvent::Accepted => return self.poll(id),
            ConnEvent::Wake => {
                conn.wakes.remove(&now);
                return self.poll(id);
            }
            ConnEvent::AtClient(bytes) if conn.dropped.is_none() => conn.inbound.extend(bytes),
            ConnEvent::AtClient(_) => {}
            ConnEvent::Ends(End::Fin) => {
                conn.end.get_or_insert(End::Fin);
            }
            ConnEvent::Ends(End::Reset) => conn.on_reset(),
            ConnEvent::Window(bytes) => conn.credit = conn.credit.map(|credit| credit + bytes),
        }
        Work::Nothing
    }

    /// Takes the peer out, to be polled outside the lock.
    fn poll(&mut self, id: Id) -> Work {
        let now = self.now;
        let Some(conn) = self.connections.get_mut(&id) else { return Work::Nothing };
        let Some(peer) = conn.peer.take() else { return Work::Nothing };
        let mut wire = std::mem::replace(&mut conn.wire, Wire::new());
        wire.now = now;
        Work::Poll(id, peer, wire)
    }

    /// Puts a polled peer back and does what it asked for.
    pub(crate) fn polled(&mut self, id: Id, peer: Box<dyn Peer>, mut wire: Wire) {
        let consumed = wire.take_consumed();
        let mut peer = (!wire.ended).then_some(peer);
        let actions = wire.take_actions();
        let Some(conn) = self.connections.get_mut(&id) else { return };
        conn.wire = wire;
        if consumed > 0 && conn.credit.is_some() {
            self.send(id, ConnEvent::Window(consumed));
        }
        for action in actions {
            if peer.is_none() {
                break;
            }
            match action {
                Action::Send(bytes) => self.send(id, ConnEvent::AtClient(bytes)),
                Action::Close => {
                    self.send(id, ConnEvent::Ends(End::Fin));
                    peer = None;
                }
                Action::Reset => {
                    self.send(id, ConnEvent::Ends(End::Reset));
                    peer = None;
                }
                Action::Wake(at) => self.plan_wake(id, at),
            }
        }
        if let Some(conn) = self.connections.get_mut(&id) {
            conn.peer = peer;
        }
    }

    fn plan_wake(&mut self, id: Id, at: Tick) {
        let at = at.max(self.now);
        let Some(conn) = self.connections.get_mut(&id) else { return };
        if conn.wakes.insert(at) {
            self.plan(at, Event::At(id, ConnEvent::Wake));
        }
    }

    /// Whether `interest` is ready; `None` if it is not of this world.
    pub(crate) fn is_ready(&self, interest: &Interest<'_>) -> Option<bool> {
        let Source::Virtual(id, _) = interest.source else { return None };
        if let Some(conn) = self.connections.get(&id) {
            let ready = (interest.read && conn.readable()) || (interest.write && conn.writable());
            return Some(ready || conn.failed());
        }
        let flag = self.signals.get(&id)?.upgrade()?;
        Some(interest.read && flag.load(Ordering::SeqCst))
    }

    /// What `source` is called.
    pub(crate) fn subject(&self, source: Source<'_>) -> Option<Subject> {
        let Source::Virtual(id, _) = source else { return None };
        Some(match self.connections.get(&id) {
            Some(conn) => Subject::Connection(conn.to.clone(), conn.number),
            None => Subject::Signal(id),
        })
    }

    /// Why nothing will ever happen, in words.
    pub(crate) fn describe_deadlock(&self, interests: &[Interest<'_>]) -> String {
        let mut text = format!(
            "deadlock at {:?}: this wait has no deadline, and nothing is left to happen.\nIt waits for:",
            self.now.since(Tick::ZERO)
        );
        for interest in interests {
            let what = match (interest.read, interest.write) {
                (true, true) => "to read or write",
                (false, true) => "to write",
                _ => "to read",
            };
            let subject = self.subject(interest.source).map_or_else(String::new, |s| s.to_string());
            text += &format!("\n  {subject}, {what}");
        }
        if interests.is_empty() {
            text += "\n  nothing";
        }
        text += "\nOpen connections:";
        for conn in self.connections.values().filter(|conn| conn.dropped.is_none()) {
            text += &format!("\n  {}, connection {}: {}", conn.to, conn.number, conn.describe());
        }
        for (name, _) in &self.unanswered {
            text += &format!("\nThe lookup of {name} is never answered.");
        }
        text
    }
}
