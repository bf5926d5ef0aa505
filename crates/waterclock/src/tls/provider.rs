//! The cryptography that TLS runs on, chosen when the crate is built.

use rustls::crypto::CryptoProvider;
use std::sync::{Arc, OnceLock};

#[cfg(not(any(feature = "ring", feature = "aws-lc-rs")))]
compile_error!("waterclock needs one of the features `ring` (the default) and `aws-lc-rs`");

/// One provider for the whole process, passed explicitly: rustls' own process default is global
/// state that any other crate may set first.
pub(super) fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    Arc::clone(PROVIDER.get_or_init(|| Arc::new(built_in())))
}

#[cfg(feature = "aws-lc-rs")]
fn built_in() -> CryptoProvider {
    rustls::crypto::aws_lc_rs::default_provider()
}

#[cfg(all(feature = "ring", not(feature = "aws-lc-rs")))]
fn built_in() -> CryptoProvider {
    rustls::crypto::ring::default_provider()
}
