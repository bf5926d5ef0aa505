//! A rustls client, driven by bytes through the `World` trait, against a TLS peer.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests too")]

mod common;

use common::*;
use rustls::pki_types::ServerName;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, ClientConnection, RootCertStore, SupportedProtocolVersion};
use std::io::{ErrorKind, Read, Write};
use std::sync::Arc;
use waterclock::world::{Interest, Socket, World};
use waterclock_proto::tick::Tick;
use waterclock_sim::{Script, SimWorld, TlsServer};

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n";

fn client(server: &TlsServer, version: &'static SupportedProtocolVersion) -> ClientConnection {
    let mut roots = RootCertStore::empty();
    roots.add(server.root()).unwrap();
    let config =
        ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
    ClientConnection::new(Arc::new(config), ServerName::try_from("example.com").unwrap()).unwrap()
}

/// Sends and receives until `done`, or until the peer has closed.
fn pump(
    world: &SimWorld,
    tls: &mut ClientConnection,
    socket: &mut dyn Socket,
    done: impl Fn(&ClientConnection) -> bool,
) -> Result<(), rustls::Error> {
    loop {
        let mut records = Vec::new();
        while tls.wants_write() {
            tls.write_tls(&mut records).unwrap();
        }
        write_all(world, socket, &records);
        if done(tls) {
            return Ok(());
        }
        match read(socket) {
            Ok(bytes) if bytes.is_empty() => return Ok(()),
            Ok(bytes) => {
                let mut left = bytes.as_slice();
                while !left.is_empty() {
                    tls.read_tls(&mut left).unwrap();
                    tls.process_new_packets()?;
                }
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::WouldBlock);
                world.wait(&mut [Interest::read(socket.source())], Tick::NEVER).unwrap();
            }
        }
    }
}

struct Exchange {
    shook_hands: Tick,
    ended: Tick,
    response: String,
    clean_end: bool,
    decrypted: Vec<u8>,
    /// How many bytes the client sent.
    sent: usize,
}

fn exchange(server: &TlsServer, version: &'static SupportedProtocolVersion) -> Exchange {
    let world = SimWorld::new();
    let script = Script::new().expect_head().wait(ms(7)).drip("hello", 4, ms(2)).close();
    world.listen(PEER).latency(ms(1)).serve(server.wrap(script));
    let mut socket = connect(&world, PEER);
    let mut tls = client(server, version);
    pump(&world, &mut tls, &mut *socket, |tls| !tls.is_handshaking()).unwrap();
    let shook_hands = world.now();
    tls.writer().write_all(REQUEST).unwrap();
    pump(&world, &mut tls, &mut *socket, |_| false).unwrap();
    let mut response = vec![0; 5];
    tls.reader().read_exact(&mut response).unwrap();
    let connection = world.connections(PEER).remove(0);
    Exchange {
        shook_hands,
        ended: world.now(),
        response: String::from_utf8(response).unwrap(),
        clean_end: matches!(tls.reader().read(&mut [0]), Ok(0)),
        decrypted: connection.decrypted,
        sent: connection.received.len(),
    }
}

#[test]
fn each_flight_takes_its_time() {
    let server = TlsServer::new(["example.com"]).flight_delays([ms(40), ms(9)]);
    // Connect 2, hello 1, flight 40 and 1; request 1, tickets until 9 later, or the script's 7 and
    // then 2 if that is later; 1 back.
    let modern = exchange(&server, &TLS13);
    assert_eq!((modern.shook_hands, modern.ended), (at(44), at(44 + 1 + 9 + 1)));
    // In TLS 1.2 the second flight is part of the handshake.
    let old = exchange(&server, &TLS12);
    assert_eq!((old.shook_hands, old.ended), (at(44 + 1 + 9 + 1), at(55 + 1 + 9 + 1)));
    for run in [modern, old] {
        assert_eq!((run.response.as_str(), run.decrypted.as_slice()), ("hello", REQUEST));
        assert!(run.clean_end);
    }
}

#[test]
fn sizes_do_not_change_from_run_to_run() {
    let sizes: Vec<_> = (0..4)
        .map(|_| {
            let run = exchange(&TlsServer::new(["example.com"]), &TLS13);
            assert_eq!((run.shook_hands, run.ended), (at(4), at(4 + 1 + 9 + 1)));
            run.sent
        })
        .collect();
    assert!(sizes.iter().all(|size| *size == sizes[0]), "{sizes:?}");
}

#[test]
fn a_stream_may_end_without_close_notify() {
    let server = TlsServer::new(["example.com"]).without_close_notify();
    let run = exchange(&server, &TLS13);
    assert_eq!(run.response, "hello");
    assert!(!run.clean_end);
}

#[test]
fn a_client_that_does_not_trust_the_root_leaves() {
    let world = SimWorld::new();
    let server = TlsServer::new(["example.com"]);
    world.listen(PEER).serve(server.wrap(Script::new()));
    let mut socket = connect(&world, PEER);
    let mut tls = client(&TlsServer::new(["example.com"]), &TLS13);
    let error = pump(&world, &mut tls, &mut *socket, |_| false).unwrap_err();
    assert!(matches!(error, rustls::Error::InvalidCertificate(_)), "{error}");
    // The server learns why and closes.
    pump(&world, &mut tls, &mut *socket, |tls| !tls.wants_write()).unwrap();
    assert!(read_to_end(&world, &mut *socket).is_empty());
}

#[test]
fn nonsense_instead_of_a_hello_is_answered_with_an_alert() {
    let world = SimWorld::new();
    world.listen(PEER).serve(TlsServer::new(["example.com"]).wrap(Script::new()));
    let mut socket = connect(&world, PEER);
    write_all(&world, &mut *socket, b"GET / HTTP/1.1\r\n\r\n");
    let pieces = read_to_end(&world, &mut *socket);
    assert_eq!(pieces.len(), 1);
    assert_eq!(pieces[0].1[0], 21, "an alert record");
}

#[test]
fn a_tunnel_leads_to_tls() {
    let world = SimWorld::new();
    let server = TlsServer::new(["example.com"]).configure(|c| c.alpn_protocols.clear());
    let inside = server.wrap(Script::new().expect_head().send("hello").close());
    let proxy =
        Script::new().expect_head().wait(ms(3)).send("HTTP/1.1 200 OK\r\n\r\n").then(inside);
    world.listen(PEER).serve(proxy);
    let mut socket = connect(&world, PEER);
    write_all(&world, &mut *socket, b"CONNECT example.com:443 HTTP/1.1\r\n\r\n");
    world.wait(&mut [Interest::read(socket.source())], Tick::NEVER).unwrap();
    assert_eq!(read(&mut *socket).unwrap(), b"HTTP/1.1 200 OK\r\n\r\n");
    let mut tls = client(&server, &TLS13);
    tls.writer().write_all(REQUEST).unwrap();
    pump(&world, &mut tls, &mut *socket, |_| false).unwrap();
    let mut response = [0; 5];
    tls.reader().read_exact(&mut response).unwrap();
    assert_eq!((&response, world.now()), (b"hello", at(3)));
}

#[test]
fn a_window_holds_a_client_back_through_tls() {
    let world = SimWorld::new();
    let server = TlsServer::new(["example.com"]);
    let script = Script::new().pace(1000, ms(10)).expect_bytes(30_000).close();
    world.listen(PEER).window(8000).serve(server.wrap(script));
    let mut socket = connect(&world, PEER);
    let mut tls = client(&server, &TLS13);
    pump(&world, &mut tls, &mut *socket, |tls| !tls.is_handshaking()).unwrap();
    tls.writer().write_all(&[b'x'; 30_000]).unwrap();
    pump(&world, &mut tls, &mut *socket, |_| false).unwrap();
    // A record of 16,384 bytes is seventeen takes, the other 13,616 bytes are fourteen, and between
    // 31 takes there are 30 rests.
    assert_eq!(world.now(), at(300));
    assert_eq!(world.connections(PEER)[0].decrypted.len(), 30_000);
}
