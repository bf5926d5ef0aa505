//! Torture: everything that the client asks the system for fails once, in turn, in every way in which it
//! can, over hundreds of scenarios in a simulated world. Whatever fails and wherever: no panic, no hang, the
//! right answer or an error of a kind that fits, a record without gaps, no POST twice, nothing left open, and
//! the session goes on working.
//!
//! A run with `WATERCLOCK_TORTURE=all` takes every fault at every point; otherwise it is a sample, another
//! one in each scenario. `WATERCLOCK_TORTURE_ONLY=TEXT` takes the scenarios whose name has it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests are tests too"
)]

#[allow(dead_code, reason = "its other half is for the tests of limits")]
#[path = "../sim/bench.rs"]
mod bench;
mod cases;
#[allow(dead_code, reason = "the bench trusts it")]
#[path = "../sim/cut_tls.rs"]
mod cut_tls;
mod fault;
mod judge;
mod scenario;
mod table;
mod world;
