//! [`RedirectError`]: why a redirect was not followed.

use crate::message::snippet;
use std::fmt;
use url::{Position, Url};

/// Why a redirect was not followed.
///
/// Pieces of URLs in it are short, have their control bytes escaped and never show userinfo, nor
/// the query of a URL that was requested.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RedirectError {
    /// The limit was reached.
    TooMany {
        /// The limit.
        max: u32,
        /// What redirected once more.
        from: Box<str>,
    },
    /// The Location cannot be requested.
    BadLocation {
        /// What redirected.
        from: Box<str>,
        /// The Location.
        location: Box<str>,
        /// What is wrong with it.
        fault: LocationFault,
    },
    /// The Location is a URL, but not an HTTP one. `file:`, `data:`, `javascript:` and the like are
    /// never a server's to choose.
    Scheme {
        /// What redirected.
        from: Box<str>,
        /// The scheme.
        scheme: Box<str>,
    },
    /// The policy forbids it.
    Refused {
        /// What redirected.
        from: Box<str>,
        /// Where to.
        to: Box<str>,
        /// What forbids it.
        rule: Rule,
    },
}

/// What is wrong with a Location.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LocationFault {
    /// It is longer than 64 KiB.
    TooLong {
        /// How long it is.
        bytes: usize,
    },
    /// It has a control character.
    Control {
        /// The character.
        byte: u8,
        /// Where it stands.
        offset: usize,
    },
    /// It names no host.
    NoHost,
    /// Its host is longer than any name (RFC 1035 §2.3.4).
    HostTooLong,
    /// Its host is not UTF-8, and what other name was meant is a guess.
    HostNotUtf8,
    /// It names port 0.
    PortZero,
    /// It is not a URL.
    Url(url::ParseError),
}

/// A rule of [`RedirectPolicy`](super::RedirectPolicy) that forbids a redirect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// [`RedirectPolicy::https_only`](super::RedirectPolicy::https_only)
    HttpsOnly,
    /// [`RedirectPolicy::same_origin_only`](super::RedirectPolicy::same_origin_only)
    SameOriginOnly,
}

impl fmt::Display for RedirectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RedirectError::TooMany { max, from } => {
                let s = if *max == 1 { "" } else { "s" };
                write!(
                    f,
                    "{from} redirects again after {max} redirect{s}: \
                     look for a loop in the history, or raise the limit"
                )
            }
            RedirectError::BadLocation { from, location, fault } => write!(
                f,
                "{from} redirects to \"{location}\", but {fault}: \
                 the server is at fault; follow no redirects to get its response as it is"
            ),
            RedirectError::Scheme { from, scheme } => write!(
                f,
                "{from} redirects to a {scheme}: URL, but only http: and https: are followed; \
                 follow no redirects to get the response as it is"
            ),
            RedirectError::Refused { from, to, rule } => write!(
                f,
                "{from} redirects to {to}, but {rule}; request that yourself if you trust it"
            ),
        }
    }
}

impl std::error::Error for RedirectError {}

impl fmt::Display for LocationFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LocationFault::TooLong { bytes } => {
                write!(f, "its {bytes} bytes are more than the 65536 that are read")
            }
            LocationFault::Control { byte, offset } => {
                write!(f, "it has the control character 0x{byte:02x} at offset {offset}")
            }
            LocationFault::NoHost => f.write_str("it names no host"),
            LocationFault::HostTooLong => {
                f.write_str("a name has at most 253 bytes, and 63 between two dots")
            }
            LocationFault::HostNotUtf8 => f.write_str("its host is not UTF-8"),
            LocationFault::PortZero => f.write_str("port 0 cannot be connected to"),
            LocationFault::Url(error) => write!(f, "it is not a URL ({error})"),
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Rule::HttpsOnly => "only https is to be followed (https_only)",
            Rule::SameOriginOnly => "that is another origin (same_origin_only)",
        })
    }
}

/// A URL as it is shown: scheme, host, port and path.
pub(super) fn shown(url: &Url) -> Box<str> {
    let scheme = url.scheme();
    let rest = &url[Position::BeforeHost..Position::AfterPath];
    snippet(format!("{scheme}://{rest}").as_bytes())
}

/// A Location as it is shown. It may be no URL, so where its userinfo ends is a guess: all up to
/// the last `@` goes.
pub(super) fn redacted(location: &str) -> Box<str> {
    match location.rsplit_once('@') {
        Some((_, rest)) => snippet(format!("***@{rest}").as_bytes()),
        None => snippet(location.as_bytes()),
    }
}
