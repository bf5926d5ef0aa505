//! nginx with OpenSSL: versions, resumption, names, and certificates of clients.

use crate::peer::{Nginx, numbers};
use crate::support::{builder, trust};
use waterclock::tls::TlsVersion;
use waterclock::{ErrorKind, ResolveOverride};
use waterclock_lab::Authority;

#[test]
fn both_versions_are_spoken() {
    let Some(nginx) = Nginx::start() else { return };
    let strict = nginx.trust().to_builder().minimum_version(TlsVersion::Tls13).build().unwrap();
    let session = nginx.session();
    for (url, version) in
        [(nginx.tls_url("/numbers.txt"), "TLS 1.3"), (nginx.tls12_url("/numbers.txt"), "TLS 1.2")]
    {
        for _ in 0..20 {
            let mut response = session.get(&url).send().unwrap();
            assert!(response.text().unwrap() == numbers());
            assert_eq!(response.connection().unwrap().tls.as_ref().unwrap().version, version);
        }
        let echo = session.post(url.replace("/numbers.txt", "/echo")).body("x".repeat(2_000));
        assert_eq!(echo.send().unwrap().text().unwrap().len(), 2_005);
        match session.get(&url).tls(strict.clone()).send() {
            Ok(response) => assert_eq!((response.status(), version), (200, "TLS 1.3")),
            Err(error) => assert_eq!((error.kind(), version), (ErrorKind::Tls, "TLS 1.2")),
        }
    }
}

#[test]
fn sessions_are_resumed() {
    let Some(nginx) = Nginx::start() else { return };
    for url in [nginx.tls_url("/hello"), nginx.tls12_url("/hello")] {
        let session = nginx.session();
        let resumed = [(); 3].map(|()| {
            let mut response = session.get(&url).send().unwrap();
            assert_eq!(response.text().unwrap(), "hello\n");
            session.close();
            response.connection().unwrap().tls.as_ref().unwrap().resumed
        });
        assert_eq!(resumed, [false, true, true], "{url}");
    }
}

#[test]
fn clients_are_known_by_their_certificate() {
    let Some(nginx) = Nginx::start() else { return };
    let url = nginx.mutual_url("/subject");
    let session = nginx.session();
    for name in ["somebody", "somebody else"] {
        let request = session.get(&url).tls(nginx.trust_as(name));
        assert_eq!(request.send().unwrap().text().unwrap(), format!("CN={name}"));
    }
    // OpenSSL lets nginx say in HTTP what is missing.
    let mut response = session.get(&url).send().unwrap();
    assert_eq!(response.status(), 400);
    assert!(response.text().unwrap().contains("No required SSL certificate was sent"));
}

#[test]
fn a_server_of_another_authority_is_refused() {
    let Some(nginx) = Nginx::start() else { return };
    let stranger = trust(&Authority::new().unwrap()).build().unwrap();
    let error = nginx.session().get(nginx.tls_url("/hello")).tls(stranger).send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Certificate, "{error:#}");
}

#[test]
fn the_name_of_the_url_is_asked_for() {
    let Some(nginx) = Nginx::start() else { return };
    let url: waterclock::Url = nginx.tls_url("/host").parse().unwrap();
    let port = url.port().unwrap();
    let rule = |name| ResolveOverride::new(name, port, vec![nginx.address().ip()]);
    let session =
        builder().tls(nginx.trust()).resolve(rule("shop.test")).resolve(rule("evil.test"));
    let session = session.build().unwrap();
    let get = |name: &str| session.get(format!("https://{name}:{port}/host")).send();
    assert_eq!(get("shop.test").unwrap().text().unwrap(), "shop.test");
    assert_eq!(get("evil.test").unwrap_err().kind(), ErrorKind::Certificate);
}

#[test]
fn plain_http_to_a_tls_port_is_told() {
    let Some(nginx) = Nginx::start() else { return };
    let url = nginx.tls_url("/hello").replace("https:", "http:");
    let mut response = nginx.session().get(url).send().unwrap();
    assert_eq!(response.status(), 400);
    assert!(response.text().unwrap().contains("plain HTTP request was sent to HTTPS port"));
}
