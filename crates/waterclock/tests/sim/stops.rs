//! The table: where a peer can stop, and which limits are armed there, since when.

use crate::bench::{Bench, CONNECT, PROXY, Route, SOCKS_YES, ms, socks_request};
use crate::cut_tls::CutTls;
use std::io::Cursor;
use std::sync::Mutex;
use waterclock::{Limit, Phase, Request, RequestSent, Session};
use waterclock_sim::{Peer, Script};

/// A place to stop. `total` and `attempt` are armed at every one of them, since the start.
pub(crate) struct Stop {
    pub(crate) name: &'static str,
    pub(crate) phase: Phase,
    pub(crate) routes: &'static [Route],
    pub(crate) world: Box<dyn Fn(&Bench)>,
    pub(crate) ask: Ask,
    pub(crate) armed: &'static [(Limit, Since)],
    pub(crate) sent: RequestSent,
}

/// The instant at which a limit was armed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Since {
    /// The call began.
    Start,
    /// The name was answered.
    Name,
    /// TLS with the proxy began.
    ProxyTls,
    /// The proxy was asked for a way.
    Tunnel,
    /// So many milliseconds after TLS began.
    Tls(u64),
    /// So many milliseconds after the connection was ready for the request.
    Ready(u64),
}

/// The request under test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    Get,
    /// With a head that needs several segments.
    BigGet,
    /// A GET behind another one whose response is not read.
    Second,
    /// So many bytes from memory.
    Post(usize),
    /// So many bytes from a source, in chunks.
    Stream(usize),
    /// With `Expect: 100-continue`.
    Expect,
}

impl Ask {
    pub(crate) fn request<'s>(self, bench: &Bench, session: &'s Session) -> Request<'s> {
        match self {
            Ask::Get | Ask::Second => bench.get(session),
            Ask::BigGet => bench.get(session).header("X-Big", vec![b'x'; 100_000]),
            Ask::Post(size) => bench.post(session).body(vec![b'x'; size]),
            Ask::Stream(size) => {
                bench.post(session).body_reader(Cursor::new(vec![b'x'; size]), None)
            }
            Ask::Expect => bench.post(session).body("content").expect_continue(true),
        }
    }

    pub(crate) fn posts(self) -> bool {
        matches!(self, Ask::Post(_) | Ask::Stream(_) | Ask::Expect)
    }
}

use Limit::{
    Address, Body, Connect, FirstByte, Head, Pool, Read, Resolve, Tls, Tunnel, Upload, Write,
};
use RequestSent::{No, Partly, Yes};
use Since::{Name, ProxyTls, Ready, Start};

pub(crate) fn stops() -> Vec<Stop> {
    [before_the_request(), sending(), receiving(), bodies()].into_iter().flatten().collect()
}

/// Where no byte of the request has left yet.
fn before_the_request() -> Vec<Stop> {
    let row = |phase, name, routes, world, armed| Stop {
        name,
        phase,
        routes,
        world,
        armed,
        ask: Ask::Get,
        sent: No,
    };
    const TUNNELLING: &[(Limit, Since)] = &[(Connect, Start), (Tunnel, Since::Tunnel)];
    const SHAKING: &[(Limit, Since)] = &[(Connect, Start), (Tls, Since::Tls(0))];
    const MEETING: &[(Limit, Since)] = &[(Connect, Start), (Tls, ProxyTls)];
    let to_proxy = |script: fn() -> Script| -> Box<dyn Fn(&Bench)> {
        Box::new(move |bench| at_proxy(bench, script))
    };
    let with_tunnel = Route::TUNNELS;
    let with_socks = &[Route::Socks];
    vec![
        Stop {
            ask: Ask::Second,
            ..row(
                Phase::Pool,
                "another call has the only place",
                Route::ALL,
                Box::new(|bench| bench.serve(unread(), None)),
                &[(Pool, Start)],
            )
        },
        row(
            Phase::Resolve,
            "the name is never answered",
            Route::ALL,
            Box::new(|bench| {
                for name in ["origin.test", "proxy.test"] {
                    bench.world.host(name).never_answers();
                }
            }),
            &[(Connect, Start), (Resolve, Start)],
        ),
        row(
            Phase::Connect,
            "a black hole",
            Route::ALL,
            Box::new(|bench| bench.world.black_hole(bench.route.door())),
            &[(Connect, Start), (Address, Name)],
        ),
        row(
            Phase::Tunnel,
            "the proxy is silent",
            with_tunnel,
            to_proxy(|| Script::new().expect_head().stall()),
            TUNNELLING,
        ),
        row(
            Phase::Tunnel,
            "half a status line of the proxy",
            with_tunnel,
            to_proxy(|| Script::new().expect_head().wait(ms(2)).send("HTTP/1.1 20").stall()),
            TUNNELLING,
        ),
        row(
            Phase::Tunnel,
            "half a header of the proxy",
            with_tunnel,
            to_proxy(|| Script::new().expect_head().send("HTTP/1.1 200 OK\r\nVia: ").stall()),
            TUNNELLING,
        ),
        row(
            Phase::Tunnel,
            "an interim answer of the proxy",
            with_tunnel,
            to_proxy(|| Script::new().expect_head().send("HTTP/1.1 100 Wait\r\n\r\n").stall()),
            TUNNELLING,
        ),
        row(
            Phase::Tunnel,
            "a greeting without an answer",
            with_socks,
            to_proxy(|| Script::new().expect_bytes(3)),
            TUNNELLING,
        ),
        row(
            Phase::Tunnel,
            "half an answer to a greeting",
            with_socks,
            to_proxy(|| Script::new().expect_bytes(3).wait(ms(2)).send([5])),
            TUNNELLING,
        ),
        row(
            Phase::Tunnel,
            "a SOCKS request without an answer",
            with_socks,
            to_proxy(socks_request),
            TUNNELLING,
        ),
        row(
            Phase::Tunnel,
            "half an answer to a SOCKS request",
            with_socks,
            to_proxy(|| socks_request().wait(ms(2)).send(&SOCKS_YES[..9])),
            TUNNELLING,
        ),
        row(
            Phase::Tunnel,
            "the question does not fit",
            &[Route::Tunnel, Route::Socks],
            Box::new(|bench| {
                bench.world.listen(PROXY).after(ms(CONNECT)).window(2);
            }),
            TUNNELLING,
        ),
        row(
            Phase::Tls,
            "silence of the proxy",
            Route::SECURE,
            Box::new(|bench| meet(bench, Script::new())),
            MEETING,
        ),
        row(
            Phase::Tls,
            "half a flight of the proxy",
            Route::SECURE,
            Box::new(|bench| meet(bench, CutTls::new(0, 400, &[]))),
            MEETING,
        ),
        row(
            Phase::Tls,
            "ClientHello does not fit for the proxy",
            Route::SECURE,
            Box::new(|bench| {
                bench.world.listen(PROXY).after(ms(CONNECT)).window(10);
            }),
            MEETING,
        ),
        row(
            Phase::Tls,
            "silence",
            Route::TLS,
            Box::new(|bench| raw(bench, Script::new())),
            SHAKING,
        ),
        row(
            Phase::Tls,
            "half a ServerHello",
            Route::TLS,
            Box::new(|bench| raw(bench, CutTls::new(0, 60, &[]))),
            SHAKING,
        ),
        row(
            Phase::Tls,
            "half a flight",
            Route::TLS,
            Box::new(|bench| raw(bench, CutTls::new(0, 400, &[]))),
            SHAKING,
        ),
        row(
            Phase::Tls,
            "ClientHello does not fit",
            &[Route::Https],
            Box::new(|bench| {
                bench.world.listen(bench.route.door()).after(ms(CONNECT)).window(10);
            }),
            SHAKING,
        ),
    ]
}

/// Where the peer does not take the whole request.
fn sending() -> Vec<Stop> {
    let row = |phase, name, routes, ask, window, sent| Stop {
        name,
        phase,
        routes,
        ask,
        world: Box::new(move |bench: &Bench| {
            bench.serve(Script::new().expect_head().stall(), Some(window));
        }),
        armed: &[(Write, Ready(0)), (Upload, Ready(0))],
        sent,
    };
    const BIG: usize = 300_000;
    vec![
        Stop {
            world: Box::new(|bench| bench.serve(Script::new(), Some(4000))),
            armed: &[(Write, Ready(0))],
            ..row(Phase::Send, "the head does not fit", Route::ALL, Ask::BigGet, 0, Partly)
        },
        Stop {
            world: Box::new(|bench| bench.serve(Script::new(), Some(20))),
            ..row(
                Phase::Send,
                "a POST's head does not fit",
                Route::CLEAR,
                Ask::Post(100),
                0,
                Partly,
            )
        },
        row(Phase::Upload, "the body does not fit", Route::ALL, Ask::Post(BIG), 100_000, Partly),
        row(Phase::Upload, "a stream does not fit", Route::ALL, Ask::Stream(BIG), 100_000, Partly),
        Stop {
            name: "no answer to Expect: 100-continue",
            phase: Phase::Continue,
            armed: &[],
            ..row(Phase::Continue, "", Route::ALL, Ask::Expect, 100_000, Partly)
        },
        Stop {
            world: Box::new(|bench| {
                let half = Script::new().expect_head().wait(ms(4)).send("HTTP/1.1 1").stall();
                bench.serve(half, None);
            }),
            armed: &[],
            ..row(Phase::Continue, "half a 100", Route::ALL, Ask::Expect, 0, Partly)
        },
    ]
}

/// Where the response's head is not complete.
fn receiving() -> Vec<Stop> {
    let row = |phase, name, text: &'static str, armed| Stop {
        name,
        phase,
        routes: Route::ALL,
        ask: Ask::Get,
        world: Box::new(move |bench: &Bench| bench.serve(after(4).send(text).stall(), None)),
        armed,
        sent: Yes,
    };
    const SILENT: &[(Limit, Since)] = &[(FirstByte, Ready(0)), (Head, Ready(0)), (Read, Ready(0))];
    const INTERIM: &[(Limit, Since)] = &[(FirstByte, Ready(0)), (Head, Ready(0)), (Read, Ready(4))];
    const BEGUN: &[(Limit, Since)] = &[(Head, Ready(0)), (Read, Ready(4))];
    const CUT: &[(Limit, Since)] =
        &[(FirstByte, Since::Tls(0)), (Head, Since::Tls(0)), (Read, Since::Tls(0))];
    let silent =
        || -> Box<dyn Fn(&Bench)> { Box::new(|bench| bench.serve(Script::new().drain(), None)) };
    vec![
        Stop { world: silent(), ..row(Phase::FirstByte, "silence", "", SILENT) },
        Stop {
            world: silent(),
            ask: Ask::Post(300_000),
            ..row(Phase::FirstByte, "silence after an upload", "", SILENT)
        },
        Stop {
            routes: Route::TLS,
            world: Box::new(|bench| raw(bench, CutTls::new(1, 20, &[b"HTTP/1.1 200 OK\r\n"]))),
            ..row(Phase::FirstByte, "half a TLS record", "", CUT)
        },
        row(Phase::FirstByte, "a 103", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", INTERIM),
        row(Phase::FirstByte, "half a 103", "HTTP/1.1 103 Early Hin", INTERIM),
        row(Phase::Head, "half a status line", "HTTP/1.1 20", BEGUN),
        row(Phase::Head, "perhaps an interim response", "HTTP/1.1 ", BEGUN),
        row(Phase::Head, "a status line", "HTTP/1.1 200 OK\r\n", BEGUN),
        row(Phase::Head, "half a header", "HTTP/1.1 200 OK\r\nContent-Le", BEGUN),
        row(Phase::Head, "no blank line", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n", BEGUN),
        row(Phase::Head, "half a head after a 103", "HTTP/1.1 103 Hi\r\n\r\nHTTP/1.1 2", BEGUN),
    ]
}

/// Where the head is complete and the body is not: the head comes after 4 ms, a piece 6 ms later.
fn bodies() -> Vec<Stop> {
    const ARMED: &[(Limit, Since)] = &[(Body, Ready(4)), (Read, Ready(10))];
    let row = |name, field: &'static str, piece: &'static [u8]| Stop {
        name,
        phase: Phase::Body,
        routes: Route::ALL,
        ask: Ask::Get,
        world: Box::new(move |bench: &Bench| {
            let head = format!("HTTP/1.1 200 OK\r\n{field}\r\n");
            bench.serve(after(4).send(head).wait(ms(6)).send(piece).stall(), None);
        }),
        armed: ARMED,
        sent: Yes,
    };
    const CHUNKED: &str = "Transfer-Encoding: chunked\r\n";
    const GZIP: &str = "Content-Encoding: gzip\r\nContent-Length: 100\r\n";
    // A header, and a stored block of five bytes of which two are there.
    const CUT_GZIP: &[u8] = b"\x1f\x8b\x08\0\0\0\0\0\0\xff\x01\x05\0\xfa\xffhe";
    vec![
        Stop {
            armed: &[(Body, Ready(4)), (Read, Ready(4))],
            ..row("nothing of it", "Content-Length: 10\r\n", b"")
        },
        row("half of it", "Content-Length: 10\r\n", b"hello"),
        row("a little of a long one", "Content-Length: 1000000\r\n", b"hello"),
        row("until the peer closes", "", b"hello"),
        row("within a chunk size", CHUNKED, b"5\r\nhello\r\n1"),
        row("within a chunk", CHUNKED, b"5\r\nhello\r\na\r\nhel"),
        row("between two chunks", CHUNKED, b"5\r\nhello\r\n"),
        row("within a chunk extension", CHUNKED, b"5\r\nhello\r\n5;name=va"),
        row("within the last chunk", CHUNKED, b"5\r\nhello\r\n0\r\n"),
        row("within the trailers", CHUNKED, b"5\r\nhello\r\n0\r\nDigest: "),
        row("within a gzip stream", GZIP, CUT_GZIP),
        row("within a gzip header", GZIP, b"\x1f\x8b\x08"),
        Stop {
            routes: Route::TLS,
            world: Box::new(|bench| {
                let answers: &[&[u8]] =
                    &[b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n", b"hello"];
                raw(bench, CutTls::new(2, 20, answers));
            }),
            armed: &[(Body, Since::Tls(0)), (Read, Since::Tls(0))],
            ..row("half a TLS record", "", b"")
        },
    ]
}

/// The origin waits so many milliseconds before it answers.
fn after(wait: u64) -> Script {
    Script::new().expect_head().wait(ms(wait))
}

/// A response whose body is not complete.
fn unread() -> Script {
    Script::new().expect_head().send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello").stall()
}

/// Serves `peer` where TLS with the origin is expected: behind the tunnel, if there is one.
pub(crate) fn raw(bench: &Bench, peer: impl Peer + Clone + 'static) {
    let route = bench.route;
    // A script need not be `Sync`.
    let peer = Mutex::new(peer);
    let listener = bench.world.listen(route.door()).after(ms(CONNECT));
    listener.serve_with(move |_| route.behind(peer.lock().unwrap().clone()));
}

/// Serves `peer` where TLS with the proxy is expected.
pub(crate) fn meet(bench: &Bench, peer: impl Peer + Clone + 'static) {
    bench.world.listen(PROXY).after(ms(CONNECT)).serve(peer);
}

/// Serves `script` where the proxy is asked for a way.
pub(crate) fn at_proxy(bench: &Bench, script: fn() -> Script) {
    let route = bench.route;
    let listener = bench.world.listen(PROXY).after(ms(CONNECT));
    listener.serve_with(move |_| route.at_proxy(script()));
}
