//! A peer that is always just in time for the next wait: `read` and `write` never fire, and the
//! limits on the whole of something fire at exactly their instants.

use crate::bench::{Bench, Route, ms, socks_request};
use crate::matrix::offset;
use crate::stops::{Since, at_proxy, meet, raw};
use crate::verify;
use std::time::Duration;
use waterclock::{Limit, Limits, Phase, Tick};
use waterclock_sim::Script;

/// A byte, or a little, comes or goes this often.
const EVERY: Duration = ms(10);
/// No wait takes so long, even if a slow reader has to decrypt: it never fires.
const PATIENCE: Duration = ms(21);
/// Between two drips.
const LIMIT: Duration = ms(234);

struct Drip {
    name: &'static str,
    phase: Phase,
    routes: &'static [Route],
    world: fn(&Bench),
    /// The limits on the whole, besides `total` and `attempt`.
    limits: &'static [(Limit, Since)],
}

const DRIPS: &[Drip] = &[
    Drip {
        name: "the proxy's head",
        phase: Phase::Tunnel,
        routes: Route::TUNNELS,
        world: |bench| {
            at_proxy(bench, || Script::new().expect_head().drip(long_head(), 1, EVERY));
        },
        limits: &[(Limit::Tunnel, Since::Tunnel), (Limit::Connect, Since::Start)],
    },
    Drip {
        name: "an answer of SOCKS",
        phase: Phase::Tunnel,
        routes: &[Route::Socks],
        world: |bench| {
            at_proxy(bench, || socks_request().drip(bound_to_a_name(), 1, EVERY));
        },
        limits: &[(Limit::Tunnel, Since::Tunnel), (Limit::Connect, Since::Start)],
    },
    Drip {
        name: "a handshake record of the proxy",
        phase: Phase::Tls,
        routes: Route::SECURE,
        world: |bench| meet(bench, Script::new().drip(long_record(), 1, EVERY)),
        limits: &[(Limit::Tls, Since::ProxyTls), (Limit::Connect, Since::Start)],
    },
    Drip {
        name: "a handshake record",
        phase: Phase::Tls,
        // TLS in TLS too: urllib3 took 17.8 s for it with `timeout=0.3`, and succeeded.
        routes: Route::TLS,
        world: |bench| raw(bench, Script::new().wait(EVERY).drip(long_record(), 1, EVERY)),
        limits: &[(Limit::Tls, Since::Tls(0)), (Limit::Connect, Since::Start)],
    },
    Drip {
        name: "a slow reader",
        phase: Phase::Upload,
        routes: Route::ALL,
        world: |bench| {
            let script = Script::new().expect_head().pace(40_000, EVERY).drain();
            bench.serve(script, Some(40_000));
        },
        limits: &[(Limit::Upload, Since::Ready(0))],
    },
    Drip {
        name: "interim responses",
        phase: Phase::FirstByte,
        routes: Route::ALL,
        world: |bench| {
            let early = Script::new().wait(EVERY).send("HTTP/1.1 102 Processing\r\n\r\n");
            bench.serve(Script::new().expect_head().repeat(early), None);
        },
        limits: &[(Limit::FirstByte, Since::Ready(0)), (Limit::Head, Since::Ready(0))],
    },
    Drip {
        name: "a head",
        phase: Phase::Head,
        routes: Route::ALL,
        world: |bench| bench.serve(Script::new().expect_head().drip(long_head(), 1, EVERY), None),
        limits: &[(Limit::Head, Since::Ready(0))],
    },
    Drip {
        name: "a body with a length",
        phase: Phase::Body,
        routes: Route::ALL,
        world: |bench| trickle(bench, b"Content-Length: 1000000\r\n\r\n", b"x"),
        limits: &[(Limit::Body, Since::Ready(0))],
    },
    Drip {
        name: "a body until the close",
        phase: Phase::Body,
        routes: Route::ALL,
        world: |bench| trickle(bench, b"\r\n", b"x"),
        limits: &[(Limit::Body, Since::Ready(0))],
    },
    Drip {
        name: "chunks",
        phase: Phase::Body,
        routes: Route::ALL,
        world: |bench| trickle(bench, b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        limits: &[(Limit::Body, Since::Ready(0))],
    },
    Drip {
        name: "a chunk extension",
        phase: Phase::Body,
        routes: Route::ALL,
        world: |bench| trickle(bench, b"Transfer-Encoding: chunked\r\n\r\n5;", b"x"),
        limits: &[(Limit::Body, Since::Ready(0))],
    },
    Drip {
        name: "gzip that yields nothing",
        phase: Phase::Body,
        routes: Route::ALL,
        world: |bench| {
            let start = b"Content-Encoding: gzip\r\n\r\n\x1f\x8b\x08\0\0\0\0\0\0\xff";
            // Stored blocks of no bytes.
            trickle(bench, start, b"\0\0\0\xff\xff");
        },
        limits: &[(Limit::Body, Since::Ready(0))],
    },
];

fn long_head() -> String {
    format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(1000))
}

/// An answer of SOCKS 5 with a name for the address that the proxy has bound.
fn bound_to_a_name() -> Vec<u8> {
    [&[5, 0, 0, 3, 255][..], &[b'x'; 257]].concat()
}

/// The head of a record of 16 KiB with a ServerHello, and a little of what belongs to it.
fn long_record() -> Vec<u8> {
    [&[22, 3, 3, 0x40, 0, 2, 0, 0x3f, 0xfc, 3, 3][..], &[7; 1000]].concat()
}

/// A status line and `first` with the request, then `again` and again.
fn trickle(bench: &Bench, first: &[u8], again: &[u8]) {
    let first = [b"HTTP/1.1 200 OK\r\n", first].concat();
    let more = Script::new().wait(EVERY).send(again);
    bench.serve(Script::new().expect_head().send(first).repeat(more), None);
}

#[test]
fn progress_satisfies_each_wait_and_no_deadline() {
    let whole = [(Limit::Total, Since::Start), (Limit::Attempt, Since::Start)];
    for drip in DRIPS {
        for &route in drip.routes {
            for &(limit, since) in drip.limits.iter().chain(&whole) {
                println!("{}, {route:?}: {limit}", drip.name);
                let bench = Bench::new(route);
                (drip.world)(&bench);
                let session = bench.session();
                let limits = Limits::none()
                    .with(Limit::Read, Some(PATIENCE))
                    .with(Limit::Write, Some(PATIENCE))
                    .with(limit, Some(LIMIT));
                let request = match drip.phase {
                    Phase::Upload => bench.post(&session).body(vec![b'x'; 3_000_000]),
                    _ => bench.get(&session),
                };
                let result = request.limits(limits).send();
                let error = result.and_then(|mut response| response.content()).unwrap_err();
                let deadline = Tick::ZERO.after(offset(since, route)).after(LIMIT);
                verify::fired(&error, limit, drip.phase, deadline);
            }
        }
    }
}
