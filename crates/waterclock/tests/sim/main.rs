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
mod challenges;
mod cookies;
mod cut_tls;
mod drips;
mod interim;
mod interrupts;
mod matrix;
mod pauses;
mod profile;
mod proxies;
mod races;
mod redirects;
mod retries;
mod secure;
mod settle;
mod stops;
mod strays;
mod verify;
mod waiting;
