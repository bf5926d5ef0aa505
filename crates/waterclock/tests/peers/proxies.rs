//! squid and tinyproxy between the client and nginx.

use crate::peer::{Nginx, PASSWORD, Squid, Tinyproxy, USER, numbers};
use crate::support::builder;
use waterclock::{Error, ErrorKind, Phase, Request, RequestSent, Session};

fn through(nginx: &Nginx, proxy: &str) -> Session {
    builder().tls(nginx.trust()).proxy(proxy).build().unwrap()
}

fn userinfo() -> String {
    format!("{USER}:{PASSWORD}@")
}

/// What both proxies must do alike for a client that they let in.
fn serves(nginx: &Nginx, proxy: &str, host: &str) {
    for url in nginx.urls("").map(|url| url.replace("127.0.0.1", host)) {
        let session = through(nginx, proxy);
        let ask = |path: &str, text: &str| {
            let mut response = session.get(format!("{url}{path}")).send().unwrap();
            assert!(response.text().unwrap() == text, "{proxy} {url}{path}");
            response.connection().unwrap().number
        };
        assert_eq!(ask("/host", host), 1);
        let tunnelled = url.starts_with("https:");
        for path in ["/numbers.txt", "/gzip/numbers.txt"] {
            let connection = ask(path, &numbers());
            // Once it stands, a tunnel is a connection like any other.
            assert!(connection == 1 || !tunnelled, "{connection}");
        }
        let post = |request: Request<'_>, text: &str| {
            // tinyproxy closes a connection without having said that it would (RFC 9112 §9.6), and
            // a request that cannot be sent twice must not run into that.
            if !tunnelled {
                session.close();
            }
            assert_eq!(request.send().unwrap().text().unwrap(), text, "{proxy} {url}");
        };
        let echo = format!("{url}/echo");
        post(session.post(&echo).body("through the proxy"), "POST through the proxy");
        post(session.post(&echo).body_reader(&b"in chunks"[..], None), "POST in chunks");
        let body = vec![b'x'; 1_000_000];
        let mut stored = session.put(format!("{url}/store/file")).body(body).send().unwrap();
        stored.content().unwrap();
        assert!([201, 204].contains(&stored.status()), "{}", stored.status());
        let tunnels = stored.timeline().spans().iter().any(|span| span.phase == Phase::Tunnel);
        assert!(!tunnels, "it stands already");
    }
}

#[test]
fn squid_forwards_and_tunnels() {
    let (Some(nginx), Some(squid)) = (Nginx::start(), Squid::shared()) else { return };
    serves(&nginx, &squid.url(), "127.0.0.1");
    // A name that only squid can look up.
    serves(&nginx, &squid.url(), "shop.test");
    serves(&nginx, &squid.guarded_url(&userinfo()), "shop.test");
    // Credentials are for the proxy alone, and one connection to it serves plain requests.
    let session = through(&nginx, &squid.guarded_url(&userinfo()));
    let connections = [(); 5].map(|()| {
        let mut response = session.get(nginx.url("/credentials")).send().unwrap();
        assert_eq!(response.text().unwrap(), "\n");
        response.connection().unwrap().number
    });
    assert_eq!(connections, [1; 5]);
}

#[test]
fn tinyproxy_forwards_and_tunnels() {
    let (Some(nginx), Some(tinyproxy)) = (Nginx::start(), Tinyproxy::start()) else { return };
    serves(&nginx, &tinyproxy.url(&userinfo()), "127.0.0.1");
}

fn refused(nginx: &Nginx, proxy: &str, url: &str) -> Error {
    let error = through(nginx, proxy).get(url).send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Proxy, "{error:#}");
    assert_eq!((error.status(), error.request_sent()), (None, RequestSent::No));
    error
}

#[test]
fn who_is_not_let_in_gets_407_with_its_body() {
    let (Some(nginx), Some(squid)) = (Nginx::start(), Squid::shared()) else { return };
    let (denied, required) = ("Cache Access Denied", "Proxy Authentication Required");
    let mut cases = vec![
        (squid.guarded_url(""), 407, denied),
        (squid.guarded_url("user:wrong@"), 407, denied),
        (squid.guarded_url("nobody:pass@"), 407, denied),
    ];
    let tinyproxy = Tinyproxy::start();
    if let Some(tinyproxy) = &tinyproxy {
        cases.push((tinyproxy.url(""), 407, required));
        // It knows no better status for a password that is wrong.
        cases.push((tinyproxy.url("user:wrong@"), 401, "Unauthorized"));
    }
    for (proxy, status, words) in cases {
        let error = refused(&nginx, &proxy, &nginx.tls_url("/hello"));
        let answer = error.proxy_response().unwrap();
        assert_eq!(answer.head.status, status, "{proxy}");
        assert_eq!(answer.headers().contains("proxy-authenticate"), status == 407);
        let body = String::from_utf8_lossy(&answer.body);
        assert!(body.contains(words), "{proxy}: {body}");
        assert!(error.to_string().contains(&status.to_string()), "{error}");
        // Without a tunnel it is the response to the request.
        let mut response = through(&nginx, &proxy).get(nginx.url("/hello")).send().unwrap();
        assert_eq!(response.status(), status);
        assert!(response.text().unwrap().contains(words));
    }
    assert_eq!(nginx.requests(), [""; 0], "the origin was asked");
}

#[test]
fn what_the_proxy_refuses_keeps_its_explanation() {
    let (Some(nginx), Some(squid)) = (Nginx::start(), Squid::shared()) else { return };
    let error = refused(&nginx, &squid.url(), "https://refused.test/");
    let answer = error.proxy_response().unwrap();
    assert_eq!(answer.head.status, 403);
    assert_eq!(answer.headers().get("x-squid-error"), Some(&b"ERR_ACCESS_DENIED 0"[..]));
    assert!(String::from_utf8_lossy(&answer.body).contains("Access Denied"));
    let plain = through(&nginx, &squid.url()).get("http://refused.test/").send().unwrap();
    assert_eq!(plain.status(), 403);
    // Nobody listens on a port that was just ours.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = refused(&nginx, &squid.url(), &format!("https://{closed}/"));
    assert_eq!(error.proxy_response().unwrap().head.status, 503);
}

#[test]
fn a_proxy_that_is_missing_is_told_from_an_origin_that_is_missing() {
    let Some(nginx) = Nginx::start() else { return };
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let session = through(&nginx, &format!("http://{closed}"));
    let error = session.get(nginx.tls_url("/hello")).send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect, "{error:#}");
}
