//! [`Digest`]: answers challenges without sending the password (RFC 7616, RFC 2617, RFC 2069).
//!
//! | where the RFCs leave room, or servers disagree | what happens here |
//! |---|---|
//! | several challenges | the strongest hash wins: SHA-512, SHA-512-256, SHA-256, MD5; of equals, the first |
//! | `auth` and `auth-int` both offered | `auth`, as in curl and requests; `auth-int` when it is alone |
//! | `-sess` without qop | not answered: there is no cnonce to hash |
//! | `-sess` | the cnonce of the first answer stays, so that servers that hash the first and servers that hash the latest agree |
//! | encoding of user name and password | UTF-8, whatever the challenge says |
//! | realm, nonce and opaque | hashed and sent back byte for byte |
//! | user name that is not ASCII | hashed with `userhash`; `username*` with `charset=UTF-8`; otherwise raw UTF-8 |
//! | no realm | an empty one, as in curl |
//! | SHA-1, which requests calls `SHA` | not supported: in no RFC, and broken |

mod algorithm;
mod asked;
mod error;

pub use error::{DigestError, GiveUp, Verdict};

use super::Challenge;
use super::challenge::{find, parse_params};
use asked::Asked;
use std::fmt;

/// A user name and password, and the nonce they are used with.
///
/// Keep one per origin or proxy: an answer, though no password, is nobody else's business. The
/// nonce of a challenge is used for later requests too, which saves them a round trip.
///
/// ```
/// use waterclock_proto::auth::{Challenge, Digest, Verdict};
///
/// let mut digest = Digest::new("Mufasa", "Circle of Life");
/// // Nothing is known yet: the request goes without.
/// assert!(digest.authorize("GET", "/", Some(b""), [1; 16]).is_none());
///
/// let field: &[u8] = br#"Digest realm="http-auth@example.org", qop="auth", nonce="7ypf/xlj""#;
/// let challenges = Challenge::parse_all([field]);
/// assert_eq!(digest.challenged(&challenges, 0), Verdict::Retry);
/// let value = digest.authorize("GET", "/", Some(b""), [1; 16]).unwrap()?;
/// assert!(value.starts_with(br#"Digest username="Mufasa", realm="http-auth@example.org""#));
///
/// // The same challenge again, after an answer: the password is wrong.
/// assert!(matches!(digest.challenged(&challenges, 1), Verdict::GiveUp(_)));
/// # Ok::<(), waterclock_proto::auth::DigestError>(())
/// ```
#[derive(Clone)]
pub struct Digest {
    credentials: Credentials,
    asked: Option<Asked>,
}

#[derive(Clone)]
struct Credentials {
    user: String,
    password: String,
}

impl Digest {
    /// Credentials that have met no challenge yet.
    pub fn new(user: impl Into<String>, password: impl Into<String>) -> Self {
        let credentials = Credentials { user: user.into(), password: password.into() };
        Digest { credentials, asked: None }
    }

    /// Takes in the challenges of a 401 or 407, and says whether sending the request again makes
    /// sense.
    ///
    /// `answered` is how many challenges this request has answered already. A nonce known from an
    /// earlier request does not count: the server may have forgotten it without calling it stale.
    /// There are never more than two answers: the second only after `stale=true`, with a new nonce.
    #[must_use]
    pub fn challenged(&mut self, challenges: &[Challenge], answered: u32) -> Verdict {
        let (mut asked, stale) = match Asked::strongest(challenges) {
            Ok(best) => best,
            Err(reason) => return Verdict::GiveUp(reason),
        };
        let known = self.asked.take();
        let same_nonce = known.as_ref().is_some_and(|known| known.nonce() == asked.nonce());
        if answered > 0 && !stale {
            return Verdict::GiveUp(GiveUp::Refused);
        }
        if answered > 1 || (answered > 0 && same_nonce) {
            return Verdict::GiveUp(GiveUp::AlwaysStale);
        }
        if let Some(known) = known.filter(|_| same_nonce) {
            asked.go_on_from(known);
        }
        self.asked = Some(asked);
        Verdict::Retry
    }

    /// The value of `Authorization` or `Proxy-Authorization`; `None` while no challenge is known.
    ///
    /// `uri` is the request target exactly as it is sent. `body` is the content, empty if there is
    /// none, and `None` if it cannot be hashed before it is sent; it counts only where `auth-int`
    /// is the only protection offered. `cnonce` is 16 random bytes, new for every call. Each call
    /// counts as one use of the nonce.
    ///
    /// The value is bytes rather than text, because a realm may be in any encoding.
    pub fn authorize(
        &mut self,
        method: &str,
        uri: &str,
        body: Option<&[u8]>,
        cnonce: [u8; 16],
    ) -> Option<Result<Vec<u8>, DigestError>> {
        self.answer(method, uri, body, &algorithm::to_hex(&cnonce))
    }

    fn answer(
        &mut self,
        method: &str,
        uri: &str,
        body: Option<&[u8]>,
        cnonce: &str,
    ) -> Option<Result<Vec<u8>, DigestError>> {
        let asked = self.asked.as_mut()?;
        if asked.used_up() {
            self.asked = None;
            return None;
        }
        Some(asked.answer(&self.credentials, method, uri, body, cnonce))
    }

    /// Whether a request for this target, in origin form, should carry an answer before it is asked
    /// for one: a challenge is known, and its `domain` (RFC 7616 §3.3) includes the target.
    ///
    /// Of URIs in `domain`, only the paths are looked at. For a proxy, `domain` means nothing.
    #[must_use]
    pub fn covers(&self, target: &str) -> bool {
        self.asked.as_ref().is_some_and(|asked| asked.covers(target.as_bytes()))
    }

    /// Takes in `Authentication-Info` or `Proxy-Authentication-Info` (RFC 7616 §3.5): the server
    /// may name the next nonce there.
    pub fn info(&mut self, authentication_info: &[u8]) {
        let params = parse_params(authentication_info);
        if let (Some(asked), Some(next)) = (&mut self.asked, find(&params, "nextnonce")) {
            asked.renew(next);
        }
    }
}

/// Shows neither user name nor password.
impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = if self.asked.is_some() { "challenged" } else { "not challenged" };
        write!(f, "Digest(<redacted>, {state})")
    }
}

#[cfg(test)]
mod tests;
