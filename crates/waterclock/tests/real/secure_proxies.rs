//! `https://` proxies: TLS with the proxy under its own policy, and the origin's TLS inside it.

use crate::support::{expect_fired, ms, trust};
use waterclock::tls::{ClientIdentity, Pin, TlsSettings};
use waterclock::{Error, ErrorKind, Limit, Limits, Phase, Session, SessionBuilder};
use waterclock_lab::{
    Authority, FastServer, Handshakes, Identity, Proxy, ProxyAction, Script, Server, Step, Tls,
    TlsScript, TlsVersion, head, respond,
};

/// An origin and a proxy, each with an authority of its own.
struct Way {
    origin: Server,
    proxy: Proxy,
    origin_tls: TlsSettings,
    proxy_tls: TlsSettings,
}

const URL: &str = "https://shop.test/";

impl Way {
    fn new(script: impl Into<Script>) -> Self {
        Way::with(script, |tls| tls, |tls| tls)
    }

    fn with(
        script: impl Into<Script>,
        origin: impl FnOnce(Tls) -> Tls,
        proxy: impl FnOnce(Tls) -> Tls,
    ) -> Self {
        let origins = Identity::new(&["shop.test"]).unwrap();
        let proxys = Identity::new(&["127.0.0.1"]).unwrap();
        let (origin_tls, proxy_tls) = (trust(origins.ca_pem()), trust(proxys.ca_pem()));
        let builder = Server::builder().tls(origin(Tls::new(origins))).script(script);
        let origin = builder.start().unwrap();
        let builder = Proxy::builder().route("shop.test:443", origin.address());
        let proxy = builder.tls(proxy(Tls::new(proxys))).start().unwrap();
        Way { origin, proxy, origin_tls, proxy_tls }
    }

    fn builder(&self) -> SessionBuilder {
        Session::builder()
            .proxy(&self.proxy.url())
            .tls(self.origin_tls.clone())
            .proxy_tls(self.proxy_tls.clone())
            .limits(Limits::total(ms(20_000)))
    }

    fn session(&self) -> Session {
        self.builder().build().unwrap()
    }

    fn refused(&self, session: &Session) -> Error {
        let error = session.get(URL).send().unwrap_err();
        assert!(self.origin.requests().is_empty());
        error
    }
}

#[test]
fn plain_requests_are_forwarded_inside_tls() {
    let (one, two) = (Server::builder().start().unwrap(), Server::builder().start().unwrap());
    let identity = Identity::new(&["127.0.0.1"]).unwrap();
    let trusted = trust(identity.ca_pem());
    let proxy = Proxy::builder()
        .tls(identity)
        .route("one.test:80", one.address())
        .route("two.test:80", two.address())
        .require_authorization("Basic dXNlcjpwYXNz")
        .start()
        .unwrap();
    let url = proxy.url().replace("//", "//user:pass@");
    let session = Session::builder().proxy(&url).proxy_tls(trusted).build().unwrap();
    for url in ["http://one.test/a", "http://two.test/b", "http://one.test/c"] {
        let mut response = session.get(url).send().unwrap();
        assert_eq!(response.text().unwrap(), "ok");
        let info = response.connection().unwrap();
        assert_eq!(info.remote_address, Some(proxy.address()));
        assert_eq!(info.proxy.as_ref().unwrap().to_string(), proxy.url());
        // What is not the origin's is not called the origin's.
        assert!(info.tls.is_none());
        assert_eq!(info.proxy_tls.as_ref().unwrap().version, "TLS 1.3");
    }
    assert_eq!(proxy.requests()[2].target, "http://one.test/c");
    assert_eq!((proxy.connections(), one.requests().len()), (1, 2));
    assert_eq!(one.requests()[0].header("proxy-authorization"), None);
}

#[test]
fn large_bodies_pass_both_ways_through_tls_in_tls() {
    let body: Vec<u8> = (0..=250_u8).cycle().take(1_000_003).collect();
    for version in [TlsVersion::V1_2, TlsVersion::V1_3] {
        let echo = Script::by_request(|request| respond(200, &request.body));
        let way = Way::with(echo, |tls| tls.version(version), |tls| tls.version(version));
        let session = way.session();
        for _ in 0..2 {
            let mut response = session.post(URL).body(body.clone()).send().unwrap();
            assert!(response.content().unwrap() == body);
            let info = response.connection().unwrap().clone();
            let (of_proxy, of_origin) = (info.proxy_tls.unwrap(), info.tls.unwrap());
            assert_ne!(of_proxy.certificates, of_origin.certificates);
        }
        // One connection, one handshake with each; the proxy saw one CONNECT and nothing else.
        let once = Handshakes { full: 1, resumed: 0, failed: 0 };
        assert_eq!((way.proxy.handshakes(), way.origin.handshakes()), (once, once));
        assert_eq!(way.proxy.requests().len(), 1);
        assert_eq!(way.proxy.requests()[0].target, "shop.test:443");
    }
}

/// The body in many small records, and an upload to a reader that takes its time.
#[test]
fn small_records_and_slow_readers_lose_nothing() {
    let body = vec![b'x'; 300_000];
    let slow = Step::ReadSlowly { bytes: 20_000, every: ms(1) };
    let answer = [head(200, &[("Content-Length", "2000")])].concat();
    let drip = Step::Drip { bytes: vec![b'y'; 2000], size: 7, every: ms(0) };
    let way = Way::new(vec![Step::ReadHead, slow, Step::Send(answer), drip, Step::Close]);
    let mut response = way.session().post(URL).body(body.clone()).send().unwrap();
    assert_eq!(response.content().unwrap(), vec![b'y'; 2000]);
    assert!(way.origin.requests()[0].body == body);
}

#[test]
fn an_early_close_is_an_incomplete_body() {
    let part = [head(200, &[("Content-Length", "10")]), b"part".to_vec()].concat();
    let until_close = [head(200, &[]), b"part".to_vec()].concat();
    for (bytes, end) in [
        (part.clone(), Step::Close),
        (part.clone(), Step::CloseWithoutNotify),
        (until_close.clone(), Step::CloseWithoutNotify),
    ] {
        let way = Way::new(vec![Step::ReadHead, Step::Send(bytes), end]);
        let error = way.session().get(URL).send().unwrap().content().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::IncompleteBody, "{error:#}");
    }
    let way = Way::new(vec![Step::ReadHead, Step::Send(until_close), Step::Close]);
    assert_eq!(way.session().get(URL).send().unwrap().content().unwrap(), b"part");
}

#[test]
fn the_proxys_certificate_is_verified_by_the_proxys_policy() {
    let way = Way::new(Script::default());
    let stranger = trust(Authority::new().unwrap().pem());
    // Neither nobody's roots nor those for the origin.
    for settings in [stranger.clone(), way.origin_tls.clone()] {
        let error = way.refused(&way.builder().proxy_tls(settings).build().unwrap());
        assert_eq!(error.kind(), ErrorKind::Certificate, "{error:#}");
        assert!(error.to_string().contains("the proxy's certificate"), "{error}");
        assert!(error.to_string().contains(&way.proxy.url()), "{error}");
        assert!(error.hint().is_some());
    }
    assert!(way.proxy.requests().is_empty());
    // The origin's is the origin's.
    for settings in [stranger, way.proxy_tls.clone()] {
        let error = way.refused(&way.builder().tls(settings).build().unwrap());
        assert_eq!(error.kind(), ErrorKind::Certificate, "{error:#}");
        assert!(!error.to_string().contains("proxy"), "{error}");
    }
}

/// urllib3 gave the proxy's handshake the settings that were for the origin, and the other way
/// round.
#[test]
fn ghsa_8988_9cw3_xx77_the_origins_tls_settings_are_not_for_the_proxy() {
    let ca = Authority::new().unwrap();
    let client = ca.client("somebody").unwrap();
    let identity =
        ClientIdentity::pem(client.certificate_pem().as_bytes(), client.key_pem().as_bytes());
    let identity = identity.unwrap();

    // Pin, name and careless verification of the origin hold for the origin alone.
    let way = Way::new(Script::default());
    let of_origin = way.session().get(URL).send().unwrap().connection().unwrap().clone();
    let pin = {
        use sha2::Digest as _;
        let sum = sha2::Sha256::digest(&of_origin.tls.unwrap().certificates[0]);
        Pin::parse(&sum.iter().map(|byte| format!("{byte:02x}")).collect::<String>()).unwrap()
    };
    let pinned = way.origin_tls.to_builder().pin(pin).server_name("shop.test").build().unwrap();
    assert_eq!(way.builder().tls(pinned).build().unwrap().get(URL).send().unwrap().status(), 200);
    let careless = TlsSettings::builder().danger_accept_invalid_certificates(true).build().unwrap();
    let builder = way.builder().tls(careless.clone()).proxy_tls(way.origin_tls.clone());
    let error = builder.build().unwrap().get(URL).send().unwrap_err();
    assert!(error.to_string().contains("the proxy's certificate"), "{error}");
    // A session that trusts the proxy blindly still looks at the origin.
    let builder = way.builder().proxy_tls(careless).tls(way.proxy_tls.clone());
    let error = builder.build().unwrap().get(URL).send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Certificate, "{error:#}");

    // The client certificate for the origin is shown to the origin.
    for version in [TlsVersion::V1_2, TlsVersion::V1_3] {
        let wants = |tls: Tls| tls.version(version).require_client_certificate(&ca);
        let way = Way::with(Script::default(), wants, |tls| tls);
        let known = way.origin_tls.to_builder().identity(identity.clone()).build().unwrap();
        let session = way.builder().tls(known).build().unwrap();
        assert_eq!(session.get(URL).send().unwrap().status(), 200);

        // And not to a proxy that asks for one, which has to be told by its own settings.
        let way = Way::with(Script::default(), |tls| tls, wants);
        let known = way.origin_tls.to_builder().identity(identity.clone()).build().unwrap();
        let error = way.refused(&way.builder().tls(known).build().unwrap());
        assert_eq!(error.kind(), ErrorKind::Tls, "{error:#}");
        assert!(error.to_string().contains("the proxy"), "{error}");
        assert!(error.to_string().contains("client certificate"), "{error}");
        let known = way.proxy_tls.to_builder().identity(identity.clone()).build().unwrap();
        let session = way.builder().proxy_tls(known).build().unwrap();
        assert_eq!(session.get(URL).send().unwrap().status(), 200);
    }
}

#[test]
fn a_refusal_inside_tls_keeps_status_fields_and_body() {
    let identity = Identity::new(&["127.0.0.1"]).unwrap();
    let trusted = trust(identity.ca_pem());
    let body = vec![b'x'; 40_000];
    let script = move |_: &_| ProxyAction::refuse(403, &[("Via", "lab")], &body);
    let proxy = Proxy::builder().tls(identity).script(script).start().unwrap();
    let builder = Session::builder().proxy(&proxy.url()).proxy_tls(trusted);
    let session = builder.limits(Limits::total(ms(10_000))).build().unwrap();
    let error = session.get(URL).send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Proxy, "{error:#}");
    let response = error.proxy_response().unwrap();
    assert_eq!((response.head.status, response.body.len()), (403, 40_000));
    assert_eq!(response.headers().get("via"), Some(&b"lab"[..]));
    assert!(error.to_string().contains("403 Forbidden"), "{error}");
}

#[test]
fn a_proxy_without_tls_is_told_apart() {
    let proxy = Proxy::builder().start().unwrap();
    let builder = Session::builder().proxy(&proxy.url().replace("http:", "https:"));
    // The lab's proxy waits for the end of a head, which a ClientHello has not got.
    let session = builder.limits(Limits::builder().tls(ms(200)).build()).build().unwrap();
    let error = session.get(URL).send().unwrap_err();
    assert_eq!((error.limit(), error.phase()), (Some(Limit::Tls), Some(Phase::Tls)), "{error:#}");

    let answer = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n".to_vec();
    let plain = Server::start(vec![Step::ReadExactly(5), Step::Send(answer)]).unwrap();
    let builder = Session::builder().proxy(&format!("https://{}", plain.address()));
    let error = builder.build().unwrap().get(URL).send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tls, "{error:#}");
    assert!(error.to_string().contains("the proxy https://127.0.0.1:"), "{error}");
    assert!(error.to_string().contains("plain HTTP"), "{error}");
}

/// In urllib3 each recv of the handshake inside TLS got the whole timeout anew: 17.8 s with
/// `timeout=0.3`, and success.
#[test]
fn a_dripped_handshake_inside_tls_does_not_outlive_its_limit() {
    let drip = |tls: Tls| tls.script(TlsScript::new().drip(20, ms(30)));
    let way = Way::with(Script::default(), drip, |tls| tls);
    let limits = Limits::builder().tls(ms(300)).build();
    let session = way.builder().limits(limits).build().unwrap();
    expect_fired(|| session.get(URL), Limit::Tls, Phase::Tls);

    // The proxy's own handshake, which has the limit to itself.
    let way = Way::with(Script::default(), |tls| tls, drip);
    let session = way.builder().limits(limits).build().unwrap();
    let error = expect_fired(|| session.get(URL), Limit::Tls, Phase::Tls);
    assert!(error.timeline().unwrap().spans().iter().all(|span| span.phase != Phase::Tunnel));
}

#[test]
fn sessions_with_proxy_and_origin_are_resumed_each_for_itself() {
    let way = Way::new(Script::default());
    let session = way.session();
    let resumed = || {
        let mut response = session.get(URL).send().unwrap();
        assert_eq!(response.text().unwrap(), "ok");
        session.close();
        let info = response.connection().unwrap();
        (info.proxy_tls.as_ref().unwrap().resumed, info.tls.as_ref().unwrap().resumed)
    };
    assert_eq!((resumed(), resumed()), ((false, false), (true, true)));
}

/// What lies decrypted in a layer, no wait for the socket would tell of.
#[test]
fn a_head_of_several_records_is_read_to_its_end() {
    let value = "v".repeat(8_000);
    let fields: Vec<_> = (0..7).map(|_| ("X-Long", &*value)).collect();
    let script = Script::every_request(waterclock_lab::respond_with(200, &fields, "ok"));
    let way = Way::new(script.clone());
    assert_eq!(way.session().get(URL).send().unwrap().text().unwrap(), "ok");

    let identity = Identity::new(&["127.0.0.1"]).unwrap();
    let trusted = trust(identity.ca_pem());
    let server = Server::builder().tls(identity).script(script).start().unwrap();
    let session = Session::builder().tls(trusted).limits(Limits::total(ms(5_000)));
    let mut response = session.build().unwrap().get(server.url("/")).send().unwrap();
    assert_eq!(response.text().unwrap(), "ok");
}

#[test]
fn connections_behind_an_https_proxy_are_kept() {
    let identity = Identity::new(&["shop.test"]).unwrap();
    let proxys = Identity::new(&["127.0.0.1"]).unwrap();
    let builder =
        Session::builder().tls(trust(identity.ca_pem())).proxy_tls(trust(proxys.ca_pem()));
    let origin = FastServer::start_tls(identity).unwrap();
    let proxy = Proxy::builder().route("shop.test:443", origin.address()).tls(proxys);
    let proxy = proxy.start().unwrap();
    let session = builder.proxy(&proxy.url()).build().unwrap();
    for id in 0..20 {
        let url = format!("https://shop.test/?id={id}");
        assert_eq!(session.get(url).send().unwrap().text().unwrap(), id.to_string());
    }
    assert_eq!((proxy.connections(), origin.connections()), (1, 1));
}
