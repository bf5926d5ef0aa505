//! The paths of cookies: default-path and path-match (RFC 6265bis §5.1.4).

use percent_encoding::{AsciiSet, CONTROLS, percent_encode};

/// What a URL's path never holds in the clear.
const UNSEEN: &AsciiSet = &CONTROLS.add(b' ');

/// The path a cookie gets that names none: the request's directory, without the last slash.
pub(super) fn default_path(request_path: &str) -> &str {
    match request_path.rfind('/') {
        Some(last) if last > 0 && request_path.starts_with('/') => &request_path[..last],
        _ => "/",
    }
}

/// Whether a cookie for `cookie_path` goes with a request for `request_path`.
pub(super) fn path_match(request_path: &str, cookie_path: &str) -> bool {
    match request_path.strip_prefix(cookie_path) {
        Some(rest) => rest.is_empty() || cookie_path.ends_with('/') || rest.starts_with('/'),
        None => false,
    }
}

/// A `Path` as it can be compared with a URL's path, in which bytes other than visible ASCII are
/// percent-encoded. What was percent-encoded already stays so (§5.6: never decoded).
pub(super) fn comparable(path: &[u8]) -> String {
    percent_encode(path, UNSEEN).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6265bis §5.1.4, first algorithm.
    #[test]
    fn default_paths() {
        for (request, expected) in [
            ("", "/"),
            ("/", "/"),
            ("/a", "/"),
            ("/a/", "/a"),
            ("/a/b", "/a"),
            ("/a/b/", "/a/b"),
            ("//", "/"),
            ("a/b", "/"),
            ("*", "/"),
        ] {
            assert_eq!(default_path(request), expected, "{request:?}");
        }
    }

    /// RFC 6265bis §5.1.4, second algorithm.
    #[test]
    fn path_matches() {
        for (request, cookie, expected) in [
            ("/", "/", true),
            ("/foo", "/", true),
            ("/foo", "/foo", true),
            ("/foo/", "/foo", true),
            ("/foo/bar", "/foo", true),
            ("/foo/bar", "/foo/", true),
            ("/foobar", "/foo", false),
            ("/foo", "/foo/", false),
            ("/", "/foo", false),
            ("/Foo", "/foo", false),
            ("/foo%2Fbar", "/foo", false),
            ("/%66oo", "/foo", false),
        ] {
            assert_eq!(path_match(request, cookie), expected, "{request} for {cookie}");
        }
    }

    #[test]
    fn paths_are_encoded_as_urls_encode_them() {
        assert_eq!(comparable("/f\u{f6}\to b/%41~|".as_bytes()), "/f%C3%B6%09o%20b/%41~|");
        assert_eq!(comparable(b"/\xff"), "/%FF");
    }
}
