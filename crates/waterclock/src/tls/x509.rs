//! The few fields of a certificate that explain a refusal: who it is for and who issued it.
//!
//! Only for words. What is decided is decided by the verifier on its own reading.

/// The tags that lead to a name (X.690 §8).
const INTEGER: u8 = 0x02;
const OID: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const VERSION: u8 = 0xa0;

/// id-at-commonName and id-at-organizationName (RFC 5280 §A.1).
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
const ORGANIZATION: &[u8] = &[0x55, 0x04, 0x0a];

/// Longer names are cut: the bytes are the peer's.
const NAME_SHOWN: usize = 80;

/// The two names in a certificate, in DER.
#[derive(Clone, Copy, Debug)]
pub(super) struct Summary<'a> {
    issuer: &'a [u8],
    subject: &'a [u8],
}

impl<'a> Summary<'a> {
    /// Finds them (RFC 5280 §4.1), unless the certificate is malformed.
    pub(super) fn read(certificate: &'a [u8]) -> Option<Self> {
        let (certificate, _) = expect(certificate, SEQUENCE)?;
        let (body, _) = expect(certificate, SEQUENCE)?;
        let after_version = expect(body, VERSION).map_or(body, |(_, rest)| rest);
        let (_serial, rest) = expect(after_version, INTEGER)?;
        let (_signature, rest) = expect(rest, SEQUENCE)?;
        let (issuer, rest) = expect(rest, SEQUENCE)?;
        let (_validity, rest) = expect(rest, SEQUENCE)?;
        let (subject, _) = expect(rest, SEQUENCE)?;
        Some(Summary { issuer, subject })
    }

    /// Whether issuer and subject are the same name.
    pub(super) fn is_self_issued(&self) -> bool {
        self.issuer == self.subject
    }

    pub(super) fn issuer_name(&self) -> Option<String> {
        common_name(self.issuer)
    }

    pub(super) fn subject_name(&self) -> Option<String> {
        common_name(self.subject)
    }
}

/// The common name, else the organization, of a distinguished name.
fn common_name(name: &[u8]) -> Option<String> {
    attribute(name, COMMON_NAME).or_else(|| attribute(name, ORGANIZATION))
}

fn attribute(mut name: &[u8], wanted: &[u8]) -> Option<String> {
    while let Some((set, rest)) = expect(name, SET) {
        name = rest;
        let Some((pair, _)) = expect(set, SEQUENCE) else { continue };
        let Some((kind, value)) = expect(pair, OID) else { continue };
        if kind == wanted {
            let (_, text, _) = element(value)?;
            return Some(String::from_utf8_lossy(text).chars().take(NAME_SHOWN).collect());
        }
    }
    None
}

/// The content of the first element, which must have this tag, and what follows it.
fn expect(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, content, rest) = element(bytes)?;
    (found == tag).then_some((content, rest))
}

/// The first element's tag and content, and what follows it.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x83 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x0f))?;
            (digits.iter().fold(0, |sum, digit| sum << 8 | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, DnType, KeyPair};

    fn self_signed(kind: DnType, name: &str) -> Vec<u8> {
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CountryName, "GR");
        params.distinguished_name.push(kind, name);
        let key = KeyPair::generate().unwrap();
        params.self_signed(&key).unwrap().der().to_vec()
    }

    #[test]
    fn a_common_name_or_an_organization() {
        for kind in [DnType::CommonName, DnType::OrganizationName] {
            let der = self_signed(kind, "Ath\u{113}nai");
            let summary = Summary::read(&der).unwrap();
            assert!(summary.is_self_issued());
            assert_eq!(summary.subject_name().as_deref(), Some("Ath\u{113}nai"));
            assert_eq!(summary.issuer_name(), summary.subject_name());
        }
        let der = self_signed(DnType::LocalityName, "Agora");
        assert_eq!(Summary::read(&der).unwrap().subject_name(), None);
        let long = self_signed(DnType::CommonName, &"x".repeat(1000));
        assert_eq!(Summary::read(&long).unwrap().subject_name().unwrap().len(), NAME_SHOWN);
    }

    #[test]
    fn damage_is_no_panic() {
        let der = self_signed(DnType::CommonName, "Agora");
        for cut in 0..der.len() {
            assert!(Summary::read(&der[..cut]).is_none());
        }
        for at in 0..der.len() {
            for value in [0, 0x7f, 0x80, 0x81, 0x83, 0xff] {
                let mut damaged = der.clone();
                damaged[at] = value;
                if let Some(summary) = Summary::read(&damaged) {
                    let _ = (summary.subject_name(), summary.issuer_name());
                }
            }
        }
    }
}
