//! Hostile servers, proxies, names and signals on real sockets. `docs/hostile/` has the tables; each row
//! there names its test.

#![cfg(target_os = "linux")]
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::panic,
    reason = "these tests are about real waits, and helpers of tests may fail tests"
)]

mod names;
mod pool;
mod proxies;
#[allow(dead_code, reason = "each table uses a part of it")]
mod support;
