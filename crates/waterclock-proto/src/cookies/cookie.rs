//! [`Cookie`], as it lies in a jar, and [`NewCookie`], before it does.

use super::domain::{canonical, is_address, is_public_suffix};
use super::{MAX_COOKIE_BYTES, Rejected, path};
use crate::message::trim;
use std::borrow::Cow;
use std::fmt;
use std::time::SystemTime;

/// Whether a cookie goes with requests that another site's page makes (RFC 6265bis §5.6.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameSite {
    /// With none of them.
    Strict,
    /// With those whose method is safe.
    Lax,
    /// With all of them; needs `Secure`.
    None,
}

impl SameSite {
    /// The attribute's value, in any case; anything else says nothing.
    pub(super) fn parse(value: &[u8]) -> Option<Self> {
        [SameSite::Strict, SameSite::Lax, SameSite::None]
            .into_iter()
            .find(|known| value.eq_ignore_ascii_case(known.as_str().as_bytes()))
    }

    /// As it stands in `Set-Cookie`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            SameSite::Strict => "Strict",
            SameSite::Lax => "Lax",
            SameSite::None => "None",
        }
    }
}

/// A cookie in a [`CookieJar`](super::CookieJar). `Debug` shows no value.
#[derive(Clone, PartialEq, Eq)]
pub struct Cookie {
    pub(super) facts: NewCookie,
    pub(super) created: SystemTime,
    pub(super) last_access: SystemTime,
}

impl Cookie {
    /// The name, which may be empty, as received: bytes, not always UTF-8.
    #[must_use]
    pub fn name(&self) -> &[u8] {
        &self.facts.name
    }

    /// The value, which may be empty, as received: bytes, not always UTF-8.
    #[must_use]
    pub fn value(&self) -> &[u8] {
        &self.facts.value
    }

    /// The name for people; bytes that are not UTF-8 are replaced.
    #[must_use]
    pub fn name_text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.facts.name)
    }

    /// The value for people; bytes that are not UTF-8 are replaced.
    #[must_use]
    pub fn value_text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.facts.value)
    }

    /// The host or domain, in lower case and without a leading dot.
    #[must_use]
    pub fn domain(&self) -> &str {
        &self.facts.domain
    }

    /// Whether it goes to the domain's own host only, and to none below it.
    #[must_use]
    pub fn host_only(&self) -> bool {
        self.facts.host_only
    }

    /// The path, percent-encoded where a URL would be.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.facts.path
    }

    /// Whether it goes over secure connections only.
    #[must_use]
    pub fn secure(&self) -> bool {
        self.facts.secure
    }

    /// Whether pages' scripts may not see it. Kept, for files and for those who show pages.
    #[must_use]
    pub fn http_only(&self) -> bool {
        self.facts.http_only
    }

    /// `SameSite`, if the server said it.
    #[must_use]
    pub fn same_site(&self) -> Option<SameSite> {
        self.facts.same_site
    }

    /// When it ends; `None` for a session cookie.
    #[must_use]
    pub fn expires(&self) -> Option<SystemTime> {
        self.facts.expires
    }

    /// When a cookie of this name, domain and path first came.
    #[must_use]
    pub fn created(&self) -> SystemTime {
        self.created
    }

    /// When it was last sent or set.
    #[must_use]
    pub fn last_access(&self) -> SystemTime {
        self.last_access
    }

    /// Whether its time is over.
    #[must_use]
    pub fn is_expired(&self, now: SystemTime) -> bool {
        self.facts.expires.is_some_and(|expires| expires <= now)
    }

    /// The length of `name=value`, as sent.
    pub(super) fn wire_len(&self) -> usize {
        let NewCookie { name, value, .. } = &self.facts;
        if name.is_empty() { value.len() } else { name.len() + 1 + value.len() }
    }

    /// §5.8.3 step 6: no "=" if there is no name.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        if !self.facts.name.is_empty() {
            out.extend_from_slice(&self.facts.name);
            out.push(b'=');
        }
        out.extend_from_slice(&self.facts.value);
    }
}

impl fmt::Debug for Cookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cookie")
            .field("facts", &self.facts)
            .field("created", &self.created)
            .field("last_access", &self.last_access)
            .finish()
    }
}

/// A cookie that the caller makes, to be put into a jar with
/// [`CookieJar::insert`](super::CookieJar::insert), which checks it. `Debug` shows no value.
///
/// ```
/// use std::time::SystemTime;
/// use waterclock_proto::cookies::{CookieJar, NewCookie, Rejected};
///
/// let mut jar = CookieJar::new();
/// let now = SystemTime::UNIX_EPOCH;
/// jar.insert(NewCookie::new("sid", "31d4", "www.example.com"), now)?;
/// jar.insert(NewCookie::new("lang", "en", "example.com").with_subdomains().secure(), now)?;
/// assert_eq!(
///     jar.insert(NewCookie::new("a", "b; c", "example.com"), now),
///     Err(Rejected::InvalidValue)
/// );
/// # Ok::<(), Rejected>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
#[must_use]
pub struct NewCookie {
    pub(super) name: Vec<u8>,
    pub(super) value: Vec<u8>,
    pub(super) domain: String,
    pub(super) host_only: bool,
    pub(super) path: String,
    pub(super) secure: bool,
    pub(super) http_only: bool,
    pub(super) same_site: Option<SameSite>,
    pub(super) expires: Option<SystemTime>,
}

impl NewCookie {
    /// A session cookie for all paths of one host, over any connection.
    pub fn new(name: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>, host: &str) -> Self {
        NewCookie {
            name: name.into(),
            value: value.into(),
            domain: host.to_owned(),
            host_only: true,
            path: "/".to_owned(),
            secure: false,
            http_only: false,
            same_site: None,
            expires: None,
        }
    }

    /// For the hosts below the host, too.
    pub fn with_subdomains(mut self) -> Self {
        self.host_only = false;
        self
    }

    /// For this path and what lies below it.
    pub fn path(mut self, path: &str) -> Self {
        self.path = path::comparable(path.as_bytes());
        self
    }

    /// For secure connections only.
    pub fn secure(mut self) -> Self {
        self.secure = true;
        self
    }

    /// Not for scripts.
    pub fn http_only(mut self) -> Self {
        self.http_only = true;
        self
    }

    /// With a `SameSite` attribute.
    pub fn same_site(mut self, same_site: SameSite) -> Self {
        self.same_site = Some(same_site);
        self
    }

    /// Ends then, or after [`MAX_AGE`](super::MAX_AGE) if that is earlier.
    pub fn expires(mut self, expires: SystemTime) -> Self {
        self.expires = Some(expires);
        self
    }

    /// What a parser has not seen to: the text of a caller or a file.
    pub(super) fn check_text(&mut self) -> Result<(), Rejected> {
        if self.name.iter().chain(&self.value).any(|&byte| is_control(byte)) {
            return Err(Rejected::ControlCharacter);
        }
        check_size(&self.name, &self.value)?;
        if self.name.iter().any(|byte| b"=;".contains(byte)) || trim(&self.name) != self.name {
            return Err(Rejected::InvalidName);
        }
        if self.value.contains(&b';') || trim(&self.value) != self.value {
            return Err(Rejected::InvalidValue);
        }
        if !self.path.starts_with('/') {
            return Err(Rejected::InvalidPath);
        }
        let invalid = || Rejected::InvalidDomain(self.domain.as_str().into());
        self.domain = canonical(&self.domain).ok_or_else(invalid)?;
        // An address has nothing below it.
        self.host_only |= is_address(&self.domain);
        if !self.host_only && is_public_suffix(&self.domain) {
            return Err(Rejected::PublicSuffix(self.domain.as_str().into()));
        }
        Ok(())
    }

    /// What attributes ask of each other (§5.7, steps 19 to 22).
    pub(super) fn check_promises(&self) -> Result<(), Rejected> {
        if self.same_site == Some(SameSite::None) && !self.secure {
            return Err(Rejected::SameSiteNone);
        }
        let nameless = self.name.is_empty();
        // A server may take a nameless value for a name, and names in any case.
        let seen = if nameless { &self.value } else { &self.name };
        let Some(prefix) = Prefix::of(seen) else { return Ok(()) };
        let missing = [
            (nameless, "a name of its own, apart from the value"),
            (!self.secure, "Secure"),
            (prefix.host && !self.host_only, "to have no Domain"),
            (prefix.host && self.path != "/", "Path=/"),
            (prefix.http && !self.http_only, "HttpOnly"),
        ];
        match missing.into_iter().find(|(lacks, _)| *lacks) {
            Some((_, missing)) => Err(Rejected::Prefix { prefix: prefix.text, missing }),
            None => Ok(()),
        }
    }

    /// Whether a server would take the two for one (§5.7 step 23).
    pub(super) fn is_same(&self, other: &NewCookie) -> bool {
        self.name == other.name
            && self.domain == other.domain
            && self.host_only == other.host_only
            && self.path == other.path
    }
}

impl fmt::Debug for NewCookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewCookie")
            .field("name", &String::from_utf8_lossy(&self.name))
            .field("value", &format_args!("<{} bytes>", self.value.len()))
            .field("domain", &self.domain)
            .field("host_only", &self.host_only)
            .field("path", &self.path)
            .field("secure", &self.secure)
            .field("http_only", &self.http_only)
            .field("same_site", &self.same_site)
            .field("expires", &self.expires)
            .finish()
    }
}

/// What a name promises by how it begins. All of them promise `Secure`.
pub(super) struct Prefix {
    pub(super) text: &'static str,
    /// One host, no `Domain`, `Path=/`.
    pub(super) host: bool,
    http: bool,
}

impl Prefix {
    const ALL: [Prefix; 4] = [
        Prefix { text: "__Host-Http-", host: true, http: true },
        Prefix { text: "__Host-", host: true, http: false },
        Prefix { text: "__Http-", host: false, http: true },
        Prefix { text: "__Secure-", host: false, http: false },
    ];

    /// In any case (§5.4). The longest comes first.
    pub(super) fn of(name: &[u8]) -> Option<&'static Prefix> {
        Self::ALL.iter().find(|prefix| {
            name.get(..prefix.text.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(prefix.text.as_bytes()))
        })
    }
}

/// `%x00-08 / %x0A-1F / %x7F`: a tab is white space here.
pub(super) const fn is_control(byte: u8) -> bool {
    byte.is_ascii_control() && byte != b'\t'
}

/// §5.7, steps 2 and 4.
pub(super) fn check_size(name: &[u8], value: &[u8]) -> Result<(), Rejected> {
    match name.len() + value.len() {
        0 => Err(Rejected::Empty),
        bytes if bytes > MAX_COOKIE_BYTES => Err(Rejected::TooLong(bytes)),
        _ => Ok(()),
    }
}
