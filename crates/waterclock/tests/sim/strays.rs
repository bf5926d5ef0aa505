//! Bytes that belong to no response: the live bug of 2026 is that they are served as the answer to
//! the next request. Two requests, one session; the second must get its own answer.

use crate::bench::{Bench, Route, ms, ok, ok_gzip};
use std::time::Duration;
use waterclock::{Method, Response, Session};
use waterclock_sim::Script;

/// What a peer plants.
const EVIL: &str = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL";

/// Serves `first` on the first connection, and after it as on all others.
fn bench(route: Route, first: Script) -> Bench {
    let bench = Bench::new(route);
    let scripts = std::sync::Mutex::new(first);
    bench.serve_each(None, move |number| {
        let answers = |text| Script::new().expect_head().send(ok(text));
        match number {
            0 => scripts.lock().unwrap().clone().expect_head().send(ok("same")),
            _ => Script::new().repeat(answers("other")),
        }
    });
    bench
}

/// Reads what a first request gives, waits, and says what a second one gets.
fn second(bench: &Bench, session: &Session, method: &Method, pause: Duration) -> String {
    let first = session.request(method.clone(), bench.route.url("/first"));
    let first = first.redirects(waterclock::RedirectPolicy::none());
    first.send().unwrap().content().unwrap();
    bench.world.advance(pause);
    second_alone(bench, session)
}

fn second_alone(bench: &Bench, session: &Session) -> String {
    let mut response: Response = bench.get(session).send().unwrap();
    response.text().unwrap()
}

/// A first response that ends well, by method.
fn well_formed() -> Vec<(&'static str, Method, Vec<u8>)> {
    let get = |name, text: &str| (name, Method::Get, text.as_bytes().to_vec());
    let head = |name, text: &str| (name, Method::Head, text.as_bytes().to_vec());
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    vec![
        get("a length", &ok("hello")),
        get("a length of zero", &ok("")),
        get("a long body", &ok(&"x".repeat(100_000))),
        get("chunks", chunked),
        ("gzip", Method::Get, ok_gzip()),
        get("204", "HTTP/1.1 204 No Content\r\n\r\n"),
        get("304", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"),
        get("302", "HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 2\r\n\r\nhi"),
        head("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"),
        head("HEAD in chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
    ]
}

/// The base line: without a stray byte the connection is used again.
#[test]
fn a_well_formed_exchange_leaves_its_connection() {
    for &route in Route::ALL {
        for (name, method, text) in well_formed() {
            for pause in [Duration::ZERO, ms(50)] {
                let bench = bench(route, Script::new().expect_head().send(&text));
                let answer = second(&bench, &bench.session(), &method, pause);
                assert_eq!(answer, "same", "{name}, {route:?}");
            }
        }
    }
}

/// The stray bytes come with the response, in the same segment and TLS record, or in the next.
#[test]
fn bytes_behind_a_response_are_never_an_answer() {
    let strays = [
        ("a response", EVIL),
        ("HTML", "<html>"),
        ("one byte", "x"),
        ("a 103", "HTTP/1.1 103 Hi\r\n\r\n"),
    ];
    for &route in Route::ALL {
        for (name, method, text) in well_formed() {
            for (what, stray) in strays {
                for (together, pause) in
                    [(true, Duration::ZERO), (true, ms(50)), (false, Duration::ZERO)]
                {
                    let first = match together {
                        true => {
                            Script::new().expect_head().send([&text, stray.as_bytes()].concat())
                        }
                        false => Script::new().expect_head().send(&text).send(stray),
                    };
                    let bench = bench(route, first);
                    let answer = second(&bench, &bench.session(), &method, pause);
                    let case = format!("{what} after {name}, {route:?}, {together}, {pause:?}");
                    assert_eq!(answer, "other", "{case}");
                    assert_eq!(bench.world.open_sockets(), 0, "{case}");
                }
            }
        }
    }
}

/// The stray bytes come while the connection is idle.
#[test]
fn bytes_while_idle_are_never_an_answer() {
    let strays = [
        ("a response", EVIL),
        ("a 408", "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"),
        ("a last chunk", "0\r\n\r\n"),
        ("a 100", "HTTP/1.1 100 Continue\r\n\r\n"),
        ("one byte", "x"),
    ];
    for &route in Route::ALL {
        for (what, stray) in strays {
            for closes in [false, true] {
                let first = Script::new().expect_head().send(ok("hello")).wait(ms(40)).send(stray);
                let bench = bench(route, if closes { first.close() } else { first });
                let answer = second(&bench, &bench.session(), &Method::Get, ms(50));
                assert_eq!(answer, "other", "{what}, {route:?}");
            }
        }
    }
}

/// As soon as a connection has been idle for a millisecond, every byte is seen.
#[test]
fn a_connection_that_was_idle_is_looked_at() {
    let first = Script::new().expect_head().send(ok("hello")).wait(ms(1)).send(EVIL);
    let bench = bench(Route::Http, first);
    assert_eq!(second(&bench, &bench.session(), &Method::Get, ms(1)), "other");
}

/// The peer says goodbye while the connection is idle: a new one, and nobody notices.
#[test]
fn a_connection_that_ended_while_idle_is_replaced() {
    for &route in Route::ALL {
        let idle = || Script::new().expect_head().send(ok("hello")).wait(ms(40));
        for (how, first) in [("close", idle().close()), ("reset", idle().reset())] {
            for method in [Method::Get, Method::Post] {
                let bench = bench(route, first.clone());
                let session = bench.session();
                session.get(route.url("/first")).send().unwrap().content().unwrap();
                bench.world.advance(ms(50));
                let request = session.request(method, route.url(crate::bench::PATH));
                let mut response = request.send().unwrap();
                assert_eq!(response.text().unwrap(), "other", "{how}, {route:?}");
                assert_eq!(response.timeline().hops().len(), 1);
                assert_eq!(bench.times_sent(), 1);
            }
        }
    }
}

/// The response itself, or how it ended, says that the connection is not to be used again.
#[test]
fn a_connection_that_was_given_up_is_not_used_again() {
    let body = "Content-Length: 5\r\n\r\nhello";
    let chunks = "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    let table = [
        ("close", format!("HTTP/1.1 200 OK\r\nConnection: close\r\n{body}")),
        ("a list with close", format!("HTTP/1.1 200 OK\r\nConnection: Foo, CLOSE\r\n{body}")),
        ("both", format!("HTTP/1.1 200 OK\r\nConnection: keep-alive, close\r\n{body}")),
        ("two fields", format!("HTTP/1.1 200 OK\r\nConnection: a\r\nConnection: close\r\n{body}")),
        ("HTTP/1.0", format!("HTTP/1.0 200 OK\r\n{body}")),
        ("HTTP/1.0 in chunks", format!("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n{chunks}")),
    ];
    for &route in Route::ALL {
        for (name, text) in &table {
            let bench = bench(route, Script::new().expect_head().send(text));
            let answer = second(&bench, &bench.session(), &Method::Get, Duration::ZERO);
            assert_eq!(answer, "other", "{name}, {route:?}");
        }
    }
}

/// An exchange that failed: nothing that still comes may be the next answer.
#[test]
fn a_connection_whose_exchange_failed_is_not_used_again() {
    let table = [
        ("a timeout in the head", "HTTP/1.1 200 OK\r\nContent-".to_owned()),
        ("a timeout in the body", "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nhello".to_owned()),
        ("a protocol error", format!("HTTP/1.1 2OO OK\r\n\r\n{EVIL}")),
        (
            "a bad chunk",
            format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nG\r\n{EVIL}"),
        ),
    ];
    for &route in Route::ALL {
        for (name, text) in &table {
            let bench =
                bench(route, Script::new().expect_head().send(text).wait(ms(200)).send(EVIL));
            let session = bench.session();
            let first = session.get(route.url("/first")).total(ms(100));
            first.send().and_then(|mut response| response.content()).unwrap_err();
            assert_eq!(bench.world.open_sockets(), 0);
            assert_eq!(second_alone(&bench, &session), "other", "{name}, {route:?}");
        }
    }
}

/// A body that nobody reads and that looks like a response.
#[test]
fn an_unread_body_is_not_an_answer() {
    for &route in Route::ALL {
        for padding in [0, 100_000] {
            let body = format!("{EVIL}{}", "x".repeat(padding));
            let bench = bench(route, Script::new().expect_head().send(ok(&body)));
            let session = bench.session();
            drop(session.get(route.url("/first")).send().unwrap());
            let expected = if padding == 0 { "same" } else { "other" };
            assert_eq!(second_alone(&bench, &session), expected, "{route:?}");
        }
    }
}
