//! [`CutTls`]: a TLS server that stops in the middle of a record, so that there are bytes to read and
//! still nothing to be had.

use crate::bench::ORIGIN;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, PKCS_ED25519};
use rustls::crypto::ring::default_provider;
use rustls::{ServerConfig, ServerConnection};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use std::io::{Read, Write};
use std::sync::{Arc, OnceLock};
use waterclock_sim::{Peer, Wire};

/// Sends its flights whole up to a certain one, of which it sends the first bytes only. Flight 0
/// goes from ServerHello to Finished; each of the answers to the request is one of its own.
#[derive(Clone)]
pub(crate) struct CutTls {
    flight: usize,
    bytes: usize,
    answers: Vec<&'static [u8]>,
    link: Option<Arc<std::sync::Mutex<Link>>>,
}

struct Link {
    session: ServerConnection,
    request: Vec<u8>,
    flights: usize,
    answered: bool,
}

impl CutTls {
    /// Of `flight` only `bytes` are sent, and nothing behind it.
    pub(crate) fn new(flight: usize, bytes: usize, answers: &[&'static [u8]]) -> Self {
        CutTls { flight, bytes, answers: answers.to_vec(), link: None }
    }

    /// The root that a client is to trust.
    pub(crate) fn root() -> &'static [u8] {
        &identity().0
    }
}

impl Peer for CutTls {
    fn poll(&mut self, wire: &mut Wire) {
        let (flight, bytes) = (self.flight, self.bytes);
        let link = self.link.get_or_insert_with(|| Arc::new(Link::new().into()));
        let mut link = link.lock().unwrap();
        let arrived = wire.take_all();
        let mut rest = arrived.as_slice();
        while !rest.is_empty() {
            link.session.read_tls(&mut rest).unwrap();
            link.session.process_new_packets().unwrap();
        }
        let mut piece = [0; 4096];
        while let Ok(count @ 1..) = link.session.reader().read(&mut piece) {
            link.request.extend_from_slice(&piece[..count]);
        }
        wire.record_decrypted(&std::mem::take(&mut link.request));
        link.send(wire, flight, bytes);
        if !wire.ended() && !link.session.is_handshaking() && !link.answered {
            link.answered = true;
            for answer in &self.answers {
                link.session.writer().write_all(answer).unwrap();
                link.send(wire, flight, bytes);
            }
        }
    }

    fn describe(&self) -> String {
        "its TLS is cut within a record".to_owned()
    }
}

impl Link {
    fn new() -> Self {
        let (_, config) = identity();
        let session = ServerConnection::new(Arc::clone(config)).unwrap();
        Link { session, request: Vec::new(), flights: 0, answered: false }
    }

    fn send(&mut self, wire: &mut Wire, cut: usize, bytes: usize) {
        let mut records = Vec::new();
        while self.session.wants_write() {
            self.session.write_tls(&mut records).unwrap();
        }
        if records.is_empty() {
            return;
        }
        if self.flights == cut {
            assert!(bytes < records.len(), "a flight of {} bytes is not cut", records.len());
            records.truncate(bytes);
        }
        if self.flights <= cut {
            wire.send(records);
        }
        self.flights += 1;
    }
}

fn identity() -> &'static (CertificateDer<'static>, Arc<ServerConfig>) {
    static IDENTITY: OnceLock<(CertificateDer<'static>, Arc<ServerConfig>)> = OnceLock::new();
    IDENTITY.get_or_init(|| {
        let root_key = KeyPair::generate_for(&PKCS_ED25519).unwrap();
        let mut root = CertificateParams::new(Vec::new()).unwrap();
        root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root_certificate = root.self_signed(&root_key).unwrap();
        let key = KeyPair::generate_for(&PKCS_ED25519).unwrap();
        let params = CertificateParams::new(vec![ORIGIN.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &Issuer::new(root, root_key)).unwrap();
        let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.into()],
                PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
            )
            .unwrap();
        config.send_tls13_tickets = 0;
        (root_certificate.into(), Arc::new(config))
    })
}
