//! A server of TLS that shakes hands properly, and then has the keys in its own hands: it seals whatever
//! it likes, which no library would.

use rustls::crypto::cipher::{MessageEncrypter, OutboundChunks, OutboundPlainMessage};
use rustls::crypto::{CryptoProvider, ring};
use rustls::{
    CipherSuite, ConnectionTrafficSecrets, ContentType, ProtocolVersion, ServerConfig,
    ServerConnection, StreamOwned, SupportedCipherSuite, SupportedProtocolVersion, version,
};
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use waterclock_lab::Identity;

/// One for all, as making one takes time.
pub(crate) static IDENTITY: LazyLock<Identity> =
    LazyLock::new(|| Identity::new(&["127.0.0.1"]).unwrap());

pub(crate) static VERSIONS: [&SupportedProtocolVersion; 2] = [&version::TLS12, &version::TLS13];

/// What is said behind the request.
#[derive(Clone)]
pub(crate) enum Say {
    /// A sealed record of this type.
    Sealed(u8, Vec<u8>),
    /// Bytes as they are.
    Wire(Vec<u8>),
    /// The first bytes of what that is on the wire.
    Cut(usize, Box<Say>),
    Times(usize, Box<Say>),
    All(Vec<Say>),
    /// Until the client is gone.
    Always(Box<Say>),
    Fin,
}

pub(crate) fn data(text: &str) -> Say {
    Say::Sealed(23, text.into())
}

pub(crate) fn alert(level: u8, code: u8) -> Say {
    Say::Sealed(21, vec![level, code])
}

/// A message of the handshake.
pub(crate) fn message(kind: u8, content: &[u8]) -> Say {
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    Say::Sealed(22, [&[kind], &length[1..], content].concat())
}

/// On every connection, once hands are shaken and a request was read, says this; then stays silent.
pub(crate) fn says(version: &'static SupportedProtocolVersion, lines: Vec<Say>) -> SocketAddr {
    let config = Arc::new(config(version));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            if let Some(mut sealer) = Sealer::shake_hands(stream.unwrap(), &config) {
                // A client that is gone already does not matter.
                let _ = lines.iter().try_for_each(|line| sealer.say(line));
                sealer.linger();
            }
        }
    });
    address
}

/// Answers the first connection with the two parts, and between them takes new keys so many times.
pub(crate) fn renews(parts: [&'static str; 2], times: usize) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let stream = listener.accept().unwrap().0;
        let mut tls = shake_hands(stream, &Arc::new(config(&version::TLS13))).unwrap();
        tls.write_all(parts[0].as_bytes()).unwrap();
        for _ in 0..times {
            tls.conn.refresh_traffic_keys().unwrap();
        }
        // A client that does not want so many ends this.
        let _ = tls.write_all(parts[1].as_bytes());
        let _ = std::io::copy(&mut tls.sock, &mut std::io::sink());
    });
    address
}

fn config(version: &'static SupportedProtocolVersion) -> ServerConfig {
    let suites = [
        CipherSuite::TLS13_AES_128_GCM_SHA256,
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    ];
    let mut provider: CryptoProvider = ring::default_provider();
    provider.cipher_suites.retain(|suite| suites.contains(&suite.suite()));
    let mut config = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![IDENTITY.certificate_der()], IDENTITY.key_der())
        .unwrap();
    config.enable_secret_extraction = true;
    config.send_tls13_tickets = 0;
    config
}

/// With a client that then sends the head of a request.
fn shake_hands(
    stream: TcpStream,
    config: &Arc<ServerConfig>,
) -> Option<StreamOwned<ServerConnection, TcpStream>> {
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut tls = StreamOwned::new(ServerConnection::new(Arc::clone(config)).ok()?, stream);
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        tls.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    Some(tls)
}

struct Sealer {
    stream: TcpStream,
    encrypter: Box<dyn MessageEncrypter>,
    sequence: u64,
}

impl Sealer {
    fn shake_hands(stream: TcpStream, config: &Arc<ServerConfig>) -> Option<Self> {
        let tls = shake_hands(stream, config)?;
        let suite = tls.conn.negotiated_cipher_suite().unwrap();
        let (sequence, secrets) = tls.conn.dangerous_extract_secrets().unwrap().tx;
        let ConnectionTrafficSecrets::Aes128Gcm { key, iv } = secrets else {
            panic!("another cipher than the one of the configuration");
        };
        let encrypter = match suite {
            SupportedCipherSuite::Tls13(suite) => suite.aead_alg.encrypter(key, iv),
            SupportedCipherSuite::Tls12(suite) => {
                let (salt, explicit) = iv.as_ref().split_at(4);
                suite.aead_alg.encrypter(key, salt, explicit)
            }
        };
        Some(Sealer { stream: tls.sock, encrypter, sequence })
    }

    fn wire(&mut self, say: &Say) -> Vec<u8> {
        match say {
            Say::Sealed(kind, bytes) => {
                let message = OutboundPlainMessage {
                    typ: ContentType::from(*kind),
                    version: ProtocolVersion::TLSv1_2,
                    payload: OutboundChunks::Single(bytes),
                };
                let record = self.encrypter.encrypt(message, self.sequence).unwrap();
                self.sequence += 1;
                record.encode()
            }
            Say::Wire(bytes) => bytes.clone(),
            Say::Cut(keep, whole) => self.wire(whole)[..*keep].to_vec(),
            Say::Times(times, one) => (0..*times).flat_map(|_| self.wire(one)).collect(),
            Say::All(all) => all.iter().flat_map(|one| self.wire(one)).collect(),
            Say::Always(_) | Say::Fin => Vec::new(),
        }
    }

    fn say(&mut self, say: &Say) -> std::io::Result<()> {
        match say {
            Say::Always(one) => loop {
                let many = self.wire(&Say::Times(1_000, one.clone()));
                self.stream.write_all(&many)?;
            },
            Say::Fin => self.stream.shutdown(Shutdown::Write),
            _ => {
                let wire = self.wire(say);
                self.stream.write_all(&wire)
            }
        }
    }

    /// Reads to the client's end, so that what was said is not lost to an RST.
    fn linger(mut self) {
        let _ = std::io::copy(&mut self.stream, &mut std::io::sink());
    }
}
