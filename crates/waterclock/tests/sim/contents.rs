//! A body of which a part was read before the rest is asked for at once.

use crate::bench::{Bench, Route, ok, ok_gzip};
use waterclock_sim::Script;

#[test]
fn the_rest_comes_behind_the_first_part() {
    let text = |length| (b'a'..=b'w').cycle().take(length).map(char::from).collect();
    let chunked = |text: &str| {
        let half = text.len() / 2;
        let (first, second) = text.split_at(half);
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        format!("{head}{half:x}\r\n{first}\r\n{:x}\r\n{second}\r\n0\r\n\r\n", second.len())
    };
    for length in [30, 20_000, 200_000, 3_000_000] {
        let text: String = text(length);
        for response in [ok(&text), chunked(&text)] {
            for first in [0, 7, 9_000] {
                // Bytes through two layers of TLS take their time in a debug build.
                let routes = if length > 200_000 { &[Route::Http] } else { Route::ALL };
                for &route in routes {
                    let script = Script::new().expect_head().send(response.clone());
                    let bench = Bench::serving(route, script);
                    let session = bench.session();
                    let mut response = bench.get(&session).send().unwrap();
                    let mut all = vec![0; first];
                    let count = response.read_body(&mut all).unwrap();
                    all.truncate(count);
                    all.extend(response.content().unwrap());
                    assert!(all == text.as_bytes(), "{length} bytes, {count} of them first");
                    assert!(response.body_is_done() && bench.world.open_sockets() == 1);
                }
            }
        }
    }
}

#[test]
fn so_it_is_with_what_was_coded() {
    let bench = Bench::serving(Route::Http, Script::new().expect_head().send(ok_gzip()));
    let session = bench.session();
    let mut whole = bench.get(&session).send().unwrap();
    let whole = whole.content().unwrap();
    let bench = Bench::serving(Route::Http, Script::new().expect_head().send(ok_gzip()));
    let session = bench.session();
    let mut response = bench.get(&session).send().unwrap();
    let mut all = vec![0; 2];
    assert_eq!(response.read_body(&mut all).unwrap(), 2);
    all.extend(response.content().unwrap());
    assert_eq!(all, whole);
}
