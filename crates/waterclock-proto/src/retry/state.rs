//! [`RetryState`]: what one call has used of its [`Retry`], and what it does next.

use super::{Delay, Kind, RETRY_AFTER_STATUSES, Retry, StopReason};
use crate::message::Method;
use crate::timeline::RequestSent;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use url::Url;

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause<'a> {
    /// No connection was made: lookup, connect, and the like.
    Connect,
    /// The response did not arrive whole: a cut, a timeout, broken HTTP.
    Read,
    /// Anything else: TLS, a proxy.
    Other,
    /// A whole response, which may be one to retry.
    Status {
        /// Its status.
        status: u16,
        /// Its Retry-After.
        retry_after: Option<&'a [u8]>,
    },
}

impl Cause<'_> {
    const fn kind(self) -> Kind {
        match self {
            Cause::Connect => Kind::Connect,
            Cause::Read => Kind::Read,
            Cause::Other => Kind::Other,
            Cause::Status { status, .. } => Kind::Status(status),
        }
    }
}

/// A request that failed.
#[derive(Clone, Copy, Debug)]
pub struct Failed<'a> {
    /// Its method.
    pub method: &'a Method,
    /// Its URL.
    pub url: &'a Url,
    /// What went wrong.
    pub cause: Cause<'a>,
    /// How much of it was sent.
    pub sent: RequestSent,
    /// Whether its body can be sent from the start: there is none, it was not begun, or it can be
    /// rewound.
    pub body_replayable: bool,
}

/// What to do after a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Send the request again.
    Again {
        /// After this pause; ask [`fits`](super::fits) before.
        delay: Duration,
        /// What the pause is for.
        why: Delay,
    },
    /// Do not. [`Retry::raises`] says whether a response becomes an error by that.
    Stop(StopReason),
}

/// A request that was followed by another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempted {
    /// Its method.
    pub method: Method,
    /// Its URL.
    pub url: Url,
    /// What happened.
    pub kind: Kind,
    /// Where it was redirected to.
    pub redirect_location: Option<Url>,
    /// The pause before the next one.
    pub delay: Duration,
}

/// What one call has used of its [`Retry`].
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use waterclock_proto::message::Method;
/// use waterclock_proto::retry::{Cause, Decision, Delay, Failed, Retry, RetryState};
/// use waterclock_proto::timeline::RequestSent;
///
/// let retry = Retry::new(1).backoff_factor(0.1);
/// let mut state = RetryState::new(retry);
/// let url = "http://example.com/".parse()?;
/// let busy = Failed {
///     method: &Method::Get,
///     url: &url,
///     cause: Cause::Status { status: 503, retry_after: Some(b"3") },
///     sent: RequestSent::Yes,
///     body_replayable: true,
/// };
/// let again = Decision::Again { delay: Duration::from_secs(3), why: Delay::RetryAfter };
/// let now = SystemTime::UNIX_EPOCH;
/// assert_eq!(state.decide(&busy, now, 0.5), again);
/// assert!(matches!(state.decide(&busy, now, 0.5), Decision::Stop(_)));
/// # Ok::<(), url::ParseError>(())
/// ```
#[derive(Clone, Debug)]
pub struct RetryState {
    policy: Arc<Retry>,
    left: Left,
    /// How many retries there were.
    retries: u32,
    /// How many failures since the last redirect.
    failures: u32,
    history: Vec<Attempted>,
}

/// How much is left of each count.
#[derive(Clone, Copy, Debug)]
struct Left {
    total: Option<u32>,
    connect: Option<u32>,
    read: Option<u32>,
    redirect: Option<u32>,
    status: Option<u32>,
    other: Option<u32>,
}

impl Left {
    fn of(&mut self, kind: Kind) -> &mut Option<u32> {
        match kind {
            Kind::Connect => &mut self.connect,
            Kind::Read => &mut self.read,
            Kind::Other => &mut self.other,
            Kind::Status(_) => &mut self.status,
            Kind::Redirect(_) => &mut self.redirect,
        }
    }

    /// The counts with one less for this; `None` if one of them would fall below zero.
    fn less(mut self, kind: Kind) -> Option<Left> {
        take_one(&mut self.total)?;
        take_one(self.of(kind))?;
        Some(self)
    }
}

fn take_one(count: &mut Option<u32>) -> Option<()> {
    if let Some(left) = count {
        *left = left.checked_sub(1)?;
    }
    Some(())
}

impl RetryState {
    /// Nothing is used yet.
    #[must_use]
    pub fn new(policy: impl Into<Arc<Retry>>) -> Self {
        let policy = policy.into();
        let Retry { total, connect, read, redirect, status, other, .. } = *policy;
        let left = Left { total, connect, read, redirect, status, other };
        RetryState { policy, left, retries: 0, failures: 0, history: Vec::new() }
    }

    /// The policy.
    #[must_use]
    pub fn policy(&self) -> &Retry {
        &self.policy
    }

    /// The requests that were followed by another one, oldest first.
    #[must_use]
    pub fn history(&self) -> &[Attempted] {
        &self.history
    }

    /// How many retries there were.
    #[must_use]
    pub const fn retries(&self) -> u32 {
        self.retries
    }

    /// What to do after `failed`; an [`Again`](Decision::Again) is counted as done. `now` is what a
    /// Retry-After with a date is compared with, `random`, from 0 to 1, is for the jitter.
    pub fn decide(&mut self, failed: &Failed<'_>, now: SystemTime, random: f64) -> Decision {
        let retry_after = match failed.cause {
            Cause::Status { retry_after, .. } => self.policy.retry_after(retry_after, now),
            _ => None,
        };
        let left = match self.check(failed, retry_after.is_some()) {
            Ok(left) => left,
            Err(reason) => return Decision::Stop(reason),
        };
        self.left = left;
        self.retries = self.retries.saturating_add(1);
        self.failures = self.failures.saturating_add(1);
        let (delay, why) = match retry_after {
            // "At once" leaves it to the client to be careful.
            Some(delay) if !delay.is_zero() => (delay, Delay::RetryAfter),
            _ => (self.policy.backoff(self.failures, random), Delay::Backoff),
        };
        self.history.push(Attempted {
            method: failed.method.clone(),
            url: failed.url.clone(),
            kind: failed.cause.kind(),
            redirect_location: None,
            delay,
        });
        Decision::Again { delay, why }
    }

    /// The last [`Again`](Decision::Again) is not carried out: there is [no time](super::fits) for its
    /// pause.
    pub fn take_back(&mut self) {
        if self.history.pop().is_some() {
            self.retries = self.retries.saturating_sub(1);
        }
    }

    /// A redirect is about to be followed. It is counted if [`Retry::redirect`] is set, against
    /// that and `total`; backoff begins anew in any case.
    ///
    /// # Errors
    ///
    /// [`StopReason::Exhausted`] when it must not be followed.
    pub fn redirected(
        &mut self,
        method: &Method,
        url: &Url,
        status: u16,
        to: &Url,
    ) -> Result<(), StopReason> {
        let kind = Kind::Redirect(status);
        if self.policy.redirect.is_some() {
            self.left = self.left.less(kind).ok_or_else(|| {
                let redirect = |past: &&Attempted| matches!(past.kind, Kind::Redirect(_));
                let after = self.history.iter().filter(redirect).count();
                StopReason::Exhausted { kind, after: u32::try_from(after).unwrap_or(u32::MAX) }
            })?;
        }
        self.failures = 0;
        self.history.push(Attempted {
            method: method.clone(),
            url: url.clone(),
            kind,
            redirect_location: Some(to.clone()),
            delay: Duration::ZERO,
        });
        Ok(())
    }

    /// What is left after one more retry, or why there is none.
    fn check(&self, failed: &Failed<'_>, retry_after: bool) -> Result<Left, StopReason> {
        let Failed { method, sent, .. } = *failed;
        let left = self.left.less(failed.cause.kind());
        let allowed = self.policy.allowed_methods.contains(method);
        let safe = match failed.cause {
            Cause::Status { status, .. } => {
                if !self.is_retried(status, retry_after) {
                    return Err(StopReason::Status { status });
                }
                allowed
            }
            _ if left.is_none() && self.retries == 0 => return Err(StopReason::Off),
            _ => allowed || sent == RequestSent::No,
        };
        if !safe {
            return Err(StopReason::Method { method: method.clone(), sent });
        }
        if !failed.body_replayable {
            return Err(StopReason::Body);
        }
        let kind = failed.cause.kind();
        left.ok_or(StopReason::Exhausted { kind, after: self.retries })
    }

    /// Without a limit on `total` a server could have its requests for ever by Retry-After alone;
    /// with none left, its response is the result and no error.
    fn is_retried(&self, status: u16, retry_after: bool) -> bool {
        self.policy.status_forcelist.contains(&status)
            || (retry_after
                && RETRY_AFTER_STATUSES.contains(&status)
                && self.left.total.is_some_and(|left| left > 0))
    }
}

/// What is left, as urllib3 writes it in its log.
impl fmt::Display for RetryState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = [
            ("total", self.left.total),
            ("connect", self.left.connect),
            ("read", self.left.read),
            ("redirect", self.left.redirect),
            ("status", self.left.status),
        ];
        f.write_str("Retry(")?;
        for (index, (name, left)) in counts.into_iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            match left {
                Some(left) => write!(f, "{comma}{name}={left}")?,
                None => write!(f, "{comma}{name}=None")?,
            }
        }
        f.write_str(")")
    }
}
