//! Tests of [`Proxies`].

use super::*;

fn chosen(proxies: &Proxies, text: &str) -> Option<String> {
    proxies.choose(&url(text)).map(|proxy| proxy.host().to_owned())
}

fn rules(pairs: &[(&str, &str)]) -> Proxies {
    let with = |proxies: Proxies, (key, proxy): &(&str, &str)| proxies.with(key, proxy);
    pairs.iter().try_fold(Proxies::direct(), with).unwrap()
}

/// The rows of requests' documentation of `proxies=`.
#[test]
fn the_most_specific_key_decides() {
    let all =
        rules(&[("all", "d"), ("all://some.host", "c"), ("HTTP", "b"), ("http://Some.Host", "a")]);
    for (text, expected) in [
        ("http://some.host/path", "a"),
        ("http://some.host.:8080/", "a"),
        ("http://other.host/", "b"),
        ("http://sub.some.host/", "b"),
        ("https://some.host/", "c"),
        ("https://other.host/", "d"),
        ("ftp://other.host/", "d"),
    ] {
        assert_eq!(chosen(&all, text).as_deref(), Some(expected), "{text}");
    }
    let one = rules(&[("https", "a")]);
    assert_eq!(chosen(&one, "http://some.host/"), None);
    assert_eq!(chosen(&one, "data:text/plain,x"), None, "no host");
    let host = rules(&[("all://[0::1]", "six"), ("http://127.1/", "four"), ("all://한국.kr", "k")]);
    assert_eq!(chosen(&host, "http://[::1]/").as_deref(), Some("six"));
    assert_eq!(chosen(&host, "http://127.0.0.1/").as_deref(), Some("four"));
    assert_eq!(chosen(&host, "http://xn--3e0b707e.kr/").as_deref(), Some("k"));
}

#[test]
fn a_key_set_again_is_replaced_and_an_empty_proxy_switches_off() {
    let again = rules(&[("http", "a"), ("http", "b"), ("all", "c")]);
    assert_eq!(chosen(&again, "http://h/").as_deref(), Some("b"));
    let off = again.clone().with("http", " ").unwrap();
    assert_eq!(chosen(&off, "http://h/"), None);
    assert_eq!(chosen(&off, "https://h/").as_deref(), Some("c"));
    assert_eq!(chosen(&again, "http://h/").as_deref(), Some("b"), "the original is untouched");
}

#[test]
fn keys_that_match_nothing_are_refused() {
    for key in [
        "",
        "://h",
        "http://",
        "http://h:80",
        "http://u:s3cret@h",
        "http://h/p",
        "all://*",
        "http://*.test",
        "1http",
        "ht tp",
        "*",
        "http://[::1",
    ] {
        let error = Proxies::direct().with(key, "h").unwrap_err();
        assert!(matches!(error, ProxyRuleError::Key { .. }), "{key:?}");
        assert!(error.to_string().contains("write http, https"), "{error}");
        assert!(!error.to_string().contains("s3cret"), "{error}");
    }
    let error = Proxies::direct().with("https", "ftp://ann:s3cret@h").unwrap_err().to_string();
    assert!(error.contains("\"https\"") && error.contains("ftp://***@h"), "{error}");
}

#[test]
fn exceptions_come_first() {
    let list = rules(&[("all", "p"), ("no_proxy", "localhost"), ("No_Proxy", "a.test")]);
    assert_eq!(chosen(&list, "http://www.a.test/"), None);
    assert_eq!(chosen(&list, "http://localhost/").as_deref(), Some("p"), "the last list holds");
    let none = list.with_no_proxy("");
    assert_eq!(chosen(&none, "http://a.test/").as_deref(), Some("p"));
}

#[test]
fn gaps_are_filled() {
    let environment = rules(&[("http", "e1"), ("all", "e2"), ("no_proxy", "a.test")]);
    let own = rules(&[("https", "o")]);
    let both = own.clone().or(&environment);
    assert_eq!(chosen(&both, "http://h/").as_deref(), Some("e1"));
    assert_eq!(chosen(&both, "https://h/").as_deref(), Some("o"));
    assert_eq!(chosen(&both, "ws://h/").as_deref(), Some("e2"));
    // Each list is for its own side ...
    assert_eq!(chosen(&both, "http://a.test/"), None);
    assert_eq!(chosen(&both, "https://a.test/").as_deref(), Some("o"));
    // ... but an explicit one takes the place of the other.
    let listed = own.with_no_proxy("b.test").or(&environment);
    assert_eq!(chosen(&listed, "http://a.test/").as_deref(), Some("e1"));
    assert_eq!(chosen(&listed, "http://b.test/"), None);
    let off = rules(&[("http", "")]).or(&environment);
    assert_eq!(chosen(&off, "http://h/"), None, "switched off, not a gap");

    let third = rules(&[("ftp", "t"), ("all", "never")]);
    let three = both.or(&third);
    assert_eq!(chosen(&three, "https://h/").as_deref(), Some("o"));
    assert_eq!(chosen(&three, "ftp://h/").as_deref(), Some("e2"));
    assert_eq!(Proxies::direct().or(&environment), environment);
    assert_eq!(environment.clone().or(&Proxies::direct()), environment);
}

#[test]
fn an_explicit_all_is_not_overruled_by_the_environment() {
    let environment = rules(&[("http", "e")]);
    let own = Proxies::all(proxy("o")).or(&environment);
    assert_eq!(chosen(&own, "http://h/").as_deref(), Some("o"));
}

#[test]
fn direct_is_known_to_be() {
    assert!(Proxies::direct().is_direct() && Proxies::default().is_direct());
    assert!(Proxies::direct().with_no_proxy("*").is_direct());
    assert!(rules(&[("http", "")]).is_direct());
    assert!(!rules(&[("http", "h")]).is_direct());
    assert!(!Proxies::direct().with_no_proxy("a").or(&rules(&[("http", "h")])).is_direct());
}

fn environment(variables: &[(&str, &str)]) -> Result<Proxies, ProxyRuleError> {
    Proxies::from_environment(|asked| {
        let found = variables.iter().find(|(name, _)| *name == asked);
        found.map(|(_, value)| (*value).to_owned())
    })
}

#[test]
fn the_environment_is_read_lower_case_first() {
    let read = environment(&[
        ("http_proxy", "a"),
        ("HTTP_PROXY", "A"),
        ("HTTPS_PROXY", "https://b"),
        ("ALL_PROXY", "socks5h://c"),
        ("NO_PROXY", "localhost,10.0.0.0/8"),
    ])
    .unwrap();
    assert_eq!(chosen(&read, "http://h/").as_deref(), Some("a"));
    assert_eq!(chosen(&read, "https://h/").as_deref(), Some("b"));
    assert_eq!(chosen(&read, "ftp://h/").as_deref(), Some("c"));
    assert_eq!(chosen(&read, "http://10.9.9.9/"), None);
    assert!(environment(&[]).unwrap().is_direct());
    assert_eq!(environment(&[]).unwrap(), Proxies::direct());
}

#[test]
fn an_empty_variable_means_no_proxy() {
    let off = environment(&[("http_proxy", ""), ("HTTP_PROXY", "A"), ("all_proxy", "c")]);
    assert_eq!(chosen(&off.unwrap(), "http://h/").as_deref(), Some("c"), "a gap, not a rule");
    let list = environment(&[("all_proxy", "c"), ("no_proxy", ""), ("NO_PROXY", "h")]);
    assert_eq!(chosen(&list.unwrap(), "http://h/"), None, "as requests reads the lists");
}

#[test]
fn cve_2016_5385_httpoxy_a_header_is_no_proxy() {
    let forged = [("REQUEST_METHOD", "GET"), ("HTTP_PROXY", "evil"), ("HTTPS_PROXY", "good")];
    let read = environment(&forged).unwrap();
    assert_eq!(chosen(&read, "http://h/"), None);
    assert_eq!(chosen(&read, "https://h/").as_deref(), Some("good"));
    assert!(!environment(&forged[1..]).unwrap().is_direct(), "only under CGI");
    let trusted = environment(&[("REQUEST_METHOD", ""), ("http_proxy", "good")]).unwrap();
    assert_eq!(trusted.is_direct(), cfg!(windows));
}

#[test]
fn a_bad_variable_is_named() {
    for name in ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]
    {
        let error = environment(&[(name, "ftp://ann:s3cret@h")]).unwrap_err();
        let text = error.to_string();
        assert!(text.contains(name) && text.contains("scheme"), "{text}");
        assert!(!text.contains("s3cret"), "{text}");
    }
}

proptest! {
    #[test]
    fn no_rule_panics(key in r"(all|http)?(://)?\PC{0,12}", value in r"\PC{0,12}") {
        if let Ok(proxies) = Proxies::direct().with(&key, &value) {
            let _ = proxies.choose(&url("http://example.test/"));
        }
    }
}
