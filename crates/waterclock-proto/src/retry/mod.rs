//! Retries: whether a failed request is sent again, and after how long.
//!
//! [`Retry`] is the policy, with the words of urllib3's `Retry`; [`RetryState`] counts what one
//! call has used of it and decides. Clock readings and random numbers are passed in, and nobody
//! sleeps here: the caller asks [`fits`] whether the delay leaves time for the next try at all, so
//! that a server's `Retry-After: 21600` is refused at once instead of slept through.
//!
//! As in urllib3: `total` caps all; the first retry comes at once, the next ones after
//! `backoff_factor` times 2, 4, 8 ... seconds; a status is retried if it is in `status_forcelist`,
//! or is 413, 429 or 503 with a Retry-After; Retry-After, if not zero, takes the backoff's place.
//!
//! Safer than urllib3:
//!
//! - A request of which a byte was sent is sent again only if `allowed_methods` has its method,
//!   whatever went wrong. urllib3 repeats a POST after a TLS error in mid-upload.
//! - A Retry-After that is neither a number nor a date is as good as none; urllib3 raises
//!   `InvalidHeader`.
//! - [`Retry::remove_headers_on_redirect`] adds to the fields that never leave their origin; it
//!   cannot take any away.
//!
//! As in requests, redirects are not counted, unless [`Retry::redirect`] says how many.

mod delay;
mod policy;
mod reason;
mod state;

#[cfg(test)]
mod tests;

pub use delay::{Delay, DelayRefused, fits};
pub use policy::{Methods, Retry};
pub use reason::{Kind, StopReason};
pub use state::{Attempted, Cause, Decision, Failed, RetryState};

use crate::message::Method;

/// The methods that are retried unless said otherwise: those for which twice means the same as once
/// (RFC 9110 §9.2.2).
pub const DEFAULT_ALLOWED_METHODS: [Method; 6] =
    [Method::Head, Method::Get, Method::Put, Method::Delete, Method::Options, Method::Trace];

/// The statuses that are retried when they come with a Retry-After, even if
/// [`Retry::status_forcelist`] does not have them.
pub const RETRY_AFTER_STATUSES: [u16; 3] = [413, 429, 503];
