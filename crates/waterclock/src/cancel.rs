//! [`CancelHandle`]: ends calls from another thread.

use crate::sync::atomic::{AtomicBool, Ordering};
use crate::world::{Signal, World};
use std::io;
use std::sync::atomic::fence;
use std::sync::{Arc, OnceLock};

/// Cancels the calls it was given to, from any thread. Once cancelled it stays so.
///
/// The waiting thread is woken through a descriptor that joins its wait; the error is of kind
/// [`ErrorKind::Cancelled`](crate::ErrorKind::Cancelled) and carries the timeline so far.
///
/// ```
/// use waterclock::{CancelHandle, ErrorKind, Session};
///
/// let cancel = CancelHandle::new();
/// cancel.cancel(); // usually from another thread
/// let error = Session::new().get("http://127.0.0.1:9/").cancel(&cancel).send().unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Cancelled);
/// ```
#[derive(Clone, Debug, Default)]
pub struct CancelHandle(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    cancelled: AtomicBool,
    /// Made by the first wait that this handle can end; a call that never waits needs none.
    signal: OnceLock<Arc<dyn Signal>>,
}

impl Inner {
    /// Each side writes its own half, flag or signal, and then looks at the other's. Without a fence in
    /// between, both could see the state before: the cell orders less than the flag does.
    fn before_looking() {
        fence(Ordering::SeqCst);
    }
}

impl CancelHandle {
    /// A handle that has not been cancelled.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends the calls that run under this handle, and refuses later ones.
    pub fn cancel(&self) {
        self.0.cancelled.store(true, Ordering::SeqCst);
        Inner::before_looking();
        if let Some(signal) = self.0.signal.get() {
            signal.set();
        }
    }

    /// Whether [`cancel`](Self::cancel) was called.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.cancelled.load(Ordering::SeqCst)
    }

    /// The signal that joins a wait. Whoever makes it looks at the flag afterwards, so that a
    /// `cancel` in between is not lost.
    pub(crate) fn signal(&self, world: &dyn World) -> io::Result<&Arc<dyn Signal>> {
        if let Some(signal) = self.0.signal.get() {
            return Ok(signal);
        }
        let signal = world.signal()?;
        let signal = self.0.signal.get_or_init(|| signal);
        Inner::before_looking();
        if self.is_cancelled() {
            signal.set();
        }
        Ok(signal)
    }
}
