//! The table of cases. On the routes that each of them has they are well above two hundred scenarios.

use crate::bench::{
    Bench, CONNECT, ESTABLISHED, ORIGIN, PLAIN, PROXY, Route, SOCKS_YES, ms, ok, ok_gzip,
    socks_request,
};
use crate::scenario::{Answer, Case, Place};
use std::io::Cursor;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use waterclock::capture::Capture;
use waterclock::{Auth, CancelHandle, Error, Limit, Limits, Multipart, Retry, Session};
use waterclock_sim::{Script, TlsServer};

const BIG: usize = 40_000;

/// An exchange that goes well: what is not said otherwise is a GET for five bytes.
const PLAIN_GET: Case = Case {
    name: "a GET",
    routes: Route::ALL,
    serve: |bench| serve(bench, ok("hello")),
    build: |builder| builder,
    ask: |session, place| Answer::of(session.get(place.url()).send()?),
};

/// Its end cannot be told from a cut one (RFC 9112 §8), unless there is TLS.
pub(crate) const UNTIL_CLOSE: &str = "a body until the end of the connection";

pub(crate) fn cases() -> Vec<Case> {
    [bodies(), uploads(), several(), ends(), ways()].into_iter().flatten().collect()
}

/// Answers every request on every connection, after 4 ms, with `bytes`.
fn serve(bench: &Bench, bytes: impl AsRef<[u8]>) {
    let once = Script::new().expect_head().expect_body().wait(ms(4)).send(bytes);
    bench.serve(Script::new().repeat(once), None);
}

/// Answers every request with what `answer` makes of its head.
fn respond(bench: &Bench, answer: impl Fn(&str) -> String + Send + Sync + 'static) {
    let of_head = move |head: &[u8]| answer(&String::from_utf8_lossy(head)).into_bytes();
    let once = Script::new().expect_head().expect_body().wait(ms(4)).respond(of_head);
    bench.serve(Script::new().repeat(once), None);
}

fn big() -> String {
    "0123456789abcdef".repeat(BIG / 16)
}

fn chunked(pieces: &[&str]) -> String {
    let chunk = |piece: &&str| format!("{:x}\r\n{piece}\r\n", piece.len());
    let chunks: String = pieces.iter().map(chunk).collect();
    format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}0\r\n\r\n")
}

fn bodies() -> Vec<Case> {
    vec![
        PLAIN_GET,
        Case {
            name: "a chunked body",
            serve: |bench| serve(bench, chunked(&["hello", " ", "world"])),
            ..PLAIN_GET
        },
        Case {
            name: "trailers",
            serve: |bench| {
                let body = chunked(&["hello"]).replace("0\r\n\r\n", "0\r\nDigest: x\r\n\r\n");
                serve(bench, body);
            },
            ..PLAIN_GET
        },
        Case {
            name: UNTIL_CLOSE,
            serve: |bench| {
                let head = "HTTP/1.1 200 OK\r\n\r\n";
                let script = Script::new().expect_head().send(head).drip("hello", 2, ms(3));
                bench.serve(script.close(), None);
            },
            ..PLAIN_GET
        },
        Case { name: "gzip", serve: |bench| serve(bench, ok_gzip()), ..PLAIN_GET },
        Case {
            name: "gzip that drips",
            serve: |bench| {
                let once = Script::new().expect_head().drip(ok_gzip(), 9, ms(2));
                bench.serve(Script::new().repeat(once), None);
            },
            ask: |session, place| Answer::read(session.get(place.url()).send()?, 2),
            ..PLAIN_GET
        },
        Case {
            name: "HEAD",
            serve: |bench| serve(bench, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"),
            ask: |session, place| Answer::of(session.head(place.url()).send()?),
            ..PLAIN_GET
        },
        Case {
            name: "no content, after early hints",
            serve: |bench| {
                let hints = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
                let once = Script::new().expect_head().send(hints).wait(ms(3));
                let once = once.send("HTTP/1.1 204 No Content\r\n\r\n");
                bench.serve(Script::new().repeat(once), None);
            },
            ..PLAIN_GET
        },
        Case {
            name: "a long body in one piece",
            serve: |bench| serve(bench, ok(&big())),
            ..PLAIN_GET
        },
        Case {
            name: "a long body in small pieces",
            serve: |bench| serve(bench, ok(&big()[..1000])),
            ask: |session, place| Answer::read(session.get(place.url()).send()?, 90),
            ..PLAIN_GET
        },
        Case {
            name: "a long body that is copied",
            serve: |bench| serve(bench, ok(&big())),
            ask: |session, place| Answer::copied(session.get(place.url()).send()?),
            ..PLAIN_GET
        },
        Case {
            name: "a head that drips",
            serve: |bench| {
                let once = Script::new().expect_head().drip(ok("hello"), 17, ms(2));
                bench.serve(Script::new().repeat(once), None);
            },
            ..PLAIN_GET
        },
        Case {
            name: "Connection: close",
            serve: |bench| {
                let text = ok("hello").replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
                bench.serve(Script::new().expect_head().send(text).close(), None);
            },
            ..PLAIN_GET
        },
    ]
}

fn uploads() -> Vec<Case> {
    const POST: Case = Case {
        name: "POST",
        ask: |session, place| Answer::of(session.post(place.url()).body("content").send()?),
        ..PLAIN_GET
    };
    vec![
        POST,
        Case {
            name: "a long POST through a small window",
            serve: |bench| {
                let once = Script::new().pace(9000, ms(2)).expect_head().expect_body();
                bench.serve(Script::new().repeat(once.send(ok("hello"))), Some(16_000));
            },
            ask: |session, place| Answer::of(session.post(place.url()).body(big()).send()?),
            ..POST
        },
        Case {
            name: "a POST from a source with a length",
            ask: |session, place| {
                let source = Cursor::new(big());
                let request = session.post(place.url()).body_reader(source, Some(BIG as u64));
                Answer::of(request.send()?)
            },
            ..POST
        },
        Case {
            name: "a POST from a source, chunked",
            ask: |session, place| {
                let request = session.post(place.url()).body_reader(Cursor::new("content"), None);
                Answer::of(request.send()?)
            },
            ..POST
        },
        Case {
            name: "Expect: 100-continue",
            serve: |bench| {
                let go_on = "HTTP/1.1 100 Continue\r\n\r\n";
                let once = Script::new().expect_head().wait(ms(3)).send(go_on).expect_body();
                bench.serve(Script::new().repeat(once.send(ok("hello"))), None);
            },
            ask: expecting,
            ..POST
        },
        Case {
            name: "Expect: 100-continue, which nobody answers",
            serve: |bench| serve(bench, ok("hello")),
            build: |builder| builder.limits(limits().with(Limit::Continue, Some(ms(20)))),
            ask: expecting,
            ..POST
        },
        Case {
            name: "Expect: 100-continue, refused",
            serve: |bench| {
                let no = "HTTP/1.1 417 No\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno";
                bench.serve(Script::new().expect_head().wait(ms(3)).send(no).close(), None);
            },
            ask: expecting,
            ..POST
        },
        Case {
            name: "an answer before the end of the upload",
            serve: |bench| {
                let no = "HTTP/1.1 413 No\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno";
                let script = Script::new().expect_head().wait(ms(3)).send(no).stall();
                bench.serve(script, Some(9000));
            },
            ask: |session, place| Answer::of(session.post(place.url()).body(big()).send()?),
            ..POST
        },
        Case {
            name: "multipart",
            ask: |session, place| {
                let form = Multipart::new().text("name", "clepsydra").text("what", "water");
                let (content_type, body) = form.into_body([7; 16]).unwrap();
                let request = session.post(place.url()).header("Content-Type", content_type);
                Answer::of(request.body(body).send()?)
            },
            ..POST
        },
        Case {
            name: "PUT",
            ask: |session, place| Answer::of(session.put(place.url()).body("content").send()?),
            ..POST
        },
    ]
}

fn expecting(session: &Session, place: &Place) -> Result<Answer, Error> {
    Answer::of(session.post(place.url()).body("content").expect_continue(true).send()?)
}

/// The limits of all scenarios: the longest wait there can be, and a place in the pool soon or never.
pub(crate) fn limits() -> Limits {
    Limits::total(ms(20_000)).with(Limit::Pool, Some(ms(1000))).with(Limit::Resolve, Some(ms(5000)))
}

/// More than one request.
fn several() -> Vec<Case> {
    const TWICE: Case = Case {
        name: "a second request on the same connection",
        ask: |session, place| {
            Answer::of(session.get(place.url()).send()?)?;
            Answer::of(session.get(place.url()).send()?)
        },
        ..PLAIN_GET
    };
    vec![
        TWICE,
        Case {
            name: "a POST on a connection that was used",
            ask: |session, place| {
                Answer::of(session.get(place.url()).send()?)?;
                Answer::of(session.post(place.url()).body("content").send()?)
            },
            ..TWICE
        },
        Case {
            name: "a second request on a connection that has died",
            serve: |bench| {
                let script = Script::new().expect_head().send(ok("hello")).wait(ms(1)).close();
                bench.serve(script, None);
            },
            ask: |session, place| {
                Answer::of(session.get(place.url()).send()?)?;
                place.bench.world.advance(ms(50));
                Answer::of(session.get(place.url()).send()?)
            },
            ..TWICE
        },
        Case { name: "a redirect", serve: |bench| redirect(bench, 302), ..PLAIN_GET },
        Case {
            name: "a POST that is redirected as it is",
            serve: |bench| redirect(bench, 307),
            ask: |session, place| Answer::of(session.post(place.url()).body("content").send()?),
            ..PLAIN_GET
        },
        Case {
            name: "a cookie that comes and goes back",
            serve: |bench| {
                respond(bench, |head| match head.contains("Cookie: a=b") {
                    true => ok("known"),
                    false => ok("new").replace("\r\n\r\n", "\r\nSet-Cookie: a=b\r\n\r\n"),
                });
            },
            ask: |session, place| {
                Answer::of(session.get(place.url()).send()?)?;
                Answer::of(session.get(place.url()).send()?)
            },
            ..PLAIN_GET
        },
        Case {
            name: "digest",
            serve: |bench| {
                respond(bench, |head| match head.contains("\r\nAuthorization: Digest") {
                    true => ok("welcome"),
                    false => "HTTP/1.1 401 Who\r\nContent-Length: 3\r\nWWW-Authenticate: Digest \
                              realm=\"r\", nonce=\"n\", qop=\"auth\"\r\n\r\nwho"
                        .to_owned(),
                });
            },
            ask: |session, place| {
                let auth = Auth::digest("user", "password");
                Answer::of(session.post(place.url()).auth(auth).body("content").send()?)
            },
            ..PLAIN_GET
        },
        Case {
            name: "a 503 that is tried again",
            serve: |bench| {
                let turn = AtomicUsize::new(0);
                respond(bench, move |_| match turn.fetch_add(1, Ordering::Relaxed) % 2 {
                    0 => "HTTP/1.1 503 Later\r\nContent-Length: 5\r\n\r\nlater".to_owned(),
                    _ => ok("hello"),
                });
            },
            build: |builder| {
                builder.retry(Retry::new(2).status_forcelist([503]).backoff_factor(0.1))
            },
            ..PLAIN_GET
        },
        Case {
            name: "a GET that may be tried again",
            build: |builder| builder.retry(Retry::new(2).backoff_factor(0.1)),
            ..PLAIN_GET
        },
        Case {
            name: "a POST that may be tried again if it was not sent",
            build: |builder| builder.retry(Retry::new(2).backoff_factor(0.1)),
            ask: |session, place| Answer::of(session.post(place.url()).body("content").send()?),
            ..PLAIN_GET
        },
    ]
}

/// From where the request goes to another path.
fn redirect(bench: &Bench, status: u16) {
    respond(bench, move |head| match head.contains("/next") {
        true => ok("there"),
        false => {
            format!("HTTP/1.1 {status} Go\r\nLocation: /next\r\nContent-Length: 4\r\n\r\nmove")
        }
    });
}

/// Calls that end before their response does.
fn ends() -> Vec<Case> {
    const STALLED: Case = Case {
        name: "a body that stalls",
        serve: |bench| {
            let half = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello";
            bench.serve(Script::new().expect_head().wait(ms(4)).send(half).stall(), None);
        },
        build: |builder| builder.limits(limits().with(Limit::Read, Some(ms(300)))),
        ..PLAIN_GET
    };
    vec![
        STALLED,
        Case {
            name: "silence",
            serve: |bench| bench.serve(Script::new().drain(), None),
            build: |builder| builder.limits(limits().with(Limit::FirstByte, Some(ms(300)))),
            ..PLAIN_GET
        },
        Case {
            name: "a response that is dropped",
            ask: |session, place| Answer::beginning(session.get(place.url()).send()?, 3),
            ..STALLED
        },
        Case {
            name: "a long response that is dropped",
            serve: |bench| serve(bench, ok(&big())),
            ask: |session, place| Answer::beginning(session.get(place.url()).send()?, 1000),
            ..PLAIN_GET
        },
        Case {
            name: "a response that is drained",
            serve: |bench| serve(bench, chunked(&["hello", " ", "world"])),
            ask: |session, place| {
                let response = session.get(place.url()).send()?;
                let (status, timeline) = (response.status(), response.timeline().clone());
                response.drain();
                Ok(Answer { status, body: Vec::new(), timeline })
            },
            ..PLAIN_GET
        },
        Case {
            name: "a call that could be cancelled",
            ask: |session, place| {
                let cancel = CancelHandle::new();
                Answer::of(session.get(place.url()).cancel(&cancel).send()?)
            },
            ..PLAIN_GET
        },
        Case {
            name: "a call that is cancelled in its body",
            ask: |session, place| {
                let cancel = CancelHandle::new();
                let handle = cancel.clone();
                let soon = place.bench.now().after(ms(200));
                place.bench.world.at(soon, move |_| handle.cancel());
                Answer::of(session.get(place.url()).cancel(&cancel).send()?)
            },
            ..STALLED
        },
        Case {
            name: "signals all the while",
            ask: |session, place| {
                let now = place.bench.now();
                (1..30).for_each(|count| place.bench.world.interrupt_at(now.after(ms(count * 2))));
                Answer::of(session.get(place.url()).send()?)
            },
            ..PLAIN_GET
        },
        Case {
            name: "a body that is cut",
            serve: |bench| {
                let half = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello";
                bench.serve(Script::new().expect_head().wait(ms(4)).send(half).close(), None);
            },
            ..PLAIN_GET
        },
    ]
}

/// Other ways to the origin.
fn ways() -> Vec<Case> {
    const DIRECT: &[Route] = &[Route::Http];
    vec![
        Case {
            name: "three addresses, of which the last answers",
            routes: DIRECT,
            serve: |bench| {
                serve(bench, ok("hello"));
                bench.world.refuse("192.0.2.3:80").after(ms(900));
                bench.world.refuse("192.0.2.2:80").after(ms(5));
                bench.world.host(ORIGIN).resolves_to(["192.0.2.3", "192.0.2.2", "192.0.2.1"]);
            },
            ..PLAIN_GET
        },
        Case {
            name: "two addresses that both answer, slowly",
            routes: DIRECT,
            serve: |bench| {
                let once = Script::new().expect_head().wait(ms(4)).send(ok("hello"));
                for address in ["[2001:db8::1]:80", PLAIN] {
                    let listener = bench.world.listen(address).after(ms(400));
                    listener.serve(Script::new().repeat(once.clone()));
                }
                bench.world.host(ORIGIN).resolves_to(["2001:db8::1", "192.0.2.1"]);
            },
            ..PLAIN_GET
        },
        Case {
            name: "addresses that all refuse",
            routes: DIRECT,
            serve: |bench| {
                bench.world.refuse(PLAIN).after(ms(5));
                bench.world.refuse("192.0.2.2:80").after(ms(5)).at_once();
                bench.world.host(ORIGIN).resolves_to(["192.0.2.2", "192.0.2.1"]);
            },
            ..PLAIN_GET
        },
        Case {
            name: "a Unix socket",
            routes: DIRECT,
            serve: |bench| {
                let once = Script::new().expect_head().wait(ms(4)).send(ok("hello"));
                bench.world.listen("/run/origin").serve(Script::new().repeat(once));
            },
            build: |builder| builder.unix_socket("/run/origin"),
            ..PLAIN_GET
        },
        Case {
            name: "TLS 1.2",
            routes: &[Route::Https],
            serve: |bench| {
                let old = old_tls().wrap(
                    Script::new()
                        .repeat(Script::new().expect_head().expect_body().send(ok("hello"))),
                );
                bench.world.listen(bench.route.door()).after(ms(CONNECT)).serve(old);
            },
            build: |builder| builder.tls(crate::bench::trusting([&*old_tls().root()])),
            ..PLAIN_GET
        },
        Case {
            name: "a certificate that is not trusted",
            routes: Route::TLS,
            build: |builder| builder.tls(crate::bench::trusting([&*old_tls().root()])),
            ..PLAIN_GET
        },
        Case {
            name: "a proxy that refuses the tunnel",
            routes: Route::TUNNELS,
            serve: |bench| {
                let no = "HTTP/1.1 407 Who\r\nContent-Length: 3\r\n\r\nwho";
                let (route, listener) = (bench.route, bench.world.listen(PROXY).after(ms(CONNECT)));
                listener.serve_with(move |_| {
                    route.at_proxy(Script::new().expect_head().send(no).close())
                });
            },
            ..PLAIN_GET
        },
        Case {
            name: "a proxy whose answer drips",
            routes: Route::TUNNELS,
            serve: |bench| {
                let listener = bench.world.listen(PROXY).after(ms(CONNECT));
                let route = bench.route;
                listener.serve_with(move |_| {
                    let once = Script::new().expect_head().send(ok("hello"));
                    let inside = crate::bench::tls_server().wrap(Script::new().repeat(once));
                    let slow = Script::new().expect_head().drip(ESTABLISHED, 11, ms(2));
                    route.at_proxy(slow.then(inside))
                });
            },
            ..PLAIN_GET
        },
        Case {
            name: "a SOCKS proxy that refuses",
            routes: &[Route::Socks],
            serve: |bench| {
                let no = socks_request().send([5, 5, 0, 1, 0, 0, 0, 0, 0, 0]).close();
                bench.world.listen(PROXY).after(ms(CONNECT)).serve(no);
            },
            ..PLAIN_GET
        },
        Case {
            name: "SOCKS 5 to an address that we look up",
            routes: &[Route::Socks],
            serve: |bench| {
                let once = Script::new().expect_head().send(ok("hello"));
                let script = Script::new().expect_bytes(3).send([5, 0]).expect_bytes(10);
                let script = script.send(SOCKS_YES).then(Script::new().repeat(once));
                bench.world.listen(PROXY).after(ms(CONNECT)).serve(script);
            },
            build: |builder| builder.proxy("socks5://proxy.test:3128"),
            ..PLAIN_GET
        },
        Case {
            name: "SOCKS 4",
            routes: &[Route::Socks],
            serve: |bench| {
                let once = Script::new().expect_head().send(ok("hello"));
                let script = Script::new().expect_bytes(9).send([0, 90, 0, 0, 0, 0, 0, 0]);
                let script = script.then(Script::new().repeat(once));
                bench.world.listen(PROXY).after(ms(CONNECT)).serve(script);
            },
            build: |builder| builder.proxy("socks4://proxy.test:3128"),
            ..PLAIN_GET
        },
        Case {
            name: "a recording",
            build: |builder| builder.capture(&Capture::new()),
            ..PLAIN_GET
        },
        Case {
            name: "a name that nobody has",
            routes: DIRECT,
            serve: |bench| {
                bench.world.host(ORIGIN).fails(std::io::ErrorKind::NotFound);
            },
            ..PLAIN_GET
        },
        Case {
            name: "a peer that speaks no HTTP",
            serve: |bench| {
                bench.serve(Script::new().expect_head().send("220 mail ready\r\n").close(), None);
            },
            ..PLAIN_GET
        },
        Case {
            name: "a session that was closed in between",
            ask: |session, place| {
                Answer::of(session.get(place.url()).send()?)?;
                session.close();
                Answer::of(session.get(place.url()).send()?)
            },
            ..PLAIN_GET
        },
    ]
}

/// A server of its own identity that speaks TLS 1.2 only.
fn old_tls() -> Arc<TlsServer> {
    static SERVER: std::sync::OnceLock<Arc<TlsServer>> = std::sync::OnceLock::new();
    let make = || {
        let server = TlsServer::new([ORIGIN]).versions(&[&rustls::version::TLS12]);
        Arc::new(server.flight_delays([ms(11), ms(13)]))
    };
    Arc::clone(SERVER.get_or_init(make))
}
