//! Runs made in code, exported, and looked at from outside.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests panic to fail")]

mod runs;
mod snapshots;
