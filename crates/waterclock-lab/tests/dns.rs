//! The name server and the stub resolver.
#![allow(clippy::disallowed_methods)] // these tests are about real waits
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests may fail tests

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};
use std::time::{Duration, Instant};

use waterclock_lab::{DnsAnswer, DnsServer, DnsStub, Family, Says, Zone};

const V4: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 17));
const V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn start(zone: Zone) -> (DnsServer, DnsStub) {
    let server = DnsServer::start(zone).unwrap();
    let stub = DnsStub::new(server.address());
    (server, stub)
}

#[test]
fn names_are_answered_after_their_delay_in_any_case() {
    let (server, stub) = start(Zone::new().name("Slow.test", [V4, V6], ms(50)));
    let begin = Instant::now();
    assert_eq!(stub.lookup("sLOW.test.").unwrap(), [V6, V4]);
    // The two delays overlap.
    assert!(begin.elapsed() >= ms(50) && begin.elapsed() < ms(1000), "{:?}", begin.elapsed());
    let queries = server.queries();
    let mut families: Vec<Family> = queries.iter().map(|query| query.family).collect();
    families.sort_by_key(|family| *family == Family::V6);
    assert_eq!(families, [Family::V4, Family::V6]);
}

#[test]
fn unknown_names_and_missing_families() {
    let only_v6 = DnsAnswer::after(ms(0), Says::Addresses(vec![V6]));
    let (_server, stub) = start(Zone::new().answer("six.test", Family::V6, only_v6));
    assert_eq!(stub.lookup("six.test").unwrap(), [V6]);
    assert_eq!(stub.lookup("nobody.test").unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(stub.lookup("127.0.0.9").unwrap(), [IpAddr::V4(Ipv4Addr::new(127, 0, 0, 9))]);
    assert_eq!(stub.lookup("[::1]").unwrap(), [V6]);
    let long = "a".repeat(64) + ".test";
    assert_eq!(stub.lookup(&long).unwrap_err().kind(), ErrorKind::InvalidInput);
}

#[test]
fn silence_is_asked_again_and_then_given_up() {
    let (server, stub) = start(Zone::new().silent("never.test"));
    let begin = Instant::now();
    let error = stub.retry(3, ms(20)).lookup("never.test").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert!(begin.elapsed() >= ms(60), "{:?}", begin.elapsed());
    assert_eq!(server.queries().len(), 6);
}

#[test]
fn lost_queries_are_repeated_for_the_family_that_misses() {
    let lost = DnsAnswer { lost: 1, ..DnsAnswer::after(ms(0), Says::Addresses(vec![V4])) };
    let zone = Zone::new().name("x.test", [V4, V6], ms(0)).answer("x.test", Family::V4, lost);
    let (server, stub) = start(zone);
    assert_eq!(stub.retry(5, ms(200)).lookup("x.test").unwrap(), [V6, V4]);
    let count = |family| server.queries().iter().filter(|query| query.family == family).count();
    assert_eq!((count(Family::V4), count(Family::V6)), (2, 1));
}

#[test]
fn one_silent_family_leaves_the_other() {
    let silent = DnsAnswer::after(ms(0), Says::Silence);
    let zone = Zone::new().name("x.test", [V4], ms(0)).answer("x.test", Family::V6, silent);
    let (_server, stub) = start(zone);
    assert_eq!(stub.retry(1, ms(30)).lookup("x.test").unwrap(), [V4]);
}

#[test]
fn forged_answers_are_not_believed_and_failures_are_told() {
    let zone = Zone::new()
        .answer("x.test", Family::V4, DnsAnswer::after(ms(0), Says::AfterForgery(vec![V4])))
        .answer("broken.test", Family::V4, DnsAnswer::after(ms(0), Says::Failure));
    let (_server, stub) = start(zone);
    assert_eq!(stub.lookup("x.test").unwrap(), [V4]);
    let error = stub.lookup("broken.test").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Other);
    assert!(error.to_string().contains("ServerFailure"), "{error}");
}

#[test]
fn garbage_does_not_end_the_server_and_dropping_it_does() {
    let (server, stub) = start(Zone::new().name("x.test", [V4], ms(0)));
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    for garbage in [&b""[..], b"x", &[0xff; 512], &[0; 12]] {
        socket.send_to(garbage, server.address()).unwrap();
    }
    assert_eq!(stub.lookup("x.test").unwrap(), [V4]);
    drop(server);
    // Once the thread has ended, the kernel refuses; until then nobody answers.
    let error = stub.retry(1, ms(50)).lookup("x.test").unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::ConnectionRefused), "{error}");
}
