//! [`Adapter`]: what serves the URLs under a prefix; [`HttpAdapter`]: the one for HTTP.

use crate::body::Body;
use crate::call::Call;
use crate::connect::{Connector, Route};
use crate::connection::Connection;
use crate::error::{Error, ErrorKind, Outcome};
use crate::exchange::{Answered, Exchange};
use crate::log_lines;
use crate::pool::{Checkout, KeyRef, Pool, PoolSettings};
use crate::proxy::{self, PROXY_AUTHORIZATION, Via, speaks_http};
use crate::request::PreparedRequest;
use crate::response::Response;
use crate::retrying::{self, Settled};
use crate::target;
use crate::tls::{ConfigCache, TlsConfig, TlsSettings};
use crate::world::World;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use waterclock_proto::decode::Decoder;
use waterclock_proto::h1::{
    CloseReason, FramingField, RequestFraming, ResponseReader, keep_alive, plan_body, write_head,
};
use waterclock_proto::limit::Limit;
use waterclock_proto::message::{Headers, ResponseHead};
use waterclock_proto::proxy::{Proxies, ProxyScheme, ProxyUrl};
use waterclock_proto::timeline::ConnectionUse;

/// Serves the requests to the URLs under the prefix it is mounted at
/// ([`SessionBuilder::mount`](crate::SessionBuilder::mount)).
///
/// The URL is as the caller gave it, but for userinfo; one whose scheme is not `http`, `https` or
/// `http+unix` need not have a host, so an adapter may serve `file:///path`.
///
/// An adapter keeps to the limits of the call, whose timeline becomes that of the response:
/// [`Response::builder`] makes a response without a connection, [`Call::into_error`] an error, and
/// [`Call::pause`] waits. Redirects, cookies, authentication and hooks are the session's and work
/// over every adapter. Retries are the adapter's: [`Retrying`](crate::Retrying) adds them.
///
/// ```
/// use std::sync::Arc;
/// use waterclock::{Adapter, Call, Error, ErrorKind, PreparedRequest, Response, Session};
///
/// struct Greeter;
///
/// impl Adapter for Greeter {
///     fn send(&self, request: &mut PreparedRequest, call: Call) -> Result<Response, Error> {
///         match request.url().path() {
///             "/hello" => Response::builder(request, call).body("hello"),
///             _ => Err(call.into_error(ErrorKind::InvalidUrl, "nobody is greeted there")),
///         }
///     }
/// }
///
/// let session = Session::builder().mount("mock://", Arc::new(Greeter)).build()?;
/// assert_eq!(session.get("mock://any/hello").send()?.text()?, "hello");
/// assert!(session.get("mock://any/else").send().is_err());
/// # Ok::<(), Error>(())
/// ```
pub trait Adapter: Send + Sync {
    /// Sends `request` and gives the response once its head is there.
    ///
    /// # Errors
    /// Whatever keeps it from that.
    fn send(&self, request: &mut PreparedRequest, call: Call) -> Result<Response, Error>;

    /// Closes what is idle. Busy connections are not disturbed.
    fn close(&self) {}
}

/// HTTP/1.1 over TCP, TLS, a proxy or a Unix socket.
pub(crate) struct HttpAdapter {
    pub(crate) connector: Connector,
    pub(crate) pool: Pool,
    pub(crate) proxies: Proxies,
    pub(crate) proxy_tls: TlsSettings,
    pub(crate) unix: Option<PathBuf>,
    pub(crate) tls: TlsSettings,
    pub(crate) configs: ConfigCache,
}

/// Why an attempt gave no response, and whether another one may be made.
struct Failed {
    failure: Box<crate::error::Failure>,
    /// A connection that had been idle turned out to be dead, and nothing can have been done twice.
    stale: bool,
}

impl From<Box<crate::error::Failure>> for Failed {
    fn from(failure: Box<crate::error::Failure>) -> Self {
        Failed { failure, stale: false }
    }
}

impl Adapter for HttpAdapter {
    fn send(&self, request: &mut PreparedRequest, mut call: Call) -> Result<Response, Error> {
        let mut fresh = false;
        loop {
            call.begin_hop(&request.line);
            match self.attempt(request, &mut call, fresh) {
                Ok((connection, answered)) => {
                    let response = self.respond(request, call, connection, answered)?;
                    if misdirected(request, &response) {
                        call = retrying::at_once(request, response)?;
                        fresh = true;
                        continue;
                    }
                    match retrying::after_response(request, response)? {
                        Settled::Done(response) => return Ok(response),
                        Settled::Again(next) => call = next,
                    }
                    fresh = false;
                }
                Err(failed) if failed.stale => {
                    log_lines::retrying_broken(request.url(), &failed.failure);
                    call.end_hop(Some(failed.failure.kind));
                    if let Err(end) = retrying::again(request, &mut call, None) {
                        return Err(call.fail(end));
                    }
                    fresh = true;
                }
                Err(failed) => {
                    if let Err(end) = retrying::after_failure(request, &mut call, failed.failure) {
                        return Err(call.fail(end));
                    }
                    fresh = false;
                }
            }
        }
    }

    fn close(&self) {
        self.pool.clear();
    }
}

impl HttpAdapter {
    pub(crate) fn new(
        connector: Connector,
        pool: PoolSettings,
        proxies: Proxies,
        proxy_tls: TlsSettings,
        unix: Option<PathBuf>,
        tls: TlsSettings,
        world: Arc<dyn World>,
    ) -> Self {
        HttpAdapter {
            connector,
            pool: Pool::new(pool),
            proxies,
            proxy_tls,
            unix,
            tls,
            configs: ConfigCache::new(world),
        }
    }

    /// One hop: a connection, the request on it, the head of the response.
    fn attempt(
        &self,
        request: &mut PreparedRequest,
        call: &mut Call,
        fresh: bool,
    ) -> Result<(Box<Connection>, Answered), Failed> {
        let framing = plan_body(request.method(), &request.headers, request.body.framing_length())
            .map_err(Box::<crate::error::Failure>::from)?;
        let mut connection = self.connection(request, call, fresh)?;
        let reused = connection.exchanges > 0;
        self.encode(request, &mut connection, framing)?;
        let method = &request.line.method;
        let reader = ResponseReader::new(method, self.connector.caps);
        let expect_continue = request.options.expect_continue;
        let mut exchange = Exchange {
            call,
            connection: &mut connection,
            reader,
            framing,
            expect_continue,
            written: 0,
            received: 0,
            early: None,
        };
        match exchange.run(&mut request.body) {
            Ok(answered) => Ok((connection, answered)),
            Err(failure) => {
                let died = matches!(
                    failure.kind,
                    ErrorKind::Closed | ErrorKind::Send | ErrorKind::Receive
                );
                let harmless = exchange.written == 0 || method.is_idempotent();
                let silent = exchange.received == 0;
                let stale =
                    reused && !fresh && died && silent && harmless && request.body.is_replayable();
                Err(Failed { failure, stale })
            }
        }
    }

    fn connection(
        &self,
        request: &PreparedRequest,
        call: &mut Call,
        fresh: bool,
    ) -> Outcome<Box<Connection>> {
        let (url, place) = (&request.line.url, &request.place);
        let name = target::host(url);
        let host = match &place.zone {
            Some(zone) => format!("{name}%{zone}").into(),
            None => name.clone(),
        };
        let tls = self.tls_config(request)?;
        let port = url.port_or_known_default().unwrap_or(80);
        let unix = place.unix.as_deref().or(self.unix.as_deref());
        let proxies = request.options.proxies.as_ref().unwrap_or(&self.proxies);
        let proxy = if unix.is_none() { proxies.choose(url) } else { None };
        let proxy_tls = proxy.map_or(Ok(None), |proxy| self.proxy_tls_config(proxy))?;
        let via = proxy.map(|url| {
            // A CONNECT takes the request's own word, unless the proxy's URL has one.
            let connects = tls.is_some() && speaks_http(url) && url.credentials().is_none();
            let own = if connects { request.header(PROXY_AUTHORIZATION) } else { None };
            Via { url, tls: proxy_tls.as_ref(), authorization: own }
        });
        let key = match (unix, proxy) {
            (Some(path), _) => (path.to_str().unwrap_or_default(), 0),
            // Without a tunnel a connection to the proxy is good for every origin.
            (None, Some(proxy)) if tls.is_none() && speaks_http(proxy) => {
                (proxy.host(), proxy.port())
            }
            _ => (&*host, port),
        };
        let key = KeyRef { host: key.0, port: key.1, tls: tls.as_ref(), proxy: via };
        match self.pool.checkout(call, key, fresh)? {
            Checkout::Reused(connection, idle) => {
                note_connection(call, &connection, Some(idle));
                Ok(connection)
            }
            Checkout::Fresh(permit) => {
                let route = Route { host: &host, name: &name, port, unix, via, tls: tls.as_ref() };
                let connection = self.connector.connect(call, route, permit, &self.pool)?;
                note_connection(call, &connection, None);
                Ok(connection)
            }
        }
    }

    /// The configuration for an `https` URL. Roots are read at the first one, not at each.
    fn tls_config(&self, request: &PreparedRequest) -> Outcome<Option<TlsConfig>> {
        if request.line.url.scheme() != "https" {
            return Ok(None);
        }
        let settings = request.options.tls.as_ref().unwrap_or(&self.tls);
        // After a redirect to another origin: the certificate was not meant for it.
        if request.options.left_origin
            && let Some(stripped) = settings.without_identity()
        {
            return Ok(Some(self.configs.get(&stripped)?));
        }
        Ok(Some(self.configs.get(settings)?))
    }

    /// The configuration for an `https` proxy. Never that of the origin: its roots, pins, name and
    /// client certificate are nothing to the proxy.
    fn proxy_tls_config(&self, proxy: &ProxyUrl) -> Outcome<Option<TlsConfig>> {
        match proxy.scheme() {
            ProxyScheme::Https => Ok(Some(self.configs.get(&self.proxy_tls)?)),
            _ => Ok(None),
        }
    }

    /// Writes the request's head into the connection's buffer.
    fn encode(
        &self,
        request: &PreparedRequest,
        connection: &mut Connection,
        framing: RequestFraming,
    ) -> Outcome<()> {
        let (url, place) = (&request.line.url, &request.place);
        let forward = connection.permit.key().forward_proxy();
        let for_proxy = forward.and_then(proxy::authorization);
        let for_proxy =
            for_proxy.as_ref().map(|value| (PROXY_AUTHORIZATION.as_bytes(), value.as_bytes()));
        let said = forward.map(|_| &self.connector.proxy_headers);
        // Only a forward proxy may see it; if the proxy's URL says something else, that is meant.
        let direct = connection.permit.key().proxy.is_none();
        let meant = forward.is_some() || (direct && request.options.shows_proxy_authorization);
        let hidden = !meant || for_proxy.is_some();
        let shown = |&(name, _): &(&[u8], &[u8])| {
            !(hidden && name.eq_ignore_ascii_case(PROXY_AUTHORIZATION.as_bytes()))
        };
        let own =
            |&(name, _): &(&[u8], &[u8])| said.is_none_or(|headers| !headers.contains_raw(name));
        let host = (b"Host".as_slice(), target::authority(url, place).as_bytes());
        let host = (!request.headers.contains("Host")).then_some(host);
        let field = framing.field(&request.headers);
        let field = field.as_ref().map(FramingField::pair);
        let expect = request.options.expect_continue
            && !matches!(framing, RequestFraming::None | RequestFraming::Length(0));
        let expect = expect.then_some((b"Expect".as_slice(), b"100-continue".as_slice()));
        let fields = host
            .into_iter()
            .chain(request.raw_headers().filter(shown).filter(own))
            .chain(field.map(|(name, value)| (name.as_bytes(), value)))
            .chain(expect)
            .chain(said.into_iter().flat_map(Headers::raw).filter(shown))
            .chain(for_proxy);
        let target = target::request_target(url, place);
        // RFC 9112 §3.2.2: a forward proxy gets the absolute form.
        let absolute = forward.map(|_| format!("{}{target}", &url[..url::Position::BeforePath]));
        let target = absolute.as_deref().unwrap_or(target);
        connection.output.clear();
        Ok(write_head(&mut connection.output, request.method(), target, fields)?)
    }

    #[inline]
    fn respond(
        &self,
        request: &PreparedRequest,
        mut call: Call,
        connection: Box<Connection>,
        answered: Answered,
    ) -> Result<Response, Error> {
        log_lines::exchange(&request.line, &answered.head, &answered.body);
        call.answered(answered.head.version);
        let now = call.latest();
        if let Some(hop) = call.timeline_mut().hop_mut() {
            hop.head_ended = Some(now);
            hop.status = Some(answered.head.status);
        }
        call.arm(Limit::Body, now);
        let decoder = match decoder(request, &answered.head) {
            Ok(decoder) => decoder,
            Err(failure) => return Err(call.fail(failure)),
        };
        let close = request.headers.has_token("Connection", "close");
        let keep = match keep_alive(close, &answered.head, answered.body.framing()) {
            Ok(()) if !answered.request_complete => Err(CloseReason::RequestUnfinished),
            keep => keep,
        };
        let info = Some(Arc::clone(&connection.info));
        let body = Body::new(connection, answered.body, decoder, keep, self.pool.clone());
        Ok(Response::new(Arc::clone(&request.line), answered.head, info, call, body, now))
    }
}

/// RFC 9110 §15.5.20: whoever is at the other end of a kept connection is not who should be asked, and
/// has done nothing. A connection made for this very request is as right as any other would be.
fn misdirected(request: &PreparedRequest, response: &Response) -> bool {
    let kept = || {
        let connection = response.timeline().hops().last().and_then(|hop| hop.connection);
        connection.is_some_and(|connection| connection.idle.is_some())
    };
    response.status() == 421 && request.body.is_replayable() && kept()
}

fn note_connection(call: &mut Call, connection: &Connection, idle: Option<Duration>) {
    let (number, peer) = (connection.info.number, connection.info.remote_address);
    call.timeline_mut().use_connection(ConnectionUse { number, idle, peer });
}

/// Undoes the content codings of a response, if the request wants that.
pub(crate) fn decoder(request: &PreparedRequest, head: &ResponseHead) -> Outcome<Option<Decoder>> {
    if request.options.keep_coded {
        return Ok(None);
    }
    let values = head.headers.get_all("Content-Encoding");
    Decoder::from_content_encoding(values, request.options.decode_limits).map_err(|error| {
        let context = "the body cannot be decoded";
        crate::error::Failure::from_error(ErrorKind::Decode, context, error)
    })
}
