//! [`SessionBuilder`]: what a session is made of.

use super::{Inner, Session};
use crate::adapter::{Adapter, HttpAdapter};
use crate::auth::Auth;
use crate::call::InterruptHook;
use crate::capture::Capture;
use crate::connect::{Allowed, Connector};
use crate::cookies::Cookies;
use crate::environment::Environment;
use crate::error::{Error, ErrorKind, Failure};
use crate::hooks::Hooks;
use crate::observe::Observer;
use crate::pool::PoolSettings;
use crate::proxy;
use crate::request::PreparedRequest;
use crate::resolver::{Names, ResolveOverride, Resolver};
use crate::response::Response;
use crate::target::TargetCache;
use crate::tls::TlsSettings;
use crate::world::{SocketOptions, World};
use std::fmt;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use waterclock_proto::cookies::CookieJar;
use waterclock_proto::decode::Coding;
use waterclock_proto::h1::Caps;
use waterclock_proto::limit::Limits;
use waterclock_proto::message::{Headers, InvalidHeader};
use waterclock_proto::netrc::Netrc;
use waterclock_proto::proxy::Proxies;
use waterclock_proto::redirect::{RedirectPolicy, Redirected};
use waterclock_proto::retry::Retry;

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
    /// `None`: those of the environment, if it is trusted.
    proxies: Option<Proxies>,
    proxy_tls: TlsSettings,
    unix: Option<PathBuf>,
    tls: TlsSettings,
    query: Vec<(String, String)>,
    auth: Option<Auth>,
    cookies: CookieJar,
    keeps_cookies: bool,
    redirects: RedirectPolicy,
    retry: Retry,
    hooks: Hooks,
    netrc: Option<Netrc>,
    trust_env: bool,
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
        Self::in_world(crate::world::real::RealWorld::shared()).trust_env(true)
    }
}

impl SessionBuilder {
    /// A builder for a session in `world`: the way to test under a simulated clock. It does not
    /// trust the environment of the program, which is not part of that world.
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
            proxies: None,
            proxy_tls: TlsSettings::default(),
            unix: None,
            tls: TlsSettings::default(),
            query: Vec::new(),
            auth: None,
            cookies: CookieJar::new(),
            keeps_cookies: true,
            redirects: RedirectPolicy::default(),
            retry: Retry::none(),
            hooks: Hooks::default(),
            netrc: None,
            trust_env: false,
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

    /// Adds pairs to the query of every request that has no parameter of that name.
    pub fn query<K, V>(mut self, pairs: impl IntoIterator<Item = (K, V)>) -> Self
    where
        K: Into<String>,
        V: Into<String>,
    {
        let pairs = pairs.into_iter().map(|(name, value)| (name.into(), value.into()));
        self.query.extend(pairs);
        self
    }

    /// Credentials for every request that has none of its own.
    pub fn auth(mut self, auth: Auth) -> Self {
        self.auth = Some(auth);
        self
    }

    /// Starts with these cookies. Default: an empty jar.
    pub fn cookies(mut self, jar: CookieJar) -> Self {
        self.cookies = jar;
        self
    }

    /// Keeps and sends no cookies.
    pub fn without_cookies(mut self) -> Self {
        self.keeps_cookies = false;
        self
    }

    /// Which redirects are followed. Default: up to 30 of them.
    pub fn redirects(mut self, policy: RedirectPolicy) -> Self {
        self.redirects = policy;
        self
    }

    /// What is sent again when it fails. Default: nothing, but for a request that met a kept
    /// connection which the server had closed.
    pub fn retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// Called before each hop of every call: the first request, retries of it by way of a challenge,
    /// and each redirect. May change the request; an error ends the call.
    pub fn on_request(
        mut self,
        hook: impl Fn(&mut PreparedRequest) -> Result<(), Error> + Send + Sync + 'static,
    ) -> Self {
        self.hooks.on_request(hook);
        self
    }

    /// Called with the response of each hop of every call, before its redirect is followed or its
    /// challenge answered. An error ends the call: `|response| response.raise_for_status()`.
    pub fn on_response(
        mut self,
        hook: impl Fn(&mut Response) -> Result<(), Error> + Send + Sync + 'static,
    ) -> Self {
        self.hooks.on_response(hook);
        self
    }

    /// Credentials by host, for requests that have none of their own: in the place of the netrc file of
    /// the environment, and whether or not that is trusted.
    ///
    /// ```
    /// use waterclock::{Netrc, Session};
    ///
    /// let netrc = Netrc::parse("machine api.test login user password secret")?;
    /// let session = Session::builder().netrc(netrc).build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn netrc(mut self, netrc: Netrc) -> Self {
        self.netrc = Some(netrc);
        self
    }

    /// Asked before a redirect that the policy allows is followed: `false` hands it over as it is, with
    /// [`Response::take_next`]; an error ends the call.
    ///
    /// ```
    /// use waterclock::Session;
    ///
    /// // Never to an address inside the house, whatever a server says.
    /// let session = Session::builder()
    ///     .on_redirect(|_, to| Ok(to.url.domain().is_some_and(|name| name != "localhost")))
    ///     .build()?;
    /// # Ok::<(), waterclock::Error>(())
    /// ```
    pub fn on_redirect(
        mut self,
        hook: impl Fn(&Response, &Redirected) -> Result<bool, Error> + Send + Sync + 'static,
    ) -> Self {
        self.hooks.on_redirect(hook);
        self
    }

    /// Whether proxies (`http_proxy`, `https_proxy`, `all_proxy`, `no_proxy`, in lower or upper case)
    /// and credentials (the file that `NETRC` names, or `.netrc` or `_netrc` in the home directory)
    /// are taken from the environment. Default: yes.
    ///
    /// The variables are read now, the file when the first request could use it. Proxies that are
    /// given here replace those of the environment.
    pub fn trust_env(mut self, trust: bool) -> Self {
        self.trust_env = trust;
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

    /// Sends everything through a proxy, `[scheme://][user:password@]host[:port]`. The scheme is
    /// `http` (the default), `https`, `socks4`, `socks4a`, `socks5` or `socks5h`.
    pub fn proxy(mut self, url: &str) -> Self {
        match proxy::for_everything(url) {
            Ok(proxies) => self.proxies = Some(proxies),
            Err(failure) => self.problem = Some(failure),
        }
        self
    }

    /// Chooses a proxy, or none, for each request by its URL. Default: what the environment says
    /// if it is trusted ([`trust_env`](Self::trust_env)), else none.
    ///
    /// ```
    /// use waterclock::{Proxies, Session};
    ///
    /// let proxies = Proxies::direct()
    ///     .with("all", "http://proxy.test:3128")?
    ///     .with("https://vault.test", "socks5h://127.0.0.1")?
    ///     .with_no_proxy("localhost, 10.0.0.0/8, .internal.test");
    /// let session = Session::builder().proxies(proxies).build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn proxies(mut self, proxies: Proxies) -> Self {
        self.proxies = Some(proxies);
        self
    }

    /// Sets a header that HTTP proxies get, with a CONNECT or with a forwarded request; origins never
    /// see it. The credentials in a proxy's URL go before a `Proxy-Authorization` that is set here.
    pub fn proxy_header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        if let Err(error) = self.connector.proxy_headers.set(name, value) {
            self.problem = Some(invalid_header(&error));
        }
        self
    }

    /// TLS settings for `https://` proxies. Those of [`tls`](Self::tls) are for origins and are
    /// never used with a proxy. Default: the system's roots, verification on.
    pub fn proxy_tls(mut self, settings: TlsSettings) -> Self {
        self.proxy_tls = settings;
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

    /// Connects only to addresses for which `rule` says true: against URLs and redirects that lead
    /// inside (SSRF), and names whose addresses change between a check and a connect (DNS rebinding).
    /// Default: all.
    ///
    /// The rule is asked about each address that a name or literal came to, of overrides and proxies too,
    /// and these very addresses are connected to. An IPv4-mapped IPv6 address is shown as the IPv4
    /// address that it is. If none is left the call fails with [`ErrorKind::Connect`], and nothing was
    /// sent. Unix sockets have no address and are refused. What a proxy connects to is the proxy's to
    /// decide: only its own address is asked about.
    ///
    /// ```
    /// use waterclock::{ErrorKind, Session, is_public};
    ///
    /// let session = Session::builder().trust_env(false).allow_address(is_public).build()?;
    /// let error = session.get("http://0x7f.1/").send().unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Connect);
    /// assert!(error.to_string().contains("allow_address refuses 127.0.0.1"), "{error}");
    /// # Ok::<(), waterclock::Error>(())
    /// ```
    pub fn allow_address(
        mut self,
        rule: impl Fn(&std::net::SocketAddr) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.connector.allowed = Allowed::by(rule);
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

    /// Records what the sockets of this session read and write. Default: nothing is recorded, which
    /// costs nothing.
    pub fn capture(mut self, capture: &Capture) -> Self {
        self.world = capture.around(self.world);
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

    /// The adapter for HTTP alone, to be mounted at a prefix of another session: with a pool, TLS
    /// settings, proxies, sockets, names and caps of its own. Limits, headers, cookies, credentials,
    /// retries and hooks are those of the session that it is mounted in.
    ///
    /// ```
    /// use waterclock::{PoolSettings, Session};
    ///
    /// let few = PoolSettings { max_per_host: Some(2), ..PoolSettings::default() };
    /// let slow = Session::builder().pool(few).build_adapter()?;
    /// let session = Session::builder().mount("https://slow.example/", slow).build()?;
    /// # Ok::<(), waterclock::Error>(())
    /// ```
    ///
    /// # Errors
    /// A proxy that cannot be used.
    pub fn build_adapter(mut self) -> Result<Arc<dyn Adapter>, Error> {
        match self.problem.take() {
            Some(problem) => Err(Error::new(problem, None)),
            None => match self.http() {
                (adapter, _, None) => Ok(adapter),
                (.., Some(problem)) => {
                    let failure = Failure::new(ErrorKind::InvalidUrl, problem.into_string());
                    Err(Error::new(failure, None))
                }
            },
        }
    }

    /// The adapter for HTTP, what of the environment is trusted, and what is wrong with it.
    fn http(&mut self) -> (Arc<dyn Adapter>, Environment, Option<Box<str>>) {
        // A session can always be made; what the environment has wrong, its calls say.
        let (environment, problem) = match self.trust_env.then(Environment::of_program) {
            None => (Environment::none(), None),
            Some(Ok(environment)) => (environment, None),
            Some(Err(problem)) => (Environment::none(), Some(problem.into())),
        };
        let adapter = HttpAdapter::new(
            std::mem::take(&mut self.connector),
            self.pool,
            self.proxies.take().unwrap_or_else(|| environment.proxies.clone()),
            self.proxy_tls.clone(),
            self.unix.take(),
            self.tls.clone(),
            Arc::clone(&self.world),
        );
        (Arc::new(adapter), environment, problem)
    }

    pub(super) fn into_session(mut self) -> Session {
        let (http, environment, problem) = self.http();
        let environment = match self.netrc {
            Some(netrc) => environment.with_netrc(netrc),
            None => environment,
        };
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
            query: self.query,
            auth: self.auth,
            cookies: Cookies::new(self.cookies),
            keeps_cookies: self.keeps_cookies,
            redirects: self.redirects,
            retry: Arc::new(self.retry),
            hooks: self.hooks,
            environment,
            problem,
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
