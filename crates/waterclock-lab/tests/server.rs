//! The scripted server, seen by plain sockets.
#![allow(clippy::disallowed_methods)] // these tests are about real waits
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests may fail tests

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use waterclock_lab::{
    Script, Server, Step, after, chunk, drip_body, head, head_then_stall, redirect, respond,
    respond_chunked,
};

const PATIENCE: Duration = Duration::from_secs(5);
const GET: &[u8] = b"GET /a?b HTTP/1.1\r\nHost: lab\r\nX-Odd: 1\r\n\r\n";

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn connect(server: &Server) -> TcpStream {
    let stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

fn ask(server: &Server, request: &[u8]) -> TcpStream {
    let mut stream = connect(server);
    stream.write_all(request).unwrap();
    stream
}

fn rest(mut stream: impl Read) -> String {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

/// Reads a response whose length is known.
fn exactly(stream: &mut TcpStream, expected: &str) {
    let mut bytes = vec![0; expected.len()];
    stream.read_exact(&mut bytes).unwrap();
    assert_eq!(String::from_utf8(bytes).unwrap(), expected);
}

#[test]
fn requests_are_recorded_byte_for_byte() {
    let server = Server::start(Script::default()).unwrap();
    let mut stream = ask(&server, GET);
    exactly(&mut stream, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    stream.write_all(b"POST /up HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc").unwrap();
    exactly(&mut stream, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    let chunked = b"PUT /up HTTP/1.1\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n\
        2;x=y\r\nab\r\n1\r\nc\r\n0\r\nTrailer: t\r\n\r\n";
    stream.write_all(chunked).unwrap();
    assert_eq!(rest(stream), "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");

    let [get, post, put] = &server.requests()[..] else { panic!("{:?}", server.requests()) };
    assert_eq!((get.method.as_str(), get.target.as_str(), get.path()), ("GET", "/a?b", "/a"));
    assert_eq!(get.raw_head, GET);
    assert_eq!(get.headers, [("Host".into(), "lab".into()), ("X-Odd".into(), "1".into())]);
    assert_eq!(get.header("x-odd"), Some("1"));
    assert_eq!((post.body.as_slice(), post.complete), (&b"abc"[..], true));
    assert_eq!((put.body.as_slice(), put.complete), (&b"abc"[..], true));
    assert_eq!((put.connection, put.number), (0, 2));
    assert_eq!(server.connections(), 1);
    server.wait_for_open_connections(0, PATIENCE).unwrap();
}

#[test]
fn delays_are_never_shorter_than_scripted() {
    let script = Script::by_request(|request| match request.path() {
        "/late" => after(ms(60), respond(200, "x")),
        "/drip" => drip_body(200, "abcd", 1, ms(15)),
        _ => [respond_chunked(200, &["ab", "c"]), vec![Step::Close]].concat(),
    });
    let server = Server::start(script).unwrap();
    let mut stream = connect(&server);

    let start = Instant::now();
    stream.write_all(b"GET /late HTTP/1.1\r\n\r\n").unwrap();
    exactly(&mut stream, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx");
    assert!(start.elapsed() >= ms(60), "{:?}", start.elapsed());

    let start = Instant::now();
    stream.write_all(b"GET /drip HTTP/1.1\r\n\r\n").unwrap();
    exactly(&mut stream, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabcd");
    assert!(start.elapsed() >= ms(45), "{:?}", start.elapsed());

    stream.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    let expected =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n";
    assert_eq!(rest(stream), expected);
}

#[test]
fn connections_get_their_own_steps() {
    let lists = [
        vec![Step::ReadHead, Step::Reset],
        vec![Step::ReadHead, Step::Close],
        [vec![Step::ReadHead], redirect(302, "/next")].concat(),
    ];
    let server = Server::start(Script::connections(lists)).unwrap();
    let error = ask(&server, GET).read(&mut [0; 10]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert_eq!(rest(ask(&server, GET)), "");
    for _ in 0..2 {
        assert!(rest(ask(&server, GET)).starts_with("HTTP/1.1 302 Found\r\nLocation: /next\r\n"));
    }
    assert_eq!(server.connections(), 4);
}

#[test]
fn a_stall_lasts_until_the_peer_closes_or_the_server_stops() {
    let stalled = [vec![Step::ReadHead], head_then_stall(200, 5)].concat();
    let server = Server::start(stalled).unwrap();
    let mut stream = ask(&server, GET);
    exactly(&mut stream, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
    stream.set_read_timeout(Some(ms(30))).unwrap();
    assert_eq!(stream.read(&mut [0; 1]).unwrap_err().kind(), ErrorKind::WouldBlock);
    assert_eq!(server.open_connections(), 1);
    // Bytes that nobody reads must not hide the end behind them.
    stream.write_all(b"more").unwrap();
    drop(stream);
    server.wait_for_open_connections(0, PATIENCE).unwrap();

    let mut stream = ask(&server, GET);
    exactly(&mut stream, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
    let start = Instant::now();
    drop(server);
    assert_eq!(rest(stream), "");
    assert!(start.elapsed() < PATIENCE / 2);
}

#[test]
fn stopping_ends_sleeps_reads_and_writes_and_refuses_further_connections() {
    let script = Script::by_connection(|number| match number {
        0 => Script::steps([Step::Sleep(Duration::from_secs(3600))]),
        1 => Script::default(),
        _ => Script::steps([Step::Loop(vec![Step::Send(vec![b'x'; 100_000])])]),
    });
    let server = Server::start(script).unwrap();
    let address = server.address();
    let streams: Vec<TcpStream> = (0..3).map(|_| connect(&server)).collect();
    server.wait_for_connections(3, PATIENCE).unwrap();
    let start = Instant::now();
    drop(server);
    for stream in streams {
        let _ = io::copy(&mut &stream, &mut io::sink());
    }
    assert!(start.elapsed() < PATIENCE / 2, "{:?}", start.elapsed());
    let error = TcpStream::connect_timeout(&address, PATIENCE).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
}

#[test]
fn half_close_goes_on_reading() {
    let steps = [vec![Step::ReadHead], respond(413, ""), vec![Step::HalfClose, Step::ReadBody]];
    let server = Server::start(steps.concat()).unwrap();
    let mut stream = ask(&server, b"POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\nab");
    let mut answer = String::new();
    (&stream).read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(!server.requests()[0].complete);
    stream.write_all(b"cd").unwrap();
    server.wait_for_open_connections(0, PATIENCE).unwrap();
    assert_eq!(server.requests()[0].body, b"abcd");
}

#[test]
fn expect_is_answered_or_met_with_silence() {
    let script = Script::by_head(|request| match request.path() {
        "/asks" => [vec![Step::ReadBody], respond(200, "")].concat(),
        "/silent" => [vec![Step::ReadBodyInSilence], respond(200, "")].concat(),
        _ => respond(417, ""),
    });
    let server = Server::start(script).unwrap();
    let request = |path: &str| {
        let head = format!("POST {path} HTTP/1.1\r\nExpect: 100-continue\r\n");
        ask(&server, format!("{head}Content-Length: 2\r\n\r\n").as_bytes())
    };
    let mut stream = request("/asks");
    exactly(&mut stream, "HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"ab").unwrap();
    exactly(&mut stream, "HTTP/1.1 200 OK\r\n");

    let mut stream = request("/silent");
    stream.set_read_timeout(Some(ms(30))).unwrap();
    assert_eq!(stream.read(&mut [0; 1]).unwrap_err().kind(), ErrorKind::WouldBlock);
    stream.write_all(b"ab").unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    exactly(&mut stream, "HTTP/1.1 200 OK\r\n");

    // The body was never read, so the connection cannot be used again.
    assert!(rest(request("/refused")).starts_with("HTTP/1.1 417 "));
}

#[test]
fn an_upload_nobody_reads_stands_still_and_a_slow_reader_is_slow() {
    let script = Script::by_connection(|number| match number {
        0 => Script::steps([Step::ReadHead, Step::Stall]),
        _ => Script::by_head(|_| {
            let slow = Step::ReadSlowly { bytes: 100, every: ms(10) };
            [vec![slow], respond(200, "")].concat()
        }),
    });
    let server = Server::builder().script(script).receive_buffer(4096).start().unwrap();
    let head = b"POST / HTTP/1.1\r\nContent-Length: 100000000\r\n\r\n";
    let mut stream = ask(&server, head);
    stream.set_write_timeout(Some(ms(30))).unwrap();
    let mut sent = 0;
    while let Ok(count) = stream.write(&[0; 65536]) {
        sent += count;
        assert!(sent < 100_000_000, "somebody reads");
    }

    let start = Instant::now();
    let mut stream = ask(&server, b"POST / HTTP/1.1\r\nContent-Length: 500\r\n\r\n");
    stream.write_all(&[b'x'; 500]).unwrap();
    exactly(&mut stream, "HTTP/1.1 200 OK\r\n");
    assert!(start.elapsed() >= ms(50), "{:?}", start.elapsed());
    assert_eq!(server.requests()[1].body, [b'x'; 500]);
}

#[test]
fn repeat_loop_and_exact_reads() {
    let mut steps = vec![Step::ReadExactly(3), Step::Send(head(200, &[]))];
    steps.push(Step::Repeat(2, vec![Step::Send(chunk("ab"))]));
    steps.push(Step::Loop(vec![Step::send("more"), Step::Close]));
    let server = Server::start(steps).unwrap();
    let answer = rest(ask(&server, b"abc"));
    assert_eq!(answer, "HTTP/1.1 200 OK\r\n\r\n2\r\nab\r\n2\r\nab\r\nmore");
    assert!(server.requests().is_empty());
    assert!(chunk("").is_empty());
}

#[test]
fn waiting_for_what_does_not_come_says_what_came() {
    let server = Server::start(Script::default()).unwrap();
    let mut stream = ask(&server, GET);
    exactly(&mut stream, "HTTP/1.1 200 OK\r\n");
    assert_eq!(server.wait_for_requests(1, PATIENCE).unwrap().len(), 1);
    let error = server.wait_for_requests(2, ms(20)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    let sentence = error.to_string();
    assert!(sentence.contains("2 requests; saw 1 connections (1 open), 1 requests"), "{sentence}");
}

#[cfg(unix)]
#[test]
fn a_unix_listener_beside_the_tcp_one() {
    use std::os::unix::net::UnixStream;
    let path = std::env::temp_dir().join(format!("waterclock-lab-{}.sock", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let server = Server::builder().unix(&path).start().unwrap();
    assert_eq!(server.unix_path(), Some(path.as_path()));
    let mut stream = UnixStream::connect(&path).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(b"GET /unix HTTP/1.1\r\nConnection: close\r\n\r\n").unwrap();
    assert!(rest(stream).ends_with("ok"));
    drop(ask(&server, GET));
    assert_eq!(server.requests()[0].target, "/unix");
    drop(server);
    assert!(!path.exists());
}
