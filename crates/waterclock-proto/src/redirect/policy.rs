//! [`RedirectPolicy`]: which redirects are followed.

use super::{Rule, same_origin};
use url::Url;

/// Which redirects are followed. By default up to 30 of them, as in requests.
///
/// ```
/// use waterclock_proto::redirect::RedirectPolicy;
///
/// let policy = RedirectPolicy::limited(5).with_https_only(true);
/// assert_eq!(policy.and(RedirectPolicy::none()).follow, false);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RedirectPolicy {
    /// How many redirects are followed before the next one is an error.
    pub max: u32,
    /// Whether any is followed; if not, a redirect is a response like any other.
    pub follow: bool,
    /// Whether a redirect to `http` is an error.
    pub https_only: bool,
    /// Whether a redirect to another scheme, host or port is an error.
    pub same_origin_only: bool,
    /// Whether 301 and 302 leave method and body alone, as curl's `--post301` and `--post302`. A
    /// 303 never does.
    pub keep_method: bool,
}

impl RedirectPolicy {
    /// Follows no redirect.
    #[must_use]
    pub const fn none() -> Self {
        RedirectPolicy { follow: false, ..Self::limited(0) }
    }

    /// Follows `max` redirects; one more is an error.
    #[must_use]
    pub const fn limited(max: u32) -> Self {
        RedirectPolicy {
            max,
            follow: true,
            https_only: false,
            same_origin_only: false,
            keep_method: false,
        }
    }

    /// With another [`max`](Self::max).
    #[must_use]
    pub const fn with_max(self, max: u32) -> Self {
        RedirectPolicy { max, ..self }
    }

    /// With another [`follow`](Self::follow).
    #[must_use]
    pub const fn with_follow(self, follow: bool) -> Self {
        RedirectPolicy { follow, ..self }
    }

    /// With another [`https_only`](Self::https_only).
    #[must_use]
    pub const fn with_https_only(self, https_only: bool) -> Self {
        RedirectPolicy { https_only, ..self }
    }

    /// With another [`same_origin_only`](Self::same_origin_only).
    #[must_use]
    pub const fn with_same_origin_only(self, same_origin_only: bool) -> Self {
        RedirectPolicy { same_origin_only, ..self }
    }

    /// With another [`keep_method`](Self::keep_method).
    #[must_use]
    pub const fn with_keep_method(self, keep_method: bool) -> Self {
        RedirectPolicy { keep_method, ..self }
    }

    /// What both allow. Where limits come from two places the stricter one holds, so that neither
    /// can be lost (CVE-2025-50181).
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        RedirectPolicy {
            max: if self.max < other.max { self.max } else { other.max },
            follow: self.follow && other.follow,
            https_only: self.https_only || other.https_only,
            same_origin_only: self.same_origin_only || other.same_origin_only,
            keep_method: self.keep_method && other.keep_method,
        }
    }

    /// The rule that forbids to go from one URL to the other.
    pub(super) fn broken_rule(&self, from: &Url, to: &Url) -> Option<Rule> {
        if self.https_only && to.scheme() == "http" {
            Some(Rule::HttpsOnly)
        } else if self.same_origin_only && !same_origin(from, to) {
            Some(Rule::SameOriginOnly)
        } else {
            None
        }
    }
}

impl Default for RedirectPolicy {
    fn default() -> Self {
        Self::limited(30)
    }
}
