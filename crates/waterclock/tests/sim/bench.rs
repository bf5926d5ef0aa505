//! A world with one origin, one proxy, and a known instant for every step towards them.

use crate::cut_tls::CutTls;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;
use waterclock::tls::{Roots, TlsSettings};
use waterclock::world::World as _;
use waterclock::{Request, Session, SessionBuilder, Tick};
use waterclock_sim::{Peer, Script, SimWorld, TlsServer};

pub(crate) const ORIGIN: &str = "origin.test";
pub(crate) const PLAIN: &str = "192.0.2.1:80";
pub(crate) const SECURE: &str = "192.0.2.1:443";
pub(crate) const PROXY: &str = "192.0.2.9:3128";
/// How the request under test is recognized among the bytes that a peer got.
pub(crate) const PATH: &str = "/under-test";

/// What each step takes, in milliseconds; all different, so that no instant is right by accident.
pub(crate) const RESOLVE: u64 = 3;
pub(crate) const CONNECT: u64 = 5;
pub(crate) const TUNNEL: u64 = 7;
pub(crate) const TLS: u64 = 11;
pub(crate) const PROXY_TLS: u64 = 13;

pub(crate) const fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// The instant `count` milliseconds after the world began.
pub(crate) fn at(count: u64) -> Tick {
    Tick::ZERO.after(ms(count))
}

/// How the client gets to the origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    Http,
    Https,
    /// `http://` through the proxy.
    Forward,
    /// `https://` through a tunnel of the proxy.
    Tunnel,
    /// `http://` through TLS with the proxy.
    SecureForward,
    /// `https://` through a tunnel inside TLS with the proxy: TLS in TLS.
    SecureTunnel,
    /// `http://` through SOCKS 5, the name looked up by the proxy.
    Socks,
}

impl Route {
    pub(crate) const ALL: &[Route] = &[
        Route::Http,
        Route::Https,
        Route::Forward,
        Route::Tunnel,
        Route::SecureForward,
        Route::SecureTunnel,
        Route::Socks,
    ];
    /// With TLS to the origin.
    pub(crate) const TLS: &[Route] = &[Route::Https, Route::Tunnel, Route::SecureTunnel];
    /// Without any TLS.
    pub(crate) const CLEAR: &[Route] = &[Route::Http, Route::Forward, Route::Socks];
    /// With TLS to the proxy.
    pub(crate) const SECURE: &[Route] = &[Route::SecureForward, Route::SecureTunnel];
    /// With CONNECT.
    pub(crate) const TUNNELS: &[Route] = &[Route::Tunnel, Route::SecureTunnel];

    pub(crate) fn url(self, path: &str) -> String {
        let scheme = if self.has_tls() { "https" } else { "http" };
        format!("{scheme}://{ORIGIN}{path}")
    }

    pub(crate) fn has_tls(self) -> bool {
        Self::TLS.contains(&self)
    }

    pub(crate) fn is_secure(self) -> bool {
        Self::SECURE.contains(&self)
    }

    /// The address that is connected to.
    pub(crate) fn door(self) -> &'static str {
        match self {
            Route::Http => PLAIN,
            Route::Https => SECURE,
            _ => PROXY,
        }
    }

    pub(crate) fn proxy(self) -> Option<&'static str> {
        match self {
            Route::Http | Route::Https => None,
            Route::Forward | Route::Tunnel => Some("proxy.test:3128"),
            Route::SecureForward | Route::SecureTunnel => Some("https://proxy.test:3128"),
            Route::Socks => Some("socks5h://proxy.test:3128"),
        }
    }

    /// When the TCP connection is there.
    pub(crate) fn connected(self) -> u64 {
        RESOLVE + CONNECT
    }

    /// When the proxy is asked for a way to the origin.
    pub(crate) fn tunnel_begins(self) -> u64 {
        self.connected() + if self.is_secure() { PROXY_TLS } else { 0 }
    }

    /// When TLS with the origin begins.
    pub(crate) fn tls_begins(self) -> u64 {
        let asks = Self::TUNNELS.contains(&self) || self == Route::Socks;
        self.tunnel_begins() + if asks { TUNNEL } else { 0 }
    }

    /// When the request can be sent.
    pub(crate) fn ready(self) -> u64 {
        self.tls_begins() + if self.has_tls() { TLS } else { 0 }
    }
}

/// A simulated world and the way through it.
pub(crate) struct Bench {
    pub(crate) world: Arc<SimWorld>,
    pub(crate) route: Route,
}

impl Bench {
    /// Names resolve, after 3 ms; nobody listens yet.
    pub(crate) fn new(route: Route) -> Self {
        let world = SimWorld::new();
        world.host(ORIGIN).resolves_to(["192.0.2.1"]).after(ms(RESOLVE));
        world.host("proxy.test").resolves_to(["192.0.2.9"]).after(ms(RESOLVE));
        Bench { world, route }
    }

    /// A world in which the origin does what `script` says, behind whatever lies on the route.
    pub(crate) fn serving(route: Route, script: Script) -> Self {
        let bench = Bench::new(route);
        bench.serve(script, None);
        bench
    }

    /// Serves `script`, with room for `window` bytes that nobody reads.
    pub(crate) fn serve(&self, script: Script, window: Option<usize>) {
        // A script need not be `Sync`.
        let script = Mutex::new(script);
        self.serve_each(window, move |_| script.lock().unwrap().clone());
    }

    /// Serves to each connection what `make` gives for its number, counted from 0.
    pub(crate) fn serve_each(
        &self,
        window: Option<usize>,
        make: impl Fn(usize) -> Script + Send + Sync + 'static,
    ) {
        let listener = self.world.listen(self.route.door()).after(ms(CONNECT));
        let listener = match window {
            Some(bytes) => listener.window(bytes),
            None => listener,
        };
        let route = self.route;
        match route.has_tls() {
            false => listener.serve_with(move |number| route.behind(make(number))),
            true => {
                listener.serve_with(move |number| route.behind(tls_server().wrap(make(number))))
            }
        };
    }

    /// A builder for a session on this route, without any limit.
    pub(crate) fn builder(&self) -> SessionBuilder {
        let builder = SessionBuilder::in_world(self.world.clone())
            .limits(waterclock::Limits::none())
            .tls(trusting([&*tls_server().root(), CutTls::root()]))
            .proxy_tls(trusting([&*proxy_tls_server().root()]));
        match self.route.proxy() {
            Some(proxy) => builder.proxy(proxy),
            None => builder,
        }
    }

    pub(crate) fn now(&self) -> Tick {
        self.world.now()
    }

    pub(crate) fn session(&self) -> Session {
        self.builder().build().unwrap()
    }

    pub(crate) fn get<'s>(&self, session: &'s Session) -> Request<'s> {
        session.get(self.route.url(PATH))
    }

    pub(crate) fn post<'s>(&self, session: &'s Session) -> Request<'s> {
        session.post(self.route.url(PATH))
    }

    /// What the origin got on each connection, as text without the tunnel and TLS around it.
    pub(crate) fn requests(&self) -> Vec<String> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let encrypted = self.route.has_tls() || self.route.is_secure();
        let connections = self.world.connections(self.route.door());
        connections
            .iter()
            .map(|c| text(if encrypted { &c.decrypted } else { &c.received }))
            .collect()
    }

    /// How often the request under test was begun, on all connections.
    pub(crate) fn times_sent(&self) -> usize {
        self.requests().iter().map(|text| text.matches(PATH).count()).sum()
    }
}

/// What opens a tunnel.
pub(crate) const ESTABLISHED: &str = "HTTP/1.1 200 Connection established\r\n\r\n";
/// What SOCKS 5 answers when it is connected (RFC 1928 §6).
pub(crate) const SOCKS_YES: [u8; 10] = [5, 0, 0, 1, 0, 0, 0, 0, 0, 0];

/// A proxy that takes a SOCKS 5 greeting without authentication, and the request.
pub(crate) fn socks_request() -> Script {
    let bytes = 4 + 1 + ORIGIN.len() + 2;
    Script::new().expect_bytes(3).send([5, 0]).expect_bytes(bytes as u64)
}

impl Route {
    /// What listens at the door, if `peer` is what the client gets to in the end.
    pub(crate) fn behind(self, peer: impl Peer + Clone + 'static) -> Box<dyn Peer> {
        match self {
            Route::Http | Route::Https | Route::Forward => Box::new(peer),
            Route::SecureForward => Box::new(proxy_tls_server().wrap(peer)),
            Route::Tunnel | Route::SecureTunnel => {
                let connect = Script::new().expect_head().wait(ms(TUNNEL)).send(ESTABLISHED);
                self.at_proxy(connect.then(peer))
            }
            Route::Socks => Box::new(socks_request().wait(ms(TUNNEL)).send(SOCKS_YES).then(peer)),
        }
    }

    /// What listens at the door, if `script` is what the proxy does once its own TLS is there.
    pub(crate) fn at_proxy(self, script: Script) -> Box<dyn Peer> {
        match self.is_secure() {
            true => Box::new(proxy_tls_server().wrap(script)),
            false => Box::new(script),
        }
    }
}

/// "hello" in gzip: a header, one stored block, checksum and length.
pub(crate) const GZIP: &[u8] =
    b"\x1f\x8b\x08\0\0\0\0\0\0\xff\x01\x05\0\xfa\xffhello\x86\xa6\x106\x05\0\0\0";

/// A response with that body in gzip.
pub(crate) fn ok_gzip() -> Vec<u8> {
    let fields = format!("Content-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", GZIP.len());
    [b"HTTP/1.1 200 OK\r\n", fields.as_bytes(), GZIP].concat()
}

/// A whole response with that body.
pub(crate) fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

/// One identity for all tests: making keys takes longer than shaking hands.
pub(crate) fn tls_server() -> &'static TlsServer {
    static SERVER: OnceLock<TlsServer> = OnceLock::new();
    SERVER.get_or_init(|| TlsServer::new([ORIGIN]).flight_delays([ms(TLS)]))
}

/// The identity of the proxy.
pub(crate) fn proxy_tls_server() -> &'static TlsServer {
    static SERVER: OnceLock<TlsServer> = OnceLock::new();
    SERVER.get_or_init(|| TlsServer::new(["proxy.test"]).flight_delays([ms(PROXY_TLS)]))
}

/// Settings that trust `roots`, in DER, and nobody else.
pub(crate) fn trusting<'r>(roots: impl IntoIterator<Item = &'r [u8]>) -> TlsSettings {
    let pem = |der| format!("{BEGIN}\n{}\n{END}\n", STANDARD.encode(der));
    let pem: String = roots.into_iter().map(pem).collect();
    TlsSettings::builder().roots(Roots::pem(pem.as_bytes()).unwrap()).build().unwrap()
}

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";
