//! TLS over real sockets: who is trusted, what is said when nobody is, and how streams end.

use crate::support::{ms, session, timed, trust, trust_authority, trusting};
use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use waterclock::observe::{Observer, SpanEnded};
use waterclock::tls::{ClientIdentity, KeyLogging, Pin, TlsSettings, TlsVersion as Minimum};
use waterclock::{Error, ErrorKind, Limits, Phase, ResolveOverride, Session};
use waterclock_lab::{
    Authority, FastServer, Identity, Script, Server, Step, Tls, TlsVersion, head, respond,
    respond_with,
};

const NAMES: &[&str] = &["127.0.0.1", "shop.test"];

fn server(identity: impl Into<Tls>) -> Server {
    Server::builder().tls(identity).start().unwrap()
}

fn get(server: &Server, settings: &TlsSettings) -> Result<waterclock::Response, Error> {
    session(Limits::total(ms(10_000))).get(server.url("/")).tls(settings.clone()).send()
}

fn refused(identity: Identity, settings: &TlsSettings, reason: &str) {
    let server = server(identity);
    let error = get(&server, settings).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Certificate, "{error:#}");
    assert!(error.to_string().contains(reason), "{reason}: {error}");
    assert!(server.requests().is_empty());
}

#[test]
fn certificates_are_refused_for_their_reason() {
    let ca = Authority::new().unwrap();
    let trusted = trust_authority(&ca);
    refused(ca.expired(NAMES).unwrap(), &trusted, "expired");
    refused(ca.not_yet_valid(NAMES).unwrap(), &trusted, "not valid before");
    refused(ca.issue(&["other.test"]).unwrap(), &trusted, "127.0.0.1");
    refused(Identity::new(NAMES).unwrap(), &trusted, "trust");
    refused(Identity::self_signed(NAMES).unwrap(), &trusted, "signed by itself");
}

#[test]
fn both_versions_are_spoken_and_the_minimum_kept() {
    for (version, name) in [(TlsVersion::V1_2, "TLS 1.2"), (TlsVersion::V1_3, "TLS 1.3")] {
        let identity = Identity::new(NAMES).unwrap();
        let trusted = trust(identity.ca_pem());
        let server = server(Tls::new(identity).version(version));
        let mut response = get(&server, &trusted).unwrap();
        assert_eq!(response.text().unwrap(), "ok");
        assert_eq!(response.connection().unwrap().tls.as_ref().unwrap().version, name);
        let strict = trusted.to_builder().minimum_version(Minimum::Tls13).build().unwrap();
        match get(&server, &strict) {
            Ok(_) => assert_eq!(version, TlsVersion::V1_3),
            Err(error) => assert_eq!((error.kind(), version), (ErrorKind::Tls, TlsVersion::V1_2)),
        }
    }
}

#[test]
fn sessions_are_resumed_on_a_second_connection() {
    for version in [TlsVersion::V1_2, TlsVersion::V1_3] {
        let identity = Identity::new(NAMES).unwrap();
        let builder = trusting(identity.ca_pem());
        let server = server(Tls::new(identity).version(version));
        let session = builder.build().unwrap();
        let resumed = || {
            let mut response = session.get(server.url("/")).send().unwrap();
            assert_eq!(response.text().unwrap(), "ok");
            session.close();
            let info = response.connection().unwrap();
            (info.number, info.tls.as_ref().unwrap().resumed)
        };
        assert_eq!((resumed(), resumed()), ((1, false), (2, true)), "{version:?}");
    }
}

#[test]
fn a_client_certificate_is_shown_where_it_is_wanted() {
    let ca = Authority::new().unwrap();
    let client = ca.client("somebody").unwrap();
    let identity =
        ClientIdentity::pem(client.certificate_pem().as_bytes(), client.key_pem().as_bytes());
    let trusted = trust_authority(&ca);
    let known = trusted.to_builder().identity(identity.unwrap()).build().unwrap();
    for version in [TlsVersion::V1_2, TlsVersion::V1_3] {
        let tls = Tls::new(ca.issue(NAMES).unwrap()).version(version);
        let server = server(tls.require_client_certificate(&ca));
        assert_eq!(get(&server, &known).unwrap().status(), 200);
        let error = get(&server, &trusted).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Tls, "{error:#}");
        assert!(error.to_string().contains("client certificate"), "{error}");
    }
}

#[test]
fn pins_hold_even_where_nothing_else_is_verified() {
    let identity = Identity::new(NAMES).unwrap();
    let trusted = trust(identity.ca_pem());
    let stranger = Identity::new(NAMES).unwrap();
    let fingerprint = |identity: &Identity| {
        use sha2::Digest as _;
        let sum = sha2::Sha256::digest(identity.certificate_der());
        let hex: String = sum.iter().map(|byte| format!("{byte:02x}")).collect();
        Pin::parse(&hex).unwrap()
    };
    let (right, wrong) = (fingerprint(&identity), fingerprint(&stranger));
    let server = server(identity);
    for base in
        [trusted.to_builder(), trusted.to_builder().danger_accept_invalid_certificates(true)]
    {
        let pinned = |pin| base.clone().pin(pin).build().unwrap();
        assert_eq!(get(&server, &pinned(right)).unwrap().status(), 200);
        let error = get(&server, &pinned(wrong)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Certificate, "{error:#}");
        assert!(error.to_string().contains("pin"), "{error}");
    }
}

#[test]
fn unverified_connections_never_serve_verified_calls() {
    let identity = Identity::self_signed(NAMES).unwrap();
    let server = FastServer::start_tls(identity).unwrap();
    let strict = trust_authority(&Authority::new().unwrap());
    let careless = strict.to_builder().danger_accept_invalid_certificates(true).build().unwrap();
    let session = Session::builder().tls(strict).build().unwrap();
    for _ in 0..2 {
        let mut response = session.get(server.url("/")).tls(careless.clone()).send().unwrap();
        response.content().unwrap();
        let error = session.get(server.url("/")).send().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Certificate);
    }
    // The careless calls did share theirs; the strict ones never reached the server.
    assert_eq!((server.connections(), server.requests()), (3, 2));
}

#[test]
fn names_are_verified_as_the_url_says_wherever_the_address_came_from() {
    let identity = Identity::new(&["shop.test"]).unwrap();
    let pem = identity.ca_pem().to_owned();
    let server = server(identity);
    let port = server.address().port();
    let rule = |host: &str| ResolveOverride::new(host, port, vec![server.address().ip()]);
    let session = trusting(&pem).resolve(rule("shop.test")).resolve(rule("evil.test"));
    let session = session.build().unwrap();
    assert_eq!(session.get(server.url_for("shop.test", "/")).send().unwrap().status(), 200);
    let error = session.get(server.url_for("evil.test", "/")).send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Certificate);
    let renamed = trust(&pem).to_builder().server_name("shop.test").build().unwrap();
    let response = session.get(server.url_for("evil.test", "/")).tls(renamed).send().unwrap();
    assert_eq!(response.status(), 200);
}

#[test]
fn https_to_a_plain_port_says_so_at_once() {
    let answer = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n".to_vec();
    let server = Server::start(vec![Step::ReadExactly(5), Step::Send(answer)]).unwrap();
    let session = session(Limits::total(ms(10_000)));
    let url = server.url("/").replace("http:", "https:");
    let (error, elapsed) = timed(|| session.get(url).send().unwrap_err());
    assert_eq!(error.kind(), ErrorKind::Tls, "{error:#}");
    assert!(error.to_string().contains("plain HTTP"), "{error}");
    assert!(error.hint().unwrap().contains("http://"), "{:?}", error.hint());
    assert!(elapsed < ms(5_000), "{elapsed:?}");
}

#[test]
fn http_to_a_tls_port_says_so_at_once() {
    let server = server(Identity::new(NAMES).unwrap());
    let session = session(Limits::total(ms(10_000)));
    let url = server.url("/").replace("https:", "http:");
    let (error, elapsed) = timed(|| session.get(url).send().unwrap_err());
    assert_eq!(error.kind(), ErrorKind::Protocol, "{error:#}");
    assert!(error.to_string().contains("TLS"), "{error}");
    assert!(elapsed < ms(5_000), "{elapsed:?}");
}

#[test]
fn without_close_notify_a_body_that_ends_with_its_connection_is_incomplete() {
    let until_close = [head(200, &[]), b"part".to_vec()].concat();
    let counted = [head(200, &[("Content-Length", "4")]), b"full".to_vec()].concat();
    let lists = [
        vec![Step::ReadHead, Step::Send(until_close.clone()), Step::CloseWithoutNotify],
        vec![Step::ReadHead, Step::Send(counted), Step::CloseWithoutNotify],
        vec![Step::ReadHead, Step::Send(until_close), Step::Close],
    ];
    let identity = Identity::new(NAMES).unwrap();
    let trusted = trust(identity.ca_pem());
    let script = Script::connections(lists);
    let server = Server::builder().tls(identity).script(script).start().unwrap();
    let error = get(&server, &trusted).unwrap().content().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::IncompleteBody, "{error:#}");
    assert!(error.to_string().contains("without TLS's close_notify"), "{error:#}");
    assert_eq!(get(&server, &trusted).unwrap().content().unwrap(), b"full");
    assert_eq!(get(&server, &trusted).unwrap().content().unwrap(), b"part");
}

#[test]
fn an_early_413_is_returned_and_the_upload_ended() {
    let refusal = respond_with(413, &[("Connection", "close")], "too much");
    let steps = [vec![Step::ReadHead], refusal, vec![Step::HalfClose, Step::Drain]].concat();
    let identity = Identity::new(NAMES).unwrap();
    let trusted = trust(identity.ca_pem());
    let secure =
        Server::builder().tls(identity).script(steps.clone()).receive_buffer(65_536).start();
    let plain = Server::builder().script(steps).receive_buffer(65_536).start();
    for server in [secure.unwrap(), plain.unwrap()] {
        let session = session(Limits::total(ms(20_000)));
        let source = std::io::repeat(b'x');
        let request = session.post(server.url("/")).tls(trusted.clone());
        let mut response = request.body_reader(source, None).send().unwrap();
        assert_eq!((response.status(), &*response.text().unwrap()), (413, "too much"));
    }
}

#[test]
fn an_early_answer_followed_by_a_reset_is_still_returned() {
    let steps = [vec![Step::ReadHead], respond(413, "too much"), vec![Step::sleep_ms(20)]].concat();
    let server = Server::builder().script(steps).receive_buffer(65_536).start().unwrap();
    let session = session(Limits::total(ms(20_000)));
    let source = std::io::repeat(b'x');
    let mut response = session.post(server.url("/")).body_reader(source, None).send().unwrap();
    assert_eq!((response.status(), &*response.text().unwrap()), (413, "too much"));
}

#[test]
fn large_bodies_pass_both_ways() {
    let script = Script::by_request(|request| respond(200, &request.body));
    let identity = Identity::new(NAMES).unwrap();
    let trusted = trust(identity.ca_pem());
    let server = Server::builder().tls(identity).script(script).start().unwrap();
    let body: Vec<u8> = (0..=250_u8).cycle().take(1_000_003).collect();
    let session = session(Limits::none());
    let request = session.post(server.url("/")).tls(trusted).body(body.clone());
    assert!(request.send().unwrap().content().unwrap() == body);
}

#[test]
fn keys_are_logged_where_the_settings_say() {
    let path = std::env::temp_dir().join(format!("waterclock-real-{}.keys", std::process::id()));
    let _removed = Removed(path.clone());
    let identity = Identity::new(NAMES).unwrap();
    let trusted = trust(identity.ca_pem());
    let logging = KeyLogging::File(path.clone());
    let settings = trusted.to_builder().key_logging(logging).build().unwrap();
    let server = server(identity);
    get(&server, &settings).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("CLIENT_TRAFFIC_SECRET_0 "), "{text}");
}

/// A file that is removed at the end.
struct Removed(PathBuf);

impl Drop for Removed {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn many_threads_share_one_tls_session_store() {
    let identity = Identity::new(NAMES).unwrap();
    let builder = trusting(identity.ca_pem());
    let server = Arc::new(FastServer::start_tls(identity).unwrap());
    let session = builder.build().unwrap();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (session, server) = (session.clone(), Arc::clone(&server));
            scope.spawn(move || {
                for round in 0..10 {
                    let id = format!("{thread}-{round}");
                    let request = session.get(server.url("/")).header("X-Id", &id);
                    assert_eq!(request.send().unwrap().text().unwrap(), id);
                }
            });
        }
    });
}

/// Answers a connection with what is not TLS, before the call can wait for it.
struct Hasty(TcpListener, Mutex<Vec<TcpStream>>);

impl Observer for Hasty {
    fn span_ended(&self, ended: &SpanEnded<'_>) {
        if ended.span.phase == Phase::Connect {
            let (mut stream, _) = self.0.accept().unwrap();
            stream.write_all(b"220 mail.test ESMTP\r\n").unwrap();
            self.1.lock().unwrap().push(stream);
        }
    }
}

/// The last wait was for the connection; the phase is that of the failure.
#[test]
fn a_handshake_that_fails_before_any_wait_is_told_from_the_connect() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let hasty = Arc::new(Hasty(listener, Mutex::default()));
    let url = format!("https://{}/", hasty.0.local_addr().unwrap());
    let settings = trust_authority(&Authority::new().unwrap());
    let session = Session::builder().tls(settings).trust_env(false).observer(hasty);
    let error = session.build().unwrap().get(url).send().unwrap_err();
    assert_eq!((error.kind(), error.phase()), (ErrorKind::Tls, Some(Phase::Tls)), "{error:#}");
}
