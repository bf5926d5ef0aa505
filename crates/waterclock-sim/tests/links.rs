//! What a link does to bytes, and a backlog to connects: exact instants.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests too")]

mod common;

use common::*;
use std::io::ErrorKind;
use std::time::Duration;
use waterclock::world::{Interest, Woke, World};
use waterclock_proto::tick::Tick;
use waterclock_sim::Direction::{ToClient, ToPeer};
use waterclock_sim::{Link, Script, SimWorld};

fn nanos(count: u64) -> Tick {
    Tick::from_nanos(count)
}

/// The instants and sizes of what comes until the end, or until nothing comes for a day.
fn arrivals(link: Link, script: Script) -> Vec<(Tick, usize)> {
    let world = SimWorld::with_seed(5);
    world.listen(PEER).link(link).serve(script);
    let mut socket = connect(&world, PEER);
    let mut seen = Vec::new();
    let day = at(86_400_000);
    while world.wait(&mut [Interest::read(socket.source())], day).unwrap() == Woke::Ready {
        let Ok(piece) = read(&mut *socket) else { break };
        seen.push((world.now(), piece.len()));
        if piece.is_empty() {
            break;
        }
    }
    seen
}

#[test]
fn a_bandwidth_takes_the_time_of_each_byte() {
    // 3 bytes a second: a byte takes a third of a second, rounded up once and not for each piece.
    let link = Link::new().latency(ms(10)).bandwidth(ToClient, 3);
    let script = Script::new().send("a").send("bc").wait(ms(2000)).send("d").close();
    let begun = 30_000_000;
    let seen = arrivals(link, script);
    let expected = [
        (nanos(begun + 10_000_000 + 333_333_334), 1),
        (nanos(begun + 10_000_000 + 1_000_000_000), 2),
        // The line was empty in between.
        (nanos(begun + 10_000_000 + 2_333_333_334), 1),
        (nanos(begun + 10_000_000 + 2_333_333_334), 0),
    ];
    assert_eq!(seen, expected);
}

#[test]
fn a_bandwidth_brings_segments_and_leaves_the_other_direction_alone() {
    let link = Link::new().bandwidth(ToClient, 1_460_000);
    let seen = arrivals(link, Script::new().send(vec![b'x'; 3000]).close());
    assert_eq!(seen, [(at(1), 1460), (at(2), 1460), (nanos(2_054_795), 80), (nanos(2_054_795), 0)]);

    let world = SimWorld::new();
    world
        .listen(PEER)
        .link(Link::new().bandwidth(ToPeer, 1000))
        .serve(Script::new().expect_bytes(500).send("got it"));
    let mut socket = connect(&world, PEER);
    write_all(&world, &mut *socket, &[0; 500]);
    assert_eq!(world.now(), Tick::ZERO);
    world.wait(&mut [Interest::read(socket.source())], Tick::NEVER).unwrap();
    assert_eq!(world.now(), at(500));
}

#[test]
fn jitter_follows_from_the_seed_and_nothing_overtakes() {
    let link = || Link::new().latency(ms(50)).jitter(ms(40));
    let script = || Script::new().drip(vec![b'x'; 100], 1, ms(1)).close();
    let seen = arrivals(link(), script());
    assert_eq!(seen, arrivals(link(), script()));
    assert!(seen.is_sorted());
    assert_eq!(seen.iter().map(|(_, size)| size).sum::<usize>(), 100);
    let began = seen[0].0;
    assert!(began >= at(200) && began <= at(200 + 4 * 40), "{began:?}");
    let last = seen.last().unwrap().0;
    assert!(last > began.after(ms(60)) && last < began.after(ms(140)), "{last:?}");
    // Pieces bunch up: fewer instants than pieces.
    assert!(seen.len() < 100);
}

#[test]
fn what_is_lost_after_some_bytes_stays_away() {
    let script = || Script::new().send("hello").wait(ms(5)).send("world").close();
    for (most, expected) in [
        (10, vec![(at(0), 5), (at(5), 5)]),
        (7, vec![(at(0), 5), (at(5), 2)]),
        (5, vec![(at(0), 5)]),
        (0, vec![]),
    ] {
        assert_eq!(arrivals(Link::new().lost_after(ToClient, most), script()), expected);
    }
}

#[test]
fn what_the_peer_never_gets_it_does_not_answer() {
    for (most, answered) in [(3, false), (4, true)] {
        let world = SimWorld::new();
        let link = Link::new().latency(ms(1)).lost_after(ToPeer, most);
        world.listen(PEER).link(link).serve(Script::new().expect_bytes(4).send("yes"));
        let mut socket = connect(&world, PEER);
        write_all(&world, &mut *socket, b"abcdef");
        let woke = world.wait(&mut [Interest::read(socket.source())], at(60_000)).unwrap();
        assert_eq!(woke == Woke::Ready, answered);
        assert_eq!(world.received(PEER), [&b"abcdef"[..usize::try_from(most).unwrap()]]);
    }
}

#[test]
fn from_an_instant_on_nothing_arrives() {
    let link = Link::new().latency(ms(10)).lost_at(ToClient, at(45));
    let script = || Script::new().send("a").wait(ms(4)).send("b").wait(ms(1)).send("c").close();
    // It is connected at 20 and begins at 30; what is sent at 35 would arrive at the instant itself.
    assert_eq!(arrivals(link, script()), [(at(40), 1), (at(44), 1)]);
    let world = SimWorld::new();
    world.listen(PEER).link(Link::new().latency(ms(10)).lost_at(ToClient, at(20)));
    let opened = open(&world, PEER);
    let woke = world.wait(&mut [Interest::write(opened.socket.source())], at(9999)).unwrap();
    assert_eq!(woke, Woke::Expired);
}

#[test]
fn a_reset_in_between_is_seen_at_both_ends() {
    let world = SimWorld::new();
    let link = Link::new().latency(ms(10)).reset_after(ToClient, 7);
    world.listen(PEER).link(link).serve(Script::new().send("hello").send("world").drain());
    let mut socket = connect(&world, PEER);
    world.wait(&mut [Interest::read(socket.source())], Tick::NEVER).unwrap();
    assert_eq!(read(&mut *socket).unwrap(), b"hellowo");
    assert_eq!(kind(read(&mut *socket)), ErrorKind::ConnectionReset);
    assert_eq!(kind(write(&mut *socket, b"x")), ErrorKind::ConnectionReset);
    assert_eq!(world.now(), at(40));

    let world = SimWorld::new();
    world.listen(PEER).link(Link::new().latency(ms(10)).reset_after(ToPeer, 3));
    let mut socket = connect(&world, PEER);
    write_all(&world, &mut *socket, b"abcdef");
    world.wait(&mut [Interest::read(socket.source())], Tick::NEVER).unwrap();
    assert_eq!(kind(read(&mut *socket)), ErrorKind::ConnectionReset);
    assert_eq!((world.now(), world.received(PEER)), (at(30), vec![b"abc".to_vec()]));
}

#[test]
fn short_reads_and_writes_lose_nothing() {
    let world = SimWorld::with_seed(3);
    world
        .listen(PEER)
        .link(Link::new().short_reads().short_writes())
        .serve(Script::new().expect_bytes(1000).send(vec![b'y'; 1000]).close());
    let mut socket = connect(&world, PEER);
    let first = write(&mut *socket, &[b'x'; 1000]).unwrap();
    assert!((1..1000).contains(&first), "{first}");
    write_all(&world, &mut *socket, &vec![b'x'; 1000 - first]);
    let pieces = read_to_end(&world, &mut *socket);
    assert!(pieces.len() > 2);
    assert_eq!(pieces.iter().map(|(_, piece)| piece.len()).sum::<usize>(), 1000);
    assert!(pieces.iter().all(|(when, _)| *when == Tick::ZERO));
}

#[test]
fn a_backlog_is_served_in_order_as_places_become_free() {
    let world = SimWorld::new();
    let script = Script::new().wait(ms(100)).send("x").close();
    world.listen(PEER).latency(ms(1)).workers(1).backlog(1).serve(script);
    let mut sockets: Vec<_> = (0..3).map(|_| open(&world, PEER).socket).collect();
    world.wait(&mut [Interest::read(sockets[0].source())], Tick::NEVER).unwrap();
    assert_eq!(world.now(), at(104));
    // The second was connected meanwhile, and is served when the first is over.
    sockets[1].connected().unwrap();
    world.wait(&mut [Interest::read(sockets[1].source())], Tick::NEVER).unwrap();
    assert_eq!(world.now(), at(103 + 100 + 1));
    // The third found no room; the system asked again after a second.
    assert_eq!(kind(sockets[2].connected()), ErrorKind::NotConnected);
    world.wait(&mut [Interest::write(sockets[2].source())], Tick::NEVER).unwrap();
    sockets[2].connected().unwrap();
    assert_eq!(world.now(), at(1002));
}

#[test]
fn a_backlog_that_stays_full_is_asked_seven_times() {
    for (until, answer) in [(62, Ok(at(63_000))), (64, Err(at(127_000)))] {
        let world = SimWorld::new();
        world.listen(PEER).workers(0).backlog(0);
        world.at(at(until * 1000), |world| {
            world.listen(PEER);
        });
        let mut socket = open(&world, PEER).socket;
        world.wait(&mut [Interest::write(socket.source())], Tick::NEVER).unwrap();
        let result = socket.connected();
        let seen = match result {
            Ok(()) => Ok(world.now()),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::TimedOut);
                Err(world.now())
            }
        };
        assert_eq!(seen, answer);
    }
}

#[test]
fn whoever_leaves_the_backlog_makes_room() {
    let world = SimWorld::new();
    world.listen(PEER).workers(0).backlog(1);
    let first = connect(&world, PEER);
    let mut second = open(&world, PEER).socket;
    let third = open(&world, PEER).socket;
    drop(first);
    world.wait(&mut [Interest::write(second.source())], Tick::NEVER).unwrap();
    second.connected().unwrap();
    assert_eq!(world.now(), Tick::ZERO.after(Duration::from_secs(1)));
    drop((second, third));
    assert_eq!(world.open_sockets(), 0);
}
