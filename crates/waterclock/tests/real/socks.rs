//! SOCKS 4, 4a, 5 and 5h: who looks the name up, what the proxy is told, and what it refuses.

use crate::support::{expect_fired, ms, resolver, trusting};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use waterclock::{
    Error, ErrorKind, Limit, Limits, Phase, RequestSent, ResolveOverride, Session, SessionBuilder,
};
use waterclock_lab::{
    FastServer, Identity, Proxy, Script, Server, Socks, SocksAction, SocksHost, SocksRequest, Step,
    Zone, respond,
};

const SCHEMES: [&str; 4] = ["socks4", "socks4a", "socks5", "socks5h"];

fn builder(proxy: &Socks, scheme: &str) -> SessionBuilder {
    Session::builder().proxy(&proxy.url(scheme)).limits(Limits::total(ms(10_000)))
}

/// An address for `shop.test`, where it is looked up here.
fn known(builder: SessionBuilder, port: u16) -> SessionBuilder {
    builder.resolve(ResolveOverride::new("shop.test", port, vec![Ipv4Addr::LOCALHOST.into()]))
}

fn resolves_here(scheme: &str) -> bool {
    matches!(scheme, "socks4" | "socks5")
}

#[test]
fn names_are_looked_up_where_the_scheme_says() {
    let origin = Server::builder().start().unwrap();
    let port = origin.address().port();
    for scheme in SCHEMES {
        let proxy =
            Socks::builder().route(&format!("shop.test:{port}"), origin.address()).start().unwrap();
        let zone = Zone::new().name("shop.test", [origin.address().ip()], ms(0));
        let zone = zone.name("proxy.test", [proxy.address().ip()], ms(0));
        let (names, lookup) = resolver(zone);
        let url = format!("{scheme}://proxy.test:{}", proxy.address().port());
        let session = Session::builder().proxy(&url).resolver(Arc::new(lookup)).build().unwrap();
        for _ in 0..2 {
            let mut response = session.get(origin.url_for("shop.test", "/x")).send().unwrap();
            assert_eq!(response.text().unwrap(), "ok");
            let info = response.connection().unwrap();
            assert_eq!(info.remote_address, Some(proxy.address()));
            assert_eq!(info.proxy.as_ref().unwrap().to_string(), url);
            assert!(info.tls.is_none() && info.proxy_tls.is_none());
        }
        let here = resolves_here(scheme);
        let host = match here {
            true => SocksHost::Address(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            false => SocksHost::Name("shop.test".to_owned()),
        };
        let version = if scheme.starts_with("socks4") { 4 } else { 5 };
        let asked = SocksRequest { connection: 0, version, host, port, user: None, password: None };
        assert_eq!(proxy.requests(), [asked]);
        assert_eq!(names.queries().iter().any(|query| query.name == "shop.test"), here);
        // What goes through is what would go without a proxy.
        assert_eq!(origin.requests().last().unwrap().target, "/x");
    }
}

#[test]
fn tls_and_large_bodies_pass() {
    let echo = Script::by_request(|request| respond(200, &request.body));
    let body: Vec<u8> = (0..=250_u8).cycle().take(1_000_003).collect();
    for scheme in SCHEMES {
        let identity = Identity::new(&["shop.test"]).unwrap();
        let pem = identity.ca_pem().to_owned();
        let origin = Server::builder().tls(identity).script(echo.clone()).start().unwrap();
        let address = origin.address();
        let proxy =
            Socks::builder().route("shop.test:443", address).route("127.0.0.1:443", address);
        let proxy = proxy.start().unwrap();
        let session = known(trusting(&pem), 443).proxy(&proxy.url(scheme)).build().unwrap();
        for _ in 0..2 {
            let mut response =
                session.post("https://shop.test/").body(body.clone()).send().unwrap();
            assert!(response.content().unwrap() == body);
            assert!(response.connection().unwrap().tls.is_some());
            assert!(response.connection().unwrap().proxy_tls.is_none());
        }
        assert_eq!((proxy.connections(), proxy.requests().len()), (1, 1));
    }
}

#[test]
fn credentials_are_for_the_proxy_alone() {
    let origin = Server::builder().start().unwrap();
    for (scheme, password) in
        [("socks4", None), ("socks4a", None), ("socks5", Some("p@ss")), ("socks5h", Some("p@ss"))]
    {
        let proxy = Socks::builder()
            .route("shop.test:80", origin.address())
            .route("127.0.0.1:80", origin.address())
            .require_password("ann", "p@ss")
            .start()
            .unwrap();
        let url = |user: &str| proxy.url(scheme).replace("//", &format!("//{user}@"));
        let session = known(Session::builder(), 80).build().unwrap();
        let right = url("ann:p%40ss");
        let request = session.get("http://shop.test/").proxy(&right);
        let request = request.header("Proxy-Authorization", "Basic dXNlcjpwYXNz");
        assert_eq!(request.send().unwrap().text().unwrap(), "ok");
        let asked = &proxy.requests()[0];
        assert_eq!((asked.user.as_deref(), asked.password.as_deref()), (Some("ann"), password));
        assert_eq!(origin.requests().last().unwrap().header("proxy-authorization"), None);
        if password.is_none() {
            continue;
        }
        for (url, words) in [
            (url("ann:secret"), "wrong user or password"),
            (proxy.url(scheme), "wants authentication"),
        ] {
            let error = session.get("http://shop.test/").proxy(&url).send().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Proxy, "{error:#}");
            assert!(error.to_string().contains(words), "{error}");
            assert!(!format!("{error:#}{error:?}").contains("secret"), "{error:#}");
        }
    }
}

fn refused(scheme: &str, action: SocksAction) -> Error {
    let proxy = Socks::builder().script(move |_| action.clone()).start().unwrap();
    let session = known(builder(&proxy, scheme), 443).build().unwrap();
    let error = session.get("https://shop.test/").send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Proxy, "{error:#}");
    assert_eq!((error.phase(), error.request_sent()), (Some(Phase::Tunnel), RequestSent::No));
    assert!(error.to_string().contains(&proxy.url(scheme)), "{error}");
    error
}

#[test]
fn refusals_say_what_the_code_means() {
    const WORDS_5: [(u8, &str); 9] = [
        (1, "general failure"),
        (2, "not allowed"),
        (3, "network unreachable"),
        (4, "host unreachable"),
        (5, "connection refused"),
        (6, "TTL expired"),
        (7, "command not supported"),
        (8, "address type not supported"),
        (9, "code 9"),
    ];
    for scheme in ["socks5", "socks5h"] {
        for (code, words) in WORDS_5 {
            let error = refused(scheme, SocksAction::Refuse(code));
            assert!(error.to_string().contains(words), "{code}: {error}");
        }
    }
    for scheme in ["socks4", "socks4a"] {
        for (code, words) in [(91, "rejected"), (92, "identd"), (93, "another user")] {
            let error = refused(scheme, SocksAction::Refuse(code));
            assert!(error.to_string().contains(words), "{code}: {error}");
        }
    }
}

#[test]
fn nonsense_is_an_error_of_the_proxy() {
    for scheme in SCHEMES {
        for steps in [
            vec![Step::Close],
            vec![Step::Reset],
            vec![Step::send("HTTP/1.1 400 Bad Request\r\n\r\n"), Step::Close],
            vec![Step::Send(vec![5, 0, 0, 9]), Step::Close],
            vec![Step::Send(vec![0]), Step::Close],
        ] {
            refused(scheme, SocksAction::Answer(steps));
        }
    }
    // An origin that speaks before it was spoken to.
    for (scheme, yes) in
        [("socks4a", &[0, 90, 0, 0, 0, 0, 0, 0][..]), ("socks5h", &[5, 0, 0, 1, 0, 0, 0, 0, 0, 0])]
    {
        let glued = [yes, b"evil"].concat();
        let steps = vec![Step::Send(glued), Step::Stall];
        let error = refused(scheme, SocksAction::Answer(steps));
        assert!(error.to_string().contains("before the tunnel was used"), "{error}");
    }
}

/// What people get wrong about a proxy is told apart.
#[test]
fn another_kind_of_proxy_is_recognized() {
    let http = Proxy::builder().start().unwrap();
    for scheme in ["socks4a", "socks5h"] {
        let url = http.url().replace("http", scheme);
        let session = Session::builder().proxy(&url);
        let limits = Limits::builder().tunnel(ms(200)).build();
        // The lab's proxy waits for the end of a head.
        let session = session.limits(limits).build().unwrap();
        expect_fired(|| session.get("http://shop.test/"), Limit::Tunnel, Phase::Tunnel);
    }
    let answer = b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec();
    let http = Server::start(vec![Step::ReadExactly(3), Step::Send(answer)]).unwrap();
    let url = format!("socks5h://{}", http.address());
    let session = Session::builder().proxy(&url).build().unwrap();
    let error = session.get("http://shop.test/").send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Proxy);
    assert!(error.to_string().contains("looks like an HTTP proxy"), "{error}");
}

#[test]
fn what_socks_4_cannot_carry_is_refused_before_it_is_asked() {
    let proxy = Socks::builder().start().unwrap();
    for scheme in ["socks4", "socks4a"] {
        let error = builder(&proxy, scheme).build().unwrap().get("http://[::1]/").send();
        let error = error.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error:#}");
        assert!(error.to_string().contains("socks5://"), "{error}");
    }
    assert_eq!(proxy.connections(), 0);
    // Of a name with both kinds of addresses socks4 takes the one it can carry.
    let origin = Server::builder().start().unwrap();
    let proxy = Socks::builder().route("127.0.0.1:80", origin.address()).start().unwrap();
    let both = vec!["::1".parse().unwrap(), Ipv4Addr::LOCALHOST.into()];
    let rule = ResolveOverride::new("shop.test", 80, both);
    let session = builder(&proxy, "socks4").resolve(rule).build().unwrap();
    assert_eq!(session.get("http://shop.test/").send().unwrap().text().unwrap(), "ok");
}

#[test]
fn ipv6_addresses_pass_in_socks_5() {
    let origin = Server::builder().start().unwrap();
    let proxy = Socks::builder().route("[2001:db8::1]:80", origin.address()).start().unwrap();
    for scheme in ["socks5", "socks5h"] {
        let session = builder(&proxy, scheme).build().unwrap();
        assert_eq!(session.get("http://[2001:db8::1]/").send().unwrap().text().unwrap(), "ok");
    }
    let asked = proxy.requests();
    assert_eq!(asked[0].host, SocksHost::Address("2001:db8::1".parse().unwrap()));
    assert_eq!(asked[1].host, asked[0].host);
}

/// Through SOCKS a connection leads to one origin, also for `http://`.
#[test]
fn connections_are_shared_by_origin_and_proxy() {
    let (one, two) = (FastServer::start().unwrap(), FastServer::start().unwrap());
    let proxy = Socks::builder()
        .route("one.test:80", one.address())
        .route("two.test:80", two.address())
        .start()
        .unwrap();
    let session = Session::builder().build().unwrap();
    for id in 0..3 {
        for (host, scheme) in
            [("one.test", "socks5h"), ("two.test", "socks5h"), ("one.test", "socks4a")]
        {
            let request = session.get(format!("http://{host}/?id={id}"));
            let mut response = request.proxy(&proxy.url(scheme)).send().unwrap();
            assert_eq!(response.text().unwrap(), id.to_string());
        }
    }
    assert_eq!((proxy.connections(), one.connections(), two.connections()), (3, 2, 1));
}

/// PySocks gives each recv the whole timeout: 1 s with `timeout=0.3`, and success.
#[test]
fn a_dripped_reply_does_not_outlive_the_tunnel_limit() {
    let reply = [5, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    let drip = Step::Drip { bytes: reply.to_vec(), size: 1, every: ms(100) };
    let script = move |_: &SocksRequest| SocksAction::Answer(vec![drip.clone(), Step::Stall]);
    let proxy = Socks::builder().script(script).start().unwrap();
    let limits = Limits::builder().tunnel(ms(300)).build();
    let session = builder(&proxy, "socks5h").limits(limits).build().unwrap();
    expect_fired(|| session.get("http://shop.test/"), Limit::Tunnel, Phase::Tunnel);
}
