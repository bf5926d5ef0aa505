//! Name servers that lie, hang or talk nonsense, and the system's own resolver: in a network namespace, where
//! a name server of the test's is the only one, and what the machine has set is not asked.

use crate::support::{AT_ONCE, again, builder, fetch, is_alone, ms, passed, skipped, timed};
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener, UdpSocket};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use waterclock::world::real::ThreadedLookup;
use waterclock::{ErrorKind, Limit, Limits, ResolveOverride, Session};
use waterclock_lab::{FastServer, Server};

/// Starts `test` again in namespaces of its own; says true there.
fn in_a_namespace(test: &str) -> bool {
    if is_alone() {
        return true;
    }
    let unshared = |words: &[&str]| {
        let mut command = Command::new("unshare");
        command.args(["--net", "--mount"]).args(words);
        command
    };
    let ready = "ip link set lo up && mount --bind /dev/null /etc/hosts";
    if !unshared(&["sh", "-c", ready]).output().is_ok_and(|output| output.status.success()) {
        skipped(test, "`unshare --net --mount`, `ip` or `mount` is not allowed or not there");
        return false;
    }
    let name = format!("waterclock-{}-{}.conf", std::process::id(), test.replace(':', "-"));
    let conf = std::env::temp_dir().join(name);
    std::fs::write(&conf, "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n").unwrap();
    let before = format!("{ready} && mount --bind '{}' /etc/resolv.conf", conf.display());
    let inside = again(test, &before);
    let mut command = unshared(&[]);
    command.arg(inside.get_program()).args(inside.get_args());
    for (name, value) in inside.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let output = command.output();
    std::fs::remove_file(&conf).unwrap();
    passed(&output.unwrap());
    false
}

const A: u16 = 1;
const CNAME: u16 = 5;
const AAAA: u16 = 28;

/// A resource record about the name that was asked for.
fn record(kind: u16, data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len()).unwrap();
    let head = [&[0xc0, 12][..], &kind.to_be_bytes(), &[0, 1, 0, 0, 0, 0], &length.to_be_bytes()];
    [head.concat().as_slice(), data].concat()
}

fn here() -> Vec<u8> {
    record(A, &[127, 0, 0, 1])
}

/// An answer to `query`: its question again, this code in the flags, these records, of which `claimed` are claimed.
fn answer(query: &[u8], flags: u16, claimed: usize, records: &[Vec<u8>]) -> Vec<u8> {
    let end = 12 + query[12..].iter().position(|byte| *byte == 0).unwrap() + 5;
    let claimed = u16::try_from(claimed).unwrap().to_be_bytes();
    let head = [&query[..2], &(0x8180 | flags).to_be_bytes(), &[0, 1], &claimed, &[0, 0, 0, 0]];
    [head.concat().as_slice(), &query[12..end], &records.concat()].concat()
}

/// What the server sends for a question about `name`.
fn replies(name: &str, kind: u16, query: &[u8]) -> Vec<Vec<u8>> {
    let to = |records: &[Vec<u8>]| answer(query, 0, records.len(), records);
    let only_v4 = |records: &[Vec<u8>]| if kind == A { to(records) } else { to(&[]) };
    let wrong_id = |mut reply: Vec<u8>| {
        reply[1] ^= 0x55;
        reply
    };
    match name {
        "good" => vec![only_v4(&[here()])],
        "nxdomain" => vec![answer(query, 3, 0, &[])],
        "servfail" => vec![answer(query, 2, 0, &[])],
        "nodata" => vec![to(&[])],
        "loop" => vec![to(&[record(CNAME, &[0xc0, 12])])],
        "claims" => vec![answer(query, 0, 9, &[])],
        "cut" => vec![to(&[here()])[..20].to_vec()],
        "garbage" => vec![[&query[..2], &[0xff; 60][..]].concat()],
        // A compressed name that points at itself.
        "pointer" => vec![to(&[[&[0xc0, 29][..], &here()[2..]].concat()])],
        "short" => vec![to(&[record(kind, &[127])])],
        "forged" => vec![wrong_id(only_v4(&[record(A, &[127, 0, 0, 66])])), only_v4(&[here()])],
        "half" if kind == A => vec![to(&[here()])],
        "dead" if kind == A => vec![to(&[here()])],
        "dead" => vec![to(&[record(AAAA, &Ipv6Addr::LOCALHOST.octets())])],
        "many" => {
            let dead = (1..=64).map(|last| record(A, &[127, 0, 1, last]));
            vec![only_v4(&dead.chain([here()]).collect::<Vec<_>>())]
        }
        "truncated" => vec![answer(query, 0x200, 0, &[])],
        _ => vec![],
    }
}

fn serve_names() {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 53)).unwrap();
    std::thread::spawn(move || {
        let mut query = [0; 512];
        while let Ok((count, asker)) = socket.recv_from(&mut query) {
            let query = &query[..count];
            let length = usize::from(query[12]);
            let name = String::from_utf8_lossy(&query[13..13 + length]).to_lowercase();
            let end = 12 + query[12..].iter().position(|byte| *byte == 0).unwrap();
            let kind = u16::from_be_bytes([query[end + 1], query[end + 2]]);
            for reply in replies(&name, kind, query) {
                socket.send_to(&reply, asker).unwrap();
            }
        }
    });
}

fn session(resolve: Duration) -> Session {
    let limits = Limits::builder().resolve(resolve).total(ms(30_000)).build();
    builder().limits(limits).build().unwrap()
}

#[test]
fn the_systems_resolver_and_a_name_server_that_lies() {
    if !in_a_namespace("names::the_systems_resolver_and_a_name_server_that_lies") {
        return;
    }
    serve_names();
    let server = FastServer::start().unwrap();
    let ask = |name: &str, resolve| {
        let url = format!("http://{name}.test:{}/?id=7", server.address().port());
        timed(|| fetch(session(resolve).get(url)))
    };
    // The system asks a second time after a second; then it has an answer or none.
    for name in ["good", "forged", "half", "dead", "many"] {
        let (result, elapsed) = ask(name, ms(20_000));
        assert_eq!(result.unwrap_or_else(|error| panic!("{name}: {error:#}")), b"7");
        eprintln!("{name}: {elapsed:?}");
    }
    for name in [
        "nxdomain",
        "servfail",
        "nodata",
        "loop",
        "claims",
        "cut",
        "garbage",
        "pointer",
        "short",
        "truncated",
    ] {
        let (result, elapsed) = ask(name, ms(20_000));
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Resolve, "{name}: {error:#}");
        assert!(error.retry_safe());
        eprintln!("{name}: {elapsed:?}: {error}");
    }
    for name in ["silent", "half"] {
        let (result, elapsed) = ask(name, ms(300));
        let error = result.unwrap_err();
        assert_eq!(error.limit(), Some(Limit::Resolve), "{name}: {error:#}");
        assert!(elapsed >= ms(300), "{name}: {elapsed:?}");
    }
    assert_eq!(ask("good", ms(20_000)).0.unwrap(), b"7", "good names go on");
}

/// Eighty lookups that hang are more than there are threads; another one waits no longer than it takes the
/// system to give up on those in front of it.
#[test]
fn a_burst_of_silent_names_does_not_last() {
    if !in_a_namespace("names::a_burst_of_silent_names_does_not_last") {
        return;
    }
    serve_names();
    let server = FastServer::start().unwrap();
    for number in 0..80 {
        let url = format!("http://silent-{number}.test/");
        let error = fetch(session(ms(10)).get(url)).unwrap_err();
        assert_eq!(error.limit(), Some(Limit::Resolve), "{error:#}");
    }
    let url = format!("http://good.test:{}/?id=7", server.address().port());
    let (result, elapsed) = timed(|| fetch(session(ms(30_000)).get(url)));
    assert_eq!(result.unwrap(), b"7");
    assert!(elapsed < ms(8_000), "it waited for what nobody wants: {elapsed:?}");
}

#[test]
fn a_name_of_two_families_of_which_one_is_not_served() {
    for address in ["127.0.0.1:0", "[::1]:0"] {
        let Ok(listener) = TcpListener::bind(address) else {
            skipped("names::a_name_of_two_families_of_which_one_is_not_served", "no IPv6 here");
            continue;
        };
        let at = listener.local_addr().unwrap();
        drop(listener);
        let _server = Server::builder().bind(at).start().unwrap();
        let both = vec![Ipv6Addr::LOCALHOST.into(), Ipv4Addr::LOCALHOST.into()];
        let session = builder().resolve(ResolveOverride::new("localhost", at.port(), both));
        let session = session.build().unwrap();
        let url = format!("http://localhost:{}/", at.port());
        let (result, elapsed) = timed(|| fetch(session.get(url)));
        assert_eq!(result.unwrap(), b"ok");
        assert!(elapsed < AT_ONCE, "{elapsed:?}");
    }
}

#[test]
fn one_name_is_looked_up_once_at_a_time() {
    let (asked, panics) = (Arc::new(AtomicUsize::new(0)), AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let slow = ThreadedLookup::new(move |name, port| {
        count.fetch_add(1, Ordering::SeqCst);
        std::thread::sleep(ms(300));
        assert!(name != "panics.test", "a lookup function that panics");
        Ok(vec![(Ipv4Addr::LOCALHOST, port).into()])
    });
    let server = Server::builder().start().unwrap();
    let session = builder().resolver(Arc::new(slow)).build().unwrap();
    let ask = |name| fetch(session.get(format!("http://{name}:{}/", server.address().port())));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert_eq!(ask("good.test").unwrap(), b"ok"));
            scope.spawn(|| {
                assert_eq!(ask("panics.test").unwrap_err().kind(), ErrorKind::Resolve);
                panics.fetch_add(1, Ordering::SeqCst);
            });
        }
    });
    // One for each name; one more for a thread that came late.
    assert!((2..=4).contains(&asked.load(Ordering::SeqCst)), "{asked:?}");
    assert_eq!(panics.into_inner(), 8);
    assert_eq!(ask("good.test").unwrap(), b"ok", "the threads outlive a panic");
}
