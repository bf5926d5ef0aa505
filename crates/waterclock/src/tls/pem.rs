//! PEM files (RFC 7468), with errors that say which file and which item.

use super::error::SettingsError;
use rustls_pki_types::pem::{self, PemObject as _, SectionKind};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::fs;
use std::path::Path;

/// Reads a whole file.
pub(super) fn read_file(path: &Path) -> Result<Vec<u8>, SettingsError> {
    fs::read(path).map_err(|error| {
        SettingsError::new(format!("cannot read {}: {error}", path.display()))
            .with_hint("check the path and its permissions")
    })
}

/// All certificates, at least one. Other items (keys, parameters) are passed over.
pub(super) fn certificates(
    text: &[u8],
    origin: &str,
) -> Result<Vec<CertificateDer<'static>>, SettingsError> {
    let mut found = Vec::new();
    for item in items(text, origin) {
        if let (SectionKind::Certificate, der) = item? {
            found.push(CertificateDer::from(der));
        }
    }
    if found.is_empty() {
        return Err(SettingsError::new(format!("{origin} holds no certificate in PEM form"))
            .with_hint(format!(
                "it must have a line {}; a DER file is turned into PEM by \
                 `openssl x509 -inform der -in FILE -out FILE.pem`",
                "-----BEGIN CERTIFICATE-----"
            )));
    }
    Ok(found)
}

/// The first private key.
pub(super) fn private_key(
    text: &[u8],
    origin: &str,
) -> Result<PrivateKeyDer<'static>, SettingsError> {
    // OpenSSL's old way to encrypt leaves the kind of key as it is, so that the body would be
    // taken for a damaged key.
    if contains(text, b"-----BEGIN ENCRYPTED PRIVATE KEY") || contains(text, b"4,ENCRYPTED") {
        return Err(SettingsError::new(format!("the private key in {origin} is encrypted"))
            .with_hint("decrypt it: `openssl pkey -in FILE -out FILE.key`"));
    }
    for item in items(text, origin) {
        let (kind, der) = item?;
        if let Some(key) = PrivateKeyDer::from_pem(kind, der) {
            return Ok(key);
        }
    }
    Err(SettingsError::new(format!("{origin} holds no private key in PEM form"))
        .with_hint("it must have a line -----BEGIN PRIVATE KEY-----"))
}

type Item = (SectionKind, Vec<u8>);

fn items<'a>(
    text: &'a [u8],
    origin: &'a str,
) -> impl Iterator<Item = Result<Item, SettingsError>> + 'a {
    Item::pem_slice_iter(text).enumerate().map(move |(index, item)| {
        item.map_err(|error| {
            SettingsError::new(format!(
                "item {} in {origin} is damaged: {}",
                index + 1,
                in_words(&error)
            ))
            .with_hint("copy the file anew, or remove the item")
        })
    })
}

fn in_words(error: &pem::Error) -> String {
    match error {
        pem::Error::MissingSectionEnd { end_marker } => {
            let label = String::from_utf8_lossy(end_marker);
            format!("its last line, -----END {label}-----, is missing")
        }
        pem::Error::IllegalSectionStart { line } => {
            format!("its first line {:?} is malformed", String::from_utf8_lossy(line))
        }
        pem::Error::Base64Decode(_) => "its content is not Base64".to_owned(),
        other => other.to_string(),
    }
}

fn contains(text: &[u8], wanted: &[u8]) -> bool {
    text.windows(wanted.len()).any(|window| window == wanted)
}
