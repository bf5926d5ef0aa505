//! The server's side of TLS, with handshake flights that can be late, in pieces, dripped or cut.

use std::io::{self, Read};
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::{CryptoProvider, ring};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConfig, ServerConnection, version};
use rustls_pki_types::CertificateDer;

use crate::identity::{Authority, Identity};
use crate::link::drain;
use crate::stop::Stop;
use crate::stream::Stream;

/// How a server speaks TLS. Without more words: versions 1.2 and 1.3, ALPN `http/1.1`, session
/// tickets, no client certificates, no delays.
///
/// ```
/// use std::time::Duration;
/// use waterclock_lab::{Identity, Tls, TlsScript, TlsVersion};
///
/// // Two pieces of the first flight: after 90 ms, and 30 ms later.
/// let flights = [Duration::from_millis(90), Duration::from_millis(30)];
/// let tls = Tls::new(Identity::new(&["127.0.0.1"])?)
///     .version(TlsVersion::V1_3)
///     .script(TlsScript::new().first_flight(flights));
/// # let _ = tls;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone)]
pub struct Tls {
    identity: Identity,
    version: Option<TlsVersion>,
    alpn: Vec<Vec<u8>>,
    resumes: bool,
    client_ca: Option<CertificateDer<'static>>,
    script: Arc<dyn Fn(usize) -> TlsScript + Send + Sync>,
}

/// The only protocol version that a server accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsVersion {
    /// TLS 1.2 (RFC 5246).
    V1_2,
    /// TLS 1.3 (RFC 8446).
    V1_3,
}

impl From<Identity> for Tls {
    fn from(identity: Identity) -> Self {
        Tls::new(identity)
    }
}

impl Tls {
    /// TLS with this certificate.
    pub fn new(identity: Identity) -> Self {
        Tls {
            identity,
            version: None,
            alpn: vec![b"http/1.1".to_vec()],
            resumes: true,
            client_ca: None,
            script: Arc::new(|_| TlsScript::new()),
        }
    }

    /// Accepts this version only.
    #[must_use]
    pub fn version(mut self, version: TlsVersion) -> Self {
        self.version = Some(version);
        self
    }

    /// The protocols for ALPN, best first; none switches ALPN off.
    #[must_use]
    pub fn alpn(mut self, protocols: &[&str]) -> Self {
        self.alpn = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        self
    }

    /// Resumes no session, so that every handshake is a full one.
    #[must_use]
    pub fn without_resumption(mut self) -> Self {
        self.resumes = false;
        self
    }

    /// Demands a client certificate signed by `authority`.
    #[must_use]
    pub fn require_client_certificate(mut self, authority: &Authority) -> Self {
        self.client_ca = Some(authority.der());
        self
    }

    /// Delays, drips or cuts every handshake in this way.
    #[must_use]
    pub fn script(self, script: TlsScript) -> Self {
        self.script_by_connection(move |_| script.clone())
    }

    /// Chooses the handshake's script by the connection's number, counted from 0.
    #[must_use]
    pub fn script_by_connection(
        mut self,
        choose: impl Fn(usize) -> TlsScript + Send + Sync + 'static,
    ) -> Self {
        self.script = Arc::new(choose);
        self
    }

    pub(crate) fn acceptor(&self) -> io::Result<Acceptor> {
        let provider = Arc::new(ring::default_provider());
        let versions: &[&rustls::SupportedProtocolVersion] = match self.version {
            None => rustls::ALL_VERSIONS,
            Some(TlsVersion::V1_2) => &[&version::TLS12],
            Some(TlsVersion::V1_3) => &[&version::TLS13],
        };
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(versions)
            .map_err(io::Error::other)?;
        let builder = match &self.client_ca {
            None => builder.with_no_client_auth(),
            Some(ca) => builder.with_client_cert_verifier(client_verifier(ca, provider)?),
        };
        let chain = vec![self.identity.certificate_der()];
        let mut config =
            builder.with_single_cert(chain, self.identity.key_der()).map_err(io::Error::other)?;
        config.alpn_protocols.clone_from(&self.alpn);
        if self.resumes {
            config.ticketer = ring::Ticketer::new().map_err(io::Error::other)?;
        } else {
            config.send_tls13_tickets = 0;
            config.session_storage = Arc::new(NoServerSessionStorage {});
        }
        Ok(Acceptor { config: Arc::new(config), script: Arc::clone(&self.script) })
    }
}

fn client_verifier(
    ca: &CertificateDer<'static>,
    provider: Arc<CryptoProvider>,
) -> io::Result<Arc<dyn rustls::server::danger::ClientCertVerifier>> {
    let mut roots = RootCertStore::empty();
    roots.add(ca.clone()).map_err(io::Error::other)?;
    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .map_err(io::Error::other)
}

/// What happens to the bytes of the server's handshake.
///
/// A flight is what the server sends at one go: in TLS 1.3 the first one is everything from
/// ServerHello to Finished and the second one the session tickets; in TLS 1.2 they are ServerHello
/// to ServerHelloDone, and ChangeCipherSpec with Finished. A resumed TLS 1.2 handshake has one.
#[derive(Clone, Debug, Default)]
pub struct TlsScript {
    flights: Vec<Vec<Duration>>,
    drip: Option<(usize, Duration)>,
    end: Option<(usize, End)>,
}

#[derive(Clone, Copy, Debug)]
enum End {
    Stall,
    Close,
    Reset,
}

impl TlsScript {
    /// Nothing out of the ordinary.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sends the first flight in as many equal pieces as there are delays, each piece after its
    /// own delay. One delay makes the whole flight late.
    #[must_use]
    pub fn first_flight(self, delays: impl Into<Vec<Duration>>) -> Self {
        self.flight(0, delays.into())
    }

    /// The same for the second flight.
    #[must_use]
    pub fn second_flight(self, delays: impl Into<Vec<Duration>>) -> Self {
        self.flight(1, delays.into())
    }

    fn flight(mut self, place: usize, delays: Vec<Duration>) -> Self {
        self.flights.resize(self.flights.len().max(place + 1), Vec::new());
        if let Some(flight) = self.flights.get_mut(place) {
            *flight = delays;
        }
        self
    }

    /// Sends `size` bytes at a time with `every` between them, through all flights.
    #[must_use]
    pub fn drip(mut self, size: usize, every: Duration) -> Self {
        self.drip = Some((size, every));
        self
    }

    /// Says nothing more after this many bytes of the handshake, and keeps the connection open.
    #[must_use]
    pub fn stall_after(mut self, bytes: usize) -> Self {
        self.end = Some((bytes, End::Stall));
        self
    }

    /// Closes the connection after this many bytes of the handshake.
    #[must_use]
    pub fn close_after(mut self, bytes: usize) -> Self {
        self.end = Some((bytes, End::Close));
        self
    }

    pub(crate) fn change_times(&mut self, time: impl Fn(Duration) -> Duration) {
        for delay in self.flights.iter_mut().flatten() {
            *delay = time(*delay);
        }
        if let Some((_, every)) = &mut self.drip {
            *every = time(*every);
        }
    }

    /// Resets the connection after this many bytes of the handshake.
    #[must_use]
    pub fn reset_after(mut self, bytes: usize) -> Self {
        self.end = Some((bytes, End::Reset));
        self
    }
}

/// A [`Tls`] made ready.
pub(crate) struct Acceptor {
    config: Arc<ServerConfig>,
    script: Arc<dyn Fn(usize) -> TlsScript + Send + Sync>,
}

impl Acceptor {
    /// Shakes hands as scripted.
    pub(crate) fn accept(
        &self,
        stream: &Stream,
        number: usize,
        stop: &Stop,
    ) -> io::Result<ServerConnection> {
        let mut connection =
            ServerConnection::new(Arc::clone(&self.config)).map_err(io::Error::other)?;
        let script = (self.script)(number);
        let mut sender = Sender { stream, stop, script: &script, flight: 0, sent: 0, drops: 0 };
        while connection.is_handshaking() {
            if connection.wants_write() {
                sender.send_flight(&mut connection)?;
                continue;
            }
            if connection.read_tls(&mut Reader(stream))? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if let Err(error) = connection.process_new_packets() {
                let _ = sender.send_flight(&mut connection); // the alert that says why
                return Err(io::Error::other(error));
            }
        }
        if connection.wants_write() {
            sender.send_flight(&mut connection)?;
        }
        Ok(connection)
    }
}

/// `read_tls` wants an `io::Read`.
struct Reader<'a>(&'a Stream);

impl Read for Reader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

/// Sends handshake bytes as the script says, counting them over all flights.
struct Sender<'a> {
    stream: &'a Stream,
    stop: &'a Stop,
    script: &'a TlsScript,
    flight: usize,
    sent: usize,
    drops: usize,
}

impl Sender<'_> {
    fn send_flight(&mut self, connection: &mut ServerConnection) -> io::Result<()> {
        let mut wire = Vec::new();
        drain(connection, &mut wire)?;
        let delays = self.script.flights.get(self.flight).map(Vec::as_slice).unwrap_or_default();
        self.flight += 1;
        if delays.is_empty() {
            return self.send(&wire);
        }
        for (place, delay) in delays.iter().enumerate() {
            let from = wire.len() * place / delays.len();
            let to = wire.len() * (place + 1) / delays.len();
            self.stop.sleep(*delay)?;
            self.send(wire.get(from..to).unwrap_or_default())?;
        }
        Ok(())
    }

    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let allowed = match self.script.end {
            Some((limit, _)) => bytes.len().min(limit.saturating_sub(self.sent)),
            None => bytes.len(),
        };
        self.send_dripping(bytes.get(..allowed).unwrap_or_default())?;
        self.sent += allowed;
        match self.script.end {
            Some((limit, end)) if self.sent >= limit => Err(self.end(end)),
            _ => Ok(()),
        }
    }

    fn send_dripping(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Some((size, every)) = self.script.drip else { return self.stream.write_all(bytes) };
        for drop in bytes.chunks(size.max(1)) {
            if self.drops > 0 {
                self.stop.sleep(every)?;
            }
            self.drops += 1;
            self.stream.write_all(drop)?;
        }
        Ok(())
    }

    fn end(&self, end: End) -> io::Error {
        match end {
            End::Close => {}
            End::Reset => self.stream.reset_on_close(),
            #[cfg(unix)]
            End::Stall => self.stream.wait_for_hangup(),
            #[cfg(not(unix))]
            End::Stall => self.stop.wait(),
        }
        io::Error::other("the script ends the handshake here")
    }
}
