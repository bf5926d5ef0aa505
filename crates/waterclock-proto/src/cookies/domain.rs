//! The domains of cookies: domain-match (RFC 6265bis §5.1.3), public suffixes, sites.

use crate::host;
use std::net::{Ipv4Addr, Ipv6Addr};
use url::{Host, Url};

/// Where a request goes, as far as cookies care.
pub(super) struct Origin<'a> {
    /// Canonical: lower case, A-labels, addresses in their one form (§5.1.2; the URL parser's work).
    pub(super) host: &'a str,
    pub(super) path: &'a str,
    /// Under TLS. Loopback is not: a name like `localhost` says nothing of who listens.
    pub(super) secure: bool,
}

impl<'a> Origin<'a> {
    /// `None` for URLs that no HTTP request goes to.
    pub(super) fn of(url: &'a Url) -> Option<Self> {
        let secure = match url.scheme() {
            "https" | "wss" => true,
            "http" | "ws" => false,
            _ => return None,
        };
        Some(Origin { host: url.host_str()?, path: url.path(), secure })
    }

    /// Same site in the sense of HTML: same registrable domain, and both secure or both not.
    pub(super) fn is_same_site(&self, other: &Origin<'_>) -> bool {
        self.secure == other.secure && site(self.host) == site(other.host)
    }
}

/// Whether a canonical host is an address and no name.
pub(super) fn is_address(host: &str) -> bool {
    host.starts_with('[') || host.parse::<Ipv4Addr>().is_ok()
}

/// The one form of a host that a person or a file gave; `None` if it cannot be one. A name too long for DNS cannot,
/// and its A-labels would be read back as something else; nor one that begins with a dot, which in a file stands for
/// the hosts below.
pub(super) fn canonical(host: &str) -> Option<String> {
    if let Ok(address) = host.parse::<Ipv6Addr>() {
        return Some(Host::<&str>::Ipv6(address).to_string());
    }
    match Host::parse(host).ok()? {
        Host::Domain(name) if name.starts_with('.') || !host::fits_dns(&name) => None,
        host => Some(host.to_string()),
    }
}

/// Both canonical. An address matches only itself.
pub(super) fn domain_match(host: &str, domain: &str) -> bool {
    host == domain
        || host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
            && !domain.is_empty()
            && !is_address(host)
}

/// Whether unrelated parties register names below `domain`: `com`, `co.uk`, `github.io`, and by the
/// list's rule for what it does not list, every single label (`localhost`, `internal`).
pub(super) fn is_public_suffix(domain: &str) -> bool {
    let name = domain.strip_suffix('.').unwrap_or(domain);
    !is_address(name) && psl::suffix_str(name) == Some(name)
}

/// The registrable domain of a host, or the host itself if there is none.
fn site(host: &str) -> &str {
    if is_address(host) { host } else { psl::domain_str(host).unwrap_or(host) }
}

/// The key a domain is found by: labels in reverse, so that a domain stands right before all that
/// lies below it. (`com.example.www`)
pub(super) fn reversed(domain: &str) -> String {
    if is_address(domain) {
        return domain.to_owned();
    }
    domain.rsplit('.').collect::<Vec<_>>().join(".")
}

/// The keys of a host and of every domain it lies in, longest first.
pub(super) fn keys_above<'a>(key: &'a str, host: &str) -> impl Iterator<Item = &'a str> + use<'a> {
    let parts_end = if is_address(host) { 0 } else { key.len() };
    let parents = key[..parts_end].rmatch_indices('.').map(|(end, _)| &key[..end]);
    std::iter::once(key).chain(parents)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6265bis §5.1.3.
    #[test]
    fn domain_matches() {
        for (host, domain, expected) in [
            ("example.com", "example.com", true),
            ("www.example.com", "example.com", true),
            ("a.b.example.com", "example.com", true),
            ("example.com", "www.example.com", false),
            ("evilexample.com", "example.com", false),
            ("example.com", "ample.com", false),
            ("example.com.", "example.com", false),
            ("example.com", "", false),
            ("example.com.", "", false),
            // An address is no name (CVE-2014-3613).
            ("127.0.0.1", "127.0.0.1", true),
            ("127.0.0.1", "0.0.1", false),
            ("127.0.0.1", "1", false),
            ("[::1]", "[::1]", true),
            ("[::1.2.3.4]", "4]", false),
        ] {
            assert_eq!(domain_match(host, domain), expected, "{host} in {domain}");
        }
    }

    #[test]
    fn public_suffixes() {
        for (domain, expected) in [
            ("com", true),
            ("com.", true),
            ("co.uk", true),
            ("example.co.uk", false),
            ("github.io", true),
            ("me.github.io", false),
            // A wildcard and its exception.
            ("anything.ck", true),
            ("www.ck", false),
            // A-labels, as the URL parser writes them.
            ("xn--55qx5d.cn", true),
            ("x.xn--55qx5d.cn", false),
            // Not listed: the last label counts.
            ("localhost", true),
            ("internal", true),
            ("db.internal", false),
            ("127.0.0.1", false),
            ("[::1]", false),
            ("", false),
            (".", false),
        ] {
            assert_eq!(is_public_suffix(domain), expected, "{domain}");
        }
    }

    /// RFC 6265bis §5.1.2.
    #[test]
    fn hosts_have_one_form() {
        for (host, expected) in [
            ("EXAMPLE.com", Some("example.com")),
            ("b\u{fc}cher.example", Some("xn--bcher-kva.example")),
            ("127.1", Some("127.0.0.1")),
            ("[0:0::1]", Some("[::1]")),
            ("::1", Some("[::1]")),
            ("", None),
            ("a b", None),
            ("a/b", None),
            ("a:80", None),
            ("xn--a", None),
            (".", None),
            (".example.com", None),
            (&"a".repeat(64), None),
            // Of 62 characters, and as an A-label longer.
            (&format!("{}\u{fc}", "a".repeat(61)), None),
        ] {
            assert_eq!(canonical(host).as_deref(), expected, "{host:?}");
        }
    }

    #[test]
    fn sites() {
        let same = |a: &str, b: &str| {
            let (a, b) = (Url::parse(a).unwrap(), Url::parse(b).unwrap());
            Origin::of(&a).unwrap().is_same_site(&Origin::of(&b).unwrap())
        };
        assert!(same("https://a.example.com/", "https://b.example.com:444/x"));
        assert!(same("http://localhost/", "http://localhost:8000/"));
        assert!(same("http://10.0.0.1/", "http://10.0.0.1:81/"));
        assert!(same("https://example.com/", "wss://example.com/"));
        assert!(!same("https://example.com/", "http://example.com/"), "schemeful");
        assert!(!same("https://a.co.uk/", "https://b.co.uk/"));
        assert!(!same("https://a.github.io/", "https://b.github.io/"));
        assert!(!same("http://10.0.0.1/", "http://9.0.0.1/"));
    }

    #[test]
    fn only_http_has_cookies() {
        for url in ["file:///x", "ftp://host/x", "data:,x", "foo://HOST/"] {
            assert!(Origin::of(&Url::parse(url).unwrap()).is_none(), "{url}");
        }
    }

    #[test]
    fn keys_climb_to_the_last_label() {
        let keys = |host: &str| {
            let key = reversed(host);
            keys_above(&key, host).map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(keys("a.b.com"), ["com.b.a", "com.b", "com"]);
        assert_eq!(keys("127.0.0.1"), ["127.0.0.1"]);
        assert_eq!(keys("localhost"), ["localhost"]);
        assert_eq!(keys("a.com."), [".com.a", ".com", ""]);
    }
}
