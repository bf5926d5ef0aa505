//! microsocks and Dante between the client and nginx: every version of SOCKS.

use crate::peer::{Dante, Microsocks, Nginx, PASSWORD, USER, numbers};
use crate::support::builder;
use std::net::{IpAddr, Ipv4Addr};
use waterclock::{ErrorKind, Phase, RequestSent, ResolveOverride, Session, SessionBuilder};

fn through(nginx: &Nginx, proxy: &str) -> SessionBuilder {
    builder().tls(nginx.trust()).proxy(proxy)
}

/// What every SOCKS server must do for a client that it lets in.
fn serves(nginx: &Nginx, proxy: &str) {
    let named = |url: String| url.replace("127.0.0.1", "localhost");
    for base in nginx.urls("").into_iter().chain(nginx.urls("").map(named)) {
        let session = through(nginx, proxy).build().unwrap();
        let host = if base.contains("localhost") { "localhost" } else { "127.0.0.1" };
        let mut first = session.get(format!("{base}/host")).send().unwrap();
        assert_eq!(first.text().unwrap(), host, "{proxy} {base}");
        let info = first.connection().unwrap();
        assert_eq!(info.tls.is_some(), base.starts_with("https"));
        let (scheme, _) = proxy.split_once(':').unwrap();
        assert_eq!(info.proxy.as_ref().unwrap().scheme().as_str(), scheme);
        assert!(first.timeline().spans().iter().any(|span| span.phase == Phase::Tunnel));
        // Once it stands, the way is a connection like any other.
        let mut large = session.get(format!("{base}/numbers.txt")).send().unwrap();
        assert!(large.text().unwrap() == numbers());
        let echo = session.post(format!("{base}/echo")).body_reader(&b"in chunks"[..], None);
        let mut echo = echo.send().unwrap();
        assert_eq!(echo.text().unwrap(), "POST in chunks");
        assert_eq!(echo.connection().unwrap().number, 1);
        // Neither proxy nor origin hears more than it must.
        let mut seen = session.get(format!("{base}/received")).send().unwrap();
        assert_eq!(seen.text().unwrap(), "|||");
    }
}

#[test]
fn microsocks_serves() {
    let (Some(nginx), Some(open)) = (Nginx::shared(), Microsocks::start()) else { return };
    for scheme in ["socks5", "socks5h"] {
        serves(&nginx, &format!("{scheme}://{}", open.address()));
    }
    // It wants no password, and gets none.
    serves(&nginx, &format!("socks5h://{USER}:{PASSWORD}@{}", open.address()));
}

#[test]
fn microsocks_wants_a_password() {
    let (Some(nginx), Some(guarded)) = (Nginx::shared(), Microsocks::with_password()) else {
        return;
    };
    for scheme in ["socks5", "socks5h"] {
        let proxy = |userinfo: &str| format!("{scheme}://{userinfo}{}", guarded.address());
        serves(&nginx, &proxy(&format!("{USER}:{PASSWORD}@")));
        for userinfo in ["", "user:stolen@", "nobody:pass@"] {
            for url in nginx.urls("/host") {
                let error = through(&nginx, &proxy(userinfo)).build().unwrap().get(url).send();
                let error = error.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Proxy, "{error:#}");
                assert_eq!(
                    (error.phase(), error.request_sent()),
                    (Some(Phase::Tunnel), RequestSent::No)
                );
                assert!(!error.to_string().contains("stolen"), "{error}");
            }
        }
    }
}

#[test]
fn dante_serves_every_version() {
    let (Some(nginx), Some(dante)) = (Nginx::shared(), Dante::start()) else { return };
    for scheme in ["socks4", "socks5", "socks5h"] {
        serves(&nginx, &format!("{scheme}://{}", dante.address()));
    }
    // For SOCKS 4 there is a user without a password.
    serves(&nginx, &format!("socks4://{USER}@{}", dante.address()));
}

/// Who looks names up: the client for SOCKS 4 and 5, the proxy for 5h.
#[test]
fn names_are_looked_up_where_the_scheme_says() {
    let (Some(nginx), Some(dante), Some(microsocks)) =
        (Nginx::shared(), Dante::start(), Microsocks::start())
    else {
        return;
    };
    let port = nginx.address().port();
    let here = |name: &str, last| {
        ResolveOverride::new(name, port, vec![IpAddr::V4(Ipv4Addr::new(127, 0, 0, last))])
    };
    let get =
        |session: &Session, name: &str| session.get(format!("http://{name}:{port}/host")).send();
    for proxy in [dante.address(), microsocks.address()] {
        // Nobody but we knows `shop.test`, and here `localhost` is where nobody listens.
        for scheme in ["socks4", "socks5"] {
            if scheme == "socks4" && proxy == microsocks.address() {
                continue;
            }
            let session = through(&nginx, &format!("{scheme}://{proxy}"));
            let session = session.resolve(here("shop.test", 1)).resolve(here("localhost", 9));
            let session = session.build().unwrap();
            assert_eq!(get(&session, "shop.test").unwrap().text().unwrap(), "shop.test");
            let error = get(&session, "localhost").unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Proxy, "{error:#}");
        }
        let session = through(&nginx, &format!("socks5h://{proxy}"));
        let session = session.resolve(here("localhost", 9)).build().unwrap();
        assert_eq!(get(&session, "localhost").unwrap().text().unwrap(), "localhost");
    }
}

#[test]
fn what_the_proxy_says_of_an_origin_that_is_missing_is_told() {
    let (Some(nginx), Some(dante), Some(microsocks)) =
        (Nginx::shared(), Dante::start(), Microsocks::start())
    else {
        return;
    };
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (proxy, words) in [
        (format!("socks4://{}", dante.address()), "request rejected or failed"),
        (format!("socks5://{}", dante.address()), "refused"),
        (format!("socks5h://{}", microsocks.address()), "refused"),
    ] {
        let session = through(&nginx, &proxy).build().unwrap();
        for scheme in ["http", "https"] {
            let error = session.get(format!("{scheme}://{closed}/")).send().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Proxy, "{proxy}: {error:#}");
            assert!(error.to_string().contains(words), "{proxy}: {error}");
            assert!(error.retry_safe());
        }
    }
}

#[test]
fn a_version_that_is_not_spoken_is_told() {
    let (Some(nginx), Some(microsocks)) = (Nginx::shared(), Microsocks::start()) else { return };
    let session = through(&nginx, &format!("socks4://{}", microsocks.address())).build().unwrap();
    let error = session.get(nginx.url("/host")).send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Proxy, "{error:#}");
    // Neither is a web server a proxy of this kind.
    let session = through(&nginx, &format!("socks5://{}", nginx.address())).build().unwrap();
    let error = session.get(nginx.url("/host")).send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Proxy, "{error:#}");
}
