//! Recording what the sockets of calls read and wrote, with the instant at which the process saw it: what
//! an export for Wireshark is made from.
//!
//! A [`Capture`] is put around the [world](crate::world::World) of a session and sees each socket that is opened
//! there. A session without one has nothing to do with it and pays nothing.
//!
//! What is recorded is what was on the wire: over TLS the encrypted bytes, else everything in plain
//! text, credentials and cookies included. [`Capture::with_keys`] also keeps the secrets of TLS, and then
//! whoever has the recording can read all of it.
//!
//! ```
//! use waterclock::Session;
//! use waterclock::capture::Capture;
//!
//! let capture = Capture::new();
//! let session = Session::builder().capture(&capture).build()?;
//! // After a call: what belongs to it, with instants counted from its start.
//! let wire = capture.take(waterclock::Tick::ZERO);
//! assert!(wire.connections.is_empty());
//! # let _ = session;
//! # Ok::<(), waterclock::Error>(())
//! ```

mod mask;
mod record;
mod tap;
mod wire;

pub use wire::{Direction, Piece, Wire, WireConnection, WireFailure};

use crate::world::World;
use record::Records;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use waterclock_proto::tick::Tick;

/// What a capture keeps in memory unless it is told otherwise: 16 MiB.
pub const DEFAULT_BUDGET: usize = 16 * 1024 * 1024;

/// Keeps what sockets read and wrote. Clones are the same capture.
///
/// It is meant for one call at a time: calls that run at once in the same session are recorded together.
#[derive(Clone)]
pub struct Capture {
    records: Arc<Mutex<Records>>,
    keys: Option<KeyLines>,
}

impl fmt::Debug for Capture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Capture").field("keeps_keys", &self.keys.is_some()).finish_non_exhaustive()
    }
}

impl Default for Capture {
    fn default() -> Self {
        Self::new()
    }
}

impl Capture {
    /// A capture that keeps [`DEFAULT_BUDGET`] bytes, and no secrets of TLS.
    #[must_use]
    pub fn new() -> Self {
        Self::with_budget(DEFAULT_BUDGET)
    }

    /// A capture that keeps at most `bytes` from one [`take`](Self::take) to the next, its own notes
    /// included. What comes after them is counted and not kept.
    #[must_use]
    pub fn with_budget(bytes: usize) -> Self {
        Capture { records: Arc::new(Mutex::new(Records::new(bytes))), keys: None }
    }

    /// Also keeps the secrets of TLS connections, as the lines of an NSS key log: whoever has the
    /// recording can then decrypt it.
    #[must_use]
    pub fn with_keys(self) -> Self {
        Capture { keys: Some(KeyLines::default()), ..self }
    }

    /// A world that is `world`, with its sockets recorded here.
    #[must_use]
    pub fn around(&self, world: Arc<dyn World>) -> Arc<dyn World> {
        Arc::new(tap::TappedWorld::new(world, Arc::clone(&self.records), self.keys.clone()))
    }

    /// Takes out what was recorded since the call that began at `started`
    /// ([`Timeline::started`](crate::Timeline::started)); instants are counted from there. What is
    /// older is forgotten. Connections that are still open are recorded on.
    #[must_use]
    pub fn take(&self, started: Tick) -> Wire {
        let mut wire = self.lock().take(started);
        wire.keys = self.keys.as_ref().map(KeyLines::take);
        wire
    }

    /// What belongs to the call that lasted from `started` to `ended`; instants are counted from
    /// `started`. Nothing is taken out, so that several calls can be asked for one after the other, and what
    /// is recorded counts against the budget until the next [`take`](Self::take). The secrets of TLS are
    /// those of all calls.
    #[must_use]
    pub fn of_call(&self, started: Tick, ended: Tick) -> Wire {
        let mut wire = self.lock().of_call(started, ended);
        wire.keys = self.keys.as_ref().map(KeyLines::text);
        wire
    }

    fn lock(&self) -> MutexGuard<'_, Records> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// More than this is no key log of one call.
const MOST_KEYS: usize = 256 * 1024;

/// Lines of an NSS key log, kept in memory. Clones are the same lines.
#[derive(Clone, Default)]
pub struct KeyLines(Arc<Mutex<String>>);

impl fmt::Debug for KeyLines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyLines(***)")
    }
}

impl KeyLines {
    /// Adds a line, which ends with a line break; past 256 KiB it is forgotten.
    pub fn add(&self, line: &str) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() + line.len() <= MOST_KEYS {
            lines.push_str(line);
        }
    }

    fn text(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn take(&self) -> String {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
