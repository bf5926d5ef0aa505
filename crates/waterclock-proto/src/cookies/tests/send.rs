//! Which cookies go with a request, and how (RFC 6265bis §5.8).

use super::*;

const SHOP: &str = "https://www.shop.com/a/b";

/// §5.8.3 step 3: domain, path and connection.
#[test]
fn what_goes_where() {
    let mut jar = jar_of(&[
        (SHOP, "host=1; Path=/"),
        (SHOP, "wide=2; Domain=shop.com; Path=/"),
        (SHOP, "safe=3; Path=/; Secure"),
        (SHOP, "deep=4"),
        ("http://127.0.0.1/", "ip=5"),
        ("http://localhost/", "local=6"),
    ]);
    for (to, expected) in [
        ("https://www.shop.com/", "host=1; safe=3; wide=2"),
        ("https://www.shop.com:8443/", "host=1; safe=3; wide=2"),
        ("wss://www.shop.com/", "host=1; safe=3; wide=2"),
        ("http://www.shop.com/", "host=1; wide=2"),
        ("https://WWW.SHOP.COM/a?x=1#y", "deep=4; host=1; safe=3; wide=2"),
        ("https://www.shop.com/ab", "host=1; safe=3; wide=2"),
        ("https://www.shop.com/a/../x", "host=1; safe=3; wide=2"),
        ("https://shop.com/", "wide=2"),
        ("https://a.www.shop.com/", "wide=2"),
        ("https://evilshop.com/", ""),
        ("https://shop.com.evil.org/", ""),
        ("https://shop.com./", ""),
        ("https://com/", ""),
        ("http://127.0.0.1/", "ip=5"),
        ("http://2130706433/", "ip=5"),
        ("http://127.0.0.2/", ""),
        ("http://localhost:3000/", "local=6"),
        ("http://a.localhost/", ""),
        ("file:///a/b", ""),
    ] {
        assert_eq!(sent(&mut jar, to), expected, "{to}");
    }
}

/// §5.8.3 step 4.
#[test]
fn longer_paths_then_earlier_cookies() {
    let mut jar = CookieJar::new();
    for (seconds, field) in [
        (0, "a=1; Path=/"),
        (1, "b=2; Path=/x/y"),
        (2, "c=3; Path=/x"),
        (3, "d=4; Path=/; Domain=shop.com"),
        (4, "e=5; Path=/x/y"),
        // A new value, the place of old (§5.7 step 23).
        (5, "a=6; Path=/"),
    ] {
        let url = url("https://www.shop.com/");
        jar.store_response(&url, field.as_bytes(), after(seconds)).unwrap();
    }
    assert_eq!(sent(&mut jar, "https://www.shop.com/x/y"), "b=2; e=5; c=3; a=6; d=4");
}

/// §5.8.3 step 6.
#[test]
fn cookies_as_they_are_written() {
    let mut jar = jar_of(&[(SHOP, "a="), (SHOP, "lonely"), (SHOP, "q=\"x y\"\tz, 1")]);
    assert_eq!(sent(&mut jar, SHOP), "a=; lonely; q=\"x y\"\tz, 1");
    let mut jar = CookieJar::new();
    jar.store_response(&url(SHOP), b"latin=\xe9", now()).unwrap();
    let header = jar.header(&url(SHOP), SiteContext::SameSite, now());
    assert_eq!(header.as_deref(), Some(&b"latin=\xe9"[..]), "bytes go back as they came");
}

/// §5.8.3 step 3, last point.
#[test]
fn same_site_cookies() {
    let mut jar = jar_of(&[
        (SHOP, "strict=1; SameSite=Strict"),
        (SHOP, "lax=2; SameSite=Lax"),
        (SHOP, "none=3; SameSite=None; Secure"),
        (SHOP, "silent=4"),
        (SHOP, "odd=5; SameSite=Sometimes"),
    ]);
    for (context, expected) in [
        (SiteContext::default(), "strict=1; lax=2; none=3; silent=4; odd=5"),
        (SiteContext::CrossSite { safe_method: true }, "lax=2; none=3; silent=4; odd=5"),
        (SiteContext::CrossSite { safe_method: false }, "none=3"),
    ] {
        assert_eq!(sent_in(&mut jar, SHOP, context), expected, "{context:?}");
    }
}

/// §5.2.
#[test]
fn chains_of_redirects() {
    let chain = |urls: &[&str]| {
        let urls: Vec<Url> = urls.iter().map(|text| url(text)).collect();
        SiteContext::of_chain(&urls, false)
    };
    let cross = SiteContext::CrossSite { safe_method: false };
    assert_eq!(chain(&[]), SiteContext::SameSite);
    assert_eq!(chain(&["https://a.x.org/"]), SiteContext::SameSite);
    assert_eq!(chain(&["https://a.x.org/", "https://b.x.org/"]), SiteContext::SameSite);
    assert_eq!(chain(&["https://x.org/", "https://y.org/"]), cross);
    assert_eq!(chain(&["https://x.org/", "https://y.org/", "https://x.org/"]), cross);
    assert_eq!(chain(&["http://x.org/", "https://x.org/"]), cross, "schemes count");
    assert_eq!(chain(&["https://a.github.io/", "https://b.github.io/"]), cross);
}

#[test]
fn cve_2022_32205_the_header_is_bounded() {
    let mut jar = CookieJar::new();
    let value = "v".repeat(4000);
    for number in 0..50 {
        set(&mut jar, SHOP, &format!("n{number}={value}; Path=/")).unwrap();
    }
    let header = sent(&mut jar, SHOP);
    assert_eq!(header, format!("n0={value}; n1={value}"));
    // To the byte: what fills the rest, and what is one byte too long.
    let rest = MAX_HEADER_BYTES - header.len() - "; x=".len();
    for (length, fits) in [(rest, true), (rest + 1, false)] {
        let mut jar = jar_of(&[
            (SHOP, &format!("n0={value}; Path=/")),
            (SHOP, &format!("n1={value}; Path=/")),
            (SHOP, &format!("x={}; Path=/", "x".repeat(length))),
        ]);
        assert_eq!(sent(&mut jar, SHOP).contains("x="), fits, "{length}");
    }
}

#[test]
fn nothing_is_sent_from_an_empty_jar() {
    assert_eq!(CookieJar::new().header(&url(SHOP), SiteContext::SameSite, now()), None);
}

#[test]
fn lookups() {
    let jar = jar_of(&[
        (SHOP, "id=wide; Domain=shop.com; Path=/"),
        (SHOP, "id=deep; Path=/a"),
        ("https://x.org/", "id=other"),
    ]);
    let value = |to: &str| jar.get_for(&url(to), "id", now()).map(Cookie::value_text);
    assert_eq!(value("https://www.shop.com/a").as_deref(), Some("deep"));
    assert_eq!(value("https://www.shop.com/").as_deref(), Some("wide"));
    assert_eq!(value("https://y.org/"), None);
    assert_eq!(jar.get_for(&url(SHOP), "ID", now()), None, "names have case");
    assert_eq!(jar.named("id").count(), 3);
    assert_eq!(jar.named("no").count(), 0);
}
