//! Who we are, for servers that ask.

use super::error::SettingsError;
use super::pem;
use super::provider::provider;
use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::path::Path;
use std::sync::Arc;

/// A client certificate with its private key.
///
/// Two are equal if certificates and key are. The key is in no output of `Debug`.
#[derive(Clone)]
pub struct ClientIdentity(Arc<Inner>);

struct Inner {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    certified: Arc<CertifiedKey>,
}

impl ClientIdentity {
    /// Reads the certificate (with its intermediates after it) and the key from PEM files. Both
    /// may be in the same file.
    ///
    /// # Errors
    /// When a file cannot be read or holds nothing usable, or the key is not the certificate's.
    pub fn pem_files(
        certificate: impl AsRef<Path>,
        key: impl AsRef<Path>,
    ) -> Result<Self, SettingsError> {
        let (certificate, key) = (certificate.as_ref(), key.as_ref());
        Self::read(
            (&pem::read_file(certificate)?, &certificate.display().to_string()),
            (&pem::read_file(key)?, &key.display().to_string()),
        )
    }

    /// Reads certificate and key from one PEM file.
    ///
    /// # Errors
    /// As [`pem_files`](Self::pem_files).
    pub fn pem_file(both: impl AsRef<Path>) -> Result<Self, SettingsError> {
        Self::pem_files(both.as_ref(), both.as_ref())
    }

    /// Reads certificate and key from PEM text, which may be the same twice.
    ///
    /// # Errors
    /// As [`pem_files`](Self::pem_files).
    pub fn pem(certificate: &[u8], key: &[u8]) -> Result<Self, SettingsError> {
        Self::read((certificate, "the given certificate"), (key, "the given key"))
    }

    fn read(certificate: (&[u8], &str), key: (&[u8], &str)) -> Result<Self, SettingsError> {
        let chain = pem::certificates(certificate.0, certificate.1)?;
        let der = pem::private_key(key.0, key.1)?;
        let certified = CertifiedKey::from_der(chain.clone(), der.clone_key(), &provider())
            .map_err(|error| refusal(&error, certificate.1, key.1))?;
        Ok(ClientIdentity(Arc::new(Inner { chain, key: der, certified: Arc::new(certified) })))
    }

    pub(super) fn certified(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.0.certified)
    }
}

fn refusal(error: &Error, certificate: &str, key: &str) -> SettingsError {
    match error {
        Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => SettingsError::new(format!(
            "the private key in {key} does not belong to the first certificate in {certificate}"
        ))
        .with_hint("the client's own certificate must come first, its issuers after it"),
        Error::InvalidCertificate(_) => SettingsError::new(format!(
            "the first certificate in {certificate} cannot be read: {error}"
        )),
        _ => SettingsError::new(format!("the private key in {key} cannot be used: {error}"))
            .with_hint("RSA (2048 bits or more), ECDSA P-256 and P-384, and Ed25519 can be used"),
    }
}

impl PartialEq for ClientIdentity {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
            || (self.0.chain == other.0.chain && self.0.key == other.0.key)
    }
}

impl Eq for ClientIdentity {}

impl Hash for ClientIdentity {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.chain.hash(state);
        self.0.key.secret_der().hash(state);
    }
}

impl fmt::Debug for ClientIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientIdentity")
            .field("certificates", &self.0.chain.len())
            .finish_non_exhaustive()
    }
}
