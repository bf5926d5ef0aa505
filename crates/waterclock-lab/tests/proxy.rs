//! The proxy.
#![allow(clippy::disallowed_methods)] // these tests are about real waits
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests may fail tests

mod common;

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::{PATIENCE, connect, get, ms, rest, secure, trusting};
use waterclock_lab::{
    Identity, Proxy, ProxyAction, Script, Server, Step, respond, respond_chunked,
};

const ESTABLISHED: &str = "HTTP/1.1 200 Connection established\r\n\r\n";

/// Sends a CONNECT and reads exactly `expected`.
fn tunnel(stream: &mut (impl Read + Write), target: &str, expected: &str) {
    write!(stream, "CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n").unwrap();
    let mut answer = vec![0; expected.len()];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(String::from_utf8(answer).unwrap(), expected);
}

#[test]
fn connect_forwards_tls_end_to_end() {
    let identity = Identity::new(&["shop.test"]).unwrap();
    let server = Server::builder().tls(identity.clone()).start().unwrap();
    let proxy = Proxy::builder().route("Shop.test:443", server.address()).start().unwrap();
    let mut stream = connect(proxy.address());
    tunnel(&mut stream, "shop.test:443", ESTABLISHED);
    let config = Arc::new(trusting(identity.ca_pem(), None));
    let mut stream = secure(stream, &config, "shop.test").unwrap();
    assert!(get(&mut stream, "/inside").unwrap().ends_with("ok"));
    assert_eq!(server.requests()[0].target, "/inside");
    let [request] = &proxy.requests()[..] else { panic!("{:?}", proxy.requests()) };
    assert_eq!((request.method.as_str(), request.target.as_str()), ("CONNECT", "shop.test:443"));
    drop(stream);
    proxy.wait_for_open_connections(0, PATIENCE).unwrap();
    server.wait_for_open_connections(0, PATIENCE).unwrap();
}

#[test]
fn a_proxy_that_speaks_tls_itself() {
    let identity = Identity::new(&["shop.test", "127.0.0.1"]).unwrap();
    let server = Server::builder().tls(identity.clone()).start().unwrap();
    let proxy = Proxy::builder().tls(identity.clone()).start().unwrap();
    assert!(proxy.url().starts_with("https://127.0.0.1:"));
    let config = Arc::new(trusting(identity.ca_pem(), None));
    let mut outer = secure(connect(proxy.address()), &config, "127.0.0.1").unwrap();
    tunnel(&mut outer, &server.address().to_string(), ESTABLISHED);
    let mut inner = rustls::StreamOwned::new(common::hello(&config, "shop.test"), outer);
    assert!(get(&mut inner, "/").unwrap().ends_with("ok"));
    assert_eq!((proxy.handshakes().full, server.handshakes().full), (1, 1));
}

#[test]
fn absolute_form_is_passed_on_with_the_connection_kept() {
    let script = Script::by_request(|request| match request.path() {
        "/chunks" => respond_chunked(200, &["ab", "c"]),
        "/early" => {
            [vec![Step::send("HTTP/1.1 103 Early Hints\r\n\r\n")], respond(200, "x")].concat()
        }
        _ => respond(200, &request.body),
    });
    let server = Server::start(script).unwrap();
    let proxy = Proxy::builder().start().unwrap();
    let mut stream = connect(proxy.address());
    let mut exchange = |request: String, expected: &str| {
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = vec![0; expected.len()];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(String::from_utf8(answer).unwrap(), expected);
    };
    let chunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    // Chunks may be cut anew on the way; these are sent apart and small, so only the body counts.
    exchange(
        format!("GET {} HTTP/1.1\r\nProxy-Connection: x\r\n\r\n", server.url("/chunks")),
        chunks,
    );
    let mut body = String::new();
    while !body.ends_with("0\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        body.push(char::from(byte[0]));
    }
    assert!(body == "2\r\nab\r\n1\r\nc\r\n0\r\n\r\n" || body == "3\r\nabc\r\n0\r\n\r\n", "{body}");

    let mut exchange = |request: String, expected: &str| {
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = vec![0; expected.len()];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(String::from_utf8(answer).unwrap(), expected);
    };
    let post = format!("POST {} HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi", server.url("/a?b"));
    exchange(post, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
    let early = "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx";
    exchange(format!("GET {} HTTP/1.1\r\n\r\n", server.url("/early")), early);
    exchange("GET / HTTP/1.1\r\n\r\n".into(), "HTTP/1.1 400 Bad Request\r\n");

    let targets: Vec<String> = server.requests().into_iter().map(|it| it.target).collect();
    assert_eq!(targets, ["/chunks", "/a?b", "/early"]);
    assert!(server.requests()[0].header("proxy-connection").is_none());
    assert_eq!((proxy.connections(), proxy.requests().len()), (1, 4));
}

#[test]
fn answers_come_late_dripped_glued_or_not_at_all() {
    let server = Server::start(Script::default()).unwrap();
    let target = server.address().to_string();
    let proxy = Proxy::builder()
        .script(|request| match request.connection {
            0 => ProxyAction::forward_after(ms(40)),
            1 => ProxyAction::drip(10, ms(10)),
            2 => ProxyAction::glue("early"),
            3 => ProxyAction::refuse(403, &[("X-Why", "no")], "<p>no"),
            4 => ProxyAction::Answer(vec![Step::Reset]),
            _ => ProxyAction::silence(),
        })
        .start()
        .unwrap();
    for least in [40, 30] {
        let mut stream = connect(proxy.address());
        let begin = Instant::now();
        tunnel(&mut stream, &target, ESTABLISHED);
        assert!(begin.elapsed() >= ms(least), "{:?}", begin.elapsed());
        assert!(get(&mut stream, "/").unwrap().ends_with("ok"));
    }
    let mut stream = connect(proxy.address());
    tunnel(&mut stream, &target, &format!("{ESTABLISHED}early"));
    assert!(get(&mut stream, "/").unwrap().ends_with("ok"));

    let mut stream = connect(proxy.address());
    tunnel(
        &mut stream,
        &target,
        "HTTP/1.1 403 Forbidden\r\nX-Why: no\r\nContent-Length: 5\r\n\r\n<p>no",
    );

    let mut stream = connect(proxy.address());
    stream.write_all(b"CONNECT x:1 HTTP/1.1\r\n\r\n").unwrap();
    assert_eq!(rest(&mut stream).unwrap_err().kind(), ErrorKind::ConnectionReset);

    let mut stream = connect(proxy.address());
    stream.write_all(b"CONNECT x:1 HTTP/1.1\r\n\r\n").unwrap();
    stream.set_read_timeout(Some(ms(40))).unwrap();
    assert_eq!(stream.read(&mut [0; 1]).unwrap_err().kind(), ErrorKind::WouldBlock);
    assert_eq!(server.connections(), 3);
}

#[test]
fn authorization_is_demanded_and_then_accepted() {
    let server = Server::start(Script::default()).unwrap();
    let target = server.address();
    let proxy = Proxy::builder().require_authorization("Basic dTpw").start().unwrap();
    let mut stream = connect(proxy.address());
    let refused = "HTTP/1.1 407 Proxy Authentication Required\r\n\
        Proxy-Authenticate: Basic realm=\"lab\"\r\nContent-Length: 12\r\n\r\nwho are you?";
    tunnel(&mut stream, &target.to_string(), refused);
    // The connection is still good for another try.
    let again = "CONNECT {} HTTP/1.1\r\nProxy-Authorization: Basic dTpw\r\n\r\n";
    stream.write_all(again.replace("{}", &target.to_string()).as_bytes()).unwrap();
    let mut answer = [0; ESTABLISHED.len()];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(answer, ESTABLISHED.as_bytes());
    assert_eq!(proxy.requests()[1].header("proxy-authorization"), Some("Basic dTpw"));
    assert!(get(&mut stream, "/").unwrap().ends_with("ok"));
}

#[test]
fn ends_of_the_target_reach_the_client() {
    let proxy = Proxy::builder().start().unwrap();
    let through = |server: &Server| {
        let mut stream = connect(proxy.address());
        tunnel(&mut stream, &server.address().to_string(), ESTABLISHED);
        stream.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
        stream
    };
    let resets = Server::start(vec![Step::ReadHead, Step::Reset]).unwrap();
    assert_eq!(rest(&mut through(&resets)).unwrap_err().kind(), ErrorKind::ConnectionReset);
    let closes = Server::start(vec![Step::ReadHead]).unwrap();
    assert_eq!(rest(&mut through(&closes)).unwrap(), "");

    // A client that goes away takes the connection to the target with it.
    let stalls = Server::start(vec![Step::ReadHead, Step::Stall]).unwrap();
    let stream = through(&stalls);
    stalls.wait_for_requests(1, PATIENCE).unwrap();
    drop(stream);
    stalls.wait_for_open_connections(0, PATIENCE).unwrap();

    // Nobody listens there any more.
    let address = stalls.address().to_string();
    drop(stalls);
    let mut stream = connect(proxy.address());
    tunnel(&mut stream, &address, "HTTP/1.1 502 Bad Gateway\r\n");
}

#[test]
fn stopping_the_proxy_ends_its_tunnels() {
    let server = Server::start(vec![Step::Stall]).unwrap();
    let proxy = Proxy::builder().start().unwrap();
    let mut stream: TcpStream = connect(proxy.address());
    tunnel(&mut stream, &server.address().to_string(), ESTABLISHED);
    let begin = Instant::now();
    drop(proxy);
    let _ = rest(&mut stream);
    assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
    server.wait_for_open_connections(0, PATIENCE).unwrap();
}
