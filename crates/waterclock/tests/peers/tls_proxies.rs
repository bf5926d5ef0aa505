//! squid as an `https://` proxy: TLS to the proxy, and TLS in TLS to origins behind it.

use crate::peer::{Nginx, PASSWORD, Squid, USER, numbers};
use crate::support::builder;
use waterclock::{Auth, ErrorKind, Phase, RequestSent, Session};

fn through(nginx: &Nginx, squid: &Squid, proxy: &str) -> Session {
    builder().tls(nginx.trust()).proxy_tls(squid.trust()).proxy(proxy).build().unwrap()
}

fn userinfo() -> String {
    format!("{USER}:{PASSWORD}@")
}

#[test]
fn plain_and_tls_origins_are_served() {
    let (Some(nginx), Some(squid)) = (Nginx::start(), Squid::shared()) else { return };
    let guarded = squid.guarded_tls_url(&userinfo());
    for (proxy, host) in [(squid.tls_url(), "127.0.0.1"), (guarded, "shop.test")] {
        for base in nginx.urls("").map(|url| url.replace("127.0.0.1", host)) {
            let session = through(&nginx, &squid, &proxy);
            let mut first = session.get(format!("{base}/host")).send().unwrap();
            assert_eq!(first.text().unwrap(), host, "{proxy} {base}");
            let (info, tunnelled) = (first.connection().unwrap(), base.starts_with("https"));
            assert!(info.proxy_tls.is_some() && info.tls.is_some() == tunnelled);
            for path in ["/numbers.txt", "/gzip/numbers.txt"] {
                let mut large = session.get(format!("{base}{path}")).send().unwrap();
                assert!(large.text().unwrap() == numbers());
            }
            let echo = session.post(format!("{base}/echo")).body("x".repeat(3_000));
            assert_eq!(echo.send().unwrap().text().unwrap().len(), 3_005);
            let body = vec![b'x'; 500_000];
            let stored = session.put(format!("{base}/store/file")).body(body.clone()).send();
            assert!([201, 204].contains(&stored.unwrap().status()));
            let mut stored = session.get(format!("{base}/store/file")).send().unwrap();
            assert!(stored.content().unwrap() == body);
            assert_eq!(stored.connection().unwrap().number, 1, "{proxy} {base}");
        }
    }
}

#[test]
fn passwords_are_for_the_proxy_alone() {
    let (Some(nginx), Some(squid)) = (Nginx::start(), Squid::shared()) else { return };
    let session = through(&nginx, &squid, &squid.guarded_tls_url(&userinfo()));
    for url in nginx.urls("/received") {
        assert_eq!(session.get(&url).send().unwrap().text().unwrap(), "|||");
        let request = session.get(&url).auth(Auth::bearer("origin").unwrap());
        assert_eq!(request.send().unwrap().text().unwrap(), "Bearer origin|||");
    }
    // Without one in the URL a header will do, and goes no further either.
    let session = through(&nginx, &squid, &squid.guarded_tls_url(""));
    for url in nginx.urls("/received") {
        let request = session.get(&url).header("Proxy-Authorization", "Basic dXNlcjpwYXNz");
        assert_eq!(request.send().unwrap().text().unwrap(), "|||");
    }
}

#[test]
fn who_is_not_let_in_is_told_why() {
    let (Some(nginx), Some(squid)) = (Nginx::start(), Squid::shared()) else { return };
    let [plain, tls] = nginx.urls("/host");
    for (proxy, urls, status) in [
        (squid.guarded_tls_url(""), [&*plain, &*tls], 407),
        (squid.guarded_tls_url("user:wrong@"), [&*plain, &*tls], 407),
        (squid.tls_url(), ["http://refused.test/", "https://refused.test/"], 403),
    ] {
        let session = through(&nginx, &squid, &proxy);
        let mut response = session.get(urls[0]).send().unwrap();
        assert_eq!(response.status(), status);
        let page = response.text().unwrap();
        let error = session.get(urls[1]).send().unwrap_err();
        assert_eq!((error.kind(), error.request_sent()), (ErrorKind::Proxy, RequestSent::No));
        assert_eq!((error.status(), error.phase()), (None, Some(Phase::Tunnel)), "{error:#}");
        let answer = error.proxy_response().unwrap();
        assert_eq!(answer.head.status, status);
        assert_eq!(answer.headers().contains("Proxy-Authenticate"), status == 407);
        for page in [page, String::from_utf8_lossy(&answer.body).into_owned()] {
            assert!(page.contains("Denied"), "{page}");
        }
        assert!(error.to_string().contains(&status.to_string()), "{error}");
        assert!(!error.to_string().contains("wrong"), "{error}");
    }
    assert_eq!(nginx.requests(), [""; 0], "the origin was asked");
}

/// Neither side's settings do for the other (GHSA-8988-9cw3-xx77).
#[test]
fn proxy_and_origin_are_trusted_apart() {
    let (Some(nginx), Some(squid)) = (Nginx::start(), Squid::shared()) else { return };
    let refused = |session: Session, url: &str| {
        let error = session.get(url).send().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Certificate, "{error:#}");
        assert_eq!(error.request_sent(), RequestSent::No);
        error.to_string()
    };
    let [plain, tls] = nginx.urls("/host");
    let both = |origin, proxy| {
        builder().tls(origin).proxy_tls(proxy).proxy(&squid.tls_url()).build().unwrap()
    };
    for url in [&plain, &tls] {
        refused(both(squid.trust(), nginx.trust()), url);
        refused(builder().tls(squid.trust()).proxy(&squid.tls_url()).build().unwrap(), url);
    }
    refused(both(squid.trust(), squid.trust()), &tls);
    // For a plain origin only the proxy's count.
    let mut response = both(squid.trust(), squid.trust()).get(&plain).send().unwrap();
    assert_eq!(response.text().unwrap(), "127.0.0.1");
    assert_eq!(nginx.requests().len(), 1);
}

/// The client certificate is for the origin: squid does not ask for one, nginx behind it does.
#[test]
fn a_client_certificate_goes_through_the_tunnel() {
    let (Some(nginx), Some(squid)) = (Nginx::start(), Squid::shared()) else { return };
    let session = through(&nginx, &squid, &squid.tls_url());
    let request = session.get(nginx.mutual_url("/subject")).tls(nginx.trust_as("somebody"));
    assert_eq!(request.send().unwrap().text().unwrap(), "CN=somebody");
    let mut response = session.get(nginx.mutual_url("/subject")).send().unwrap();
    assert!(response.text().unwrap().contains("No required SSL certificate was sent"));
}

#[test]
fn tls_to_a_proxy_that_speaks_none_fails_as_such() {
    let (Some(nginx), Some(squid)) = (Nginx::start(), Squid::shared()) else { return };
    let proxy = squid.url().replace("http:", "https:");
    let error = through(&nginx, &squid, &proxy).get(nginx.url("/host")).send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tls, "{error:#}");
    assert_eq!((error.phase(), error.request_sent()), (Some(Phase::Tls), RequestSent::No));
}
