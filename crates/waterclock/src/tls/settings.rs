//! The policy for one peer.

use super::error::SettingsError;
use super::identity::ClientIdentity;
use super::pin::Pin;
use super::roots::Roots;
use super::session::server_name;
use std::fmt;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::sync::Arc;

/// Whom to trust and what to show: the policy for TLS with one peer. Immutable, cheap to clone.
///
/// Settings are equal only if every input is, down to the bytes of certificates and keys. They are
/// part of what decides whether a connection may be shared, so that a connection made under one
/// policy never serves a call made under another.
///
/// ```
/// use waterclock::tls::{Pin, TlsSettings, TlsVersion};
///
/// let usual = TlsSettings::default();
/// let strict = TlsSettings::builder()
///     .minimum_version(TlsVersion::Tls13)
///     .pin(Pin::parse("sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")?)
///     .build()?;
/// assert_ne!(usual, strict);
/// # Ok::<(), waterclock::tls::SettingsError>(())
/// ```
#[derive(Clone)]
pub struct TlsSettings(Arc<Hashed>);

/// The policy with its hash: certificate bundles are long, and are to be hashed once only.
struct Hashed {
    policy: Policy,
    hash: u64,
}

/// All inputs. Equality and hash are derived, so that no input can be left out of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Policy {
    pub(super) roots: Roots,
    pub(super) accept_invalid: bool,
    pub(super) identity: Option<ClientIdentity>,
    pub(super) pins: Vec<Pin>,
    pub(super) server_name: Option<String>,
    pub(super) without_sni: bool,
    pub(super) minimum: TlsVersion,
    pub(super) maximum: Option<TlsVersion>,
    pub(super) alpn: Vec<Vec<u8>>,
    pub(super) key_logging: KeyLogging,
}

/// A version of TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum TlsVersion {
    /// TLS 1.2 (RFC 5246). Older ones are not spoken at all (RFC 8996).
    #[default]
    Tls12,
    /// TLS 1.3 (RFC 8446).
    Tls13,
}

/// Where the connections' secrets are written, for decryption by tools such as Wireshark.
///
/// A file is made with mode 0600, and appended to if it exists. A failure to open or write it is
/// told in the log, and stops no connection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyLogging {
    /// The file that `SSLKEYLOGFILE` names when the settings are first used; nowhere if it is not
    /// set, or if this program runs with more rights than its caller (set-user-ID).
    #[default]
    Environment,
    /// Nowhere, whatever the environment says.
    Off,
    /// This file.
    File(PathBuf),
}

impl TlsSettings {
    /// Starts from the defaults.
    pub fn builder() -> TlsSettingsBuilder {
        TlsSettingsBuilder(Policy::default())
    }

    /// Starts from these settings.
    pub fn to_builder(&self) -> TlsSettingsBuilder {
        TlsSettingsBuilder(self.0.policy.clone())
    }

    /// The same settings without a client certificate; `None` if they have none.
    pub(crate) fn without_identity(&self) -> Option<TlsSettings> {
        self.0.policy.identity.as_ref()?;
        Some(Policy { identity: None, ..self.0.policy.clone() }.into())
    }

    /// Whether certificates are verified: true unless that was switched off.
    #[must_use]
    pub fn verifies(&self) -> bool {
        !self.0.policy.accept_invalid
    }

    pub(super) fn policy(&self) -> &Policy {
        &self.0.policy
    }
}

impl From<Policy> for TlsSettings {
    fn from(policy: Policy) -> Self {
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(&policy);
        TlsSettings(Arc::new(Hashed { policy, hash }))
    }
}

impl Default for TlsSettings {
    fn default() -> Self {
        Policy::default().into()
    }
}

impl PartialEq for TlsSettings {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
            || (self.0.hash == other.0.hash && self.0.policy == other.0.policy)
    }
}

impl Eq for TlsSettings {}

impl Hash for TlsSettings {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash.hash(state);
    }
}

impl fmt::Debug for TlsSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TlsSettings").field(&self.0.policy).finish()
    }
}

/// Makes [`TlsSettings`].
#[derive(Clone, Debug)]
#[must_use]
pub struct TlsSettingsBuilder(Policy);

impl TlsSettingsBuilder {
    /// Whom to trust. Default: [`Roots::default`].
    pub fn roots(mut self, roots: Roots) -> Self {
        self.0.roots = roots;
        self
    }

    /// **Dangerous:** with `true`, anybody on the way can pretend to be the peer, read everything
    /// and change everything: chain, time and name of the certificate are not looked at. Pins
    /// still are. For tests against servers of one's own; to trust one certificate, use
    /// [`roots`](Self::roots).
    pub fn danger_accept_invalid_certificates(mut self, accept: bool) -> Self {
        self.0.accept_invalid = accept;
        self
    }

    /// What to show to a server that asks who we are. Default: nothing.
    pub fn identity(mut self, identity: ClientIdentity) -> Self {
        self.0.identity = Some(identity);
        self
    }

    /// Adds a pin. With pins, the peer's certificate must match one of them, in addition to all
    /// other verification, and also if that is switched off.
    pub fn pin(mut self, pin: Pin) -> Self {
        self.0.pins.push(pin);
        self
    }

    /// The name to use instead of the URL's host: it is sent as SNI *and* the certificate is
    /// checked for it. For servers that are reached under another name than their own.
    pub fn server_name(mut self, name: impl Into<String>) -> Self {
        self.0.server_name = Some(name.into());
        self
    }

    /// Whether to tell the server which name is wanted (SNI, RFC 6066 §3). Default: yes. Never
    /// done for IP addresses. Without it, the name is still what the certificate is checked for.
    pub fn send_sni(mut self, send: bool) -> Self {
        self.0.without_sni = !send;
        self
    }

    /// The oldest version of TLS to accept. Default: TLS 1.2.
    pub fn minimum_version(mut self, version: TlsVersion) -> Self {
        self.0.minimum = version;
        self
    }

    /// The newest version of TLS to accept, for tests of a peer and for peers that fail at newer ones.
    /// Default: the newest there is.
    pub fn maximum_version(mut self, version: TlsVersion) -> Self {
        self.0.maximum = Some(version);
        self
    }

    /// The protocols to offer by ALPN (RFC 7301), the best first. Default: none are offered.
    pub fn alpn<P: Into<Vec<u8>>>(mut self, protocols: impl IntoIterator<Item = P>) -> Self {
        self.0.alpn = protocols.into_iter().map(Into::into).collect();
        self
    }

    /// Where secrets are logged. Default: where `SSLKEYLOGFILE` says, if it is set.
    pub fn key_logging(mut self, logging: KeyLogging) -> Self {
        self.0.key_logging = logging;
        self
    }

    /// The settings.
    ///
    /// # Errors
    /// When the server name is not one, a protocol's name is empty or longer than 255 bytes, or the
    /// newest version to accept is older than the oldest.
    pub fn build(self) -> Result<TlsSettings, SettingsError> {
        if let Some(name) = &self.0.server_name {
            server_name(name)?;
        }
        if self.0.alpn.iter().any(|name| name.is_empty() || name.len() > 255) {
            return Err(SettingsError::new("a protocol's name in ALPN has 1 to 255 bytes"));
        }
        if self.0.maximum.is_some_and(|maximum| maximum < self.0.minimum) {
            let text = "the newest version of TLS to accept is older than the oldest";
            return Err(SettingsError::new(text)
                .with_hint("raise maximum_version or lower minimum_version"));
        }
        Ok(self.0.into())
    }
}
