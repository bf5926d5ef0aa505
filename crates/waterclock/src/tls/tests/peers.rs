//! Peers that do not speak TLS, or speak it badly.

use super::*;

fn session() -> TlsSession {
    let settings = Authority::new("Root").settings().build().unwrap();
    TlsSession::new(&cache().get(&settings).unwrap(), "shop.example").unwrap()
}

fn after(answer: &[u8], piece: usize) -> HandshakeProblem {
    let mut session = session();
    for piece in answer.chunks(piece) {
        match session.receive(piece) {
            Ok(taken) => assert_eq!(taken, piece.len()),
            Err(TlsError::Handshake(problem)) => return problem,
            Err(other) => panic!("{other}"),
        }
    }
    panic!("accepted {answer:?}")
}

#[test]
fn plain_http_is_recognised() {
    let problem = after(b"HTTP/1.1 400 Bad Request\r\n\r\n", usize::MAX);
    assert_eq!(
        problem.to_string(),
        "the peer answered with something that is not TLS, but plain HTTP: \
         it began with \"HTTP/1.1 400 Bad\""
    );
    assert!(problem.hint().unwrap().contains("http://"));
}

#[test]
fn other_protocols_are_not_tls() {
    for answer in [
        b"SSH-2.0-OpenSSH_9.9\r\n".as_slice(),
        b"220 mail.example ESMTP\r\n",
        b"\x00\x00\x12\x04\x00\x00\x00\x00\x00",
        b"\x16\x09\x09\x00\x00\x00\x00\x00\x00\x00",
        &[0xff; 100],
    ] {
        for piece in [1, 3, usize::MAX] {
            let problem = after(answer, piece);
            assert!(matches!(problem, HandshakeProblem::NotTls { .. }), "{answer:?}: {problem}");
            assert!(problem.to_string().is_ascii());
        }
    }
}

#[test]
fn the_alert_for_garbage_is_ready_to_be_sent() {
    let mut session = session();
    session.transmit_into(&mut Vec::new());
    session.receive(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap_err();
    let mut alert = Vec::new();
    session.transmit_into(&mut alert);
    assert_eq!(alert, [21, 3, 3, 0, 2, 2, 50], "fatal, decode_error");
}

#[test]
fn alerts_are_put_in_words() {
    for (code, words) in [
        (40, "handshake_failure"),
        (70, "protocol_version"),
        (80, "internal_error"),
        (112, "unrecognized_name"),
        (120, "no_application_protocol"),
        (48, "unknown_ca"),
        (116, "certificate_required"),
        (250, "unknown"),
    ] {
        let problem = after(&[21, 3, 3, 0, 2, 2, code], 1);
        assert!(problem.to_string().ends_with(&format!("(TLS alert {words})")), "{problem}");
    }
}

#[test]
fn old_versions() {
    let mut hello = vec![2, 0, 0, 38, 3, 2];
    hello.extend([7; 32]);
    hello.extend([0, 0, 0x2f, 0]);
    let mut record = vec![22, 3, 2, 0, 42];
    record.extend(&hello);
    assert_eq!(after(&record, usize::MAX), HandshakeProblem::NoCommonVersion);

    let authority = Authority::new("Root");
    let server = authority.issue_for(&["shop.example"]).server(TLS12);
    let settings = authority.settings().minimum_version(TlsVersion::Tls13).build().unwrap();
    let error = handshake(&settings, "shop.example", server).err().unwrap();
    assert!(error.to_string().contains("protocol_version"), "{error}");
}

#[test]
fn ends_during_the_handshake() {
    let mut closed = session();
    assert!(matches!(
        closed.received_eof(),
        Err(TlsError::Handshake(HandshakeProblem::ClosedAtOnce))
    ));
    let mut closed = session();
    closed.receive(&[22, 3, 3, 0, 100, 2]).unwrap();
    assert!(matches!(closed.received_eof(), Err(TlsError::Handshake(HandshakeProblem::Closed))));
    assert!(closed.receive(&[0]).is_err());
}

#[test]
fn records_that_are_too_long_or_empty() {
    for header in [[22, 3, 3, 0xff, 0xff], [22, 3, 3, 0, 0]] {
        let problem = after(&header, 1);
        assert!(matches!(problem, HandshakeProblem::Misbehaved(_)), "{problem}");
    }
}

/// Two million records that say nothing must end in an error soon, not in two million turns
/// (RUSTSEC-2024-0336, CVE-2016-8610).
#[test]
fn floods_of_nothing_end_soon() {
    let warning = [21, 3, 3, 0, 2, 1, 90];
    let change_cipher_spec = [20, 3, 3, 0, 1, 1];
    for record in [warning.as_slice(), &change_cipher_spec] {
        let mut session = session();
        let mut turns = 0;
        while session.receive(record).is_ok() {
            turns += 1;
            assert!(turns < 100, "{record:?} for ever");
        }
    }
}

#[test]
fn any_bytes_are_taken_or_refused() {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    for _ in 0..300 {
        let mut session = session_for_noise();
        let mut bytes: Vec<u8> = (0..40).flat_map(|_| next()).collect();
        // Half of them begin like a record, to get further in.
        if bytes[0].is_multiple_of(2) {
            let header = [20 + bytes[1] % 4, 3, 3, 0];
            bytes[..4].copy_from_slice(&header);
        }
        for piece in bytes.chunks(usize::from(bytes[7]) + 1) {
            match session.receive(piece) {
                Ok(taken) => assert_eq!(taken, piece.len()),
                Err(error) => {
                    assert!(!error.to_string().is_empty());
                    break;
                }
            }
        }
        let _ = session.received_eof();
        session.transmit_into(&mut Vec::new());
    }
}

fn session_for_noise() -> TlsSession {
    let settings = TlsSettings::builder()
        .danger_accept_invalid_certificates(true)
        .key_logging(KeyLogging::Off)
        .build()
        .unwrap();
    TlsSession::new(&cache().get(&settings).unwrap(), "shop.example").unwrap()
}

#[test]
fn names_that_no_certificate_can_have() {
    let config = cache().get(&Authority::new("Root").settings().build().unwrap()).unwrap();
    for host in ["", ".", "..", "a..b", "sp ace", "1.2.3.4.5:80", "exa\u{e4}mple", "[::1"] {
        let error = TlsSession::new(&config, host).err();
        assert!(matches!(error, Some(TlsError::Settings(_))), "{host:?}: {error:?}");
    }
}
