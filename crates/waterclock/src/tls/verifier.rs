//! Who is accepted as the peer: the usual verification, then the pins.

use super::certificate::{CertificateProblem, unknown_issuer};
use super::pin::Pin;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use std::sync::Arc;

/// Verifies chain, time and name (unless that was switched off), then the pins.
#[derive(Debug)]
pub(super) struct PeerVerifier {
    /// None when verification was switched off.
    pub(super) chain: Option<ChainVerifier>,
    pub(super) pins: Arc<[Pin]>,
    pub(super) algorithms: WebPkiSupportedAlgorithms,
}

/// Verifies chain, time and name.
#[derive(Debug)]
pub(super) struct ChainVerifier {
    pub(super) usual: Arc<WebPkiServerVerifier>,
    pub(super) roots: Arc<RootCertStore>,
}

impl ChainVerifier {
    fn verify(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<(), Error> {
        match self.usual.verify_server_cert(leaf, intermediates, name, ocsp, now) {
            Ok(_) => Ok(()),
            // A server with a certificate that is its own root: `openssl req -x509` makes such, and
            // OpenSSL accepts them. Its time was looked at before this error, its name was not.
            Err(error) if is_used_authority(&error) && self.is_root(leaf) => {
                verify_server_name(&ParsedCertificate::try_from(leaf)?, name)
            }
            Err(error) => Err(with_names(error, leaf, intermediates)),
        }
    }

    /// Whether it is itself trusted, by name and key. That the peer holds the key, the handshake proves.
    fn is_root(&self, leaf: &CertificateDer<'_>) -> bool {
        webpki::anchor_from_trusted_cert(leaf).is_ok_and(|own| self.roots.roots.contains(&own))
    }
}

fn is_used_authority(error: &Error) -> bool {
    let Error::InvalidCertificate(CertificateError::Other(OtherError(other))) = error else {
        return false;
    };
    other.downcast_ref() == Some(&webpki::Error::CaUsedAsEndEntity)
}

impl PeerVerifier {
    /// Whether the peer must prove that it holds the certificate's key. A pin would be worth
    /// nothing without; with neither pins nor verification the proof would be of a key that
    /// anybody can make, and certificates too old to be read would be refused in vain.
    fn wants_proof(&self) -> bool {
        self.chain.is_some() || !self.pins.is_empty()
    }
}

impl ServerCertVerifier for PeerVerifier {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if let Some(chain) = &self.chain {
            chain.verify(leaf, intermediates, name, ocsp, now)?;
        }
        check_pins(&self.pins, leaf)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        if !self.wants_proof() {
            return Ok(HandshakeSignatureValid::assertion());
        }
        verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        if !self.wants_proof() {
            return Ok(HandshakeSignatureValid::assertion());
        }
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// One of the pins must match, so that the next key can be pinned before it is in use.
fn check_pins(pins: &[Pin], leaf: &CertificateDer<'_>) -> Result<(), Error> {
    if pins.is_empty() {
        return Ok(());
    }
    // The verifier's own reading of the key, so that the key that is pinned is the one that
    // signs the handshake.
    let key = ParsedCertificate::try_from(leaf)?.subject_public_key_info();
    if pins.iter().any(|pin| pin.matches(leaf, &key)) {
        return Ok(());
    }
    let mut got: Vec<String> = pins.iter().map(|pin| pin.like(leaf, &key).to_string()).collect();
    got.dedup();
    Err(ours(CertificateProblem::PinMismatch {
        expected: pins.iter().map(ToString::to_string).collect(),
        got,
    }))
}

/// rustls says only that the issuer is unknown. Who it is, and whether the certificate is its own
/// issuer, helps more than the exact alert, which becomes `certificate_unknown`.
fn with_names(
    error: Error,
    leaf: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
) -> Error {
    match error {
        Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
            ours(unknown_issuer(leaf, intermediates.last().unwrap_or(leaf)))
        }
        // A self-signed certificate is mostly marked as an authority too, and refused for that.
        Error::InvalidCertificate(CertificateError::Other(other)) => {
            match unknown_issuer(leaf, leaf) {
                problem @ CertificateProblem::SelfSigned { .. } => ours(problem),
                _ => CertificateError::Other(other).into(),
            }
        }
        other => other,
    }
}

fn ours(problem: CertificateProblem) -> Error {
    CertificateError::Other(OtherError(Arc::new(problem))).into()
}
