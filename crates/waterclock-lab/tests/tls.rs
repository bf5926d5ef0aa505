//! TLS: identities, versions, resumption, and handshakes that are late, in pieces or cut.
#![allow(clippy::disallowed_methods)] // these tests are about real waits
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests may fail tests

mod common;

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Instant;

use common::{PATIENCE, TlsStream, connect, get, hello, ms, secure, trusting};
use rustls::{HandshakeKind, ProtocolVersion};
use waterclock_lab::{
    Authority, Handshakes, Identity, Script, Server, Step, Tls, TlsScript, TlsVersion, respond,
};

const NAMES: &[&str] = &["lab.test", "127.0.0.1"];

fn start(tls: impl Into<Tls>) -> Server {
    Server::builder().tls(tls).start().unwrap()
}

fn client(server: &Server, ca_pem: &str) -> std::io::Result<TlsStream> {
    secure(connect(server.address()), &Arc::new(trusting(ca_pem, None)), "lab.test")
}

#[test]
fn both_versions_are_spoken_or_one_only() {
    let identity = Identity::new(NAMES).unwrap();
    for (version, expected) in [
        (None, ProtocolVersion::TLSv1_3),
        (Some(TlsVersion::V1_3), ProtocolVersion::TLSv1_3),
        (Some(TlsVersion::V1_2), ProtocolVersion::TLSv1_2),
    ] {
        let mut tls = Tls::new(identity.clone());
        if let Some(version) = version {
            tls = tls.version(version);
        }
        let server = start(tls);
        let mut stream = client(&server, identity.ca_pem()).unwrap();
        assert!(get(&mut stream, "/").unwrap().ends_with("ok"));
        assert_eq!(stream.conn.protocol_version(), Some(expected));
        assert_eq!(stream.conn.alpn_protocol(), Some(&b"http/1.1"[..]));
        assert!(server.url_for("lab.test", "/").starts_with("https://lab.test:"));
    }
}

#[test]
fn large_bodies_pass_both_ways() {
    let identity = Identity::new(NAMES).unwrap();
    let script = Script::by_request(|request| respond(200, &request.body));
    let server = Server::builder().tls(identity.clone()).script(script).start().unwrap();
    let mut stream = client(&server, identity.ca_pem()).unwrap();
    let body: Vec<u8> = (0..=250).cycle().take(1_000_000).collect();
    write!(stream, "POST / HTTP/1.1\r\nContent-Length: {}\r\n\r\n", body.len()).unwrap();
    stream.write_all(&body).unwrap();
    let mut answer =
        vec![0; b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n".len() + body.len()];
    stream.read_exact(&mut answer).unwrap();
    assert!(answer.ends_with(&body));
}

#[test]
fn sessions_are_resumed() {
    for version in [TlsVersion::V1_2, TlsVersion::V1_3] {
        let identity = Identity::new(NAMES).unwrap();
        let server = start(Tls::new(identity.clone()).version(version));
        let config = Arc::new(trusting(identity.ca_pem(), None));
        let mut kinds = Vec::new();
        for _ in 0..2 {
            let mut stream = secure(connect(server.address()), &config, "lab.test").unwrap();
            get(&mut stream, "/").unwrap();
            kinds.push(stream.conn.handshake_kind());
        }
        assert_eq!(kinds, [Some(HandshakeKind::Full), Some(HandshakeKind::Resumed)]);
        assert_eq!(server.handshakes(), Handshakes { full: 1, resumed: 1, failed: 0 });
    }
}

#[test]
fn bad_identities_are_refused_for_their_reason() {
    let other = Authority::new().unwrap();
    let unknown = |identity: Identity| (identity, other.pem().to_owned());
    let known = |identity: Identity| {
        let ca = identity.ca_pem().to_owned();
        (identity, ca)
    };
    let forger = Authority::named("somebody").unwrap();
    let forged = (forger.issue(NAMES).unwrap(), Authority::named("somebody").unwrap().pem().into());
    let late = Authority::new().unwrap().not_yet_valid(NAMES).unwrap();
    for ((identity, ca), reason) in [
        (known(Identity::expired(NAMES).unwrap()), "expired"),
        (known(late), "not valid yet"),
        (known(Identity::wrong_name().unwrap()), "not valid for"),
        (forged, "BadSignature"),
        (unknown(Identity::self_signed(NAMES).unwrap()), "UnknownIssuer"),
        (unknown(Identity::new(NAMES).unwrap()), "UnknownIssuer"),
    ] {
        let server = start(identity);
        let error = client(&server, &ca).unwrap_err().to_string();
        assert!(error.contains(reason), "{reason}: {error}");
        server.wait_for_open_connections(0, PATIENCE).unwrap();
        assert_eq!(server.handshakes(), Handshakes { full: 0, resumed: 0, failed: 1 });
        assert!(server.requests().is_empty());
    }
}

#[test]
fn a_client_certificate_can_be_demanded() {
    let ca = Authority::new().unwrap();
    let server = start(Tls::new(ca.issue(NAMES).unwrap()).require_client_certificate(&ca));
    let someone = ca.client("someone").unwrap();
    let attempt = |identity: Option<&Identity>| {
        let config = Arc::new(trusting(ca.pem(), identity));
        secure(connect(server.address()), &config, "lab.test")
            .and_then(|mut stream| get(&mut stream, "/"))
    };
    assert!(attempt(Some(&someone)).unwrap().ends_with("ok"));
    assert!(attempt(None).unwrap_err().to_string().contains("CertificateRequired"));
    let stranger = Authority::new().unwrap().client("stranger").unwrap();
    assert!(attempt(Some(&stranger)).is_err());
}

/// Sends a ClientHello and gives the bytes that come back until they cease or end.
fn flight(server: &Server, identity: &Identity) -> (TcpStream, Vec<u8>, std::io::Error) {
    let mut connection = hello(&Arc::new(trusting(identity.ca_pem(), None)), "lab.test");
    let mut stream = connect(server.address());
    connection.write_tls(&mut stream).unwrap();
    stream.set_read_timeout(Some(ms(150))).unwrap();
    let (mut bytes, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        match stream.read(&mut piece) {
            Ok(0) => return (stream, bytes, ErrorKind::UnexpectedEof.into()),
            Ok(count) => bytes.extend_from_slice(&piece[..count]),
            Err(error) => return (stream, bytes, error),
        }
    }
}

#[test]
fn the_first_flight_comes_late_and_in_pieces() {
    let identity = Identity::new(NAMES).unwrap();
    let script = TlsScript::new().first_flight([ms(90), ms(30)]);
    let server = start(Tls::new(identity.clone()).script(script));
    let config = Arc::new(trusting(identity.ca_pem(), None));
    let mut connection = hello(&config, "lab.test");
    let mut stream = connect(server.address());
    let begin = Instant::now();
    connection.write_tls(&mut stream).unwrap();
    connection.read_tls(&mut stream).unwrap();
    assert!(begin.elapsed() >= ms(90), "{:?}", begin.elapsed());
    connection.process_new_packets().unwrap();
    while connection.is_handshaking() {
        connection.complete_io(&mut stream).unwrap();
    }
    assert!(begin.elapsed() >= ms(120), "{:?}", begin.elapsed());
}

#[test]
fn both_flights_of_tls_1_2_can_be_late() {
    let identity = Identity::new(NAMES).unwrap();
    let script = TlsScript::new().first_flight([ms(40)]).second_flight([ms(40)]);
    let tls = Tls::new(identity.clone()).version(TlsVersion::V1_2).script(script);
    let server = start(tls);
    let begin = Instant::now();
    client(&server, identity.ca_pem()).unwrap();
    assert!(begin.elapsed() >= ms(80), "{:?}", begin.elapsed());
}

#[test]
fn a_dripped_handshake_takes_its_time() {
    let identity = Identity::new(NAMES).unwrap();
    let script = TlsScript::new().drip(100, ms(5));
    let server = start(Tls::new(identity.clone()).script(script));
    let begin = Instant::now();
    let mut stream = client(&server, identity.ca_pem()).unwrap();
    // A flight with one small certificate is more than 700 bytes: at least seven rests.
    assert!(begin.elapsed() >= ms(35), "{:?}", begin.elapsed());
    assert!(get(&mut stream, "/").unwrap().ends_with("ok"));
}

#[test]
fn handshakes_stall_close_and_reset_at_the_byte() {
    let identity = Identity::new(NAMES).unwrap();
    let scripts = [
        TlsScript::new().stall_after(0),
        TlsScript::new().stall_after(123),
        TlsScript::new().close_after(124),
        TlsScript::new().reset_after(0),
    ];
    let tls = Tls::new(identity.clone())
        .script_by_connection(move |number| scripts.get(number).cloned().unwrap_or_default());
    let server = start(tls);

    for (count, kind) in [
        (0, ErrorKind::WouldBlock),
        (123, ErrorKind::WouldBlock),
        (124, ErrorKind::UnexpectedEof),
        (0, ErrorKind::ConnectionReset),
    ] {
        let (stream, bytes, error) = flight(&server, &identity);
        assert_eq!((bytes.len(), error.kind()), (count, kind));
        drop(stream);
    }
    server.wait_for_open_connections(0, PATIENCE).unwrap();
    assert_eq!(server.handshakes().failed, 4);
    // The fifth connection has no script.
    client(&server, identity.ca_pem()).unwrap();
}

#[test]
fn the_end_of_a_tls_connection_is_announced_or_not() {
    let identity = Identity::new(NAMES).unwrap();
    let lists = [
        vec![Step::ReadHead, Step::send("bye"), Step::Close],
        vec![Step::ReadHead, Step::send("bye"), Step::CloseWithoutNotify],
        vec![Step::ReadHead, Step::send("bye"), Step::HalfClose, Step::Drain],
        vec![Step::ReadHead, Step::Reset],
    ];
    let server =
        Server::builder().tls(identity.clone()).script(Script::connections(lists)).start().unwrap();
    let attempt = || {
        let mut stream = client(&server, identity.ca_pem()).unwrap();
        get(&mut stream, "/").map_err(|error| error.kind())
    };
    assert_eq!(attempt(), Ok("bye".to_owned()));
    assert_eq!(attempt(), Err(ErrorKind::UnexpectedEof));
    assert_eq!(attempt(), Ok("bye".to_owned()));
    assert_eq!(attempt(), Err(ErrorKind::ConnectionReset));
}

#[test]
fn records_are_dripped_and_cut_on_the_wire() {
    let identity = Identity::new(NAMES).unwrap();
    let bytes = b"0123456789".to_vec();
    let lists = [
        vec![Step::ReadHead, Step::DripWire { bytes: bytes.clone(), size: 4, every: ms(5) }],
        vec![Step::CutWire { bytes, keep: 20 }, Step::Stall],
        vec![Step::ReadHead, Step::SendWire(b"\x15\x03\x03\x00\x02\x02\x50".to_vec())],
    ];
    let tls = Tls::new(identity.clone()).version(TlsVersion::V1_2);
    let server = Server::builder().tls(tls).script(Script::connections(lists)).start().unwrap();

    let mut stream = client(&server, identity.ca_pem()).unwrap();
    let begin = Instant::now();
    assert_eq!(get(&mut stream, "/").unwrap(), "0123456789");
    // Ten bytes are a record of at least 31: eight pieces, where plaintext would have three.
    assert!(begin.elapsed() >= ms(35), "{:?}", begin.elapsed());

    // Readable, but never readable plaintext.
    let mut stream = client(&server, identity.ca_pem()).unwrap();
    stream.sock.set_read_timeout(Some(ms(40))).unwrap();
    assert_eq!(stream.read(&mut [0; 1]).unwrap_err().kind(), ErrorKind::WouldBlock);

    // A bare alert record inside an encrypted connection is nonsense.
    let mut stream = client(&server, identity.ca_pem()).unwrap();
    assert_eq!(get(&mut stream, "/").unwrap_err().kind(), ErrorKind::InvalidData);
}
