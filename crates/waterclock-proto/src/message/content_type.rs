//! [`ContentType`]: a media type with its parameters (RFC 9110 §8.3.1).

use super::params::{is_token, take_param, take_until};
use super::trim;

/// The value of a Content-Type field, read leniently.
///
/// ```
/// use waterclock_proto::message::ContentType;
///
/// let html = ContentType::parse(b"Text/HTML; Charset=\"utf-8\"").unwrap();
/// assert_eq!(html.essence(), "text/html");
/// assert_eq!(html.param("charset"), Some("utf-8"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentType {
    essence: String,
    params: Vec<(String, String)>,
}

impl ContentType {
    /// Reads a field value. What cannot be understood is passed over; `None` if nothing can.
    ///
    /// Several values joined by commas, as repeated fields are, count as the first type with the
    /// parameters of all.
    #[must_use]
    pub fn parse(value: &[u8]) -> Option<ContentType> {
        let mut rest = value;
        let essence = essence(take_until(&mut rest, b";,"));
        let mut params = Vec::new();
        loop {
            while let Some(param) = take_param(&mut rest) {
                params.push(param);
            }
            // A further value: its type is not wanted, its parameters are.
            let [b',', after @ ..] = rest else { break };
            rest = after;
            take_until(&mut rest, b";,");
        }
        let known = !essence.is_empty() || !params.is_empty();
        known.then_some(ContentType { essence, params })
    }

    /// `type/subtype` in lower case; empty if the value began with something else.
    #[must_use]
    pub fn essence(&self) -> &str {
        &self.essence
    }

    /// The first parameter of that name, whatever its case.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<&str> {
        let found = self.params.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        Some(&found.1)
    }

    /// Whether this is JSON: `application/json`, `text/json` or `+json` (RFC 6839 §3.1).
    #[must_use]
    pub fn is_json(&self) -> bool {
        matches!(self.essence(), "application/json" | "text/json")
            || self.essence.ends_with("+json")
    }
}

fn essence(text: &[u8]) -> String {
    let text = trim(text);
    let mut halves = text.splitn(2, |&byte| byte == b'/');
    let is_type = halves.next().is_some_and(is_token) && halves.next().is_some_and(is_token);
    if is_type { String::from_utf8_lossy(text).to_ascii_lowercase() } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn types_and_charsets_as_servers_write_them() {
        for (value, essence, charset) in [
            ("text/html", "text/html", None),
            ("TEXT/html;CHARSET=UTF-8", "text/html", Some("UTF-8")),
            ("text/html; charset=\"utf-8\"", "text/html", Some("utf-8")),
            ("text/html; charset=\"utf-8", "text/html", Some("utf-8")),
            (r#"text/html; charset="ut\f-8"x;"#, "text/html", Some("utf-8")),
            ("text/html; charset='utf-8'", "text/html", Some("'utf-8'")),
            (" text/html ;; charset = utf-8 ; a", "text/html", Some("utf-8")),
            ("text/html; charset=a; charset=b", "text/html", Some("a")),
            ("text/html; a=\";charset=x\"; charset=y", "text/html", Some("y")),
            ("text/html; charset", "text/html", Some("")),
            ("text/html; =x; charset=y", "text/html", Some("y")),
            ("text/html, text/plain; charset=utf-8", "text/html", Some("utf-8")),
            ("text/html; charset=utf-8, text/html", "text/html", Some("utf-8")),
            ("html; charset=utf-8", "", Some("utf-8")),
            ("; charset=utf-8", "", Some("utf-8")),
            ("text/; charset=utf-8", "", Some("utf-8")),
            ("te xt/html; charset=utf-8", "", Some("utf-8")),
            ("text/html/x; charset=utf-8", "", Some("utf-8")),
        ] {
            let parsed = ContentType::parse(value.as_bytes()).unwrap();
            assert_eq!((parsed.essence(), parsed.param("Charset")), (essence, charset), "{value}");
        }
        for value in ["", " ", ";", ",", ";;,,;", "html", "=;="] {
            assert_eq!(ContentType::parse(value.as_bytes()), None, "{value}");
        }
    }

    #[test]
    fn json_is_known_by_its_suffix() {
        for (value, json) in [
            ("application/json", true),
            ("application/problem+JSON; charset=utf-8", true),
            ("text/json", true),
            ("application/jsonp", false),
            ("application/json-seq", false),
        ] {
            assert_eq!(ContentType::parse(value.as_bytes()).unwrap().is_json(), json, "{value}");
        }
    }

    #[test]
    fn bytes_beyond_ascii_are_text() {
        let latin = ContentType::parse(b"a/b; name=\"\xe9\"").unwrap();
        assert_eq!(latin.param("name"), Some("\u{e9}"));
        let utf8 = ContentType::parse("a/b; name=é".as_bytes()).unwrap();
        assert_eq!(utf8.param("name"), Some("é"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in proptest::collection::vec(
            prop_oneof![any::<u8>(), proptest::sample::select(b"/;,=\"\\ ac".to_vec())], 0..60,
        )) {
            if let Some(parsed) = ContentType::parse(&bytes) {
                prop_assert!(parsed.essence.is_empty() || parsed.essence.contains('/'));
                prop_assert!(parsed.params.iter().all(|(name, _)| !name.is_empty()));
            }
        }

        #[test]
        fn a_quoted_value_comes_back(text in "[ -~]{0,20}") {
            let quoted = text.replace('\\', "\\\\").replace('"', "\\\"");
            let value = format!("a/b; p=\"{quoted}\"; q=1");
            let parsed = ContentType::parse(value.as_bytes()).unwrap();
            prop_assert_eq!(parsed.param("p"), Some(text.as_str()));
            prop_assert_eq!(parsed.param("q"), Some("1"));
        }
    }
}
