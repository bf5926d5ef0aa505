//! Challenges, well formed and not.

use super::*;
use proptest::prelude::*;

/// `Scheme token68 {name=value; ...}` for each challenge.
fn shown(values: &[&str]) -> Vec<String> {
    let show = |challenge: &Challenge| {
        let mut text = challenge.scheme().to_owned();
        if let Some(token) = challenge.token68() {
            text += &format!(" {token}");
        }
        for (name, value) in challenge.params() {
            text += &format!(" {name}=<{}>", value.escape_ascii());
        }
        text
    };
    Challenge::parse_all(values.iter().map(|value| value.as_bytes())).iter().map(show).collect()
}

#[test]
fn well_formed_fields() {
    for (field, expected) in [
        (r#"Basic realm="simple""#, &["Basic realm=<simple>"][..]),
        (r"Basic realm=simple", &["Basic realm=<simple>"]),
        (r#"Basic realm="foo", charset="UTF-8""#, &["Basic realm=<foo> charset=<UTF-8>"]),
        ("Negotiate", &["Negotiate"]),
        ("Negotiate YII/+-._~9==", &["Negotiate YII/+-._~9=="]),
        ("NTLM abc=, Basic realm=x", &["NTLM abc=", "Basic realm=<x>"]),
        ("Negotiate, NTLM , Basic realm=x", &["Negotiate", "NTLM", "Basic realm=<x>"]),
        // The example of RFC 9110 §11.6.1.
        (
            r#"Basic realm="simple", Newauth realm="apps", type=1, title="Login to \"apps\"""#,
            &["Basic realm=<simple>", r#"Newauth realm=<apps> type=<1> title=<Login to \"apps\">"#],
        ),
        (
            r#"Digest realm="a, b=c", qop="auth, auth-int""#,
            &["Digest realm=<a, b=c> qop=<auth, auth-int>"],
        ),
        ("Digest \t realm \t=\t \"x\" ,\tnonce = y", &["Digest realm=<x> nonce=<y>"]),
        (r#"Basic realm="" "#, &["Basic realm=<>"]),
        (r#"Basic realm="C:\\x\y""#, &[r"Basic realm=<C:\\xy>"]),
        ("", &[]),
        (" , ,\t", &[]),
        (
            ",, Basic realm=x,,charset=y , ,Negotiate,",
            &["Basic realm=<x> charset=<y>", "Negotiate"],
        ),
    ] {
        assert_eq!(shown(&[field]), expected, "{field}");
    }
}

#[test]
fn several_fields_are_one_list() {
    assert_eq!(
        shown(&["Basic realm=x", "Digest nonce=y"]),
        ["Basic realm=<x>", "Digest nonce=<y>"]
    );
    assert_eq!(shown(&["Digest realm=x", "nonce=y"]), ["Digest realm=<x> nonce=<y>"]);
    assert_eq!(shown(&["Digest realm=\"x", "Basic realm=y"]), ["Digest", "Basic realm=<y>"]);
}

#[test]
fn what_cannot_be_read_is_skipped() {
    for (field, expected) in [
        // No quotes where there should be.
        (
            "Digest nonce=ab/c==, uri=/x?y, realm=a@b",
            &["Digest nonce=<ab/c==> uri=</x?y> realm=<a@b>"][..],
        ),
        ("Basic realm=My Realm, charset=x", &["Basic realm=<My> charset=<x>"]),
        // No commas.
        (r#"Digest realm="x" nonce="y" qop=auth"#, &["Digest realm=<x> nonce=<y> qop=<auth>"]),
        (r#"Digest realm="x"nonce="y""#, &["Digest realm=<x> nonce=<y>"]),
        // No scheme, no name, no end.
        ("realm=x", &[]),
        ("=x, Basic realm=y", &["Basic realm=<y>"]),
        ("{\"a\": \"b, c\"}, Basic realm=y", &["Basic realm=<y>"]),
        ("Ba\"sic\", Digest nonce=y", &["Digest nonce=<y>"]),
        ("Digest nonce=y, realm=\"x, qop=auth", &["Digest nonce=<y>"]),
        ("Digest nonce=y, realm=\"x\\", &["Digest nonce=<y>"]),
        // Control bytes never get into a value.
        ("Digest realm=\"a\r\nX: y\", nonce=z", &["Digest nonce=<z>"]),
        ("Digest realm=\"a\\\0\", nonce=z", &["Digest nonce=<z>"]),
        ("Digest realm=a\x7f, nonce=z", &["Digest nonce=<z>"]),
        ("Digest\nrealm=a, nonce=z", &[]),
    ] {
        assert_eq!(shown(&[field]), expected, "{field}");
    }
}

#[test]
fn values_are_bytes() {
    let all = Challenge::parse_all([&b"Basic realm=\"caf\xe9\""[..]]);
    assert_eq!(all[0].param("realm"), Some(&b"caf\xe9"[..]));
}

#[test]
fn the_first_of_equal_names_counts() {
    let all = Challenge::parse_all([&b"Digest nonce=a, NONCE=b"[..]]);
    assert_eq!(all[0].param("nOnCe"), Some(&b"a"[..]));
    assert_eq!(all[0].param("realm"), None);
    assert!(all[0].is("dIGEST") && !all[0].is("Basic"));
}

#[test]
fn parameters_alone() {
    let params = parse_params(br#"nextnonce="a,b", qop=auth,, junk, nc=00000001"#);
    assert_eq!(find(&params, "NextNonce"), Some(&b"a,b"[..]));
    assert_eq!(find(&params, "nc"), Some(&b"00000001"[..]));
    assert_eq!(params.len(), 3);
    assert_eq!(parse_params(b""), []);
}

/// Bytes that mean something to the reader, and some that do not.
fn field() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        4 => proptest::sample::select(b"=,\"\\ \tab".to_vec()),
        1 => any::<u8>(),
    ];
    proptest::collection::vec(byte, 0..64)
}

proptest! {
    #[test]
    fn any_field_is_read_without_control_bytes(fields in proptest::collection::vec(field(), 0..4)) {
        for challenge in Challenge::parse_all(fields.iter().map(Vec::as_slice)) {
            prop_assert_eq!(find_non_token(challenge.scheme().as_bytes()), None);
            prop_assert!(!challenge.scheme().is_empty());
            for (name, value) in challenge.params() {
                prop_assert_eq!(find_non_token(name.as_bytes()), None);
                prop_assert!(value.iter().all(|&byte| byte == b'\t' || !byte.is_ascii_control()));
                prop_assert_eq!(challenge.param(name).is_some(), true);
            }
        }
    }

    #[test]
    fn a_quoted_value_comes_back(value in "[ -~\t\u{80}-\u{7ff}]{0,20}") {
        let escaped = value.replace('\\', r"\\").replace('"', "\\\"");
        let field = format!("Other abc, Digest a=b, realm=\"{escaped}\", c=d, Basic realm=x");
        let all = Challenge::parse_all([field.as_bytes()]);
        prop_assert_eq!(all.len(), 3);
        prop_assert_eq!(all[1].param("realm"), Some(value.as_bytes()));
        prop_assert_eq!(all[1].param("c"), Some(&b"d"[..]));
    }
}
