//! [`Threads`]: several threads in one world, one of which runs at a time.

use crate::crew::{State, Wanted};
use crate::net::{Jump, lock};
use crate::world::SimWorld;
use std::any::Any;
use std::cell::Cell;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Scope;
use waterclock::world::Woke;

thread_local! {
    /// The world that this thread belongs to, by the address of its state, and its number there.
    static ME: Cell<(usize, usize)> = const { Cell::new((0, 0)) };
}

/// Starts threads in a world; see [`SimWorld::threads`].
pub struct Threads<'scope, 'env> {
    world: &'env SimWorld,
    scope: &'scope Scope<'scope, 'env>,
    /// What the first thread that panicked had to say.
    panic: Arc<Mutex<Option<Box<dyn Any + Send>>>>,
}

impl<'scope, 'env> Threads<'scope, 'env> {
    /// A thread that does what `run` says, once its turn comes.
    pub fn spawn(&self, run: impl FnOnce() + Send + 'scope) {
        let (world, panic) = (self.world, Arc::clone(&self.panic));
        let number = lock(&world.net).crew.join(State::New);
        self.scope.spawn(move || {
            ME.set((world.address(), number));
            let result = catch_unwind(AssertUnwindSafe(|| {
                world.await_turn(number);
                run();
            }));
            if let Err(payload) = result {
                panic.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(payload);
            }
            lock(&world.net).crew.enter(number, State::Ended);
            // A peer that panics must not leave the other threads without a turn.
            if catch_unwind(AssertUnwindSafe(|| world.pass_on())).is_err() {
                world.fall("a peer or a plan panicked".to_owned());
            }
        });
    }
}

impl fmt::Debug for Threads<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Threads").field("world", self.world).finish_non_exhaustive()
    }
}

impl SimWorld {
    /// Runs the threads that `begin` starts, and comes back when all of them have ended.
    ///
    /// One of them runs at a time. Only in [`World::wait`](waterclock::world::World::wait) it hands
    /// over, to one that can go on, which the world's seed draws; the clock moves when none of them
    /// can. So a race between threads is one of the seed, and the same seed makes the same one again.
    /// A thread must not hold a lock that another one needs while it waits (the client holds none),
    /// and must not block on anything else.
    ///
    /// ```
    /// use std::time::Duration;
    /// use waterclock_sim::SimWorld;
    /// use waterclock_proto::tick::Tick;
    ///
    /// let world = SimWorld::with_seed(7);
    /// let ms = Duration::from_millis;
    /// world.threads(|threads| {
    ///     for time in [30, 20] {
    ///         let world = &world;
    ///         threads.spawn(move || world.sleep(ms(time)));
    ///     }
    /// });
    /// assert_eq!(world.threads_run(), 2);
    /// assert_eq!(waterclock::world::World::now(&*world), Tick::ZERO.after(ms(30)));
    /// ```
    ///
    /// # Panics
    /// When one of the threads has panicked, with what it said, and when all of them wait for
    /// something that will never happen. In the latter case each thread's wait panics.
    pub fn threads<'env>(&'env self, begin: impl for<'scope> FnOnce(&Threads<'scope, 'env>)) {
        let panic = Arc::new(Mutex::new(None));
        std::thread::scope(|scope| {
            begin(&Threads { world: self, scope, panic: Arc::clone(&panic) });
            self.pass_on();
        });
        let payload = panic.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(payload) = payload {
            resume_unwind(payload);
        }
    }

    /// How many threads [`threads`](Self::threads) has started so far.
    #[must_use]
    pub fn threads_run(&self) -> usize {
        lock(&self.net).crew.members.len() - 1
    }

    /// Who is calling: 0 if it is none of the world's own threads.
    pub(crate) fn me(&self) -> usize {
        let (world, number) = ME.get();
        if world == self.address() { number } else { 0 }
    }

    fn address(&self) -> usize {
        Arc::as_ptr(&self.net).addr()
    }

    /// Waits, and lets others run meanwhile.
    #[allow(clippy::panic, reason = "a test tool: the test would hang for ever")]
    pub(crate) fn wait_in_turn(&self, me: usize, wanted: Wanted) -> Woke {
        lock(&self.net).crew.enter(me, State::Waiting(wanted));
        self.pass_on();
        self.await_turn(me)
    }

    /// Gives the turn to a thread that can go on, if there is one; the clock moves until there is.
    pub(crate) fn pass_on(&self) {
        let mut events = 0;
        loop {
            let interrupted = self.run_instant(&mut events);
            let mut net = lock(&self.net);
            if interrupted {
                net.crew.interrupt();
            }
            if let Some(next) = net.draw_turn() {
                if let Some(member) = net.crew.members.get(next) {
                    member.called.notify_one();
                }
                return;
            }
            if net.crew.waiting().next().is_none() {
                return;
            }
            let until = net.crew.earliest();
            if let Jump::Deadlock = net.jump(until) {
                let text = net.describe_deadlock();
                drop(net);
                return self.fall(text);
            }
        }
    }

    /// Nobody will ever have a turn again: all that wait are told.
    fn fall(&self, why: String) {
        let mut net = lock(&self.net);
        net.crew.fallen.get_or_insert(why);
        for member in &net.crew.members {
            member.called.notify_one();
        }
    }

    /// Blocks until `me` has its turn, and says why its wait has come back.
    #[allow(clippy::panic, reason = "a test tool: the test would hang for ever")]
    #[allow(clippy::disallowed_methods, reason = "one thread of a simulated world runs at a time")]
    fn await_turn(&self, me: usize) -> Woke {
        let mut net = lock(&self.net);
        while net.crew.turn != Some(me) {
            if let Some(why) = net.crew.fallen.clone() {
                drop(net);
                panic!("{why}");
            }
            let Some(called) = net.crew.members.get(me).map(|member| Arc::clone(&member.called))
            else {
                break;
            };
            net = called.wait(net).unwrap_or_else(PoisonError::into_inner);
        }
        net.crew.turn = None;
        let before = net.crew.members.get_mut(me);
        let before = before.map(|member| std::mem::replace(&mut member.state, State::Running));
        match before {
            Some(State::Waiting(wanted)) => net.woke(&wanted).unwrap_or(Woke::Expired),
            _ => Woke::Ready,
        }
    }
}
