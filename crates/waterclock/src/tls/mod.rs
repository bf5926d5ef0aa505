//! TLS: what a peer is trusted for ([`TlsSettings`]), and one connection's records ([`TlsSession`]).
//!
//! Nothing here touches a socket or a clock: bytes go in, bytes come out, and the calendar time
//! that certificates are checked against is [`World::wall`](crate::world::World::wall). All use of
//! the rustls crate is inside this module, and none of its types is in its public interface.

mod certificate;
mod config;
mod error;
mod handshake;
mod identity;
mod key_log;
mod pem;
mod pin;
mod provider;
mod record;
mod roots;
mod session;
mod settings;
mod verifier;
mod words;
mod x509;

#[cfg(test)]
mod tests;

pub use certificate::CertificateProblem;
pub use config::{ConfigCache, TlsConfig};
pub use error::{SettingsError, TlsError};
pub use handshake::HandshakeProblem;
pub use identity::ClientIdentity;
pub use pin::Pin;
pub use roots::{RootCertificates, Roots};
pub use session::{PlainRead, TlsInfo, TlsSession};
pub use settings::{KeyLogging, TlsSettings, TlsSettingsBuilder, TlsVersion};
