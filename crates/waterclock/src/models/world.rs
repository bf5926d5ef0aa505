//! [`ModelWorld`]: one origin that answers each request with its path (and closes after `/last`) at once, or to
//! `/later` when its thread gets to it; and a clock that may move at any time.

use crate::world::{
    Answer, Endpoint, Interest, Opened, Signal, Socket, SocketOptions, Source, Woke, World,
};
use crate::{Limits, PoolSettings, Session, SessionBuilder};
use shuttle::sync::{Condvar, Mutex, MutexGuard};
use shuttle::thread::JoinHandle;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, IoSlice};
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use waterclock_proto::tick::Tick;

#[derive(Clone, Debug, Default)]
pub(crate) struct ModelWorld(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    state: Mutex<State>,
    changed: Condvar,
    /// For the clock and the server: somebody waits, or has asked.
    waiting: Condvar,
}

#[derive(Debug, Default)]
struct State {
    now: Tick0,
    next: u64,
    /// Sources that can be read.
    readable: BTreeSet<u64>,
    /// Those that the server has yet to make so.
    asked: BTreeSet<u64>,
    /// Until when each thread waits that waits for something.
    waits: BTreeMap<u64, Tick>,
    open: usize,
    most_open: usize,
    over: bool,
}

/// A [`Tick`] that begins at zero.
#[derive(Debug)]
struct Tick0(Tick);

impl Default for Tick0 {
    fn default() -> Self {
        Tick0(Tick::ZERO)
    }
}

impl ModelWorld {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap()
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.0.changed.notify_all();
    }

    /// A session in this world, without limits.
    pub(crate) fn session(&self, settings: PoolSettings) -> Session {
        let builder = SessionBuilder::in_world(Arc::new(self.clone()));
        builder.limits(Limits::none()).pool(settings).build().unwrap()
    }

    /// Connections that are open, and the most that ever were.
    pub(crate) fn open(&self) -> (usize, usize) {
        let state = self.lock();
        (state.open, state.most_open)
    }

    /// Lets time pass, whenever the schedule has this thread run: to the first instant anybody waits for.
    pub(crate) fn clock(&self) -> JoinHandle<()> {
        let world = self.clone();
        shuttle::thread::spawn(move || {
            let mut state = world.lock();
            while !state.over {
                match state.waits.values().filter(|until| !until.is_never()).min() {
                    Some(&until) => {
                        state.now.0 = until.max(state.now.0);
                        drop(state);
                        world.0.changed.notify_all();
                        shuttle::thread::yield_now();
                        state = world.lock();
                    }
                    None => state = world.0.waiting.wait(state).unwrap(),
                }
            }
        })
    }

    /// Answers what was asked as `/later`, whenever the schedule has this thread run.
    pub(crate) fn server(&self) -> JoinHandle<()> {
        let world = self.clone();
        shuttle::thread::spawn(move || {
            let mut state = world.lock();
            while !state.over {
                match state.asked.pop_first() {
                    Some(id) => {
                        state.readable.insert(id);
                        world.0.changed.notify_all();
                    }
                    None => state = world.0.waiting.wait(state).unwrap(),
                }
            }
        })
    }

    /// No more time will pass, and nothing will be answered later.
    pub(crate) fn stop(&self, threads: impl IntoIterator<Item = JoinHandle<()>>) {
        self.change(|state| state.over = true);
        self.0.waiting.notify_all();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    }

    fn new_source(&self) -> u64 {
        let mut state = self.lock();
        state.next += 1;
        state.next
    }
}

impl World for ModelWorld {
    fn now(&self) -> Tick {
        self.lock().now.0
    }

    fn wall(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1)
    }

    fn random(&self, out: &mut [u8]) {
        out.fill(7);
    }

    fn open(&self, _to: &Endpoint, _options: &SocketOptions) -> io::Result<Opened> {
        let id = self.new_source();
        self.change(|state| {
            state.open += 1;
            state.most_open = state.most_open.max(state.open);
        });
        let socket = Origin { world: self.clone(), id, asked: Vec::new(), answer: Vec::new() };
        Ok(Opened { socket: Box::new(socket), connected: true })
    }

    fn lookup(&self, name: &str, _port: u16, _answer: Answer) {
        unreachable!("{name}: models bring their own resolver")
    }

    fn signal(&self) -> io::Result<Arc<dyn Signal>> {
        Ok(Arc::new(Flag { world: self.clone(), id: self.new_source() }))
    }

    fn wait(&self, interests: &mut [Interest<'_>], until: Tick) -> io::Result<Woke> {
        let mut state = self.lock();
        state.next += 1;
        let wait = state.next;
        let woke = loop {
            for interest in interests.iter_mut() {
                let Source::Virtual(id, _) = interest.source else { unreachable!() };
                interest.ready = interest.write || (interest.read && state.readable.contains(&id));
            }
            if interests.iter().any(|interest| interest.ready) {
                break Woke::Ready;
            }
            if state.now.0 >= until {
                break Woke::Expired;
            }
            if state.waits.insert(wait, until).is_none() {
                self.0.waiting.notify_all();
            }
            state = self.0.changed.wait(state).unwrap();
        };
        state.waits.remove(&wait);
        Ok(woke)
    }
}

#[derive(Debug)]
struct Flag {
    world: ModelWorld,
    id: u64,
}

impl Signal for Flag {
    fn set(&self) {
        self.world.change(|state| _ = state.readable.insert(self.id));
    }

    fn source(&self) -> Source<'_> {
        Source::Virtual(self.id, PhantomData)
    }
}

/// A connection to the origin.
#[derive(Debug)]
struct Origin {
    world: ModelWorld,
    id: u64,
    asked: Vec<u8>,
    answer: Vec<u8>,
}

impl Socket for Origin {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.answer.is_empty() || !self.world.lock().readable.contains(&self.id) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let count = out.len().min(self.answer.len());
        out[..count].copy_from_slice(&self.answer[..count]);
        self.answer.drain(..count);
        if self.answer.is_empty() {
            self.world.change(|state| _ = state.readable.remove(&self.id));
        }
        Ok(count)
    }

    fn write(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        let count = parts.iter().map(|part| part.len()).sum();
        parts.iter().for_each(|part| self.asked.extend_from_slice(part));
        if self.asked.ends_with(b"\r\n\r\n") {
            assert!(self.answer.is_empty(), "asked while an answer is on its way");
            let head = String::from_utf8(std::mem::take(&mut self.asked)).unwrap();
            let path = head.split(' ').nth(1).unwrap();
            let close = if path == "/last" { "Connection: close\r\n" } else { "" };
            let length = path.len();
            self.answer =
                format!("HTTP/1.1 200 OK\r\n{close}Content-Length: {length}\r\n\r\n{path}").into();
            if path == "/later" {
                self.world.lock().asked.insert(self.id);
                self.world.0.waiting.notify_all();
            } else {
                self.world.change(|state| _ = state.readable.insert(self.id));
            }
        }
        Ok(count)
    }

    fn connected(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn peer_address(&self) -> Option<SocketAddr> {
        None
    }

    fn local_address(&self) -> Option<SocketAddr> {
        None
    }

    fn source(&self) -> Source<'_> {
        Source::Virtual(self.id, PhantomData)
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        self.world.change(|state| {
            state.open -= 1;
            state.readable.remove(&self.id);
            state.asked.remove(&self.id);
        });
    }
}
