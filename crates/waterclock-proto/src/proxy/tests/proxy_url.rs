//! Tests of [`ProxyUrl`].

use super::*;
use ::url::ParseError;

#[test]
fn schemes_and_their_ports() {
    for (text, shown) in [
        ("proxy.test", "http://proxy.test:80"),
        ("proxy.test:443", "http://proxy.test:443"),
        ("//proxy.test:3128/", "http://proxy.test:3128"),
        (" http://proxy.test ", "http://proxy.test:80"),
        ("HTTPS://Proxy.TEST", "https://proxy.test:443"),
        ("https://proxy.test:80", "https://proxy.test:80"),
        ("socks4://proxy.test", "socks4://proxy.test:1080"),
        ("socks://proxy.test:80", "socks4://proxy.test:80"),
        ("socks4a://proxy.test:443", "socks4a://proxy.test:443"),
        ("Socks5://Proxy.test:9050", "socks5://proxy.test:9050"),
        ("socks5h://[::1]", "socks5h://[::1]:1080"),
        ("[2001:DB8::1]:3128", "http://[2001:db8::1]:3128"),
        ("socks5://0x7f.1", "socks5://127.0.0.1:1080"),
        ("socks5://한국.kr", "socks5://xn--3e0b707e.kr:1080"),
    ] {
        assert_eq!(proxy(text).to_string(), shown, "{text:?}");
        assert_eq!(proxy(shown), proxy(text), "what is shown means the same");
    }
}

#[test]
fn who_looks_names_up() {
    use crate::socks::SocksVersion;
    for (scheme, version, resolves) in [
        ("http", None, true),
        ("https", None, true),
        ("socks4", Some(SocksVersion::V4), false),
        ("socks4a", Some(SocksVersion::V4a), true),
        ("socks5", Some(SocksVersion::V5), false),
        ("socks5h", Some(SocksVersion::V5), true),
    ] {
        let parsed = proxy(&format!("{scheme}://proxy.test")).scheme();
        assert_eq!(parsed.as_str(), scheme);
        assert_eq!((parsed.socks_version(), parsed.resolves_names()), (version, resolves));
    }
}

#[test]
fn credentials_are_decoded() {
    for (text, user, password) in [
        ("http://ann:s%40%3a%2Fe@h", "ann", "s@:/e"),
        ("ann:safe@h:3128", "ann", "safe"),
        ("socks5://ann@h", "ann", ""),
        ("http://:safe@h", "", "safe"),
        ("http://a@b:c:d@h", "a@b", "c:d"),
        ("http://ann:100%@h", "ann", "100%"),
        ("socks5://a%3Ab:c@h", "a:b", "c"),
    ] {
        let expected = Some((user.as_bytes(), password.as_bytes()));
        assert_eq!(proxy(text).credentials(), expected, "{text:?}");
    }
    assert_eq!(proxy("http://%ff:%fe@h").credentials(), Some((&b"\xff"[..], &b"\xfe"[..])));
    for text in ["h", "http://@h", "http://:@h"] {
        assert_eq!(proxy(text).credentials(), None, "{text:?}");
    }
}

/// CVE-2016-5420, CVE-2022-22576: a connection of one user must not serve another.
#[test]
fn credentials_are_part_of_the_key() {
    let urls = ["http://h", "http://a@h", "http://a:1@h", "http://a:2@h", "https://h:80"];
    let set: HashSet<ProxyUrl> = urls.into_iter().map(proxy).collect();
    assert_eq!(set.len(), urls.len());
    assert!(set.contains(&proxy("HTTP://a:%31@H:80/")));
}

#[test]
fn what_is_not_a_proxy_is_refused() {
    for (text, expected) in [
        ("", ProxyFault::NoHost),
        ("http://", ProxyFault::NoHost),
        ("http:///proxy.test", ProxyFault::NoHost),
        ("http://ann:safe@", ProxyFault::Url(ParseError::EmptyHost)),
        ("ftp://proxy.test", ProxyFault::Scheme),
        ("socks6://proxy.test", ProxyFault::Scheme),
        ("://proxy.test", ProxyFault::Scheme),
        ("http://a\r\nb", ProxyFault::ControlCharacter { offset: 8 }),
        ("http://a\tb", ProxyFault::ControlCharacter { offset: 8 }),
        ("http://h:0", ProxyFault::PortZero),
        ("http://h:65536", ProxyFault::Url(ParseError::InvalidPort)),
        ("http:proxy.test", ProxyFault::Url(ParseError::InvalidPort)),
        ("http://[::1", ProxyFault::Url(ParseError::InvalidIpv6Address)),
        ("http://a b", ProxyFault::Url(ParseError::IdnaError)),
        ("http://256.0.0.1", ProxyFault::Url(ParseError::InvalidIpv4Address)),
        ("http://h/path", ProxyFault::MoreThanAuthority),
        ("http://h?q", ProxyFault::MoreThanAuthority),
        ("http://h/#f", ProxyFault::MoreThanAuthority),
        ("http://evil.test\\@h", ProxyFault::MoreThanAuthority),
        ("http://ann:a%0ab@h", ProxyFault::ControlInCredentials),
        ("socks4://a%00b@h", ProxyFault::ControlInCredentials),
        ("http://a%3ab:c@h", ProxyFault::ColonInUser),
    ] {
        assert_eq!(fault(text), expected, "{text:?}");
    }
}

#[test]
fn no_error_and_no_debug_shows_the_password() {
    for text in [
        "ftp://ann:s3cret@h",
        "http://ann:s3cret@[::1",
        "http://ann:s3c#s3cret@h",
        "http://ann:s3c/s3cret@h",
        "http://ann:s3cret@h/path",
        "http://ann:s3cret",
        "ann:s3cret://h",
        "ann:s3cret@h://x",
        "http://h/?token=s3cret",
        "http://ann:s3cret\r@h",
    ] {
        let error = ProxyUrl::parse(text).unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("s3cret"), "{shown}");
    }
    let kept = proxy("http://ann:s3cret@h");
    let shown = format!("{kept} {kept:?} {:?}", Proxies::all(kept.clone()));
    assert!(!shown.contains("s3cret") && !shown.contains("ann"), "{shown}");
    assert!(shown.contains("with credentials"));
    let error = ProxyUrl::parse("http://h:99999").unwrap_err().to_string();
    assert!(error.contains("http://h:99999") && error.contains("port"), "{error}");
}

proptest! {
    #[test]
    fn no_text_panics(text in r"(socks5://|https?://)?[a-z:@/\[\]%.0-9\PC]{0,24}") {
        if let Ok(proxy) = ProxyUrl::parse(&text) {
            prop_assert!(proxy.port() != 0 && !proxy.host().is_empty());
            prop_assert!(!proxy.host().starts_with('['));
            if proxy.credentials().is_none() {
                prop_assert_eq!(ProxyUrl::parse(&proxy.to_string()), Ok(proxy));
            }
        }
    }

    #[test]
    fn no_error_shows_what_stands_before_the_host(
        scheme in "(http|socks5|ftp)", noise in r"[#/?:%\\\[]{0,4}", port in any::<u32>(),
    ) {
        let text = format!("{scheme}://ann:{noise}s3cret{noise}@host:{port}");
        let shown = match ProxyUrl::parse(&text) {
            Ok(proxy) => format!("{proxy} {proxy:?}"),
            Err(error) => format!("{error} {error:?}"),
        };
        prop_assert!(!shown.contains("s3cret"), "{}", shown);
    }
}
