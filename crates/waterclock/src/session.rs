//! [`Session`]: defaults, and which [`Adapter`] serves which URLs.

use crate::adapter::{Adapter, HttpAdapter};
use crate::call::{Call, InterruptHook};
use crate::connect::Connector;
use crate::error::{Error, ErrorKind, Failure};
use crate::observe::{Observer, Observers};
use crate::pool::PoolSettings;
use crate::proxy::Proxy;
use crate::request::{PreparedRequest, Request};
use crate::resolver::{Names, ResolveOverride, Resolver};
use crate::response::Response;
use crate::target::TargetCache;
use crate::tls::TlsSettings;
use crate::world::{SocketOptions, World};
use std::fmt;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use waterclock_proto::decode::Coding;
use waterclock_proto::h1::Caps;
use waterclock_proto::limit::Limits;
use waterclock_proto::message::{Headers, InvalidHeader, Method};

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

    /// Sends a prepared request. A body from a reader is used up by it.
    ///
    /// # Errors
    /// As [`Request::send`].
    pub fn send(&self, request: &mut PreparedRequest) -> Result<Response, Error> {
        let cancel = request.options.cancel.clone();
        let interrupted = self.0.interrupted.clone();
        let mut call = Call::new(Arc::clone(&self.0.world), request.limits, cancel, interrupted);
        call.observe(&self.0.observers, &request.line);
        match self.adapter(request.line.url.as_str()) {
            Some(adapter) => adapter.send(request, call),
            None => {
                let scheme = request.line.url.scheme();
                let text = format!("no adapter is mounted for {scheme}:// URLs like this one");
                Err(call.refuse(Failure::new(ErrorKind::UnsupportedScheme, text)))
            }
        }
    }

    /// The adapter with the longest matching prefix.
    fn adapter(&self, url: &str) -> Option<&dyn Adapter> {
        let matches = |prefix: &str| {
            url.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
        };
        let found = self.0.adapters.iter().find(|(prefix, _)| matches(prefix));
        found.map(|(_, adapter)| &**adapter)
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

    /// The headers that every request gets, unless it sets them itself.
    #[must_use]
    pub fn default_headers(&self) -> &Arc<Headers> {
        &self.0.headers
    }
}

/// Makes a [`Session`].
#[must_use]
pub struct SessionBuilder {
    world: Arc<dyn World>,
    limits: Limits,
    headers: Headers,
    mounts: Vec<(Box<str>, Arc<dyn Adapter>)>,
    interrupted: Option<InterruptHook>,
    observers: Vec<Arc<dyn Observer>>,
    connector: Connector,
    pool: PoolSettings,
    proxy: Option<Proxy>,
    unix: Option<PathBuf>,
    tls: TlsSettings,
    problem: Option<Box<Failure>>,
}

impl fmt::Debug for SessionBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionBuilder").field("limits", &self.limits).finish_non_exhaustive()
    }
}

#[cfg(unix)]
impl Default for SessionBuilder {
    fn default() -> Self {
        Self::in_world(crate::world::real::RealWorld::shared())
    }
}

impl SessionBuilder {
    /// A builder for a session in `world`: the way to test under a simulated clock.
    pub fn in_world(world: Arc<dyn World>) -> Self {
        SessionBuilder {
            world,
            limits: Limits::default(),
            headers: default_headers(),
            mounts: Vec::new(),
            interrupted: None,
            observers: Vec::new(),
            connector: Connector::default(),
            pool: PoolSettings::default(),
            proxy: None,
            unix: None,
            tls: TlsSettings::default(),
            problem: None,
        }
    }

    /// The limits of calls that do not bring their own. Default: [`Limits::default`].
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets a header that every request gets. The defaults are `User-Agent`, `Accept` and
    /// `Accept-Encoding`.
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        if let Err(error) = self.headers.set(name, value) {
            self.problem = Some(invalid_header(&error));
        }
        self
    }

    /// Removes a default header.
    pub fn without_header(mut self, name: &str) -> Self {
        self.headers.remove(name);
        self
    }

    /// Mounts `adapter` at the URLs that start with `prefix`, in any case. The longest prefix wins.
    pub fn mount(mut self, prefix: &str, adapter: Arc<dyn Adapter>) -> Self {
        self.mounts.push((prefix.into(), adapter));
        self
    }

    /// TLS settings. Default: the system's roots, verification on.
    pub fn tls(mut self, settings: TlsSettings) -> Self {
        self.tls = settings;
        self
    }

    /// How connections are kept.
    pub fn pool(mut self, settings: PoolSettings) -> Self {
        self.pool = settings;
        self
    }

    /// How sockets are set up.
    pub fn socket(mut self, options: SocketOptions) -> Self {
        self.connector.socket = options;
        self
    }

    /// How much a response may cost in memory.
    pub fn caps(mut self, caps: Caps) -> Self {
        self.connector.caps = caps;
        self
    }

    /// Sends everything through an HTTP proxy, `[http://][user:password@]host[:port]`.
    pub fn proxy(mut self, url: &str) -> Self {
        match Proxy::parse(url) {
            Ok(proxy) => self.proxy = Some(proxy),
            Err(failure) => self.problem = Some(failure),
        }
        self
    }

    /// Connects to this Unix socket, whatever the URL's host says.
    pub fn unix_socket(mut self, path: impl Into<PathBuf>) -> Self {
        self.unix = Some(path.into());
        self
    }

    /// Uses these addresses instead of asking the resolver.
    pub fn resolve(mut self, rule: ResolveOverride) -> Self {
        self.connector.names.overrides.push(rule);
        self
    }

    /// Asks `resolver` for names instead of the system.
    pub fn resolver(mut self, resolver: Arc<dyn Resolver>) -> Self {
        self.connector.names = Names { resolver: Some(resolver), ..self.connector.names };
        self
    }

    /// Called when a signal handler has interrupted a wait. The wait goes on to the same instant,
    /// or the call is cancelled.
    pub fn on_interrupt(
        mut self,
        hook: impl Fn() -> ControlFlow<()> + Send + Sync + 'static,
    ) -> Self {
        self.interrupted = Some(Arc::new(hook));
        self
    }

    /// Lets `observer` see every call. There may be several; they are told in the order in which
    /// they were added.
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observers.push(observer);
        self
    }

    /// The session.
    ///
    /// # Errors
    /// A header or proxy that cannot be used.
    pub fn build(mut self) -> Result<Session, Error> {
        match self.problem.take() {
            Some(problem) => Err(Error::new(problem, None)),
            None => Ok(self.into_session()),
        }
    }

    fn into_session(self) -> Session {
        let world = Arc::clone(&self.world);
        let http: Arc<dyn Adapter> = Arc::new(HttpAdapter::new(
            self.connector,
            self.pool,
            self.proxy,
            self.unix,
            self.tls,
            world,
        ));
        let mut adapters: Vec<(Box<str>, Arc<dyn Adapter>)> =
            ["http://", "https://", "http+unix://"]
                .into_iter()
                .map(|prefix| (prefix.into(), Arc::clone(&http)))
                .collect();
        for (prefix, adapter) in self.mounts {
            adapters.retain(|(mounted, _)| !mounted.eq_ignore_ascii_case(&prefix));
            adapters.push((prefix, adapter));
        }
        adapters.sort_by_key(|(prefix, _)| std::cmp::Reverse(prefix.len()));
        Session(Arc::new(Inner {
            world: self.world,
            limits: self.limits,
            headers: Arc::new(self.headers),
            adapters,
            interrupted: self.interrupted,
            observers: (!self.observers.is_empty()).then(|| self.observers.into()),
            targets: TargetCache::default(),
        }))
    }
}

fn default_headers() -> Headers {
    let mut headers = Headers::new();
    let user_agent = concat!("waterclock/", env!("CARGO_PKG_VERSION"));
    for (name, value) in
        [("User-Agent", user_agent), ("Accept", "*/*"), ("Accept-Encoding", Coding::ACCEPT)]
    {
        // These three are valid.
        let _ = headers.append(name, value);
    }
    headers
}

fn invalid_header(error: &InvalidHeader) -> Box<Failure> {
    Failure::new(ErrorKind::InvalidRequest, error.to_string())
}
