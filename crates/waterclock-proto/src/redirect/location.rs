//! From the bytes of a Location to the URL they mean (RFC 9110 §10.2.2).

use super::error::{redacted, shown};
use super::{LocationFault, RedirectError, same_origin};
use std::borrow::Cow;
use url::Url;

/// Longer than any URL that a server is asked for, and short enough to be parsed without thought.
const LONGEST: usize = 64 * 1024;

/// Where a redirect leads.
pub(super) struct Target {
    pub(super) url: Url,
    pub(super) had_userinfo: bool,
}

/// Resolves a Location that is neither empty nor surrounded by white space.
pub(super) fn resolve(base: &Url, location: &[u8]) -> Result<Target, RedirectError> {
    let text = text(location);
    let bad =
        |fault| RedirectError::BadLocation { from: shown(base), location: redacted(&text), fault };
    check_bytes(location).map_err(bad)?;
    if names_no_host(&text) {
        return Err(bad(LocationFault::NoHost));
    }
    let mut url = base.join(&text).map_err(|error| {
        bad(match error {
            url::ParseError::EmptyHost => LocationFault::NoHost,
            other => LocationFault::Url(other),
        })
    })?;
    // A redirect on a local socket may stay there; none may lead to one.
    if !matches!(url.scheme(), "http" | "https") && !same_origin(base, &url) {
        return Err(RedirectError::Scheme { from: shown(base), scheme: url.scheme().into() });
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err(bad(LocationFault::NoHost));
    }
    if url.port() == Some(0) {
        return Err(bad(LocationFault::PortZero));
    }
    let had_userinfo = drop_userinfo(&mut url);
    if url.fragment().is_none() {
        url.set_fragment(base.fragment());
    }
    Ok(Target { url, had_userinfo })
}

/// UTF-8, as servers send it, else Latin-1, as HTTP once had it. Neither reaches the wire: URLs
/// percent-encode both.
fn text(location: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(location) {
        Ok(text) => text.into(),
        Err(_) => location.iter().map(|&byte| char::from(byte)).collect::<String>().into(),
    }
}

fn check_bytes(location: &[u8]) -> Result<(), LocationFault> {
    if location.len() > LONGEST {
        return Err(LocationFault::TooLong { bytes: location.len() });
    }
    // The URL parser would skip tab, CR and LF without a word.
    match location.iter().position(u8::is_ascii_control) {
        Some(offset) => Err(LocationFault::Control { byte: location[offset], offset }),
        None => Ok(()),
    }
}

/// Whether there is a slash too many or too few for a host. Browsers take `http:///x`, `http:x`
/// and `///x` all the same, and a program that looks at the text sees another host or none.
fn names_no_host(text: &str) -> bool {
    let after = |scheme: &str| {
        let (start, rest) = text.split_at_checked(scheme.len())?;
        start.eq_ignore_ascii_case(scheme).then_some(rest)
    };
    let absolute = after("http:").or_else(|| after("https:"));
    let rest = absolute.unwrap_or(text);
    let slashes = rest.bytes().take_while(|byte| matches!(byte, b'/' | b'\\')).count();
    slashes > 2 || (absolute.is_some() && slashes < 2)
}

/// The base's goes as well: credentials travel in header fields, and [`super::Credentials`] decides
/// about those.
fn drop_userinfo(url: &mut Url) -> bool {
    let had_userinfo = !url.username().is_empty() || url.password().is_some();
    // Neither fails for a URL with a host.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    had_userinfo
}
