//! [`PerProcess`]: a value that a forked child makes anew.
//!
//! A child inherits locks that may be held for ever by threads it does not have, and sockets that
//! still are its parent's. So it touches nothing of the parent's: each generation has a place of its
//! own, and what is in an earlier one is neither used nor dropped.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// How many forks lie between this process and the one that imported the module.
static GENERATION: AtomicU32 = AtomicU32::new(0);

/// Called in a child, by `os.register_at_fork`.
pub(crate) fn forked() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
}

pub(crate) fn generation() -> u32 {
    GENERATION.load(Ordering::Relaxed)
}

/// A value for each generation, made when it is first asked for.
pub(crate) struct PerProcess<T>(Slot<T>);

struct Slot<T> {
    value: OnceLock<T>,
    next: OnceLock<Box<Slot<T>>>,
}

impl<T> Slot<T> {
    const fn new() -> Self {
        Slot { value: OnceLock::new(), next: OnceLock::new() }
    }
}

impl<T> PerProcess<T> {
    pub(crate) const fn new() -> Self {
        PerProcess(Slot::new())
    }

    fn slot(&self) -> &Slot<T> {
        let mut slot = &self.0;
        for _ in 0..generation() {
            slot = slot.next.get_or_init(|| Box::new(Slot::new()));
        }
        slot
    }

    /// This process's value.
    pub(crate) fn get_or_init(&self, make: impl FnOnce() -> T) -> &T {
        self.slot().value.get_or_init(make)
    }

    /// This process's value, if it has been made.
    pub(crate) fn get(&self) -> Option<&T> {
        self.slot().value.get()
    }
}

impl<T> Drop for PerProcess<T> {
    /// To drop a connection is to say goodbye to its peer: only its own process may do that.
    fn drop(&mut self) {
        let mut slot = Some(&mut self.0);
        for _ in 0..generation() {
            let Some(earlier) = slot else { return };
            std::mem::forget(earlier.value.take());
            slot = earlier.next.get_mut().map(|next| &mut **next);
        }
    }
}
