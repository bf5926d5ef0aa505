//! A world whose sockets are recorded.

use super::record::Records;
use super::{Direction, KeyLines};
use crate::world::{
    Answer, Endpoint, Interest, Opened, Signal, Socket, SocketOptions, Source, Woke, World,
};
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;
use waterclock_proto::tick::Tick;

type Shared = Arc<Mutex<Records>>;

fn lock(records: &Shared) -> MutexGuard<'_, Records> {
    records.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A world, with its sockets recorded.
pub(super) struct TappedWorld {
    world: Arc<dyn World>,
    records: Shared,
    keys: Option<KeyLines>,
}

impl TappedWorld {
    pub(super) fn new(world: Arc<dyn World>, records: Shared, keys: Option<KeyLines>) -> Self {
        TappedWorld { world, records, keys }
    }
}

impl World for TappedWorld {
    fn now(&self) -> Tick {
        self.world.now()
    }

    fn wall(&self) -> SystemTime {
        self.world.wall()
    }

    fn random(&self, out: &mut [u8]) {
        self.world.random(out);
    }

    fn open(&self, to: &Endpoint, options: &SocketOptions) -> io::Result<Opened> {
        let number = lock(&self.records).open(to, self.now());
        let opened = self.world.open(to, options);
        let mut records = lock(&self.records);
        match opened {
            Ok(Opened { socket, connected }) => {
                if connected {
                    records.connected(number, self.now());
                }
                let (world, records) = (Arc::clone(&self.world), Arc::clone(&self.records));
                let tapped = TappedSocket { socket, world, records, number, asked: false };
                Ok(Opened { socket: Box::new(tapped), connected })
            }
            Err(error) => {
                records.failed(number, self.now(), &error);
                records.closed(number, self.now());
                Err(error)
            }
        }
    }

    fn lookup(&self, name: &str, port: u16, answer: Answer) {
        let (records, asked) = (Arc::clone(&self.records), name.to_owned());
        let answer = answer.seen_by(move |addresses| lock(&records).named(&asked, addresses));
        self.world.lookup(name, port, answer);
    }

    fn signal(&self) -> io::Result<Arc<dyn Signal>> {
        self.world.signal()
    }

    fn wait(&self, interests: &mut [Interest<'_>], until: Tick) -> io::Result<Woke> {
        self.world.wait(interests, until)
    }

    fn asks_between_waits(&self, now: Tick) -> bool {
        self.world.asks_between_waits(now)
    }

    fn key_lines(&self) -> Option<KeyLines> {
        self.keys.clone()
    }
}

/// A socket, with what it reads and writes recorded.
struct TappedSocket {
    socket: Box<dyn Socket>,
    world: Arc<dyn World>,
    records: Shared,
    number: u64,
    /// Whether the socket was asked for its own address.
    asked: bool,
}

impl std::fmt::Debug for TappedSocket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.socket.fmt(f)
    }
}

impl TappedSocket {
    /// A connected socket has an address of its own; before, it may have half of one.
    fn ask(&mut self) {
        if !self.asked {
            self.asked = true;
            let local = self.socket.local_address().filter(|local| !local.ip().is_unspecified());
            lock(&self.records).local(self.number, local);
        }
    }

    fn note<'p>(
        &mut self,
        direction: Direction,
        parts: impl Iterator<Item = &'p [u8]>,
        result: io::Result<usize>,
    ) -> io::Result<usize> {
        let now = self.world.now();
        self.ask();
        let mut records = lock(&self.records);
        match &result {
            Ok(0) if direction == Direction::Received => records.peer_ended(self.number, now),
            Ok(count) => records.piece(self.number, now, direction, parts, *count),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => records.failed(self.number, now, error),
        }
        drop(records);
        result
    }
}

impl Socket for TappedSocket {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let result = self.socket.read(out);
        if out.is_empty() {
            return result;
        }
        self.note(Direction::Received, std::iter::once(&*out), result)
    }

    fn read_onto(&mut self, out: &mut Vec<u8>) -> io::Result<usize> {
        let before = out.len();
        let no_room = out.capacity() == before;
        let result = self.socket.read_onto(out);
        if no_room {
            return result;
        }
        let new = out.get(before..).unwrap_or_default();
        self.note(Direction::Received, std::iter::once(new), result)
    }

    fn write(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        let result = self.socket.write(parts);
        if matches!(result, Ok(0)) {
            return result;
        }
        self.note(Direction::Sent, parts.iter().map(|part| &**part), result)
    }

    fn connected(&mut self) -> io::Result<()> {
        let result = self.socket.connected();
        let now = self.world.now();
        match &result {
            Ok(()) => lock(&self.records).connected(self.number, now),
            Err(error) => lock(&self.records).failed(self.number, now, error),
        }
        result
    }

    fn peer_address(&self) -> Option<SocketAddr> {
        self.socket.peer_address()
    }

    fn local_address(&self) -> Option<SocketAddr> {
        self.socket.local_address()
    }

    fn source(&self) -> Source<'_> {
        self.socket.source()
    }
}

impl Drop for TappedSocket {
    fn drop(&mut self) {
        self.ask();
        let now = self.world.now();
        lock(&self.records).closed(self.number, now);
    }
}
