//! What a host's name may be, before anything is made of its characters.

/// The longest host that is parsed at all, so that no work on names depends on what a stranger wrote
/// (CVE-2024-3651). With every character percent-encoded a name may be this long and still be one.
pub const LONGEST_WRITTEN: usize = 4096;

/// RFC 1035 §2.3.4, for a name in ASCII: at most 253 bytes without its final dot, and 63 between two
/// dots.
#[must_use]
pub fn fits_dns(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    name.len() <= 253 && name.split('.').all(|label| label.len() <= 63)
}

/// Host and port of a URL as they are written, between the slashes and userinfo before them and the
/// path.
#[must_use]
pub fn written(url: &str) -> &str {
    written_behind_scheme(url.split_once(':').map_or(url, |(_, rest)| rest))
}

/// [`written`], of what stands behind `http:`.
#[must_use]
pub fn written_behind_scheme(rest: &str) -> &str {
    let rest = rest.trim_start_matches(['/', '\\']);
    let authority = rest.split(['/', '\\', '?', '#']).next().unwrap_or_default();
    authority.rsplit('@').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_is_found_before_anything_is_parsed() {
        for (text, host) in [
            ("http://host/a@b:c", "host"),
            ("http:host", "host"),
            ("http:\\\\/host\\path", "host"),
            ("http://user@x:pa@host:80?@q", "host:80"),
            ("http://host#@f", "host"),
            ("host", "host"),
            ("", ""),
        ] {
            assert_eq!(written(text), host, "{text}");
        }
    }

    #[test]
    fn names_have_at_most_253_bytes_and_63_between_two_dots() {
        let label = "a".repeat(63);
        let longest = format!("{label}.{label}.{label}.{}", "a".repeat(61));
        assert!(fits_dns(&longest) && fits_dns(&format!("{longest}.")));
        assert!(!fits_dns(&format!("{longest}a")) && !fits_dns(&format!("{longest}a.")));
        assert!(fits_dns(&label) && !fits_dns(&format!("{label}a")));
        assert!(!fits_dns(&format!("x.{label}a.test")));
    }
}
