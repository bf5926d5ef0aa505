//! Cookies (RFC 6265bis): parsing, matching and keeping them.
//!
//! A [`CookieJar`] takes what responses say in `Set-Cookie`, and answers what a request says in
//! `Cookie`. It reads no clock: `now` is passed in. Sections cited here are those of
//! draft-ietf-httpbis-rfc6265bis; the prefixes `__Http-` and `__Host-Http-` are from its successor,
//! draft-ietf-httpbis-layered-cookies.
//!
//! Where the draft leaves the choice to the client:
//!
//! - *Secure* means `https` or `wss`. Over `http` no `Secure` cookie is set or sent, not even on
//!   loopback: `localhost` says nothing of who listens there.
//! - Public suffixes are those of the list compiled in, private ones (`github.io`) too. Of names
//!   that the list does not know, the last label is one: a host `db.internal` may set a cookie for
//!   itself and for what lies below it, and nobody may set one for `internal` or `localhost`
//!   except such a host for itself alone.
//! - Requests count as same-site unless the caller says otherwise with a [`SiteContext`].
//! - A cookie lives for [`MAX_AGE`] at most, also one from a file or from the caller.
//! - A `Path` is compared as a URL would write it: what is not visible ASCII is percent-encoded.
//! - A `Cookie` field has [`MAX_HEADER_BYTES`] at most: a site that sets more would otherwise make
//!   servers refuse every later request to it (CVE-2022-32205).

mod cookie;
mod date;
mod domain;
mod file;
mod jar;
#[cfg(feature = "json")]
mod json;
mod netscape;
mod parse;
mod path;
mod rejected;
mod site;
mod store;
#[cfg(test)]
mod tests;

pub(crate) use date::parse_cookie_date;

pub use cookie::{Cookie, NewCookie, SameSite};
pub use file::{CookieFileError, LeftOut, Loaded, SessionCookies};
pub use jar::{CookieJar, Stored};
pub use netscape::NetscapeFile;
pub use rejected::Rejected;
pub use site::SiteContext;

use std::time::Duration;

/// No cookie lives longer: 400 days (RFC 6265bis §5.5).
pub const MAX_AGE: Duration = Duration::from_secs(34_560_000);
/// Most bytes of a cookie's name and value together (§5.6).
pub const MAX_COOKIE_BYTES: usize = 4096;
/// Longer attribute values are ignored (§5.6).
pub const MAX_ATTRIBUTE_BYTES: usize = 1024;
/// Most cookies of one domain (§6.1); a further one drives another out.
pub const MAX_PER_DOMAIN: usize = 50;
/// Most cookies of a jar (§6.1); a further one drives another out.
pub const MAX_IN_ALL: usize = 3000;
/// Most bytes of a `Cookie` field value; cookies from the first that does not fit on stay at home.
/// It is what servers commonly accept as one header line, and curl's bound.
pub const MAX_HEADER_BYTES: usize = 8190;
