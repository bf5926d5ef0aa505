//! Names, connects, and what scripted peers do.

mod common;

use common::*;
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use waterclock::world::{Endpoint, Interest, Opened, SocketOptions, Woke, World};
use waterclock_proto::tick::Tick;
use waterclock_sim::{Peer, Script, SimWorld, Wire};

#[test]
fn a_name_answers_after_its_delay() {
    let world = SimWorld::new();
    world.host("example.com").resolves_to(["192.0.2.1", "2001:db8::7"]).after(ms(80));
    let pending = look_up(&world, "Example.com");
    assert!(pending.take().is_none());
    world.wait(&mut [Interest::read(pending.source())], Tick::NEVER).unwrap();
    assert_eq!(world.now(), at(80));
    let expected: Vec<SocketAddr> =
        vec!["192.0.2.1:443".parse().unwrap(), "[2001:db8::7]:443".parse().unwrap()];
    assert_eq!(pending.take().unwrap().unwrap(), expected);
    assert_eq!(world.lookups(), ["Example.com"]);
}

#[test]
fn a_name_fails_or_is_unknown() {
    let world = SimWorld::new();
    world.host("gone.example").fails(ErrorKind::NotFound).after(ms(5));
    let (gone, unknown) = (look_up(&world, "gone.example"), look_up(&world, "what.example"));
    world.wait(&mut [Interest::read(unknown.source())], Tick::NEVER).unwrap();
    let error = unknown.take().unwrap().unwrap_err();
    assert!(error.to_string().contains("what.example"));
    world.wait(&mut [Interest::read(gone.source())], Tick::NEVER).unwrap();
    assert_eq!(kind(gone.take().unwrap()), ErrorKind::NotFound);
    assert_eq!(world.now(), at(5));
}

#[test]
fn an_address_resolves_to_itself() {
    let world = SimWorld::new();
    let pending = look_up(&world, "2001:db8::7");
    world.wait(&mut [Interest::read(pending.source())], Tick::NEVER).unwrap();
    let address: IpAddr = "2001:db8::7".parse().unwrap();
    assert_eq!(pending.take().unwrap().unwrap(), [SocketAddr::new(address, 443)]);
    assert_eq!(world.now(), Tick::ZERO);
}

#[test]
fn a_name_may_never_answer() {
    let world = SimWorld::new();
    world.host("silent.example").never_answers();
    let pending = look_up(&world, "silent.example");
    let woke = world.wait(&mut [Interest::read(pending.source())], at(900)).unwrap();
    assert_eq!(woke, Woke::Expired);
    assert!(pending.take().is_none());
}

#[test]
fn a_connect_without_delay_is_there_at_once() {
    let world = SimWorld::new();
    world.listen(PEER);
    let Opened { mut socket, connected } = open(&world, PEER);
    assert!(connected);
    socket.connected().unwrap();
    assert_eq!(socket.peer_address().unwrap().to_string(), PEER);
    assert_eq!(kind(read(&mut *socket)), ErrorKind::WouldBlock);
}

#[test]
fn a_connect_takes_a_round_trip_and_its_delay() {
    let world = SimWorld::new();
    world.listen(PEER).latency(ms(10)).after(ms(3)).serve(Script::new().send("hello"));
    let Opened { mut socket, connected } = open(&world, PEER);
    assert!(!connected);
    assert_eq!(kind(socket.connected()), ErrorKind::NotConnected);
    assert_eq!(socket.peer_address(), None);
    assert_eq!(kind(write(&mut *socket, b"early")), ErrorKind::WouldBlock);
    world.wait(&mut [Interest::both(socket.source())], Tick::NEVER).unwrap();
    assert_eq!(world.now(), at(23));
    // The peer begins when the last of the three packets has come, and its own takes as long.
    world.wait(&mut [Interest::read(socket.source())], Tick::NEVER).unwrap();
    assert_eq!(world.now(), at(43));
    assert_eq!(read(&mut *socket).unwrap(), b"hello");
    assert_eq!(world.connections(PEER)[0].connected, Some(at(23)));
}

#[test]
fn a_refusal_comes_when_it_is_due() {
    let world = SimWorld::new();
    world.refuse("192.0.2.2:80").after(ms(4));
    world.refuse("192.0.2.3:80").with(ErrorKind::HostUnreachable);
    for (address, when, error) in [
        ("192.0.2.2:80", at(4), ErrorKind::ConnectionRefused),
        ("192.0.2.3:80", at(4), ErrorKind::HostUnreachable),
        ("192.0.2.4:80", at(4), ErrorKind::ConnectionRefused),
    ] {
        let Opened { mut socket, connected } = open(&world, address);
        assert!(!connected);
        let woke = world.wait(&mut [Interest::write(socket.source())], Tick::NEVER).unwrap();
        assert_eq!((woke, world.now()), (Woke::Ready, when));
        assert_eq!(kind(socket.connected()), error);
        assert_eq!(kind(write(&mut *socket, b"x")), error);
    }
}

#[test]
fn an_address_without_a_route_fails_at_once() {
    let world = SimWorld::new();
    let away = "[2001:db8::7]:80";
    world.refuse(away).with(ErrorKind::NetworkUnreachable).at_once();
    let opened = world.open(&endpoint(away), &SocketOptions::default());
    assert_eq!(kind(opened), ErrorKind::NetworkUnreachable);
    assert_eq!((world.connections(away).len(), world.open_sockets()), (1, 0));
}

#[test]
fn a_black_hole_never_answers() {
    let world = SimWorld::new();
    world.black_hole(PEER);
    let socket = open(&world, PEER).socket;
    let woke = world.wait(&mut [Interest::both(socket.source())], at(60_000)).unwrap();
    assert_eq!((woke, world.now()), (Woke::Expired, at(60_000)));
}

#[test]
fn a_drip_comes_piece_by_piece() {
    let world = SimWorld::new();
    world.listen(PEER).serve(Script::new().wait(ms(7)).drip("abcde", 2, ms(10)).close());
    let mut socket = connect(&world, PEER);
    let pieces = read_to_end(&world, &mut *socket);
    let expected = [(at(7), b"ab".to_vec()), (at(17), b"cd".to_vec()), (at(27), b"e".to_vec())];
    assert_eq!(pieces, expected);
    assert_eq!(world.now(), at(27));
}

#[test]
fn a_kept_connection_is_served_again_and_again() {
    let world = SimWorld::new();
    let answer = Script::new().expect_head().expect_body().wait(ms(5)).send("ok");
    world.listen(PEER).latency(ms(1)).serve(Script::new().repeat_times(2, answer).close());
    let mut socket = connect(&world, PEER);
    let mut instants = Vec::new();
    for request in ["GET / HTTP/1.1\r\n\r\n", "PUT / HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi"] {
        write_all(&world, &mut *socket, request.as_bytes());
        world.wait(&mut [Interest::read(socket.source())], Tick::NEVER).unwrap();
        assert_eq!(read(&mut *socket).unwrap(), b"ok");
        instants.push(world.now());
    }
    assert_eq!(instants, [at(9), at(16)]);
    assert!(read_to_end(&world, &mut *socket).is_empty());
    let received = String::from_utf8(world.received(PEER).concat()).unwrap();
    assert!(received.starts_with("GET / ") && received.ends_with("\r\n\r\nhi"));
}

#[test]
fn each_connection_may_get_a_peer_of_its_own() {
    let world = SimWorld::new();
    world.listen(PEER).serve_with(|number| match number {
        0 => Script::new().reset(),
        _ => Script::new().expect_head().respond(|head| head[..3].to_vec()),
    });
    let mut first = connect(&world, PEER);
    world.wait(&mut [Interest::write(first.source())], Tick::NEVER).unwrap();
    assert_eq!(kind(read(&mut *first)), ErrorKind::ConnectionReset);
    let mut second = connect(&world, PEER);
    write_all(&world, &mut *second, b"PUT / HTTP/1.1\r\n\r\n");
    world.wait(&mut [Interest::read(second.source())], Tick::NEVER).unwrap();
    assert_eq!(read(&mut *second).unwrap(), b"PUT");
}

#[test]
fn a_window_lets_in_what_the_peer_takes() {
    let world = SimWorld::new();
    let script = Script::new().wait(ms(50)).expect_bytes(60).wait(ms(50)).expect_bytes(60);
    world.listen(PEER).window(100).serve(script.send("done"));
    let mut socket = connect(&world, PEER);
    assert_eq!(write(&mut *socket, &[b'x'; 120]).unwrap(), 100);
    assert_eq!(kind(write(&mut *socket, b"x")), ErrorKind::WouldBlock);
    assert_eq!(world.wait(&mut [Interest::write(socket.source())], at(40)).unwrap(), Woke::Expired);
    assert_eq!(world.wait(&mut [Interest::write(socket.source())], at(90)).unwrap(), Woke::Ready);
    assert_eq!(world.now(), at(50));
    assert_eq!(write(&mut *socket, &[b'x'; 120]).unwrap(), 60);
    world.wait(&mut [Interest::read(socket.source())], Tick::NEVER).unwrap();
    assert_eq!(world.now(), at(100));
    assert_eq!(world.received(PEER), [vec![b'x'; 160]]);
}

#[test]
fn a_paced_peer_reads_slowly() {
    let world = SimWorld::new();
    let script = Script::new().expect_head().pace(10, ms(20)).expect_body().send("ok");
    world.listen(PEER).window(100).serve(script);
    let mut socket = connect(&world, PEER);
    let head = b"PUT / HTTP/1.1\r\nContent-Length: 150\r\n\r\n";
    write_all(&world, &mut *socket, head);
    write_all(&world, &mut *socket, &[b'x'; 150]);
    // The head is taken at once. Of the body, 100 bytes fill the window, ten are taken now, and
    // the last of the other forty fit when ten more have been taken four times.
    assert_eq!(world.now(), at(80));
    // Fifteen times ten bytes, and fourteen rests between them.
    world.wait(&mut [Interest::read(socket.source())], Tick::NEVER).unwrap();
    assert_eq!(world.now(), at(280));
}

#[test]
fn a_peer_that_takes_nothing_stops_the_writer_for_good() {
    let world = SimWorld::new();
    world.listen(PEER).window(10).serve(Script::new().stall());
    let mut socket = connect(&world, PEER);
    assert_eq!(write(&mut *socket, &[0; 64]).unwrap(), 10);
    let woke = world.wait(&mut [Interest::write(socket.source())], at(5000)).unwrap();
    assert_eq!(woke, Woke::Expired);
}

#[test]
fn what_came_before_a_reset_can_be_read() {
    let world = SimWorld::new();
    world.listen(PEER).serve(Script::new().send("part").reset());
    let mut socket = connect(&world, PEER);
    world.wait(&mut [Interest::read(socket.source())], Tick::NEVER).unwrap();
    assert_eq!(read(&mut *socket).unwrap(), b"part");
    assert_eq!(kind(read(&mut *socket)), ErrorKind::ConnectionReset);
    assert_eq!(kind(write(&mut *socket, b"x")), ErrorKind::ConnectionReset);
}

#[test]
fn writing_to_a_peer_that_has_closed_fails_the_second_time() {
    let world = SimWorld::new();
    world.listen(PEER).serve(Script::new().close());
    let mut socket = connect(&world, PEER);
    assert!(read_to_end(&world, &mut *socket).is_empty());
    assert_eq!(write(&mut *socket, b"GET").unwrap(), 3);
    world.advance(ms(0));
    assert_eq!(kind(write(&mut *socket, b"GET")), ErrorKind::BrokenPipe);
    assert_eq!(read(&mut *socket).unwrap(), b"");
    assert_eq!(world.received(PEER), [b""]);
}

#[test]
fn sockets_that_were_not_dropped_are_counted() {
    let world = SimWorld::new();
    world.listen(PEER).serve(Script::new().repeat(Script::new().wait(ms(1)).send("tick")));
    let (first, second) = (connect(&world, PEER), connect(&world, PEER));
    assert_eq!(world.open_sockets(), 2);
    world.advance(ms(3));
    drop(first);
    assert_eq!(world.open_sockets(), 1);
    drop(second);
    assert_eq!(world.open_sockets(), 0);
    // Once the clients have gone the peers stop, and the wait ends where it should.
    assert_eq!(world.wait(&mut [], at(10)).unwrap(), Woke::Expired);
    let dropped: Vec<_> = world.connections(PEER).iter().map(|c| c.dropped).collect();
    assert_eq!(dropped, [Some(at(3)), Some(at(3))]);
}

#[test]
fn a_unix_socket_has_no_address() {
    let world = SimWorld::new();
    world.listen("/run/service").serve(Script::new().send("hi"));
    let to = Endpoint::Unix("/run/service".into());
    let mut socket = world.open(&to, &SocketOptions::default()).unwrap().socket;
    assert_eq!((socket.peer_address(), socket.local_address()), (None, None));
    world.wait(&mut [Interest::read(socket.source())], Tick::NEVER).unwrap();
    assert_eq!(read(&mut *socket).unwrap(), b"hi");
    assert_eq!(world.connections(&to).len(), 1);
}

#[test]
fn options_are_kept_and_the_local_address_is_used() {
    let world = SimWorld::new();
    world.listen(PEER);
    let local = "203.0.113.9".parse().unwrap();
    let options = SocketOptions { local_address: Some(local), ..SocketOptions::default() };
    let socket = world.open(&endpoint(PEER), &options).unwrap().socket;
    assert_eq!(socket.local_address().unwrap().ip(), local);
    assert_eq!(world.connections(PEER)[0].options, options);
}

/// Answers each byte with the next letter, one millisecond later.
#[derive(Clone)]
struct Next;

impl Peer for Next {
    fn poll(&mut self, wire: &mut Wire) {
        if wire.arrived().is_empty() {
            return;
        }
        let letter = wire.take(1)[0] + 1;
        wire.send([letter]);
        wire.wake_after(ms(1));
    }
}

#[test]
fn a_peer_may_be_the_tests_own_and_follow_a_script() {
    let world = SimWorld::new();
    world.listen(PEER).serve(Script::new().expect_head().send("now ").then(Next));
    let mut socket = connect(&world, PEER);
    write_all(&world, &mut *socket, b"CONNECT a:1 HTTP/1.1\r\n\r\nabc");
    world.advance(ms(5));
    assert_eq!(read(&mut *socket).unwrap(), b"now bcd");
}
