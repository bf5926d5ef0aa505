//! What can go wrong with TLS, in three families.

use super::certificate::CertificateProblem;
use super::handshake::HandshakeProblem;
use std::error::Error;
use std::fmt;

/// Why a TLS connection could not be made or kept up.
///
/// `Display` is one line that says what happened; [`hint`](Self::hint) is one that says what may
/// be done about it.
#[derive(Clone, Debug)]
pub enum TlsError {
    /// The peer's certificate was not accepted. Error kind `certificate`.
    Certificate(CertificateProblem),
    /// The dialogue itself failed. Error kind `tls`.
    Handshake(HandshakeProblem),
    /// The settings cannot be used; nothing was sent. Error kind `invalid-request`.
    Settings(SettingsError),
}

impl TlsError {
    /// What may be done about it, if there is anything to advise.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        match self {
            TlsError::Certificate(problem) => problem.hint(),
            TlsError::Handshake(problem) => problem.hint(),
            TlsError::Settings(error) => error.hint(),
        }
    }
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TlsError::Certificate(problem) => problem.fmt(f),
            TlsError::Handshake(problem) => problem.fmt(f),
            TlsError::Settings(error) => error.fmt(f),
        }
    }
}

impl Error for TlsError {}

impl From<SettingsError> for TlsError {
    fn from(error: SettingsError) -> Self {
        TlsError::Settings(error)
    }
}

/// A certificate, key, pin, name or file that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsError {
    message: String,
    hint: Option<String>,
}

impl SettingsError {
    pub(super) fn new(message: impl Into<String>) -> Self {
        SettingsError { message: message.into(), hint: None }
    }

    pub(super) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// What may be done about it, if there is anything to advise.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for SettingsError {}
