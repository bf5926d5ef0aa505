//! [`TlsServer`]: peers that speak TLS.

use crate::peer::{Action, Peer, Wire};
use rcgen::{
    BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, PKCS_ED25519, SerialNumber,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::version::{TLS12, TLS13};
use rustls::{ServerConfig, ServerConnection, SupportedProtocolVersion};
use std::collections::VecDeque;
use std::fmt;
use std::io::{self, Read, Write};
use std::sync::Arc;
use std::time::Duration;
use waterclock_proto::tick::Tick;

/// A TLS identity of its own making, and how slowly it shakes hands.
///
/// Keys are Ed25519, so signatures, and with them every flight, have a fixed length, although the
/// keys are new each time.
///
/// ```
/// use std::time::Duration;
/// use waterclock_sim::{Script, SimWorld, TlsServer};
///
/// let world = SimWorld::new();
/// let tls = TlsServer::new(["example.com"]).flight_delays([Duration::from_millis(40)]);
/// let script = Script::new().expect_head().send("HTTP/1.1 204 No Content\r\n\r\n");
/// world.listen("192.0.2.1:443").serve(tls.wrap(script));
/// // The client is to trust `tls.root()`.
/// ```
#[derive(Clone, Debug)]
pub struct TlsServer {
    config: Arc<ServerConfig>,
    identity: Arc<Identity>,
    delays: Arc<[Duration]>,
    close_notify: bool,
}

#[derive(Debug)]
struct Identity {
    root: CertificateDer<'static>,
    certificate: CertificateDer<'static>,
    key: PrivatePkcs8KeyDer<'static>,
}

impl TlsServer {
    /// A server that is called `names`, whose certificate its own root has signed. It speaks TLS
    /// 1.3 and 1.2.
    ///
    /// # Panics
    /// If a name cannot stand in a certificate.
    #[allow(clippy::expect_used, reason = "a test tool, used wrongly")]
    pub fn new<'n>(names: impl IntoIterator<Item = &'n str>) -> Self {
        let identity = make_identity(names).expect("names that can stand in a certificate");
        let config = make_config(&identity, &[&TLS13, &TLS12]).expect("a key that ring can use");
        TlsServer {
            config: Arc::new(config),
            identity: Arc::new(identity),
            delays: Arc::new([]),
            close_notify: true,
        }
    }

    /// The root certificate that a client is to trust.
    #[must_use]
    pub fn root(&self) -> CertificateDer<'static> {
        self.identity.root.clone()
    }

    /// Speaks these protocol versions only. Undoes [`configure`](Self::configure).
    ///
    /// # Panics
    /// If there are none.
    #[must_use]
    #[allow(clippy::expect_used, reason = "a test tool, used wrongly")]
    pub fn versions(mut self, versions: &[&'static SupportedProtocolVersion]) -> Self {
        let config = make_config(&self.identity, versions).expect("at least one version");
        self.config = Arc::new(config);
        self
    }

    /// Changes the configuration: ALPN, for example.
    #[must_use]
    pub fn configure(mut self, change: impl FnOnce(&mut ServerConfig)) -> Self {
        change(Arc::make_mut(&mut self.config));
        self
    }

    /// How long the server thinks before each of its flights. In TLS 1.3 the first goes from
    /// ServerHello to Finished, and the second is the session tickets, which are sent when the
    /// client's Finished has come and keep back the data behind them. Flights that are not listed
    /// take no time.
    #[must_use]
    pub fn flight_delays(mut self, delays: impl IntoIterator<Item = Duration>) -> Self {
        self.delays = delays.into_iter().collect();
        self
    }

    /// Closes without saying so in TLS, so that the stream may have been cut.
    #[must_use]
    pub fn without_close_notify(mut self) -> Self {
        self.close_notify = false;
        self
    }

    /// A peer that shakes hands and then lets `peer` talk inside TLS.
    pub fn wrap<P: Peer>(&self, peer: P) -> TlsPeer<P> {
        TlsPeer { server: self.clone(), peer, link: None }
    }
}

fn make_identity<'n>(names: impl IntoIterator<Item = &'n str>) -> Result<Identity, rcgen::Error> {
    let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
    let root_key = KeyPair::generate_for(&PKCS_ED25519)?;
    let mut root = CertificateParams::new(Vec::new())?;
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root_certificate = root.self_signed(&root_key)?;
    let key = KeyPair::generate_for(&PKCS_ED25519)?;
    let mut params = CertificateParams::new(names)?;
    // A serial number derived from the key would sometimes be a byte shorter.
    params.serial_number = Some(SerialNumber::from(1));
    let certificate = params.signed_by(&key, &Issuer::new(root, root_key))?;
    Ok(Identity {
        root: root_certificate.into(),
        certificate: certificate.into(),
        key: PrivatePkcs8KeyDer::from(key.serialize_der()),
    })
}

fn make_config(
    identity: &Identity,
    versions: &[&'static SupportedProtocolVersion],
) -> Result<ServerConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)?
        .with_no_client_auth()
        .with_single_cert(
            vec![identity.certificate.clone()],
            PrivateKeyDer::Pkcs8(identity.key.clone_key()),
        )
}

/// A peer inside TLS; see [`TlsServer::wrap`].
pub struct TlsPeer<P> {
    server: TlsServer,
    peer: P,
    link: Option<Link>,
}

/// The clone has not begun, however far the original is.
impl<P: Clone> Clone for TlsPeer<P> {
    fn clone(&self) -> Self {
        TlsPeer { server: self.server.clone(), peer: self.peer.clone(), link: None }
    }
}

impl<P: Peer> fmt::Debug for TlsPeer<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TlsPeer: {}", self.describe())
    }
}

impl<P: Peer> Peer for TlsPeer<P> {
    fn poll(&mut self, wire: &mut Wire) {
        let link = self.link.get_or_insert_with(|| Link::new(self.server.clone()));
        link.inner.now = wire.now();
        link.inner.ended |= wire.ended();
        loop {
            link.receive(wire);
            if !link.failed && !link.session.is_handshaking() {
                self.peer.poll(&mut link.inner);
                link.record_inner(wire);
                link.obey(wire);
            }
            if !link.can_receive(wire) {
                break;
            }
        }
        link.release(wire);
    }

    fn describe(&self) -> String {
        match &self.link {
            Some(link) if link.failed => "its TLS handshake or a record failed".to_owned(),
            Some(link) if !link.session.is_handshaking() => self.peer.describe(),
            _ => "it shakes hands".to_owned(),
        }
    }
}

/// TLS under way.
struct Link {
    server: TlsServer,
    session: ServerConnection,
    /// The peer's end, inside TLS.
    inner: Wire,
    flights: usize,
    /// The peer has decrypted something itself.
    nested: bool,
    /// What is to be done outside, and when. Nothing overtakes a flight that is delayed.
    out: VecDeque<(Tick, Action)>,
    failed: bool,
}

impl Link {
    #[allow(clippy::expect_used, reason = "a test tool: the configuration is at fault")]
    fn new(server: TlsServer) -> Self {
        let session = ServerConnection::new(Arc::clone(&server.config));
        Link {
            session: session.expect("a usable TLS configuration"),
            server,
            inner: Wire::new(),
            flights: 0,
            nested: false,
            out: VecDeque::new(),
            failed: false,
        }
    }

    /// Whether there is something to decrypt. Not while the peer has not taken what came before: so
    /// its pace reaches the window outside.
    fn can_receive(&self, wire: &Wire) -> bool {
        !self.failed && !wire.arrived().is_empty() && self.inner.arrived().is_empty()
    }

    /// Decrypts what has arrived, if it may.
    fn receive(&mut self, wire: &mut Wire) {
        if !self.can_receive(wire) {
            return;
        }
        let bytes = wire.take_all();
        let mut left = bytes.as_slice();
        while !left.is_empty() && !self.failed {
            self.failed = self.decrypt(&mut left, wire).is_err();
        }
        self.send_flight();
        if self.failed {
            self.push(Duration::ZERO, Action::Close);
        }
    }

    fn decrypt(&mut self, bytes: &mut &[u8], wire: &mut Wire) -> io::Result<()> {
        if self.session.read_tls(bytes)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let state = self.session.process_new_packets().map_err(io::Error::other)?;
        self.inner.ended |= state.peer_has_closed();
        let mut text = vec![0; state.plaintext_bytes_to_read()];
        self.session.reader().read_exact(&mut text)?;
        if !self.nested {
            wire.record_decrypted(&text);
        }
        self.inner.feed(&text);
        Ok(())
    }

    /// Of a peer that speaks TLS itself, inside this one, the plain text is what it decrypts.
    fn record_inner(&mut self, wire: &mut Wire) {
        let text = std::mem::take(&mut self.inner.decrypted);
        self.nested |= !text.is_empty();
        wire.record_decrypted(&text);
    }

    /// What is to be written after records were read, and before the peer writes, is a flight.
    fn send_flight(&mut self) {
        let delay = self.server.delays.get(self.flights).copied().unwrap_or_default();
        if self.send_records(delay) {
            self.flights += 1;
        }
    }

    /// Does inside TLS what the peer asked for.
    fn obey(&mut self, wire: &mut Wire) {
        for action in self.inner.take_actions() {
            match action {
                Action::Send(bytes) => {
                    self.session.set_buffer_limit(None);
                    // A buffer without limit refuses nothing.
                    let _ = self.session.writer().write_all(&bytes);
                    self.send_records(Duration::ZERO);
                }
                Action::Close => {
                    if self.server.close_notify {
                        self.session.send_close_notify();
                        self.send_records(Duration::ZERO);
                    }
                    self.push(Duration::ZERO, Action::Close);
                }
                Action::Reset => self.push(Duration::ZERO, Action::Reset),
                Action::Wake(at) => wire.wake_at(at),
            }
        }
    }

    /// Queues the records that TLS has ready; says whether there were any.
    fn send_records(&mut self, delay: Duration) -> bool {
        let mut records = Vec::new();
        while self.session.wants_write() {
            if !matches!(self.session.write_tls(&mut records), Ok(1..)) {
                break;
            }
        }
        let any = !records.is_empty();
        if any {
            self.push(delay, Action::Send(records));
        }
        any
    }

    fn push(&mut self, delay: Duration, action: Action) {
        let at = self.inner.now.after(delay);
        let behind = self.out.back().map_or(Tick::ZERO, |(at, _)| *at);
        self.out.push_back((at.max(behind), action));
    }

    /// Does outside what has come due.
    fn release(&mut self, wire: &mut Wire) {
        while let Some((at, action)) = self.out.pop_front() {
            if at > wire.now() {
                wire.wake_at(at);
                self.out.push_front((at, action));
                return;
            }
            match action {
                Action::Send(bytes) => wire.send(bytes),
                Action::Close => wire.close(),
                Action::Reset => wire.reset(),
                Action::Wake(at) => wire.wake_at(at),
            }
        }
    }
}
