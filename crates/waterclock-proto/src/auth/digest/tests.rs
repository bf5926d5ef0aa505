//! Digest against the RFCs' examples, and over several requests. Values that no RFC prints were
//! computed with Python's hashlib.

use super::*;
use proptest::prelude::*;

fn challenges(fields: &[&str]) -> Vec<Challenge> {
    Challenge::parse_all(fields.iter().map(|field| field.as_bytes()))
}

/// Credentials that have met these challenges.
fn challenged(user: &str, password: &str, fields: &[&str]) -> Digest {
    let mut digest = Digest::new(user, password);
    assert_eq!(digest.challenged(&challenges(fields), 0), Verdict::Retry, "{fields:?}");
    digest
}

/// The answer for a GET without body.
fn get(digest: &mut Digest, uri: &str, cnonce: &str) -> String {
    let value = digest.answer("GET", uri, Some(b""), cnonce).unwrap().unwrap();
    String::from_utf8(value).unwrap()
}

/// The named parameter of an answer.
fn param(value: impl AsRef<[u8]>, name: &str) -> Option<String> {
    let all = Challenge::parse_all([value.as_ref()]);
    assert_eq!(all.len(), 1);
    all[0].param(name).map(|value| String::from_utf8_lossy(value).into_owned())
}

const MUFASA: &str = r#"Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41""#;

#[test]
fn rfc_7616_3_9_1_md5_and_sha_256() {
    let offer = |algorithm: &str| {
        format!(
            r#"Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={algorithm},
            nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
            opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS""#
        )
        .replace('\n', "")
    };
    let cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
    let (sha, md5) = (offer("SHA-256"), offer("MD5"));
    let mut digest = challenged("Mufasa", "Circle of Life", &[&md5]);
    assert_eq!(
        get(&mut digest, "/dir/index.html", cnonce),
        "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", \
         nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", uri=\"/dir/index.html\", \
         response=\"8ca523f5e9506fed4657c9700eebdbec\", \
         opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\", algorithm=MD5, qop=auth, \
         nc=00000001, cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\""
    );
    // Both are offered, in the RFC's order and in the other one.
    for fields in [[&sha, &md5], [&md5, &sha]] {
        let mut digest = challenged("Mufasa", "Circle of Life", &fields.map(String::as_str));
        let value = get(&mut digest, "/dir/index.html", cnonce);
        assert_eq!(param(&value, "algorithm").unwrap(), "SHA-256");
        assert_eq!(
            param(&value, "response").unwrap(),
            "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"
        );
    }
}

/// With the values of erratum 4897: those printed in the RFC are of SHA-512 cut short.
#[test]
fn rfc_7616_3_9_2_userhash_and_charset() {
    let field = r#"Digest realm="api@example.org", qop="auth", algorithm=SHA-512-256, nonce="5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK", opaque="HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS", charset=UTF-8"#;
    let hashed = format!("{field}, userhash=true");
    let cnonce = "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v";
    let response = "3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5";

    let mut digest = challenged("J\u{e4}s\u{f8}n Doe", "Secret, or not?", &[&hashed]);
    let value = get(&mut digest, "/doe.json", cnonce);
    assert_eq!(
        param(&value, "username").unwrap(),
        "793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b"
    );
    assert_eq!(param(&value, "userhash").unwrap(), "true");
    assert_eq!(param(&value, "response").unwrap(), response);

    let mut digest = challenged("J\u{e4}s\u{f8}n Doe", "Secret, or not?", &[field]);
    let value = get(&mut digest, "/doe.json", cnonce);
    assert_eq!(param(&value, "username*").unwrap(), "UTF-8''J%C3%A4s%C3%B8n%20Doe");
    assert_eq!(param(&value, "username"), None);
    assert_eq!(param(&value, "userhash"), None);
    assert_eq!(param(&value, "response").unwrap(), response);
}

#[test]
fn rfc_2617_3_5() {
    let field = format!("{MUFASA}, qop=\"auth,auth-int\"");
    let mut digest = challenged("Mufasa", "Circle Of Life", &[&field]);
    assert_eq!(
        get(&mut digest, "/dir/index.html", "0a4f113b"),
        "Digest username=\"Mufasa\", realm=\"testrealm@host.com\", \
         nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", uri=\"/dir/index.html\", \
         response=\"6629fae49393a05397450978507c4ef1\", \
         opaque=\"5ccc069c403ebaf9f0171e9517f40e41\", qop=auth, nc=00000001, cnonce=\"0a4f113b\""
    );
}

#[test]
fn without_qop_as_in_rfc_2069() {
    for field in [MUFASA.to_owned(), format!("{MUFASA}, qop=\"\"")] {
        let mut digest = challenged("Mufasa", "Circle Of Life", &[&field]);
        let value = get(&mut digest, "/dir/index.html", "0a4f113b");
        assert_eq!(param(&value, "response").unwrap(), "670fd8c2df070c60b045671b8b24ff02");
        for absent in ["qop", "nc", "cnonce", "algorithm"] {
            assert_eq!(param(&value, absent), None, "{absent}");
        }
    }
}

#[test]
fn every_algorithm_with_every_qop() {
    for (algorithm, auth, auth_int) in [
        ("MD5", "440c5a7b9ed304fe", "3d78e823e1d6f158"),
        ("MD5-sess", "ecde0e9bb4b87035", "33c9be5706209a03"),
        ("SHA-256", "db81bea2c0389f92", "40a6318155abef1c"),
        ("sha-256-SESS", "1aadc6f8cfb71609", "110468b383105748"),
        ("SHA-512-256", "89df9db5b95d77c8", "e501cb82a8aa5f31"),
        ("SHA-512-256-sess", "4f18521a780f48a3", "5f2c2a995cbce541"),
        ("SHA-512", "8e4f313c59ca49ff", "3a79a29ec9c9562e"),
        ("SHA-512-sess", "3e55283e83388f27", "0a5ad4c332ea7303"),
    ] {
        for (qop, expected) in [("auth", auth), ("auth-int", auth_int)] {
            let field = format!("{MUFASA}, algorithm={algorithm}, qop={qop}");
            let mut digest = challenged("Mufasa", "Circle Of Life", &[&field]);
            let value = digest.answer("POST", "/dir/index.html", Some(b"a=1&b=2"), "0a4f113b");
            let value = value.unwrap().unwrap();
            let response = param(&value, "response").unwrap();
            assert!(response.starts_with(expected), "{algorithm} {qop}: {response}");
            assert_eq!(param(&value, "algorithm").unwrap(), algorithm, "spelled as it came");
            assert_eq!(param(&value, "qop").unwrap(), qop);
        }
    }
}

#[test]
fn auth_int_is_for_bodies_that_can_be_hashed() {
    let only = format!("{MUFASA}, qop=auth-int");
    let mut digest = challenged("u", "p", &[&only]);
    let refused = digest.answer("POST", "/", None, "c").unwrap();
    assert_eq!(refused, Err(DigestError::BodyNotHashable));
    let value = digest.answer("POST", "/", Some(b"x"), "c").unwrap().unwrap();
    assert_eq!(param(value, "nc").unwrap(), "00000001", "a refusal does not use the nonce");

    let both = format!("{MUFASA}, qop=\"auth-int, AUTH\"");
    let mut digest = challenged("u", "p", &[&both]);
    let value = digest.answer("POST", "/", None, "c").unwrap().unwrap();
    assert_eq!(param(value, "qop").unwrap(), "auth");
}

#[test]
fn a_known_nonce_is_used_again_and_counted() {
    let field = format!("{MUFASA}, qop=auth");
    let mut digest = challenged("u", "p", &[&field]);
    let responses: Vec<String> = (1..=17u32)
        .map(|count| {
            let value = digest.authorize("GET", "/", Some(b""), [7; 16]).unwrap().unwrap();
            assert_eq!(param(&value, "nc").unwrap(), format!("{count:08x}"));
            assert_eq!(param(&value, "cnonce").unwrap(), "07".repeat(16));
            param(&value, "response").unwrap()
        })
        .collect();
    assert!(responses.windows(2).all(|pair| pair[0] != pair[1]));

    // The same nonce again: a count that was used is not used again.
    assert_eq!(digest.challenged(&challenges(&[&field]), 0), Verdict::Retry);
    assert_eq!(param(get(&mut digest, "/", "c"), "nc").unwrap(), "00000012");
    // Another one: from the start.
    assert_eq!(digest.challenged(&challenges(&["Digest nonce=n2, qop=auth"]), 0), Verdict::Retry);
    assert_eq!(param(get(&mut digest, "/", "c"), "nc").unwrap(), "00000001");
}

#[test]
fn next_nonce_of_authentication_info() {
    let mut digest = challenged("u", "p", &["Digest realm=r, nonce=n1, qop=auth"]);
    get(&mut digest, "/", "c1");
    digest.info(br#"rspauth="abc", nextnonce="n\"2", qop=auth, nc=00000001"#);
    let value = get(&mut digest, "/", "c2");
    assert_eq!(param(&value, "nonce").unwrap(), "n\"2");
    assert_eq!(param(&value, "nc").unwrap(), "00000001");
    digest.info(br#"nextnonce="n\"2""#);
    digest.info(br#"nextnonce="""#);
    digest.info(b"\"\\");
    let value = get(&mut digest, "/", "c3");
    assert_eq!(param(&value, "nonce").unwrap(), "n\"2");
    assert_eq!(param(&value, "nc").unwrap(), "00000002", "the same nonce is no new one");

    let mut new = Digest::new("u", "p");
    new.info(b"nextnonce=n");
    assert!(new.authorize("GET", "/", None, [0; 16]).is_none(), "no challenge, no answer");
}

#[test]
fn a_session_hashes_its_first_nonces() {
    let mut digest =
        challenged("u", "p", &["Digest realm=r, nonce=n1, qop=auth, algorithm=MD5-sess"]);
    get(&mut digest, "/", "c1");
    let value = get(&mut digest, "/", "c2");
    assert_eq!(param(&value, "cnonce").unwrap(), "c1");
    assert_eq!(param(&value, "response").unwrap(), "ee38408e79c9075f43c6dd6b30823285");
    digest.info(b"nextnonce=n2");
    let value = get(&mut digest, "/", "c3");
    assert_eq!(param(&value, "response").unwrap(), "b9d977f2c199040f37317f680a3ba3ba");
    // Another challenge: another session.
    let next = challenges(&["Digest realm=r, nonce=n3, qop=auth, algorithm=MD5-sess"]);
    assert_eq!(digest.challenged(&next, 0), Verdict::Retry);
    assert_eq!(param(get(&mut digest, "/", "c4"), "cnonce").unwrap(), "c4");
}

#[test]
fn refused_credentials_are_not_tried_again() {
    let mut digest = challenged("u", "p", &["Digest realm=r, nonce=n1, qop=auth"]);
    get(&mut digest, "/", "c");
    let again = challenges(&["Digest realm=r, nonce=n2, qop=auth, stale=false"]);
    assert_eq!(digest.challenged(&again, 1), Verdict::GiveUp(GiveUp::Refused));
    assert!(digest.authorize("GET", "/", None, [0; 16]).is_none(), "nor with later requests");
}

#[test]
fn a_nonce_of_an_earlier_request_may_be_forgotten() {
    let mut digest = challenged("u", "p", &["Digest realm=r, nonce=n1, qop=auth"]);
    get(&mut digest, "/", "c");
    // A second request carries n1; the server was restarted and knows nothing of it.
    get(&mut digest, "/", "c");
    let again = challenges(&["Digest realm=r, nonce=n2, qop=auth"]);
    assert_eq!(digest.challenged(&again, 0), Verdict::Retry);
    assert_eq!(param(get(&mut digest, "/", "c"), "nonce").unwrap(), "n2");
}

#[test]
fn stale_nonces_are_replaced_once() {
    let stale = |nonce: &str| challenges(&[&format!("Digest realm=r, nonce={nonce}, stale=TRUE")]);
    let mut digest = challenged("u", "p", &["Digest realm=r, nonce=n1"]);
    assert_eq!(digest.challenged(&stale("n2"), 1), Verdict::Retry);
    assert_eq!(param(get(&mut digest, "/", "c"), "nonce").unwrap(), "n2");
    assert_eq!(digest.challenged(&stale("n3"), 2), Verdict::GiveUp(GiveUp::AlwaysStale));

    let mut digest = challenged("u", "p", &["Digest realm=r, nonce=n1"]);
    assert_eq!(digest.challenged(&stale("n1"), 1), Verdict::GiveUp(GiveUp::AlwaysStale));
}

#[test]
fn the_strongest_that_is_supported() {
    let offer = |algorithm: &str| {
        format!("Digest realm=r, nonce={algorithm}, qop=auth, algorithm={algorithm}")
    };
    let chosen = |names: &[&str]| {
        let fields: Vec<String> = names.iter().map(|name| offer(name)).collect();
        let joined = format!("Basic realm=x, {}, Negotiate", fields.join(", "));
        param(get(&mut challenged("u", "p", &[&joined]), "/", "c"), "nonce").unwrap()
    };
    assert_eq!(chosen(&["MD5", "SHA-256", "SHA-512-256", "SHA-256-sess"]), "SHA-512-256");
    assert_eq!(chosen(&["SHA3-256", "MD5"]), "MD5");
    assert_eq!(chosen(&["SHA-256-sess", "SHA-256"]), "SHA-256-sess");
    assert_eq!(chosen(&["SHA-512", "SHA-512-256"]), "SHA-512");
}

#[test]
fn challenges_that_cannot_be_answered_say_why() {
    let verdict = |field: &str| Digest::new("u", "p").challenged(&challenges(&[field]), 0);
    let algorithm = |algorithm: &str| GiveUp::Algorithm { algorithm: algorithm.into() };
    let qop = |qop: &str| GiveUp::Qop { qop: qop.into() };
    for (field, reason, text) in [
        ("", GiveUp::NotAsked, "no challenge asks"),
        ("Basic realm=x", GiveUp::NotAsked, "WWW-Authenticate"),
        ("Digest", GiveUp::NoNonce, "no nonce"),
        ("Digest realm=x, Digest nonce=n, algorithm=x", GiveUp::NoNonce, "no nonce"),
        ("Digest nonce=n, algorithm=SHA", algorithm("SHA"), "\"SHA\""),
        ("Digest nonce=n, algorithm=\"\u{e9}\"", algorithm(r"\xc3\xa9"), "SHA-256"),
        ("Digest nonce=n, qop=auth-conf", qop("auth-conf"), "auth-conf"),
        ("Digest nonce=n, algorithm=MD5-sess", qop(""), "-sess"),
    ] {
        let Verdict::GiveUp(given) = verdict(field) else { panic!("{field}") };
        assert!(given.to_string().contains(text), "{given}");
        assert_eq!(given, reason, "{field}");
    }
}

#[test]
fn quotes_and_bytes_survive() {
    let mut digest = Digest::new("me", "pw");
    let latin1 = Challenge::parse_all([&b"Digest realm=\"caf\xe9\", nonce=n"[..]]);
    assert_eq!(digest.challenged(&latin1, 0), Verdict::Retry);
    let value = digest.answer("GET", "/", None, "c").unwrap().unwrap();
    assert!(value.windows(13).any(|window| window == b"realm=\"caf\xe9\","));
    assert_eq!(param(value, "response").unwrap(), "116af06f8177037c2c477ac6a46aa3cf");

    let field = r#"Digest realm="q\"\\", nonce="n\"\\", opaque="""#;
    let value = get(&mut challenged("a\"b\\c", "pw", &[field]), "/x?\"\\", "c");
    assert!(value.starts_with(
        r#"Digest username="a\"b\\c", realm="q\"\\", nonce="n\"\\", uri="/x?\"\\", response=""#
    ));
    assert!(value.ends_with(r#", opaque="""#));
    assert_eq!(param(value, "response").unwrap(), "79cb2bf86f42c3224951414f00755b87");
}

#[test]
fn names_that_cannot_be_sent() {
    let field = "Digest realm=r, nonce=n";
    let answer = |user: &str, field: &str, uri: &str| {
        challenged(user, "p", &[field]).answer("GET", uri, None, "c").unwrap()
    };
    assert_eq!(answer("a\r\nb", field, "/"), Err(DigestError::UserControl { offset: 1 }));
    assert_eq!(answer("a", field, "/\r\nX: y"), Err(DigestError::UriControl { offset: 1 }));
    let value = answer("a\nb", &format!("{field}, charset=utf-8"), "/").unwrap();
    assert_eq!(param(value, "username*").unwrap(), "UTF-8''a%0Ab");
    assert!(answer("a\nb", &format!("{field}, userhash=true"), "/").is_ok());
    let raw = answer("zo\u{eb}", field, "/").unwrap();
    assert_eq!(param(raw, "username").unwrap(), "zo\u{eb}");
}

#[test]
fn domain_limits_what_is_sent_unasked() {
    let covers = |domain: &str, target: &str| {
        challenged("u", "p", &[&format!("Digest nonce=n, domain=\"{domain}\"")]).covers(target)
    };
    assert!(covers("", "/any"));
    assert!(covers("nonsense", "/any"));
    assert!(covers("/a /b", "/b/c?d"));
    assert!(!covers("/a /b", "/c/a"));
    assert!(covers("http://example.com/a", "/a/b"));
    assert!(!covers("http://example.com/a?u=http://x/", "/"));
    assert!(covers("https://example.com", "/any"));
    assert!(!Digest::new("u", "p").covers("/"));
    assert!(challenged("u", "p", &["Digest nonce=n"]).covers("/"));
}

#[test]
fn debug_hides_the_secrets() {
    let digest = challenged("Mufasa", "Circle", &[MUFASA]);
    assert_eq!(format!("{digest:?}"), "Digest(<redacted>, challenged)");
}

#[test]
fn a_used_up_nonce_is_let_go() {
    let mut digest = challenged("u", "p", &["Digest nonce=n, qop=auth"]);
    digest.asked.as_mut().unwrap().count_to(u32::MAX - 1);
    assert_eq!(param(get(&mut digest, "/", "c"), "nc").unwrap(), "ffffffff");
    assert!(digest.answer("GET", "/", None, "c").is_none());
    assert!(!digest.covers("/"));
}

proptest! {
    #[test]
    fn no_answer_has_control_bytes(
        user: String,
        password: String,
        uri: String,
        field: Vec<u8>,
        realm in proptest::collection::vec(any::<u8>(), 0..20),
        extra in "[a-z=,\" \\\\]{0,20}",
        info: Vec<u8>,
        cnonce: [u8; 16],
    ) {
        let quoted = [&b"Digest nonce=n, realm=\""[..], &realm, b"\", ", extra.as_bytes()].concat();
        for field in [field, quoted] {
            let mut digest = Digest::new(user.as_str(), password.as_str());
            let _ = digest.challenged(&Challenge::parse_all([&field[..]]), 0);
            digest.info(&info);
            if let Some(Ok(value)) = digest.authorize("GET", &uri, Some(b""), cnonce) {
                prop_assert!(value.iter().all(|&byte| byte == b'\t' || !byte.is_ascii_control()));
                let back = Challenge::parse_all([&value[..]]);
                prop_assert_eq!(back.len(), 1);
                prop_assert_eq!(back[0].param("uri"), Some(uri.as_bytes()));
            }
        }
    }

    #[test]
    fn what_is_quoted_comes_back(
        user in "[^\\pC]{1,20}",
        realm in "[^\\pC]{0,20}",
        nonce in "[^\\pC]{0,20}",
    ) {
        let escape = |text: &str| text.replace('\\', r"\\").replace('"', "\\\"");
        let field = format!("Digest realm=\"{}\", nonce=\"{}\"", escape(&realm), escape(&nonce));
        let value = get(&mut challenged(&user, "p", &[&field]), "/", "c");
        for (name, sent) in [("username", user), ("realm", realm), ("nonce", nonce)] {
            prop_assert_eq!(param(&value, name), Some(sent));
        }
    }
}
