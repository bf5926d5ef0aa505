//! Which redirects are followed, and what is tried again.

use crate::args::Policy;
use std::time::Duration;
use waterclock::retry::Methods;
use waterclock::{RedirectPolicy, Retry};

/// The statuses that another try may cure: those of curl's `--retry`.
const CURABLE: [u16; 6] = [408, 429, 500, 502, 503, 504];

/// What the pauses grow with.
const BACKOFF: Duration = Duration::from_millis(500);

/// What `--retry-status` takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Statuses(pub(crate) Vec<u16>);

/// Reads `502,503`, or `none`.
pub(crate) fn parse_statuses(text: &str) -> Result<Statuses, String> {
    if text == "none" {
        return Ok(Statuses(Vec::new()));
    }
    let status = |word: &str| match word.trim().parse() {
        Ok(status @ 100..=599) => Ok(status),
        _ => Err(format!(
            "\"{}\" is no status code; write some from 100 to 599 with commas between them, or none",
            word.escape_debug()
        )),
    };
    text.split(',').map(status).collect::<Result<_, _>>().map(Statuses)
}

impl Policy {
    /// As curl and HTTPie do it: a redirect is followed only if that was asked for.
    pub(crate) fn redirects(&self) -> RedirectPolicy {
        if !self.follow {
            return RedirectPolicy::none();
        }
        let policy = RedirectPolicy::default().with_keep_method(self.keep_method);
        self.max_redirects.map_or(policy, |max| policy.with_max(max))
    }

    /// What was retried in vain is a response like any other: `--fail` says whether it is an error.
    pub(crate) fn retries(&self) -> Retry {
        let Some(count) = self.retry else { return Retry::none() };
        let mut retry = Retry::new(count)
            .backoff_factor(self.backoff.unwrap_or(BACKOFF).as_secs_f64())
            .status_forcelist(self.statuses())
            .respect_retry_after(!self.ignore_retry_after)
            .raise_on_status(false);
        if let Some(longest) = self.max_delay {
            retry = retry.backoff_max(longest).retry_after_max(longest);
        }
        if self.all_methods {
            retry = retry.allowed_methods(Methods::Any);
        }
        retry
    }

    fn statuses(&self) -> Vec<u16> {
        self.statuses.as_ref().map_or(CURABLE.to_vec(), |statuses| statuses.0.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_followed_or_retried_unasked() {
        let policy = Policy::default();
        assert_eq!(policy.redirects(), RedirectPolicy::none());
        assert_eq!(policy.retries(), Retry::none());
    }

    #[test]
    fn a_longest_wait_counts_for_both_kinds() {
        let longest = Duration::from_secs(3);
        let policy = Policy { retry: Some(2), max_delay: Some(longest), ..Policy::default() };
        let retry = policy.retries();
        assert_eq!(retry.total, Some(2));
        assert_eq!(retry.status_forcelist, CURABLE);
        assert_eq!((retry.backoff_max, retry.retry_after_max), (longest, longest));
    }

    #[test]
    fn statuses_are_numbers() {
        assert_eq!(parse_statuses("502,503"), Ok(Statuses(vec![502, 503])));
        assert_eq!(parse_statuses("none"), Ok(Statuses(Vec::new())));
        for text in ["", "5xx", "502,", "99", "600", "-1"] {
            assert!(parse_statuses(text).unwrap_err().contains("no status code"), "{text}");
        }
    }
}
