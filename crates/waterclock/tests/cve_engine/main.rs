//! One test for each flaw that other clients have had below their sessions: in TLS, framing, decoding
//! and URLs. Each is named after the flaw's id and fails if the flaw is put back; `docs/security.md`
//! has the whole table.
#![cfg(unix)]
#![allow(clippy::disallowed_methods, reason = "a watchdog waits in real time")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

mod bombs;
mod decoding;
mod documentation;
mod framing;
#[path = "../real/peak_memory.rs"]
#[allow(dead_code, reason = "it is shared")]
mod peak;
mod support;
mod tls;
mod urls;
