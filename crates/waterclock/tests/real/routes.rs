//! Which proxy serves which request, and what nobody but that proxy gets to see.

use crate::support::{ms, trust, trusting};
use waterclock::tls::TlsSettings;
use waterclock::{ErrorKind, Limits, Proxies, Response, Session, SessionBuilder};
use waterclock_lab::{Authority, FastServer, Identity, Proxy, Script, Server, respond};

/// `user:pass` in Basic.
const CREDENTIALS: &str = "Basic dXNlcjpwYXNz";

fn direct() -> Proxies {
    Proxies::direct()
}

fn builder(proxies: Proxies) -> SessionBuilder {
    Session::builder().proxies(proxies).limits(Limits::total(ms(10_000)))
}

fn through(response: &Response) -> Option<String> {
    response.connection().unwrap().proxy.as_ref().map(ToString::to_string)
}

/// A proxy that takes every one of `targets` to `origin`.
fn proxy_to(origin: &Server, targets: &[&str]) -> Proxy {
    let route = |builder: waterclock_lab::ProxyBuilder, target: &&str| {
        builder.route(target, origin.address())
    };
    targets.iter().fold(Proxy::builder(), route).start().unwrap()
}

fn plain() -> Server {
    Server::builder().start().unwrap()
}

#[test]
fn maps_choose_by_scheme_and_host() {
    let origin = plain();
    let identity = Identity::new(&["one.test", "two.test"]).unwrap();
    let trusted = trust(identity.ca_pem());
    let secure = Server::builder().tls(identity).start().unwrap();
    let general = proxy_to(&origin, &["one.test:80", "two.test:80"]);
    let special = proxy_to(&origin, &["one.test:80"]);
    let tunnels = proxy_to(&secure, &["one.test:443", "two.test:443"]);
    let proxies = direct()
        .with("http", &general.url())
        .and_then(|proxies| proxies.with("http://one.test", &special.url()))
        .and_then(|proxies| proxies.with("all", &tunnels.url()))
        .unwrap();
    let session = builder(proxies.with_no_proxy("127.0.0.0/8")).tls(trusted).build().unwrap();
    for (url, proxy) in [
        ("http://one.test/", Some(&special)),
        ("http://two.test/", Some(&general)),
        ("https://one.test/", Some(&tunnels)),
        ("https://two.test/", Some(&tunnels)),
        (&*origin.url("/"), None),
    ] {
        for _ in 0..2 {
            let mut response = session.get(url).send().unwrap();
            assert_eq!(response.text().unwrap(), "ok");
            assert_eq!(through(&response), proxy.map(Proxy::url), "{url}");
        }
    }
    assert_eq!((special.connections(), general.connections(), tunnels.connections()), (1, 1, 2));
}

#[test]
fn a_request_chooses_for_itself() {
    let origin = plain();
    let (one, two) = (proxy_to(&origin, &[]), proxy_to(&origin, &[]));
    let session = builder(direct()).proxy(&one.url()).build().unwrap();
    let ask = |request: waterclock::Request<'_>| {
        let mut response = request.send().unwrap();
        response.content().unwrap();
        through(&response)
    };
    for _ in 0..2 {
        assert_eq!(ask(session.get(origin.url("/"))), Some(one.url()));
        assert_eq!(ask(session.get(origin.url("/")).proxies(direct())), None);
        assert_eq!(ask(session.get(origin.url("/")).proxy(&two.url())), Some(two.url()));
        let none = direct().with("all", &two.url()).unwrap().with_no_proxy("127.0.0.1");
        assert_eq!(ask(session.get(origin.url("/")).proxies(none)), None);
    }
    // Each way was made once, and no connection has served another way.
    assert_eq!((one.connections(), two.connections()), (1, 1));
    let targets: Vec<_> = origin.requests().into_iter().map(|request| request.target).collect();
    assert!(targets.iter().all(|target| target == "/"), "{targets:?}");
}

#[test]
fn a_proxy_that_is_none_is_refused_before_anything_is_sent() {
    let session = Session::builder().build().unwrap();
    let error = session.get("http://shop.test/").proxy("ftp://user:secret@host").send();
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidUrl);
    assert!(error.to_string().contains("ftp") && !error.to_string().contains("secret"), "{error}");
    assert!(Session::builder().proxy("").build().is_err());
}

/// The credentials are part of what tells proxies apart (CVE-2016-5420 was their lack).
#[test]
fn a_connection_of_one_user_of_a_proxy_never_serves_another() {
    let identity = Identity::new(&["shop.test"]).unwrap();
    let pem = identity.ca_pem().to_owned();
    let secure = Server::builder().tls(identity).start().unwrap();
    let origin = plain();
    let proxy = Proxy::builder()
        .route("shop.test:443", secure.address())
        .route("shop.test:80", origin.address())
        .start()
        .unwrap();
    let session = trusting(&pem).build().unwrap();
    let url = |user: &str| proxy.url().replace("//", &format!("//{user}"));
    for url in [url("ann:1@"), url("ann:2@"), url("bob:1@"), url("")] {
        for origin in ["https://shop.test/", "http://shop.test/"] {
            for _ in 0..2 {
                session.get(origin).proxy(&url).send().unwrap().content().unwrap();
            }
        }
    }
    assert_eq!(proxy.connections(), 8);
    // A tunnel is its user's also if the request says who that is.
    for user in ["Bearer a", "Bearer b"] {
        for _ in 0..2 {
            let request = session.get("https://shop.test/").proxy(&url(""));
            request.header("Proxy-Authorization", user).send().unwrap().content().unwrap();
        }
    }
    assert_eq!(proxy.connections(), 10);
}

/// requests sent a connection that had been made without verification to verified calls.
#[test]
fn cve_2024_35195_an_unverified_tunnel_never_serves_a_verified_call() {
    let identity = Identity::new(&["shop.test"]).unwrap();
    let origin = FastServer::start_tls(identity).unwrap();
    let proxy = Proxy::builder().route("shop.test:443", origin.address()).start().unwrap();
    let strict = trust(Authority::new().unwrap().pem());
    let careless = TlsSettings::builder().danger_accept_invalid_certificates(true).build().unwrap();
    let session = builder(direct()).proxy(&proxy.url()).tls(strict).build().unwrap();
    for _ in 0..2 {
        let request = session.get("https://shop.test/?id=1").tls(careless.clone());
        assert_eq!(request.send().unwrap().text().unwrap(), "1");
        let error = session.get("https://shop.test/?id=2").send().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Certificate);
    }
    assert_eq!((proxy.connections(), origin.requests()), (3, 2));
}

/// requests sent the proxy's credentials through the tunnel to the origin.
#[test]
fn cve_2023_32681_the_proxys_credentials_stay_with_the_proxy() {
    let identity = Identity::new(&["shop.test"]).unwrap();
    let pem = identity.ca_pem().to_owned();
    let origin = Server::builder().tls(identity).start().unwrap();
    let proxy = Proxy::builder()
        .route("shop.test:443", origin.address())
        .require_authorization(CREDENTIALS)
        .start()
        .unwrap();
    let with = proxy.url().replace("//", "//user:pass@");
    let session = trusting(&pem).build().unwrap();
    let ask = |url: &str, own: Option<&str>| {
        let request = session.get("https://shop.test/").proxy(url);
        let request = match own {
            Some(own) => request.header("proxy-authorization", own),
            None => request,
        };
        request.send().map(|response| response.status())
    };
    assert_eq!(ask(&with, None).unwrap(), 200);
    // What the caller set goes on the CONNECT, unless the URL has credentials.
    assert_eq!(ask(&proxy.url(), Some(CREDENTIALS)).unwrap(), 200);
    session.close();
    assert_eq!(ask(&with, Some("Bearer other")).unwrap(), 200);
    let error = ask(&proxy.url(), Some("Bearer other")).unwrap_err();
    assert_eq!(error.proxy_response().unwrap().head.status, 407);
    let connects = proxy.requests();
    assert!(connects.iter().all(|asked| asked.method == "CONNECT"));
    let given: Vec<_> = connects.iter().filter_map(|a| a.header("proxy-authorization")).collect();
    assert_eq!(given, [CREDENTIALS, CREDENTIALS, CREDENTIALS, "Bearer other"]);
    assert_eq!(origin.requests().len(), 3);
    for got in origin.requests() {
        assert_eq!(got.header("proxy-authorization"), None);
    }
}

/// urllib3 sent a Proxy-Authorization that was set by hand to origins, without any proxy.
#[test]
fn cve_2024_37891_proxy_authorization_is_not_for_origins() {
    let origin = plain();
    let session = Session::builder().header("Proxy-Authorization", CREDENTIALS).build().unwrap();
    session.get(origin.url("/")).send().unwrap().content().unwrap();
    let request = session.get(origin.url("/")).header("PROXY-AUTHORIZATION", "Bearer x");
    request.send().unwrap().content().unwrap();
    for got in origin.requests() {
        assert_eq!(got.header("proxy-authorization"), None);
    }
    assert_eq!(origin.requests().len(), 2);
}

#[test]
fn a_forward_proxy_gets_one_proxy_authorization() {
    let origin = plain();
    let proxy = proxy_to(&origin, &[]);
    let with = proxy.url().replace("//", "//user:pass@");
    let session = Session::builder().header("Proxy-Authorization", "Bearer x").build().unwrap();
    for (url, expected) in [(proxy.url(), "Bearer x"), (with, CREDENTIALS)] {
        session.get(origin.url("/")).proxy(&url).send().unwrap().content().unwrap();
        let asked = proxy.requests().pop().unwrap();
        let fields = asked.headers.iter().filter(|(name, _)| name == "Proxy-Authorization");
        assert_eq!(fields.map(|(_, value)| &**value).collect::<Vec<_>>(), [expected]);
    }
    assert_eq!(origin.requests()[1].header("proxy-authorization"), None);
}

/// http.client wrote whatever stood in host and headers into the CONNECT.
#[test]
fn urllib3_5091_line_breaks_never_reach_a_connect() {
    let origin = plain();
    let proxy = proxy_to(&origin, &[]);
    let session = builder(direct()).proxy(&proxy.url()).build().unwrap();
    for url in [
        "https://shop.test\r\nX-Evil: 1/",
        "https://shop.test%0d%0aX-Evil: 1/",
        "https://shop.test:443\r\n\r\nGET / HTTP/1.1/",
    ] {
        assert_eq!(session.get(url).send().unwrap_err().kind(), ErrorKind::InvalidUrl, "{url}");
    }
    let request = session.get("https://shop.test/");
    let error = request.header("Proxy-Authorization", "Basic x\r\nX-Evil: 1").send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    for user in ["a%0d%0aX-Evil: 1:b@", "a:b%0d%0aX-Evil:%201@"] {
        let url = proxy.url().replace("//", &format!("//{user}"));
        let error = session.get("https://shop.test/").proxy(&url).send().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidUrl);
    }
    assert_eq!((proxy.connections(), proxy.requests().len()), (0, 0));
}

#[test]
fn a_unix_socket_needs_no_proxy() {
    let path = std::env::temp_dir().join(format!("waterclock-routes-{}.sock", std::process::id()));
    let origin = Server::builder()
        .unix(&path)
        .script(Script::every_request(respond(200, "local")))
        .start()
        .unwrap();
    let proxy = proxy_to(&origin, &[]);
    let session = builder(direct()).proxy(&proxy.url()).unix_socket(&path).build().unwrap();
    let request = session.get("http://shop.test/").header("Proxy-Authorization", CREDENTIALS);
    let mut response = request.send().unwrap();
    assert_eq!(response.text().unwrap(), "local");
    assert_eq!(through(&response), None);
    let got = &origin.requests()[0];
    assert_eq!((&*got.target, got.header("proxy-authorization")), ("/", None));
}
