//! A world with one origin, one proxy, and a known instant for every step towards them.

use crate::cut_tls::CutTls;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;
use waterclock::tls::{Roots, TlsSettings};
use waterclock::world::World as _;
use waterclock::{Request, Session, SessionBuilder, Tick};
use waterclock_sim::{Script, SimWorld, TlsServer};

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
}

impl Route {
    pub(crate) const ALL: &[Route] = &[Route::Http, Route::Https, Route::Forward, Route::Tunnel];
    pub(crate) const TLS: &[Route] = &[Route::Https, Route::Tunnel];
    pub(crate) const CLEAR: &[Route] = &[Route::Http, Route::Forward];

    pub(crate) fn url(self, path: &str) -> String {
        let scheme = if self.has_tls() { "https" } else { "http" };
        format!("{scheme}://{ORIGIN}{path}")
    }

    pub(crate) fn has_tls(self) -> bool {
        matches!(self, Route::Https | Route::Tunnel)
    }

    /// The address that is connected to.
    pub(crate) fn door(self) -> &'static str {
        match self {
            Route::Http => PLAIN,
            Route::Https => SECURE,
            Route::Forward | Route::Tunnel => PROXY,
        }
    }

    /// When the TCP connection is there.
    pub(crate) fn connected(self) -> u64 {
        RESOLVE + CONNECT
    }

    /// When TLS begins.
    pub(crate) fn tls_begins(self) -> u64 {
        self.connected() + if self == Route::Tunnel { TUNNEL } else { 0 }
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
        match self.route {
            Route::Http | Route::Forward => listener.serve_with(make),
            Route::Https => listener.serve_with(move |number| tls_server().wrap(make(number))),
            Route::Tunnel => listener.serve_with(move |number| {
                Script::new()
                    .expect_head()
                    .wait(ms(TUNNEL))
                    .send("HTTP/1.1 200 Connection established\r\n\r\n")
                    .then(tls_server().wrap(make(number)))
            }),
        };
    }

    /// A builder for a session on this route, without any limit.
    pub(crate) fn builder(&self) -> SessionBuilder {
        let builder = SessionBuilder::in_world(self.world.clone())
            .limits(waterclock::Limits::none())
            .tls(trusting([&*tls_server().root(), CutTls::root()]));
        match self.route {
            Route::Http | Route::Https => builder,
            Route::Forward | Route::Tunnel => builder.proxy("proxy.test:3128"),
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
        let connections = self.world.connections(self.route.door());
        connections
            .iter()
            .map(|c| text(if self.route.has_tls() { &c.decrypted } else { &c.received }))
            .collect()
    }

    /// How often the request under test was begun, on all connections.
    pub(crate) fn times_sent(&self) -> usize {
        self.requests().iter().map(|text| text.matches(PATH).count()).sum()
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

/// Settings that trust `roots`, in DER, and nobody else.
pub(crate) fn trusting<'r>(roots: impl IntoIterator<Item = &'r [u8]>) -> TlsSettings {
    let pem = |der| format!("{BEGIN}\n{}\n{END}\n", STANDARD.encode(der));
    let pem: String = roots.into_iter().map(pem).collect();
    TlsSettings::builder().roots(Roots::pem(pem.as_bytes()).unwrap()).build().unwrap()
}

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";
