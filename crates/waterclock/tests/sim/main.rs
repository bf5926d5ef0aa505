//! The unchanged client in a simulated world: every instant is compared for equality, and nothing
//! sleeps.
//!
//! `matrix` is the heart: for every limit and every phase, a peer that stops there.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests are tests too"
)]

mod backoff;
mod bench;
mod boundaries;
mod captured;
mod chains;
mod challenges;
mod chunks;
mod clocks;
mod contents;
mod cookies;
mod cut_tls;
mod dialogues;
mod drips;
mod held;
mod interim;
mod interrupts;
mod log_lines;
mod matrix;
mod misdirected;
mod observers;
mod pauses;
mod profile;
mod proxies;
mod races;
mod recorder;
mod redirects;
mod retries;
mod secure;
mod settle;
mod stops;
mod strays;
#[cfg(feature = "tracing")]
mod traced;
mod verify;
mod waiting;
