//! Which decoder a header asks for.

use super::*;

fn codings(values: &[&str]) -> Option<Vec<Coding>> {
    let values = values.iter().map(|value| value.as_bytes());
    let decoder = Decoder::from_content_encoding(values, DecodeLimits::default()).unwrap();
    decoder.map(|decoder| decoder.codings().to_vec())
}

#[test]
fn nothing_to_undo() {
    for values in [&[][..], &[""], &["identity"], &[" Identity ,", ""], &[",,"]] {
        assert_eq!(codings(values), None, "{values:?}");
    }
}

#[test]
fn names_in_any_case_and_order() {
    use Coding::{Br, Deflate, Gzip, Zstd};
    assert_eq!(codings(&["gzip"]), Some(vec![Gzip]));
    assert_eq!(codings(&["X-GZip"]), Some(vec![Gzip]));
    assert_eq!(codings(&["\tDEFLATE , identity,, br"]), Some(vec![Deflate, Br]));
    assert_eq!(codings(&["zstd", "gzip"]), Some(vec![Zstd, Gzip]));
    for coding in [Gzip, Deflate, Br, Zstd] {
        assert_eq!(Coding::from_name(coding.name().as_bytes()), Some(coding));
        assert!(Coding::ACCEPT.split(", ").any(|name| name == coding.name()));
    }
}

#[test]
fn an_unknown_coding_leaves_the_body_as_it_is() {
    for value in ["compress", "gzip, zip", "aes128gcm, gzip", "gzip;q=1", "gzip gzip", "\u{fc}"] {
        assert_eq!(codings(&[value]), None, "{value}");
    }
}

/// urllib3: a list of thousands of codings, each of which multiplies. curl: CVE-2022-32206.
#[test]
fn cve_2025_66418_the_chain_is_capped() {
    let header = |count: usize| vec!["gzip"; count].join(", ");
    assert_eq!(codings(&[&header(5)]).map(|codings| codings.len()), Some(5));
    for count in [6, 100, 1500] {
        for values in [vec![header(count)], vec!["gzip".to_owned(); count]] {
            let values = values.iter().map(String::as_bytes);
            let error = Decoder::from_content_encoding(values, DecodeLimits::default());
            let error = error.map(|_| ()).unwrap_err();
            assert_eq!(error, DecodeError::TooManyCodings);
            assert!(error.is_limit());
            assert_eq!(error.to_string(), "Content-Encoding names more than 5 codings");
        }
    }
    let identities = vec!["identity"; 100].join(",") + ",gzip";
    assert_eq!(codings(&[&identities]), Some(vec![Coding::Gzip]));
}

#[test]
fn a_decoder_may_cross_threads() {
    fn check<T: Send + Sync + std::fmt::Debug>(_: &T) {}
    check(&decoder("gzip, deflate, br, zstd"));
}
