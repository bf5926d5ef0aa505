//! Origins that lie about who they are, lead elsewhere, and ask for what is not theirs; and callers
//! whose text is not their own. A row of a table is a case; `docs/hostile` has the whole list.
#![cfg(unix)]
#![allow(clippy::disallowed_methods, reason = "peers and watchdogs wait in real time")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

mod addresses;
mod after_handshakes;
mod certificates;
mod handshakes;
mod old_tls;
mod records;
mod sealed;
mod support;
