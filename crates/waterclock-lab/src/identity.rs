//! Certificates made at start: nothing on disk, nothing that expires in the repository.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// A certificate authority that signs for any name. Clones are the same authority.
///
/// ```
/// let ca = waterclock_lab::Authority::new()?;
/// let shop = ca.issue(&["shop.test", "127.0.0.1"])?;
/// let old = ca.expired(&["old.test"])?;
/// assert_eq!(shop.ca_pem(), old.ca_pem());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone)]
pub struct Authority {
    issuer: Arc<Issuer<'static, KeyPair>>,
    pem: String,
    der: CertificateDer<'static>,
}

impl Authority {
    /// A new authority with a key and a name of its own.
    pub fn new() -> io::Result<Self> {
        // Authorities of one name are taken for each other until a signature fails.
        static COUNT: AtomicUsize = AtomicUsize::new(1);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        Self::named(&format!("waterclock lab authority {}.{number}", std::process::id()))
    }

    /// A new authority with this name, which may be that of another one.
    pub fn named(name: &str) -> io::Result<Self> {
        let mut params = named(name, &[])?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let certificate = params.self_signed(&key).map_err(io::Error::other)?;
        Ok(Authority {
            pem: certificate.pem(),
            der: certificate.der().clone(),
            issuer: Arc::new(Issuer::new(params, key)),
        })
    }

    /// The certificate that a client must trust, in PEM.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// The certificate that a client must trust, in DER.
    pub fn der(&self) -> CertificateDer<'static> {
        self.der.clone()
    }

    /// A good server certificate for host names and IP addresses.
    pub fn issue(&self, names: &[&str]) -> io::Result<Identity> {
        self.sign(&server(names)?)
    }

    /// Like [`issue`](Self::issue), but valid only in the year 2001.
    pub fn expired(&self, names: &[&str]) -> io::Result<Identity> {
        let mut params = server(names)?;
        params.not_before = date_time_ymd(2001, 1, 1);
        params.not_after = date_time_ymd(2002, 1, 1);
        self.sign(&params)
    }

    /// Like [`issue`](Self::issue), but valid from the year 3000 only.
    pub fn not_yet_valid(&self, names: &[&str]) -> io::Result<Identity> {
        let mut params = server(names)?;
        params.not_before = date_time_ymd(3000, 1, 1);
        params.not_after = date_time_ymd(3001, 1, 1);
        self.sign(&params)
    }

    /// A certificate with which a client identifies itself.
    pub fn client(&self, name: &str) -> io::Result<Identity> {
        let mut params = named(name, &[])?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.sign(&params)
    }

    fn sign(&self, params: &CertificateParams) -> io::Result<Identity> {
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let certificate = params.signed_by(&key, &*self.issuer).map_err(io::Error::other)?;
        Ok(Identity::new_with(&certificate, &key, self.pem.clone()))
    }
}

/// A certificate with its private key, and the CA certificate that vouches for it.
#[derive(Clone)]
pub struct Identity {
    certificate: CertificateDer<'static>,
    certificate_pem: String,
    key: Arc<[u8]>,
    key_pem: String,
    ca_pem: String,
}

impl Identity {
    /// A good identity for these host names and IP addresses, by an authority of its own.
    pub fn new(names: &[&str]) -> io::Result<Self> {
        Authority::new()?.issue(names)
    }

    /// Good in itself, but for no name that anybody asks for.
    pub fn wrong_name() -> io::Result<Self> {
        Self::new(&["wrong-name.invalid"])
    }

    /// Expired long ago.
    pub fn expired(names: &[&str]) -> io::Result<Self> {
        Authority::new()?.expired(names)
    }

    /// Signed by itself; [`ca_pem`](Self::ca_pem) is the certificate itself.
    pub fn self_signed(names: &[&str]) -> io::Result<Self> {
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let certificate = server(names)?.self_signed(&key).map_err(io::Error::other)?;
        Ok(Self::new_with(&certificate, &key, certificate.pem()))
    }

    fn new_with(certificate: &rcgen::Certificate, key: &KeyPair, ca_pem: String) -> Self {
        Identity {
            certificate: certificate.der().clone(),
            certificate_pem: certificate.pem(),
            key: key.serialize_der().into(),
            key_pem: key.serialize_pem(),
            ca_pem,
        }
    }

    /// The CA certificate that a client must trust, in PEM.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// The certificate, in PEM.
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// The certificate, in DER.
    pub fn certificate_der(&self) -> CertificateDer<'static> {
        self.certificate.clone()
    }

    /// The private key, in PEM (PKCS #8).
    pub fn key_pem(&self) -> &str {
        &self.key_pem
    }

    /// The private key, in DER (PKCS #8).
    pub fn key_der(&self) -> PrivateKeyDer<'static> {
        PrivatePkcs8KeyDer::from(self.key.to_vec()).into()
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").finish_non_exhaustive()
    }
}

fn server(names: &[&str]) -> io::Result<CertificateParams> {
    let mut params = named(names.first().copied().unwrap_or("waterclock lab"), names)?;
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    Ok(params)
}

fn named(common_name: &str, names: &[&str]) -> io::Result<CertificateParams> {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let mut params = CertificateParams::new(names).map_err(io::Error::other)?;
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}
