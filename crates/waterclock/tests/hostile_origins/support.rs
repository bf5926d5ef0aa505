//! What the tables share: sessions, names, and a server of TLS that shows any chain of certificates.

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
};
use rustls::crypto::ring;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use waterclock::tls::{Roots, TlsSettings};
use waterclock::{Limits, ResolveOverride, Session, SessionBuilder};

/// Nothing around the test can influence it, and what hangs ends.
pub(crate) fn builder() -> SessionBuilder {
    Session::builder().trust_env(false).limits(Limits::total(Duration::from_secs(20)))
}

/// Settings that trust the roots in `pem` and no others.
pub(crate) fn trust(pem: &str) -> TlsSettings {
    TlsSettings::builder().roots(Roots::pem(pem.as_bytes()).unwrap()).build().unwrap()
}

/// `host` is where `address` is.
pub(crate) fn named(builder: SessionBuilder, host: &str, address: SocketAddr) -> SessionBuilder {
    builder.resolve(ResolveOverride::new(host, address.port(), vec![address.ip()]))
}

/// Who signs certificates.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// From its own certificate up to the one below the root.
    chain: Vec<CertificateDer<'static>>,
    pub(crate) pem: String,
}

/// What an authority is made of; [`Authority::root`] makes one of it.
pub(crate) fn authority(name: &str) -> CertificateParams {
    let mut params = named_params(name, &[]);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

/// What a server's certificate is made of: the name in its subject, and the names it is for.
pub(crate) fn leaf(common_name: &str, names: &[&str]) -> CertificateParams {
    let mut params = named_params(common_name, names);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params
}

fn named_params(common_name: &str, names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params
}

impl Authority {
    pub(crate) fn root(params: CertificateParams) -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Authority { pem: certificate.pem(), issuer: Issuer::new(params, key), chain: Vec::new() }
    }

    /// Whoever has this certificate signs with it, whether or not it allows that.
    pub(crate) fn below(&self, params: CertificateParams) -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let chain = [&[certificate.der().clone()][..], &self.chain].concat();
        Authority { pem: certificate.pem(), issuer: Issuer::new(params, key), chain }
    }

    pub(crate) fn issue(&self, params: &CertificateParams) -> Shown {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Shown { chain: [&[certificate.der().clone()][..], &self.chain].concat(), key }
    }
}

/// What a server shows: certificates, its own first, and the key of that one.
pub(crate) struct Shown {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: KeyPair,
}

impl Shown {
    pub(crate) fn self_signed(params: &CertificateParams) -> Self {
        let key = KeyPair::generate().unwrap();
        Shown { chain: vec![params.self_signed(&key).unwrap().der().clone()], key }
    }
}

/// A server that answers each connection's first request, and keeps what it got.
pub(crate) struct TlsPeer {
    pub(crate) address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
}

impl TlsPeer {
    pub(crate) fn showing(shown: &Shown) -> Self {
        let provider = Arc::new(ring::default_provider());
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(shown.key.serialize_der()));
        let key = provider.key_provider.load_private_key(key).unwrap();
        // A resolver, for the builder would look at the chain first.
        let certified = SingleCertAndKey::from(CertifiedKey::new(shown.chain.clone(), key));
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(rustls::ALL_VERSIONS)
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(certified));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let peer = TlsPeer { address: listener.local_addr().unwrap(), requests: Arc::default() };
        let (config, requests) = (Arc::new(config), Arc::clone(&peer.requests));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                answer(stream.unwrap(), &config, &requests);
            }
        });
        peer
    }

    pub(crate) fn requests(&self) -> usize {
        self.requests.lock().unwrap().len()
    }
}

fn answer(stream: TcpStream, config: &Arc<ServerConfig>, requests: &Mutex<Vec<String>>) {
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let mut tls = StreamOwned::new(ServerConnection::new(Arc::clone(config)).unwrap(), stream);
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        match tls.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            _ => return,
        }
    }
    requests.lock().unwrap().push(String::from_utf8_lossy(&head).into_owned());
    let _ = tls.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
    tls.conn.send_close_notify();
    let _ = tls.flush();
}
