//! Tests of [`NoProxy`].

use super::*;

fn matches(list: &str, text: &str) -> bool {
    NoProxy::parse(list).matches(&url(text))
}

#[test]
fn names_match_themselves_and_what_is_below() {
    for list in ["example.com", ".example.com", "EXAMPLE.com.", "x,example.com y", "..example.com"]
    {
        assert!(matches(list, "http://example.com/"), "{list:?}");
        assert!(matches(list, "https://a.b.Example.COM:8443/"), "{list:?}");
        assert!(matches(list, "http://example.com./"), "{list:?}");
        for other in ["http://badexample.com/", "http://example.com.evil/", "http://com/"] {
            assert!(!matches(list, other), "{list:?} {other}");
        }
    }
}

/// psf/requests#4795: `shop` stood for `evilshop` as well.
#[test]
fn requests_4795_a_suffix_ends_at_a_dot() {
    assert!(!matches("shop", "http://evilshop/"));
    assert!(matches("shop", "http://www.shop/"));
}

#[test]
fn international_names_match_in_both_forms() {
    for list in ["한국.kr", ".한국.kr", "xn--3e0b707e.kr", "XN--3E0B707E.kr"] {
        assert!(matches(list, "http://한국.kr/") && matches(list, "http://www.한국.kr/"), "{list}");
        assert!(matches(list, "http://xn--3e0b707e.kr/"), "{list}");
    }
}

#[test]
fn addresses_match_in_every_notation() {
    for list in ["127.0.0.1", "127.1", "0x7f000001", "017700000001", "::ffff:127.0.0.1"] {
        assert!(matches(list, "http://127.0.0.1/"), "{list}");
        assert!(matches(list, "http://2130706433/"), "{list}");
        assert!(matches(list, "http://[::ffff:7f00:1]/"), "{list}");
        assert!(!matches(list, "http://127.0.0.2/") && !matches(list, "http://[::1]/"), "{list}");
    }
    for list in ["::1", "[::1]", "0:0:0:0:0:0:0:1", "[0::0:1]"] {
        assert!(matches(list, "http://[::1]:8080/"), "{list}");
        assert!(!matches(list, "http://[::2]/") && !matches(list, "http://0.0.0.1/"), "{list}");
    }
    // No suffix of an address.
    assert!(!matches("0.0.1", "http://127.0.0.1/") && !matches(".1", "http://127.0.0.1/"));
}

#[test]
fn networks_match_their_addresses() {
    for (list, inside, outside) in [
        ("10.0.0.0/8", "10.255.0.1", "11.0.0.1"),
        ("10.1.2.3/8", "10.255.0.1", "11.0.0.1"),
        ("192.0.2.128/25", "192.0.2.128", "192.0.2.127"),
        ("192.0.2.1/32", "192.0.2.1", "192.0.2.0"),
        ("0.0.0.0/0", "192.0.2.1", "[::1]"),
        ("fd00::/8", "[fdff::1]", "[fe00::1]"),
        ("[2001:db8::]/33", "[2001:db8:7fff::1]", "[2001:db8:8000::]"),
        ("::/0", "[2001:db8::1]", "192.0.2.1"),
        ("::1/128", "[::1]", "[::]"),
        ("::ffff:10.0.0.0/104", "10.1.2.3", "11.0.0.1"),
    ] {
        assert!(matches(list, &format!("http://{inside}/")), "{list}");
        assert!(!matches(list, &format!("http://{outside}/")), "{list}");
    }
}

#[test]
fn a_port_narrows() {
    for (list, host) in [
        ("example.com:8080", "www.example.com"),
        (".example.com:8080", "example.com"),
        ("192.0.2.1:8080", "192.0.2.1"),
        ("[::1]:8080", "[::1]"),
    ] {
        assert!(matches(list, &format!("http://{host}:8080/")), "{list}");
        assert!(!matches(list, &format!("http://{host}:8081/")), "{list}");
        assert!(!matches(list, &format!("http://{host}/")), "{list}");
    }
    assert!(matches("example.com:443", "https://example.com/"), "default ports count");
    assert!(!matches("example.com:443", "http://example.com/"));
}

#[test]
fn a_star_matches_everything() {
    for list in ["*", " * ", "example.com,*"] {
        assert!(matches(list, "http://a.test/") && matches(list, "http://[::1]/"), "{list:?}");
    }
}

#[test]
fn nothing_is_special_unless_listed() {
    for text in ["http://localhost/", "http://127.0.0.1/", "http://[::1]/", "http://a.localhost/"] {
        assert!(!matches("", text) && !matches("example.com", text), "{text}");
    }
    assert!(matches("localhost", "http://localhost:8000/"));
    assert!(!matches("localhost", "http://127.0.0.1/"), "no name is looked up");
}

#[test]
fn junk_matches_nothing_and_does_no_harm() {
    for junk in [
        "",
        ",",
        " ,, ",
        ".",
        "..",
        "*.example.com",
        "*.com",
        "http://example.com",
        "a/b",
        "10.0.0.0/33",
        "10.0.0.0/-1",
        "10.0.0.0/+8",
        "10.0.0.0/",
        "10.0.0.0/8/8",
        "10/8",
        "10.0.0.0/255.0.0.0",
        "::/129",
        "[::]/129",
        "example.com:",
        "example.com:0",
        "example.com:65536",
        "example.com:http",
        "::1:",
        "[::1",
        "::1]",
        "[::1]]:80",
        ":80",
        "user@example.com",
        "/",
        "/0",
        "[]",
        "example.com:80:80",
        "256.256.256.256",
    ] {
        let list = format!("{junk},good.test");
        for text in ["http://example.com/", "http://10.0.0.1/", "http://[::1]/", "http://com/"] {
            assert!(!matches(&list, text), "{junk:?} {text}");
        }
        assert!(matches(&list, "http://good.test/"), "{junk:?}");
    }
    assert!(!matches("good.test", "data:text/plain,x"), "no host");
}

proptest! {
    #[test]
    fn no_list_panics(list in r"([a-z0-9.:/\[\]*, ]|\PC){0,40}", host in "[a-z0-9.]{1,9}") {
        let list = NoProxy::parse(&list);
        for text in [format!("http://{host}/"), "http://[fd00::1]/".into()] {
            if let Ok(url) = text.parse::<Url>() {
                let _ = list.matches(&url);
            }
        }
    }

    #[test]
    fn only_a_star_widens(list in r"[a-z0-9.:/\[\]\-_@%, ]{0,40}") {
        // No entry of these characters names this one.
        prop_assert!(!NoProxy::parse(&list).matches(&url("http://xn--3e0b707e.example-7/")));
    }

    #[test]
    fn a_network_is_its_prefix(net in any::<u32>(), host in any::<u32>(), bits in 0u32..=32) {
        let [net, host] = [net, host].map(std::net::Ipv4Addr::from);
        let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
        let same = net.to_bits() & mask == host.to_bits() & mask;
        prop_assert_eq!(matches(&format!("{net}/{bits}"), &format!("http://{host}/")), same);
    }
}
