//! Several threads in one world: one runs at a time, in an order that the seed draws.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests too")]

mod common;

use common::*;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use waterclock::world::{Interest, Signal, Woke, World};
use waterclock_proto::tick::Tick;
use waterclock_sim::{Link, Script, SimWorld, WaitRecord};

/// Three threads that talk to a jittery echo; what they did, and all waits.
fn story(seed: u64) -> (Vec<(usize, Tick)>, Vec<WaitRecord>) {
    let world = SimWorld::with_seed(seed);
    let answer = Script::new().repeat(Script::new().expect_bytes(1).send("x"));
    world.listen(PEER).link(Link::new().latency(ms(1)).jitter(ms(1))).serve(answer);
    let log = Mutex::new(Vec::new());
    world.threads(|threads| {
        for thread in 0..3 {
            let (world, log) = (&world, &log);
            threads.spawn(move || {
                let mut socket = connect(world, PEER);
                for _ in 0..5 {
                    write_all(world, &mut *socket, b"?");
                    world.wait(&mut [Interest::read(socket.source())], Tick::NEVER).unwrap();
                    read(&mut *socket).unwrap();
                    log.lock().unwrap().push((thread, world.now()));
                    world.sleep(ms(1));
                }
            });
        }
    });
    assert_eq!(world.open_sockets(), 0);
    (log.into_inner().unwrap(), world.waits())
}

#[test]
fn the_same_seed_tells_the_same_story() {
    let first = story(11);
    for _ in 0..20 {
        assert_eq!(story(11), first);
    }
    assert!((12..20).any(|seed| story(seed).0 != first.0));
}

#[test]
fn the_seed_draws_who_goes_first() {
    let first = |seed| {
        let world = SimWorld::with_seed(seed);
        let first = Mutex::new(None);
        world.threads(|threads| {
            for thread in 0..4 {
                let (world, first) = (&world, &first);
                threads.spawn(move || {
                    world.sleep(ms(10));
                    first.lock().unwrap().get_or_insert(thread);
                });
            }
        });
        first.into_inner().unwrap().unwrap()
    };
    let seen: std::collections::BTreeSet<usize> = (0..40).map(first).collect();
    assert_eq!(seen.len(), 4);
}

#[test]
fn the_clock_moves_only_when_all_wait() {
    let world = SimWorld::new();
    let seen = Mutex::new(Vec::new());
    world.threads(|threads| {
        for time in [30, 10, 20] {
            let (world, seen) = (&world, &seen);
            threads.spawn(move || {
                world.sleep(ms(time));
                seen.lock().unwrap().push(world.now());
                world.sleep(ms(5));
                seen.lock().unwrap().push(world.now());
            });
        }
    });
    assert_eq!(*seen.lock().unwrap(), [at(10), at(15), at(20), at(25), at(30), at(35)]);
    assert_eq!(world.now(), at(35));
    let threads: Vec<usize> = world.waits().iter().map(|wait| wait.thread).collect();
    assert_eq!(threads, [2, 2, 3, 3, 1, 1]);
}

#[test]
fn a_thread_wakes_another_through_a_signal() {
    let world = SimWorld::new();
    let signal: Arc<dyn Signal> = world.signal().unwrap();
    world.threads(|threads| {
        let (one, two) = (&world, &world);
        let (waits, sets) = (&signal, &signal);
        threads.spawn(move || {
            let woke = one.wait(&mut [Interest::read(waits.source())], Tick::NEVER).unwrap();
            assert_eq!((woke, one.now()), (Woke::Ready, at(7)));
        });
        threads.spawn(move || {
            two.sleep(ms(7));
            sets.set();
        });
    });
}

#[test]
fn an_interruption_ends_one_wait() {
    let world = SimWorld::new();
    world.interrupt_at(at(3));
    let ends = Mutex::new(Vec::new());
    world.threads(|threads| {
        for _ in 0..2 {
            let (world, ends) = (&world, &ends);
            threads.spawn(move || {
                let woke = world.wait(&mut [], at(9)).unwrap();
                ends.lock().unwrap().push((world.now(), woke));
            });
        }
    });
    let expected = [(at(3), Woke::Interrupted), (at(9), Woke::Expired)];
    assert_eq!(*ends.lock().unwrap(), expected);
}

#[test]
fn a_deadlock_of_all_names_each() {
    let world = SimWorld::new();
    world.listen(PEER).serve(Script::new().expect_head());
    let text = panic_text(|| {
        world.threads(|threads| {
            for _ in 0..2 {
                let world = &world;
                threads.spawn(move || {
                    let socket = connect(world, PEER);
                    let _ = world.wait(&mut [Interest::read(socket.source())], Tick::NEVER);
                });
            }
        });
    });
    for part in ["Thread 1 waits for", "Thread 2 waits for", "connection 1, to read", "deadlock"] {
        assert!(text.contains(part), "{part:?} is not in {text}");
    }
}

#[test]
fn a_panic_comes_out_and_the_others_end() {
    let world = SimWorld::new();
    let ended = Mutex::new(0);
    let text = panic_text(|| {
        world.threads(|threads| {
            let (one, two, ended) = (&world, &world, &ended);
            threads.spawn(move || {
                one.sleep(ms(1));
                panic!("what it said");
            });
            threads.spawn(move || {
                two.sleep(ms(2));
                *ended.lock().unwrap() += 1;
            });
        });
    });
    assert_eq!((text.as_str(), *ended.lock().unwrap()), ("what it said", 1));
    // The world is as good as before.
    world.sleep(ms(1));
    assert_eq!(world.now(), at(3));
}

fn panic_text(call: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(call)).unwrap_err();
    let plain = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    panic.downcast_ref::<String>().cloned().or(plain).unwrap()
}
