//! Locks, atomics and threads of what several callers share: std's. Under `--cfg shuttle` the unit tests get
//! shuttle's instead, which tries one interleaving after the other (see `models`).

#[cfg(not(all(test, shuttle)))]
pub(crate) use std::{
    sync::{Condvar, Mutex, MutexGuard, atomic},
    thread,
};

#[cfg(all(test, shuttle))]
pub(crate) use modelled::Condvar;
#[cfg(all(test, shuttle))]
pub(crate) use shuttle::{
    sync::{Mutex, MutexGuard, atomic},
    thread,
};

#[cfg(all(test, shuttle))]
pub(crate) mod modelled {
    use shuttle::rand::Rng;
    use shuttle::sync::{LockResult, MutexGuard};
    use std::cell::RefCell;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Arc, Weak};
    use std::time::Duration;

    // All threads of a model are one thread of the system's.
    thread_local! {
        static ALL: RefCell<Vec<Weak<Inner>>> = const { RefCell::new(Vec::new()) };
    }

    /// shuttle's `wait_timeout` never times out. This one does at once, or when all time has passed.
    #[derive(Debug)]
    pub(crate) struct Condvar(Arc<Inner>);

    #[derive(Debug, Default)]
    struct Inner {
        condvar: shuttle::sync::Condvar,
        over: AtomicBool,
    }

    pub(crate) struct WaitTimeoutResult(bool);

    impl WaitTimeoutResult {
        pub(crate) fn timed_out(&self) -> bool {
            self.0
        }
    }

    impl Condvar {
        pub(crate) fn new() -> Self {
            let inner = Arc::default();
            ALL.with_borrow_mut(|all| all.push(Arc::downgrade(&inner)));
            Condvar(inner)
        }

        pub(crate) fn notify_one(&self) {
            self.0.condvar.notify_one();
        }

        /// One time in three the time is over before anybody calls.
        pub(crate) fn wait_timeout<'a, T>(
            &self,
            guard: MutexGuard<'a, T>,
            _time: Duration,
        ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)> {
            let over = || self.0.over.load(Ordering::SeqCst);
            if over() || shuttle::rand::thread_rng().gen_range(0..3) == 0 {
                return Ok((guard, WaitTimeoutResult(true)));
            }
            let guard = self.0.condvar.wait(guard).map_err(|_| "poisoned").unwrap();
            Ok((guard, WaitTimeoutResult(over())))
        }
    }

    /// Whoever still waits waits no longer: for the end of a model. Returns when nobody is left.
    pub(crate) fn all_time_passes() {
        for waited_on in ALL.take() {
            // Again and again: one may just be on its way into a wait.
            while let Some(inner) = waited_on.upgrade() {
                inner.over.store(true, Ordering::SeqCst);
                inner.condvar.notify_all();
                drop(inner);
                shuttle::thread::yield_now();
            }
        }
    }
}
