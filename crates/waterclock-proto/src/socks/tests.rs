//! Tests of SOCKS; table H of the reliability rows as far as bytes decide them.

use super::*;
use proptest::prelude::*;

const USER: Option<(&[u8], &[u8])> = Some((b"ann", b"s3cret"));

fn v4(address: &str) -> SocksTarget<'_> {
    SocksTarget::Address(address.parse().unwrap())
}

fn socks(version: SocksVersion, target: SocksTarget<'_>) -> Socks {
    Socks::new(version, target, None).unwrap()
}

fn socks5() -> Socks {
    socks(SocksVersion::V5, SocksTarget::Name("a.test", 443))
}

/// Sends all there is to send; gives it.
fn send(socks: &mut Socks) -> Vec<u8> {
    let bytes = socks.transmit().to_vec();
    socks.sent(bytes.len());
    assert!(socks.transmit().is_empty());
    bytes
}

/// Holds the dialogue with a server whose answers are these, cut into pieces of `piece` bytes;
/// gives what was sent, and the result.
fn talk(
    mut socks: Socks,
    answers: &[&[u8]],
    piece: usize,
) -> (Vec<Vec<u8>>, Result<SocksStep, SocksError>) {
    let (mut said, mut input) = (Vec::new(), Vec::new());
    for answer in answers {
        said.push(send(&mut socks));
        for bytes in answer.chunks(piece) {
            input.extend_from_slice(bytes);
            match socks.receive(&input) {
                Ok(SocksStep::NeedInput) => {}
                decided => return (said, decided),
            }
        }
    }
    (said, Ok(SocksStep::NeedInput))
}

fn established(socks: Socks, answers: &[&[u8]]) -> Vec<Vec<u8>> {
    let used = answers.iter().map(|answer| answer.len()).sum();
    let (said, result) = talk(socks.clone(), answers, usize::MAX);
    assert_eq!(result, Ok(SocksStep::Established { used }));
    assert_eq!(talk(socks, answers, 1), (said.clone(), result), "byte by byte");
    said
}

fn failure(socks: Socks, answers: &[&[u8]]) -> SocksError {
    let (said, result) = talk(socks.clone(), answers, usize::MAX);
    assert_eq!(talk(socks, answers, 1), (said, result.clone()), "byte by byte");
    result.unwrap_err()
}

const OK5: &[u8] = &[5, 0, 0, 1, 0, 0, 0, 0, 0, 0];

#[test]
fn socks4_sends_an_ipv4_address() {
    let granted: &[u8] = &[0, 90, 0, 0, 0, 0, 0, 0];
    let said = established(socks(SocksVersion::V4, v4("192.0.2.1:80")), &[granted]);
    assert_eq!(said, [b"\x04\x01\x00\x50\xc0\x00\x02\x01\x00"]);

    let target = v4("[::ffff:192.0.2.1]:80");
    let with_user = Socks::new(SocksVersion::V4, target, USER).unwrap();
    let said = established(with_user, &[granted]);
    assert_eq!(said, [b"\x04\x01\x00\x50\xc0\x00\x02\x01ann\x00"], "the user, no password");
}

#[test]
fn socks4a_sends_a_name_behind_an_impossible_address() {
    let target = SocksTarget::Name("a.test", 443);
    let named = Socks::new(SocksVersion::V4a, target, USER).unwrap();
    let said = established(named, &[&[0, 90, 1, 2, 3, 4, 5, 6]]);
    assert_eq!(said, [b"\x04\x01\x01\xbb\x00\x00\x00\x01ann\x00a.test\x00"]);

    let literal = socks(SocksVersion::V4a, SocksTarget::Name("192.0.2.1", 80));
    assert_eq!(literal.transmit(), b"\x04\x01\x00\x50\xc0\x00\x02\x01\x00");
}

#[test]
fn socks4_says_what_it_cannot_carry() {
    let refused = |version, target| Socks::new(version, target, None).unwrap_err();
    let error = refused(SocksVersion::V4, SocksTarget::Name("a.test", 80));
    assert_eq!(error, SocksError::NameInV4);
    assert!(error.to_string().contains("socks4a://") && error.is_local());
    for target in [v4("[2001:db8::1]:80"), SocksTarget::Name("[::1]", 80), v4("0.0.0.7:80")] {
        for version in [SocksVersion::V4, SocksVersion::V4a] {
            let error = refused(version, target);
            assert!(matches!(error, SocksError::AddressInV4 { .. }), "{target:?}");
            assert!(error.to_string().contains("socks5://"));
        }
    }
    let nul = Socks::new(SocksVersion::V4, v4("192.0.2.1:80"), Some((b"a\0b", b"")));
    assert_eq!(nul.unwrap_err(), SocksError::NulInUser { offset: 1 });
}

/// RFC 1928 §3, §4.
#[test]
fn socks5_offers_no_password_that_it_does_not_have() {
    for (target, request) in [
        (SocksTarget::Name("a.test", 443), &b"\x05\x01\x00\x03\x06a.test\x01\xbb"[..]),
        (SocksTarget::Name("192.0.2.1", 80), b"\x05\x01\x00\x01\xc0\x00\x02\x01\x00\x50"),
        (v4("192.0.2.1:80"), b"\x05\x01\x00\x01\xc0\x00\x02\x01\x00\x50"),
        (
            v4("[2001:db8::1]:80"),
            b"\x05\x01\x00\x04\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x00\x50",
        ),
        (
            SocksTarget::Name("[2001:db8::1]", 80),
            b"\x05\x01\x00\x04\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x00\x50",
        ),
    ] {
        let said = established(socks(SocksVersion::V5, target), &[&[5, 0], OK5]);
        assert_eq!(said, [&b"\x05\x01\x00"[..], request], "{target:?}");
    }
}

/// RFC 1929 §2.
#[test]
fn socks5_sends_credentials_to_a_server_that_chose_them() {
    let socks = || Socks::new(SocksVersion::V5, v4("192.0.2.1:80"), USER).unwrap();
    let said = established(socks(), &[&[5, 2], &[1, 0], OK5]);
    assert_eq!(said[..2], [&b"\x05\x02\x00\x02"[..], b"\x01\x03ann\x06s3cret"]);

    let said = established(socks(), &[&[5, 0], OK5]);
    assert_eq!(said.len(), 2);
    assert!(!said.concat().windows(6).any(|bytes| bytes == b"s3cret"), "they stay here");

    let error = failure(socks(), &[&[5, 2], &[1, 1]]);
    assert!(error.to_string().contains("wrong user or password"), "{error}");
    let longest = [b'a'; 255];
    assert!(Socks::new(SocksVersion::V5, v4("1.1.1.1:1"), Some((&longest, b""))).is_ok());
}

/// RFC 1928 §3.
#[test]
fn socks5_methods_that_do_not_fit_are_errors() {
    let with = || Socks::new(SocksVersion::V5, v4("192.0.2.1:80"), USER).unwrap();
    let error = failure(socks5(), &[&[5, 0xff]]);
    assert_eq!(error, SocksError::NoMethod { with_password: false });
    assert!(error.to_string().contains("user:password@"), "{error}");
    assert_eq!(failure(with(), &[&[5, 0xff]]), SocksError::NoMethod { with_password: true });
    for method in [1, 2, 3, 0x80] {
        assert_eq!(failure(socks5(), &[&[5, method]]), SocksError::MethodNotOffered { method });
    }
    assert_eq!(failure(with(), &[&[5, 1]]), SocksError::MethodNotOffered { method: 1 });
}

/// RFC 1928 §6.
#[test]
fn every_refusal_of_socks5_has_words() {
    for (code, words) in [
        (1, "general failure"),
        (2, "not allowed"),
        (3, "network unreachable"),
        (4, "host unreachable"),
        (5, "connection refused"),
        (6, "TTL expired"),
        (7, "command not supported"),
        (8, "address type not supported"),
        (9, "code 9"),
        (255, "code 255"),
    ] {
        let error = failure(socks5(), &[&[5, 0], &[5, code, 0, 1, 0, 0, 0, 0, 0, 0]]);
        assert_eq!(error, SocksError::Refused { part: SocksPart::Connect5, code });
        assert!(error.to_string().contains(words) && !error.is_local(), "{error}");
        // Some proxies send no more than the code.
        assert_eq!(failure(socks5(), &[&[5, 0], &[5, code]]), error);
    }
}

#[test]
fn every_refusal_of_socks4_has_words() {
    for (code, words) in
        [(91, "rejected or failed"), (92, "identd"), (93, "another user"), (0, "0")]
    {
        let error = failure(socks(SocksVersion::V4, v4("192.0.2.1:80")), &[&[0, code]]);
        assert_eq!(error, SocksError::Refused { part: SocksPart::Connect4, code });
        assert!(error.to_string().contains(words), "{error}");
    }
}

/// RFC 1928 §5, §6.
#[test]
fn the_bound_address_may_be_of_each_type() {
    let mut v6 = vec![5, 0, 0, 4];
    v6.extend([0; 18]);
    let mut longest = vec![5, 0, 0, 3, 255];
    longest.extend([b'a'; 255 + 2]);
    for reply in [OK5, &v6, b"\x05\x00\x00\x03\x06a.test\x00\x50", b"\x05\0\0\x03\0\0\0", &longest]
    {
        established(socks5(), &[&[5, 0], reply]);
        for end in 0..reply.len() {
            let (_, result) = talk(socks5(), &[&[5, 0], &reply[..end]], usize::MAX);
            assert_eq!(result, Ok(SocksStep::NeedInput), "{end} bytes of {reply:?}");
        }
    }
    let error = failure(socks5(), &[&[5, 0], &[5, 0, 0, 2]]);
    assert_eq!(error, SocksError::AddressType { kind: 2 });
}

#[test]
fn bytes_behind_the_last_answer_are_not_taken() {
    let reply = [OK5, b"SSH-2.0"].concat();
    let (_, result) = talk(socks5(), &[&[5, 0], &reply], usize::MAX);
    assert_eq!(result, Ok(SocksStep::Established { used: 12 }));
}

#[test]
fn an_answer_to_what_was_not_asked_is_refused() {
    let pushed = [&[5, 0], OK5].concat();
    let error = talk(socks5(), &[&pushed], usize::MAX).1.unwrap_err();
    assert_eq!(error, SocksError::Early { during: SocksPart::Connect5 });

    let mut unsent = socks5();
    unsent.sent(1);
    assert_eq!(unsent.receive(&[]), Ok(SocksStep::NeedInput));
    let error = unsent.receive(&[5, 0]).unwrap_err();
    assert_eq!(error, SocksError::Early { during: SocksPart::Method });
}

#[test]
fn servers_of_another_kind_are_told_apart() {
    let v4 = || socks(SocksVersion::V4, v4("192.0.2.1:80"));
    for (error, hint) in [
        (failure(socks5(), &[b"HTTP/1.1 400 Bad Request\r\n"]), "try http://"),
        (failure(v4(), &[b"HTTP/1.0 400 Bad Request\r\n"]), "try http://"),
        (failure(socks5(), &[b"\x15\x03\x01\x00\x02\x02\x46"]), "try https://"),
        (failure(socks5(), &[&[0, 91]]), "try socks4://"),
        (failure(v4(), &[&[5, 0xff]]), "try socks5://"),
        (failure(socks5(), &[b"SSH-2.0"]), "0x53 instead of 0x05"),
        (failure(socks5(), &[&[5, 0], &[4, 0]]), "0x04 instead of 0x05"),
    ] {
        assert!(matches!(error, SocksError::Version { .. }));
        assert!(error.to_string().contains(hint), "{error}");
    }
    let with = Socks::new(SocksVersion::V5, SocksTarget::Name("a.test", 1), USER).unwrap();
    let error = failure(with, &[&[5, 2], &[5, 0]]);
    assert!(matches!(error, SocksError::Version { expected: 1, received: 5, .. }), "{error}");
}

#[test]
fn the_end_says_where_it_came() {
    let mut socks = Socks::new(SocksVersion::V5, SocksTarget::Name("a.test", 1), USER).unwrap();
    let closed = |during, received| SocksError::Closed { during, received };
    assert_eq!(socks.eof(), closed(SocksPart::Method, 0));
    send(&mut socks);
    socks.receive(&[5, 2]).unwrap();
    assert_eq!(socks.eof(), closed(SocksPart::Authentication, 0));
    assert!(socks.eof().to_string().contains("may be wrong"));
    send(&mut socks);
    socks.receive(&[5, 2, 1, 0]).unwrap();
    send(&mut socks);
    socks.receive(&[5, 2, 1, 0, 5, 0, 0]).unwrap();
    assert_eq!(socks.eof(), closed(SocksPart::Connect5, 3));
    assert!(socks.eof().to_string().contains("after 3 bytes"));
}

/// curl went on with a name of more than 255 bytes, in a way that overflowed a buffer; PySocks
/// sends a broken length.
#[test]
fn cve_2023_38545_a_name_too_long_is_an_error() {
    for version in [SocksVersion::V4a, SocksVersion::V5] {
        for (length, fits) in [(0, false), (255, true), (256, false), (305, false), (65_537, false)]
        {
            let name = "a".repeat(length);
            let made = Socks::new(version, SocksTarget::Name(&name, 80), None);
            assert_eq!(made.is_ok(), fits, "{length}");
            assert!(fits || made.unwrap_err() == SocksError::NameLength { length });
        }
    }
}

#[test]
fn what_would_break_the_message_is_not_sent() {
    for name in ["a\0b", "a\nb", "a b", "a\x7f", "\u{e9}.test"] {
        for version in [SocksVersion::V4a, SocksVersion::V5] {
            let error = Socks::new(version, SocksTarget::Name(name, 80), None).unwrap_err();
            assert!(matches!(error, SocksError::NameByte { .. }), "{name:?}");
        }
    }
    let long = [b'a'; 256];
    for (user, password, what) in [(&long[..], &b""[..], "user"), (b"", &long, "password")] {
        let made = Socks::new(SocksVersion::V5, v4("1.1.1.1:1"), Some((user, password)));
        assert_eq!(made.unwrap_err(), SocksError::CredentialLength { what, length: 256 });
    }
}

#[test]
fn debug_does_not_show_credentials() {
    for version in [SocksVersion::V4, SocksVersion::V5] {
        let mut socks = Socks::new(version, v4("192.0.2.1:80"), USER).unwrap();
        for input in [&b""[..], b"\x05\x02"] {
            let shown = format!("{socks:?}");
            assert!(!shown.contains("s3cret") && !shown.contains("ann"), "{shown}");
            assert!(!shown.contains("115, 51"), "nor as bytes: {shown}");
            send(&mut socks);
            let _ = socks.receive(input);
        }
    }
}

/// Answers that are often right.
fn answers() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let bytes = prop_oneof![4 => 0u8..6, 1 => any::<u8>()];
    let any = proptest::collection::vec(bytes, 0..24);
    let answer = prop_oneof![
        Just(vec![5, 0]),
        Just(vec![5, 2]),
        Just(vec![1, 0]),
        Just(vec![0, 90, 0, 0, 0, 0, 0, 0]),
        Just(OK5.to_vec()),
        any,
    ];
    proptest::collection::vec(answer, 0..4)
}

proptest! {
    #[test]
    fn no_answer_panics_and_cuts_inside_answers_do_not_matter(
        answers in answers(), piece in 1usize..8, five in any::<bool>(), with in any::<bool>(),
    ) {
        let version = if five { SocksVersion::V5 } else { SocksVersion::V4 };
        let socks = Socks::new(version, v4("192.0.2.1:80"), USER.filter(|_| with)).unwrap();
        let answers: Vec<&[u8]> = answers.iter().map(Vec::as_slice).collect();
        let (said, cut) = talk(socks.clone(), &answers, piece);
        let (_, whole) = talk(socks, &answers, usize::MAX);
        // A piece that runs into the next answer is early in one case and not in the other: the
        // words were sent between. Everything else is the same.
        let early = |result: &Result<_, _>| matches!(result, Err(SocksError::Early { .. }));
        prop_assert!(cut == whole || early(&cut) || early(&whole), "{:?} {:?}", cut, whole);
        let secret = said.concat().windows(6).any(|bytes| bytes == b"s3cret");
        prop_assert!(!secret || five && with && answers.concat().starts_with(&[5, 2]));
    }

    #[test]
    fn no_target_panics(name in ".*", port in any::<u16>(), user in ".*", password in ".*") {
        for version in [SocksVersion::V4, SocksVersion::V4a, SocksVersion::V5] {
            let credentials = Some((user.as_bytes(), password.as_bytes()));
            match Socks::new(version, SocksTarget::Name(&name, port), credentials) {
                Ok(socks) => prop_assert!(!socks.transmit().is_empty()),
                Err(error) => prop_assert!(error.is_local() && !error.to_string().is_empty()),
            }
        }
    }
}
