//! A proxy that refuses, fails or talks nonsense: never the origin's answer, never a wait.

use crate::bench::{Bench, CONNECT, PATH, PROXY, Route, at, ms, ok, tls_server};
use crate::matrix::only;
use crate::verify::{fired, tiles};
use waterclock::{ErrorKind, Limit, Phase, RequestSent};
use waterclock_sim::Script;

fn proxy(script: Script) -> Bench {
    let bench = Bench::new(Route::Tunnel);
    bench.world.listen(PROXY).after(ms(CONNECT)).serve(script);
    bench
}

fn replies(reply: &str) -> Script {
    Script::new().expect_head().wait(ms(4)).send(reply)
}

#[test]
fn what_is_no_tunnel_is_an_error_of_the_proxy() {
    let junk = "x".repeat(70_000);
    let table = [
        ("403", replies("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno")),
        ("407", replies("HTTP/1.1 407 Who\r\nContent-Length: 0\r\n\r\n")),
        ("302", replies("HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n")),
        (
            "503 in chunks",
            replies("HTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        ),
        ("502 until close", replies("HTTP/1.1 502 Bad\r\n\r\nsorry").close()),
        ("bytes behind 200", replies("HTTP/1.1 200 OK\r\n\r\n<html>")),
        ("close", Script::new().expect_head().wait(ms(4)).close()),
        ("reset", Script::new().expect_head().wait(ms(4)).reset()),
        ("close in the head", replies("HTTP/1.1 200 OK\r\nVia: ").close()),
        ("a banner", replies("SSH-2.0-OpenSSH_9.9\r\n")),
        ("a head without end", replies(&format!("HTTP/1.1 200 OK\r\nX: {junk}"))),
        ("NUL in a field", replies("HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n")),
    ];
    for (name, script) in table {
        let bench = proxy(script);
        let error = bench.get(&bench.session()).send().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Proxy, "{name}: {error:#}");
        assert_eq!(error.request_sent(), RequestSent::No);
        assert_eq!(error.timeline().unwrap().ended(), at(8 + 4), "{name}");
        tiles(error.timeline().unwrap());
        assert_eq!(bench.world.open_sockets(), 0);
    }
}

#[test]
fn the_proxys_own_words_are_kept() {
    let bench = proxy(
        Script::new()
            .expect_head()
            .send("HTTP/1.1 403 Forbidden\r\nVia: gate\r\nContent-Length: 10\r\n\r\nnot ")
            .wait(ms(20))
            .send("today!"),
    );
    let error =
        bench.get(&bench.session()).limits(only(Limit::Tunnel, ms(100))).send().unwrap_err();
    let response = error.proxy_response().unwrap();
    assert_eq!((response.head.status, response.body.as_slice()), (403, &b"not today!"[..]));
    assert_eq!(response.headers().get("via"), Some(&b"gate"[..]));
    assert_eq!(error.timeline().unwrap().ended(), at(8 + 20));
}

/// What has come of it within the limit is kept; the refusal is what is reported.
#[test]
fn a_refusal_that_stalls_is_still_a_refusal() {
    let reply = "HTTP/1.1 403 Forbidden\r\nContent-Length: 10\r\n\r\nnot ";
    let bench = proxy(Script::new().expect_head().send(reply));
    let error =
        bench.get(&bench.session()).limits(only(Limit::Tunnel, ms(100))).send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Proxy);
    assert_eq!(error.proxy_response().unwrap().body, b"not ");
    assert_eq!(error.timeline().unwrap().ended(), at(8 + 100));
}

/// RFC 9112 §3.2.2: only a proxy that forwards gets the absolute form.
#[test]
fn the_form_of_the_target_is_that_of_the_route() {
    for &route in Route::ALL {
        let bench = Bench::serving(route, Script::new().expect_head().send(ok("fine")));
        bench.get(&bench.session()).send().unwrap();
        let forwards = matches!(route, Route::Forward | Route::SecureForward);
        let target = if forwards { route.url(PATH) } else { PATH.to_owned() };
        let line = format!("GET {target} HTTP/1.1\r\n");
        assert!(bench.requests()[0].contains(&line), "{route:?}: {:?}", bench.requests());
    }
}

#[test]
fn any_2xx_and_interim_answers_before_it_make_a_tunnel() {
    for reply in [
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 201 Made\r\n\r\n",
        "HTTP/1.1 100 Wait\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
    ] {
        let inside = tls_server().wrap(Script::new().expect_head().send(ok("hello")));
        let bench = proxy(replies(reply).then(inside));
        let mut response = bench.get(&bench.session()).send().unwrap();
        assert_eq!(response.text().unwrap(), "hello");
    }
}

/// The proxy answers before it has read CONNECT, and reads no more: there is something to read and
/// no room to write, and that is no reason to go in circles.
#[test]
fn an_answer_before_the_request_was_taken_is_read() {
    let bench = Bench::new(Route::Tunnel);
    let early = Script::new().wait(ms(4)).send("HTTP/1.1 407 Who\r\nContent-Length: 2\r\n\r\nno");
    bench.world.listen(PROXY).after(ms(CONNECT)).window(10).serve(early);
    let error =
        bench.get(&bench.session()).limits(only(Limit::Tunnel, ms(100))).send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Proxy, "{error:#}");
    assert_eq!(error.proxy_response().unwrap().head.status, 407);
    assert_eq!(error.timeline().unwrap().ended(), at(8 + 4));
}

#[test]
fn half_an_answer_before_the_request_was_taken_ends_with_the_limit() {
    let bench = Bench::new(Route::Tunnel);
    let early = Script::new().wait(ms(4)).send("HTTP/1.1 4");
    bench.world.listen(PROXY).after(ms(CONNECT)).window(10).serve(early);
    let error =
        bench.get(&bench.session()).limits(only(Limit::Tunnel, ms(100))).send().unwrap_err();
    fired(&error, Limit::Tunnel, Phase::Tunnel, at(8 + 100));
}

/// The same in a TLS handshake: what is said to half a ClientHello is heard.
#[test]
fn a_server_that_talks_before_it_listens_is_heard() {
    // An alert, handshake_failure.
    let alert = Script::new().wait(ms(4)).send([21, 3, 3, 0, 2, 2, 40]);
    let bench = Bench::new(Route::Https);
    bench.world.listen(Route::Https.door()).after(ms(CONNECT)).window(10).serve(alert);
    let error = bench.get(&bench.session()).limits(only(Limit::Tls, ms(100))).send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tls, "{error:#}");
    assert_eq!(error.timeline().unwrap().ended(), at(8 + 4));

    let half = Script::new().wait(ms(4)).send([21, 3, 3, 0]);
    let bench = Bench::new(Route::Https);
    bench.world.listen(Route::Https.door()).after(ms(CONNECT)).window(10).serve(half);
    let error = bench.get(&bench.session()).limits(only(Limit::Tls, ms(100))).send().unwrap_err();
    fired(&error, Limit::Tls, Phase::Tls, at(8 + 100));
}

#[test]
fn a_proxy_that_cannot_be_reached_is_a_failed_connect() {
    for &route in &[Route::Forward, Route::Tunnel] {
        let bench = Bench::new(route);
        bench.world.refuse(PROXY).after(ms(CONNECT));
        let error = bench.get(&bench.session()).send().unwrap_err();
        assert_eq!((error.kind(), error.phase()), (ErrorKind::Connect, Some(Phase::Connect)));
        assert_eq!(error.timeline().unwrap().ended(), at(8));
    }
}
