//! From the bytes of a Location to the URL they mean (RFC 9110 §10.2.2).

use super::error::{redacted, shown};
use super::{LocationFault, RedirectError, same_origin};
use crate::host;
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
    check_written_host(&text, matches!(text, Cow::Owned(_))).map_err(bad)?;
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
    let is_http = matches!(url.scheme(), "http" | "https");
    if is_http && url.domain().is_some_and(|name| !host::fits_dns(name)) {
        return Err(bad(LocationFault::HostTooLong));
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

/// What stands behind `http:` or `https:`, and whether one of them stands there.
fn behind_scheme(text: &str) -> (&str, bool) {
    let after = |scheme: &str| {
        let (start, rest) = text.split_at_checked(scheme.len())?;
        start.eq_ignore_ascii_case(scheme).then_some(rest)
    };
    after("http:").or_else(|| after("https:")).map_or((text, false), |rest| (rest, true))
}

fn slashes(rest: &str) -> usize {
    rest.bytes().take_while(|byte| matches!(byte, b'/' | b'\\')).count()
}

/// Whether there is a slash too many or too few for a host. Browsers take `http:///x`, `http:x`
/// and `///x` all the same, and a program that looks at the text sees another host or none.
fn names_no_host(text: &str) -> bool {
    let (rest, absolute) = behind_scheme(text);
    slashes(rest) > 2 || (absolute && slashes(rest) < 2)
}

/// Before a host is parsed: the work on it is bounded, and it is not guessed.
fn check_written_host(text: &str, guessed: bool) -> Result<(), LocationFault> {
    let (rest, _) = behind_scheme(text);
    if slashes(rest) != 2 {
        return Ok(());
    }
    let written = host::written_behind_scheme(rest);
    if written.len() > host::LONGEST_WRITTEN {
        return Err(LocationFault::HostTooLong);
    }
    if guessed && !written.is_ascii() {
        return Err(LocationFault::HostNotUtf8);
    }
    Ok(())
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
