//! Runs made in code, exported, and looked at from outside.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests panic to fail")]

mod any;
mod browser;
mod har;
mod markup;
mod otlp;
mod program;
mod runs;
mod schema;
mod snapshots;
mod trace;
