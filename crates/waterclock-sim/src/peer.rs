//! [`Peer`], the far end of a connection, and the [`Wire`] it holds.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use waterclock_proto::tick::Tick;

/// The far end of a simulated connection. Most tests need no own one: see
/// [`Script`](crate::Script).
///
/// A peer is a state machine that the virtual clock drives: it never blocks, it does what can be
/// done now and returns.
///
/// ```
/// use waterclock_sim::{Peer, Wire};
///
/// /// Sends back what it gets.
/// #[derive(Clone)]
/// struct Echo;
///
/// impl Peer for Echo {
///     fn poll(&mut self, wire: &mut Wire) {
///         let bytes = wire.take_all();
///         wire.send(bytes);
///     }
/// }
///
/// let world = waterclock_sim::SimWorld::new();
/// world.listen("192.0.2.1:7").serve(Echo);
/// ```
pub trait Peer: Send {
    /// Something happened: the connection was accepted (the first call), bytes arrived, the other
    /// side has gone, or an instant asked for with [`Wire::wake_at`] has come. Calls without any
    /// visible reason may come too.
    ///
    /// It must not call the world; [`Wire::now`] tells the time.
    fn poll(&mut self, wire: &mut Wire);

    /// What it is doing, for the description of a deadlock.
    fn describe(&self) -> String {
        "a peer of the test's own".to_owned()
    }
}

impl<P: Peer + ?Sized> Peer for Box<P> {
    fn poll(&mut self, wire: &mut Wire) {
        (**self).poll(wire);
    }

    fn describe(&self) -> String {
        (**self).describe()
    }
}

/// Makes clones of `peer`. The lock is there so that a peer need not be `Sync`.
pub(crate) fn clones<P: Peer + Clone + 'static>(
    peer: P,
) -> impl Fn() -> Box<dyn Peer> + Send + Sync {
    let original = Mutex::new(peer);
    move || Box::new(original.lock().unwrap_or_else(PoisonError::into_inner).clone())
}

/// A peer's end of the connection: what has arrived, and what is to be done.
#[derive(Debug)]
pub struct Wire {
    pub(crate) now: Tick,
    pub(crate) ended: bool,
    pub(crate) decrypted: Vec<u8>,
    inbox: Vec<u8>,
    /// How many bytes at the front of `inbox` have been taken.
    taken: usize,
    /// How many bytes were taken since the world last asked: so far the window opens again.
    consumed: usize,
    actions: Vec<Action>,
}

/// What a peer asked for.
#[derive(Debug)]
pub(crate) enum Action {
    Send(Vec<u8>),
    Close,
    Reset,
    Wake(Tick),
}

impl Wire {
    pub(crate) fn new() -> Self {
        Wire {
            now: Tick::ZERO,
            ended: false,
            decrypted: Vec::new(),
            inbox: Vec::new(),
            taken: 0,
            consumed: 0,
            actions: Vec::new(),
        }
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Tick {
        self.now
    }

    /// What has arrived and was not taken. It occupies the window.
    #[must_use]
    pub fn arrived(&self) -> &[u8] {
        self.inbox.get(self.taken..).unwrap_or_default()
    }

    /// Takes `count` bytes of what has arrived, or all if that is less.
    pub fn take(&mut self, count: usize) -> Vec<u8> {
        let arrived = self.arrived();
        let bytes = arrived.get(..count).unwrap_or(arrived).to_vec();
        self.taken += bytes.len();
        self.consumed += bytes.len();
        if self.taken * 2 > self.inbox.len() {
            self.inbox.drain(..self.taken);
            self.taken = 0;
        }
        bytes
    }

    /// Takes everything that has arrived.
    pub fn take_all(&mut self) -> Vec<u8> {
        self.take(usize::MAX)
    }

    /// Whether the other side has gone. Nothing can be sent any more, and this is the last call.
    #[must_use]
    pub fn ended(&self) -> bool {
        self.ended
    }

    /// Sends `bytes`.
    pub fn send(&mut self, bytes: impl Into<Vec<u8>>) {
        self.actions.push(Action::Send(bytes.into()));
    }

    /// Closes the connection after what was sent: the other side reads the end of the stream
    /// (FIN), and what it writes from then on fails. No further calls come.
    pub fn close(&mut self) {
        self.actions.push(Action::Close);
    }

    /// Resets the connection (RST). No further calls come.
    pub fn reset(&mut self) {
        self.actions.push(Action::Reset);
    }

    /// Asks to be called at `at`.
    pub fn wake_at(&mut self, at: Tick) {
        self.actions.push(Action::Wake(at));
    }

    /// Asks to be called when `delay` has passed.
    pub fn wake_after(&mut self, delay: Duration) {
        self.wake_at(self.now.after(delay));
    }

    /// Notes plain text for [`Connection::decrypted`](crate::Connection::decrypted).
    pub fn record_decrypted(&mut self, bytes: &[u8]) {
        self.decrypted.extend_from_slice(bytes);
    }

    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        self.inbox.extend_from_slice(bytes);
    }

    pub(crate) fn take_consumed(&mut self) -> usize {
        std::mem::take(&mut self.consumed)
    }

    pub(crate) fn take_actions(&mut self) -> Vec<Action> {
        std::mem::take(&mut self.actions)
    }
}
