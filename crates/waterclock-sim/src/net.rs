//! The network's state: the clock, the queue of what will happen, and what each event does.
//!
//! One lock guards it. Code of a test (peers, callbacks, answers) never runs under the lock; see
//! [`Work`].

use crate::backlog::Crowd;
use crate::chance::Chance;
use crate::connection::{Conn, End, Phase, Seat};
use crate::crew::{Crew, Want};
use crate::host::{Name, Place};
use crate::link::Direction;
use crate::peer::{Action, Peer, Wire};
use crate::record::{Subject, WaitRecord};
use crate::world::SimWorld;
use std::collections::{BTreeMap, HashMap};
use std::io::ErrorKind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, SystemTime};
use waterclock::world::{Answer, Endpoint, LookupResult};
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
    /// The client asks to be connected, for the so many-th time.
    Syn(u32),
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
    /// Somebody between them has reset the connection, as the peer sees it.
    Cut,
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
    /// What the client draws.
    pub(crate) random: Chance,
    /// What the network draws: jitter, short reads and writes.
    pub(crate) chance: Chance,
    pub(crate) names: BTreeMap<String, Name>,
    pub(crate) lookups: Vec<String>,
    /// Lookups that are never answered: an answer that is dropped would be one.
    pub(crate) unanswered: Vec<(String, Answer)>,
    pub(crate) places: HashMap<Endpoint, Place>,
    pub(crate) crowds: HashMap<Endpoint, Crowd>,
    pub(crate) connections: BTreeMap<Id, Conn>,
    pub(crate) signals: BTreeMap<Id, Weak<AtomicBool>>,
    pub(crate) waits: Vec<WaitRecord>,
    pub(crate) crew: Crew,
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
            random: Chance::new(seed),
            chance: Chance::new(!seed),
            names: BTreeMap::new(),
            lookups: Vec::new(),
            unanswered: Vec::new(),
            places: HashMap::new(),
            crowds: HashMap::new(),
            connections: BTreeMap::new(),
            signals: BTreeMap::new(),
            waits: Vec::new(),
            crew: Crew::new(seed),
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

    /// Plans something without bytes that takes one trip over the connection's link.
    pub(crate) fn send(&mut self, id: Id, event: ConnEvent) {
        let Some(conn) = self.connections.get_mut(&id) else { return };
        let [to_peer, to_client] = &mut conn.lanes;
        let (lane, greets) = match event {
            ConnEvent::Syn(_) | ConnEvent::Accepted => (to_peer, true),
            ConnEvent::Answered(_) => (to_client, true),
            ConnEvent::AtPeer(_) | ConnEvent::Gone | ConnEvent::Wake | ConnEvent::Cut => {
                (to_peer, false)
            }
            ConnEvent::AtClient(_) | ConnEvent::Ends(_) | ConnEvent::Window(_) => {
                (to_client, false)
            }
        };
        let (now, chance) = (self.now, &mut self.chance);
        let at = if greets { lane.greet(now, chance) } else { lane.carry(now, chance) };
        if let Some(at) = at {
            self.plan(at, Event::At(id, event));
        }
    }

    pub(crate) fn send_bytes(&mut self, id: Id, direction: Direction, bytes: Vec<u8>) {
        let Some(conn) = self.connections.get_mut(&id) else { return };
        let [to_peer, to_client] = &mut conn.lanes;
        let (lane, make): (_, fn(Vec<u8>) -> ConnEvent) = match direction {
            Direction::ToPeer => (to_peer, ConnEvent::AtPeer),
            Direction::ToClient => (to_client, ConnEvent::AtClient),
        };
        let carried = lane.carry_bytes(self.now, bytes, &mut self.chance);
        for (at, piece) in carried.pieces {
            self.plan(at, Event::At(id, make(piece)));
        }
        if let Some(at) = carried.reset {
            self.plan(at, Event::At(id, ConnEvent::Ends(End::Reset)));
            self.plan(at, Event::At(id, ConnEvent::Cut));
        }
    }

    pub(crate) fn drop_socket(&mut self, id: Id) {
        let now = self.now;
        if let Some(conn) = self.connections.get_mut(&id) {
            conn.dropped.get_or_insert(now);
            conn.inbound.clear();
        }
        self.send(id, ConnEvent::Gone);
    }

    /// The connect is answered after `delay`.
    pub(crate) fn plan_connect(&mut self, id: Id, delay: Duration, answer: Result<(), ErrorKind>) {
        let at = self.now.after(delay);
        self.plan(at, Event::At(id, ConnEvent::Answered(answer)));
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
            ConnEvent::Syn(_) | ConnEvent::Answered(_) if conn.dropped.is_some() => {}
            ConnEvent::Syn(times) => {
                if let Some(at) = self.knock(id, times) {
                    self.plan(at, Event::At(id, ConnEvent::Answered(Ok(()))));
                }
            }
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
            ConnEvent::Gone if conn.connected.is_none() || conn.seat == Seat::Queued => {
                conn.peer = None;
                self.leave(id);
            }
            ConnEvent::Gone | ConnEvent::Cut => {
                conn.wire.ended = true;
                return self.poll(id);
            }
            ConnEvent::Accepted => {
                conn.arrived = true;
                return self.poll(id);
            }
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
        if conn.seat != Seat::Served || !conn.arrived {
            return Work::Nothing;
        }
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
                Action::Send(bytes) => self.send_bytes(id, Direction::ToClient, bytes),
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
            if conn.peer.is_none() {
                self.leave(id);
            }
        }
    }

    fn plan_wake(&mut self, id: Id, at: Tick) {
        let at = at.max(self.now);
        let Some(conn) = self.connections.get_mut(&id) else { return };
        if conn.wakes.insert(at) {
            self.plan(at, Event::At(id, ConnEvent::Wake));
        }
    }

    /// Whether `want` is ready; `None` if it is not of this world.
    pub(crate) fn is_ready(&self, want: &Want) -> Option<bool> {
        if let Some(conn) = self.connections.get(&want.id) {
            let ready = (want.read && conn.readable()) || (want.write && conn.writable());
            return Some(ready || conn.failed());
        }
        let flag = self.signals.get(&want.id)?.upgrade()?;
        Some(want.read && flag.load(Ordering::SeqCst))
    }

    /// What is called so.
    pub(crate) fn subject(&self, id: Id) -> Subject {
        match self.connections.get(&id) {
            Some(conn) => Subject::Connection(conn.to.clone(), conn.number),
            None => Subject::Signal(id),
        }
    }

    /// Why nothing will ever happen, in words.
    pub(crate) fn describe_deadlock(&self) -> String {
        let now = self.now.since(Tick::ZERO);
        let mut text =
            format!("deadlock at {now:?}: no wait has a deadline, and nothing is left to happen.");
        for (thread, wanted) in self.crew.waiting() {
            match thread {
                0 => text += "\nIt waits for:",
                _ => text += &format!("\nThread {thread} waits for:"),
            }
            for want in &wanted.what {
                let what = match (want.read, want.write) {
                    (true, true) => "to read or write",
                    (false, true) => "to write",
                    _ => "to read",
                };
                text += &format!("\n  {}, {what}", self.subject(want.id));
            }
            if wanted.what.is_empty() {
                text += "\n  nothing";
            }
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
