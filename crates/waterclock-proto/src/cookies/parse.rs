//! One `Set-Cookie` field value, taken apart (RFC 6265bis §5.6).

use super::date::parse_cookie_date;
use super::{MAX_ATTRIBUTE_BYTES, Rejected, SameSite, cookie};
use crate::message::trim;
use std::time::{Duration, SystemTime};

/// A field value's parts. What is absent, or not understood, is `None`.
#[derive(Debug, PartialEq)]
pub(super) struct SetCookie<'a> {
    pub(super) name: &'a [u8],
    pub(super) value: &'a [u8],
    pub(super) max_age: Option<MaxAge>,
    pub(super) expires: Option<SystemTime>,
    /// Without its leading dot. Empty means the request's host, as if absent.
    pub(super) domain: &'a [u8],
    pub(super) path: Option<Path<'a>>,
    pub(super) secure: bool,
    pub(super) http_only: bool,
    pub(super) same_site: Option<SameSite>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum MaxAge {
    /// Zero or less: the cookie goes at once.
    Over,
    For(Duration),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Path<'a> {
    /// There is a `Path`, but it is empty or does not begin with a slash.
    Default,
    Given(&'a [u8]),
}

pub(super) fn parse(field: &[u8]) -> Result<SetCookie<'_>, Rejected> {
    // Step 1, before anything else is looked at.
    if field.iter().any(|&byte| cookie::is_control(byte)) {
        return Err(Rejected::ControlCharacter);
    }
    let mut parts = field.split(|&byte| byte == b';');
    let pair = parts.next().unwrap_or_default();
    // A pair without "=" is a value without a name (step 3).
    let (name, value) = cut_at_equals(pair).unwrap_or((b"", trim(pair)));
    cookie::check_size(name, value)?;
    let mut cookie = SetCookie {
        name,
        value,
        max_age: None,
        expires: None,
        domain: b"",
        path: None,
        secure: false,
        http_only: false,
        same_site: None,
    };
    for attribute in parts {
        let (name, value) = cut_at_equals(attribute).unwrap_or((trim(attribute), b""));
        if value.len() <= MAX_ATTRIBUTE_BYTES {
            cookie.take_attribute(name, value);
        }
    }
    Ok(cookie)
}

/// Name and value, both without white space around them.
fn cut_at_equals(part: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = part.iter().position(|&byte| byte == b'=')?;
    let (name, value) = part.split_at(at);
    Some((trim(name), trim(value.get(1..)?)))
}

impl<'a> SetCookie<'a> {
    /// The last attribute of a kind wins; one that does not parse counts as absent.
    fn take_attribute(&mut self, name: &[u8], value: &'a [u8]) {
        let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        if is("Expires") {
            self.expires = parse_cookie_date(value).or(self.expires);
        } else if is("Max-Age") {
            self.max_age = parse_max_age(value).or(self.max_age);
        } else if is("Domain") {
            self.domain = value.strip_prefix(b".").unwrap_or(value);
        } else if is("Path") {
            let given = value.starts_with(b"/");
            self.path = Some(if given { Path::Given(value) } else { Path::Default });
        } else if is("Secure") {
            self.secure = true;
        } else if is("HttpOnly") {
            self.http_only = true;
        } else if is("SameSite") {
            self.same_site = SameSite::parse(value);
        }
    }
}

/// `["-"] 1*DIGIT`, of any length (§5.6.2).
fn parse_max_age(value: &[u8]) -> Option<MaxAge> {
    let (negative, digits) = match value {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let seconds = digits
        .iter()
        .fold(0u64, |sum, digit| sum.saturating_mul(10).saturating_add(u64::from(digit - b'0')));
    Some(match (negative, seconds) {
        (true, _) | (_, 0) => MaxAge::Over,
        (false, seconds) => MaxAge::For(Duration::from_secs(seconds)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pair(field: &str) -> (String, String) {
        let parsed = parse(field.as_bytes()).unwrap();
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        (text(parsed.name), text(parsed.value))
    }

    /// RFC 6265bis §5.6, the name-value-pair.
    #[test]
    fn names_and_values() {
        for (field, name, value) in [
            ("a=b", "a", "b"),
            ("a=b;c=d", "a", "b"),
            ("a=b=c", "a", "b=c"),
            (" \ta \t= \tb\t ; Secure", "a", "b"),
            ("a b=c d", "a b", "c d"),
            ("a\tb=c\td", "a\tb", "c\td"),
            ("a=\"b; c\"", "a", "\"b"),
            ("a=%41", "a", "%41"),
            ("a=", "a", ""),
            // Without a name.
            ("a", "", "a"),
            ("=a", "", "a"),
            ("=a=b", "", "a=b"),
            (" a ", "", "a"),
            // A comma joins nothing here.
            ("a=b, c=d", "a", "b, c=d"),
        ] {
            assert_eq!(pair(field), (name.to_owned(), value.to_owned()), "{field:?}");
        }
        assert_eq!(parse(b"a=\xff\x80").unwrap().value, b"\xff\x80");
    }

    /// RFC 6265bis §5.6 step 1, and §5.7 step 2.
    #[test]
    fn controls_and_emptiness_are_refused() {
        for byte in (0..0x20).filter(|&byte| byte != b'\t').chain([0x7f]) {
            for field in [&[b'a', byte, b'=', b'b'][..], &[b'a', b'=', b'b', b';', byte]] {
                assert_eq!(parse(field), Err(Rejected::ControlCharacter), "{field:?}");
            }
        }
        for field in ["", "=", " = ", ";", "; Secure", "=; a=b"] {
            assert_eq!(parse(field.as_bytes()), Err(Rejected::Empty), "{field:?}");
        }
    }

    /// RFC 6265bis §5.6 step 5: name and value together.
    #[test]
    fn four_kibibytes_and_no_more() {
        let field = |name: usize, value: usize| [vec![b'n'; name], vec![b'v'; value]].join(&b'=');
        assert!(parse(&field(4096, 0)).is_ok());
        assert!(parse(&field(1, 4095)).is_ok());
        assert!(parse(&[b'v'; 4096]).is_ok());
        assert_eq!(parse(&field(1, 4096)), Err(Rejected::TooLong(4097)));
        assert_eq!(parse(&[b'v'; 5000]), Err(Rejected::TooLong(5000)));
    }

    /// RFC 6265bis §5.6, the unparsed-attributes.
    #[test]
    fn attributes() {
        let domain = |field: &str| parse(field.as_bytes()).unwrap().domain.to_vec();
        assert_eq!(domain("a=b; Domain=one; dOmAiN = two "), b"two");
        assert_eq!(domain("a=b; Domain=.one"), b"one");
        assert_eq!(domain("a=b; Domain=..one"), b".one");
        assert_eq!(domain("a=b; Domain=one; Domain="), b"");
        assert_eq!(domain("a=b; Domain=one; Domain=."), b"");
        let path = |field: &str| match parse(field.as_bytes()).unwrap().path {
            Some(Path::Given(path)) => path.to_vec(),
            Some(Path::Default) => b"default".to_vec(),
            None => b"none".to_vec(),
        };
        assert_eq!(path("a=b; Path=/x; PATH=/y"), b"/y");
        assert_eq!(path("a=b; Path=/x; Path=y"), b"default");
        assert_eq!(path("a=b; Path"), b"default");
        assert_eq!(path("a=b; Path =\t/x/=z"), b"/x/=z");
        assert_eq!(path("a=b; xPath=/x"), b"none");
        let flags = |field: &str| {
            let parsed = parse(field.as_bytes()).unwrap();
            (parsed.secure, parsed.http_only, parsed.same_site)
        };
        assert_eq!(flags("a=b; SECURE; httponly=no"), (true, true, None));
        assert_eq!(flags("a=b;Secure=;;;  "), (true, false, None));
        assert_eq!(flags("a=b; SameSite=LAX").2, Some(SameSite::Lax));
        assert_eq!(flags("a=b; SameSite=strict").2, Some(SameSite::Strict));
        assert_eq!(flags("a=b; SameSite=none").2, Some(SameSite::None));
        assert_eq!(flags("a=b; SameSite=Lax; SameSite=what").2, None, "the last one wins");
    }

    /// RFC 6265bis §5.6, step 6 of the attributes.
    #[test]
    fn a_long_attribute_is_ignored_and_the_cookie_kept() {
        let field =
            |length: usize| format!("a=b; Path=/x; Path=/{}; Secure", "y".repeat(length - 1));
        let length = |field: &str| match parse(field.as_bytes()).unwrap() {
            SetCookie { path: Some(Path::Given(path)), secure: true, .. } => path.len(),
            other => panic!("{other:?}"),
        };
        assert_eq!(length(&field(1024)), 1024);
        assert_eq!(length(&field(1025)), 2);
    }

    /// RFC 6265bis §5.6.2; RUSTSEC-2017-0005 for the 40 digits.
    #[test]
    fn max_ages() {
        let forever = MaxAge::For(Duration::from_secs(u64::MAX));
        for (value, expected) in [
            ("60", Some(MaxAge::For(Duration::from_secs(60)))),
            ("0060", Some(MaxAge::For(Duration::from_secs(60)))),
            ("0", Some(MaxAge::Over)),
            ("-1", Some(MaxAge::Over)),
            ("-0", Some(MaxAge::Over)),
            ("1234567890123456789012345678901234567890", Some(forever)),
            ("-1234567890123456789012345678901234567890", Some(MaxAge::Over)),
            ("", None),
            ("-", None),
            ("+1", None),
            ("1.5", None),
            ("1 2", None),
            ("\"60\"", None),
        ] {
            assert_eq!(parse_max_age(value.as_bytes()), expected, "{value:?}");
        }
        let field = "a=b; Max-Age=60; Max-Age=x; Expires=Sun, 06 Nov 1994 08:49:37 GMT; Expires=x";
        let parsed = parse(field.as_bytes()).unwrap();
        assert_eq!(parsed.max_age, Some(MaxAge::For(Duration::from_secs(60))));
        assert!(parsed.expires.is_some());
    }

    proptest! {
        #[test]
        fn any_bytes_are_safe(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(cookie) = parse(&bytes) {
                prop_assert!(!cookie.name.contains(&b'=') && !cookie.name.contains(&b';'));
                prop_assert!(!cookie.value.contains(&b';'));
                prop_assert!(!cookie.name.is_empty() || !cookie.value.is_empty());
            }
        }
    }
}
