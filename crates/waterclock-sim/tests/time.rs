//! The clock, the order of events, signals and what is remembered of waits.

mod common;

use common::*;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};
use waterclock::world::{Interest, Signal, Woke, World};
use waterclock_proto::tick::Tick;
use waterclock_sim::{Script, SimWorld, Subject};

#[test]
fn the_clock_jumps_to_the_instant_and_stands_otherwise() {
    let world = SimWorld::new();
    assert_eq!(world.now(), Tick::ZERO);
    let hours = Duration::from_secs(36_000);
    assert_eq!(world.wait(&mut [], Tick::ZERO.after(hours)).unwrap(), Woke::Expired);
    assert_eq!(world.now(), Tick::ZERO.after(hours));
    // An instant that is past: the clock does not go back.
    assert_eq!(world.wait(&mut [], at(1)).unwrap(), Woke::Expired);
    assert_eq!(world.now(), Tick::ZERO.after(hours));
    world.advance(Duration::from_nanos(1));
    assert_eq!(world.now(), Tick::ZERO.after(hours).after(Duration::from_nanos(1)));
}

#[test]
fn the_calendar_follows_the_clock_and_can_be_set() {
    let world = SimWorld::new();
    let start = world.wall();
    world.advance(ms(1500));
    assert_eq!(world.wall().duration_since(start).unwrap(), ms(1500));
    world.set_wall(SystemTime::UNIX_EPOCH + ms(7));
    assert_eq!(world.wall(), SystemTime::UNIX_EPOCH + ms(7));
    assert_eq!(world.now(), at(1500));
}

#[test]
fn random_numbers_follow_from_the_seed() {
    let draw = |world: &SimWorld| {
        let mut bytes = [0; 13];
        world.random(&mut bytes);
        bytes
    };
    let world = SimWorld::with_seed(7);
    let first = draw(&world);
    assert_eq!(draw(&SimWorld::with_seed(7)), first);
    assert_ne!(draw(&world), first);
    assert_ne!(draw(&SimWorld::with_seed(8)), first);
}

#[test]
fn plans_happen_in_order_of_instant_and_then_of_planning() {
    let world = SimWorld::new();
    let seen = Arc::new(Mutex::new(Vec::new()));
    for (name, when) in [("c", 20), ("a", 10), ("d", 20), ("b", 10), ("later", 31)] {
        let seen = Arc::clone(&seen);
        world.at(at(when), move |world| seen.lock().unwrap().push((name, world.now())));
    }
    world.wait(&mut [], at(30)).unwrap();
    let expected = [("a", at(10)), ("b", at(10)), ("c", at(20)), ("d", at(20))];
    assert_eq!(*seen.lock().unwrap(), expected);
}

#[test]
fn an_event_at_the_deadline_happens_and_one_after_it_does_not() {
    for (until, woke) in [(at(20), Woke::Ready), (Tick::from_nanos(19_999_999), Woke::Expired)] {
        let world = SimWorld::new();
        world.listen(PEER).serve(Script::new().wait(ms(20)).send("x"));
        let mut socket = connect(&world, PEER);
        assert_eq!(world.wait(&mut [Interest::read(socket.source())], until).unwrap(), woke);
        assert_eq!(world.now(), until);
        assert_eq!(read(&mut *socket).is_ok(), woke == Woke::Ready);
    }
}

#[test]
fn what_is_ready_already_takes_no_time() {
    let world = SimWorld::new();
    let signal = world.signal().unwrap();
    signal.set();
    for _ in 0..2 {
        let mut interests = [Interest::read(signal.source())];
        assert_eq!(world.wait(&mut interests, at(5)).unwrap(), Woke::Ready);
        assert!(interests[0].ready);
        assert_eq!(world.now(), Tick::ZERO);
    }
}

#[test]
fn a_signal_can_be_set_by_a_plan_and_by_a_thread() {
    let world = SimWorld::new();
    let signal = world.signal().unwrap();
    let setter = Arc::clone(&signal);
    world.at(at(15), move |_| setter.set());
    assert_eq!(world.wait(&mut [Interest::read(signal.source())], at(99)).unwrap(), Woke::Ready);
    assert_eq!(world.now(), at(15));

    let signal = world.signal().unwrap();
    std::thread::scope(|scope| {
        let signal = &signal;
        scope.spawn(move || signal.set());
    });
    let woke = world.wait(&mut [Interest::read(signal.source())], Tick::NEVER).unwrap();
    assert_eq!((woke, world.now()), (Woke::Ready, at(15)));
}

#[test]
fn an_interrupted_wait_can_be_resumed_to_the_same_instant() {
    let world = SimWorld::new();
    world.listen(PEER);
    let socket = connect(&world, PEER);
    world.interrupt_at(at(40));
    let mut interests = [Interest::read(socket.source())];
    assert_eq!(world.wait(&mut interests, at(100)).unwrap(), Woke::Interrupted);
    assert_eq!(world.now(), at(40));
    assert!(!interests[0].ready);
    assert_eq!(world.wait(&mut interests, at(100)).unwrap(), Woke::Expired);
    assert_eq!(world.now(), at(100));
}

#[test]
fn local_work_lets_the_network_go_on() {
    let world = SimWorld::new();
    world.listen(PEER).serve(Script::new().wait(ms(10)).send("a").wait(ms(10)).send("b"));
    let mut socket = connect(&world, PEER);
    world.advance(ms(15));
    assert_eq!(read(&mut *socket).unwrap(), b"a");
    world.wait(&mut [Interest::read(socket.source())], Tick::NEVER).unwrap();
    assert_eq!(world.now(), at(20));
}

#[test]
fn waits_are_remembered() {
    let world = SimWorld::new();
    world.listen(PEER).serve(Script::new().wait(ms(8)).send("x"));
    let socket = connect(&world, PEER);
    let signal = world.signal().unwrap();
    let mut interests = [Interest::read(signal.source()), Interest::read(socket.source())];
    world.wait(&mut interests, at(5)).unwrap();
    world.wait(&mut interests, at(50)).unwrap();
    let waits = world.waits();
    let summary: Vec<_> = waits.iter().map(|w| (w.started, w.until, w.ended, w.woke)).collect();
    let expected = [(at(0), at(5), at(5), Woke::Expired), (at(5), at(50), at(8), Woke::Ready)];
    assert_eq!(summary, expected);
    assert_eq!(waits[0].ready().count(), 0);
    let ready: Vec<_> = waits[1].ready().cloned().collect();
    assert_eq!(ready, [Subject::Connection(endpoint(PEER), 0)]);
    assert!(matches!(waits[1].waited[0].subject, Subject::Signal(_)));
}

#[test]
fn a_deadlock_says_who_waits_for_what() {
    let world = SimWorld::new();
    world.listen(PEER).serve(Script::new().expect_head().send("never"));
    let mut socket = connect(&world, PEER);
    write_all(&world, &mut *socket, b"GET / HT");
    let _pending = {
        world.host("silent.example").never_answers();
        look_up(&world, "silent.example")
    };
    let text = panic_text(|| {
        let _ = world.wait(&mut [Interest::read(socket.source())], Tick::NEVER);
    });
    for part in [
        "192.0.2.1:80, connection 0, to read",
        "expects a request head, has 8 bytes of it",
        "lookup of silent.example is never answered",
    ] {
        assert!(text.contains(part), "{part:?} is not in {text}");
    }
}

#[test]
fn a_script_that_lets_no_time_pass_is_found_out() {
    let world = SimWorld::new();
    world.listen(PEER).serve(Script::new().repeat(Script::new().send("")));
    let _socket = connect(&world, PEER);
    assert!(panic_text(|| world.advance(ms(1))).contains("one instant"));
}

#[test]
fn a_source_of_nowhere_is_an_error() {
    let world = SimWorld::new();
    let other = SimWorld::new();
    let signal: Arc<dyn Signal> = other.signal().unwrap();
    assert!(world.wait(&mut [Interest::read(signal.source())], at(1)).is_err());
}

#[allow(clippy::unwrap_used, reason = "a helper of tests is a test too")]
fn panic_text(call: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(call)).unwrap_err();
    panic.downcast_ref::<String>().cloned().unwrap_or_else(|| "not a text".to_owned())
}
