//! Blocking name lookups on a few threads that nobody ever joins.
//!
//! `getaddrinfo` cannot be interrupted, so a lookup runs on a detached thread and the caller waits
//! for its answer under its own deadline. Lookups of one name are made once, whoever asks
//! (single-flight). There are at most [`THREADS`] threads; a thread that is stuck in a lookup holds
//! back neither a caller's deadline nor the end of the process.

use crate::sync::{Condvar, Mutex, MutexGuard, thread};
use crate::world::{Answer, LookupResult};
use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::{Arc, OnceLock, PoisonError};
use std::time::Duration;

/// How many lookups run at once. More would help only when several are stuck.
const THREADS: usize = 4;
/// How long a thread without work stays. Short: a process whose main thread has ended without ending
/// the process, as in children that a thread of Python's has forked, lives as long as its other threads.
const IDLE: Duration = Duration::from_secs(1);

type Name = (String, u16);
type Function = dyn Fn(&str, u16) -> LookupResult + Send + Sync;

/// A blocking lookup function, made non-blocking by a few threads.
#[derive(Clone)]
pub struct ThreadedLookup(Arc<Shared>);

struct Shared {
    function: Box<Function>,
    state: Mutex<State>,
    work: Condvar,
}

#[derive(Default)]
struct State {
    /// Whose threads these are.
    process: u32,
    queue: VecDeque<Name>,
    /// Who waits for which name; a name is here from the first question to the answer.
    waiting: HashMap<Name, Vec<Answer>>,
    threads: usize,
    idle: usize,
}

impl State {
    /// A forked child has none of the threads that its parent had, and answers none of its parent's calls.
    fn begin_anew_after_a_fork(&mut self) {
        let process = std::process::id();
        if self.process != process {
            std::mem::forget(std::mem::replace(self, State { process, ..State::default() }));
        }
    }

    /// Of calls that have ended nothing is kept, and what is queued for them alone is not looked up: behind a
    /// name server that is silent they would pile up.
    fn forget_who_gave_up(&mut self) {
        for answers in self.waiting.values_mut() {
            answers.retain(Answer::is_awaited);
        }
        let State { queue, waiting, .. } = self;
        queue.retain(|name| {
            let is_awaited = waiting.get(name).is_some_and(|answers| !answers.is_empty());
            if !is_awaited {
                waiting.remove(name);
            }
            is_awaited
        });
    }
}

impl std::fmt::Debug for ThreadedLookup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let state = self.0.lock();
        f.debug_struct("ThreadedLookup")
            .field("outstanding", &state.waiting.len())
            .field("threads", &state.threads)
            .finish_non_exhaustive()
    }
}

/// The system's name service: `getaddrinfo`, with all that it honours (hosts file, mDNS, VPN).
pub(super) fn system() -> &'static ThreadedLookup {
    static SYSTEM: OnceLock<ThreadedLookup> = OnceLock::new();
    SYSTEM.get_or_init(ThreadedLookup::of_system)
}

#[allow(clippy::disallowed_methods, reason = "runs on a lookup thread, which may block")]
fn getaddrinfo(name: &str, port: u16) -> LookupResult {
    (name, port).to_socket_addrs().map(Iterator::collect)
}

impl ThreadedLookup {
    /// Lookups by `function`, which may block for as long as it likes.
    pub fn new(
        function: impl Fn(&str, u16) -> io::Result<Vec<SocketAddr>> + Send + Sync + 'static,
    ) -> Self {
        ThreadedLookup(Arc::new(Shared {
            function: Box::new(function),
            state: Mutex::default(),
            work: Condvar::new(),
        }))
    }

    /// The system's name service, with threads that are not shared with the real world's: for a process
    /// that was forked from one with threads.
    #[must_use]
    pub fn of_system() -> Self {
        Self::new(getaddrinfo)
    }

    /// Asks for `name`; never blocks.
    pub fn lookup(&self, name: &str, port: u16, answer: Answer) {
        let name = (name.to_owned(), port);
        let mut state = self.0.lock();
        state.begin_anew_after_a_fork();
        state.forget_who_gave_up();
        if let Some(waiting) = state.waiting.get_mut(&name) {
            waiting.push(answer);
            return;
        }
        state.waiting.insert(name.clone(), vec![answer]);
        state.queue.push_back(name);
        if state.idle < state.queue.len() && state.threads < THREADS {
            state.threads += 1;
            let shared = Arc::clone(&self.0);
            let thread = thread::Builder::new().name("waterclock-resolve".into());
            if let Err(error) = thread.spawn(move || shared.run()) {
                state.threads -= 1;
                if state.threads == 0 {
                    refuse(&mut state, &error);
                }
            }
        }
        drop(state);
        self.0.work.notify_one();
    }
}

/// No thread could be started and none is there: nobody would ever answer.
fn refuse(state: &mut State, error: &io::Error) {
    state.queue.clear();
    for answer in state.waiting.drain().flat_map(|(_, answers)| answers) {
        let text = format!("no thread for the name lookup: {error}");
        answer.complete(Err(io::Error::new(error.kind(), text)));
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        let mut state = self.lock();
        loop {
            if !state.queue.is_empty() {
                state.forget_who_gave_up();
            }
            if let Some(name) = state.queue.pop_front() {
                drop(state);
                let result = self.call(&name);
                state = self.lock();
                let answers = state.waiting.remove(&name).unwrap_or_default();
                drop(state);
                for answer in answers {
                    answer.complete(copy(&result));
                }
                state = self.lock();
                continue;
            }
            state.idle += 1;
            #[allow(clippy::disallowed_methods, reason = "a lookup thread without work")]
            let woken = self.work.wait_timeout(state, IDLE);
            let (guard, timeout) = woken.unwrap_or_else(PoisonError::into_inner);
            state = guard;
            state.idle -= 1;
            if timeout.timed_out() && state.queue.is_empty() {
                state.threads -= 1;
                return;
            }
        }
    }

    /// A function of the user's may panic; the lookup then fails, and the thread goes on.
    fn call(&self, (name, port): &Name) -> LookupResult {
        let call = std::panic::AssertUnwindSafe(|| (self.function)(name, *port));
        std::panic::catch_unwind(call)
            .unwrap_or_else(|_| Err(io::Error::other("the lookup function panicked")))
    }
}

/// An [`io::Error`] cannot be cloned; everybody who waits gets one that says the same.
fn copy(result: &LookupResult) -> LookupResult {
    match result {
        Ok(addresses) => Ok(addresses.clone()),
        Err(error) => Err(io::Error::new(error.kind(), error.to_string())),
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "a lookup thread is held up here, and waited for")]
mod tests {
    use super::*;
    use crate::world::real::RealWorld;
    use crate::world::{Interest, PendingLookup};
    use std::sync::mpsc::{Receiver, channel};
    use waterclock_proto::tick::Tick;

    fn ask(lookup: &ThreadedLookup, name: &str) -> PendingLookup {
        let (pending, answer) = PendingLookup::new(RealWorld::shared().signal().unwrap());
        lookup.lookup(name, 80, answer);
        pending
    }

    /// Lookups that wait for an item each, or for the end of the channel, and the names they were for.
    fn gated() -> (ThreadedLookup, std::sync::mpsc::Sender<()>, Receiver<String>) {
        let (gate, opened) = channel();
        let (tell, told) = channel();
        let both = Mutex::new((opened, tell));
        let lookup = ThreadedLookup::new(move |name, port| {
            let both = both.lock().unwrap();
            both.1.send(name.to_owned()).unwrap();
            let _ = both.0.recv();
            Ok(vec![SocketAddr::from(([127, 0, 0, 1], port))])
        });
        (lookup, gate, told)
    }

    fn wait(pending: &PendingLookup) -> LookupResult {
        let mut interests = [Interest::read(pending.source())];
        RealWorld::shared().wait(&mut interests, Tick::NEVER).unwrap();
        pending.take().unwrap()
    }

    #[test]
    fn what_nobody_waits_for_is_not_looked_up() {
        let (lookup, gate, told) = gated();
        let first = ask(&lookup, "first.test");
        assert_eq!(told.recv().unwrap(), "first.test");
        // The others wait for the lock, each with a thread; the rest is queued.
        let others: Vec<_> = (1..THREADS).map(|n| ask(&lookup, &format!("{n}.test"))).collect();
        for n in 0..1_000 {
            drop(ask(&lookup, &format!("given-up-{n}.test")));
        }
        let last = ask(&lookup, "last.test");
        assert!(lookup.0.lock().queue.len() <= THREADS, "what nobody waits for piles up");
        drop(gate);
        for pending in others.iter().chain([&first, &last]) {
            assert_eq!(wait(pending).unwrap().len(), 1);
        }
        let names: Vec<_> = told.try_iter().collect();
        assert!(names.iter().all(|name| !name.starts_with("given-up")), "{names:?}");
        assert_eq!(names.len(), THREADS, "{names:?}");
    }

    #[test]
    fn who_asks_again_for_a_name_that_hangs_leaves_nothing_behind() {
        let (lookup, gate, _told) = gated();
        for _ in 0..1_000 {
            drop(ask(&lookup, "hangs.test"));
        }
        let waiting = ask(&lookup, "hangs.test");
        let answers: usize = lookup.0.lock().waiting.values().map(Vec::len).sum();
        assert_eq!(answers, 1);
        drop(gate);
        assert_eq!(wait(&waiting).unwrap().len(), 1);
    }
}
