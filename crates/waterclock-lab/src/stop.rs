//! One switch for all threads of a server: sleeps end early, sockets are shut down.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use crate::stream::Stream;

/// Locks without caring whether a user's closure panicked in another thread.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Default)]
pub(crate) struct Stop {
    state: Mutex<State>,
    bell: Condvar,
}

#[derive(Default)]
struct State {
    stopped: bool,
    // Weak, so that a connection's thread alone decides when its socket is really closed: a
    // second strong handle would delay the FIN or RST that the script asked for.
    streams: Vec<Watched>,
}

struct Watched {
    stream: Weak<Stream>,
    left: bool,
}

impl Stop {
    /// Sleeps at least `time`; an error means that the server was stopped meanwhile.
    pub(crate) fn sleep(&self, time: Duration) -> io::Result<()> {
        let end = Instant::now().checked_add(time);
        let mut state = lock(&self.state);
        loop {
            if state.stopped {
                return Err(stopped());
            }
            let left = match end {
                Some(end) => end.saturating_duration_since(Instant::now()),
                None => Duration::from_secs(3600),
            };
            if left.is_zero() {
                return Ok(());
            }
            let woken = self.bell.wait_timeout(state, left);
            state = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits for the end of the server, if need be for ever.
    #[cfg(not(unix))]
    pub(crate) fn wait(&self) {
        while self.sleep(Duration::from_secs(3600)).is_ok() {}
    }

    pub(crate) fn is_stopped(&self) -> bool {
        lock(&self.state).stopped
    }

    pub(crate) fn check(&self) -> io::Result<()> {
        if self.is_stopped() { Err(stopped()) } else { Ok(()) }
    }

    /// Has `stream` shut down when the server stops, which ends every blocking call on it.
    pub(crate) fn watch(&self, stream: &Arc<Stream>) {
        let mut state = lock(&self.state);
        if state.stopped {
            stream.shut_down();
        }
        state.streams.retain(|known| known.stream.strong_count() > 0);
        state.streams.push(Watched { stream: Arc::downgrade(stream), left: false });
    }

    /// How many peers have ended their side since this was asked last.
    pub(crate) fn departures(&self) -> usize {
        let mut departures = 0;
        for known in lock(&self.state).streams.iter_mut().filter(|known| !known.left) {
            known.left = known.stream.upgrade().is_some_and(|stream| stream.is_hung_up());
            departures += usize::from(known.left);
        }
        departures
    }

    pub(crate) fn stop(&self) {
        let mut state = lock(&self.state);
        state.stopped = true;
        for stream in state.streams.drain(..).filter_map(|known| known.stream.upgrade()) {
            stream.shut_down();
        }
        self.bell.notify_all();
    }
}

// Not `Interrupted`: `write_all` and friends would try again.
fn stopped() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, "the lab server stopped")
}
