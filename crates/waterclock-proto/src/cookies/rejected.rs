//! [`Rejected`]: why a cookie is not kept.

use super::{MAX_COOKIE_BYTES, MAX_PER_DOMAIN};
use std::fmt;

/// Why a cookie was not kept. The message says what to change, and holds no value of a cookie.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rejected {
    /// The URL is none that an HTTP request goes to.
    NoHost,
    /// Neither name nor value.
    Empty,
    /// A control character other than a tab.
    ControlCharacter,
    /// Name and value have so many bytes together.
    TooLong(usize),
    /// The caller's or a file's name holds `=` or `;`, or white space around it.
    InvalidName,
    /// The caller's or a file's value holds `;`, or white space around it.
    InvalidValue,
    /// The caller's or a file's path does not begin with `/`.
    InvalidPath,
    /// No host can have this domain.
    InvalidDomain(Box<str>),
    /// A public suffix: the cookie would go to unrelated sites.
    PublicSuffix(Box<str>),
    /// The domain is not the host's own, nor one it lies in.
    ForeignDomain {
        /// What the cookie asks for.
        domain: Box<str>,
        /// Who set it.
        host: Box<str>,
    },
    /// `Secure`, but received over a connection that is not.
    SecureOverInsecure,
    /// Received over an insecure connection, it would hide a `Secure` cookie of that name.
    HidesSecure,
    /// `SameSite=None` without `Secure`.
    SameSiteNone,
    /// The name's prefix promises what the cookie lacks.
    Prefix {
        /// The prefix.
        prefix: &'static str,
        /// What is missing.
        missing: &'static str,
    },
    /// The domain's places are taken by `Secure` cookies, which this one is not.
    Full,
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Rejected::NoHost => f.write_str("only http, https, ws and wss URLs have cookies"),
            Rejected::Empty => f.write_str("the cookie has neither a name nor a value"),
            Rejected::ControlCharacter => f.write_str("the cookie has a control character"),
            Rejected::TooLong(bytes) => write!(
                f,
                "the cookie's name and value have {bytes} bytes together, {MAX_COOKIE_BYTES} at most are kept"
            ),
            Rejected::InvalidName => f.write_str(
                "the cookie's name has \"=\" or \";\" in it, or white space around it; remove them",
            ),
            Rejected::InvalidValue => f.write_str(
                "the cookie's value has \";\" in it, or white space around it; remove or encode them",
            ),
            Rejected::InvalidPath => f.write_str("the cookie's path must begin with \"/\""),
            Rejected::InvalidDomain(domain) => {
                write!(f, "no host can have the cookie's domain \"{}\"", domain.escape_default())
            }
            Rejected::PublicSuffix(domain) => write!(
                f,
                "the cookie's domain \"{}\" is a public suffix; unrelated sites would get it",
                domain.escape_default()
            ),
            Rejected::ForeignDomain { domain, host } => write!(
                f,
                "the host {host} may set no cookie for the domain \"{}\"",
                domain.escape_default()
            ),
            Rejected::SecureOverInsecure => {
                f.write_str("a Secure cookie came over an insecure connection; use https")
            }
            Rejected::HidesSecure => f.write_str(
                "it came over an insecure connection and would hide a Secure cookie of that name",
            ),
            Rejected::SameSiteNone => f.write_str("SameSite=None needs Secure"),
            Rejected::Prefix { prefix, missing } => {
                write!(f, "a name that begins with {prefix} needs {missing}")
            }
            Rejected::Full => write!(
                f,
                "the domain has {MAX_PER_DOMAIN} Secure cookies, and this one is not Secure"
            ),
        }
    }
}

impl std::error::Error for Rejected {}
