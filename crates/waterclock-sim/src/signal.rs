//! Signals of a simulated world.

use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use waterclock::world::{Signal, Source};

/// A flag and its number. The flag lives outside the world's lock, so a signal may be set from any
/// thread, also while the world is held, and is never lost.
#[derive(Debug)]
pub(crate) struct SimSignal {
    pub(crate) id: u64,
    pub(crate) flag: Arc<AtomicBool>,
}

impl Signal for SimSignal {
    fn set(&self) {
        self.flag.store(true, Ordering::SeqCst);
    }

    fn source(&self) -> Source<'_> {
        Source::Virtual(self.id, PhantomData)
    }
}
