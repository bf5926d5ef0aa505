//! [`Asked`]: what the last challenge asked for, and the answer to it.

use super::algorithm::Algorithm;
use super::{Credentials, DigestError, GiveUp};
use crate::auth::Challenge;
use crate::message::{snippet, trim};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// A challenge that can be answered, and how often it was.
#[derive(Clone)]
pub(super) struct Asked {
    realm: Vec<u8>,
    nonce: Vec<u8>,
    opaque: Option<Vec<u8>>,
    algorithm: Algorithm,
    /// As the server spells it, if it does: some compare it with regard to case.
    algorithm_name: Option<Vec<u8>>,
    qop: Option<Qop>,
    utf8: bool,
    userhash: bool,
    /// The paths of `domain`; none means all.
    domain: Vec<Vec<u8>>,
    /// How many requests carried this nonce.
    count: u32,
    /// With `-sess`: nonce and cnonce of the first answer.
    session: Option<(Vec<u8>, String)>,
}

/// The protection (RFC 7616 §3.4). Without any, the answer is that of RFC 2069.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Qop {
    Auth,
    AuthInt,
}

impl Qop {
    const fn name(self) -> &'static str {
        match self {
            Qop::Auth => "auth",
            Qop::AuthInt => "auth-int",
        }
    }
}

impl Asked {
    /// The strongest challenge that can be answered, and whether it calls the last nonce stale.
    pub(super) fn strongest(challenges: &[Challenge]) -> Result<(Asked, bool), GiveUp> {
        let mut best: Result<(Asked, bool), GiveUp> = Err(GiveUp::NotAsked);
        for challenge in challenges.iter().filter(|challenge| challenge.is("Digest")) {
            let stronger = |asked: &Asked| match &best {
                Ok((best, _)) => asked.algorithm.hash > best.algorithm.hash,
                Err(_) => true,
            };
            match Asked::new(challenge) {
                Ok(asked) if stronger(&asked) => best = Ok((asked, is_true(challenge, "stale"))),
                Err(reason) if matches!(best, Err(GiveUp::NotAsked)) => best = Err(reason),
                _ => {}
            }
        }
        best
    }

    fn new(challenge: &Challenge) -> Result<Asked, GiveUp> {
        let owned = |name| challenge.param(name).map(<[u8]>::to_vec);
        let nonce = owned("nonce").ok_or(GiveUp::NoNonce)?;
        let algorithm_name = owned("algorithm");
        let algorithm = Algorithm::named(algorithm_name.as_deref())
            .ok_or_else(|| GiveUp::Algorithm { algorithm: shown(algorithm_name.as_deref()) })?;
        Ok(Asked {
            qop: choose_qop(challenge.param("qop"), algorithm)?,
            realm: owned("realm").unwrap_or_default(),
            nonce,
            opaque: owned("opaque"),
            algorithm,
            algorithm_name,
            utf8: challenge
                .param("charset")
                .is_some_and(|charset| charset.eq_ignore_ascii_case(b"UTF-8")),
            userhash: is_true(challenge, "userhash"),
            domain: challenge.param("domain").map(paths).unwrap_or_default(),
            count: 0,
            session: None,
        })
    }

    pub(super) fn nonce(&self) -> &[u8] {
        &self.nonce
    }

    /// The same nonce was asked for again: its uses are counted on (RFC 7616 §3.4).
    pub(super) fn go_on_from(&mut self, known: Asked) {
        self.count = known.count;
        self.session = known.session.filter(|_| known.algorithm == self.algorithm);
    }

    /// Whether `nc` has no number left.
    pub(super) const fn used_up(&self) -> bool {
        self.count == u32::MAX
    }

    #[cfg(test)]
    pub(super) fn count_to(&mut self, count: u32) {
        self.count = count;
    }

    /// Goes over to the next nonce. A session (`-sess`) goes on as it is.
    pub(super) fn renew(&mut self, nonce: &[u8]) {
        if !nonce.is_empty() && nonce != self.nonce {
            self.nonce = nonce.to_vec();
            self.count = 0;
        }
    }

    pub(super) fn covers(&self, target: &[u8]) -> bool {
        self.domain.is_empty() || self.domain.iter().any(|path| target.starts_with(path))
    }

    /// The credentials, and one more use of the nonce.
    pub(super) fn answer(
        &mut self,
        credentials: &Credentials,
        method: &str,
        uri: &str,
        body: Option<&[u8]>,
        cnonce: &str,
    ) -> Result<Vec<u8>, DigestError> {
        if let Some(offset) = find_control(uri) {
            return Err(DigestError::UriControl { offset });
        }
        let mut field = Field(b"Digest ".to_vec());
        self.add_user(&mut field, &credentials.user)?;
        let a2 = self.a2(method, uri, body)?;

        self.count = self.count.saturating_add(1);
        let count = format!("{:08x}", self.count);
        let mut cnonce = cnonce.to_owned();
        if self.algorithm.session {
            let first = self.session.get_or_insert_with(|| (self.nonce.clone(), cnonce));
            cnonce = first.1.clone();
        }
        let secret = self.secret(credentials);
        let qop = self.qop.map(|qop| [count.as_str(), cnonce.as_str(), qop.name()]);

        field.quoted("realm", &self.realm);
        field.quoted("nonce", &self.nonce);
        field.quoted("uri", uri.as_bytes());
        field.quoted("response", self.response(&secret, qop, &a2).as_bytes());
        if let Some(opaque) = &self.opaque {
            field.quoted("opaque", opaque);
        }
        if let Some(name) = &self.algorithm_name {
            field.bare("algorithm", name);
        }
        if let Some([count, cnonce, qop]) = qop {
            field.bare("qop", qop.as_bytes());
            field.bare("nc", count.as_bytes());
            field.quoted("cnonce", cnonce.as_bytes());
        }
        Ok(field.0)
    }

    /// H(A1) (RFC 7616 §3.4.2).
    fn secret(&self, credentials: &Credentials) -> String {
        let hash = self.algorithm.hash;
        let Credentials { user, password } = credentials;
        let plain = hash.hex(&[user.as_bytes(), b":", &self.realm, b":", password.as_bytes()]);
        match &self.session {
            Some((nonce, cnonce)) => {
                hash.hex(&[plain.as_bytes(), b":", nonce, b":", cnonce.as_bytes()])
            }
            None => plain,
        }
    }

    /// H(A2) (RFC 7616 §3.4.3).
    fn a2(&self, method: &str, uri: &str, body: Option<&[u8]>) -> Result<String, DigestError> {
        let hash = self.algorithm.hash;
        let (method, uri) = (method.as_bytes(), uri.as_bytes());
        if self.qop != Some(Qop::AuthInt) {
            return Ok(hash.hex(&[method, b":", uri]));
        }
        let body = hash.hex(&[body.ok_or(DigestError::BodyNotHashable)?]);
        Ok(hash.hex(&[method, b":", uri, b":", body.as_bytes()]))
    }

    /// RFC 7616 §3.4.1. `qop` is nc, cnonce and qop.
    fn response(&self, secret: &str, qop: Option<[&str; 3]>, a2: &str) -> String {
        let mut pieces: Vec<&[u8]> = vec![secret.as_bytes(), b":", &self.nonce, b":"];
        for piece in qop.iter().flatten() {
            pieces.extend([piece.as_bytes(), b":"]);
        }
        pieces.push(a2.as_bytes());
        self.algorithm.hash.hex(&pieces)
    }

    /// The user name: hashed, encoded (RFC 8187), or as it is (RFC 7616 §3.4.4, §4).
    fn add_user(&self, field: &mut Field, user: &str) -> Result<(), DigestError> {
        let control = find_control(user);
        if self.userhash {
            let hash = self.algorithm.hash.hex(&[user.as_bytes(), b":", &self.realm]);
            field.quoted("username", hash.as_bytes());
            field.bare("userhash", b"true");
        } else if self.utf8 && (control.is_some() || !user.is_ascii()) {
            let encoded = format!("UTF-8''{}", utf8_percent_encode(user, NON_ALPHANUMERIC));
            field.bare("username*", encoded.as_bytes());
        } else if let Some(offset) = control {
            return Err(DigestError::UserControl { offset });
        } else {
            field.quoted("username", user.as_bytes());
        }
        Ok(())
    }
}

/// `auth` if it is offered, else `auth-int`, else nothing if nothing is asked for.
fn choose_qop(offered: Option<&[u8]>, algorithm: Algorithm) -> Result<Option<Qop>, GiveUp> {
    let list = offered.unwrap_or_default();
    let has = |qop: Qop| {
        list.split(|&byte| byte == b',')
            .any(|item| trim(item).eq_ignore_ascii_case(qop.name().as_bytes()))
    };
    match () {
        () if has(Qop::Auth) => Ok(Some(Qop::Auth)),
        () if has(Qop::AuthInt) => Ok(Some(Qop::AuthInt)),
        () if trim(list).is_empty() && !algorithm.session => Ok(None),
        () => Err(GiveUp::Qop { qop: shown(offered) }),
    }
}

fn shown(value: Option<&[u8]>) -> Box<str> {
    snippet(value.unwrap_or_default())
}

fn is_true(challenge: &Challenge, name: &str) -> bool {
    challenge.param(name).is_some_and(|value| value.eq_ignore_ascii_case(b"true"))
}

/// The paths of a `domain`: of `/a` and of `http://host/a` it is `/a`.
fn paths(domain: &[u8]) -> Vec<Vec<u8>> {
    let path = |uri: &[u8]| {
        if uri.starts_with(b"/") {
            return Some(uri.to_vec());
        }
        let colon = uri.windows(3).position(|window| window == b"://")?;
        let host = uri.get(colon + 3..)?;
        let slash = host.iter().position(|&byte| byte == b'/');
        Some(slash.and_then(|at| host.get(at..)).unwrap_or(b"/").to_vec())
    };
    domain.split(u8::is_ascii_whitespace).filter_map(path).collect()
}

fn find_control(text: &str) -> Option<usize> {
    text.bytes().position(|byte| byte.is_ascii_control())
}

/// A field value in the making.
struct Field(Vec<u8>);

impl Field {
    /// A parameter that must not be quoted, so that old servers understand it (RFC 7616 §3.4).
    fn bare(&mut self, name: &str, value: &[u8]) {
        if self.0.last() != Some(&b' ') {
            self.0.extend(b", ");
        }
        self.0.extend(name.as_bytes());
        self.0.push(b'=');
        self.0.extend(value);
    }

    /// A parameter that must be quoted (RFC 9110 §5.6.4).
    fn quoted(&mut self, name: &str, value: &[u8]) {
        self.bare(name, b"\"");
        for &byte in value {
            if matches!(byte, b'"' | b'\\') {
                self.0.push(b'\\');
            }
            self.0.push(byte);
        }
        self.0.push(b'"');
    }
}
