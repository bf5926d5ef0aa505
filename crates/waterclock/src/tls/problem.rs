//! What is wrong with a certificate or with a handshake, in words.

use super::error::TlsError;
use super::record::RecordMeter;
use super::x509::Summary;
use rustls::{
    AlertDescription, CertificateError, InvalidMessage, PeerIncompatible, PeerMisbehaved,
};
use rustls_pki_types::UnixTime;
use std::error::Error;
use std::fmt;
use std::time::{Duration, SystemTime};

/// Why a peer's certificate was not accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CertificateProblem {
    /// It was valid only until `since`.
    Expired {
        /// The last instant at which it was valid.
        since: SystemTime,
        /// The calendar time it was checked at.
        now: SystemTime,
    },
    /// It is valid only from `from` on.
    NotYetValid {
        /// The first instant at which it will be valid.
        from: SystemTime,
        /// The calendar time it was checked at.
        now: SystemTime,
    },
    /// It is for other names.
    WrongName {
        /// The name that was asked for.
        wanted: String,
        /// The names and addresses it is for (its subjectAltName).
        names: Vec<String>,
    },
    /// Nobody we trust vouches for it.
    UnknownIssuer {
        /// Who issued the last certificate of the chain, if that can be read.
        issuer: Option<String>,
    },
    /// It vouches for itself only, and is not among the trusted ones.
    SelfSigned {
        /// Whom it claims to be for, if that can be read.
        subject: Option<String>,
    },
    /// It matches none of the pins.
    PinMismatch {
        /// The pins that were set.
        expected: Vec<String>,
        /// What they would have to be for this certificate.
        got: Vec<String>,
    },
    /// A signature in the chain is wrong.
    BadSignature,
    /// It was revoked.
    Revoked,
    /// It must not be used for a server.
    WrongPurpose,
    /// It cannot be read.
    Unreadable,
    /// The peer presented none.
    Missing,
    /// Anything else, in words.
    Other(String),
}

/// What a caller may do about an issuer that is not trusted.
const TRUST_HINT: &str = "if you trust it, name its root certificate with --cacert FILE";

impl CertificateProblem {
    /// What may be done about it, if there is anything to advise.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        match self {
            CertificateProblem::Expired { .. } => Some(
                "the server's operator has to renew it; if this machine's clock is wrong, set it",
            ),
            CertificateProblem::NotYetValid { .. } => {
                Some("this machine's clock may be behind; compare it with the time above")
            }
            CertificateProblem::WrongName { .. } => {
                Some("ask for one of the names it is for, or check where the name leads to")
            }
            CertificateProblem::UnknownIssuer { .. } => Some(
                "the server may leave out an intermediate certificate, or a proxy may intercept \
                 the connection; if you trust the issuer, name its root with --cacert FILE",
            ),
            CertificateProblem::SelfSigned { .. } => Some(TRUST_HINT),
            CertificateProblem::PinMismatch { .. } => {
                Some("if the server has a new key that you trust, pin that one")
            }
            CertificateProblem::Missing => None,
            _ => Some("the server's operator has to replace it"),
        }
    }
}

impl fmt::Display for CertificateProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CertificateProblem::Expired { since, now } => write!(
                f,
                "the certificate expired on {}, {} ago",
                Utc(*since),
                Span(now.duration_since(*since).unwrap_or_default())
            ),
            CertificateProblem::NotYetValid { from, now } => write!(
                f,
                "the certificate is not valid before {}, in {}",
                Utc(*from),
                Span(from.duration_since(*now).unwrap_or_default())
            ),
            CertificateProblem::WrongName { wanted, names } => {
                write!(f, "the certificate is not for {wanted}: it is for ")?;
                list_names(f, names)
            }
            CertificateProblem::UnknownIssuer { issuer: Some(issuer) } => {
                write!(f, "the certificate's issuer, {issuer:?}, is not among the trusted roots")
            }
            CertificateProblem::UnknownIssuer { issuer: None } => {
                f.write_str("the certificate's issuer is not among the trusted roots")
            }
            CertificateProblem::SelfSigned { subject: Some(subject) } => {
                write!(f, "the certificate of {subject:?} is signed by itself, and not trusted")
            }
            CertificateProblem::SelfSigned { subject: None } => {
                f.write_str("the certificate is signed by itself, and not trusted")
            }
            CertificateProblem::PinMismatch { expected, got } => write!(
                f,
                "the certificate matches no pin: expected {}, got {}",
                expected.join(" or "),
                got.join(" and ")
            ),
            CertificateProblem::BadSignature => {
                f.write_str("a signature in the certificate chain is wrong or of an unknown kind")
            }
            CertificateProblem::Revoked => f.write_str("the certificate was revoked"),
            CertificateProblem::WrongPurpose => {
                f.write_str("the certificate must not be used for a server")
            }
            CertificateProblem::Unreadable => f.write_str("the certificate cannot be read"),
            CertificateProblem::Missing => f.write_str("the peer presented no certificate"),
            CertificateProblem::Other(words) => write!(f, "the certificate is unusable: {words}"),
        }
    }
}

impl Error for CertificateProblem {}

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
            HandshakeProblem::NoCommonVersion => {
                Some("only TLS 1.2 and 1.3 are spoken here; the server has to be updated")
            }
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

fn certificate(error: CertificateError) -> CertificateProblem {
    use CertificateError as C;
    match error {
        C::ExpiredContext { time, not_after } => {
            CertificateProblem::Expired { since: calendar(not_after), now: calendar(time) }
        }
        C::NotValidYetContext { time, not_before } => {
            CertificateProblem::NotYetValid { from: calendar(not_before), now: calendar(time) }
        }
        C::NotValidForNameContext { expected, presented } => CertificateProblem::WrongName {
            wanted: expected.to_str().into_owned(),
            names: presented.iter().map(|name| plain_name(name)).collect(),
        },
        C::UnknownIssuer => CertificateProblem::UnknownIssuer { issuer: None },
        C::BadSignature
        | C::UnsupportedSignatureAlgorithmContext { .. }
        | C::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            CertificateProblem::BadSignature
        }
        C::Revoked => CertificateProblem::Revoked,
        C::InvalidPurpose | C::InvalidPurposeContext { .. } => CertificateProblem::WrongPurpose,
        C::BadEncoding => CertificateProblem::Unreadable,
        C::Other(other) => match other.0.downcast_ref::<CertificateProblem>() {
            Some(ours) => ours.clone(),
            None => CertificateProblem::Other(other.to_string()),
        },
        other => CertificateProblem::Other(other.to_string()),
    }
}

/// What only the certificates themselves tell about an issuer that was not found.
pub(super) fn unknown_issuer(leaf: &[u8], last: &[u8]) -> CertificateProblem {
    match (Summary::read(leaf), Summary::read(last)) {
        (Some(leaf), _) if leaf.is_self_issued() => {
            CertificateProblem::SelfSigned { subject: leaf.subject_name() }
        }
        (_, Some(last)) => CertificateProblem::UnknownIssuer { issuer: last.issuer_name() },
        _ => CertificateProblem::UnknownIssuer { issuer: None },
    }
}

/// The verifier lists names like `DnsName("example.com")` and `IpAddress(192.0.2.1)`.
fn plain_name(name: &str) -> String {
    let inner = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')).unwrap_or(name);
    inner.trim_matches('"').to_owned()
}

/// Enough names to recognise the server by, for a certificate may have hundreds.
const NAMES_SHOWN: usize = 8;

fn list_names(f: &mut fmt::Formatter<'_>, names: &[String]) -> fmt::Result {
    if names.is_empty() {
        return f.write_str("no name at all (it has no subjectAltName)");
    }
    let shown: Vec<&str> = names.iter().take(NAMES_SHOWN).map(String::as_str).collect();
    f.write_str(&shown.join(", "))?;
    match names.len().saturating_sub(NAMES_SHOWN) {
        0 => Ok(()),
        more => write!(f, " and {more} more"),
    }
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
            Some("only TLS 1.2 and 1.3 are spoken here; the server has to be updated"),
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

fn calendar(time: UnixTime) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(time.as_secs())
}

/// A calendar time, to be read by people.
struct Utc(SystemTime);

impl fmt::Display for Utc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        let (year, month, day) = civil(seconds / 86_400);
        let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
        write!(f, "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
    }
}

/// Year, month and day of a day counted from 1970-01-01 (proleptic Gregorian): years are taken to
/// begin in March, so that the leap day comes last.
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

/// A length of time in its largest unit.
struct Span(Duration);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let (count, unit) = match seconds {
            0..60 => (seconds, "second"),
            60..3600 => (seconds / 60, "minute"),
            3600..86_400 => (seconds / 3600, "hour"),
            _ => (seconds / 86_400, "day"),
        };
        write!(f, "{count} {unit}{}", if count == 1 { "" } else { "s" })
    }
}
