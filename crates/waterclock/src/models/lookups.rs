//! Look-ups on threads of their own, whose answers are handed over to whoever still waits.

use super::try_orders;
use super::world::ModelWorld;
use crate::sync::atomic::{AtomicUsize, Ordering};
use crate::sync::modelled::all_time_passes;
use crate::world::real::ThreadedLookup;
use crate::world::{Interest, PendingLookup, World};
use crate::{ErrorKind, Limit, Limits, Session, SessionBuilder};
use shuttle::sync::{Condvar, Mutex};
use shuttle::thread;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use waterclock_proto::tick::Tick;

/// A session that asks `answers`, and the number of times that it was asked.
fn session(world: &ModelWorld) -> (Session, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let lookup = ThreadedLookup::new(move |_, port| {
        count.fetch_add(1, Ordering::SeqCst);
        thread::yield_now();
        Ok(vec![([192, 0, 2, 1], port).into()])
    });
    let builder = SessionBuilder::in_world(Arc::new(world.clone())).resolver(Arc::new(lookup));
    (builder.limits(Limits::none()).build().unwrap(), asked)
}

#[test]
fn everybody_gets_the_answer() {
    try_orders("everybody gets the answer", || {
        let world = ModelWorld::default();
        let (session, asked) = session(&world);
        let callers = ["one", "one", "two"].map(|name| {
            let session = session.clone();
            thread::spawn(move || {
                let mut response =
                    session.get(format!("http://{name}.test/{name}")).send().unwrap();
                assert_eq!(response.text().unwrap(), format!("/{name}"));
            })
        });
        callers.into_iter().for_each(|caller| caller.join().unwrap());
        assert!((2..=3).contains(&asked.load(Ordering::SeqCst)));
        drop(session);
        all_time_passes();
        assert_eq!(world.open().0, 0);
    });
}

#[test]
fn a_caller_gives_up_as_the_answer_comes() {
    try_orders("a caller gives up as the answer comes", || {
        let world = ModelWorld::default();
        let (session, _) = session(&world);
        let clock = world.clock();
        let hurried = {
            let session = session.clone();
            thread::spawn(move || {
                let limits = Limits::none().with(Limit::Resolve, Some(Duration::from_millis(5)));
                match session.get("http://one.test/1").limits(limits).send() {
                    Ok(mut response) => assert_eq!(response.text().unwrap(), "/1"),
                    Err(error) => {
                        assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
                        assert_eq!(error.limit(), Some(Limit::Resolve));
                    }
                }
            })
        };
        // It joins the same look-up or makes its own, and has all the time there is.
        let mut response = session.get("http://one.test/2").send().unwrap();
        assert_eq!(response.text().unwrap(), "/2");
        drop(response);
        hurried.join().unwrap();
        world.stop([clock]);
        drop(session);
        all_time_passes();
    });
}

/// Asks for `name`, and waits for the answer for as long as it takes.
fn ask(lookup: &ThreadedLookup, world: &ModelWorld, name: &str) {
    let (pending, answer) = PendingLookup::new(world.signal().unwrap());
    lookup.lookup(name, 80, answer);
    world.wait(&mut [Interest::read(pending.source())], Tick::NEVER).unwrap();
    assert_eq!(pending.take().unwrap().unwrap().len(), 1);
}

/// One name is never looked up twice at once, more names than threads wait for a thread, and each has its answer.
#[test]
fn more_names_than_threads() {
    try_orders("more names than threads", || {
        let world = ModelWorld::default();
        let running = Mutex::new(HashSet::new());
        let lookup = ThreadedLookup::new(move |name, port| {
            assert!(running.lock().unwrap().insert(name.to_owned()), "{name} is looked up twice");
            thread::yield_now();
            let mut running = running.lock().unwrap();
            assert!(running.len() <= 4, "too many threads");
            running.remove(name);
            Ok(vec![([192, 0, 2, 1], port).into()])
        });
        let callers = ["a", "b", "c", "d", "e", "a"].map(|name| {
            let (lookup, world) = (lookup.clone(), world.clone());
            thread::spawn(move || {
                ask(&lookup, &world, name);
                ask(&lookup, &world, "f");
            })
        });
        callers.into_iter().for_each(|caller| caller.join().unwrap());
        drop(lookup);
        all_time_passes();
    });
}

/// A lookup that is stuck until another one has been answered holds nobody back.
#[test]
fn a_stuck_one_holds_nobody_back() {
    try_orders("a stuck one holds nobody back", || {
        let world = ModelWorld::default();
        let gate = Arc::new((Mutex::new(false), Condvar::new()));
        let inner = Arc::clone(&gate);
        let lookup = ThreadedLookup::new(move |name, port| {
            if name == "stuck" {
                let (open, opened) = &*inner;
                drop(opened.wait_while(open.lock().unwrap(), |open| !*open).unwrap());
            }
            Ok(vec![([192, 0, 2, 1], port).into()])
        });
        // Its thread has no work by then, or not yet.
        ask(&lookup, &world, "first");
        let stuck = {
            let (lookup, world) = (lookup.clone(), world.clone());
            thread::spawn(move || ask(&lookup, &world, "stuck"))
        };
        ask(&lookup, &world, "other");
        *gate.0.lock().unwrap() = true;
        gate.1.notify_all();
        stuck.join().unwrap();
        drop(lookup);
        all_time_passes();
    });
}
