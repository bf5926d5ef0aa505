//! The options about TLS, made into settings.

use crate::args::Trust;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use waterclock::tls::{ClientIdentity, Pin, Roots, SettingsError, TlsSettings, TlsVersion};

/// What is accepted and shown. Roots: the flag, else what the environment names in the order of
/// requests; the system's reader looks at `SSL_CERT_FILE` and `SSL_CERT_DIR` itself.
pub(crate) fn settings(trust: &Trust) -> Result<TlsSettings, SettingsError> {
    let mut builder = TlsSettings::builder();
    if !trust.insecure
        && let Some(path) = roots(trust.cacert.as_deref(), |name| std::env::var_os(name))
    {
        let roots = if path.is_dir() { Roots::pem_dir(&path)? } else { Roots::pem_file(&path)? };
        builder = builder.roots(roots);
    }
    if let Some(cert) = &trust.cert {
        let key = trust.key.as_ref().unwrap_or(cert);
        builder = builder.identity(ClientIdentity::pem_files(cert, key)?);
    }
    if let Some(pins) = &trust.pins {
        for pin in Pin::parse_list(pins)? {
            builder = builder.pin(pin);
        }
    }
    if trust.only_tls13 {
        builder = builder.minimum_version(TlsVersion::Tls13);
    }
    builder.danger_accept_invalid_certificates(trust.insecure).build()
}

/// An empty variable counts as unset.
pub(crate) fn roots(
    flag: Option<&Path>,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Option<PathBuf> {
    let named = |name| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    flag.map(Path::to_path_buf)
        .or_else(|| named("REQUESTS_CA_BUNDLE"))
        .or_else(|| named("CURL_CA_BUNDLE"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_goes_before_the_environment_and_requests_before_curl() {
        let both = |name: &str| Some(OsString::from(name.to_lowercase()));
        let of = |flag: Option<&str>| roots(flag.map(Path::new), both);
        assert_eq!(of(Some("mine")), Some("mine".into()));
        assert_eq!(of(None), Some("requests_ca_bundle".into()));
        let curl = |name: &str| match name {
            "REQUESTS_CA_BUNDLE" => Some(OsString::new()),
            name => Some(name.into()),
        };
        assert_eq!(roots(None, curl), Some("CURL_CA_BUNDLE".into()));
        assert_eq!(roots(None, |_| None), None);
    }
}
