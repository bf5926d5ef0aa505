//! Flaws of decoding: bodies that become far more than they were, or never end.

use crate::bombs::{BR_BOMB, MIB, bombs, deflate_of, gzip, zlib, zstd};
use crate::peak;
use crate::support::{alone, builder};
use std::io::Read as _;
use std::sync::mpsc;
use std::time::Duration;
use waterclock::{DecodeLimits, Error, ErrorKind, Response, Session};
use waterclock_lab::{Script, Server, Step, chunk, head, respond_with};

/// A server that keeps its connections and answers each request with `body`.
fn serving(coding: &str, body: &[u8]) -> Server {
    let answer = respond_with(200, &[("Content-Encoding", coding)], body);
    Server::start(Script::every_request(answer)).unwrap()
}

fn get(session: &Session, server: &Server, max_size: Option<u64>) -> Result<Response, Error> {
    let limits = DecodeLimits { max_size, ..DecodeLimits::default() };
    session.get(server.url("/")).decode_limits(limits).send()
}

/// CVE-2025-66418 (GHSA-gm62-xv2j-4w53): urllib3 undid as many codings as a response named, each of
/// which multiplies what the one before gave.
#[test]
fn cve_2025_66418_a_long_chain_of_codings() {
    let coded = |count| (0..count).fold(b"hello".to_vec(), |body, _| gzip(&body));
    let session = builder().build().unwrap();
    let ask = |fields: &[(&str, &str)], body: &[u8]| {
        let server = Server::start(Script::every_request(respond_with(200, fields, body))).unwrap();
        session.get(server.url("/")).send().and_then(|mut response| response.text())
    };
    const FIELD: &str = "Content-Encoding";
    assert_eq!(ask(&[(FIELD, &["gzip"; 5].join(", "))], &coded(5)).unwrap(), "hello");
    // In one field or in many, also if some of them would not be undone.
    for fields in [
        vec![(FIELD, "gzip, gzip, gzip, gzip, gzip, gzip")],
        vec![(FIELD, "gzip"); 6],
        vec![(FIELD, "gzip, gzip"), (FIELD, "gzip,,gzip"), (FIELD, "gzip, gzip")],
        vec![(FIELD, "unknown, gzip, gzip, gzip, gzip, gzip")],
        vec![(FIELD, "gzip, gzip, gzip"); 50],
    ] {
        let error = ask(&fields, &coded(6)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode, "{error:#}");
        assert!(error.to_string().contains("more than 5 codings"), "{error}");
    }
}

/// CVE-2025-66471 (GHSA-2xpw-w6gg-jr37): for a few bytes that were asked for, urllib3 decoded all
/// that had arrived.
#[test]
fn cve_2025_66471_a_small_read_of_a_bomb() {
    if !alone("decoding::cve_2025_66471_a_small_read_of_a_bomb", &[]) {
        return;
    }
    for (coding, body) in bombs(256) {
        let server = serving(coding, &body);
        let session = builder().build().unwrap();
        let grown = peak::grown_by(|| {
            let mut response = get(&session, &server, None).unwrap();
            for _ in 0..3 {
                assert_eq!(response.read_body(&mut [1; 10]).unwrap(), 10);
            }
        });
        // br has a window of 16 MiB, which is the most that any of them may take.
        let most = if coding.starts_with("br") { 24 * MIB } else { 6 * MIB };
        assert!(grown < most as u64, "{coding}: {grown} bytes for 30");
    }
}

/// CVE-2026-44432 (GHSA-mf9v-mfxr-j63j): urllib3's cap did not hold for the second read of a br body,
/// nor for what was thrown away after a first read.
#[test]
fn cve_2026_44432_a_bomb_after_the_first_read() {
    const CAP: u64 = 100_000;
    type Read = fn(&mut Response) -> Result<(), Error>;
    let whole: [Read; 6] = [
        |response| response.content().map(drop),
        |response| response.text().map(drop),
        |response| response.buffer().map(drop),
        |response| response.json::<bool>().map(drop),
        |response| response.chunks(7_000).try_for_each(|piece| piece.map(drop)),
        |response| response.lines().try_for_each(|line| line.map(drop)),
    ];
    for (coding, body) in bombs(4) {
        let server = serving(coding, &body);
        let session = builder().build().unwrap();
        let ask = || get(&session, &server, Some(CAP)).unwrap();
        // The same cap for all ways to read, after a first read or not.
        for first in [0, 10] {
            for read in whole {
                let mut response = ask();
                assert_eq!(response.read_body(&mut vec![1; first]).unwrap(), first);
                let error = read(&mut response).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::TooLarge, "{coding}: {error:#}");
            }
            let (mut response, mut all) = (ask(), Vec::new());
            response.read_exact(&mut vec![1; first]).unwrap();
            response.read_to_end(&mut all).unwrap_err();
            assert_eq!((first + all.len()) as u64, CAP, "{coding}");
        }
        // What is thrown away is not decoded: decoding it would pass the cap, and a body that failed
        // costs its connection.
        let number = |response: &Response| response.connection().unwrap().number;
        let leave: [fn(Response); 3] = [drop, Response::drain, |response| drop(response.close())];
        for leave in leave {
            let mut response = ask();
            let before = number(&response);
            assert_eq!(response.read_body(&mut [1; 10]).unwrap(), 10);
            leave(response);
            assert_eq!(number(&ask()), before, "{coding}");
        }
    }
}

/// GHSA-gh4c-6fx4-qh6g: a deflate body in chunks could make urllib3 go round for ever. Each of these
/// bodies has to come to an end, whichever.
#[test]
fn ghsa_gh4c_6fx4_qh6g_a_body_that_never_ends() {
    let text = b"water, water, every where, nor any drop to drink; ".repeat(5);
    let good = [
        ("gzip", gzip(&text)),
        ("deflate", zlib(&text)),
        ("deflate", deflate_of(&text, 1)),
        ("zstd", zstd(&text)),
        ("br", BR_BOMB.to_vec()),
        ("deflate, gzip", gzip(&zlib(&text))),
    ];
    let mut cases: Vec<(String, Vec<u8>)> = Vec::new();
    for (coding, body) in good {
        let mut add = |body: &[u8]| cases.push((coding.to_owned(), body.to_vec()));
        for tail in [&b""[..], b"\0", &[0; 100], b"junk", &body] {
            add(&[&body, tail].concat());
        }
        for cut in [1, 2, 3, body.len() / 2, body.len() - 1] {
            add(&body[..cut]);
        }
        for at in 0..body.len().min(30) {
            let mut bad = body.clone();
            bad[at] ^= 0xff;
            add(&bad);
        }
        // Blocks of nothing, which are all that comes.
        add(&b"\0\0\0\xff\xff".repeat(2_000));
        // A preset dictionary that nobody has.
        add(b"\x78\xbb\0\0\0\0");
    }
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let session = builder().build().unwrap();
        for (coding, body) in cases {
            for size in [1, 7, 100_000] {
                let fields = [("Content-Encoding", &*coding), ("Transfer-Encoding", "chunked")];
                let chunks: Vec<u8> = body.chunks(size).flat_map(chunk).collect();
                let answer = [head(200, &fields), chunks, b"0\r\n\r\n".to_vec()].concat();
                let steps = vec![Step::ReadHead, Step::Send(answer), Step::Close];
                let server = Server::start(steps).unwrap();
                // A bomb takes its time here; the cap is no part of the matter.
                let read = |room: usize| {
                    let mut response = get(&session, &server, Some(10_000))?;
                    let mut room = vec![0; room];
                    while response.read_body(&mut room)? > 0 {}
                    Ok::<_, Error>(())
                };
                for room in [3, 100_000] {
                    let kind = read(room).err().map(|error| error.kind());
                    let ends = [None, Some(ErrorKind::Decode), Some(ErrorKind::TooLarge)];
                    assert!(ends.contains(&kind), "{coding}, {size}, {room}: {kind:?}");
                }
            }
        }
        sender.send(()).unwrap();
    });
    // Also if it is lost in the decoder, where no limit of ours is looked at.
    receiver.recv_timeout(Duration::from_secs(120)).expect("some body is read for ever");
}
