//! [`Auth`]: how a call shows who it is.

use crate::error::Error;
use crate::request::PreparedRequest;
use crate::response::Response;
use crate::world::World;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use url::Url;
use waterclock_proto::auth::{Challenge, Digest, InvalidCredentials, Verdict, basic, bearer};

/// Origins whose Digest challenges are remembered.
const REMEMBERED: usize = 64;

/// Credentials, or a way to make them. Cheap to clone; clones share what they have learnt, such as
/// the nonces of Digest.
///
/// Which one counts, the first that is there: that of the request, that of the session, the netrc
/// entry of the host (if the session trusts its environment and the request has no `Authorization`
/// header), the userinfo of the URL. Each of them replaces an `Authorization` header, but for netrc:
/// a header that was set by hand is never overwritten by a file.
///
/// Credentials are for the origin that was asked for. A redirect to another one leaves them behind.
///
/// ```no_run
/// use waterclock::{Auth, Session};
///
/// let session = Session::builder().auth(Auth::digest("user", "password")).build()?;
/// let response = session.get("https://example.com/private").send()?;
/// assert_eq!(response.history().len(), 1, "the challenge");
///
/// session.get("https://example.com/api").auth(Auth::bearer("token")?).send()?;
/// # Ok::<(), waterclock::Error>(())
/// ```
#[derive(Clone)]
pub struct Auth(Kind);

#[derive(Clone)]
enum Kind {
    None,
    /// A header value that needs no challenge.
    Fixed(Arc<str>),
    Digest(Arc<DigestAuth>),
    Custom(Arc<dyn Authenticate>),
}

/// A way to authenticate that is not built in.
///
/// ```
/// use waterclock::{Auth, Authenticate, Error, PreparedRequest};
///
/// struct Signed(Vec<u8>);
///
/// impl Authenticate for Signed {
///     fn authorize(&self, request: &mut PreparedRequest) -> Result<(), Error> {
///         let what = format!("{} {}", request.method(), request.target());
///         let sum = what.bytes().chain(self.0.iter().copied()).map(u64::from).sum::<u64>();
///         request.set_for_hop("Authorization", format!("Sum {sum}"))
///     }
/// }
///
/// let auth = Auth::custom(Signed(b"key".to_vec()));
/// ```
pub trait Authenticate: Send + Sync {
    /// Adds credentials to a request that is about to be sent, with
    /// [`PreparedRequest::set_for_hop`].
    ///
    /// # Errors
    /// What makes the call fail before anything is sent.
    fn authorize(&self, request: &mut PreparedRequest) -> Result<(), Error>;

    /// Looks at each response. `true`: the request is to be sent again, after another
    /// [`authorize`](Self::authorize). `answered` counts how often that has happened.
    ///
    /// # Errors
    /// What makes the call fail.
    fn challenged(&self, response: &mut Response, answered: u32) -> Result<bool, Error> {
        let _ = (response, answered);
        Ok(false)
    }
}

impl Auth {
    /// User name and password, sent unasked with every request (Basic, RFC 7617).
    ///
    /// # Errors
    /// A colon in the user name, or a control character.
    pub fn basic(user: impl AsRef<[u8]>, password: impl AsRef<[u8]>) -> Result<Auth, Error> {
        fixed(basic(user, password))
    }

    /// A token (Bearer, RFC 6750).
    ///
    /// # Errors
    /// A character that no token has.
    pub fn bearer(token: impl AsRef<str>) -> Result<Auth, Error> {
        fixed(bearer(token.as_ref()))
    }

    /// User name and password, never sent themselves: a challenge of the server is answered (Digest,
    /// RFC 7616). The first request costs one exchange more; later ones are answered ahead.
    pub fn digest(user: impl Into<String>, password: impl Into<String>) -> Auth {
        let fresh = Digest::new(user, password);
        Auth(Kind::Digest(Arc::new(DigestAuth { fresh, known: Mutex::default() })))
    }

    /// A way of the caller's own.
    pub fn custom(authenticate: impl Authenticate + 'static) -> Auth {
        Auth(Kind::Custom(Arc::new(authenticate)))
    }

    /// None, not even those of the session, of netrc and of the URL.
    #[must_use]
    pub const fn none() -> Auth {
        Auth(Kind::None)
    }

    /// A value that was worked out before: netrc, userinfo.
    pub(crate) fn value(value: impl Into<Arc<str>>) -> Auth {
        Auth(Kind::Fixed(value.into()))
    }

    /// Whether it says that there shall be none.
    pub(crate) fn is_none(&self) -> bool {
        matches!(self.0, Kind::None)
    }

    /// Whether it runs code of the caller's.
    pub(crate) fn is_custom(&self) -> bool {
        matches!(self.0, Kind::Custom(_))
    }

    pub(crate) fn authorize(
        &self,
        request: &mut PreparedRequest,
        answered: u32,
        world: &dyn World,
    ) -> Result<(), Error> {
        match &self.0 {
            Kind::None => Ok(()),
            Kind::Fixed(value) => request.set_for_hop("Authorization", value.as_bytes()),
            Kind::Digest(digest) => digest.authorize(request, answered, world),
            Kind::Custom(custom) => custom.authorize(request),
        }
    }

    /// Whether the response asks for credentials that the next try would bring.
    pub(crate) fn challenged(&self, response: &mut Response, answered: u32) -> Result<bool, Error> {
        match &self.0 {
            Kind::None | Kind::Fixed(_) => Ok(false),
            Kind::Digest(digest) => Ok(digest.challenged(response, answered)),
            Kind::Custom(custom) => custom.challenged(response, answered),
        }
    }
}

fn fixed(value: Result<String, InvalidCredentials>) -> Result<Auth, Error> {
    value.map(Auth::value).map_err(|error| Error::invalid_request(error.to_string()))
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Kind::None => "Auth(none)",
            Kind::Fixed(_) => "Auth(***)",
            Kind::Digest(_) => "Auth(digest)",
            Kind::Custom(_) => "Auth(custom)",
        })
    }
}

/// Digest, with the challenges of the origins that were met: what one has asked for says nothing
/// about another.
struct DigestAuth {
    fresh: Digest,
    known: Mutex<Vec<(url::Origin, Digest)>>,
}

impl DigestAuth {
    /// Ahead of a challenge only where the last one says so; in answer to one always.
    fn authorize(
        &self,
        request: &mut PreparedRequest,
        answered: u32,
        world: &dyn World,
    ) -> Result<(), Error> {
        let mut cnonce = [0; 16];
        world.random(&mut cnonce);
        let value = {
            let mut known = self.lock();
            let Some(digest) = find(&mut known, request.url()) else { return Ok(()) };
            if answered == 0 && !digest.covers(request.target()) {
                return Ok(());
            }
            let (method, body) = (request.method().as_str(), request.body().bytes());
            digest.authorize(method, request.target(), body, cnonce)
        };
        match value {
            None => Ok(()),
            Some(Ok(value)) => request.set_for_hop("Authorization", value),
            Some(Err(error)) => Err(Error::invalid_request(error.to_string())),
        }
    }

    fn challenged(&self, response: &Response, answered: u32) -> bool {
        let mut known = self.lock();
        if response.status() != 401 {
            let info = response.headers().get("Authentication-Info");
            if let (Some(info), Some(digest)) = (info, find(&mut known, response.url())) {
                digest.info(info);
            }
            return false;
        }
        let challenges = Challenge::parse_all(response.headers().get_all("WWW-Authenticate"));
        if find(&mut known, response.url()).is_none() {
            if known.len() >= REMEMBERED {
                known.remove(0);
            }
            known.push((response.url().origin(), self.fresh.clone()));
        }
        let Some(digest) = find(&mut known, response.url()) else { return false };
        match digest.challenged(&challenges, answered) {
            Verdict::Retry => true,
            Verdict::GiveUp(why) => {
                log::debug!("the challenge of {} is not answered: {why}", response.url());
                false
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(url::Origin, Digest)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn find<'k>(known: &'k mut [(url::Origin, Digest)], url: &Url) -> Option<&'k mut Digest> {
    let origin = url.origin();
    known.iter_mut().find(|(of, _)| *of == origin).map(|(_, digest)| digest)
}
