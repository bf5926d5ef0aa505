//! [`Session`]: defaults, and which [`Adapter`] serves which URLs.

mod builder;
mod follow;
mod walk;

pub use builder::SessionBuilder;

use crate::adapter::Adapter;
use crate::auth::Auth;
use crate::call::InterruptHook;
use crate::cookies::Cookies;
use crate::environment::Environment;
use crate::hooks::Hooks;
use crate::observe::Observers;
use crate::request::Request;
use crate::target::TargetCache;
use crate::world::World;
use std::fmt;
use std::sync::Arc;
use waterclock_proto::limit::Limits;
use waterclock_proto::message::{Headers, Method};
use waterclock_proto::redirect::RedirectPolicy;
use waterclock_proto::retry::Retry;

/// A client: defaults, connections that are kept, and adapters.
///
/// A session is cheap to clone and made to be shared: any number of threads may use it at the same
/// time.
///
/// ```no_run
/// use std::time::Duration;
/// use waterclock::{Limits, Session};
///
/// let session = Session::builder().limits(Limits::total(Duration::from_secs(5))).build()?;
/// let mut response = session.get("https://example.com/").send()?;
/// println!("{}", response.text()?);
/// # Ok::<(), waterclock::Error>(())
/// ```
///
/// A process that was forked makes a session of its own: the connections of this one are its parent's.
#[derive(Clone)]
pub struct Session(Arc<Inner>);

struct Inner {
    world: Arc<dyn World>,
    limits: Limits,
    headers: Arc<Headers>,
    /// By falling length of the prefix.
    adapters: Vec<(Box<str>, Arc<dyn Adapter>)>,
    interrupted: Option<InterruptHook>,
    observers: Observers,
    targets: TargetCache,
    query: Vec<(String, String)>,
    auth: Option<Auth>,
    cookies: Cookies,
    /// Whether calls use the jar.
    keeps_cookies: bool,
    redirects: RedirectPolicy,
    retry: Arc<Retry>,
    hooks: Hooks,
    environment: Environment,
    /// The environment has something that cannot be used: what each call fails with.
    problem: Option<Box<str>>,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prefixes: Vec<_> = self.0.adapters.iter().map(|(prefix, _)| prefix).collect();
        f.debug_struct("Session")
            .field("limits", &self.0.limits)
            .field("adapters", &prefixes)
            .finish_non_exhaustive()
    }
}

#[cfg(unix)]
impl Default for Session {
    fn default() -> Self {
        Self::new()
    }
}

impl Inner {
    /// The adapter with the longest matching prefix.
    fn adapter(&self, url: &str) -> Option<&dyn Adapter> {
        let matches = |prefix: &str| {
            let (url, prefix) = (url.as_bytes(), prefix.as_bytes());
            let Some(start) = url.get(..prefix.len()) else { return false };
            // Their last bytes tell most apart.
            let last = |bytes: &[u8]| bytes.last().map(u8::to_ascii_lowercase);
            last(start) == last(prefix) && start.eq_ignore_ascii_case(prefix)
        };
        let found = self.adapters.iter().find(|(prefix, _)| matches(prefix));
        found.map(|(_, adapter)| &**adapter)
    }
}

impl Session {
    /// A session with the default settings; see [`Limits::default`].
    #[cfg(unix)]
    #[must_use]
    pub fn new() -> Self {
        SessionBuilder::default().into_session()
    }

    /// A builder with the default settings.
    #[cfg(unix)]
    pub fn builder() -> SessionBuilder {
        SessionBuilder::default()
    }

    /// A GET request.
    pub fn get(&self, url: impl AsRef<str>) -> Request<'_> {
        self.request(Method::Get, url)
    }

    /// A HEAD request.
    pub fn head(&self, url: impl AsRef<str>) -> Request<'_> {
        self.request(Method::Head, url)
    }

    /// A POST request.
    pub fn post(&self, url: impl AsRef<str>) -> Request<'_> {
        self.request(Method::Post, url)
    }

    /// A PUT request.
    pub fn put(&self, url: impl AsRef<str>) -> Request<'_> {
        self.request(Method::Put, url)
    }

    /// A PATCH request.
    pub fn patch(&self, url: impl AsRef<str>) -> Request<'_> {
        self.request(Method::Patch, url)
    }

    /// A DELETE request.
    pub fn delete(&self, url: impl AsRef<str>) -> Request<'_> {
        self.request(Method::Delete, url)
    }

    /// An OPTIONS request.
    pub fn options(&self, url: impl AsRef<str>) -> Request<'_> {
        self.request(Method::Options, url)
    }

    /// A request with any method.
    pub fn request(&self, method: Method, url: impl AsRef<str>) -> Request<'_> {
        Request::new(self, self.0.targets.parse(method, url.as_ref()))
    }

    /// A request whose path and query are sent as they stand in `url`, where [`request`](Self::request)
    /// would write them as browsers do (`'` in a query, `{`, `%2e%2e`): for callers that have encoded
    /// them already, in a way that a signature or a server depends on. Userinfo in `url` is ignored.
    pub fn request_as_written(&self, method: Method, url: impl AsRef<str>) -> Request<'_> {
        Request::new(self, self.0.targets.parse_as_written(method, url.as_ref()))
    }

    /// Closes idle connections. Calls that are running are not disturbed, and the session may be
    /// used on. Never blocks.
    pub fn close(&self) {
        for (_, adapter) in &self.0.adapters {
            adapter.close();
        }
    }

    /// The limits of calls that do not bring their own.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// The cookies of the session. Its calls use them, unless it was built
    /// [`without_cookies`](SessionBuilder::without_cookies).
    #[must_use]
    pub fn cookies(&self) -> &Cookies {
        &self.0.cookies
    }

    pub(crate) fn default_query(&self) -> &[(String, String)] {
        &self.0.query
    }

    pub(crate) fn world(&self) -> &dyn World {
        &*self.0.world
    }

    pub(crate) fn retry(&self) -> &Arc<Retry> {
        &self.0.retry
    }

    /// The headers that every request gets, unless it sets them itself.
    #[must_use]
    pub fn default_headers(&self) -> &Arc<Headers> {
        &self.0.headers
    }
}
