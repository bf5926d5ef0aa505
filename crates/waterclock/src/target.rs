//! [`Target`]: one parser for everything that a URL decides: where to connect, which name is
//! verified, what goes into `Host` and the request line.

use crate::error::{ErrorKind, Failure, Outcome};
use crate::proxy::{basic_credentials, percent_decoded, redact};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use url::{Host, Url};
use waterclock_proto::host;
use waterclock_proto::message::Method;
use waterclock_proto::timeline::RequestLine;

/// A URL that can be requested.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) line: Arc<RequestLine>,
    pub(crate) place: Place,
    /// `Authorization` for the userinfo of the URL.
    pub(crate) credentials: Option<Box<str>>,
}

/// What of a [`Target`] is not in its [`Url`] in a usable form.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(crate) struct Place {
    /// An IPv6 zone, which a WHATWG URL cannot hold.
    pub(crate) zone: Option<Box<str>>,
    /// The socket of an `http+unix://` URL.
    pub(crate) unix: Option<PathBuf>,
    /// Path and query as they were written, where a WHATWG URL has them differently and the caller
    /// wants them as they are.
    pub(crate) written: Option<Box<str>>,
}

impl Place {
    /// The same place, for a request to another path.
    pub(crate) fn for_another_path(&self) -> Place {
        Place { written: None, ..self.clone() }
    }
}

/// The longest URL that is accepted, as many servers take no more than a small part of it.
const LONGEST: usize = 1 << 20;

impl Target {
    pub(crate) fn parse(method: Method, text: &str) -> Outcome<Self> {
        let text = text.trim_start_matches(' ');
        let invalid = |why: &str| {
            let shown: String = redact(text).chars().take(200).collect();
            let text = format!("the URL \"{}\" cannot be used: {why}", shown.escape_debug());
            Failure::new(ErrorKind::InvalidUrl, text)
        };
        if text.len() > LONGEST {
            return Err(invalid("it is longer than 1 MiB"));
        }
        // The WHATWG parser would drop tabs and line breaks without a word.
        if let Some(at) = text.find(|c: char| c.is_control()) {
            return Err(invalid(&format!("it has a control character at offset {at}")));
        }
        if host::written(text).len() > host::LONGEST_WRITTEN {
            return Err(invalid("its host is longer than any name"));
        }
        let (text, zone) = split_zone(text);
        let mut url = Url::parse(&text).map_err(|error| match error {
            url::ParseError::RelativeUrlWithoutBase => {
                invalid(&format!("it has no scheme; perhaps https://{}", redact(&text)))
            }
            error => invalid(&error.to_string()),
        })?;
        let unix = if url.scheme() == "http+unix" {
            let host = url.host_str().ok_or_else(|| invalid("it names no socket"))?;
            let path = String::from_utf8(percent_decoded(host));
            let path = path.map_err(|_| invalid("its socket path is not UTF-8"))?;
            // The WHATWG parser does that for the schemes that it knows.
            if url.path().is_empty() {
                url.set_path("/");
            }
            Some(PathBuf::from(path))
        } else {
            None
        };
        // What a URL of another scheme must have is for the adapter to say that is mounted for it.
        if matches!(url.scheme(), "http" | "https" | "http+unix") {
            if url.host_str().is_none_or(str::is_empty) {
                return Err(invalid("it has no host"));
            }
            if unix.is_none() && url.domain().is_some_and(|name| !host::fits_dns(name)) {
                return Err(invalid("a name has at most 253 bytes, and 63 between two dots"));
            }
            if url.port() == Some(0) {
                return Err(invalid("port 0 cannot be connected to"));
            }
        }
        let credentials = basic_credentials(&url);
        if credentials.is_some() {
            // Neither fails for a URL with a host.
            let _ = url.set_username("");
            let _ = url.set_password(None);
        }
        Ok(Target {
            line: Arc::new(RequestLine { method, url }),
            place: Place { zone, unix, written: None },
            credentials: credentials.map(String::into_boxed_str),
        })
    }
}

impl Target {
    /// [`parse`](Self::parse), but path and query are sent as they stand in `text`, which some
    /// signatures and servers depend on. Userinfo is not looked at: it is the caller's business.
    pub(crate) fn parse_as_written(method: Method, text: &str) -> Outcome<Self> {
        let mut target = Self::parse(method, text)?;
        target.credentials = None;
        let written = written_target(text);
        if written != origin_form(&target.line.url) {
            if let Some(at) = written.find(|c: char| !c.is_ascii_graphic()) {
                let text = format!("its path has a character at offset {at} that must be encoded");
                return Err(Failure::new(ErrorKind::InvalidUrl, text));
            }
            let slash = if written.starts_with('/') { "" } else { "/" };
            target.place.written = Some(format!("{slash}{written}").into());
        }
        Ok(target)
    }
}

/// Path and query in the text of a URL.
fn written_target(text: &str) -> &str {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let rest = rest.split('#').next().unwrap_or_default();
    let path = rest.find(['/', '?']).map_or("", |at| rest.get(at..).unwrap_or_default());
    if path.is_empty() { "/" } else { path }
}

/// How many URLs a [`TargetCache`] remembers.
const REMEMBERED: usize = 8;

/// The targets requested last. Parsing a URL is a third of the work of a small request, and many
/// programs ask for few URLs often.
#[derive(Debug, Default)]
pub(crate) struct TargetCache(Mutex<Vec<(Box<str>, Target)>>);

impl TargetCache {
    /// Parses `text`, or remembers it. Never waits for another thread that looks at the same time.
    pub(crate) fn parse(&self, method: Method, text: &str) -> Outcome<Target> {
        self.parse_by(Target::parse, method, text)
    }

    /// [`Target::parse_as_written`], or what it said before. A session uses one of both.
    pub(crate) fn parse_as_written(&self, method: Method, text: &str) -> Outcome<Target> {
        self.parse_by(Target::parse_as_written, method, text)
    }

    fn parse_by(
        &self,
        parse: fn(Method, &str) -> Outcome<Target>,
        method: Method,
        text: &str,
    ) -> Outcome<Target> {
        let Ok(mut remembered) = self.0.try_lock() else { return parse(method, text) };
        let known = remembered
            .iter()
            .find(|(known, target)| **known == *text && target.line.method == method);
        if let Some((_, target)) = known {
            return Ok(target.clone());
        }
        let target = parse(method, text)?;
        if remembered.len() == REMEMBERED {
            remembered.remove(0);
        }
        remembered.push((text.into(), target.clone()));
        Ok(target)
    }
}

/// Takes the zone out of `[fe80::1%25eth0]` (RFC 6874; a bare `%` is accepted as browsers never
/// see it and people type it).
fn split_zone(text: &str) -> (std::borrow::Cow<'_, str>, Option<Box<str>>) {
    let split = || {
        let scheme = text.split_once(':')?.0.trim_start();
        // Of other schemes, a slash more or less makes a path of what is a host here.
        if !["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
            return None;
        }
        let host = host::written(text);
        let (address, _) = host.strip_prefix('[')?.split_once(']')?;
        let (name, zone) = address.split_once('%')?;
        let zone = zone.strip_prefix("25").unwrap_or(zone);
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        (!zone.is_empty() && zone.bytes().all(fits)).then_some(())?;
        let begins = host.as_ptr().addr() - text.as_ptr().addr() + 1;
        let (before, behind) = (&text[..begins + name.len()], &text[begins + address.len()..]);
        Some((format!("{before}{behind}"), zone.into()))
    };
    match split() {
        Some((text, zone)) => (text.into(), Some(zone)),
        None => (text.into(), None),
    }
}

/// The host as it is looked up, connected to and verified: no brackets.
pub(crate) fn host(url: &Url) -> std::borrow::Cow<'_, str> {
    match url.host() {
        Some(Host::Ipv6(address)) => address.to_string().into(),
        _ => url.host_str().unwrap_or_default().into(),
    }
}

/// `Host`, and the authority of an absolute-form target.
pub(crate) fn authority<'u>(url: &'u Url, place: &Place) -> &'u str {
    if place.unix.is_some() {
        return "localhost";
    }
    &url[url::Position::BeforeHost..url::Position::AfterPort]
}

/// What the request line has: path and query, as they were written if that is wanted.
pub(crate) fn request_target<'u>(url: &'u Url, place: &'u Place) -> &'u str {
    place.written.as_deref().unwrap_or_else(|| origin_form(url))
}

/// Path and query, never the fragment (RFC 9110 §4.2.5).
pub(crate) fn origin_form(url: &Url) -> &str {
    let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
    if target.is_empty() { "/" } else { target }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Target {
        Target::parse(Method::Get, text).unwrap()
    }

    fn refused(text: &str) -> String {
        let failure = Target::parse(Method::Get, text).unwrap_err();
        assert_eq!(failure.kind, ErrorKind::InvalidUrl);
        failure.message.into_owned()
    }

    #[test]
    fn what_is_verified_is_what_is_connected_to() {
        let of = |text| host(&parse(text).line.url).into_owned();
        assert_eq!(of("http://0x7f000001/"), "127.0.0.1");
        assert_eq!(of("http://[::1]:8080/"), "::1");
        assert_eq!(of("http://EXAMPLE.com/"), "example.com");
        assert_eq!(of("https://한국.kr/"), "xn--3e0b707e.kr");
    }

    #[test]
    fn the_request_line_has_no_fragment_and_no_userinfo() {
        let target = parse("https://user:pass@example.com:8443/a b?q=1#part");
        assert_eq!(origin_form(&target.line.url), "/a%20b?q=1");
        assert_eq!(authority(&target.line.url, &target.place), "example.com:8443");
        assert_eq!(target.credentials.as_deref(), Some("Basic dXNlcjpwYXNz"));
        assert!(!target.line.url.as_str().contains("pass"));
    }

    #[test]
    fn the_default_port_is_left_out() {
        let target = parse("https://example.com:443");
        assert_eq!(authority(&target.line.url, &target.place), "example.com");
        assert_eq!(origin_form(&target.line.url), "/");
    }

    #[test]
    fn zones_are_kept_beside_the_url() {
        let target = parse("http://[fe80::1%25eth0]:80/x");
        assert_eq!(target.place.zone.as_deref(), Some("eth0"));
        assert_eq!(authority(&target.line.url, &target.place), "[fe80::1]");
        // Nothing but the host has one.
        for text in [
            "http:h/?u=http://[a%25b]",
            "http://h/[a%25b]",
            "http://h?://[a%25b]",
            "other:/[a%25b]",
        ] {
            let target = parse(text);
            assert_eq!(target.place.zone, None, "{text}");
            assert!(origin_form(&target.line.url).contains("[a%25b]"), "{text}");
        }
        let target = parse("http://u:[p%25q]@h/");
        assert_eq!(
            (target.place.zone, target.credentials),
            (None, parse("http://u:%5Bp%25q%5D@h/").credentials)
        );
    }

    #[test]
    fn a_unix_socket_is_named_by_the_host() {
        let target = parse("http+unix://%2Fvar%2Frun%2Fdocker.sock/info?x=1");
        assert_eq!(
            target.place.unix.as_deref(),
            Some(std::path::Path::new("/var/run/docker.sock"))
        );
        assert_eq!(origin_form(&target.line.url), "/info?x=1");
        assert_eq!(authority(&target.line.url, &target.place), "localhost");
        for (text, form) in [("http+unix://s", "/"), ("http+unix://s?x=1#f", "/?x=1")] {
            assert_eq!(origin_form(&parse(text).line.url), form);
        }
    }

    #[test]
    fn path_and_query_may_stay_as_they_were_written() {
        let written = |text| {
            let target = Target::parse_as_written(Method::Get, text).unwrap();
            request_target(&target.line.url, &target.place).to_owned()
        };
        assert_eq!(written("http://h/a/../b'?q='x'&r={1}#f"), "/a/../b'?q='x'&r={1}");
        assert_eq!(written("http://h/%7e/%2e%2e/x\\y"), "/%7e/%2e%2e/x\\y");
        assert_eq!(written("http://h?x=1"), "/?x=1");
        assert_eq!(written("http://h"), "/");
        assert_eq!(written("http://u:p@h/plain"), "/plain");
        let target = Target::parse_as_written(Method::Get, "http://u:p@h/plain").unwrap();
        assert_eq!((target.credentials, target.place.written), (None, None));
        for text in ["http://h/a b", "http://h/ü"] {
            assert!(Target::parse_as_written(Method::Get, text).is_err(), "{text}");
        }
    }

    #[test]
    fn other_schemes_need_no_host() {
        for text in ["file:///etc/hosts", "data:text/plain,hello", "mock://host:0/x"] {
            assert_eq!(parse(text).line.url.as_str(), text);
        }
    }

    #[test]
    fn bad_urls_are_refused_and_say_why() {
        assert!(refused("example.com/x").contains("perhaps https://example.com/x"));
        assert!(refused("http://a\r\nb/").contains("control character at offset 8"));
        assert!(refused("http://host:99999/").contains("port"));
        assert!(refused("http://[::1/").contains("IPv6"));
        assert!(refused("http://host:0/").contains("port 0"));
        assert!(refused(&format!("http://{}.test/", "a".repeat(64))).contains("63 between"));
        assert!(refused(&format!("http://u@{}/", "a".repeat(5000))).contains("longer than any"));
        assert!(!refused("http://user:secret@[::1/").contains("secret"));
        for text in ["http://", "https:///", "http://a b/", "http://%00/", ""] {
            refused(text);
        }
    }

    proptest::proptest! {
        /// Whatever is given: a target that can be connected to, or an error that fits a line and has
        /// no password in it.
        #[test]
        fn any_text_is_a_target_or_an_error(text in "(https?://|http\\+unix://|)(u:hush@)?.{0,40}") {
            match Target::parse(Method::Get, &text) {
                Ok(target) => {
                    let url = &target.line.url;
                    proptest::prop_assert!(url.username().is_empty() && url.password().is_none());
                    proptest::prop_assert!(!url.as_str().contains(char::is_control));
                    // What is shown can be typed, and leads to the same.
                    let again = parse(url.as_str());
                    proptest::prop_assert_eq!(&again.line.url, url);
                    proptest::prop_assert_eq!(again.place.unix, target.place.unix);
                    if matches!(url.scheme(), "http" | "https" | "http+unix") {
                        let form = origin_form(url);
                        let fits = form.starts_with('/') && form.bytes().all(|b| b.is_ascii_graphic());
                        proptest::prop_assert!(fits, "{}", form);
                    }
                }
                Err(failure) => {
                    proptest::prop_assert!(!failure.message.contains('\n'));
                    proptest::prop_assert!(!failure.message.contains("u:hush@"), "{}", failure.message);
                }
            }
        }
    }
}
