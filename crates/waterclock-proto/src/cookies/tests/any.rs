//! What holds for any input.

use super::*;
use proptest::collection::vec;
use proptest::prelude::*;

/// Hosts that have something to do with each other, or look as if.
fn host() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec![
        "x.org",
        "www.x.org",
        "a.www.x.org",
        "yx.org",
        "org",
        "x.org.",
        "co.uk",
        "x.co.uk",
        "127.0.0.1",
        "0.0.1",
        "localhost",
        "a.localhost",
        "[::1]",
        "me.github.io",
    ])
}

fn place() -> impl Strategy<Value = Url> {
    (any::<bool>(), host(), "(/[ab]?){1,3}").prop_map(|(secure, host, path)| {
        url(&format!("{}://{host}{path}", if secure { "https" } else { "http" }))
    })
}

/// A `Set-Cookie`: mostly sensible, now and then any bytes.
fn field() -> impl Strategy<Value = Vec<u8>> {
    let name = proptest::sample::select(vec!["a", "b", "", "a b", "__Host-a", "__secure-b"]);
    let attribute = prop_oneof![
        host().prop_map(|host| format!("Domain={host}")),
        "(/[ab]?){1,3}".prop_map(|path| format!("Path={path}")),
        (-1i64..200).prop_map(|age| format!("Max-Age={age}")),
        Just("Expires=Fri, 15-Jan-27 08:01:00 GMT".to_owned()),
        Just("Secure".to_owned()),
        Just("HttpOnly".to_owned()),
        proptest::sample::select(vec!["Strict", "Lax", "None"])
            .prop_map(|same_site| format!("SameSite={same_site}")),
        "[ -~\t]{0,12}".prop_map(|text| text),
    ];
    let sensible =
        (name, vec(prop_oneof![32u8..127, Just(9), 128u8..=255], 0..8), vec(attribute, 0..5))
            .prop_map(|(name, value, attributes)| {
                let mut field = name.as_bytes().to_vec();
                field.push(b'=');
                field.extend(value);
                field.extend(attributes.iter().flat_map(|text| format!("; {text}").into_bytes()));
                field
            });
    prop_oneof![9 => sensible, 1 => vec(any::<u8>(), 0..40)]
}

/// A jar with a past, and the moment its past ends.
fn jar() -> impl Strategy<Value = (CookieJar, SystemTime)> {
    vec((place(), field(), 0u64..3), 0..24).prop_map(|sets| {
        let (mut jar, mut time) = (CookieJar::new(), now());
        for (url, field, pause) in sets {
            let _ = jar.store_response(&url, &field, time);
            time += Duration::from_millis(pause * 700);
        }
        (jar, time)
    })
}

proptest! {
    #[test]
    fn headers_are_clean((mut jar, time) in jar(), to in place(), safe_method: bool) {
        for context in [SiteContext::SameSite, SiteContext::CrossSite { safe_method }] {
            let expected: Vec<Cookie> =
                jar.cookies_for(&to, context, time).into_iter().cloned().collect();
            let header = jar.header(&to, context, time);
            prop_assert_eq!(header.is_some(), !expected.is_empty());
            for cookie in expected {
                prop_assert!(!cookie.secure() || to.scheme() == "https");
                let host = to.host_str().unwrap();
                let below = host.ends_with(&format!(".{}", cookie.domain())) && !cookie.host_only();
                prop_assert!(host == cookie.domain() || below, "{:?} to {}", cookie, to);
                prop_assert!(to.path().starts_with(cookie.path()));
            }
            let header = header.unwrap_or_default();
            prop_assert!(header.len() <= MAX_HEADER_BYTES);
            prop_assert!(!header.iter().any(|&byte| byte != b'\t' && byte.is_ascii_control()));
        }
    }

    /// Whatever was set: bounds, no doubles, no public suffix with subdomains, kept promises.
    #[test]
    fn the_jar_is_in_order((mut jar, time) in jar()) {
        let cookies: Vec<&Cookie> = jar.iter().collect();
        prop_assert_eq!(jar.len(), cookies.len());
        for (at, cookie) in cookies.iter().enumerate() {
            prop_assert!(!cookies[..at].iter().any(|other| other.facts.is_same(&cookie.facts)));
            let mut facts = cookie.facts.clone();
            prop_assert_eq!(facts.check_text(), Ok(()));
            prop_assert_eq!(facts.check_promises(), Ok(()));
            prop_assert_eq!(&facts, &cookie.facts, "in its one form");
            prop_assert!(cookie.created() <= cookie.last_access());
            prop_assert!(cookie.expires().is_none_or(|end| end <= cookie.last_access() + MAX_AGE));
        }
        jar.clear_expired(time);
        prop_assert!(jar.iter().all(|cookie| !cookie.is_expired(time)));
        prop_assert_eq!(jar.len(), jar.iter().count());
    }

    /// An insecure response changes no secure cookie, nor hides one.
    #[test]
    fn insecure_responses_leave_secure_cookies_alone(
        (mut jar, time) in jar(), from in place(), field in field(), to in place(),
    ) {
        prop_assume!(from.scheme() == "http");
        let secure = |jar: &CookieJar| {
            let all = jar.iter().filter(|cookie| cookie.secure() && !cookie.is_expired(time));
            all.cloned().collect::<Vec<_>>()
        };
        let before = secure(&jar);
        let first = |jar: &CookieJar| {
            jar.cookies_for(&to, SiteContext::SameSite, time).into_iter()
                .find(|cookie| cookie.name() == b"a").filter(|cookie| cookie.secure()).cloned()
        };
        let sent_before = first(&jar);
        let _ = jar.store_response(&from, &field, time);
        prop_assert_eq!(secure(&jar), before);
        prop_assert!(sent_before.is_none() || first(&jar) == sent_before);
    }

    #[test]
    fn netscape_round_trip((mut jar, time) in jar()) {
        jar.clear_expired(time);
        let file = jar.to_netscape(SessionCookies::Keep);
        let left_out = file.left_out.len();
        let lines = file.text.iter().filter(|&&byte| byte == b'\n').count();
        prop_assert_eq!(lines, 1 + jar.len() - left_out);
        let loaded = CookieJar::from_netscape(&file.text, time).unwrap();
        prop_assert_eq!(&loaded.left_out, &[]);
        // A fraction of a second may have been the last.
        let kept = |cookie: &&Cookie| {
            !cookie.name().contains(&b'\t') && !cookie.value().contains(&b'\t')
        };
        let whole = |cookie: &Cookie| {
            let mut facts = cookie.facts.clone();
            facts.expires = facts.expires.and_then(|end| date::from_unix(date::to_unix(end).0));
            facts.same_site = None;
            facts
        };
        let expected: Vec<NewCookie> = jar.iter().filter(kept).map(whole)
            .filter(|facts| facts.expires.is_none_or(|end| end > time)).collect();
        let found: Vec<NewCookie> = loaded.jar.iter().map(|cookie| cookie.facts.clone()).collect();
        prop_assert_eq!(found, expected);
        // What was read is written again to the byte.
        let again = loaded.jar.to_netscape(SessionCookies::Keep).text;
        prop_assert_eq!(CookieJar::from_netscape(&again, time).unwrap().jar, loaded.jar);
    }

    #[cfg(feature = "json")]
    #[test]
    fn json_round_trip((mut jar, time) in jar()) {
        jar.clear_expired(time);
        let text = jar.to_json(SessionCookies::Keep);
        let loaded = CookieJar::from_json(text.as_bytes(), time).unwrap();
        prop_assert_eq!(&loaded.left_out, &[]);
        prop_assert_eq!(loaded.jar, jar);
    }

    #[test]
    fn any_file_is_safe(bytes in vec(prop_oneof![any::<u8>(), Just(b'\t'), Just(b'\n')], 0..300)) {
        let _ = CookieJar::from_netscape(&bytes, now());
        #[cfg(feature = "json")]
        let _ = CookieJar::from_json(&bytes, now());
    }

    #[test]
    fn any_line_of_seven_is_safe(fields in vec("[ -~]{0,8}|TRUE|FALSE|x.org|/|[0-9]{1,30}", 7)) {
        if let Ok(loaded) = CookieJar::from_netscape(fields.join("\t").as_bytes(), now()) {
            let file = loaded.jar.to_netscape(SessionCookies::Keep);
            let again = CookieJar::from_netscape(&file.text, now()).unwrap();
            prop_assert_eq!(again.jar, loaded.jar);
        }
    }
}
