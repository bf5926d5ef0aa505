//! The client on real sockets against the servers of the lab: real time, real TLS, real descriptors.
//!
//! Everything is on loopback and on free ports. A test of time asserts strictly that nothing happens
//! early, and only generously that it is not late: another program may have the processor.
#![cfg(unix)]
#![allow(clippy::disallowed_methods, reason = "tests of real time read the clock and sleep")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

mod support;

mod answers;
mod basics;
mod bodies;
mod cancel;
mod cookies;
mod credentials;
mod hooks;
mod knobs;
mod limits;
mod load;
mod memory;
mod origins;
mod probes;
mod process;
mod proxies;
mod redirects;
mod requests;
mod routes;
mod secure_proxies;
mod sockets;
mod socks;
mod tls;
mod uploads;
