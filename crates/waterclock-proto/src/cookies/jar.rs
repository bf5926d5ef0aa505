//! [`CookieJar`].

use super::cookie::Prefix;
use super::domain::{Origin, domain_match, is_address, is_public_suffix};
use super::parse::{MaxAge, Path, SetCookie, parse};
use super::path::{comparable, default_path, path_match};
use super::store::{Put, Store};
use super::{Cookie, MAX_AGE, MAX_HEADER_BYTES, NewCookie, Rejected, SameSite, SiteContext};
use std::cmp::Reverse;
use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};
use url::Url;

/// Keeps cookies, and says which go with a request. `Debug` shows no values.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use url::Url;
/// use waterclock_proto::cookies::{CookieJar, SiteContext, Stored};
///
/// let mut jar = CookieJar::new();
/// let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
/// let url = Url::parse("https://www.example.com/shop/basket")?;
/// assert_eq!(jar.store_response(&url, b"id=7; Path=/; Max-Age=60", now)?, Stored::Added);
/// assert_eq!(jar.store_response(&url, b"page=3; Domain=example.com", now)?, Stored::Added);
///
/// let header = jar.header(&url, SiteContext::SameSite, now);
/// assert_eq!(header.as_deref(), Some(b"page=3; id=7".as_slice()));
/// let sibling = Url::parse("https://img.example.com/shop")?;
/// let header = jar.header(&sibling, SiteContext::SameSite, now + Duration::from_secs(60));
/// assert_eq!(header.as_deref(), Some(b"page=3".as_slice()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default, PartialEq)]
pub struct CookieJar {
    store: Store,
}

/// What became of a cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// It is in the jar.
    Added,
    /// It is in the jar, in the place of an older one of the same name, domain and path.
    Replaced,
    /// Its time is over already; if there was such a cookie, it is gone.
    Expired,
}

impl CookieJar {
    /// An empty jar.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many cookies there are, with those that ended but were not yet removed.
    #[must_use]
    pub fn len(&self) -> usize {
        self.store.len()
    }

    /// Whether there are no cookies.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Stores what one `Set-Cookie` field value of a response from `url` says (RFC 6265bis §5.7).
    ///
    /// # Errors
    /// Why the cookie is to be ignored; the jar is then as it was.
    pub fn store_response(
        &mut self,
        url: &Url,
        set_cookie: &[u8],
        now: SystemTime,
    ) -> Result<Stored, Rejected> {
        let origin = Origin::of(url).ok_or(Rejected::NoHost)?;
        let set = parse(set_cookie)?;
        let new = received(&set, &origin, now)?;
        new.check_promises()?;
        let lacks_path = set.path.is_none().then(|| Prefix::of(&new.name)).flatten();
        if let Some(Prefix { text: prefix, host: true, .. }) = lacks_path {
            return Err(Rejected::Prefix { prefix, missing: "Path=/" });
        }
        if !origin.secure && !new.secure && self.store.has_secure_rival(&new, now) {
            return Err(Rejected::HidesSecure);
        }
        self.admit(new, now)
    }

    /// Puts in a cookie of the caller's own.
    ///
    /// # Errors
    /// If a server could not have set it for its host over a secure connection.
    pub fn insert(&mut self, mut cookie: NewCookie, now: SystemTime) -> Result<Stored, Rejected> {
        cookie.check_text()?;
        cookie.check_promises()?;
        self.admit(cookie, now)
    }

    /// Puts in the cookies of another jar, with their times; they replace what is here.
    pub fn merge(&mut self, other: &CookieJar, now: SystemTime) {
        for cookie in other.iter() {
            self.store.put(cookie.clone(), now);
        }
    }

    fn admit(&mut self, facts: NewCookie, now: SystemTime) -> Result<Stored, Rejected> {
        self.restore(Cookie { facts, created: now, last_access: now }, now)
    }

    /// Takes a checked cookie with its times.
    pub(super) fn restore(
        &mut self,
        mut cookie: Cookie,
        now: SystemTime,
    ) -> Result<Stored, Rejected> {
        let latest = now.checked_add(MAX_AGE).unwrap_or(now);
        cookie.facts.expires = cookie.facts.expires.map(|expires| expires.min(latest));
        match self.store.put(cookie, now) {
            Put::Added => Ok(Stored::Added),
            Put::Replaced => Ok(Stored::Replaced),
            Put::Expired => Ok(Stored::Expired),
            Put::Full => Err(Rejected::Full),
        }
    }

    /// The value of the `Cookie` field for a request to `url`; `None` if no cookie goes with it.
    ///
    /// Longer paths come first, then earlier creation (RFC 6265bis §5.8.3). At most
    /// [`MAX_HEADER_BYTES`].
    pub fn header(&mut self, url: &Url, context: SiteContext, now: SystemTime) -> Option<Vec<u8>> {
        if self.is_empty() {
            return None;
        }
        let origin = Origin::of(url)?;
        self.store.retain_above(origin.host, |cookie| {
            if goes_with(cookie, &origin, context) {
                cookie.last_access = now;
            }
            !cookie.is_expired(now)
        });
        let mut header = Vec::new();
        for cookie in self.cookies_for(url, context, now) {
            let separator = if header.is_empty() { &b""[..] } else { b"; " };
            if header.len() + separator.len() + cookie.wire_len() > MAX_HEADER_BYTES {
                break;
            }
            header.extend_from_slice(separator);
            cookie.write(&mut header);
        }
        (!header.is_empty()).then_some(header)
    }

    /// The cookies that go with a request to `url`, in the order of [`Self::header`], without
    /// counting as a use of them.
    #[must_use]
    pub fn cookies_for(&self, url: &Url, context: SiteContext, now: SystemTime) -> Vec<&Cookie> {
        let Some(origin) = Origin::of(url) else { return Vec::new() };
        let mut cookies = self.store.above(origin.host);
        cookies.retain(|cookie| !cookie.is_expired(now) && goes_with(cookie, &origin, context));
        cookies.sort_by_key(|cookie| (Reverse(cookie.path().len()), cookie.created));
        cookies
    }

    /// The cookie of this name that a request to `url` sends; the first, if there are several.
    #[must_use]
    pub fn get_for(&self, url: &Url, name: impl AsRef<[u8]>, now: SystemTime) -> Option<&Cookie> {
        let name = name.as_ref();
        let cookies = self.cookies_for(url, SiteContext::SameSite, now);
        cookies.into_iter().find(|cookie| cookie.name() == name)
    }

    /// The cookies of this name, of whatever domain and path.
    pub fn named<'a>(
        &'a self,
        name: &'a (impl AsRef<[u8]> + ?Sized),
    ) -> impl Iterator<Item = &'a Cookie> {
        self.iter().filter(move |cookie| cookie.name() == name.as_ref())
    }

    /// All cookies, those of one domain together, with those that ended but were not yet removed.
    pub fn iter(&self) -> impl Iterator<Item = &Cookie> {
        self.store.iter()
    }

    /// Removes a cookie; says whether there was one. A leading dot of the domain is of no account.
    pub fn remove(&mut self, domain: &str, path: &str, name: impl AsRef<[u8]>) -> bool {
        let (name, before) = (name.as_ref(), self.len());
        let domain = domain.strip_prefix('.').unwrap_or(domain).to_ascii_lowercase();
        self.store.retain_in(&domain, |cookie| cookie.path() != path || cookie.name() != name);
        self.len() < before
    }

    /// Removes all cookies.
    pub fn clear(&mut self) {
        *self = CookieJar::new();
    }

    /// Removes the cookies that have no end of their own, as browsers do when they are closed.
    pub fn clear_session(&mut self) {
        self.store.retain(|cookie| cookie.expires().is_some());
    }

    /// Removes the cookies that have ended.
    pub fn clear_expired(&mut self, now: SystemTime) {
        self.store.retain(|cookie| !cookie.is_expired(now));
    }
}

impl fmt::Debug for CookieJar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// §5.7, steps 6 to 17: what a response from `origin` means by `set`.
fn received(
    set: &SetCookie<'_>,
    origin: &Origin<'_>,
    now: SystemTime,
) -> Result<NewCookie, Rejected> {
    let (domain, host_only) = received_domain(set.domain, origin.host)?;
    if set.secure && !origin.secure {
        return Err(Rejected::SecureOverInsecure);
    }
    let path = match set.path {
        Some(Path::Given(path)) => comparable(path),
        Some(Path::Default) | None => default_path(origin.path).to_owned(),
    };
    let expires = match set.max_age {
        Some(MaxAge::Over) => Some(UNIX_EPOCH.min(now)),
        Some(MaxAge::For(age)) => now.checked_add(age.min(MAX_AGE)).or(Some(now)),
        None => set.expires,
    };
    Ok(NewCookie {
        name: set.name.to_vec(),
        value: set.value.to_vec(),
        domain,
        host_only,
        path,
        secure: set.secure,
        http_only: set.http_only,
        same_site: set.same_site,
        expires,
    })
}

/// The cookie's domain, and whether it is for that host only (§5.7, steps 8 to 10).
fn received_domain(attribute: &[u8], host: &str) -> Result<(String, bool), Rejected> {
    if attribute.is_empty() {
        return Ok((host.to_owned(), true));
    }
    let text = String::from_utf8_lossy(attribute);
    if !attribute.is_ascii() {
        return Err(Rejected::InvalidDomain(text.into()));
    }
    let domain = text.to_ascii_lowercase();
    // What has nothing of its own below it can set a cookie for itself, and no other.
    if is_public_suffix(&domain) || is_address(host) {
        return match domain == host {
            true => Ok((domain, true)),
            false if is_address(host) => {
                Err(Rejected::ForeignDomain { domain: domain.into(), host: host.into() })
            }
            false => Err(Rejected::PublicSuffix(domain.into())),
        };
    }
    if !domain_match(host, &domain) {
        return Err(Rejected::ForeignDomain { domain: domain.into(), host: host.into() });
    }
    Ok((domain, false))
}

/// §5.8.3 step 3, but for the end of the cookie's time. The cookie is one of the host's domain, or
/// of one the host lies in.
fn goes_with(cookie: &Cookie, origin: &Origin<'_>, context: SiteContext) -> bool {
    let same_site = match (context, cookie.same_site()) {
        (SiteContext::SameSite, _) | (_, Some(SameSite::None)) => true,
        (SiteContext::CrossSite { .. }, Some(SameSite::Strict)) => false,
        (SiteContext::CrossSite { safe_method }, Some(SameSite::Lax) | None) => safe_method,
    };
    same_site
        && (!cookie.host_only() || cookie.domain() == origin.host)
        && (!cookie.secure() || origin.secure)
        && path_match(origin.path, cookie.path())
}
