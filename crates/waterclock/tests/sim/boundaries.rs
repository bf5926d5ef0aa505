//! Instants that coincide, limits of nothing, and limits without end.

use crate::bench::{Bench, CONNECT, ORIGIN, PROXY, RESOLVE, Route, SECURE, at, ms, ok};
use crate::bench::{tls_server, trusting};
use crate::matrix::only;
use crate::verify;
use std::time::Duration;
use waterclock::{ErrorKind, Limit, Limits, Phase, RequestSent, Session, SessionBuilder, Tick};
use waterclock_sim::{Script, TlsServer};

const D: Duration = ms(100);
const NANO: Duration = Duration::from_nanos(1);

/// What is waited for comes when `D` has passed in that wait, and the call then goes well.
struct JustThen {
    limit: Limit,
    phase: Phase,
    route: Route,
    world: fn(&Bench),
    post: bool,
}

fn listen(bench: &Bench, connect: Duration, script: Script) {
    bench.world.listen(bench.route.door()).after(connect).serve(script);
}

fn answer() -> Script {
    Script::new().expect_head().expect_body().send(ok("hello"))
}

/// A server that takes the whole request `D` after its head.
fn slow_taker(bench: &Bench) {
    bench.serve(Script::new().expect_head().wait(D).expect_body().send(ok("hello")), Some(100_000));
}

fn piecewise(bench: &Bench, first: &str, second: &str) {
    bench.serve(Script::new().expect_head().send(first).wait(D).send(second), None);
}

const fn row(limit: Limit, phase: Phase, route: Route, world: fn(&Bench)) -> JustThen {
    JustThen { limit, phase, route, world, post: false }
}

const JUST_THEN: &[JustThen] = &[
    row(Limit::Resolve, Phase::Resolve, Route::Http, |bench| {
        bench.world.host(ORIGIN).after(D);
        listen(bench, ms(CONNECT), answer());
    }),
    row(Limit::Address, Phase::Connect, Route::Http, |bench| listen(bench, D, answer())),
    row(Limit::Connect, Phase::Connect, Route::Http, |bench| {
        listen(bench, D - ms(RESOLVE), answer());
    }),
    row(Limit::Tunnel, Phase::Tunnel, Route::Tunnel, |bench| {
        let reply = Script::new().expect_head().wait(D).send("HTTP/1.1 200 OK\r\n\r\n");
        listen(bench, ms(CONNECT), reply.then(tls_server().wrap(answer())));
    }),
    row(Limit::FirstByte, Phase::FirstByte, Route::Https, |bench| piecewise(bench, "", &ok(""))),
    row(Limit::Read, Phase::FirstByte, Route::Https, |bench| piecewise(bench, "", &ok(""))),
    row(Limit::Read, Phase::Head, Route::Http, |bench| {
        piecewise(bench, "HTTP/1.1 200 OK\r\n", "Content-Length: 0\r\n\r\n");
    }),
    row(Limit::Head, Phase::Head, Route::Tunnel, |bench| {
        piecewise(bench, "HTTP/1.1 200 OK\r\n", "Content-Length: 0\r\n\r\n");
    }),
    row(Limit::Read, Phase::Body, Route::Http, |bench| {
        piecewise(bench, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe", "llo");
    }),
    row(Limit::Body, Phase::Body, Route::Https, |bench| {
        piecewise(bench, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe", "llo");
    }),
    row(Limit::Body, Phase::Body, Route::Forward, |bench| {
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n";
        piecewise(bench, chunked, "0\r\n\r\n");
    }),
    JustThen { post: true, ..row(Limit::Write, Phase::Upload, Route::Http, slow_taker) },
    JustThen { post: true, ..row(Limit::Upload, Phase::Upload, Route::Forward, slow_taker) },
];

/// Never early: a nanosecond more is enough. And after a wake with both, the deadline wins.
#[test]
fn the_deadline_wins_over_what_comes_at_the_same_instant() {
    for case in JUST_THEN {
        for (duration, in_time) in [(D, false), (D + NANO, true)] {
            println!("{} in {}: {duration:?}", case.limit, case.phase);
            let bench = Bench::new(case.route);
            (case.world)(&bench);
            let session = bench.session();
            let request = match case.post {
                true => bench.post(&session).body(vec![b'x'; 150_000]),
                false => bench.get(&session),
            };
            let result = request.limits(only(case.limit, duration)).send();
            let result = result.and_then(|mut response| response.content());
            if in_time {
                result.unwrap();
            } else {
                verify::fired(&result.unwrap_err(), case.limit, case.phase, bench.now());
            }
        }
    }
}

#[test]
fn the_deadline_wins_over_a_handshake_that_ends_at_the_same_instant() {
    let tls = TlsServer::new([ORIGIN]).flight_delays([D]);
    for (duration, in_time) in [(D, false), (D + NANO, true)] {
        let bench = Bench::new(Route::Https);
        bench.world.listen(SECURE).serve(tls.wrap(answer()));
        let builder = SessionBuilder::in_world(bench.world.clone());
        let session = builder.tls(trusting([&*tls.root()])).build().unwrap();
        let result = bench.get(&session).limits(only(Limit::Tls, duration)).send();
        assert_eq!(result.is_ok(), in_time);
        if let Err(error) = result {
            verify::fired(&error, Limit::Tls, Phase::Tls, at(RESOLVE).after(D));
            assert_eq!(bench.times_sent(), 0);
        }
    }
}

/// Nothing is left when the call begins: nobody is asked for anything.
#[test]
fn a_total_of_zero_sends_nothing() {
    for &route in Route::ALL {
        for limit in [Limit::Total, Limit::Attempt] {
            let bench = Bench::serving(route, answer());
            let limits = only(limit, Duration::ZERO);
            let error = bench.get(&bench.session()).limits(limits).send().unwrap_err();
            verify::fired(&error, limit, Phase::Connect, Tick::ZERO);
            assert_eq!(error.request_sent(), RequestSent::No);
            assert!(bench.world.lookups().is_empty());
            assert!(bench.world.connections(route.door()).is_empty());
        }
    }
}

#[test]
fn a_total_of_zero_sends_nothing_on_a_kept_connection() {
    let script = Script::new().repeat(answer());
    for &route in Route::ALL {
        let bench = Bench::serving(route, script.clone());
        let session = bench.session();
        session.get(route.url("/first")).send().unwrap().content().unwrap();
        let begun = bench.now();
        let request = bench.post(&session).limits(Limits::total(Duration::ZERO));
        let error = request.send().unwrap_err();
        verify::fired(&error, Limit::Total, Phase::Send, begun);
        assert!(error.retry_safe());
        bench.world.advance(ms(1));
        assert_eq!(bench.times_sent(), 0);
    }
}

/// Every other limit of zero fires at the first wait it bounds, which does not begin.
#[test]
fn a_limit_of_zero_fires_at_its_first_wait() {
    let table = [
        (Limit::Resolve, Phase::Resolve, 0),
        (Limit::Connect, Phase::Resolve, 0),
        (Limit::Address, Phase::Connect, RESOLVE),
        (Limit::Tunnel, Phase::Tunnel, Route::Tunnel.connected()),
        (Limit::Tls, Phase::Tls, Route::Tunnel.tls_begins()),
        (Limit::FirstByte, Phase::FirstByte, Route::Tunnel.ready()),
        (Limit::Head, Phase::FirstByte, Route::Tunnel.ready()),
        (Limit::Read, Phase::FirstByte, Route::Tunnel.ready()),
        (Limit::Body, Phase::Body, Route::Tunnel.ready() + 4),
    ];
    for (limit, phase, when) in table {
        let script = Script::new().expect_head().wait(ms(4));
        let script = script.send("HTTP/1.1 200 OK\r\n\r\nhello").stall();
        let bench = Bench::serving(Route::Tunnel, script);
        let result = bench.get(&bench.session()).limits(only(limit, Duration::ZERO)).send();
        let error = result.and_then(|mut response| response.content()).unwrap_err();
        verify::fired(&error, limit, phase, at(when));
    }
}

/// A limit that the clock cannot hold never fires, nor does one that is centuries away.
#[test]
fn huge_limits_never_fire() {
    let hours = Duration::from_secs(100 * 3600);
    for huge in [Duration::MAX, Duration::from_nanos(u64::MAX), Duration::from_nanos(u64::MAX - 1)]
    {
        let mut limits = Limits::none();
        for limit in Limit::ALL {
            limits = limits.with(limit, Some(huge));
        }
        for &route in Route::ALL {
            let script = Script::new().expect_head().expect_body().wait(hours).send(ok("hello"));
            let bench = Bench::serving(route, script);
            let session = bench.session();
            let mut response = bench.post(&session).body("content").limits(limits).send().unwrap();
            assert_eq!(response.text().unwrap(), "hello");
            assert_eq!(bench.now(), at(route.ready()).after(hours));
            verify::tiles(response.timeline());
        }
    }
}

/// A kept connection whose peer has no room at all: the limit fires before the first byte.
#[test]
fn a_post_of_which_nothing_was_sent_may_be_sent_again() {
    const ROOM: usize = 10_000;
    for limit in [Limit::Write, Limit::Upload, Limit::Total] {
        let bench = Bench::new(Route::Http);
        // It answers without taking the first body, which fills its window to the last byte.
        let script = Script::new().expect_head().wait(ms(1)).send(ok("")).stall();
        bench.serve(script, Some(ROOM));
        let session: Session = bench.session();
        let first = session.post(bench.route.url("/first")).body(vec![b'x'; ROOM]);
        first.send().unwrap().content().unwrap();
        let begun = bench.now();
        let request = bench.post(&session).body("content").limits(only(limit, D));
        let error = request.send().unwrap_err();
        verify::fired(&error, limit, Phase::Send, begun.after(D));
        assert_eq!(error.request_sent(), RequestSent::No);
        assert!(error.retry_safe());
        assert_eq!(bench.times_sent(), 0);
        assert_eq!(error.timeline().unwrap().hops()[0].connection.unwrap().number, 1);
    }
}

/// What was encrypted and had no room must not leave when the call is over.
#[test]
fn nothing_of_the_request_is_sent_after_the_deadline() {
    let bench = Bench::new(Route::Https);
    bench.serve(Script::new().wait(D).drain(), Some(4000));
    let session = bench.session();
    let limits = only(Limit::Total, D + at(bench.route.ready()).since(Tick::ZERO));
    let request = bench.post(&session).header("X-Big", vec![b'x'; 26_000]).body("END OF IT");
    let error = request.limits(limits).send().unwrap_err();
    assert_eq!((error.kind(), error.limit()), (ErrorKind::Timeout, Some(Limit::Total)));
    assert_eq!(error.request_sent(), RequestSent::Partly);
    drop(session);
    bench.world.advance(ms(1));
    assert!(!bench.requests()[0].contains("END OF IT"));
    assert_eq!(bench.world.open_sockets(), 0);
}

/// Not a byte more than the question, and nothing of the request or of TLS.
#[test]
fn a_silent_proxy_gets_one_connect_and_nothing_else() {
    let bench = Bench::new(Route::Tunnel);
    bench.world.listen(PROXY).after(ms(CONNECT)).serve(Script::new().drain());
    let limits = only(Limit::Tunnel, D);
    let error = bench.get(&bench.session()).limits(limits).send().unwrap_err();
    verify::fired(&error, Limit::Tunnel, Phase::Tunnel, at(RESOLVE + CONNECT).after(D));
    let received = bench.world.received(PROXY).concat();
    assert_eq!(received, b"CONNECT origin.test:443 HTTP/1.1\r\nHost: origin.test:443\r\n\r\n");
}
