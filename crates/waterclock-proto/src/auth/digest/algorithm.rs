//! [`Algorithm`]: how a challenge wants things hashed (RFC 7616 §3.3, §6.1).

use std::fmt::Write as _;

/// A hash function, in the order of its strength.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Hash {
    Md5,
    Sha256,
    /// SHA-512/256 of FIPS 180-4: not SHA-512 cut short (RFC 7616, erratum 4897).
    Sha512Trunc256,
    /// In no RFC, but requests offers it.
    Sha512,
}

impl Hash {
    /// The hash of these pieces in a row, in lower-case hexadecimal digits.
    pub(super) fn hex(self, pieces: &[&[u8]]) -> String {
        match self {
            Hash::Md5 => hex::<md5::Md5>(pieces),
            Hash::Sha256 => hex::<sha2::Sha256>(pieces),
            Hash::Sha512Trunc256 => hex::<sha2::Sha512_256>(pieces),
            Hash::Sha512 => hex::<sha2::Sha512>(pieces),
        }
    }
}

fn hex<H: md5::Digest>(pieces: &[&[u8]]) -> String {
    let mut hash = H::new();
    for piece in pieces {
        hash.update(piece);
    }
    to_hex(&hash.finalize())
}

pub(super) fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The `algorithm` of a challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Algorithm {
    pub(super) hash: Hash,
    /// With `-sess`: the secret is hashed together with the first nonce and cnonce.
    pub(super) session: bool,
}

impl Algorithm {
    /// The algorithm of that name, if it is one of ours. No name means MD5.
    pub(super) fn named(name: Option<&[u8]>) -> Option<Algorithm> {
        const SESSION: &[u8] = b"-sess";
        let name = name.unwrap_or(b"MD5");
        let (base, session) = match name.split_at_checked(name.len().wrapping_sub(SESSION.len())) {
            Some((base, end)) if end.eq_ignore_ascii_case(SESSION) => (base, true),
            _ => (name, false),
        };
        let hash = match base.to_ascii_uppercase().as_slice() {
            b"MD5" => Hash::Md5,
            b"SHA-256" => Hash::Sha256,
            b"SHA-512-256" => Hash::Sha512Trunc256,
            b"SHA-512" => Hash::Sha512,
            _ => return None,
        };
        Some(Algorithm { hash, session })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let named = |name: &str| Algorithm::named(Some(name.as_bytes()));
        let algorithm = |hash, session| Some(Algorithm { hash, session });
        assert_eq!(Algorithm::named(None), algorithm(Hash::Md5, false));
        assert_eq!(named("md5"), algorithm(Hash::Md5, false));
        assert_eq!(named("MD5-SESS"), algorithm(Hash::Md5, true));
        assert_eq!(named("SHA-256-sess"), algorithm(Hash::Sha256, true));
        assert_eq!(named("SHA-512-256"), algorithm(Hash::Sha512Trunc256, false));
        assert_eq!(named("SHA-512-256-sess"), algorithm(Hash::Sha512Trunc256, true));
        assert_eq!(named("SHA-512"), algorithm(Hash::Sha512, false));
        for other in ["", "-sess", "SHA", "SHA-1", "MD5-", "MD5-sess-sess", "MD4", "token"] {
            assert_eq!(named(other), None, "{other}");
        }
    }

    #[test]
    fn hashes_of_abc() {
        let hex = |hash: Hash| hash.hex(&[b"a", b"", b"bc"]);
        assert_eq!(hex(Hash::Md5), "900150983cd24fb0d6963f7d28e17f72");
        assert_eq!(
            hex(Hash::Sha256),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(
            hex(Hash::Sha512Trunc256),
            "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23"
        );
        assert!(hex(Hash::Sha512).starts_with("ddaf35a193617abacc417349ae204131"));
        assert_eq!(hex(Hash::Sha512).len(), 128);
    }
}
