//! `verify=` and `cert=`: what is trusted and shown.

use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;
use waterclock::tls::{ClientIdentity, Roots, SettingsError, TlsSettings};

/// `verify=`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) enum Verify {
    /// Whatever certificate there is.
    Off,
    /// By the certificates in a PEM file or in a folder of such files.
    By(PathBuf),
    /// By those of the system.
    System,
}

/// `cert=`: the files of certificate and key, which may be the same.
pub(crate) type Cert = (PathBuf, PathBuf);

impl Verify {
    pub(crate) fn extract(verify: &Bound<'_, PyAny>) -> PyResult<Self> {
        if let Ok(verify) = verify.extract::<bool>() {
            return Ok(if verify { Verify::System } else { Verify::Off });
        }
        Ok(Verify::By(verify.extract()?))
    }
}

pub(crate) fn cert(cert: &Bound<'_, PyAny>) -> PyResult<Option<Cert>> {
    if cert.is_none() {
        return Ok(None);
    }
    if let Ok(both) = cert.extract::<PathBuf>() {
        return Ok(Some((both.clone(), both)));
    }
    cert.extract().map(Some)
}

/// A file as it was when it was read.
type Seen = Option<(SystemTime, u64)>;

fn seen(path: &Path) -> Seen {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

#[derive(PartialEq, Eq, Hash)]
struct Key {
    verify: Verify,
    roots: Seen,
    cert: Option<Cert>,
    shown: (Seen, Seen),
}

/// Settings by what they were made from: files that change are read again, for new connections.
#[derive(Default)]
pub(crate) struct TlsCache(Mutex<HashMap<Key, TlsSettings>>);

/// More pairs of files than this are not remembered.
const MOST: usize = 64;

impl TlsCache {
    pub(crate) fn get(&self, verify: &Verify, cert: Option<&Cert>) -> PyResult<TlsSettings> {
        let roots = if let Verify::By(path) = verify { seen(path) } else { None };
        let shown = cert.map_or((None, None), |(cert, key)| (seen(cert), seen(key)));
        let key = Key { verify: verify.clone(), roots, cert: cert.cloned(), shown };
        if let Some(settings) = self.lock().get(&key) {
            return Ok(settings.clone());
        }
        let settings = make(verify, cert).map_err(|error| unusable(&error))?;
        let mut cache = self.lock();
        if cache.len() >= MOST {
            cache.clear();
        }
        cache.insert(key, settings.clone());
        Ok(settings)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Key, TlsSettings>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn make(verify: &Verify, cert: Option<&Cert>) -> Result<TlsSettings, SettingsError> {
    let mut builder = TlsSettings::builder();
    builder = match verify {
        Verify::Off => builder.danger_accept_invalid_certificates(true),
        Verify::By(path) if path.is_dir() => builder.roots(Roots::pem_dir(path)?),
        Verify::By(path) => builder.roots(Roots::pem_file(path)?),
        Verify::System => builder,
    };
    if let Some((cert, key)) = cert {
        builder = builder.identity(ClientIdentity::pem_files(cert, key)?);
    }
    builder.build()
}

fn unusable(error: &SettingsError) -> PyErr {
    PyOSError::new_err(error.to_string())
}
