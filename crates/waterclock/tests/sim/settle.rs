//! What becomes of a connection whose response was not read, or cannot be trusted.

use crate::bench::{Bench, Route, ms, ok};
use crate::matrix::only;
use waterclock::{ErrorKind, Limit, Phase, Response};
use waterclock_sim::Script;

/// The first connection is served `first` and then as any other: an answer to every request.
fn first_then_ok(route: Route, first: &'static str) -> Bench {
    let bench = Bench::new(route);
    let any = Script::new().repeat(Script::new().expect_head().send(ok("hello")));
    let any = std::sync::Mutex::new(any);
    bench.serve_each(None, move |number| {
        let any = any.lock().unwrap().clone();
        if number > 0 {
            return any;
        }
        let rest = Script::new().expect_head().send(ok("hello"));
        Script::new().expect_head().send(first).repeat(rest)
    });
    bench
}

fn number(response: &Response) -> u64 {
    response.connection().unwrap().number
}

/// Dropping never waits: what is there and small is thrown away, anything else is closed.
#[test]
fn a_dropped_response_is_drained_as_far_as_it_is_there() {
    const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n";
    let table: &[(&'static str, String, bool)] = &[
        ("all there", ok("hello"), true),
        ("all there, in chunks", format!("{CHUNKED}0\r\n\r\n"), true),
        ("64 KiB, all there", ok(&"x".repeat(64 * 1024)), true),
        ("more than 64 KiB, all there", ok(&"x".repeat(64 * 1024 + 1)), false),
        ("not all there", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello".to_owned(), false),
        ("not all chunks there", CHUNKED.to_owned(), false),
        ("until the close", "HTTP/1.1 200 OK\r\n\r\nhello".to_owned(), false),
    ];
    for (name, bytes, kept) in table {
        for &route in Route::ALL {
            let bench = first_then_ok(route, bytes.clone().leak());
            let session = bench.session();
            let response = bench.get(&session).send().unwrap();
            let begun = bench.now();
            drop(response);
            assert_eq!(bench.now(), begun, "{name}");
            assert_eq!(bench.world.open_sockets(), usize::from(*kept), "{name}, {route:?}");
            let mut second = bench.get(&session).send().unwrap();
            assert_eq!(number(&second), if *kept { 1 } else { 2 });
            assert_eq!(second.text().unwrap(), "hello");
        }
    }
}

/// [`Response::drain`] waits for the rest, up to 100 ms, and never past a limit.
#[test]
fn drain_waits_a_little() {
    // When the rest comes, the limit `total` from the head on, when drain is done, and whether the
    // connection is kept.
    let table = [
        (60, None, 60, true),
        (99, None, 99, true),
        (101, None, 100, false),
        (60, Some(40), 40, false),
        (60, Some(61), 60, true),
    ];
    for (rest, total, done, kept) in table {
        for &route in Route::ALL {
            let first = Script::new()
                .expect_head()
                .send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")
                .wait(ms(rest))
                .send("again");
            let bench = Bench::serving(route, first);
            let session = bench.session();
            let mut request = bench.get(&session);
            if let Some(total) = total {
                request = request.limits(only(Limit::Total, ms(route.ready() + total)));
            }
            let response = request.send().unwrap();
            let begun = bench.now();
            response.drain();
            assert_eq!(bench.now(), begun.after(ms(done)));
            assert_eq!(bench.world.open_sockets(), usize::from(kept));
        }
    }
}

/// The framing contradicts itself: an error at once, and nobody uses the connection again.
#[test]
fn a_framing_conflict_is_a_protocol_error() {
    let table = [
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nhello",
        "Transfer-Encoding: chunked\r\nContent-Length: 100\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        "Content-Length: 5, 6\r\n\r\nhello",
        "Content-Length: +5\r\n\r\nhello",
        "Transfer-Encoding: gzip, chunked\r\n\r\n",
    ];
    for fields in table {
        for &route in Route::ALL {
            let bench = first_then_ok(route, format!("HTTP/1.1 200 OK\r\n{fields}").leak());
            let session = bench.session();
            let error = bench.get(&session).send().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Protocol, "{fields}");
            assert_eq!(bench.now().since(waterclock::Tick::ZERO), ms(route.ready()));
            assert_eq!(bench.world.open_sockets(), 0);
            assert_eq!(number(&bench.get(&session).send().unwrap()), 2);
        }
    }
}

/// Cut is not complete.
#[test]
fn a_body_that_was_cut_is_an_error() {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello";
    for &route in Route::ALL {
        let bench = Bench::serving(route, Script::new().expect_head().send(head).close());
        let session = bench.session();
        let mut response = bench.get(&session).send().unwrap();
        let error = response.content().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::IncompleteBody);
        assert_eq!((error.phase(), error.status()), (Some(Phase::FirstByte), Some(200)));
        assert_eq!(bench.world.open_sockets(), 0);
    }
}

/// Without close_notify the end of a stream may be a cut: only framing that counts is trusted.
#[test]
fn the_end_of_a_tls_stream_needs_close_notify() {
    let until_close = "HTTP/1.1 200 OK\r\n\r\nhello";
    let table = [(until_close, true, true), (until_close, false, false)];
    let length = ok("hello");
    for (text, notify, whole) in table.into_iter().chain([(length.as_str(), false, true)]) {
        let bench = Bench::new(Route::Https);
        let tls = crate::bench::tls_server().clone();
        let tls = if notify { tls } else { tls.without_close_notify() };
        let script = Script::new().expect_head().send(text).close();
        bench.world.listen(Route::Https.door()).serve(tls.wrap(script));
        let session = bench.session();
        let result = bench.get(&session).send().and_then(|mut response| response.text());
        match result {
            Ok(text) => assert_eq!((text.as_str(), whole), ("hello", true)),
            Err(error) => assert_eq!((error.kind(), whole), (ErrorKind::IncompleteBody, false)),
        }
    }
}
