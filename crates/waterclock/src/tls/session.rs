//! One TLS connection, driven by bytes.

use super::config::TlsConfig;
use super::error::{SettingsError, TlsError};
use super::handshake::{HandshakeProblem, explain};
use super::record::RecordMeter;
use rustls::client::ClientConnection;
use rustls::{HandshakeKind, ProtocolVersion};
use rustls_pki_types::ServerName;
use std::borrow::Cow;
use std::io::{self, IoSlice, Read, Write};
use std::net::IpAddr;

/// With more plaintext than this waiting, rustls takes nothing in, and makes an error to say so.
const PLAINTEXT: usize = 16 * 1024;

/// A TLS client connection without a socket and without a clock.
///
/// The caller moves the bytes: what the peer sent goes in through [`receive`](Self::receive), what
/// is to be sent comes out through [`transmit`](Self::transmit). **After an error, transmit once
/// more:** the alert that tells the peer why is waiting there.
///
/// To avoid a deadlock with a peer that does the same, keep receiving while a write is blocked.
///
/// ```no_run
/// # fn socket_read(_: &mut [u8]) -> std::io::Result<usize> { Ok(0) }
/// # fn socket_write(_: &[std::io::IoSlice<'_>]) -> std::io::Result<usize> { Ok(0) }
/// # fn example(cache: &waterclock::tls::ConfigCache) -> Result<(), Box<dyn std::error::Error>> {
/// use waterclock::tls::{TlsSession, TlsSettings};
///
/// let config = cache.get(&TlsSettings::default())?;
/// let mut session = TlsSession::new(&config, "example.com")?;
/// while session.is_handshaking() {
///     while session.wants_write() {
///         session.transmit(&mut |parts| socket_write(parts))?;
///     }
///     let mut buffer = [0; 16 * 1024];
///     match socket_read(&mut buffer)? {
///         0 => session.received_eof()?,
///         n => { session.receive(&buffer[..n])?; }
///     }
/// }
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct TlsSession {
    connection: ClientConnection,
    received: RecordMeter,
    offers_identity: bool,
    plaintext: usize,
    /// Whether the peer has said close_notify.
    closed: bool,
    failed: Option<TlsError>,
}

/// What [`TlsSession::read_plain`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlainRead {
    /// This many bytes, at least one.
    Bytes(usize),
    /// Nothing yet: receive more first.
    Empty,
    /// The peer said that it will send no more (`close_notify`).
    CleanEnd,
    /// The stream ended without `close_notify`: bytes may be missing, and whether they are only
    /// the message's own framing can tell (RFC 9112 §9.8).
    Truncated,
}

/// What was agreed on in the handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsInfo {
    /// `TLS 1.2` or `TLS 1.3`.
    pub version: Cow<'static, str>,
    /// The cipher suite's name in the IANA registry.
    pub cipher: Cow<'static, str>,
    /// The protocol the server chose by ALPN, if any.
    pub alpn: Option<Vec<u8>>,
    /// Whether an earlier session was resumed, which spares the certificates.
    pub resumed: bool,
    /// The peer's certificates in DER, its own first. Of a resumed session: those of the first one.
    pub certificates: Vec<Vec<u8>>,
}

impl TlsSession {
    /// Begins a handshake with `host`: a DNS name, or an IP address (IPv6 without brackets). A
    /// trailing dot is not part of the name that a certificate is checked for. The settings'
    /// `server_name` goes before `host`.
    ///
    /// # Errors
    /// [`TlsError::Settings`] when no certificate could be for such a name.
    pub fn new(config: &TlsConfig, host: &str) -> Result<Self, TlsError> {
        let host = config.server_name.as_deref().unwrap_or(host);
        let name = server_name(host)?;
        let connection = ClientConnection::new(config.rustls.clone(), name)
            .map_err(|error| explain(error, &RecordMeter::default(), true))?;
        Ok(TlsSession {
            connection,
            received: RecordMeter::default(),
            offers_identity: config.offers_identity,
            plaintext: 0,
            closed: false,
            failed: None,
        })
    }

    /// Whether the handshake is still going on.
    #[must_use]
    pub fn is_handshaking(&self) -> bool {
        self.connection.is_handshaking()
    }

    /// Takes in bytes that came from the peer, and returns how many of them: fewer than all when
    /// decrypted bytes are waiting in [`read_plain`](Self::read_plain), or when 16 KiB have brought
    /// none, which is time to look at the clock. A caller who reads and tries again always gets on.
    ///
    /// # Errors
    /// What is wrong with the peer or with its certificate. The session is then over, except that
    /// an alert may have to be [transmitted](Self::transmit); every further call repeats the error.
    pub fn receive(&mut self, ciphertext: &[u8]) -> Result<usize, TlsError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let mut rest = ciphertext;
        while !rest.is_empty() && self.plaintext <= PLAINTEXT {
            if self.plaintext == 0 && ciphertext.len() - rest.len() >= PLAINTEXT {
                break;
            }
            let taken = self.take(rest);
            if taken == 0 {
                break;
            }
            self.received.advance(&rest[..taken]);
            rest = &rest[taken..];
            match self.connection.process_new_packets() {
                Ok(state) => {
                    self.plaintext = state.plaintext_bytes_to_read();
                    if state.peer_has_closed() {
                        // RFC 8446 §6.1: what follows a closure alert is ignored.
                        self.closed = true;
                        return Ok(ciphertext.len());
                    }
                    if self.received.begins_with_goodbye() && self.is_handshaking() {
                        return Err(self.fail_with(HandshakeProblem::ClosedAtOnce));
                    }
                }
                Err(error) => return Err(self.fail(error)),
            }
        }
        let taken = ciphertext.len() - rest.len();
        if taken == 0 && !ciphertext.is_empty() && self.plaintext == 0 {
            // Cannot be, as every record is processed as soon as it is whole; but a caller must
            // not be able to spin here, whatever the peer sends.
            return Err(self.fail(rustls::Error::PeerSentOversizedRecord));
        }
        Ok(taken)
    }

    /// Puts a piece of `bytes` into rustls' buffer; 0 when it has no room.
    fn take(&mut self, mut bytes: &[u8]) -> usize {
        let all = bytes.len();
        match self.connection.read_tls(&mut bytes) {
            Ok(0) => all,
            Ok(taken) => taken,
            Err(_) => 0,
        }
    }

    fn fail(&mut self, error: rustls::Error) -> TlsError {
        let error = explain(error, &self.received, self.offers_identity);
        self.failed = Some(error.clone());
        error
    }

    fn fail_with(&mut self, problem: HandshakeProblem) -> TlsError {
        let error = TlsError::Handshake(problem);
        self.failed = Some(error.clone());
        error
    }

    /// Tells that the peer's side of the stream has ended (a read gave 0 bytes, or a reset).
    ///
    /// # Errors
    /// During the handshake, where that is a failure. Later it is for
    /// [`read_plain`](Self::read_plain) to say whether the end was a clean one.
    pub fn received_eof(&mut self) -> Result<(), TlsError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        if self.connection.is_handshaking() {
            let problem = match self.received.total() {
                0 => HandshakeProblem::ClosedAtOnce,
                _ => HandshakeProblem::Closed,
            };
            return Err(self.fail_with(problem));
        }
        // With a full plaintext buffer rustls does not look at the stream at all, so that the end
        // is noted by us.
        self.received.end();
        Ok(())
    }

    /// Hands over decrypted bytes.
    ///
    /// # Errors
    /// The one that [`receive`](Self::receive) gave before, once all bytes that came before it
    /// were read.
    pub fn read_plain(&mut self, out: &mut [u8]) -> Result<PlainRead, TlsError> {
        match self.connection.reader().read(out) {
            Ok(0) if out.is_empty() => Ok(PlainRead::Empty),
            Ok(0) => Ok(PlainRead::CleanEnd),
            Ok(n) => {
                self.plaintext = self.plaintext.saturating_sub(n);
                Ok(PlainRead::Bytes(n))
            }
            Err(_) => match &self.failed {
                Some(error) => Err(error.clone()),
                None if self.received.has_ended() => Ok(PlainRead::Truncated),
                None => Ok(PlainRead::Empty),
            },
        }
    }

    /// Whether nothing more can be received: the peer has said so, or is gone, or the session has failed.
    /// A read tells which, once all bytes were read, and no wait for the peer is needed for that.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.closed || self.failed.is_some() || self.received.has_ended()
    }

    /// How many decrypted bytes wait to be read.
    #[must_use]
    pub fn plaintext_pending(&self) -> usize {
        self.plaintext
    }

    /// How many bytes of a record that is not whole yet were received. Unless it is 0, the peer is
    /// in the middle of saying something, and the connection must not be used for a new exchange.
    #[must_use]
    pub fn ciphertext_left(&self) -> usize {
        self.received.partial()
    }

    /// Encrypts bytes to be transmitted, and returns how many of them were accepted: at most about
    /// 64 KiB wait at a time. During the handshake they are kept until it is complete.
    ///
    /// # Errors
    /// When the session has failed.
    pub fn write_plain(&mut self, parts: &[IoSlice<'_>]) -> Result<usize, TlsError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let accepted = self.connection.writer().write_vectored(parts);
        accepted.map_err(|error| self.fail_with(HandshakeProblem::Other(error.to_string())))
    }

    /// Whether there is something to transmit.
    #[must_use]
    pub fn wants_write(&self) -> bool {
        self.connection.wants_write()
    }

    /// Offers the waiting ciphertext to `write` once, which says how much of it was sent. Returns
    /// what `write` returned.
    ///
    /// # Errors
    /// The error of `write`; nothing is lost then.
    pub fn transmit(
        &mut self,
        write: &mut dyn FnMut(&[IoSlice<'_>]) -> io::Result<usize>,
    ) -> io::Result<usize> {
        self.connection.write_tls(&mut Gather(write))
    }

    /// Moves all waiting ciphertext to the end of `out`.
    pub fn transmit_into(&mut self, out: &mut Vec<u8>) {
        while self.connection.wants_write() {
            // A Vec takes everything, and cannot fail.
            if !matches!(self.connection.write_tls(out), Ok(1..)) {
                break;
            }
        }
    }

    /// Queues the alert that says we shall send no more (RFC 8446 §6.1). To be transmitted.
    pub fn send_close_notify(&mut self) {
        self.connection.send_close_notify();
    }

    /// What was agreed on, once the handshake is complete.
    #[must_use]
    pub fn info(&self) -> Option<TlsInfo> {
        if self.connection.is_handshaking() {
            return None;
        }
        let suite = self.connection.negotiated_cipher_suite()?;
        let certificates = self.connection.peer_certificates().unwrap_or_default();
        Some(TlsInfo {
            version: version_name(self.connection.protocol_version()?).into(),
            cipher: cipher_name(suite.suite().as_str().unwrap_or("unknown")).into(),
            alpn: self.connection.alpn_protocol().map(<[u8]>::to_vec),
            resumed: self.connection.handshake_kind() == Some(HandshakeKind::Resumed),
            certificates: certificates.iter().map(|der| der.to_vec()).collect(),
        })
    }
}

/// Lets rustls write into the caller's closure.
struct Gather<'a>(&'a mut dyn FnMut(&[IoSlice<'_>]) -> io::Result<usize>);

impl Write for Gather<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (self.0)(&[IoSlice::new(bytes)])
    }

    fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        (self.0)(parts)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The name that certificates are checked for: never with the dot that marks a name as complete,
/// and of an IPv6 address only the address, not its zone (RFC 6066 §3, RFC 6874).
pub(super) fn server_name(host: &str) -> Result<ServerName<'static>, SettingsError> {
    let bare = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
    let without_zone = bare.split_once('%').map_or(bare, |(address, _)| address);
    if let Ok(address) = without_zone.parse::<IpAddr>() {
        return Ok(ServerName::IpAddress(address.into()));
    }
    let name = bare.strip_suffix('.').unwrap_or(bare);
    ServerName::try_from(name.to_owned()).map_err(|_| {
        SettingsError::new(format!("{host:?} is neither a host name nor an IP address"))
            .with_hint("TLS checks certificates for host names in ASCII form, or IP addresses")
    })
}

fn version_name(version: ProtocolVersion) -> &'static str {
    match version {
        ProtocolVersion::TLSv1_3 => "TLS 1.3",
        ProtocolVersion::TLSv1_2 => "TLS 1.2",
        _ => "unknown",
    }
}

/// rustls marks the suites of TLS 1.3 in their names; the registry does not.
fn cipher_name(name: &'static str) -> &'static str {
    match name {
        "TLS13_AES_128_GCM_SHA256" => "TLS_AES_128_GCM_SHA256",
        "TLS13_AES_256_GCM_SHA384" => "TLS_AES_256_GCM_SHA384",
        "TLS13_CHACHA20_POLY1305_SHA256" => "TLS_CHACHA20_POLY1305_SHA256",
        other => other,
    }
}
