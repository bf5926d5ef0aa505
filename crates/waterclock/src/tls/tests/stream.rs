//! Bytes in, bytes out, the end, and resumption.

use super::*;

const NAME: &str = "shop.example";

fn established(versions: &[&'static SupportedProtocolVersion]) -> Pair {
    let authority = Authority::new("Root");
    let server = authority.issue_for(&[NAME]).server(versions);
    handshake(&authority.settings().build().unwrap(), NAME, server).unwrap()
}

#[test]
fn a_whole_dialogue_in_pieces_of_any_size() {
    let authority = Authority::new("Root");
    let credentials = authority.issue_for(&[NAME]);
    let settings = authority.settings().alpn(["h2", "http/1.1"]).build().unwrap();
    for (versions, version, cipher) in [
        (TLS12, "TLS 1.2", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"),
        (TLS13, "TLS 1.3", "TLS_AES_256_GCM_SHA384"),
    ] {
        let mut server = credentials.server(versions);
        server.alpn_protocols = vec![b"http/1.1".to_vec()];
        let server = Arc::new(server);
        for piece in [1, 2, 5, 100, usize::MAX] {
            let config = cache().get(&settings).unwrap();
            let mut pair = Pair::new(&config, NAME, &server);
            pair.piece = piece;
            assert!(pair.client.is_handshaking());
            assert_eq!(pair.client.info(), None);
            pair.settle().unwrap();
            assert!(!pair.client.is_handshaking());
            let info = pair.client.info().unwrap();
            assert_eq!((&*info.version, &*info.cipher), (version, cipher));
            assert_eq!(info.alpn.as_deref(), Some(b"http/1.1".as_slice()));
            assert!(!info.resumed);
            assert_eq!(info.certificates, credentials.chain);

            let parts = [IoSlice::new(b"GET / "), IoSlice::new(b"HTTP/1.1\r\n")];
            assert_eq!(pair.client.write_plain(&parts).unwrap(), 16);
            pair.settle().unwrap();
            assert_eq!(pair.server_reads(), b"GET / HTTP/1.1\r\n");
            let answer = pair.server_sends(b"HTTP/1.1 200 OK\r\n");
            for piece in answer.chunks(piece) {
                assert_eq!(pair.client.receive(piece).unwrap(), piece.len());
            }
            assert_eq!(pair.client.plaintext_pending(), 17);
            assert_eq!(pair.client_reads(), b"HTTP/1.1 200 OK\r\n");
            assert_eq!((pair.client.plaintext_pending(), pair.client.ciphertext_left()), (0, 0));
        }
    }
}

#[test]
fn what_is_written_during_the_handshake_is_sent_after_it() {
    let authority = Authority::new("Root");
    let server = Arc::new(authority.issue_for(&[NAME]).server(TLS13));
    let config = cache().get(&authority.settings().build().unwrap()).unwrap();
    let mut pair = Pair::new(&config, NAME, &server);
    assert_eq!(pair.client.write_plain(&[IoSlice::new(b"early")]).unwrap(), 5);
    pair.settle().unwrap();
    assert_eq!(pair.server_reads(), b"early");
}

#[test]
fn the_second_connection_resumes() {
    let authority = Authority::new("Root");
    let credentials = authority.issue_for(&[NAME, "two.example"]);
    for versions in [TLS12, TLS13] {
        let server = Arc::new(credentials.server(versions));
        let cache = cache();
        let resumed = |settings: &TlsSettings, host: &str| {
            let mut pair = Pair::new(&cache.get(settings).unwrap(), host, &server);
            pair.settle().unwrap();
            assert_eq!(pair.client.info().unwrap().certificates, credentials.chain);
            pair.client.info().unwrap().resumed
        };
        let settings = authority.settings().build().unwrap();
        assert!(!resumed(&settings, NAME));
        assert!(resumed(&settings, NAME));
        assert!(resumed(&authority.settings().build().unwrap(), NAME), "equal settings");
        assert!(!resumed(&settings, "two.example"), "another host");
        // Never across a change of trust.
        let trusting = authority.settings().danger_accept_invalid_certificates(true);
        assert!(!resumed(&trusting.build().unwrap(), NAME));
    }
}

#[test]
fn close_notify_is_a_clean_end() {
    for versions in [TLS12, TLS13] {
        let mut pair = established(versions);
        let mut bytes = pair.server_sends(b"body");
        pair.server.send_close_notify();
        bytes.extend(pair.server_sends(b""));
        bytes.extend_from_slice(b"what follows is ignored");
        assert_eq!(pair.client.receive(&bytes).unwrap(), bytes.len());
        pair.client.received_eof().unwrap();
        let mut out = [0; 100];
        assert_eq!(pair.client.read_plain(&mut []).unwrap(), PlainRead::Empty, "no room");
        assert_eq!(pair.client.read_plain(&mut out).unwrap(), PlainRead::Bytes(4));
        assert_eq!(pair.client.read_plain(&mut out).unwrap(), PlainRead::CleanEnd);
        assert_eq!(pair.client.receive(b"still").unwrap(), 5);
        assert_eq!(pair.client.read_plain(&mut out).unwrap(), PlainRead::CleanEnd);
    }
}

#[test]
fn an_end_without_close_notify_is_a_truncation() {
    for cut in [0, 1, 7] {
        let mut pair = established(TLS13);
        let body = pair.server_sends(b"body");
        let more = pair.server_sends(b"never whole");
        pair.client.receive(&body).unwrap();
        pair.client.receive(&more[..cut]).unwrap();
        assert_eq!(pair.client.ciphertext_left(), cut);
        pair.client.received_eof().unwrap();
        let mut out = [0; 100];
        assert_eq!(pair.client.read_plain(&mut out).unwrap(), PlainRead::Bytes(4));
        assert_eq!(pair.client.read_plain(&mut out).unwrap(), PlainRead::Truncated);
    }
}

#[test]
fn our_close_notify_reaches_the_server() {
    let mut pair = established(TLS13);
    pair.client.send_close_notify();
    assert!(pair.client.wants_write());
    pair.settle().unwrap();
    assert_eq!(pair.server.reader().read(&mut [0; 9]).unwrap(), 0, "a clean end");
}

#[test]
fn a_damaged_record_is_an_error_after_the_good_ones() {
    let mut pair = established(TLS13);
    let good = pair.server_sends(b"good");
    let mut bad = pair.server_sends(b"bad");
    *bad.last_mut().unwrap() ^= 1;
    pair.client.receive(&good).unwrap();
    let error = pair.client.receive(&bad).unwrap_err();
    assert!(matches!(error, TlsError::Handshake(HandshakeProblem::Damaged)), "{error}");
    let mut out = [0; 100];
    assert_eq!(pair.client.read_plain(&mut out).unwrap(), PlainRead::Bytes(4));
    assert!(pair.client.read_plain(&mut out).is_err());
    assert!(pair.client.wants_write(), "the alert");
}

/// A reader that is slower than the peer: every call either takes bytes or says by the pending
/// plaintext why not, and nothing is lost.
#[test]
fn backpressure_loses_nothing() {
    let mut pair = established(TLS13);
    let body: Vec<u8> = (0..300_000_u32).map(|n| (n % 251) as u8).collect();
    let mut wire = Vec::new();
    for part in body.chunks(10_000) {
        wire.extend(pair.server_sends(part));
    }
    let (mut rest, mut got, mut held) = (wire.as_slice(), Vec::new(), 0);
    while !rest.is_empty() || pair.client.plaintext_pending() > 0 {
        let taken = pair.client.receive(rest).unwrap();
        rest = &rest[taken..];
        held = held.max(pair.client.plaintext_pending());
        let mut out = [0; 700];
        let read = pair.client.read_plain(&mut out).unwrap();
        let PlainRead::Bytes(n) = read else { panic!("{read:?} although nothing was taken") };
        got.extend_from_slice(&out[..n]);
    }
    assert_eq!(got, body);
    assert!(held <= 2 * 16_384, "held {held} bytes");
}

/// A limit can be looked at between the parts, however many tickets there are.
#[test]
fn what_brings_no_data_is_taken_in_by_parts() {
    let authority = Authority::new("Root");
    let mut server = authority.issue_for(&[NAME]).server(TLS13);
    server.send_tls13_tickets = 500;
    let config = cache().get(&authority.settings().build().unwrap()).unwrap();
    let mut pair = Pair::new(&config, NAME, &Arc::new(server));
    let mut parts = Vec::new();
    loop {
        let sent = pair.client_sends();
        pair.server_takes(&sent);
        let wire = pair.server_sends(b"");
        if wire.is_empty() {
            break;
        }
        let mut rest = wire.as_slice();
        while !rest.is_empty() {
            let taken = pair.client.receive(rest).unwrap();
            parts.push(taken);
            rest = &rest[taken..];
        }
    }
    assert!(parts.iter().sum::<usize>() > 40_000, "{parts:?}");
    assert!(parts.iter().all(|&taken| taken <= 20_480), "{parts:?}");
    assert!(!pair.client.is_handshaking());
    let answer = pair.server_sends(b"answer");
    pair.client.receive(&answer).unwrap();
    assert_eq!(pair.client_reads(), b"answer");
}

#[test]
fn writing_is_bounded_and_partly_sent_writes_go_on() {
    let mut pair = established(TLS13);
    let body = vec![b'x'; 1_000_000];
    let mut sent = 0;
    let mut received = 0;
    while sent < body.len() || pair.client.wants_write() {
        let accepted = pair.client.write_plain(&[IoSlice::new(&body[sent..])]).unwrap();
        assert!(accepted <= 64 * 1024);
        assert_eq!(pair.client.write_plain(&[IoSlice::new(&[])]).unwrap(), 0);
        sent += accepted;
        // A socket that is full at first, and then takes a little.
        let full = pair.client.transmit(&mut |_| Err(io::ErrorKind::WouldBlock.into()));
        assert_eq!(full.unwrap_err().kind(), io::ErrorKind::WouldBlock);
        let mut wire = Vec::new();
        pair.client
            .transmit(&mut |parts| {
                let first = &parts[0][..parts[0].len().min(5000)];
                wire.extend_from_slice(first);
                Ok(first.len())
            })
            .unwrap();
        pair.server_takes(&wire);
        received += match pair.server.reader().read(&mut vec![0; 1 << 20]) {
            Ok(n) => n,
            Err(error) => {
                assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
                0
            }
        };
    }
    assert_eq!(received, body.len());
    assert_eq!(pair.server_error, None);
}
