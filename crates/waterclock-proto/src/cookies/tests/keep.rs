//! How long cookies are kept, and how many (RFC 6265bis §5.5, §5.7, §6.1).

use super::*;

const HERE: &str = "https://x.org/";

fn expiry(field: &str) -> Option<SystemTime> {
    jar_of(&[(HERE, field)]).iter().next().unwrap().expires()
}

/// §5.6.1, §5.6.2, §5.7 step 6.
#[test]
fn when_cookies_end() {
    let january_2028 = UNIX_EPOCH + Duration::from_secs(1_830_297_600);
    for (field, expected) in [
        ("a=b", None),
        ("a=b; Max-Age=60", Some(after(60))),
        ("a=b; Expires=Sat, 01 Jan 2028 00:00:00 GMT", Some(january_2028)),
        ("a=b; Max-Age=60; Expires=Sat, 01 Jan 2028 00:00:00 GMT", Some(after(60))),
        ("a=b; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=60", Some(after(60))),
        ("a=b; Max-Age=x; Expires=Sat, 01 Jan 2028 00:00:00 GMT", Some(january_2028)),
        ("a=b; Max-Age=1; Max-Age=60", Some(after(60))),
        ("a=b; Expires=tomorrow", None),
        ("a=b; Max-Age=", None),
        // 400 days at most (§5.5).
        ("a=b; Max-Age=34560000", Some(now() + MAX_AGE)),
        ("a=b; Max-Age=34560001", Some(now() + MAX_AGE)),
        ("a=b; Max-Age=9999999999999999999999999999999999999999", Some(now() + MAX_AGE)),
        ("a=b; Expires=Fri, 31 Dec 9999 23:59:59 GMT", Some(now() + MAX_AGE)),
    ] {
        assert_eq!(expiry(field), expected, "{field}");
    }
    let mut jar = CookieJar::new();
    jar.insert(NewCookie::new("a", "b", "x.org").expires(now() + MAX_AGE * 9), now()).unwrap();
    assert_eq!(jar.iter().next().unwrap().expires(), Some(now() + MAX_AGE), "the caller's own");
}

#[test]
fn a_cookie_that_has_ended_takes_its_like_along() {
    for end in ["Max-Age=0", "Max-Age=-1", "Expires=Thu, 01 Jan 1970 00:00:00 GMT"] {
        let mut jar = jar_of(&[(HERE, "a=b"), (HERE, "c=d"), (HERE, "a=b; Path=/p")]);
        assert_eq!(set(&mut jar, HERE, &format!("a=; {end}")), Ok(Stored::Expired), "{end}");
        assert_eq!(sent(&mut jar, "https://x.org/p"), "a=b; c=d");
        assert_eq!(jar.len(), 2);
    }
    let mut jar = CookieJar::new();
    assert_eq!(set(&mut jar, HERE, "a=b; Max-Age=0"), Ok(Stored::Expired));
    assert!(jar.is_empty());
}

#[test]
fn time_passes() {
    let mut jar = jar_of(&[(HERE, "a=b; Max-Age=60"), (HERE, "c=d")]);
    let mut at = |seconds| {
        let header = jar.header(&url(HERE), SiteContext::SameSite, after(seconds));
        (String::from_utf8(header.unwrap_or_default()).unwrap(), jar.len())
    };
    assert_eq!(at(59), ("a=b; c=d".to_owned(), 2));
    assert_eq!(at(60), ("c=d".to_owned(), 1), "and the other is gone (§5.7)");
}

#[test]
fn clearing() {
    let full = jar_of(&[(HERE, "a=b; Max-Age=60"), (HERE, "c=d"), ("https://y.org/", "e=f")]);
    let names =
        |jar: &CookieJar| jar.iter().map(|c| c.name_text().into_owned()).collect::<String>();
    let mut jar = full.clone();
    jar.clear_session();
    assert_eq!((names(&jar).as_str(), jar.len()), ("a", 1));
    let mut jar = full.clone();
    jar.clear_expired(after(60));
    assert_eq!((names(&jar).as_str(), jar.len()), ("ce", 2));
    let mut jar = full.clone();
    assert!(jar.remove(".X.org", "/", "c"));
    assert!(!jar.remove("x.org", "/", "c"));
    assert!(!jar.remove("x.org", "/p", "a"));
    assert!(!jar.remove("org", "/", "a"));
    assert_eq!((names(&jar).as_str(), jar.len()), ("ae", 2));
    assert_ne!(jar, full);
    jar.clear();
    assert!(jar.is_empty() && jar == CookieJar::new());
}

/// §5.7 step 23.
#[test]
fn replacing_keeps_the_creation_time() {
    let mut jar = jar_of(&[(HERE, "a=1")]);
    let second = jar.store_response(&url(HERE), b"a=2; Secure; Max-Age=9", after(5));
    assert_eq!(second, Ok(Stored::Replaced));
    let cookie = jar.iter().next().unwrap();
    assert_eq!((cookie.created(), cookie.last_access()), (now(), after(5)));
    assert_eq!((cookie.value(), cookie.secure(), jar.len()), (&b"2"[..], true, 1));
    // Others by one part of their identity.
    for field in ["A=3", "a=3; Path=/p", "a=3; Domain=x.org"] {
        assert_eq!(set(&mut jar, HERE, field), Ok(Stored::Added), "{field}");
    }
    // One that has ended has left nothing.
    assert_eq!(jar.store_response(&url(HERE), b"a=4", after(14)), Ok(Stored::Added));
    assert_eq!(jar.named("a").last().unwrap().created(), after(14));
}

#[test]
fn merging_replaces() {
    let mut jar = jar_of(&[(HERE, "a=1"), (HERE, "b=1")]);
    jar.merge(&jar_of(&[(HERE, "b=2"), ("https://y.org/", "c=2")]), now());
    assert_eq!(sent(&mut jar, HERE), "a=1; b=2");
    assert_eq!(jar.len(), 3);
}

/// §5.7, after step 24: first those not secure, then those longest unused.
#[test]
fn a_full_domain_evicts_in_order() {
    let mut jar = CookieJar::new();
    let mut add =
        |number: u64, field: &str| jar.store_response(&url(HERE), field.as_bytes(), after(number));
    for number in 0..50 {
        let secure = if number % 2 == 0 { "; Secure" } else { "" };
        add(number, &format!("n{number}=v; Path=/p{number}{secure}")).unwrap();
    }
    // Use makes young.
    jar.header(&url("https://x.org/p1"), SiteContext::SameSite, after(100));
    let mut add =
        |number: u64, field: &str| jar.store_response(&url(HERE), field.as_bytes(), after(number));
    assert_eq!(add(101, "late=v"), Ok(Stored::Added));
    assert_eq!(add(102, "later=v; Secure"), Ok(Stored::Added));
    let there = |jar: &CookieJar, name: &str| jar.named(name).next().is_some();
    assert!(there(&jar, "n0") && there(&jar, "n1") && !there(&jar, "n3") && !there(&jar, "n5"));
    assert!(there(&jar, "late") && there(&jar, "later") && there(&jar, "n7"));
    assert_eq!(jar.len(), MAX_PER_DOMAIN);
}

#[test]
fn secure_cookies_are_not_driven_out_by_others() {
    let mut jar = CookieJar::new();
    for number in 0..50 {
        set(&mut jar, HERE, &format!("n{number}=v; Secure")).unwrap();
    }
    let full = jar.clone();
    assert_eq!(set(&mut jar, HERE, "new=v"), Err(Rejected::Full));
    assert_eq!(jar, full);
    assert_eq!(set(&mut jar, HERE, "n7=w; Secure"), Ok(Stored::Replaced));
    assert_eq!(set(&mut jar, HERE, "new=v; Secure"), Ok(Stored::Added));
    assert!(jar.named("n0").next().is_none() && jar.len() == 50);
}

#[test]
fn a_full_jar_evicts_what_ended_then_what_is_longest_unused() {
    let mut jar = CookieJar::new();
    let host = |number: u64| url(&format!("https://h{number}.example/"));
    for number in 0..3000 {
        let field: &[u8] = if number == 1500 { b"n=v; Max-Age=2000" } else { b"n=v" };
        jar.store_response(&host(number), field, after(number)).unwrap();
    }
    let there = |jar: &CookieJar, number| jar.get_for(&host(number), "n", after(3000)).is_some();
    jar.store_response(&host(3000), b"n=v", after(4000)).unwrap();
    assert_eq!(jar.len(), MAX_IN_ALL);
    assert!(there(&jar, 0) && !there(&jar, 1500));
    jar.header(&host(0), SiteContext::SameSite, after(4001));
    jar.store_response(&host(3001), b"n=v", after(4002)).unwrap();
    assert_eq!(jar.len(), MAX_IN_ALL);
    assert!(there(&jar, 0) && !there(&jar, 1) && there(&jar, 2));
}

#[test]
fn a_jar_can_change_threads() {
    fn is_send<T: Send + Sync + Clone>() {}
    is_send::<CookieJar>();
}
