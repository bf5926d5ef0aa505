//! What is wrong with a certificate, in words.

use super::words::{Span, Utc};
use super::x509::Summary;
use rustls::CertificateError;
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

/// Puts a verifier's error into our words.
pub(super) fn certificate(error: CertificateError) -> CertificateProblem {
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

/// The verifier lists names like `DnsName("example.com")` and `IpAddress(192.0.2.1)`. What is in
/// them is the peer's choice, and must not reach a terminal as it is.
fn plain_name(name: &str) -> String {
    let inner = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')).unwrap_or(name);
    inner.trim_matches('"').chars().flat_map(char::escape_debug).collect()
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

fn calendar(time: UnixTime) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(time.as_secs())
}
