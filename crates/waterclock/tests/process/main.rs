//! The process around the client: signals, stops, pipes, descriptors, memory, threads, clocks, the end.
//! `docs/hostile/process.md` has the table; each row there names its test.
//!
//! What is done to a process is done to one of its own: a test starts this program again for itself alone,
//! with `around.c` preloaded where Rust cannot do it without `unsafe`.

#![cfg(target_os = "linux")]
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::panic,
    reason = "these tests are about real waits, and helpers of tests may fail tests"
)]

mod around;
mod clocks;
mod descriptors;
mod endings;
mod forks;
mod memory;
mod pipes;
mod stops;
mod storm;
#[path = "../hostile/support.rs"]
#[allow(dead_code, reason = "each table uses a part of it")]
mod support;
mod threads;
