//! Pins: a peer is accepted only with a certificate or key that is known beforehand.

use super::error::SettingsError;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use std::fmt;

type Sum = [u8; 32];

/// What a peer's certificate must match, in addition to all other verification.
///
/// ```
/// use waterclock::tls::Pin;
///
/// let key = Pin::parse("sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")?;
/// let certificate = Pin::parse(
///     "e3:b0:c4:42:98:fc:1c:14:9a:fb:f4:c8:99:6f:b9:24:27:ae:41:e4:64:9b:93:4c:a4:95:99:1b:78:52:b8:55",
/// )?;
/// assert_ne!(key, certificate);
/// # Ok::<(), waterclock::tls::SettingsError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Pin {
    /// The SHA-256 of the certificate's SubjectPublicKeyInfo (RFC 7469 §2.4). Survives a renewal
    /// that keeps the key.
    PublicKey(Sum),
    /// The SHA-256 of the whole certificate.
    Certificate(Sum),
}

impl Pin {
    /// Reads `sha256//BASE64` or `sha256/BASE64` (a public key, as curl writes it) or 64
    /// hexadecimal digits, with or without colons (a certificate's fingerprint, as browsers,
    /// `openssl x509 -fingerprint -sha256` and urllib3 write it).
    ///
    /// # Errors
    /// When it is neither.
    pub fn parse(text: &str) -> Result<Self, SettingsError> {
        let text = text.trim();
        match text.strip_prefix("sha256/") {
            Some(rest) => Self::public_key(rest.strip_prefix('/').unwrap_or(rest)),
            None => Self::certificate(text),
        }
    }

    /// Reads several, with `;` between them.
    ///
    /// # Errors
    /// When one cannot be read, or there is none.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, SettingsError> {
        let parts = text.split(';').filter(|part| !part.trim().is_empty());
        let pins = parts.map(Self::parse).collect::<Result<Vec<_>, _>>()?;
        if pins.is_empty() { Err(bad(text, "it is empty")) } else { Ok(pins) }
    }

    fn public_key(base64: &str) -> Result<Self, SettingsError> {
        let bytes = STANDARD.decode(base64).map_err(|error| bad(base64, &error.to_string()))?;
        let sum = Sum::try_from(bytes).map_err(|bytes| {
            bad(base64, &format!("a SHA-256 has 32 bytes, not {}", bytes.len()))
        })?;
        Ok(Pin::PublicKey(sum))
    }

    fn certificate(text: &str) -> Result<Self, SettingsError> {
        let hex: Vec<u8> = text.bytes().filter(|byte| *byte != b':').collect();
        if !hex.iter().all(u8::is_ascii_hexdigit) {
            return Err(bad(text, "it is neither sha256//BASE64 nor hexadecimal"));
        }
        let digit = |byte: u8| match byte {
            b'0'..=b'9' => byte - b'0',
            _ => (byte | 0x20) - b'a' + 10,
        };
        let mut sum = Sum::default();
        let (pairs, odd) = hex.as_chunks::<2>();
        match hex.len() {
            64 if odd.is_empty() => {}
            32 => return Err(bad(text, "MD5 is not safe for this; take SHA-256")),
            40 => return Err(bad(text, "SHA-1 is not safe for this; take SHA-256")),
            count => return Err(bad(text, &format!("a SHA-256 has 64 digits, not {count}"))),
        }
        for (byte, [high, low]) in sum.iter_mut().zip(pairs) {
            *byte = digit(*high) << 4 | digit(*low);
        }
        Ok(Pin::Certificate(sum))
    }

    pub(super) fn matches(self, certificate: &[u8], key: &[u8]) -> bool {
        self == self.like(certificate, key)
    }

    /// The pin of the same kind that this certificate and its key would match.
    pub(super) fn like(self, certificate: &[u8], key: &[u8]) -> Self {
        match self {
            Pin::PublicKey(_) => Pin::PublicKey(Sha256::digest(key).into()),
            Pin::Certificate(_) => Pin::Certificate(Sha256::digest(certificate).into()),
        }
    }
}

/// In the notation that [`Pin::parse`] reads.
impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Pin::PublicKey(sum) => write!(f, "sha256//{}", STANDARD.encode(sum)),
            Pin::Certificate(sum) => sum.iter().try_for_each(|byte| write!(f, "{byte:02x}")),
        }
    }
}

fn bad(text: &str, why: &str) -> SettingsError {
    SettingsError::new(format!("{text:?} is not a pin: {why}"))
        .with_hint("write sha256//BASE64 of the public key, or the certificate's SHA-256 in hex")
}
