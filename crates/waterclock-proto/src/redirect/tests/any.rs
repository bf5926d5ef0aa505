//! What holds for any Location.

use super::{attempt, credentials, url};
use crate::message::{Method, trim};
use crate::redirect::{Credentials, RedirectPolicy, Redirected, is_redirect_status, next};
use proptest::prelude::*;
use url::Url;

/// Texts that reach deep into the parser.
fn locations() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "http:", "https:", "//", "/", "\\", "@", ":", "?", "#", "[", "]", "..", "%", "%00",
            "a.test", "b.test", "[::1]", "127.1", ":80", ":443", ":0", "secret", "file:", " ",
        ])
        .prop_map(|piece| piece.as_bytes().to_vec()),
        prop::collection::vec(any::<u8>(), 0..3),
    ];
    prop::collection::vec(piece, 0..9).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_location_is_followed_soundly_or_refused(
        to in locations(),
        from in prop::sample::select(vec!["http://a.test/p?q#f", "https://a.test:8443/", "http://a.test:443/"]),
        status in 299u16..310,
    ) {
        let from = url(from);
        match next(&Method::Post, &from, status, Some(&to), &RedirectPolicy::default(), 0) {
            Ok(None) => prop_assert!(!is_redirect_status(status) || trim(&to).is_empty()),
            Ok(Some(redirected)) => sound(&from, &redirected),
            Err(error) => prop_assert!(!error.to_string().chars().any(char::is_control)),
        }
    }

    #[test]
    fn another_origin_always_strips(
        schemes in prop::array::uniform2(prop::sample::select(vec!["http", "https"])),
        hosts in prop::array::uniform2("[ab]\\.test"),
        ports in prop::array::uniform2(prop::sample::select(vec![80u16, 443, 8080])),
    ) {
        let at = |side: usize| format!("{}://{}:{}/", schemes[side], hosts[side], ports[side]);
        let same = schemes[0] == schemes[1] && ports[0] == ports[1];
        let upgrade = (schemes, ports) == (["http", "https"], [80, 443]);
        let keeps = hosts[0] == hosts[1] && (same || upgrade);
        let expected = if keeps { Credentials::Keep } else { Credentials::Strip };
        prop_assert_eq!(credentials(&at(0), &at(1)), expected);
    }

    #[test]
    fn no_error_shows_userinfo(
        user in "[a-z:/?#\\[\\] ]{0,8}",
        rest in prop::sample::select(vec!["b.test:0/", "b.test:99999/", "[::1/", "/", "", "a b/"]),
    ) {
        let to = format!("http://{user}s3cr3t@{rest}");
        if let Err(error) = attempt("GET", "http://s3cr3t@a.test/?s3cr3t", 302, to.as_bytes()) {
            prop_assert!(!format!("{error} {error:?}").contains("s3cr3t"), "{error:?}");
        }
    }
}

fn sound(from: &Url, redirected: &Redirected) {
    let to = &redirected.url;
    assert!(matches!(to.scheme(), "http" | "https"));
    assert!(to.host_str().is_some_and(|host| !host.is_empty()));
    assert!(to.port() != Some(0) && to.username().is_empty() && to.password().is_none());
    assert!(to.as_str().bytes().all(|byte| byte.is_ascii_graphic()), "{to}");
    if from.host_str() != to.host_str() {
        assert_eq!(redirected.credentials, Credentials::Strip);
    }
}
