//! Which of four real proxies, or none, a request goes through.

use crate::peer::{Dante, Microsocks, Nginx, PASSWORD, Squid, Tinyproxy, USER};
use crate::support::builder;
use waterclock::{ConnectionInfo, PastResponse, Proxies, ProxyScheme, Session};

fn with(nginx: &Nginx, squid: &Squid, proxies: Proxies) -> Session {
    builder().tls(nginx.trust()).proxy_tls(squid.trust()).proxies(proxies).build().unwrap()
}

/// The proxy of a connection as its scheme and port.
fn by(info: Option<&ConnectionInfo>) -> Option<String> {
    let proxy = info.unwrap().proxy.as_ref()?;
    Some(format!("{}:{}", proxy.scheme().as_str(), proxy.port()))
}

/// Asks for `url`, and says through which proxy.
fn ask(session: &Session, url: &str) -> Option<String> {
    let response = session.get(url).send().unwrap();
    assert_eq!(response.status(), 200, "{url}");
    by(response.connection())
}

/// What [`by`] says of the proxy at this URL.
fn name(url: &str) -> Option<String> {
    let url: waterclock::Url = url.parse().unwrap();
    Some(format!("{}:{}", url.scheme(), url.port().unwrap()))
}

#[test]
fn exceptions_are_asked_directly() {
    let (Some(nginx), Some(squid)) = (Nginx::shared(), Squid::shared()) else { return };
    let [plain, tls] = nginx.urls("/host");
    let localhost = plain.replace("127.0.0.1", "localhost");
    let port = nginx.address().port();
    let proxy = squid.url();
    let through = name(&proxy);
    for (list, direct) in [
        (String::new(), [false, false, false]),
        ("127.0.0.1".into(), [true, true, false]),
        ("127.0.0.0/8".into(), [true, true, false]),
        ("10.0.0.0/8, ::1, 127.0.0.2".into(), [false, false, false]),
        ("localhost".into(), [false, false, true]),
        (".localhost,127.0.0.1".into(), [true, true, true]),
        ("host, calhost".into(), [false, false, false]),
        (format!("127.0.0.1:{port}"), [true, false, false]),
        ("LOCALHOST. 127.0.0.1:1".into(), [false, false, true]),
        ("*".into(), [true, true, true]),
    ] {
        let proxies = Proxies::direct().with("all", &proxy).unwrap().with_no_proxy(&list);
        let session = with(&nginx, &squid, proxies);
        let expected = direct.map(|direct| if direct { None } else { through.clone() });
        let used = [&plain, &tls, &localhost].map(|url| ask(&session, url));
        assert_eq!(used, expected, "{list:?}");
    }
}

#[test]
fn scheme_and_host_choose_among_proxies() {
    let (Some(nginx), Some(squid), Some(tinyproxy), Some(socks), Some(dante)) =
        (Nginx::shared(), Squid::shared(), Tinyproxy::start(), Microsocks::start(), Dante::start())
    else {
        return;
    };
    let tinyproxy = tinyproxy.url(&format!("{USER}:{PASSWORD}@"));
    let (socks, dante) =
        (format!("socks5h://{}", socks.address()), format!("socks4://{}", dante.address()));
    let proxies = Proxies::direct()
        .with("all", &dante)
        .and_then(|all| all.with("http", &squid.tls_url()))
        .and_then(|all| all.with("https", &tinyproxy))
        .and_then(|all| all.with("https://localhost", &socks))
        .and_then(|all| all.with("http://shop.test", &squid.url()))
        .unwrap();
    let session = with(&nginx, &squid, proxies);
    let [plain, tls] = nginx.urls("/host");
    for (url, proxy) in [
        (plain.clone(), &squid.tls_url()),
        (plain.replace("127.0.0.1", "shop.test"), &squid.url()),
        (tls.clone(), &tinyproxy),
        (tls.replace("127.0.0.1", "localhost"), &socks),
    ] {
        assert_eq!(ask(&session, &url), name(proxy), "{url}");
    }
    // A call's own go before the session's.
    let own = |proxies| by(session.get(&plain).proxies(proxies).send().unwrap().connection());
    assert_eq!(own(Proxies::direct()), None);
    assert_eq!(own(Proxies::direct().with("all", &dante).unwrap()), name(&dante));
    let response = session.get(&tls).proxy(&dante).send().unwrap();
    let used = response.connection().unwrap().proxy.as_ref().unwrap();
    assert_eq!((used.scheme(), used.to_string().contains(PASSWORD)), (ProxyScheme::Socks4, false));
}

/// As `env` would have them: lower case first, an empty one for none.
#[test]
fn variables_choose_among_proxies() {
    let (Some(nginx), Some(squid), Some(socks)) =
        (Nginx::shared(), Squid::shared(), Microsocks::start())
    else {
        return;
    };
    let socks = format!("socks5h://{}", socks.address());
    let [plain, tls] = nginx.urls("/host");
    let (http, all) = (squid.url(), socks.clone());
    for (variables, expected) in [
        (vec![("http_proxy", &*http), ("ALL_PROXY", &*all)], [name(&http), name(&all)]),
        (
            vec![("http_proxy", ""), ("HTTP_PROXY", &*http), ("https_proxy", &*all)],
            [None, name(&all)],
        ),
        (vec![("HTTPS_PROXY", &*http)], [None, name(&http)]),
        (vec![("all_proxy", &*http), ("NO_PROXY", "localhost,127.0.0.1")], [None, None]),
        (vec![("HTTP_PROXY", &*http), ("REQUEST_METHOD", "GET")], [None, None]),
    ] {
        let lookup = |wanted: &str| {
            let found = variables.iter().find(|(name, _)| *name == wanted)?;
            Some(found.1.to_owned())
        };
        let session = with(&nginx, &squid, Proxies::from_environment(lookup).unwrap());
        assert_eq!([&plain, &tls].map(|url| ask(&session, url)), expected, "{variables:?}");
    }
}

/// Each hop asks anew, and no proxy gets what was meant for the other.
#[test]
fn a_redirect_may_lead_through_another_proxy() {
    let (Some(nginx), Some(squid), Some(tinyproxy)) =
        (Nginx::shared(), Squid::shared(), Tinyproxy::start())
    else {
        return;
    };
    let userinfo = format!("{USER}:{PASSWORD}@");
    let (http, https) = (squid.guarded_tls_url(&userinfo), tinyproxy.url(&userinfo));
    let proxies =
        Proxies::direct().with("http", &http).and_then(|map| map.with("https", &https)).unwrap();
    let session = with(&nginx, &squid, proxies.clone());
    let [plain, tls] = nginx.urls("/received");
    for (from, to, used) in [(&plain, &tls, [&http, &https]), (&tls, &plain, [&https, &http])] {
        let url = from.replace("/received", &format!("/to?url={to}"));
        let mut response = session.get(url).send().unwrap();
        assert_eq!(response.text().unwrap(), "|||");
        let past = response.history().first().and_then(PastResponse::connection);
        assert_eq!([by(past), by(response.connection())], used.map(|proxy| name(proxy)));
    }
    // squid lets in whoever knows the password, so without a proxy for https it is told nothing.
    let session = with(&nginx, &squid, proxies.with("https", "").unwrap());
    let request = session.get(nginx.url(&format!("/to?url={tls}")));
    let mut response = request.header("Proxy-Authorization", "Basic dXNlcjpwYXNz").send().unwrap();
    assert_eq!(response.text().unwrap(), "|||");
    assert_eq!(by(response.connection()), None);
}
