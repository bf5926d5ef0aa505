mod any;

use super::*;

fn url(text: &str) -> Url {
    text.parse().unwrap()
}

fn follow(method: &str, from: &str, status: u16, to: &str) -> Redirected {
    attempt(method, from, status, to.as_bytes()).unwrap().expect("a redirect")
}

fn attempt(
    method: &str,
    from: &str,
    status: u16,
    to: &[u8],
) -> Result<Option<Redirected>, RedirectError> {
    next(&method.parse().unwrap(), &url(from), status, Some(to), &RedirectPolicy::default(), 0)
}

/// The URL that a GET of `from` is redirected to.
fn resolved(from: &str, to: &[u8]) -> String {
    attempt("GET", from, 302, to).unwrap().expect("a redirect").url.into()
}

fn error(from: &str, to: &[u8]) -> RedirectError {
    attempt("GET", from, 302, to).expect_err(&to.escape_ascii().to_string())
}

fn fault(to: &[u8]) -> LocationFault {
    match error("http://a.test/", to) {
        RedirectError::BadLocation { fault, .. } => fault,
        other => panic!("{}: {other}", to.escape_ascii()),
    }
}

fn credentials(from: &str, to: &str) -> Credentials {
    follow("GET", from, 302, to).credentials
}

#[test]
fn only_five_statuses_are_redirects() {
    let mut headers = Headers::new();
    headers.append("location", "/x").unwrap();
    for status in 100..=599 {
        let expected = [301, 302, 303, 307, 308].contains(&status);
        assert_eq!(is_redirect(status, &headers), expected, "{status}");
        assert_eq!(is_permanent(status, &headers), [301, 308].contains(&status), "{status}");
        let found = attempt("GET", "http://a.test/", status, b"/x").unwrap();
        assert_eq!(found.is_some(), expected, "{status}");
    }
}

#[test]
fn a_redirect_without_a_location_is_a_response() {
    let policy = RedirectPolicy::limited(0);
    for location in [None, Some(b"".as_slice()), Some(b" \t ")] {
        let found = next(&Method::Get, &url("http://a.test/"), 302, location, &policy, 9);
        assert_eq!(found, Ok(None), "{location:?}");
    }
    let mut headers = Headers::new();
    assert!(!is_redirect(301, &headers));
    headers.append("Location", "").unwrap();
    assert!(!is_redirect(301, &headers) && !is_permanent(301, &headers));
    headers.append("Location", "/x").unwrap();
    assert_eq!(location(&headers), Some(b"/x".as_slice()));
    assert!(is_permanent(301, &headers));
}

#[test]
fn methods_and_bodies() {
    use BodyRule::{Drop, Keep};
    for (status, method, becomes, body) in [
        (301, "POST", "GET", Drop),
        (301, "GET", "GET", Keep),
        (301, "HEAD", "HEAD", Keep),
        (301, "PUT", "PUT", Keep),
        (301, "PATCH", "PATCH", Keep),
        (302, "POST", "GET", Drop),
        (302, "PUT", "GET", Drop),
        (302, "DELETE", "GET", Drop),
        (302, "HEAD", "HEAD", Keep),
        (302, "GET", "GET", Keep),
        (303, "POST", "GET", Drop),
        (303, "PUT", "GET", Drop),
        (303, "HEAD", "HEAD", Drop),
        (303, "GET", "GET", Drop),
        (303, "PURGE", "GET", Drop),
        (307, "POST", "POST", Keep),
        (307, "DELETE", "DELETE", Keep),
        (308, "POST", "POST", Keep),
        (308, "PURGE", "PURGE", Keep),
    ] {
        let redirected = follow(method, "http://a.test/", status, "/x");
        assert_eq!(redirected.method.as_str(), becomes, "{status} {method}");
        assert_eq!(redirected.body, body, "{status} {method}");
    }
}

#[test]
fn keep_method_is_for_301_and_302() {
    let policy = RedirectPolicy::default().with_keep_method(true);
    for (status, becomes, body) in [
        (301, Method::Post, BodyRule::Keep),
        (302, Method::Post, BodyRule::Keep),
        (303, Method::Get, BodyRule::Drop),
        (307, Method::Post, BodyRule::Keep),
    ] {
        let from = url("http://a.test/");
        let redirected = next(&Method::Post, &from, status, Some(b"/x"), &policy, 0).unwrap();
        let redirected = redirected.unwrap();
        assert_eq!((redirected.method, redirected.body), (becomes, body), "{status}");
    }
}

#[test]
fn cve_2023_45803_a_method_change_takes_the_body_and_its_fields_away() {
    let mut headers = Headers::new();
    for name in BODY_FIELDS.iter().chain(&["Accept", "Authorization"]) {
        headers.append(&name.to_ascii_lowercase(), "1").unwrap();
    }
    let redirected = follow("POST", "http://a.test/", 303, "/x");
    assert_eq!(redirected.body, BodyRule::Drop);
    redirected.prune(&mut headers);
    let left: Vec<_> = headers.iter().map(|(name, _)| name).collect();
    assert_eq!(left, ["accept", "authorization"]);
}

#[test]
fn a_kept_body_keeps_its_fields() {
    let mut headers = Headers::new();
    headers.append("Content-Type", "text/plain").unwrap();
    headers.append("Cookie", "a=b").unwrap();
    headers.append("Host", "virtual.test").unwrap();
    let before = headers.clone();
    follow("POST", "http://a.test/", 307, "/x").prune(&mut headers);
    assert_eq!(headers, before);
    follow("POST", "http://a.test/", 307, "http://b.test/").prune(&mut headers);
    assert_eq!(headers.iter().collect::<Vec<_>>(), [("Content-Type", b"text/plain".as_slice())]);
}

#[test]
fn cve_2018_18074_authorization_does_not_follow_a_downgrade() {
    use Credentials::{Keep, Strip};
    for (from, to, expected) in [
        ("https://a.test/", "http://a.test/", Strip),
        ("https://a.test/", "http://a.test:443/", Strip),
        ("http://a.test/", "https://a.test/", Keep),
        ("http://a.test:80/", "https://A.test:443/", Keep),
        ("http://a.test:8080/", "https://a.test/", Strip),
        ("http://a.test/", "https://a.test:8443/", Strip),
        ("http://a.test:443/", "https://a.test:443/", Strip),
        ("http://a.test/", "https://b.test/", Strip),
        ("http://a.test/", "http://a.test:8080/", Strip),
        ("https://a.test/", "https://a.test:8443/", Strip),
        ("https://a.test/", "https://a.test:443/", Keep),
        ("https://a.test/", "https://b.test/", Strip),
        ("https://a.test/", "https://sub.a.test/", Strip),
        ("https://sub.a.test/", "https://a.test/", Strip),
        ("https://a.test/", "https://a.test./", Strip),
        ("https://a.test/", "https://a.test@b.test/", Strip),
        ("https://a.test/", r"https://b.test\@a.test/", Strip),
        ("https://a.test/", "//b.test/", Strip),
        ("https://a.test/", r"/\b.test/", Strip),
        ("https://a.test/", "/b", Keep),
        ("https://a.test/", "//A.TEST/", Keep),
        ("http://127.0.0.1/", "http://0x7f.1/", Keep),
        ("http://[::1]/", "http://[0:0::1]/", Keep),
    ] {
        assert_eq!(credentials(from, to), expected, "{from} -> {to}");
    }
}

#[test]
fn cve_2023_43804_a_cookie_set_by_hand_stays_at_its_origin() {
    stays_at_its_origin("Cookie");
}

#[test]
fn cve_2024_37891_proxy_authorization_set_by_hand_stays_at_its_origin() {
    stays_at_its_origin("Proxy-Authorization");
}

#[test]
fn cve_2024_45336_what_was_stripped_does_not_come_back() {
    let mut headers = Headers::new();
    headers.append("Authorization", "Bearer secret").unwrap();
    for (from, to) in [
        ("https://a.test/", "https://b.test/x"),
        ("https://b.test/x", "/y"),
        ("https://b.test/y", "https://a.test/"),
    ] {
        follow("GET", from, 302, to).prune(&mut headers);
        assert!(headers.is_empty(), "{from} -> {to}");
    }
}

fn stays_at_its_origin(name: &str) {
    for (to, left) in [("https://b.test/", 0), ("http://a.test/", 0), ("/x", 1)] {
        let mut headers = Headers::new();
        headers.append(name, "secret").unwrap();
        follow("GET", "https://a.test/", 302, to).prune(&mut headers);
        assert_eq!(headers.len(), left, "{name} to {to}");
    }
}

#[test]
fn cve_2025_50181_a_limit_set_anywhere_holds() {
    let session = RedirectPolicy::none();
    let call = RedirectPolicy::limited(9).with_keep_method(true);
    for policy in [session.and(call), call.and(session)] {
        assert!(!policy.follow && !policy.keep_method);
        assert_eq!(policy.max, 0);
        let found = next(&Method::Get, &url("http://a.test/"), 302, Some(b"/x"), &policy, 0);
        assert_eq!(found, Ok(None));
    }
    let guarded = RedirectPolicy::default().with_https_only(true).with_same_origin_only(true);
    for policy in [guarded.and(call), call.and(guarded)] {
        assert!(policy.follow && policy.https_only && policy.same_origin_only);
        assert_eq!(policy.max, 9);
    }
}

#[test]
fn rules_of_the_policy() {
    let step = |policy: RedirectPolicy, from: &str, to: &str| {
        next(&Method::Get, &url(from), 302, Some(to.as_bytes()), &policy, 0).map(|_| ())
    };
    let https_only = RedirectPolicy::default().with_https_only(true);
    assert_eq!(step(https_only, "https://a.test/", "https://b.test/"), Ok(()));
    assert_eq!(step(https_only, "http://a.test/", "https://a.test/"), Ok(()));
    let refused = step(https_only, "https://u:p@a.test/x?q", "http://v:w@b.test/y?r").unwrap_err();
    assert_eq!(
        refused.to_string(),
        "https://a.test/x redirects to http://b.test/y, but only https is to be followed \
         (https_only); request that yourself if you trust it"
    );
    let same_origin_only = RedirectPolicy::default().with_same_origin_only(true);
    assert_eq!(step(same_origin_only, "http://a.test/", "/x"), Ok(()));
    for to in ["https://a.test/", "http://a.test:81/", "//b.test/"] {
        assert!(matches!(
            step(same_origin_only, "http://a.test/", to),
            Err(RedirectError::Refused { rule: Rule::SameOriginOnly, .. })
        ));
    }
}

#[test]
fn the_limit_ends_a_loop() {
    let (policy, mut at) = (RedirectPolicy::default(), url("http://a.test/"));
    for followed in 0..30 {
        let to = if followed % 2 == 0 { b"http://b.test/" } else { b"http://a.test/" };
        at = next(&Method::Get, &at, 302, Some(to), &policy, followed).unwrap().unwrap().url;
    }
    let ended = next(&Method::Get, &at, 302, Some(b"/"), &policy, 30).unwrap_err();
    assert_eq!(
        ended.to_string(),
        "http://a.test/ redirects again after 30 redirects: look for a loop in the history, or \
         raise the limit"
    );
    let one = RedirectPolicy::limited(1);
    let ended = next(&Method::Get, &at, 302, Some(b"/"), &one, u32::MAX).unwrap_err();
    assert!(ended.to_string().contains("after 1 redirect:"), "{ended}");
}

#[test]
fn locations_are_resolved() {
    for (from, to, expected) in [
        ("http://a.test/x/y?q", b"z".as_slice(), "http://a.test/x/z"),
        ("http://a.test/x/y?q", b"?r", "http://a.test/x/y?r"),
        ("http://a.test/x/y", b"../../../z", "http://a.test/z"),
        ("https://a.test/x", b"//b.test:444/y", "https://b.test:444/y"),
        ("http://a.test/", b" \thttp://b.test/ \t", "http://b.test/"),
        ("http://a.test/", b"HTTPS://B.test", "https://b.test/"),
        ("http://a.test/", b"/a b\"<>", "http://a.test/a%20b%22%3C%3E"),
        ("http://a.test/", "/\u{e4}".as_bytes(), "http://a.test/%C3%A4"),
        ("http://a.test/", b"/\xe4", "http://a.test/%C3%A4"),
        ("http://a.test/", b"/%0d%0aX:1", "http://a.test/%0d%0aX:1"),
        ("http://a.test/", "http://한국.kr/".as_bytes(), "http://xn--3e0b707e.kr/"),
        ("http://a.test/", b"http://0x7f000001/", "http://127.0.0.1/"),
        ("http://a.test/#one", b"/x", "http://a.test/x#one"),
        ("http://a.test/#one", b"https://b.test/", "https://b.test/#one"),
        ("http://a.test/#one", b"/x#two", "http://a.test/x#two"),
        ("http://a.test/#one", b"#two", "http://a.test/#two"),
        ("http://a.test/#one", b"/x#", "http://a.test/x#"),
        ("http+unix://%2Frun%2Fa.sock/x", b"/y", "http+unix://%2Frun%2Fa.sock/y"),
    ] {
        assert_eq!(resolved(from, to), expected, "{}", to.escape_ascii());
    }
}

#[test]
fn userinfo_of_a_location_is_dropped_and_told() {
    for to in ["http://user:pass@b.test/x", "//user@b.test/x", "http://:pass@b.test/x"] {
        let redirected = follow("GET", "http://a.test/", 302, to);
        assert_eq!(redirected.url.as_str(), "http://b.test/x");
        assert!(redirected.dropped_userinfo, "{to}");
        assert_eq!(redirected.credentials, Credentials::Strip);
    }
    assert!(!follow("GET", "http://a.test/", 302, "http://b.test/@").dropped_userinfo);
}

#[test]
fn bad_locations_are_errors() {
    use url::ParseError;
    for (to, expected) in [
        (b"http:///x".as_slice(), LocationFault::NoHost),
        (b"http:x", LocationFault::NoHost),
        (b"HTTPS:/x", LocationFault::NoHost),
        (b"http:", LocationFault::NoHost),
        (b"http://", LocationFault::NoHost),
        (b"http://:80/", LocationFault::NoHost),
        (b"http://?x", LocationFault::NoHost),
        (b"///b.test/", LocationFault::NoHost),
        (br"/\\b.test/", LocationFault::NoHost),
        (b"http://b.test:0/", LocationFault::PortZero),
        (b"http://b.test:99999/", LocationFault::Url(ParseError::InvalidPort)),
        (b"http://b.test:8o/", LocationFault::Url(ParseError::InvalidPort)),
        (b"http://[::1/", LocationFault::Url(ParseError::InvalidIpv6Address)),
        (b"http://b .test/", LocationFault::Url(ParseError::IdnaError)),
        (b"/x\r\nSet-Cookie: a=b", LocationFault::Control { byte: b'\r', offset: 2 }),
        (b"/x\ty", LocationFault::Control { byte: b'\t', offset: 2 }),
        (b"/\0", LocationFault::Control { byte: 0, offset: 1 }),
        (b"java\nscript:x", LocationFault::Control { byte: b'\n', offset: 4 }),
        (b"/\x7f", LocationFault::Control { byte: 0x7f, offset: 1 }),
    ] {
        assert_eq!(fault(to), expected, "{}", to.escape_ascii());
    }
    let longest = format!("/{}", "x".repeat(65_535));
    assert_eq!(resolved("http://a.test/", longest.as_bytes()).len(), 13 + 65_536);
    let longer = format!("{longest}x");
    assert_eq!(fault(longer.as_bytes()), LocationFault::TooLong { bytes: 65_537 });
}

/// What no name can be is known before anybody is asked for it; a name in letters of other scripts is one.
#[test]
fn hosts_that_are_no_names_are_errors() {
    let (label, long) = ("a".repeat(63), "\u{e4}".repeat(60));
    let name = |last: usize| format!("{label}.{label}.{label}.{}", "b".repeat(last));
    for host in [format!("{label}a"), format!("{label}a.test"), name(62), long, "a.".repeat(2100)] {
        for to in [format!("http://{host}/"), format!("//{host}:80/x"), format!("HTTPS://u@{host}")]
        {
            assert_eq!(fault(to.as_bytes()), LocationFault::HostTooLong, "{to}");
        }
    }
    for to in [format!("http://{label}/"), format!("http://{}/", name(61)), format!("/{label}a")] {
        resolved("http://a.test/", to.as_bytes());
    }
    for to in [b"http://\xe4.test/".as_slice(), b"//\xff\xfe/", b"https://u@\xe4:80/\xe4"] {
        assert_eq!(fault(to), LocationFault::HostNotUtf8, "{}", to.escape_ascii());
    }
    assert_eq!(resolved("http://a.test/", b"//b.test/\xe4"), "http://b.test/%C3%A4");
    assert_eq!(resolved("http://a.test/", "//\u{e4}.test/".as_bytes()), "http://xn--4ca.test/");
}

#[test]
fn cve_2009_0037_only_http_is_followed() {
    for (to, expected) in [
        ("file:///etc/passwd", "file"),
        ("data:text/html,x", "data"),
        ("JavaScript:alert(1)", "javascript"),
        ("ftp://b.test/", "ftp"),
        ("gopher://b.test/_x", "gopher"),
        ("http+unix://%2Frun%2Fdocker.sock/", "http+unix"),
        ("localhost:8080/x", "localhost"),
    ] {
        match error("http://a.test/", to.as_bytes()) {
            RedirectError::Scheme { scheme, .. } => assert_eq!(&*scheme, expected),
            other => panic!("{to}: {other}"),
        }
    }
    let elsewhere = error("http+unix://%2Frun%2Fa.sock/x", b"//%2Frun%2Fb.sock/");
    assert!(matches!(elsewhere, RedirectError::Scheme { .. }), "{elsewhere}");
}

#[test]
fn errors_say_what_where_and_what_to_do_but_no_secret() {
    let said =
        error("http://me:mine@a.test/x?token=mine", b"http://you:yours@b.test:0/").to_string();
    assert_eq!(
        said,
        "http://a.test/x redirects to \"***@b.test:0/\", but port 0 cannot be connected to: the \
         server is at fault; follow no redirects to get its response as it is"
    );
    let said = error("http://a.test/", b"http://you:yo/urs@b.test/").to_string();
    assert!(!said.contains("yo/urs") && !said.contains("you"), "{said}");
    let said = error("http://a.test/", b"http://you:p@ss@b.test:0/").to_string();
    assert!(!said.contains("ss@b"), "{said}");
}

#[test]
fn a_policy_with_another_part_keeps_the_rest() {
    let strict = RedirectPolicy::limited(4).with_https_only(true).with_keep_method(true);
    assert_eq!((strict.max, strict.with_max(9).max), (4, 9));
    assert!(strict.with_max(9).https_only && strict.with_max(9).keep_method);
    assert!(strict.follow && !strict.with_follow(false).follow);
    assert!(strict.with_follow(false).https_only && strict.with_follow(false).max == 4);
}
