//! What a logger gets, word for word: programs parse these lines.

use crate::bench::{Bench, ORIGIN, Route, ms, ok};
use log::{Level, Log, Metadata, Record};
use std::cell::RefCell;
use std::sync::Once;
use waterclock::{Method, PoolSettings};
use waterclock_sim::Script;

thread_local! {
    /// The lines of the test that runs on this thread, if it wants them.
    static LINES: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

struct Collector;

impl Log for Collector {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        if record.target() != "waterclock" {
            return;
        }
        LINES.with_borrow_mut(|lines| {
            if let Some(lines) = lines {
                let level = if record.level() == Level::Debug { "" } else { "WARN " };
                lines.push(format!("{level}{}", record.args()));
            }
        });
    }

    fn flush(&self) {}
}

/// The lines that are logged on this thread while `run` runs.
fn lines(run: impl FnOnce()) -> Vec<String> {
    static LOGGER: Once = Once::new();
    LOGGER.call_once(|| {
        log::set_logger(&Collector).unwrap();
        log::set_max_level(log::LevelFilter::Debug);
    });
    LINES.set(Some(Vec::new()));
    run();
    LINES.take().unwrap()
}

fn hello() -> Script {
    Script::new().repeat(Script::new().expect_head().send(ok("hello")))
}

#[test]
fn a_connection_and_its_exchanges() {
    for (route, scheme, secure, port) in [
        (Route::Http, "http", "HTTP", 80),
        (Route::Https, "https", "HTTPS", 443),
        (Route::Tunnel, "https", "HTTPS", 443),
    ] {
        let bench = Bench::serving(route, hello());
        let session = bench.session();
        let seen = lines(|| {
            for path in ["", "/a b?q=1#part"] {
                session.get(route.url(path)).send().unwrap().content().unwrap();
            }
        });
        assert_eq!(
            seen,
            [
                format!("Starting new {secure} connection (1): {ORIGIN}:{port}"),
                format!("{scheme}://{ORIGIN}:{port} \"GET / HTTP/1.1\" 200 5"),
                format!("{scheme}://{ORIGIN}:{port} \"GET /a%20b?q=1 HTTP/1.1\" 200 5"),
            ]
        );
    }
}

/// A connection to a forward proxy is made to the proxy; the line of the exchange has the origin.
#[test]
fn a_connection_to_a_proxy() {
    let bench = Bench::serving(Route::Forward, hello());
    let session = bench.session();
    let seen = lines(|| drop(bench.get(&session).send().unwrap()));
    assert_eq!(
        seen,
        [
            "Starting new HTTP connection (1): proxy.test:3128",
            "http://origin.test:80 \"GET /under-test HTTP/1.1\" 200 5"
        ]
    );
}

/// urllib3 writes what is left of the body, and Python's word for what is not known.
#[test]
fn the_length_is_that_of_the_body_to_come() {
    let table = [
        (Method::Head, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "HTTP/1.1\" 200 0"),
        (Method::Get, "HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1\" 204 0"),
        (Method::Get, "HTTP/1.0 200 OK\r\n\r\n", "HTTP/1.0\" 200 None"),
        (
            Method::Get,
            "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "HTTP/1.1\" 404 None",
        ),
    ];
    for (method, answer, end) in table {
        let bench = Bench::serving(Route::Http, Script::new().expect_head().send(answer).close());
        let session = bench.session();
        let request = session.request(method.clone(), Route::Http.url("/x"));
        let seen = lines(|| drop(request.send().unwrap()));
        assert_eq!(seen[1], format!("http://{ORIGIN}:80 \"{method} /x {end}"));
    }
}

#[test]
fn a_connection_that_died_while_it_was_idle() {
    let bench = Bench::new(Route::Http);
    bench.serve_each(None, |_| Script::new().expect_head().send(ok("hello")).wait(ms(60)).close());
    let session = bench.session();
    let fetch = || drop(session.get(Route::Http.url("/x")).send().unwrap());
    fetch();
    bench.world.advance(ms(100));
    let exchange = "http://origin.test:80 \"GET /x HTTP/1.1\" 200 5";
    assert_eq!(
        lines(fetch),
        [
            "Resetting dropped connection: origin.test",
            "Starting new HTTP connection (2): origin.test:80",
            exchange
        ]
    );
}

#[test]
fn a_connection_that_died_as_it_was_used() {
    let bench = Bench::new(Route::Http);
    bench.serve_each(None, |number| match number {
        0 => Script::new().expect_head().send(ok("hello")).expect_head().wait(ms(60)).close(),
        _ => hello(),
    });
    let session = bench.session();
    let fetch = || drop(session.get(Route::Http.url("/x?sig=secret")).send().unwrap());
    fetch();
    bench.world.advance(ms(10));
    assert_eq!(
        lines(fetch),
        [
            "Retrying after connection broken by 'the peer closed without sending a \
             response': /x?sig=REDACTED",
            "Starting new HTTP connection (2): origin.test:80",
            "http://origin.test:80 \"GET /x?sig=REDACTED HTTP/1.1\" 200 5"
        ]
    );
}

#[test]
fn connections_that_are_not_kept() {
    let bench = Bench::new(Route::Http);
    bench.serve_each(None, |number| match number {
        0 => Script::new()
            .expect_head()
            .send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello"),
        _ => hello(),
    });
    let pool = PoolSettings { max_idle: 1, idle_age: ms(50), ..PoolSettings::default() };
    let session = bench.builder().pool(pool).build().unwrap();
    let get = || session.get(Route::Http.url("/x")).send().unwrap();
    assert_eq!(
        lines(|| drop(get()))[2],
        "Closing connection (1): the response said Connection: close"
    );
    let (first, second) = (get(), get());
    drop(first);
    assert_eq!(
        lines(|| drop(second)),
        ["WARN Connection pool is full, discarding connection: origin.test. \
          Connection pool size: 1"]
    );
    bench.world.advance(ms(51));
    assert_eq!(
        lines(|| drop(get())),
        [
            "Closing connection (3): it was idle for more than 50ms",
            "Starting new HTTP connection (4): origin.test:80",
            "http://origin.test:80 \"GET /x HTTP/1.1\" 200 5"
        ]
    );
}

/// Neither userinfo nor headers nor bodies, of the request or the response.
#[test]
fn no_secret_is_logged() {
    for &route in Route::ALL {
        let bench = Bench::serving(
            route,
            Script::new().expect_head().send(
                "HTTP/1.1 200 s3cret\r\nSet-Cookie: s3cret\r\nContent-Length: 6\r\n\r\ns3cret",
            ),
        );
        let builder = bench.builder();
        let builder = match route {
            Route::Forward | Route::Tunnel => builder.proxy("user:s3cret@proxy.test:3128"),
            _ => builder,
        };
        let session = builder.header("X-Api-Key", "s3cret").build().unwrap();
        let url = route.url("/x?Signature=s3cret#s3cret").replace("://", "://user:s3cret@");
        let seen = lines(|| {
            let request = session.post(url).header("Cookie", "s3cret").body("s3cret");
            request.send().unwrap().content().unwrap();
        });
        assert_eq!(seen.len(), 2, "{seen:?}");
        assert!(!seen.iter().any(|line| line.contains("s3cret")), "{seen:?}");
    }
}
