//! HTTP proxies: forwarding, tunnels, refusals, and who gets to see which credentials.

use crate::support::{ms, resolver, session, trust, trusting};
use std::sync::Arc;
use waterclock::{Error, ErrorKind, Limits, Phase, RequestSent, Response, Session};
use waterclock_lab::{
    FastServer, Identity, Proxy, ProxyAction, Script, Server, Step, Zone, head, respond,
};

/// `user:pass` in Basic.
const CREDENTIALS: &str = "Basic dXNlcjpwYXNz";

fn through(proxy: &Proxy) -> waterclock::SessionBuilder {
    Session::builder().proxy(&proxy.url()).limits(Limits::total(ms(10_000)))
}

#[test]
fn plain_requests_are_forwarded_in_absolute_form() {
    let origin = Server::builder().start().unwrap();
    let proxy = Proxy::builder()
        .route("shop.test:80", origin.address())
        .require_authorization(CREDENTIALS)
        .start()
        .unwrap();
    let url = proxy.url().replace("//", "//user:pass@");
    let session = Session::builder().proxy(&url).build().unwrap();
    for _ in 0..2 {
        let mut response = session.get("http://shop.test/a?b#c").send().unwrap();
        assert_eq!(response.text().unwrap(), "ok");
        assert_eq!(response.connection().unwrap().remote_address, Some(proxy.address()));
    }
    let asked = &proxy.requests()[0];
    assert_eq!(asked.target, "http://shop.test/a?b");
    assert_eq!(asked.header("host"), Some("shop.test"));
    assert_eq!(proxy.connections(), 1);
    // The credentials are for the proxy, which keeps them.
    assert_eq!(origin.requests()[0].header("proxy-authorization"), None);
}

#[test]
fn one_connection_to_the_proxy_serves_all_plain_origins() {
    let (one, two) = (Server::builder().start().unwrap(), Server::builder().start().unwrap());
    let proxy = Proxy::builder()
        .route("one.test:80", one.address())
        .route("two.test:80", two.address())
        .start()
        .unwrap();
    let session = through(&proxy).build().unwrap();
    for url in ["http://one.test/", "http://two.test/", "http://one.test/"] {
        session.get(url).send().unwrap().content().unwrap();
    }
    assert_eq!((proxy.connections(), one.requests().len(), two.requests().len()), (1, 2, 1));
}

#[test]
fn tunnels_carry_tls_and_no_credentials_of_the_proxy() {
    let identity = Identity::new(&["shop.test"]).unwrap();
    let pem = identity.ca_pem().to_owned();
    let origin = Server::builder().tls(identity).start().unwrap();
    let proxy = Proxy::builder()
        .route("shop.test:443", origin.address())
        .require_authorization(CREDENTIALS)
        .start()
        .unwrap();
    let url = proxy.url().replace("//", "//user:pass@");
    let session = trusting(&pem).proxy(&url).build().unwrap();
    let request = session.get("https://shop.test/secret").header("Authorization", "Bearer x");
    let mut response = request.send().unwrap();
    assert_eq!(response.text().unwrap(), "ok");
    assert!(response.timeline().spans().iter().any(|span| span.phase == Phase::Tunnel));
    let asked = &proxy.requests()[0];
    assert_eq!((&*asked.method, &*asked.target), ("CONNECT", "shop.test:443"));
    assert_eq!(asked.header("authorization"), None);
    let got = &origin.requests()[0];
    assert_eq!((&*got.target, got.header("proxy-authorization")), ("/secret", None));
    assert_eq!(got.header("authorization"), Some("Bearer x"));
    // Once it stands, the tunnel is a connection like any other.
    session.get("https://shop.test/").send().unwrap();
    assert_eq!(proxy.connections(), 1);
}

fn refused(action: ProxyAction) -> Error {
    let proxy = Proxy::builder().script(move |_| action.clone()).start().unwrap();
    let session = through(&proxy).build().unwrap();
    let error = session.get("https://shop.test/").send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Proxy, "{error:#}");
    assert_eq!((error.status(), error.request_sent()), (None, RequestSent::No));
    error
}

#[test]
fn a_refusal_keeps_status_fields_and_body() {
    let error = refused(ProxyAction::refuse(403, &[("Via", "lab")], "not this site"));
    let response = error.proxy_response().unwrap();
    assert_eq!((response.head.status, &*response.body), (403, &b"not this site"[..]));
    assert_eq!(response.headers().get("via"), Some(&b"lab"[..]));
    assert!(error.to_string().contains("403 Forbidden"), "{error}");

    let challenge = ("Proxy-Authenticate", "Basic realm=\"lab\"");
    let error = refused(ProxyAction::refuse(407, &[challenge], "who are you?"));
    let response = error.proxy_response().unwrap();
    assert_eq!((response.head.status, &*response.body), (407, &b"who are you?"[..]));
    assert!(response.headers().contains("proxy-authenticate"));
}

#[test]
fn a_long_refusal_is_cut() {
    let error = refused(ProxyAction::refuse(502, &[], vec![b'x'; 1 << 20]));
    assert_eq!(error.proxy_response().unwrap().body.len(), 64 * 1024);
}

#[test]
fn a_refusal_that_stalls_ends_with_the_limit_and_keeps_what_was_said() {
    let answer = [head(403, &[("Content-Length", "100")]), b"because".to_vec()].concat();
    let steps = vec![Step::Send(answer), Step::Stall];
    let script = move |_: &_| ProxyAction::Answer(steps.clone());
    let proxy = Proxy::builder().script(script).start().unwrap();
    let limits = Limits::builder().tunnel(ms(300)).build();
    let session = through(&proxy).limits(limits).build().unwrap();
    let error = session.get("https://shop.test/").send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Proxy);
    assert_eq!(error.proxy_response().unwrap().body, b"because");
}

#[test]
fn nonsense_is_an_error_of_the_proxy() {
    refused(ProxyAction::Answer(vec![Step::send("SSH-2.0-lab\r\n\r\n"), Step::Close]));
    refused(ProxyAction::Answer(vec![Step::Close]));
    refused(ProxyAction::Answer(vec![Step::Reset]));
    // After its answer the other side must not speak before TLS has begun.
    let glued = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil";
    let answer = [&b"HTTP/1.1 200 Connection established\r\n\r\n"[..], glued].concat();
    refused(ProxyAction::Answer(vec![Step::Send(answer), Step::Stall]));
}

#[test]
fn refusals_of_plain_requests_are_responses() {
    let proxy = Proxy::builder()
        .script(|_| ProxyAction::refuse(403, &[], "not this site"))
        .start()
        .unwrap();
    let mut response = through(&proxy).build().unwrap().get("http://shop.test/").send().unwrap();
    assert_eq!((response.status(), &*response.text().unwrap()), (403, "not this site"));
}

#[test]
fn a_proxy_that_is_not_there_is_named() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let builder = Session::builder().proxy(&format!("http://user:secret@{closed}"));
    let error = builder.build().unwrap().get("http://shop.test/").send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect, "{error:#}");
    assert!(error.message().contains(&format!("cannot connect to the proxy http://{closed}")));
    assert!(!format!("{error:#}{error:?}").contains("secret"));
}

#[test]
fn the_proxys_name_is_looked_up_and_the_origins_is_not() {
    let origin = FastServer::start().unwrap();
    let proxy = Proxy::builder().route("shop.test:80", origin.address()).start().unwrap();
    let (names, lookup) = resolver(Zone::new().name("proxy.test", [proxy.address().ip()], ms(0)));
    let url = format!("proxy.test:{}", proxy.address().port());
    let session = Session::builder().proxy(&url).resolver(Arc::new(lookup)).build().unwrap();
    assert_eq!(session.get("http://shop.test/?id=7").send().unwrap().text().unwrap(), "7");
    assert!(names.queries().iter().all(|query| query.name == "proxy.test"));
}

#[test]
fn certificates_inside_a_tunnel_are_verified() {
    let identity = Identity::new(&["evil.test"]).unwrap();
    let trusted = trust(identity.ca_pem());
    let origin = Server::builder().tls(identity).start().unwrap();
    let proxy = Proxy::builder().route("shop.test:443", origin.address()).start().unwrap();
    let session = through(&proxy).tls(trusted).build().unwrap();
    let error = session.get("https://shop.test/").send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Certificate, "{error:#}");
    assert!(origin.requests().is_empty());
}

/// Sessions differ in their proxies, never in what they share.
#[test]
fn a_session_without_a_proxy_goes_straight() {
    let origin = Server::start(Script::every_request(respond(200, "direct"))).unwrap();
    let mut response: Response = session(Limits::none()).get(origin.url("/")).send().unwrap();
    assert_eq!(response.text().unwrap(), "direct");
    assert_eq!(origin.requests()[0].target, "/");
}
