//! What went wrong in a handshake, in words.

use super::certificate::{CertificateProblem, certificate};
use super::error::TlsError;
use super::record::RecordMeter;
use rustls::{AlertDescription, InvalidMessage, PeerIncompatible, PeerMisbehaved};
use std::error::Error;
use std::fmt;

/// Why a TLS dialogue failed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HandshakeProblem {
    /// The peer does not speak TLS; these were its first bytes.
    NotTls {
        /// The first bytes, up to 16.
        first: Vec<u8>,
    },
    /// The peer gave up and said why.
    Alert {
        /// The alert's name in RFC 8446 §6, such as `handshake_failure`.
        name: &'static str,
        /// What it means.
        meaning: &'static str,
        /// What may be done about it.
        hint: Option<&'static str>,
    },
    /// The peer and we have no protocol version in common.
    NoCommonVersion,
    /// The peer and we have no cipher suite, key exchange or signature in common.
    NoCommonCipher,
    /// The peer closed the connection without a word.
    ClosedAtOnce,
    /// The peer closed the connection in the middle of the handshake.
    Closed,
    /// A record could not be decrypted: it was damaged or forged.
    Damaged,
    /// The peer broke the protocol.
    Misbehaved(String),
    /// Anything else, in words.
    Other(String),
}

impl HandshakeProblem {
    /// What may be done about it, if there is anything to advise.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        match self {
            HandshakeProblem::NotTls { first } if first.starts_with(b"HTTP/") => {
                Some("try http:// instead of https://, or the port that TLS is on")
            }
            HandshakeProblem::NotTls { .. } => Some("check the port"),
            HandshakeProblem::Alert { hint, .. } => *hint,
            HandshakeProblem::NoCommonVersion => Some(
                "TLS 1.2 and 1.3 are spoken here, or only 1.3 if so set; the server has to be updated",
            ),
            HandshakeProblem::NoCommonCipher => Some("the server's TLS set-up is too old"),
            HandshakeProblem::ClosedAtOnce | HandshakeProblem::Closed => {
                Some("the server may not know this name, or something on the way may block it")
            }
            _ => None,
        }
    }
}

impl fmt::Display for HandshakeProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HandshakeProblem::NotTls { first } => {
                f.write_str("the peer answered with something that is not TLS")?;
                if first.starts_with(b"HTTP/") {
                    f.write_str(", but plain HTTP")?;
                }
                write!(f, ": it began with \"{}\"", first.escape_ascii())
            }
            HandshakeProblem::Alert { name, meaning, .. } => {
                write!(f, "the peer refused: {meaning} (TLS alert {name})")
            }
            HandshakeProblem::NoCommonVersion => {
                f.write_str("the peer speaks no version of TLS that is allowed here")
            }
            HandshakeProblem::NoCommonCipher => {
                f.write_str("the peer and we have no cipher, key exchange or signature in common")
            }
            HandshakeProblem::ClosedAtOnce => {
                f.write_str("the peer closed the connection instead of answering the TLS greeting")
            }
            HandshakeProblem::Closed => {
                f.write_str("the peer closed the connection during the TLS handshake")
            }
            HandshakeProblem::Damaged => {
                f.write_str("a TLS record could not be decrypted: it was damaged or forged")
            }
            HandshakeProblem::Misbehaved(words) => write!(f, "the peer broke TLS: {words}"),
            HandshakeProblem::Other(words) => write!(f, "TLS failed: {words}"),
        }
    }
}

impl Error for HandshakeProblem {}

/// Puts an error of rustls into our words. `offers_identity`: whether we have a client certificate.
pub(super) fn explain(
    error: rustls::Error,
    received: &RecordMeter,
    offers_identity: bool,
) -> TlsError {
    use rustls::Error as E;
    let problem = match error {
        E::InvalidCertificate(error) => return TlsError::Certificate(certificate(error)),
        E::NoCertificatesPresented => return TlsError::Certificate(CertificateProblem::Missing),
        E::InvalidMessage(_) if !looks_like_tls(received.first()) => {
            HandshakeProblem::NotTls { first: received.first().to_vec() }
        }
        E::InvalidMessage(InvalidMessage::UnknownProtocolVersion)
        | E::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13
            | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
            | PeerIncompatible::SupportedVersionsExtensionRequired,
        ) => HandshakeProblem::NoCommonVersion,
        E::AlertReceived(alert) => alert_in_words(alert, offers_identity),
        E::PeerIncompatible(
            PeerIncompatible::NoCipherSuitesInCommon
            | PeerIncompatible::NoKxGroupsInCommon
            | PeerIncompatible::NoSignatureSchemesInCommon,
        )
        | E::PeerMisbehaved(PeerMisbehaved::SelectedUnofferedCipherSuite) => {
            HandshakeProblem::NoCommonCipher
        }
        E::DecryptError => HandshakeProblem::Damaged,
        E::InvalidMessage(_)
        | E::InappropriateMessage { .. }
        | E::InappropriateHandshakeMessage { .. }
        | E::PeerMisbehaved(_)
        | E::PeerSentOversizedRecord => HandshakeProblem::Misbehaved(error.to_string()),
        other => HandshakeProblem::Other(other.to_string()),
    };
    TlsError::Handshake(problem)
}

/// Whether a stream begins like a record: a content type, then version 3.x (RFC 8446 §5.1).
fn looks_like_tls(first: &[u8]) -> bool {
    matches!(first, [] | [20..=23] | [20..=23, 3, ..])
}

/// The name in RFC 8446 §6, what it means, and what may be done.
fn alert_in_words(alert: AlertDescription, offers_identity: bool) -> HandshakeProblem {
    use AlertDescription as A;
    let identity = if offers_identity {
        "the client certificate that was sent is not the one the server wants"
    } else {
        "the server may want a client certificate: --cert FILE and --key FILE"
    };
    let (name, meaning, hint) = match alert {
        A::CloseNotify => ("close_notify", "it ended the connection", None),
        A::UnexpectedMessage => ("unexpected_message", "it did not expect our message", None),
        A::BadRecordMac => ("bad_record_mac", "a record reached it damaged", None),
        A::RecordOverflow => ("record_overflow", "a record was too long for it", None),
        A::HandshakeFailure => (
            "handshake_failure",
            "it found no settings it could accept",
            Some("it may support only old ciphers, or want a client certificate (--cert FILE)"),
        ),
        A::NoCertificate => ("no_certificate", "it wants a client certificate", Some(identity)),
        A::BadCertificate => ("bad_certificate", "the certificate is corrupt", Some(identity)),
        A::UnsupportedCertificate => {
            ("unsupported_certificate", "it cannot use this kind of certificate", Some(identity))
        }
        A::CertificateRevoked => {
            ("certificate_revoked", "the certificate was revoked", Some(identity))
        }
        A::CertificateExpired => {
            ("certificate_expired", "the certificate has expired", Some(identity))
        }
        A::CertificateUnknown => {
            ("certificate_unknown", "it does not accept the certificate", Some(identity))
        }
        A::CertificateRequired => {
            ("certificate_required", "it wants a client certificate", Some(identity))
        }
        A::UnknownCA => ("unknown_ca", "it does not know the certificate's issuer", Some(identity)),
        A::AccessDenied => ("access_denied", "access is denied", Some(identity)),
        A::IllegalParameter => ("illegal_parameter", "it found a value it cannot accept", None),
        A::DecodeError => ("decode_error", "it could not read our message", None),
        A::DecryptError => ("decrypt_error", "a signature or check did not hold for it", None),
        A::ProtocolVersion => (
            "protocol_version",
            "it does not support the versions of TLS that were offered",
            Some(
                "TLS 1.2 and 1.3 are spoken here, or only 1.3 if so set; the server has to be updated",
            ),
        ),
        A::InsufficientSecurity => {
            ("insufficient_security", "our ciphers are too weak for it", None)
        }
        A::InternalError => ("internal_error", "it had a fault of its own", Some("try again")),
        A::InappropriateFallback => ("inappropriate_fallback", "it saw a downgrade", None),
        A::UserCanceled => ("user_canceled", "it was told to stop", None),
        A::MissingExtension => ("missing_extension", "an extension is missing for it", None),
        A::UnsupportedExtension => {
            ("unsupported_extension", "it does not support an extension", None)
        }
        A::UnrecognisedName => (
            "unrecognized_name",
            "it does not know the name that was asked for",
            Some("check the host name; the name in SNI decides which site answers"),
        ),
        A::NoApplicationProtocol => (
            "no_application_protocol",
            "it supports none of the protocols offered by ALPN",
            Some("offer http/1.1, or no ALPN at all"),
        ),
        _ => ("unknown", "it sent an alert of a rare or unknown kind", None),
    };
    HandshakeProblem::Alert { name, meaning, hint }
}
