//! Settings: what makes them differ, what they refuse, and what they never show.

use super::*;
use std::collections::HashSet;
use std::fs;

/// Every input, each changed alone, and some changed again.
fn variations() -> Vec<(&'static str, TlsSettings)> {
    let (one, two) = (Authority::new("One"), Authority::new("Two"));
    let (alice, bob) = (one.issue_for(&["alice"]), one.issue_for(&["bob"]));
    let pin = |byte| Pin::PublicKey([byte; 32]);
    let build = |builder: TlsSettingsBuilder| builder.build().unwrap();
    let new = TlsSettings::builder;
    vec![
        ("nothing", build(new())),
        ("roots", build(new().roots(one.roots()))),
        ("other roots", build(new().roots(two.roots()))),
        ("verification", build(new().danger_accept_invalid_certificates(true))),
        ("identity", build(new().identity(alice.identity()))),
        ("other identity", build(new().identity(bob.identity()))),
        ("pin", build(new().pin(pin(1)))),
        ("other pin", build(new().pin(pin(2)))),
        ("other kind of pin", build(new().pin(Pin::Certificate([1; 32])))),
        ("one more pin", build(new().pin(pin(1)).pin(pin(2)))),
        ("server name", build(new().server_name("a.example"))),
        ("other server name", build(new().server_name("b.example"))),
        ("no SNI", build(new().send_sni(false))),
        ("minimum version", build(new().minimum_version(TlsVersion::Tls13))),
        ("maximum version", build(new().maximum_version(TlsVersion::Tls12))),
        ("maximum version of today", build(new().maximum_version(TlsVersion::Tls13))),
        ("ALPN", build(new().alpn(["http/1.1"]))),
        ("other ALPN", build(new().alpn(["h2", "http/1.1"]))),
        ("ALPN in another order", build(new().alpn(["http/1.1", "h2"]))),
        ("no key log", build(new().key_logging(KeyLogging::Off))),
        ("key log", build(new().key_logging(KeyLogging::File("a".into())))),
        ("other key log", build(new().key_logging(KeyLogging::File("b".into())))),
    ]
}

#[test]
fn each_input_alone_makes_a_difference() {
    let settings = variations();
    for (index, (name, one)) in settings.iter().enumerate() {
        assert_eq!(one, &one.to_builder().build().unwrap(), "{name} is equal to its copy");
        for (other_name, other) in &settings[index + 1..] {
            assert_ne!(one, other, "{name} and {other_name}");
        }
    }
    let distinct: HashSet<TlsSettings> = settings.iter().map(|(_, one)| one.clone()).collect();
    assert_eq!(distinct.len(), settings.len());
}

#[test]
fn equal_content_is_equal_wherever_it_was_read() {
    let authority = Authority::new("Root");
    let alice = authority.issue_for(&["alice"]);
    let make = || authority.settings().identity(alice.identity()).build().unwrap();
    let (one, two) = (make(), make());
    assert_eq!(one, two);
    assert!(HashSet::from([one]).contains(&two));
}

#[test]
fn the_cache_makes_one_configuration_for_equal_settings_and_is_bounded() {
    let authority = Authority::new("Root");
    let cache = cache();
    let get = |n: u8| {
        let settings = authority.settings().alpn([vec![n]]).build().unwrap();
        cache.get(&settings).unwrap().rustls
    };
    let first = get(0);
    for n in 1..64 {
        get(n);
    }
    assert!(Arc::ptr_eq(&first, &get(0)), "64 are kept");
    let second = get(1);
    for n in 64..127 {
        get(n);
    }
    assert!(Arc::ptr_eq(&second, &get(1)), "used last, kept longest");
    assert!(!Arc::ptr_eq(&first, &get(0)), "not used for long, dropped");
}

#[test]
fn debug_output_holds_no_key() {
    let alice = Authority::new("Root").issue_for(&["alice"]);
    let key = alice.key.serialize_der();
    let settings = TlsSettings::builder().identity(alice.identity()).build().unwrap();
    let shown = format!("{settings:?} {settings:#?} {:?}", alice.identity());
    let listed = format!("{key:?}");
    let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    let pem = alice.key.serialize_pem();
    for part in 0..key.len() - 8 {
        assert!(!shown.contains(&hex[2 * part..2 * part + 16]));
    }
    assert!(!shown.contains(listed.trim_matches(['[', ']'])));
    assert!(pem.lines().all(|line| !shown.contains(line)));
    assert!(shown.contains("ClientIdentity"), "{shown}");
    assert!(shown.len() < 2000, "{shown}");
}

fn refusal<T: std::fmt::Debug>(outcome: Result<T, SettingsError>) -> String {
    let error = outcome.unwrap_err();
    assert!(error.hint().is_some(), "{error}: what is to be done?");
    error.to_string()
}

#[test]
fn keys_and_certificates_that_do_not_fit() {
    let authority = Authority::new("Root");
    let (alice, bob) = (authority.issue_for(&["alice"]), authority.issue_for(&["bob"]));
    let (alice_pem, bob_key) = (alice.pem.as_bytes(), bob.key.serialize_pem());
    assert_eq!(
        refusal(ClientIdentity::pem(alice_pem, bob_key.as_bytes())),
        "the private key in the given key does not belong to the first certificate in the given \
         certificate"
    );
    assert_eq!(
        refusal(ClientIdentity::pem(alice_pem, alice_pem)),
        "the given key holds no private key in PEM form"
    );
    assert_eq!(
        refusal(ClientIdentity::pem(bob_key.as_bytes(), bob_key.as_bytes())),
        "the given certificate holds no certificate in PEM form"
    );
    for encrypted in [
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n",
        "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAA\n\
         -----END RSA PRIVATE KEY-----\n",
    ] {
        assert_eq!(
            refusal(ClientIdentity::pem(alice_pem, encrypted.as_bytes())),
            "the private key in the given key is encrypted"
        );
    }
    let both = format!("{}{}", alice.key.serialize_pem(), alice.pem);
    let both = ClientIdentity::pem(both.as_bytes(), both.as_bytes()).unwrap();
    assert_eq!(both, alice.identity());
}

#[test]
fn bundles_that_cannot_be_used() {
    let good = Authority::new("Root").0.pem();
    assert_eq!(refusal(Roots::pem(b"")), "the given PEM text holds no certificate in PEM form");
    assert_eq!(
        refusal(Roots::pem(format!("{good}-----BEGIN CERTIFICATE-----\nMIIB").as_bytes())),
        "item 2 in the given PEM text is damaged: its last line, -----END CERTIFICATE-----, is \
         missing"
    );
    let damaged = "-----BEGIN CERTIFICATE-----\n$$$$\n-----END CERTIFICATE-----\n";
    assert_eq!(
        refusal(Roots::pem(damaged.as_bytes())),
        "item 1 in the given PEM text is damaged: its content is not Base64"
    );
    let odd = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
    let words = refusal(Roots::pem(odd.as_bytes()));
    assert!(words.starts_with("certificate 1 in the given PEM text is unusable"), "{words}");
    // One odd certificate among good ones does not spoil them, and each counts once.
    assert_eq!(Roots::pem(format!("{odd}{good}{good}").as_bytes()), Roots::pem(good.as_bytes()));
}

#[test]
fn files_and_directories() {
    let scratch = std::env::temp_dir().join(format!("waterclock-roots-{}", std::process::id()));
    fs::create_dir_all(scratch.join("below")).unwrap();
    let words = refusal(Roots::pem_file(scratch.join("missing.pem")));
    assert!(words.starts_with("cannot read ") && words.contains("missing.pem: "), "{words}");
    refusal(Roots::pem_dir(scratch.join("missing")));
    let words = refusal(Roots::pem_dir(&scratch));
    assert!(words.ends_with("holds no certificate in PEM form"), "{words}");

    let (one, two) = (Authority::new("One").0.pem(), Authority::new("Two").0.pem());
    fs::write(scratch.join("a.pem"), &one).unwrap();
    fs::write(scratch.join("b.pem"), &two).unwrap();
    fs::write(scratch.join("README"), "no certificate").unwrap();
    fs::write(scratch.join("below/c.pem"), Authority::new("Three").0.pem()).unwrap();
    let found = Roots::pem_dir(&scratch).unwrap();
    assert_eq!(found, Roots::pem(format!("{one}{two}").as_bytes()).unwrap());
    assert_eq!(Roots::pem_file(scratch.join("a.pem")), Roots::pem(one.as_bytes()));
    let alice = Authority::new("One").issue_for(&["alice"]);
    fs::write(scratch.join("alice.pem"), alice.pem.clone() + &alice.key.serialize_pem()).unwrap();
    assert_eq!(ClientIdentity::pem_file(scratch.join("alice.pem")), Ok(alice.identity()));
    fs::remove_dir_all(&scratch).unwrap();
}

#[test]
fn pins_are_read_as_others_write_them() {
    let hex = "0123456789abcdef".repeat(4);
    let sum: Vec<u8> = [0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef].repeat(4);
    let certificate = Pin::Certificate(sum.try_into().unwrap());
    let colons: Vec<&str> = (0..32).map(|n| &hex[2 * n..2 * n + 2]).collect();
    for text in [hex.clone(), hex.to_uppercase(), colons.join(":"), format!(" {hex} ")] {
        assert_eq!(Pin::parse(&text), Ok(certificate));
    }
    assert_eq!(certificate.to_string(), hex);
    let key = "sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    assert_eq!(Pin::parse(key).unwrap().to_string(), key);
    assert_eq!(Pin::parse(&key.replace("//", "/")), Pin::parse(key));
    assert_eq!(Pin::parse(key).unwrap(), Pin::PublicKey([0; 32]).like(b"", b""), "SHA-256 of \"\"");
    assert_eq!(Pin::parse_list(&format!("{key};{hex};")).unwrap().len(), 2);
    for text in ["", "sha256//", "sha256//AAAA", "sha256//$", "zz", "00", &hex[1..], &hex[2..]] {
        refusal(Pin::parse(text));
    }
    refusal(Pin::parse_list(" ; "));
    assert!(refusal(Pin::parse(&"ab".repeat(16))).contains("MD5"));
    assert!(refusal(Pin::parse(&"ab".repeat(20))).contains("SHA-1"));
}

#[test]
fn names_and_protocols_that_cannot_be() {
    let odd = TlsSettings::builder().server_name("not a name").build();
    assert!(refusal(odd).contains("\"not a name\""));
    assert!(TlsSettings::builder().alpn([""]).build().is_err());
    assert!(TlsSettings::builder().alpn(["x".repeat(256)]).build().is_err());
}

/// The system's roots are read once per process, so that each case is a process of its own.
#[cfg(feature = "native-roots")]
#[test]
fn the_systems_roots() {
    const TEST: &str = "settings::the_systems_roots";
    let settings = TlsSettings::builder().key_logging(KeyLogging::Off).build().unwrap();
    match std::env::var(ROLE).as_deref() {
        Ok("good") => return cache().get(&settings).map(drop).unwrap(),
        Ok("bad") => {
            let error = cache().get(&settings).unwrap_err();
            assert!(matches!(error, TlsError::Settings(_)), "{error}");
            assert!(error.to_string().contains("/no/such/file"), "{error}");
            assert!(error.hint().unwrap().contains("--cacert"), "{error:?}");
            return;
        }
        _ => {}
    }
    let file = std::env::temp_dir().join(format!("waterclock-system-{}", std::process::id()));
    fs::write(&file, Authority::new("Root").0.pem()).unwrap();
    run_again(TEST, "good", &[("SSL_CERT_FILE", &file)]);
    run_again(TEST, "bad", &[("SSL_CERT_FILE", std::path::Path::new("/no/such/file"))]);
    fs::remove_file(&file).unwrap();
}

#[cfg(not(any(feature = "native-roots", feature = "webpki-roots")))]
#[test]
fn without_roots_nobody_is_trusted() {
    let Err(TlsError::Settings(error)) = cache().get(&TlsSettings::default()) else {
        panic!("somebody is trusted")
    };
    assert!(error.hint().unwrap().contains("--cacert"));
}

#[cfg(feature = "webpki-roots")]
#[test]
fn mozillas_roots_are_there() {
    let settings = TlsSettings::builder().roots(Roots::Mozilla).build().unwrap();
    cache().get(&settings).unwrap();
}
