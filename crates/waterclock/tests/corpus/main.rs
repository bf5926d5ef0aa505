//! The corpus: malformed and unusual responses as data (`data/*.txt`; `data/README.md` has the
//! format), each run through the parser, through the client in memory, over TCP and over TLS, whole
//! and in pieces, with the same result each time.
//!
//! - `case` is what a file says, `read` and `escapes` read it, `listing` counts.
//! - `outcome` is what comes of a run, whoever runs it.
//! - `parser`, `memory` and `sockets` run.
//! - `pages` holds `docs/hostile` to the tests and cases that it names.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "helpers of tests are tests too, and servers on sockets take real time"
)]

mod case;
mod escapes;
mod listing;
mod memory;
mod outcome;
mod pages;
mod parser;
mod read;
mod sockets;
