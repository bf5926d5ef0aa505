//! What a capture has of a call: every byte at the instant at which the client saw it.

use crate::bench::{Bench, CONNECT, PATH, PLAIN, RESOLVE, Route, at, ms};
use std::time::Duration;
use waterclock::capture::{Capture, Direction, Wire, WireConnection};
use waterclock::run::{RequestRecord, Run, Secrets};
use waterclock::world::{Endpoint, World as _};
use waterclock::{Limits, Session, Tick};
use waterclock_sim::Script;

fn answering(route: Route) -> Bench {
    let head = "HTTP/1.1 200 OK\r\nSet-Cookie: id=hush\r\nContent-Length: 5\r\n\r\nhel";
    let script = Script::new().expect_head().wait(ms(20)).send(head).wait(ms(30)).send("lo");
    Bench::serving(route, script.clone().then(script))
}

fn session(bench: &Bench, capture: &Capture) -> Session {
    bench.builder().capture(capture).build().unwrap()
}

fn joined(connection: &WireConnection, direction: Direction) -> Vec<u8> {
    let mine = connection.pieces.iter().filter(|piece| piece.direction == direction);
    mine.flat_map(|piece| piece.bytes.clone()).collect()
}

fn times(connection: &WireConnection, direction: Direction) -> Vec<Duration> {
    let mine = connection.pieces.iter().filter(|piece| piece.direction == direction);
    mine.map(|piece| piece.at).collect()
}

#[test]
fn every_byte_has_the_instant_at_which_it_was_seen() {
    let bench = answering(Route::Http);
    let capture = Capture::new();
    let session = session(&bench, &capture);
    let mut response = bench.get(&session).send().unwrap();
    assert_eq!(response.content().unwrap(), b"hello");
    let wire = capture.take(response.timeline().started());
    let [connection] = &wire.connections[..] else { panic!("{wire:#?}") };
    assert_eq!(connection.remote, Endpoint::Tcp(PLAIN.parse().unwrap()));
    assert_eq!(connection.host.as_deref(), Some("origin.test"));
    assert_eq!((connection.number, connection.opened), (1, Some(ms(RESOLVE))));
    assert!(joined(connection, Direction::Sent).starts_with(b"GET /under-test HTTP/1.1\r\n"));
    assert!(joined(connection, Direction::Received).ends_with(b"\r\n\r\nhello"));
    let ready = RESOLVE + CONNECT;
    assert_eq!(times(connection, Direction::Sent), [ms(ready)]);
    assert_eq!(times(connection, Direction::Received), [ms(ready + 20), ms(ready + 50)]);
    assert_eq!((connection.closed, connection.dropped, &wire.keys), (None, 0, &None));
}

#[test]
fn it_is_what_the_peer_got_on_every_route() {
    for &route in Route::ALL {
        let bench = answering(route);
        let capture = Capture::new();
        let session = session(&bench, &capture);
        bench.get(&session).send().unwrap().content().unwrap();
        let wire = capture.take(Tick::ZERO);
        let [connection] = &wire.connections[..] else { panic!("{route:?}: {wire:#?}") };
        let peers = bench.world.connections(route.door());
        assert_eq!(joined(connection, Direction::Sent), peers[0].received, "{route:?}");
        assert!(connection.host.is_some(), "{route:?}");
    }
}

#[test]
fn a_connection_that_is_used_again_was_opened_before_the_call() {
    let bench = answering(Route::Http);
    let capture = Capture::new();
    let session = session(&bench, &capture);
    for call in 0..2 {
        let started = bench.now();
        bench.get(&session).send().unwrap().content().unwrap();
        let wire = capture.take(started);
        let [connection] = &wire.connections[..] else { panic!("{wire:#?}") };
        assert_eq!(connection.number, 1);
        assert_eq!(connection.opened.is_some(), call == 0);
        assert_eq!(connection.pieces.len(), 3);
    }
    // What was not taken in time is forgotten, and nothing is counted from before the start.
    assert!(capture.take(at(1_000_000)).connections.iter().all(|open| open.pieces.is_empty()));
}

#[test]
fn calls_can_be_asked_for_one_after_the_other_and_again() {
    let bench = answering(Route::Http);
    let capture = Capture::new();
    let session = session(&bench, &capture);
    let mut calls = Vec::new();
    for _ in 0..2 {
        let mut response = bench.get(&session).send().unwrap();
        response.content().unwrap();
        calls.push((response.timeline().started(), bench.now()));
        bench.world.advance(ms(1));
    }
    for _ in 0..2 {
        for (call, &(started, ended)) in calls.iter().enumerate() {
            let wire = capture.of_call(started, ended);
            let [connection] = &wire.connections[..] else { panic!("{wire:#?}") };
            assert_eq!((connection.opened.is_some(), connection.closed), (call == 0, None));
            assert_eq!(connection.pieces.len(), 3);
            assert!(joined(connection, Direction::Sent).starts_with(b"GET /under-test"));
        }
    }
    // A call over no connection of the capture.
    assert_eq!(capture.of_call(at(1_000_000), at(1_000_001)), Wire::default());
}

#[test]
fn a_limit_that_fires_closes_the_connection_at_its_instant() {
    let bench = answering(Route::Http);
    let capture = Capture::new();
    let session = session(&bench, &capture);
    let request = bench.get(&session).limits(Limits::total(ms(30)));
    let error = request.send().and_then(|mut response| response.content()).unwrap_err();
    let wire = capture.take(error.timeline().unwrap().started());
    assert_eq!(wire.connections[0].closed, Some(ms(30)));
    assert_eq!(wire.connections[0].peer_ended, None);
}

#[test]
fn an_attempt_that_is_refused_is_there_too() {
    let bench = Bench::new(Route::Http);
    bench.world.refuse(PLAIN).after(ms(9));
    let capture = Capture::new();
    let session = session(&bench, &capture);
    bench.get(&session).send().unwrap_err();
    let wire = capture.take(Tick::ZERO);
    let failed = wire.connections[0].failed.as_ref().unwrap();
    assert_eq!((failed.at, failed.by_peer), (ms(RESOLVE + 9), true));
}

#[test]
fn what_is_over_the_budget_is_counted() {
    let bench = answering(Route::Http);
    // Room for the connection's note and the request.
    let capture = Capture::with_budget(1_000);
    let session = session(&bench, &capture);
    let mut request = bench.get(&session);
    request = request.header("X-Long", "x".repeat(200));
    request.send().unwrap().content().unwrap();
    let wire = capture.take(Tick::ZERO);
    let connection = &wire.connections[0];
    let received = joined(connection, Direction::Received).len() as u64;
    let sent = joined(connection, Direction::Sent);
    assert!(sent.starts_with(b"GET /under-test"));
    assert_eq!(received + connection.dropped, 62 + 2);
    assert!(connection.dropped > 0 && wire.dropped == connection.dropped);

    let capture = Capture::with_budget(0);
    let session = self::session(&bench, &capture);
    bench.get(&session).send().unwrap().content().unwrap();
    let Wire { connections, dropped, .. } = capture.take(Tick::ZERO);
    assert!(connections.is_empty() && dropped > 100, "{dropped}");
}

#[test]
fn keys_are_kept_only_if_they_are_asked_for() {
    let bench = answering(Route::Https);
    for (capture, asked) in [(Capture::new(), false), (Capture::new().with_keys(), true)] {
        let session = session(&bench, &capture);
        bench.get(&session).send().unwrap().content().unwrap();
        let keys = capture.take(Tick::ZERO).keys;
        assert_eq!(keys.is_some(), asked);
        let has = |label: &str| keys.as_deref().unwrap_or_default().contains(label);
        for label in ["CLIENT_HANDSHAKE_TRAFFIC_SECRET ", "\nSERVER_TRAFFIC_SECRET_0 "] {
            assert_eq!(has(label), asked);
        }
        assert!(!format!("{capture:?}").contains("SECRET"));
    }
}

#[test]
fn a_document_has_it_with_credentials_masked() {
    let bench = answering(Route::Http);
    let capture = Capture::new();
    let session = session(&bench, &capture);
    let mut response = bench.get(&session).header("Authorization", "Bearer hush").send().unwrap();
    response.content().unwrap();
    let mut run = Run::new(bench.world.wall(), RequestRecord::refused("GET", PATH));
    run.wire = Some(capture.take(response.timeline().started()));
    let of = |secrets| -> serde_json::Value {
        let document: serde_json::Value = serde_json::from_str(&run.to_json(secrets)).unwrap();
        document["wire"]["connections"][0].clone()
    };
    let text = |piece: &serde_json::Value| {
        use base64::Engine as _;
        let bytes =
            base64::engine::general_purpose::STANDARD.decode(piece["bytes"].as_str().unwrap());
        String::from_utf8(bytes.unwrap()).unwrap()
    };
    let (masked, shown) = (of(Secrets::Redacted), of(Secrets::Shown));
    assert_eq!(masked["remote_address"], PLAIN);
    assert_eq!(masked["pieces"][1]["direction"], "received");
    let head = text(&masked["pieces"][0]);
    assert!(head.to_lowercase().contains("authorization: ****** ****\r\n"), "{head}");
    assert!(text(&masked["pieces"][1]).contains("Set-Cookie: *******\r\n"));
    assert!(text(&shown["pieces"][0]).contains("Bearer hush"));
    assert!(text(&shown["pieces"][1]).contains("id=hush"));
}
