//! [`SimWorld`].

use crate::connection::{Conn, Phase, Seat, SimSocket};
use crate::crew::{Want, Wanted};
use crate::host::{Connect, Host, Listener, Outcome, Place, Refusal, parse_endpoint};
use crate::net::{ConnEvent, Event, Jump, Net, SharedNet, Work, lock};
use crate::peer::Wire;
use crate::record::{Connection, WaitRecord, Waited};
use crate::signal::SimSignal;
use std::collections::{BTreeSet, VecDeque};
use std::fmt::{self, Display};
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};
use waterclock::world::{
    Answer, Endpoint, Interest, LookupResult, Opened, Signal, SocketOptions, Source, Woke, World,
};
use waterclock_proto::tick::Tick;

/// What the calendar says when a world begins: the first second of 2026, UTC.
const FIRST_SECOND: Duration = Duration::from_secs(1_767_225_600);

/// More events than any sensible peer makes while one wait lasts: a peer goes round in circles.
const MOST_EVENTS: usize = 1_000_000;

/// A network and a clock that exist only in memory; see the [crate's documentation](crate).
///
/// For one thread that calls, or for those of [`threads`](SimWorld::threads); signals may be set from
/// any thread.
pub struct SimWorld {
    pub(crate) net: SharedNet,
}

/// Setting up, at any time.
impl SimWorld {
    /// An empty world at tick zero: no name resolves, and every address refuses.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Self::with_seed(0)
    }

    /// A world whose random numbers follow from `seed`.
    #[must_use]
    pub fn with_seed(seed: u64) -> Arc<Self> {
        let net = Net::new(seed, SystemTime::UNIX_EPOCH + FIRST_SECOND);
        Arc::new(SimWorld { net: Arc::new(Mutex::new(net)) })
    }

    /// Sets up a name. Names are compared without regard to case; IP addresses resolve to
    /// themselves.
    pub fn host(&self, name: &str) -> Host<'_> {
        Host { world: self, name: name.to_ascii_lowercase() }
    }

    /// Makes an address accept connections, at once and with a silent peer unless told otherwise.
    /// The address is a `SocketAddr`, an [`Endpoint`] or text: `address:port`, or the absolute path
    /// of a Unix socket.
    ///
    /// # Panics
    /// If the text is neither.
    pub fn listen(&self, address: impl Display) -> Listener<'_> {
        Listener { world: self, at: self.put(&address, Connect::Accepts) }
    }

    /// Makes connects to an address fail, with `ConnectionRefused` unless told otherwise.
    ///
    /// # Panics
    /// As [`listen`](Self::listen).
    pub fn refuse(&self, address: impl Display) -> Refusal<'_> {
        let at = self.put(&address, Connect::Fails(ErrorKind::ConnectionRefused));
        Refusal { world: self, at }
    }

    /// Makes connects to an address stay without any answer.
    ///
    /// # Panics
    /// As [`listen`](Self::listen).
    pub fn black_hole(&self, address: impl Display) {
        self.put(&address, Connect::Never);
    }

    fn put(&self, address: &impl Display, connect: Connect) -> Endpoint {
        let at = parse_endpoint(&address.to_string());
        lock(&self.net).places.insert(at.clone(), Place::new(connect));
        at
    }

    pub(crate) fn change_place(&self, at: &Endpoint, change: impl FnOnce(&mut Place)) {
        if let Some(place) = lock(&self.net).places.get_mut(at) {
            change(place);
        }
    }

    /// Calls `planned` when the clock comes to `at`: to cancel, to change a name, to close the
    /// laptop's lid. It must not wait.
    pub fn at(&self, at: Tick, planned: impl FnOnce(&SimWorld) + Send + 'static) {
        lock(&self.net).plan(at, Event::Planned(Box::new(planned)));
    }

    /// A signal handler runs at `at`: a wait that is under way then comes back with
    /// [`Woke::Interrupted`], unless something is ready at the same instant.
    pub fn interrupt_at(&self, at: Tick) {
        lock(&self.net).plan(at, Event::Interrupt);
    }

    /// Does nothing while `duration` passes, as [`World::wait`] for nothing does; other
    /// [`threads`](Self::threads) go on meanwhile.
    pub fn sleep(&self, duration: Duration) {
        // Waiting for nothing cannot fail.
        let _ = self.wait(&mut [], self.now().after(duration));
    }

    /// Lets `duration` pass as local work does: the network goes on meanwhile, and no other thread.
    ///
    /// # Panics
    /// If a peer goes round in circles.
    pub fn advance(&self, duration: Duration) {
        let until = self.now().after(duration);
        let mut events = 0;
        loop {
            self.run_instant(&mut events);
            match lock(&self.net).jump(until) {
                Jump::Event => {}
                Jump::Expired | Jump::Deadlock => return,
            }
        }
    }

    /// Sets the calendar, which says nothing about the clock.
    pub fn set_wall(&self, wall: SystemTime) {
        let mut net = lock(&self.net);
        net.wall_at_zero = wall - net.now.since(Tick::ZERO);
    }
}

/// Looking back.
impl SimWorld {
    /// Every wait so far.
    #[must_use]
    pub fn waits(&self) -> Vec<WaitRecord> {
        lock(&self.net).waits.clone()
    }

    /// Every connection to `address` so far, whether it came about or not.
    ///
    /// # Panics
    /// As [`listen`](Self::listen).
    #[must_use]
    pub fn connections(&self, address: impl Display) -> Vec<Connection> {
        let to = parse_endpoint(&address.to_string());
        let net = lock(&self.net);
        let to_there = net.connections.values().filter(|conn| conn.to == to);
        to_there
            .map(|conn| Connection {
                opened: conn.opened,
                options: conn.options.clone(),
                connected: conn.connected,
                dropped: conn.dropped,
                received: conn.received.clone(),
                decrypted: conn.wire.decrypted.clone(),
                writes: conn.writes.clone(),
            })
            .collect()
    }

    /// What the peer at `address` received, for each connection.
    ///
    /// # Panics
    /// As [`listen`](Self::listen).
    #[must_use]
    pub fn received(&self, address: impl Display) -> Vec<Vec<u8>> {
        self.connections(address).into_iter().map(|connection| connection.received).collect()
    }

    /// How many sockets have been opened and not dropped.
    #[must_use]
    pub fn open_sockets(&self) -> usize {
        lock(&self.net).connections.values().filter(|conn| conn.dropped.is_none()).count()
    }

    /// The names that were looked up so far, in order.
    #[must_use]
    pub fn lookups(&self) -> Vec<String> {
        lock(&self.net).lookups.clone()
    }
}

/// Time.
impl SimWorld {
    /// Lets happen what happens at this instant. Says whether a signal handler ran.
    #[allow(clippy::panic, reason = "a test tool: the test cannot go on")]
    pub(crate) fn run_instant(&self, events: &mut usize) -> bool {
        let mut interrupted = false;
        loop {
            let work = lock(&self.net).step();
            match work {
                None => return interrupted,
                Some(Work::Nothing) => {}
                Some(Work::Poll(id, mut peer, mut wire)) => {
                    peer.poll(&mut wire);
                    lock(&self.net).polled(id, peer, wire);
                }
                Some(Work::Answer(answer, result)) => answer.complete(result),
                Some(Work::Planned(planned)) => planned(self),
                Some(Work::Interrupt) => interrupted = true,
            }
            *events += 1;
            if *events > MOST_EVENTS {
                panic!(
                    "{MOST_EVENTS} events and none that is waited for: does a peer go in circles?"
                );
            }
        }
    }

    /// What `interests` are, as the world keeps it.
    fn wanted(&self, interests: &[Interest<'_>], until: Tick) -> io::Result<Wanted> {
        let net = lock(&self.net);
        let want = |interest: &Interest<'_>| {
            let Source::Virtual(id, _) = interest.source else { return None };
            let want = Want { id, read: interest.read, write: interest.write };
            net.is_ready(&want).map(|_| want)
        };
        let what: Option<Vec<Want>> = interests.iter().map(want).collect();
        let foreign = || io::Error::other("a source that is not of this simulated world");
        Ok(Wanted { what: what.ok_or_else(foreign)?, until, interrupted: false })
    }
}

impl World for SimWorld {
    fn now(&self) -> Tick {
        lock(&self.net).now
    }

    fn wall(&self) -> SystemTime {
        let net = lock(&self.net);
        net.wall_at_zero + net.now.since(Tick::ZERO)
    }

    fn random(&self, out: &mut [u8]) {
        let mut net = lock(&self.net);
        for part in out.chunks_mut(8) {
            let bytes = net.random.next().to_le_bytes();
            part.copy_from_slice(&bytes[..part.len()]);
        }
    }

    fn open(&self, to: &Endpoint, options: &SocketOptions) -> io::Result<Opened> {
        let refused = || Place::new(Connect::Fails(ErrorKind::ConnectionRefused));
        let (place, number) = {
            let net = lock(&self.net);
            let number = net.connections.values().filter(|conn| conn.to == *to).count();
            (net.places.get(to).cloned().unwrap_or_else(refused), number)
        };
        let peer = (place.serve)(number);
        let mut net = lock(&self.net);
        let id = net.new_id();
        let link = (place.link)(number);
        let instant = link.is_instant();
        let conn = Conn {
            to: to.clone(),
            number,
            local: local_address(to, options, id),
            options: options.clone(),
            lanes: link.lanes(),
            short_reads: link.short_reads,
            short_writes: link.short_writes,
            delay: place.delay,
            phase: Phase::Connecting,
            seat: Seat::None,
            arrived: false,
            opened: net.now,
            connected: None,
            dropped: None,
            inbound: VecDeque::new(),
            end: None,
            broken: false,
            credit: link.window,
            peer: Some(peer),
            wire: Wire::new(),
            wakes: BTreeSet::new(),
            received: Vec::new(),
            writes: Vec::new(),
        };
        net.connections.insert(id, conn);
        let mut connected = false;
        match place.connect {
            Connect::Accepts if instant => match net.knock(id, 1) {
                Some(at) if at == net.now => {
                    net.establish(id);
                    connected = true;
                }
                Some(at) => net.plan(at, Event::At(id, ConnEvent::Answered(Ok(())))),
                None => {}
            },
            Connect::Accepts => net.send(id, ConnEvent::Syn(1)),
            Connect::Fails(kind) => net.plan_connect(id, place.delay, Err(kind)),
            Connect::FailsAtOnce(kind) => {
                net.drop_socket(id);
                return Err(kind.into());
            }
            Connect::Never => {}
        }
        drop(net);
        let socket = Box::new(SimSocket { net: Arc::clone(&self.net), id });
        Ok(Opened { socket, connected })
    }

    fn lookup(&self, name: &str, port: u16, answer: Answer) {
        let mut net = lock(&self.net);
        net.lookups.push(name.to_owned());
        let (result, delay) = match name.parse::<IpAddr>() {
            Ok(address) => (Ok(vec![SocketAddr::new(address, port)]), Duration::ZERO),
            Err(_) => match net.names.get(&name.to_ascii_lowercase()) {
                None => (Err(no_such_name(name)), Duration::ZERO),
                Some(known) => match with_port(&known.outcome, port) {
                    Some(result) => (result, known.delay),
                    None => return net.unanswered.push((name.to_owned(), answer)),
                },
            },
        };
        let at = net.now.after(delay);
        net.plan(at, Event::Answer(answer, result));
    }

    fn signal(&self) -> io::Result<Arc<dyn Signal>> {
        let mut net = lock(&self.net);
        net.signals.retain(|_, flag| flag.strong_count() > 0);
        let signal = SimSignal { id: net.new_id(), flag: Arc::new(AtomicBool::new(false)) };
        net.signals.insert(signal.id, Arc::downgrade(&signal.flag));
        Ok(Arc::new(signal))
    }

    fn wait(&self, interests: &mut [Interest<'_>], until: Tick) -> io::Result<Woke> {
        let (started, thread) = (self.now(), self.me());
        let wanted = self.wanted(interests, until)?;
        let woke = self.wait_in_turn(thread, wanted.clone());
        let mut net = lock(&self.net);
        let mut waited = Vec::with_capacity(interests.len());
        for (interest, want) in interests.iter_mut().zip(wanted.what) {
            interest.ready = net.is_ready(&want).unwrap_or_default();
            let (read, write, ready) = (want.read, want.write, interest.ready);
            waited.push(Waited { subject: net.subject(want.id), read, write, ready });
        }
        let ended = net.now;
        net.waits.push(WaitRecord { thread, started, until, ended, woke, waited });
        Ok(woke)
    }
}

impl fmt::Debug for SimWorld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimWorld").field("now", &self.now()).finish_non_exhaustive()
    }
}

/// `None` for a name that is never answered.
fn with_port(outcome: &Outcome, port: u16) -> Option<LookupResult> {
    match outcome {
        Outcome::Never => None,
        Outcome::Fails(kind) => Some(Err((*kind).into())),
        Outcome::Addresses(addresses) => {
            Some(Ok(addresses.iter().map(|address| SocketAddr::new(*address, port)).collect()))
        }
    }
}

fn no_such_name(name: &str) -> io::Error {
    io::Error::other(format!("the simulated world has no host called {name:?}"))
}

/// Addresses that documentation may use (RFC 5737, RFC 3849), and a port for each connection.
fn local_address(to: &Endpoint, options: &SocketOptions, id: u64) -> Option<SocketAddr> {
    let Endpoint::Tcp(to) = to else { return None };
    let ours = if to.is_ipv4() {
        IpAddr::V4(Ipv4Addr::new(198, 51, 100, 1))
    } else {
        IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1))
    };
    let port = 49_152 + u16::try_from(id % 16_384).unwrap_or_default();
    Some(SocketAddr::new(options.local_address.unwrap_or(ours), port))
}
