//! The real network, on Unix.
//!
//! Windows is a gap: the seam is [`World`], and what is missing there is a socket, a
//! wake-up descriptor and a wait with sub-millisecond deadlines.

mod resolver;
mod signal;
mod socket;
mod wait;

pub use resolver::ThreadedLookup;

use super::{Answer, Endpoint, Interest, Opened, Signal, SocketOptions, Woke, World};
use std::io;
use std::sync::{Arc, OnceLock};
use std::time::{Instant, SystemTime};
use waterclock_proto::tick::Tick;

/// The system's sockets, clocks, name service and random numbers.
#[derive(Debug)]
pub struct RealWorld {
    epoch: Instant,
}

impl RealWorld {
    /// The world of this process. All sessions share it, so their ticks can be compared.
    #[must_use]
    #[allow(clippy::disallowed_methods, reason = "the world is where the clock is read")]
    pub fn shared() -> Arc<dyn World> {
        static SHARED: OnceLock<Arc<RealWorld>> = OnceLock::new();
        let world = SHARED.get_or_init(|| Arc::new(RealWorld { epoch: Instant::now() }));
        Arc::clone(world) as Arc<dyn World>
    }
}

impl World for RealWorld {
    #[allow(clippy::disallowed_methods, reason = "the world is where the clock is read")]
    fn now(&self) -> Tick {
        let since = Instant::now().duration_since(self.epoch);
        Tick::ZERO.after(since)
    }

    #[allow(clippy::disallowed_methods, reason = "the world is where the clock is read")]
    fn wall(&self) -> SystemTime {
        SystemTime::now()
    }

    fn random(&self, out: &mut [u8]) {
        // The system's generator fails only before it is seeded, early in the boot. Nothing that
        // asks for randomness here is a secret, so zeros are then better than a panic.
        if getrandom::getrandom(out).is_err() {
            out.fill(0);
        }
    }

    fn open(&self, to: &Endpoint, options: &SocketOptions) -> io::Result<Opened> {
        socket::open(to, options)
    }

    fn lookup(&self, name: &str, port: u16, answer: Answer) {
        resolver::system().lookup(name, port, answer);
    }

    fn signal(&self) -> io::Result<Arc<dyn Signal>> {
        Ok(Arc::new(signal::Descriptor::new()?))
    }

    fn wait(&self, interests: &mut [Interest<'_>], until: Tick) -> io::Result<Woke> {
        wait::wait(self, interests, until)
    }
}
