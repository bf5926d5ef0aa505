//! The clients that are compared, all behind one trait. See `main.rs` for what is measured.
#![allow(clippy::disallowed_methods)] // benchmarks block and read clocks, as the lab does

pub mod client;
pub mod clients;
pub mod one_shot;
