//! Which certificates are accepted, and what is said about the others.

use super::*;
use rcgen::{ExtendedKeyUsagePurpose, SanType, date_time_ymd};

const NAME: &str = "shop.example";

fn refused(settings: &TlsSettings, server: &Credentials) -> CertificateProblem {
    let from_tls12 = certificate_problem(handshake(settings, NAME, server.server(TLS12)));
    let from_tls13 = certificate_problem(handshake(settings, NAME, server.server(TLS13)));
    assert_eq!(from_tls12, from_tls13);
    assert!(from_tls13.hint().is_some());
    from_tls13
}

#[test]
fn names_and_addresses_that_match() {
    let authority = Authority::new("Root");
    let server = authority.issue_for(&[NAME, "*.wild.example", "192.0.2.7", "2001:db8::7"]);
    let settings = authority.settings().build().unwrap();
    for host in [
        NAME,
        "SHOP.example",
        "shop.example.",
        "a.wild.example",
        "192.0.2.7",
        "2001:db8::7",
        "[2001:db8::7]",
        "2001:DB8:0::7%eth0",
    ] {
        let outcome = handshake(&settings, host, server.server(TLS13));
        assert!(outcome.is_ok(), "{host}: {:?}", outcome.err());
    }
    for host in ["wild.example", "a.b.wild.example", "192.0.2.8", "2001:db8::8", "shop.example.org"]
    {
        let problem = certificate_problem(handshake(&settings, host, server.server(TLS13)));
        assert!(matches!(problem, CertificateProblem::WrongName { .. }), "{host}: {problem}");
    }
}

#[test]
fn a_wrong_name_lists_the_right_ones() {
    let authority = Authority::new("Root");
    let server = authority.issue_for(&["a.example", "*.b.example", "192.0.2.1"]);
    let problem = refused(&authority.settings().build().unwrap(), &server);
    assert_eq!(
        problem.to_string(),
        "the certificate is not for shop.example: it is for a.example, *.b.example, 192.0.2.1"
    );
}

#[test]
fn hundreds_of_names_stay_one_line() {
    let names: Vec<String> = (0..300).map(|n| format!("n{n}.example")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let authority = Authority::new("Root");
    let problem = refused(&authority.settings().build().unwrap(), &authority.issue_for(&names));
    let CertificateProblem::WrongName { names, .. } = &problem else { panic!("{problem}") };
    assert_eq!(names.len(), 300);
    assert!(problem.to_string().ends_with("n7.example and 292 more"), "{problem}");
}

#[test]
fn a_common_name_is_no_name() {
    let authority = Authority::new("Root");
    let server = authority.issue(&named(NAME, CertificateParams::default()));
    let problem = refused(&authority.settings().build().unwrap(), &server);
    assert_eq!(
        problem,
        CertificateProblem::WrongName { wanted: NAME.to_owned(), names: Vec::new() }
    );
    assert!(problem.to_string().contains("no name at all"), "{problem}");
}

#[test]
fn names_cannot_deceive() {
    let authority = Authority::new("Root");
    let settings = authority.settings().build().unwrap();
    for (name, shown) in [
        ("shop.example\0.evil.example", "shop.example\\0.evil.example"),
        ("\u{1b}[2Jshop.example", "\\u{1b}[2Jshop.example"),
        ("*", "*"),
        ("sho*.example", "sho*.example"),
    ] {
        let mut params = params_for(&[]);
        params.subject_alt_names = vec![SanType::DnsName(name.try_into().unwrap())];
        let CertificateProblem::WrongName { names, .. } =
            refused(&settings, &authority.issue(&params))
        else {
            panic!("{name:?}")
        };
        assert_eq!(names, [shown]);
    }
}

#[test]
fn expired_and_not_yet_valid() {
    let authority = Authority::new("Root");
    let settings = authority.settings().build().unwrap();
    let mut params = params_for(&[NAME]);
    params.not_before = date_time_ymd(2026, 5, 1);
    params.not_after = date_time_ymd(2026, 6, 1);
    assert_eq!(
        refused(&settings, &authority.issue(&params)).to_string(),
        "the certificate expired on 2026-06-01 00:00:00 UTC, 14 days ago"
    );
    params.not_before = date_time_ymd(2026, 6, 16);
    params.not_after = date_time_ymd(2027, 2, 28);
    assert_eq!(
        refused(&settings, &authority.issue(&params)).to_string(),
        "the certificate is not valid before 2026-06-16 00:00:00 UTC, in 1 day"
    );
}

#[test]
fn the_world_owns_the_calendar() {
    let authority = Authority::new("Root");
    let mut params = params_for(&[NAME]);
    params.not_before = date_time_ymd(2026, 6, 1);
    params.not_after = date_time_ymd(2026, 7, 1);
    let server = Arc::new(authority.issue(&params).server(TLS13));
    let world = calendar(TODAY);
    let cache = ConfigCache::new(Arc::clone(&world) as Arc<dyn World>);
    let config = cache.get(&authority.settings().build().unwrap()).unwrap();
    Pair::new(&config, NAME, &server).settle().unwrap();
    // By then the session is too old to be resumed as well (RFC 8446 §4.6.1: seven days).
    *world.0.lock().unwrap() += Duration::from_secs(30 * 86_400);
    let error = Pair::new(&config, NAME, &server).settle().unwrap_err();
    assert!(error.to_string().starts_with("the certificate expired on 2026-07-01"), "{error}");
}

#[test]
fn an_unknown_issuer_is_named() {
    let settings = Authority::new("Trusted Root").settings().build().unwrap();
    let server = Authority::new("Corporate Proxy CA").issue_for(&[NAME]);
    assert_eq!(
        refused(&settings, &server).to_string(),
        "the certificate's issuer, \"Corporate Proxy CA\", is not among the trusted roots"
    );
}

#[test]
fn a_root_with_the_trusted_ones_name_is_another_root() {
    let settings = Authority::new("Root").settings().build().unwrap();
    let server = Authority::new("Root").issue_for(&[NAME]);
    let problem = refused(&settings, &server);
    assert!(
        matches!(
            problem,
            CertificateProblem::UnknownIssuer { .. } | CertificateProblem::BadSignature
        ),
        "{problem:?}"
    );
}

#[test]
fn self_signed() {
    let settings = Authority::new("Root").settings().build().unwrap();
    let key = KeyPair::generate().unwrap();
    for is_ca in [IsCa::NoCa, IsCa::ExplicitNoCa, IsCa::Ca(BasicConstraints::Unconstrained)] {
        let mut params = params_for(&[NAME]);
        params.is_ca = is_ca;
        let certificate = params.self_signed(&key).unwrap();
        let server = Credentials {
            pem: certificate.pem(),
            chain: vec![certificate.der().to_vec()],
            key: KeyPair::try_from(key.serialize_der()).unwrap(),
        };
        assert_eq!(
            refused(&settings, &server).to_string(),
            "the certificate of \"leaf\" is signed by itself, and not trusted",
            "{is_ca:?}"
        );
    }
}

/// What `openssl req -x509` makes is its own authority. Trusted as such it is a server as well, under its
/// own names and until it ends; by the same name with another key nobody is.
#[test]
fn a_trusted_root_may_be_a_server() {
    let key = KeyPair::generate().unwrap();
    let mut params = params_for(&[NAME]);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let made = |params: &CertificateParams, key: &KeyPair| {
        let certificate = params.self_signed(key).unwrap();
        Credentials {
            pem: certificate.pem(),
            chain: vec![certificate.der().to_vec()],
            key: KeyPair::try_from(key.serialize_der()).unwrap(),
        }
    };
    let server = made(&params, &key);
    let roots = Roots::pem(server.pem.as_bytes()).unwrap();
    let settings = TlsSettings::builder().roots(roots).build().unwrap();
    for version in [TLS12, TLS13] {
        handshake(&settings, NAME, server.server(version)).unwrap();
    }
    let wrong = certificate_problem(handshake(&settings, "other.example", server.server(TLS13)));
    assert!(matches!(wrong, CertificateProblem::WrongName { .. }), "{wrong:?}");
    let stranger = made(&params, &KeyPair::generate().unwrap());
    assert!(handshake(&settings, NAME, stranger.server(TLS13)).is_err());
    params.not_after = date_time_ymd(2020, 1, 1);
    let expired = made(&params, &key);
    let problem = certificate_problem(handshake(&settings, NAME, expired.server(TLS13)));
    assert!(matches!(problem, CertificateProblem::Expired { .. }), "{problem:?}");
}

#[test]
fn intermediates_are_needed_and_enough() {
    let authority = Authority::new("Root");
    let settings = authority.settings().build().unwrap();
    let key = KeyPair::generate().unwrap();
    let middle = Authority(
        CertifiedIssuer::signed_by(authority_params("Middle"), key, &authority.0).unwrap(),
    );
    let mut server = middle.issue_for(&[NAME]);
    assert_eq!(
        refused(&settings, &server),
        CertificateProblem::UnknownIssuer { issuer: Some("Middle".to_owned()) }
    );
    server.chain.push(middle.0.as_ref().der().to_vec());
    let pair = handshake(&settings, NAME, server.server(TLS13)).unwrap();
    assert_eq!(pair.client.info().unwrap().certificates, server.chain);
}

#[test]
fn a_client_certificate_is_no_server_certificate() {
    let authority = Authority::new("Root");
    let mut params = params_for(&[NAME]);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let problem = refused(&authority.settings().build().unwrap(), &authority.issue(&params));
    assert_eq!(problem, CertificateProblem::WrongPurpose);
}

#[test]
fn the_alert_reaches_the_server() {
    let authority = Authority::new("Root");
    let server = authority.issue_for(&["other.example"]);
    let config = cache().get(&authority.settings().build().unwrap()).unwrap();
    let mut pair = Pair::new(&config, NAME, &Arc::new(server.server(TLS13)));
    let first = pair.settle().unwrap_err();
    assert_eq!(
        pair.server_error,
        Some(rustls::Error::AlertReceived(rustls::AlertDescription::BadCertificate))
    );
    assert_eq!(pair.client.receive(b"more").unwrap_err().to_string(), first.to_string());
    assert_eq!(pair.client.read_plain(&mut [0; 9]).unwrap_err().to_string(), first.to_string());
    assert!(pair.client.write_plain(&[IoSlice::new(b"x")]).is_err());
    assert!(pair.client.received_eof().is_err());
}

#[test]
fn pins_are_checked_in_addition() {
    let authority = Authority::new("Root");
    let server = authority.issue_for(&[NAME]);
    let other = authority.issue_for(&[NAME]);
    let pins = |credentials: &Credentials| {
        let key = rcgen::PublicKeyData::subject_public_key_info(&credentials.key);
        let like = |pin: Pin| pin.like(&credentials.chain[0], &key);
        [like(Pin::PublicKey([0; 32])), like(Pin::Certificate([0; 32]))]
    };
    for (right, wrong) in pins(&server).into_iter().zip(pins(&other)) {
        for danger in [false, true] {
            let with = |pins: &[Pin]| {
                let builder = pins.iter().fold(authority.settings(), |b, pin| b.pin(*pin));
                builder.danger_accept_invalid_certificates(danger).build().unwrap()
            };
            for versions in [TLS12, TLS13] {
                handshake(&with(&[right]), NAME, server.server(versions)).unwrap();
                handshake(&with(&[wrong, right]), NAME, server.server(versions)).unwrap();
            }
            let problem = refused(&with(&[wrong]), &server);
            assert_eq!(
                problem,
                CertificateProblem::PinMismatch {
                    expected: vec![wrong.to_string()],
                    got: vec![right.to_string()],
                }
            );
        }
        // A right pin does not make a wrong name right.
        let settings = authority.settings().pin(right).build().unwrap();
        let outcome = handshake(&settings, "other.example", server.server(TLS13));
        assert!(matches!(certificate_problem(outcome), CertificateProblem::WrongName { .. }));
    }
}

/// A man in the middle can show the pinned certificate, but cannot sign with its key.
#[test]
fn a_pinned_certificate_without_its_key_is_refused() {
    let authority = Authority::new("Root");
    let real = authority.issue_for(&[NAME]);
    let forger = Authority::new("Forger").issue_for(&[NAME]);
    let stolen = Credentials {
        pem: real.pem.clone(),
        chain: real.chain.clone(),
        key: KeyPair::try_from(forger.key.serialize_der()).unwrap(),
    };
    let pin = Pin::Certificate([0; 32]).like(&real.chain[0], b"");
    let settings =
        authority.settings().pin(pin).danger_accept_invalid_certificates(true).build().unwrap();
    for versions in [TLS12, TLS13] {
        let config = stolen_server(&stolen, versions);
        assert_eq!(
            certificate_problem(handshake(&settings, NAME, config)),
            CertificateProblem::BadSignature
        );
    }
}

/// rustls' builder refuses a certificate without its key, but a resolver may hand one out.
fn stolen_server(
    stolen: &Credentials,
    versions: &[&'static SupportedProtocolVersion],
) -> ServerConfig {
    let key = provider::provider().key_provider.load_private_key(stolen.key_der()).unwrap();
    let certified = rustls::sign::CertifiedKey::new(vec![stolen.chain[0].clone().into()], key);
    let resolver = rustls::sign::SingleCertAndKey::from(certified);
    ServerConfig::builder_with_provider(provider::provider())
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(resolver))
}

#[test]
fn the_danger_switch_accepts_anything() {
    let settings = TlsSettings::builder()
        .danger_accept_invalid_certificates(true)
        .key_logging(KeyLogging::Off)
        .build()
        .unwrap();
    assert!(!settings.verifies() && TlsSettings::default().verifies());
    let mut params = params_for(&["elsewhere.example"]);
    params.not_after = date_time_ymd(2000, 1, 1);
    let server = Authority::new("Nobody").issue(&params);
    for versions in [TLS12, TLS13] {
        handshake(&settings, NAME, server.server(versions)).unwrap();
    }
}

#[test]
fn the_server_name_is_used_for_sni_and_verification() {
    let authority = Authority::new("Root");
    let server = authority.issue_for(&[NAME]);
    let settings = authority.settings().server_name(NAME).build().unwrap();
    let pair = handshake(&settings, "192.0.2.9", server.server(TLS13)).unwrap();
    assert_eq!(pair.server.server_name(), Some(NAME));
    let quiet = authority.settings().send_sni(false).build().unwrap();
    let pair = handshake(&quiet, NAME, server.server(TLS13)).unwrap();
    assert_eq!(pair.server.server_name(), None);
    let server = authority.issue_for(&["192.0.2.9"]);
    let plain = authority.settings().build().unwrap();
    let pair = handshake(&plain, "192.0.2.9", server.server(TLS13)).unwrap();
    assert_eq!(pair.server.server_name(), None, "RFC 6066 §3: no address in SNI");
}

#[test]
fn a_client_certificate_wanted() {
    let authority = Authority::new("Root");
    let server = authority.issue_for(&[NAME]);
    let right = authority.issue_for(&["client"]).identity();
    let wrong = Authority::new("Others").issue_for(&["client"]).identity();
    for versions in [TLS12, TLS13] {
        let try_with = |settings: TlsSettingsBuilder| {
            let asking = server.server_asking(versions, Some(&authority));
            handshake(&settings.build().unwrap(), NAME, asking)
        };
        let pair = try_with(authority.settings().identity(right.clone())).unwrap();
        assert_eq!(pair.server.peer_certificates().unwrap().len(), 1);
        let none = try_with(authority.settings()).err().unwrap();
        assert!(none.to_string().contains("certificate_required"), "{none}");
        assert!(none.hint().unwrap().contains("--cert"), "{none:?}");
        let other = try_with(authority.settings().identity(wrong.clone())).err().unwrap();
        assert!(matches!(other, TlsError::Handshake(HandshakeProblem::Alert { .. })), "{other}");
        assert!(other.hint().unwrap().contains("not the one"), "{other:?}");
    }
}
