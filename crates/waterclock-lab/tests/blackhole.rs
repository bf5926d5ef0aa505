//! Black holes, and servers that come out of one.
#![allow(clippy::disallowed_methods)] // these tests are about real waits
#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests may fail tests

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use waterclock_lab::{Blackhole, Server};

const PATIENCE: Duration = Duration::from_secs(5);

#[test]
fn no_connect_completes_and_none_is_refused() {
    let hole = Blackhole::start().unwrap();
    let address = hole.address();
    let clients: Vec<_> = (0..4)
        .map(|_| {
            thread::spawn(move || TcpStream::connect_timeout(&address, Duration::from_millis(300)))
        })
        .collect();
    for client in clients {
        assert_eq!(client.join().unwrap().unwrap_err().kind(), ErrorKind::TimedOut);
    }
}

#[cfg(target_os = "linux")] // elsewhere only 127.0.0.1 is there
#[test]
fn another_loopback_address_with_the_same_port_is_another_host() {
    let hole = Blackhole::at("127.0.0.9:0".parse().unwrap()).unwrap();
    let good = SocketAddr::new("127.0.0.17".parse().unwrap(), hole.address().port());
    let listener = TcpListener::bind(good).unwrap();
    TcpStream::connect_timeout(&good, PATIENCE).unwrap();
    listener.accept().unwrap();
    let patience = Duration::from_millis(30);
    let error = TcpStream::connect_timeout(&hole.address(), patience).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
}

#[test]
fn a_server_that_accepts_late_serves_after_a_repeated_syn() {
    let delay = Duration::from_millis(400);
    let server = Server::builder().accept_after(delay).start().unwrap();
    let begin = Instant::now();
    let mut stream = TcpStream::connect_timeout(&server.address(), PATIENCE).unwrap();
    let connected = begin.elapsed();
    // Linux repeats a SYN after one second; all that is promised is that the first was dropped.
    assert!(connected >= Duration::from_millis(200), "{connected:?}");
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with("ok"), "{answer}");
    assert_eq!(server.connections(), 1, "the fillers are not counted");
}

#[test]
fn stopping_a_server_before_it_accepts() {
    let server = Server::builder().accept_after(Duration::from_secs(3600)).start().unwrap();
    let begin = Instant::now();
    drop(server);
    assert!(begin.elapsed() < PATIENCE / 2, "{:?}", begin.elapsed());
}
