//! Other ways to a server: Unix sockets, IPv6, overrides, resolvers of one's own.

use crate::support::{PROMPT, assert_fired, expect_fired, ms, resolver, session, timed};
use socket2::{Domain, SockAddr, Socket, Type};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use waterclock::world::{Answer, SocketOptions};
use waterclock::{ErrorKind, Limit, Limits, Phase, ResolveOverride, Resolver, Session};
use waterclock_lab::{Blackhole, FastServer, Server, Zone};

/// A directory for sockets; their paths must be short.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("wc-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Directory(path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn unix_url(socket: &Path, path: &str) -> String {
    format!("http+unix://{}{path}", socket.display().to_string().replace('/', "%2F"))
}

#[test]
fn unix_sockets_by_url_and_by_option() {
    let directory = Directory::new("unix");
    let path = directory.0.join("s");
    let server = Server::builder().unix(&path).start().unwrap();
    let session = session(Limits::total(ms(10_000)));
    for _ in 0..2 {
        let mut response = session.get(unix_url(&path, "/info?x=1")).send().unwrap();
        assert_eq!(response.text().unwrap(), "ok");
        let info = response.connection().unwrap();
        assert_eq!((info.number, info.remote_address), (1, None));
    }
    let request = &server.requests()[0];
    assert_eq!((&*request.target, request.header("host")), ("/info?x=1", Some("localhost")));

    let fixed = Session::builder().unix_socket(&path).build().unwrap();
    let mut response = fixed.get("http://docker.test/version").send().unwrap();
    assert_eq!(response.text().unwrap(), "ok");
    let request = &server.requests()[2];
    assert_eq!((&*request.target, request.header("host")), ("/version", Some("docker.test")));
}

#[test]
fn a_unix_socket_that_is_not_there_is_named() {
    let directory = Directory::new("gone");
    let url = unix_url(&directory.0.join("nobody"), "/");
    let error = session(Limits::none()).get(url).send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert!(error.message().contains("nobody"), "{error}");
}

#[test]
fn a_unix_socket_with_a_full_queue_waits_under_its_limits() {
    let directory = Directory::new("full");
    let path = directory.0.join("s");
    let address = SockAddr::unix(&path).unwrap();
    let listener = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
    listener.bind(&address).unwrap();
    listener.listen(0).unwrap();
    let mut fillers = Vec::new();
    loop {
        let filler = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
        filler.set_nonblocking(true).unwrap();
        if filler.connect(&address).is_err() {
            break;
        }
        fillers.push(filler);
        assert!(fillers.len() < 100, "the queue is never full");
    }
    let url = unix_url(&path, "/");
    for limit in [Limit::Address, Limit::Connect, Limit::Total] {
        let limits = Limits::none().with(limit, Some(ms(80)));
        let session = session(limits);
        expect_fired(|| session.get(&url), limit, Phase::Connect);
    }
    // As soon as there is room it goes on.
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(ms(30));
            for _ in 0..=fillers.len() {
                let (stream, _) = listener.accept().unwrap();
                let _ = stream.send(b"HTTP/1.1 204 No Content\r\n\r\n");
            }
        });
        let (result, elapsed) = timed(|| session(Limits::total(ms(5_000))).get(&url).send());
        assert_eq!(result.unwrap().status(), 204);
        assert!(elapsed >= ms(30), "{elapsed:?}");
    });
}

#[test]
fn ipv6_literals_with_and_without_a_zone() {
    let address = "[::1]:0".parse().unwrap();
    let server = match Server::builder().bind(address).start() {
        Ok(server) => server,
        Err(error) => {
            eprintln!("SKIPPED: this machine has no IPv6 loopback ({error})");
            return;
        }
    };
    let port = server.address().port();
    let session = session(Limits::total(ms(10_000)));
    for host in ["[::1]", "[0:0:0:0:0:0:0:1]", "[::1%25lo]", "[::1%1]"] {
        let mut response = session.get(format!("http://{host}:{port}/")).send().unwrap();
        assert_eq!(response.text().unwrap(), "ok", "{host}");
    }
    let expected = format!("[::1]:{port}");
    for request in server.requests() {
        assert_eq!(request.header("host"), Some(&*expected));
    }
    let error = session.get(format!("http://[::1%25no-such-interface]:{port}/")).send();
    assert!(error.unwrap_err().message().contains("no-such-interface"));
}

#[test]
fn overrides_go_before_the_resolver() {
    let server = FastServer::start().unwrap();
    let port = server.address().port();
    let (names, lookup) = resolver(Zone::new());
    let rule = ResolveOverride::new("shop.test", port, vec![server.address().ip()]);
    let builder = Session::builder().resolver(Arc::new(lookup)).resolve(rule);
    let session = builder.build().unwrap();
    let url = format!("http://SHOP.test:{port}/?id=7");
    assert_eq!(session.get(url).send().unwrap().text().unwrap(), "7");
    assert!(names.queries().is_empty());
    let error = session.get("http://other.test/").send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Resolve, "{error:#}");
    assert!(!names.queries().is_empty());
}

/// Answers at once, before the caller has begun to wait.
#[derive(Debug)]
struct Fixed(Vec<IpAddr>);

impl Resolver for Fixed {
    fn lookup(&self, _: &str, port: u16, answer: Answer) {
        answer.complete(Ok(self.0.iter().map(|&ip| SocketAddr::new(ip, port)).collect()));
    }
}

/// Forgets to answer.
#[derive(Debug)]
struct Forgetful;

impl Resolver for Forgetful {
    fn lookup(&self, _: &str, _: u16, _: Answer) {}
}

#[test]
fn resolvers_of_ones_own() {
    let server = FastServer::start().unwrap();
    let url = format!("http://any.test:{}/?id=7", server.address().port());
    let with = |resolver: Arc<dyn Resolver>| {
        Session::builder().resolver(resolver).limits(Limits::total(ms(10_000))).build().unwrap()
    };
    let good = with(Arc::new(Fixed(vec![server.address().ip()])));
    assert_eq!(good.get(&url).send().unwrap().text().unwrap(), "7");
    for bad in [with(Arc::new(Fixed(vec![]))), with(Arc::new(Forgetful))] {
        let error = bad.get(&url).send().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Resolve, "{error:#}");
    }
}

#[test]
fn a_name_with_a_dead_address_is_reached_by_the_other() {
    let server = FastServer::start().unwrap();
    let port = server.address().port();
    let hole = Blackhole::at(SocketAddr::new("127.0.0.9".parse().unwrap(), port)).unwrap();
    let addresses = vec![hole.address().ip(), server.address().ip()];
    let builder = Session::builder().resolver(Arc::new(Fixed(addresses)));
    let session = builder.limits(Limits::total(ms(10_000))).build().unwrap();
    let url = format!("http://two.test:{port}/?id=7");
    let (text, elapsed) = timed(|| session.get(url).send().unwrap().text().unwrap());
    assert_eq!(text, "7");
    // The second attempt begins 250 ms after the first (RFC 8305 §5); the kernel would try the
    // first address again only after a second.
    assert!(elapsed >= ms(250) && elapsed < PROMPT, "{elapsed:?}");
}

#[test]
fn many_dead_addresses_do_not_add_up() {
    let hole = Blackhole::start().unwrap();
    let port = hole.address().port();
    let holes: Vec<Blackhole> = (2..5)
        .map(|last| Blackhole::at(SocketAddr::new(IpAddr::from([127, 0, 0, last]), port)).unwrap())
        .collect();
    let addresses = std::iter::once(&hole).chain(&holes).map(|hole| hole.address().ip()).collect();
    let builder = Session::builder().resolver(Arc::new(Fixed(addresses)));
    let limits = Limits::builder().connect(ms(400)).build();
    let session = builder.limits(limits).build().unwrap();
    let request = session.get(format!("http://dead.test:{port}/"));
    let (result, elapsed) = timed(|| request.send());
    let error = result.unwrap_err();
    assert_fired(&error, elapsed, Limit::Connect, Phase::Connect);
    assert!(error.timeline().unwrap().attempts().len() <= 2, "{error:#}");
}

#[test]
fn a_refused_connection_is_told_at_once() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let session = session(Limits::none());
    let (error, elapsed) = timed(|| session.get(format!("http://{closed}/")).send().unwrap_err());
    assert_eq!((error.kind(), error.retry_safe()), (ErrorKind::Connect, true), "{error:#}");
    assert!(elapsed < ms(1_000), "{elapsed:?}");
}

#[test]
fn the_local_address_can_be_chosen() {
    let server = FastServer::start().unwrap();
    let local: IpAddr = "127.0.0.5".parse().unwrap();
    let options = SocketOptions { local_address: Some(local), ..SocketOptions::default() };
    let session = Session::builder().socket(options).build().unwrap();
    let response = session.get(server.url("/")).send().unwrap();
    assert_eq!(response.connection().unwrap().local_address.unwrap().ip(), local);
}
