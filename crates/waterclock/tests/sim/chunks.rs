//! Chunks that lie in the connection's buffer together: how much of them a read gives, and when it
//! says what is wrong with a later one.

use crate::bench::{Bench, Route};
use waterclock::{ErrorKind, Response};
use waterclock_sim::Script;

const CHUNKS: &str = "3\r\nabc\r\n4\r\ndefg\r\n1\r\nh\r\n";

fn with_response(rest: &str, check: impl Fn(&Bench, Response)) {
    let bytes = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{CHUNKS}{rest}");
    for &route in Route::ALL {
        let bench = Bench::serving(route, Script::new().expect_head().send(bytes.clone()));
        let session = bench.session();
        check(&bench, bench.get(&session).send().unwrap());
    }
}

#[test]
fn a_read_goes_over_the_ends_of_chunks() {
    with_response("0\r\n\r\n", |bench, mut response| {
        let mut out = [0; 5];
        assert_eq!(response.read_body(&mut out).unwrap(), 5);
        assert_eq!(&out, b"abcde");
        assert!(!response.body_is_done());
        assert_eq!(response.read_body(&mut out).unwrap(), 3);
        assert_eq!(&out[..3], b"fgh");
        // The end was there, so nothing is left to be waited for.
        assert!(response.body_is_done() && response.timeline().is_finished());
        assert_eq!(response.read_body(&mut out).unwrap(), 0);
        assert_eq!(bench.world.open_sockets(), 1);
    });
}

#[test]
fn a_full_read_goes_on_until_there_is_no_room_or_nothing_more() {
    with_response("0\r\n\r\n", |_, mut response| {
        let mut out = [0; 7];
        assert_eq!(response.read_full(&mut out).unwrap(), 7);
        assert_eq!(&out, b"abcdefg");
        assert_eq!(response.read_full(&mut out).unwrap(), 1);
        assert!(response.body_is_done());
        assert_eq!(response.read_full(&mut out).unwrap(), 0);
    });
    // Pieces of a large body that come in parts, none of them where a piece ends.
    let body: Vec<u8> = (0..100_000_u32).map(|at| at.to_le_bytes()[1]).collect();
    for &route in Route::ALL {
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n";
        let mut script = Script::new().expect_head().send(head);
        for part in body.chunks(9_999) {
            script = script.send(part);
        }
        let bench = Bench::serving(route, script);
        let mut response = bench.get(&bench.session()).send().unwrap();
        let mut out = vec![0; 16 * 1024];
        for piece in body.chunks(out.len()) {
            assert_eq!(response.read_full(&mut out).unwrap(), piece.len());
            assert!(out.starts_with(piece));
        }
        assert_eq!(response.read_full(&mut out).unwrap(), 0);
    }
}

#[test]
fn a_chunk_can_be_asked_for_alone() {
    with_response("0\r\n\r\n", |_, mut response| {
        let mut out = [0; 100];
        let mut pieces = Vec::new();
        while let count @ 1.. = response.read_chunk(&mut out).unwrap() {
            pieces.push(String::from_utf8_lossy(&out[..count]).into_owned());
        }
        assert_eq!(pieces, ["abc", "defg", "h"]);
    });
}

/// What came before the fault is handed out, and the fault is not forgotten over it.
#[test]
fn a_fault_comes_behind_what_was_good() {
    for rest in ["x", "1\r\nii\r\n0\r\n\r\n"] {
        with_response(rest, |bench, mut response| {
            let mut out = [0; 100];
            let good = if rest == "x" { "abcdefgh" } else { "abcdefghi" };
            assert_eq!(response.read_body(&mut out).unwrap(), good.len());
            assert_eq!(&out[..good.len()], good.as_bytes());
            for _ in 0..2 {
                let error = response.read_body(&mut out).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Protocol);
            }
            assert_eq!(bench.world.open_sockets(), 0);
        });
        with_response(rest, |bench, mut response| {
            assert_eq!(response.content().unwrap_err().kind(), ErrorKind::Protocol);
            assert_eq!(bench.world.open_sockets(), 0);
        });
        with_response(rest, |bench, mut response| {
            response.read_body(&mut [0; 100]).unwrap();
            drop(response);
            assert_eq!(bench.world.open_sockets(), 0);
        });
    }
}
