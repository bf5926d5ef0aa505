//! [`Retry`]: what is retried, how often, and with what pauses.

use super::{DEFAULT_ALLOWED_METHODS, Kind, RETRY_AFTER_STATUSES, StopReason};
use crate::message::{Headers, Method};
use crate::redirect::Credentials;
use std::time::Duration;

/// What is retried, how often, and with what pauses. Fields and builder methods are named as
/// urllib3's keywords. A count of `None` sets no limit of its own.
///
/// ```
/// use std::time::Duration;
/// use waterclock_proto::retry::Retry;
///
/// let retry = Retry::new(5)
///     .connect(2)
///     .status_forcelist([500, 502, 504])
///     .backoff_factor(0.5)
///     .backoff_jitter(Duration::from_millis(200));
/// assert_eq!(retry.total, Some(5));
/// assert_eq!(Retry::default(), Retry::none());
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Retry {
    /// How many retries there are at all; takes precedence over the other counts.
    pub total: Option<u32>,
    /// How many times after a failure to connect, when nothing was sent.
    pub connect: Option<u32>,
    /// How many times after a failure to read the response.
    pub read: Option<u32>,
    /// How many redirects. `None`: redirects are not counted here, neither against `total`; the
    /// [`RedirectPolicy`](crate::redirect::RedirectPolicy) alone limits them.
    pub redirect: Option<u32>,
    /// How many times after a response with one of the statuses that are retried.
    pub status: Option<u32>,
    /// How many times after any other failure, such as one of TLS or of a proxy.
    pub other: Option<u32>,
    /// The methods that may be sent again after a byte of the request was sent. To name one that
    /// is not idempotent is to say that its server can take it twice.
    pub allowed_methods: Methods,
    /// The statuses that are retried, if the method is allowed.
    pub status_forcelist: Vec<u16>,
    /// Seconds that the pauses grow with: none before the first retry, then this times 2, 4, 8 and
    /// so on. Zero, negative and not a number: no pauses.
    pub backoff_factor: f64,
    /// The longest pause that `backoff_factor` and `backoff_jitter` can come to.
    pub backoff_max: Duration,
    /// Up to this much is added to a pause at random, so that many clients do not come back at the
    /// same moment.
    pub backoff_jitter: Duration,
    /// Whether the last response is an error when its status was retried in vain.
    pub raise_on_status: bool,
    /// Whether the last response is an error when there were too many redirects.
    pub raise_on_redirect: bool,
    /// Whether a server's Retry-After is heeded.
    pub respect_retry_after: bool,
    /// The longest Retry-After that is heeded; what asks for more gets this.
    pub retry_after_max: Duration,
    /// Fields that do not follow a redirect to another origin, in addition to
    /// [`SENSITIVE`](crate::redirect::SENSITIVE) ones, which never do.
    pub remove_headers_on_redirect: Vec<Box<str>>,
}

impl Retry {
    /// No retries: the default, as in requests.
    #[must_use]
    pub fn none() -> Self {
        Self::new(0)
    }

    /// `total` retries, and urllib3's defaults: no status is retried without Retry-After, no
    /// pauses, at most two minutes of backoff and six hours of Retry-After.
    #[must_use]
    pub fn new(total: u32) -> Self {
        Retry {
            total: Some(total),
            connect: None,
            read: None,
            redirect: None,
            status: None,
            other: None,
            allowed_methods: Methods::default(),
            status_forcelist: Vec::new(),
            backoff_factor: 0.0,
            backoff_max: Duration::from_secs(120),
            backoff_jitter: Duration::ZERO,
            raise_on_status: true,
            raise_on_redirect: true,
            respect_retry_after: true,
            retry_after_max: Duration::from_secs(6 * 60 * 60),
            remove_headers_on_redirect: Vec::new(),
        }
    }

    /// With another [`total`](Self#structfield.total).
    #[must_use]
    pub fn total(self, total: impl Into<Option<u32>>) -> Self {
        Retry { total: total.into(), ..self }
    }

    /// With another [`connect`](Self#structfield.connect).
    #[must_use]
    pub fn connect(self, connect: impl Into<Option<u32>>) -> Self {
        Retry { connect: connect.into(), ..self }
    }

    /// With another [`read`](Self#structfield.read).
    #[must_use]
    pub fn read(self, read: impl Into<Option<u32>>) -> Self {
        Retry { read: read.into(), ..self }
    }

    /// With another [`redirect`](Self#structfield.redirect).
    #[must_use]
    pub fn redirect(self, redirect: impl Into<Option<u32>>) -> Self {
        Retry { redirect: redirect.into(), ..self }
    }

    /// With another [`status`](Self#structfield.status).
    #[must_use]
    pub fn status(self, status: impl Into<Option<u32>>) -> Self {
        Retry { status: status.into(), ..self }
    }

    /// With another [`other`](Self#structfield.other).
    #[must_use]
    pub fn other(self, other: impl Into<Option<u32>>) -> Self {
        Retry { other: other.into(), ..self }
    }

    /// With other [`allowed_methods`](Self#structfield.allowed_methods).
    #[must_use]
    pub fn allowed_methods(self, methods: impl Into<Methods>) -> Self {
        Retry { allowed_methods: methods.into(), ..self }
    }

    /// With another [`status_forcelist`](Self#structfield.status_forcelist).
    #[must_use]
    pub fn status_forcelist(self, statuses: impl IntoIterator<Item = u16>) -> Self {
        Retry { status_forcelist: statuses.into_iter().collect(), ..self }
    }

    /// With another [`backoff_factor`](Self#structfield.backoff_factor).
    #[must_use]
    pub fn backoff_factor(self, seconds: f64) -> Self {
        Retry { backoff_factor: seconds, ..self }
    }

    /// With another [`backoff_max`](Self#structfield.backoff_max).
    #[must_use]
    pub fn backoff_max(self, longest: Duration) -> Self {
        Retry { backoff_max: longest, ..self }
    }

    /// With another [`backoff_jitter`](Self#structfield.backoff_jitter).
    #[must_use]
    pub fn backoff_jitter(self, most: Duration) -> Self {
        Retry { backoff_jitter: most, ..self }
    }

    /// With another [`raise_on_status`](Self#structfield.raise_on_status).
    #[must_use]
    pub fn raise_on_status(self, raise: bool) -> Self {
        Retry { raise_on_status: raise, ..self }
    }

    /// With another [`raise_on_redirect`](Self#structfield.raise_on_redirect).
    #[must_use]
    pub fn raise_on_redirect(self, raise: bool) -> Self {
        Retry { raise_on_redirect: raise, ..self }
    }

    /// With another [`respect_retry_after`](Self#structfield.respect_retry_after).
    #[must_use]
    pub fn respect_retry_after(self, respect: bool) -> Self {
        Retry { respect_retry_after: respect, ..self }
    }

    /// With another [`retry_after_max`](Self#structfield.retry_after_max).
    #[must_use]
    pub fn retry_after_max(self, longest: Duration) -> Self {
        Retry { retry_after_max: longest, ..self }
    }

    /// With other [`remove_headers_on_redirect`](Self#structfield.remove_headers_on_redirect).
    #[must_use]
    pub fn remove_headers_on_redirect<N: Into<Box<str>>>(
        self,
        names: impl IntoIterator<Item = N>,
    ) -> Self {
        let names = names.into_iter().map(Into::into).collect();
        Retry { remove_headers_on_redirect: names, ..self }
    }

    /// Whether a response with this status can be one to retry, whatever its fields say: most are not,
    /// and need no more of a look.
    #[must_use]
    pub fn concerns(&self, status: u16) -> bool {
        self.status_forcelist.contains(&status) || RETRY_AFTER_STATUSES.contains(&status)
    }

    /// Whether nothing is ever retried, and no redirect counted.
    #[must_use]
    pub const fn is_none(&self) -> bool {
        matches!((self.total, self.redirect), (Some(0), None))
    }

    /// Whether a *response* that is not retried for this reason is an error; otherwise it is the
    /// call's result like any other.
    #[must_use]
    pub fn raises(&self, reason: &StopReason) -> bool {
        match reason {
            StopReason::Exhausted { kind: Kind::Status(_), .. } => self.raise_on_status,
            StopReason::Exhausted { kind: Kind::Redirect(_), .. } => self.raise_on_redirect,
            _ => false,
        }
    }

    /// Takes the fields of [`remove_headers_on_redirect`](Self#structfield.remove_headers_on_redirect)
    /// out of `headers` if the credentials go; beside
    /// [`Redirected::prune`](crate::redirect::Redirected::prune).
    pub fn prune(&self, credentials: Credentials, headers: &mut Headers) {
        if credentials == Credentials::Strip {
            for name in &self.remove_headers_on_redirect {
                headers.remove(name);
            }
        }
    }
}

impl Default for Retry {
    fn default() -> Self {
        Self::none()
    }
}

/// `max_retries=3`
impl From<u32> for Retry {
    fn from(total: u32) -> Self {
        Self::new(total)
    }
}

/// A set of methods; [`DEFAULT_ALLOWED_METHODS`] by default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Methods {
    /// All of them.
    Any,
    /// These.
    Only(Vec<Method>),
}

impl Methods {
    /// Whether `method` is one of them.
    #[must_use]
    pub fn contains(&self, method: &Method) -> bool {
        match self {
            Methods::Any => true,
            Methods::Only(methods) => methods.contains(method),
        }
    }
}

impl Default for Methods {
    fn default() -> Self {
        Methods::Only(DEFAULT_ALLOWED_METHODS.to_vec())
    }
}

impl From<Vec<Method>> for Methods {
    fn from(methods: Vec<Method>) -> Self {
        Methods::Only(methods)
    }
}

impl<const N: usize> From<[Method; N]> for Methods {
    fn from(methods: [Method; N]) -> Self {
        Methods::Only(methods.into())
    }
}
