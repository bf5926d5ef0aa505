//! Whose word is taken for who a peer is.

use super::error::SettingsError;
use super::pem;
use rustls::RootCertStore;
use rustls_pki_types::CertificateDer;
use std::collections::HashSet;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
#[cfg(feature = "native-roots")]
use std::sync::OnceLock;

/// The certificate authorities that are trusted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Roots {
    /// Those of the operating system, read once per process when first needed (about 20 ms). The
    /// variables `SSL_CERT_FILE` and `SSL_CERT_DIR` replace them, in the way of the crate
    /// rustls-native-certs, which reads them: if either is set, only its certificates count.
    #[cfg(feature = "native-roots")]
    System,
    /// Mozilla's list, as it was when this program was built.
    #[cfg(feature = "webpki-roots")]
    Mozilla,
    /// These, and no others.
    Certificates(RootCertificates),
}

/// Root certificates that were given, in DER.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RootCertificates(Arc<[CertificateDer<'static>]>);

impl RootCertificates {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none, so that nobody is trusted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for RootCertificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RootCertificates({})", self.0.len())
    }
}

impl Default for Roots {
    /// The system's if built with `native-roots`, else Mozilla's if built with `webpki-roots`,
    /// else none.
    fn default() -> Self {
        #[cfg(feature = "native-roots")]
        return Roots::System;
        #[cfg(all(feature = "webpki-roots", not(feature = "native-roots")))]
        return Roots::Mozilla;
        #[cfg(not(any(feature = "webpki-roots", feature = "native-roots")))]
        return Roots::Certificates(RootCertificates(Arc::new([])));
    }
}

impl Roots {
    /// The certificates in a PEM file, read now.
    ///
    /// # Errors
    /// When the file cannot be read, is damaged, or holds no usable certificate.
    pub fn pem_file(path: impl AsRef<Path>) -> Result<Self, SettingsError> {
        let path = path.as_ref();
        from_pem(&pem::read_file(path)?, &path.display().to_string())
    }

    /// The certificates in PEM text.
    ///
    /// # Errors
    /// When it is damaged, or holds no usable certificate.
    pub fn pem(text: &[u8]) -> Result<Self, SettingsError> {
        from_pem(text, "the given PEM text")
    }

    /// The certificates in all PEM files of a directory (not of those below it), read now. Files
    /// without a certificate are passed over with a warning in the log.
    ///
    /// # Errors
    /// When the directory cannot be read, or holds no usable certificate at all.
    pub fn pem_dir(path: impl AsRef<Path>) -> Result<Self, SettingsError> {
        let path = path.as_ref();
        let mut certificates = Vec::new();
        for file in files_in(path)? {
            let read = pem::read_file(&file)
                .and_then(|text| pem::certificates(&text, &file.display().to_string()));
            match read {
                Ok(mut found) => certificates.append(&mut found),
                Err(error) => log::warn!("passed over: {error}"),
            }
        }
        usable(certificates, &path.display().to_string())
    }

    /// What a handshake needs.
    pub(super) fn store(&self) -> Result<Arc<RootCertStore>, SettingsError> {
        match self {
            #[cfg(feature = "native-roots")]
            Roots::System => system(),
            #[cfg(feature = "webpki-roots")]
            Roots::Mozilla => {
                Ok(Arc::new(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() }))
            }
            Roots::Certificates(certificates) => {
                let mut store = RootCertStore::empty();
                store.add_parsable_certificates(certificates.0.iter().cloned());
                if store.is_empty() { Err(nobody()) } else { Ok(Arc::new(store)) }
            }
        }
    }
}

fn nobody() -> SettingsError {
    SettingsError::new("no root certificates are trusted, so that no certificate can be accepted")
        .with_hint("name some with --cacert FILE")
}

/// The regular files of a directory, in the order of their names.
fn files_in(directory: &Path) -> Result<Vec<PathBuf>, SettingsError> {
    let entries = fs::read_dir(directory).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let entries = entries.map_err(|error| {
        SettingsError::new(format!("cannot read {}: {error}", directory.display()))
            .with_hint("check the path and its permissions")
    })?;
    let mut files: Vec<PathBuf> = entries.iter().map(fs::DirEntry::path).collect();
    files.retain(|path| path.is_file());
    files.sort();
    Ok(files)
}

fn from_pem(text: &[u8], origin: &str) -> Result<Roots, SettingsError> {
    usable(pem::certificates(text, origin)?, origin)
}

/// Each certificate once, without those that cannot be a root. One odd certificate among many is
/// common in bundles, and must not make all others useless.
fn usable(
    certificates: Vec<CertificateDer<'static>>,
    origin: &str,
) -> Result<Roots, SettingsError> {
    let mut seen = HashSet::new();
    let mut kept = Vec::new();
    let mut refused = None;
    for (index, certificate) in certificates.into_iter().enumerate() {
        match RootCertStore::empty().add(certificate.clone()) {
            Ok(()) if seen.insert(certificate.clone()) => kept.push(certificate),
            Ok(()) => {}
            Err(error) => {
                let words = format!("certificate {} in {origin} is unusable: {error}", index + 1);
                log::warn!("{words}");
                refused.get_or_insert(words);
            }
        }
    }
    match refused {
        Some(words) if kept.is_empty() => {
            Err(SettingsError::new(words).with_hint("check it: `openssl x509 -text -in FILE`"))
        }
        None if kept.is_empty() => {
            Err(SettingsError::new(format!("{origin} holds no certificate in PEM form"))
                .with_hint("name a directory with PEM files, or one file with --cacert FILE"))
        }
        _ => Ok(Roots::Certificates(RootCertificates(kept.into()))),
    }
}

#[cfg(feature = "native-roots")]
fn system() -> Result<Arc<RootCertStore>, SettingsError> {
    static SYSTEM: OnceLock<Result<Arc<RootCertStore>, SettingsError>> = OnceLock::new();
    SYSTEM.get_or_init(load_system).clone()
}

#[cfg(feature = "native-roots")]
fn load_system() -> Result<Arc<RootCertStore>, SettingsError> {
    let loaded = rustls_native_certs::load_native_certs();
    let mut store = RootCertStore::empty();
    let (_, refused) = store.add_parsable_certificates(loaded.certs);
    let problems: Vec<String> = loaded.errors.iter().map(ToString::to_string).collect();
    for problem in &problems {
        log::warn!("the system's root certificates: {problem}");
    }
    if refused > 0 {
        log::debug!("{refused} of the system's root certificates are unusable");
    }
    if !store.is_empty() {
        return Ok(Arc::new(store));
    }
    let why = if problems.is_empty() { "there are none".to_owned() } else { problems.join("; ") };
    Err(SettingsError::new(format!("the system's root certificates cannot be used: {why}"))
        .with_hint(
            "install the system's certificates (package ca-certificates), set SSL_CERT_FILE, or \
             use --cacert FILE",
        ))
}
