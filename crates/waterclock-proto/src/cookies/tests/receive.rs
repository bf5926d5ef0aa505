//! Which cookies are kept (RFC 6265bis §5.7).

use super::*;

/// For each row: a URL, a `Set-Cookie`, and the domain, path and flags of what is kept.
#[test]
fn what_is_kept() {
    for (from, field, domain, host_only, path) in [
        ("http://www.example.com/a/b", "n=v", "www.example.com", true, "/a"),
        ("http://EXAMPLE.com", "n=v", "example.com", true, "/"),
        ("http://www.example.com/", "n=v; Domain=example.com", "example.com", false, "/"),
        ("http://www.example.com/", "n=v; Domain=.EXAMPLE.com", "example.com", false, "/"),
        ("http://www.example.com/", "n=v; Domain=www.example.com", "www.example.com", false, "/"),
        // No Domain, or one of nothing but a dot: the host's own (§5.6.3).
        ("http://www.example.com/", "n=v; Domain=", "www.example.com", true, "/"),
        ("http://www.example.com/", "n=v; Domain=.", "www.example.com", true, "/"),
        // A public suffix for itself (§5.7 step 9).
        ("http://github.io/", "n=v; Domain=github.io", "github.io", true, "/"),
        ("http://localhost/", "n=v; Domain=localhost", "localhost", true, "/"),
        ("http://intranet/", "n=v", "intranet", true, "/"),
        // Names of one's own network.
        ("http://a.db.internal/", "n=v; Domain=db.internal", "db.internal", false, "/"),
        // Addresses (§5.1.3).
        ("http://127.0.0.1/", "n=v; Domain=127.0.0.1", "127.0.0.1", true, "/"),
        ("http://127.1/", "n=v", "127.0.0.1", true, "/"),
        ("http://[::1]:8080/", "n=v; Domain=[::1]", "[::1]", true, "/"),
        // A-labels (§5.1.2).
        (
            "http://www.b\u{fc}cher.example/",
            "n=v; Domain=xn--bcher-kva.example",
            "xn--bcher-kva.example",
            false,
            "/",
        ),
        // A final dot makes another host.
        ("http://a.example.com./", "n=v; Domain=example.com.", "example.com.", false, "/"),
        // Path (§5.6.4, §5.1.4).
        ("http://x.org/a/b?q=/z/", "n=v; Path=/c", "x.org", true, "/c"),
        ("http://x.org/a/b", "n=v; Path=c", "x.org", true, "/a"),
        ("http://x.org/a/b", "n=v; Path=", "x.org", true, "/a"),
        ("http://x.org/a/b/", "n=v", "x.org", true, "/a/b"),
        ("http://x.org/", "n=v; Path=/\u{f6} \t~", "x.org", true, "/%C3%B6%20%09~"),
    ] {
        let jar = jar_of(&[(from, field)]);
        let cookie = jar.iter().next().unwrap();
        let facts = (cookie.domain(), cookie.host_only(), cookie.path());
        assert_eq!(facts, (domain, host_only, path), "{field} from {from}");
        assert_eq!((cookie.name(), cookie.value()), (&b"n"[..], &b"v"[..]));
    }
}

#[test]
fn flags_are_kept() {
    let jar = jar_of(&[("https://x.org/", "n=v; Secure; HttpOnly; SameSite=Lax")]);
    let cookie = jar.iter().next().unwrap();
    assert!(cookie.secure() && cookie.http_only());
    assert_eq!(cookie.same_site(), Some(SameSite::Lax));
    let jar = jar_of(&[("https://x.org/", "n=v")]);
    let cookie = jar.iter().next().unwrap();
    assert!(!cookie.secure() && !cookie.http_only() && cookie.same_site().is_none());
}

fn foreign(domain: &str, host: &str) -> Rejected {
    Rejected::ForeignDomain { domain: domain.into(), host: host.into() }
}

fn suffix(domain: &str) -> Rejected {
    Rejected::PublicSuffix(domain.into())
}

/// §5.7 steps 8 to 10.
#[test]
fn domains_that_are_refused() {
    for (host, domain, why) in [
        ("example.com", "other.com", foreign("other.com", "example.com")),
        ("a.example.com", "b.example.com", foreign("b.example.com", "a.example.com")),
        ("example.com", "www.example.com", foreign("www.example.com", "example.com")),
        ("evilshop.com", "shop.com", foreign("shop.com", "evilshop.com")),
        ("www.example.com", "..example.com", foreign(".example.com", "www.example.com")),
        ("www.example.com", "example.com.", foreign("example.com.", "www.example.com")),
        ("www.example.com", "*.example.com", foreign("*.example.com", "www.example.com")),
        ("www.example.com", "example.com:80", foreign("example.com:80", "www.example.com")),
        ("example.com", "b\u{fc}cher.com", Rejected::InvalidDomain("b\u{fc}cher.com".into())),
        // An address has no parts to share, whatever it looks like (CVE-2014-3613).
        ("127.0.0.1", "0.0.1", foreign("0.0.1", "127.0.0.1")),
        ("127.0.0.1", "1", foreign("1", "127.0.0.1")),
        ("127.0.0.1", "127.1", foreign("127.1", "127.0.0.1")),
        ("[::1]", "::1", foreign("::1", "[::1]")),
        // Single labels.
        ("a.localhost", "localhost", suffix("localhost")),
        ("a.internal", "internal", suffix("internal")),
        ("example.com", "localhost", suffix("localhost")),
    ] {
        let result = set(
            &mut CookieJar::new(),
            &format!("http://{host}/"),
            &format!("n=v; Domain={domain}"),
        );
        assert_eq!(result, Err(why), "{domain} from {host}");
    }
}

#[test]
fn cve_2023_46218_public_suffix_in_any_case() {
    for domain in ["co.uk", "co.UK", "CO.UK", ".co.uk"] {
        let field = format!("n=v; Domain={domain}");
        let result = set(&mut CookieJar::new(), "http://shop.co.uk/", &field);
        assert_eq!(result, Err(suffix("co.uk")), "{domain}");
    }
}

#[test]
fn cve_2022_27779_public_suffix_with_a_final_dot() {
    let result = set(&mut CookieJar::new(), "http://me.com./", "n=v; Domain=com.");
    assert_eq!(result, Err(suffix("com.")));
    let result = set(&mut CookieJar::new(), "http://me.com/", "n=v; Domain=com.");
    assert_eq!(result, Err(suffix("com.")));
}

#[test]
fn public_suffixes_are_refused() {
    for (host, domain) in [
        ("shop.com", "com"),
        ("me.github.io", "github.io"),
        ("a.b.ck", "b.ck"),
        ("shop.xn--55qx5d.cn", "xn--55qx5d.cn"),
    ] {
        let field = format!("n=v; Domain={domain}");
        let result = set(&mut CookieJar::new(), &format!("http://{host}/"), &field);
        assert_eq!(result, Err(suffix(domain)), "{domain} from {host}");
    }
}

#[test]
fn cve_2013_1944_a_tail_of_the_name_is_no_domain() {
    let result = set(&mut CookieJar::new(), "http://notexample.com/", "n=v; Domain=example.com");
    assert_eq!(result, Err(foreign("example.com", "notexample.com")));
}

#[test]
fn cve_2022_35252_control_bytes_are_refused() {
    for byte in (0..=8).chain(10..=31).chain([127]) {
        let field = [b'n', b'=', byte];
        let result = CookieJar::new().store_response(&url("http://x.org/"), &field, now());
        assert_eq!(result, Err(Rejected::ControlCharacter), "{byte}");
    }
}

#[test]
fn only_http_has_cookies() {
    for from in ["file:///etc", "ftp://x.org/", "data:,x"] {
        assert_eq!(set(&mut CookieJar::new(), from, "n=v"), Err(Rejected::NoHost));
    }
}

/// §5.7 step 13, on loopback too.
#[test]
fn secure_cookies_come_securely() {
    for (from, expected) in [
        ("https://x.org/", Ok(Stored::Added)),
        ("wss://x.org/", Ok(Stored::Added)),
        ("http://x.org/", Err(Rejected::SecureOverInsecure)),
        ("http://localhost/", Err(Rejected::SecureOverInsecure)),
        ("http://127.0.0.1/", Err(Rejected::SecureOverInsecure)),
        ("http://[::1]/", Err(Rejected::SecureOverInsecure)),
    ] {
        assert_eq!(set(&mut CookieJar::new(), from, "n=v; Secure"), expected, "{from}");
    }
}

/// §5.7 step 16, with the rows of its note.
#[test]
fn secure_cookies_are_left_alone() {
    for (from, field, hides) in [
        ("http://x.org/", "a=evil; Path=/login", true),
        ("http://x.org/", "a=evil; Path=/login/en", true),
        ("http://x.org/", "a=; Path=/login; Max-Age=0", true),
        ("http://x.org/", "a=evil; Path=/", false),
        ("http://x.org/", "a=evil; Path=/foo", false),
        ("http://x.org/", "A=evil; Path=/login", false),
        // Above and below.
        ("http://www.x.org/", "a=evil; Path=/login", true),
        ("http://www.x.org/", "a=evil; Path=/login; Domain=x.org", true),
        ("http://y.org/", "a=evil; Path=/login", false),
        ("http://yx.org/", "a=evil; Path=/login", false),
        ("https://x.org/", "a=new; Path=/login", false),
    ] {
        let mut jar = jar_of(&[("https://x.org/", "a=good; Path=/login; Secure")]);
        let expected = if hides { Some(Rejected::HidesSecure) } else { None };
        assert_eq!(set(&mut jar, from, field).err(), expected, "{field} from {from}");
    }
    let mut jar = jar_of(&[("https://a.b.x.org/", "a=good; Secure")]);
    assert_eq!(set(&mut jar, "http://x.org/", "a=evil"), Err(Rejected::HidesSecure));
    assert_eq!(set(&mut jar, "http://c.x.org/", "a=own"), Ok(Stored::Added), "siblings are apart");
    jar = jar_of(&[("https://x.org/", "a=good; Secure; Max-Age=5")]);
    let later = jar.store_response(&url("http://x.org/"), b"a=b", after(5));
    assert_eq!(later, Ok(Stored::Added), "what has ended is not hidden");
}

/// §5.7 step 19.
#[test]
fn same_site_none_needs_secure() {
    let set = |field| set(&mut CookieJar::new(), "https://x.org/", field);
    assert_eq!(set("a=b; SameSite=None"), Err(Rejected::SameSiteNone));
    assert_eq!(set("a=b; SameSite=None; Secure"), Ok(Stored::Added));
    assert_eq!(set("a=b; SameSite=Lax"), Ok(Stored::Added));
}

/// §5.7 steps 20 to 22, and layered-cookies for `__Http-` and `__Host-Http-`.
#[test]
fn prefixes() {
    for (field, missing) in [
        ("__Secure-a=b; Secure", None),
        ("__Secure-a=b", Some("Secure")),
        ("__SECURE-a=b", Some("Secure")),
        ("__Secure-a=b; Secure; Domain=x.org", None),
        ("__Host-a=b; Secure; Path=/", None),
        ("__Host-a=b; Secure", Some("Path=/")),
        ("__Host-a=b; Path=/", Some("Secure")),
        ("__host-a=b; Secure; Path=/login", Some("Path=/")),
        ("__Host-a=b; Secure; Path=/; Domain=x.org", Some("to have no Domain")),
        ("__Host-a=b; Secure; Path=/; Domain=www.x.org", Some("to have no Domain")),
        ("__Http-a=b; Secure; HttpOnly; Domain=x.org", None),
        ("__Http-a=b; Secure", Some("HttpOnly")),
        ("__hTTP-a=b; HttpOnly", Some("Secure")),
        ("__Host-Http-a=b; Secure; Path=/; HttpOnly", None),
        ("__Host-Http-a=b; Secure; Path=/", Some("HttpOnly")),
        ("__Host-Http-a=b; Secure; HttpOnly", Some("Path=/")),
        // Near misses.
        ("__Secur-a=b", None),
        ("_Host-a=b", None),
        (" __Secure-a=b", Some("Secure")),
        // A nameless cookie is sent as its value, which must not pass for a name.
        ("=__Secure-a=b; Secure", Some("a name of its own, apart from the value")),
        ("__Host-a; Secure; Path=/", Some("a name of its own, apart from the value")),
        ("=__http-a; Secure; HttpOnly", Some("a name of its own, apart from the value")),
    ] {
        let why = match set(&mut CookieJar::new(), "https://www.x.org/", field) {
            Ok(_) => None,
            Err(Rejected::Prefix { missing, .. }) => Some(missing),
            Err(other) => panic!("{field}: {other}"),
        };
        assert_eq!(why, missing, "{field}");
    }
    let result = set(&mut CookieJar::new(), "http://www.x.org/", "__Secure-a=b; Secure");
    assert_eq!(result, Err(Rejected::SecureOverInsecure));
}

#[test]
fn own_cookies_are_checked() {
    let cookie = |name: &str, value: &str| NewCookie::new(name, value, "www.x.org");
    let domain = |domain: &str| NewCookie::new("a", "b", domain);
    for (new, why) in [
        (cookie("", ""), Rejected::Empty),
        (cookie("a\r\nb", ""), Rejected::ControlCharacter),
        (cookie("a", "b\0"), Rejected::ControlCharacter),
        (cookie("a=b", "c"), Rejected::InvalidName),
        (cookie("a;b", "c"), Rejected::InvalidName),
        (cookie(" a", "c"), Rejected::InvalidName),
        (cookie("a", "b;c"), Rejected::InvalidValue),
        (cookie("a", "b\t"), Rejected::InvalidValue),
        (cookie("a", &"b".repeat(4096)), Rejected::TooLong(4097)),
        (cookie("a", "b").path("x"), Rejected::InvalidPath),
        (cookie("a", "b").path(""), Rejected::InvalidPath),
        (cookie("a", "b").same_site(SameSite::None), Rejected::SameSiteNone),
        (domain(""), Rejected::InvalidDomain("".into())),
        (domain("a b"), Rejected::InvalidDomain("a b".into())),
        (domain("https://x.org"), Rejected::InvalidDomain("https://x.org".into())),
        (domain("co.uk").with_subdomains(), suffix("co.uk")),
        (cookie("__Secure-a", "b"), Rejected::Prefix { prefix: "__Secure-", missing: "Secure" }),
    ] {
        let mut jar = CookieJar::new();
        assert_eq!(jar.insert(new.clone(), now()), Err(why), "{new:?}");
        assert!(jar.is_empty());
    }
    let mut jar = CookieJar::new();
    for host in ["B\u{dc}CHER.example", "127.1", "::1"] {
        assert_eq!(jar.insert(domain(host), now()), Ok(Stored::Added), "{host}");
    }
    jar.insert(domain("10.0.0.1").with_subdomains(), now()).unwrap();
    let domains: Vec<&str> = jar.iter().map(Cookie::domain).collect();
    assert_eq!(domains, ["10.0.0.1", "127.0.0.1", "[::1]", "xn--bcher-kva.example"]);
    assert!(jar.iter().all(Cookie::host_only));
}

/// Messages and `Debug` are for logs.
#[test]
fn values_are_not_shown() {
    let jar = jar_of(&[("https://x.org/", "sid=hunter2; Secure")]);
    let shown = format!("{jar:?} {:?}", NewCookie::new("sid", "hunter2", "x.org"));
    assert!(shown.contains("sid") && shown.contains("x.org") && shown.contains("7 bytes"));
    assert!(!shown.contains("hunter2"));
    let hostile = set(&mut CookieJar::new(), "http://x.org/", "a=b; Domain=\u{1b}[31m");
    assert_eq!(hostile, Err(Rejected::ControlCharacter));
    let foreign = set(&mut CookieJar::new(), "http://x.org/", "a=b; Domain=\"\u{9b}x").unwrap_err();
    assert!(foreign.to_string().is_ascii(), "{foreign}");
}
