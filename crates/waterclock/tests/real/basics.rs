//! The ordinary things.

use std::time::Duration;
use waterclock::tls::{Roots, TlsSettings};
use waterclock::{Limit, Limits, Phase, Session};
use waterclock_lab::{FastServer, Identity, Script, Server, Step, Tls, TlsScript, respond};

fn url(address: std::net::SocketAddr, path: &str) -> String {
    format!("http://{address}{path}")
}

#[test]
fn a_get_is_answered_and_its_connection_kept() {
    let server = FastServer::start().unwrap();
    let session = Session::new();
    for id in ["one", "two", "three"] {
        let mut response =
            session.get(url(server.address(), "/")).header("X-Id", id).send().unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.text().unwrap(), id);
        assert_eq!(response.connection().unwrap().number, 1);
        assert!(response.timeline().is_finished());
        assert_eq!(response.timeline().unaccounted(), Duration::ZERO);
    }
}

#[test]
fn tls_works_and_is_on_the_timeline() {
    let identity = Identity::new(&["localhost", "127.0.0.1"]).unwrap();
    let roots = Roots::pem(identity.ca_pem().as_bytes()).unwrap();
    // So that it has to be waited for.
    let late = TlsScript::new().first_flight([Duration::from_millis(150)]);
    let server = Server::builder()
        .tls(Tls::new(identity).script(late))
        .script(Script::every_request(respond(200, "hello")))
        .start()
        .unwrap();
    let tls = TlsSettings::builder().roots(roots).build().unwrap();
    let session = Session::builder().tls(tls).build().unwrap();
    let mut response = session.get(server.url("/")).send().unwrap();
    assert_eq!(response.text().unwrap(), "hello");
    assert_eq!(response.connection().unwrap().tls.as_ref().unwrap().version, "TLS 1.3");
    assert!(response.timeline().spans().iter().any(|span| span.phase == Phase::Tls));
    println!("{}", response.explain());
}

#[test]
fn a_silent_server_is_a_named_timeout() {
    let server = Server::start(Script::steps(vec![Step::ReadHead, Step::Stall])).unwrap();
    let session =
        Session::builder().limits(Limits::total(Duration::from_millis(50))).build().unwrap();
    let error = session.get(server.url("/")).send().unwrap_err();
    assert_eq!(error.limit(), Some(Limit::Total));
    assert_eq!(error.phase(), Some(Phase::FirstByte));
    println!("{error:#}");
}
