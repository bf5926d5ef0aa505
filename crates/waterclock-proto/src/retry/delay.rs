//! How long the pause before a retry is, and whether there is time for it.

use super::Retry;
use crate::cookies::parse_cookie_date;
use crate::message::{parse_decimal, trim};
use std::fmt;
use std::time::{Duration, SystemTime};

/// What a pause is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delay {
    /// The pauses grow with each failure.
    Backoff,
    /// The server asked for it.
    RetryAfter,
}

impl Retry {
    /// The pause after so many failures in a row. `random` is from 0 to 1.
    pub(super) fn backoff(&self, failures: u32, random: f64) -> Duration {
        if failures <= 1 {
            return Duration::ZERO;
        }
        // More doublings than this come to the same; not a number comes to no pause.
        let doublings = i32::try_from(failures - 1).map_or(64, |doublings| doublings.min(64));
        let jitter = self.backoff_jitter.as_secs_f64() * random.clamp(0.0, 1.0);
        let seconds = self.backoff_factor.max(0.0) * 2f64.powi(doublings) + jitter;
        let pause = if seconds > 0.0 {
            Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
        } else {
            Duration::ZERO
        };
        pause.min(self.backoff_max)
    }

    /// The pause that a Retry-After asks for, if it is heeded and makes sense.
    pub(super) fn retry_after(&self, value: Option<&[u8]>, now: SystemTime) -> Option<Duration> {
        let value = value.filter(|_| self.respect_retry_after)?;
        Some(parse_retry_after(value, now)?.min(self.retry_after_max))
    }
}

/// RFC 9110 §10.2.3: seconds, or a date, which may be over.
fn parse_retry_after(value: &[u8], now: SystemTime) -> Option<Duration> {
    let value = trim(value);
    if !value.is_empty() && value.iter().all(u8::is_ascii_digit) {
        // More digits than fit are as long as can be.
        return Some(parse_decimal(value).map_or(Duration::MAX, Duration::from_secs));
    }
    let date = parse_cookie_date(value)?;
    Some(date.duration_since(now).unwrap_or_default())
}

/// Whether there is time for the pause and at least something after it. `left` is what a deadline
/// leaves, if there is one.
///
/// ```
/// use std::time::Duration;
/// use waterclock_proto::retry::fits;
///
/// let refused = fits(Duration::from_secs(21_600), Some(Duration::from_millis(2500)));
/// assert_eq!(
///     refused.unwrap_err().to_string(),
///     "the next try is due in 21600 s, but only 2500 ms are left"
/// );
/// assert!(fits(Duration::from_secs(21_600), None).is_ok());
/// ```
///
/// # Errors
///
/// [`DelayRefused`] when there is not: to wait would only put the failure off.
pub fn fits(delay: Duration, left: Option<Duration>) -> Result<(), DelayRefused> {
    match left {
        // Without a pause it is the deadline's own business to fire.
        Some(left) if !delay.is_zero() && delay >= left => {
            Err(DelayRefused { wanted: delay, left })
        }
        _ => Ok(()),
    }
}

/// There is no time for the pause before a retry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DelayRefused {
    /// How long the pause would be.
    pub wanted: Duration,
    /// How much time is left.
    pub left: Duration,
}

impl fmt::Display for DelayRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (wanted, left) = (words(self.wanted), words(self.left));
        write!(f, "the next try is due in {wanted}, but only {left} are left")
    }
}

impl std::error::Error for DelayRefused {}

/// Milliseconds below 10 s, seconds above.
fn words(duration: Duration) -> String {
    match duration.as_secs() {
        0..10 => format!("{} ms", duration.as_millis()),
        seconds => format!("{seconds} s"),
    }
}
