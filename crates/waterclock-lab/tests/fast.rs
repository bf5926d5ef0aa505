//! The fast server.
#![allow(clippy::disallowed_methods)] // a plain blocking client
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests may fail tests

mod common;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use common::{PATIENCE, connect, get, secure, trusting};
use waterclock_lab::{FastServer, Handshakes, Identity, Tls};

/// Sends a request and reads a response with Content-Length.
fn ask(stream: &mut BufReader<TcpStream>, request: &str) -> (String, Vec<u8>) {
    stream.get_mut().write_all(request.as_bytes()).unwrap();
    let head = read_head(stream);
    let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
    let mut body = vec![0; length.unwrap().parse().unwrap()];
    stream.read_exact(&mut body).unwrap();
    (head, body)
}

fn read_head(stream: &mut impl BufRead) -> String {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert_ne!(stream.read_line(&mut head).unwrap(), 0, "cut: {head}");
    }
    head
}

fn is_pattern(body: &[u8]) -> bool {
    body.iter().enumerate().all(|(place, &byte)| usize::from(byte) == place % 251)
}

#[test]
fn answers_echoes_and_sinks_on_one_connection() {
    let server = FastServer::start().unwrap();
    let mut stream = BufReader::new(connect(server.address()));
    assert_eq!(ask(&mut stream, "GET / HTTP/1.1\r\n\r\n").1, b"ok");
    assert_eq!(ask(&mut stream, "GET /?a=1&id=42 HTTP/1.1\r\n\r\n").1, b"42");
    let (head, body) = ask(&mut stream, "GET / HTTP/1.1\r\nx-ID: nine\r\n\r\n");
    assert_eq!(head, "HTTP/1.1 200 OK\r\nX-Id: nine\r\nContent-Length: 4\r\n\r\n");
    assert_eq!(body, b"nine");
    let upload = "POST /up HTTP/1.1\r\nX-Id: 5\r\nContent-Length: 3\r\n\r\nabc";
    assert_eq!(ask(&mut stream, upload).1, b"3");
    let chunked = "PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n";
    assert_eq!(ask(&mut stream, chunked).1, b"2");
    assert_eq!((server.connections(), server.requests()), (1, 5));
}

#[test]
fn bodies_have_their_length_and_pattern() {
    let server = FastServer::start().unwrap();
    let mut stream = BufReader::new(connect(server.address()));
    for length in [0, 1, 16_384, 16_385, 257_024, 3_000_000] {
        let request = format!("GET /bytes/{length} HTTP/1.1\r\n\r\n");
        let (_, body) = ask(&mut stream, &request);
        assert!(body.len() == length && is_pattern(&body), "{length}");
    }
    for (length, size) in [(0, 5), (10, 3), (1_000_000, 70_000), (600_000, 1_000_000)] {
        let request = format!("GET /chunked/{length}/{size} HTTP/1.1\r\n\r\n");
        stream.get_mut().write_all(request.as_bytes()).unwrap();
        assert!(read_head(&mut stream).contains("Transfer-Encoding: chunked\r\n"));
        let body = read_chunks(&mut stream, size);
        assert!(body.len() == length && is_pattern(&body), "{length} {size}");
    }
}

fn read_chunks(stream: &mut impl BufRead, size: usize) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).unwrap();
        let length = usize::from_str_radix(line.trim(), 16).unwrap();
        assert!(length <= size, "{length}");
        let mut data = vec![0; length + 2];
        stream.read_exact(&mut data).unwrap();
        if length == 0 {
            return body;
        }
        body.extend_from_slice(&data[..length]);
    }
}

#[test]
fn pipelined_head_expect_and_close() {
    let server = FastServer::start().unwrap();
    let mut stream = connect(server.address());
    let both = "HEAD /bytes/9 HTTP/1.1\r\n\r\nGET /?id=b HTTP/1.1\r\nConnection: close\r\n\r\n";
    stream.write_all(both.as_bytes()).unwrap();
    let answer = common::rest(&mut stream).unwrap();
    let expected = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n\
        HTTP/1.1 200 OK\r\nX-Id: b\r\nConnection: close\r\nContent-Length: 1\r\n\r\nb";
    assert_eq!(answer, expected);

    let mut stream = BufReader::new(connect(server.address()));
    let expecting = "POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";
    stream.get_mut().write_all(expecting.as_bytes()).unwrap();
    assert_eq!(read_head(&mut stream), "HTTP/1.1 100 Continue\r\n\r\n");
    assert_eq!(ask(&mut stream, "ab").1, b"2");
    drop(stream);
    server.wait_for_open_connections(0, PATIENCE).unwrap();
}

#[test]
fn over_tls_too() {
    let identity = Identity::new(&["127.0.0.1"]).unwrap();
    let server = FastServer::start_tls(identity.clone()).unwrap();
    assert!(server.url("/").starts_with("https://127.0.0.1:"));
    let config = Arc::new(trusting(identity.ca_pem(), None));
    let mut stream = secure(connect(server.address()), &config, "127.0.0.1").unwrap();
    assert!(get(&mut stream, "/?id=tls").unwrap().ends_with("\r\n\r\ntls"));
    let mut stream = secure(connect(server.address()), &config, "127.0.0.1").unwrap();
    let request = b"GET /bytes/1000000 HTTP/1.1\r\nConnection: close\r\n\r\n";
    stream.write_all(request).unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let body = bytes.split_off(bytes.len() - 1_000_000);
    assert!(is_pattern(&body) && bytes.ends_with(b"\r\n\r\n"));
}

#[test]
fn a_path_is_answered_as_told() {
    let server = FastServer::builder()
        .answer("/coded", &[("Content-Encoding", "br"), ("X-More", "1")], "coded")
        .answer("/large", &[], vec![b'x'; 100_000])
        .start()
        .unwrap();
    let mut stream = BufReader::new(connect(server.address()));
    let (head, body) = ask(&mut stream, "GET /coded HTTP/1.1\r\n\r\n");
    let fields = "Content-Encoding: br\r\nX-More: 1\r\nContent-Length: 5\r\n\r\n";
    assert_eq!(head, format!("HTTP/1.1 200 OK\r\n{fields}"));
    assert_eq!(body, b"coded");
    assert_eq!(ask(&mut stream, "GET /large?a=1 HTTP/1.1\r\n\r\n").1, vec![b'x'; 100_000]);
    assert_eq!(ask(&mut stream, "GET / HTTP/1.1\r\n\r\n").1, b"ok");
    let answer = get(&mut connect(server.address()), "/coded").unwrap();
    assert_eq!(answer, format!("HTTP/1.1 200 OK\r\nConnection: close\r\n{fields}coded"));
}

#[test]
fn handshakes_are_counted_and_may_all_be_full() {
    let identity = Identity::new(&["127.0.0.1"]).unwrap();
    let resuming = FastServer::start_tls(identity.clone()).unwrap();
    let full = FastServer::start_tls(Tls::new(identity.clone()).without_resumption()).unwrap();
    let config = Arc::new(trusting(identity.ca_pem(), None));
    for server in [&resuming, &resuming, &full, &full] {
        let mut stream = secure(connect(server.address()), &config, "127.0.0.1").unwrap();
        assert!(get(&mut stream, "/").unwrap().ends_with("ok"));
    }
    assert_eq!(resuming.handshakes(), Handshakes { full: 1, resumed: 1, failed: 0 });
    assert_eq!(full.handshakes(), Handshakes { full: 2, resumed: 0, failed: 0 });
}
