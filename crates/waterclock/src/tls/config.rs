//! Settings made ready for handshakes, each once.

use super::error::{SettingsError, TlsError};
use super::key_log::KeyLogs;
use super::provider::provider;
use super::settings::{Policy, TlsSettings, TlsVersion};
use super::verifier::{ChainVerifier, PeerVerifier};
use crate::world::World;
use rustls::client::{ClientConfig, WebPkiServerVerifier};
use rustls::sign::SingleCertAndKey;
use rustls::time_provider::TimeProvider;
use rustls::version::{TLS12, TLS13};
use rustls_pki_types::UnixTime;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

/// Settings that are kept ready at the same time.
const KEPT: usize = 64;

/// [`TlsSettings`] made ready for handshakes. Immutable; keeps the sessions that may be resumed,
/// so that one that was made under other settings never is.
#[derive(Clone)]
pub struct TlsConfig {
    pub(super) rustls: Arc<ClientConfig>,
    pub(super) server_name: Option<Arc<str>>,
    pub(super) offers_identity: bool,
}

impl TlsConfig {
    /// Tells configurations apart. Equal settings share one, so this is what a pool goes by.
    pub(crate) fn id(&self) -> usize {
        Arc::as_ptr(&self.rustls) as usize
    }
}

/// Equal settings share one configuration: so the same one, not one of the same contents.
impl PartialEq for TlsConfig {
    fn eq(&self, other: &Self) -> bool {
        self.id() == other.id()
    }
}

impl Eq for TlsConfig {}

impl Hash for TlsConfig {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id().hash(state);
    }
}

impl fmt::Debug for TlsConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsConfig").field("server_name", &self.server_name).finish_non_exhaustive()
    }
}

/// Makes each [`TlsSettings`] ready once, and keeps the 64 that were used last.
///
/// ```
/// use std::sync::Arc;
/// use waterclock::tls::{ConfigCache, TlsSession, TlsSettings};
/// use waterclock::world::World;
///
/// # fn example(world: Arc<dyn World>) -> Result<(), waterclock::tls::TlsError> {
/// let cache = ConfigCache::new(world);
/// let config = cache.get(&TlsSettings::default())?;
/// let session = TlsSession::new(&config, "example.com")?;
/// assert!(session.is_handshaking() && session.wants_write());
/// # Ok(()) }
/// ```
pub struct ConfigCache {
    world: Arc<dyn World>,
    /// The one used last comes last.
    kept: Mutex<Vec<(TlsSettings, TlsConfig)>>,
}

impl fmt::Debug for ConfigCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfigCache").finish_non_exhaustive()
    }
}

impl ConfigCache {
    /// An empty one. Certificates are checked against the calendar clock of `world`.
    #[must_use]
    pub fn new(world: Arc<dyn World>) -> Self {
        ConfigCache { world, kept: Mutex::default() }
    }

    /// The settings made ready: the same ones for equal settings.
    ///
    /// # Errors
    /// When there is nobody to trust, or the system's roots cannot be read.
    pub fn get(&self, settings: &TlsSettings) -> Result<TlsConfig, TlsError> {
        if let Some(config) = self.recall(settings) {
            return Ok(config);
        }
        // Not under the lock: the system's roots take their time.
        let config = build(settings.policy(), &self.world)?;
        Ok(self.keep(settings, config))
    }

    fn recall(&self, settings: &TlsSettings) -> Option<TlsConfig> {
        recall(&mut self.lock(), settings)
    }

    /// Keeps `config`, unless another thread was quicker: then that one's is taken.
    fn keep(&self, settings: &TlsSettings, config: TlsConfig) -> TlsConfig {
        let mut kept = self.lock();
        if let Some(theirs) = recall(&mut kept, settings) {
            return theirs;
        }
        if kept.len() >= KEPT {
            kept.remove(0);
        }
        kept.push((settings.clone(), config.clone()));
        config
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(TlsSettings, TlsConfig)>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn recall(kept: &mut Vec<(TlsSettings, TlsConfig)>, settings: &TlsSettings) -> Option<TlsConfig> {
    let found = kept.iter().position(|(key, _)| key == settings)?;
    let entry = kept.remove(found);
    let config = entry.1.clone();
    kept.push(entry);
    Some(config)
}

fn build(policy: &Policy, world: &Arc<dyn World>) -> Result<TlsConfig, TlsError> {
    let provider = provider();
    let chain = match policy.accept_invalid {
        true => None,
        false => {
            let roots = policy.roots.store()?;
            let builder = WebPkiServerVerifier::builder_with_provider(
                Arc::clone(&roots),
                Arc::clone(&provider),
            );
            let usual = builder.build().map_err(|error| SettingsError::new(error.to_string()))?;
            Some(ChainVerifier { usual, roots })
        }
    };
    let verifier = PeerVerifier {
        chain,
        pins: policy.pins.as_slice().into(),
        algorithms: provider.signature_verification_algorithms,
    };
    let versions: &[_] = match (policy.minimum, policy.maximum) {
        (_, Some(TlsVersion::Tls12)) => &[&TLS12],
        (TlsVersion::Tls12, _) => &[&TLS13, &TLS12],
        (TlsVersion::Tls13, _) => &[&TLS13],
    };
    let time: Arc<dyn TimeProvider> = Arc::new(WorldTime(Arc::clone(world)));
    let builder = ClientConfig::builder_with_details(provider, time)
        .with_protocol_versions(versions)
        .map_err(|error| SettingsError::new(error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let mut config = match &policy.identity {
        Some(identity) => builder
            .with_client_cert_resolver(Arc::new(SingleCertAndKey::from(identity.certified()))),
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols.clone_from(&policy.alpn);
    config.enable_sni = !policy.without_sni;
    if let Some(log) = KeyLogs::open(&policy.key_logging, world.key_lines()) {
        config.key_log = Arc::new(log);
    }
    Ok(TlsConfig {
        rustls: Arc::new(config),
        server_name: policy.server_name.as_deref().map(Into::into),
        offers_identity: policy.identity.is_some(),
    })
}

/// The calendar clock of a world, for rustls.
struct WorldTime(Arc<dyn World>);

impl fmt::Debug for WorldTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WorldTime")
    }
}

impl TimeProvider for WorldTime {
    fn current_time(&self) -> Option<UnixTime> {
        let since = self.0.wall().duration_since(SystemTime::UNIX_EPOCH).ok()?;
        Some(UnixTime::since_unix_epoch(since))
    }
}
