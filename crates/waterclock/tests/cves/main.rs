//! One test for each flaw that other clients have had: named after its id, and failing if the flaw is
//! put back. Those without an id are called `no_id_...`.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

mod credentials;
mod redirects;
mod retries;
mod support;
