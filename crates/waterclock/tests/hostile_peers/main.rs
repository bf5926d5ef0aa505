//! Peers that never end, give far more than they promise, or cut what they give; on real sockets.
//! `docs/hostile/codings-and-limits.md` has the table.

#![cfg(target_os = "linux")]
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "these tests are about real waits, and helpers of tests may fail tests"
)]

mod bomb_cases;
#[allow(dead_code, reason = "shared with `tests/cve_engine`")]
#[path = "../cve_engine/bombs.rs"]
mod bombs;
mod cuts;
mod drips;
mod endless;
#[allow(dead_code, reason = "shared with `tests/real`")]
#[path = "../real/peak_memory.rs"]
mod peak;
#[allow(dead_code, reason = "shared with `tests/hostile`, and a part of it is used here")]
#[path = "../hostile/support.rs"]
mod support;
