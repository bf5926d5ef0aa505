//! The world as a Python program sees it: the real one, with signals heard and forks survived.

use crate::capture;
use crate::per_process::{PerProcess, generation};
use pyo3::{PyErr, Python};
use std::cell::{Cell, RefCell};
use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use waterclock::Tick;
use waterclock::capture::KeyLines;
use waterclock::world::real::{RealWorld, ThreadedLookup};
use waterclock::world::{Answer, Endpoint, Interest, Opened, Signal, SocketOptions, Woke, World};

/// The main thread looks for signals so often. A signal ends a wait by itself, except if it comes
/// just before the wait begins, or to another thread; and work is no wait.
const SLICE: Duration = Duration::from_millis(20);

thread_local! {
    /// What a signal handler raised, on its way through the client.
    static RAISED: RefCell<Option<PyErr>> = const { RefCell::new(None) };
    /// Whether this is the main thread, which runs the handlers; and of which generation.
    static MAIN: Cell<Option<(u32, bool)>> = const { Cell::new(None) };
    /// When the main thread looks for signals again, while it works.
    static LOOKS: Cell<Tick> = const { Cell::new(Tick::ZERO) };
}

struct PythonWorld {
    real: Arc<dyn World>,
    /// The threads of the real world's lookups do not survive a fork.
    names: ThreadedLookup,
    /// Whether what is opened is recorded while there is a recording.
    is_recorded: bool,
}

/// The world of this process.
pub(crate) fn world() -> &'static Arc<dyn World> {
    static WORLD: PerProcess<Arc<dyn World>> = PerProcess::new();
    WORLD.get_or_init(|| made(true))
}

/// The same without recordings: what they are made around.
pub(crate) fn bare() -> &'static Arc<dyn World> {
    static WORLD: PerProcess<Arc<dyn World>> = PerProcess::new();
    WORLD.get_or_init(|| made(false))
}

fn made(is_recorded: bool) -> Arc<dyn World> {
    let (real, names) = (RealWorld::shared(), ThreadedLookup::of_system());
    Arc::new(PythonWorld { real, names, is_recorded })
}

/// The hook of all sessions: Python's signal handlers run, and one that raises ends the call.
pub(crate) fn interrupted() -> ControlFlow<()> {
    if !is_main() {
        return ControlFlow::Continue(());
    }
    #[allow(clippy::redundant_closure_for_method_calls, reason = "the lifetimes need it")]
    match Python::try_attach(|py| py.check_signals()) {
        Some(Ok(())) => ControlFlow::Continue(()),
        Some(Err(error)) => {
            RAISED.with(|raised| raised.replace(Some(error)));
            ControlFlow::Break(())
        }
        // The interpreter is ending.
        None => ControlFlow::Break(()),
    }
}

/// What a signal handler raised in the call that has just ended.
pub(crate) fn take_raised() -> Option<PyErr> {
    RAISED.with(RefCell::take)
}

fn is_main() -> bool {
    let now = generation();
    MAIN.with(|main| match main.get() {
        Some((generation, known)) if generation == now => known,
        _ => {
            let known = is_main_thread();
            main.set(Some((now, known)));
            known
        }
    })
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn is_main_thread() -> bool {
    rustix::thread::gettid() == rustix::process::getpid()
}

/// Not known: every thread looks.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn is_main_thread() -> bool {
    true
}

impl PythonWorld {
    fn recorded(&self) -> Option<Arc<dyn World>> {
        if self.is_recorded { capture::recorded() } else { None }
    }
}

impl World for PythonWorld {
    fn now(&self) -> Tick {
        self.real.now()
    }

    fn wall(&self) -> SystemTime {
        self.real.wall()
    }

    fn random(&self, out: &mut [u8]) {
        self.real.random(out);
    }

    fn open(&self, to: &Endpoint, options: &SocketOptions) -> io::Result<Opened> {
        match self.recorded() {
            None => self.real.open(to, options),
            Some(world) => world.open(to, options),
        }
    }

    fn lookup(&self, name: &str, port: u16, answer: Answer) {
        match self.recorded() {
            None => self.names.lookup(name, port, answer),
            Some(world) => world.lookup(name, port, answer),
        }
    }

    fn key_lines(&self) -> Option<KeyLines> {
        if self.is_recorded { capture::key_lines() } else { None }
    }

    fn signal(&self) -> io::Result<Arc<dyn Signal>> {
        self.real.signal()
    }

    fn wait(&self, interests: &mut [Interest<'_>], until: Tick) -> io::Result<Woke> {
        if !is_main() {
            return self.real.wait(interests, until);
        }
        let slice = self.real.now().after(SLICE).min(until);
        match self.real.wait(interests, slice)? {
            Woke::Expired if slice < until => Ok(Woke::Interrupted),
            woke => Ok(woke),
        }
    }

    fn asks_between_waits(&self, now: Tick) -> bool {
        if !is_main() || now < LOOKS.get() {
            return false;
        }
        LOOKS.set(now.after(SLICE));
        true
    }
}
