//! Cookies (RFC 6265bis): [`Cookies`] is the jar of a session, shared by its calls; [`CookieJar`] what
//! is in it.

mod file;

pub use file::CookieFormat;

use crate::error::Error;
use crate::world::World;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;
use url::Url;
pub use waterclock_proto::cookies::*;
use waterclock_proto::message::Headers;

/// The cookies of a session (RFC 6265bis), shared by its clones and all of their calls, on any number
/// of threads.
///
/// ```
/// use waterclock::Session;
/// use waterclock::cookies::CookieJar;
///
/// let session = Session::new();
/// let url = "https://example.com/".parse().unwrap();
/// session.cookies().update(|jar| {
///     jar.store_response(&url, b"id=7; Secure", std::time::SystemTime::now()).unwrap();
/// });
/// assert_eq!(session.cookies().snapshot().len(), 1);
/// session.cookies().replace(CookieJar::new());
/// ```
#[derive(Clone, Default)]
pub struct Cookies(Arc<Shared>);

#[derive(Default)]
struct Shared {
    jar: Mutex<CookieJar>,
    /// Whether there may be any: most sessions never meet a cookie, and need no lock then.
    any: AtomicBool,
}

impl Cookies {
    pub(crate) fn new(jar: CookieJar) -> Self {
        let any = AtomicBool::new(!jar.is_empty());
        Cookies(Arc::new(Shared { jar: Mutex::new(jar), any }))
    }

    /// A copy of the jar as it is now.
    #[must_use]
    pub fn snapshot(&self) -> CookieJar {
        self.update(|jar| jar.clone())
    }

    /// Puts `jar` in the place of what is there, and gives that back.
    pub fn replace(&self, jar: CookieJar) -> CookieJar {
        self.update(|current| std::mem::replace(current, jar))
    }

    /// Does something with the jar while no call can use it. Calls wait for it without a limit, so
    /// nothing slow should be done here, and no request made.
    pub fn update<T>(&self, change: impl FnOnce(&mut CookieJar) -> T) -> T {
        let mut jar = self.0.jar.lock().unwrap_or_else(PoisonError::into_inner);
        let result = change(&mut jar);
        self.0.any.store(!jar.is_empty(), Ordering::Release);
        result
    }

    /// Takes in the cookies that a response sets. What it may not set is told in the log.
    pub(crate) fn store(&self, url: &Url, headers: &Headers, now: impl Fn() -> SystemTime) {
        if !headers.contains("Set-Cookie") {
            return;
        }
        let now = now();
        self.update(|jar| {
            for value in headers.get_all("Set-Cookie") {
                if let Err(why) = jar.store_response(url, value, now) {
                    log::debug!(
                        "a cookie from {} is not kept: {why}",
                        url.host_str().unwrap_or("")
                    );
                }
            }
        });
    }
}

/// The `Cookie` header for a request to `url` from `jar`, with cookies of its own; `None` for none.
pub(crate) fn header(
    jar: Option<&Cookies>,
    url: &Url,
    own: &[RequestCookie],
    world: &dyn World,
) -> Option<Vec<u8>> {
    let jar = jar.filter(|jar| jar.0.any.load(Ordering::Acquire));
    let kept =
        jar.and_then(|jar| jar.update(|jar| jar.header(url, SiteContext::SameSite, world.wall())));
    if own.is_empty() {
        return kept;
    }
    let kept = kept.unwrap_or_default();
    let own_name = |name: &[u8]| own.iter().any(|cookie| cookie.name().as_bytes() == name);
    let mut header = Vec::new();
    let kept = kept.split(|&byte| byte == b';').map(<[u8]>::trim_ascii_start);
    let kept = kept.filter(|pair| {
        let name = pair.split(|&byte| byte == b'=').next().unwrap_or_default();
        !pair.is_empty() && !own_name(name)
    });
    for pair in kept.chain(own.iter().map(|cookie| cookie.0.as_bytes())) {
        if !header.is_empty() {
            header.extend_from_slice(b"; ");
        }
        header.extend_from_slice(pair);
    }
    Some(header)
}

impl fmt::Debug for Cookies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cookies({})", self.update(|jar| jar.len()))
    }
}

/// A cookie of one request: `name=value`, checked.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct RequestCookie(Box<str>);

impl RequestCookie {
    /// # Errors
    /// A name or value that would be read as something else (RFC 6265 §4.1.1).
    pub(crate) fn new(name: &str, value: &str) -> Result<Self, Error> {
        let ends = |c: char| c == ';' || c.is_control();
        let bad_name = name.is_empty() || name.contains(|c| ends(c) || c == '=' || c == ' ');
        if bad_name || value.contains(ends) {
            let part = if bad_name { "name" } else { "value" };
            return Err(Error::invalid_request(format!(
                "the {part} of the cookie \"{}\" cannot be sent: it is empty or has a character that \
                 ends it (';', '=' or white space in names, control characters); encode it",
                name.escape_debug()
            )));
        }
        Ok(RequestCookie(format!("{name}={value}").into()))
    }

    fn name(&self) -> &str {
        self.0.split_once('=').map_or(&self.0, |(name, _)| name)
    }
}

impl fmt::Debug for RequestCookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}=***", self.name())
    }
}
