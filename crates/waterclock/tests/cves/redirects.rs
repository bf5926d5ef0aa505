//! What a redirect may not carry along, and how far it may go.

use crate::support::{builder, last, named, redirecting, trusting};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;
use waterclock::{Auth, ErrorKind, RedirectPolicy, Retry};
use waterclock_lab::{Authority, Proxy, Script, Server, Tls, respond, respond_with};

const HOST: &str = "one.test";

/// requests sent `Authorization` over http after https had redirected to the same host.
#[test]
fn cve_2018_18074_authorization_after_a_downgrade() {
    let ca = Authority::new().unwrap();
    let plain = Server::builder().start().unwrap();
    let script = redirecting(302, &plain.url_for(HOST, "/"));
    let tls = Tls::new(ca.issue(&[HOST]).unwrap());
    let secure = Server::builder().tls(tls).script(script).start().unwrap();
    let build = || named(named(builder(), HOST, &plain), HOST, &secure).tls(trusting(&ca));
    let auth = Auth::basic("user", "password").unwrap();
    let session = build().build().unwrap();
    let url = secure.url_for(HOST, "/from");
    session.get(&url).header("Authorization", "Bearer secret").send().unwrap();
    assert_eq!(last(&plain).header("authorization"), None);
    session.get(&url).auth(auth.clone()).send().unwrap();
    assert_eq!(last(&plain).header("authorization"), None);
    let of_session = build().auth(auth).build().unwrap();
    of_session.get(&url).send().unwrap();
    assert_eq!(last(&plain).header("authorization"), None);
    assert!(secure.requests().iter().all(|got| got.header("authorization").is_some()));
}

/// requests attached `Proxy-Authorization` to the request inside the tunnel after a redirect to https:
/// the origin got the proxy's credentials.
#[test]
fn cve_2023_32681_proxy_credentials_inside_a_tunnel() {
    let ca = Authority::new().unwrap();
    let tls = Tls::new(ca.issue(&[HOST]).unwrap());
    let secure = Server::builder().tls(tls).start().unwrap();
    let plain = Server::start(redirecting(302, "https://one.test/")).unwrap();
    let proxy = Proxy::builder()
        .route("one.test:80", plain.address())
        .route("one.test:443", secure.address())
        .require_authorization("Basic dXNlcjpwYXNz")
        .start()
        .unwrap();
    let url = proxy.url().replace("//", "//user:pass@");
    let session = builder().tls(trusting(&ca)).proxy(&url).build().unwrap();
    session.get("http://one.test/from").send().unwrap();
    let asked: Vec<_> = proxy.requests().into_iter().map(|got| got.method).collect();
    assert_eq!(asked, ["GET", "CONNECT"]);
    let seen = proxy.requests();
    assert!(seen.iter().all(|got| got.header("proxy-authorization").is_some()));
    assert_eq!(last(&secure).header("proxy-authorization"), None);
    assert_eq!(last(&secure).target, "/");
}

/// urllib3 sent a `Cookie` header that was set by hand to whatever origin a redirect led to.
#[test]
fn cve_2023_43804_cookie_header_to_another_origin() {
    let other = Server::builder().start().unwrap();
    let server = Server::start(redirecting(302, &other.url("/"))).unwrap();
    let session = builder().build().unwrap();
    session.get(server.url("/from")).header("Cookie", "id=secret").send().unwrap();
    session.get(server.url("/from")).cookie("id", "secret").send().unwrap();
    let of_session = builder().header("Cookie", "id=secret").build().unwrap();
    of_session.get(server.url("/from")).send().unwrap();
    assert_eq!(server.requests().len(), 3);
    assert!(server.requests().iter().all(|got| got.header("cookie") == Some("id=secret")));
    assert_eq!(other.requests().len(), 3);
    assert!(other.requests().iter().all(|got| got.header("cookie").is_none()));
}

/// urllib3 turned a POST into a GET on a 303 and sent the body all the same.
#[test]
fn cve_2023_45803_body_after_a_303() {
    let server = Server::start(redirecting(303, "/to")).unwrap();
    let session = builder().build().unwrap();
    for chunked in [false, true] {
        let request = session.post(server.url("/from")).header("Content-Type", "text/plain");
        let request = match chunked {
            true => request.body_reader(&b"secret"[..], None),
            false => request.body("secret"),
        };
        request.send().unwrap();
        let got = last(&server);
        assert_eq!((&*got.method, &*got.target, &*got.body), ("GET", "/to", &b""[..]));
        for name in ["content-length", "transfer-encoding", "content-type"] {
            assert_eq!(got.header(name), None, "{name}");
        }
    }
    // Nothing lay around on the connection either: it was used for all of them.
    assert_eq!((server.connections(), server.requests().len()), (1, 4));
}

/// urllib3 sent a `Proxy-Authorization` header set by hand, without any proxy, to other origins.
#[test]
fn cve_2024_37891_proxy_authorization_to_another_origin() {
    let other = Server::builder().start().unwrap();
    let server = Server::start(redirecting(307, &other.url("/"))).unwrap();
    let session = builder().build().unwrap();
    let request = session.get(server.url("/from")).header("Proxy-Authorization", "Basic secret");
    request.send().unwrap();
    assert_eq!(last(&other).header("proxy-authorization"), None);
    // Nor to the first one: it is none of any origin's business.
    assert_eq!(last(&server).header("proxy-authorization"), None);
}

/// urllib3 followed redirects although the pool had been told not to: a guard against requests to
/// internal hosts was none.
#[test]
fn cve_2025_50181_redirects_that_were_switched_off() {
    let inside = Server::builder().start().unwrap();
    let server = Server::start(redirecting(302, &inside.url("/"))).unwrap();
    let url = server.url("/from");
    let none = RedirectPolicy::none();
    // Whoever said it, and whatever else was said.
    let session = builder().redirects(none).build().unwrap();
    assert_eq!(session.get(&url).send().unwrap().status(), 302);
    let many = Retry::new(9).redirect(9);
    assert_eq!(session.get(&url).retry(many.clone()).send().unwrap().status(), 302);
    let session = builder().retry(many).redirects(none).build().unwrap();
    assert_eq!(session.get(&url).send().unwrap().status(), 302);
    // `Retry(redirect=0)`, of the session or of the call.
    let zero = Retry::new(9).redirect(0);
    let session = builder().retry(zero.clone()).build().unwrap();
    let error = session.get(&url).send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooManyRedirects);
    let error = session.get(&url).redirects(RedirectPolicy::limited(9)).send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooManyRedirects);
    let session = builder().build().unwrap();
    let lenient = zero.raise_on_redirect(false);
    assert_eq!(session.get(&url).retry(lenient).send().unwrap().status(), 302);
    assert_eq!((server.requests().len(), inside.connections()), (6, 0));
}

/// urllib3 inflated the body of a redirect that nobody had asked for: a bomb, whatever the caller's
/// limits.
#[test]
fn cve_2026_21441_coded_body_of_a_redirect() {
    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    for _ in 0..4 {
        bomb.write_all(&[0; 1 << 20]).unwrap();
    }
    let bomb = bomb.finish().unwrap();
    assert!(bomb.len() < 64 * 1024, "it is not read at all otherwise");
    let coded = bomb.clone();
    let script = Script::by_request(move |request| match request.path() {
        "/from" => respond_with(302, &[("Location", "/to"), ("Content-Encoding", "gzip")], &coded),
        _ => respond(200, "there"),
    });
    let server = Server::start(script).unwrap();
    let session = builder().build().unwrap();
    let mut response = session.get(server.url("/from")).send().unwrap();
    assert_eq!(response.text().unwrap(), "there");
    // Read to its end, as the connection shows, and left as it came.
    assert!(response.history()[0].raw_body() == bomb);
    assert_eq!(server.connections(), 1);
}

/// urllib3 compared the hosts of connections: behind a proxy all origins were the same one, and got
/// each other's credentials.
#[test]
fn cve_2026_44431_credentials_to_another_origin_behind_one_proxy() {
    let other = Server::builder().start().unwrap();
    let server = Server::start(redirecting(302, "http://two.test/")).unwrap();
    let proxy = Proxy::builder()
        .route("one.test:80", server.address())
        .route("two.test:80", other.address())
        .start()
        .unwrap();
    let through = || builder().proxy(&proxy.url());
    let session = through().build().unwrap();
    let request = session
        .get("http://one.test/from")
        .header("Authorization", "Bearer secret")
        .header("Cookie", "id=secret");
    request.send().unwrap();
    let session = through().auth(Auth::basic("user", "password").unwrap()).build().unwrap();
    session.get("http://one.test/from").send().unwrap();
    // Nor over a connection that is kept for both.
    assert_eq!(proxy.connections(), 2);
    assert!(server.requests().iter().all(|got| got.header("authorization").is_some()));
    assert_eq!(other.requests().len(), 2);
    for got in other.requests() {
        assert_eq!((got.header("authorization"), got.header("cookie")), (None, None));
    }
}
