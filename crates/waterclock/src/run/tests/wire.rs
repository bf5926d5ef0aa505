//! A recording as a member of the document, and back.

use super::*;
use crate::capture::{Direction, Piece, WireConnection, WireFailure};
use crate::world::Endpoint;

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn connection(remote: Endpoint) -> WireConnection {
    WireConnection {
        number: 7,
        remote,
        host: None,
        local: None,
        opened: None,
        connected: None,
        pieces: Vec::new(),
        dropped: 0,
        peer_ended: None,
        failed: None,
        closed: None,
    }
}

fn recorded() -> Run {
    let sent = b"GET / HTTP/1.1\r\nCookie: hush\r\n\r\n\0\xff";
    let tcp = WireConnection {
        host: Some("host.test".into()),
        local: Some("[::1]:50000".parse().unwrap()),
        opened: Some(ms(1)),
        connected: Some(ms(2)),
        pieces: vec![
            Piece { at: ms(3), direction: Direction::Sent, bytes: sent.to_vec() },
            Piece { at: ms(4), direction: Direction::Received, bytes: b"x".to_vec() },
        ],
        dropped: 12,
        peer_ended: Some(ms(5)),
        failed: Some(WireFailure { at: ms(6), message: "reset".into(), by_peer: true }),
        closed: Some(ms(7)),
        ..connection(Endpoint::Tcp("[::1]:80".parse().unwrap()))
    };
    let unix = connection(Endpoint::Unix("/run/a socket".into()));
    let keys = Some("CLIENT_RANDOM 00 11\nCLIENT_RANDOM 22 33\n".to_owned());
    let mut run = run(&[]);
    run.wire = Some(Wire { connections: vec![tcp, unix], dropped: 12, keys });
    run
}

#[test]
fn a_recording_comes_back() {
    let run = recorded();
    let text = run.to_json(Secrets::Shown);
    let again = Run::from_json(&text).unwrap();
    assert_eq!(again.wire, run.wire);
    assert_eq!(again.to_json(Secrets::Shown), text);
    let redacted = Run::from_json(&run.to_json(Secrets::Redacted)).unwrap();
    assert_eq!(redacted.wire, run.wire.map(Wire::masked));
}

#[test]
fn without_a_recording_there_is_no_member() {
    let run = run(&[]);
    assert!(document(&run, Secrets::Shown).get("wire").is_none());
    assert_eq!(Run::from_json(&run.to_json(Secrets::Shown)).unwrap().wire, None);
}

#[test]
fn what_cannot_be_read_is_named() {
    let text = recorded().to_json(Secrets::Shown);
    for (from, to, words) in [
        ("\"eA==\"", "\"e*==\"", "wire.connections[0].pieces[1].bytes: it is not Base64"),
        ("\"received\"", "\"r\\u001b\"", "no direction \"r\\u{1b}\", only sent and received"),
        ("\"[::1]:80\"", "\"here\"", "remote_address: \"here\" is no address with a port"),
        ("\"unix_socket\"", "\"socket\"", "wire.connections[1]: a connection goes either to"),
        ("\"[::1]:50000\"", "\"\"", "wire.connections[0].local_address: \"\" is no address"),
    ] {
        assert!(text.contains(from), "{from}");
        let error = Run::from_json(&text.replace(from, to)).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}
