//! SSRF: a URL, a name or a redirect that leads inside is refused before anything is sent there.

use std::net::SocketAddr;
use std::sync::Arc;
use waterclock::{Error, ErrorKind, Session, SessionBuilder, is_public};
use waterclock_sim::{Script, SimWorld};

/// Hosts as a caller may be given them, and the address that each of them is.
const INSIDE: &[(&str, &str)] = &[
    ("127.0.0.1", "127.0.0.1"),
    ("0x7f.1", "127.0.0.1"),
    ("2130706433", "127.0.0.1"),
    ("017700000001", "127.0.0.1"),
    ("10.1.2.3", "10.1.2.3"),
    ("172.16.0.1", "172.16.0.1"),
    ("192.168.0.1", "192.168.0.1"),
    ("100.64.0.1", "100.64.0.1"),
    ("169.254.169.254", "169.254.169.254"),
    ("0.0.0.0", "0.0.0.0"),
    ("255.255.255.255", "255.255.255.255"),
    ("224.0.0.1", "224.0.0.1"),
    ("[::1]", "[::1]"),
    ("[::]", "[::]"),
    ("[fe80::1]", "[fe80::1]"),
    ("[fd00::1]", "[fd00::1]"),
    ("[ff02::1]", "[ff02::1]"),
    ("[::ffff:127.0.0.1]", "[::ffff:127.0.0.1]"),
    ("[::ffff:a00:1]", "[::ffff:10.0.0.1]"),
    ("[::127.0.0.1]", "[::127.0.0.1]"),
    ("[64:ff9b::7f00:1]", "[64:ff9b::127.0.0.1]"),
    ("[64:ff9b::a9fe:a9fe]", "[64:ff9b::169.254.169.254]"),
    ("[64:ff9b:1::a00:1]", "[64:ff9b:1::10.0.0.1]"),
    ("[2002:7f00:1::]", "[2002:7f00:1::]"),
    ("[2001:0:1::1]", "[2001:0:1::1]"),
    ("[2001:db8::1]", "[2001:db8::1]"),
];

const OUTSIDE: &[&str] =
    &["1.1.1.1", "172.32.0.1", "100.128.0.1", "[2606:4700::1111]", "[64:ff9b::101:101]"];

fn world(session: impl FnOnce(SessionBuilder) -> SessionBuilder) -> (Arc<SimWorld>, Session) {
    let world = SimWorld::new();
    let builder = session(SessionBuilder::in_world(world.clone()));
    (world, builder.build().unwrap())
}

fn serve(world: &SimWorld, ip: &str) -> String {
    let at = format!("{ip}:80");
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    world.listen(&at).serve_with(move |_| Script::new().expect_head().send(answer));
    at
}

#[track_caller]
fn refused(result: Result<waterclock::Response, Error>, what: &str) {
    let error = result.expect_err(what);
    assert_eq!(error.kind(), ErrorKind::Connect, "{what}: {error:#}");
    assert!(error.to_string().contains("allow_address refuses"), "{what}: {error}");
}

#[test]
fn ssrf_addresses_inside_are_refused_before_a_syn() {
    for (host, ip) in INSIDE {
        // Spelled out in the URL, and as what a name comes to.
        let (world, session) = world(|builder| builder.allow_address(is_public));
        let at = serve(&world, ip);
        let bare = ip.trim_matches(['[', ']']);
        world.host("name.test").resolves_to([bare]);
        refused(session.get(format!("http://{host}/")).send(), host);
        refused(session.get("http://name.test/").send(), host);
        assert!(world.connections(&at).is_empty(), "{host}");
        assert_eq!(world.open_sockets(), 0, "{host}");
    }
    // The rule is what refuses: without it the same are reached.
    for (host, ip) in INSIDE {
        let (world, session) = world(|builder| builder);
        let at = serve(&world, ip);
        session.get(format!("http://{host}/")).send().unwrap();
        assert_eq!(world.connections(&at).len(), 1, "{host}");
    }
}

#[test]
fn ssrf_addresses_outside_are_reached() {
    for ip in OUTSIDE {
        let (world, session) = world(|builder| builder.allow_address(is_public));
        serve(&world, ip);
        assert_eq!(session.get(format!("http://{ip}/")).send().unwrap().status(), 200, "{ip}");
    }
}

/// Of a name's addresses only those are tried that are allowed; and they are the ones that were asked
/// about, for the name is looked up once (DNS rebinding).
#[test]
fn ssrf_the_address_checked_is_the_address_connected() {
    let (world, session) = world(|builder| builder.allow_address(is_public));
    let (inside, outside) = (serve(&world, "10.0.0.1"), serve(&world, "1.1.1.1"));
    world.host("both.test").resolves_to(["10.0.0.1", "1.1.1.1"]);
    let response = session.get("http://both.test/").send().unwrap();
    assert_eq!(response.timeline().attempts().len(), 1, "the other one was never an attempt");
    assert_eq!((world.connections(&inside).len(), world.connections(&outside).len()), (0, 1));
    assert_eq!(world.lookups(), ["both.test"]);
}

#[test]
fn ssrf_redirects_and_proxies_are_asked_about_too() {
    let (world, session) = world(|builder| builder.allow_address(is_public));
    let inside = serve(&world, "169.254.169.254");
    let location = "HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/latest/\r\nContent-Length: 0\r\n\r\n";
    world.listen("1.1.1.1:80").serve(Script::new().expect_head().send(location));
    let error = session.get("http://1.1.1.1/").send().unwrap_err();
    assert_eq!(error.history().len(), 1);
    refused(Err(error), "a redirect");
    let request = session.get("http://1.1.1.1/").proxy("http://169.254.169.254:80");
    refused(request.send(), "a proxy");
    refused(session.get("http+unix://%2Frun%2Fdocker.sock/").send(), "a Unix socket");
    assert!(world.connections(&inside).is_empty());
}

/// A rule sees an IPv4 address as one, however it was written.
#[test]
fn ssrf_a_rule_is_shown_ipv4_addresses_as_such() {
    let (world, session) =
        world(|builder| builder.allow_address(|address: &SocketAddr| !address.ip().is_loopback()));
    let at = serve(&world, "[::ffff:127.0.0.1]");
    refused(session.get("http://[::ffff:127.0.0.1]/").send(), "mapped");
    assert!(world.connections(&at).is_empty());
}
