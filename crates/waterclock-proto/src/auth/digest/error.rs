//! Why there is no answer to a challenge.

use std::fmt;

/// Whether it makes sense to send the request again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Yes: [`Digest::authorize`](super::Digest::authorize) has an answer now.
    Retry,
    /// No: hand the response to the user.
    GiveUp(GiveUp),
}

/// Why trying (again) makes no sense.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GiveUp {
    /// No challenge asks for Digest.
    NotAsked,
    /// A Digest challenge without a nonce.
    NoNonce,
    /// All Digest challenges want a hash that is not supported.
    Algorithm {
        /// The first of them, control bytes escaped.
        algorithm: Box<str>,
    },
    /// No protection asked for (`qop`) is supported, or it does not fit the algorithm.
    Qop {
        /// What was asked for, control bytes escaped.
        qop: Box<str>,
    },
    /// The server has refused these credentials for a nonce that was not stale.
    Refused,
    /// The server says of every nonce that it is stale, of its newest too.
    AlwaysStale,
}

impl fmt::Display for GiveUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GiveUp::NotAsked => f.write_str(
                "no challenge asks for Digest authentication; see WWW-Authenticate or \
                 Proxy-Authenticate for what is accepted",
            ),
            GiveUp::NoNonce => f.write_str("the Digest challenge has no nonce"),
            GiveUp::Algorithm { algorithm } => write!(
                f,
                "the Digest challenge wants the algorithm \"{algorithm}\"; supported are MD5, \
                 SHA-256, SHA-512-256 and SHA-512, each also with -sess"
            ),
            GiveUp::Qop { qop } => write!(
                f,
                "the Digest challenge offers qop \"{qop}\"; supported are auth and auth-int, and \
                 none only without -sess"
            ),
            GiveUp::Refused => f.write_str("the user name or password was refused"),
            GiveUp::AlwaysStale => {
                f.write_str("every nonce is said to be stale, the newest one included")
            }
        }
    }
}

impl std::error::Error for GiveUp {}

/// Why a request cannot carry an answer to the challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DigestError {
    /// Only `qop=auth-int` is offered, which hashes the body before it is sent.
    BodyNotHashable,
    /// A control character in the user name, and no way offered to encode it.
    UserControl {
        /// Where, in bytes.
        offset: usize,
    },
    /// A control character in the request target.
    UriControl {
        /// Where, in bytes.
        offset: usize,
    },
}

impl fmt::Display for DigestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DigestError::BodyNotHashable => f.write_str(
                "the server accepts Digest authentication only with qop=auth-int, which hashes the \
                 whole body before sending it; give the body as bytes, not as a stream",
            ),
            DigestError::UserControl { offset } => write!(
                f,
                "the user name has a control character at offset {offset}; remove it (is it a line \
                 end from a file?)"
            ),
            DigestError::UriControl { offset } => {
                write!(
                    f,
                    "the request target has a control character at offset {offset}; encode it"
                )
            }
        }
    }
}

impl std::error::Error for DigestError {}
