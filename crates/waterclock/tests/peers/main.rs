//! The client against servers and proxies that others wrote: nginx, squid, tinyproxy, microsocks,
//! Dante and httpbin, started by the tests.
//!
//! Everything is on loopback and on free ports. `scripts/setup` installs them; where one is missing
//! its tests say so and pass.
#![cfg(unix)]
#![allow(clippy::disallowed_methods, reason = "waiting for daemons takes real time")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

mod peer;
mod support;

mod auth;
mod cookies;
mod curl;
mod exchanges;
mod httpbin;
mod observed;
mod origins;
mod proxies;
mod proxy_rules;
mod redirects;
mod retries;
mod secure;
mod sent;
mod socks;
mod texts;
mod tls_proxies;
mod uploads;
