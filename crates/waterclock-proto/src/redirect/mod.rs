//! Redirects: whether one is followed, and what the next request looks like (RFC 9110 §15.4).
//!
//! [`next`] decides about one response. Nothing is remembered between two calls, so a chain is the
//! caller's: it counts, and what [`Redirected::prune`] took away it does not put back. Credentials
//! that were stripped on the way from A to B are not sent to B again, nor to A when B redirects
//! there (CVE-2024-45336). A chain that runs in circles is ended by the limit alone, as in every
//! client: a second visit may well be answered differently.
//!
//! Where clients differ:
//!
//! | question | answer here |
//! | --- | --- |
//! | POST, 301 | GET without body, as browsers and requests; [`RedirectPolicy::with_keep_method`] is curl's `--post301`, `--post302` |
//! | any but HEAD, 302 or 303 | GET without body, as requests |
//! | PUT, DELETE, ... and 301; anything and 307, 308 | the same method with the same body, rewound |
//! | `Location` is empty | no redirect, as in browsers and requests |
//! | `Location` is not UTF-8 | read as Latin-1 |
//! | `Location` has userinfo | dropped, as in requests: a server does not choose who its client is; [`Redirected::dropped_userinfo`] tells |
//! | `http:///x`, `http:x`, `///x` | refused: browsers find a host there, RFC 3986 does not |
//! | `\` | as `/`, as in browsers, so that what is looked at is what is connected to |
//! | `http` on port 80 to `https` on port 443, same host | keeps credentials, as requests |

mod error;
mod location;
mod policy;

#[cfg(test)]
mod tests;

pub use error::{LocationFault, RedirectError, Rule};
pub use policy::RedirectPolicy;

use crate::message::{Headers, Method, trim};
use url::Url;

/// Fields that go when [`Credentials::Strip`] says so: they belong to the origin they were meant
/// for.
pub const SENSITIVE: [&str; 6] = [
    "Authorization",
    "Cookie",
    "Cookie2",
    "Proxy-Authorization",
    "Proxy-Authenticate",
    "WWW-Authenticate",
];

/// Fields that go when [`BodyRule::Drop`] says so: they describe the body, or how it is sent.
pub const BODY_FIELDS: [&str; 15] = [
    "Content-Length",
    "Transfer-Encoding",
    "Trailer",
    "Expect",
    "Content-Type",
    "Content-Encoding",
    "Content-Language",
    "Content-Location",
    "Content-Disposition",
    "Content-Range",
    "Content-MD5",
    "Content-Digest",
    "Repr-Digest",
    "Digest",
    "Last-Modified",
];

/// What becomes of the request's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyRule {
    /// It is sent again from its start; a body that cannot be rewound is an error.
    Keep,
    /// The next request has none.
    Drop,
}

/// What becomes of the request's credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credentials {
    /// The next request has the same origin.
    Keep,
    /// It has another one: what was meant for the old one is not for it.
    Strip,
}

/// The request that a redirect asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirected {
    /// Where to. It has a host, no port 0 and no userinfo.
    pub url: Url,
    /// With which method.
    pub method: Method,
    /// With or without the body.
    pub body: BodyRule,
    /// With or without the credentials: header fields, and whatever else the caller has of them,
    /// such as a client certificate. Decided between the two URLs; see the module's head for
    /// chains.
    pub credentials: Credentials,
    /// Whether the Location had userinfo, which was dropped.
    pub dropped_userinfo: bool,
}

impl Redirected {
    /// Takes the fields out of `headers` that are not for the next request.
    ///
    /// A `Host` that was set by hand goes with the credentials: it names the old origin.
    ///
    /// ```
    /// use waterclock_proto::message::{Headers, Method};
    /// use waterclock_proto::redirect::{RedirectPolicy, next};
    ///
    /// let mut headers = Headers::new();
    /// headers.append("Accept", "*/*")?;
    /// headers.append("Authorization", "Bearer secret")?;
    /// headers.append("Content-Type", "text/plain")?;
    /// let from = "https://a.test/".parse()?;
    /// let to = Some(b"https://b.test/".as_slice());
    /// let redirected = next(&Method::Post, &from, 303, to, &RedirectPolicy::default(), 0)?;
    /// redirected.unwrap().prune(&mut headers);
    /// assert_eq!(headers.iter().collect::<Vec<_>>(), [("Accept", b"*/*".as_slice())]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn prune(&self, headers: &mut Headers) {
        let mut remove = |names: &[&str]| {
            for name in names {
                headers.remove(name);
            }
        };
        if self.credentials == Credentials::Strip {
            remove(&SENSITIVE);
            remove(&["Host"]);
        }
        if self.body == BodyRule::Drop {
            remove(&BODY_FIELDS);
        }
    }
}

/// Decides about the response with `status` and `location` to a `method` request for `url`, after
/// `followed` redirects.
///
/// `None`: the response is not a redirect, or the policy follows none.
///
/// ```
/// use waterclock_proto::message::Method;
/// use waterclock_proto::redirect::{BodyRule, Credentials, RedirectPolicy, next};
///
/// let url = "https://example.com/form#part".parse()?;
/// let policy = RedirectPolicy::default();
/// let redirected = next(&Method::Post, &url, 302, Some(b"../done"), &policy, 0)?.unwrap();
/// assert_eq!(redirected.url.as_str(), "https://example.com/done#part");
/// assert_eq!(redirected.method, Method::Get);
/// assert_eq!(redirected.body, BodyRule::Drop);
/// assert_eq!(redirected.credentials, Credentials::Keep);
///
/// assert_eq!(next(&Method::Get, &url, 200, Some(b"/x"), &policy, 0)?, None);
/// assert!(next(&Method::Get, &url, 302, Some(b"file:///etc/passwd"), &policy, 0).is_err());
/// assert!(next(&Method::Get, &url, 302, Some(b"/x"), &policy, 30).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`RedirectError`] when the response is a redirect that cannot or may not be followed.
pub fn next(
    method: &Method,
    url: &Url,
    status: u16,
    location: Option<&[u8]>,
    policy: &RedirectPolicy,
    followed: u32,
) -> Result<Option<Redirected>, RedirectError> {
    let Some(location) = location.map(trim).filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    if !is_redirect_status(status) || !policy.follow {
        return Ok(None);
    }
    if followed >= policy.max {
        return Err(RedirectError::TooMany { max: policy.max, from: error::shown(url) });
    }
    let target = location::resolve(url, location)?;
    if let Some(rule) = policy.broken_rule(url, &target.url) {
        let (from, to) = (error::shown(url), error::shown(&target.url));
        return Err(RedirectError::Refused { from, to, rule });
    }
    let next_method = method_after(method, status, policy.keep_method);
    Ok(Some(Redirected {
        body: body_after(method, &next_method, status),
        credentials: credentials_between(url, &target.url),
        url: target.url,
        method: next_method,
        dropped_userinfo: target.had_userinfo,
    }))
}

/// Whether the response asks for another request: 301, 302, 303, 307 or 308, and a Location that is
/// not empty. 300 is for people to choose from; 304 to 306 are no redirects.
#[must_use]
pub fn is_redirect(status: u16, headers: &Headers) -> bool {
    is_redirect_status(status) && location(headers).is_some()
}

/// Whether the response is a redirect that may be remembered: 301 or 308.
#[must_use]
pub fn is_permanent(status: u16, headers: &Headers) -> bool {
    matches!(status, 301 | 308) && is_redirect(status, headers)
}

/// The first Location that is not empty, for [`next`].
#[must_use]
pub fn location(headers: &Headers) -> Option<&[u8]> {
    headers.get_all("Location").map(trim).find(|value| !value.is_empty())
}

/// Whether two URLs have the same scheme, host and port, the default port counted (RFC 9110
/// §4.3.1). Hosts are compared as parsed: `Example.com` is `example.com`, `0x7f.1` is `127.0.0.1`,
/// but `example.com.` is another name.
#[must_use]
pub fn same_origin(a: &Url, b: &Url) -> bool {
    a.scheme() == b.scheme()
        && same_host(a, b)
        && a.port_or_known_default() == b.port_or_known_default()
}

fn same_host(a: &Url, b: &Url) -> bool {
    a.host().is_some() && a.host() == b.host()
}

const fn is_redirect_status(status: u16) -> bool {
    matches!(status, 301 | 302 | 303 | 307 | 308)
}

fn method_after(method: &Method, status: u16, keep: bool) -> Method {
    let becomes_get = match status {
        301 => *method == Method::Post && !keep,
        302 => *method != Method::Head && !keep,
        303 => *method != Method::Head,
        _ => false,
    };
    if becomes_get { Method::Get } else { method.clone() }
}

/// A 303 asks for something else than what the body was for (RFC 9110 §15.4.4), whatever the
/// method.
fn body_after(method: &Method, next: &Method, status: u16) -> BodyRule {
    if method == next && status != 303 { BodyRule::Keep } else { BodyRule::Drop }
}

fn credentials_between(from: &Url, to: &Url) -> Credentials {
    // The one step to another origin that programs rely on, and the only one that gains secrecy.
    let upgraded = from.scheme() == "http"
        && to.scheme() == "https"
        && same_host(from, to)
        && from.port_or_known_default() == Some(80)
        && to.port_or_known_default() == Some(443);
    if same_origin(from, to) || upgraded { Credentials::Keep } else { Credentials::Strip }
}
