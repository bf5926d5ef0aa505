//! The world a call runs in: sockets, name lookup, clocks, randomness, and [`World::wait`].
//!
//! This module is the only part of the workspace that touches the network, a clock or a thread,
//! and [`World::wait`] is the only call that may block. Everything above is written against the
//! traits here, so a test can run the unchanged client in a simulated world.

#[cfg(unix)]
pub mod real;

use crate::capture::KeyLines;
use crate::sync::Mutex;
use std::fmt;
use std::io::{self, IoSlice};
use std::net::{IpAddr, SocketAddr};
#[cfg(unix)]
use std::os::fd::BorrowedFd;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, Weak};
use std::time::{Duration, SystemTime};
use waterclock_proto::tick::Tick;

/// Sockets, names, clocks and the one wait.
pub trait World: Send + Sync + 'static {
    /// The monotonic clock.
    fn now(&self) -> Tick;

    /// The calendar clock: for certificates, cookies and documents, never for limits.
    fn wall(&self) -> SystemTime;

    /// Fills `out` with random bytes.
    fn random(&self, out: &mut [u8]);

    /// Begins to connect; never blocks.
    ///
    /// # Errors
    /// What the system says at once: no descriptor left, no route, a Unix socket that is not there.
    fn open(&self, to: &Endpoint, options: &SocketOptions) -> io::Result<Opened>;

    /// Begins to look up `name`; never blocks. The answer comes through `answer`.
    fn lookup(&self, name: &str, port: u16, answer: Answer);

    /// Makes a signal that [`wait`](Self::wait) can wait for.
    ///
    /// # Errors
    /// When the system has no descriptor left.
    fn signal(&self) -> io::Result<Arc<dyn Signal>>;

    /// Waits until one of `interests` is ready (and marks it) or `until` has come. The only call
    /// in the workspace that may block.
    ///
    /// # Errors
    /// When the system cannot wait; not when the wait was interrupted, see [`Woke::Interrupted`].
    fn wait(&self, interests: &mut [Interest<'_>], until: Tick) -> io::Result<Woke>;

    /// Whether the hook for interruptions is to be asked now, between two waits: a call that finds
    /// its data there, each time, never waits. The real world says no, as signals interrupt only waits.
    fn asks_between_waits(&self, _now: Tick) -> bool {
        false
    }

    /// Where the secrets of TLS connections in this world go, beside the key log of the settings.
    /// Nowhere, unless a [`Capture`](crate::capture::Capture) wants them.
    fn key_lines(&self) -> Option<KeyLines> {
        None
    }
}

/// Why [`World::wait`] came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Woke {
    /// At least one interest is ready.
    Ready,
    /// The instant has come. Never early.
    Expired,
    /// A signal handler ran. The caller decides whether to wait on, to the same instant.
    Interrupted,
}

/// A non-blocking stream socket.
pub trait Socket: Send + fmt::Debug {
    /// Reads what is there; `WouldBlock` if nothing is, `Ok(0)` at the end of the stream.
    ///
    /// # Errors
    /// `WouldBlock`, or what the system says.
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize>;

    /// [`read`](Self::read) onto `out`, as far as its capacity goes. A socket that can write to memory
    /// that nothing was written to yet does so.
    ///
    /// # Errors
    /// As of [`read`](Self::read).
    fn read_onto(&mut self, out: &mut Vec<u8>) -> io::Result<usize> {
        let most = out.capacity() - out.len();
        read_onto(out, most, |room| self.read(room))
    }

    /// Writes what fits, from several buffers in one go; raises no SIGPIPE.
    ///
    /// # Errors
    /// `WouldBlock`, or what the system says.
    fn write(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize>;

    /// Once writable: whether the connect succeeded.
    ///
    /// # Errors
    /// Why it did not.
    fn connected(&mut self) -> io::Result<()>;

    /// The peer's address, if the socket has one.
    fn peer_address(&self) -> Option<SocketAddr>;

    /// The local address, if the socket has one.
    fn local_address(&self) -> Option<SocketAddr>;

    /// What [`World::wait`] waits on.
    fn source(&self) -> Source<'_>;
}

/// A flag that can be waited for. Once set it stays set.
pub trait Signal: Send + Sync + fmt::Debug {
    /// Sets it, and wakes whoever waits for it. May be called from any thread.
    fn set(&self);

    /// What [`World::wait`] waits on: it is readable when the flag is set.
    fn source(&self) -> Source<'_>;
}

/// What a world can wait on.
#[derive(Clone, Copy, Debug)]
pub enum Source<'a> {
    /// A descriptor of the system.
    #[cfg(unix)]
    Fd(BorrowedFd<'a>),
    /// A number that a simulated world gave.
    Virtual(u64, std::marker::PhantomData<&'a ()>),
}

/// One thing to wait for.
#[derive(Clone, Copy, Debug)]
pub struct Interest<'a> {
    /// Of what.
    pub source: Source<'a>,
    /// Until it can be read, has ended or failed.
    pub read: bool,
    /// Until it can be written, or failed.
    pub write: bool,
    /// Set by [`World::wait`].
    pub ready: bool,
    /// Set by [`World::wait`] if it knows that nothing has failed: a socket that is connecting need
    /// not be [asked](Socket::connected) then.
    pub sound: bool,
}

impl<'a> Interest<'a> {
    /// Until `source` can be read.
    #[must_use]
    pub fn read(source: Source<'a>) -> Self {
        Interest { source, read: true, write: false, ready: false, sound: false }
    }

    /// Until `source` can be written.
    #[must_use]
    pub fn write(source: Source<'a>) -> Self {
        Interest { source, read: false, write: true, ready: false, sound: false }
    }

    /// Until `source` can be read or written.
    #[must_use]
    pub fn both(source: Source<'a>) -> Self {
        Interest { source, read: true, write: true, ready: false, sound: false }
    }
}

/// A socket that has begun to connect.
#[derive(Debug)]
pub struct Opened {
    /// The socket.
    pub socket: Box<dyn Socket>,
    /// Whether it is connected already, so that there is nothing to wait for.
    pub connected: bool,
}

/// Where to connect.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// An address and port.
    Tcp(SocketAddr),
    /// A Unix stream socket.
    Unix(PathBuf),
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Endpoint::Tcp(address) => address.fmt(f),
            Endpoint::Unix(path) => path.display().fmt(f),
        }
    }
}

/// How sockets are set up. Part of what decides whether a connection may be shared.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SocketOptions {
    /// `TCP_NODELAY`, set once a write could be held back without it. Default: on.
    pub nodelay: bool,
    /// `SO_KEEPALIVE` with this idle time before the first probe. Default: off.
    pub keepalive: Option<Duration>,
    /// The local address to connect from. Default: the system's choice.
    pub local_address: Option<IpAddr>,
}

impl Default for SocketOptions {
    fn default() -> Self {
        SocketOptions { nodelay: true, keepalive: None, local_address: None }
    }
}

/// The addresses of a name, or why there are none.
pub type LookupResult = io::Result<Vec<SocketAddr>>;

/// The asking side of a name lookup.
#[derive(Debug)]
pub struct PendingLookup(Arc<Slot>);

/// Is shown the addresses of a name.
type Watcher = Box<dyn Fn(&[SocketAddr]) + Send>;

/// The answering side of a name lookup. Dropped without an answer, it answers with an error. It keeps nothing
/// of a call that has given up, however long the lookup goes on.
pub struct Answer {
    slot: Weak<Slot>,
    /// Sees the addresses before the asking side does.
    watcher: Option<Watcher>,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Answer").field(&self.slot).finish()
    }
}

#[derive(Debug)]
struct Slot {
    result: Mutex<Option<LookupResult>>,
    signal: Arc<dyn Signal>,
}

impl PendingLookup {
    /// Both sides of a lookup that will set `signal` when it is answered.
    #[must_use]
    pub fn new(signal: Arc<dyn Signal>) -> (PendingLookup, Answer) {
        let slot = Arc::new(Slot { result: Mutex::new(None), signal });
        let answer = Answer { slot: Arc::downgrade(&slot), watcher: None };
        (PendingLookup(slot), answer)
    }

    /// What to wait on.
    #[must_use]
    pub fn source(&self) -> Source<'_> {
        self.0.signal.source()
    }

    /// The answer, if it has come.
    #[must_use]
    pub fn take(&self) -> Option<LookupResult> {
        self.0.result.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Answer {
    /// Shows the addresses to `watcher`, too.
    pub(crate) fn seen_by(mut self, watcher: impl Fn(&[SocketAddr]) + Send + 'static) -> Self {
        self.watcher = Some(Box::new(watcher));
        self
    }

    /// Whether the asking side is still there. A lookup that nobody waits for need not be made.
    #[must_use]
    pub fn is_awaited(&self) -> bool {
        self.slot.strong_count() > 0
    }

    /// Answers. Only the first answer counts.
    pub fn complete(self, result: LookupResult) {
        self.put(result);
    }

    fn put(&self, result: LookupResult) {
        let Some(asked) = self.slot.upgrade() else { return };
        if let (Some(watcher), Ok(addresses)) = (&self.watcher, &result) {
            watcher(addresses);
        }
        let mut slot = asked.result.lock().unwrap_or_else(PoisonError::into_inner);
        if slot.is_none() {
            *slot = Some(result);
            drop(slot);
            asked.signal.set();
        }
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        // After `complete` the slot may have been taken already; one more answer then harms nobody.
        self.put(Err(io::Error::other("the resolver dropped the lookup without an answer")));
    }
}

/// The index of a network interface, which scopes a link-local IPv6 address.
#[cfg(target_os = "linux")]
pub(crate) fn interface_index(name: &str) -> Option<u32> {
    let any = rustix::net::socket(
        rustix::net::AddressFamily::INET6,
        rustix::net::SocketType::DGRAM,
        None,
    );
    rustix::net::netdevice::name_to_index(any.ok()?, name).ok()
}

/// The index of a network interface: only numbers are known on this system.
#[cfg(not(target_os = "linux"))]
pub(crate) fn interface_index(_name: &str) -> Option<u32> {
    None
}

/// Lets `read` put up to `most` bytes onto `out`.
pub(crate) fn read_onto<E>(
    out: &mut Vec<u8>,
    most: usize,
    read: impl FnOnce(&mut [u8]) -> Result<usize, E>,
) -> Result<usize, E> {
    let before = out.len();
    out.resize(before + most, 0);
    let result = read(&mut out[before..]);
    out.truncate(before + result.as_ref().map_or(0, |&count| count));
    result
}
