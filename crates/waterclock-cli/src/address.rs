//! URLs as people type them.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What a form encodes (the URL standard, section 5.2), but for the space, which becomes `+`.
const FORM: AsciiSet =
    NON_ALPHANUMERIC.remove(b'*').remove(b'-').remove(b'.').remove(b'_').remove(b' ');

/// Adds the scheme that is meant: `http` for a bare port, `localhost` and IP addresses, since
/// nobody has a certificate for them, and `https` for everything else.
pub(crate) fn with_scheme(text: &str) -> String {
    if has_scheme(text) {
        return text.to_owned();
    }
    if text.starts_with(':') && !text.starts_with("::") {
        // HTTPie's shorthand: `:8080/x`, and `:/x` for port 80.
        let rest =
            text.strip_prefix(":/").map_or_else(|| text.to_owned(), |path| format!("/{path}"));
        return format!("http://localhost{rest}");
    }
    let scheme = if is_local(text) { "http" } else { "https" };
    format!("{scheme}://{text}")
}

fn has_scheme(text: &str) -> bool {
    text.split_once("://").is_some_and(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    })
}

fn is_local(text: &str) -> bool {
    let authority = text.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    if host.starts_with('[') {
        return true;
    }
    let host = host.split_once(':').map_or(host, |(host, _)| host).trim_end_matches('.');
    let host = host.to_ascii_lowercase();
    host == "localhost"
        || host.ends_with(".localhost")
        || host.parse::<std::net::Ipv4Addr>().is_ok()
}

/// The URL with `pairs` added to its query.
pub(crate) fn with_query(url: &str, pairs: &[(String, String)]) -> String {
    if pairs.is_empty() {
        return url.to_owned();
    }
    let (before, fragment) = match url.split_once('#') {
        Some((before, fragment)) => (before, format!("#{fragment}")),
        None => (url, String::new()),
    };
    let joint = match before.split_once('?') {
        None => "?",
        Some((_, "")) => "",
        Some(_) => "&",
    };
    format!("{before}{joint}{}{fragment}", form(pairs))
}

/// `application/x-www-form-urlencoded`.
pub(crate) fn form(pairs: &[(String, String)]) -> String {
    let encode = |text: &str| utf8_percent_encode(text, &FORM).to_string().replace(' ', "+");
    let pairs = pairs.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value)));
    pairs.collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_scheme_is_https_except_at_home() {
        for (text, url) in [
            ("example.com/x", "https://example.com/x"),
            ("example.com:8443", "https://example.com:8443"),
            ("user:pw@example.com", "https://user:pw@example.com"),
            ("한국.kr", "https://한국.kr"),
            (":8080/x", "http://localhost:8080/x"),
            (":/x", "http://localhost/x"),
            ("localhost:3000", "http://localhost:3000"),
            ("api.localhost/", "http://api.localhost/"),
            ("127.0.0.1:80/?a=http://b", "http://127.0.0.1:80/?a=http://b"),
            ("[::1]:8080", "http://[::1]:8080"),
            ("http://example.com", "http://example.com"),
            ("http+unix://%2Frun%2Fx/", "http+unix://%2Frun%2Fx/"),
            ("ftp://example.com", "ftp://example.com"),
        ] {
            assert_eq!(with_scheme(text), url, "{text}");
        }
    }

    #[test]
    fn query_items_go_before_the_fragment() {
        let pairs = [("q".to_owned(), "a b&c".to_owned()), ("한".to_owned(), "=".to_owned())];
        let added = "q=a+b%26c&%ED%95%9C=%3D";
        assert_eq!(with_query("http://h/", &pairs), format!("http://h/?{added}"));
        assert_eq!(with_query("http://h/?x=1#top", &pairs), format!("http://h/?x=1&{added}#top"));
        assert_eq!(with_query("http://h/?", &pairs), format!("http://h/?{added}"));
        assert_eq!(with_query("http://h/#top", &[]), "http://h/#top");
    }
}
