//! The SOCKS proxy, byte by byte as its RFCs have it.

#![allow(clippy::disallowed_methods)] // a plain blocking client
#![allow(clippy::unwrap_used)] // helpers of tests may fail tests

mod common;

use common::connect;
use std::io::{Read, Write};
use waterclock_lab::{Script, Server, Socks, SocksAction, SocksHost};

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n\r\n";

/// Sends and hears in turn, then asks for a page.
fn talk(proxy: &Socks, turns: &[(&[u8], &[u8])]) -> String {
    let mut client = connect(proxy.address());
    for (said, heard) in turns {
        client.write_all(said).unwrap();
        let mut answer = vec![0; heard.len()];
        client.read_exact(&mut answer).unwrap();
        assert_eq!(answer, *heard);
    }
    let mut page = String::new();
    // A proxy that refused has closed.
    let _ = client.write_all(GET).and_then(|()| client.read_to_string(&mut page).map(|_| ()));
    page
}

#[test]
fn all_versions_reach_the_target() {
    let server = Server::start(Script::default()).unwrap();
    let proxy = Socks::builder().route("a.test:80", server.address());
    let proxy = proxy.route("[::2]:80", server.address()).start().unwrap();
    let yes_4: &[u8] = &[0, 90, 0, 0, 0, 0, 0, 0];
    let yes_5: &[u8] = &[5, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    let v6 = [&[5, 1, 0, 4][..], &[0; 15], &[2, 0, 80]].concat();
    for turns in [
        &[(&b"\x04\x01\0\x50\0\0\0\x01me\0a.test\0"[..], yes_4)][..],
        &[(&[5, 1, 0], &[5, 0]), (b"\x05\x01\0\x03\x06a.test\0\x50", yes_5)],
        &[(&[5, 2, 0, 2], &[5, 0]), (&v6, yes_5)],
    ] {
        assert!(talk(&proxy, turns).ends_with("ok"));
    }
    let asked = proxy.requests();
    assert_eq!((asked[0].version, asked[0].user.as_deref()), (4, Some("me")));
    assert_eq!(asked[1].host, SocksHost::Name("a.test".to_owned()));
    assert_eq!((asked[2].target(), asked[2].connection), ("[::2]:80".to_owned(), 2));
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn passwords_are_demanded_and_checked() {
    let server = Server::start(Script::default()).unwrap();
    let proxy = Socks::builder().route("a.test:80", server.address());
    let proxy = proxy.require_password("me", "word").start().unwrap();
    assert_eq!(talk(&proxy, &[(&[5, 1, 0], &[5, 0xff])]), "");
    let greeting: (&[u8], &[u8]) = (&[5, 2, 0, 2], &[5, 2]);
    assert_eq!(talk(&proxy, &[greeting, (b"\x01\x02me\x04work", &[1, 1])]), "");
    assert!(proxy.requests().is_empty());
    let request: (&[u8], &[u8]) = (b"\x05\x01\0\x03\x06a.test\0\x50", &[5, 0]);
    let page = talk(&proxy, &[greeting, (b"\x01\x02me\x04word", &[1, 0]), request]);
    assert!(page.contains("200"), "{page}");
    assert_eq!(proxy.requests()[0].password.as_deref(), Some("word"));
}

#[test]
fn refusals_are_in_the_version_that_was_asked_in() {
    let script = |asked: &waterclock_lab::SocksRequest| {
        SocksAction::Refuse(if asked.version == 4 { 93 } else { 4 })
    };
    let proxy = Socks::builder().script(script).start().unwrap();
    let refused_4: (&[u8], &[u8]) = (b"\x04\x01\0\x50\x7f\0\0\x01\0", &[0, 93, 0, 0, 0, 0, 0, 0]);
    assert_eq!(talk(&proxy, &[refused_4]), "");
    let request: (&[u8], &[u8]) = (b"\x05\x01\0\x01\x7f\0\0\x01\0\x50", &[5, 4, 0, 1]);
    talk(&proxy, &[(&[5, 1, 0], &[5, 0]), request]);
    assert_eq!(proxy.requests()[1].target(), "127.0.0.1:80");
}
