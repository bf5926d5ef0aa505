//! [`TlsSession`] against rustls' own server, in memory: no socket, no thread, a fixed calendar.

mod certificates;
mod key_log;
mod peers;
mod settings;
mod stream;

use super::*;
use crate::world::{Answer, Endpoint, Interest, Opened, Signal, SocketOptions, Woke, World};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::server::{ServerConfig, ServerConnection, WebPkiClientVerifier};
use rustls::{RootCertStore, SupportedProtocolVersion};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use std::io::{self, IoSlice, Read as _, Write as _};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};
use waterclock_proto::tick::Tick;

const TLS12: &[&SupportedProtocolVersion] = &[&rustls::version::TLS12];
const TLS13: &[&SupportedProtocolVersion] = &[&rustls::version::TLS13];

/// 2026-06-15 00:00:00 UTC.
const TODAY: u64 = 1_781_481_600;

/// A world in which only the calendar matters: nothing in TLS may ask for anything else.
#[derive(Debug)]
struct Calendar(Mutex<SystemTime>);

impl World for Calendar {
    fn now(&self) -> Tick {
        unreachable!("TLS has no use for the monotonic clock")
    }
    fn wall(&self) -> SystemTime {
        *self.0.lock().unwrap()
    }
    fn random(&self, _: &mut [u8]) {
        unreachable!()
    }
    fn open(&self, _: &Endpoint, _: &SocketOptions) -> io::Result<Opened> {
        unreachable!()
    }
    fn lookup(&self, _: &str, _: u16, _: Answer) {
        unreachable!()
    }
    fn signal(&self) -> io::Result<Arc<dyn Signal>> {
        unreachable!()
    }
    fn wait(&self, _: &mut [Interest<'_>], _: Tick) -> io::Result<Woke> {
        unreachable!()
    }
}

fn calendar(seconds: u64) -> Arc<Calendar> {
    Arc::new(Calendar(Mutex::new(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))))
}

fn cache() -> ConfigCache {
    ConfigCache::new(calendar(TODAY))
}

/// A certificate authority of the tests' own.
struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate (with those that were issued along the way) and its key.
struct Credentials {
    pem: String,
    key: KeyPair,
    chain: Vec<Vec<u8>>,
}

fn named(name: &str, params: CertificateParams) -> CertificateParams {
    let mut params = params;
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

fn authority_params(name: &str) -> CertificateParams {
    let mut params = named(name, CertificateParams::default());
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

impl Authority {
    fn new(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        Authority(CertifiedIssuer::self_signed(authority_params(name), key).unwrap())
    }

    fn roots(&self) -> Roots {
        Roots::pem(self.0.pem().as_bytes()).unwrap()
    }

    fn settings(&self) -> TlsSettingsBuilder {
        TlsSettings::builder().roots(self.roots()).key_logging(KeyLogging::Off)
    }

    fn issue(&self, params: &CertificateParams) -> Credentials {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        let chain = vec![certificate.der().to_vec()];
        Credentials { pem: certificate.pem(), key, chain }
    }

    fn issue_for(&self, names: &[&str]) -> Credentials {
        self.issue(&params_for(names))
    }
}

fn params_for(names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    named("leaf", CertificateParams::new(names).unwrap())
}

impl Credentials {
    fn identity(&self) -> ClientIdentity {
        ClientIdentity::pem(self.pem.as_bytes(), self.key.serialize_pem().as_bytes()).unwrap()
    }

    fn key_der(&self) -> PrivateKeyDer<'static> {
        PrivatePkcs8KeyDer::from(self.key.serialize_der()).into()
    }

    fn server(&self, versions: &[&'static SupportedProtocolVersion]) -> ServerConfig {
        self.server_asking(versions, None)
    }

    /// A server that wants certificates of this authority's, if one is given.
    fn server_asking(
        &self,
        versions: &[&'static SupportedProtocolVersion],
        clients: Option<&Authority>,
    ) -> ServerConfig {
        let builder = ServerConfig::builder_with_provider(provider::provider())
            .with_protocol_versions(versions)
            .unwrap();
        let builder = match clients {
            None => builder.with_no_client_auth(),
            Some(authority) => {
                let mut roots = RootCertStore::empty();
                roots.add(authority.0.as_ref().der().clone()).unwrap();
                let verifier = WebPkiClientVerifier::builder_with_provider(
                    Arc::new(roots),
                    provider::provider(),
                );
                builder.with_client_cert_verifier(verifier.build().unwrap())
            }
        };
        let chain = self.chain.iter().map(|der| der.clone().into()).collect();
        builder.with_single_cert(chain, self.key_der()).unwrap()
    }
}

/// A client and a server, and how many bytes move between them at a time.
struct Pair {
    client: TlsSession,
    server: ServerConnection,
    piece: usize,
    server_error: Option<rustls::Error>,
}

impl Pair {
    fn new(config: &TlsConfig, host: &str, server: &Arc<ServerConfig>) -> Self {
        Pair {
            client: TlsSession::new(config, host).unwrap(),
            server: ServerConnection::new(Arc::clone(server)).unwrap(),
            piece: usize::MAX,
            server_error: None,
        }
    }

    /// Moves bytes until nobody has any left to send. The client's error, if it had one, after its
    /// alert was delivered.
    fn settle(&mut self) -> Result<(), TlsError> {
        let mut outcome = Ok(());
        loop {
            let to_server = self.client_sends();
            self.server_takes(&to_server);
            let mut to_client = Vec::new();
            while self.server.wants_write() {
                self.server.write_tls(&mut to_client).unwrap();
            }
            if to_client.is_empty() && to_server.is_empty() {
                return outcome;
            }
            for piece in to_client.chunks(self.piece) {
                if outcome.is_ok() {
                    outcome = self.client.receive(piece).map(|taken| {
                        assert_eq!(taken, piece.len());
                    });
                }
            }
        }
    }

    fn client_sends(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        self.client.transmit_into(&mut out);
        assert!(!self.client.wants_write());
        out
    }

    fn server_takes(&mut self, bytes: &[u8]) {
        for mut piece in bytes.chunks(self.piece) {
            while !piece.is_empty() {
                self.server.read_tls(&mut piece).unwrap();
                if let Err(error) = self.server.process_new_packets() {
                    self.server_error.get_or_insert(error);
                }
            }
        }
    }

    /// What the server sends for this plaintext, and nothing else.
    fn server_sends(&mut self, plaintext: &[u8]) -> Vec<u8> {
        self.server.writer().write_all(plaintext).unwrap();
        let mut out = Vec::new();
        while self.server.wants_write() {
            self.server.write_tls(&mut out).unwrap();
        }
        out
    }

    fn server_reads(&mut self) -> Vec<u8> {
        let mut out = vec![0; 1 << 20];
        let n = self.server.reader().read(&mut out).unwrap();
        out.truncate(n);
        out
    }

    fn client_reads(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        let mut buffer = [0; 1000];
        while let PlainRead::Bytes(n) = self.client.read_plain(&mut buffer).unwrap() {
            out.extend_from_slice(&buffer[..n]);
        }
        out
    }
}

/// A handshake to its end, good or bad.
fn handshake(settings: &TlsSettings, host: &str, server: ServerConfig) -> Result<Pair, TlsError> {
    let config = cache().get(settings)?;
    let mut pair = Pair::new(&config, host, &Arc::new(server));
    pair.settle().map(|()| pair)
}

/// Set in a test that runs itself again, because the environment of a running process cannot be
/// changed safely.
const ROLE: &str = "WATERCLOCK_TEST_ROLE";

fn run_again(test: &str, role: &str, environment: &[(&str, &Path)]) {
    let run = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("tls::tests::{test}")])
        .env_remove("SSL_CERT_DIR")
        .env(ROLE, role)
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success() && said.contains("1 passed"), "{said}");
}

fn certificate_problem(outcome: Result<Pair, TlsError>) -> CertificateProblem {
    match outcome {
        Err(TlsError::Certificate(problem)) => problem,
        Err(other) => panic!("not about the certificate: {other}"),
        Ok(_) => panic!("accepted"),
    }
}
